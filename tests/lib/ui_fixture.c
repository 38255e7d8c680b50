/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/ui_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/view.h"

/* data/mig/h100-sxm5-80gb.json, without what the console does not look at. */
static const struct gs_span one[] = { { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 }, { 6, 1 } };
static const struct gs_span two4[] = { { 0, 2 }, { 2, 2 }, { 4, 2 }, { 6, 2 } };
static const struct gs_span two3[] = { { 0, 2 }, { 2, 2 }, { 4, 2 } };
static const struct gs_span four2[] = { { 0, 4 }, { 4, 4 } };
static const struct gs_span four1[] = { { 0, 4 } };
static const struct gs_span eight[] = { { 0, 8 } };
static const struct gs_span slices1[] = { { 0, 1 } };
static const struct gs_span slices2[] = { { 0, 2 } };
static const struct gs_span slices3[] = { { 0, 3 } };
static const struct gs_span slices4[] = { { 0, 4 } };
static const struct gs_span slices7[] = { { 0, 7 } };

#define COMPUTE(name_, slices_, places_) \
	{ .name = name_, .id = { true, slices_ - 1 }, .compute_slices = slices_, .max_instances = 1, .placements = places_, .n_placements = 1, \
	  .is_default = true }
static const struct gs_compute_profile c1[] = { COMPUTE("1g.10gb", 1, slices1) };
static const struct gs_compute_profile c1me[] = { COMPUTE("1g.10gb+me", 1, slices1) };
static const struct gs_compute_profile c1w[] = { COMPUTE("1g.20gb", 1, slices1) };
static const struct gs_compute_profile c2[] = { COMPUTE("2g.20gb", 2, slices2) };
static const struct gs_compute_profile c3[] = { COMPUTE("3g.40gb", 3, slices3) };
static const struct gs_compute_profile c4[] = { COMPUTE("4g.40gb", 4, slices4) };
static const struct gs_compute_profile c7[] = { COMPUTE("7g.80gb", 7, slices7) };

#define ENGINES(n_, ofa_) { { true, n_ }, { true, n_ }, { true, 0 }, { true, n_ }, { true, ofa_ } }
#define PROFILE(name_, id_, slices_, bytes_, sms_, max_, ofa_, places_, compute_) \
	{ .name = name_, .id = { true, id_ }, .compute_slices = slices_, .memory_bytes = { true, bytes_ }, .sm_count = { true, sms_ }, \
	  .engines = ENGINES(slices_, ofa_), .max_instances = max_, .placements = places_, .n_placements = GS_ARRAY_SIZE(places_), \
	  .compute = compute_, .n_compute = 1 }
static const struct gs_profile profiles[] = {
	PROFILE("1g.10gb", 19, 1, 10468982784, 16, 7, 0, one, c1),
	PROFILE("1g.10gb+me", 20, 1, 10468982784, 16, 1, 1, one, c1me),
	PROFILE("1g.20gb", 15, 1, 21072183296, 26, 4, 0, two4, c1w),
	PROFILE("2g.20gb", 14, 2, 21072183296, 32, 3, 0, two3, c2),
	PROFILE("3g.40gb", 9, 3, 42412802048, 60, 2, 0, four2, c3),
	PROFILE("4g.40gb", 5, 4, 42412802048, 64, 1, 0, four1, c4),
	PROFILE("7g.80gb", 0, 7, 85094039552, 132, 1, 1, eight, c7),
};

static const struct ui_instance lab_instances[] = {
	{ 1, 11, "1g.10gb", 0, 0, GS_HOLDER_PROCESS },
	{ 1, 12, "1g.10gb", 1, 51020, GS_HOLDER_PROCESS },
	{ 1, 2, "3g.40gb", 4, 48211, GS_HOLDER_PROCESS },
};
const struct ui_machine ui_lab = {
	.first_bus = 0x1b, .n_gpus = 3, .whole = 1 << 2, .instances = lab_instances, .n = GS_ARRAY_SIZE(lab_instances),
};

static void add_instance(struct gs_snapshot *s, struct gs_gpu *gpu, const struct ui_instance *in, bool hidden)
{
	const struct gs_profile *p = in->profile ? gs_profile_by_name(&gpu->grids[GS_KIND_MIG], in->profile) : NULL;
	struct gs_instance *inst = gs_gpu_add_instance(s, gpu);
	struct gs_holder *h;
	char uuid[64];

	snprintf(uuid, sizeof(uuid), "MIG-%08x-0000-4000-8000-%012x", in->id, in->gpu);
	inst->id = in->id;
	inst->kind = GS_KIND_MIG;
	if (p) {
		inst->profile = p->name;
		inst->profile_id = p->id;
	}
	inst->uuid = gs_snapshot_text(s, uuid);
	if (!hidden && in->start != UI_NOWHERE) {
		inst->start = GS_U32(in->start);
		inst->size = GS_U32(p ? p->placements[0].size : 2);
	}
	if (p) {
		struct gs_compute *ci = gs_instance_add_compute(s, inst);

		ci->profile = p->name;
		ci->profile_id = p->compute[0].id;
		ci->start = GS_U32(0);
		ci->size = GS_U32(p->compute_slices);
		ci->uuid = inst->uuid;
	}
	if (!in->pid)
		return;
	h = gs_instance_add_holder(s, inst);
	h->kind = in->kind;
	h->pid = GS_U32(in->pid);
	h->start_time = GS_U64(4711);
	h->uid = GS_U32(1000 + in->id);
	h->user = in->pid == 51020 ? "bob" : "alice";
	h->name = "python3";
	h->evidence = "nvml";
}

