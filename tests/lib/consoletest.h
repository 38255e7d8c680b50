/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * consoletest.h - the real program on a simulated host of a test's own: by its
 * commands, and on a pseudo-terminal. Everything asserts.
 */
#ifndef GS_TESTS_LIB_CONSOLETEST_H
#define GS_TESTS_LIB_CONSOLETEST_H

#include <stdbool.h>

#include "tests/lib/pty.h"

struct gs_consoletest_place {
	char *program;
	const char *host;               /* the simulated one */
	char state[64];                 /* a directory that is the machine's state, and gone at the end */
	char env_state[96];
	const char *env[8];             /* NULL ends; a test may add to it */
	bool under_tmux;
};

/* Fixtures: a fresh machine @host in *@state, for cmocka's teardown to remove. -1 when it cannot be made. */
int gs_consoletest_setup(void **state, const char *host);
int gs_consoletest_teardown(void **state);

/*
 * Run the program on the machine to its end and give its exit status, -1 when
 * a signal ended it. @words and @input (NULL: none; printf's escapes) are the
 * test's own, a shell reads them. What it prints is in @ret_out (the caller
 * frees) when that is not NULL.
 */
int gs_consoletest_command(const struct gs_consoletest_place *w, const char *words, const char *input, char **ret_out);

/* Start it on a terminal with @words (NULL: none) and wait until @seen is there. */
struct gs_pty *gs_consoletest_start(const struct gs_consoletest_place *w, const char *const *words, int rows, int columns, const char *seen);

/* Until the screen has that text, or has it no more; the test fails with the screen when that does not come. */
void gs_consoletest_see(struct gs_pty *p, const char *text);
void gs_consoletest_see_no_more(struct gs_pty *p, const char *text);
/* q, from the main screen with nothing staged: it ends well, and leaves the terminal as it was. */
void gs_consoletest_leave(struct gs_pty *p);
/* What «export json» says of the machine; the caller frees. */
char *gs_consoletest_layout(const struct gs_consoletest_place *w);

#endif
