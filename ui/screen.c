/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * curses is an output engine here: it knows the terminal's capabilities and
 * sends what differs. Input never goes through it (see ui/input.h), nor does
 * the mouse: it would ask for clicks only and lose drags.
 */
#include "ui/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/file.h"
#include "base/parse.h"
#include "ui/terminal.h"

#define SIDE_MAX 2000
#define CRASH_STACK_BYTES (32u << 10)

/* Drag (1002) in SGR coordinates (1006): beyond column 223, and a release that names its button. */
#define MOUSE_ON "\033[?1002h\033[?1006h"
#define MOUSE_OFF "\033[?1002l\033[?1006l"
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

struct gs_screen {
	int fd_in, fd_out;
	struct gs_signal_queue signals;
	bool mouse;
	bool is_utf8;
	volatile sig_atomic_t is_shown;         /* false while suspended */
	pid_t pid;                              /* a child that crashes before its exec must not touch our terminal */

	SCREEN *curses;
	FILE *file_in, *file_out;
	struct termios termios_before, termios_ours;

	int rows, columns;
	struct gs_frame *shown;                 /* NULL: what the terminal shows is unknown */
	cchar_t *line;                          /* one row, for curses */
	attr_t attributes[GS_ELEMENT_MAX];
	short pairs[GS_ELEMENT_MAX];

	struct sigaction crash_before[GS_ARRAY_SIZE(crash_signals)];
	stack_t stack_before;
	char reset[256];                        /* what gives the terminal back, ready for write(2) */
	size_t reset_n;
	char crash_stack[CRASH_STACK_BYTES];    /* an overflown stack is a crash too */
};

/*
 * The one mutable global: a signal handler has no other way to its data. Set
 * while a screen is open, which also makes a second one impossible.
 */
static struct gs_screen *volatile the_screen;

/* ------------------------------------------------------------------ */
/* crashes */

/* Only async-signal-safe calls from here. */
static void on_crash(int number)
{
	struct gs_screen *s = the_screen;
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	const struct sigaction *before = &by_default;

	if (s && s->is_shown && s->pid == getpid()) {
		s->is_shown = 0;
		if (write(s->fd_out, s->reset, s->reset_n) < 0) {
			/* the terminal has gone: nothing more to do for it */
		}
		tcsetattr(s->fd_in, TCSANOW, &s->termios_before);
	}
	/* a sanitizer's handler was there first and has more to say */
	for (size_t i = 0; s && i < GS_ARRAY_SIZE(crash_signals); i++)
		if (crash_signals[i] == number)
			before = &s->crash_before[i];
	sigaction(number, before, NULL);
	raise(number);
}

static void catch_crashes(struct gs_screen *s)
{
	/* NODEFER: raise() in the handler takes effect at once */
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER };
	stack_t stack = { .ss_sp = s->crash_stack, .ss_size = sizeof(s->crash_stack) };

	sigemptyset(&action.sa_mask);
	sigaltstack(&stack, &s->stack_before);
	for (size_t i = 0; i < GS_ARRAY_SIZE(crash_signals); i++)
		sigaction(crash_signals[i], &action, &s->crash_before[i]);
}

static void release_crashes(struct gs_screen *s)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(crash_signals); i++)
		sigaction(crash_signals[i], &s->crash_before[i], NULL);
	sigaltstack(&s->stack_before, NULL);
}

/* Append a capability without its padding («$<5>»): the crash handler cannot call tputs(). */
static void add_reset(struct gs_screen *s, const char *text)
{
	if (!text || text == (const char *)-1)
		return;
	while (*text && s->reset_n + 1 < sizeof(s->reset)) {
		if (text[0] == '$' && text[1] == '<') {
			const char *end = strchr(text, '>');

			if (end) {
				text = end + 1;
				continue;
			}
		}
		s->reset[s->reset_n++] = *text++;
	}
}

static void prepare_reset(struct gs_screen *s)
{
	if (s->mouse)
		add_reset(s, MOUSE_OFF);
	add_reset(s, PASTE_OFF);
	add_reset(s, tigetstr("sgr0"));
	add_reset(s, tigetstr("rmcup"));
	add_reset(s, tigetstr("cnorm"));
	add_reset(s, "\r\n");
}

/* ------------------------------------------------------------------ */
/* colours */

static int fit_colour(int colour, attr_t *ret_extra)
{
	if (colour < 0 || colour < COLORS)
		return colour;
	if (colour >= 16)
		return gs_colour_of_eight(colour);
	*ret_extra |= A_BOLD;   /* eight colours: bright is bold */
	return colour - 8;
}

