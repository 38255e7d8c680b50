/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVML loader and what is made of its answers, without any NVML: a table that we fill ourselves. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/mig_profiles.h"
#include "backend/mig_write.h"
#include "backend/nvml.h"
#include "base/arena.h"
#include "base/parse.h"
#include "tests/lib/cmocka.h"

/* That a file is not there is said of the first path; one that is there and cannot be loaded says why, wherever it comes. */
static void a_library_that_cannot_be_loaded_says_why(void **state)
{
	static const char *const paths[] = { "/nonexistent/one.so", "/nonexistent/two.so", "/etc/passwd", NULL };
	struct gs_nvml *nvml = NULL;
	struct gs_error e = { 0 };

	(void)state;
	assert_true(gs_nvml_open(paths, &nvml, &e) < 0);
	assert_null(nvml);
	assert_non_null(strstr(e.text, "/nonexistent/one.so"));
	assert_null(strstr(e.text, "/nonexistent/two.so"));
	assert_non_null(strstr(e.text, "/etc/passwd"));
}

static void no_paths_is_a_machine_without_library(void **state)
{
	static const char *const none[] = { NULL };
	struct gs_nvml *nvml = NULL;
	struct gs_error e = { 0 };

	(void)state;
	assert_true(gs_nvml_open(none, &nvml, &e) < 0);
	assert_non_null(strstr(e.text, "this machine has none"));
}

static int old_init(void)
{
	return 0;
}

static int new_count(unsigned *n)
{
	*n = 2;
	return 0;
}

static int old_count(unsigned *n)
{
	*n = 1;
	return 0;
}

static void *few_symbols(void *library, const char *symbol)
{
	int (*found_init)(void) = old_init;
	int (*found_new)(unsigned *) = new_count, (*found_old)(unsigned *) = old_count;
	void *p = NULL;

	(void)library;
	if (strcmp(symbol, "nvmlInit") == 0)
		memcpy(&p, &found_init, sizeof(p));
	if (strcmp(symbol, "nvmlDeviceGetCount_v2") == 0)
		memcpy(&p, &found_new, sizeof(p));
	if (strcmp(symbol, "nvmlDeviceGetCount") == 0)
		memcpy(&p, &found_old, sizeof(p));
	return p;
}

static void newest_symbol_wins_and_missing_ones_answer_13(void **state)
{
	struct gs_nvml nvml = { 0 };
	unsigned n = 0, now, pending;
	struct gs_error e = { 0 };
	int code;

	(void)state;
	gs_nvml_bind(&nvml.call, NULL, few_symbols);
	assert_int_equal(GS_NVML_CALL(&nvml, init), NVML_SUCCESS);
	assert_int_equal(GS_NVML_CALL(&nvml, device_count, &n), NVML_SUCCESS);
	assert_int_equal(n, 2);
	code = GS_NVML_CALL(&nvml, mig_mode, NULL, &now, &pending);
	assert_int_equal(code, NVML_ERROR_FUNCTION_NOT_FOUND);
	gs_nvml_error(&e, code, GS_NVML_SYMBOL(mig_mode), "GPU 3");
	assert_non_null(strstr(e.text, "nvmlDeviceGetMigMode"));
	assert_non_null(strstr(e.text, "GPU 3"));
	assert_non_null(strstr(e.text, "Update the NVIDIA driver"));
}

