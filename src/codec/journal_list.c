/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/journal_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/status.h"
#include "codec/journal_codec.h"
#include "codec/json_reader.h"
#include "core/bdf.h"

#define GPUS_MAX 16384

struct gs_journal_list *gs_journal_list_free(struct gs_journal_list *l)
{
	if (!l)
		return NULL;
	gs_arena_free(l->arena);
	free(l);
	return NULL;
}

static void read_author(struct gs_json_reader *r, struct gs_arena *arena, struct gs_author *ret)
{
	struct json_object *o = gs_json_read_object(r, "author");
	struct gs_json_where where = { r->where, "author", 0 };
	struct gs_json_reader inner;

	if (!o)
		return;
	inner = gs_json_reader_of(o, &where, r->e);
	ret->uid = gs_json_read_u32(&inner, "uid", UINT32_MAX);
	ret->user = gs_journal_read_text(&inner, arena, "user");
	ret->ssh_client = gs_journal_read_text(&inner, arena, "ssh_client");
	ret->command = gs_journal_read_text(&inner, arena, "command");
	ret->message = gs_journal_read_text(&inner, arena, "message");
	if (inner.failed)
		r->failed = inner.failed;
}

static void read_gpus(struct gs_json_reader *r, struct gs_arena *arena, struct gs_journal_entry *c)
{
	struct json_object *list = NULL;
	size_t n = gs_json_read_array(r, "gpus", GPUS_MAX, &list);
	struct gs_bdf *gpus = n ? gs_arena_calloc(arena, n, sizeof(*gpus)) : NULL;

	for (size_t i = 0; gpus && i < n; i++) {
		const char *bdf = NULL;

		if (gs_json_get_string(json_object_array_get_idx(list, i), "bdf", &bdf, NULL) < 0 || !bdf || gs_bdf_parse(bdf, &gpus[i]) < 0) {
			gs_json_read_fail(r, "gpus", "has one without a PCI address");
			return;
		}
	}
	c->gpus = gpus;
	c->n_gpus = gpus ? n : 0;
}

/* A record that cannot be read any more is told of all the same; nothing follows from it. */
static bool is_damaged(struct gs_json_reader *r, struct gs_arena *arena, struct gs_journal_entry *c)
{
	const char *why = gs_json_read_string(r, "state") ? NULL : gs_journal_read_text(r, arena, "damage");

	if (!why)
		return false;
	c->way = c->closed_way = GS_WAY_INVALID;
	/* whether it ended nobody knows */
	c->state = GS_JOURNAL_IS_OPEN;
	c->summary = gs_arena_printf(arena, "cannot be read: %s", why);
	return true;
}

static enum gs_journal_state state_of(struct gs_json_reader *r)
{
	const char *word = gs_json_read_name(r, "state");

	if (word && strcmp(word, "open") && strcmp(word, "ended") && strcmp(word, "closed"))
		gs_json_read_fail(r, "state", "is none of open, ended, closed");
	return !word || word[0] == 'o' ? GS_JOURNAL_IS_OPEN : word[0] == 'e' ? GS_JOURNAL_IS_ENDED : GS_JOURNAL_IS_CLOSED;
}

static enum gs_way way_of(struct gs_json_reader *r, const char *key)
{
	const char *word = gs_json_read_string(r, key);

	return word ? gs_way_from_name(word) : GS_WAY_INVALID;
}

static int read_one(struct json_object *o, const struct gs_json_where *where, struct gs_arena *arena, struct gs_journal_entry *c, struct gs_error *e)
{
	struct gs_json_reader r = gs_json_reader_of(o, where, e);
	struct gs_u64 id = gs_json_read_u64(&r, "id"), of = gs_json_read_u64(&r, "of");

	if (!r.failed && (!id.known || !id.value))
		gs_json_read_fail(&r, "id", "is not the number of a commit");
	c->id = id.value;
	if (is_damaged(&r, arena, c))
		return r.failed;
	c->of = of.known ? of.value : 0;
	c->begun.ms = gs_json_read_i64(&r, "begun_ms").value;
	c->way = way_of(&r, "way");
	c->state = state_of(&r);
	c->is_under_way = gs_json_read_bool(&r, "under_way", false);
	c->status = gs_json_read_u32(&r, "status", UINT32_MAX);
	c->closed_way = way_of(&r, "closed_way");
	c->summary = gs_journal_read_text(&r, arena, "summary");
	c->text = gs_journal_read_text(&r, arena, "text");
	read_author(&r, arena, &c->author);
	read_gpus(&r, arena, c);
	if (!c->summary)
		c->summary = "";
	return r.failed;
}

