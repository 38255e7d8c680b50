/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status.h - what the program exits with; every error carries one. */
#ifndef GS_BASE_STATUS_H
#define GS_BASE_STATUS_H

/* Exit statuses are part of the interface for scripts: never renumber. */
enum gs_status {
	GS_STATUS_OK = 0,           /* done, nothing to do, or matches */
	GS_STATUS_FAILED = 1,       /* failed, the machine is as before */
	GS_STATUS_INVALID = 2,      /* wrong whatever the machine's state */
	GS_STATUS_REFUSED = 3,      /* sound but refused, nothing done */
	GS_STATUS_DIFFERS = 4,      /* assert, plan --exit-code */
	GS_STATUS_NOT_UNDONE = 5,   /* failed and not fully undone */
	GS_STATUS_LOCKED = 6,       /* another commit holds the lock */
	GS_STATUS_UNREACHABLE = 7,  /* host or agent cannot be reached */
	GS_STATUS_PENDING = 8,      /* accepted by the driver, not yet active */
	GS_STATUS_CANNOT_TELL = 9,  /* not at this privilege: not visible, or not allowed without root */
	GS_STATUS_PARTIAL = 10,     /* --scope gpu: some GPUs done, some not */
};

#endif
