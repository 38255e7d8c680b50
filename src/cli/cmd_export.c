/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_export.c - `gpuslice export json`: the machine as a layout. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "codec/layout_text.h"

int gs_cli_layout_text(const struct gs_cli *cli, char **ret_text, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	GS_JSON struct json_object *o = NULL;
	int r = gs_cli_snapshot(cli, false, &s, e);

	if (r == 0)
		r = gs_layout_from_snapshot(s, &l, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n_gpus; i++)
		/* a layout without the places would put the instances anywhere when applied */
		if (l->gpus[i].positions_unknown)
			return gs_error_set(e, -EPERM, GS_STATUS_CANNOT_TELL, "GPU %zu: where its instances are cannot be seen at this privilege; run it as root", i);
	o = gs_layout_to_json(l, s);
	*ret_text = o ? gs_json_to_text(o) : NULL;
	return *ret_text ? 0 : gs_error_oom(e);
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_FREE char *text = NULL;
	struct gs_error e = { 0 };
	int first, status;

	if (gs_cli_parse(cli, &gs_command_export, argc, argv, NULL, NULL, &first, &status))
		return status;
	if (argc - first != 1)
		return gs_cli_misuse(cli, &gs_command_export, "export takes one format: json");
	if (strcmp(argv[first], "json") != 0)
		return gs_cli_misuse(cli, &gs_command_export, "%s: unknown format; there is json", argv[first]);
	if (gs_cli_layout_text(cli, &text, &e) < 0)
		return gs_cli_fail(cli, &e);
	fputs(text, stdout);
	return GS_STATUS_OK;
}

const struct gs_cli_command gs_command_export = {
	.name = "export",
	.arguments = "json",
	.summary = "the machine as a layout, for apply and assert",
	.details = "Equal machines give equal bytes. `gpuslice export json | gpuslice apply -` does nothing.",
	.run = run,
};
