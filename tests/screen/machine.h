/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.h - a machine to draw: profile sets typed here, eight H100 with people on them, an A30, an RTX PRO 6000. */
#ifndef GS_TESTS_SCREEN_MACHINE_H
#define GS_TESTS_SCREEN_MACHINE_H

#include <stdio.h>
#include <string.h>

#include "core/snapshot.h"

#define GIB (1ull << 30)

/* A profile with one compute instance profile that fills it. */
#define PROFILE(profile, number, slices, mib, sms, max, places) \
	{ .name = (profile), .id = { true, (number) }, .compute_slices = (slices), .memory_bytes = { true, (mib) * (1ull << 20) }, .sm_count = { true, (sms) }, \
	  .max_instances = (max), .placements = (places), .n_placements = sizeof(places) / sizeof((places)[0]), \
	  .compute = &(const struct gs_compute_profile){ .name = (profile), .id = { true, (slices) }, .compute_slices = (slices), .sm_count = { true, (sms) }, \
		.max_instances = 1, .placements = &(const struct gs_span){ 0, (slices) }, .n_placements = 1, .is_default = true }, \
	  .n_compute = 1 }

static const struct gs_span h_1[] = { { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 }, { 6, 1 } };
static const struct gs_span h_2w[] = { { 0, 2 }, { 2, 2 }, { 4, 2 }, { 6, 2 } };
static const struct gs_span h_2[] = { { 0, 2 }, { 2, 2 }, { 4, 2 } };
static const struct gs_span h_3[] = { { 0, 4 }, { 4, 4 } };
static const struct gs_span h_4[] = { { 0, 4 } };
static const struct gs_span h_7[] = { { 0, 8 } };
static const struct gs_profile h100_profiles[] = {
	PROFILE("1g.10gb", 19, 1, 9984, 16, 7, h_1), PROFILE("1g.10gb+me", 20, 1, 9984, 16, 1, h_1), PROFILE("1g.20gb", 15, 1, 20096, 26, 4, h_2w),
	PROFILE("2g.20gb", 14, 2, 20096, 32, 3, h_2), PROFILE("3g.40gb", 9, 3, 40448, 60, 2, h_3), PROFILE("4g.40gb", 5, 4, 40448, 64, 1, h_4),
	PROFILE("7g.80gb", 0, 7, 81153, 132, 1, h_7),
};
static const struct gs_profile_set h100 = { 8, 7, 7, h100_profiles, sizeof(h100_profiles) / sizeof(h100_profiles[0]), GS_PROFILES_DRIVER, false, false, 0 };

static const struct gs_span a_1[] = { { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 } };
static const struct gs_span a_2[] = { { 0, 2 }, { 2, 2 } };
static const struct gs_span a_4[] = { { 0, 4 } };
static const struct gs_profile a30_profiles[] = {
	PROFILE("1g.6gb", 14, 1, 5952, 14, 4, a_1), PROFILE("2g.12gb", 5, 2, 12032, 28, 2, a_2), PROFILE("4g.24gb", 0, 4, 24125, 56, 1, a_4),
};
static const struct gs_profile_set a30 = { 4, 4, 4, a30_profiles, 3, GS_PROFILES_DRIVER, false, false, 0 };

static const struct gs_span r_1[] = { { 0, 3 }, { 3, 3 }, { 6, 3 }, { 9, 3 } };
static const struct gs_span r_2[] = { { 0, 6 }, { 6, 6 } };
static const struct gs_span r_4[] = { { 0, 12 } };
static const struct gs_profile rtx_profiles[] = {
	PROFILE("1g.24gb", 14, 1, 24192, 46, 4, r_1), PROFILE("1g.24gb+gfx", 47, 1, 24192, 46, 4, r_1), PROFILE("2g.48gb", 5, 2, 48384, 94, 2, r_2),
	PROFILE("2g.48gb+gfx", 35, 2, 48384, 94, 2, r_2), PROFILE("4g.96gb", 0, 4, 97251, 188, 1, r_4), PROFILE("4g.96gb+gfx", 32, 4, 97251, 188, 1, r_4),
};
static const struct gs_profile_set rtx = { 12, 4, 4, rtx_profiles, 6, GS_PROFILES_DRIVER, false, false, 0 };

