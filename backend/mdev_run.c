/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdev_run.c - create and remove mediated devices, and set their parameters (interfaces 1.2, 1.5). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "backend/vgpu_run.h"
#include "base/parse.h"

#define TYPES_MAX 128
#define MDEV_DEVICES "sys/bus/mdev/devices"

/* The directory of a type by what it is called; ids are a release's own. */
static int find_type(struct gs_doing *d, const char *parent, char *ret_dir, size_t size)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned n = 0;
	int r = gs_root_opendir(d->root, &dir, GS_PCI_DEVICES "/%s/mdev_supported_types", parent);

	if (r < 0)
		return r;
	while ((entry = readdir(dir)) && n < TYPES_MAX) {
		GS_FREE char *name = NULL;

		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (gs_root_read(d->root, &name, GS_PCI_DEVICES "/%s/mdev_supported_types/%s/name", parent, entry->d_name) < 0)
			name = strdup(entry->d_name);
		if (!gs_vgpu_names_match(name, d->step->profile) && strcmp(entry->d_name, d->step->profile) != 0)
			continue;
		snprintf(ret_dir, size, "%s", entry->d_name);
		return 0;
	}
	return -ENOENT;
}

static const char *given_or_new(struct gs_doing *d, char *buf)
{
	uuid_t u;

	if (d->step->uuid) {
		snprintf(buf, UUID_STR_LEN, "%s", d->step->uuid);
	} else {
		uuid_generate_random(u);
		uuid_unparse_lower(u, buf);
	}
	return buf;
}

/* interfaces 1.2, 9.4 */
static int explain_create(struct gs_doing *d, int r, struct gs_bdf parent, const char *dir, const char *uuid)
{
	char bdf[GS_BDF_TEXT];
	uint64_t left = 1;
	bool is_full = gs_root_read_u64(d->root, 10, &left, GS_PCI_DEVICES "/%s/mdev_supported_types/%s/available_instances", gs_bdf_format(parent, bdf), dir) == 0 && !left;

	if (r == -EEXIST)
		return gs_doing_fail(d, r, parent, "%s was not created: the UUID %s is in use on this host already. Give another one", d->step->profile, uuid);
	if (r == -EUSERS || r == -ENOSPC || ((r == -EINVAL || r == -EIO || r == -EPERM) && is_full))
		return gs_doing_fail(d, r, parent,
				     "%s was not created: there is no room for it. The GPU or this VF has all that it can have, or its vGPUs are of another size", d->step->profile);
	if (r == -ENODEV)
		return gs_doing_fail(d, r, parent, "%s was not created: its driver is being unloaded", d->step->profile);
	if (r == -EINVAL)
		return gs_doing_fail(d, r, parent, "%s was not created: the driver refused (dmesg has NVRM's reason), or \"%s\" is no UUID", d->step->profile, uuid);
	return gs_doing_fail(d, r, parent, "%s was not created: %s", d->step->profile, gs_errno_reason(r));
}

static int create(struct gs_doing *d, struct gs_bdf parent)
{
	char dir[256], bdf[GS_BDF_TEXT], uuid[UUID_STR_LEN], line[UUID_STR_LEN + 1];
	GS_FREE char *made = NULL;
	int r;

	gs_bdf_format(parent, bdf);
	r = find_type(d, bdf, dir, sizeof(dir));
	if (r < 0)
		return gs_doing_fail(d, r, parent, "%s was not created: its driver does not offer that type here", d->step->profile);
	/* 36 characters and a newline, in one write (interfaces 1.2) */
	snprintf(line, sizeof(line), "%s\n", given_or_new(d, uuid));
	r = gs_doing_write(d, parent, line, GS_PCI_DEVICES "/%s/mdev_supported_types/%s/create", bdf, dir);
	if (r == -EINPROGRESS)
		return r;
	if (r < 0)
		return explain_create(d, r, parent, dir, uuid);
	for (char *p = uuid; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'F' ? *p + ('a' - 'A') : *p);
	if (gs_root_readlink_name(d->root, &made, MDEV_DEVICES "/%s/mdev_type", uuid) < 0)
		return gs_doing_fail(d, -EIO, parent, "%s was reported as created, but no mdev %s is there", d->step->profile, uuid);
	if (strcmp(made, dir) != 0)
		return gs_doing_fail(d, -EIO, parent, "%s was reported as created, but the mdev %s is of type %s", d->step->profile, uuid, made);
	return 0;
}

