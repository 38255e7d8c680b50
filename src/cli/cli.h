/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - what the commands share: one table of commands, one option parser,
 * one way to say an error, one way to reach an agent.
 */
#ifndef GS_CLI_CLI_H
#define GS_CLI_CLI_H

#include <stdio.h>

#include "codec/session.h"
#include "core/ps.h"

enum gs_cli_color { GS_COLOR_AUTO, GS_COLOR_ALWAYS, GS_COLOR_NEVER };

#define GS_CLI_COMMAND_MAX 256

/* What the command line says before (or after) the command. */
struct gs_cli {
	const char *sim, *sysroot;
	bool as_user;
	bool json;
	enum gs_cli_color color;
	char command[GS_CLI_COMMAND_MAX];   /* what was run: "gpuslice apply layout.json" */
	bool has_written;       /* the machine was changed: its status is told whatever happens to the output */
};

/* An option: long name, name of its argument (NULL: none), one sentence. Repeatable ones are handed over each time. */
struct gs_cli_option {
	const char *name;
	const char *argument;
	const char *help;
};

/* Lines from the table that the code itself goes by, so that a help text cannot fall behind it. */
struct gs_cli_lines {
	const char *head;                       /* "statements:" */
	/* Line @i into @buf; false behind the last. */
	bool (*line)(unsigned i, char *buf, size_t size);
	bool has_place;                         /* the man pages have a place of their own for them */
};

#define GS_CLI_LINE_MAX 160

struct gs_cli_command {
	const char *name;
	const char *arguments;                  /* "FILE|-", "[GPU]" */
	const char *summary;                    /* half a sentence, for the list of commands */
	const char *details;                    /* paragraphs, for its own help */
	const struct gs_cli_lines *tables;      /* behind them, as they stand; ends with a NULL head; NULL: none */
	const struct gs_cli_option *options;    /* ends with a NULL name; NULL: none */
	bool is_hidden;                         /* not in the list: only we call it */
	/* Returns an exit status. argv[0] is the command. */
	int (*run)(struct gs_cli *cli, int argc, char **argv);
};

extern const struct gs_cli_command gs_command_console, gs_command_monitor, gs_command_list, gs_command_ps, gs_command_who, gs_command_doctor, gs_command_profiles, gs_command_plan, gs_command_apply,
	gs_command_assert, gs_command_save, gs_command_restore, gs_command_history, gs_command_undo, gs_command_recover, gs_command_export, gs_command_sim, gs_command_agent;

/* Every command, NULL ends. In main.c, the only place that knows them all. */
extern const struct gs_cli_command *const gs_cli_commands[];
/* The options that every command takes. */
extern const struct gs_cli_option gs_cli_globals[];

/*
 * Parse a command's options (with the global ones, into @cli). @take is called
 * for each of the command's own; a negative return ends it. On success
 * *@ret_first is the index of the first argument. 0; 1 when help was printed;
 * or the exit status for a wrong command line, already said.
 */
int gs_cli_parse(struct gs_cli *cli, const struct gs_cli_command *command, int argc, char **argv,
		 int (*take)(void *userdata, const char *name, const char *value, struct gs_error *e), void *userdata,
		 int *ret_first, int *ret_status);

void gs_cli_help(const struct gs_cli_command *command);
void gs_cli_usage(void);

/* A line on stderr behind all of stdout, also where both go into one file: "gpuslice: " and @fmt. */
void gs_cli_say(const char *fmt, ...) GS_PRINTF(1, 2);
/* Say it on stderr (and as gpuslice.error/1 on stdout with --json); returns its exit status. */
int gs_cli_fail(const struct gs_cli *cli, const struct gs_error *e);
/* Wrong command line: status INVALID. */
int gs_cli_misuse(const struct gs_cli *cli, const struct gs_cli_command *command, const char *fmt, ...) GS_PRINTF(3, 4);

/* Print a JSON value on stdout; takes the reference. 0 or the exit status. */
int gs_cli_print_json(struct json_object *o);
/* Flush stdout and say so when it cannot be written: a full disk must not look like success, nor hide what was done. */
int gs_cli_finish(const struct gs_cli *cli, int status);

/* ---- connect.c: an agent for the machine that the command line names ---- */

struct gs_connect {
	bool read_only;     /* monitor: the agent without a writing code path */
	bool quiet;         /* its stderr must not reach the terminal (a screen is drawn there) */
};
int gs_cli_connect(const struct gs_cli *cli, const struct gs_connect *how, struct gs_session **ret_session, struct gs_error *e);
/* The same through sudo, for `!` in the console. */
int gs_cli_connect_sudo(const struct gs_cli *cli, struct gs_session **ret_session, struct gs_error *e);
/* A session and one snapshot, for commands that only look. */
int gs_cli_snapshot(const struct gs_cli *cli, bool telemetry, struct gs_snapshot **ret_snapshot, struct gs_error *e);

