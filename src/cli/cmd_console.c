/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_console.c - `gpuslice console` and `monitor`: the screens. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "cli/commit.h"
#include "ui/console.h"
#include "ui/screen.h"

#define SNAPSHOT_TIMEOUT_MS 60000

struct screen_options {
	struct gs_console_options console;
	bool once;
	char size[32], ssh_client[64];
};

static int parse_size(const char *value, int *ret_rows, int *ret_columns, struct gs_error *e)
{
	char rows[16];
	const char *x = strchr(value, 'x');
	uint32_t r, c;

	if (!x || (size_t)(x - value) >= sizeof(rows))
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--size takes ROWSxCOLUMNS, as in 24x80, not %s", value);
	memcpy(rows, value, (size_t)(x - value));
	rows[x - value] = '\0';
	if (gs_parse_u32(rows, 10, &r) < 0 || gs_parse_u32(x + 1, 10, &c) < 0 || !r || !c || r > 1000 || c > 1000)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--size takes ROWSxCOLUMNS from 1x1 to 1000x1000, not %s", value);
	*ret_rows = (int)r;
	*ret_columns = (int)c;
	return 0;
}

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct screen_options *o = userdata;
	uint32_t ms;

	if (strcmp(name, "once") == 0) {
		o->once = true;
	} else if (strcmp(name, "ascii") == 0) {
		o->console.ascii = true;
	} else if (strcmp(name, "no-mouse") == 0) {
		o->console.mouse = false;
	} else if (strcmp(name, "theme") == 0) {
		o->console.theme = value;
	} else if (strcmp(name, "script") == 0) {
		o->console.script = value;
	} else if (strcmp(name, "size") == 0) {
		return parse_size(value, &o->console.rows, &o->console.columns, e);
	} else if (strcmp(name, "on-hangup") == 0) {
		return gs_cli_on_hangup(value, &o->console.undo_on_hangup, e);
	} else if (strcmp(name, "interval") == 0) {
		if (gs_parse_u32(value, 10, &ms) < 0 || ms < 100 || ms > 3600000)
			return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--interval takes milliseconds from 100 to 3600000, not %s", value);
		o->console.interval_ms = ms;
	}
	return 0;
}

/* The side that people type at needs no power: as root on a live machine it goes on as whoever called sudo, or as nobody. */
static int drop_privileges(struct gs_error *e)
{
	const char *sudo_uid = getenv("SUDO_UID"), *sudo_gid = getenv("SUDO_GID");
	uint32_t uid = 65534, gid = 65534;
	const struct passwd *nobody;

	if (geteuid() != 0)
		return 0;
	nobody = getpwnam("nobody");
	if (nobody) {
		uid = nobody->pw_uid;
		gid = nobody->pw_gid;
	}
	if (sudo_uid && sudo_gid && (gs_parse_u32(sudo_uid, 10, &uid) < 0 || gs_parse_u32(sudo_gid, 10, &gid) < 0))
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "SUDO_UID and SUDO_GID are no numbers");
	if (uid == 0)
		return 0;   /* root called sudo: there is nobody else to be */
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot give up root for the screen: %s", strerror(errno));
	return 0;
}

/* Whence an agent comes, the first and every later one. */
struct agent_source {
	const struct gs_cli *cli;
	struct gs_connect how;
};

static int elevate(void *userdata, struct gs_session **ret_session, struct gs_error *e)
{
	const struct agent_source *source = userdata;

	return gs_cli_connect_sudo(source->cli, ret_session, e);
}

static int connect_again(void *userdata, struct gs_session **ret_session, struct gs_error *e)
{
	const struct agent_source *source = userdata;

	return gs_cli_connect(source->cli, &source->how, ret_session, e);
}

static bool wants_color(const struct gs_cli *cli, bool is_screen)
{
	const char *no_color = getenv("NO_COLOR");

	if (cli->color != GS_COLOR_AUTO)
		return cli->color == GS_COLOR_ALWAYS;
	return !(no_color && *no_color) && (is_screen || isatty(STDOUT_FILENO));
}

/* What the words PARTIAL VIEW on the frame stand for: there is no key on a printed frame to ask with. */
static void say_what_is_missing(const struct gs_snapshot *s)
{
	bool places = false, holders = false;
	struct gs_wall at;
	char age[32];

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		places |= gs_mode_has_mig(gpu->mode) && !gpu->placements_visible;
		holders |= !gpu->holders_visible;
	}
	if (places)
		gs_cli_say("note: partial view: the driver tells the places of MIG instances to root only; gpuslice agent --publish as root, or its timer, makes them known");
	else if (gs_snapshot_published(s, &at))
		gs_cli_say("note: partial view: the places of MIG instances are those that root published %s ago; gpuslice agent --publish renews them",
			   gs_age_format(gs_wall_now().ms - at.ms, age, sizeof(age)));
	if (holders)
		gs_cli_say("note: partial view: processes of other users cannot be seen; sudo gpuslice list shows all");
}

