/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/mig_facts.h"

#include "codec/snapshot_json.h"

static void compare(struct gs_snapshot *s, const struct gs_gpu *gpu, const struct gs_profile *p, unsigned n)
{
	struct gs_creatable ours;
	char bdf[GS_BDF_TEXT];

	gs_profile_creatable(gpu, GS_KIND_MIG, p, &ours);
	if (!ours.n.known || ours.n.value == n)
		return;
	gs_snapshot_add_notice(s, "the driver of %s says that it would create %u more %s, where its list of places has room for %u: the driver is believed",
			       gs_bdf_format(gpu->bdf, bdf), n, p->name, ours.n.value);
}

void gs_mig_read_remaining(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_MIG];

	gpu->remaining = set->n ? gs_arena_calloc(gs_snapshot_arena(s), set->n, sizeof(*gpu->remaining)) : NULL;
	for (size_t i = 0; gpu->remaining && i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];
		unsigned n = 0;

		if (!p->id.known || !p->name || GS_NVML_CALL(nvml, remaining, device, p->id.value, &n) != NVML_SUCCESS)
			continue;
		gpu->remaining[gpu->n_remaining++] = (struct gs_remaining){ p->name, n };
		compare(s, gpu, p, n);
	}
}

/* False when a link did not answer: a part of them would pass for all. */
static bool read_links(struct gs_nvml *nvml, nvml_device device, struct gs_bdf *ret_to, size_t *ret_n)
{
	size_t n = 0;

	for (unsigned i = 0; i < GS_NVLINKS_MAX; i++) {
		struct nvml_pci_info pci = { .bus_id = "" };
		unsigned on = 0;
		int code = GS_NVML_CALL(nvml, nvlink_state, device, i, &on);

		/* past its last link */
		if (code == NVML_ERROR_INVALID_ARGUMENT && i)
			break;
		/* a link that is not there, or a GPU without any */
		if (code == NVML_ERROR_NOT_SUPPORTED || (code == NVML_SUCCESS && !on))
			continue;
		if (code == NVML_SUCCESS)
			code = GS_NVML_CALL(nvml, nvlink_remote, device, i, &pci);
		if (code != NVML_SUCCESS)
			return false;
		ret_to[n++] = (struct gs_bdf){ .domain = pci.domain, .bus = (uint8_t)pci.bus, .device = (uint8_t)pci.device };
	}
	*ret_n = n;
	return true;
}

void gs_mig_read_links(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	struct gs_bdf *to;
	unsigned mode;

	if (!gpu->mode_needs_reset)
		return;
	gpu->is_in_guest = GS_NVML_CALL(nvml, guest_mode, device, &mode) == NVML_SUCCESS && mode == NVML_VIRTUALIZATION_PASSTHROUGH;
	to = gs_arena_calloc(gs_snapshot_arena(s), GS_NVLINKS_MAX, sizeof(*to));
	if (!to || !read_links(nvml, device, to, &gpu->n_nvlinks))
		return;
	gpu->nvlinks = to;
	gpu->nvlinks_visible = true;
}
