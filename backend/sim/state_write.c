/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_write.c - memory to state.json. */
#include <errno.h>
#include <string.h>

#include "backend/sim/expect_json.h"
#include "backend/sim/family_json.h"
#include "backend/sim/jsonio.h"
#include "backend/sim/jsonout.h"
#include "backend/sim/pci_json.h"
#include "backend/sim/state.h"

static struct json_object *ci_object(struct gs_sim_out *w, const struct gs_sim_ci *ci)
{
	struct json_object *o = json_object_new_object();

	gs_sim_put_number(w, o, "id", ci->id);
	gs_sim_put_number(w, o, "profile_id", ci->profile_id);
	gs_sim_put_number(w, o, "start", ci->start);
	gs_sim_put_number(w, o, "size", ci->size);
	gs_sim_put_number(w, o, "slot", ci->slot);
	gs_sim_put_number(w, o, "serial", ci->serial);
	gs_sim_put_text(w, o, "uuid", ci->uuid);
	return o;
}

static struct json_object *gi_object(struct gs_sim_out *w, const struct gs_sim_gi *gi)
{
	struct json_object *o = json_object_new_object(), *array = json_object_new_array();

	gs_sim_put_number(w, o, "id", gi->id);
	gs_sim_put_number(w, o, "profile_id", gi->profile_id);
	gs_sim_put_number(w, o, "start", gi->start);
	gs_sim_put_number(w, o, "size", gi->size);
	gs_sim_put_number(w, o, "serial", gi->serial);
	gs_sim_put_flag(w, o, "heterogeneous", gi->heterogeneous);
	gs_sim_schedule_write(w, o, &gi->schedule);
	for (size_t i = 0; i < gi->n_cis; i++)
		gs_sim_push(w, array, ci_object(w, &gi->cis[i]));
	gs_sim_put(w, o, "cis", array);
	return o;
}

static struct json_object *gpu_object(struct gs_sim_out *w, const struct gs_sim_gpu *gpu)
{
	struct json_object *o = json_object_new_object(), *array = json_object_new_array();

	gs_sim_put(w, o, "pci", gs_sim_pci_write(&gpu->pci));
	gs_sim_put_text(w, o, "uuid", gpu->uuid);
	gs_sim_put_text(w, o, "name", gpu->name);
	gs_sim_put_text(w, o, "vbios", gpu->vbios);
	gs_sim_put_text(w, o, "model", gpu->model_name);
	gs_sim_put_unless(w, o, "minor", gpu->minor, GS_SIM_NONE);
	gs_sim_put_number(w, o, "total_vfs", gpu->total_vfs);
	gs_sim_put_number(w, o, "memory_bytes", gpu->memory_bytes);
	gs_sim_put_number(w, o, "reserved_bytes", gpu->reserved_bytes);
	gs_sim_put_number(w, o, "power_limit_mw", gpu->power_limit_mw);
	gs_sim_put_bool(w, o, "mig_current", gpu->mig_current);
	gs_sim_put_bool(w, o, "mig_pending", gpu->mig_pending);
	gs_sim_put_flag(w, o, "lost", gpu->lost);
	gs_sim_put_flag(w, o, "pending_armed", gpu->pending_armed);
	gs_sim_put_flag(w, o, "pending_stuck", gpu->pending_stuck);
	gs_sim_put_number(w, o, "epoch", gpu->epoch);
	for (size_t i = 0; i < gpu->n_gis; i++)
		gs_sim_push(w, array, gi_object(w, &gpu->gis[i]));
	gs_sim_put(w, o, "gis", array);
	gs_sim_family_write(w, o, gpu);
	return o;
}

static struct json_object *use_object(struct gs_sim_out *w, const struct gs_sim_state *s, const struct gs_sim_use *use)
{
	struct json_object *o = json_object_new_object();

	gs_sim_put_text(w, o, "gpu", s->gpus[use->gpu].pci.bdf);
	if (use->gi != GS_SIM_NONE)
		gs_sim_put_number(w, o, "gi", use->gi);
	if (use->ci != GS_SIM_NONE)
		gs_sim_put_number(w, o, "ci", use->ci);
	gs_sim_put_number(w, o, "memory_bytes", use->memory_bytes);
	gs_sim_put_bool(w, o, "cuda", use->cuda);
	return o;
}

