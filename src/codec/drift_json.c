/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/drift_json.h"

#include <errno.h>

#include "base/parse.h"

static size_t read_gpus(struct json_object *list, struct gs_arena *arena, struct gs_bdf **ret_gpus)
{
	size_t n = list ? json_object_array_length(list) : 0, kept = 0;

	*ret_gpus = gs_arena_calloc(arena, n + 1, sizeof(**ret_gpus));
	for (size_t i = 0; *ret_gpus && i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *bdf = NULL;

		if (json_object_is_type(item, json_type_object) && gs_json_get_string(item, "bdf", &bdf, NULL) == 0 && bdf &&
		    gs_bdf_parse(bdf, &(*ret_gpus)[kept]) == 0)
			kept++;
	}
	return kept;
}

int gs_drift_commits_from_json(struct json_object *list, struct gs_arena *arena, struct gs_drift_commit **ret_commits, size_t *ret_n)
{
	size_t n = list ? json_object_array_length(list) : 0, kept = 0;
	struct gs_drift_commit *commits = gs_arena_calloc(arena, n + 1, sizeof(*commits));

	if (!commits)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i), *author = NULL, *gpus = NULL;
		struct gs_drift_commit *c = &commits[kept];
		struct gs_u64 id = GS_U64_UNKNOWN;
		struct gs_i64 at = GS_I64_UNKNOWN, ended = GS_I64_UNKNOWN;
		struct gs_u32 done = GS_U32_UNKNOWN, status = GS_U32_UNKNOWN;
		struct gs_bdf *list_of;
		bool is_uncertain = false;

		if (!json_object_is_type(o, json_type_object) || gs_json_get_u64(o, "id", &id, NULL) < 0 || gs_json_get_i64(o, "begun_ms", &at, NULL) < 0 ||
		    gs_json_get_i64(o, "ended_ms", &ended, NULL) < 0 ||
		    gs_json_get_u32(o, "done", &done, NULL) < 0 ||
		    gs_json_get_u32(o, "status", &status, NULL) < 0 || gs_json_get_object(o, "author", &author, NULL) < 0 ||
		    gs_json_get_array(o, "gpus", &gpus, NULL) < 0 || gs_json_get_string(o, "boot_id", &c->boot_id, NULL) < 0 ||
		    gs_json_get_bool(o, "uncertain", false, &is_uncertain, NULL) < 0 || !id.known || !at.known)
			continue;
		/* what was refused, or failed before its first step, changed nothing; what failed and was undone left nothing */
		if ((!done.value && !is_uncertain) || gs_u32_is(status, GS_STATUS_FAILED))
			continue;
		c->id = id.value;
		c->at.ms = at.value;
		c->ended_ms = ended;
		if (author && gs_json_get_string(author, "user", &c->user, NULL) < 0)
			c->user = NULL;
		c->n_gpus = read_gpus(gpus, arena, &list_of);
		c->gpus = list_of;
		kept++;
	}
	*ret_commits = commits;
	*ret_n = kept;
	return gs_arena_has_failed(arena) ? -ENOMEM : 0;
}

static struct json_object *gpu_to_json(const struct gs_drift_gpu *g)
{
	struct json_object *o = json_object_new_object(), *differences = json_object_new_array();
	char bdf[GS_BDF_TEXT];

	gs_json_add_u32(o, "gpu", g->gpu ? GS_U32(g->gpu->index) : GS_U32_UNKNOWN);
	gs_json_add_string(o, "bdf", g->gpu ? gs_bdf_format(g->gpu->bdf, bdf) : g->match.has_bdf ? gs_bdf_format(g->match.bdf, bdf) : NULL);
	gs_json_add_string(o, "uuid", g->gpu ? g->gpu->uuid : g->match.uuid);
	gs_json_add_string(o, "state", gs_drift_state_name(g->state));
	for (size_t i = 0; i < g->n_differences; i++)
		json_object_array_add(differences, json_object_new_string(g->differences[i]));
	json_object_object_add(o, "differences", differences);
	gs_json_add_string(o, "cause", g->cause);
	return o;
}

struct json_object *gs_drift_to_json(const struct gs_drift *d, const char *path, struct gs_i64 saved_at_ms)
{
	struct json_object *o = json_object_new_object(), *gpus = json_object_new_array_ext((int)d->n_gpus);

	gs_json_add_string(o, "schema", "gpuslice.drift/1");
	gs_json_add_string(o, "path", path);
	gs_json_add_i64(o, "saved_at_ms", saved_at_ms);
	gs_json_add_u32(o, "status", GS_U32((uint32_t)gs_drift_status(d)));
	for (size_t i = 0; i < d->n_gpus; i++)
		json_object_array_add(gpus, gpu_to_json(&d->gpus[i]));
	json_object_object_add(o, "gpus", gpus);
	return o;
}
