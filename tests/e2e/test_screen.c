/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal layer on a real pseudo-terminal: a child opens a screen, shows
 * frames and does as its keys say; the parent looks at it through an emulator.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/lib/pty.h"
#include "ui/screen.h"

#define EXIT_GONE 7             /* the terminal went away */
#define EXIT_SIGNAL 8           /* asked to end */
#define EXIT_REFUSED 9          /* no screen */

/* ------------------------------------------------------------------ */
/* the child */

struct demo {
	bool colour;
	bool is_deaf;           /* to SIGHUP */
	int ack;                /* a byte for every key that has been dealt with */
	struct gs_screen *screen;
	int count;
	char last[64];
};

static void draw(const struct demo *d, struct gs_frame *f)
{
	struct gs_rect all = { 0, 0, f->rows, f->columns };

	gs_draw_fill(f, all, 0, 0, 1, f->columns, GS_ELEMENT_HEADER, ' ');
	gs_draw_printf(f, all, 0, 1, GS_ELEMENT_HEADER, "demo %dx%d count=%d", f->rows, f->columns, d->count);
	gs_draw_text(f, all, 2, 0, GS_ELEMENT_LIVE, "live");
	gs_draw_text(f, all, 3, 0, GS_ELEMENT_STAGED_GONE, "gone");
	gs_draw_text(f, all, 4, 0, GS_ELEMENT_TITLE, "title");
	gs_draw_text(f, all, 5, 0, GS_ELEMENT_TEXT, "box \342\224\200\342\225\220 \346\227\245\346\234\254 end");
	gs_draw_text(f, all, 6, 0, GS_ELEMENT_TEXT, d->last);
	gs_draw_text(f, all, 7, 0, GS_ELEMENT_TEXT, "under the cursor");
	gs_draw_flag(f, all, 7, 0, 1, 5, GS_CELL_CURSOR);
	gs_draw_code(f, all, f->rows - 1, f->columns - 1, GS_ELEMENT_TEXT, '$');
	if (d->count > 50) {
		f->cursor_row = 2;
		f->cursor_column = 4;
	}
}

static void show(struct demo *d, bool whole)
{
	GS_CLEANUP(gs_frame_freep) struct gs_frame *f = NULL;
	int rows, columns;

	gs_screen_size(d->screen, &rows, &columns);
	if (gs_frame_new(rows, columns, &f) == 0) {
		draw(d, f);
		gs_screen_show(d->screen, f, whole);
	}
}

/* A bound that is never reached: compilers refuse plain endless recursion. */
static int overflow_stack(int depth)
{
	volatile char room[65536];

	room[0] = (char)depth;
	return depth > 1000000 ? 0 : overflow_stack(depth + 1) + room[0];
}

static void touch_forbidden_page(void)
{
	volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = 1;
}

static void suspend(struct demo *d)
{
	static const char text[] = "outside\r\n";

	gs_screen_suspend(d->screen);
	if (write(1, text, sizeof(text) - 1) < 0)
		return;
	raise(SIGSTOP);
	gs_screen_resume(d->screen);
	show(d, false);
}

static void on_mouse(struct demo *d, const struct gs_event *ev)
{
	static const char *const names[] = { "press", "drag", "release", "wheel-up", "wheel-down" };

	snprintf(d->last, sizeof(d->last), "%s %d at %d,%d", names[ev->mouse], ev->button, ev->row, ev->column);
	show(d, false);
}

/* False: leave. */
static bool on_event(struct demo *d, const struct gs_event *ev)
{
	if (ev->type == GS_EVENT_MOUSE) {
		on_mouse(d, ev);
		return true;
	}
	switch (ev->key) {
	case 'q': return false;
	case '+': d->count++; break;
	case 'C': d->count += 100; break;
	case 'H': d->is_deaf = true; break;
	case 'S': raise(SIGSEGV); break;
	case 'B': raise(SIGBUS); break;
	case 'A': abort();
	case 'N': touch_forbidden_page(); break;
	case 'O': overflow_stack(0); break;
	case 'z': suspend(d); break;
	default: break;
	}
	show(d, ev->key == 'L');
	if (write(d->ack, "x", 1) < 0)
		return false;
	return true;
}

