/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_doctor.c - `gpuslice doctor`: what stands in the way of partitioning here? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "base/file.h"
#include "cli/cli.h"
#include "codec/doctor_json.h"
#include "codec/services.h"

#define TIMEOUT_MS 60000
#define INDENT 10
/* doctor's own statuses; see the details of its help */
#define CANNOT_TELL 2

/* The same said of several GPUs is said once. */
static bool is_same(const struct gs_doctor_finding *a, const struct gs_doctor_finding *b)
{
	return gs_str_equal(a->check, b->check) && a->state == b->state && gs_str_equal(a->text, b->text) &&
	       (a->remedy == b->remedy || gs_str_equal(a->remedy, b->remedy)) && !a->gpu == !b->gpu;
}

static void name_object(const struct gs_doctor_finding *findings, size_t n, size_t first, struct gs_strbuf *out)
{
	char label[96];
	size_t count = 0;

	if (!findings[first].gpu) {
		gs_strbuf_puts(out, "host");
		return;
	}
	for (size_t i = first; i < n; i++)
		count += is_same(&findings[first], &findings[i]);
	if (count == 1) {
		gs_strbuf_puts(out, gs_gpu_label(findings[first].gpu, label, sizeof(label)));
		return;
	}
	gs_strbuf_puts(out, "GPUs");
	for (size_t i = first, said = 0; i < n; i++)
		if (is_same(&findings[first], &findings[i]))
			gs_strbuf_printf(out, "%s %" PRIu32, said++ ? "," : "", findings[i].gpu->index);
}

static bool was_said(const struct gs_doctor_finding *findings, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same(&findings[k], &findings[i]))
			return true;
	return false;
}

/* "PROBLEM   iommu: host: the IOMMU is off …" and what to do below. */
static void print_finding(const struct gs_doctor_finding *findings, size_t n, size_t i)
{
	static const char *const marks[] = { "PROBLEM", "UNKNOWN", "note", "ok" };
	GS_STRBUF struct gs_strbuf line = GS_STRBUF_INIT;
	const struct gs_doctor_finding *f = &findings[i];

	_Static_assert(GS_ARRAY_SIZE(marks) == GS_DOCTOR_MAX, "a state without a mark");
	gs_strbuf_printf(&line, "%s, ", f->check);
	name_object(findings, n, i, &line);
	gs_strbuf_printf(&line, ": %s", f->text);
	printf("%-*s", INDENT, marks[f->state]);
	gs_cli_print_wrapped(line.text ? line.text : f->text, INDENT, INDENT);
	if (f->remedy) {
		printf("%*s->", INDENT, "");
		gs_cli_print_wrapped(f->remedy, INDENT + 2, INDENT);
	}
}

static void print_summary(const struct gs_snapshot *s, const struct gs_doctor_finding *findings, size_t n)
{
	size_t counts[GS_DOCTOR_MAX] = { 0 };

	for (size_t i = 0; i < n; i++)
		if (!was_said(findings, i))
			counts[findings[i].state]++;
	printf("%s%s: ", gs_snapshot_host(s), gs_snapshot_source(s) == GS_SOURCE_SIM ? " (simulated)" : gs_snapshot_source(s) == GS_SOURCE_SYSROOT ? " (recorded)" : "");
	if (counts[GS_DOCTOR_PROBLEM])
		printf("%zu thing%s in the way", counts[GS_DOCTOR_PROBLEM], counts[GS_DOCTOR_PROBLEM] == 1 ? " stands" : "s stand");
	else
		printf("nothing %s in the way", counts[GS_DOCTOR_CANNOT_TELL] ? "is seen" : "stands");
	if (counts[GS_DOCTOR_CANNOT_TELL])
		printf(", %zu cannot be told", counts[GS_DOCTOR_CANNOT_TELL]);
	printf(", %zu note%s\n", counts[GS_DOCTOR_NOTE], counts[GS_DOCTOR_NOTE] == 1 ? "" : "s");
}

static void print_findings(const struct gs_snapshot *s, const struct gs_doctor_finding *findings, size_t n)
{
	print_summary(s, findings, n);
	for (size_t i = 0; i < n; i++) {
		if (was_said(findings, i))
			continue;
		/* an empty line between what is to be done and what is well */
		if (!i || (findings[i].state != findings[i - 1].state))
			putchar('\n');
		print_finding(findings, n, i);
	}
}

