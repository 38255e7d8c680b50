/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_profiles.c - `gpuslice profiles`: what a GPU can be cut into, and what fits now. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "codec/snapshot_json.h"
#include "core/layout.h"
#include "core/placement.h"

#define GPUS_MAX 4096

static void starts_text(const uint32_t *starts, size_t n, struct gs_strbuf *b)
{
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(b, "%s%" PRIu32, i ? " " : "", starts[i]);
	if (!n)
		gs_strbuf_puts(b, "-");
}

static void add_profile(struct gs_table *t, const struct gs_gpu *gpu, const struct gs_profile *p, const struct gs_placed *placed, size_t n_placed, bool places_known)
{
	GS_STRBUF struct gs_strbuf all = GS_STRBUF_INIT, now = GS_STRBUF_INIT;
	uint32_t starts[GS_PLACEMENTS_MAX];
	size_t n = 0;

	for (; n < p->n_placements && n < GS_PLACEMENTS_MAX; n++)
		starts[n] = p->placements[n].start;
	starts_text(starts, n, &all);
	gs_table_add(t, p->name);
	if (p->id.known)
		gs_table_addf(t, "%" PRIu32, p->id.value);
	else
		gs_table_add(t, NULL);
	if (p->memory_bytes.known)
		gs_table_addf(t, "%.2f", (double)p->memory_bytes.value / (1u << 30));
	else
		gs_table_add(t, NULL);
	if (p->sm_count.known)
		gs_table_addf(t, "%" PRIu32, p->sm_count.value);
	else
		gs_table_add(t, NULL);
	if (p->n_placements)
		gs_table_addf(t, "%" PRIu32, p->placements[0].size);
	else
		gs_table_add(t, NULL);
	gs_table_add(t, all.text);
	gs_table_addf(t, "%" PRIu32, p->max_instances);
	if (!places_known) {
		gs_table_add(t, "?");
		gs_table_add(t, "?");
		return;
	}
	gs_table_addf(t, "%" PRIu32, gs_placement_capacity(&gpu->grids[GS_KIND_MIG], placed, n_placed, p));
	starts_text(starts, gs_placement_free_starts(&gpu->grids[GS_KIND_MIG], placed, n_placed, p, starts), &now);
	gs_table_add(t, now.text);
}

static void add_gib(struct gs_table *t, struct gs_u64 bytes)
{
	if (bytes.known)
		gs_table_addf(t, "%.2f", (double)bytes.value / (1u << 30));
	else
		gs_table_add(t, NULL);
}

static void add_number(struct gs_table *t, struct gs_u32 v, const char *unknown)
{
	if (v.known)
		gs_table_addf(t, "%" PRIu32, v.value);
	else
		gs_table_add(t, unknown);
}

/* A vGPU type, or what else fits into a slot: no start, since any will do. */
static void add_slot_profile(struct gs_table *t, const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p)
{
	struct gs_creatable c;

	gs_profile_creatable(gpu, kind, p, &c);
	gs_table_add(t, p->name);
	add_number(t, p->id, NULL);
	add_gib(t, p->memory_bytes);
	gs_table_add(t, p->gi_profile);
	add_number(t, p->max_per_gi, NULL);
	gs_table_addf(t, "%" PRIu32, p->max_instances);
	add_number(t, c.n, "?");
}

static void add_span_profile(struct gs_table *t, const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p)
{
	GS_STRBUF struct gs_strbuf all = GS_STRBUF_INIT, now = GS_STRBUF_INIT;
	struct gs_creatable c;
	uint32_t starts[GS_PLACEMENTS_MAX];
	size_t n = 0;

	gs_profile_creatable(gpu, kind, p, &c);
	for (; n < p->n_placements && n < GS_PLACEMENTS_MAX; n++)
		starts[n] = p->placements[n].start;
	starts_text(starts, n, &all);
	starts_text(c.starts, c.n_starts, &now);
	gs_table_add(t, p->name);
	add_gib(t, p->memory_bytes);
	add_number(t, p->n_placements ? GS_U32(p->placements[0].size) : GS_U32_UNKNOWN, NULL);
	gs_table_add(t, all.text);
	gs_table_addf(t, "%" PRIu32, p->max_instances);
	add_number(t, c.n, "?");
	gs_table_add(t, c.has_starts ? now.text : "?");
}

static const char *grid_title(enum gs_instance_kind kind)
{
	switch (kind) {
	case GS_KIND_VGPU:
		return "vGPU types";
	case GS_KIND_SRIOV:
		return "profiles of virtual functions";
	case GS_KIND_PARTITION:
		return "compute partitions";
	default:
		return "profiles";
	}
}

static bool any_mode_is_right(const struct gs_gpu *gpu, enum gs_instance_kind kind)
{
	for (size_t i = 0; i < gpu->grids[kind].n; i++)
		if (gs_profile_mode_is_right(gpu, kind, &gpu->grids[kind].items[i]))
			return true;
	return false;
}

