/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin.c - life of the library: init and shutdown, handles, locks, faults. */
#include "backend/sim/standin.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/sim/drivers.h"
#include "backend/sim/expect.h"
#include "backend/sim/kernel.h"
#include "backend/sim/kill.h"
#include "backend/sim/store.h"
#include "base/parse.h"

#define NO_ATTACH 2u            /* NVML_INIT_FLAG_NO_ATTACH */
#define HANG_POLL_NS 20000000

struct standin {
	unsigned int users;         /* nested inits */
	unsigned int life;          /* which init this is: handles of an earlier one are stale */
	bool is_root;
	struct gs_sim_store *store;
	int ctl_fd;
	int node_fds[GS_SIM_GPUS_MAX];      /* by minor */
};

/* The one mutable global: the ABI of NVML has no place for a context. */
static struct standin lib;

/* ------------------------------------------------------------ handles */

/*
 * A handle carries all that it names, so there is no table that could grow or
 * dangle: 8 bits mark, 4 kind, 5 GPU, 11 life, 36 serial. The mark makes it a
 * non-canonical address: using one as a pointer faults at once.
 */
#define MARK 0xa5ull
#define SERIAL_MASK (((uint64_t)1 << 36) - 1)
#define LIFE_MASK 0x7ffu

static void *make_handle(enum gs_handle_kind kind, uint32_t gpu, uint64_t serial)
{
	return (void *)(uintptr_t)(MARK << 56 | (uint64_t)kind << 52 | (uint64_t)gpu << 47 |
				   (uint64_t)(lib.life & LIFE_MASK) << 36 | (serial & SERIAL_MASK));
}

void *gs_standin_gpu_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	return make_handle(GS_HANDLE_GPU, gs_sim_gpu_index(s, gpu), gpu->epoch);
}

void *gs_standin_mig_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, const struct gs_sim_ci *ci)
{
	return make_handle(GS_HANDLE_MIG, gs_sim_gpu_index(s, gpu), ci->serial);
}

void *gs_standin_gi_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, const struct gs_sim_gi *gi)
{
	return make_handle(GS_HANDLE_GI, gs_sim_gpu_index(s, gpu), gi->serial);
}

void *gs_standin_ci_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, const struct gs_sim_ci *ci)
{
	return make_handle(GS_HANDLE_CI, gs_sim_gpu_index(s, gpu), ci->serial);
}

void *gs_standin_stale_handle(void)
{
	return make_handle(GS_HANDLE_GI, 0, 0);     /* serials start at 1 */
}

static enum gs_nvml_return resolve(struct gs_sim_state *s, void *handle, unsigned int kinds, struct gs_target *t)
{
	uint64_t word = (uintptr_t)handle, serial = word & SERIAL_MASK;

	if (word >> 56 != MARK || (word >> 36 & LIFE_MASK) != (lib.life & LIFE_MASK))
		return GS_NVML_INVALID_ARGUMENT;
	*t = (struct gs_target){ .state = s, .kind = (enum gs_handle_kind)(word >> 52 & 0xf) };
	if (!((unsigned int)t->kind & kinds))
		return GS_NVML_INVALID_ARGUMENT;
	t->gpu = gs_sim_gpu_at(s, word >> 47 & 0x1f);
	if (!t->gpu || !gs_sim_gpu_is_visible(t->gpu))
		return GS_NVML_INVALID_ARGUMENT;
	if (t->gpu->lost)
		return GS_NVML_GPU_IS_LOST;
	switch (t->kind) {
	case GS_HANDLE_GPU:
		return t->gpu->epoch == serial ? GS_NVML_SUCCESS : GS_NVML_INVALID_ARGUMENT;
	case GS_HANDLE_GI:
		t->gi = gs_sim_gi_by_serial(t->gpu, serial);
		return t->gi ? GS_NVML_SUCCESS : GS_NVML_INVALID_ARGUMENT;
	case GS_HANDLE_MIG:
	case GS_HANDLE_CI:
		t->ci = gs_sim_ci_by_serial(t->gpu, serial, &t->gi);
		return t->ci ? GS_NVML_SUCCESS : GS_NVML_INVALID_ARGUMENT;
	}
	return GS_NVML_INVALID_ARGUMENT;
}

