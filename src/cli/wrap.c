/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wrap.c - sentences that fit a terminal. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define WIDTH 80

void gs_cli_print_wrapped(const char *text, int column, int indent)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + (int)n > WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += (int)n;
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}