/* A grid of another kind than MIG. */
static int print_grid(const struct gs_gpu *gpu, enum gs_instance_kind kind)
{
	static const char *const slot_heads[] = { "TYPE", "ID", "GiB", "IN", "PER GI", "MAX", "FITS NOW" };
	static const char *const span_heads[] = { "PROFILE", "GiB", "UNITS", "STARTS", "MAX", "FITS NOW", "AT" };
	const struct gs_profile_set *set = &gpu->grids[kind];
	const char *const *heads = set->is_slots ? slot_heads : span_heads;
	size_t n = set->is_slots ? GS_ARRAY_SIZE(slot_heads) : GS_ARRAY_SIZE(span_heads);
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(n);

	if (!t)
		return GS_STATUS_FAILED;
	if (kind == GS_KIND_PASSTHROUGH)
		printf("  passthrough, the whole GPU for one machine");
	else
		printf("  %s, %" PRIu32 " %s%s, from the %s", grid_title(kind), set->memory_units, set->is_slots ? "place" : "unit", set->memory_units == 1 ? "" : "s",
		       set->source == GS_PROFILES_DRIVER ? "driver" : "catalogue");
	printf("%s%s\n", set->has_one_size ? "; one size for the whole GPU" : "", any_mode_is_right(gpu, kind) ? "" : "; not in that mode now");
	for (size_t i = 0; i < n; i++)
		gs_table_add(t, heads[i]);
	for (size_t i = 0; i < set->n; i++) {
		if (set->is_slots)
			add_slot_profile(t, gpu, kind, &set->items[i]);
		else
			add_span_profile(t, gpu, kind, &set->items[i]);
	}
	gs_table_print(t);
	return GS_STATUS_OK;
}

static bool has_other_grids(const struct gs_gpu *gpu)
{
	for (int k = 0; k < GS_KIND_MAX; k++)
		if (k != GS_KIND_MIG && gpu->grids[k].n)
			return true;
	return false;
}

static int print_mig(const struct gs_layout *l, const struct gs_gpu *gpu)
{
	static const char *const heads[] = { "PROFILE", "ID", "GiB", "SM", "UNITS", "STARTS", "MAX", "FITS NOW", "AT" };
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_MIG];
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(GS_ARRAY_SIZE(heads));
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n_placed = gs_layout_placed(&l->gpus[gpu->index], gpu, GS_KIND_MIG, placed, NULL);

	if (!t)
		return GS_STATUS_FAILED;
	printf("  %" PRIu32 " memory units, %" PRIu32 " compute slices, MIG profiles from the %s%s\n", set->memory_units, set->compute_slices,
	       set->source == GS_PROFILES_DRIVER ? "driver" : "catalogue",
	       gpu->mode == GS_MODE_MIG || gpu->mode == GS_MODE_MIG_VGPU ? "" : "; not in MIG mode now");
	for (size_t i = 0; i < GS_ARRAY_SIZE(heads); i++)
		gs_table_add(t, heads[i]);
	for (size_t i = 0; i < set->n; i++)
		add_profile(t, gpu, &set->items[i], placed, n_placed, !l->gpus[gpu->index].positions_unknown);
	gs_table_print(t);
	return GS_STATUS_OK;
}

static int print_gpu(const struct gs_snapshot *s, const struct gs_layout *l, uint32_t index)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, index);
	bool others = has_other_grids(gpu);
	char label[96];
	int status = GS_STATUS_OK;

	printf("%s  %s", gs_gpu_label(gpu, label, sizeof(label)), gpu->name ? gpu->name : "?");
	if (!gpu->grids[GS_KIND_MIG].n && !others) {
		printf("\n  no MIG profiles%s%s\n", gpu->lost ? ": " : "", gpu->lost ? gpu->lost : "");
		return GS_STATUS_OK;
	}
	if (gpu->grids[GS_KIND_MIG].n)
		status = print_mig(l, gpu);
	else
		putchar('\n');
	for (int k = 0; k < GS_KIND_MAX && status == GS_STATUS_OK; k++)
		if (k != GS_KIND_MIG && gpu->grids[k].n)
			status = print_grid(gpu, (enum gs_instance_kind)k);
	return status;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	GS_FREE uint32_t *indices = calloc(GPUS_MAX, sizeof(*indices));
	struct gs_error e = { 0 };
	int first, status;
	size_t n = 0;

	if (gs_cli_parse(cli, &gs_command_profiles, argc, argv, NULL, NULL, &first, &status))
		return status;
	if (argc - first > 1)
		return gs_cli_misuse(cli, &gs_command_profiles, "profiles takes at most one GPU");
	if (!indices) {
		gs_error_oom(&e);
		return gs_cli_fail(cli, &e);
	}
	if (gs_cli_snapshot(cli, false, &s, &e) < 0 || gs_layout_from_snapshot(s, &l, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (first == argc)
		for (; n < gs_snapshot_n_gpus(s) && n < GPUS_MAX; n++)
			indices[n] = (uint32_t)n;
	else if (gs_cli_select_gpus(argv[first], s, indices, GPUS_MAX, &n, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (cli->json)
		return gs_cli_print_json(gs_profiles_to_json(s, indices, n));
	for (size_t i = 0; i < n; i++) {
		if (i)
			putchar('\n');
		status = print_gpu(s, l, indices[i]);
	}
	return n ? status : GS_STATUS_OK;
}

const struct gs_cli_command gs_command_profiles = {
	.name = "profiles",
	.arguments = "[GPU]",
	.summary = "every profile and vGPU type: id, size, where it may start, what fits now",
	.details = "GPU is an index, a range (0-3), a PCI address, the beginning of a GPU UUID, model:\"GLOB\" or all.\n"
		   "UNITS is the width in memory units; FITS NOW is how many more fit beside what is there,\n"
		   "also where the mode has to change first, and 0 where that takes instances of another kind away.\n"
		   "vGPU types have no start: they go to any free virtual function. IN is the GPU instance that a MIG-backed type lies in.",
	.run = run,
};
