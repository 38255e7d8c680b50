/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h - where on which GPU something sits, found by the names that the kernel has for functions and mdevs. */
#ifndef GS_BACKEND_PLACE_H
#define GS_BACKEND_PLACE_H

#include "backend/vm.h"
#include "base/root.h"
#include "core/snapshot.h"

/* The GPU as a whole (both NULL), an instance of it, or a virtual function with nothing on it. */
struct gs_place {
	struct gs_gpu *gpu;
	struct gs_instance *inst;
	struct gs_vf *vf;
};

/* Look among these; not yet sealed. Borrowed. */
struct gs_places {
	struct gs_root *root;
	struct gs_gpu *const *gpus;
	size_t n;
};

/*
 * The function at @bdf: a GPU, or the instance on a virtual function of one,
 * or that function. One that the snapshot does not show counts as the GPU that
 * it is a virtual function of. False when it is of no GPU here.
 */
bool gs_place_by_bdf(const struct gs_places *p, struct gs_bdf bdf, struct gs_place *ret_place);

/* The mdev of that UUID; one that the snapshot does not show counts as the function that it was made on. */
bool gs_place_by_mdev(const struct gs_places *p, const char *uuid, struct gs_place *ret_place);

/* Either of them. */
bool gs_place_by_device(const struct gs_places *p, const struct gs_vm_device *device, struct gs_place *ret_place);

/* Virtual function @n of @gpu: its instance, or itself. False when there is none of that number. */
bool gs_place_by_vf(struct gs_gpu *gpu, uint32_t n, struct gs_place *ret_place);

/* One more holder at that place; NULL when there is no memory. */
struct gs_holder *gs_place_add_holder(struct gs_snapshot *s, const struct gs_place *place);
size_t gs_place_n_holders(const struct gs_place *place);
struct gs_holder *const *gs_place_holders(const struct gs_place *place);

#endif
