/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect.h - a list of what changes the machine, in the order in which it is to
 * come: NVML's calls that write, and those files and programs that it names.
 * Each has to be the next of the list, and each of the list has to come. It is
 * how the order of a commit is held to a table. A call that the library refuses
 * by itself (a stale handle, no root) never reaches the driver and counts as none.
 */
#ifndef GS_SIM_EXPECT_H
#define GS_SIM_EXPECT_H

#include "backend/sim/kernel.h"

/* A line with its NUL, and a sentence about two of them. */
#define GS_SIM_EXPECTED_LINE_MAX 320
#define GS_SIM_UNEXPECTED_TEXT_MAX 1024

/*
 * @event is about to happen, for the first time and under the lock. True: the
 * list answers instead of the machine, with *@ret_fault. Either it comes out of
 * turn and is noted (999 of NVML, EIO, exit status 1), or it is the next and the
 * list gives it a failure. *@ret_counted: the state has changed and has to be kept.
 */
bool gs_sim_expect_answers(struct gs_sim_state *s, const struct gs_sim_fault_event *event, struct gs_sim_fault *ret_fault, bool *ret_counted);
/* What the machine answered to it: notes a failure where the list has a 0. Before the state is written. */
void gs_sim_expect_answered(struct gs_sim_state *s, uint32_t code);

/*
 * One line without comment: "CALL [CODE]", "write GLOB [ERRNO|0]" (the last part of the path, or with a
 * slash the whole of it), "program NAME [STATUS]". Strings go into @a. -EINVAL with a sentence that quotes it.
 */
int gs_sim_expected_parse(struct gs_arena *a, const char *line, struct gs_sim_expected *ret_expected, struct gs_error *e);
/* The same back. Returns @buf. */
const char *gs_sim_expected_format(const struct gs_sim_expected *x, char *buf, size_t size);

/*
 * A new list from @text, a line for each; "#" begins a comment. None when it
 * is empty. -EINVAL, -E2BIG with the number of the line and the place in the list; @s is as before then.
 */
int gs_sim_expect_parse(struct gs_sim_state *s, const char *text, struct gs_error *e);

#endif
