/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_steps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/family.h"
#include "backend/reset.h"
#include "backend/writer.h"

#define SAY_FIRST_MS 2000
#define SAY_EVERY_MS 10000

struct doing {
	struct gs_agent *agent;
	const struct gs_agent_at *at;
	uint64_t said_ms;
};

const char *gs_agent_step_text(const struct gs_step *step, enum gs_tense tense, char *buf, size_t size)
{
	int n = snprintf(buf, size, "GPU %" PRIu32 ": ", step->gpu);

	if (n > 0 && (size_t)n < size)
		gs_step_describe(step, tense, buf + n, size - (size_t)n);
	return buf;
}

static bool is_unit_step(const struct gs_step *step)
{
	return step->op == GS_STEP_STOP_UNIT || step->op == GS_STEP_START_UNIT;
}

bool gs_agent_takes_step(const struct gs_step *step)
{
	return is_unit_step(step) || gs_family_of(step);
}

bool gs_agent_step_needs_nobody(const struct gs_step *step, const struct gs_snapshot *last)
{
	const struct gs_gpu *gpu = last ? gs_snapshot_gpu_by_bdf(last, step->bdf) : NULL;

	switch (step->op) {
	case GS_STEP_SET_MODE:
	case GS_STEP_RESET_GPU:
		return true;
	case GS_STEP_ENABLE_VFS:
	case GS_STEP_DISABLE_VFS:
		return step->vfs_by == GS_VFS_BY_SRIOV_MANAGE;
	case GS_STEP_UNBIND_DRIVER:
	case GS_STEP_BIND_DRIVER:
		return gpu && gpu->vendor == GS_VENDOR_NVIDIA;
	default:
		return false;
	}
}

/* ---------------------------------------------------------------- while a writer works */

static void op_wait(void *userdata, int fd, int ms)
{
	struct doing *d = userdata;

	gs_agent_wait(d->agent, fd, ms);
}

void gs_agent_say_waiting(struct gs_agent *a, const struct gs_agent_at *at, const char *text, uint64_t waited_ms, uint64_t *said_ms)
{
	struct json_object *o;
	char step[256], note[400];

	if (waited_ms < SAY_FIRST_MS || (*said_ms && waited_ms - *said_ms < SAY_EVERY_MS))
		return;
	*said_ms = waited_ms;
	o = json_object_new_object();
	if (!o)
		return;
	snprintf(note, sizeof(note), "%s (%" PRIu64 " s)", text, waited_ms / 1000);
	gs_json_add_string(o, "event", "waiting");
	gs_json_add_u64(o, "n", GS_U64(at->step ? at->step->n : 0));
	gs_json_add_u64(o, "of", GS_U64(at->n_steps));
	gs_json_add_string(o, "text", at->step ? gs_agent_step_text(at->step, GS_TENSE_RUNNING, step, sizeof(step)) : "looking at the machine");
	gs_json_add_string(o, "note", note);
	gs_rpc_notify(a->client, "progress", o);
}

static void op_waiting(void *userdata, const char *text, uint64_t waited_ms)
{
	struct doing *d = userdata;

	gs_agent_say_waiting(d->agent, d->at, text, waited_ms, &d->said_ms);
}

/* Who asks to stop, or tells us to end, wants to be let go of; the write goes on by itself. */
static bool op_leave(void *userdata, uint64_t waited_ms)
{
	struct doing *d = userdata;

	return waited_ms >= GS_WRITER_PATIENCE_MS || d->agent->is_cancelled || d->agent->must_end;
}

struct names {
	char *buf;
	size_t size, at;
};

static void add_names(struct names *n, struct gs_holder *const *holders, size_t count)
{
	for (size_t i = 0; i < count && n->at < n->size; i++) {
		char label[96];

		/* claims have nothing open, and ours let go */
		if (holders[i]->yields || holders[i]->kind == GS_HOLDER_CLAIM)
			continue;
		n->at += (size_t)snprintf(n->buf + n->at, n->size - n->at, "%s%s", n->at ? ", " : "", gs_holder_label(holders[i], label, sizeof(label)));
	}
}

static void add_gpu_names(struct names *n, const struct gs_gpu *gpu)
{
	add_names(n, gpu->holders, gpu->n_holders);
	for (size_t i = 0; i < gpu->n_instances; i++)
		add_names(n, gpu->instances[i]->holders, gpu->instances[i]->n_holders);
	for (size_t i = 0; i < gpu->vfs.n_functions; i++)
		add_names(n, gpu->vfs.functions[i]->holders, gpu->vfs.functions[i]->n_holders);
}

static void add_vf_names(struct names *n, const struct gs_gpu *gpu, struct gs_bdf function)
{
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		const struct gs_vf *vf = gpu->vfs.functions[i];
		const struct gs_instance *inst = gs_gpu_instance_on_vf(gpu, vf->n);

		if (gs_bdf_compare(vf->bdf, function) != 0)
			continue;
		add_names(n, vf->holders, vf->n_holders);
		if (inst)
			add_names(n, inst->holders, inst->n_holders);
	}
}

static void op_holders(void *userdata, struct gs_bdf function, char *buf, size_t size)
{
	struct doing *d = userdata;
	struct names n = { buf, size, 0 };

	buf[0] = '\0';
	for (size_t i = 0; d->at->last && i < gs_snapshot_n_gpus(d->at->last); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(d->at->last, i);

		if (gs_bdf_compare(gpu->bdf, function) == 0)
			add_gpu_names(&n, gpu);
		else
			add_vf_names(&n, gpu, function);
	}
}