static void codes_become_sentences(void **state)
{
	static const struct {
		int code, errnum;
		const char *word;
	} rows[] = {
		{ 4, -EPERM, "root" }, { 9, -ENODEV, "modprobe" }, { 15, -ENODEV, "fallen off the bus" }, { 18, -EPROTO, "versions" },
		{ 19, -EBUSY, "in use" }, { 23, -ENOSPC, "does not fit" }, { 77, -EIO, "77" }, { -5, -EIO, "-5" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_error e = { 0 };

		assert_int_equal(gs_nvml_error(&e, rows[i].code, "nvmlX", "0000:1b:00.0: %s", "no"), rows[i].errnum);
		assert_non_null(strstr(e.text, rows[i].word));
		assert_non_null(strstr(e.text, "0000:1b:00.0: no"));
		assert_int_equal(e.errnum, rows[i].errnum);
		/* a remedy must be there to be followed */
		assert_null(strstr(e.text, "gpuslice who"));
	}
}

/* interfaces 5.2: 1 to 30 and 999, without a gap; what the table lacks is told by its number. */
static void every_code_has_a_reason_and_a_remedy(void **state)
{
	(void)state;
	for (int code = 1; code <= 30; code++) {
		struct gs_error e = { 0 };

		assert_non_null(gs_nvml_reason(code));
		assert_non_null(gs_nvml_remedy(code));
		assert_true(gs_nvml_errno(code) < 0);
		gs_nvml_error(&e, code, "nvmlX", "GPU 0");
		assert_null(strstr(e.text, "this program does not know"));
		for (int other = 1; other < code; other++)
			assert_string_not_equal(gs_nvml_reason(code), gs_nvml_reason(other));
	}
	assert_non_null(gs_nvml_remedy(NVML_ERROR_UNKNOWN));
	assert_null(gs_nvml_reason(NVML_SUCCESS));
	assert_null(gs_nvml_reason(31));
	assert_null(gs_nvml_remedy(31));
}

/* ---- profiles through structures of three generations ---- */

struct fake {
	unsigned accepts;       /* version byte of ProfileInfoV that is known; 0: none */
	int places_code;
	unsigned asked_past_end;
	int third_code;         /* what profile 2 answers once */
	int activation;         /* of a mode change */
};
static struct fake *fake_now(void)
{
	static struct fake f;

	return &f;
}

/* Enum 0 and 2 exist, 1 is a hole, from 3 on the library ends. */
static int end_or_hole(unsigned i)
{
	if (i == 1)
		return NVML_ERROR_NOT_SUPPORTED;
	if (i == 2 && fake_now()->third_code) {
		int code = fake_now()->third_code;

		fake_now()->third_code = 0;
		return code;
	}
	if (i > 2) {
		fake_now()->asked_past_end++;
		return NVML_ERROR_INVALID_ARGUMENT;
	}
	return NVML_SUCCESS;
}

static int fake_gi_profile_v(nvml_device d, unsigned i, void *info)
{
	unsigned version = *(unsigned *)info >> 24;
	int code;

	(void)d;
	if (version != fake_now()->accepts)
		return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
	code = end_or_hole(i);
	if (code != NVML_SUCCESS)
		return code;
	if (version == 3) {
		struct nvml_gi_profile_v3 *p = info;

		p->id = i ? 9 : 19;
		p->slices = i ? 3 : 1;
		p->instances = i ? 2 : 7;
		p->memory_mb = i ? 40320 : 9984;
		snprintf(p->name, sizeof(p->name), "MIG %s", i ? "3g.40gb" : "1g.10gb");
	} else {
		struct nvml_gi_profile_v2 *p = info;

		p->id = i ? 9 : 19;
		p->slices = i ? 3 : 1;
		p->instances = i ? 2 : 7;
		p->memory_mb = i ? 40320 : 9984;
		snprintf(p->name, sizeof(p->name), "MIG %s", i ? "3g.40gb" : "1g.10gb");
	}
	return NVML_SUCCESS;
}

static int fake_gi_profile(nvml_device d, unsigned i, struct nvml_gi_profile_v1 *p)
{
	int code = end_or_hole(i);

	(void)d;
	if (code != NVML_SUCCESS)
		return code;
	*p = (struct nvml_gi_profile_v1){ .id = i ? 9 : 19, .slices = i ? 3 : 1, .instances = i ? 2 : 7, .memory_mb = i ? 40960 : 10240 };
	return NVML_SUCCESS;
}

static int fake_places(nvml_device d, unsigned id, struct nvml_placement *p, unsigned *n)
{
	(void)d;
	if (fake_now()->places_code)
		return fake_now()->places_code;
	*n = id == 9 ? 2 : 7;
	for (unsigned i = 0; p && i < *n; i++)
		p[i] = id == 9 ? (struct nvml_placement){ (1 - i) * 4, 4 } : (struct nvml_placement){ i, 1 };
	return NVML_SUCCESS;
}

static const struct gs_profile_set *read_fake(struct gs_mig_profiles *m)
{
	const struct gs_mig_subject subject = { .uuid = "GPU-x", .is_mig_on = true, .pci_id = "10de:2330" };
	const struct gs_profile_set *set = NULL;

	assert_int_equal(gs_mig_profiles_get(m, &subject, &set), NVML_SUCCESS);
	return set;
}

static void profiles_are_read_by_every_generation(void **state)
{
	(void)state;
	for (unsigned version = 0; version <= 3; version++) {
		struct gs_nvml nvml = { .call = { .gi_profile = fake_gi_profile, .gi_profile_v = fake_gi_profile_v, .gi_placements = fake_places } };
		GS_CLEANUP(gs_mig_profiles_freep) struct gs_mig_profiles *m = gs_mig_profiles_new(&nvml, NULL);
		const struct gs_profile_set *set;

		if (version == 1)
			nvml.call.gi_profile_v = NULL;  /* a library without the V call */
		*fake_now() = (struct fake){ .accepts = version };
		set = read_fake(m);
		assert_int_equal(set->n, 2);
		assert_string_equal(set->items[0].name, "1g.10gb");
		assert_string_equal(set->items[1].name, "3g.40gb");
		assert_int_equal(set->items[1].id.value, 9);
		assert_int_equal(set->items[1].compute_slices, 3);
		assert_int_equal(set->items[1].n_placements, 2);
		assert_int_equal(set->items[1].placements[0].start, 0);
		assert_int_equal(set->memory_units, 8);
		assert_int_equal(set->source, GS_PROFILES_DRIVER);
		assert_true(fake_now()->asked_past_end > 0);
		/* kept while the mode stays: the library is not asked again */
		fake_now()->asked_past_end = 0;
		assert_ptr_equal(read_fake(m), set);
		assert_int_equal(fake_now()->asked_past_end, 0);
	}
}

static void places_that_may_not_be_asked_come_from_the_catalogue(void **state)
{
	struct gs_nvml nvml = { .call = { .gi_profile_v = fake_gi_profile_v, .gi_placements = fake_places } };
	GS_CLEANUP(gs_catalogue_freep) struct gs_catalogue *catalogue = NULL;
	GS_CLEANUP(gs_mig_profiles_freep) struct gs_mig_profiles *m = NULL;
	const struct gs_profile_set *set;
	struct gs_error e;

	(void)state;
	if (gs_catalogue_load(&catalogue, &e) < 0) {
		print_message("skipped: %s\n", e.text);
		skip();
	}
	*fake_now() = (struct fake){ .accepts = 3, .places_code = NVML_ERROR_NO_PERMISSION };
	m = gs_mig_profiles_new(&nvml, catalogue);
	set = read_fake(m);
	if (!gs_catalogue_by_pci(catalogue, "10de:2330", NULL)) {
		assert_int_equal(set->items[0].n_placements, 0);
		return;
	}
	assert_int_equal(set->source, GS_PROFILES_CATALOGUE);
	assert_int_equal(set->items[0].n_placements, 7);
	assert_int_equal(set->memory_units, 8);
}

static void absurd_places_are_left_out(void **state)
{
	struct gs_nvml nvml = { .call = { .gi_profile_v = fake_gi_profile_v, .gi_placements = fake_places } };
	GS_CLEANUP(gs_mig_profiles_freep) struct gs_mig_profiles *m = gs_mig_profiles_new(&nvml, NULL);
	GS_CLEANUP(gs_arena_freep) struct gs_arena *a = gs_arena_new();
	struct gs_profile_set copy = { 0 };

	(void)state;
	*fake_now() = (struct fake){ .accepts = 3, .places_code = NVML_ERROR_NOT_SUPPORTED };
	assert_int_equal(read_fake(m)->items[0].n_placements, 0);
	assert_int_equal(gs_profile_set_copy(a, read_fake(m), &copy), 0);
	assert_int_equal(copy.n, 2);
	assert_string_equal(copy.items[1].name, "3g.40gb");
}

static void a_list_that_broke_off_is_neither_returned_nor_kept(void **state)
{
	static const int codes[] = { NVML_ERROR_UNKNOWN, NVML_ERROR_TIMEOUT, NVML_ERROR_MEMORY, NVML_ERROR_GPU_IS_LOST };
	const struct gs_mig_subject subject = { .uuid = "GPU-x", .is_mig_on = true };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(codes); i++) {
		struct gs_nvml nvml = { .call = { .gi_profile_v = fake_gi_profile_v, .gi_placements = fake_places } };
		GS_CLEANUP(gs_mig_profiles_freep) struct gs_mig_profiles *m = gs_mig_profiles_new(&nvml, NULL);
		const struct gs_profile_set *set = NULL;

		*fake_now() = (struct fake){ .accepts = 3, .third_code = codes[i] };
		assert_int_equal(gs_mig_profiles_get(m, &subject, &set), codes[i]);
		assert_null(set);
		/* it was of the moment: the next look has them all */
		assert_int_equal(gs_mig_profiles_get(m, &subject, &set), NVML_SUCCESS);
		assert_int_equal(set->n, 2);
	}
}

