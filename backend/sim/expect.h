/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect.h - a list of what changes the machine, in the order in which it is to
 * come: NVML's calls that write, and those files and programs that it names.
 * Each has to be the next of the list, and each of the list has to come. It is how the order of a commit is held to a table.
 */
#ifndef GS_SIM_EXPECT_H
#define GS_SIM_EXPECT_H

#include "backend/sim/kernel.h"

#define GS_SIM_EXPECTED_MAX 512

/*
 * @event is about to happen. Does it come out of turn? Then it is noted, and
 * *@ret_fault is what it gets instead: 999 of NVML, EIO, exit status 1.
 * *@ret_counted: the state has changed and has to be kept.
 */
bool gs_sim_expect_refuses(struct gs_sim_state *s, const struct gs_sim_fault_event *event, struct gs_sim_fault *ret_fault, bool *ret_counted);

/*
 * A new list from @text, one thing a line: "DeviceSetMigMode",
 * "write current_vgpu_type", "program sriov-manage"; "#" begins a comment. None
 * when it is empty. -EINVAL with the number of the line.
 */
int gs_sim_expect_parse(struct gs_sim_state *s, const char *text, struct gs_error *e);

#endif
