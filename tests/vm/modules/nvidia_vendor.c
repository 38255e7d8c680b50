// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nvidia_vendor.c - a VF that is the vGPU itself: the files of
 * VF/nvidia/ (interfaces 2.1-2.3, 10.1), over the kernel's own vfio-pci-core,
 * so that the VF has a VFIO group that can be opened and held.
 */
#include <linux/module.h>
#include <linux/vfio_pci_core.h>

#include "nvidia.h"

static int vendor_held_errno = EBUSY;
module_param(vendor_held_errno, int, 0644);
MODULE_PARM_DESC(vendor_held_errno, "what a new type answers while the VF is held; the real driver's is not known");
static bool heterogeneous;
module_param(heterogeneous, bool, 0644);
MODULE_PARM_DESC(heterogeneous, "sizes may be mixed; the real switch is in NVML");

#define NO_PLACEMENT 0xffff     /* interfaces 2.5 */
#define MIB_PER_SLOT 1024       /* a placement id counts in GiB */

/* NV_STATUS numbers that the kernel log shows (interfaces 2.7, 2.8) */
enum { NV_INSUFFICIENT_RESOURCES = 0x1a, NV_INVALID_OPERATION = 0x38, NV_INVALID_STATE = 0x40, NV_NOT_SUPPORTED = 0x56, NV_NOT_FOUND = 0x57 };

struct gs_vendor_vf {
	struct vfio_pci_core_device core;       /* first: vfio_alloc_device() wants it so */
	struct list_head link;                  /* in the GPU's list; all below is under the GPU's lock */
	struct gs_gpu *gpu;
	const struct gs_vgpu_type *type;        /* NULL: none */
	unsigned int placement;
	unsigned int n_open;
	char params[GS_PARAMS_MAX];
};

static struct gs_vendor_vf *vf_of(struct device *d)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(d);

	return container_of(core, struct gs_vendor_vf, core);
}

static unsigned int slots(const struct gs_vgpu_type *t)
{
	return t->framebuffer_mib / MIB_PER_SLOT;
}

/* Starts are multiples of the size: simple, and enough to fragment. @except is moved, so not in its own way. */
static bool is_free(const struct gs_vendor_vf *except, const struct gs_gpu *gpu, const struct gs_vgpu_type *t, unsigned int start)
{
	const struct gs_vendor_vf *vf;

	if (start % slots(t) != 0 || start + slots(t) > gpu->model->framebuffer_mib / MIB_PER_SLOT)
		return false;
	list_for_each_entry(vf, &gpu->vendor_vfs, link) {
		if (vf != except && vf->type && start < vf->placement + slots(vf->type) && vf->placement < start + slots(t))
			return false;
	}
	return true;
}

static unsigned int first_free(const struct gs_gpu *gpu, const struct gs_vgpu_type *t)
{
	for (unsigned int start = 0; start < gpu->model->framebuffer_mib / MIB_PER_SLOT; start += slots(t)) {
		if (is_free(NULL, gpu, t, start))
			return start;
	}
	return NO_PLACEMENT;
}

/* 0, or the status that the log shows. */
static int status_of_create(const struct gs_vendor_vf *vf, const struct gs_vgpu_type *t)
{
	const struct gs_gpu *gpu = vf->gpu;

	if (vf->type || !gpu->pf)
		return NV_INVALID_OPERATION;
	if (!heterogeneous) {
		if (gpu->n_vgpus && gpu->size_mib != t->framebuffer_mib)
			return NV_NOT_SUPPORTED;
		if (gpu->n_vgpus >= t->max_instances)
			return NV_INSUFFICIENT_RESOURCES;
	}
	return first_free(gpu, t) == NO_PLACEMENT ? NV_INVALID_STATE : 0;
}