static void choose_looks(struct gs_screen *s, const struct gs_theme *theme, bool colour)
{
	bool has_colours = colour && has_colors() && start_color() == OK;
	bool has_own = has_colours && use_default_colors() == OK;
	short n_pairs = 0;

	for (unsigned el = 0; el < GS_ELEMENT_MAX; el++) {
		const struct gs_style *style = &theme->styles[el];
		attr_t attributes = A_NORMAL;
		int fg, bg;

		attributes |= style->bold ? A_BOLD : 0;
		attributes |= style->dim ? A_DIM : 0;
		attributes |= style->underline ? A_UNDERLINE : 0;
		attributes |= style->reverse ? A_REVERSE : 0;
		s->attributes[el] = attributes;
		if (!has_colours || (style->foreground < 0 && style->background < 0) || n_pairs + 1 >= COLOR_PAIRS)
			continue;
		fg = fit_colour(style->foreground, &attributes);
		bg = fit_colour(style->background, &(attr_t){ 0 });
		if (!has_own) {
			fg = fg < 0 ? COLOR_WHITE : fg;
			bg = bg < 0 ? COLOR_BLACK : bg;
		}
		if (init_pair((short)(n_pairs + 1), (short)fg, (short)bg) == OK) {
			s->pairs[el] = ++n_pairs;
			s->attributes[el] = attributes;
		}
	}
}

/* ------------------------------------------------------------------ */
/* taking the terminal */

/* As curses finds it: the environment before the terminal. 0: it does not say. */
static unsigned size_of(const char *name, unsigned told)
{
	const char *text = getenv(name);
	uint32_t n;

	return text && gs_parse_u32(text, 10, &n) == 0 ? n : told;
}

/* What no library draws: its tables of the screen would be gigabytes. */
static int check_size(const struct gs_screen *s, struct gs_error *e)
{
	struct winsize w = { 0 };
	unsigned rows, columns;

	ioctl(s->fd_out, TIOCGWINSZ, &w);
	rows = size_of("LINES", w.ws_row);
	columns = size_of("COLUMNS", w.ws_col);
	if (rows <= SIDE_MAX && columns <= SIDE_MAX)
		return 0;
	return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "the terminal is said to have %u rows and %u columns, and at most %d of each can be drawn (LINES, COLUMNS, stty size)", rows,
			    columns, SIDE_MAX);
}

static int open_curses(struct gs_screen *s, struct gs_error *e)
{
	const char *term = getenv("TERM");
	const char *const names[] = { term && *term ? term : "vt100", "xterm-256color", "vt100" };
	int in = fcntl(s->fd_in, F_DUPFD_CLOEXEC, 3), out = fcntl(s->fd_out, F_DUPFD_CLOEXEC, 3);
	const char *cup;
	int r = check_size(s, e);

	if (r < 0) {
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
		return r;
	}
	s->file_in = in < 0 ? NULL : fdopen(in, "r");
	s->file_out = out < 0 ? NULL : fdopen(out, "w");
	if (!s->file_in || !s->file_out) {
		r = errno ? -errno : -ENOMEM;

		if (!s->file_in && in >= 0)
			close(in);
		if (!s->file_out && out >= 0)
			close(out);
		return gs_error_set(e, r, GS_STATUS_FAILED, "cannot use the terminal: %s", strerror(-r));
	}
	for (size_t i = 0; i < GS_ARRAY_SIZE(names) && !s->curses; i++)
		s->curses = newterm(names[i], s->file_out, s->file_in);
	if (!s->curses)
		return gs_error_set(e, -ENOTSUP, GS_STATUS_FAILED,
				    "TERM=%s is unknown here, and so are xterm-256color and vt100: is ncurses-base installed?",
				    term ? term : "");
	cup = tigetstr("cup");
	if (!cup || cup == (const char *)-1)
		return gs_error_set(e, -ENOTSUP, GS_STATUS_FAILED, "TERM=%s cannot place the cursor: this is no terminal for a console",
				    term ? term : "");
	return 0;
}

static void set_raw(struct gs_screen *s)
{
	raw();
	noecho();
	nonl();
	set_escdelay(25);
	typeahead(-1);          /* curses would read the terminal to see whether to stop drawing */
	leaveok(stdscr, TRUE);
	curs_set(0);
	if (tcgetattr(s->fd_in, &s->termios_ours) == 0) {
		gs_terminal_make_raw(&s->termios_ours);
		tcsetattr(s->fd_in, TCSADRAIN, &s->termios_ours);
	}
	def_prog_mode();
}

