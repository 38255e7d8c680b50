/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_write.c - memory to state.json. */
#include <errno.h>
#include <string.h>

#include "backend/sim/jsonio.h"
#include "backend/sim/pci_json.h"
#include "backend/sim/state.h"

/* Lack of memory is latched, so that builders read as lists. */
struct writer {
	bool failed;
};

static void put(struct writer *w, struct json_object *o, const char *key, struct json_object *value)
{
	if (!o || !value || json_object_object_add(o, key, value) < 0) {
		w->failed = true;
		if (value && !o)
			json_object_put(value);
	}
}

static void put_number(struct writer *w, struct json_object *o, const char *key, uint64_t value)
{
	put(w, o, key, json_object_new_int64((int64_t)value));
}

static void put_text(struct writer *w, struct json_object *o, const char *key, const char *value)
{
	put(w, o, key, json_object_new_string(value));
}

static void put_bool(struct writer *w, struct json_object *o, const char *key, bool value)
{
	put(w, o, key, json_object_new_boolean(value));
}

/* Flags are written when they are on, so that the file shows what is special. */
static void put_flag(struct writer *w, struct json_object *o, const char *key, bool value)
{
	if (value)
		put_bool(w, o, key, true);
}

static void push(struct writer *w, struct json_object *array, struct json_object *value)
{
	if (!array || !value || json_object_array_add(array, value) < 0) {
		w->failed = true;
		json_object_put(value);
	}
}

static struct json_object *ci_object(struct writer *w, const struct gs_sim_ci *ci)
{
	struct json_object *o = json_object_new_object();

	put_number(w, o, "id", ci->id);
	put_number(w, o, "profile_id", ci->profile_id);
	put_number(w, o, "start", ci->start);
	put_number(w, o, "size", ci->size);
	put_number(w, o, "slot", ci->slot);
	put_number(w, o, "serial", ci->serial);
	put_text(w, o, "uuid", ci->uuid);
	return o;
}

static struct json_object *gi_object(struct writer *w, const struct gs_sim_gi *gi)
{
	struct json_object *o = json_object_new_object(), *array = json_object_new_array();

	put_number(w, o, "id", gi->id);
	put_number(w, o, "profile_id", gi->profile_id);
	put_number(w, o, "start", gi->start);
	put_number(w, o, "size", gi->size);
	put_number(w, o, "serial", gi->serial);
	for (size_t i = 0; i < gi->n_cis; i++)
		push(w, array, ci_object(w, &gi->cis[i]));
	put(w, o, "cis", array);
	return o;
}

static struct json_object *gpu_object(struct writer *w, const struct gs_sim_gpu *gpu)
{
	struct json_object *o = json_object_new_object(), *array = json_object_new_array();

	put(w, o, "pci", gs_sim_pci_write(&gpu->pci));
	put_text(w, o, "uuid", gpu->uuid);
	put_text(w, o, "name", gpu->name);
	put_text(w, o, "vbios", gpu->vbios);
	put_text(w, o, "model", gpu->model_name);
	put_number(w, o, "minor", gpu->minor);
	put_number(w, o, "total_vfs", gpu->total_vfs);
	put_number(w, o, "memory_bytes", gpu->memory_bytes);
	put_number(w, o, "reserved_bytes", gpu->reserved_bytes);
	put_number(w, o, "power_limit_mw", gpu->power_limit_mw);
	put_bool(w, o, "mig_current", gpu->mig_current);
	put_bool(w, o, "mig_pending", gpu->mig_pending);
	put_flag(w, o, "lost", gpu->lost);
	put_flag(w, o, "pending_armed", gpu->pending_armed);
	put_flag(w, o, "pending_stuck", gpu->pending_stuck);
	put_number(w, o, "epoch", gpu->epoch);
	for (size_t i = 0; i < gpu->n_gis; i++)
		push(w, array, gi_object(w, &gpu->gis[i]));
	put(w, o, "gis", array);
	return o;
}

static struct json_object *use_object(struct writer *w, const struct gs_sim_state *s, const struct gs_sim_use *use)
{
	struct json_object *o = json_object_new_object();

