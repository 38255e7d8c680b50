/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_save.c - `gpuslice save`: keep the layout that is there, to be put back at boot. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "cli/saved.h"
#include "codec/layout_text.h"

#define TIMEOUT_MS 60000

static size_t count_instances(const struct gs_layout *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_gpus; i++)
		for (size_t k = 0; k < l->gpus[i].n_wants; k++)
			n += l->gpus[i].wants[k].kind != GS_KIND_SRIOV;
	return n;
}

/* "GPU-…, 0000:1b:00.0: mig, 3g.40gb at 0, 3g.40gb at 4" */
static void print_entry(const struct gs_layout_gpu *g)
{
	char bdf[GS_BDF_TEXT];

	printf("  %s  %s", g->match.has_bdf ? gs_bdf_format(g->match.bdf, bdf) : g->match.uuid ? g->match.uuid : "?", g->mode == GS_MODE_INVALID ? "mode untouched" : gs_mode_name(g->mode));
	if (g->vfs.known && g->vfs.value)
		printf(", %" PRIu32 " VFs", g->vfs.value);
	for (size_t i = 0; i < g->n_wants; i++) {
		const struct gs_want *w = &g->wants[i];

		if (w->kind == GS_KIND_SRIOV)
			continue;
		printf(", %s", w->profile ? w->profile : "?");
		if (w->start.known)
			printf(w->kind == GS_KIND_MIG ? " at %" PRIu32 : " on VF %" PRIu32, w->start.value);
	}
	printf("\n");
}

static int report(struct gs_cli *cli, struct gs_session *session)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLI_SAVED struct gs_cli_saved saved = { 0 };
	struct json_object *o;
	struct gs_error e = { 0 };
	const char *obstacle;

	/* what is there now is read back, and not what was meant to be */
	if (gs_cli_saved_load(session, &saved, &e) < 0 || gs_session_snapshot(session, false, TIMEOUT_MS, &s, &e) < 0)
		return gs_cli_fail(cli, &e);
	obstacle = gs_saved_obstacle(gs_snapshot_saved(s));
	if (cli->json) {
		o = json_object_new_object();
		gs_json_add_string(o, "schema", "gpuslice.save/1");
		gs_json_add_string(o, "path", saved.saved.path);
		gs_json_add_u32(o, "gpus", GS_U32((uint32_t)saved.layout->n_gpus));
		gs_json_add_u32(o, "instances", GS_U32((uint32_t)count_instances(saved.layout)));
		gs_json_add_string(o, "unit", GS_RESTORE_UNIT);
		json_object_object_add(o, "unit_enabled", json_object_new_boolean(!obstacle));
		return gs_cli_print_json(o);
	}
	printf("saved to %s\n", saved.saved.path);
	for (size_t i = 0; i < saved.layout->n_gpus; i++)
		print_entry(&saved.layout->gpus[i]);
	if (obstacle)
		printf("it is saved, but %s (gpuslice restore does it by hand)\n", obstacle);
	else
		printf(GS_RESTORE_UNIT " puts it back at boot\n");
	return GS_STATUS_OK;
}

/* A machine that came up empty is saved by the same word as one that was just cut: what that replaces is said, and that it is not gone. */
static void say_replaced(const struct gs_cli_saved *before, struct gs_session *session)
{
	GS_CLI_SAVED struct gs_cli_saved now = { 0 };
	char at[GS_WALL_TEXT] = "an unknown time";

	if (!before->layout || gs_cli_saved_load(session, &now, NULL) < 0 || gs_str_equal(now.saved.text, before->saved.text))
		return;
	if (before->saved.saved_at_ms.known)
		gs_wall_format((struct gs_wall){ before->saved.saved_at_ms.value }, at, sizeof(at));
	printf("what was saved before, at %s with %zu instance%s, is kept as %s.previous: gpuslice apply %s.previous puts it back\n", at, count_instances(before->layout),
	       count_instances(before->layout) == 1 ? "" : "s", now.saved.path, now.saved.path);
}

static int save_here(struct gs_cli *cli)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLI_SAVED struct gs_cli_saved before = { 0 };
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };
	int status;

	if (gs_cli_connect(cli, &how, &session, &e) < 0)
		return gs_cli_fail(cli, &e);
	/* nothing, or nothing that can be read, is no reason not to save */
	gs_cli_saved_load(session, &before, NULL);
	if (gs_session_save(session, NULL, TIMEOUT_MS, &e) < 0)
		return gs_cli_fail(cli, &e);
	cli->has_written = true;
	status = report(cli, session);
	if (status == GS_STATUS_OK && !cli->json)
		say_replaced(&before, session);
	return status;
}

static int save_to(struct gs_cli *cli, const char *path)
{
	GS_FREE char *text = NULL;
	struct gs_error e = { 0 };

	if (gs_cli_layout_text(cli, &text, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (strcmp(path, "-") == 0)
		return fputs(text, stdout) < 0 ? GS_STATUS_FAILED : GS_STATUS_OK;
	if (gs_file_replace(path, text, strlen(text), 0, &e) < 0)
		return gs_cli_fail(cli, &e);
	return GS_STATUS_OK;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	int first, status;

	if (gs_cli_parse(cli, &gs_command_save, argc, argv, NULL, NULL, &first, &status))
		return status;
	if (argc - first > 1)
		return gs_cli_misuse(cli, &gs_command_save, "save takes at most one FILE");
	return first < argc ? save_to(cli, argv[first]) : save_here(cli);
}

const struct gs_cli_command gs_command_save = {
	.name = "save",
	.arguments = "[FILE|-]",
	.summary = "keep the layout that is there, to be put back at boot; with FILE, write it there",
	.details = "Without FILE it goes to /etc/gpuslice/layout.json of the machine, which needs root. That is a layout like any other, and may be\n"
		   "written by hand or by a tool, as JSON or YAML. " GS_RESTORE_UNIT " puts it back at boot when it is enabled.\n"
		   "With FILE, or - for standard output, it is the same as gpuslice export json.",
	.run = run,
};
