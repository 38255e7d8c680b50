/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/doctor_json.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* ---- facts ---- */

static void add_answer(struct json_object *o, const char *key, enum gs_answer a)
{
	json_object_object_add(o, key, a == GS_ANSWER_UNKNOWN ? NULL : json_object_new_boolean(a == GS_ANSWER_YES));
}

static void add_list(struct json_object *o, const char *key, const struct gs_doctor_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < list->n; i++)
		json_object_array_add(array, json_object_new_string(list->items[i]));
	json_object_object_add(o, key, array);
}

static struct json_object *gpu_to_json(const struct gs_doctor_gpu *gpu)
{
	struct json_object *o = json_object_new_object();
	char bdf[GS_BDF_TEXT];

	gs_json_add_string(o, "bdf", gs_bdf_format(gpu->bdf, bdf));
#define ADD_ANSWER_(name) add_answer(o, #name, gpu->name);
	GS_DOCTOR_GPU_ANSWERS(ADD_ANSWER_)
#undef ADD_ANSWER_
	return o;
}

struct json_object *gs_doctor_facts_to_json(const struct gs_doctor_facts *facts)
{
	struct json_object *o = json_object_new_object(), *gpus = json_object_new_array();

	if (!o || !gpus) {
		json_object_put(o);
		json_object_put(gpus);
		return NULL;
	}
#define ADD_ANSWER_(name) add_answer(o, #name, facts->name);
#define ADD_TEXT_(name) gs_json_add_string(o, #name, facts->name);
#define ADD_LIST_(name) add_list(o, #name, &facts->name);
	GS_DOCTOR_ANSWERS(ADD_ANSWER_)
	GS_DOCTOR_TEXTS(ADD_TEXT_)
	GS_DOCTOR_LISTS(ADD_LIST_)
	for (size_t i = 0; i < facts->n_gpus; i++)
		json_object_array_add(gpus, gpu_to_json(&facts->gpus[i]));
	json_object_object_add(o, "gpus", gpus);
	return o;
}

static int get_answer(struct json_object *o, const char *key, enum gs_answer *ret_answer, struct gs_error *e)
{
	struct json_object *value = NULL;
	bool yes = false;
	int r;

	if (!json_object_object_get_ex(o, key, &value) || !value) {
		*ret_answer = GS_ANSWER_UNKNOWN;
		return 0;
	}
	r = gs_json_get_bool(o, key, false, &yes, e);
	if (r == 0)
		*ret_answer = yes ? GS_ANSWER_YES : GS_ANSWER_NO;
	return r;
}

static int take_text(struct gs_arena *arena, const char *text, const char **ret_text, struct gs_error *e)
{
	char *copy = gs_arena_strdup(arena, text);

	if (text && !copy)
		return gs_error_oom(e);
	if (copy)
		gs_text_sanitize(copy);
	*ret_text = copy;
	return 0;
}

static int get_text(struct json_object *o, const char *key, struct gs_arena *arena, const char **ret_text, struct gs_error *e)
{
	const char *text = NULL;
	int r = gs_json_get_string(o, key, &text, e);

	return r < 0 ? r : take_text(arena, text, ret_text, e);
}

/* Bounded; an absent one is empty. */
static int get_items(struct json_object *o, const char *key, struct json_object **ret_array, size_t *ret_n, struct gs_error *e)
{
	struct json_object *array = NULL;
	int r = gs_json_get_array(o, key, &array, e);

	if (r < 0)
		return r;
	*ret_n = array ? json_object_array_length(array) : 0;
	if (*ret_n > GS_DOCTOR_ITEMS_MAX)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "\"%s\" has more than %d entries", key, GS_DOCTOR_ITEMS_MAX);
	*ret_array = array;
	return 0;
}

static int get_list(struct json_object *o, const char *key, struct gs_arena *arena, struct gs_doctor_list *list, struct gs_error *e)
{
	struct json_object *array = NULL;
	size_t n;
	int r = get_items(o, key, &array, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);
		const char *text = NULL;

		if (!json_object_is_type(item, json_type_string))
			return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "\"%s\" has an entry that is no text", key);
		r = take_text(arena, json_object_get_string(item), &text, e);
		if (r == 0 && gs_doctor_list_add(list, arena, text) < 0)
			r = gs_error_oom(e);
	}
	return r;
}

