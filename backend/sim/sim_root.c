/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_root.c - the simulated kernel as gs_root sees it: store callbacks of attributes, and who may read what. */
#include <errno.h>
#include <string.h>

#include "backend/sim/sim_private.h"
#include "base/parse.h"

/* Attributes with a store, by their mode in interfaces 4.1, 4.2 and 3.1. */
static const char *const writable[] = {
	"driver_override", "enable", "msi_bus", "numa_node", "remove", "rescan", "reset", "reset_method", "uevent",
	"config", "sriov_numvfs", "sriov_drivers_autoprobe",
};
static const char *const read_only[] = {
	"vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision", "modalias", "local_cpulist", "irq",
	"resource", "power_state", "current_link_speed", "max_link_speed", "current_link_width", "max_link_width",
	"ari_enabled", "dma_mask_bits", "boot_vga", "sriov_totalvfs", "sriov_offset", "sriov_stride", "sriov_vf_device",
	"sriov_vf_total_msix",
};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (gs_str_equal(name, names[i]))
			return true;
	}
	return false;
}

/* "…/0000:1b:00.0/driver_override" under sys/bus/pci/devices or sys/devices. NULL when it is no such path. */
static const char *split_attribute(const char *path, char *ret_bdf)
{
	const char *attribute = strrchr(path, '/');

	if (!gs_str_starts(path, "sys/bus/pci/devices/") && !gs_str_starts(path, "sys/devices/"))
		return NULL;
	if (!attribute || attribute - path < 13 || attribute[-13] != '/')
		return NULL;
	memcpy(ret_bdf, attribute - 12, 12);
	ret_bdf[12] = '\0';
	return gs_sim_bdf_is_valid(ret_bdf) ? attribute + 1 : NULL;
}

/* What a store callback sees: at most a page, one newline at the end stripped. */
static int take_text(const void *bytes, size_t n, char *ret_text, size_t size)
{
	if (n >= size || memchr(bytes, '\0', n))
		return -EINVAL;
	memcpy(ret_text, bytes, n);
	ret_text[n] = '\0';
	if (n && ret_text[n - 1] == '\n')
		ret_text[n - 1] = '\0';
	return 0;
}

/* drivers/base: EINVAL when it does not fit, "\n" clears (interfaces 4.2). */
static int store_override(struct gs_sim *sim, struct gs_sim_pci *pci, const char *text)
{
	struct gs_sim_state *s = gs_sim_store_state(sim->store);
	const char *copy;

	if (strchr(text, '\n'))
		return -EINVAL;
	copy = gs_arena_strdup(s->arena, text);
	if (!copy)
		return -ENOMEM;
	pci->driver_override = copy;
	return gs_sim_store_commit(sim->store, NULL);
}

/*
 * drivers/pci/iov.c in its order: parse, range, «is so already», then the
 * driver, and nvidia has no sriov_configure (interfaces 3.2, 3.4).
 */
static int store_numvfs(const struct gs_sim_gpu *gpu, const char *text)
{
	uint64_t n;
	int r = gs_parse_u64(text, 10, &n);

	if (r < 0)
		return r;
	if (n > UINT16_MAX || n > gpu->total_vfs)
		return -ERANGE;
	return n == 0 ? 0 : -ENOENT;
}

static int store_attribute(struct gs_sim *sim, const char *bdf, const char *attribute, const void *bytes, size_t n)
{
	struct gs_sim_state *s = gs_sim_store_state(sim->store);
	struct gs_sim_gpu *gpu = gs_sim_gpu_by_bdf(s, bdf);
	struct gs_sim_pci *pci = gpu ? &gpu->pci : NULL;
	char text[4095];
	int r;

	for (size_t i = 0; !pci && i < s->n_devices; i++) {
		if (gs_str_equal(s->devices[i].bdf, bdf))
			pci = &s->devices[i];
	}
	if (!pci)
		return -ENOENT;
	if (gs_str_starts(attribute, "sriov_") && (!gpu || !gpu->total_vfs))
		return -ENOENT;
	if (is_one_of(attribute, read_only, GS_ARRAY_SIZE(read_only)))
		return -EACCES;
	if (!is_one_of(attribute, writable, GS_ARRAY_SIZE(writable)))
		return -ENOENT;
	if (!gs_str_equal(attribute, "driver_override") && !gs_str_equal(attribute, "sriov_numvfs"))
		return -EACCES;     /* a control that this machine does not model: better refused than ignored */
	r = take_text(bytes, n, text, sizeof(text));
	if (r < 0)
		return r;
	return gs_str_equal(attribute, "driver_override") ? store_override(sim, pci, text) : store_numvfs(gpu, text);
}

static int sim_write(void *userdata, const char *path, const void *bytes, size_t n)
{
	struct gs_sim *sim = userdata;
	char bdf[13];
	const char *attribute = split_attribute(path, bdf);
	int r;

	if (!sim->is_root || !attribute)
		return -EACCES;
	r = gs_sim_store_begin(sim->store, NULL);
	if (r == 0)
		r = store_attribute(sim, bdf, attribute, bytes, n);
	gs_sim_store_end(sim->store);
	return r;
}

/* The process whose fd directory (or something in it) @path is; NULL when it is none of that. */
static const struct gs_sim_process *process_of_fd_path(struct gs_sim *sim, const char *path)
{
	const char *end;
	char number[12];
	uint32_t pid;

	if (!gs_str_starts(path, "proc/"))
		return NULL;
	path += 5;
	end = strchr(path, '/');
	if (!end || (size_t)(end - path) >= sizeof(number) || !gs_str_starts(end, "/fd") || (end[3] && end[3] != '/'))
		return NULL;
	memcpy(number, path, (size_t)(end - path));
	number[end - path] = '\0';
	if (gs_parse_u32(number, 10, &pid) < 0 || gs_sim_store_refresh(sim->store, NULL) < 0)
		return NULL;
	return gs_sim_process_by_pid(gs_sim_store_state(sim->store), pid);
}

static int sim_permit(void *userdata, const char *path)
{
	struct gs_sim *sim = userdata;
	const struct gs_sim_process *p;

	if (sim->is_root)
		return 0;
	/* 0400 root: the nodes of capabilities; the directory itself can be listed */
	if (gs_str_starts(path, "dev/nvidia-caps/"))
		return -EACCES;
	p = process_of_fd_path(sim, path);
	return p && p->uid != GS_SIM_CALLER_UID ? -EACCES : 0;
}

const struct gs_root_ops gs_sim_root_ops = {
	.write = sim_write,
	.permit = sim_permit,
};
