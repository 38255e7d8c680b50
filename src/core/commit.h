/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commit.h - carrying out a plan. The state machine is here and pure; whatever
 * touches a machine, a clock or a file is behind gs_commit_ops.
 *
 *   collect, compare revs, plan again, compare digests; journal BEGIN; before;
 *   per step: journal INTENT, do, journal RESULT, read back, journal DONE;
 *   on failure: journal UNDO; plan from what is to the base, same rules, same steps;
 *   after; journal END.
 */
#ifndef GS_CORE_COMMIT_H
#define GS_CORE_COMMIT_H

#include "core/journal.h"
#include "core/past.h"
#include "core/plan.h"

enum gs_commit_event {
	GS_COMMIT_STEP_BEGINS,
	GS_COMMIT_STEP_DONE,
	GS_COMMIT_STEP_PENDING,     /* accepted by the driver, not active yet */
	GS_COMMIT_STEP_FAILED,
	GS_COMMIT_UNDO_BEGINS,      /* the steps that follow are the undo's, numbered from 1 */
	GS_COMMIT_MAX_EVENT,
};

/* What a step produced, as far as the driver says. */
struct gs_step_outcome {
	bool is_pending;
	uint32_t id;                /* of the created GI or CI */
	char note[256];             /* a sentence for the operator, or empty */
};

struct gs_commit_result;

/* What a commit tells its journal: the record of journal.h without its number and time. */
struct gs_commit_record {
	enum gs_journal_kind kind;
	const struct gs_plan *plan;             /* begin: what is to be done; undo: its steps */
	bool is_undo;                           /* the step is the undo's */
	const struct gs_step *step;             /* intent to failed, undone */
	int errnum;                             /* result, failed */
	const char *text;                       /* result, failed: the answer; undo: why */
	const struct gs_commit_result *result;  /* end */
};

/* The record of journal.h that it is; not for begin, which has more to say. Strings are borrowed. */
void gs_commit_record_to_journal(const struct gs_commit_record *record, struct gs_journal_record *ret_record);

struct gs_commit_ops {
	/* A fresh, sealed snapshot; the caller of the op owns the reference. */
	int (*collect)(void *userdata, struct gs_snapshot **ret_snapshot, struct gs_error *e);
	/* Carry out one step. Success only means that the driver said so; it is read back by collect. */
	int (*run)(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e);
	/*
	 * May be NULL: no journal. Returns once the record is on the disk. Where
	 * begin, an intent or what follows it cannot be written, nothing more is
	 * done and what was done is undone; the undo goes on without, since
	 * stopping half-way would be worse than a gap in the record.
	 */
	int (*journal)(void *userdata, const struct gs_commit_record *record, struct gs_error *e);
	/* May be NULL. */
	void (*progress)(void *userdata, enum gs_commit_event event, const struct gs_step *step, size_t n_steps, const char *note);
	/* Did the operator ask to stop after this step? May be NULL. */
	bool (*cancelled)(void *userdata);
	/*
	 * May be NULL. Called once the plan is approved and has steps, before the
	 * first of them. Negative: nothing is done, @e says why, the status is
	 * REFUSED. Positive: others were at work meanwhile, so the machine is
	 * looked at again. 0: go on.
	 */
	int (*before)(void *userdata, const struct gs_plan *plan, struct gs_error *e);
	/*
	 * May be NULL. Called at the end whenever before was, whatever became of
	 * the commit. What goes to @ret_note ("" for nothing) is added to the text
	 * of the result; its status stays.
	 */
	void (*after)(void *userdata, const struct gs_plan *plan, const struct gs_commit_result *result, char *ret_note, size_t size);
};

/*
 * How to make the plan again from a fresh snapshot: the request itself, so
 * that the plan that is carried out is made from what is there now.
 */
struct gs_commit_source {
	int (*plan)(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret_plan, struct gs_error *e);
	void *userdata;
};

struct gs_commit_options {
	const struct gs_digest *expect;     /* only the plan that was approved; NULL: whichever */
	const struct gs_plan_base *base;    /* revs that the approver saw; none: not compared */
	size_t n_base;
	bool yes;                           /* CONFIRM findings are confirmed */
	const struct gs_past *past;         /* the interrupted commit that this is to end; NULL: none. OK only when its GPUs are … */
	enum gs_way way;                    /* … as it was to make them (FINISH), or as before it (TAKE_BACK) */
};

struct gs_commit_result {
	enum gs_status status;
	struct gs_plan *plan;               /* what was carried out or refused; owned by the result; may be NULL */
	size_t done;                        /* steps carried out */
	bool undone;                        /* after a failure: the machine is as before */
	bool is_stale;                      /* nothing was done because the machine is not the one that was planned for: a new plan may be */
	char text[1024];                    /* what happened and what state the machine is in, in sentences */
};
void gs_commit_result_done(struct gs_commit_result *r);
#define GS_COMMIT_RESULT GS_CLEANUP(gs_commit_result_done)

/*
 * Carry out. Always fills *@ret_result; the return is 0 for OK and PENDING,
 * else a negative errno, with the same sentence in @e.
 */
int gs_commit_run(const struct gs_commit_ops *ops, void *userdata, const struct gs_commit_source *source,
		  const struct gs_commit_options *options, struct gs_commit_result *ret_result, struct gs_error *e);

#endif