	put_text(w, o, "gpu", s->gpus[use->gpu].pci.bdf);
	if (use->gi != GS_SIM_NONE)
		put_number(w, o, "gi", use->gi);
	if (use->ci != GS_SIM_NONE)
		put_number(w, o, "ci", use->ci);
	put_number(w, o, "memory_bytes", use->memory_bytes);
	put_bool(w, o, "cuda", use->cuda);
	return o;
}

static struct json_object *process_object(struct writer *w, const struct gs_sim_state *s, const struct gs_sim_process *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *args = json_object_new_array(), *uses = json_object_new_array();

	put_number(w, o, "pid", p->pid);
	put_number(w, o, "ppid", p->ppid);
	put_number(w, o, "uid", p->uid);
	put_number(w, o, "start_time", p->start_time);
	put_text(w, o, "comm", p->comm);
	put_text(w, o, "cgroup", p->cgroup);
	put_flag(w, o, "ignores_term", p->ignores_term);
	put_flag(w, o, "passive", p->passive);
	for (size_t i = 0; i < p->n_args; i++)
		push(w, args, json_object_new_string(p->args[i]));
	put(w, o, "args", args);
	for (size_t i = 0; i < p->n_uses; i++)
		push(w, uses, use_object(w, s, &p->uses[i]));
	put(w, o, "uses", uses);
	return o;
}

static struct json_object *fault_object(struct writer *w, const struct gs_sim_fault *f)
{
	static const char *const kinds[] = { "code", "nothing", "hang" };
	struct json_object *o = json_object_new_object();

	put_text(w, o, "kind", kinds[f->kind]);
	put_text(w, o, "call", f->call);
	put_number(w, o, "id", f->id);
	put_number(w, o, "code", f->code);
	put_number(w, o, "countdown", f->countdown);
	return o;
}

static void put_lists(struct writer *w, struct json_object *root, const struct gs_sim_state *s)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < s->n_users; i++) {
		struct json_object *user = json_object_new_object();

		put_text(w, user, "name", s->users[i].name);
		put_number(w, user, "uid", s->users[i].uid);
		push(w, array, user);
	}
	put(w, root, "users", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_gpus; i++)
		push(w, array, gpu_object(w, &s->gpus[i]));
	put(w, root, "gpus", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_devices; i++)
		push(w, array, gs_sim_pci_write(&s->devices[i]));
	put(w, root, "devices", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_processes; i++)
		push(w, array, process_object(w, s, &s->processes[i]));
	put(w, root, "processes", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_faults; i++)
		push(w, array, fault_object(w, &s->faults[i]));
	put(w, root, "faults", array);
}

int gs_sim_state_format(const struct gs_sim_state *s, char **ret_text, size_t *ret_n, struct gs_error *e)
{
	GS_SIM_JSON_PUT struct json_object *root = json_object_new_object();
	struct writer w = { .failed = root == NULL };
	const char *text;
	size_t n;
	char *copy;

	put_text(&w, root, "schema", "gpuslice.sim-state/1");
	put_number(&w, root, "generation", s->generation);
	put_number(&w, root, "next_serial", s->next_serial);
	put_number(&w, root, "uuid_counter", s->uuid_counter);
	put_text(&w, root, "uuid", s->uuid_old ? "old" : "new");
	put_text(&w, root, "host", s->host);
	put_text(&w, root, "hostname", s->hostname);
	put_text(&w, root, "driver_version", s->driver_version);
	put_text(&w, root, "nvml_version", s->nvml_version);
	put_text(&w, root, "kernel_version", s->kernel_version);
	put_number(&w, root, "uptime_seconds", s->uptime_seconds);
	put_number(&w, root, "boot_time", s->boot_time);
	put_lists(&w, root, s);
	if (w.failed)
		return gs_error_oom(e);
	text = json_object_to_json_string_length(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	if (!text)
		return gs_error_oom(e);
	copy = malloc(n + 2);
	if (!copy)
		return gs_error_oom(e);
	memcpy(copy, text, n);
	copy[n] = '\n';
	copy[n + 1] = '\0';
	*ret_text = copy;
	*ret_n = n + 1;
	return 0;
}
