/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultjournal.c - the journal of a machine of faulthost.h: lines of the real codec, in memory, where the store of backend/journal.h has files. */
#include "tests/lib/faultjournal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

static const char *boot_id(const struct fault_host *h, char *buf, size_t size)
{
	snprintf(buf, size, "6e1f2a30-0000-4000-8000-%012u", h->boot);
	return buf;
}

/* ---------------------------------------------------------------- writing */

static struct fault *fault_of_record(struct fault_host *h)
{
	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].at == h->records && fault_kind_is_of_record(h->faults[i].kind))
			return &h->faults[i];
	return NULL;
}

static int line_of_begin(struct fault_host *h, const struct gs_commit_record *record, char **ret_line, struct gs_error *e)
{
	static const struct gs_plan_options none;
	char boot[GS_BOOT_ID_SIZE];
	const struct gs_journal_begin begin = {
		.id = h->n_journals + 1, .at = { h->clock_ms }, .boot_id = boot_id(h, boot, sizeof(boot)), .host = "testhost", .pid = 4711, .start_time = 99,
		.way = h->way, .of = h->of, .plan = record->plan, .options = &none,
		.author = { GS_U32(1000), "alice", NULL, "gpuslice apply x", NULL },
	};

	if (h->n_journals == FAULT_JOURNALS_MAX)
		abort();
	return gs_journal_begin_to_line(&begin, ret_line, e);
}

static int line_of(struct fault_host *h, const struct gs_commit_record *record, char **ret_line, struct gs_error *e)
{
	struct gs_journal_record r;

	if (record->kind == GS_JOURNAL_BEGIN)
		return line_of_begin(h, record, ret_line, e);
	gs_commit_record_to_journal(record, &r);
	r.at.ms = h->clock_ms;
	r.seq = h->journals[h->n_journals - 1].seq + 1;
	return gs_journal_record_to_line(&r, ret_line, e);
}

static void append(struct fault_host *h, const struct gs_commit_record *record, const char *line, size_t n)
{
	struct fault_journal *j;

	if (record->kind == GS_JOURNAL_BEGIN) {
		j = &h->journals[h->n_journals++];
		*j = (struct fault_journal){ h->n_journals, 0, GS_STRBUF_INIT };
	}
	j = &h->journals[h->n_journals - 1];
	gs_strbuf_add(&j->bytes, line, n);
	j->seq += line[n - 1] == '\n';
}

static int dead(struct fault_host *h, struct gs_error *e)
{
	h->is_dead = true;
	return gs_error_set(e, -EOWNERDEAD, GS_STATUS_FAILED, "dead");
}

static void came(struct fault_host *h, struct fault *f, const struct gs_commit_record *record)
{
	f->came = true;
	gs_strbuf_printf(&h->log, "<%s:%s>", gs_journal_kind_name(record->kind), fault_kind_word(f->kind));
	if (h->count)
		h->count(h->userdata, record->step ? record->step->op : GS_STEP_INVALID, h->is_back, f->kind);
}

static int full(struct gs_error *e, int r)
{
	return gs_error_set(e, r, GS_STATUS_FAILED, "%s", strerror(-r));
}

