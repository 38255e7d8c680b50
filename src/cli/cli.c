/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define OPTIONS_MAX 40

const struct gs_cli_option gs_cli_globals[] = {
	{ "sim", "NAME", "work on the simulated machine NAME (gpuslice sim list)" },
	{ "sysroot", "DIR", "look at a recorded tree instead of this machine; nothing can be written" },
	{ "as-user", NULL, "on a simulated machine: do not count as root" },
	{ "json", NULL, "print JSON" },
	{ "color", "WHEN", "auto, always or never (NO_COLOR is honoured)" },
	{ "help", NULL, "print this help" },
	{ "version", NULL, "print the version" },
	{ NULL, NULL, NULL },
};

static void print_options(const struct gs_cli_option *options)
{
	for (; options && options->name; options++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", options->name, options->argument ? " " : "", options->argument ? options->argument : "");
		printf("  %-24s %s\n", left, options->help);
	}
}

void gs_cli_usage(void)
{
	printf("gpuslice - partition GPUs: look, stage, review, commit, read back\n\n"
	       "usage: gpuslice [OPTIONS] [COMMAND ...]\n\n"
	       "With a terminal and no command: console. Without a terminal: list.\n\ncommands:\n");
	for (size_t i = 0; gs_cli_commands[i]; i++)
		if (!gs_cli_commands[i]->is_hidden)
			printf("  %-10s %-14s %s\n", gs_cli_commands[i]->name, gs_cli_commands[i]->arguments, gs_cli_commands[i]->summary);
	printf("\noptions:\n");
	print_options(gs_cli_globals);
	printf("\ngpuslice COMMAND --help tells more. Exit statuses: 0 done or matches, 1 failed (as before),\n"
	       "2 wrong input, 3 refused (nothing done), 4 differs, 5 failed and not undone, 6 locked,\n"
	       "7 unreachable, 8 pending, 9 needs root, or cannot tell without, 10 some GPUs done, some not. Those of doctor are told by its help.\n");
}

void gs_cli_help(const struct gs_cli_command *command)
{
	printf("usage: gpuslice [OPTIONS] %s%s%s\n\n%s.\n", command->name, *command->arguments ? " " : "", command->arguments, command->summary);
	if (command->details)
		printf("\n%s\n", command->details);
	for (const struct gs_cli_lines *t = command->tables; t && t->head; t++) {
		char line[GS_CLI_LINE_MAX];

		printf("\n%s\n", t->head);
		for (unsigned i = 0; t->line(i, line, sizeof(line)); i++)
			printf("  %s\n", line);
	}
	if (command->options) {
		printf("\noptions of %s:\n", command->name);
		print_options(command->options);
	}
	printf("\noptions of every command:\n");
	print_options(gs_cli_globals);
}

int gs_cli_misuse(const struct gs_cli *cli, const struct gs_cli_command *command, const char *fmt, ...)
{
	struct gs_error e;
	va_list ap;

	va_start(ap, fmt);
	gs_error_setv(&e, -EINVAL, GS_STATUS_INVALID, fmt, ap);
	va_end(ap);
	if (strlen(e.text) + 64 < sizeof(e.text)) {
		size_t used = strlen(e.text);

		snprintf(e.text + used, sizeof(e.text) - used, " (gpuslice %s%s--help)", command->run ? command->name : "", command->run ? " " : "");
	}
	return gs_cli_fail(cli, &e);
}

/* Did the command line ask for JSON, wherever it stands? An error about an option before it must be JSON too. */
static bool asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static int take_global(struct gs_cli *cli, const struct gs_cli_command *command, const char *name, const char *value, int *ret_status)
{
	bool is_front = !command->run;

	if (strcmp(name, "sim") == 0) {
		cli->sim = value;
	} else if (strcmp(name, "sysroot") == 0) {
		cli->sysroot = value;
	} else if (strcmp(name, "as-user") == 0) {
		cli->as_user = true;
	} else if (strcmp(name, "json") == 0) {
		cli->json = true;
	} else if (strcmp(name, "help") == 0) {
		if (is_front)
			gs_cli_usage();
		else
			gs_cli_help(command);
		*ret_status = GS_STATUS_OK;
		return 1;
	} else if (strcmp(name, "version") == 0) {
		printf("gpuslice " GS_VERSION "\n");
		*ret_status = GS_STATUS_OK;
		return 1;
	} else if (strcmp(value, "auto") == 0) {
		cli->color = GS_COLOR_AUTO;
	} else if (strcmp(value, "always") == 0) {
		cli->color = GS_COLOR_ALWAYS;
	} else if (strcmp(value, "never") == 0) {
		cli->color = GS_COLOR_NEVER;
	} else {
		*ret_status = gs_cli_misuse(cli, command, "--color takes auto, always or never, not %s", value);
		return 1;
	}
	return 0;
}