static void places_that_fail_for_a_moment_are_not_kept(void **state)
{
	struct gs_nvml nvml = { .call = { .gi_profile_v = fake_gi_profile_v, .gi_placements = fake_places } };
	GS_CLEANUP(gs_mig_profiles_freep) struct gs_mig_profiles *m = gs_mig_profiles_new(&nvml, NULL);
	const struct gs_mig_subject subject = { .uuid = "GPU-x", .is_mig_on = true };
	const struct gs_profile_set *set = NULL;

	(void)state;
	*fake_now() = (struct fake){ .accepts = 3, .places_code = NVML_ERROR_UNKNOWN };
	assert_int_equal(gs_mig_profiles_get(m, &subject, &set), NVML_ERROR_UNKNOWN);
	*fake_now() = (struct fake){ .accepts = 3 };
	assert_int_equal(read_fake(m)->items[0].n_placements, 7);
}

static void gpus_without_a_readable_uuid_do_not_share_profiles(void **state)
{
	struct gs_nvml nvml = { .call = { .gi_profile_v = fake_gi_profile_v, .gi_placements = fake_places } };
	GS_CLEANUP(gs_mig_profiles_freep) struct gs_mig_profiles *m = gs_mig_profiles_new(&nvml, NULL);
	struct gs_mig_subject one = { .bdf = { 0, 1, 0, 0 }, .is_mig_on = true }, two = { .bdf = { 0, 2, 0, 0 }, .is_mig_on = true };
	const struct gs_profile_set *a = NULL, *b = NULL;

	(void)state;
	*fake_now() = (struct fake){ .accepts = 3 };
	assert_int_equal(gs_mig_profiles_get(m, &one, &a), NVML_SUCCESS);
	assert_int_equal(gs_mig_profiles_get(m, &two, &b), NVML_SUCCESS);
	assert_ptr_not_equal(a, b);
	assert_int_equal(gs_mig_profiles_get(m, &one, &b), NVML_SUCCESS);
	assert_ptr_equal(a, b);
	/* another board at the same address */
	fake_now()->asked_past_end = 0;
	one.uuid = "GPU-y";
	assert_int_equal(gs_mig_profiles_get(m, &one, &b), NVML_SUCCESS);
	assert_true(fake_now()->asked_past_end > 0);
}

