/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/consoletest.h"

#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/strbuf.h"

int gs_consoletest_command(const struct gs_consoletest_place *w, const char *words, const char *input, char **ret_out)
{
	GS_STRBUF struct gs_strbuf out = GS_STRBUF_INIT;
	char line[512];
	int c, status;
	FILE *f;

	/* a test may use a shell: the words are its own */
	snprintf(line, sizeof(line), "printf '%s' | %s '%s' --sim %s %s 2>&1", input ? input : "", w->env_state, w->program, w->host, words);
	f = popen(line, "r");
	assert_non_null(f);
	while ((c = fgetc(f)) != EOF) {
		char byte = (char)c;

		gs_strbuf_add(&out, &byte, 1);
	}
	status = pclose(f);
	if (ret_out)
		*ret_out = gs_strbuf_take(&out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int gs_consoletest_setup(void **state, const char *host)
{
	struct gs_consoletest_place *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	w->program = gs_program_path();
	w->host = host;
	snprintf(w->state, sizeof(w->state), "/tmp/gpuslice-e2e.XXXXXX");
	if (!mkdtemp(w->state))
		return -1;
	snprintf(w->env_state, sizeof(w->env_state), "XDG_STATE_HOME=%s", w->state);
	w->env[0] = w->env_state;
	w->env[1] = "NO_COLOR";
	*state = w;
	return gs_consoletest_command(w, "sim reset", NULL, NULL);
}

int gs_consoletest_teardown(void **state)
{
	struct gs_consoletest_place *w = *state;
	char line[256];
	int r;

	/* a test that failed under tmux leaves its server */
	snprintf(line, sizeof(line), "tmux -L '%s' kill-server 2>/dev/null || true", w->state + strlen("/tmp/"));
	r = system(line);

	/* an agent whose console was killed may still be putting its last file there */
	snprintf(line, sizeof(line), "rm -rf '%s' 2>/dev/null || rm -rf '%s'", w->state, w->state);
	r = system(line);
	free(w->program);
	free(w);
	return r;
}

void gs_consoletest_see(struct gs_pty *p, const char *text)
{
	GS_FREE char *screen = NULL;

	if (gs_pty_wait_text(p, text) == 0)
		return;
	screen = gs_pty_text(p);
	fail_msg("«%s» does not appear on\n%s", text, screen);
}

void gs_consoletest_see_no_more(struct gs_pty *p, const char *text)
{
	GS_FREE char *screen = NULL;

	if (gs_pty_wait_gone(p, text) == 0)
		return;
	screen = gs_pty_text(p);
	fail_msg("«%s» stays on\n%s", text, screen);
}

/* tmux in between, as over SSH: its terminal type knows no SGR mouse, and it passes on what the program asks for. */
static struct gs_pty *start_in_tmux(const struct gs_consoletest_place *w, const struct gs_pty_options *inner)
{
	const char *argv[] = { "tmux", "-L", w->state + strlen("/tmp/"), "-f", "/dev/null", "new-session", NULL, ";", "set-option", "-g", "status", "off", NULL };
	struct gs_pty_options o = *inner;
	GS_STRBUF struct gs_strbuf line = GS_STRBUF_INIT;
	struct gs_pty *p = NULL;

	/* the server that this starts inherits the environment; the words are ours */
	for (size_t i = 0; inner->argv[i]; i++)
		gs_strbuf_printf(&line, "%s'%s'", i ? " " : "exec ", inner->argv[i]);
	argv[6] = line.text;
	o.argv = argv;
	assert_int_equal(gs_pty_spawn(&o, &p), 0);
	return p;
}

struct gs_pty *gs_consoletest_start(const struct gs_consoletest_place *w, const char *const *words, int rows, int columns, const char *seen)
{
	const char *argv[16] = { w->program, "--sim", w->host };
	struct gs_pty_options o = { .argv = argv, .env = w->env, .rows = rows, .columns = columns };
	struct gs_pty *p = NULL;
	size_t n = 3;

	for (; words && *words; words++)
		argv[n++] = *words;
	if (w->under_tmux)
		p = start_in_tmux(w, &o);
	else
		assert_int_equal(gs_pty_spawn(&o, &p), 0);
	gs_consoletest_see(p, seen);
	return p;
}

void gs_consoletest_leave(struct gs_pty *p)
{
	int status = -1;

	gs_pty_keys(p, "q");
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(gs_pty_leftovers(p), "");
}

char *gs_consoletest_layout(const struct gs_consoletest_place *w)
{
	char *text = NULL;

	assert_int_equal(gs_consoletest_command(w, "export json", NULL, &text), 0);
	return text;
}
