/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"

#define READ_BYTES 4096

static const int queued_signals[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT, SIGTSTP };
static const int curses_signals[GS_CURSES_SIGNALS] = { SIGINT, SIGTERM, SIGTSTP, SIGWINCH };

int gs_signal_queue_open(struct gs_signal_queue *q)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < GS_ARRAY_SIZE(queued_signals); i++)
		sigaddset(&set, queued_signals[i]);
	q->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (q->fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &set, &q->mask_before);
	for (size_t i = 0; i < GS_CURSES_SIGNALS; i++)
		sigaction(curses_signals[i], NULL, &q->before[i]);
	return 0;
}

void gs_signal_queue_close(struct gs_signal_queue *q)
{
	if (q->fd < 0)
		return;
	for (size_t i = 0; i < GS_CURSES_SIGNALS; i++)
		sigaction(curses_signals[i], &q->before[i], NULL);
	close(q->fd);
	q->fd = -1;
	sigprocmask(SIG_SETMASK, &q->mask_before, NULL);
}

int gs_signal_queue_next(struct gs_signal_queue *q)
{
	struct signalfd_siginfo info;

	return read(q->fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

void gs_signals_forget_typed(void)
{
	static const int typed[] = { SIGINT, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };
	const struct timespec now = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < GS_ARRAY_SIZE(typed); i++)
		sigaddset(&set, typed[i]);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

void gs_terminal_size(int fd, int *ret_rows, int *ret_columns)
{
	struct winsize w = { .ws_row = 0 };

	/* a serial line says 0 x 0 */
	if (ioctl(fd, TIOCGWINSZ, &w) < 0 || !w.ws_row || !w.ws_col) {
		w.ws_row = 24;
		w.ws_col = 80;
	}
	*ret_rows = w.ws_row < GS_TERMINAL_SIZE_MAX ? w.ws_row : GS_TERMINAL_SIZE_MAX;
	*ret_columns = w.ws_col < GS_TERMINAL_SIZE_MAX ? w.ws_col : GS_TERMINAL_SIZE_MAX;
}

void gs_terminal_make_raw(struct termios *t)
{
	t->c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON | BRKINT | PARMRK);
	t->c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

/*
 * Not O_NONBLOCK: the flag belongs to the open file, which the shell and
 * curses' output share. poll() says whether read() would wait.
 */
int gs_terminal_read(int fd, struct gs_input *in)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[READ_BYTES];
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return -EAGAIN;
	if (!(p.revents & POLLIN))
		return -EPIPE;
	n = read(fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -EAGAIN;
	if (n <= 0)
		return -EPIPE;
	if (n == 1 && bytes[0] == GS_KEY_CTRL('c'))
		gs_input_end_paste(in);
	gs_input_feed(in, bytes, (size_t)n);
	return 0;
}

int gs_colour_of_eight(int colour)
{
	static const unsigned char levels[] = { 0, 95, 135, 175, 215, 255 };
	int red, green, blue, most;

	if (colour >= 232)
		return colour < 244 ? 0 : 7;
	colour -= 16;
	red = levels[colour / 36];
	green = levels[colour / 6 % 6];
	blue = levels[colour % 6];
	most = red > green ? red : green;
	most = most > blue ? most : blue;
	if (most < 95)
		return 0;
	return (red * 3 >= most * 2 ? 1 : 0) | (green * 3 >= most * 2 ? 2 : 0) | (blue * 3 >= most * 2 ? 4 : 0);
}
