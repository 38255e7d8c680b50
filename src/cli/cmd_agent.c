/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_agent.c - `gpuslice agent`: the machine side, started by us, by sudo or over ssh. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/agent.h"
#include "backend/writer.h"
#include "cli/cli.h"

struct agent_options {
	bool collector, publish;
	struct gs_machine_options machine;
	bool privileged;
	const char *writer, *owner, *waits_for;
	bool is_program;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct agent_options *o = userdata;

	if (strcmp(name, "role") == 0) {
		if (strcmp(value, "agent") != 0 && strcmp(value, "collector") != 0)
			return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--role takes agent or collector, not %s", value);
		o->collector = value[0] == 'c';
	} else if (strcmp(name, "read-only") == 0) {
		o->machine.read_only = true;
	} else if (strcmp(name, "privileged") == 0) {
		o->privileged = true;
	} else if (strcmp(name, "publish") == 0) {
		o->publish = true;
	} else if (strcmp(name, "writer") == 0) {
		o->writer = value;
	} else if (strcmp(name, "owner") == 0) {
		o->owner = value;
	} else if (strcmp(name, "waits-for") == 0) {
		o->waits_for = value;
	} else if (strcmp(name, "run") == 0) {
		o->is_program = true;
	}
	return 0;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	struct agent_options o = { 0 };
	int first, status;

	if (gs_cli_parse(cli, &gs_command_agent, argc, argv, take, &o, &first, &status))
		return status;
	if (first != argc && !o.writer)
		return gs_cli_misuse(cli, &gs_command_agent, "agent takes no arguments");
	if (o.privileged && (cli->sim || cli->sysroot))
		return gs_cli_misuse(cli, &gs_command_agent, "a privileged agent works on this machine only");
	o.machine.sim = cli->sim;
	o.machine.sysroot = cli->sysroot;
	o.machine.as_user = cli->as_user;
	if (o.writer)
		return gs_writer_child(&o.machine, &(struct gs_writer_words){ o.writer, o.owner, o.waits_for, o.is_program, (const char *const *)argv + first });
	if (o.publish)
		return gs_agent_publish_once(&o.machine);
	/* sudo's process group gets the console's Ctrl-C otherwise, in mid-commit */
	if (o.privileged)
		(void)!setsid();
	if (o.collector)
		return gs_collector_serve(&o.machine, STDIN_FILENO, STDOUT_FILENO);
	return gs_agent_serve(&o.machine, STDIN_FILENO, STDOUT_FILENO);
}

static const struct gs_cli_option options[] = {
	{ "role", "ROLE", "agent (default), or collector: its child that reads the machine" },
	{ "read-only", NULL, "without the code path that writes" },
	{ "privileged", NULL, "started through sudo for a console; trusts nothing from its caller" },
	{ "publish", NULL, "look once, publish it for unprivileged viewers, exit" },
	{ "writer", "BDF", "one write, by a child of an agent: PATH VALUE" },
	{ "run", NULL, "with --writer: PROGRAM [ARGUMENT...] instead" },
	{ "owner", "PID", "with --writer: the agent that it is a child of; when that has gone nothing is written" },
	{ "waits-for", "TEXT", "with --writer: who probably holds the device" },
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_agent = {
	.name = "agent",
	.arguments = "",
	.summary = "the machine side: serves a console over standard input and output",
	.details = "JSON-RPC 2.0, one object per line. The console and the commands start it by themselves;\n"
		   "by hand it is only wanted with --publish, from a timer.",
	.options = options,
	.run = run,
};
