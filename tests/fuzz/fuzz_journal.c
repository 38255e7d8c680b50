/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A commit's file: no input crashes; what is read counts whole lines, and what can be planned again can be written and read again. */
#include "codec/journal_json.h"
#include "tests/fuzz/fuzz.h"

/* Every cut of it is a beginning of it. */
static void check_beginning(const char *bytes, size_t n, const struct gs_journal_file *whole)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	struct gs_error e = { 0 };
	int r = gs_journal_parse(bytes, n, &f, &e);

	if (r < 0) {
		fuzz_check_error(r, &e);
		return;
	}
	FUZZ_REQUIRE(f->n_records <= whole->n_records);
	FUZZ_REQUIRE(f->n_valid_bytes <= n);
	FUZZ_REQUIRE(f->commit.done <= whole->commit.done);
}

static void check_plan(const struct gs_journal_file *f)
{
	GS_CLEANUP(gs_past_freep) struct gs_past *past = NULL;
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *second = NULL;
	struct gs_journal_begin begin = { .id = f->commit.id, .at = f->commit.begun, .boot_id = f->commit.boot_id, .way = f->commit.way, .author = f->commit.author };
	GS_FREE char *line = NULL;
	struct gs_error e = { 0 };
	int r = gs_journal_past(f, f->commit.boot_id, &past, &e);

	if (r < 0) {
		fuzz_check_error(r, &e);
		return;
	}
	FUZZ_REQUIRE(past->done <= past->plan->n_steps);
	/* whoever undoes it looks its GPUs up by number */
	for (size_t i = 0; i < past->plan->n_steps; i++)
		FUZZ_REQUIRE(past->plan->steps[i].gpu < gs_snapshot_n_gpus(past->plan->snapshot));
	begin.plan = past->plan;
	r = gs_journal_begin_to_line(&begin, &line, &e);
	if (r < 0) {
		fuzz_check_error(r, &e);
		return;
	}
	FUZZ_REQUIRE(gs_journal_parse(line, strlen(line), &second, &e) == 0);
	FUZZ_REQUIRE(second->commit.id == f->commit.id && second->commit.n_steps == f->commit.n_steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_JSON struct json_object *o = NULL;
	char text[256];
	struct gs_error e = { 0 };
	int r = gs_journal_parse((const char *)bytes, n, &f, &e);

	if (r < 0) {
		fuzz_check_error(r, &e);
		return 0;
	}
	FUZZ_REQUIRE(f->n_records && f->commit.id && f->commit.last_seq == f->n_records);
	FUZZ_REQUIRE(f->n_valid_bytes <= n && bytes[f->n_valid_bytes - 1] == '\n');
	FUZZ_REQUIRE((f->n_valid_bytes == n) == !f->damage[0]);
	FUZZ_REQUIRE(f->commit.done <= f->commit.n_steps);
	FUZZ_REQUIRE(gs_journal_summary(&f->commit, text, sizeof(text))[0]);
	FUZZ_REQUIRE(!strchr(gs_journal_log_line(&f->commit, text, sizeof(text)), '\n'));
	o = gs_journal_to_json(f);
	FUZZ_REQUIRE(o);
	check_beginning((const char *)bytes, n / 2, f);
	check_beginning((const char *)bytes, f->n_valid_bytes - 1, f);
	check_plan(f);
	return 0;
}
