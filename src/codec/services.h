/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services.h - the units that may be stopped for a while when an operator
 * names them: what we ship and what the site adds, schema gpuslice.services/1.
 *
 * Console and agent must plan with the same list, since digests are compared:
 * gs_request_plan() loads it for both, and nobody hands it over.
 */
#ifndef GS_CODEC_SERVICES_H
#define GS_CODEC_SERVICES_H

#include "base/arena.h"
#include "codec/json.h"
#include "core/plan.h"

/* The site's own file, beside the shipped data/services.json. */
#define GS_SITE_SERVICES "/etc/gpuslice/services.json"
/* Of all files together. */
#define GS_SERVICES_MAX 512

struct gs_services {
	struct gs_arena *arena;
	struct gs_service *items;       /* shipped ones first, then the site's, each in the order of its file */
	size_t n, cap;
};

struct gs_services *gs_services_new(void);
struct gs_services *gs_services_free(struct gs_services *s);
GS_DEFINE_CLEANUP(struct gs_services *, gs_services_free);

/*
 * What holds for a machine: the shipped file, and with @with_site the site's
 * when it is there. That one must belong to root and be writable by nobody
 * else. Whatever is wrong with either is an error, never passed over: a list
 * that is read on one side only would make two plans of one request.
 * -EBADMSG, -EPERM, -errno with a sentence that names the file.
 */
int gs_services_load(bool with_site, struct gs_services **ret_services, struct gs_error *e);

/*
 * Add one file's list; @name for errors. A unit that is there already gets the
 * new reason, but twice in one file is an error. -EBADMSG; @s then has what
 * stood before the mistake and is to be freed.
 */
int gs_services_add_json(struct gs_services *s, struct json_object *o, const char *name, struct gs_error *e);

/*
 * Why a list may not have @pattern, as the end of a sentence; NULL when it may.
 * A pattern names services ("*" and "?" are wild), at least three characters
 * of it plain at the beginning; and it must not be able to match what carries
 * logins, containers, VMs or jobs, whoever asks.
 */
const char *gs_service_refusal(const char *pattern);

#endif
