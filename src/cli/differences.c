/* SPDX-License-Identifier: GPL-2.0-or-later */
/* differences.c - how a machine is otherwise than it should be, a line for each: core tells them in one sentence (core/compare.h). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/cli.h"

/* "GPU 3 has …", "and 4 more": a difference, or how many are left out. */
static bool is_one(const char *s)
{
	size_t digits;

	if (gs_str_starts(s, "and "))
		return isdigit((unsigned char)s[4]);
	if (!gs_str_starts(s, "GPU "))
		return false;
	digits = strspn(s + 4, "0123456789");
	return digits && s[4 + digits] == ' ';
}

/* Where the list begins, behind a colon; NULL: there is none. */
static const char *find_list(const char *text)
{
	if (is_one(text))
		return text;
	while ((text = strstr(text, ": "))) {
		text += 2;
		if (is_one(text))
			return text;
	}
	return NULL;
}

void gs_cli_print_differences(FILE *to, const char *text, int indent)
{
	const char *list = find_list(text), *end;

	if (!list) {
		fprintf(to, "%s\n", text);
		return;
	}
	if (list != text)
		fprintf(to, "%.*s\n", (int)(list - text - 1), text);
	for (; is_one(list); list = *end ? end + 2 : end) {
		end = strstr(list, "; ");
		end = end ? end : list + strlen(list);
		fprintf(to, "%*s%.*s\n", indent, "", (int)(end - list), list);
	}
	if (*list)
		fprintf(to, "%*s%s\n", indent / 2, "", list);
}