static void set_modes(struct gs_screen *s)
{
	if (s->mouse)
		gs_fd_write_all(s->fd_out, MOUSE_ON, strlen(MOUSE_ON));
	gs_fd_write_all(s->fd_out, PASTE_ON, strlen(PASTE_ON));
}

static void reset_modes(struct gs_screen *s)
{
	if (s->mouse)
		gs_fd_write_all(s->fd_out, MOUSE_OFF, strlen(MOUSE_OFF));
	gs_fd_write_all(s->fd_out, PASTE_OFF, strlen(PASTE_OFF));
}

static int take_terminal(struct gs_screen *s, const struct gs_screen_options *options, struct gs_error *e)
{
	int r;

	if (!isatty(s->fd_in) || !isatty(s->fd_out) || tcgetattr(s->fd_in, &s->termios_before) < 0)
		return gs_error_set(e, -ENOTTY, GS_STATUS_FAILED,
				    "standard input and output must be a terminal; without one try `gpuslice list` or `gpuslice monitor --once`");
	s->line = calloc(GS_TERMINAL_SIZE_MAX + 1, sizeof(*s->line));
	if (!s->line)
		return gs_error_oom(e);
	r = gs_signal_queue_open(&s->signals);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "signalfd: %s", strerror(-r));
	r = open_curses(s, e);
	if (r < 0)
		return r;
	prepare_reset(s);
	s->is_shown = 1;
	the_screen = s;
	catch_crashes(s);
	set_raw(s);
	choose_looks(s, options->theme, options->colour);
	set_modes(s);
	gs_screen_resized(s);
	return 0;
}

int gs_screen_open(const struct gs_screen_options *options, struct gs_screen **ret_screen, struct gs_error *e)
{
	struct gs_screen *s;
	int r;

	if (the_screen)
		return gs_error_set(e, -EBUSY, GS_STATUS_FAILED, "the terminal is in use already");
	s = calloc(1, sizeof(*s));
	if (!s)
		return gs_error_oom(e);
	s->fd_in = options->fd_in;
	s->fd_out = options->fd_out;
	s->signals.fd = -1;
	s->mouse = options->mouse;
	s->is_utf8 = gs_locale_is_utf8();
	s->pid = getpid();
	r = take_terminal(s, options, e);
	if (r < 0) {
		gs_screen_close(s);
		return r;
	}
	*ret_screen = s;
	return 0;
}

/* ------------------------------------------------------------------ */
/* giving it back */

static void show_cursor(struct gs_screen *s)
{
	const char *cnorm = tigetstr("cnorm");

	if (cnorm && cnorm != (const char *)-1)
		gs_fd_write_all(s->fd_out, cnorm, strlen(cnorm));
}

static void give_back(struct gs_screen *s)
{
	reset_modes(s);
	endwin();
	/* some terminals keep the cursor's visibility with the alternate screen and bring the old one back with it */
	show_cursor(s);
	/* mouse reports that are under way would be typed at the shell */
	tcsetattr(s->fd_in, s->mouse ? TCSAFLUSH : TCSADRAIN, &s->termios_before);
}

struct gs_screen *gs_screen_close(struct gs_screen *s)
{
	if (!s)
		return NULL;
	if (the_screen == s) {
		if (s->is_shown)
			give_back(s);
		release_crashes(s);
		the_screen = NULL;
	} else if (s->curses) {
		endwin();
		tcsetattr(s->fd_in, TCSADRAIN, &s->termios_before);
	}
	if (s->curses)
		delscreen(s->curses);
	if (s->file_in)
		fclose(s->file_in);
	if (s->file_out)
		fclose(s->file_out);
	gs_signal_queue_close(&s->signals);
	gs_frame_free(s->shown);
	free(s->line);
	free(s);
	return NULL;
}

void gs_screen_suspend(struct gs_screen *s)
{
	if (!s->is_shown)
		return;
	give_back(s);
	s->is_shown = 0;
}

int gs_screen_resume(struct gs_screen *s)
{
	if (s->is_shown)
		return 0;
	gs_signals_forget_typed();
	if (tcsetattr(s->fd_in, TCSADRAIN, &s->termios_ours) < 0)
		return -errno;
	s->is_shown = 1;
	doupdate();     /* curses takes the alternate screen and its modes again */
	curs_set(0);
	set_modes(s);
	gs_screen_resized(s);
	return 0;
}

/* ------------------------------------------------------------------ */
/* showing */

void gs_screen_size(const struct gs_screen *s, int *ret_rows, int *ret_columns)
{
	*ret_rows = s->rows;
	*ret_columns = s->columns;
}

