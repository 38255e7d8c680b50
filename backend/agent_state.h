/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent_state.h - what the files of the agent share: agent.c (the loop),
 * agent_look.c (collections), agent_commit.c (writing). Nobody else includes it.
 */
#ifndef GS_BACKEND_AGENT_STATE_H
#define GS_BACKEND_AGENT_STATE_H

#include "backend/agent.h"
#include "backend/collector.h"
#include "backend/uevent.h"
#include "backend/yield.h"
#include "core/digest.h"
#include "core/snapshot.h"

#define GS_AGENT_JOBS_MAX 32
#define GS_AGENT_STRAYS_MAX 32

struct gs_agent;

/*
 * The only way to a write. A read-only agent has none: the pointer is NULL,
 * not a flag that is asked.
 */
struct gs_agent_writer {
	/* Answer the commit call @id. */
	void (*commit)(struct gs_agent *a, int64_t id, struct json_object *params);
	/* Publish @snapshot (JSON) for unprivileged viewers when it differs from the last. */
	void (*publish)(struct gs_agent *a, const struct gs_snapshot *s);
	/* Answer the call «save» @id. */
	void (*save)(struct gs_agent *a, int64_t id, struct json_object *params);
};
extern const struct gs_agent_writer gs_agent_writer;

/* A call «snapshot» or «doctor» that waits for the collector. */
struct gs_agent_job {
	int64_t id;
	bool telemetry;
	bool is_doctor;
	struct gs_monotonic since;
	int64_t wait_ms;        /* it waits that long for a commit of another that keeps us off the GPUs */
};

struct gs_agent {
	struct gs_machine_options options;
	struct gs_machine *machine;
	struct gs_rpc *client;
	const struct gs_agent_writer *writer;   /* NULL: read-only */
	bool client_gone;
	int signals;                            /* signalfd(2): SIGCHLD, and SIGTERM with a writer; -1: none */
	bool must_end;                          /* SIGTERM came */

	/* collecting */
	struct gs_collector *collector;         /* NULL: not running */
	int strays[GS_AGENT_STRAYS_MAX];        /* pids of children that were let go of and have not ended: a driver keeps them in the kernel */
	size_t n_strays;
	unsigned failures;                      /* of the collector in a row */
	struct gs_monotonic last_failure;
	struct gs_agent_job jobs[GS_AGENT_JOBS_MAX];
	size_t n_jobs;
	int64_t asked;                          /* id of the collection under way; 0: none */
	bool asked_telemetry, asked_watch, asked_doctor;
	bool watching, watch_telemetry, watch_due;
	unsigned interval_ms;
	struct gs_monotonic last_watch;
	struct gs_uevent *uevents;              /* NULL: not this host, or none to be had */
	bool client_is_current;                 /* what the collector sent last went to the client */
	struct gs_digest pushed;                /* of the snapshot that was pushed last */

	/* letting go for somebody else's commit */
	struct gs_yield *yield;
	bool is_yielding;
	struct gs_monotonic yield_since;    /* … since then, for a commit by this process */
	uint32_t yield_pid;
	struct gs_monotonic last_yield_look;

	/* own commit */
	bool is_committing, is_cancelled;
	bool is_paused;                         /* the client thinks about whether to cancel */
	int lock;                               /* the commit's; -1: none */

	/* publishing */
	struct gs_digest published;
	struct gs_monotonic last_published;
	bool has_published;
};

/* agent.c: take every message of the client that is there. During a commit snapshots wait and a second commit is refused. */
void gs_agent_take_messages(struct gs_agent *a);
/* Take signals that came: end, after the undo of a commit that is under way, and reap. */
void gs_agent_take_signals(struct gs_agent *a);
void gs_agent_notice(struct gs_agent *a, const char *fmt, ...) GS_PRINTF(2, 3);

/* agent_look.c */
/* Look once more and show it to whoever watches, and to viewers: what came of a commit, and what is open no more. False: viewers were not told. */
bool gs_agent_show_outcome(struct gs_agent *a);
/* Start the next collection when one is due and nothing stands against it. */
void gs_agent_look(struct gs_agent *a);
/* Take the collector's answers. */
void gs_agent_take_answers(struct gs_agent *a);
/* Milliseconds until something is due; -1: nothing. */
int gs_agent_look_timeout(const struct gs_agent *a);
/* End the collector; what was under way is asked again later. */
void gs_agent_stop_collector(struct gs_agent *a, bool may_kill);
/* Start it, unless it runs. */
int gs_agent_start_collector(struct gs_agent *a, struct gs_error *e);
/* Reap the strays that have ended. */
void gs_agent_reap(struct gs_agent *a);
/* Give way to another process's commit, or come back. */
void gs_agent_check_yield(struct gs_agent *a);
/* Called about every second while an answer is waited for. */
struct gs_agent_patience {
	void (*waiting)(void *userdata, uint64_t waited_ms);
	void *userdata;
};

/*
 * Ask the collector and wait, serving the client's messages meanwhile. Starts
 * it when it does not run. A driver cannot be interrupted: there is no other
 * end than its answer, so @patience (may be NULL) says that it takes long.
 * @ret_result (owned) may be NULL.
 */
int gs_agent_ask(struct gs_agent *a, const char *method, struct json_object *params, const struct gs_agent_patience *patience,
		 struct json_object **ret_result, struct gs_error *e);
/* Let @ms pass, serving the client's messages. */
void gs_agent_pause(struct gs_agent *a, int ms);
/* The same, at most until @fd (-1: none) is readable, or the commit is told to stop, or the client goes. */
void gs_agent_wait(struct gs_agent *a, int fd, int ms);

#endif
