/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real program on a real pseudo-terminal under libvterm, on the simulated
 * DGX H100: carve by mouse, carve by keys, watch from a second terminal, and
 * give the terminal back on every way out.
 */
#include "tests/lib/cmocka.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/strbuf.h"
#include "core/snapshot.h"
#include "codec/json.h"
#include "tests/lib/consoletest.h"

/* ---------------------------------------------------------------- the machine by its commands */

/* "1g.10gb@0 3g.40gb@4" of one GPU, as a person would say it. */
static char *shape(const struct gs_consoletest_place *w, size_t gpu)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *text = NULL;
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct json_object *gpus, *instances, *v;

	assert_int_equal(gs_consoletest_command(w, "list --json", NULL, &text), 0);
	assert_int_equal(gs_json_parse(text, strlen(text), "list", &o, NULL), 0);
	assert_true(json_object_object_get_ex(o, "gpus", &gpus));
	gpus = json_object_array_get_idx(gpus, gpu);
	assert_true(json_object_object_get_ex(gpus, "mode", &v));
	gs_strbuf_puts(&b, json_object_get_string(v));
	assert_true(json_object_object_get_ex(gpus, "instances", &instances));
	for (size_t i = 0; i < json_object_array_length(instances); i++) {
		struct json_object *inst = json_object_array_get_idx(instances, i), *start;

		assert_true(json_object_object_get_ex(inst, "profile", &v));
		assert_true(json_object_object_get_ex(inst, "start", &start));
		gs_strbuf_printf(&b, " %s@%d", json_object_get_string(v), json_object_get_int(start));
	}
	return gs_strbuf_take(&b);
}

static void expect_shape(const struct gs_consoletest_place *w, size_t gpu, const char *want)
{
	GS_FREE char *got = shape(w, gpu);

	assert_string_equal(got, want);
}

static int setup(void **state)
{
	return gs_consoletest_setup(state, "dgx-h100");
}

/* ---------------------------------------------------------------- the terminal */

static struct gs_pty *start(const struct gs_consoletest_place *w, const char *const *words, int rows, int columns)
{
	/* the last GPU is on the screen: the machine has been read */
	return gs_consoletest_start(w, words, rows, columns, "df:00.0");
}

struct wanted_row {
	const char *head;
	int row;
};

static bool find_row(struct gs_pty *p, void *userdata)
{
	struct wanted_row *w = userdata;
	int rows, columns;

	gs_pty_size(p, &rows, &columns);
	for (w->row = 0; w->row < rows; w->row++) {
		GS_FREE char *text = gs_pty_row(p, w->row);

		if (strncmp(text + strspn(text, " >"), w->head, strlen(w->head)) == 0)
			return true;
	}
	return false;
}

/* Row of the first line that begins with @head (after blanks), as soon as there is one. */
static int row_of(struct gs_pty *p, const char *head)
{
	struct wanted_row w = { head, -1 };

	if (gs_pty_wait(p, find_row, &w, GS_PTY_DEADLINE_MS) < 0)
		fail_msg("no line begins with «%s»", head);
	return w.row;
}

struct wanted_unit {
	unsigned unit;
	int column;
};

static bool find_unit(struct gs_pty *p, void *userdata)
{
	struct wanted_unit *w = userdata;
	struct wanted_row ruler = { "unit", -1 };
	GS_FREE char *text = NULL;
	const char *at;

	if (!find_row(p, &ruler))
		return false;
	text = gs_pty_row(p, ruler.row);
	at = strlen(text) > 5 ? strchr(text + 5, (char)('0' + w->unit)) : NULL;
	w->column = at ? (int)(at - text) : -1;
	return at != NULL;
}

/* Column of unit @u on the ruler, as soon as it is drawn; the ruler is ASCII. */
static int column_of(struct gs_pty *p, unsigned u)
{
	struct wanted_unit w = { u, -1 };

	assert_int_equal(gs_pty_wait(p, find_unit, &w, GS_PTY_DEADLINE_MS), 0);
	return w.column;
}

