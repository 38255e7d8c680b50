// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nvidia_mdev.c - a function as mdev parent, as "nvidia-vgpu-vfio" makes it
 * (interfaces 1). The mdev core is the kernel's own; the rules are here: one
 * size per GPU, one mdev per VF.
 */
#include <linux/delay.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/vfio.h>

#include "nvidia.h"

static int mdev_create_errno;
module_param(mdev_create_errno, int, 0644);
MODULE_PARM_DESC(mdev_create_errno, "refuse every mdev with this errno");
static int mdev_full_errno = ENOSPC;
module_param(mdev_full_errno, int, 0644);
MODULE_PARM_DESC(mdev_full_errno, "what a type without an instance left answers; the real driver's is not known");

struct gs_mdev_parent {
	struct mdev_parent core;
	struct gs_gpu *gpu;
	bool is_vf;
	unsigned int n_vgpus;           /* under the GPU's lock */
	struct mdev_type **type_list;
	struct mdev_type types[];
};

struct gs_mdev {
	struct vfio_device vdev;
	struct gs_mdev_parent *parent;  /* NULL until the instance is counted */
	const struct gs_vgpu_type *type;
	char params[GS_PARAMS_MAX];
};

static struct gs_mdev_parent *parent_of(struct mdev_type *t)
{
	return container_of(t->parent, struct gs_mdev_parent, core);
}

static const struct gs_vgpu_type *type_of(struct mdev_type *t)
{
	struct gs_mdev_parent *p = parent_of(t);

	return &p->gpu->model->types[t - p->types];
}

/* Under the GPU's lock. A VF says 0 or 1, a PF what is left (interfaces 1.4). */
static unsigned int available(struct mdev_type *t)
{
	struct gs_mdev_parent *p = parent_of(t);
	const struct gs_vgpu_type *type = type_of(t);

	if (!gs_gpu_has_room(p->gpu, type))
		return 0;
	if (p->is_vf)
		return p->n_vgpus == 0;
	return type->max_instances - p->gpu->n_vgpus;
}

static unsigned int get_available(struct mdev_type *t)
{
	struct gs_gpu *gpu = parent_of(t)->gpu;
	unsigned int n;

	mutex_lock(&gpu->lock);
	n = available(t);
	mutex_unlock(&gpu->lock);
	return n;
}

static ssize_t show_description(struct mdev_type *t, char *buf)
{
	const struct gs_vgpu_type *y = type_of(t);

	return sysfs_emit(buf, "num_heads=%u, frl_config=%u, framebuffer=%uM, max_resolution=%ux%u, max_instance=%u\n",
			  y->heads, y->frame_limit, y->framebuffer_mib, y->width, y->height, y->max_instances);
}

static int vgpu_init(struct vfio_device *v)
{
	struct gs_mdev *m = container_of(v, struct gs_mdev, vdev);
	struct mdev_type *t = to_mdev_device(v->dev)->type;
	struct gs_mdev_parent *p = parent_of(t);
	int r = 0;

	if (mdev_create_errno)
		return -mdev_create_errno;
	mutex_lock(&p->gpu->lock);
	if (available(t) == 0) {
		r = -mdev_full_errno;
	} else {
		m->parent = p;
		m->type = type_of(t);
		p->n_vgpus++;
		gs_gpu_take(p->gpu, m->type);
	}
	mutex_unlock(&p->gpu->lock);
	return r;
}

static void vgpu_release(struct vfio_device *v)
{
	struct gs_mdev *m = container_of(v, struct gs_mdev, vdev);

	if (m->parent) {
		mutex_lock(&m->parent->gpu->lock);
		m->parent->n_vgpus--;
		gs_gpu_give(m->parent->gpu);
		mutex_unlock(&m->parent->gpu->lock);
	}
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	vfio_free_device(v);    /* later kernels do it themselves */
#endif
}

/* Enough to be opened and held: no regions are behind it. */
static long vgpu_ioctl(struct vfio_device *v, unsigned int command, unsigned long argument)
{
	struct vfio_device_info info = { .flags = VFIO_DEVICE_FLAGS_PCI, .num_regions = VFIO_PCI_NUM_REGIONS, .num_irqs = VFIO_PCI_NUM_IRQS };
	size_t n = offsetofend(struct vfio_device_info, num_irqs);

	if (command != VFIO_DEVICE_GET_INFO)
		return -ENOTTY;
	info.argsz = n;
	return copy_to_user((void __user *)argument, &info, n) ? -EFAULT : 0;
}

