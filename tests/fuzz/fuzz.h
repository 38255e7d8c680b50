/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.h - what a fuzz target is, and how it says that something is wrong. */
#ifndef GS_TESTS_FUZZ_H
#define GS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define FUZZ_REQUIRE(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

/* Whatever was refused was refused properly: with a code, a status, and a sentence that can be shown. */
static inline void fuzz_check_error(int r, const struct gs_error *e)
{
	FUZZ_REQUIRE(r < 0);
	FUZZ_REQUIRE(e->errnum < 0);
	FUZZ_REQUIRE(e->status != GS_STATUS_OK);
	FUZZ_REQUIRE(e->text[0]);
}

#endif
