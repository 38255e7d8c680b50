/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_ps.c - `gpuslice ps`: every instance with its readings and who works in it, as a table or as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "codec/ps_json.h"
#include "core/ps.h"

#define GIB (1u << 30)
#define REASONS_MAX 8

struct ps_options {
	enum gs_ps_key key;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct ps_options *o = userdata;
	char known[80];

	(void)name;
	o->key = gs_ps_key_from_name(value);
	if (o->key == GS_PS_KEY_MAX)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--sort takes one of %s, not \"%.40s\"", gs_ps_keys(known, sizeof(known)), value);
	return 0;
}

static void add_gib(struct gs_table *t, struct gs_u64 bytes)
{
	if (bytes.known)
		gs_table_addf(t, "%.1f", (double)bytes.value / GIB);
	else
		gs_table_add(t, NULL);
}

static void add_where(struct gs_table *t, const struct gs_instance *inst)
{
	if (!inst)
		gs_table_add(t, NULL);
	else if (inst->vf.known && inst->gi.known)
		gs_table_addf(t, "VF %" PRIu32 " in GI %" PRIu32, inst->vf.value, inst->gi.value);
	else if (inst->vf.known)
		gs_table_addf(t, "VF %" PRIu32, inst->vf.value);
	else if (inst->kind == GS_KIND_MIG && inst->start.known)
		gs_table_addf(t, "GI %" PRIu32 " at %" PRIu32, inst->id, inst->start.value);
	else if (inst->kind == GS_KIND_MIG)
		gs_table_addf(t, "GI %" PRIu32, inst->id);
	else
		gs_table_add(t, NULL);
}

static void add_who(struct gs_table *t, const struct gs_ps_row *row)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char label[160];

	for (size_t i = 0; i < row->n_holders; i++) {
		const struct gs_holder *h = row->holders[i];

		gs_strbuf_printf(&b, "%s%s", b.length ? ", " : "", gs_cli_holder_label(h, label, sizeof(label)));
		if (h->used_memory_bytes.known)
			gs_strbuf_printf(&b, " %.1f GiB", (double)h->used_memory_bytes.value / GIB);
	}
	if (row->instance && row->instance->guest_driver)
		gs_strbuf_printf(&b, "%sguest driver %s", b.length ? ", " : "", row->instance->guest_driver);
	if (row->instance && row->instance->licence)
		gs_strbuf_printf(&b, "%s%s", b.length ? ", " : "", row->instance->licence);
	/* cannot see is not free */
	gs_table_add(t, b.length && !b.failed ? b.text : row->gpu->holders_visible ? "-" : "?");
}

static void add_row(struct gs_table *t, const struct gs_ps_row *row)
{
	const struct gs_profile *p = row->instance ? gs_profile_by_name(&row->gpu->grids[row->instance->kind], row->instance->profile) : NULL;
	const struct gs_telemetry *m = row->telemetry;

	gs_table_addf(t, "%" PRIu32, row->gpu->index);
	gs_table_add(t, row->gpu->lost ? "LOST" : row->instance ? row->instance->profile : row->gpu->mode == GS_MODE_WHOLE ? "whole GPU" : "no instances");
	add_where(t, row->instance);
	add_gib(t, m->memory_used_bytes);
	add_gib(t, m->memory_free_bytes);
	add_gib(t, m->memory_total_bytes.known || !row->instance || !p ? m->memory_total_bytes : p->memory_bytes);
	if (m->utilization_percent.known)
		gs_table_addf(t, "%" PRIu32 "%%", m->utilization_percent.value);
	else
		gs_table_add(t, NULL);
	add_who(t, row);
}

/* Why some of the column LOAD is empty, each reason once. */
static void print_reasons(const struct gs_ps_row *rows, size_t n)
{
	const char *said[REASONS_MAX];
	size_t n_said = 0;

	for (size_t i = 0; i < n && n_said < REASONS_MAX; i++) {
		const char *reason = rows[i].telemetry->utilization_percent.known ? NULL : rows[i].telemetry->utilization_reason;
		bool is_new = reason != NULL;

		for (size_t k = 0; k < n_said && is_new; k++)
			is_new = strcmp(said[k], reason) != 0;
		if (!is_new)
			continue;
		said[n_said++] = reason;
		printf("LOAD -, such as on GPU %" PRIu32 "%s%s: %s\n", rows[i].gpu->index, rows[i].instance ? " " : "",
		       rows[i].instance && rows[i].instance->profile ? rows[i].instance->profile : "", reason);
	}
}

int gs_cli_print_ps(const struct gs_snapshot *s, enum gs_ps_key key, bool json)
{
	static const char *const heads[] = { "GPU", "INSTANCE", "WHERE", "GiB USED", "FREE", "TOTAL", "LOAD", "WHO" };
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(GS_ARRAY_SIZE(heads));
	struct gs_ps_row *rows;
	size_t n;

	if (!arena || !t || gs_ps_list(s, key, arena, &rows, &n) < 0)
		return GS_STATUS_FAILED;
	if (json)
		return gs_cli_print_json(gs_ps_to_json(s, rows, n));
	if (!n) {
		printf("nothing to show: no GPU, or none that is cut into anything yet\n");
		return GS_STATUS_OK;
	}
	for (size_t i = 0; i < GS_ARRAY_SIZE(heads); i++)
		gs_table_add(t, heads[i]);
	for (size_t i = 0; i < n; i++)
		add_row(t, &rows[i]);
	gs_table_print(t);
	print_reasons(rows, n);
	return GS_STATUS_OK;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct ps_options o = { .key = GS_PS_GPU };
	struct gs_error e = { 0 };
	int first, status;

	if (gs_cli_parse(cli, &gs_command_ps, argc, argv, take, &o, &first, &status))
		return status;
	if (first != argc)
		return gs_cli_misuse(cli, &gs_command_ps, "ps takes no arguments");
	if (gs_cli_snapshot(cli, true, &s, &e) < 0)
		return gs_cli_fail(cli, &e);
	status = gs_cli_print_ps(s, o.key, cli->json);
	for (size_t i = 0; !cli->json && i < gs_snapshot_n_notices(s); i++)
		gs_cli_say("note: %s", gs_snapshot_notice(s, i));
	return status;
}

static const struct gs_cli_option options[] = {
	{ "sort", "KEY", "by gpu (as they lie), memory, load, pid, user or name" },
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_ps = {
	.name = "ps",
	.arguments = "",
	.summary = "every instance on all GPUs: memory, load, who works in it",
	.details = "One row for each instance, and for each GPU that is not cut. A \"-\" is a reading that there is not, never 0;\n"
		   "why the load is not measured stands below. A \"?\" under WHO means that processes cannot be seen.",
	.options = options,
	.run = run,
};
