/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/simhost.h"

#include <dirent.h>
#include <dlfcn.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/sim/sim.h"
#include "backend/sim/store.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "codec/layout_text.h"

#define HOST "dgx-h100"
#define TIMEOUT_MS 20000

#define CHECK(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "simhost: %s failed: %s\n", #x, e.text); \
			abort(); \
		} \
	} while (0)

struct gs_simhost {
	char home[64];
	struct gs_sim *sim;
	struct gs_sim_store *store;
	struct gs_session *session;
};

/* ---------------------------------------------------------------- the models */

static struct json_object *read_model(const char *name, struct gs_error *e)
{
	GS_FREE char *relative = NULL, *path = NULL, *bytes = NULL;
	struct json_object *o = NULL;
	size_t n;

	if (asprintf(&relative, "mig/%s.json", name) < 0)
		return NULL;
	path = gs_data_path(relative);
	if (!path || gs_file_read(path, 1u << 20, &bytes, &n, e) < 0 || gs_json_parse(bytes, n, path, &o, e) < 0)
		return NULL;
	return o;
}

struct json_object *gs_simhost_model(const char *name)
{
	struct gs_error e = { 0 };
	struct json_object *o = read_model(name, &e);

	CHECK(o);
	return o;
}

static bool is_complete(struct json_object *model)
{
	struct json_object *grid = json_object_object_get(model, "grid"), *profiles = json_object_object_get(model, "profiles");

	if (!json_object_object_get(grid, "memory_units"))
		return false;
	for (size_t i = 0; i < json_object_array_length(profiles); i++) {
		struct json_object *p = json_object_array_get_idx(profiles, i);
		struct json_object *placements = json_object_object_get(p, "placements");

		if (!json_object_object_get(p, "id") || !placements || !json_object_array_length(placements))
			return false;
	}
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **gs_simhost_models(void)
{
	GS_FREE char *path = gs_data_path("mig");
	DIR *dir = path ? opendir(path) : NULL;
	char **names = calloc(257, sizeof(*names));
	struct gs_error e = { 0 };
	struct dirent *entry;
	size_t n = 0;

	CHECK(dir && names);
	while ((entry = readdir(dir)) && n < 256) {
		size_t length = strlen(entry->d_name);
		struct json_object *model;

		if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		names[n] = strndup(entry->d_name, length - 5);
		model = gs_simhost_model(names[n]);
		if (is_complete(model))
			n++;
		else
			free(names[n]);
		names[n] = NULL;
		json_object_put(model);
	}
	closedir(dir);
	qsort(names, n, sizeof(*names), compare_names);
	return names;
}

/* ---------------------------------------------------------------- the machine */

/* "10de:2330" */
static void parse_id(const char *text, uint32_t *ret_vendor, uint32_t *ret_device)
{
	char half[5] = "";
	struct gs_error e = { 0 };

	CHECK(strlen(text) == 9 && text[4] == ':');
	memcpy(half, text, 4);
	CHECK(gs_parse_u32(half, 16, ret_vendor) == 0 && gs_parse_u32(text + 5, 16, ret_device) == 0);
}

static uint64_t largest_memory(struct json_object *model)
{
	struct json_object *profiles = json_object_object_get(model, "profiles");
	uint64_t most = 0;

	for (size_t i = 0; i < json_object_array_length(profiles); i++) {
		int64_t bytes = json_object_get_int64(json_object_object_get(json_object_array_get_idx(profiles, i), "memory_bytes"));

		most = (uint64_t)bytes > most ? (uint64_t)bytes : most;
	}
	return most;
}

static void exchange_gpu(struct gs_sim_state *s, struct gs_sim_gpu *gpu, const struct gs_simhost_options *options, struct json_object *model)
{
	struct json_object *board = json_object_array_get_idx(json_object_object_get(model, "pci"), 0);
	struct json_object *subsystems = json_object_object_get(board, "subsystems");
	const char *name = json_object_get_string(json_object_object_get(board, "name"));

	gpu->model_name = gs_arena_strdup(s->arena, options->model);
	gpu->name = gs_arena_strdup(s->arena, name ? name : "NVIDIA Graphics Device");
	parse_id(json_object_get_string(json_object_object_get(board, "id")), &gpu->pci.vendor, &gpu->pci.device);
	if (subsystems && json_object_array_length(subsystems))
		parse_id(json_object_get_string(json_object_array_get_idx(subsystems, 0)), &gpu->pci.subsystem_vendor, &gpu->pci.subsystem_device);
	gpu->reserved_bytes = 512ull << 20;
	gpu->memory_bytes = largest_memory(model) + gpu->reserved_bytes;
	gpu->mig_current = gpu->mig_pending = !options->is_whole;
	gpu->n_gis = 0;
}

static struct gs_sim_state *begin(struct gs_simhost *h)
{
	struct gs_error e = { 0 };

	CHECK(gs_sim_store_begin(h->store, &e) == 0);
	return gs_sim_store_state(h->store);
}

static void end(struct gs_simhost *h)
{
	struct gs_error e = { 0 };

	CHECK(gs_sim_store_commit(h->store, &e) == 0);
	gs_sim_store_end(h->store);
}

/* The state as it stands now, to look at. */
static struct gs_sim_state *look(struct gs_simhost *h)
{
	struct gs_error e = { 0 };

	CHECK(gs_sim_store_refresh(h->store, &e) == 0);
	return gs_sim_store_state(h->store);
}

/* From the file anew: a state in use has its models attached, and these are exchanged. */
static void exchange_gpus(struct gs_simhost *h, const struct gs_simhost_options *options, struct json_object *model)
{
	GS_FREE char *path = NULL, *bytes = NULL;
	struct gs_sim_state *s = NULL;
	struct gs_error e = { 0 };
	size_t n;

	CHECK(options->n_gpus && options->n_gpus <= GS_SIMHOST_GPUS_MAX);
	CHECK(asprintf(&path, "%s/state.json", gs_sim_store_dir(h->store)) > 0);
	begin(h);
	CHECK(gs_file_read(path, GS_SIM_BYTES_MAX, &bytes, &n, &e) == 0);
	CHECK(gs_sim_state_parse(bytes, n, path, &s, &e) == 0 && s->n_gpus >= options->n_gpus);
	s->n_gpus = options->n_gpus;
	s->n_processes = 0;
	for (size_t i = 0; i < s->n_gpus; i++)
		exchange_gpu(s, &s->gpus[i], options, model);
	CHECK(gs_sim_store_replace(h->store, s, &e) == 0);
	gs_sim_store_end(h->store);
}

/* A test that fails jumps over its clean-up: the next one, or the end of the program, makes up for it. */
static struct gs_simhost *current;

static void close_current(void)
{
	gs_simhost_close(current);
}

struct gs_simhost *gs_simhost_open(const struct gs_simhost_options *options)
{
	static bool is_registered;
	struct gs_simhost *h = calloc(1, sizeof(*h));
	GS_JSON struct json_object *model = gs_simhost_model(options->model);
	GS_FREE char *dir = NULL, *path = NULL;
	struct gs_sim *shipped = NULL;
	struct gs_error e = { 0 };

	CHECK(h);
	close_current();
	current = h;
	if (!is_registered)
		CHECK(atexit(close_current) == 0);
	is_registered = true;
	snprintf(h->home, sizeof(h->home), "%s", "/tmp/gpuslice-test-XXXXXX");
	CHECK(mkdtemp(h->home) && setenv("XDG_STATE_HOME", h->home, 1) == 0);
	unsetenv("GPUSLICE_SIM_STATE");
	unsetenv("GPUSLICE_SIM_USER");
	CHECK(gs_sim_open(HOST, &shipped, &e) == 0);
	dir = strdup(gs_sim_dir(shipped));
	CHECK(dir);
	gs_sim_close(shipped);
	if (options->spoil)
		options->spoil(model);
	/* before a store is opened: it keeps what it has read of a model */
	CHECK(asprintf(&path, "%s/models/%s.json", dir, options->model) > 0);
	CHECK(json_object_to_file_ext(path, model, JSON_C_TO_STRING_PLAIN) == 0);
	CHECK(gs_sim_store_open(dir, &h->store, &e) == 0);
	exchange_gpus(h, options, model);
	CHECK(gs_sim_open(HOST, &h->sim, &e) == 0);
	return h;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

struct gs_simhost *gs_simhost_close(struct gs_simhost *h)
{
	if (!h)
		return NULL;
	current = NULL;
	gs_session_free(h->session);
	gs_sim_close(h->sim);
	gs_sim_store_close(h->store);
	nftw(h->home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(h);
	return NULL;
}

/* ---------------------------------------------------------------- as the program sees it */

struct gs_session *gs_simhost_session(struct gs_simhost *h)
{
	const struct gs_cli cli = { .sim = HOST };
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };

	if (!h->session)
		CHECK(gs_cli_connect(&cli, &how, &h->session, &e) == 0);
	return h->session;
}

struct gs_snapshot *gs_simhost_snapshot(struct gs_simhost *h)
{
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	CHECK(gs_session_snapshot(gs_simhost_session(h), false, TIMEOUT_MS, &s, &e) == 0);
	return s;
}

char *gs_simhost_export(struct gs_simhost *h)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_simhost_snapshot(h);
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	GS_JSON struct json_object *o = NULL;
	struct gs_error e = { 0 };
	char *text;

	CHECK(gs_layout_from_snapshot(s, &l, &e) == 0);
	o = gs_layout_to_json(l, s);
	text = gs_json_to_line(o);
	CHECK(text);
	return text;
}

static void commit(struct gs_simhost *h, const struct gs_request *request, const struct gs_plan *plan, struct gs_simhost_applied *ret)
{
	const struct gs_session_commit c = { .request = request, .expect = plan->digest, .base = plan->base, .n_base = plan->n_base, .yes = true };
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };
	/* 0 when the agent has a result, be it a failure */
	int r = gs_session_commit(gs_simhost_session(h), &c, NULL, NULL, &result, &e);

	ret->status = r < 0 ? e.status : result.status;
	ret->done = result.done;
	ret->undone = result.undone;
	snprintf(ret->text, sizeof(ret->text), "%s", r < 0 ? e.text : result.text);
	gs_session_result_done(&result);
}

