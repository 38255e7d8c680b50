/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_read.c - state.json to memory. The file is input: everything is checked. */
#include <errno.h>
#include <string.h>

#include "backend/sim/expect_json.h"
#include "backend/sim/family_json.h"
#include "backend/sim/jsonio.h"
#include "backend/sim/pci_json.h"
#include "backend/sim/state.h"
#include "backend/sim/system_json.h"
#include "base/parse.h"

#define SERIAL_MAX (((uint64_t)1 << 36) - 1)    /* what fits in a handle */
#define COUNT_MAX ((uint64_t)1 << 52)

static void *allocate(struct gs_sim_json *j, size_t n, size_t size)
{
	void *p = gs_arena_calloc(j->arena, n ? n : 1, size);

	if (!p && !j->error)
		j->error = gs_error_oom(j->e);
	return p;
}

static uint32_t id_or_none(struct gs_sim_json *j, struct json_object *o, const char *key, uint32_t max)
{
	return gs_sim_json_has(o, key) ? gs_sim_json_u32(j, o, key, max) : GS_SIM_NONE;
}

static void read_ci(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gi *gi, struct gs_sim_ci *ci)
{
	const char *uuid;

	ci->id = gs_sim_json_u32(j, o, "id", GS_SIM_CIS_MAX - 1);
	ci->profile_id = gs_sim_json_u32(j, o, "profile_id", 255);
	ci->start = gs_sim_json_u32(j, o, "start", 64);
	ci->size = gs_sim_json_u32(j, o, "size", 64);
	ci->slot = gs_sim_json_u32(j, o, "slot", GS_SIM_GIS_MAX);
	ci->serial = gs_sim_json_u64(j, o, "serial", SERIAL_MAX);
	uuid = gs_sim_json_string(j, o, "uuid", sizeof(ci->uuid) - 1);
	memcpy(ci->uuid, uuid, strlen(uuid) + 1);
	if (gs_sim_ci_by_id(gi, ci->id) != ci)
		gs_sim_json_fail(j, "cis", "has an id twice");
}

static void read_gi(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu, struct gs_sim_gi *gi)
{
	struct json_object *array;

	gi->id = gs_sim_json_u32(j, o, "id", GS_SIM_GIS_MAX - 1);
	gi->profile_id = gs_sim_json_u32(j, o, "profile_id", 255);
	gi->start = gs_sim_json_u32(j, o, "start", 64);
	gi->size = gs_sim_json_u32(j, o, "size", 64);
	gi->serial = gs_sim_json_u64(j, o, "serial", SERIAL_MAX);
	gi->heterogeneous = gs_sim_json_flag(j, o, "heterogeneous");
	gs_sim_schedule_read(j, o, &gi->schedule);
	if (gs_sim_gi_by_id(gpu, gi->id) != gi)
		gs_sim_json_fail(j, "gis", "has an id twice");
	array = gs_sim_json_array(j, o, "cis", GS_SIM_CIS_MAX);
	for (size_t i = 0; i < gs_sim_json_length(array); i++) {
		gi->n_cis = i + 1;
		read_ci(j, gs_sim_json_element(j, array, i, "cis"), gi, &gi->cis[i]);
	}
}

static void read_gpu(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu)
{
	struct json_object *array;

	gs_sim_pci_read(j, gs_sim_json_object(j, o, "pci"), &gpu->pci);
	gpu->uuid = gs_sim_json_string(j, o, "uuid", 47);
	gpu->name = gs_sim_json_string(j, o, "name", 63);
	gpu->vbios = gs_sim_json_string(j, o, "vbios", 31);
	gpu->model_name = gs_sim_json_string(j, o, "model", 64);
	if (gpu->model_name[0] && !gs_sim_word_is_valid(gpu->model_name))
		gs_sim_json_fail(j, "model", "is not the name of a model");
	gpu->minor = id_or_none(j, o, "minor", GS_SIM_GPUS_MAX - 1);
	if ((gpu->minor == GS_SIM_NONE) == gs_sim_is_nvidia(gpu))
		gs_sim_json_fail(j, "minor", "is for NVIDIA GPUs, and each of them has one");
	gpu->memory_bytes = gs_sim_json_u64(j, o, "memory_bytes", COUNT_MAX);
	gpu->reserved_bytes = gs_sim_json_u64(j, o, "reserved_bytes", gpu->memory_bytes);
	gpu->power_limit_mw = gs_sim_json_u32(j, o, "power_limit_mw", 100000000);
	gpu->mig_current = gs_sim_json_bool(j, o, "mig_current");
	gpu->mig_pending = gs_sim_json_bool(j, o, "mig_pending");
	gpu->lost = gs_sim_json_flag(j, o, "lost");
	gpu->pending_armed = gs_sim_json_flag(j, o, "pending_armed");
	gpu->pending_stuck = gs_sim_json_flag(j, o, "pending_stuck");
	gpu->epoch = gs_sim_json_u64(j, o, "epoch", SERIAL_MAX);
	if (!j->error)
		gs_sim_family_read(j, o, gpu);
	array = gs_sim_json_array(j, o, "gis", GS_SIM_GIS_MAX);
	if (!gpu->model_name[0] && (gs_sim_json_length(array) || gpu->mig_current || gpu->mig_pending))
		gs_sim_json_fail(j, "gis", "or MIG mode on a GPU that cannot do MIG");
	for (size_t i = 0; i < gs_sim_json_length(array); i++) {
		gpu->n_gis = i + 1;
		read_gi(j, gs_sim_json_element(j, array, i, "gis"), gpu, &gpu->gis[i]);
	}
}

