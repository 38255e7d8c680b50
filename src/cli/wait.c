/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/lock.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/cli.h"

int gs_cli_take_wait(const char *value, uint32_t *ret_seconds, struct gs_error *e)
{
	uint32_t seconds;

	if (gs_parse_u32(value, 10, &seconds) < 0 || seconds > GS_LOCK_WAIT_SECONDS_MAX)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--wait takes a whole number of seconds, 0 to %d", GS_LOCK_WAIT_SECONDS_MAX);
	*ret_seconds = seconds;
	return 0;
}

/* As a shell would take it: one word, whatever is in it. */
static void add_word(struct gs_strbuf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

	if (*word && !word[strspn(word, plain)]) {
		gs_strbuf_puts(b, word);
		return;
	}
	gs_strbuf_puts(b, "'");
	for (const char *next; (next = strchr(word, '\'')); word = next + 1)
		gs_strbuf_printf(b, "%.*s'\\''", (int)(next - word), word);
	gs_strbuf_printf(b, "%s'", word);
}

const char *gs_cli_command_line(int argc, char **argv, char *buf, size_t size)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	gs_strbuf_puts(&b, "gpuslice");
	for (int i = 0; i < argc; i++) {
		gs_strbuf_puts(&b, " ");
		add_word(&b, argv[i]);
	}
	if (b.failed || b.length < size)
		snprintf(buf, size, "%s", b.failed ? "gpuslice" : b.text);
	else
		snprintf(buf, size, "%.*s...", (int)size - 4, b.text);
	gs_text_sanitize(buf);
	return buf;
}