/* The header is always there; a VF with a type, and a full GPU, have nothing else (interfaces 2.2). */
static ssize_t creatable_vgpu_types_show(struct device *d, struct device_attribute *a, char *buf)
{
	struct gs_vendor_vf *vf = vf_of(d);
	const struct gs_model *m = vf->gpu->model;
	int n = sysfs_emit(buf, "%-5s : %s\n", "ID", "vGPU Name");

	mutex_lock(&vf->gpu->lock);
	for (unsigned int i = 0; i < m->n_types; i++) {
		if (status_of_create(vf, &m->types[i]) == 0)
			n += sysfs_emit_at(buf, n, "%-5u : NVIDIA %s\n", m->types[i].id, m->types[i].name);
	}
	mutex_unlock(&vf->gpu->lock);
	return n;
}
static DEVICE_ATTR_RO(creatable_vgpu_types);

static ssize_t current_vgpu_type_show(struct device *d, struct device_attribute *a, char *buf)
{
	struct gs_vendor_vf *vf = vf_of(d);

	return sysfs_emit(buf, "%u\n", vf->type ? vf->type->id : 0);
}

static void forget_type(struct gs_vendor_vf *vf)
{
	if (!vf->type)
		return;
	vf->type = NULL;
	vf->params[0] = '\0';
	gs_gpu_give(vf->gpu);
}

static const struct gs_vgpu_type *type_by_id(const struct gs_model *m, unsigned int id)
{
	for (unsigned int i = 0; i < m->n_types; i++) {
		if (m->types[i].id == id)
			return &m->types[i];
	}
	return NULL;
}

/* Under the lock. */
static int set_type(struct gs_vendor_vf *vf, unsigned int id)
{
	const struct gs_vgpu_type *t;
	int status;

	if (vf->n_open)
		return -vendor_held_errno;
	if (id == 0) {
		forget_type(vf);
		return 0;
	}
	t = type_by_id(vf->gpu->model, id);
	status = t ? status_of_create(vf, t) : NV_NOT_FOUND;
	if (status) {
		pr_err("NVRM: Failed to add vgpu create request: 0x%x\n", status);
		return -EIO;
	}
	vf->placement = first_free(vf->gpu, t);
	vf->type = t;
	gs_gpu_take(vf->gpu, t);
	return 0;
}

static ssize_t current_vgpu_type_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	struct gs_vendor_vf *vf = vf_of(d);
	unsigned int id;
	int r = kstrtouint(buf, 10, &id);

	if (r)
		return -EINVAL;
	mutex_lock(&vf->gpu->lock);
	r = set_type(vf, id);
	mutex_unlock(&vf->gpu->lock);
	return r ? r : n;
}
static DEVICE_ATTR_RW(current_vgpu_type);

static ssize_t placement_id_show(struct device *d, struct device_attribute *a, char *buf)
{
	struct gs_vendor_vf *vf = vf_of(d);
	ssize_t n = -ENXIO;

	mutex_lock(&vf->gpu->lock);
	if (vf->type)
		n = sysfs_emit(buf, "%u\n", vf->placement);
	mutex_unlock(&vf->gpu->lock);
	return n;
}

static ssize_t placement_id_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	struct gs_vendor_vf *vf = vf_of(d);
	unsigned int start;
	int r = kstrtouint(buf, 10, &start);

	if (r)
		return -EINVAL;
	mutex_lock(&vf->gpu->lock);
	if (!vf->type)
		r = -ENXIO;
	else if (vf->n_open)
		r = -vendor_held_errno;
	else if (!is_free(vf, vf->gpu, vf->type, start))
		r = -EIO;
	else
		vf->placement = start;
	mutex_unlock(&vf->gpu->lock);
	return r ? r : n;
}
static DEVICE_ATTR_RW(placement_id);

/* No MIG here. What a real VF says without it is not known (interfaces 2.1); NVML's "no instance" is this number. */
static ssize_t gpu_instance_id_show(struct device *d, struct device_attribute *a, char *buf)
{
	return vf_of(d)->type ? sysfs_emit(buf, "%u\n", 0xffffffffu) : -ENXIO;
}

static ssize_t gpu_instance_id_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	return vf_of(d)->type ? -EINVAL : -ENXIO;
}
static DEVICE_ATTR_RW(gpu_instance_id);

static ssize_t vgpu_params_show(struct device *d, struct device_attribute *a, char *buf)
{
	struct gs_vendor_vf *vf = vf_of(d);

	return vf->type ? sysfs_emit(buf, "%s\n", vf->params) : -ENXIO;
}

