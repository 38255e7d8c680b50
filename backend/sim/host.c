/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/host.h"

#include <errno.h>
#include <string.h>

#include "backend/sim/family_json.h"
#include "backend/sim/function.h"
#include "backend/sim/host_vgpu.h"
#include "backend/sim/log.h"
#include "backend/sim/pci_json.h"
#include "backend/sim/rules.h"
#include "backend/sim/system_json.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"

#define MIB (1ull << 20)
#define TICKS_PER_SECOND 100

struct builder {
	struct gs_sim_json j;
	struct gs_sim_state *s;
	struct gs_sim_store *store;
	size_t n_models;
	struct {
		const char *name;
		struct gs_sim_model_file *file;
	} models[GS_SIM_GPUS_MAX];
	size_t n_boards;
	struct {
		const char *name;
		struct gs_sim_board_file *file;
	} boards[GS_SIM_GPUS_MAX];
};

static void builder_done(struct builder *b)
{
	for (size_t i = 0; i < b->n_models; i++)
		gs_sim_model_free(b->models[i].file);
	for (size_t i = 0; i < b->n_boards; i++)
		gs_sim_board_free(b->boards[i].file);
}

static void *allocate(struct builder *b, size_t n, size_t size)
{
	void *p = gs_arena_calloc(b->s->arena, n ? n : 1, size);

	if (!p && !b->j.error)
		b->j.error = gs_error_oom(b->j.e);
	return p;
}

/* The shipped data file FOLDER/NAME.json, and a copy of it beside the state. */
static int copy_data(struct builder *b, const char *folder, const char *name, bool is_board, char **ret_path)
{
	GS_FREE char *relative = NULL, *path = NULL, *bytes = NULL;
	size_t n;
	int r;

	if (asprintf(&relative, "%s/%s.json", folder, name) < 0)
		relative = NULL;
	path = relative ? gs_data_path(relative) : NULL;
	if (!path)
		return gs_error_oom(b->j.e);
	r = gs_file_read(path, GS_INPUT_BYTES_MAX, &bytes, &n, b->j.e);
	if (r == 0)
		r = is_board ? gs_sim_store_put_board(b->store, name, bytes, n, b->j.e) :
			       gs_sim_store_put_model(b->store, name, bytes, n, b->j.e);
	if (r == 0)
		*ret_path = GS_TAKE(path);
	return r;
}

static const struct gs_sim_model *find_model(struct builder *b, const char *name)
{
	GS_FREE char *path = NULL;

	for (size_t i = 0; i < b->n_models; i++) {
		if (gs_str_equal(b->models[i].name, name))
			return gs_sim_model_of(b->models[i].file);
	}
	if (!gs_sim_word_is_valid(name) || b->n_models == GS_ARRAY_SIZE(b->models)) {
		gs_sim_json_fail(&b->j, "model", "is not the name of a model");
		return NULL;
	}
	b->j.error = copy_data(b, "mig", name, false, &path);
	if (!b->j.error)
		b->j.error = gs_sim_model_read(path, &b->models[b->n_models].file, b->j.e);
	if (b->j.error)
		return NULL;
	b->models[b->n_models].name = name;
	return gs_sim_model_of(b->models[b->n_models++].file);
}

static const struct gs_sim_board *find_board(struct builder *b, const char *name)
{
	GS_FREE char *path = NULL;

	for (size_t i = 0; i < b->n_boards; i++) {
		if (gs_str_equal(b->boards[i].name, name))
			return gs_sim_board_of(b->boards[i].file);
	}
	if (!gs_sim_word_is_valid(name) || b->n_boards == GS_ARRAY_SIZE(b->boards)) {
		gs_sim_json_fail(&b->j, "board", "is not the name of a board");
		return NULL;
	}
	b->j.error = copy_data(b, "vgpu", name, true, &path);
	if (!b->j.error)
		b->j.error = gs_sim_board_read(path, &b->boards[b->n_boards].file, b->j.e);
	if (b->j.error)
		return NULL;
	b->boards[b->n_boards].name = name;
	return gs_sim_board_of(b->boards[b->n_boards++].file);
}

