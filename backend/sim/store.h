/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - the state on disk: one directory with state.json, the models that
 * it names, a lock file and the tree. Readers take no lock: the file is
 * replaced by rename. Writers hold the lock from begin to end.
 */
#ifndef GS_SIM_STORE_H
#define GS_SIM_STORE_H

#include <stdbool.h>

#include "backend/sim/state.h"

struct gs_sim_store;

/* @dir must exist; nothing is read yet. */
int gs_sim_store_open(const char *dir, struct gs_sim_store **ret_store, struct gs_error *e);
struct gs_sim_store *gs_sim_store_close(struct gs_sim_store *store);
GS_DEFINE_CLEANUP(struct gs_sim_store *, gs_sim_store_close);

/* -ENOENT when there is no state file yet. Reads only when another file lies there than last time. */
int gs_sim_store_refresh(struct gs_sim_store *store, struct gs_error *e);
/* The state as last read; NULL before the first refresh. Changes only between begin and end. */
struct gs_sim_state *gs_sim_store_state(struct gs_sim_store *store);

/* Take the lock (waits); gs_sim_store_end() gives it back, also after a failure. */
int gs_sim_store_lock(struct gs_sim_store *store, struct gs_error *e);
/* Lock and refresh. -ENOENT with the lock held when there is no state file. */
int gs_sim_store_begin(struct gs_sim_store *store, struct gs_error *e);
/* Next generation: state file, then tree. Only between begin and end. */
int gs_sim_store_commit(struct gs_sim_store *store, struct gs_error *e);
/* Replace the whole state (taken over, also on failure) and commit it. */
int gs_sim_store_replace(struct gs_sim_store *store, struct gs_sim_state *state, struct gs_error *e);
/* A copy of data/mig/NAME.json, so that the machine is complete in its directory. Under the lock. */
int gs_sim_store_put_model(struct gs_sim_store *store, const char *name, const char *bytes, size_t n, struct gs_error *e);
/* The same of data/vgpu/NAME.json. */
int gs_sim_store_put_board(struct gs_sim_store *store, const char *name, const char *bytes, size_t n, struct gs_error *e);
/* Bring the tree to the state's generation when a writer was killed before. */
int gs_sim_store_sync_tree(struct gs_sim_store *store, struct gs_error *e);
/* Give the lock back. What was changed and not committed is forgotten. */
void gs_sim_store_end(struct gs_sim_store *store);

const char *gs_sim_store_dir(const struct gs_sim_store *store);
const char *gs_sim_store_tree(const struct gs_sim_store *store);
/* Open the tree without the lock; begin does it too. */
int gs_sim_store_open_tree(struct gs_sim_store *store, struct gs_error *e);
/* Directory fd of the tree; -1 before it was opened. */
int gs_sim_store_tree_fd(const struct gs_sim_store *store);

#endif