static void add_daemon(struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t pid, const char *name, const char *unit)
{
	struct gs_holder *h = gs_gpu_add_holder(s, gpu);

	h->kind = GS_HOLDER_PROCESS;
	h->pid = GS_U32(pid);
	h->uid = GS_U32(0);
	h->user = "root";
	h->name = name;
	h->unit = unit;
	h->evidence = "fd";
}

struct gs_snapshot *ui_snapshot(const struct ui_machine *machine)
{
	struct gs_snapshot *s = gs_snapshot_new();
	/* many GPUs sit closer together */
	uint32_t step = machine->n_gpus > 14 ? 4 : 0x10;
	struct gs_error e = { 0 };

	gs_snapshot_set_host(s, "dgx01", GS_SOURCE_SIM);
	gs_snapshot_set_driver_version(s, "570.124");
	for (uint32_t i = 0; i < machine->n_gpus; i++) {
		struct gs_gpu *gpu;
		char uuid[64];

		if (machine->missing >> i & 1)
			continue;
		gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, (uint8_t)(machine->first_bus + step * i), 0, 0 });
		snprintf(uuid, sizeof(uuid), "GPU-%08x-1111-4222-8333-444455556666", i);
		gpu->uuid = gs_snapshot_text(s, uuid);
		gpu->vendor = GS_VENDOR_NVIDIA;
		gpu->nvidia_index = GS_U32(i);
		gpu->name = "NVIDIA H100 80GB HBM3";
		gpu->pci_id = "10de:2330";
		gpu->subsystem_id = "10de:16c1";
		gpu->driver = "nvidia";
		gpu->framework = GS_FRAMEWORK_NVML;
		gpu->memory_bytes = GS_U64(85520809984);
		gpu->sm_count = GS_U32(132);
		gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG;
		gpu->mode = machine->whole >> i & 1 ? GS_MODE_WHOLE : GS_MODE_MIG;
		gpu->placements_visible = !machine->places_hidden;
		gpu->holders_visible = true;
		gpu->grids[GS_KIND_MIG] = (struct gs_profile_set){ 8, 7, 7, profiles, GS_ARRAY_SIZE(profiles), GS_PROFILES_DRIVER, false, false, 0 };
		if (machine->bare >> i & 1)
			gpu->grids[GS_KIND_MIG].n = 0;
		if (machine->kept_open >> i & 1)
			add_daemon(s, gpu, 1893, "nvidia-persiste", "nvidia-persistenced.service");
		if (machine->watched >> i & 1) {
			add_daemon(s, gpu, 2201, "nv-hostengine", "nvidia-dcgm.service");
			add_daemon(s, gpu, 2202, "dcgm-exporter", "dcgm-exporter.service");
		}
		if (machine->lost >> i & 1)
			gpu->lost = "Xid 79: it has fallen off the bus";
		if (machine->interrupted >> i & 1) {
			gpu->open_commit = (struct gs_open_commit){ GS_OPEN_INTERRUPTED, 7, "commit 7 (alice) was interrupted after step 1 of 2, step 2 may be half done" };
		}
		for (size_t k = 0; k < machine->n; k++)
			if (machine->instances[k].gpu == i)
				add_instance(s, gpu, &machine->instances[k], machine->places_hidden);
	}
	if (gs_snapshot_seal(s, &e) < 0) {
		fprintf(stderr, "ui_fixture: %s\n", e.text);
		abort();
	}
	return s;
}

void ui_look(struct gs_model *m, const struct ui_machine *machine)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = ui_snapshot(machine);
	struct gs_error e = { 0 };

	if (gs_model_set_snapshot(m, s, &e) < 0) {
		fprintf(stderr, "ui_fixture: %s\n", e.text);
		abort();
	}
}

struct gs_model *ui_model(const struct ui_machine *machine, bool read_only)
{
	struct gs_model *m = gs_model_new(read_only);

	m->privileged = true;
	ui_look(m, machine);
	return m;
}

unsigned ui_keys(struct gs_model *m, int rows, int columns, const char *text)
{
	struct gs_input *in = gs_input_new();
	struct gs_event ev;
	unsigned done = 0;

	gs_input_feed(in, text, strlen(text));
	while (gs_input_next(in, &ev))
		done |= gs_control_event(m, &ev, rows, columns);
	if (gs_input_is_undecided(in))
		gs_input_timeout(in);
	while (gs_input_next(in, &ev))
		done |= gs_control_event(m, &ev, rows, columns);
	gs_input_free(in);
	return done;
}

unsigned ui_mouse(struct gs_model *m, int rows, int columns, enum gs_mouse_action action, int row, int column)
{
	struct gs_event ev = { .type = GS_EVENT_MOUSE, .mouse = action, .row = row, .column = column };

	return gs_control_event(m, &ev, rows, columns);
}

bool ui_find_unit(const struct gs_model *m, int rows, int columns, uint32_t unit, int *ret_row, int *ret_column)
{
	struct gs_geometry geo;

	gs_geometry_compute(rows, columns, m, &geo);
	for (int row = geo.grid.row; row < geo.grid.row + geo.grid.rows; row++) {
		for (int column = 0; column < columns; column++) {
			struct gs_hit hit = gs_view_hit(m, rows, columns, row, column);

			if (hit.kind == GS_HIT_UNIT && hit.unit == unit) {
				/* Not on the edge: a block's border may be shared. */
				*ret_row = row;
				*ret_column = column + 2;
				return true;
			}
		}
	}
	return false;
}
