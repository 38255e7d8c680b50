/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real program on a real pseudo-terminal, on a simulated host of L40S:
 * vGPUs by dragging over VFs, by keys, and what the size rule says then.
 */
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/strbuf.h"
#include "tests/lib/pty.h"

struct place {
	char *program;
	char state[64];
	char env_state[96];
	const char *env[4];
};

/* Run the program to its end; what it prints is in @ret_out (the caller frees) when that is not NULL. */
static int command(const struct place *w, const char *words, char **ret_out)
{
	GS_STRBUF struct gs_strbuf out = GS_STRBUF_INIT;
	char line[512];
	int c, status;
	FILE *f;

	/* a test may use a shell: the words are its own */
	snprintf(line, sizeof(line), "%s '%s' --sim kvm-l40s %s 2>&1", w->env_state, w->program, words);
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

static int setup(void **state)
{
	struct place *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	w->program = gs_program_path();
	snprintf(w->state, sizeof(w->state), "/tmp/gpuslice-e2e.XXXXXX");
	if (!mkdtemp(w->state))
		return -1;
	snprintf(w->env_state, sizeof(w->env_state), "XDG_STATE_HOME=%s", w->state);
	w->env[0] = w->env_state;
	w->env[1] = "NO_COLOR";
	*state = w;
	return command(w, "sim reset", NULL);
}

static int teardown(void **state)
{
	struct place *w = *state;
	char line[256];
	int r;

	snprintf(line, sizeof(line), "rm -rf '%s' 2>/dev/null || rm -rf '%s'", w->state, w->state);
	r = system(line);
	free(w->program);
	free(w);
	return r;
}

static void see(struct gs_pty *p, const char *text)
{
	GS_FREE char *screen = NULL;

	if (gs_pty_wait_text(p, text) == 0)
		return;
	screen = gs_pty_text(p);
	fail_msg("«%s» does not appear on\n%s", text, screen);
}

static void see_no_more(struct gs_pty *p, const char *text)
{
	GS_FREE char *screen = NULL;

	if (gs_pty_wait_gone(p, text) == 0)
		return;
	screen = gs_pty_text(p);
	fail_msg("«%s» stays on\n%s", text, screen);
}

static struct gs_pty *start(const struct place *w, int rows, int columns)
{
	const char *argv[] = { w->program, "--sim", "kvm-l40s", NULL };
	struct gs_pty_options o = { .argv = argv, .env = w->env, .rows = rows, .columns = columns };
	struct gs_pty *p = NULL;

	assert_int_equal(gs_pty_spawn(&o, &p), 0);
	see(p, "c6:00.0");
	return p;
}

/* Every character here is one column wide. */
static int columns_before(const char *text, const char *at)
{
	int n = 0;

	for (; text < at; text++)
		n += (*text & 0xc0) != 0x80;
	return n + 1;
}

/* Where VF @n of the first row of VFs is: "| 0 ". */
static void find_vf(struct gs_pty *p, unsigned n, int *ret_row, int *ret_column)
{
	char head[16];
	int rows, columns;

	see(p, "VF  0");
	gs_pty_size(p, &rows, &columns);
	snprintf(head, sizeof(head), " %u ", n);
	for (int row = 0; row < rows; row++) {
		GS_FREE char *text = gs_pty_row(p, row);
		const char *at;

		if (strncmp(text, "VF  0", 5))
			continue;
		at = strstr(text + 6, head);
		assert_non_null(at);
		*ret_row = row;
		*ret_column = columns_before(text, at);
		return;
	}
	fail_msg("there is no row of VFs");
}

static void leave(struct gs_pty *p)
{
	int status = -1;

	gs_pty_keys(p, "q");
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(gs_pty_leftovers(p), "");
}

static void write_staged(struct gs_pty *p)
{
	gs_pty_keys(p, "W");
	see(p, "y  write");
	gs_pty_keys(p, "y");
	see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	see_no_more(p, "WRITING");
}

static void drag_and_write(const struct place *w, int rows, int columns)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, rows, columns);
	GS_FREE char *listed = NULL;
	int row, from, to;

	gs_pty_keys(p, "jj");
	see(p, "GPU 2 ");
	find_vf(p, 4, &row, &from);
	find_vf(p, 6, &row, &to);
	gs_pty_mouse_press(p, row, from, 1);
	for (int column = from; column < to; column += 2)
		gs_pty_mouse_move(p, row, column);
	gs_pty_mouse_move(p, row, to);
	gs_pty_mouse_release(p, row, to, 1);
	see(p, "CREATE in VFs 4-6 of GPU 2");
	/* 24 GiB, of which two of the three fit */
	gs_pty_keys(p, "21");
	see(p, "L40S-24Q on VF 4, 5");
	gs_pty_keys(p, "\r");
	see(p, "STAGED +2 -0");
	write_staged(p);
	assert_int_equal(command(w, "list", &listed), 0);
	assert_non_null(strstr(listed, "0000:a1:01.0"));
	/* one size for all from now on */
	gs_pty_keys(p, ":create 2 L40S-12Q\r");
	see(p, "one framebuffer size");
	gs_pty_keys(p, "\033");
	see_no_more(p, ":create 2");
	leave(p);
}

static void vgpus_are_made_by_dragging_at_24x80(void **state)
{
	drag_and_write(*state, 24, 80);
}

static void vgpus_are_made_by_dragging_at_50x160(void **state)
{
	drag_and_write(*state, 50, 160);
}

static void a_whole_gpu_is_cut_by_keys(void **state)
{
	const struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, 24, 80);
	GS_FREE char *listed = NULL;

	gs_pty_keys(p, "GM");
	see(p, "MODE of GPU 3");
	see(p, "sriov-manage");
	gs_pty_keys(p, "\r");
	see(p, "whole -> vGPU");
	gs_pty_keys(p, ":create 3 L40S-8Q count 3\r");
	see(p, "STAGED +3 -0");
	gs_pty_keys(p, "W");
	/* services stop for a while, which is typed as the end of work is */
	see(p, "Type  kvm-l40s:3");
	gs_pty_keys(p, "kvm-l40s:3\r");
	see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	see(p, "8Q");
	leave(p);
	assert_int_equal(command(w, "list", &listed), 0);
	assert_non_null(strstr(listed, "0000:c6:00.6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vgpus_are_made_by_dragging_at_24x80, setup, teardown),
		cmocka_unit_test_setup_teardown(vgpus_are_made_by_dragging_at_50x160, setup, teardown),
		cmocka_unit_test_setup_teardown(a_whole_gpu_is_cut_by_keys, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