static const struct vfio_device_ops vgpu_ops = { .name = "nvidia-vgpu-vfio", .init = vgpu_init, .release = vgpu_release, .ioctl = vgpu_ioctl };

static int vgpu_probe(struct mdev_device *mdev)
{
	struct gs_mdev *m = vfio_alloc_device(gs_mdev, vdev, &mdev->dev, &vgpu_ops);
	int r;

	if (IS_ERR(m))
		return PTR_ERR(m);
	dev_set_drvdata(&mdev->dev, m);
	r = vfio_register_emulated_iommu_dev(&m->vdev);
	if (r)
		vfio_put_device(&m->vdev);
	return r;
}

static void vgpu_remove(struct mdev_device *mdev)
{
	struct gs_mdev *m = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&m->vdev);
	vfio_put_device(&m->vdev);
}

static ssize_t vm_name_show(struct device *d, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "\n");
}
static DEVICE_ATTR_RO(vm_name);

static ssize_t vgpu_params_show(struct device *d, struct device_attribute *a, char *buf)
{
	struct gs_mdev *m = dev_get_drvdata(d);

	return sysfs_emit(buf, "%s\n", m->params);
}

static ssize_t vgpu_params_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	struct gs_mdev *m = dev_get_drvdata(d);

	return gs_params_set(m->params, buf) ?: n;
}
static DEVICE_ATTR_RW(vgpu_params);

static struct attribute *vgpu_attributes[] = { &dev_attr_vm_name.attr, &dev_attr_vgpu_params.attr, NULL };
static const struct attribute_group vgpu_group = { .name = "nvidia", .attrs = vgpu_attributes };
static const struct attribute_group *vgpu_groups[] = { &vgpu_group, NULL };

static struct mdev_driver vgpu_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.get_available = get_available,
	.show_description = show_description,
	.driver = { .name = "nvidia-vgpu-vfio", .owner = THIS_MODULE, .mod_name = KBUILD_MODNAME, .dev_groups = vgpu_groups },
};

int gs_mdev_init(void)
{
	return mdev_register_driver(&vgpu_driver);
}

void gs_mdev_exit(void)
{
	mdev_unregister_driver(&vgpu_driver);
}

static void parent_free(struct gs_mdev_parent *p)
{
	for (unsigned int i = 0; i < p->gpu->model->n_types; i++) {
		kfree(p->types[i].sysfs_name);
		kfree(p->types[i].pretty_name);
	}
	kfree(p->type_list);
	kfree(p);
}

struct gs_mdev_parent *gs_mdev_add(struct pci_dev *pdev, struct gs_gpu *gpu)
{
	unsigned int n = gpu->model->n_types;
	struct gs_mdev_parent *p = kzalloc(struct_size(p, types, n), GFP_KERNEL);
	int r = -ENOMEM;

	if (!p)
		return ERR_PTR(-ENOMEM);
	p->gpu = gpu;
	p->is_vf = pdev->is_virtfn;
	p->type_list = kcalloc(n, sizeof(*p->type_list), GFP_KERNEL);
	if (!p->type_list)
		goto fail;
	for (unsigned int i = 0; i < n; i++) {
		/* the core puts the driver's name before it: nvidia-742 */
		p->types[i].sysfs_name = kasprintf(GFP_KERNEL, "%u", gpu->model->types[i].id);
		p->types[i].pretty_name = kasprintf(GFP_KERNEL, "%s %s", gpu->model->prefix, gpu->model->types[i].name);
		if (!p->types[i].sysfs_name || !p->types[i].pretty_name)
			goto fail;
		p->type_list[i] = &p->types[i];
	}
	r = mdev_register_parent(&p->core, &pdev->dev, &vgpu_driver, p->type_list, n);
	if (r)
		goto fail;
	return p;
fail:
	parent_free(p);
	return ERR_PTR(r);
}

void gs_mdev_remove(struct gs_mdev_parent *p)
{
	mdev_unregister_parent(&p->core);
	parent_free(p);
}
