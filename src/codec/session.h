/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - the client's side of an agent: typed calls over rpc. The console
 * uses the non-blocking half, the commands the blocking one.
 *
 * Methods of an agent (client -> agent):
 *   hello     {}                                -> {"version","source","host","read_only","privileged","as_user","pid"}
 *   snapshot  {"telemetry":bool,"wait_seconds":N|null} -> snapshot with profiles
 *   watch     {"interval_ms":N,"telemetry":bool}-> true, then notifications (0 ends them)
 *   doctor    {}                                -> facts for doctor_json.h
 *   commit    {"request":…,"expect":HEX|null,"base":[{"bdf","rev"}],"yes":bool,"message":TEXT|null} -> gpuslice.result/1
 *             and "on_hangup":"finish"|"undo" (finish): what is done when the client goes away in the middle,
 *             "ssh_client":TEXT|null, "command":TEXT|null: for the record, and to name it to who waits,
 *             "wait_seconds":N|null: for another commit to end,
 *             "way":"apply"|"console"|"restore" for the record
 *   pause     {}                                -> true: wait behind this step, until resume or cancel
 *   resume    {}                                -> true
 *   cancel    {}                                -> true: stop after this step and undo
 *   journal   {"max":N}                         -> {"commits":[summary,…]}, the newest first; "under_way" of one without end: its agent lives
 *             {"id":N} or {"last":true}         -> {"text":the lines of that commit,"boot_id":of the machine now,"damage":why it ends early|null,
 *                                                    "changed_since","part_of","undone_by":N|null,"was_continued":bool: of journal_list.h}
 *   saved     {}                                -> {"path","text","saved_at_ms","boot_id","by","current_boot_id"}; text null: nothing is saved
 *   save      {"text":TEXT|null}                -> true: null saves the machine as it is now
 *   leave     {"id":N}                          -> true: closes an interrupted commit without doing anything
 * Notifications (agent -> client):
 *   snapshot  snapshot with profiles            when it changed (or always with telemetry)
 *   progress  {"event","n","of","text","note"}
 *   notice    {"text"}                          "collector let go for a commit by pid N", …
 */
#ifndef GS_CODEC_SESSION_H
#define GS_CODEC_SESSION_H

#include "codec/journal_json.h"
#include "codec/request.h"
#include "codec/rpc.h"
#include "core/commit.h"
#include "core/doctor.h"

#define GS_PROTOCOL_VERSION 1

struct gs_session;

struct gs_hello {
	enum gs_host_source source;
	bool read_only;         /* the agent has no code path that writes */
	bool privileged;        /* it may see and do everything */
	bool as_user;
	char host[128];
};

/* Takes the rpc and the pid, also when it fails; waits for hello. @agent_pid is reaped on free (0: not ours). -EPROTO for another protocol version. */
int gs_session_new(struct gs_rpc *rpc, int agent_pid, struct gs_session **ret_session, struct gs_error *e);
struct gs_session *gs_session_free(struct gs_session *s);
GS_DEFINE_CLEANUP(struct gs_session *, gs_session_free);

const struct gs_hello *gs_session_hello(const struct gs_session *s);

/* Blocking; at most @timeout_ms. One reference for the caller. */
int gs_session_snapshot(struct gs_session *s, bool telemetry, int timeout_ms, struct gs_snapshot **ret_snapshot, struct gs_error *e);

/*
 * The same, for who is going to commit: a commit of another that has asked
 * everybody to let go of the GPUs is waited for, at most @wait_seconds more.
 */
int gs_session_snapshot_waiting(struct gs_session *s, uint32_t wait_seconds, int timeout_ms, struct gs_snapshot **ret_snapshot, struct gs_error *e);

/* Blocking; at most @timeout_ms. The facts that doctor judges beside a snapshot; in @arena. */
int gs_session_doctor(struct gs_session *s, int timeout_ms, struct gs_arena *arena, struct gs_doctor_facts *ret_facts, struct gs_error *e);

/*
 * The journal's commits, the newest first, at most @max: an array of summaries
 * (journal_json.h), owned by the caller. -EACCES when it is not for us to read.
 */
int gs_session_journal(struct gs_session *s, uint32_t max, int timeout_ms, struct json_object **ret_commits, struct gs_error *e);
/* One commit whole (@id 0: the last that can be undone, REFUSED where none is left), and the boot id of the machine now (which the caller frees); -ENOENT. */
int gs_session_journal_file(struct gs_session *s, uint64_t id, int timeout_ms, struct gs_journal_file **ret_file, char **ret_boot_id, struct gs_error *e);
/* Close an interrupted commit as it is. */
int gs_session_leave(struct gs_session *s, uint64_t id, int timeout_ms, struct gs_error *e);

