/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_tell.h - what a client may ask an agent about the journal: the methods «journal» and «leave» (session.h). */
#ifndef GS_BACKEND_AGENT_TELL_H
#define GS_BACKEND_AGENT_TELL_H

#include "backend/agent_state.h"
#include "codec/rpc.h"

/* Answers, or -errno with a sentence: CANNOT_TELL where the journal is not for the caller to read. */
int gs_agent_tell_journal(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e);
int gs_agent_leave(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e);

#endif