/* By UUID, else the one on the VF. */
static int find_mdev(struct gs_doing *d, struct gs_bdf parent, char *ret_uuid)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	char bdf[GS_BDF_TEXT];
	uuid_t u;

	if (d->step->uuid) {
		if (uuid_parse(d->step->uuid, u) < 0)
			return gs_doing_fail(d, -EINVAL, parent, "\"%s\" is no UUID of an mdev", d->step->uuid);
		uuid_unparse_lower(u, ret_uuid);
		return gs_root_exists(d->root, MDEV_DEVICES "/%s", ret_uuid) ? 0 : -ENOENT;
	}
	if (gs_root_opendir(d->root, &dir, GS_PCI_DEVICES "/%s", gs_bdf_format(parent, bdf)) < 0)
		return -ENOENT;
	while ((entry = readdir(dir))) {
		if (uuid_parse(entry->d_name, u) < 0)
			continue;
		uuid_unparse_lower(u, ret_uuid);
		return 0;
	}
	return -ENOENT;
}

static int remove_mdev(struct gs_doing *d, struct gs_bdf parent)
{
	char uuid[UUID_STR_LEN], holders[224];
	int r = find_mdev(d, parent, uuid);

	/* gone already: that is what was asked for */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = gs_doing_write(d, parent, "1", MDEV_DEVICES "/%s/remove", uuid);
	if (r == -EINPROGRESS)
		return r;
	gs_doing_holders(d, parent, holders, sizeof(holders));
	if (r == -EBUSY || r == -EPERM || r == -EIO)
		return gs_doing_fail(d, r, parent, "the mdev %s is still there: a VM uses it%s. Shut the VM down, then try again", uuid, holders);
	if (r == -EAGAIN)
		return gs_doing_fail(d, r, parent, "the mdev %s is being removed by somebody else already: look again", uuid);
	/* the directory went between our look and the write, or while it was being removed */
	if ((r == 0 || r == -ENOENT || r == -ENODEV) && !gs_root_exists(d->root, MDEV_DEVICES "/%s", uuid))
		return 0;
	if (r < 0)
		return gs_doing_fail(d, r, parent, "the mdev %s is still there: %s", uuid, gs_errno_reason(r));
	return gs_doing_fail(d, -EIO, parent, "removing the mdev %s was reported as done, but it is still there", uuid);
}

static int set_param(struct gs_doing *d, struct gs_bdf parent)
{
	const char *key = d->step->key, *value = d->step->value, *file = gs_vgpu_own_file(key);
	GS_FREE char *now = NULL, *all = NULL;
	char uuid[UUID_STR_LEN];
	int r = find_mdev(d, parent, uuid);

	if (r < 0)
		return gs_doing_fail(d, r, parent, "%s was not set: there is no such mdev", key);
	if (!file) {
		if (!gs_vgpu_param_is_sound(key) || !gs_vgpu_param_is_sound(value))
			return gs_doing_fail(d, -EINVAL, parent, "%s cannot be set: neither name nor value may hold blanks, commas or «=»", key);
		if (gs_root_read(d->root, &now, MDEV_DEVICES "/%s/nvidia/vgpu_params", uuid) < 0)
			now = strdup("");
		all = now ? gs_vgpu_params_with(now, key, value) : NULL;
		if (!all)
			return gs_error_oom(d->e);
	}
	r = gs_doing_write(d, parent, all ? all : value, MDEV_DEVICES "/%s/nvidia/%s", uuid, file ? file : "vgpu_params");
	if (r == 0 || r == -EINPROGRESS)
		return r;
	return gs_doing_fail(d, r, parent, "%s of the mdev %s was not set to %s: %s. It can be set while no VM uses it", key, uuid, value, gs_errno_reason(r));
}

int gs_mdev_do(struct gs_doing *d, struct gs_bdf parent)
{
	switch (d->step->op) {
	case GS_STEP_CREATE_VGPU:
		return create(d, parent);
	case GS_STEP_REMOVE_VGPU:
		return remove_mdev(d, parent);
	default:
		return set_param(d, parent);
	}
}
