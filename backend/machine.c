/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/machine.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/proc.h"
#include "backend/program.h"
#include "backend/sim/sim.h"
#include "base/parse.h"
#include "base/paths.h"

#define ARGV_MAX 6
#define NVML_FILE "libnvidia-ml.so.1"

struct gs_machine {
	enum gs_host_source source;
	bool read_only, is_privileged;
	struct gs_sim *sim;
	struct gs_root *root;
	char *host;
	char *standin;                      /* path of the stand-in library, simulated machines */
	char *name;                         /* of the simulated host, or the recorded tree's path */
	const char *argv[ARGV_MAX];
	const char *nvml_paths[8];
};

static int open_sim(struct gs_machine *m, const struct gs_machine_options *options, struct gs_error *e)
{
	int r = gs_sim_open(options->sim, &m->sim, e);

	if (r < 0)
		return r;
	m->source = GS_SOURCE_SIM;
	/* design 6: the caller counts as root unless it says otherwise or only looks */
	m->is_privileged = !options->as_user && !options->read_only;
	gs_sim_set_root(m->sim, m->is_privileged);
	r = gs_root_open(GS_ROOT_SIM, gs_sim_tree(m->sim), &m->root, e);
	if (r < 0)
		return r;
	gs_root_set_ops(m->root, &gs_sim_root_ops, m->sim);
	/* one that is not installed is looked for where it would be on that machine */
	if (gs_sim_has_nvml(m->sim))
		m->standin = gs_standin_path(gs_sim_has_old_nvml(m->sim));
	else if (asprintf(&m->standin, "%s/usr/lib/%s", gs_sim_tree(m->sim), NVML_FILE) < 0)
		m->standin = NULL;
	if (!m->standin)
		return gs_error_oom(e);
	m->nvml_paths[0] = m->standin;
	return 0;
}

static int open_live(struct gs_machine *m, struct gs_error *e)
{
	/* interfaces 5.1: the loader's own search first, then where containers and driver pods put it */
	static const char *const paths[] = {
		NVML_FILE,
		"/usr/lib/x86_64-linux-gnu/" NVML_FILE,
		"/usr/lib/aarch64-linux-gnu/" NVML_FILE,
		"/usr/lib64/" NVML_FILE,
		"/run/nvidia/driver/usr/lib/x86_64-linux-gnu/" NVML_FILE,
		"/run/nvidia/driver/usr/lib64/" NVML_FILE,
	};

	_Static_assert(GS_ARRAY_SIZE(paths) < GS_ARRAY_SIZE(m->nvml_paths), "NULL ends the list");
	memcpy(m->nvml_paths, paths, sizeof(paths));
	m->source = GS_SOURCE_LIVE;
	m->is_privileged = geteuid() == 0;
	return gs_root_open(GS_ROOT_LIVE, NULL, &m->root, e);
}

static int fill_argv(struct gs_machine *m, const struct gs_machine_options *options, struct gs_error *e)
{
	size_t n = 0;

	if (options->sim || options->sysroot) {
		m->name = strdup(options->sim ? options->sim : options->sysroot);
		if (!m->name)
			return gs_error_oom(e);
		m->argv[n++] = options->sim ? "--sim" : "--sysroot";
		m->argv[n++] = m->name;
	}
	if (options->as_user)
		m->argv[n++] = "--as-user";
	if (options->read_only)
		m->argv[n++] = "--read-only";
	m->argv[n] = NULL;
	return 0;
}

static int fill_host(struct gs_machine *m, struct gs_error *e)
{
	if (gs_root_read(m->root, &m->host, "proc/sys/kernel/hostname") < 0)
		m->host = strdup(m->sim ? gs_sim_host(m->sim) : "unknown");
	if (!m->host)
		return gs_error_oom(e);
	gs_text_sanitize(m->host);
	return 0;
}