static void read_use(struct gs_sim_json *j, struct json_object *o, struct gs_sim_state *s, struct gs_sim_use *use)
{
	struct gs_sim_gpu *gpu = gs_sim_gpu_by_bdf(s, gs_sim_json_string(j, o, "gpu", 12));

	if (!gpu) {
		gs_sim_json_fail(j, "uses", "names no GPU of this machine");
		return;
	}
	use->gpu = gs_sim_gpu_index(s, gpu);
	use->gi = id_or_none(j, o, "gi", GS_SIM_GIS_MAX - 1);
	use->ci = id_or_none(j, o, "ci", GS_SIM_CIS_MAX - 1);
	use->memory_bytes = gs_sim_json_u64(j, o, "memory_bytes", COUNT_MAX);
	use->cuda = gs_sim_json_bool(j, o, "cuda");
}

static void read_opens(struct gs_sim_json *j, struct json_object *o, struct gs_sim_process *p)
{
	struct json_object *array = gs_sim_json_array(j, o, "opens", GS_SIM_USES_MAX);

	p->opens = allocate(j, gs_sim_json_length(array), sizeof(*p->opens));
	p->n_opens = p->opens ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < p->n_opens; i++)
		p->opens[i] = gs_sim_json_string_at(j, array, i, "opens", 256);
}

static void read_process(struct gs_sim_json *j, struct json_object *o, struct gs_sim_state *s, struct gs_sim_process *p)
{
	struct json_object *array;

	p->pid = gs_sim_json_u32(j, o, "pid", 1u << 22);
	p->ppid = gs_sim_json_u32(j, o, "ppid", 1u << 22);
	p->uid = gs_sim_json_u32(j, o, "uid", UINT32_MAX - 1);
	p->start_time = gs_sim_json_u64(j, o, "start_time", COUNT_MAX);
	p->comm = gs_sim_json_string(j, o, "comm", 15);
	p->cgroup = gs_sim_json_string(j, o, "cgroup", 512);
	p->ignores_term = gs_sim_json_flag(j, o, "ignores_term");
	p->guest_driver = gs_sim_json_has(o, "guest_driver") ? gs_sim_json_string(j, o, "guest_driver", 31) : "";
	p->guest_licence = gs_sim_json_has(o, "guest_licence") ? gs_sim_json_u32(j, o, "guest_licence", 5) : 0;
	p->passive = gs_sim_json_flag(j, o, "passive");
	p->of_fault = gs_sim_json_flag(j, o, "of_fault");
	p->unseen = gs_sim_json_flag(j, o, "unseen");
	p->follows = gs_sim_json_has(o, "follows") ? gs_sim_json_u32(j, o, "follows", 1u << 22) : 0;
	if (p->pid == 0)
		gs_sim_json_fail(j, "processes", "has a pid that is 0");

	array = gs_sim_json_array(j, o, "args", GS_SIM_ARGS_MAX);
	p->n_args = gs_sim_json_length(array);
	p->args = allocate(j, p->n_args, sizeof(*p->args));
	for (size_t i = 0; p->args && i < p->n_args; i++)
		p->args[i] = gs_sim_json_string_at(j, array, i, "args", 4096);

	array = gs_sim_json_array(j, o, "uses", GS_SIM_USES_MAX);
	p->uses = allocate(j, gs_sim_json_length(array), sizeof(*p->uses));
	p->n_uses = p->uses ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < p->n_uses; i++)
		read_use(j, gs_sim_json_element(j, array, i, "uses"), s, &p->uses[i]);
	if (gs_sim_json_has(o, "opens"))
		read_opens(j, o, p);
}

