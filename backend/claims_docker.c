/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims_docker.c - GPUs that running Docker containers were started with:
 * device requests (--gpus), the NVIDIA runtime's NVIDIA_VISIBLE_DEVICES, and
 * plain devices (--device). A container may sit idle and start its work later.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/claims_private.h"
#include "base/parse.h"
#include "codec/json.h"

#define CONTAINERS "var/lib/docker/containers"
#define LIST_MAX 256
#define ID_SHOWN 12

struct reading {
	struct gs_claim_reader *r;
	size_t n, n_bad;
	const char *id;
};

static bool read_json(struct reading *g, const char *id, const char *file, struct json_object **ret_o)
{
	GS_FREE char *bytes = NULL;
	size_t n;

	if (gs_root_read_bytes(g->r->root, GS_CLAIM_FILE_BYTES_MAX, &bytes, &n, CONTAINERS "/%s/%s", id, file) < 0 ||
	    gs_json_parse(bytes, n, file, ret_o, NULL) < 0)
		return false;
	return json_object_is_type(*ret_o, json_type_object);
}

/* An element of a list that is a string; NULL for anything else. */
static const char *string_at(struct json_object *list, size_t i)
{
	struct json_object *v = json_object_array_get_idx(list, i);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

static size_t length_of(struct json_object *list)
{
	size_t n = list ? json_object_array_length(list) : 0;

	return n < LIST_MAX ? n : LIST_MAX;
}

/* A list of lists of words: is "gpu" among them? */
static bool has_gpu_capability(struct json_object *request)
{
	struct json_object *any = NULL;

	if (gs_json_get_array(request, "Capabilities", &any, NULL) < 0)
		return false;
	for (size_t i = 0; i < length_of(any); i++) {
		struct json_object *all = json_object_array_get_idx(any, i);

		for (size_t k = 0; json_object_is_type(all, json_type_array) && k < length_of(all); k++)
			if (gs_str_equal(string_at(all, k), "gpu"))
				return true;
	}
	return false;
}

/* {"Driver":"nvidia","Count":-1,"DeviceIDs":["0"],"Capabilities":[["gpu"]]} */
static int add_request(struct gs_claim_list *list, const struct gs_claim *claim, struct json_object *request)
{
	struct json_object *ids = NULL;
	struct gs_i64 count = GS_I64_UNKNOWN;
	const char *driver = NULL;
	struct gs_claim one = *claim;
	int r = 0;

	if (!json_object_is_type(request, json_type_object) || gs_json_get_string(request, "Driver", &driver, NULL) < 0 ||
	    (!gs_str_equal(driver, "nvidia") && !has_gpu_capability(request)))
		return 0;
	if (gs_json_get_array(request, "DeviceIDs", &ids, NULL) == 0 && length_of(ids)) {
		for (size_t i = 0; i < length_of(ids) && r == 0; i++)
			if (string_at(ids, i))
				r = gs_claims_add_visible(list, claim, string_at(ids, i));
		return r;
	}
	/* so many are the first so many; -1 is all */
	if (gs_json_get_i64(request, "Count", &count, NULL) < 0 || !count.known || count.value < 0 || count.value > LIST_MAX)
		return gs_claims_add_visible(list, claim, "all");
	one.to = GS_CLAIM_TO_INDEX;
	for (one.number = 0; one.number < count.value && r == 0; one.number++)
		r = gs_claim_list_add(list, &one);
	return r;
}

static int add_requests(struct gs_claim_list *list, const struct gs_claim *claim, struct json_object *host_config)
{
	struct json_object *requests = NULL;
	int r = 0;

	if (gs_json_get_array(host_config, "DeviceRequests", &requests, NULL) < 0)
		return 0;
	for (size_t i = 0; i < length_of(requests) && r == 0; i++)
		r = add_request(list, claim, json_object_array_get_idx(requests, i));
	return r;
}

/* --device /dev/nvidia3 */
static int add_nodes(struct gs_claim_list *list, const struct gs_claim *claim, struct json_object *host_config)
{
	struct json_object *devices = NULL;
	struct gs_claim one = *claim;
	int r = 0;

	one.to = GS_CLAIM_TO_MINOR;
	if (gs_json_get_array(host_config, "Devices", &devices, NULL) < 0)
		return 0;
	for (size_t i = 0; i < length_of(devices) && r == 0; i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		const char *path = NULL;

		if (json_object_is_type(device, json_type_object) && gs_json_get_string(device, "PathOnHost", &path, NULL) == 0 && path &&
		    gs_str_starts(path, "/dev/nvidia") && gs_parse_u32(path + strlen("/dev/nvidia"), 10, &one.number) == 0)
			r = gs_claim_list_add(list, &one);
	}
	return r;
}

/* Images carry the variable as well; it does something under NVIDIA's runtime only. */
static int add_environment(struct gs_claim_list *list, const struct gs_claim *claim, struct json_object *host_config, struct json_object *config)
{
	static const char key[] = "NVIDIA_VISIBLE_DEVICES=";
	struct json_object *inner = NULL, *env = NULL;
	const char *runtime = NULL;
	int r = 0;

	if (gs_json_get_string(host_config, "Runtime", &runtime, NULL) < 0 || !runtime || !strstr(runtime, "nvidia") ||
	    gs_json_get_object(config, "Config", &inner, NULL) < 0 || !inner || gs_json_get_array(inner, "Env", &env, NULL) < 0)
		return 0;
	for (size_t i = 0; env && i < json_object_array_length(env) && i < 4 * LIST_MAX && r == 0; i++) {
		const char *word = string_at(env, i);

		if (word && gs_str_starts(word, key))
			r = gs_claims_add_visible(list, claim, word + strlen(key));
	}
	return r;
}

static bool is_running(struct json_object *config)
{
	struct json_object *state = NULL;
	bool running = false;

	return gs_json_get_object(config, "State", &state, NULL) == 0 && state && gs_json_get_bool(state, "Running", false, &running, NULL) == 0 && running;
}

static int read_container(void *userdata, const char *id)
{
	struct reading *g = userdata;
	GS_JSON struct json_object *config = NULL, *host_config = NULL;
	struct gs_claim_list *list = g->r->list;
	struct gs_claim claim = { 0 };
	const char *name = NULL;
	int r;

	if (!read_json(g, id, "config.v2.json", &config) || !read_json(g, id, "hostconfig.json", &host_config)) {
		g->n_bad++;
		return 0;
	}
	if (!is_running(config))
		return 0;
	g->n++;
	if (gs_json_get_string(config, "Name", &name, NULL) < 0 || !name)
		name = "";
	snprintf(claim.name, sizeof(claim.name), "container %.*s%s%.60s", ID_SHOWN, id, *name ? " " : "", *name == '/' ? name + 1 : name);
	snprintf(claim.evidence, sizeof(claim.evidence), "docker: what it was started with");
	snprintf(claim.same_as, sizeof(claim.same_as), "%.*s (docker", ID_SHOWN, id);
	r = add_requests(list, &claim, host_config);
	if (r == 0)
		r = add_nodes(list, &claim, host_config);
	return r == 0 ? add_environment(list, &claim, host_config, config) : r;
}

struct stamping {
	struct gs_root *root;
	struct gs_strbuf *b;
};

static int stamp_container(void *userdata, const char *id)
{
	struct stamping *s = userdata;
	char path[512];

	/* written whenever a container starts or stops */
	snprintf(path, sizeof(path), CONTAINERS "/%s/config.v2.json", id);
	gs_claims_stamp(s->root, s->b, path);
	return 0;
}

static void stamp(struct gs_root *root, struct gs_strbuf *b)
{
	struct stamping s = { root, b };

	gs_claims_stamp(root, b, CONTAINERS);
	gs_claims_walk(root, CONTAINERS, "", stamp_container, &s);
}

static int read_docker(struct gs_claim_reader *r)
{
	struct reading g = { .r = r };
	int result = gs_claims_walk(r->root, CONTAINERS, "", read_container, &g);

	if (result == -ENOMEM)
		return result;
	if (result == -ENOENT || result == -ENOTDIR)
		gs_claims_absent(r, "there is no /" CONTAINERS);
	else if (result < 0)
		gs_claims_absent(r, "/" CONTAINERS ": %s", strerror(-result));
	else if (g.n_bad)
		gs_claims_present(r, "%zu containers run; %zu could not be read", g.n, g.n_bad);
	else
		gs_claims_present(r, "%zu containers run", g.n);
	return 0;
}

const struct gs_claim_source gs_claims_docker = { "docker", stamp, read_docker };
