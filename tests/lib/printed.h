/* SPDX-License-Identifier: GPL-2.0-or-later */
/* printed.h - what a function prints on standard output, for tests. */
#ifndef GS_TESTS_PRINTED_H
#define GS_TESTS_PRINTED_H

#include "core/snapshot.h"

/* Call @print with standard output in a file; the caller frees what stood there. Aborts the test on failure. */
char *gs_testprinted(int (*print)(const struct gs_snapshot *s), const struct gs_snapshot *s);
/* Fails the test, with all of @text, when @part is not in it. */
void gs_testprinted_has(const char *text, const char *part);

#endif
