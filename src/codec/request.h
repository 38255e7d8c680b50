/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request.h - what somebody asks for, as text and options, and the plan that
 * it makes of a machine. The console, the command line and the agent all plan
 * through here, so that the same request gives the same digest.
 */
#ifndef GS_CODEC_REQUEST_H
#define GS_CODEC_REQUEST_H

#include "codec/json.h"
#include "core/past.h"
#include "core/plan.h"

enum gs_request_kind {
	GS_REQUEST_SCRIPT,
	GS_REQUEST_LAYOUT,
	GS_REQUEST_PAST,                /* an earlier commit is undone or finished */
};

struct gs_request {
	enum gs_request_kind kind;
	char *name;                     /* of the input, for errors */
	char *text;
	size_t n_text;
	enum gs_script_context context; /* of a script */
	struct gs_disrupt *disrupt;     /* owned, with their unit names */
	size_t n_disrupt;
	bool kill;
	bool allow_reset;               /* a pending mode may be made active by a reset */
	struct gs_bdf *only;            /* owned; the GPUs that are planned for, whatever else is asked; none: all */
	size_t n_only;
	/* PAST */
	enum gs_way way;                /* UNDO, FINISH or TAKE_BACK */
	uint64_t commit_id;
	struct gs_past *past;           /* owned; what that commit was: whoever plans takes it from the journal, it does not go over the wire */
};

/* Copies. The kind is found by gs_text_is_layout(). The caller calls gs_request_free(). */
int gs_request_new(const char *bytes, size_t n, const char *name, enum gs_script_context context, struct gs_request **ret_request, struct gs_error *e);
struct gs_request *gs_request_free(struct gs_request *r);
GS_DEFINE_CLEANUP(struct gs_request *, gs_request_free);

/* A request about commit @id; @past (taken, may be NULL until it is planned). */
int gs_request_new_past(enum gs_way way, uint64_t id, struct gs_past *past, struct gs_request **ret_request, struct gs_error *e);

/* "pid:N", "unit:NAME", "all"; status INVALID otherwise. */
int gs_request_add_disrupt(struct gs_request *r, const char *word, struct gs_error *e);

/*
 * Parse, evaluate (or bind and solve), diff, plan, with the services that may
 * be stopped here (services.h). The caller owns the plan.
 */
int gs_request_plan(const struct gs_request *r, const struct gs_snapshot *s, struct gs_plan **ret_plan, struct gs_error *e);

/* Over the wire. */
struct json_object *gs_request_to_json(const struct gs_request *r);
int gs_request_from_json(struct json_object *o, struct gs_request **ret_request, struct gs_error *e);

#endif
