/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modules.h - kernel modules that use a GPU's driver, or the audio function
 * beside it: users without a process (interfaces 8.1). They say nothing about
 * one GPU; which of them concerns a GPU is told by what it has.
 */
#ifndef GS_BACKEND_MODULES_H
#define GS_BACKEND_MODULES_H

#include "base/optional.h"
#include "base/root.h"
#include "core/snapshot.h"

#define GS_MODULES_MAX 16

struct gs_module {
	char name[64];
	struct gs_u32 users;            /* refcnt; unknown when it cannot be read */
};

struct gs_modules {
	struct gs_module items[GS_MODULES_MAX];
	size_t n;
	bool has_sound;                 /* snd_hda_intel has users */
};

/* Those with users (or of whom it is not known), by sys/module: what stands on nvidia and nvidia_modeset, and the sound driver. */
void gs_modules_read(struct gs_root *root, struct gs_modules *ret_modules);

/* Put those that concern @gpu into the snapshot, as holders of the GPU. -ENOMEM. */
int gs_modules_add(struct gs_root *root, const struct gs_modules *modules, struct gs_snapshot *s, struct gs_gpu *gpu);

#endif
