/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_reboot.c - `gpuslice doctor --reboot`: after a reboot you get exactly this, and that is why. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "codec/layout_text.h"
#include "codec/reboot_json.h"
#include "codec/request.h"

#define INDENT 11
#define CANNOT_TELL 2

/* What the GPU is then, on one line: "mig, 0 of 16 VFs on, no instances, scheduler best-effort". */
static void describe(const struct gs_gpu *after, uint32_t members, struct gs_strbuf *out)
{
	const char *mode = gs_mode_name(after->mode);

	gs_strbuf_puts(out, mode && !(members & 1u << GS_REBOOT_MEMBER_MODE) ? mode : "mode not known");
	if (gs_u32_is(after->vfs.enabled, 0) && after->vfs.total.known)
		gs_strbuf_printf(out, ", 0 of %" PRIu32 " VFs on", after->vfs.total.value);
	if (!(members & 1u << GS_REBOOT_MEMBER_INSTANCES))
		gs_strbuf_puts(out, ", no instances");
	for (size_t i = 0; i < after->n_settings; i++)
		if (after->settings[i]->value && !after->settings[i]->fixed)
			gs_strbuf_printf(out, ", %s %s", after->settings[i]->key, after->settings[i]->value);
}

static void print_item(const char *mark, const char *text)
{
	printf("  %-*s", INDENT - 2, mark);
	gs_cli_print_wrapped(text, INDENT, INDENT);
}

static void print_steps(const struct gs_plan *plan, uint32_t gpu)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_steps; i++) {
		char text[512];

		if (plan->steps[i].gpu == gpu)
			print_item(n++ ? "" : "restore", gs_step_describe(&plan->steps[i], GS_TENSE_PLAN, text, sizeof(text)));
	}
	for (size_t i = 0; i < plan->n_findings; i++)
		if (plan->findings[i].gpu == gpu && plan->findings[i].severity == GS_SEVERITY_BLOCK)
			print_item(n++ ? "" : "restore", plan->findings[i].text);
	if (!n)
		print_item("restore", gs_plan_is_blocked(plan) ? "nothing, while another GPU is in the way" : "nothing is to be done");
}

static void print_gpu(const struct gs_gpu *gpu, const struct gs_gpu *after, const struct gs_reboot_item *items, size_t n, const struct gs_reboot_restore *restore)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	uint32_t members = 0;
	char label[96];

	for (size_t i = 0; i < n; i++)
		members |= items[i].members;
	gs_strbuf_printf(&b, "%s %s: ", gs_gpu_label(gpu, label, sizeof(label)), gpu->name ? gpu->name : "");
	describe(after, members, &b);
	putchar('\n');
	gs_cli_print_wrapped(b.text ? b.text : label, 0, 2);
	for (size_t i = 0; i < n; i++) {
		GS_STRBUF struct gs_strbuf line = GS_STRBUF_INIT;

		gs_strbuf_printf(&line, "%s: %s", items[i].what, items[i].why);
		print_item(gs_reboot_fate_name(items[i].fate), line.text ? line.text : items[i].what);
	}
	if (restore && restore->plan)
		print_steps(restore->plan, gpu->index);
	if (restore && restore->plan && members)
		print_item("", "(and what the unknown parts take)");
}

static bool is_simulated(const struct gs_snapshot *s)
{
	return gs_snapshot_source(s) == GS_SOURCE_SIM;
}

static bool is_run_at_boot(const struct gs_snapshot *s)
{
	return gs_snapshot_saved(s)->state == GS_SAVED_SAME && !is_simulated(s) && !gs_saved_obstacle(gs_snapshot_saved(s));
}

static bool would_lose(const struct gs_snapshot *s)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		if (gs_reboot_would_lose(gs_snapshot_gpu(s, i)))
			return true;
	return false;
}