static void drag(struct gs_pty *p, unsigned from, unsigned to)
{
	int row = row_of(p, "unit") + 3;
	/* over one unit: from one side of it to the other, else it were a click */
	int a = column_of(p, from), b = from == to ? a + 3 : column_of(p, to), step = b > a ? 3 : -3;

	gs_pty_mouse_press(p, row, a, 1);
	for (int column = a; step > 0 ? column < b : column > b; column += step)
		gs_pty_mouse_move(p, row, column);
	gs_pty_mouse_move(p, row, b);
	gs_pty_mouse_release(p, row, b, 1);
}

static void click_gpu(struct gs_pty *p, unsigned index)
{
	char head[16];

	snprintf(head, sizeof(head), "%u ", index);
	gs_pty_mouse_press(p, row_of(p, head), 6, 1);
	gs_pty_mouse_release(p, row_of(p, head), 6, 1);
	snprintf(head, sizeof(head), "GPU %u ", index);
	gs_consoletest_see(p, head);
}

static void write_staged(struct gs_pty *p)
{
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "REVIEW");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	gs_consoletest_see_no_more(p, "WRITING");
}

/* ---------------------------------------------------------------- carving */

static void carve_by_mouse(const struct gs_consoletest_place *w, const char *const *words, int rows, int columns)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, words, rows, columns);

	for (unsigned n = 3; n <= 6; n += 3) {
		click_gpu(p, n);
		if (n == 6) {
			gs_pty_keys(p, "M");
			gs_consoletest_see(p, "mig");
			gs_pty_keys(p, "2\r");
			gs_consoletest_see(p, "STAGED");
			/* the grid appears with the staged mode */
			gs_consoletest_see(p, "unit");
		}
		drag(p, 4, 7);
		gs_consoletest_see(p, "3g.40gb");
		gs_pty_keys(p, "\r");
		gs_consoletest_see(p, "+3g");
		drag(p, 0, 0);
		gs_consoletest_see(p, "1g.10gb");
		gs_pty_keys(p, "\r");
		gs_consoletest_see(p, "+1");
		drag(p, 1, 1);
		gs_consoletest_see(p, "STAGED +2");
		gs_pty_keys(p, "\r");
		gs_consoletest_see(p, "STAGED +3");
		write_staged(p);
		expect_shape(w, n, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4");
	}
	gs_consoletest_leave(p);
}

static void gpus_are_carved_by_dragging_at_24x80(void **state)
{
	carve_by_mouse(*state, NULL, 24, 80);
}

static void gpus_are_carved_by_dragging_at_40x120(void **state)
{
	carve_by_mouse(*state, NULL, 40, 120);
}

static void gpus_are_carved_by_dragging_in_mono(void **state)
{
	static const char *const words[] = { "console", "--theme", "mono", NULL };

	carve_by_mouse(*state, words, 24, 80);
}

static void gpus_are_carved_by_dragging_in_ascii(void **state)
{
	static const char *const words[] = { "console", "--ascii", NULL };

	carve_by_mouse(*state, words, 40, 120);
}

static void gpus_are_carved_by_dragging_under_tmux(void **state)
{
	struct gs_consoletest_place w = *(struct gs_consoletest_place *)*state;

	w.under_tmux = true;
	carve_by_mouse(&w, NULL, 24, 80);
}