static struct json_object *process_object(struct gs_sim_out *w, const struct gs_sim_state *s, const struct gs_sim_process *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *args = json_object_new_array(), *uses = json_object_new_array(), *opens = json_object_new_array();

	gs_sim_put_number(w, o, "pid", p->pid);
	gs_sim_put_number(w, o, "ppid", p->ppid);
	gs_sim_put_number(w, o, "uid", p->uid);
	gs_sim_put_number(w, o, "start_time", p->start_time);
	gs_sim_put_text(w, o, "comm", p->comm);
	gs_sim_put_text(w, o, "cgroup", p->cgroup);
	gs_sim_put_flag(w, o, "ignores_term", p->ignores_term);
	gs_sim_put_word(w, o, "guest_driver", p->guest_driver);
	gs_sim_put_unless(w, o, "guest_licence", p->guest_licence, 0);
	gs_sim_put_flag(w, o, "passive", p->passive);
	gs_sim_put_flag(w, o, "of_fault", p->of_fault);
	gs_sim_put_flag(w, o, "unseen", p->unseen);
	gs_sim_put_unless(w, o, "follows", p->follows, 0);
	for (size_t i = 0; i < p->n_args; i++)
		gs_sim_push(w, args, json_object_new_string(p->args[i]));
	gs_sim_put(w, o, "args", args);
	for (size_t i = 0; i < p->n_uses; i++)
		gs_sim_push(w, uses, use_object(w, s, &p->uses[i]));
	gs_sim_put(w, o, "uses", uses);
	for (size_t i = 0; i < p->n_opens; i++)
		gs_sim_push(w, opens, json_object_new_string(p->opens[i]));
	gs_sim_put(w, o, "opens", opens);
	return o;
}

static struct json_object *fault_object(struct gs_sim_out *w, const struct gs_sim_fault *f)
{
	static const char *const kinds[] = { "code", "nothing", "hang", "interrupted", "slow" };
	static const char *const targets[] = { "nvml", "write", "read", "program" };
	struct json_object *o = json_object_new_object();

	gs_sim_put_text(w, o, "on", targets[f->target]);
	gs_sim_put_text(w, o, "kind", kinds[f->kind]);
	gs_sim_put_text(w, o, "call", f->call);
	gs_sim_put_number(w, o, "id", f->id);
	gs_sim_put_number(w, o, "code", f->code);
	gs_sim_put_number(w, o, "countdown", f->countdown);
	return o;
}

static struct json_object *pending_object(struct gs_sim_out *w, const struct gs_sim_pending *p)
{
	static const char *const kinds[] = { "unbind", "numvfs", "mdev" };
	struct json_object *o = json_object_new_object();

	gs_sim_put_number(w, o, "id", p->id);
	gs_sim_put_text(w, o, "kind", kinds[p->kind]);
	gs_sim_put_text(w, o, "what", p->what);
	return o;
}

/* What a host has beside its devices. */
static void put_system(struct gs_sim_out *w, struct json_object *root, const struct gs_sim_state *s)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < s->n_modules; i++) {
		struct json_object *o = json_object_new_object();

		gs_sim_put_text(w, o, "name", s->modules[i].name);
		gs_sim_put_word(w, o, "driver", s->modules[i].driver);
		gs_sim_put_word(w, o, "uses", s->modules[i].uses);
		gs_sim_put_bool(w, o, "loaded", s->modules[i].loaded);
		gs_sim_push(w, array, o);
	}
	gs_sim_put(w, root, "modules", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_units; i++) {
		struct json_object *o = json_object_new_object();

		gs_sim_put_text(w, o, "name", s->units[i].name);
		gs_sim_put_bool(w, o, "active", s->units[i].active);
		gs_sim_push(w, array, o);
	}
	gs_sim_put(w, root, "units", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_files; i++) {
		struct json_object *o = json_object_new_object();

		gs_sim_put_text(w, o, "path", s->files[i].path);
		gs_sim_put_text(w, o, "text", s->files[i].text);
		gs_sim_put_number(w, o, "mode", s->files[i].mode);
		gs_sim_put_unless(w, o, "pid", s->files[i].pid, 0);
		gs_sim_push(w, array, o);
	}
	gs_sim_put(w, root, "files", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_outputs; i++) {
		struct json_object *o = json_object_new_object();

		gs_sim_put_text(w, o, "command", s->outputs[i].command);
		gs_sim_put_text(w, o, "text", s->outputs[i].text);
		gs_sim_push(w, array, o);
	}
	gs_sim_put(w, root, "outputs", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_log; i++)
		gs_sim_push(w, array, json_object_new_string(s->log[i]));
	gs_sim_put(w, root, "log", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_pending; i++)
		gs_sim_push(w, array, pending_object(w, &s->pending[i]));
	gs_sim_put(w, root, "pending", array);
}

