/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_sim.c - `gpuslice sim`: simulated machines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/nvml.h"
#include "backend/sim/calls.h"
#include "backend/sim/sim.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "codec/script_words.h"

#define LIST_BYTES_MAX 65536
#define NVML_PREFIX_LENGTH 4
#define CALLS_MAX 128
#define NEAR_MAX 4
#define CALLS_WIDTH 74

/* What «sim fault» takes (sim.h says it in full). */
static const struct {
	const char *spec, *help;
} specs[] = {
	{ "nvml CALL CODE [at N]", "CALL returns the number CODE the N-th time from now (1)" },
	{ "nvml CALL nothing [at N]", "CALL returns success and does nothing" },
	{ "nvml CALL hang", "CALL does not return until released" },
	{ "nvml CALL slow MS", "CALL takes so much longer, each time" },
	{ "nvml lost BDF", "that GPU has fallen off the bus" },
	{ "write GLOB ERRNO [at N]", "the N-th write to a file that matches fails: EIO, 5" },
	{ "write GLOB nothing [at N]", "it succeeds and does nothing" },
	{ "write GLOB hang", "it does not return until released" },
	{ "read GLOB ERRNO|hang", "every read of such a file fails, or waits" },
	{ "program NAME nothing|interrupted", "its next run does nothing and exits with 0, or stops half way" },
	{ "program NAME hang|exit N", "it does not end until released, or exits with N" },
	{ "vanish BDF", "that function is gone from the bus, a GPU with its VFs" },
	{ "reload DRIVER", "now: its GPUs lose what the driver kept" },
	{ "mode-pending BDF", "its next mode change stays pending" },
	{ "hold BDF|UUID [unseen]", "a program has that device open through VFIO, as a VM has" },
	{ "kill before|after [at N]", "whoever makes the N-th change from now dies before or after it" },
	{ "kill agent [at N]", "the agent alone dies at it, and the change goes on" },
	{ "read-only", "sysfs is mounted read-only" },
	{ "uuid old|new", "a recreated instance gets its old UUID, or a new one" },
	{ "library old|new|current", "NVML is that of the 470 branch, or has a profile that nobody knows" },
	{ "release", "what hangs goes on, what is waited for lets go" },
	{ "clear", "no faults" },
};

/*
 * Each row is one slot of the program's table of NVML. The first of its symbols
 * that the stand-in has is the one that is called; the others never are.
 */
#define SYMBOLS_(slot, params, ...) { __VA_ARGS__ },
static const char *const slots[][4] = { GS_NVML_CALLS(SYMBOLS_) };

/* In the table and never called on the stand-in: ways out where a newer call is missing, and those with no fault in them. */
static bool is_never_called(const char *call)
{
	static const char *const idle[] = {
		"DeviceGetGpuInstanceProfileInfo", "GpuInstanceGetComputeInstanceProfileInfo", "DeviceGetMemoryInfo", "DeviceGetVgpuUtilization", "GpuInstanceCreateComputeInstance", "GpmSampleFree", "Shutdown",
	};

	for (size_t i = 0; i < GS_ARRAY_SIZE(idle); i++)
		if (strcmp(call, idle[i]) == 0)
			return true;
	return false;
}

static const char *call_of(const char *const *symbols)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(slots[0]) && symbols[i]; i++) {
		const char *name = symbols[i] + NVML_PREFIX_LENGTH, *known = gs_sim_call_find(name);

		/* "…_v2" is found without its end too, but is another symbol */
		if (known && strcmp(known, name) == 0)
			return is_never_called(name) ? NULL : name;
	}
	return NULL;
}

const char *gs_cli_fault_call(unsigned i)
{
	for (size_t slot = 0; slot < GS_ARRAY_SIZE(slots); slot++) {
		const char *call = call_of(slots[slot]);

		if (call && i-- == 0)
			return call;
	}
	return NULL;
}

const char *gs_cli_fault_spec(unsigned i)
{
	return i < GS_ARRAY_SIZE(specs) ? specs[i].spec : NULL;
}

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

/* Is one a part of the other? Case does not matter. */
static bool is_akin(const char *a, const char *b)
{
	return strcasestr(a, b) || strcasestr(b, a);
}

/* A fault that never strikes looks like a program that bears it. */
static int check_call(const char *word, struct gs_error *e)
{
	const char *names[CALLS_MAX], *known = gs_sim_call_find(word), *nearest, *call;
	GS_STRBUF struct gs_strbuf near = GS_STRBUF_INIT;
	char shown[GS_WORD_SHOWN];
	size_t n = 0, n_near = 0;

	if (strcmp(word, "*") == 0 || strcmp(word, "lost") == 0)
		return 0;
	for (; n < CALLS_MAX && (call = gs_cli_fault_call((unsigned)n)); n++) {
		if (known && strcmp(known, call) == 0)
			return 0;
		names[n] = call;
	}
	nearest = gs_word_nearest(word, names, n);
	if (nearest)
		gs_strbuf_printf(&near, "%s", nearest);
	for (size_t i = 0; strlen(word) > 3 && i < n && n_near < NEAR_MAX; i++) {
		if (!is_akin(names[i], word) || names[i] == nearest)
			continue;
		gs_strbuf_printf(&near, "%s%s", near.length ? ", " : "", names[i]);
		n_near++;
	}
	return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s: %s%s%s (gpuslice sim --help lists the calls)", gs_word_show(word, shown),
			    known ? "gpuslice does not call it, so the fault would never strike" : "the simulated NVML has no such function",
			    near.length ? "; near it are " : "", near.length ? near.text : "");
}

