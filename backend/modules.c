/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/modules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define SOUND "snd_hda_intel"
#define CLASS_AUDIO 0x0403

static struct gs_u32 users_of(struct gs_root *root, const char *name)
{
	uint64_t users;

	if (gs_root_read_u64(root, 10, &users, "sys/module/%s/refcnt", name) < 0 || users > UINT32_MAX)
		return GS_U32_UNKNOWN;
	return GS_U32((uint32_t)users);
}

/*
 * One that nobody uses keeps nothing. Two do without being counted: the display
 * driver in its modesetting way keeps its GPUs itself, and peer memory is
 * registered with the network, not with a user.
 */
static bool keeps(struct gs_root *root, const char *name, struct gs_u32 users)
{
	GS_FREE char *modeset = NULL;

	if (!users.known || users.value)
		return true;
	if (strcmp(name, "nvidia_peermem") == 0)
		return true;
	return strcmp(name, "nvidia_drm") == 0 && gs_root_read(root, &modeset, "sys/module/nvidia_drm/parameters/modeset") == 0 &&
	       strcmp(modeset, "Y") == 0;
}

static void read_holders(struct gs_root *root, const char *module, struct gs_modules *m)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;

	if (gs_root_opendir(root, &dir, "sys/module/%s/holders", module) < 0)
		return;
	while (m->n < GS_MODULES_MAX && (entry = readdir(dir))) {
		struct gs_u32 users;

		/* a module between others: those that stand on it are asked for themselves */
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "nvidia_modeset") == 0 || strlen(entry->d_name) >= sizeof(m->items[0].name))
			continue;
		users = users_of(root, entry->d_name);
		if (!keeps(root, entry->d_name, users))
			continue;
		snprintf(m->items[m->n].name, sizeof(m->items[0].name), "%s", entry->d_name);
		m->items[m->n++].users = users;
	}
}

void gs_modules_read(struct gs_root *root, struct gs_modules *ret_modules)
{
	struct gs_u32 sound = GS_U32(0);

	memset(ret_modules, 0, sizeof(*ret_modules));
	read_holders(root, "nvidia", ret_modules);
	read_holders(root, "nvidia_modeset", ret_modules);
	if (gs_root_exists(root, "sys/module/" SOUND))
		sound = users_of(root, SOUND);
	ret_modules->has_sound = !sound.known || sound.value;
}

static int add(struct gs_snapshot *s, struct gs_gpu *gpu, const char *name, struct gs_u32 users)
{
	struct gs_holder *h = gs_gpu_add_holder(s, gpu);
	char evidence[96];

	if (!h)
		return -ENOMEM;
	if (users.known)
		snprintf(evidence, sizeof(evidence), "sys/module/%s: %u users", name, users.value);
	else
		snprintf(evidence, sizeof(evidence), "sys/module/%s: users unknown", name);
	h->kind = GS_HOLDER_MODULE;
	h->name = gs_snapshot_text(s, name);
	h->evidence = gs_snapshot_text(s, evidence);
	return 0;
}

/* The audio function of a graphics board is its function 1 (interfaces 4.3). */
static bool has_sound(struct gs_root *root, const struct gs_gpu *gpu)
{
	struct gs_bdf audio = gpu->bdf;
	GS_FREE char *driver = NULL;
	char address[GS_BDF_TEXT];
	uint64_t class_id;

	audio.function = 1;
	gs_bdf_format(audio, address);
	if (gs_root_readlink_name(root, &driver, "sys/bus/pci/devices/%s/driver", address) < 0 || strcmp(driver, SOUND) != 0)
		return false;
	return gs_root_read_u64(root, 16, &class_id, "sys/bus/pci/devices/%s/class", address) == 0 && class_id >> 8 == CLASS_AUDIO;
}

int gs_modules_add(struct gs_root *root, const struct gs_modules *modules, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	char address[GS_BDF_TEXT];

	gs_bdf_format(gpu->bdf, address);
	for (size_t i = 0; gs_str_equal(gpu->driver, "nvidia") && i < modules->n; i++) {
		const struct gs_module *m = &modules->items[i];

		/* the display driver has only those GPUs that it made a device for */
		if (strcmp(m->name, "nvidia_drm") == 0 && !gs_root_exists(root, "sys/bus/pci/devices/%s/drm", address))
			continue;
		if (add(s, gpu, m->name, m->users) < 0)
			return -ENOMEM;
	}
	if (modules->has_sound && has_sound(root, gpu))
		return add(s, gpu, SOUND, users_of(root, SOUND));
	return 0;
}
