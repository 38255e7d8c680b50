/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command language: no input crashes; what is accepted has one spelling, and that is accepted too. */
#include "codec/script_text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *first = NULL, *second = NULL;
	GS_FREE char *once = NULL, *twice = NULL;
	struct gs_error e = { 0 };
	int r = gs_script_parse((const char *)bytes, n, "fuzz", &first, &e);

	if (r < 0) {
		fuzz_check_error(r, &e);
		FUZZ_REQUIRE(e.status == GS_STATUS_INVALID);
		FUZZ_REQUIRE(e.line > 0 && e.column > 0);
		return 0;
	}
	FUZZ_REQUIRE(first->n <= GS_SCRIPT_STATEMENTS_MAX);
	once = gs_script_format(first);
	FUZZ_REQUIRE(once);
	FUZZ_REQUIRE(gs_script_parse(once, strlen(once), "again", &second, &e) == 0);
	FUZZ_REQUIRE(first->n == second->n);
	twice = gs_script_format(second);
	FUZZ_REQUIRE(twice && strcmp(once, twice) == 0);
	return 0;
}
