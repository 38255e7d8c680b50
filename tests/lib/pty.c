/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/pty_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <utmp.h>

#include "base/clock.h"

/* How often to look for what no file descriptor tells: a stopped child. */
#define LOOK_MS 5

/* ------------------------------------------------------------------ */
/* the emulator */

static int on_termprop(VTermProp prop, VTermValue *value, void *userdata)
{
	struct gs_pty *p = userdata;

	if (prop == VTERM_PROP_ALTSCREEN)
		p->is_altscreen = value->boolean;
	else if (prop == VTERM_PROP_CURSORVISIBLE)
		p->is_cursor_visible = value->boolean;
	return 1;
}

static const VTermScreenCallbacks screen_callbacks = { .settermprop = on_termprop };

static void on_output(const char *bytes, size_t n, void *userdata)
{
	gs_pty_send(userdata, bytes, n);
}

static void set_mode(struct gs_pty *p, unsigned number, bool is_on)
{
	for (size_t i = 0; i < p->n_modes; i++)
		if (p->modes[i].number == number) {
			p->modes[i].is_on = is_on;
			return;
		}
	if (p->n_modes < MODES_MAX)
		p->modes[p->n_modes++] = (struct mode){ number, is_on };
}

static void scan_byte(struct gs_pty *p, char c)
{
	static const char start[] = "\033[?";

	if (p->scan < 3) {
		p->scan = c == start[p->scan] ? p->scan + 1 : c == start[0] ? 1 : 0;
		p->n_scan = 1;
		p->scan_numbers[0] = 0;
	} else if (c >= '0' && c <= '9') {
		p->scan_numbers[p->n_scan - 1] = p->scan_numbers[p->n_scan - 1] * 10 + (unsigned)(c - '0');
	} else if (c == ';' && p->n_scan < GS_ARRAY_SIZE(p->scan_numbers)) {
		p->scan_numbers[p->n_scan++] = 0;
	} else {
		for (size_t i = 0; (c == 'h' || c == 'l') && i < p->n_scan; i++)
			set_mode(p, p->scan_numbers[i], c == 'h');
		p->scan = c == start[0] ? 1 : 0;
	}
}

static int open_emulator(struct gs_pty *p)
{
	p->vterm = vterm_new(p->rows, p->columns);
	if (!p->vterm)
		return -ENOMEM;
	vterm_set_utf8(p->vterm, 1);
	vterm_output_set_callback(p->vterm, on_output, p);
	p->screen = vterm_obtain_screen(p->vterm);
	vterm_screen_enable_altscreen(p->screen, 1);
	vterm_screen_set_callbacks(p->screen, &screen_callbacks, p);
	vterm_screen_reset(p->screen, 1);
	p->is_cursor_visible = true;
	return 0;
}

/* ------------------------------------------------------------------ */
/* the child */

static void set_environment(const char *const *env)
{
	setenv("TERM", "xterm-256color", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("LINES");
	unsetenv("COLUMNS");
	unsetenv("NO_COLOR");
	for (; env && *env; env++) {
		const char *equals = strchr(*env, '=');
		char name[128];

		if (!equals) {
			unsetenv(*env);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(equals - *env), *env);
		setenv(name, equals + 1, 1);
	}
}

static _Noreturn void run_child(const struct gs_pty_options *o, int slave)
{
	sigset_t none;

	login_tty(slave);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < 32; number++)
		signal(number, SIG_DFL);
	set_environment(o->env);
	if (o->child)
		_exit(o->child(o->userdata));
	/* execvp() promises not to change the strings */
	execvp(o->argv[0], (char *const *)(uintptr_t)o->argv);
	_exit(127);
}

int gs_pty_spawn(const struct gs_pty_options *options, struct gs_pty **ret_pty)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = calloc(1, sizeof(*p));
	struct winsize size;
	int r;

	if (!p)
		return -ENOMEM;
	p->master = p->slave = -1;
	p->rows = options->rows ? options->rows : 24;
	p->columns = options->columns ? options->columns : 80;
	size = (struct winsize){ .ws_row = (unsigned short)p->rows, .ws_col = (unsigned short)p->columns };
	r = open_emulator(p);
	if (r < 0)
		return r;
	if (openpty(&p->master, &p->slave, NULL, NULL, &size) < 0)
		return -errno;
	fcntl(p->master, F_SETFD, FD_CLOEXEC);
	fcntl(p->master, F_SETFL, O_NONBLOCK);
	tcgetattr(p->slave, &p->termios_before);
	p->pid = fork();
	if (p->pid < 0)
		return -errno;
	if (p->pid == 0) {
		close(p->master);
		run_child(options, p->slave);
	}
	fcntl(p->slave, F_SETFD, FD_CLOEXEC);
	*ret_pty = GS_TAKE(p);
	return 0;
}

struct gs_pty *gs_pty_close(struct gs_pty *p)
{
	if (!p)
		return NULL;
	if (p->pid > 0 && !p->has_ended) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	if (p->master >= 0)
		close(p->master);
	if (p->slave >= 0)
		close(p->slave);
	if (p->vterm)
		vterm_free(p->vterm);
	free(p);
	return NULL;
}

/* ------------------------------------------------------------------ */
/* reading */