/* The exit status, or -1 to go on. */
static int on_signals(struct demo *d)
{
	for (int number; (number = gs_screen_signal(d->screen)) != 0;) {
		if (number == SIGTERM || (number == SIGHUP && !d->is_deaf))
			return EXIT_SIGNAL;
		if (number == SIGWINCH) {
			gs_screen_resized(d->screen);
			show(d, false);
		} else if (number != SIGCONT) {
			snprintf(d->last, sizeof(d->last), "signal %d", number);
			show(d, false);
		}
	}
	return -1;
}

static int loop(struct demo *d, struct gs_input *in)
{
	struct pollfd fds[] = {
		{ .fd = gs_screen_fd(d->screen), .events = POLLIN },
		{ .fd = gs_screen_signal_fd(d->screen), .events = POLLIN },
	};

	for (;;) {
		struct gs_event ev;
		int r;

		poll(fds, 2, gs_input_is_undecided(in) ? 25 : -1);
		r = on_signals(d);
		if (r >= 0)
			return r;
		r = gs_screen_read(d->screen, in);
		if (r == -EPIPE)
			return EXIT_GONE;
		if (r == -EAGAIN && gs_input_is_undecided(in))
			gs_input_timeout(in);
		while (gs_input_next(in, &ev))
			if (!on_event(d, &ev))
				return 0;
	}
}

static int run_demo(void *userdata)
{
	struct demo *d = userdata;
	GS_CLEANUP(gs_theme_freep) struct gs_theme *theme = NULL;
	struct gs_screen_options options = { .fd_in = 0, .fd_out = 1, .colour = d->colour, .mouse = true };
	const struct rlimit no_core = { 0, 0 }, stack = { 1 << 20, 1 << 20 };
	struct gs_screen *second = NULL;
	struct gs_input *in = gs_input_new();
	struct gs_error e = { 0 };
	int r;

	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_STACK, &stack);
	setlocale(LC_ALL, "");
	if (gs_theme_load("default", &theme, &e) < 0)
		return 99;
	options.theme = theme;
	if (gs_screen_open(&options, &d->screen, &e) < 0) {
		dprintf(1, "refused: %s\r\n", e.text);
		gs_input_free(in);
		return EXIT_REFUSED;
	}
	snprintf(d->last, sizeof(d->last), "second: %d", gs_screen_open(&options, &second, NULL) == -EBUSY && !second);
	show(d, false);
	r = loop(d, in);
	gs_screen_close(d->screen);
	gs_input_free(in);
	return r;
}

/* ------------------------------------------------------------------ */
/* the parent */

struct run {
	struct demo demo;
	int acks;               /* our end */
	struct gs_pty *pty;
};

static void start_with(struct run *r, bool colour, const char *const *env, int rows, int columns)
{
	struct gs_pty_options options = { .child = run_demo, .userdata = &r->demo, .env = env, .rows = rows, .columns = columns };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	*r = (struct run){ .demo = { .colour = colour, .ack = fds[1] }, .acks = fds[0] };
	assert_int_equal(gs_pty_spawn(&options, &r->pty), 0);
	close(fds[1]);
}

/* Started and seen. */
static void start(struct run *r)
{
	start_with(r, true, NULL, 24, 80);
	assert_int_equal(gs_pty_wait_text(r->pty, "demo 24x80 count=0"), 0);
	assert_int_equal(gs_pty_wait_text(r->pty, "$"), 0);
}

static void end(struct run *r)
{
	gs_pty_close(r->pty);
	close(r->acks);
}

/* Send a key and wait until it has been dealt with, whatever was drawn. */
static void do_key(struct run *r, const char *key)
{
	struct pollfd p = { .fd = r->acks, .events = POLLIN };
	struct gs_monotonic since = gs_monotonic_now();
	char ack;

	gs_pty_keys(r->pty, key);
	/* the child may be waiting for us to take its output */
	while (poll(&p, 1, 5) == 0) {
		assert_true(gs_elapsed_ms(since) < GS_PTY_DEADLINE_MS);
		gs_pty_pump(r->pty);
	}
	assert_int_equal(read(r->acks, &ack, 1), 1);
	gs_pty_pump(r->pty);
}

