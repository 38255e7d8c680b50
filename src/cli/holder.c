/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holder.c - what a holder is called in the tables. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/cli.h"

/* Of a process's name the kernel keeps 15 bytes (proc(5), comm). */
#define COMM_MAX 15

const char *gs_cli_holder_label(const struct gs_holder *h, char *buf, size_t size)
{
	struct gs_holder shown = *h;
	char name[128];

	if (h->kind == GS_HOLDER_PROCESS && h->name && h->unit && strlen(h->name) == COMM_MAX && gs_str_starts(h->unit, h->name)) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(h->unit, "."), h->unit);
		shown.name = name;
	}
	return gs_holder_label(&shown, buf, size);
}