static int get_gpu(struct json_object *o, struct gs_doctor_gpu *ret_gpu, struct gs_error *e)
{
	const char *bdf = NULL;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "\"gpus\" has an entry that is no object");
	r = gs_json_get_string(o, "bdf", &bdf, e);
	if (r < 0)
		return r;
	if (!bdf || gs_bdf_parse(bdf, &ret_gpu->bdf) < 0)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "\"bdf\" is no PCI address");
#define GET_ANSWER_(name) \
	if (r == 0) \
		r = get_answer(o, #name, &ret_gpu->name, e);
	GS_DOCTOR_GPU_ANSWERS(GET_ANSWER_)
#undef GET_ANSWER_
	return r;
}

static int get_gpus(struct json_object *o, struct gs_arena *arena, struct gs_doctor_facts *facts, struct gs_error *e)
{
	struct json_object *array = NULL;
	size_t n;
	int r = get_items(o, "gpus", &array, &n, e);

	if (r < 0)
		return r;
	facts->gpus = gs_arena_calloc(arena, n, sizeof(*facts->gpus));
	if (!facts->gpus)
		return gs_error_oom(e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = get_gpu(json_object_array_get_idx(array, i), &facts->gpus[facts->n_gpus++], e);
	return r;
}

int gs_doctor_facts_from_json(struct json_object *o, struct gs_arena *arena, struct gs_doctor_facts *ret_facts, struct gs_error *e)
{
	struct gs_doctor_facts facts = { 0 };
	int r = 0;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "the facts about the machine are no object");
#define GET_ANSWER_(name) \
	if (r == 0) \
		r = get_answer(o, #name, &facts.name, e);
#define GET_TEXT_(name) \
	if (r == 0) \
		r = get_text(o, #name, arena, &facts.name, e);
#define GET_LIST_(name) \
	if (r == 0) \
		r = get_list(o, #name, arena, &facts.name, e);
	GS_DOCTOR_ANSWERS(GET_ANSWER_)
	GS_DOCTOR_TEXTS(GET_TEXT_)
	GS_DOCTOR_LISTS(GET_LIST_)
	if (r == 0)
		r = get_gpus(o, arena, &facts, e);
	if (r < 0)
		return r;
	*ret_facts = facts;
	return 0;
}

/* ---- findings ---- */

static struct json_object *finding_to_json(const struct gs_doctor_finding *f)
{
	struct json_object *o = json_object_new_object(), *gpu = NULL;
	char bdf[GS_BDF_TEXT];

	if (f->gpu) {
		gpu = json_object_new_object();
		gs_json_add_u32(gpu, "index", GS_U32(f->gpu->index));
		gs_json_add_string(gpu, "bdf", gs_bdf_format(f->gpu->bdf, bdf));
		gs_json_add_string(gpu, "uuid", f->gpu->uuid);
	}
	gs_json_add_string(o, "check", f->check);
	gs_json_add_string(o, "state", gs_doctor_state_name(f->state));
	json_object_object_add(o, "gpu", gpu);
	gs_json_add_string(o, "text", f->text);
	gs_json_add_string(o, "remedy", f->remedy);
	return o;
}

struct json_object *gs_doctor_to_json(const struct gs_snapshot *s, const struct gs_doctor_finding *findings, size_t n)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *host = json_object_new_object();

	if (!o || !list || !host) {
		json_object_put(o);
		json_object_put(list);
		json_object_put(host);
		return NULL;
	}
	gs_json_add_string(o, "schema", "gpuslice.doctor/1");
	gs_json_add_string(host, "name", gs_snapshot_host(s));
	gs_json_add_string(host, "source", gs_host_source_name(gs_snapshot_source(s)));
	json_object_object_add(o, "host", host);
	gs_json_add_u32(o, "status", GS_U32((uint32_t)gs_doctor_status(findings, n)));
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, finding_to_json(&findings[i]));
	json_object_object_add(o, "findings", list);
	return o;
}
