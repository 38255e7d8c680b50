/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_list.h - the journal's commits as an agent lists them (summaries of
 * journal_json.h), taken apart; and which of them is the last that can be
 * undone, which need an end. One rule for the commands and the screen.
 */
#ifndef GS_CODEC_JOURNAL_LIST_H
#define GS_CODEC_JOURNAL_LIST_H

#include "codec/json.h"
#include "core/journal.h"

/* More are not taken: the newest count. */
#define GS_JOURNAL_LIST_MAX 10000

/* One commit of it. Text is printable; NULL where it is not known. */
struct gs_journal_entry {
	uint64_t id;
	struct gs_wall begun;
	enum gs_way way;                /* INVALID: of a newer program */
	uint64_t of;                    /* the commit that it undoes or recovers; 0: none */
	struct gs_author author;
	const struct gs_bdf *gpus;
	size_t n_gpus;
	enum gs_journal_state state;
	bool is_under_way;              /* no end yet, and its agent lives */
	struct gs_u32 status;           /* of its end */
	enum gs_way closed_way;
	const char *summary;            /* half a sentence; never NULL */
	const char *text;               /* its outcome in sentences */
};

struct gs_journal_list {
	struct gs_journal_entry *items; /* the newest first */
	size_t n;
	struct gs_arena *arena;
};
struct gs_journal_list *gs_journal_list_free(struct gs_journal_list *l);
GS_DEFINE_CLEANUP(struct gs_journal_list *, gs_journal_list_free);

/* @commits: what gs_session_journal() gives. The caller owns the list. -EBADMSG with the place in it, -ENOMEM. */
int gs_journal_list_from_json(struct json_object *commits, struct gs_journal_list **ret_list, struct gs_error *e);

/*
 * Without an end though nobody is at it, or ended where it could neither go on
 * nor back. A recovery that died itself goes with the commit that it was of.
 */
bool gs_journal_needs_recovery(const struct gs_journal_list *l, const struct gs_journal_entry *c);
/*
 * The newest that did something and was not taken back; the whole of it. What takes
 * another one back is none: undo goes back further each time. NULL: nothing is left.
 */
const struct gs_journal_entry *gs_journal_last_undoable(const struct gs_journal_list *l);
/*
 * What finished an interrupted commit is one thing with it: both are undone
 * together, by the number of the first. The number of the commit that @c belongs
 * to so; its own for any other.
 */
uint64_t gs_journal_whole(const struct gs_journal_list *l, const struct gs_journal_entry *c);
/* The commit that took @c back, or that it belongs to; 0: it was not, or that has been taken back itself. */
uint64_t gs_journal_undone_by(const struct gs_journal_list *l, const struct gs_journal_entry *c);
/*
 * What the others mean for @f: was it continued, which is it a part of, which
 * took it back, and which is the newest behind it that changed one of its GPUs
 * too and is in effect still?
 */
struct gs_journal_file;
void gs_journal_relate(const struct gs_journal_list *l, struct gs_journal_file *f);

#endif