/* What was answered to gs_session_ask(), as the calls above return it. -EBADMSG. */
int gs_session_read_journal(struct json_object *answer, struct json_object **ret_commits, struct gs_error *e);
int gs_session_read_file(struct json_object *answer, struct gs_journal_file **ret_file, char **ret_boot_id, struct gs_error *e);

/* The layout that is put back at boot. */
struct gs_session_saved {
	char *path;
	char *text;                     /* NULL: nothing is saved */
	struct gs_i64 saved_at_ms;      /* unknown, and the next two NULL: gpuslice did not put it there */
	char *boot_id, *by;             /* the boot in which it was saved, and who did */
	char *current_boot_id;          /* NULL when not known */
};
void gs_session_saved_done(struct gs_session_saved *s);
/* Blocking; at most @timeout_ms. The caller calls gs_session_saved_done(). */
int gs_session_saved(struct gs_session *s, int timeout_ms, struct gs_session_saved *ret_saved, struct gs_error *e);
/* The same of an answer to gs_session_ask(). */
int gs_session_read_saved(struct json_object *answer, struct gs_session_saved *ret_saved, struct gs_error *e);
/* Save the machine as the agent finds it now, or the layout @text when it is not NULL. */
int gs_session_save(struct gs_session *s, const char *text, int timeout_ms, struct gs_error *e);

/* What a commit call carries beside the request. */
struct gs_session_commit {
	const struct gs_request *request;
	struct gs_digest expect;            /* empty: whichever */
	const struct gs_plan_base *base;
	size_t n_base;
	bool yes;
	const char *message;
	const char *ssh_client;             /* whence the operator came, for the record; NULL: from here */
	bool undo_on_hangup;                /* when we go away in the middle: undo, do not finish */
	enum gs_way way;                    /* APPLY, CONSOLE or RESTORE; what a past commit is about is the request's to say */
	const char *command;                /* what the operator ran, to name it to who is refused meanwhile; NULL: not said */
	uint32_t wait_seconds;              /* for a commit that is under way to end, 0: not at all; whom for is a notice */
};

/* What came of it; json is gpuslice.result/1 (owned). */
struct gs_session_result {
	enum gs_status status;
	size_t done;
	bool undone;
	bool is_stale;          /* nothing was done: the machine is not the one that was planned for */
	char text[1024];
	struct json_object *json;
};
void gs_session_result_done(struct gs_session_result *r);

/* What can be asked without waiting for the answer. */
enum gs_session_question {
	GS_SESSION_ASKS_JOURNAL,        /* the commits, at most @number: gs_session_read_journal() */
	GS_SESSION_ASKS_COMMIT,         /* commit @number whole: gs_session_read_file() */
	GS_SESSION_ASKS_LEAVE,          /* to close commit @number as it is; the answer says nothing */
	GS_SESSION_ASKS_SAVED,          /* what is saved: gs_session_read_saved() */
	GS_SESSION_ASKS_SAVE,           /* to save the machine as it is; the answer says nothing */
	GS_SESSION_MAX_QUESTION,
};

struct gs_session_handlers {
	void (*snapshot)(void *userdata, struct gs_snapshot *s);        /* keep it with gs_snapshot_ref() */
	void (*progress)(void *userdata, const char *event, size_t n, size_t of, const char *text, const char *note);
	void (*notice)(void *userdata, const char *text);
	void (*committed)(void *userdata, const struct gs_session_result *r);
	/* @answer is borrowed; NULL: @e says why there is none. */
	void (*answered)(void *userdata, enum gs_session_question question, uint64_t number, struct json_object *answer, const struct gs_error *e);
};

/* Blocking: no time limit, since a write can wait in the kernel; @handlers (may be NULL) gets the progress. */
int gs_session_commit(struct gs_session *s, const struct gs_session_commit *c, const struct gs_session_handlers *handlers, void *userdata,
		      struct gs_session_result *ret_result, struct gs_error *e);

/* Non-blocking: ask, then let gs_session_dispatch() call the handlers. */
int gs_session_watch(struct gs_session *s, unsigned interval_ms, bool telemetry);
int gs_session_commit_begin(struct gs_session *s, const struct gs_session_commit *c);
int gs_session_cancel(struct gs_session *s);
/* In a commit: wait behind the step under way, until resume or cancel. */
int gs_session_pause(struct gs_session *s);
int gs_session_resume(struct gs_session *s);
/* At most GS_SESSION_ASKED_MAX at a time: -EBUSY. */
#define GS_SESSION_ASKED_MAX 8
int gs_session_ask(struct gs_session *s, enum gs_session_question question, uint64_t number);
/* For poll(2). */
int gs_session_fd(const struct gs_session *s);
bool gs_session_wants_write(const struct gs_session *s);
/* Take every message that is there. -EPIPE when the agent has gone. */
int gs_session_dispatch(struct gs_session *s, const struct gs_session_handlers *handlers, void *userdata, struct gs_error *e);

#endif
