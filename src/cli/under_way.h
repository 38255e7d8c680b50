/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * under_way.h - a commit that somebody is at: neither is it interrupted, nor
 * can it be undone before its end. Who wants to wait for that waits here, and
 * decides afterwards what there is to be done.
 */
#ifndef GS_CLI_UNDER_WAY_H
#define GS_CLI_UNDER_WAY_H

#include "codec/session.h"

#define GS_CLI_UNDER_WAY_TEXT 512

struct gs_cli_under_way {
	uint64_t id;            /* 0: none is */
	uint64_t of;            /* the commit that it undoes or recovers; 0: none */
	struct gs_wall begun;
	char text[GS_CLI_UNDER_WAY_TEXT];   /* "commit 12 (alice, gpuslice apply x) is under way since 2026-11-21 14:03:09 UTC" */
};

/*
 * Is commit @id under way, or a recovery of it; with @id 0: any? Beside
 * @ret_found->id 0 nothing is set. What gs_session_journal() gives.
 */
int gs_cli_under_way_find(struct gs_session *s, uint64_t id, struct gs_cli_under_way *ret_found, struct gs_error *e);

/*
 * Come here before deciding what is to be done about @id (0: any). With one
 * under way: wait until none is any more, at most *@seconds, of which what is left
 * stays there (never less than one of a wait that was asked for); says whom for on
 * stderr. @ret_awaited (may be NULL): the last one that was waited for, id 0: none.
 * -EWOULDBLOCK with status LOCKED and a sentence that names it when it is not over.
 */
int gs_cli_under_way_await(struct gs_session *s, uint64_t id, uint32_t *seconds, struct gs_cli_under_way *ret_awaited, struct gs_error *e);

#endif