/* ---- a mode change answers twice ---- */

static int fake_by_bus_id(const char *b, nvml_device *d)
{
	(void)b;
	*d = NULL;
	return NVML_SUCCESS;
}

static int fake_uuid(nvml_device d, char *t, unsigned n)
{
	(void)d;
	snprintf(t, n, "GPU-x");
	return NVML_SUCCESS;
}

static int fake_set_mode(nvml_device d, unsigned mode, int *activation)
{
	(void)d;
	(void)mode;
	*activation = fake_now()->activation;
	return NVML_SUCCESS;
}

static void a_mode_that_did_not_become_active_is_pending_or_said(void **state)
{
	static const struct {
		int activation, r;
		bool is_pending;
		const char *word;
	} rows[] = {
		{ NVML_SUCCESS, 0, false, "" }, { NVML_ERROR_IN_USE, 0, true, "pending" }, { NVML_ERROR_RESET_REQUIRED, 0, true, "pending" },
		{ NVML_ERROR_UNKNOWN, -EIO, false, "may be pending" }, { NVML_ERROR_TIMEOUT, -ETIMEDOUT, false, "may be pending" },
	};
	struct gs_nvml nvml = { .call = { .device_by_bus_id = fake_by_bus_id, .device_uuid = fake_uuid, .set_mig_mode = fake_set_mode } };
	const struct gs_step step = { .op = GS_STEP_SET_MODE, .mode = GS_MODE_MIG };
	struct gs_mig mig;

	(void)state;
	assert_int_equal(gs_mig_init(&mig, &nvml, NULL), 0);
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_step_outcome outcome = { 0 };
		struct gs_error e = { 0 };

		*fake_now() = (struct fake){ .activation = rows[i].activation };
		assert_int_equal(gs_mig_run(&mig, &step, &outcome, &e), rows[i].r);
		assert_int_equal(outcome.is_pending, rows[i].is_pending);
		assert_non_null(strstr(rows[i].r < 0 ? e.text : outcome.note, rows[i].word));
	}
	gs_mig_done(&mig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_library_that_cannot_be_loaded_says_why),
		cmocka_unit_test(no_paths_is_a_machine_without_library),
		cmocka_unit_test(newest_symbol_wins_and_missing_ones_answer_13),
		cmocka_unit_test(codes_become_sentences),
		cmocka_unit_test(every_code_has_a_reason_and_a_remedy),
		cmocka_unit_test(profiles_are_read_by_every_generation),
		cmocka_unit_test(places_that_may_not_be_asked_come_from_the_catalogue),
		cmocka_unit_test(absurd_places_are_left_out),
		cmocka_unit_test(a_list_that_broke_off_is_neither_returned_nor_kept),
		cmocka_unit_test(places_that_fail_for_a_moment_are_not_kept),
		cmocka_unit_test(gpus_without_a_readable_uuid_do_not_share_profiles),
		cmocka_unit_test(a_mode_that_did_not_become_active_is_pending_or_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
