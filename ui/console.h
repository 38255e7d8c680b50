/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console.h - the interactive programs: console and monitor, on a terminal or headless. */
#ifndef GS_UI_CONSOLE_H
#define GS_UI_CONSOLE_H

#include "codec/session.h"
#include "ui/theme.h"

struct gs_console_options {
	bool read_only;             /* monitor */
	bool colour, mouse, ascii;
	const char *theme;          /* name or path; NULL: default, or mono without colour */
	unsigned interval_ms;       /* between looks at the machine */
	const char *script;         /* headless: events from this file instead of a terminal */
	int rows, columns;          /* headless size */
	const char *sim, *sysroot;  /* where the machine is when it is not this one, as given on the command line; for the command that the review shows */
	const char *ssh_client;     /* whence the operator came, for the record; NULL: from here */
	bool undo_on_hangup;        /* a commit that loses its terminal in the middle is undone, not finished */
	/* Get a privileged session (sudo): the terminal is given back meanwhile. NULL: not offered. */
	int (*elevate)(void *userdata, struct gs_session **ret_session, struct gs_error *e);
	/* Start an agent as the first one was started, with the rights that are left, in place of one that has ended. NULL: none is. */
	int (*connect)(void *userdata, struct gs_session **ret_session, struct gs_error *e);
	void *userdata;
};

/* Run until the operator leaves; takes the session. Returns an exit status, with a sentence in @e when it is not OK. */
int gs_console_run(struct gs_session *session, const struct gs_console_options *options, struct gs_error *e);

/* `monitor --once`: one frame as text on @fd, without escape sequences unless @colour. */
int gs_console_once(struct gs_session *session, const struct gs_console_options *options, int fd, struct gs_error *e);

#endif