/* "3g.40gb@4": the instance of that profile at that start. */
static struct gs_sim_gi *find_instance(struct gs_sim_gpu *gpu, const char *text)
{
	const char *at = strrchr(text, '@');
	uint32_t start;

	if (!at || gs_parse_u32(at + 1, 10, &start) < 0 || !gpu->model)
		return NULL;
	for (size_t i = 0; i < gpu->n_gis; i++) {
		const struct gs_sim_profile *p = gs_sim_profile_by_id(gpu->model, gpu->gis[i].profile_id);

		if (p && gpu->gis[i].start == start && strlen(p->name) == (size_t)(at - text) &&
		    strncmp(p->name, text, (size_t)(at - text)) == 0)
			return &gpu->gis[i];
	}
	return NULL;
}

/* A GI and the compute instance that fills it, by the same rules as everybody else. */
static void create_instance(struct builder *b, struct gs_sim_gpu *gpu, struct json_object *o)
{
	const struct gs_sim_profile *p = gs_sim_profile_by_name(gpu->model, gs_sim_json_string(&b->j, o, "profile", 48));
	uint64_t counter = b->s->uuid_counter;
	struct gs_sim_span place;
	struct gs_sim_gi *gi;
	struct gs_sim_ci *ci;

	if (b->j.error)
		return;
	if (!p) {
		gs_sim_json_fail(&b->j, "profile", "is not one of this model");
		return;
	}
	place = (struct gs_sim_span){ gs_sim_json_u32(&b->j, o, "start", 64), p->n_placements ? p->placements[0].size : 0 };
	if (gs_sim_gi_create(b->s, gpu, p->id, &place, &gi) != GS_NVML_SUCCESS) {
		gs_sim_json_fail(&b->j, "instances", "has one that does not fit there");
		return;
	}
	if (gs_sim_json_has(o, "id")) {
		uint32_t id = gs_sim_json_u32(&b->j, o, "id", GS_SIM_GIS_MAX - 1);
		struct gs_sim_gi *other = gs_sim_gi_by_id(gpu, id);

		if (other && other != gi)
			gs_sim_json_fail(&b->j, "id", "is there twice");
		gi->id = id;
	}
	/* the UUID that a recreated instance gets again when the setting is «old» */
	b->s->uuid_counter = 0;
	for (size_t i = 0; i < p->n_compute; i++) {
		if (p->compute[i].is_default &&
		    gs_sim_ci_create(b->s, gpu, gi, p->compute[i].id, NULL, &ci) != GS_NVML_SUCCESS)
			gs_sim_json_fail(&b->j, "instances", "has one without room for its compute instance");
	}
	b->s->uuid_counter = counter + 1;
}

/* What all GPUs of a type share is written once: a GPU's own members win. */
static void inherit(struct builder *b, struct json_object *o, struct json_object *types)
{
	const char *type = gs_sim_json_string(&b->j, o, "type", 64);
	struct json_object *shared = b->j.error ? NULL : gs_sim_json_object(&b->j, types, type);

	if (!shared)
		return;
	json_object_object_foreach(shared, key, value) {
		if (!gs_sim_json_has(o, key))
			json_object_object_add(o, key, json_object_get(value));
	}
}

static const char *text_or_none(struct builder *b, struct json_object *o, const char *key, size_t max)
{
	return gs_sim_json_has(o, key) ? gs_sim_json_string(&b->j, o, key, max) : "";
}

/* Numbers of /dev/nvidiaN go up with the GPUs of that vendor unless the file says otherwise. */
static uint32_t next_minor(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	uint32_t minor = 0;

	for (const struct gs_sim_gpu *other = s->gpus; other < gpu; other++)
		minor += gs_sim_is_nvidia(other);
	return minor;
}