/* One frame, every instance with its readings, and what is to be known about them. The session is taken. */
static int show_once(struct gs_session *session, const struct gs_console_options *options, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	int status;

	if (gs_session_snapshot(session, true, SNAPSHOT_TIMEOUT_MS, &s, e) < 0) {
		gs_session_free(session);
		return e->status ? (int)e->status : GS_STATUS_FAILED;
	}
	status = gs_console_once(session, options, STDOUT_FILENO, e);
	if (status != GS_STATUS_OK)
		return status;
	/* the frame has the instances of one GPU; what is printed can be read on */
	putchar('\n');
	gs_cli_print_ps(s, GS_PS_GPU, false);
	fflush(stdout);
	say_what_is_missing(s);
	return status;
}

static int show(struct gs_cli *cli, const struct gs_cli_command *command, int argc, char **argv, bool read_only)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	struct screen_options o = { .console = { .mouse = true, .interval_ms = 1000 } };
	struct agent_source source = { cli, { .read_only = read_only, .quiet = true } };
	struct gs_error e = { 0 };
	int first, status;

	if (gs_cli_parse(cli, command, argc, argv, take, &o, &first, &status))
		return status;
	if (first != argc)
		return gs_cli_misuse(cli, command, "%s takes no arguments", command->name);
	if (!o.once && !o.console.script && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return gs_cli_misuse(cli, command, "%s needs a terminal%s", command->name, read_only ? "; --once prints one frame" : "; without one use list, plan, apply");
	o.console.read_only = read_only;
	o.console.colour = wants_color(cli, !o.once && !o.console.script);
	o.console.ascii |= !gs_locale_is_utf8();
	o.console.elevate = read_only ? NULL : elevate;
	o.console.connect = connect_again;
	o.console.userdata = &source;
	o.console.ssh_client = gs_cli_ssh_client(o.ssh_client, sizeof(o.ssh_client));
	o.console.sim = cli->sim;
	o.console.sysroot = cli->sysroot;
	if (gs_cli_connect(cli, &source.how, &session, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (!cli->sim && !cli->sysroot && drop_privileges(&e) < 0)
		return gs_cli_fail(cli, &e);
	status = o.once ? show_once(GS_TAKE(session), &o.console, &e) : gs_console_run(GS_TAKE(session), &o.console, &e);
	return status == GS_STATUS_OK ? status : gs_cli_fail(cli, &e);
}

static int run_console(struct gs_cli *cli, int argc, char **argv)
{
	return show(cli, &gs_command_console, argc, argv, false);
}

static int run_monitor(struct gs_cli *cli, int argc, char **argv)
{
	return show(cli, &gs_command_monitor, argc, argv, true);
}

#define SCREEN_OPTIONS \
	{ "theme", "NAME", "default, mono, or the path of a theme file" }, \
	{ "ascii", NULL, "draw with ASCII only (also chosen by the locale)" }, \
	{ "no-mouse", NULL, "leave the mouse to the terminal" }, \
	{ "interval", "MS", "how often to look at the machine (1000)" }, \
	{ "script", "FILE", "take keys from FILE instead of a terminal, for tests and demonstrations" }, \
	{ "size", "ROWSxCOLS", "size of the screen with --script and --once" }

static const struct gs_cli_option console_options[] = {
	SCREEN_OPTIONS,
	{ "on-hangup", "finish|undo", "what becomes of a commit when the terminal or the connection goes away in the middle (finish)" },
	{ NULL, NULL, NULL },
};

static const struct gs_cli_option monitor_options[] = {
	{ "once", NULL, "print one frame as text, and every instance with its readings" },
	SCREEN_OPTIONS,
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_console = {
	.name = "console",
	.arguments = "",
	.summary = "the screen: look, drag, stage, review, write, undo",
	.details = "Nothing touches the machine before W and a confirmation. ? helps, q leaves.\n"
		   "Shift and the mouse select text, as in every program that uses the mouse.",
	.options = console_options,
	.run = run_console,
};

const struct gs_cli_command gs_command_monitor = {
	.name = "monitor",
	.arguments = "",
	.summary = "the same screen, read-only: its agent has no code that writes",
	.details = "PARTIAL VIEW in the first line means that something cannot be seen by whoever looks; a monitor looks as an ordinary user even for root.\n"
		   "The places of MIG instances are told to root only: gpuslice agent --publish as root, or its timer, makes them known.\n"
		   "Processes of other users stay hidden, which a question mark shows; sudo gpuslice list has them.\n"
		   "With --once the reason stands on standard error.",
	.options = monitor_options,
	.run = run_monitor,
};
