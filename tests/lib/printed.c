/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/printed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

char *gs_testprinted(int (*print)(const struct gs_snapshot *s), const struct gs_snapshot *s)
{
	FILE *file = tmpfile();
	int before = dup(STDOUT_FILENO);
	char *bytes = NULL;
	size_t n;

	assert_non_null(file);
	assert_true(before >= 0);
	fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	print(s);
	fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	close(before);
	assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	assert_int_equal(gs_fd_read_all(fileno(file), "printed", 1 << 20, &bytes, &n, NULL), 0);
	fclose(file);
	return bytes;
}

void gs_testprinted_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not printed: %s\n%s", part, text);
}
