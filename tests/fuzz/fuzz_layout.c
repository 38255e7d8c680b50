/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layouts as JSON and YAML: no input crashes; what is refused is refused with a place. */
#include "codec/layout_text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *layout = NULL;
	GS_CLEANUP(gs_layout_freep) struct gs_layout *copy = NULL;
	struct gs_error e = { 0 };
	int r = gs_layout_parse((const char *)bytes, n, "fuzz", &layout, &e);

	gs_text_is_layout((const char *)bytes, n);
	if (r < 0) {
		fuzz_check_error(r, &e);
		return 0;
	}
	FUZZ_REQUIRE(!layout->is_bound);
	FUZZ_REQUIRE(gs_layout_copy(layout, &copy, NULL) == 0);
	FUZZ_REQUIRE(copy->n_gpus == layout->n_gpus);
	return 0;
}