static int look(const struct gs_cli *cli, struct gs_arena *arena, struct gs_snapshot **ret_snapshot, struct gs_doctor_facts *ret_facts, struct gs_error *e)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	const struct gs_connect how = { .read_only = false };
	int r = gs_cli_connect(cli, &how, &session, e);

	/* the snapshot first: the facts are then about the NVML that it was made with */
	if (r == 0)
		r = gs_session_snapshot(session, false, TIMEOUT_MS, ret_snapshot, e);
	return r < 0 ? r : gs_session_doctor(session, TIMEOUT_MS, arena, ret_facts, e);
}

/* Whatever kept it from being told: never 1, which is an answer. */
static int fail(const struct gs_cli *cli, const struct gs_error *e)
{
	gs_cli_fail(cli, e);
	return CANNOT_TELL;
}

struct doctor_options {
	bool reboot;
	const char *saved;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct doctor_options *o = userdata;

	(void)e;
	if (strcmp(name, "reboot") == 0)
		o->reboot = true;
	else if (strcmp(name, "saved") == 0)
		o->saved = value;
	return 0;
}

/* What will be put back: the file that was named, or the saved layout where there is one. */
static int read_saved(struct gs_session *session, const char *path, char **ret_name, char **ret_text, struct gs_error *e)
{
	GS_CLEANUP(gs_session_saved_done) struct gs_session_saved saved = { 0 };
	size_t n;
	int r;

	if (path) {
		*ret_name = strdup(path);
		return *ret_name ? gs_file_read(path, GS_INPUT_BYTES_MAX, ret_text, &n, e) : gs_error_oom(e);
	}
	r = gs_session_saved(session, TIMEOUT_MS, &saved, e);
	if (r < 0)
		return r;
	*ret_name = GS_TAKE(saved.path);
	*ret_text = GS_TAKE(saved.text);
	return 0;
}

static int run_reboot(const struct gs_cli *cli, const char *saved)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_connect how = { .read_only = false };
	GS_FREE char *name = NULL, *text = NULL;
	struct gs_error e = { 0 };
	int status = gs_cli_connect(cli, &how, &session, &e);

	if (status == 0)
		status = gs_session_snapshot(session, false, TIMEOUT_MS, &s, &e);
	if (status == 0)
		status = read_saved(session, saved, &name, &text, &e);
	if (status == 0)
		status = gs_cli_doctor_reboot(cli, s, name, text, &e);
	return status < 0 ? fail(cli, &e) : status;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_services_freep) struct gs_services *services = NULL;
	struct gs_doctor_facts facts = { 0 };
	struct gs_doctor_finding *findings;
	struct doctor_options o = { 0 };
	struct gs_error e = { 0 };
	int first, status;
	size_t n = 0;

	if (gs_cli_parse(cli, &gs_command_doctor, argc, argv, take, &o, &first, &status))
		return status;
	if (argc != first)
		return gs_cli_misuse(cli, &gs_command_doctor, "doctor takes no argument");
	if (o.saved && !o.reboot)
		return gs_cli_misuse(cli, &gs_command_doctor, "--saved goes with --reboot");
	if (o.reboot)
		return run_reboot(cli, o.saved);
	if (!arena) {
		gs_error_oom(&e);
		return fail(cli, &e);
	}
	if (look(cli, arena, &s, &facts, &e) < 0 || gs_services_load(gs_snapshot_source(s) == GS_SOURCE_LIVE, &services, &e) < 0)
		return fail(cli, &e);
	if (gs_doctor_examine(s, &facts, services->items, services->n, arena, &findings, &n) < 0) {
		gs_error_oom(&e);
		return fail(cli, &e);
	}
	if (cli->json) {
		if (gs_cli_print_json(gs_doctor_to_json(s, findings, n)))
			return CANNOT_TELL;
	} else {
		print_findings(s, findings, n);
	}
	return gs_doctor_status(findings, n);
}

static const struct gs_cli_option options[] = {
	{ "reboot", NULL, "what each GPU is after a reboot, what is lost and why" },
	{ "saved", "FILE", "with --reboot: what putting that layout back will do, instead of the saved one" },
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "what stands in the way of partitioning on this machine",
	.details = "Looks at the driver and its library, privileges, IOMMU, SR-IOV, the vGPU framework and its daemon, MIG's device nodes, sriov-manage, "
		   "who holds the GPUs, what is pending, who else changes layouts, and what a reboot takes. Changes nothing. Problems come first, each with "
		   "what to do about it. The status has a meaning of its own here: 0 when nothing stands in the way (there may be notes), 1 when something "
		   "does, 2 when that could not be told, or the command line is wrong.\n"
		   "With --reboot it tells what a reboot leaves instead, by the rules of drivers and boards; what units of the site do at boot comes on top. "
		   "The status is 0 then, or 2 when something of it cannot be told.",
	.options = options,
	.run = run,
};