int fault_journal_record(void *userdata, const struct gs_commit_record *record, struct gs_error *e)
{
	struct fault_host *h = userdata;
	GS_FREE char *line = NULL;
	struct fault *f;
	size_t n;
	int r;

	if (h->is_dead)
		return dead(h, e);
	h->records++;
	if (record->kind == GS_JOURNAL_UNDO && !h->is_back) {
		h->is_back = true;
		h->kept_wiped = h->fam.wiped;
		gs_strbuf_puts(&h->log, " |");
	}
	/* behind a failure units are started again: that is on the way back, too */
	if (record->kind == GS_JOURNAL_FAILED)
		h->is_back = true;
	h->clock_ms += 1000;
	f = fault_of_record(h);
	if (f)
		came(h, f, record);
	if (f && f->kind == FAULT_KILL_RECORD)
		return dead(h, e);
	if (f && f->kind == FAULT_CLOCK)
		h->clock_ms -= 365ll * 24 * 3600 * 1000;
	h->has_no_space |= f && f->kind == FAULT_NO_SPACE_FOR_GOOD;
	h->is_read_only |= f && f->kind == FAULT_READ_ONLY;
	if (h->is_read_only)
		return full(e, -EROFS);
	if (h->has_no_space || (f && f->kind == FAULT_NO_SPACE))
		return full(e, -ENOSPC);
	/* what the store cuts off again before the next one: on failure a record does not count */
	if (f && f->kind == FAULT_IO_ERROR)
		return full(e, -EIO);
	if (record->kind != GS_JOURNAL_BEGIN && !h->n_journals)
		return full(e, -EBADF);
	r = line_of(h, record, &line, e);
	if (r < 0)
		return r;
	n = strlen(line);
	if (f && f->kind == FAULT_TORN)
		n /= 2;
	append(h, record, line, n);
	return f && (f->kind == FAULT_TORN || f->kind == FAULT_KILL_RECORDED) ? dead(h, e) : 0;
}

/* Open, or ended with the machine neither here nor there. */
static bool needs_recovery(const struct gs_journal_commit *c)
{
	return c->state == GS_JOURNAL_IS_OPEN || (c->state == GS_JOURNAL_IS_ENDED && gs_u32_is(c->status, GS_STATUS_NOT_UNDONE));
}

static int close_one(struct fault_host *h, uint64_t id, enum gs_way way, uint64_t by, struct gs_error *e)
{
	struct fault_journal *j = &h->journals[id - 1];
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	struct gs_journal_record record = { .kind = GS_JOURNAL_CLOSED, .at = { h->clock_ms }, .op = GS_STEP_INVALID, .way = way, .by = by, .text = "recovered" };
	GS_FREE char *line = NULL;
	int r = gs_journal_parse(j->bytes.text, j->bytes.length, &f, e);

	if (r < 0)
		return r;
	/* half a line is cut off before the next one, as the store does */
	j->bytes.length = f->n_valid_bytes;
	j->bytes.text[j->bytes.length] = '\0';
	record.seq = f->commit.last_seq + 1;
	r = gs_journal_record_to_line(&record, &line, e);
	if (r < 0)
		return r;
	gs_strbuf_puts(&j->bytes, line);
	return gs_journal_take(&f->commit, &record, e);
}

/* With it those that were to end it and did not: what they left has found its end, too. */
int fault_journal_close(struct fault_host *h, uint64_t id, enum gs_way way, uint64_t by, struct gs_error *e)
{
	int r = close_one(h, id, way, by, e);

	for (size_t i = id; i < h->n_journals && r == 0; i++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;

		if (gs_journal_parse(h->journals[i].bytes.text, h->journals[i].bytes.length, &f, NULL) == 0 && f->commit.of == id && needs_recovery(&f->commit))
			r = fault_journal_close(h, f->commit.id, way, by, e);
	}
	return r;
}

/* ---------------------------------------------------------------- reading */

int fault_host_open_commit(const struct fault_host *h, uint64_t *ret_id, struct gs_error *e)
{
	uint64_t newest_open = 0, oldest = 0;

	for (size_t i = 0; i < h->n_journals; i++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
		int r = gs_journal_parse(h->journals[i].bytes.text, h->journals[i].bytes.length, &f, e);

		/* half a begin: nothing had been done */
		if (r == -ENODATA)
			continue;
		if (r < 0)
			return r;
		if (needs_recovery(&f->commit) && !oldest)
			oldest = f->commit.id;
		if (f->commit.state == GS_JOURNAL_IS_OPEN)
			newest_open = f->commit.id;
	}
	*ret_id = newest_open ? newest_open : oldest;
	return 0;
}