static inline struct gs_gpu *put_gpu(struct gs_snapshot *s, unsigned bus, enum gs_mode mode, const struct gs_profile_set *set)
{
	struct gs_gpu *g = gs_snapshot_add_gpu(s, (struct gs_bdf){ .bus = (uint8_t)bus });
	char uuid[64];

	snprintf(uuid, sizeof(uuid), "GPU-%02x3c1a07-4b1d-9a2e-77c0-0123456789ab", bus);
	g->uuid = gs_snapshot_text(s, uuid);
	g->vendor = GS_VENDOR_NVIDIA;
	g->name = set == &a30 ? "NVIDIA A30" : set == &rtx ? "NVIDIA RTX PRO 6000" : "NVIDIA H100 80GB HBM3";
	g->pci_id = "10de:2330";
	g->mode_survival_is_known = true;
	g->driver = "nvidia";
	g->framework = GS_FRAMEWORK_NVML;
	g->memory_bytes = GS_U64(80 * GIB);
	g->sm_count = GS_U32(set == &a30 ? 56 : set == &rtx ? 188 : 132);
	g->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG | 1u << GS_MODE_PASSTHROUGH;
	g->mode = mode;
	g->placements_visible = g->holders_visible = true;
	g->grids[GS_KIND_MIG] = *set;
	return g;
}

static inline void put_load(struct gs_gpu *g, unsigned busy, unsigned used, unsigned celsius, unsigned watts)
{
	g->telemetry = (struct gs_telemetry){
		.memory_total_bytes = GS_U64(80 * GIB),
		.memory_used_bytes = GS_U64(used * GIB),
		.utilization_percent = GS_U32(busy),
		.temperature_celsius = GS_U32(celsius),
		.power_milliwatts = GS_U64(watts * 1000ull),
	};
}

static inline void put_holder(struct gs_snapshot *s, struct gs_holder *h, const char *user, unsigned pid, const char *name, const char *unit)
{
	h->kind = GS_HOLDER_PROCESS;
	h->pid = GS_U32(pid);
	h->start_time = GS_U64(pid * 100);
	h->uid = GS_U32(strcmp(user, "root") ? 1000 + pid % 100 : 0);
	h->user = gs_snapshot_text(s, user);
	h->name = gs_snapshot_text(s, name);
	h->unit = gs_snapshot_text(s, unit);
	h->evidence = "nvml";
	h->used_memory_bytes = GS_U64(8 * GIB);
}

/* @user NULL: idle */
static inline struct gs_instance *put(struct gs_snapshot *s, struct gs_gpu *g, unsigned id, const char *profile, unsigned start, const char *user,
				      unsigned pid)
{
	const struct gs_profile *p = gs_profile_by_name(&g->grids[GS_KIND_MIG], profile);
	struct gs_instance *inst = gs_gpu_add_instance(s, g);
	struct gs_compute *ci = gs_instance_add_compute(s, inst);
	char uuid[64];

	snprintf(uuid, sizeof(uuid), "MIG-%02x%02x1e52-5b7a-4f10-8c11-a1b2c3d4e5f6", g->bdf.bus, id);
	inst->id = id;
	inst->kind = GS_KIND_MIG;
	inst->profile = p->name;
	inst->profile_id = p->id;
	inst->start = GS_U32(start);
	inst->size = GS_U32(p->placements[0].size);
	inst->uuid = gs_snapshot_text(s, uuid);
	ci->profile = p->name;
	ci->profile_id = p->compute[0].id;
	ci->start = GS_U32(0);
	ci->size = GS_U32(p->compute_slices);
	ci->uuid = inst->uuid;
	if (user)
		put_holder(s, gs_instance_add_holder(s, inst), user, pid, "python3", NULL);
	return inst;
}

static inline void put_memory(struct gs_instance *inst, unsigned used, unsigned total, unsigned busy)
{
	inst->telemetry.memory_used_bytes = GS_U64(used * GIB);
	inst->telemetry.memory_total_bytes = GS_U64(total * GIB);
	inst->telemetry.utilization_percent = GS_U32(busy);
}