void gs_pty_pump(struct gs_pty *p)
{
	char bytes[8192];
	ssize_t n;

	while (p->master >= 0 && (n = read(p->master, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			scan_byte(p, bytes[i]);
		p->bytes += (uint64_t)n;
		vterm_input_write(p->vterm, bytes, (size_t)n);
	}
}

static void look_after_child(struct gs_pty *p)
{
	if (!p->has_ended && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
		p->has_ended = true;
}

/* Until there is output, for at most a moment. */
static void wait_a_moment(struct gs_pty *p)
{
	struct pollfd poll_fd = { .fd = p->master, .events = POLLIN };

	poll(&poll_fd, 1, LOOK_MS);
}

int gs_pty_wait(struct gs_pty *p, bool (*is_so)(struct gs_pty *p, void *userdata), void *userdata, int deadline_ms)
{
	struct gs_monotonic since = gs_monotonic_now();

	for (;;) {
		/* in this order: what an ended child wrote last is all there when it is looked at */
		look_after_child(p);
		gs_pty_pump(p);
		if (is_so(p, userdata))
			return 0;
		if (p->has_ended)
			return -EPIPE;
		if (gs_elapsed_ms(since) > deadline_ms)
			return -ETIMEDOUT;
		wait_a_moment(p);
	}
}

struct wanted {
	const char *text;
	bool present;
};

static bool is_as_wanted(struct gs_pty *p, void *userdata)
{
	const struct wanted *w = userdata;

	return gs_pty_contains(p, w->text) == w->present;
}

int gs_pty_wait_text(struct gs_pty *p, const char *text)
{
	struct wanted w = { text, true };

	return gs_pty_wait(p, is_as_wanted, &w, GS_PTY_DEADLINE_MS);
}

int gs_pty_wait_gone(struct gs_pty *p, const char *text)
{
	struct wanted w = { text, false };

	return gs_pty_wait(p, is_as_wanted, &w, GS_PTY_DEADLINE_MS);
}

static bool has_ended(struct gs_pty *p, void *userdata)
{
	(void)userdata;
	return p->has_ended;
}

int gs_pty_wait_exit(struct gs_pty *p, int *ret_status)
{
	int r = gs_pty_wait(p, has_ended, NULL, GS_PTY_DEADLINE_MS);

	if (r == 0)
		*ret_status = p->status;
	return r;
}

static bool is_stopped(struct gs_pty *p, void *userdata)
{
	int status;

	(void)userdata;
	if (p->has_ended || waitpid(p->pid, &status, WNOHANG | WUNTRACED) != p->pid)
		return false;
	if (WIFSTOPPED(status))
		return true;
	p->has_ended = true;
	p->status = status;
	return false;
}

int gs_pty_wait_stopped(struct gs_pty *p)
{
	return gs_pty_wait(p, is_stopped, NULL, GS_PTY_DEADLINE_MS);
}

/* ------------------------------------------------------------------ */
/* doing */

void gs_pty_send(struct gs_pty *p, const void *bytes, size_t n)
{
	const char *at = bytes;
	struct gs_monotonic since = gs_monotonic_now();

	while (n && p->master >= 0 && gs_elapsed_ms(since) < GS_PTY_DEADLINE_MS) {
		struct pollfd poll_fd = { .fd = p->master, .events = POLLOUT };
		ssize_t done = write(p->master, at, n);

		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (done < 0) {
			poll(&poll_fd, 1, LOOK_MS);
			continue;
		}
		at += done;
		n -= (size_t)done;
	}
}

void gs_pty_keys(struct gs_pty *p, const char *text)
{
	gs_pty_send(p, text, strlen(text));
}

void gs_pty_mouse_press(struct gs_pty *p, int row, int column, int button)
{
	vterm_mouse_move(p->vterm, row, column, VTERM_MOD_NONE);
	vterm_mouse_button(p->vterm, button, true, VTERM_MOD_NONE);
}

void gs_pty_mouse_move(struct gs_pty *p, int row, int column)
{
	vterm_mouse_move(p->vterm, row, column, VTERM_MOD_NONE);
}

void gs_pty_mouse_release(struct gs_pty *p, int row, int column, int button)
{
	vterm_mouse_move(p->vterm, row, column, VTERM_MOD_NONE);
	vterm_mouse_button(p->vterm, button, false, VTERM_MOD_NONE);
}

void gs_pty_set_winsize(struct gs_pty *p, int rows, int columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	ioctl(p->master, TIOCSWINSZ, &size);
}

void gs_pty_resize(struct gs_pty *p, int rows, int columns)
{
	gs_pty_pump(p);
	gs_pty_set_winsize(p, rows, columns);
	/* libvterm 0.1.4 writes out of bounds for a wide character on a single column */
	p->rows = rows;
	p->columns = columns > 1 ? columns : 2;
	vterm_set_size(p->vterm, p->rows, p->columns);
}

void gs_pty_hangup(struct gs_pty *p)
{
	gs_pty_pump(p);
	if (p->slave >= 0)
		close(p->slave);
	if (p->master >= 0)
		close(p->master);
	p->slave = p->master = -1;
}

void gs_pty_disturb(struct gs_pty *p, const char *text)
{
	gs_pty_pump(p);
	vterm_input_write(p->vterm, text, strlen(text));
}
