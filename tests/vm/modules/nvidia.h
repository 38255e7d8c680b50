/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvidia.h - inside gs_nvidia.ko: a driver called "nvidia" for relabelled
 * functions. Which interface a GPU has is chosen by its device id, so that
 * one machine can have all of them, as one real host can.
 *
 * The files, their bytes and the rules come from documents and captures of real
 * hosts (interfaces 1, 2). Which errno the closed module gives where is mostly
 * not known: those are parameters here, and what they default to proves nothing.
 */
#ifndef GS_NVIDIA_H
#define GS_NVIDIA_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/wait.h>

enum gs_interface {
	GS_PLAIN,               /* a datacentre driver: nothing to partition in sysfs */
	GS_MDEV_ON_PF,          /* Turing and before */
	GS_MDEV_ON_VFS,         /* Ampere and later, older kernels */
	GS_VENDOR_VFIO,         /* the same, newer kernels */
};

struct gs_vgpu_type {
	unsigned int id;
	const char *name;               /* without the model's prefix */
	unsigned int framebuffer_mib, max_instances;
	unsigned int heads, frame_limit, width, height;
};

struct gs_model {
	u16 device;
	const char *name, *prefix;      /* prefix: of the names of its vGPU types, "GRID" before Ampere */
	enum gs_interface interface;
	unsigned int framebuffer_mib;
	const struct gs_vgpu_type *types;
	unsigned int n_types;
};

/* NULL: not a model that we know */
const struct gs_model *gs_model_by_device(u16 device);

/* One physical GPU. Lives as long as its PF is bound, and on while a VF refers to it. */
struct gs_gpu {
	struct list_head link;
	struct kref refs;
	struct pci_dev *pf;             /* NULL once the PF is unbound */
	const struct gs_model *model;
	char address[16];
	unsigned int minor;             /* of /dev/nvidiaN */
	struct proc_dir_entry *folder;  /* /proc/driver/nvidia/gpus/ADDRESS */
	wait_queue_head_t closed;
	struct mutex lock;              /* of everything below */
	unsigned int n_open;            /* of /dev/nvidiaN */
	bool is_unbind_locked;          /* /dev/nvidiaN cannot be opened: somebody is about to unbind */
	unsigned int n_vgpus;
	unsigned int size_mib;          /* of the vGPUs that there are: one size at a time (interfaces 1.4) */
	struct list_head vendor_vfs;
};

/* An ERR_PTR on failure. */
struct gs_gpu *gs_gpu_add(struct pci_dev *pf, const struct gs_model *model);
/* The GPU of a VF's PF, with a reference; NULL when the PF is not ours at the moment. */
struct gs_gpu *gs_gpu_of_vf(struct pci_dev *vf);
/* The PF goes: no longer found, and without vGPUs. Waits for who has the device open. */
void gs_gpu_remove(struct gs_gpu *gpu);
void gs_gpu_put(struct gs_gpu *gpu);

/* Under the lock: may one more of @type be made, as far as the GPU as a whole goes? */
bool gs_gpu_has_room(const struct gs_gpu *gpu, const struct gs_vgpu_type *type);
void gs_gpu_take(struct gs_gpu *gpu, const struct gs_vgpu_type *type);
void gs_gpu_give(struct gs_gpu *gpu);

/* vgpu_params: the text without blanks around it; a blank or an empty line clears (interfaces 1.5). 0 or -EINVAL. */
#define GS_PARAMS_MAX 1024
int gs_params_set(char *params, const char *text);

/* ---- /dev/nvidiaN and /proc/driver/nvidia ---- */

int gs_device_init(void);
void gs_device_exit(void);
int gs_device_add(struct gs_gpu *gpu);
/* Waits until nobody has the device open. */
void gs_device_remove(struct gs_gpu *gpu);

/* ---- mdev: the function is a parent ---- */

struct gs_mdev_parent;
int gs_mdev_init(void);
void gs_mdev_exit(void);
struct gs_mdev_parent *gs_mdev_add(struct pci_dev *pdev, struct gs_gpu *gpu);
void gs_mdev_remove(struct gs_mdev_parent *parent);

/* ---- vendor VFIO: files below the VF ---- */

struct gs_vendor_vf;
/* Sets the function's driver data, which vfio-pci-core wants to be its own. */
int gs_vendor_add(struct pci_dev *vf, struct gs_gpu *gpu);
void gs_vendor_remove(struct pci_dev *vf);
/* The PF goes, and the types of its VFs with it. Under no lock. */
void gs_vendor_forget_all(struct gs_gpu *gpu);

#endif
