/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faulthost.h - a machine (famhost.h, or MIG alone of testhost.h), its journal
 * as bytes of the real codec, and what can go wrong while a commit changes it.
 * A commit runs in this process against it; what kills it is a flag, from which
 * on nothing is done and nothing is written, as the world sees a death.
 */
#ifndef GS_TESTS_FAULTHOST_H
#define GS_TESTS_FAULTHOST_H

#include "base/strbuf.h"
#include "codec/journal_json.h"
#include "core/commit.h"
#include "core/past.h"
#include "tests/lib/famhost.h"

#define FAULT_FAULTS_MAX 3
#define FAULT_JOURNALS_MAX 24
#define FAULT_WAITS_MAX 24

/* Columns of the matrix of the report. */
enum fault_column { FAULT_IN_BEFORE, FAULT_IN_SHORT, FAULT_IN_AFTER, FAULT_IN_HANG, FAULT_IN_KILL, FAULT_COLUMNS, FAULT_IN_NONE = -1 };

/*
 * What goes wrong, by the number of an act (the n-th step that is carried out,
 * whichever plan it is of) or of a record. A word for each, for who repeats it.
 */
#define FAULT_KINDS(X) \
	X(REFUSED, "refused", BEFORE)           /* act: an error, and nothing was done */ \
	X(HALF, "half", SHORT)                  /* act: an error, and half of it was done */ \
	X(HALF_CALLED_DONE, "half-done", SHORT) /* act: success, and half of it was done */ \
	X(NOTHING, "nothing", SHORT)            /* act: success, and nothing was done */ \
	X(DONE_CALLED_REFUSED, "after", AFTER)  /* act: an error, and it was done */ \
	X(HANG, "hang", HANG)                   /* act: it waits in the kernel, and comes when it is let go */ \
	X(GONE, "gone", AFTER)                  /* act: done; the GPU has gone from the bus behind it */ \
	X(LOST, "lost", BEFORE)                 /* act: refused; the driver cannot talk to the GPU any more */ \
	X(BLIND, "blind", AFTER)                /* act: done; the look behind it fails, once */ \
	X(BLIND_FOR_GOOD, "blind-for-good", AFTER)  /* … and so do all that follow */ \
	X(CANCEL, "cancel", NONE)               /* act: done; the operator asks to stop */ \
	X(INTRUDER, "intruder", NONE)           /* act: another tool makes something of its own right before it */ \
	X(HOLDER, "holder", NONE)               /* act: done; somebody takes into use what it made, or the GPU */ \
	X(KILL_BEFORE, "kill-before", KILL)     /* act: dead before it */ \
	X(KILL_HALF, "kill-half", KILL)         /* act: dead in the middle of it */ \
	X(KILL_AFTER, "kill-after", KILL)       /* act: dead behind it, before its answer is written */ \
	X(KILL_HANGING, "kill-hanging", HANG)   /* act: it waits in the kernel, and whoever asked is dead */ \
	X(KILL_RECORD, "kill-record", NONE)     /* record: dead before it is written */ \
	X(KILL_RECORDED, "kill-recorded", NONE) /* record: dead behind it */ \
	X(TORN, "torn", NONE)                   /* record: dead with half of it written */ \
	X(NO_SPACE, "no-space", NONE)           /* record: it cannot be written */ \
	X(NO_SPACE_FOR_GOOD, "no-space-for-good", NONE) /* … nor can any that follows */ \
	X(IO_ERROR, "io-error", NONE)           /* record: it cannot be written, and half of it is there */ \
	X(READ_ONLY, "read-only", NONE)         /* record: the directory is read-only, from here on */ \
	X(CLOCK, "clock", NONE)                 /* record: the clock is set back by a year */

#define FAULT_ENUM_(id, word, column) FAULT_##id,
enum fault_kind { FAULT_KINDS(FAULT_ENUM_) FAULT_KINDS_MAX, FAULT_NONE = -1 };
const char *fault_kind_word(enum fault_kind k);
enum fault_column fault_kind_column(enum fault_kind k);
bool fault_kind_is_of_record(enum fault_kind k);
bool fault_kind_kills(enum fault_kind k);

struct fault {
	enum fault_kind kind;
	size_t at;                      /* from 1 */
	bool came;                      /* it was met, and there was something to do wrong */
};

struct fault_journal {
	uint64_t id, seq;
	struct gs_strbuf bytes;
};