static int fault(struct gs_cli *cli, struct gs_sim *sim, int argc, char **argv)
{
	GS_FREE char *text = NULL;
	struct gs_error e = { 0 };

	if (argc > 1 && strcmp(argv[0], "nvml") == 0 && check_call(argv[1], &e) < 0)
		return gs_cli_fail(cli, &e);
	if (argc && gs_sim_fault(sim, argc, argv, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (gs_sim_fault_list(sim, &text, &e) < 0)
		return gs_cli_fail(cli, &e);
	fputs(*text ? text : "no faults\n", stdout);
	return GS_STATUS_OK;
}

static int read_list(const char *name, char **ret_text, struct gs_error *e)
{
	GS_FREE char *text = NULL;
	size_t n;
	int r = gs_file_read(name, LIST_BYTES_MAX, &text, &n, e);

	if (r < 0)
		return r;
	if (strlen(text) != n)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s: has a byte 0, so it is no text", name);
	*ret_text = GS_TAKE(text);
	return 0;
}

/* FILE, "-" or "clear"; without it, how it stands. */
static int expect(struct gs_cli *cli, struct gs_sim *sim, int argc, char **argv)
{
	GS_FREE char *text = NULL, *state = NULL;
	struct gs_error e = { 0 };
	bool is_met = false;

	if (argc > 1)
		return gs_cli_misuse(cli, &gs_command_sim, "sim expect takes one file");
	if (argc && strcmp(argv[0], "clear") != 0 && read_list(argv[0], &text, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (argc) {
		if (gs_sim_expect(sim, text ? text : "", &e) < 0)
			return gs_cli_fail(cli, &e);
		return GS_STATUS_OK;
	}
	if (gs_sim_expect_state(sim, &state, &is_met, &e) < 0)
		return gs_cli_fail(cli, &e);
	fputs(state, stdout);
	return is_met ? GS_STATUS_OK : GS_STATUS_DIFFERS;
}

/* Those that need a machine. */
static bool is_verb(const char *word)
{
	static const char *const verbs[] = { "reset", "reboot", "reload", "path", "fault", "expect" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(verbs); i++)
		if (strcmp(word, verbs[i]) == 0)
			return true;
	return false;
}

static int reboot(struct gs_cli *cli, struct gs_sim *sim)
{
	struct gs_error e = { 0 };

	if (gs_sim_reboot(sim, &e) < 0)
		return gs_cli_fail(cli, &e);
	printf("%s was rebooted\n", cli->sim);
	return GS_STATUS_OK;
}

static int reload(struct gs_cli *cli, struct gs_sim *sim, int argc, char **argv)
{
	struct gs_error e = { 0 };

	if (argc > 1)
		return gs_cli_misuse(cli, &gs_command_sim, "sim reload takes one driver");
	if (gs_sim_reload(sim, argc ? argv[0] : NULL, &e) < 0)
		return gs_cli_fail(cli, &e);
	printf("the driver of %s was loaded again\n", cli->sim);
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
		return gs_cli_misuse(cli, &gs_command_sim, "sim takes list, reset, reboot, reload, path, fault or expect");
	what = argv[first++];
	if (strcmp(what, "list") == 0 && first == argc)
		return list(cli);
	if (!is_verb(what))
		return gs_cli_misuse(cli, &gs_command_sim, "sim takes list, reset, reboot, reload, path, fault or expect, not %s", what);
	status = need_name(cli);
	if (status)
		return status;
	if (strcmp(what, "fault") != 0 && strcmp(what, "expect") != 0 && strcmp(what, "reload") != 0 && first != argc)
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
	if (strcmp(what, "reboot") == 0)
		return reboot(cli, sim);
	if (strcmp(what, "reload") == 0)
		return reload(cli, sim, argc - first, argv + first);
	if (strcmp(what, "expect") == 0)
		return expect(cli, sim, argc - first, argv + first);
	return fault(cli, sim, argc - first, argv + first);
}

static bool spec_line(unsigned i, char *buf, size_t size)
{
	if (i >= GS_ARRAY_SIZE(specs))
		return false;
	snprintf(buf, size, "%-32s  %s", specs[i].spec, specs[i].help);
	return true;
}

/* As many names as a line holds. */
static bool call_line(unsigned i, char *buf, size_t size)
{
	size_t used = 0;
	unsigned line = 0;
	const char *call;

	for (unsigned n = 0; (call = gs_cli_fault_call(n)); n++) {
		if (used && used + 1 + strlen(call) > CALLS_WIDTH) {
			if (line++ == i)
				return true;
			used = 0;
		}
		if (line == i)
			snprintf(buf + used, size - used, "%s%s", used ? " " : "", call);
		used += (used ? 1 : 0) + strlen(call);
	}
	return used && line == i;
}

static const struct gs_cli_lines tables[] = {
	{ "a SPEC of fault:", spec_line, false },
	{ "a CALL is * for any that writes, or one of:", call_line, false },
	{ NULL, NULL, false },
};

const struct gs_cli_command gs_command_sim = {
	.name = "sim",
	.arguments = "list|reset|reboot|reload|path|fault|expect",
	.summary = "machines that are not there, to try things on",
	.details = "list             their names\n"
		   "reset            back to the shipped state\n"
		   "reboot           what lasts stays, the rest is gone, as on real ones\n"
		   "reload [DRIVER]  the GPUs' driver is unloaded and loaded again\n"
		   "path             the directory tree that stands for /\n"
		   "fault [SPEC...]  what is switched on, or switch one on\n"
		   "expect [FILE]    hold what changes the machine to a list: \"CALL [CODE]\",\n"
		   "                 \"write GLOB [ERRNO]\" or \"program NAME [STATUS]\" a line, each\n"
		   "                 the next of the list; without FILE what is left of it and\n"
		   "                 what came out of turn, with status 4; clear ends it",
	.tables = tables,
	.run = run,
};