static const struct gs_writer_ops writer_ops = { op_wait, op_waiting, op_leave, op_holders };

/* ---------------------------------------------------------------- units */

/* No function of the machine is at stake, so no write that hangs on one stands against it. */
static int systemctl(struct gs_writer *w, const char *verb, const char *unit, int *ret_exit, char **ret_output, struct gs_error *e)
{
	const char *argv[] = { "systemctl", verb, unit, NULL };

	return gs_writer_run(w, (struct gs_bdf){ 0 }, argv, ret_exit, ret_output, e);
}

/* The first word that is-active prints; its status alone does not tell «inactive» from «I did not understand». */
static bool is_state(const char *printed, const char *const *states)
{
	for (size_t i = 0; states[i]; i++) {
		size_t n = strlen(states[i]);

		/* the newline behind it was made printable */
		if (strncmp(printed, states[i], n) == 0 && (!printed[n] || printed[n] == '?'))
			return true;
	}
	return false;
}

/* What systemctl reports is not taken for what is: the unit's state is asked for afterwards. */
static int run_unit(struct gs_writer *w, const struct gs_step *step, struct gs_error *e)
{
	static const char *const up[] = { "active", "reloading", NULL }, *const down[] = { "inactive", "failed", "unknown", NULL };
	bool start = step->op == GS_STEP_START_UNIT;
	GS_FREE char *output = NULL, *state = NULL;
	int exit_status = 0, status = 0, r;

	if (!step->unit || !step->unit[0] || step->unit[0] == '-')
		return gs_error_set(e, -EINVAL, GS_STATUS_FAILED, "\"%s\" is no name of a unit. Nothing was done", step->unit ? step->unit : "");
	r = systemctl(w, start ? "start" : "stop", step->unit, &exit_status, &output, e);
	if (r == 0)
		r = systemctl(w, "is-active", step->unit, &status, &state, e);
	if (r < 0)
		return gs_error_prefix(e, "unit %s could not be %s: ", step->unit, start ? "started" : "stopped");
	if (is_state(state, start ? up : down))
		return 0;
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "unit %s was to be %s and is %.40s (systemctl ended with %d%s%.300s). journalctl -u %s says why", step->unit,
			    start ? "started" : "stopped", state[0] ? state : "not known", exit_status, output[0] ? ": " : "", output, step->unit);
}

/* ---------------------------------------------------------------- */

/* A MIG-backed vGPU is put into its GI by id, which is only known when the GI is there. */
static bool fill_gi(struct gs_step *step, const struct gs_snapshot *last)
{
	const struct gs_gpu *gpu = last ? gs_snapshot_gpu_by_bdf(last, step->bdf) : NULL;
	const struct gs_instance *inst = gpu && step->gi_profile ? gs_gpu_instance_at(gpu, step->gi_profile, step->on_start.value) : NULL;

	if (!inst || inst->kind != GS_KIND_MIG)
		return false;
	step->instance_id = inst->id;
	return true;
}

static int run_family(struct gs_writer *w, const struct gs_agent_at *at, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	const struct gs_gpu *gpu = at->last ? gs_snapshot_gpu_by_bdf(at->last, at->step->bdf) : NULL;
	struct gs_step step = *at->step;

	if (step.op == GS_STEP_CREATE_VGPU && step.on_start.known && !fill_gi(&step, at->last))
		return gs_error_set(e, -ENOENT, GS_STATUS_FAILED, "GPU %" PRIu32 ": vGPU %s was not created: its GPU instance, a %s at %" PRIu32 ", is not there", step.gpu,
				    step.profile, step.gi_profile ? step.gi_profile : "GPU instance", step.on_start.value);
	if (step.op == GS_STEP_RESET_GPU && !gs_reset_is_due(&step, at->last)) {
		snprintf(ret_outcome->note, sizeof(ret_outcome->note), "the driver has made the mode active by itself: nothing had to be reset");
		return 0;
	}
	/* remembered for the way back, see passthrough.h */
	if (step.op == GS_STEP_UNBIND_DRIVER && step.to_vfio)
		step.mode = gpu && gpu->mode != GS_MODE_INVALID ? gpu->mode : GS_MODE_WHOLE;
	return gs_family_of(&step)->run(w, &step, ret_outcome, e);
}

/* What was left pending is reaped when it ends; it holds no lock, since other GPUs go on. */
static void adopt(struct gs_agent *a, struct gs_writer *w)
{
	int pid;

	while (a->n_strays < GS_AGENT_STRAYS_MAX && (pid = gs_writer_take_left(w)) > 0)
		a->strays[a->n_strays++] = pid;
}

int gs_agent_run_step(struct gs_agent *a, const struct gs_agent_at *at, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	GS_CLEANUP(gs_writer_freep) struct gs_writer *w = NULL;
	struct doing d = { a, at, 0 };
	int r;

	w = gs_writer_new(a->machine, &writer_ops, &d);
	if (!w)
		return gs_error_oom(e);
	*ret_outcome = (struct gs_step_outcome){ 0 };
	if (is_unit_step(at->step))
		return run_unit(w, at->step, e);
	r = run_family(w, at, ret_outcome, e);
	if (r < 0)
		gs_error_prefix(e, "GPU %" PRIu32 ": ", at->step->gpu);
	adopt(a, w);
	return r;
}
