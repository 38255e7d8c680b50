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
#include "tests/lib/pty.h"

struct place {
	char *program;
	char state[64];
	char env_state[96];
	const char *env[8];
	bool under_tmux;
};

/* ---------------------------------------------------------------- the machine by its commands */

/* Run the program to its end; what it prints is in @ret_out (the caller frees) when that is not NULL. */
static int command(const struct place *w, const char *words, const char *input, char **ret_out)
{
	char line[512];
	GS_STRBUF struct gs_strbuf out = GS_STRBUF_INIT;
	FILE *f;
	int c, status;

	/* a test may use a shell: the words are its own */
	snprintf(line, sizeof(line), "printf '%s' | %s '%s' --sim dgx-h100 %s 2>&1", input ? input : "", w->env_state, w->program, words);
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

/* "1g.10gb@0 3g.40gb@4" of one GPU, as a person would say it. */
static char *shape(const struct place *w, size_t gpu)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *text = NULL;
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct json_object *gpus, *instances, *v;

	assert_int_equal(command(w, "list --json", NULL, &text), 0);
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

static void expect_shape(const struct place *w, size_t gpu, const char *want)
{
	GS_FREE char *got = shape(w, gpu);

	assert_string_equal(got, want);
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
	return command(w, "sim reset", NULL, NULL);
}

static int teardown(void **state)
{
	struct place *w = *state;
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

/* ---------------------------------------------------------------- the terminal */

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

/* tmux in between, as over SSH: its terminal type knows no SGR mouse, and it passes on what the program asks for. */
static struct gs_pty *start_in_tmux(const struct place *w, const struct gs_pty_options *inner)
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

static struct gs_pty *start(const struct place *w, const char *const *words, int rows, int columns)
{
	const char *argv[16] = { w->program, "--sim", "dgx-h100" };
	struct gs_pty_options o = { .argv = argv, .env = w->env, .rows = rows, .columns = columns };
	struct gs_pty *p = NULL;
	size_t n = 3;

	for (; words && *words; words++)
		argv[n++] = *words;
	if (w->under_tmux)
		p = start_in_tmux(w, &o);
	else
		assert_int_equal(gs_pty_spawn(&o, &p), 0);
	/* the last GPU is on the screen: the machine has been read */
	see(p, "df:00.0");
	return p;
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
	int a = column_of(p, from), b = column_of(p, to), step = b > a ? 3 : -3;

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
	see(p, head);
}

static void write_staged(struct gs_pty *p)
{
	gs_pty_keys(p, "W");
	see(p, "REVIEW");
	see(p, "y  write");
	gs_pty_keys(p, "y");
	see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	see_no_more(p, "WRITING");
}

static void leave(struct gs_pty *p)
{
	int status = -1;

	gs_pty_keys(p, "q");
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(gs_pty_leftovers(p), "");
}

/* ---------------------------------------------------------------- carving */

static void carve_by_mouse(const struct place *w, const char *const *words, int rows, int columns)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, words, rows, columns);

	for (unsigned n = 3; n <= 6; n += 3) {
		click_gpu(p, n);
		if (n == 6) {
			gs_pty_keys(p, "M");
			see(p, "mig");
			gs_pty_keys(p, "2\r");
			see(p, "STAGED");
			/* the grid appears with the staged mode */
			see(p, "unit");
		}
		drag(p, 4, 7);
		see(p, "3g.40gb");
		gs_pty_keys(p, "\r");
		see(p, "+3g");
		drag(p, 0, 0);
		see(p, "1g.10gb");
		gs_pty_keys(p, "\r");
		see(p, "+1");
		drag(p, 1, 1);
		see(p, "STAGED +2");
		gs_pty_keys(p, "\r");
		see(p, "STAGED +3");
		write_staged(p);
		expect_shape(w, n, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4");
	}
	leave(p);
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
	struct place w = *(struct place *)*state;

	w.under_tmux = true;
	carve_by_mouse(&w, NULL, 24, 80);
}

static void carve_by_keys(const struct place *w)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, "jjj");
	see(p, "GPU 3 ");
	/* profile first, place second: 5 is 3g.40gb, 1 is 1g.10gb; Right and Left choose the start */
	gs_pty_keys(p, ":create 3 3g.40gb at 4\r");
	see(p, "STAGED +1");
	/* anchor, extend, Enter: the keyboard's drag */
	gs_pty_keys(p, "\t");
	gs_pty_keys(p, "hhhhhhhh");
	gs_pty_keys(p, "v\r\r");
	see(p, "STAGED +2");
	gs_pty_keys(p, "l");
	gs_pty_keys(p, "v\r\r");
	see(p, "STAGED +3");
	write_staged(p);
	expect_shape(w, 3, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4");

	gs_pty_keys(p, "jjj");
	see(p, "GPU 6 ");
	gs_pty_keys(p, "M2\r");
	see(p, "STAGED");
	gs_pty_keys(p, "c5");
	see(p, "CREATE");
	gs_pty_keys(p, "\r");
	see(p, "+3g");
	gs_pty_keys(p, ":create 6 1g.10gb at 0\r:create 6 1g.10gb at 1\r");
	see(p, "STAGED +3");
	write_staged(p);
	expect_shape(w, 6, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4");
	leave(p);
}

static void gpus_are_carved_by_keys_alone(void **state)
{
	carve_by_keys(*state);
}

static void gpus_are_carved_by_keys_under_tmux(void **state)
{
	struct place w = *(struct place *)*state;

	w.under_tmux = true;
	carve_by_keys(&w);
}

static void a_script_and_the_console_make_the_same_machine(void **state)
{
	const struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, ":create 3 2g.20gb at 0\r");
	see(p, "STAGED +1");
	write_staged(p);
	leave(p);
	assert_int_equal(command(w, "assert -", "create 3 2g.20gb at 0\\ndelete 3 rest\\n", NULL), 0);
	assert_int_equal(command(w, "assert -", "create 3 2g.20gb at 2\\ndelete 3 rest\\n", NULL), 4);
}

