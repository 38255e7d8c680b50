/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_who.c - `gpuslice who`: who uses a GPU, and would that stand in the way? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "codec/who_json.h"
#include "core/who.h"

#define GPUS_MAX 4096
#define ALL_OPS ((1u << GS_WHO_OP_MAX) - 1)

struct who_options {
	unsigned ops;           /* bits of enum gs_who_op */
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct who_options *o = userdata;
	enum gs_who_op op = gs_who_op_from_name(value);

	if (op == GS_WHO_OP_INVALID)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--%s takes mode, delete, vfs or passthrough, not %s", name, value);
	o->ops = 1u << op;
	return 0;
}

static void add_place(struct gs_table *t, struct gs_who_place place)
{
	const struct gs_instance *inst = place.instance;
	const char *profile = inst && inst->profile ? inst->profile : "?";

	if (inst && inst->vf.known)
		gs_table_addf(t, "vf:%" PRIu32 " %s", inst->vf.value, profile);
	else if (inst && inst->kind == GS_KIND_MIG)
		gs_table_addf(t, "GI %" PRIu32 " %s", inst->id, profile);
	else if (inst)
		gs_table_addf(t, "%s %s", gs_instance_kind_name(inst->kind), inst->uuid ? inst->uuid : profile);
	else if (place.vf)
		gs_table_addf(t, "vf:%" PRIu32, place.vf->n);
	else
		gs_table_add(t, "GPU");
}

static void add_who(struct gs_table *t, const struct gs_holder *h)
{
	const char *name = h->name ? h->name : "?";
	char label[256];

	if (h->kind == GS_HOLDER_PROCESS && h->pid.known)
		gs_table_add(t, gs_cli_holder_label(h, label, sizeof(label)));
	else if (h->pid.known)
		gs_table_addf(t, "pid %" PRIu32 " %s%s%s%s", h->pid.value, name, h->user ? " (" : "", h->user ? h->user : "", h->user ? ")" : "");
	else
		gs_table_add(t, name);
}

static void add_verdicts(struct gs_table *t, const struct gs_gpu *gpu, const struct gs_who_entry *entry, unsigned ops)
{
	for (int op = 0; op < GS_WHO_OP_MAX; op++) {
		enum gs_who_verdict verdict = entry->verdict;

		if (!(ops & 1u << op))
			continue;
		if (entry->holder)
			verdict = gs_who_answer(gpu, entry->holder, entry->place, (enum gs_who_op)op, NULL);
		gs_table_add(t, gs_who_verdict_name(verdict));
	}
}

/* One operation has a reason; four have too many. */
static bool is_one(unsigned ops)
{
	return !(ops & (ops - 1));
}

static void add_entry(struct gs_table *t, const struct gs_gpu *gpu, const struct gs_who_entry *entry, unsigned ops)
{
	add_verdicts(t, gpu, entry, ops);
	if (entry->holder) {
		gs_table_add(t, gs_holder_kind_name(entry->holder->kind));
		add_who(t, entry->holder);
		add_place(t, entry->place);
	} else {
		gs_table_add(t, NULL);
		gs_table_add(t, "somebody may be there");
		gs_table_add(t, NULL);
	}
	if (is_one(ops))
		gs_table_add(t, entry->reason);
	gs_table_add(t, entry->holder ? entry->holder->evidence : is_one(ops) ? NULL : entry->reason);
}

static void add_heads(struct gs_table *t, unsigned ops)
{
	static const char *const verdicts[] = { "MODE", "DELETE", "VFS", "PASSTHROUGH" };

	_Static_assert(GS_ARRAY_SIZE(verdicts) == GS_WHO_OP_MAX, "an operation without a column");
	for (int op = 0; op < GS_WHO_OP_MAX; op++)
		if (ops & 1u << op)
			gs_table_add(t, is_one(ops) ? "VERDICT" : verdicts[op]);
	gs_table_add(t, "KIND");
	gs_table_add(t, "WHO");
	gs_table_add(t, "WHERE");
	if (is_one(ops))
		gs_table_add(t, "WHY");
	gs_table_add(t, "EVIDENCE");
}

static void print_entries(const struct gs_gpu *gpu, const struct gs_who_entry *entries, size_t n, unsigned ops)
{
	size_t columns = (is_one(ops) ? 1 + 1 : GS_WHO_OP_MAX) + 4;
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(columns);
	char label[96];

	printf("%s  %s\n", gs_gpu_label(gpu, label, sizeof(label)), gpu->name ? gpu->name : "?");
	if (!n)
		printf("nobody uses it\n");
	if (!n || !t)
		return;
	add_heads(t, ops);
	for (size_t i = 0; i < n; i++)
		add_entry(t, gpu, &entries[i], ops);
	gs_table_print(t);
}