const struct gs_sim_profile *gs_target_profile(const struct gs_target *t)
{
	return t->gpu->model && t->gi ? gs_sim_profile_by_id(t->gpu->model, t->gi->profile_id) : NULL;
}

const struct gs_sim_compute_profile *gs_target_compute(const struct gs_target *t)
{
	const struct gs_sim_profile *p = gs_target_profile(t);

	return p && t->ci ? gs_sim_compute_by_id(p, t->ci->profile_id) : NULL;
}

/* ------------------------------------------------------------ faults */

static bool fault_is_on(uint64_t id)
{
	const struct gs_sim_state *s;

	if (gs_sim_store_refresh(lib.store, NULL) < 0)
		return false;
	s = gs_sim_store_state(lib.store);
	for (size_t i = 0; i < s->n_faults; i++) {
		if (s->faults[i].id == id)
			return true;
	}
	return false;
}

/* No lock is held here: everybody else goes on. */
static void hang(uint64_t id)
{
	const struct timespec pause = { .tv_nsec = HANG_POLL_NS };

	while (fault_is_on(id))
		nanosleep(&pause, NULL);
}

/* Before the call does anything, and with no lock held. */
static void be_slow(const struct gs_sim_state *s, const char *call, bool mutating)
{
	uint32_t ms = 0;

	for (size_t i = 0; i < s->n_faults; i++) {
		if (s->faults[i].kind == GS_SIM_FAULT_SLOW && gs_sim_fault_matches(&s->faults[i], call, mutating))
			ms += s->faults[i].code;
	}
	if (ms) {
		const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

		nanosleep(&pause, NULL);
	}
}

static bool any_fault_matches(const struct gs_sim_state *s, const char *call)
{
	for (size_t i = 0; i < s->n_faults; i++) {
		if (s->faults[i].kind != GS_SIM_FAULT_SLOW && gs_sim_fault_matches(&s->faults[i], call, false))
			return true;
	}
	return false;
}

/* A reading call named by a fault: the one case where reading takes the lock, to count. */
static enum gs_nvml_return read_with_fault(const char *call)
{
	struct gs_sim_fault fault;
	bool counted, strikes;
	int r;

	for (;;) {
		r = gs_sim_store_begin(lib.store, NULL);
		if (r < 0)
			break;
		strikes = gs_sim_fault_take(gs_sim_store_state(lib.store), call, false, &fault, &counted);
		if (counted)
			r = gs_sim_store_commit(lib.store, NULL);
		gs_sim_store_end(lib.store);
		if (r == 0)
			r = gs_sim_store_refresh(lib.store, NULL);
		if (r < 0)
			return GS_NVML_OPERATING_SYSTEM;
		if (!strikes)
			return GS_NVML_SUCCESS;
		if (fault.kind != GS_SIM_FAULT_HANG)
			return (enum gs_nvml_return)fault.code;
		hang(fault.id);
	}
	gs_sim_store_end(lib.store);
	return GS_NVML_OPERATING_SYSTEM;
}

/* ------------------------------------------------------------ calls */

enum gs_nvml_return gs_standin_enter(const char *call, struct gs_sim_state **ret_state)
{
	enum gs_nvml_return r;

	if (!lib.users)
		return GS_NVML_UNINITIALIZED;
	if (gs_sim_store_refresh(lib.store, NULL) < 0)
		return GS_NVML_UNKNOWN;
	be_slow(gs_sim_store_state(lib.store), call, false);
	if (any_fault_matches(gs_sim_store_state(lib.store), call)) {
		r = read_with_fault(call);
		if (r != GS_NVML_SUCCESS)
			return r;
	}
	*ret_state = gs_sim_store_state(lib.store);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return gs_standin_read(const char *call, void *handle, unsigned int kinds, struct gs_target *ret_target)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter(call, &s);