static void stopping_somebody_takes_the_typed_word(void **state)
{
	const struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);
	GS_FREE char *list = NULL;

	gs_pty_keys(p, ":delete 0 3g.40gb@0\r");
	see(p, "STAGED +0 -1");
	gs_pty_keys(p, "W");
	see(p, "48211");
	see(p, "dgx01:0");
	/* y is for changes that stop nobody; here it is a letter of the word to type */
	gs_pty_keys(p, "y\r");
	see(p, "not written");
	gs_pty_keys(p, "\177\177\177dgx01:1\r");
	see(p, "> dgx01:1");
	expect_shape(w, 0, "mig 3g.40gb@0 3g.40gb@4");
	gs_pty_keys(p, "\177\177\177\177\177\177\177\177\177\177dgx01:0\r");
	see(p, "WRITING  ended");
	expect_shape(w, 0, "mig 3g.40gb@4");
	gs_pty_keys(p, "\r");
	leave(p);
	assert_int_equal(command(w, "list", NULL, &list), 0);
	assert_null(strstr(list, "pid 48211"));
}

/* ---------------------------------------------------------------- a second terminal */

static void a_monitor_follows_what_a_script_does(void **state)
{
	const struct place *w = *state;
	static const char *const words[] = { "monitor", NULL };
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	assert_int_equal(command(w, "agent --publish", NULL, NULL), 0);
	p = start(w, words, 24, 80);
	see(p, "READ-ONLY");
	/* a mode change needs the driver's devices: the monitor lets go of them by itself */
	assert_int_equal(command(w, "apply --yes -", "mode 6 mig\\ncreate 6 4g.40gb at 0\\n", NULL), 0);
	see(p, "4g");
	gs_pty_keys(p, "d");
	see(p, "READ-ONLY");
	expect_shape(w, 6, "mig 4g.40gb@0");
	gs_pty_keys(p, ":");
	see(p, "READ-ONLY");
	gs_pty_keys(p, "W");
	see(p, "READ-ONLY");
	leave(p);
	expect_shape(w, 6, "mig 4g.40gb@0");
}

static void staged_work_survives_what_somebody_else_commits(void **state)
{
	const struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, ":create 3 3g.40gb at 0\r");
	see(p, "STAGED +1");
	assert_int_equal(command(w, "apply --yes -", "create 3 1g.10gb at 0\\n", NULL), 0);
	/* kept, and said to be in the way */
	gs_pty_keys(p, "jjj");
	see(p, "block");
	gs_pty_keys(p, "W");
	see(p, "REVIEW");
	/* a key that follows Esc in one read would be Alt and that key */
	gs_pty_keys(p, "\033");
	see_no_more(p, "REVIEW");
	gs_pty_keys(p, "u");
	see_no_more(p, "STAGED");
	leave(p);
}

/* ---------------------------------------------------------------- the terminal itself */

static void a_resize_storm_ends_in_the_last_size(void **state)
{
	const struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);

	gs_pty_keys(p, ":create 3 3g.40gb at 0\r");
	see(p, "STAGED +1");
	for (int i = 0; i < 60; i++)
		gs_pty_resize(p, 1 + i * 7 % 60, 2 + i * 31 % 180);
	gs_pty_resize(p, 10, 40);
	see(p, "too small");
	gs_pty_resize(p, 50, 160);
	see(p, "STAGED +1");
	see(p, "df:00.0");
	gs_pty_keys(p, "u");
	see_no_more(p, "STAGED");
	leave(p);
}

static void the_terminal_comes_back_after(const struct place *w, int signo)
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
	const struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, 24, 80);
	int status = -1;

	gs_pty_hangup(p);
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
}

static void without_utf8_everything_is_ascii(void **state)
{
	struct place w = *(struct place *)*state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	GS_FREE char *screen = NULL;

	w.env[2] = "LC_ALL=C";
	w.env[3] = "LANG=C";
	p = start(&w, NULL, 24, 80);
	see(p, "+---");
	screen = gs_pty_text(p);
	for (const char *c = screen; *c; c++)
		assert_true((unsigned char)*c < 0x80);
	leave(p);
}

static void no_color_sends_no_colour(void **state)
{
	const struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	struct place coloured = *w;
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
	leave(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_at_24x80, setup, teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_at_40x120, setup, teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_in_mono, setup, teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_in_ascii, setup, teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_dragging_under_tmux, setup, teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_keys_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(gpus_are_carved_by_keys_under_tmux, setup, teardown),
		cmocka_unit_test_setup_teardown(a_script_and_the_console_make_the_same_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(stopping_somebody_takes_the_typed_word, setup, teardown),
		cmocka_unit_test_setup_teardown(a_monitor_follows_what_a_script_does, setup, teardown),
		cmocka_unit_test_setup_teardown(staged_work_survives_what_somebody_else_commits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_resize_storm_ends_in_the_last_size, setup, teardown),
		cmocka_unit_test_setup_teardown(sigterm_gives_the_terminal_back, setup, teardown),
		cmocka_unit_test_setup_teardown(sighup_gives_the_terminal_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_gives_the_terminal_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dropped_line_ends_the_program, setup, teardown),
		cmocka_unit_test_setup_teardown(without_utf8_everything_is_ascii, setup, teardown),
		cmocka_unit_test_setup_teardown(no_color_sends_no_colour, setup, teardown),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