/* 3: somebody stands in the way; 9: that nobody does cannot be told; 0. */
static int status_of(const struct gs_gpu *gpu, const struct gs_who_entry *entries, size_t n, unsigned ops)
{
	int status = GS_STATUS_OK;

	for (size_t i = 0; i < n; i++) {
		for (int op = 0; op < GS_WHO_OP_MAX; op++) {
			const struct gs_who_entry *entry = &entries[i];
			enum gs_who_verdict v = entry->verdict;

			if (!(ops & 1u << op))
				continue;
			if (entry->holder)
				v = gs_who_answer(gpu, entry->holder, entry->place, (enum gs_who_op)op, NULL);
			if (v == GS_WHO_VERDICT_YES || v == GS_WHO_VERDICT_CLAIM)
				return GS_STATUS_REFUSED;
			if (v == GS_WHO_VERDICT_MAYBE || v == GS_WHO_VERDICT_HIDDEN)
				status = GS_STATUS_CANNOT_TELL;
		}
	}
	return status;
}

/* Somebody on one GPU is graver than not knowing about another. */
static int graver(int a, int b)
{
	return a == GS_STATUS_REFUSED || b == GS_STATUS_REFUSED ? GS_STATUS_REFUSED : a > b ? a : b;
}

static int look_at(const struct gs_gpu *gpu, unsigned ops, bool is_quiet, int *ret_status)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	/* with all four asked, the one that most minds gives the order */
	enum gs_who_op op = GS_WHO_OP_PASSTHROUGH;
	struct gs_who_entry *entries;
	size_t n;

	for (int i = 0; is_one(ops) && i < GS_WHO_OP_MAX; i++)
		if (ops & 1u << i)
			op = (enum gs_who_op)i;
	if (!arena || gs_who_list(gpu, op, arena, &entries, &n) < 0)
		return -ENOMEM;
	if (!is_quiet)
		print_entries(gpu, entries, n, ops);
	*ret_status = graver(*ret_status, status_of(gpu, entries, n, ops));
	return 0;
}

static void print_absent(const struct gs_snapshot *s)
{
	bool is_first = true;

	for (size_t i = 0; i < gs_snapshot_n_sources(s); i++) {
		const struct gs_source *source = gs_snapshot_source_at(s, i);

		if (source->is_present)
			continue;
		printf("%s%s: %s\n", is_first ? "\nnot looked at:\n  " : "  ", source->name, source->text);
		is_first = false;
	}
	for (size_t i = 0; i < gs_snapshot_n_notices(s); i++)
		gs_cli_say("note: %s", gs_snapshot_notice(s, i));
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_FREE uint32_t *indices = calloc(GPUS_MAX, sizeof(*indices));
	struct who_options o = { .ops = ALL_OPS };
	struct gs_error e = { 0 };
	int first, status;
	size_t n = 0;

	if (gs_cli_parse(cli, &gs_command_who, argc, argv, take, &o, &first, &status))
		return status;
	if (argc - first != 1)
		return gs_cli_misuse(cli, &gs_command_who, "who takes one GPU");
	if (!indices) {
		gs_error_oom(&e);
		return gs_cli_fail(cli, &e);
	}
	if (gs_cli_snapshot(cli, false, &s, &e) < 0 || gs_cli_select_gpus(argv[first], s, indices, GPUS_MAX, &n, &e) < 0)
		return gs_cli_fail(cli, &e);
	status = GS_STATUS_OK;
	for (size_t i = 0; i < n; i++) {
		if (i && !cli->json)
			putchar('\n');
		if (look_at(gs_snapshot_gpu(s, indices[i]), o.ops, cli->json, &status) < 0) {
			gs_error_oom(&e);
			return gs_cli_fail(cli, &e);
		}
	}
	if (cli->json) {
		int printed = gs_cli_print_json(gs_who_to_json(s, indices, n, o.ops));

		return printed ? printed : status;
	}
	print_absent(s);
	return status;
}

static const struct gs_cli_option options[] = {
	{ "for", "OP", "would it stand in the way of OP: mode, delete, vfs or passthrough? Without it, all four" },
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_who = {
	.name = "who",
	.arguments = "GPU",
	.summary = "who uses a GPU, and would that stand in the way of a change",
	.details = "Each one answers yes, maybe (known only by trying), no, yields (one of gpuslice's own, which lets go),\n"
		   "claim (work that was promised it and has no process yet) or hidden (somebody may be there who cannot be seen).\n"
		   "The operation mode is the switch of MIG where the GPU has it, else whatever its modes take;\n"
		   "for vGPUs and SR-IOV on a GPU with MIG ask vfs. The operation delete is of what lies where one sits;\n"
		   "nothing lies on a virtual function that has no type.\n"
		   "The status is 0 when nobody stands in the way, 3 when somebody does or was promised it, 9 when that cannot be told.",
	.options = options,
	.run = run,
};