static void read_instances(struct builder *b, struct json_object *o, struct gs_sim_gpu *gpu)
{
	struct json_object *instances;

	if (!gs_sim_json_has(o, "instances") || b->j.error)
		return;
	if (!gpu->model) {
		gs_sim_json_fail(&b->j, "instances", "needs a \"model\"");
		return;
	}
	instances = gs_sim_json_array(&b->j, o, "instances", GS_SIM_GIS_MAX);
	for (size_t i = 0; i < gs_sim_json_length(instances); i++)
		create_instance(b, gpu, gs_sim_json_element(&b->j, instances, i, "instances"));
}

static void read_gpu(struct builder *b, struct json_object *o, struct gs_sim_gpu *gpu)
{
	gs_sim_pci_read(&b->j, o, &gpu->pci);
	gpu->uuid = text_or_none(b, o, "uuid", 47);
	gpu->name = gs_sim_json_string(&b->j, o, "name", 63);
	gpu->vbios = text_or_none(b, o, "vbios", 31);
	gpu->minor = gs_sim_is_nvidia(gpu) ? next_minor(b->s, gpu) : GS_SIM_NONE;
	if (gs_sim_json_has(o, "minor"))
		gpu->minor = gs_sim_json_u32(&b->j, o, "minor", GS_SIM_GPUS_MAX - 1);
	gpu->memory_bytes = gs_sim_json_u64(&b->j, o, "memory_mib", 1u << 24) * MIB;
	gpu->reserved_bytes = gs_sim_json_u64(&b->j, o, "reserved_mib", 1u << 24) * MIB;
	gpu->power_limit_mw = gs_sim_json_u32(&b->j, o, "power_limit_watts", 100000) * 1000;
	gpu->mig_current = gpu->mig_pending = gs_str_equal(text_or_none(b, o, "mode", 16), "mig");
	if (b->j.error)
		return;
	gs_sim_capabilities_read(&b->j, o, gpu);
	gpu->model_name = text_or_none(b, o, "model", 64);
	if (gpu->model_name[0])
		gpu->model = b->j.error ? NULL : find_model(b, gpu->model_name);
	if (gpu->board_name[0])
		gpu->board = b->j.error ? NULL : find_board(b, gpu->board_name);
	read_instances(b, o, gpu);
	if (!b->j.error)
		gs_sim_host_vgpus(&b->j, o, b->s, gpu);
}

static uint32_t find_uid(struct builder *b, const char *name)
{
	if (gs_str_equal(name, "root"))
		return 0;
	for (size_t i = 0; i < b->s->n_users; i++) {
		if (gs_str_equal(b->s->users[i].name, name))
			return b->s->users[i].uid;
	}
	gs_sim_json_fail(&b->j, "user", "is not one of \"users\"");
	return 0;
}

static void read_use(struct builder *b, struct json_object *o, struct gs_sim_use *use)
{
	struct gs_sim_gpu *gpu = gs_sim_gpu_at(b->s, gs_sim_json_u32(&b->j, o, "gpu", GS_SIM_GPUS_MAX - 1));
	struct gs_sim_gi *gi = NULL;

	*use = (struct gs_sim_use){ .gi = GS_SIM_NONE, .ci = GS_SIM_NONE };
	if (!gpu) {
		gs_sim_json_fail(&b->j, "gpu", "is not the number of a GPU");
		return;
	}
	use->gpu = gs_sim_gpu_index(b->s, gpu);
	if (gs_sim_json_has(o, "memory_mib")) {
		use->memory_bytes = gs_sim_json_u64(&b->j, o, "memory_mib", 1u << 24) * MIB;
		use->cuda = true;
	}
	if (!gs_sim_json_has(o, "instance"))
		return;
	gi = find_instance(gpu, gs_sim_json_string(&b->j, o, "instance", 64));
	if (!gi || !gi->n_cis) {
		gs_sim_json_fail(&b->j, "instance", "is not one that was made above");
		return;
	}
	use->gi = gi->id;
	use->ci = gi->cis[0].id;
}