static void quit(struct run *r)
{
	int status = -1;

	gs_pty_keys(r->pty, "q");
	assert_int_equal(gs_pty_wait_exit(r->pty, &status), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_equal(gs_pty_leftovers(r->pty), "");
}

static void expect_taken(struct gs_pty *p)
{
	assert_true(gs_pty_is_altscreen(p));
	assert_false(gs_pty_is_cursor_visible(p));
	assert_true(gs_pty_mode(p, 1002));
	assert_true(gs_pty_mode(p, 1006));
	assert_true(gs_pty_mode(p, 2004));
	assert_false(gs_pty_mode(p, 1));
	assert_non_null(strstr(gs_pty_leftovers(p), "termios"));
}

static void terminal_is_taken_and_given_back(void **state)
{
	struct run r;

	(void)state;
	start(&r);
	expect_taken(r.pty);
	assert_true(gs_pty_contains(r.pty, "second: 1"));
	quit(&r);
	end(&r);
}

static void crash(const char *key, int number)
{
	struct run r;
	int status = -1;

	start(&r);
	gs_pty_keys(r.pty, key);
	assert_int_equal(gs_pty_wait_exit(r.pty, &status), 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != number)
		fail_msg("key %s: status %x", key, (unsigned)status);
	assert_string_equal(gs_pty_leftovers(r.pty), "");
	end(&r);
}

static void crashes_give_it_back_too(void **state)
{
	(void)state;
	crash("S", SIGSEGV);
	crash("B", SIGBUS);
	crash("A", SIGABRT);
	crash("O", SIGSEGV);
	crash("N", SIGSEGV);
}

static void unchanged_frames_cost_nothing(void **state)
{
	struct run r;
	uint64_t before;

	(void)state;
	start(&r);
	do_key(&r, "s");
	before = gs_pty_bytes(r.pty);
	for (int i = 0; i < 10; i++)
		do_key(&r, "s");
	assert_int_equal(gs_pty_bytes(r.pty), before);
	do_key(&r, "+");
	assert_true(gs_pty_contains(r.pty, "count=1"));
	assert_in_range(gs_pty_bytes(r.pty) - before, 1, 40);
	before = gs_pty_bytes(r.pty);
	do_key(&r, "L");
	assert_true(gs_pty_bytes(r.pty) - before > 150);
	assert_true(gs_pty_contains(r.pty, "count=1"));
	quit(&r);
	end(&r);
}

/* Somebody else wrote on our screen: Ctrl-L mends it. */
static void whole_repaint_mends(void **state)
{
	struct run r;

	(void)state;
	start(&r);
	do_key(&r, "s");
	gs_pty_disturb(r.pty, "\033[1;1Hgarbage from a kernel message");
	assert_false(gs_pty_contains(r.pty, "demo 24x80"));
	do_key(&r, "s");
	assert_false(gs_pty_contains(r.pty, "demo 24x80"));
	do_key(&r, "L");
	assert_true(gs_pty_contains(r.pty, "demo 24x80"));
	assert_false(gs_pty_contains(r.pty, "kernel"));
	quit(&r);
	end(&r);
}

static void expect_cell(struct gs_pty *p, int row, int column, uint32_t code, int fg, bool bold, bool reverse)
{
	struct gs_pty_cell cell;

	assert_true(gs_pty_cell(p, row, column, &cell));
	assert_int_equal(cell.code, code);
	assert_int_equal(cell.foreground, fg);
	assert_int_equal(cell.background, -1);
	assert_int_equal(cell.bold, bold);
	assert_int_equal(cell.reverse, reverse);
}

static void cells_look_as_the_theme_says(void **state)
{
	struct run r;
	char *row;

	(void)state;
	start(&r);
	expect_cell(r.pty, 0, 1, 'd', -1, false, true);
	expect_cell(r.pty, 0, 79, ' ', -1, false, true);
	expect_cell(r.pty, 2, 0, 'l', 6, false, false);
	expect_cell(r.pty, 3, 0, 'g', 5, false, false);
	expect_cell(r.pty, 4, 0, 't', -1, true, false);
	/* the cursor looks the same over every element */
	expect_cell(r.pty, 7, 0, 'u', -1, true, true);
	expect_cell(r.pty, 7, 6, 't', -1, false, false);
	expect_cell(r.pty, 23, 79, '$', -1, false, false);
	row = gs_pty_row(r.pty, 5);
	assert_string_equal(row, "box \342\224\200\342\225\220 \346\227\245\346\234\254 end");
	free(row);
	quit(&r);
	end(&r);
}

static void without_colour_there_is_none(void **state)
{
	struct run r;

	(void)state;
	start_with(&r, false, NULL, 24, 80);
	assert_int_equal(gs_pty_wait_text(r.pty, "$"), 0);
	expect_cell(r.pty, 0, 1, 'd', -1, false, true);
	expect_cell(r.pty, 2, 0, 'l', -1, false, false);
	expect_cell(r.pty, 4, 0, 't', -1, true, false);
	quit(&r);
	end(&r);
}

static void other_locales_and_terminals(void **state)
{
	static const char *const c_locale[] = { "LC_ALL=C", "LANG=C", NULL };
	static const char *const unknown[] = { "TERM=no-such-terminal", NULL };
	static const char *const unset[] = { "TERM", NULL };
	static const char *const vt100[] = { "TERM=vt100", NULL };
	static const char *const linux_vt[] = { "TERM=linux", NULL };
	static const char *const tmux[] = { "TERM=tmux-256color", NULL };
	static const char *const lying[] = { "LINES=7", "COLUMNS=9", NULL };
	static const char *const *const all[] = { c_locale, unknown, unset, vt100, linux_vt, tmux, lying };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(all); i++) {
		struct run r;

		start_with(&r, true, all[i], 24, 80);
		if (gs_pty_wait_text(r.pty, "demo 24x80") < 0)
			fail_msg("%s: nothing shown", all[i][0]);
		assert_int_equal(gs_pty_wait_text(r.pty, "$"), 0);
		assert_int_equal(gs_pty_wait_text(r.pty, all[i] == c_locale ? "box ?? ? ?  end" : "\346\227\245\346\234\254 end"), 0);
		assert_true(gs_pty_mode(r.pty, 1006));
		quit(&r);
		end(&r);
	}
}