struct gs_simhost_applied gs_simhost_apply(struct gs_simhost *h, const char *text)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_simhost_snapshot(h);
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	struct gs_simhost_applied a = { 0 };
	struct gs_error e = { 0 };

	if (gs_request_new(text, strlen(text), "test", GS_CONTEXT_FILE, &request, &e) < 0 || gs_request_plan(request, s, &plan, &e) < 0) {
		a.status = e.status;
		gs_error_format(&e, a.text, sizeof(a.text));
		return a;
	}
	a.planned = plan->n_steps;
	commit(h, request, plan, &a);
	return a;
}

/* ---------------------------------------------------------------- as nobody sees it */

void gs_simhost_fault(struct gs_simhost *h, const char *words)
{
	char copy[128], *argv[8], *rest = copy;
	struct gs_error e = { 0 };
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	while (argc < 8 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	CHECK(gs_sim_fault(h->sim, argc, argv, &e) == 0);
}

char *gs_simhost_faults(struct gs_simhost *h)
{
	struct gs_error e = { 0 };
	char *text = NULL, *old;

	CHECK(gs_sim_fault_list(h->sim, &text, &e) == 0);
	old = strstr(text, "uuid old\n");
	if (old)
		*old = '\0';
	return text;
}

static struct gs_sim_gi *gi_at(struct gs_sim_state *s, unsigned gpu, uint32_t start)
{
	struct gs_error e = { 0 };

	CHECK(gpu < s->n_gpus);
	for (size_t i = 0; i < s->gpus[gpu].n_gis; i++)
		if (s->gpus[gpu].gis[i].start == start)
			return &s->gpus[gpu].gis[i];
	return NULL;
}

void gs_simhost_hold(struct gs_simhost *h, unsigned gpu, uint32_t start, uint32_t pid)
{
	struct gs_sim_state *s = begin(h);
	struct gs_sim_process *bigger = gs_arena_calloc(s->arena, s->n_processes + 1, sizeof(*bigger));
	struct gs_sim_use *use = gs_arena_calloc(s->arena, 1, sizeof(*use));
	struct gs_sim_gi *gi = gi_at(s, gpu, start);
	struct gs_error e = { 0 };

	CHECK(bigger && use && gi && gi->n_cis);
	*use = (struct gs_sim_use){ .gpu = gpu, .gi = gi->id, .ci = gi->cis[0].id, .memory_bytes = 1ull << 30, .cuda = true };
	if (s->n_processes)
		memcpy(bigger, s->processes, s->n_processes * sizeof(*bigger));
	bigger[s->n_processes] = (struct gs_sim_process){ .pid = pid, .ppid = 1, .uid = 1001, .start_time = 7000 + pid, .comm = "python3",
		.cgroup = "/user.slice/user-1001.slice/session-3.scope", .uses = use, .n_uses = 1 };
	s->processes = bigger;
	s->n_processes++;
	end(h);
}

void gs_simhost_release(struct gs_simhost *h)
{
	begin(h)->n_processes = 0;
	end(h);
}

void gs_simhost_move(struct gs_simhost *h, unsigned gpu, uint32_t from, uint32_t to)
{
	struct gs_sim_gi *gi = gi_at(begin(h), gpu, from);
	struct gs_error e = { 0 };

	CHECK(gi);
	gi->start = to;
	end(h);
}

uint64_t gs_simhost_gi_serial(struct gs_simhost *h, unsigned gpu, uint32_t start)
{
	const struct gs_sim_gi *gi = gi_at(look(h), gpu, start);

	return gi ? gi->serial : 0;
}

uint64_t gs_simhost_ci_serial(struct gs_simhost *h, unsigned gpu, uint32_t start, uint32_t slice)
{
	const struct gs_sim_gi *gi = gi_at(look(h), gpu, start);

	for (size_t i = 0; gi && i < gi->n_cis; i++)
		if (gi->cis[i].start == slice)
			return gi->cis[i].serial;
	return 0;
}

uint64_t gs_simhost_generation(struct gs_simhost *h)
{
	return look(h)->generation;
}

struct gs_simhost_gpu gs_simhost_gpu(struct gs_simhost *h, unsigned gpu)
{
	const struct gs_sim_state *s = look(h);
	struct gs_simhost_gpu ret = { 0 };
	struct gs_error e = { 0 };
	const struct gs_sim_pci *pci;

	CHECK(gpu < s->n_gpus);
	pci = &s->gpus[gpu].pci;
	ret.uuid = s->gpus[gpu].uuid;
	ret.bdf = pci->bdf;
	snprintf(ret.pci_id, sizeof(ret.pci_id), "%04x:%04x", pci->vendor & 0xffff, pci->device & 0xffff);
	snprintf(ret.subsystem_id, sizeof(ret.subsystem_id), "%04x:%04x", pci->subsystem_vendor & 0xffff, pci->subsystem_device & 0xffff);
	return ret;
}

void *gs_simhost_load_standin(struct gs_simhost *h)
{
	GS_FREE char *path = gs_standin_path(false);
	struct gs_error e = { 0 };
	void *library;

	gs_sim_set_root(h->sim, true);
	CHECK(path && gs_sim_export_environment(h->sim, &e) == 0);
	library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	CHECK(library);
	return library;
}
