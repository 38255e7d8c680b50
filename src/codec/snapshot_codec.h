/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot_codec.h - what the files that write and read snapshots call of each
 * other: snapshot_json.c and snapshot_decode.c have hosts, GPUs and instances,
 * snapshot_device_json.c and snapshot_device_decode.c what lies around a GPU
 * (grids, VFs, siblings, pending writes), settings_json.c its settings, both ways.
 */
#ifndef GS_CODEC_SNAPSHOT_CODEC_H
#define GS_CODEC_SNAPSHOT_CODEC_H

#include "codec/json_reader.h"
#include "codec/snapshot_json.h"

/* The plain numbers of a reading: how wide, and their name here and there. Power is in watts there, and a case of its own. */
#define GS_TELEMETRY_NUMBERS(X) \
	X(u64, memory_total_bytes) \
	X(u64, memory_reserved_bytes) \
	X(u64, memory_used_bytes) \
	X(u64, memory_free_bytes) \
	X(u32, utilization_percent) \
	X(u32, encoder_percent) \
	X(u32, decoder_percent) \
	X(u32, temperature_celsius) \
	X(u32, clock_sm_mhz) \
	X(u32, clock_memory_mhz) \
	X(u64, ecc_corrected) \
	X(u64, ecc_uncorrected) \
	X(u32, pcie_generation) \
	X(u32, pcie_width) \
	X(u64, pcie_tx_bytes_per_second) \
	X(u64, pcie_rx_bytes_per_second)

/* Is the place of such an instance only a slot: a VF, or one of as many as fit? */
static inline bool gs_kind_has_slots(enum gs_instance_kind kind)
{
	return kind == GS_KIND_VGPU || kind == GS_KIND_SRIOV;
}

/* ---- snapshot_json.c: the caller owns a reference ---- */

struct json_object *gs_telemetry_to_json(const struct gs_telemetry *t);
/* What runs in a vGPU; null when nothing of it is known. */
struct json_object *gs_guest_to_json(const struct gs_instance *inst);
struct json_object *gs_holders_to_json(struct gs_holder *const *holders, size_t n);

/* ---- snapshot_device_json.c ---- */

struct json_object *gs_params_to_json(const struct gs_key_value *params, size_t n);
struct json_object *gs_vfs_to_json(const struct gs_gpu *gpu);
/* "siblings", what gs_settings_add_json() adds, "writes" */
void gs_device_add_json(struct json_object *o, const struct gs_gpu *gpu);
/* "profiles" or "profiles_as"; "grids" and "grids_as" for what is not MIG. */
void gs_grids_add_json(struct json_object *o, const struct gs_snapshot *s, size_t index);

/* ---- settings_json.c ---- */

/* "settings": key and value, NULL where it cannot be read. */
struct json_object *gs_settings_to_json(const struct gs_gpu *gpu);
/* What else there is to them: "settings_pending", "settings_choices", "settings_parts", "settings_fixed", and "gi_settings…" alike. */
void gs_settings_add_json(struct json_object *o, const struct gs_gpu *gpu);
/* All of these; fails the reader. */
void gs_settings_read(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu);

/* ---- snapshot_decode.c: printable, in the snapshot's arena ---- */

/* One element of a list: its path and its reader. */
struct gs_json_element {
	struct gs_json_where where;
	struct gs_json_reader r;
};
void gs_json_element_open(struct gs_json_element *el, struct json_object *list, const struct gs_json_where *up, size_t i, struct gs_error *e);

const char *gs_snapshot_read_text(struct gs_snapshot *s, struct gs_json_reader *r, const char *key);
void gs_snapshot_read_holder(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_holder *h);

/* ---- snapshot_device_decode.c: fail the reader ---- */

/* A map with keys that may be keys of settings or parameters; NULL when absent, null or wrong. */
struct json_object *gs_json_open_map(struct gs_json_reader *up, const char *key, size_t max, struct gs_json_where *where, struct gs_json_reader *ret_r);
/* Words of one kind, each once; in the arena. */
const char **gs_snapshot_read_words(struct gs_snapshot *s, struct gs_json_reader *r, const char *key, size_t *ret_n);
/* What a driver holds may be anything: it is bounded and made printable, and what may be asked for is a matter of the request. */
const char *gs_snapshot_read_word(struct gs_snapshot *s, struct gs_json_reader *r, const char *key);

void gs_snapshot_read_params(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_instance *inst);
void gs_snapshot_read_grids(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu);
void gs_snapshot_read_vfs(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu);
/* Siblings, settings, pending writes. */
void gs_snapshot_read_device(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu);

#endif