/* Who reads one line only has to know that all of what follows stays as it is told; a machine with nothing to lose has nothing to be told. */
static void print_warning(const struct gs_cli *cli, const struct gs_snapshot *s)
{
	const struct gs_saved_fact *fact = gs_snapshot_saved(s);
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	if (fact->state == GS_SAVED_UNKNOWN || is_run_at_boot(s) || (fact->state == GS_SAVED_NONE && !would_lose(s)))
		return;
	gs_strbuf_puts(&b, "NOT RESTORED AT BOOT: ");
	if (is_simulated(s))
		gs_strbuf_printf(&b, "a simulated machine starts no units: gpuslice --sim %s %srestore afterwards", cli->sim ? cli->sim : gs_snapshot_host(s),
				 fact->state == GS_SAVED_NONE ? "save now, and " : "");
	else if (fact->state == GS_SAVED_NONE)
		gs_strbuf_puts(&b, "nothing is saved: gpuslice save, then systemctl enable " GS_RESTORE_UNIT);
	else
		gs_strbuf_printf(&b, "it is saved, but %s", gs_saved_obstacle(fact));
	if (b.text)
		gs_cli_print_wrapped(b.text, 0, 2);
}

static void print_end(const struct gs_snapshot *s, const struct gs_reboot_restore *restore)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	putchar('\n');
	if (!restore)
		gs_strbuf_puts(&b, "Nothing is saved: nothing comes back; gpuslice save keeps it.");
	else if (restore->error)
		gs_strbuf_printf(&b, "What restore will do with %s cannot be foretold: %s", restore->file, restore->error);
	else
		gs_strbuf_printf(&b, "restore makes it what %s says: %zu step%s.", restore->file, restore->plan->n_steps, restore->plan->n_steps == 1 ? "" : "s");
	if (restore && !restore->error && is_run_at_boot(s))
		gs_strbuf_puts(&b, " " GS_RESTORE_UNIT " runs it at boot.");
	if (b.text)
		gs_cli_print_wrapped(b.text, 0, 0);
}

static int print_all(const struct gs_cli *cli, const struct gs_snapshot *s, const struct gs_snapshot *after, const struct gs_reboot_restore *restore, struct gs_arena *arena, struct gs_error *e)
{
	print_warning(cli, s);
	printf("%s%s: after a reboot you get exactly this\n", gs_snapshot_host(s),
	       gs_snapshot_source(s) == GS_SOURCE_SIM ? " (simulated)" : gs_snapshot_source(s) == GS_SOURCE_SYSROOT ? " (recorded)" : "");
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		struct gs_reboot_item *items;
		size_t n;

		if (gs_reboot_items(gs_snapshot_gpu(s, i), arena, &items, &n) < 0)
			return gs_error_oom(e);
		print_gpu(gs_snapshot_gpu(s, i), gs_snapshot_gpu(after, i), items, n, restore);
	}
	print_end(s, restore);
	return 0;
}

/* Does anything follow from what is not known? */
static int status_of(const struct gs_snapshot *s, struct gs_arena *arena, struct gs_error *e)
{
	int status = 0;

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		struct gs_reboot_item *items;
		size_t n;

		if (gs_reboot_items(gs_snapshot_gpu(s, i), arena, &items, &n) < 0)
			return gs_error_oom(e);
		for (size_t k = 0; k < n; k++)
			if (items[k].members)
				status = CANNOT_TELL;
	}
	return status;
}

static int read_saved(const char *name, const char *text, struct gs_request **ret_request, struct gs_error *e)
{
	size_t n = strlen(text);

	if (!gs_text_is_layout(text, n))
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s: is no layout; gpuslice export json writes one", name);
	return gs_request_new(text, n, name, GS_CONTEXT_FILE, ret_request, e);
}

int gs_cli_doctor_reboot(const struct gs_cli *cli, const struct gs_snapshot *s, const char *name, const char *text, struct gs_error *e)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *after = NULL;
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	struct gs_reboot_restore restore = { .file = name };
	struct gs_error why = { 0 };
	int status, r;

	if (!arena)
		return gs_error_oom(e);
	r = text ? read_saved(name, text, &request, e) : 0;
	if (r == 0)
		r = gs_reboot_snapshot(s, &after, e);
	if (r < 0)
		return r;
	/* that a layout does not fit this machine is an answer too */
	if (request && gs_request_plan(request, after, &plan, &why) < 0)
		restore.error = why.text;
	restore.plan = plan;
	status = status_of(s, arena, e);
	if (status < 0)
		return status;
	if (!cli->json) {
		r = print_all(cli, s, after, text ? &restore : NULL, arena, e);
		return r < 0 ? r : status;
	}
	return gs_cli_print_json(gs_reboot_to_json(s, after, text ? &restore : NULL)) ? CANNOT_TELL : status;
}
