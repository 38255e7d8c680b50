// SPDX-License-Identifier: GPL-2.0-or-later
/* nvidia_gpu.c - the physical GPUs, and what holds for all functions of one together. */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "nvidia.h"

static LIST_HEAD(gpus);
static DEFINE_MUTEX(gpus_lock);

struct gs_gpu *gs_gpu_add(struct pci_dev *pf, const struct gs_model *model)
{
	struct gs_gpu *gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	int r;

	if (!gpu)
		return ERR_PTR(-ENOMEM);
	kref_init(&gpu->refs);
	mutex_init(&gpu->lock);
	INIT_LIST_HEAD(&gpu->vendor_vfs);
	gpu->pf = pf;
	gpu->model = model;
	init_waitqueue_head(&gpu->closed);
	strscpy(gpu->address, pci_name(pf), sizeof(gpu->address));
	r = gs_device_add(gpu);
	if (r) {
		kfree(gpu);
		return ERR_PTR(r);
	}
	mutex_lock(&gpus_lock);
	list_add(&gpu->link, &gpus);
	mutex_unlock(&gpus_lock);
	return gpu;
}

struct gs_gpu *gs_gpu_of_vf(struct pci_dev *vf)
{
	struct gs_gpu *gpu, *found = NULL;

	mutex_lock(&gpus_lock);
	list_for_each_entry(gpu, &gpus, link) {
		if (gpu->pf == vf->physfn) {
			kref_get(&gpu->refs);
			found = gpu;
			break;
		}
	}
	mutex_unlock(&gpus_lock);
	return found;
}

static void gpu_free(struct kref *refs)
{
	kfree(container_of(refs, struct gs_gpu, refs));
}

void gs_gpu_put(struct gs_gpu *gpu)
{
	kref_put(&gpu->refs, gpu_free);
}

void gs_gpu_remove(struct gs_gpu *gpu)
{
	gs_device_remove(gpu);
	mutex_lock(&gpus_lock);
	list_del(&gpu->link);
	mutex_unlock(&gpus_lock);
	mutex_lock(&gpu->lock);
	gpu->pf = NULL;
	mutex_unlock(&gpu->lock);
	gs_vendor_forget_all(gpu);
	gs_gpu_put(gpu);
}

bool gs_gpu_has_room(const struct gs_gpu *gpu, const struct gs_vgpu_type *type)
{
	if (!gpu->pf)
		return false;
	if (gpu->n_vgpus == 0)
		return true;
	return gpu->size_mib == type->framebuffer_mib && gpu->n_vgpus < type->max_instances;
}

void gs_gpu_take(struct gs_gpu *gpu, const struct gs_vgpu_type *type)
{
	gpu->n_vgpus++;
	gpu->size_mib = type->framebuffer_mib;
}

void gs_gpu_give(struct gs_gpu *gpu)
{
	gpu->n_vgpus--;
}

int gs_params_set(char *params, const char *text)
{
	size_t n;

	text = skip_spaces(text);
	n = strlen(text);
	while (n && isspace(text[n - 1]))
		n--;
	if (n >= GS_PARAMS_MAX)
		return -EINVAL;
	memcpy(params, text, n);
	params[n] = '\0';
	return 0;
}