int gs_machine_open(const struct gs_machine_options *options, struct gs_machine **ret_machine, struct gs_error *e)
{
	GS_CLEANUP(gs_machine_closep) struct gs_machine *m = NULL;
	int r;

	if (options->sim && options->sysroot)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--sim and --sysroot are two machines: give one of them");
	if (options->as_user && !options->sim)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--as-user is for simulated machines (--sim); on this one you are who you are");
	m = calloc(1, sizeof(*m));
	if (!m)
		return gs_error_oom(e);
	m->read_only = options->read_only || options->sysroot;
	if (options->sim) {
		r = open_sim(m, options, e);
	} else if (options->sysroot) {
		m->source = GS_SOURCE_SYSROOT;
		r = gs_root_open(GS_ROOT_SYSROOT, options->sysroot, &m->root, e);
	} else {
		r = open_live(m, e);
	}
	if (r < 0)
		return r;
	r = fill_argv(m, options, e);
	if (r < 0)
		return r;
	r = fill_host(m, e);
	if (r < 0)
		return r;
	*ret_machine = GS_TAKE(m);
	return 0;
}

struct gs_machine *gs_machine_close(struct gs_machine *m)
{
	if (!m)
		return NULL;
	gs_root_close(m->root);
	gs_sim_close(m->sim);
	free(m->host);
	free(m->standin);
	free(m->name);
	free(m);
	return NULL;
}

enum gs_host_source gs_machine_source(const struct gs_machine *m)
{
	return m->source;
}

const char *gs_machine_host(const struct gs_machine *m)
{
	return m->host;
}

struct gs_root *gs_machine_root(struct gs_machine *m)
{
	return m->root;
}

int gs_machine_check_root(const struct gs_machine *m, const char *what, struct gs_error *e)
{
	if (m->is_privileged)
		return 0;
	if (gs_machine_source(m) == GS_SOURCE_SYSROOT)
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "this is a recorded machine, which nothing can change. Nothing was done");
	return gs_error_set(e, -EPERM, GS_STATUS_CANNOT_TELL, "%s needs root. Nothing was done: use sudo", what);
}

bool gs_machine_is_privileged(const struct gs_machine *m)
{
	return m->is_privileged;
}

bool gs_machine_is_read_only(const struct gs_machine *m)
{
	return m->read_only;
}

const char *const *gs_machine_argv(const struct gs_machine *m)
{
	return m->argv;
}

int gs_machine_nvml_paths(struct gs_machine *m, const char *const **ret_paths, struct gs_error *e)
{
	if (m->sim) {
		int r = gs_sim_export_environment(m->sim, e);

		if (r < 0)
			return r;
	}
	*ret_paths = m->nvml_paths;
	return 0;
}

/* The pidfd pins the process, so a start time read after it is that process's own. */
static int signal_live(struct gs_root *root, uint32_t pid, uint64_t start_time, int signo)
{
	GS_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	uint64_t now;
	int r;

	if (pidfd < 0)
		return -errno;
	r = gs_proc_stat(root, pid, NULL, &now);
	if (r == -ENOENT || (r == 0 && now != start_time))
		return -ESRCH;
	if (r < 0)
		return r;
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

int gs_machine_signal(struct gs_machine *m, uint32_t pid, uint64_t start_time, int signo)
{
	if (m->read_only)
		return -EROFS;
	/* 0 and 1, and what does not fit a pid_t, are never anybody's holder */
	if (pid < 2 || pid > INT32_MAX)
		return -EINVAL;
	if (m->sim)
		return gs_sim_signal(m->sim, pid, start_time, signo);
	return signal_live(m->root, pid, start_time, signo);
}

bool gs_machine_process_exists(struct gs_machine *m, uint32_t pid, uint64_t start_time)
{
	uint64_t now;

	if (m->sim)
		return gs_sim_process_exists(m->sim, pid, start_time);
	return gs_proc_stat(m->root, pid, NULL, &now) == 0 && now == start_time;
}

int gs_machine_run(struct gs_machine *m, const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e)
{
	if (m->read_only)
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "%s was not run: this machine is only looked at", argv[0]);
	/* programs of a simulated machine are its own */
	if (m->sim)
		return gs_sim_run(m->sim, (char *const *)argv, ret_exit, ret_output, e);
	return gs_program_run(argv, ret_exit, ret_output, e);
}