static void terminals_that_will_not_do(void **state)
{
	static const char *const dumb[] = { "TERM=dumb", NULL };
	struct run r;
	int status = -1;
	struct gs_theme *theme = NULL;
	struct gs_screen *s = NULL;
	struct gs_error e = { 0 };
	int null = open("/dev/null", O_RDWR);
	struct gs_screen_options options = { .fd_in = null, .fd_out = null };

	(void)state;
	start_with(&r, true, dumb, 24, 80);
	assert_int_equal(gs_pty_wait_text(r.pty, "refused: TERM=dumb"), 0);
	assert_int_equal(gs_pty_wait_exit(r.pty, &status), 0);
	assert_int_equal(WEXITSTATUS(status), EXIT_REFUSED);
	assert_string_equal(gs_pty_leftovers(r.pty), "");
	end(&r);

	assert_int_equal(gs_theme_load("mono", &theme, NULL), 0);
	options.theme = theme;
	assert_int_equal(gs_screen_open(&options, &s, &e), -ENOTTY);
	assert_null(s);
	assert_null(gs_screen_close(NULL));
	gs_theme_free(theme);
	close(null);
}

static void resize_storm(void **state)
{
	static const int sizes[][2] = { { 1, 1 }, { 50, 200 }, { 2, 300 }, { 300, 2 }, { 24, 80 }, { 10, 10 }, { 49, 160 }, { 1, 80 } };
	struct run r;

	(void)state;
	start(&r);
	for (size_t i = 0; i < 64; i++) {
		const int *size = sizes[i % GS_ARRAY_SIZE(sizes)];

		gs_pty_resize(r.pty, size[0], size[1]);
		gs_pty_pump(r.pty);
		if (i % 8 == 0)
			do_key(&r, "+");
	}
	/* what no terminal has, and what a serial line says */
	gs_pty_set_winsize(r.pty, 5000, 5000);
	do_key(&r, "+");
	gs_pty_set_winsize(r.pty, 0, 0);
	do_key(&r, "+");
	gs_pty_resize(r.pty, 30, 100);
	assert_int_equal(gs_pty_wait_text(r.pty, "demo 30x100"), 0);
	do_key(&r, "s");
	assert_false(gs_pty_contains(r.pty, "demo 24x80"));
	expect_cell(r.pty, 29, 99, '$', -1, false, false);
	quit(&r);
	end(&r);
}

static void zero_size_from_the_start(void **state)
{
	struct run r;

	(void)state;
	start(&r);
	gs_pty_set_winsize(r.pty, 0, 0);
	do_key(&r, "+");
	assert_int_equal(gs_pty_wait_text(r.pty, "demo 24x80 count=1"), 0);
	quit(&r);
	end(&r);
}