static void read_fault(struct gs_sim_json *j, struct json_object *o, struct gs_sim_fault *f)
{
	const char *kind = gs_sim_json_string(j, o, "kind", 16);

	const char *target = gs_sim_json_has(o, "on") ? gs_sim_json_string(j, o, "on", 16) : "nvml";

	f->call = gs_sim_json_string(j, o, "call", 256);
	f->id = gs_sim_json_u64(j, o, "id", COUNT_MAX);
	f->code = gs_sim_json_u32(j, o, "code", GS_SIM_SLOW_MS_MAX);
	f->countdown = gs_sim_json_u32(j, o, "countdown", 1u << 20);
	if (gs_str_equal(kind, "code"))
		f->kind = GS_SIM_FAULT_CODE;
	else if (gs_str_equal(kind, "nothing"))
		f->kind = GS_SIM_FAULT_NOTHING;
	else if (gs_str_equal(kind, "hang"))
		f->kind = GS_SIM_FAULT_HANG;
	else if (gs_str_equal(kind, "interrupted"))
		f->kind = GS_SIM_FAULT_INTERRUPTED;
	else if (gs_str_equal(kind, "slow"))
		f->kind = GS_SIM_FAULT_SLOW;
	else
		gs_sim_json_fail(j, "kind", "is not a kind of fault");
	if (gs_str_equal(target, "nvml"))
		f->target = GS_SIM_ON_NVML;
	else if (gs_str_equal(target, "write"))
		f->target = GS_SIM_ON_WRITE;
	else if (gs_str_equal(target, "read"))
		f->target = GS_SIM_ON_READ;
	else if (gs_str_equal(target, "program"))
		f->target = GS_SIM_ON_PROGRAM;
	else
		gs_sim_json_fail(j, "on", "is nothing that a fault can strike");
}

static void read_machine(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s)
{
	gs_sim_json_schema(j, root, "gpuslice.sim-state/2");
	s->generation = gs_sim_json_u64(j, root, "generation", COUNT_MAX);
	s->next_serial = gs_sim_json_u64(j, root, "next_serial", SERIAL_MAX);
	s->uuid_counter = gs_sim_json_u64(j, root, "uuid_counter", COUNT_MAX);
	s->uuid_old = gs_str_equal(gs_sim_json_string(j, root, "uuid", 8), "old");
	s->kill = gs_sim_json_has(root, "kill") ? (enum gs_sim_kill)gs_sim_json_u32(j, root, "kill", GS_SIM_KILL_AGENT) : GS_SIM_KILL_NEVER;
	s->kill_countdown = gs_sim_json_has(root, "kill_countdown") ? gs_sim_json_u32(j, root, "kill_countdown", 1u << 20) : 0;
	s->library = gs_sim_json_has(root, "library") ? gs_sim_json_u32(j, root, "library", GS_SIM_LIBRARY_NEW) : GS_SIM_LIBRARY_CURRENT;
	s->host = gs_sim_json_string(j, root, "host", 64);
	s->hostname = gs_sim_json_string(j, root, "hostname", 64);
	s->driver_version = gs_sim_json_string(j, root, "driver_version", 64);
	s->nvml_version = gs_sim_json_string(j, root, "nvml_version", 64);
	s->kernel_version = gs_sim_json_string(j, root, "kernel_version", 64);
	s->uptime_seconds = gs_sim_json_u64(j, root, "uptime_seconds", COUNT_MAX);
	s->boot_time = gs_sim_json_u64(j, root, "boot_time", COUNT_MAX);
	s->boot_serial = gs_sim_json_has(root, "boot_serial") ? gs_sim_json_u64(j, root, "boot_serial", SERIAL_MAX) : 0;
	s->vfio_cdev = gs_sim_json_flag(j, root, "vfio_cdev");
	s->no_nvml = gs_sim_json_flag(j, root, "no_nvml");
	s->read_only = gs_sim_json_flag(j, root, "read_only");
	s->next_pid = gs_sim_json_u32(j, root, "next_pid", 1u << 22);
	s->next_group = gs_sim_json_u32(j, root, "next_group", 1u << 20);
}

static void check_gpus(struct gs_sim_json *j, struct gs_sim_state *s)
{
	uint32_t minors = 0;

	for (size_t i = 0; i < s->n_gpus; i++) {
		struct gs_sim_gpu *gpu = &s->gpus[i];

		if (gs_sim_gpu_by_bdf(s, gpu->pci.bdf) != gpu || (gpu->minor != GS_SIM_NONE && (minors & 1u << gpu->minor)))
			gs_sim_json_fail(j, "gpus", "has an address or a minor number twice");
		if (gpu->minor != GS_SIM_NONE)
			minors |= 1u << gpu->minor;
	}
}

