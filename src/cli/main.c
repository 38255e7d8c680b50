/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the commands by name, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "codec/script_text.h"
#include "codec/script_words.h"

const struct gs_cli_command *const gs_cli_commands[] = {
	&gs_command_console,
	&gs_command_monitor,
	&gs_command_list,
	&gs_command_ps,
	&gs_command_who,
	&gs_command_profiles,
	&gs_command_plan,
	&gs_command_apply,
	&gs_command_assert,
	&gs_command_history,
	&gs_command_undo,
	&gs_command_recover,
	&gs_command_save,
	&gs_command_restore,
	&gs_command_export,
	&gs_command_doctor,
	&gs_command_sim,
	&gs_command_agent,
	NULL,
};

static const struct gs_cli_command *find_command(const char *name)
{
	for (size_t i = 0; gs_cli_commands[i]; i++)
		if (strcmp(gs_cli_commands[i]->name, name) == 0)
			return gs_cli_commands[i];
	return NULL;
}

/* Whoever writes a statement where a command belongs is told where it does belong. */
static int no_command(const struct gs_cli *cli, const char *word)
{
	const char *names[GS_ARRAY_SIZE(gs_cli_commands)], *nearest, *syntax;
	enum gs_verb verb = gs_verb_from_name(word);
	struct gs_error e;
	size_t n = 0;

	for (; gs_cli_commands[n]; n++)
		names[n] = gs_cli_commands[n]->name;
	nearest = gs_word_nearest(word, names, n);
	syntax = gs_script_syntax((unsigned)verb);
	if (syntax)
		gs_error_set(&e, -EINVAL, GS_STATUS_INVALID, "%s is a statement of the command language, not a command; a script of such lines goes to plan and apply: "
			     "echo '%s ...' | gpuslice plan - (it is written: %s)", word, word, syntax);
	else
		gs_error_set(&e, -EINVAL, GS_STATUS_INVALID, "no command %s%s%s (gpuslice --help lists them)", word, nearest ? "; did you mean " : "", nearest ? nearest : "");
	return gs_cli_fail(cli, &e);
}

/* Options in front of the command are handled as if they stood behind it. */
static const struct gs_cli_command front = {
	.name = "gpuslice",
	.arguments = "COMMAND",
};

/* Started with standard streams closed, the next file opened would take their place and be written to as if it were the terminal. */
static void fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	struct gs_cli cli = { 0 };
	const struct gs_cli_command *command;
	int first = 0, status = 0;

	fill_standard_streams();
	setlocale(LC_ALL, "");
	/* a closed pipe is an error of write(2), not the end of a commit */
	signal(SIGPIPE, SIG_IGN);
	if (gs_cli_parse(&cli, &front, argc, argv, NULL, NULL, &first, &status))
		return gs_cli_finish(&cli, status);
	if (first == argc) {
		/* with a terminal a person sits there; without, a script wants the facts */
		command = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? &gs_command_console : &gs_command_list;
		argv[argc - 1] = (char *)command->name;
		return gs_cli_finish(&cli, command->run(&cli, 1, argv + argc - 1));
	}
	command = find_command(argv[first]);
	if (!command)
		return gs_cli_finish(&cli, no_command(&cli, argv[first]));
	return gs_cli_finish(&cli, command->run(&cli, argc - first, argv + first));
}
