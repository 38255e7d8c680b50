/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/golden.h"

#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ui/view.h"

static void compare(const char *path, const char *text)
{
	GS_FREE char *wanted = NULL;
	struct gs_error e = { 0 };
	size_t n;

	if (getenv("GENERATE")) {
		assert_int_equal(gs_file_replace(path, text, strlen(text), 0, &e), 0);
		return;
	}
	if (gs_file_read(path, 1 << 20, &wanted, &n, &e) < 0)
		fail_msg("%s (GENERATE=1 writes it)", e.text);
	if (strcmp(wanted, text))
		fail_msg("%s differs; drawn now:\n%s", path, text);
}

struct gs_frame *gs_golden_draw(const struct gs_model *m, struct gs_golden_size size)
{
	struct gs_frame *f = NULL;

	assert_int_equal(gs_frame_new(size.rows, size.columns, &f), 0);
	gs_view_draw(m, gs_glyphs(size.ascii), f);
	return f;
}

void gs_golden_check(const struct gs_model *m, const char *name, const struct gs_golden_size *sizes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		GS_CLEANUP(gs_frame_freep) struct gs_frame *f = gs_golden_draw(m, sizes[i]);
		GS_FREE char *text = gs_frame_text(f), *attributes = gs_frame_attributes(f), *both = NULL;
		char path[256];

		assert_true(asprintf(&both, "%s\n%s", text, attributes) >= 0);
		snprintf(path, sizeof(path), "tests/screen/golden/%s-%dx%d-%s.txt", name, sizes[i].columns, sizes[i].rows, sizes[i].ascii ? "ascii" : "utf8");
		compare(path, both);
	}
}
