/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h - the record of a commit: what was about to be done, what came of
 * it, and so what a machine whose committer died is left with. Pure: records
 * in, state out. Their text is codec/journal_json.h, their files are
 * backend/journal.h.
 *
 * A commit writes, each on the disk before what follows it:
 *
 *   begin                             who, why, base, steps; nothing is done yet
 *   per step: intent                  it is about to be done
 *             result                  what the kernel or the driver answered
 *             done | pending | failed read back: it is there, it waits, it is not
 *   after a failure: undo, then per step of the undo
 *             intent, result, undone | pending | failed
 *   end                               the outcome
 *   closed                            by a later one: what became of a commit without end
 *
 * The order is by number, never by time: clocks jump.
 */
#ifndef GS_CORE_JOURNAL_H
#define GS_CORE_JOURNAL_H

#include "base/clock.h"
#include "core/plan.h"

#define GS_BOOT_ID_SIZE 40

/* Who asked. Text is printable and may be NULL where it is not known. */
struct gs_author {
	struct gs_u32 uid;              /* of the agent's caller; with sudo that of whoever called sudo */
	const char *user;               /* its name */
	const char *ssh_client;         /* "192.0.2.7" of SSH_CONNECTION; said by the caller, proven by nobody */
	const char *command;            /* "gpuslice apply layout.json"; said by the caller */
	const char *message;            /* --message */
};

/* One record. What a kind has not got is 0, unknown or NULL. */
struct gs_journal_record {
	enum gs_journal_kind kind;
	uint64_t seq;                   /* from 1 in its commit, without a gap */
	struct gs_wall at;
	/* intent to failed, undone: the step, by its number in the plan, or in the undo's when @is_undo */
	bool is_undo;
	uint32_t n;
	enum gs_step_op op;             /* INVALID: none */
	struct gs_bdf bdf;
	const char *unit;               /* of stop-unit and start-unit */
	const char *text;               /* intent: the step; result, failed: the answer; undo: why; end, closed: the outcome in sentences */
	int errnum;                     /* result, failed: 0 or -errno */
	/* undo: its steps */
	uint32_t n_steps;
	/* end: the outcome; closed: how it was dealt with, and by which commit (0: none was needed) */
	struct gs_u32 status;           /* enum gs_status */
	enum gs_way way;                /* closed: INVALID for «leave» */
	uint64_t by;
};

enum gs_journal_state {
	GS_JOURNAL_IS_OPEN,             /* no end: under way, or interrupted */
	GS_JOURNAL_IS_ENDED,
	GS_JOURNAL_IS_CLOSED,           /* interrupted, and dealt with */
};

/* A commit that would stop more is not begun. */
#define GS_JOURNAL_UNITS_MAX 64

/* What the records of one commit amount to. Strings are borrowed from whoever holds the records. */
struct gs_journal_commit {
	uint64_t id;                    /* 0: no begin seen */
	struct gs_wall begun;
	char boot_id[GS_BOOT_ID_SIZE];  /* that the machine had */
	enum gs_way way;
	uint64_t of;                    /* the commit that it undoes or recovers; 0: none */
	struct gs_author author;
	const struct gs_plan_base *gpus;    /* that it is about, with their revs then; the holder's */
	size_t n_gpus;
	uint32_t n_steps;
	enum gs_journal_state state;
	struct gs_wall ended;           /* of end or closed */
	uint32_t done;                  /* steps that are proven, in order */
	bool is_uncertain;              /* one more may have been done: an intent, no proof, and no word that it was refused */
	uint32_t tried;                 /* forward steps whose intent was written, but for units that are started: the last may have been refused, and done all the same */
	bool is_undoing;                /* the undo had begun */
	bool is_pending;                /* a step's effect waits; behind the end: the outcome is PENDING */
	struct gs_u32 status;           /* of end */
	const char *text;               /* of end or closed; NULL */
	enum gs_way closed_way;         /* INVALID: left */
	uint64_t closed_by;
	const char *units[GS_JOURNAL_UNITS_MAX];    /* stopped by it, or about to be, and not known to be started again */
	size_t n_units;
	uint64_t last_seq;
	bool is_open_step;              /* an intent without a verdict is the last word */
	uint32_t open_n;
	bool open_is_undo;
	/* gs_journal_take()'s own */
	bool open_has_result, open_is_refused;
	bool has_stopped;               /* no forward step follows but units that are started again */
	uint32_t forward_n;             /* of the last forward intent */
};

/*
 * Take the next record. -EBADMSG with a sentence when it cannot follow what
 * came before (a number left out, a verdict without an intent, anything but
 * closed behind an end): such a journal is not believed any further, what was
 * taken before stays. BEGIN's own members (id, boot id, author, …) are set by
 * the caller after it.
 *
 * Forward steps come one after the other. Behind a failure the units of the
 * plan may be started again, and the undo may have to go on although the
 * journal could not be written for a while: there an intent may be missing, or
 * a verdict. @r's strings are borrowed.
 */
int gs_journal_take(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e);

/*
 * Has it no end, or one where it could neither go on nor back? Then somebody has
 * to decide about it, unless somebody is at it. @status: of its end.
 */
bool gs_journal_wants_end(enum gs_journal_state state, struct gs_u32 status);

/* "commit 12 (alice, 2026-11-21 14:03:09 UTC, gpuslice apply x)". Returns @buf. */
const char *gs_journal_label(const struct gs_journal_commit *c, char *buf, size_t size);
/* How it came about: "apply", "undo of 12"; what a recovery is called is "finish of 12" and "undo of 12" too. Returns @buf. */
const char *gs_journal_way_text(enum gs_way way, uint64_t of, char *buf, size_t size);
/* Half a sentence: "interrupted after step 2 of 5, step 3 may be half done". Returns @buf. */
const char *gs_journal_summary(const struct gs_journal_commit *c, char *buf, size_t size);
/* For a log: "commit 12 by alice (uid 1000, from 192.0.2.7): apply: done, 5 steps on 0000:26:00.0 - MESSAGE". Printable ASCII and UTF-8, one line. Returns @buf. */
const char *gs_journal_log_line(const struct gs_journal_commit *c, char *buf, size_t size);

#endif
