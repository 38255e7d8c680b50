/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request_scope.h - a request for some GPUs of a machine, and a request in
 * parts: one commit per GPU, so that a board that is dead, exchanged or in use
 * costs the others nothing (--scope gpu).
 */
#ifndef GS_CODEC_REQUEST_SCOPE_H
#define GS_CODEC_REQUEST_SCOPE_H

#include "codec/request.h"

/*
 * One commit: the GPUs that it changes, or one that cannot be judged. Several
 * only where a reset takes them together.
 */
struct gs_request_part {
	struct gs_bdf *gpus;            /* owned; none: an entry of a layout that names no GPU of this machine */
	size_t n_gpus;
	bool is_as_asked;               /* a layout names it, and there is nothing to do */
	struct gs_error error;          /* errnum 0: it can be planned */
};

struct gs_request_parts {
	struct gs_request_part *items;
	size_t n;
};
struct gs_request_parts *gs_request_parts_free(struct gs_request_parts *p);
GS_DEFINE_CLEANUP(struct gs_request_parts *, gs_request_parts_free);

/*
 * The parts of @r on @s, in the order of the machine's GPUs; behind them the
 * entries of a layout that name none of them. A GPU that a script leaves as it
 * is is no part. An entry that cannot be laid over its GPU costs that GPU only; where
 * uuid and address mean two, both. -ENOMEM, or what parsing and evaluating
 * give: a script is evaluated as a whole, so a mistake in it concerns all.
 * Status REFUSED where --disrupt all would stop work on several GPUs.
 */
int gs_request_split(const struct gs_request *r, const struct gs_snapshot *s, struct gs_request_parts **ret_parts, struct gs_error *e);

/* The same request for the GPUs of @part only. The caller owns it. -ENOMEM. */
int gs_request_of_part(const struct gs_request *r, const struct gs_request_part *part, struct gs_request **ret_request, struct gs_error *e);

/* @r is for these GPUs only; copied. No GPU: for all. -ENOMEM. */
int gs_request_set_only(struct gs_request *r, const struct gs_bdf *gpus, size_t n, struct gs_error *e);

/* ---- for request.c ---- */

bool gs_request_is_for(const struct gs_request *r, struct gs_bdf bdf);

/* Put back what @ev asks of GPUs that @r is not for, and drop what is said about them. -ENODEV when one that it is for is not there; -ENOMEM. */
int gs_request_keep_only(const struct gs_request *r, const struct gs_snapshot *s, struct gs_evaluation *ev, struct gs_error *e);
/* gs_layout_bind() of those entries of @file that mean a GPU that @r is for, and their errors only. */
int gs_request_bind_only(const struct gs_request *r, const struct gs_layout *file, const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e);
/* ["0000:1b:00.0",…]; the caller owns a reference. */
struct json_object *gs_request_only_to_json(const struct gs_request *r);
/* "only" of @o into @r; absent: all. An empty list is an error: it would be read as all. -EBADMSG, status INVALID. */
int gs_request_only_from_json(struct json_object *o, struct gs_request *r, struct gs_error *e);

#endif