int gs_journal_list_from_json(struct json_object *commits, struct gs_journal_list **ret_list, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = calloc(1, sizeof(*l));
	const struct gs_json_where root = { NULL, "commits", 0 };
	size_t n = json_object_array_length(commits);

	if (!l)
		return gs_error_oom(e);
	n = n > GS_JOURNAL_LIST_MAX ? GS_JOURNAL_LIST_MAX : n;
	l->arena = gs_arena_new();
	l->items = l->arena ? gs_arena_calloc(l->arena, n + 1, sizeof(*l->items)) : NULL;
	if (!l->items)
		return gs_error_oom(e);
	for (size_t i = 0; i < n; i++) {
		const struct gs_json_where where = { &root, NULL, i };
		int r = read_one(json_object_array_get_idx(commits, i), &where, l->arena, &l->items[i], e);

		if (r < 0)
			return r;
	}
	if (gs_arena_has_failed(l->arena))
		return gs_error_oom(e);
	l->n = n;
	*ret_list = GS_TAKE(l);
	return 0;
}

static bool has_no_end(const struct gs_journal_entry *c)
{
	return !c->is_under_way && gs_journal_wants_end(c->state, c->status);
}

bool gs_journal_needs_recovery(const struct gs_journal_list *l, const struct gs_journal_entry *c)
{
	if (!has_no_end(c))
		return false;
	for (size_t i = 0; c->of && c->way != GS_WAY_UNDO && i < l->n; i++)
		if (l->items[i].id == c->of && has_no_end(&l->items[i]))
			return false;
	return true;
}

static bool has_succeeded(const struct gs_journal_entry *c)
{
	return gs_u32_is(c->status, GS_STATUS_OK) || gs_u32_is(c->status, GS_STATUS_PENDING);
}

/* What another one went on with to its end did something too. */
static bool did_something(const struct gs_journal_entry *c)
{
	return has_succeeded(c) || (c->state == GS_JOURNAL_IS_CLOSED && c->closed_way == GS_WAY_FINISH);
}

static bool takes_back(const struct gs_journal_entry *c)
{
	return c->way == GS_WAY_UNDO || c->way == GS_WAY_TAKE_BACK;
}

/* Where it is in the list; n: not any more. */
static size_t place_of(const struct gs_journal_list *l, uint64_t id)
{
	size_t i = 0;

	while (i < l->n && l->items[i].id != id)
		i++;
	return i;
}

/* The one that it was the end of. It stands further down, so going on from there ends. */
static size_t whole_at(const struct gs_journal_list *l, size_t at)
{
	for (;;) {
		const struct gs_journal_entry *c = &l->items[at];
		size_t of = c->way == GS_WAY_FINISH ? place_of(l, c->of) : l->n;

		if (of <= at || of == l->n || l->items[of].state != GS_JOURNAL_IS_CLOSED || l->items[of].closed_way != GS_WAY_FINISH)
			return at;
		at = of;
	}
}

/* Has a later one (they come first) taken it back, and is in effect still? 0: none. */
static uint64_t undone_by(const struct gs_journal_list *l, size_t at)
{
	size_t whole = whole_at(l, at);

	for (size_t i = 0; i < whole; i++)
		if (takes_back(&l->items[i]) && has_succeeded(&l->items[i]) && l->items[i].of == l->items[whole].id && !undone_by(l, i))
			return l->items[i].id;
	return 0;
}

uint64_t gs_journal_whole(const struct gs_journal_list *l, const struct gs_journal_entry *c)
{
	return l->items[whole_at(l, (size_t)(c - l->items))].id;
}

uint64_t gs_journal_undone_by(const struct gs_journal_list *l, const struct gs_journal_entry *c)
{
	return undone_by(l, (size_t)(c - l->items));
}

const struct gs_journal_entry *gs_journal_last_undoable(const struct gs_journal_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (did_something(&l->items[i]) && !takes_back(&l->items[i]) && !undone_by(l, i))
			return &l->items[whole_at(l, i)];
	return NULL;
}

static bool shares_a_gpu(const struct gs_journal_entry *a, const struct gs_journal_entry *b)
{
	for (size_t i = 0; i < a->n_gpus; i++)
		for (size_t k = 0; k < b->n_gpus; k++)
			if (gs_bdf_compare(a->gpus[i], b->gpus[k]) == 0)
				return true;
	return false;
}

void gs_journal_relate(const struct gs_journal_list *l, struct gs_journal_file *f)
{
	size_t at = place_of(l, f->commit.id), whole;
	const struct gs_journal_entry *c;

	if (at == l->n)
		return;
	c = &l->items[at];
	whole = whole_at(l, at);
	f->part_of = whole == at ? 0 : l->items[whole].id;
	f->undone_by = undone_by(l, at);
	for (size_t i = 0; i < at; i++) {
		const struct gs_journal_entry *later = &l->items[i];

		f->was_continued |= later->of == c->id && later->way == GS_WAY_FINISH;
		/* what ends this very commit is no change of somebody else's */
		if (!f->changed_since && later->of != c->id && whole_at(l, i) != whole && did_something(later) && !takes_back(later) && !undone_by(l, i) && shares_a_gpu(c, later))
			f->changed_since = later->id;
	}
}