	return r != GS_NVML_SUCCESS ? r : resolve(s, handle, kinds, ret_target);
}

enum gs_nvml_return gs_standin_read_privileged(const char *call, void *handle, unsigned int kinds, struct gs_target *ret_target)
{
	enum gs_nvml_return r = gs_standin_read(call, handle, kinds, ret_target);

	return r == GS_NVML_SUCCESS && !lib.is_root ? GS_NVML_NO_PERMISSION : r;
}

/* Under the lock. *@ret_hang gets the fault to wait for, or 0. */
static enum gs_nvml_return change_locked(const char *call, void *handle, unsigned int kinds,
					 enum gs_nvml_return (*change)(struct gs_target *t, void *arguments),
					 void *arguments, uint64_t *ret_hang)
{
	struct gs_sim_state *s = gs_sim_store_state(lib.store);
	enum gs_nvml_return r = GS_NVML_SUCCESS;
	struct gs_sim_fault fault;
	enum gs_sim_kill kill;
	struct gs_target t;
	bool counted, strikes;

	*ret_hang = 0;
	strikes = gs_sim_fault_take(s, call, true, &fault, &counted);
	if (strikes && fault.kind == GS_SIM_FAULT_HANG) {
		*ret_hang = fault.id;
		return GS_NVML_SUCCESS;
	}
	kill = gs_sim_kill_take(s, &counted);
	if (kill == GS_SIM_KILL_BEFORE)
		gs_sim_store_commit(lib.store, NULL);
	if (kill != GS_SIM_KILL_AFTER)
		gs_sim_kill_now(kill, gs_sim_store_tree_fd(lib.store));
	if (strikes && fault.kind == GS_SIM_FAULT_CODE) {
		r = (enum gs_nvml_return)fault.code;
	} else if (!strikes) {
		r = resolve(s, handle, kinds, &t);
		if (r == GS_NVML_SUCCESS)
			r = change(&t, arguments);
	}
	gs_sim_expect_answered(s, (uint32_t)r);
	if ((r == GS_NVML_SUCCESS || counted) && gs_sim_store_commit(lib.store, NULL) < 0)
		return GS_NVML_OPERATING_SYSTEM;
	if (kill == GS_SIM_KILL_AFTER)
		gs_sim_kill_now(kill, gs_sim_store_tree_fd(lib.store));
	return r;
}

enum gs_nvml_return gs_standin_change(const char *call, void *handle, unsigned int kinds,
				      enum gs_nvml_return (*change)(struct gs_target *t, void *arguments), void *arguments)
{
	enum gs_nvml_return r;
	struct gs_target t;
	uint64_t fault;

	if (!lib.users)
		return GS_NVML_UNINITIALIZED;
	if (gs_sim_store_refresh(lib.store, NULL) < 0)
		return GS_NVML_UNKNOWN;
	/* what the library itself would refuse never reaches the driver, so no fault counts it */
	r = resolve(gs_sim_store_state(lib.store), handle, kinds, &t);
	if (r != GS_NVML_SUCCESS)
		return r;
	if (!lib.is_root)
		return GS_NVML_NO_PERMISSION;
	be_slow(gs_sim_store_state(lib.store), call, true);
	for (;;) {
		r = GS_NVML_OPERATING_SYSTEM;
		fault = 0;
		if (gs_sim_store_begin(lib.store, NULL) == 0)
			r = change_locked(call, handle, kinds, change, arguments, &fault);
		gs_sim_store_end(lib.store);
		if (!fault)
			return r;
		hang(fault);
	}
}

/* ------------------------------------------------------------ life */

bool gs_standin_is_root(void)
{
	return lib.is_root;
}

int gs_standin_tree_fd(void)
{
	return gs_sim_store_tree_fd(lib.store);
}

int gs_standin_node_fd(const struct gs_sim_gpu *gpu)
{
	return lib.node_fds[gpu->minor];
}