void fault_journal_mark(struct fault_host *h)
{
	memset(h->mig_interrupted, 0, sizeof(h->mig_interrupted));
	for (size_t i = 0; i < h->fam.n; i++)
		h->fam.gpus[i].interrupted = 0;
	for (size_t i = 0; i < h->n_journals; i++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;

		if (gs_journal_parse(h->journals[i].bytes.text, h->journals[i].bytes.length, &f, NULL) < 0 || f->commit.state != GS_JOURNAL_IS_OPEN)
			continue;
		for (size_t k = 0; k < f->commit.n_gpus; k++) {
			uint32_t gpu = f->commit.gpus[k].gpu;

			if (h->is_mig && gpu < FAM_GPUS_MAX)
				h->mig_interrupted[gpu] = f->commit.id;
			else if (!h->is_mig)
				h->fam.gpus[f->commit.gpus[k].bdf.bus - 1].interrupted = f->commit.id;
		}
	}
}

int fault_journal_past(const struct fault_host *h, uint64_t id, struct gs_past **ret_past, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	char boot[GS_BOOT_ID_SIZE];
	int r;

	if (!id || id > h->n_journals)
		return gs_error_set(e, -ENOENT, GS_STATUS_FAILED, "no commit %" PRIu64, id);
	r = gs_journal_parse(h->journals[id - 1].bytes.text, h->journals[id - 1].bytes.length, &f, e);
	if (r == 0)
		r = gs_journal_past(f, boot_id(h, boot, sizeof(boot)), ret_past, e);
	/* one that was to finish it may have come further, all the way */
	for (size_t i = id; r == 0 && i < h->n_journals; i++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *later = NULL;

		if (gs_journal_parse(h->journals[i].bytes.text, h->journals[i].bytes.length, &later, NULL) < 0 || later->commit.of != id)
			continue;
		if (later->commit.way == GS_WAY_FINISH)
			(*ret_past)->tried = (*ret_past)->plan->n_steps;
		/* … and have left a unit down, which comes up with this one */
		for (size_t k = 0; needs_recovery(&later->commit) && k < later->commit.n_units && (*ret_past)->n_units < GS_JOURNAL_UNITS_MAX; k++)
			(*ret_past)->units[(*ret_past)->n_units++] = gs_arena_strdup((*ret_past)->arena, later->commit.units[k]);
	}
	return r;
}

/* ---------------------------------------------------------------- every prefix */

static int check_prefix(const struct fault_journal *j, size_t n, size_t lines, bool is_whole, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	const struct gs_journal_commit *c;
	int r = gs_journal_parse(j->bytes.text, n, &f, e);

	if (!lines)
		return r == -ENODATA ? 0 : gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "half a begin is read as %d", r);
	if (r < 0)
		return r;
	c = &f->commit;
	if (f->n_records != lines || c->last_seq != lines || (f->damage[0] != '\0') == is_whole)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "of %zu records %zu are read (%s)", lines, f->n_records, f->damage);
	if (c->done > c->n_steps || (c->is_uncertain && c->done == c->n_steps))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "after %zu records %" PRIu32 " of %" PRIu32 " steps are done%s", lines, c->done, c->n_steps,
				    c->is_uncertain ? " and one more may be" : "");
	return 0;
}

static int replay(const struct fault_journal *j, struct gs_error *e)
{
	size_t lines = 0;

	/* the last bytes may be half a line */
	for (size_t at = 0; at < j->bytes.length;) {
		const char *end = memchr(j->bytes.text + at, '\n', j->bytes.length - at);
		size_t next = end ? (size_t)(end - j->bytes.text) + 1 : j->bytes.length;
		int r = next - at > 1 ? check_prefix(j, at + (next - at) / 2, lines, false, e) : 0;

		if (r < 0 || !end)
			return r;
		r = check_prefix(j, next, ++lines, true, e);
		if (r < 0)
			return r;
		at = next;
	}
	return 0;
}

int fault_host_replay(const struct fault_host *h, struct gs_error *e)
{
	for (size_t i = 0; i < h->n_journals; i++) {
		int r = replay(&h->journals[i], e);

		if (r < 0)
			return gs_error_prefix(e, "journal %zu: ", i + 1);
	}
	return 0;
}
