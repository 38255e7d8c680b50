/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/host.h"
#include "backend/sim/kernel.h"
#include "backend/sim/sim_private.h"
#include "backend/sim/tree.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"
#include "base/strbuf.h"

#define HOSTS_MAX 64

static void free_names(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static inline void free_namesp(char ***names)
{
	free_names(*names);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int gs_sim_list(char ***ret_names, struct gs_error *e)
{
	GS_CLEANUP(free_namesp) char **names = calloc(HOSTS_MAX + 1, sizeof(*names));
	GS_FREE char *path = gs_data_path("hosts");
	GS_CLOSEDIR DIR *dir = NULL;
	struct dirent *entry;
	size_t n = 0;
	int r;

	if (!path || !names)
		return gs_error_oom(e);
	dir = opendir(path);
	if (!dir) {
		r = -errno;
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", path, strerror(-r));
	}
	while ((entry = readdir(dir)) && n < HOSTS_MAX) {
		size_t length = strlen(entry->d_name);

		if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0 || !gs_sim_word_is_valid(entry->d_name))
			continue;
		names[n] = strndup(entry->d_name, length - 5);
		if (!names[n++])
			return gs_error_oom(e);
	}
	qsort(names, n, sizeof(*names), compare_names);
	*ret_names = GS_TAKE(names);
	return 0;
}

static int check_name(const char *name, struct gs_error *e)
{
	GS_CLEANUP(free_namesp) char **names = NULL;
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;
	int r = gs_sim_list(&names, e);

	if (r < 0)
		return r;
	for (size_t i = 0; names[i]; i++) {
		if (gs_str_equal(names[i], name))
			return 0;
		gs_strbuf_printf(&known, "%s%s", i ? ", " : "", names[i]);
	}
	return gs_error_set(e, -ENOENT, GS_STATUS_INVALID, "no simulated host is called \"%.64s\"; there are: %s", name,
			    known.text && !known.failed ? known.text : "none");
}

/* The directory, made when missing; nothing read yet. */
static int open_store(const char *name, struct gs_sim_store **ret_store, struct gs_error *e)
{
	GS_FREE char *state_dir = NULL, *dir = NULL;
	int r = check_name(name, e);

	if (r < 0)
		return r;
	r = gs_state_dir(&state_dir, e);
	if (r < 0)
		return r;
	if (asprintf(&dir, "%s/sim/%s", state_dir, name) < 0) {
		dir = NULL;
		return gs_error_oom(e);
	}
	r = gs_mkdir_parents(dir, 0700);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", dir, strerror(-r));
	return gs_sim_store_open(dir, ret_store, e);
}

static int make_anew(const char *name, struct gs_sim_store *store, struct gs_error *e)
{
	struct gs_sim_state *state;
	int r = gs_sim_host_build(name, store, gs_sim_store_state(store), &state, e);

	return r < 0 ? r : gs_sim_store_replace(store, state, e);
}

static int bring_up_to_date(const char *name, struct gs_sim_store *store, struct gs_error *e)
{
	int r = gs_sim_store_begin(store, e);

	/* what another version kept says nothing to this one, and nobody's work hangs on it */
	if ((r == -ENOENT || r == -EPROTO) && !gs_sim_store_state(store)) {
		r = make_anew(name, store, e);
	} else if (r < 0) {
		gs_error_prefix(e, "the simulated host cannot be read (gpuslice --sim %s sim reset makes it anew): ", name);
	} else if (gs_sim_settle(gs_sim_store_state(store), gs_sim_store_tree_fd(store))) {
		r = gs_sim_store_commit(store, e);
	} else {
		r = gs_sim_store_sync_tree(store, e);
	}
	gs_sim_store_end(store);
	return r < 0 ? r : gs_sim_store_refresh(store, e);
}

int gs_sim_open(const char *name, struct gs_sim **ret_sim, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = calloc(1, sizeof(*sim));
	int r;

	if (!sim)
		return gs_error_oom(e);
	sim->is_root = true;
	sim->host = strdup(name);
	if (!sim->host)
		return gs_error_oom(e);
	r = open_store(name, &sim->store, e);
	if (r < 0)
		return r;
	r = bring_up_to_date(name, sim->store, e);
	if (r < 0)
		return r;
	*ret_sim = GS_TAKE(sim);
	return 0;
}

struct gs_sim *gs_sim_close(struct gs_sim *sim)
{
	if (sim) {
		gs_sim_store_close(sim->store);
		free(sim->host);
		free(sim);
	}
	return NULL;
}

int gs_sim_reset(const char *name, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_store_closep) struct gs_sim_store *store = NULL;
	int r = open_store(name, &store, e);

	if (r < 0)
		return r;
	r = gs_sim_store_lock(store, e);
	if (r == 0) {
		/* a state that cannot be read is what a reset is for */
		gs_sim_store_refresh(store, NULL);
		r = make_anew(name, store, e);
	}
	if (r == 0) {
		r = gs_sim_tree_forget_visitors(gs_sim_store_tree_fd(store));
		if (r < 0)
			gs_error_set(e, r, GS_STATUS_FAILED, "%s: what earlier visits left cannot be removed: %s", gs_sim_store_tree(store), strerror(-r));
	}
	gs_sim_store_end(store);
	return r;
}