static void close_nodes(void)
{
	if (lib.ctl_fd >= 0)
		close(lib.ctl_fd);
	lib.ctl_fd = -1;
	for (size_t i = 0; i < GS_ARRAY_SIZE(lib.node_fds); i++) {
		if (lib.node_fds[i] >= 0)
			close(lib.node_fds[i]);
		lib.node_fds[i] = -1;
	}
}

/* As NVML does: the control node and every GPU, kept open until shutdown (interfaces 5.1). */
static void open_nodes(const struct gs_sim_state *s)
{
	int tree_fd = gs_sim_store_tree_fd(lib.store);

	lib.ctl_fd = openat(tree_fd, "dev/nvidiactl", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (lib.ctl_fd < 0)
		lib.ctl_fd = openat(tree_fd, "dev/nvidiactl", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (gs_sim_gpu_is_visible(&s->gpus[i]))
			lib.node_fds[s->gpus[i].minor] = gs_sim_node_open(tree_fd, s->gpus[i].minor);
	}
}

static enum gs_nvml_return init(const char *call, unsigned int flags)
{
	GS_CLEANUP(gs_sim_store_closep) struct gs_sim_store *store = NULL;
	const char *dir = getenv("GPUSLICE_SIM_STATE"), *user = getenv("GPUSLICE_SIM_USER");
	struct gs_sim_state *s;
	enum gs_nvml_return r;

	if (lib.users) {
		lib.users++;
		return GS_NVML_SUCCESS;
	}
	/* without a machine there is no driver: what a host without one answers */
	if (!dir || dir[0] != '/' || gs_sim_store_open(dir, &store, NULL) < 0 ||
	    gs_sim_store_open_tree(store, NULL) < 0 || gs_sim_store_refresh(store, NULL) < 0)
		return GS_NVML_DRIVER_NOT_LOADED;
	lib = (struct standin){ .life = lib.life + 1, .users = 1, .ctl_fd = -1 };
	lib.is_root = !gs_str_equal(user, "1");
	lib.store = GS_TAKE(store);
	for (size_t i = 0; i < GS_ARRAY_SIZE(lib.node_fds); i++)
		lib.node_fds[i] = -1;
	if (!(flags & NO_ATTACH))
		open_nodes(gs_sim_store_state(lib.store));
	r = gs_standin_enter(call, &s);
	if (r != GS_NVML_SUCCESS)
		nvmlShutdown();
	return r;
}

enum gs_nvml_return nvmlInitWithFlags(unsigned int flags)
{
	return init("InitWithFlags", flags);
}

enum gs_nvml_return nvmlInit_v2(void)
{
	return init("Init_v2", 0);
}

/* A pending mode change may have waited for nobody but us. */
static void settle_modes(void)
{
	if (gs_sim_store_refresh(lib.store, NULL) < 0 || !gs_sim_can_settle(gs_sim_store_state(lib.store), gs_sim_store_tree_fd(lib.store)))
		return;
	if (gs_sim_store_begin(lib.store, NULL) == 0 &&
	    gs_sim_settle(gs_sim_store_state(lib.store), gs_sim_store_tree_fd(lib.store)))
		gs_sim_store_commit(lib.store, NULL);
	gs_sim_store_end(lib.store);
}

enum gs_nvml_return nvmlShutdown(void)
{
	if (!lib.users)
		return GS_NVML_UNINITIALIZED;
	if (--lib.users)
		return GS_NVML_SUCCESS;
	close_nodes();
	settle_modes();
	lib.store = gs_sim_store_close(lib.store);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return gs_standin_put_text(char *to, unsigned int length, const char *text)
{
	size_t n = strlen(text) + 1;

	if (!to)
		return GS_NVML_INVALID_ARGUMENT;
	if (n > length)
		return GS_NVML_INSUFFICIENT_SIZE;
	memcpy(to, text, n);
	return GS_NVML_SUCCESS;
}
