/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_save.h - the methods «saved» and «save» of an agent (session.h). */
#ifndef GS_BACKEND_AGENT_SAVE_H
#define GS_BACKEND_AGENT_SAVE_H

#include "backend/agent_state.h"
#include "codec/rpc.h"

/* What is saved; whoever may read the file may ask. */
int gs_agent_tell_saved(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e);

/*
 * Save the machine as it is now, by a look of our own, or the text that is
 * given, which has to be a layout. Under the lock: neither while a commit is
 * under way, nor with one that was interrupted, where nobody can tell what is meant.
 */
void gs_agent_save(struct gs_agent *a, int64_t id, struct json_object *params);

#endif