/* Eight H100: the main screen of an ordinary day. @blind: as somebody without root sees it. */
static inline struct gs_snapshot *machine_dgx(bool blind)
{
	struct gs_snapshot *s = gs_snapshot_new();
	static const unsigned buses[] = { 0x1b, 0x43, 0x52, 0x61, 0x9d, 0xc3, 0xd1, 0xdf };
	struct gs_gpu *g[8];

	gs_snapshot_set_host(s, "dgx01", GS_SOURCE_SIM);
	gs_snapshot_set_driver_version(s, "570.124.06");
	gs_snapshot_set_telemetry(s, true);
	for (unsigned i = 0; i < 8; i++) {
		g[i] = put_gpu(s, buses[i], i == 4 || i == 5 ? GS_MODE_WHOLE : i == 6 ? GS_MODE_PASSTHROUGH : GS_MODE_MIG, &h100);
		g[i]->nvidia_index = i == 6 ? GS_U32_UNKNOWN : GS_U32(i > 6 ? i - 1 : i);
		put_holder(s, gs_gpu_add_holder(s, g[i]), "root", 1190, "nvidia-persiste", "nvidia-persistenced.service");
	}
	g[6]->driver = "vfio-pci";
	g[6]->holders[0]->kind = GS_HOLDER_VM;
	g[6]->holders[0]->name = "sim-01";
	g[6]->holders[0]->user = g[6]->holders[0]->unit = NULL;
	put_load(g[0], 71, 58, 61, 412);
	put(s, g[0], 1, "3g.40gb", 0, "alice", 40111);
	put(s, g[0], 2, "3g.40gb", 4, "chen", 40112);
	put_load(g[1], 44, 21, 52, 301);
	put(s, g[1], 7, "1g.10gb", 0, "bob", 41000);
	put(s, g[1], 8, "1g.10gb", 1, "dana", 41001);
	put(s, g[1], 3, "2g.20gb", 2, "eli", 41002);
	put(s, g[1], 1, "3g.40gb", 4, NULL, 0);
	put_load(g[2], 63, 41, 57, 365);
	put(s, g[2], 11, "1g.10gb", 0, NULL, 0);
	put(s, g[2], 12, "1g.10gb", 1, "bob", 51020);
	put_memory(put(s, g[2], 2, "3g.40gb", 4, "alice", 48211), 31, 39, 82);
	put_load(g[3], 38, 36, 55, 333);
	put(s, g[3], 1, "4g.40gb", 0, "alice", 42000);
	put(s, g[3], 9, "1g.10gb", 4, NULL, 0);
	put_load(g[4], 97, 76, 68, 664);
	put_holder(s, gs_gpu_add_holder(s, g[4]), "chen", 43000, "torchrun", NULL);
	put_load(g[5], 0, 1, 31, 72);
	put_load(g[7], 88, 70, 66, 590);
	put(s, g[7], 0, "7g.80gb", 0, "eli", 44000);
	for (unsigned i = 0; blind && i < 8; i++) {
		g[i]->placements_visible = g[i]->holders_visible = false;
		g[i]->n_holders = 0;
		for (size_t k = 0; k < g[i]->n_instances; k++) {
			struct gs_instance *inst = g[i]->instances[k];

			inst->start = inst->size = GS_U32_UNKNOWN;
			if (k != 1)
				inst->n_holders = 0;
		}
	}
	gs_snapshot_seal(s, NULL);
	return s;
}

/* Grids of four and of twelve units, seven 1g that leave a unit lost, a GPU that fell off the bus. */
static inline struct gs_snapshot *machine_lab(void)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *g;

	gs_snapshot_set_host(s, "lab", GS_SOURCE_LIVE);
	gs_snapshot_set_driver_version(s, "580.82.07");
	g = put_gpu(s, 0x17, GS_MODE_MIG, &a30);
	put(s, g, 1, "2g.12gb", 0, "alice", 3000);
	put(s, g, 3, "1g.6gb", 2, NULL, 0);
	g = put_gpu(s, 0x3d, GS_MODE_MIG, &rtx);
	put(s, g, 1, "2g.48gb+gfx", 0, "vm-7", 3100);
	put(s, g, 2, "1g.24gb+gfx", 6, NULL, 0);
	g = put_gpu(s, 0x5e, GS_MODE_MIG, &h100);
	for (unsigned i = 0; i < 7; i++)
		put(s, g, 7 + i, "1g.10gb", i, i == 3 ? NULL : "dana", 3200 + i);
	g = put_gpu(s, 0x9b, GS_MODE_MIG, &h100);
	g->lost = "Xid 79: GPU has fallen off the bus";
	gs_snapshot_seal(s, NULL);
	return s;
}

#endif