static void suspend_and_resume(void **state)
{
	struct run r;

	(void)state;
	start(&r);
	for (int i = 0; i < 2; i++) {
		gs_pty_keys(r.pty, "z");
		assert_int_equal(gs_pty_wait_stopped(r.pty), 0);
		assert_int_equal(gs_pty_wait_text(r.pty, "outside"), 0);
		assert_string_equal(gs_pty_leftovers(r.pty), "");
		/* Ctrl-C at another program meanwhile is not ours; a new size is */
		kill(gs_pty_pid(r.pty), SIGINT);
		gs_pty_resize(r.pty, 20 + i, 90);
		kill(gs_pty_pid(r.pty), SIGCONT);
		assert_int_equal(gs_pty_wait_text(r.pty, i ? "demo 21x90" : "demo 20x90"), 0);
		do_key(&r, "s");
		do_key(&r, "s");
		expect_taken(r.pty);
		assert_false(gs_pty_contains(r.pty, "outside"));
		assert_false(gs_pty_contains(r.pty, "signal"));
	}
	quit(&r);
	end(&r);
}

static void signals_are_delivered_in_order(void **state)
{
	struct run r;
	int status = -1;

	(void)state;
	start(&r);
	kill(gs_pty_pid(r.pty), SIGINT);
	assert_int_equal(gs_pty_wait_text(r.pty, "signal 2"), 0);
	kill(gs_pty_pid(r.pty), SIGTSTP);
	assert_int_equal(gs_pty_wait_text(r.pty, "signal 20"), 0);
	kill(gs_pty_pid(r.pty), SIGTERM);
	assert_int_equal(gs_pty_wait_exit(r.pty, &status), 0);
	assert_int_equal(WEXITSTATUS(status), EXIT_SIGNAL);
	assert_string_equal(gs_pty_leftovers(r.pty), "");
	end(&r);
}

/* By the signal, and where it is lost or late by the terminal itself. */
static void a_dropped_line_ends_it(void **state)
{
	struct run r;
	int status = -1;

	(void)state;
	for (int deaf = 0; deaf < 2; deaf++) {
		start(&r);
		if (deaf)
			do_key(&r, "H");
		gs_pty_hangup(r.pty);
		assert_int_equal(gs_pty_wait_exit(r.pty, &status), 0);
		assert_true(WIFEXITED(status));
		if (deaf)
			assert_int_equal(WEXITSTATUS(status), EXIT_GONE);
		else
			assert_true(WEXITSTATUS(status) == EXIT_GONE || WEXITSTATUS(status) == EXIT_SIGNAL);
		end(&r);
	}
}

static void mouse_and_keys_arrive(void **state)
{
	struct run r;

	(void)state;
	start(&r);
	gs_pty_mouse_press(r.pty, 3, 7, 1);
	assert_int_equal(gs_pty_wait_text(r.pty, "press 0 at 3,7"), 0);
	gs_pty_mouse_move(r.pty, 4, 70);
	assert_int_equal(gs_pty_wait_text(r.pty, "drag 0 at 4,70"), 0);
	gs_pty_mouse_release(r.pty, 4, 70, 1);
	assert_int_equal(gs_pty_wait_text(r.pty, "release 0 at 4,70"), 0);
	/* every byte is ours: no flow control, no line editing */
	do_key(&r, "\023");
	do_key(&r, "\021");
	do_key(&r, "\003");
	do_key(&r, "\032");
	do_key(&r, "C");
	assert_true(gs_pty_is_cursor_visible(r.pty));
	quit(&r);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_is_taken_and_given_back),
		cmocka_unit_test(crashes_give_it_back_too),
		cmocka_unit_test(unchanged_frames_cost_nothing),
		cmocka_unit_test(whole_repaint_mends),
		cmocka_unit_test(cells_look_as_the_theme_says),
		cmocka_unit_test(without_colour_there_is_none),
		cmocka_unit_test(other_locales_and_terminals),
		cmocka_unit_test(terminals_that_will_not_do),
		cmocka_unit_test(resize_storm),
		cmocka_unit_test(zero_size_from_the_start),
		cmocka_unit_test(suspend_and_resume),
		cmocka_unit_test(signals_are_delivered_in_order),
		cmocka_unit_test(a_dropped_line_ends_it),
		cmocka_unit_test(mouse_and_keys_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
