/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pty_private.h - shared by pty.c (doing) and pty_screen.c (seeing). */
#ifndef GS_TESTS_LIB_PTY_PRIVATE_H
#define GS_TESTS_LIB_PTY_PRIVATE_H

#include <termios.h>
#include <vterm.h>

#include "tests/lib/pty.h"

#define MODES_MAX 32

struct mode {
	unsigned number;
	bool is_on;
};

struct gs_pty {
	pid_t pid;
	int master;             /* -1 after a hang-up */
	int slave;              /* kept open, so that the line settings outlive the child */
	bool has_ended;
	int status;
	struct termios termios_before;
	int rows, columns;

	VTerm *vterm;
	VTermScreen *screen;
	bool is_altscreen, is_cursor_visible;

	/* libvterm does not tell all modes: a scanner of its own for CSI ? n ; … h and l */
	int scan;               /* characters of "\033[?" seen, 3: in the numbers */
	unsigned scan_numbers[8];
	size_t n_scan;
	struct mode modes[MODES_MAX];
	size_t n_modes;

	uint64_t bytes;
	char leftovers[256];
};

#endif
