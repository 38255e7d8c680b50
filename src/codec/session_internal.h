/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session_internal.h - what session.c (the connection, looks), session_commit.c
 * (commits) and session_past.c (the journal, saved layouts) share.
 */
#ifndef GS_CODEC_SESSION_INTERNAL_H
#define GS_CODEC_SESSION_INTERNAL_H

#include "codec/session.h"

struct kept {
	struct kept *next;
	struct gs_rpc_message message;
};

/* A call whose answer is not waited for. */
struct asked {
	int64_t id;             /* 0: free */
	enum gs_session_question question;
	uint64_t number;
};

struct gs_session {
	struct gs_rpc *rpc;
	int agent_pid;
	struct gs_hello hello;
	int64_t last_id;        /* the ids 1..last_id were asked */
	int64_t commit_id;      /* of the commit under way, 0: none */
	struct kept *kept, **kept_end;
	size_t n_kept;
	struct asked asked[GS_SESSION_ASKED_MAX];
};

/* ---- session.c ---- */

/* Send a request; takes @params (NULL: no memory). The id of the answer to come, or -errno with a sentence. */
int64_t gs_session_ask_agent(struct gs_session *s, const char *method, struct json_object *params, struct gs_error *e);
/* -EBADMSG with a sentence: the agent @what. */
int gs_session_wrong(struct gs_error *e, const char *what);
/* Ask and wait for the result, at most @timeout_ms; takes @params. The caller empties the message. What the agent answers as an error is returned as one. */
int gs_session_call(struct gs_session *s, const char *method, struct json_object *params, int timeout_ms, struct gs_rpc_message *ret_message, struct gs_error *e);
/* The answer to @id, whichever kind; -1: without limit. What comes meanwhile goes to @h (may be NULL), or is kept. */
int gs_session_wait_answer(struct gs_session *s, int64_t id, int timeout_ms, const struct gs_session_handlers *h, void *userdata, struct gs_rpc_message *ret_message,
			   struct gs_error *e);
/* A text of the agent's, made printable, cut to @size: @buf, or NULL where there is none. */
const char *gs_session_safe_text(struct json_object *o, const char *key, char *buf, size_t size);

/* ---- session_commit.c ---- */

/* An answer to a commit, whichever kind, as a result. -EBADMSG. */
int gs_session_result_of(const struct gs_rpc_message *m, struct gs_session_result *ret_result, struct gs_error *e);

#endif