static ssize_t vgpu_params_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	struct gs_vendor_vf *vf = vf_of(d);
	int r = -ENXIO;

	mutex_lock(&vf->gpu->lock);
	if (vf->type)
		r = gs_params_set(vf->params, buf);
	mutex_unlock(&vf->gpu->lock);
	return r ?: n;
}
static DEVICE_ATTR_RW(vgpu_params);

/* Newer drivers have it. What it gives without an update to come is not known. */
static ssize_t warm_update_show(struct device *d, struct device_attribute *a, char *buf)
{
	return -ENXIO;
}

static ssize_t warm_update_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	return -EACCES;
}
static DEVICE_ATTR_RW(warm_update);

static struct attribute *vf_attributes[] = { &dev_attr_creatable_vgpu_types.attr, &dev_attr_current_vgpu_type.attr, &dev_attr_placement_id.attr,
	&dev_attr_gpu_instance_id.attr, &dev_attr_vgpu_params.attr, &dev_attr_warm_update.attr, NULL };
static const struct attribute_group vf_group = { .name = "nvidia", .attrs = vf_attributes };

/* ---- as a VFIO device ---- */

static int vf_open(struct vfio_device *v)
{
	struct gs_vendor_vf *vf = container_of(v, struct gs_vendor_vf, core.vdev);
	int r = vfio_pci_core_enable(&vf->core);

	if (r)
		return r;
	vfio_pci_core_finish_enable(&vf->core);
	mutex_lock(&vf->gpu->lock);
	vf->n_open++;
	mutex_unlock(&vf->gpu->lock);
	return 0;
}

static void vf_close(struct vfio_device *v)
{
	struct gs_vendor_vf *vf = container_of(v, struct gs_vendor_vf, core.vdev);

	mutex_lock(&vf->gpu->lock);
	vf->n_open--;
	mutex_unlock(&vf->gpu->lock);
	vfio_pci_core_close_device(v);
}

static const struct vfio_device_ops vf_ops = {
	.name = "nvidia-vgpu-vfio",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
	.open_device = vf_open,
	.close_device = vf_close,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
};

int gs_vendor_add(struct pci_dev *pdev, struct gs_gpu *gpu)
{
	struct gs_vendor_vf *vf = vfio_alloc_device(gs_vendor_vf, core.vdev, &pdev->dev, &vf_ops);
	int r;

	if (IS_ERR(vf))
		return PTR_ERR(vf);
	vf->gpu = gpu;
	dev_set_drvdata(&pdev->dev, &vf->core);
	r = vfio_pci_core_register_device(&vf->core);
	if (r)
		goto fail;
	mutex_lock(&gpu->lock);
	list_add_tail(&vf->link, &gpu->vendor_vfs);
	mutex_unlock(&gpu->lock);
	r = device_add_group(&pdev->dev, &vf_group);
	if (r == 0)
		return 0;
	mutex_lock(&gpu->lock);
	list_del(&vf->link);
	mutex_unlock(&gpu->lock);
	vfio_pci_core_unregister_device(&vf->core);
fail:
	vfio_put_device(&vf->core.vdev);
	return r;
}

void gs_vendor_remove(struct pci_dev *pdev)
{
	struct gs_vendor_vf *vf = vf_of(&pdev->dev);
	struct gs_gpu *gpu = vf->gpu;

	device_remove_group(&pdev->dev, &vf_group);
	vfio_pci_core_unregister_device(&vf->core);     /* waits until nobody holds it */
	mutex_lock(&gpu->lock);
	forget_type(vf);
	list_del(&vf->link);
	mutex_unlock(&gpu->lock);
	vfio_put_device(&vf->core.vdev);
	gs_gpu_put(gpu);
}

void gs_vendor_forget_all(struct gs_gpu *gpu)
{
	struct gs_vendor_vf *vf;

	mutex_lock(&gpu->lock);
	list_for_each_entry(vf, &gpu->vendor_vfs, link)
		forget_type(vf);
	mutex_unlock(&gpu->lock);
}