static void read_lists(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s)
{
	struct json_object *array = gs_sim_json_array(j, root, "users", GS_SIM_USERS_MAX);

	s->users = allocate(j, gs_sim_json_length(array), sizeof(*s->users));
	s->n_users = s->users ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_users; i++) {
		struct json_object *user = gs_sim_json_element(j, array, i, "users");

		s->users[i].name = gs_sim_json_string(j, user, "name", 32);
		s->users[i].uid = gs_sim_json_u32(j, user, "uid", UINT32_MAX - 1);
		if (!gs_sim_word_is_valid(s->users[i].name))
			gs_sim_json_fail(j, "users", "has a name that is none");
	}

	array = gs_sim_json_array(j, root, "gpus", GS_SIM_GPUS_MAX);
	s->gpus = allocate(j, gs_sim_json_length(array), sizeof(*s->gpus));
	s->n_gpus = s->gpus ? gs_sim_json_length(array) : 0;
	/* lookups by address walk the whole array, so no element may be without one */
	for (size_t i = 0; i < s->n_gpus; i++)
		s->gpus[i].pci.bdf = "";
	for (size_t i = 0; i < s->n_gpus; i++)
		read_gpu(j, gs_sim_json_element(j, array, i, "gpus"), &s->gpus[i]);
	check_gpus(j, s);

	array = gs_sim_json_array(j, root, "devices", GS_SIM_DEVICES_MAX);
	s->devices = allocate(j, gs_sim_json_length(array), sizeof(*s->devices));
	s->n_devices = s->devices ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_devices; i++)
		gs_sim_pci_read(j, gs_sim_json_element(j, array, i, "devices"), &s->devices[i]);

	array = gs_sim_json_array(j, root, "processes", GS_SIM_PROCESSES_MAX);
	s->processes = allocate(j, GS_SIM_PROCESSES_MAX, sizeof(*s->processes));
	for (size_t i = 0; s->processes && i < gs_sim_json_length(array); i++) {
		s->n_processes = i + 1;
		read_process(j, gs_sim_json_element(j, array, i, "processes"), s, &s->processes[i]);
		if (gs_sim_process_by_pid(s, s->processes[i].pid) != &s->processes[i])
			gs_sim_json_fail(j, "processes", "has a pid twice");
	}
	array = gs_sim_json_has(root, "parked") ? gs_sim_json_array(j, root, "parked", GS_SIM_PROCESSES_MAX) : NULL;
	s->parked = allocate(j, GS_SIM_PROCESSES_MAX, sizeof(*s->parked));
	for (size_t i = 0; s->parked && i < gs_sim_json_length(array); i++) {
		s->n_parked = i + 1;
		read_process(j, gs_sim_json_element(j, array, i, "parked"), s, &s->parked[i]);
	}

	array = gs_sim_json_array(j, root, "faults", GS_SIM_FAULTS_MAX);
	s->n_faults = gs_sim_json_length(array);
	for (size_t i = 0; i < s->n_faults; i++)
		read_fault(j, gs_sim_json_element(j, array, i, "faults"), &s->faults[i]);
}

static void read_pending(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s)
{
	static const char *const kinds[] = { "unbind", "numvfs", "mdev" };
	struct json_object *array = gs_sim_json_array(j, root, "pending", GS_SIM_PENDING_MAX);

	for (size_t i = 0; i < gs_sim_json_length(array); i++) {
		struct json_object *o = gs_sim_json_element(j, array, i, "pending");
		const char *kind = gs_sim_json_string(j, o, "kind", 16);
		struct gs_sim_pending *p = &s->pending[i];
		bool known = false;

		for (unsigned k = 0; k < GS_ARRAY_SIZE(kinds); k++) {
			if (gs_str_equal(kinds[k], kind)) {
				p->kind = (enum gs_sim_pending_kind)k;
				known = true;
			}
		}
		if (!known)
			gs_sim_json_fail(j, "kind", "is not a kind of write that waits");
		p->id = gs_sim_json_u64(j, o, "id", COUNT_MAX);
		p->what = gs_sim_json_string(j, o, "what", 36);
		s->n_pending = i + 1;
	}
}

int gs_sim_state_parse(const char *bytes, size_t n, const char *file, struct gs_sim_state **ret_state, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_state_freep) struct gs_sim_state *s = NULL;
	GS_SIM_JSON_PUT struct json_object *root = NULL;
	struct gs_sim_json j = { .file = file, .e = e };
	int r;

	r = gs_sim_json_parse(bytes, n, file, &root, e);
	if (r < 0)
		return r;
	s = gs_sim_state_new();
	if (!s)
		return gs_error_oom(e);
	j.arena = s->arena;
	read_machine(&j, root, s);
	if (!j.error)
		read_lists(&j, root, s);
	if (!j.error)
		gs_sim_expect_read(&j, root, s);
	if (!j.error)
		gs_sim_system_read(&j, root, s);
	if (!j.error && gs_sim_json_has(root, "pending"))
		read_pending(&j, root, s);
	if (j.error)
		return j.error;
	*ret_state = GS_TAKE(s);
	return 0;
}
