/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent_past.h - the commits of the journal in an agent: one of them with what
 * the others mean for it, all of them as they are told, and giving one its end.
 */
#ifndef GS_BACKEND_AGENT_PAST_H
#define GS_BACKEND_AGENT_PAST_H

#include "backend/agent_state.h"
#include "backend/journal.h"
#include "codec/journal_list.h"

/* The newest @max, as they are told (journal_json.h, with "under_way"). The caller owns a reference. */
int gs_agent_past_summarise(struct gs_agent *a, size_t max, struct json_object **ret_commits, struct gs_error *e);
/* All of them, taken apart; the caller owns. */
int gs_agent_past_list(struct gs_agent *a, struct gs_journal_list **ret_list, struct gs_error *e);

/*
 * One of them, with what the others mean for it: both ends have to plan from the
 * same. @list: of gs_agent_past_list(), NULL: it is made. The boot id is that of
 * the machine now; *@ret_text (may be NULL) is what counts of the file. The
 * caller owns and frees. What gs_journal_load() gives.
 */
int gs_agent_past_load(struct gs_agent *a, uint64_t id, const struct gs_journal_list *list, struct gs_journal_file **ret_file, char **ret_boot_id, char **ret_text,
		       struct gs_error *e);

/* Write behind what is there that it has found its end: by commit @by (0: none was needed), or left (@way INVALID). The caller holds the lock. */
int gs_agent_past_close_one(struct gs_agent *a, uint64_t id, enum gs_way way, uint64_t by, const char *text, struct gs_error *e);
/* The same of it and of its recoveries that died. */
int gs_agent_past_close(struct gs_agent *a, uint64_t id, enum gs_way way, uint64_t by, const char *text, struct gs_error *e);

#endif