static void read_process(struct builder *b, struct json_object *o, struct gs_sim_process *p)
{
	struct json_object *array;

	p->pid = gs_sim_json_u32(&b->j, o, "pid", 1u << 22);
	p->ppid = gs_sim_json_has(o, "ppid") ? gs_sim_json_u32(&b->j, o, "ppid", 1u << 22) : 1;
	p->uid = find_uid(b, gs_sim_json_string(&b->j, o, "user", 32));
	p->start_time = gs_sim_json_u64(&b->j, o, "started_seconds_after_boot", 1ull << 40) * TICKS_PER_SECOND +
			p->pid % TICKS_PER_SECOND;
	p->comm = gs_sim_json_string(&b->j, o, "comm", 15);
	p->cgroup = gs_sim_json_string(&b->j, o, "cgroup", 512);
	p->ignores_term = gs_sim_json_flag(&b->j, o, "ignores_term");
	p->guest_driver = gs_sim_json_has(o, "guest_driver") ? gs_sim_json_string(&b->j, o, "guest_driver", 31) : "";
	p->guest_licence = gs_sim_json_has(o, "guest_licence") ? gs_sim_json_u32(&b->j, o, "guest_licence", 5) : 0;
	p->passive = gs_sim_json_flag(&b->j, o, "passive");
	p->follows = gs_sim_json_has(o, "follows") ? gs_sim_json_u32(&b->j, o, "follows", 1u << 22) : 0;

	array = gs_sim_json_array(&b->j, o, "args", GS_SIM_ARGS_MAX);
	p->args = allocate(b, gs_sim_json_length(array), sizeof(*p->args));
	p->n_args = p->args ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < p->n_args; i++)
		p->args[i] = gs_sim_json_string_at(&b->j, array, i, "args", 4096);

	array = gs_sim_json_has(o, "uses") ? gs_sim_json_array(&b->j, o, "uses", GS_SIM_USES_MAX) : NULL;
	p->uses = allocate(b, gs_sim_json_length(array), sizeof(*p->uses));
	p->n_uses = p->uses ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < p->n_uses; i++)
		read_use(b, gs_sim_json_element(&b->j, array, i, "uses"), &p->uses[i]);
	if (!b->j.error)
		gs_sim_host_opens(&b->j, o, b->s, p);
}

static void read_lists(struct builder *b, struct json_object *root)
{
	struct json_object *array, *types;
	struct gs_sim_state *s = b->s;

	array = gs_sim_json_array(&b->j, root, "users", GS_SIM_USERS_MAX);
	s->users = allocate(b, gs_sim_json_length(array), sizeof(*s->users));
	s->n_users = s->users ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_users; i++) {
		struct json_object *o = gs_sim_json_element(&b->j, array, i, "users");

		s->users[i].name = gs_sim_json_string(&b->j, o, "name", 32);
		s->users[i].uid = gs_sim_json_u32(&b->j, o, "uid", UINT32_MAX - 1);
	}

	array = gs_sim_json_array(&b->j, root, "devices", GS_SIM_DEVICES_MAX);
	s->devices = allocate(b, gs_sim_json_length(array), sizeof(*s->devices));
	s->n_devices = s->devices ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_devices; i++)
		gs_sim_pci_read(&b->j, gs_sim_json_element(&b->j, array, i, "devices"), &s->devices[i]);

	types = gs_sim_json_object(&b->j, root, "gpu_types");
	array = gs_sim_json_array(&b->j, root, "gpus", GS_SIM_GPUS_MAX);
	s->gpus = allocate(b, gs_sim_json_length(array), sizeof(*s->gpus));
	s->n_gpus = s->gpus ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_gpus && !b->j.error; i++) {
		struct json_object *o = gs_sim_json_element(&b->j, array, i, "gpus");

		inherit(b, o, types);
		if (!b->j.error)
			read_gpu(b, o, &s->gpus[i]);
	}

	array = gs_sim_json_array(&b->j, root, "processes", GS_SIM_PROCESSES_MAX);
	s->processes = allocate(b, GS_SIM_PROCESSES_MAX, sizeof(*s->processes));
	s->parked = allocate(b, GS_SIM_PROCESSES_MAX, sizeof(*s->parked));
	s->n_processes = s->processes ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_processes && !b->j.error; i++)
		read_process(b, gs_sim_json_element(&b->j, array, i, "processes"), &s->processes[i]);
}