static void carve_by_keys(const struct gs_consoletest_place *w)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, "jjj");
	gs_consoletest_see(p, "GPU 3 ");
	/* profile first, place second: 5 is 3g.40gb, 1 is 1g.10gb; Right and Left choose the start */
	gs_pty_keys(p, ":create 3 3g.40gb at 4\r");
	gs_consoletest_see(p, "STAGED +1");
	/* anchor, extend, Enter: the keyboard's drag */
	gs_pty_keys(p, "\t");
	gs_pty_keys(p, "hhhhhhhh");
	gs_pty_keys(p, "v\r\r");
	gs_consoletest_see(p, "STAGED +2");
	gs_pty_keys(p, "l");
	gs_pty_keys(p, "v\r\r");
	gs_consoletest_see(p, "STAGED +3");
	write_staged(p);
	expect_shape(w, 3, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4");

	gs_pty_keys(p, "jjj");
	gs_consoletest_see(p, "GPU 6 ");
	gs_pty_keys(p, "M2\r");
	gs_consoletest_see(p, "STAGED");
	gs_pty_keys(p, "c5");
	gs_consoletest_see(p, "CREATE");
	gs_pty_keys(p, "\r");
	gs_consoletest_see(p, "+3g");
	gs_pty_keys(p, ":create 6 1g.10gb at 0\r:create 6 1g.10gb at 1\r");
	gs_consoletest_see(p, "STAGED +3");
	write_staged(p);
	expect_shape(w, 6, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4");
	gs_consoletest_leave(p);
}

static void gpus_are_carved_by_keys_alone(void **state)
{
	carve_by_keys(*state);
}

static void gpus_are_carved_by_keys_under_tmux(void **state)
{
	struct gs_consoletest_place w = *(struct gs_consoletest_place *)*state;

	w.under_tmux = true;
	carve_by_keys(&w);
}

static void a_script_and_the_console_make_the_same_machine(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, ":create 3 2g.20gb at 0\r");
	gs_consoletest_see(p, "STAGED +1");
	write_staged(p);
	gs_consoletest_leave(p);
	assert_int_equal(gs_consoletest_command(w, "assert -", "create 3 2g.20gb at 0\\ndelete 3 rest\\n", NULL), 0);
	assert_int_equal(gs_consoletest_command(w, "assert -", "create 3 2g.20gb at 2\\ndelete 3 rest\\n", NULL), 4);
}

static void stopping_somebody_takes_the_typed_word(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);
	GS_FREE char *list = NULL;

	gs_pty_keys(p, ":delete 0 3g.40gb@0\r");
	gs_consoletest_see(p, "STAGED +0 -1");
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "48211");
	gs_consoletest_see(p, "dgx01:0");
	/* y is for changes that stop nobody; here it is a letter of the word to type */
	gs_pty_keys(p, "y\r");
	gs_consoletest_see(p, "not written");
	gs_pty_keys(p, "\177\177\177dgx01:1\r");
	gs_consoletest_see(p, "> dgx01:1");
	expect_shape(w, 0, "mig 3g.40gb@0 3g.40gb@4");
	gs_pty_keys(p, "\177\177\177\177\177\177\177\177\177\177dgx01:0\r");
	gs_consoletest_see(p, "WRITING  ended");
	expect_shape(w, 0, "mig 3g.40gb@4");
	gs_pty_keys(p, "\r");
	gs_consoletest_leave(p);
	assert_int_equal(gs_consoletest_command(w, "list", NULL, &list), 0);
	assert_null(strstr(list, "pid 48211"));
}

/* ---------------------------------------------------------------- a second terminal */

static void a_monitor_follows_what_a_script_does(void **state)
{
	const struct gs_consoletest_place *w = *state;
	static const char *const words[] = { "monitor", NULL };
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	assert_int_equal(gs_consoletest_command(w, "agent --publish", NULL, NULL), 0);
	p = start(w, words, 24, 80);
	gs_consoletest_see(p, "READ-ONLY");
	/* a mode change needs the driver's devices: the monitor lets go of them by itself */
	assert_int_equal(gs_consoletest_command(w, "apply --yes -", "mode 6 mig\\ncreate 6 4g.40gb at 0\\n", NULL), 0);
	gs_consoletest_see(p, "4g");
	gs_pty_keys(p, "d");
	gs_consoletest_see(p, "READ-ONLY");
	expect_shape(w, 6, "mig 4g.40gb@0");
	gs_pty_keys(p, ":");
	gs_consoletest_see(p, "READ-ONLY");
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "READ-ONLY");
	gs_consoletest_leave(p);
	expect_shape(w, 6, "mig 4g.40gb@0");
}