static void put_lists(struct gs_sim_out *w, struct json_object *root, const struct gs_sim_state *s)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < s->n_users; i++) {
		struct json_object *user = json_object_new_object();

		gs_sim_put_text(w, user, "name", s->users[i].name);
		gs_sim_put_number(w, user, "uid", s->users[i].uid);
		gs_sim_push(w, array, user);
	}
	gs_sim_put(w, root, "users", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_gpus; i++)
		gs_sim_push(w, array, gpu_object(w, &s->gpus[i]));
	gs_sim_put(w, root, "gpus", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_devices; i++)
		gs_sim_push(w, array, gs_sim_pci_write(&s->devices[i]));
	gs_sim_put(w, root, "devices", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_processes; i++)
		gs_sim_push(w, array, process_object(w, s, &s->processes[i]));
	gs_sim_put(w, root, "processes", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_parked; i++)
		gs_sim_push(w, array, process_object(w, s, &s->parked[i]));
	gs_sim_put(w, root, "parked", array);

	array = json_object_new_array();
	for (size_t i = 0; i < s->n_faults; i++)
		gs_sim_push(w, array, fault_object(w, &s->faults[i]));
	gs_sim_put(w, root, "faults", array);
}

int gs_sim_state_format(const struct gs_sim_state *s, char **ret_text, size_t *ret_n, struct gs_error *e)
{
	GS_SIM_JSON_PUT struct json_object *root = json_object_new_object();
	struct gs_sim_out w = { .failed = root == NULL };
	const char *text;
	size_t n;
	char *copy;

	gs_sim_put_text(&w, root, "schema", "gpuslice.sim-state/2");
	gs_sim_put_number(&w, root, "generation", s->generation);
	gs_sim_put_number(&w, root, "next_serial", s->next_serial);
	gs_sim_put_number(&w, root, "uuid_counter", s->uuid_counter);
	gs_sim_put_text(&w, root, "uuid", s->uuid_old ? "old" : "new");
	gs_sim_put_unless(&w, root, "kill", s->kill, GS_SIM_KILL_NEVER);
	gs_sim_put_unless(&w, root, "kill_countdown", s->kill_countdown, 0);
	gs_sim_put_unless(&w, root, "library", s->library, GS_SIM_LIBRARY_CURRENT);
	gs_sim_put_text(&w, root, "host", s->host);
	gs_sim_put_text(&w, root, "hostname", s->hostname);
	gs_sim_put_text(&w, root, "driver_version", s->driver_version);
	gs_sim_put_text(&w, root, "nvml_version", s->nvml_version);
	gs_sim_put_text(&w, root, "kernel_version", s->kernel_version);
	gs_sim_put_number(&w, root, "uptime_seconds", s->uptime_seconds);
	gs_sim_put_number(&w, root, "boot_time", s->boot_time);
	gs_sim_put_number(&w, root, "boot_serial", s->boot_serial);
	gs_sim_put_bool(&w, root, "vfio_cdev", s->vfio_cdev);
	gs_sim_put_flag(&w, root, "no_nvml", s->no_nvml);
	gs_sim_put_flag(&w, root, "read_only", s->read_only);
	gs_sim_put_number(&w, root, "next_pid", s->next_pid);
	gs_sim_put_number(&w, root, "next_group", s->next_group);
	put_lists(&w, root, s);
	gs_sim_expect_write(&w, root, s);
	put_system(&w, root, s);
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
