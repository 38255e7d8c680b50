/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultjournal.h - the journal of a faulthost.h, in memory: what faulthost.c needs of it. */
#ifndef GS_TESTS_FAULTJOURNAL_H
#define GS_TESTS_FAULTJOURNAL_H

#include "tests/lib/faulthost.h"

/* The op «journal»; @userdata is the host. */
int fault_journal_record(void *userdata, const struct gs_commit_record *record, struct gs_error *e);
/* What an open commit concerns says so when it is looked at. */
void fault_journal_mark(struct fault_host *h);
/* Commit @id as past.h wants it, from its bytes. */
int fault_journal_past(const struct fault_host *h, uint64_t id, struct gs_past **ret_past, struct gs_error *e);
int fault_journal_close(struct fault_host *h, uint64_t id, enum gs_way way, uint64_t by, struct gs_error *e);

/* Another commit changes the GPU at @bdf. */
void fault_host_change(struct fault_host *h, struct gs_bdf bdf);

#endif
