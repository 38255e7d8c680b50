/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims_notes.c - what people of the site wrote down: etc/gpuslice/notes.d/
 * NAME.json, {"gpu": address or UUID, "vf": N or null, "note": text, "until":
 * "2026-12-31" or null}. A note that is wrong is told to the operator: it was
 * meant to protect something.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backend/claims_private.h"
#include "base/clock.h"
#include "base/parse.h"
#include "codec/json.h"

#define NOTES "etc/gpuslice/notes.d"
#define DAY_MS (24 * 60 * 60 * 1000ll)
#define VFS_MAX 4096

static bool take_digits(const char *text, size_t n, uint32_t *ret_value)
{
	char digits[5];

	if (strspn(text, "0123456789") < n)
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return gs_parse_u32(digits, 10, ret_value) == 0;
}

int gs_claims_parse_day(const char *text, struct gs_wall *ret_end)
{
	uint32_t year, month, day;
	struct tm tm = { 0 };
	time_t begin;

	if (strlen(text) != strlen("2026-12-31") || text[4] != '-' || text[7] != '-' || !take_digits(text, 4, &year) || !take_digits(text + 5, 2, &month) ||
	    !take_digits(text + 8, 2, &day) || year < 1970 || month < 1 || month > 12)
		return -EINVAL;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)month - 1;
	tm.tm_mday = (int)day;
	begin = timegm(&tm);
	/* the 30th of February became a day of March */
	if (begin == -1 || tm.tm_mon != (int)month - 1 || tm.tm_mday != (int)day)
		return -EINVAL;
	ret_end->ms = (int64_t)begin * 1000 + DAY_MS;
	return 0;
}

/* 0; 1 when it has run out; negative with a sentence. */
static int parse_note(struct json_object *o, struct gs_claim *claim, struct gs_error *e)
{
	const char *gpu = NULL, *note = NULL, *until = NULL;
	struct gs_wall end;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "it is no object");
	json_object_object_foreach(o, key, value) {
		(void)value;
		if (strcmp(key, "gpu") != 0 && strcmp(key, "vf") != 0 && strcmp(key, "note") != 0 && strcmp(key, "until") != 0)
			return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "\"%.32s\" is none of gpu, vf, note and until", key);
	}
	r = gs_json_get_string(o, "gpu", &gpu, e);
	if (r == 0)
		r = gs_json_get_string(o, "note", &note, e);
	if (r == 0)
		r = gs_json_get_string(o, "until", &until, e);
	if (r == 0)
		r = gs_json_get_u32(o, "vf", &claim->vf, e);
	if (r < 0)
		return r;
	if (!gpu || !note || strlen(gpu) >= sizeof(claim->uuid) || (claim->vf.known && claim->vf.value >= VFS_MAX))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "it needs a gpu (address or UUID) and a note; a vf is a number below %d", VFS_MAX);
	if (until && gs_claims_parse_day(until, &end) < 0)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "until \"%.32s\" is no date such as 2026-12-31", until);
	claim->to = GS_CLAIM_TO_UUID;
	snprintf(claim->uuid, sizeof(claim->uuid), "%s", gpu);
	snprintf(claim->name, sizeof(claim->name), "note: %.100s", note);
	return until && gs_wall_now().ms >= end.ms;
}

struct reading {
	struct gs_claim_reader *r;
	size_t n, n_bad, n_over;
};

static int read_note(void *userdata, const char *file)
{
	struct reading *g = userdata;
	GS_JSON struct json_object *o = NULL;
	struct gs_claim claim = { 0 };
	GS_FREE char *bytes = NULL;
	struct gs_error e = { 0 };
	size_t n;
	int r = gs_root_read_bytes(g->r->root, GS_CLAIM_FILE_BYTES_MAX, &bytes, &n, NOTES "/%s", file);

	if (r < 0)
		gs_error_set(&e, r, GS_STATUS_FAILED, "%s", strerror(-r));
	else
		r = gs_json_parse(bytes, n, file, &o, &e);
	if (r == 0)
		r = parse_note(o, &claim, &e);
	if (r < 0) {
		g->n_bad++;
		if (!g->r->notice[0])
			snprintf(g->r->notice, sizeof(g->r->notice), "the note /" NOTES "/%.60s protects nothing: %.120s", file, e.text);
		return r == -ENOMEM ? r : 0;
	}
	if (r > 0) {
		g->n_over++;
		return 0;
	}
	g->n++;
	snprintf(claim.evidence, sizeof(claim.evidence), "/" NOTES "/%.100s", file);
	return gs_claim_list_add(g->r->list, &claim);
}

static void stamp(struct gs_root *root, struct gs_strbuf *b)
{
	gs_claims_stamp_files(root, b, NOTES, ".json");
	/* a note runs out at midnight without its file changing */
	gs_strbuf_printf(b, "%lld\n", (long long)(gs_wall_now().ms / DAY_MS));
}

static int read_notes(struct gs_claim_reader *r)
{
	struct reading g = { .r = r };
	int result = gs_claims_walk(r->root, NOTES, ".json", read_note, &g);

	if (result == -ENOMEM)
		return result;
	if (result == -ENOENT || result == -ENOTDIR)
		gs_claims_absent(r, "there is no /" NOTES);
	else if (result < 0)
		gs_claims_absent(r, "/" NOTES ": %s", strerror(-result));
	else
		gs_claims_present(r, "%zu in force, %zu run out, %zu that cannot be read", g.n, g.n_over, g.n_bad);
	return 0;
}

const struct gs_claim_source gs_claims_notes = { "notes", stamp, read_notes };