/* ---- wait.c: what every command that commits takes ---- */

/* Its row in a command's table of options. */
#define GS_CLI_WAIT_OPTION { "wait", "SECONDS", "when another commit is running, wait for it to end, at most so long (86400); what it changed is planned for again. 0, the default: not at all" }
/* Its value, for `take`: 0 to 86400. -EINVAL and status INVALID otherwise. */
int gs_cli_take_wait(const char *value, uint32_t *ret_seconds, struct gs_error *e);
/* "gpuslice apply --message 'two words' layout.json", for struct gs_session_commit: as a shell takes it, cut to @size. Returns @buf. */
const char *gs_cli_command_line(int argc, char **argv, char *buf, size_t size);

/* ---- select.c ---- */

/* The GPUs that a selector of the command language means: their ranks in @s, at most @max. A sentence when there is none. */
int gs_cli_select_gpus(const char *word, const struct gs_snapshot *s, uint32_t *ret_indices, size_t max, size_t *ret_n, struct gs_error *e);

/* ---- cmd_export.c ---- */

/* The machine as a layout, as text; the caller frees. Status CANNOT_TELL where places cannot be seen. */
int gs_cli_layout_text(const struct gs_cli *cli, char **ret_text, struct gs_error *e);

/* ---- holder.c ---- */

/* gs_holder_label(), with the name in full where the kernel cut it and the unit tells the rest. Returns @buf. */
const char *gs_cli_holder_label(const struct gs_holder *h, char *buf, size_t size);

/* ---- cmd_sim.c ---- */

/* The calls of NVML that gpuslice makes and the stand-in has, so that a fault can strike there; without "nvml". NULL behind the last. */
const char *gs_cli_fault_call(unsigned i);
/* "nvml CALL CODE [at N]" and the like; NULL behind the last. */
const char *gs_cli_fault_spec(unsigned i);

/* ---- table.c: text tables ---- */

struct gs_table;
struct gs_table *gs_table_new(size_t columns);
struct gs_table *gs_table_free(struct gs_table *t);
GS_DEFINE_CLEANUP(struct gs_table *, gs_table_free);
/* One cell after the other, row by row; NULL prints «-». Copied. */
void gs_table_add(struct gs_table *t, const char *cell);
void gs_table_addf(struct gs_table *t, const char *fmt, ...) GS_PRINTF(2, 3);
/* A sentence behind the row that was added last, on lines of its own. Copied; NULL: none. */
void gs_table_note(struct gs_table *t, const char *text);
/* Columns as wide as their widest cell; the last one is not padded. */
void gs_table_print(const struct gs_table *t);
/* The same with the last column cut so that no row is wider than @columns; 0: whole. */
void gs_table_print_within(const struct gs_table *t, int columns);
/* How wide the terminal is that stdout goes to; 0: it goes elsewhere. */
int gs_cli_terminal_columns(void);

/* ---- wrap.c ---- */

/* @text from column @column on (what stands before it is printed), wrapped at blanks to 80 columns; further lines are indented by @indent. */
void gs_cli_print_wrapped(const char *text, int column, int indent);

/* ---- differences.c ---- */

/* @text, with each difference that it lists («…: GPU 3 has …; GPU 4 is …; what to do») on a line of its own behind @indent blanks. */
void gs_cli_print_differences(FILE *to, const char *text, int indent);
/* The same as gs_cli_say() does it. */
void gs_cli_say_differences(const char *text);

/* ---- doctor_reboot.c ---- */

/*
 * `doctor --reboot`: what is left of @s after a reboot, and how @text, the layout that @name has (NULL: nothing
 * is saved), would be put back. The exit status: 0, or 2 where something of it cannot be told. -errno with a sentence when it is an error.
 */
int gs_cli_doctor_reboot(const struct gs_cli *cli, const struct gs_snapshot *s, const char *name, const char *text, struct gs_error *e);

/* ---- readings.c ---- */

/* What the boards measure, as a table behind an empty line. */
void gs_cli_print_readings(const struct gs_snapshot *s);

/* ---- cmd_ps.c ---- */

/* The rows of `gpuslice ps`; an exit status. */
int gs_cli_print_ps(const struct gs_snapshot *s, enum gs_ps_key key, bool json);

#endif