static void staged_work_survives_what_somebody_else_commits(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, ":create 3 3g.40gb at 0\r");
	gs_consoletest_see(p, "STAGED +1");
	assert_int_equal(gs_consoletest_command(w, "apply --yes -", "create 3 1g.10gb at 0\\n", NULL), 0);
	/* kept, and said to be in the way */
	gs_pty_keys(p, "jjj");
	gs_consoletest_see(p, "block");
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "REVIEW");
	/* a key that follows Esc in one read would be Alt and that key */
	gs_pty_keys(p, "\033");
	gs_consoletest_see_no_more(p, "REVIEW");
	gs_pty_keys(p, "u");
	gs_consoletest_see_no_more(p, "STAGED");
	gs_consoletest_leave(p);
}

/* ---------------------------------------------------------------- the terminal itself */

static void a_resize_storm_ends_in_the_last_size(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, ":create 3 3g.40gb at 0\r");
	gs_consoletest_see(p, "STAGED +1");
	for (int i = 0; i < 60; i++)
		gs_pty_resize(p, 1 + i * 7 % 60, 2 + i * 31 % 180);
	gs_pty_resize(p, 10, 40);
	gs_consoletest_see(p, "too small");
	gs_pty_resize(p, 50, 160);
	gs_consoletest_see(p, "STAGED +1");
	gs_consoletest_see(p, "df:00.0");
	gs_pty_keys(p, "u");
	gs_consoletest_see_no_more(p, "STAGED");
	gs_consoletest_leave(p);
}

static void the_terminal_comes_back_after(const struct gs_consoletest_place *w, int signo)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);
	int status = -1;

	assert_true(gs_pty_is_altscreen(p));
	assert_true(gs_pty_mode(p, 1002));
	assert_true(gs_pty_mode(p, 1006));
	kill(gs_pty_pid(p), signo);
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
	assert_string_equal(gs_pty_leftovers(p), "");
	assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == signo : WIFEXITED(status));
}

static void sigterm_gives_the_terminal_back(void **state)
{
	the_terminal_comes_back_after(*state, SIGTERM);
}

static void sighup_gives_the_terminal_back(void **state)
{
	the_terminal_comes_back_after(*state, SIGHUP);
}

static void a_crash_gives_the_terminal_back(void **state)
{
	the_terminal_comes_back_after(*state, SIGSEGV);
}

static void a_dropped_line_ends_the_program(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);
	int status = -1;

	gs_pty_hangup(p);
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
}

static void without_utf8_everything_is_ascii(void **state)
{
	struct gs_consoletest_place w = *(struct gs_consoletest_place *)*state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	GS_FREE char *screen = NULL;

	w.env[2] = "LC_ALL=C";
	w.env[3] = "LANG=C";
	p = start(&w, NULL, 24, 80);
	gs_consoletest_see(p, "+---");
	screen = gs_pty_text(p);
	for (const char *c = screen; *c; c++)
		assert_true((unsigned char)*c < 0x80);
	gs_consoletest_leave(p);
}

static void no_color_sends_no_colour(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	struct gs_consoletest_place coloured = *w;
	bool any = false;

	coloured.env[1] = "NO_COLOR=1";
	p = start(&coloured, NULL, 24, 80);
	for (int row = 0; row < 24; row++)
		for (int column = 0; column < 80; column++) {
			struct gs_pty_cell cell;

			assert_true(gs_pty_cell(p, row, column, &cell));
			any |= cell.foreground != -1 || cell.background != -1;
		}
	assert_false(any);
	gs_consoletest_leave(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_at_24x80, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_at_40x120, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_in_mono, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_in_ascii, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_under_tmux, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_keys_alone, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_keys_under_tmux, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(a_script_and_the_console_make_the_same_machine, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(stopping_somebody_takes_the_typed_word, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(a_monitor_follows_what_a_script_does, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(staged_work_survives_what_somebody_else_commits, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(a_resize_storm_ends_in_the_last_size, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(sigterm_gives_the_terminal_back, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(sighup_gives_the_terminal_back, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(a_crash_gives_the_terminal_back, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(a_dropped_line_ends_the_program, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(without_utf8_everything_is_ascii, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(no_color_sends_no_colour, setup, gs_consoletest_teardown),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
