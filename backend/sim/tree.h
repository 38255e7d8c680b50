/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.h - sys/ proc/ dev/ etc/ as files, derived from the state. A list of
 * what should be there is built first and then compared with what is: only
 * what differs is written, so a reader of an unchanged file never notices, and
 * the locks on device nodes survive.
 */
#ifndef GS_SIM_TREE_H
#define GS_SIM_TREE_H

#include "backend/sim/state.h"

/* 0 at once when the tree carries the state's generation. Under the lock. */
int gs_sim_tree_sync(int tree_fd, const struct gs_sim_state *s);
/*
 * What a reboot takes of files that are not derived: run/ is emptied. What running programs coordinate by stays where it
 * is, since they, unlike real ones, go on through the reboot: locks that somebody holds, and the folder of requests. -errno.
 */
int gs_sim_tree_forget_run(int tree_fd);
/*
 * What earlier visits left beside the machine itself goes, for a reset: what
 * was published and recorded in run/gpuslice, hooks and what was saved in
 * etc/gpuslice, and what is kept in var/lib/gpuslice; syncing leaves these alone. The
 * locks and requests stay: a viewer that is open holds them, and a commit that
 * found new ones would not know of it. -errno.
 */
int gs_sim_tree_forget_visitors(int tree_fd);

#endif
