/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_export.c - `gpuslice export json`: the machine as a layout. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "codec/layout_text.h"

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	struct gs_error e = { 0 };
	int first, status;

	if (gs_cli_parse(cli, &gs_command_export, argc, argv, NULL, NULL, &first, &status))
		return status;
	if (argc - first != 1)
		return gs_cli_misuse(cli, &gs_command_export, "export takes one format: json");
	if (strcmp(argv[first], "json") != 0)
		return gs_cli_misuse(cli, &gs_command_export, "%s: unknown format; there is json", argv[first]);
	if (gs_cli_snapshot(cli, false, &s, &e) < 0 || gs_layout_from_snapshot(s, &l, &e) < 0)
		return gs_cli_fail(cli, &e);
	for (size_t i = 0; i < l->n_gpus; i++) {
		if (!l->gpus[i].positions_unknown)
			continue;
		/* a layout without the places would put the instances anywhere when applied */
		gs_error_set(&e, -EPERM, GS_STATUS_CANNOT_TELL, "GPU %zu: where its instances are cannot be seen at this privilege; run it as root", i);
		return gs_cli_fail(cli, &e);
	}
	return gs_cli_print_json(gs_layout_to_json(l, s));
}

const struct gs_cli_command gs_command_export = {
	.name = "export",
	.arguments = "json",
	.summary = "the machine as a layout, for apply and assert",
	.details = "Equal machines give equal bytes. `gpuslice export json | gpuslice apply -` does nothing.",
	.run = run,
};
