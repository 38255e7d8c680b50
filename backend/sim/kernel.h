/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.h - what the simulated kernel and driver do on their own: holders, mode changes, faults. */
#ifndef GS_SIM_KERNEL_H
#define GS_SIM_KERNEL_H

#include <stdbool.h>

#include "backend/sim/nvml_abi.h"
#include "backend/sim/state.h"

/*
 * Does anybody hold the GPU so that its MIG mode cannot change: a simulated
 * process (persistenced does not count), or a real one that has it open
 * through the stand-in. @own_fd is the caller's own lock on the node, or -1.
 */
bool gs_sim_gpu_is_held(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, int tree_fd, int own_fd);

/* A reset: the pending MIG mode becomes active, instances and handles are gone. The caller looks who has it open. */
void gs_sim_gpu_reset(struct gs_sim_gpu *gpu);

/* SetMigMode once privilege and arguments are checked; *@ret_activation as NVML gives it. */
enum gs_nvml_return gs_sim_mode_set(struct gs_sim_state *s, struct gs_sim_gpu *gpu, bool enable, int tree_fd, int own_fd,
			       enum gs_nvml_return *ret_activation);
/* Let pending mode changes become active where nobody holds the GPU any more. True when one did. */
bool gs_sim_modes_settle(struct gs_sim_state *s, int tree_fd);

/* The process is gone, and all that it held. */
void gs_sim_process_remove(struct gs_sim_state *s, struct gs_sim_process *p);

/* It was started anew, as a monitor is: it finds the GPU again, but no instance, since those are gone. */
void gs_sim_process_forget_instances(struct gs_sim_process *p);

/* Open and lock the node of GPU @minor as a user of it; -1 when it cannot be. */
int gs_sim_node_open(int tree_fd, uint32_t minor);

/* Has a real process, through the stand-in, the node of GPU @minor open? @own_fd as above. */
bool gs_sim_node_is_locked(int tree_fd, uint32_t minor, int own_fd);

/* Does an NVML fault wait for @call? @mutating: "*" counts too. */
bool gs_sim_fault_matches(const struct gs_sim_fault *f, const char *call, bool mutating);
/*
 * Count @call against the faults. True with a copy of the fault that strikes:
 * a hang stays in the state, the others are gone. *@ret_counted: the state changed.
 */
bool gs_sim_fault_take(struct gs_sim_state *s, const char *call, bool mutating, struct gs_sim_fault *ret_fault,
		       bool *ret_counted);

/* The same for anything that a fault can strike. A read fault stays until it is cleared, as a broken device does. */
struct gs_sim_fault_event {
	enum gs_sim_fault_target target;
	const char *name;           /* NVML call, path without a slash in front, or program */
	const char *other_name;     /* the path with its links resolved; may be NULL */
	bool is_mutating;
};
bool gs_sim_fault_take_event(struct gs_sim_state *s, const struct gs_sim_fault_event *event, struct gs_sim_fault *ret_fault,
			     bool *ret_counted);
/* Would it strike, without counting. NULL: none. */
const struct gs_sim_fault *gs_sim_fault_find(const struct gs_sim_state *s, const struct gs_sim_fault_event *event);

#endif
