/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * golden.h - whole frames against files of text and elements in
 * tests/screen/golden. GENERATE=1 writes them anew: then look at them, they
 * are what an operator sees.
 */
#ifndef GS_TESTS_LIB_GOLDEN_H
#define GS_TESTS_LIB_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/frame.h"
#include "ui/model.h"

struct gs_golden_size {
	int rows, columns;
	bool ascii;
};

/* The frame of @m at that size; the caller frees it. */
struct gs_frame *gs_golden_draw(const struct gs_model *m, struct gs_golden_size size);

/* Draw @m at each of @n sizes and compare with NAME-COLUMNSxROWS-(ascii|utf8).txt. */
void gs_golden_check(const struct gs_model *m, const char *name, const struct gs_golden_size *sizes, size_t n);

#endif