/* getopt's table from ours; val is the index, the command's own options first. */
static size_t fill_options(const struct gs_cli_command *command, struct option *ret, const struct gs_cli_option **ret_ours)
{
	const struct gs_cli_option *tables[] = { command->options, gs_cli_globals };
	size_t n = 0;

	for (size_t t = 0; t < GS_ARRAY_SIZE(tables); t++)
		for (const struct gs_cli_option *o = tables[t]; o && o->name && n < OPTIONS_MAX; o++) {
			ret_ours[n] = o;
			ret[n] = (struct option){ o->name, o->argument ? required_argument : no_argument, NULL, 1000 + (int)n };
			n++;
		}
	return n;
}

int gs_cli_parse(struct gs_cli *cli, const struct gs_cli_command *command, int argc, char **argv,
		 int (*take)(void *userdata, const char *name, const char *value, struct gs_error *e), void *userdata,
		 int *ret_first, int *ret_status)
{
	struct option options[OPTIONS_MAX + 1] = { 0 };
	const struct gs_cli_option *ours[OPTIONS_MAX];
	size_t n = fill_options(command, options, ours), n_own = 0;
	int c;

	while (command->options && command->options[n_own].name)
		n_own++;
	if (command->run)
		gs_cli_command_line(argc, argv, cli->command, sizeof(cli->command));
	cli->json |= asks_for_json(argc, argv);
	optind = 0;
	opterr = 0;
	/* "+": what follows the command belongs to it */
	while ((c = getopt_long(argc, argv, command->run ? ":h" : "+:h", options, NULL)) != -1) {
		size_t i = (size_t)c - 1000;
		struct gs_error e = { 0 };

		if (c == 'h') {
			if (take_global(cli, command, "help", NULL, ret_status))
				return 1;
		} else if (c == '?' || c == ':' || i >= n) {
			*ret_status = gs_cli_misuse(cli, command, "%s: %s", argv[optind - 1], c == ':' ? "its argument is missing" : "unknown option, or one that takes no argument");
			return 1;
		} else if (i >= n_own) {
			if (take_global(cli, command, ours[i]->name, optarg, ret_status))
				return 1;
		} else if (take(userdata, ours[i]->name, optarg, &e) < 0) {
			*ret_status = gs_cli_fail(cli, &e);
			return 1;
		}
	}
	if (cli->sim && cli->sysroot) {
		*ret_status = gs_cli_misuse(cli, command, "--sim and --sysroot exclude each other");
		return 1;
	}
	*ret_first = optind;
	return 0;
}

void gs_cli_say(const char *fmt, ...)
{
	va_list ap;

	/* stdout keeps its text back when it is no terminal, and would come behind what was said later */
	fflush(stdout);
	fputs("gpuslice: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void gs_cli_say_differences(const char *text)
{
	fflush(stdout);
	fputs("gpuslice: ", stderr);
	gs_cli_print_differences(stderr, text, 4);
}

int gs_cli_fail(const struct gs_cli *cli, const struct gs_error *e)
{
	char text[1400];

	gs_error_format(e, text, sizeof(text));
	gs_text_sanitize(text);
	gs_cli_say("%s", text);
	if (cli->json) {
		struct json_object *o = json_object_new_object();

		gs_json_add_string(o, "schema", "gpuslice.error/1");
		gs_json_add_u32(o, "status", GS_U32((uint32_t)e->status));
		gs_json_add_string(o, "file", e->file[0] ? e->file : NULL);
		gs_json_add_u32(o, "line", e->line ? GS_U32(e->line) : GS_U32_UNKNOWN);
		gs_json_add_u32(o, "column", e->column ? GS_U32(e->column) : GS_U32_UNKNOWN);
		gs_json_add_string(o, "text", e->text);
		gs_cli_print_json(o);
	}
	return e->status ? (int)e->status : GS_STATUS_FAILED;
}

int gs_cli_print_json(struct json_object *o)
{
	GS_FREE char *text = o ? gs_json_to_text(o) : NULL;

	json_object_put(o);
	if (!text) {
		gs_cli_say("cannot allocate memory");
		return GS_STATUS_FAILED;
	}
	fputs(text, stdout);
	return GS_STATUS_OK;
}

int gs_cli_finish(const struct gs_cli *cli, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* `gpuslice list | head` is no failure of ours */
	if (errno == EPIPE)
		return status;
	gs_cli_say("not all of the output could be written");
	/* what became of the machine counts: 1 would say that it is as before */
	return status || cli->has_written ? status : GS_STATUS_FAILED;
}
