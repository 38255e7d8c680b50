/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rpc.h - JSON-RPC 2.0, one object per line, over a pair of fds. Both ends use
 * it: console and agent, agent and collector.
 */
#ifndef GS_CODEC_RPC_H
#define GS_CODEC_RPC_H

#include "codec/json.h"

/* A line longer than this ends the connection: -EMSGSIZE. */
#define GS_RPC_LINE_MAX (8u << 20)

struct gs_rpc;

/* Takes both fds (which may be the same), also when it fails. They are made non-blocking. The caller owns the peer. */
int gs_rpc_new(int fd_in, int fd_out, struct gs_rpc **ret_rpc, struct gs_error *e);
struct gs_rpc *gs_rpc_free(struct gs_rpc *rpc);
GS_DEFINE_CLEANUP(struct gs_rpc *, gs_rpc_free);

/* For poll(2): the fd to read, the fd to write, and whether output waits. */
int gs_rpc_fd_in(const struct gs_rpc *rpc);
int gs_rpc_fd_out(const struct gs_rpc *rpc);
bool gs_rpc_wants_write(const struct gs_rpc *rpc);

/* Queue a message and try to send. @params may be NULL; its reference is taken, also on failure. A line over the maximum: -EMSGSIZE, nothing sent. Output over 64 MiB that the peer does not read: -EPIPE. */
int gs_rpc_call(struct gs_rpc *rpc, int64_t id, const char *method, struct json_object *params);
int gs_rpc_notify(struct gs_rpc *rpc, const char *method, struct json_object *params);
int gs_rpc_reply(struct gs_rpc *rpc, int64_t id, struct json_object *result);
/* The error object carries status, errnum and position, so that the far end can raise the same gs_error. */
int gs_rpc_fail(struct gs_rpc *rpc, int64_t id, const struct gs_error *error);
/* Send what is queued; 0, or -EPIPE when the peer has gone. */
int gs_rpc_flush(struct gs_rpc *rpc);

enum gs_rpc_kind { GS_RPC_CALL, GS_RPC_NOTIFY, GS_RPC_RESULT, GS_RPC_ERROR };
struct gs_rpc_message {
	enum gs_rpc_kind kind;
	int64_t id;
	const char *method;             /* borrowed from @object */
	struct json_object *params;     /* or the result; borrowed; may be NULL */
	struct gs_error error;          /* of kind ERROR */
	struct json_object *object;     /* owned */
};
void gs_rpc_message_done(struct gs_rpc_message *m);
#define GS_RPC_MESSAGE GS_CLEANUP(gs_rpc_message_done)

/*
 * Read what is there and take one message. 0 with a message; -EAGAIN when
 * there is none yet; -EPIPE when the peer has closed; -EBADMSG, -EMSGSIZE for
 * a peer that does not speak the protocol (the connection is of no more use).
 */
int gs_rpc_next(struct gs_rpc *rpc, struct gs_rpc_message *ret_message, struct gs_error *e);

/* Wait for one message at most @timeout_ms (-1: for ever); -ETIMEDOUT. */
int gs_rpc_wait(struct gs_rpc *rpc, int timeout_ms, struct gs_rpc_message *ret_message, struct gs_error *e);

#endif
