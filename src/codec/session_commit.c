/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session_commit.c - a commit as a client asks for it, stops it, and is told its outcome. */
#include "codec/session_internal.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

void gs_session_result_done(struct gs_session_result *r)
{
	json_object_put(r->json);
	memset(r, 0, sizeof(*r));
}

static struct json_object *base_to_json(const struct gs_plan_base *base, size_t n)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < n; i++) {
		struct json_object *o = json_object_new_object();
		char bdf[GS_BDF_TEXT];

		if (!o)
			break;
		gs_json_add_string(o, "bdf", gs_bdf_format(base[i].bdf, bdf));
		gs_json_add_string(o, "rev", base[i].rev.hex);
		json_object_array_add(array, o);
	}
	/* a base that lost an entry would let through what the approver did not see */
	if (array && json_object_array_length(array) != n) {
		json_object_put(array);
		return NULL;
	}
	return array;
}

/* What a person wrote, in whatever encoding: bytes that are no UTF-8 would end the connection. */
static void add_text(struct json_object *o, const char *key, const char *text)
{
	GS_FREE char *safe = text ? strdup(text) : NULL;

	if (safe)
		gs_text_sanitize(safe);
	gs_json_add_string(o, key, safe);
}

static struct json_object *commit_params(const struct gs_session_commit *c)
{
	struct json_object *o = json_object_new_object(), *request = gs_request_to_json(c->request), *base = base_to_json(c->base, c->n_base);

	if (!o || !request || !base) {
		json_object_put(o);
		json_object_put(request);
		json_object_put(base);
		return NULL;
	}
	json_object_object_add(o, "request", request);
	gs_json_add_string(o, "expect", c->expect.hex[0] ? c->expect.hex : NULL);
	json_object_object_add(o, "base", base);
	json_object_object_add(o, "yes", json_object_new_boolean(c->yes));
	add_text(o, "message", c->message);
	add_text(o, "ssh_client", c->ssh_client);
	gs_json_add_string(o, "on_hangup", c->undo_on_hangup ? "undo" : "finish");
	gs_json_add_string(o, "way", gs_way_name(c->way));
	add_text(o, "command", c->command);
	if (c->wait_seconds)
		gs_json_add_u32(o, "wait_seconds", GS_U32(c->wait_seconds));
	return o;
}

static int64_t ask_commit(struct gs_session *s, const struct gs_session_commit *c, struct gs_error *e)
{
	struct json_object *params;
	int64_t id;

	if (s->commit_id)
		return gs_error_set(e, -EBUSY, GS_STATUS_REFUSED, "a commit is under way already; wait for it or cancel it");
	params = commit_params(c);
	if (!params)
		return gs_error_oom(e);
	id = gs_session_ask_agent(s, "commit", params, e);
	if (id > 0)
		s->commit_id = id;
	return id;
}

static int read_result(struct json_object *o, struct gs_session_result *ret_result, struct gs_error *e)
{
	struct gs_session_result result = { .status = GS_STATUS_FAILED };
	struct gs_u32 status = GS_U32_UNKNOWN, done = GS_U32_UNKNOWN;
	const char *schema = NULL;

	if (!json_object_is_type(o, json_type_object) || gs_json_get_string(o, "schema", &schema, NULL) < 0 ||
	    !gs_str_equal(schema, "gpuslice.result/1") || gs_json_get_u32(o, "status", &status, NULL) < 0 || !status.known ||
	    status.value > GS_STATUS_PARTIAL || gs_json_get_u32(o, "done", &done, NULL) < 0 ||
	    gs_json_get_bool(o, "undone", false, &result.undone, NULL) < 0 || gs_json_get_bool(o, "stale", false, &result.is_stale, NULL) < 0)
		return gs_session_wrong(e, "reported an outcome that cannot be read: look at the machine with \"gpuslice list\"");
	result.status = (enum gs_status)status.value;
	result.done = done.value;
	gs_session_safe_text(o, "text", result.text, sizeof(result.text));
	result.json = json_object_get(o);
	*ret_result = result;
	return 0;
}

/* An answer to a commit, whichever kind, as a result. */
int gs_session_result_of(const struct gs_rpc_message *m, struct gs_session_result *ret_result, struct gs_error *e)
{
	if (m->kind == GS_RPC_RESULT)
		return read_result(m->params, ret_result, e);
	*ret_result = (struct gs_session_result){ .status = m->error.status };
	gs_error_format(&m->error, ret_result->text, sizeof(ret_result->text));
	return 0;
}

int gs_session_commit(struct gs_session *s, const struct gs_session_commit *c, const struct gs_session_handlers *handlers, void *userdata,
		      struct gs_session_result *ret_result, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	int64_t id = ask_commit(s, c, e);
	int r;

	if (id < 0)
		return (int)id;
	r = gs_session_wait_answer(s, id, -1, handlers, userdata, &m, e);
	s->commit_id = 0;
	if (r < 0)
		return r;
	if (m.kind == GS_RPC_ERROR) {
		if (e)
			*e = m.error;
		return m.error.errnum;
	}
	return read_result(m.params, ret_result, e);
}

int gs_session_commit_begin(struct gs_session *s, const struct gs_session_commit *c)
{
	int64_t id = ask_commit(s, c, NULL);

	return id < 0 ? (int)id : 0;
}

int gs_session_cancel(struct gs_session *s)
{
	int64_t id = gs_session_ask_agent(s, "cancel", json_object_new_object(), NULL);

	return id < 0 ? (int)id : 0;
}

int gs_session_pause(struct gs_session *s)
{
	int64_t id = gs_session_ask_agent(s, "pause", json_object_new_object(), NULL);

	return id < 0 ? (int)id : 0;
}

int gs_session_resume(struct gs_session *s)
{
	int64_t id = gs_session_ask_agent(s, "resume", json_object_new_object(), NULL);

	return id < 0 ? (int)id : 0;
}