/* Counters that handles and UUIDs are made of never go back, not even at a reset. */
static void go_on_counters(struct gs_sim_state *s, const struct gs_sim_state *before)
{
	s->generation = before ? before->generation : 0;
	s->next_serial = before ? before->next_serial : 1;
	s->uuid_counter = before ? before->uuid_counter : 1;
}

static void go_on_epochs(struct gs_sim_state *s, const struct gs_sim_state *before)
{
	uint64_t epoch = 0;

	for (size_t i = 0; before && i < before->n_gpus; i++) {
		if (before->gpus[i].epoch >= epoch)
			epoch = before->gpus[i].epoch + 1;
	}
	for (size_t i = 0; i < s->n_gpus; i++)
		s->gpus[i].epoch = epoch;
}

static void read_host(struct builder *b, struct json_object *root, const char *name)
{
	struct gs_sim_state *s = b->s;

	gs_sim_json_schema(&b->j, root, "gpuslice.sim-host/1");
	s->host = gs_arena_strdup(s->arena, name);
	s->hostname = gs_sim_json_string(&b->j, root, "hostname", 64);
	s->driver_version = text_or_none(b, root, "driver_version", 64);
	s->nvml_version = text_or_none(b, root, "nvml_version", 64);
	s->kernel_version = gs_sim_json_string(&b->j, root, "kernel_version", 64);
	s->uptime_seconds = gs_sim_json_u64(&b->j, root, "uptime_seconds", 1ull << 40);
	s->boot_time = gs_sim_json_u64(&b->j, root, "boot_time", 1ull << 40);
	s->vfio_cdev = gs_sim_json_flag(&b->j, root, "vfio_cdev");
	s->no_nvml = gs_sim_json_flag(&b->j, root, "no_nvml");
	gs_sim_system_read(&b->j, root, s);
	/* far from what the host file gives by hand */
	s->next_group = gs_sim_json_has(root, "next_group") ? gs_sim_json_u32(&b->j, root, "next_group", 1u << 20) : 2000;
	s->next_pid = gs_sim_json_has(root, "next_pid") ? gs_sim_json_u32(&b->j, root, "next_pid", 1u << 22) : 200000;
	if (!b->j.error)
		read_lists(b, root);
	if (!b->j.error && gs_arena_has_failed(s->arena))
		b->j.error = gs_error_oom(b->j.e);
}

int gs_sim_host_build(const char *name, struct gs_sim_store *store, const struct gs_sim_state *before,
		      struct gs_sim_state **ret_state, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_state_freep) struct gs_sim_state *s = NULL;
	GS_CLEANUP(builder_done) struct builder b = { .store = store };
	GS_SIM_JSON_PUT struct json_object *root = NULL;
	GS_FREE char *relative = NULL, *path = NULL, *bytes = NULL;
	size_t n;
	int r;

	if (asprintf(&relative, "hosts/%s.json", name) < 0) {
		relative = NULL;
		return gs_error_oom(e);
	}
	path = gs_data_path(relative);
	s = gs_sim_state_new();
	if (!path || !s)
		return gs_error_oom(e);
	r = gs_file_read(path, GS_INPUT_BYTES_MAX, &bytes, &n, e);
	if (r < 0)
		return r;
	r = gs_sim_json_parse(bytes, n, path, &root, e);
	if (r < 0)
		return r;
	b.s = s;
	b.j = (struct gs_sim_json){ .file = path, .arena = s->arena, .e = e };
	go_on_counters(s, before);
	read_host(&b, root, name);
	if (b.j.error)
		return b.j.error;
	go_on_epochs(s, before);
	gs_sim_log_boot(s);
	/* the models that were used for building go with the builder; the store attaches its own */
	for (size_t i = 0; i < s->n_gpus; i++) {
		s->gpus[i].model = NULL;
		s->gpus[i].board = NULL;
	}
	*ret_state = GS_TAKE(s);
	return 0;
}