const char *gs_sim_dir(const struct gs_sim *sim)
{
	return gs_sim_store_dir(sim->store);
}

const char *gs_sim_tree(const struct gs_sim *sim)
{
	return gs_sim_store_tree(sim->store);
}

const char *gs_sim_host(const struct gs_sim *sim)
{
	return sim->host;
}

void gs_sim_set_root(struct gs_sim *sim, bool is_root)
{
	sim->is_root = is_root;
}

bool gs_sim_has_old_nvml(const struct gs_sim *sim)
{
	return gs_sim_store_state(sim->store)->library == GS_SIM_LIBRARY_OLD;
}

bool gs_sim_has_nvml(const struct gs_sim *sim)
{
	return !gs_sim_store_state(sim->store)->no_nvml;
}

int gs_sim_export_environment(const struct gs_sim *sim, struct gs_error *e)
{
	int r = 0;

	if (setenv("GPUSLICE_SIM_STATE", gs_sim_dir(sim), 1) < 0 ||
	    (sim->is_root ? unsetenv("GPUSLICE_SIM_USER") : setenv("GPUSLICE_SIM_USER", "1", 1)) < 0)
		r = -errno;
	return r < 0 ? gs_error_set(e, r, GS_STATUS_FAILED, "cannot set the environment: %s", strerror(-r)) : 0;
}

static struct gs_sim_process *find_process(struct gs_sim_state *s, uint32_t pid, uint64_t start_time)
{
	struct gs_sim_process *p = gs_sim_process_by_pid(s, pid);

	return p && p->start_time == start_time ? p : NULL;
}

bool gs_sim_process_exists(struct gs_sim *sim, uint32_t pid, uint64_t start_time)
{
	return gs_sim_store_refresh(sim->store, NULL) == 0 && find_process(gs_sim_store_state(sim->store), pid, start_time);
}

/* The signals that end a process unless it does something about them; the rest is without effect here. */
static bool is_deadly(const struct gs_sim_process *p, int signo)
{
	switch (signo) {
	case SIGKILL:
		return true;
	case SIGTERM:
	case SIGINT:
	case SIGHUP:
	case SIGQUIT:
		return !p->ignores_term;
	default:
		return false;
	}
}

static int signal_locked(struct gs_sim *sim, uint32_t pid, uint64_t start_time, int signo)
{
	struct gs_sim_state *s = gs_sim_store_state(sim->store);
	struct gs_sim_process *p = find_process(s, pid, start_time);

	if (!p)
		return -ESRCH;
	if (!sim->is_root && p->uid != GS_SIM_CALLER_UID)
		return -EPERM;
	if (!is_deadly(p, signo))
		return 0;
	gs_sim_process_remove(s, p);
	gs_sim_settle(s, gs_sim_store_tree_fd(sim->store));
	return gs_sim_store_commit(sim->store, NULL);
}

int gs_sim_signal(struct gs_sim *sim, uint32_t pid, uint64_t start_time, int signo)
{
	int r;

	if (signo < 0 || signo >= NSIG)
		return -EINVAL;
	r = gs_sim_store_begin(sim->store, NULL);
	if (r == 0)
		r = signal_locked(sim, pid, start_time, signo);
	gs_sim_store_end(sim->store);
	return r;
}
