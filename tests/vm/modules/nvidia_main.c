// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gs_nvidia: a test-only driver called "nvidia" for functions that gs_board has
 * relabelled. It has no sriov_configure, as the real one has none: a raw write
 * to sriov_numvfs is ENOENT (interfaces 3.4).
 */
#include <linux/err.h>
#include <linux/module.h>

#include "gs_board.h"
#include "nvidia.h"

static int bind_errno;
module_param(bind_errno, int, 0644);
MODULE_PARM_DESC(bind_errno, "refuse every function with this errno");

/* A function's driver data is a struct gs_function, but on VFs of the vendor interface (see nvidia_vendor.c). */
struct gs_function {
	struct gs_gpu *gpu;
	struct gs_mdev_parent *parent;  /* NULL: not an mdev parent */
};

static int add_function(struct pci_dev *pdev, struct gs_gpu *gpu, bool is_parent)
{
	struct gs_function *f = devm_kzalloc(&pdev->dev, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->gpu = gpu;
	if (is_parent) {
		f->parent = gs_mdev_add(pdev, gpu);
		if (IS_ERR(f->parent))
			return PTR_ERR(f->parent);
	}
	pci_set_drvdata(pdev, f);
	return 0;
}

static int probe_pf(struct pci_dev *pdev, const struct gs_model *model)
{
	struct gs_gpu *gpu = gs_gpu_add(pdev, model);
	int r;

	if (IS_ERR(gpu))
		return PTR_ERR(gpu);
	r = add_function(pdev, gpu, model->interface == GS_MDEV_ON_PF);
	if (r)
		gs_gpu_remove(gpu);
	return r;
}

/* The reference to the GPU goes to the function. */
static int probe_vf(struct pci_dev *pdev)
{
	struct gs_gpu *gpu = gs_gpu_of_vf(pdev);
	int r = -ENODEV;

	if (!gpu)
		return -ENODEV;
	if (gpu->model->interface == GS_MDEV_ON_VFS)
		r = add_function(pdev, gpu, true);
	else if (gpu->model->interface == GS_VENDOR_VFIO)
		r = gs_vendor_add(pdev, gpu);
	if (r)
		gs_gpu_put(gpu);
	return r;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct gs_model *model = gs_model_by_device(pdev->device);

	if (bind_errno)
		return -bind_errno;
	if (!model || (pdev->class >> 16) != PCI_BASE_CLASS_DISPLAY)
		return -ENODEV;
	return pdev->is_virtfn ? probe_vf(pdev) : probe_pf(pdev, model);
}

/* The interface of a VF is read off its device id: the PF may be gone from the driver already. */
static void remove(struct pci_dev *pdev)
{
	struct gs_function *f;

	if (pdev->is_virtfn && gs_model_by_device(pdev->device)->interface == GS_VENDOR_VFIO) {
		gs_vendor_remove(pdev);
		return;
	}
	f = pci_get_drvdata(pdev);
	if (f->parent)
		gs_mdev_remove(f->parent);
	if (pdev->is_virtfn)
		gs_gpu_put(f->gpu);
	else
		gs_gpu_remove(f->gpu);
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID) }, { } };

/* driver_managed_dma: the real driver sets it too where it has vfio-pci-core; so a GPU on it does not spoil its group for VFIO. */
static struct pci_driver gs_nvidia_driver = { .name = "nvidia", .id_table = ids, .probe = probe, .remove = remove, .driver_managed_dma = true };

static int __init gs_nvidia_init(void)
{
	int r = gs_device_init();

	if (r)
		return r;
	r = gs_mdev_init();
	if (r)
		goto no_mdev;
	/* as the real one says it: before its GPUs */
	pr_info("NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.105.06  Release Build\n");
	r = pci_register_driver(&gs_nvidia_driver);
	if (r == 0)
		return 0;
	gs_mdev_exit();
no_mdev:
	gs_device_exit();
	return r;
}

static void __exit gs_nvidia_exit(void)
{
	pci_unregister_driver(&gs_nvidia_driver);
	gs_mdev_exit();
	gs_device_exit();
}

module_init(gs_nvidia_init);
module_exit(gs_nvidia_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("gpuslice tests: vGPU files as NVIDIA's drivers show them");