void gs_screen_resized(struct gs_screen *s)
{
	gs_terminal_size(s->fd_out, &s->rows, &s->columns);
	resize_term(s->rows, s->columns);
	s->shown = gs_frame_free(s->shown);     /* terminals reflow: nothing is sure any more */
}

/* One row of @f as curses wants it; how many characters. */
static int make_line(struct gs_screen *s, const struct gs_cell *cells, int columns)
{
	int n = 0;

	for (int c = 0; c < columns; c++) {
		const struct gs_cell *cell = &cells[c];
		unsigned el = cell->element < GS_ELEMENT_MAX ? cell->element : GS_ELEMENT_TEXT;
		attr_t attributes = s->attributes[el];
		wchar_t text[2] = { (wchar_t)cell->code, L'\0' };
		int width = c + 1 < columns && !cells[c + 1].code ? 2 : 1;

		short pair = s->pairs[el];

		if (cell->flags & GS_CELL_CURSOR) {
			/* one look for all of it, not a patchwork of what lies under it */
			attributes = A_REVERSE | A_BOLD;
			pair = 0;
		}
		if (cell->flags & GS_CELL_MARKED)
			attributes |= A_BOLD | A_UNDERLINE;
		/* a right half alone, or what this locale cannot print */
		if (!cell->code)
			text[0] = L' ';
		else if (cell->code < 0x20 || (cell->code > 0x7e && (!s->is_utf8 || wcwidth(text[0]) != width)))
			text[0] = L'?';
		setcchar(&s->line[n++], text, attributes, pair, NULL);
		if (cell->code && text[0] != L'?' && text[0] != L' ' && width == 2)
			c++;    /* curses adds the right half itself */
	}
	return n;
}

static bool is_row_shown(const struct gs_screen *s, const struct gs_frame *f, int row)
{
	size_t at = (size_t)row * (size_t)f->columns;

	return s->shown && memcmp(s->shown->cells + at, f->cells + at, (size_t)f->columns * sizeof(*f->cells)) == 0;
}

static void place_cursor(struct gs_screen *s, const struct gs_frame *f)
{
	bool is_visible = f->cursor_row >= 0 && f->cursor_column >= 0 && f->cursor_row < s->rows && f->cursor_column < s->columns;

	leaveok(stdscr, !is_visible);
	if (is_visible)
		wmove(stdscr, f->cursor_row, f->cursor_column);
	curs_set(is_visible ? 1 : 0);
}

/* What is not known to be on the terminal is drawn again next time; a failed allocation costs bytes, not truth. */
static void remember(struct gs_screen *s, const struct gs_frame *f)
{
	if (!s->shown && gs_frame_new(f->rows, f->columns, &s->shown) < 0)
		return;
	memcpy(s->shown->cells, f->cells, (size_t)f->rows * (size_t)f->columns * sizeof(*f->cells));
	s->shown->cursor_row = f->cursor_row;
	s->shown->cursor_column = f->cursor_column;
}

void gs_screen_show(struct gs_screen *s, const struct gs_frame *f, bool whole)
{
	int rows = f->rows < s->rows ? f->rows : s->rows;
	int columns = f->columns < s->columns ? f->columns : s->columns;
	bool is_dirty = false;

	if (!s->is_shown)
		return;
	if (s->shown && (whole || s->shown->rows != f->rows || s->shown->columns != f->columns))
		s->shown = gs_frame_free(s->shown);
	if (!s->shown) {
		werase(stdscr);
		clearok(curscr, TRUE);
		is_dirty = true;
	}
	for (int row = 0; row < rows; row++) {
		if (is_row_shown(s, f, row))
			continue;
		mvwadd_wchnstr(stdscr, row, 0, s->line, make_line(s, f->cells + (size_t)row * (size_t)f->columns, columns));
		is_dirty = true;
	}
	if (s->shown && (s->shown->cursor_row != f->cursor_row || s->shown->cursor_column != f->cursor_column))
		is_dirty = true;
	if (!is_dirty)
		return;
	place_cursor(s, f);
	wnoutrefresh(stdscr);
	doupdate();
	remember(s, f);
}

/* ------------------------------------------------------------------ */
/* reading */

int gs_screen_fd(const struct gs_screen *s)
{
	return s->fd_in;
}

int gs_screen_read(struct gs_screen *s, struct gs_input *in)
{
	return gs_terminal_read(s->fd_in, in);
}

int gs_screen_signal_fd(const struct gs_screen *s)
{
	return s->signals.fd;
}

int gs_screen_signal(struct gs_screen *s)
{
	return gs_signal_queue_next(&s->signals);
}

bool gs_locale_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