/* A write that the kernel still has (@waits), or something that comes a little later than the answer. */
struct fault_wait {
	struct gs_step step;
	bool waits;
};

/* What is asked of the machine. */
struct fault_request {
	const char *script;
	struct gs_plan_options options; /* borrowed lists */
};

struct fault_host {
	bool is_mig;
	struct fam_host fam;
	struct gs_snapshot *mig, *mig_first;
	bool mig_is_lost[FAM_GPUS_MAX];
	uint64_t mig_interrupted[FAM_GPUS_MAX];
	struct gs_arena *arena;
	struct fault_wait waits[FAULT_WAITS_MAX];
	size_t n_waits;
	/* what is to go wrong in the next commit; its acts and records are counted from 1 */
	struct fault faults[FAULT_FAULTS_MAX];
	size_t n_faults, acts, records;
	bool is_dead, is_cancelled, is_blind, is_blind_for_good, has_no_space, is_read_only;
	bool is_back;                   /* the acts are those of an undo, or of a way back */
	bool changes_before;            /* another commit was at work before the first step */
	/* the journal */
	unsigned boot;
	int64_t clock_ms;
	struct fault_journal journals[FAULT_JOURNALS_MAX];
	size_t n_journals;
	enum gs_way way;                /* of the commit under way */
	uint64_t of;
	/* what became of it, for who judges */
	unsigned kept_wiped;            /* fam.wiped when the undo began */
	bool has_intruder, came_back_then;  /* … came when the undo had made its plan */
	bool unit_is_down;
	uint32_t intruder_gpu, intruder_slot;
	bool has_holder;
	uint32_t holder_gpu;
	struct gs_step holder_step;
	char broken[200];               /* what must never happen and did, or "" */
	struct gs_strbuf log;           /* "enable-vfs<half> disable-vfs …" */
	/* told of each fault that came; may be NULL */
	void (*count)(void *userdata, enum gs_step_op op, bool is_back, enum fault_kind kind);
	void *userdata;
};

/* A machine of famhost.h's words, or with @model one of testhost.h's. The caller empties it. */
void fault_host_init(struct fault_host *h, const char *model, const char *spec);
void fault_host_done(struct fault_host *h);
#define FAULT_HOST GS_CLEANUP(fault_host_done) struct fault_host

size_t fault_host_n_gpus(const struct fault_host *h);
/* GPU @gpu in words, without ids; the caller frees. */
char *fault_host_text(const struct fault_host *h, size_t gpu);
struct gs_snapshot *fault_host_look(const struct fault_host *h);

/* Let go of all that waits: it comes now, or fails unseen. */
void fault_host_release(struct fault_host *h);
/* Somebody repairs what no command can: GPUs that have gone or are lost come back, who came lets go, looks work, the disk has room. */
void fault_host_repair(struct fault_host *h);
/* A power cut and a start: what of the machine that loses, another boot; @n_torn bytes of a record behind the last one. Not for MIG of testhost.h. */
void fault_host_reboot(struct fault_host *h, const char *torn);

/* Nothing goes wrong from here on. */
void fault_host_clear(struct fault_host *h);

/* A commit of @q, with what is to go wrong. @base, @n_base as in gs_commit_options. */
int fault_host_commit(struct fault_host *h, const struct fault_request *q, const struct gs_plan_base *base, size_t n_base, struct gs_commit_result *ret_result,
		      struct gs_error *e);

/* The newest commit that never ended (the others lie below it), else the oldest that could not be undone; 0: none is open. -EBADMSG and @e when a journal cannot be read. */
int fault_host_open_commit(const struct fault_host *h, uint64_t *ret_id, struct gs_error *e);

/*
 * What `recover` does about commit @id: close it where the machine is base or
 * target already (*@ret_settled), else carry out the way. @q's options are what
 * the operator allows again.
 */
int fault_host_recover(struct fault_host *h, uint64_t id, enum gs_way way, const struct fault_request *q, bool *ret_settled, struct gs_commit_result *ret_result,
		       struct gs_error *e);

/* `recover --leave`. */
int fault_host_leave(struct fault_host *h, uint64_t id);

/* Each prefix of every journal, at its records and in the middle of a few, is read as what it is. -EBADMSG with what is wrong. */
int fault_host_replay(const struct fault_host *h, struct gs_error *e);

#endif
