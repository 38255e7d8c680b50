/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_sim.c - `gpuslice sim`: simulated machines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/sim.h"
#include "cli/cli.h"

static int list(struct gs_cli *cli)
{
	struct json_object *o = cli->json ? json_object_new_object() : NULL;
	struct json_object *array = cli->json ? json_object_new_array() : NULL;
	struct gs_error e = { 0 };
	char **names;

	if (o) {
		json_object_object_add(o, "schema", json_object_new_string("gpuslice.machines/1"));
		json_object_object_add(o, "machines", array);
	}
	if (gs_sim_list(&names, &e) < 0) {
		json_object_put(o);
		return gs_cli_fail(cli, &e);
	}
	for (size_t i = 0; names[i]; i++) {
		if (array)
			json_object_array_add(array, json_object_new_string(names[i]));
		else
			printf("%s\n", names[i]);
		free(names[i]);
	}
	free(names);
	return o ? gs_cli_print_json(o) : GS_STATUS_OK;
}

static int need_name(struct gs_cli *cli)
{
	return cli->sim ? 0 : gs_cli_misuse(cli, &gs_command_sim, "which machine? gpuslice --sim NAME sim ...");
}

static int fault(struct gs_cli *cli, struct gs_sim *sim, int argc, char **argv)
{
	GS_FREE char *text = NULL;
	struct gs_error e = { 0 };

	if (argc && gs_sim_fault(sim, argc, argv, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (gs_sim_fault_list(sim, &text, &e) < 0)
		return gs_cli_fail(cli, &e);
	fputs(*text ? text : "no faults\n", stdout);
	return GS_STATUS_OK;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	struct gs_error e = { 0 };
	const char *what;
	int first, status;

	if (gs_cli_parse(cli, &gs_command_sim, argc, argv, NULL, NULL, &first, &status))
		return status;
	if (first == argc)
		return gs_cli_misuse(cli, &gs_command_sim, "sim takes list, reset, path or fault");
	what = argv[first++];
	if (strcmp(what, "list") == 0 && first == argc)
		return list(cli);
	if (strcmp(what, "reset") != 0 && strcmp(what, "path") != 0 && strcmp(what, "fault") != 0)
		return gs_cli_misuse(cli, &gs_command_sim, "sim takes list, reset, path or fault, not %s", what);
	status = need_name(cli);
	if (status)
		return status;
	if (strcmp(what, "fault") != 0 && first != argc)
		return gs_cli_misuse(cli, &gs_command_sim, "sim %s takes no arguments", what);
	if (strcmp(what, "reset") == 0) {
		if (gs_sim_reset(cli->sim, &e) < 0)
			return gs_cli_fail(cli, &e);
		printf("%s is as shipped\n", cli->sim);
		return GS_STATUS_OK;
	}
	if (gs_sim_open(cli->sim, &sim, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (strcmp(what, "path") == 0) {
		printf("%s\n", gs_sim_tree(sim));
		return GS_STATUS_OK;
	}
	return fault(cli, sim, argc - first, argv + first);
}

const struct gs_cli_command gs_command_sim = {
	.name = "sim",
	.arguments = "list|reset|path|fault",
	.summary = "machines that are not there, to try things on",
	.details = "list               their names\n"
		   "reset              back to the shipped state\n"
		   "path               the directory tree that stands for /\n"
		   "fault [SPEC...]      what is switched on, or switch one on:\n"
		   "  nvml CALL CODE [at N]      CALL returns the number CODE the N-th time from now (1)\n"
		   "  nvml CALL nothing [at N]   CALL returns success and does nothing\n"
		   "  nvml CALL hang             CALL does not return until released\n"
		   "  nvml lost BDF              that GPU has fallen off the bus\n"
		   "  mode-pending BDF           its next mode change stays pending\n"
		   "  uuid old|new               a recreated instance gets its old UUID, or a new one\n"
		   "  release | clear            let hanging calls go on | no faults\n"
		   "CALL is an NVML function without the \"nvml\" in front, or * for any that writes.",
	.run = run,
};
