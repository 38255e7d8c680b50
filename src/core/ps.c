/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static const char *const keys[] = {
#define GS_PS_NAME_(id, name) [GS_PS_##id] = name,
	GS_PS_KEYS(GS_PS_NAME_)
};

enum gs_ps_key gs_ps_key_from_name(const char *name)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(keys); i++)
		if (gs_str_equal(keys[i], name))
			return (enum gs_ps_key)i;
	return GS_PS_KEY_MAX;
}

const char *gs_ps_keys(char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < GS_ARRAY_SIZE(keys) && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "", keys[i]);
	return buf;
}

/* ---------------------------------------------------------------- order */

/* Who works there: not what only has the device open. */
static const struct gs_holder *worker(const struct gs_ps_row *row)
{
	for (size_t i = 0; i < row->n_holders; i++)
		if (!row->holders[i]->yields && (row->instance || row->holders[i]->used_memory_bytes.known))
			return row->holders[i];
	return NULL;
}

static int most_first(bool a_known, uint64_t a, bool b_known, uint64_t b)
{
	if (a_known != b_known)
		return a_known ? -1 : 1;
	return a == b ? 0 : a > b ? -1 : 1;
}

static int by_word(const char *a, const char *b)
{
	if (!a || !b)
		return a ? -1 : b ? 1 : 0;
	return strcmp(a, b);
}

static int compare(const struct gs_ps_row *a, const struct gs_ps_row *b, enum gs_ps_key key)
{
	const struct gs_telemetry *x = a->telemetry, *y = b->telemetry;
	const struct gs_holder *h = worker(a), *k = worker(b);

	switch (key) {
	case GS_PS_MEMORY:
		return most_first(x->memory_used_bytes.known, x->memory_used_bytes.value, y->memory_used_bytes.known, y->memory_used_bytes.value);
	case GS_PS_LOAD:
		return most_first(x->utilization_percent.known, x->utilization_percent.value, y->utilization_percent.known, y->utilization_percent.value);
	case GS_PS_PID:
		/* the lowest first, as one counts */
		return -most_first(!(h && h->pid.known), h ? h->pid.value : 0, !(k && k->pid.known), k ? k->pid.value : 0);
	case GS_PS_USER:
		return by_word(h ? h->user : NULL, k ? k->user : NULL);
	case GS_PS_NAME:
		return by_word(h ? h->name : NULL, k ? k->name : NULL);
	case GS_PS_GPU:
	case GS_PS_KEY_MAX:
		break;
	}
	return 0;
}

/* Stable, and there are a few hundred at most. */
static void sort(struct gs_ps_row *rows, size_t n, enum gs_ps_key key)
{
	for (size_t i = 1; i < n; i++) {
		struct gs_ps_row row = rows[i];
		size_t at = i;

		for (; at && compare(&row, &rows[at - 1], key) < 0; at--)
			rows[at] = rows[at - 1];
		rows[at] = row;
	}
}

/* ---------------------------------------------------------------- rows */

/* A GPU that is cut has no work of its own. */
static bool is_cut(const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->n_instances; i++)
		if (gpu->instances[i]->kind != GS_KIND_SRIOV)
			return true;
	return gpu->mode == GS_MODE_MIG || gpu->mode == GS_MODE_MIG_VGPU;
}

int gs_ps_list(const struct gs_snapshot *s, enum gs_ps_key key, struct gs_arena *arena, struct gs_ps_row **ret_rows, size_t *ret_n)
{
	struct gs_ps_row *rows;
	size_t n = 0, most = 0;

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		most += 1 + gs_snapshot_gpu(s, i)->n_instances;
	rows = gs_arena_calloc(arena, most + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		/* in MIG mode and without instances there is nothing to work on, which is worth a line */
		if (!is_cut(gpu) || !gpu->n_instances)
			rows[n++] = (struct gs_ps_row){ gpu, NULL, &gpu->telemetry, gpu->holders, gpu->n_holders };
		for (size_t k = 0; k < gpu->n_instances; k++) {
			const struct gs_instance *inst = gpu->instances[k];

			/* passed through it is the whole GPU that somebody has */
			if (inst->kind == GS_KIND_PASSTHROUGH && !inst->n_holders)
				rows[n++] = (struct gs_ps_row){ gpu, inst, &inst->telemetry, gpu->holders, gpu->n_holders };
			else
				rows[n++] = (struct gs_ps_row){ gpu, inst, &inst->telemetry, inst->holders, inst->n_holders };
		}
	}
	if (key != GS_PS_GPU)
		sort(rows, n, key);
	*ret_rows = rows;
	*ret_n = n;
	return 0;
}
