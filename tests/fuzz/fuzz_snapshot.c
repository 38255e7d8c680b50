/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots from another process: no input crashes; what is accepted is written and read back unchanged. */
#include "codec/snapshot_json.h"
#include "tests/fuzz/fuzz.h"

#define ALL (GS_SNAPSHOT_TELEMETRY | GS_SNAPSHOT_PROFILES)

static char *write_out(const struct gs_snapshot *s)
{
	GS_JSON struct json_object *o = gs_snapshot_to_json(s, ALL);

	return o ? gs_json_to_line(o) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *first = NULL, *second = NULL;
	GS_JSON struct json_object *o = NULL, *again = NULL;
	GS_FREE char *once = NULL, *twice = NULL;
	struct gs_error e = { 0 };
	int r = gs_json_parse((const char *)bytes, n, "fuzz", &o, &e);

	if (r < 0) {
		fuzz_check_error(r, &e);
		return 0;
	}
	r = gs_snapshot_from_json(o, &first, &e);
	if (r < 0) {
		fuzz_check_error(r, &e);
		return 0;
	}
	once = write_out(first);
	FUZZ_REQUIRE(once);
	FUZZ_REQUIRE(gs_json_parse(once, strlen(once), "again", &again, &e) == 0);
	FUZZ_REQUIRE(gs_snapshot_from_json(again, &second, &e) == 0);
	twice = write_out(second);
	FUZZ_REQUIRE(twice && strcmp(once, twice) == 0);
	return 0;
}
