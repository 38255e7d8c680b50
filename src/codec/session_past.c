/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session_past.c - what a client asks about earlier commits, and about what is saved. */
#include "codec/session_internal.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

int gs_session_read_journal(struct json_object *answer, struct json_object **ret_commits, struct gs_error *e)
{
	struct json_object *commits = NULL;

	if (!json_object_is_type(answer, json_type_object) || gs_json_get_array(answer, "commits", &commits, NULL) < 0 || !commits)
		return gs_session_wrong(e, "told of no commits");
	*ret_commits = json_object_get(commits);
	return 0;
}

int gs_session_read_file(struct json_object *answer, struct gs_journal_file **ret_file, char **ret_boot_id, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *file = NULL;
	const char *text = NULL, *boot_id = NULL, *damage = NULL;
	struct gs_u64 changed_since = GS_U64_UNKNOWN, part_of = GS_U64_UNKNOWN, undone_by = GS_U64_UNKNOWN;
	bool was_continued = false;
	GS_FREE char *boot = NULL;
	int r;

	if (!json_object_is_type(answer, json_type_object) || gs_json_get_string(answer, "text", &text, NULL) < 0 ||
	    gs_json_get_string(answer, "boot_id", &boot_id, NULL) < 0 || gs_json_get_string(answer, "damage", &damage, NULL) < 0 ||
	    gs_json_get_u64(answer, "changed_since", &changed_since, NULL) < 0 || gs_json_get_u64(answer, "part_of", &part_of, NULL) < 0 ||
	    gs_json_get_u64(answer, "undone_by", &undone_by, NULL) < 0 || gs_json_get_bool(answer, "was_continued", false, &was_continued, NULL) < 0 || !text)
		return gs_session_wrong(e, "told nothing of that commit");
	boot = strdup(boot_id ? boot_id : "");
	if (!boot)
		return gs_error_oom(e);
	r = gs_journal_parse(text, strlen(text), &file, e);
	if (r < 0)
		return r;
	/* what does not count of it was not sent */
	if (damage) {
		snprintf(file->damage, sizeof(file->damage), "%s", damage);
		gs_text_sanitize(file->damage);
	}
	file->changed_since = changed_since.known ? changed_since.value : 0;
	file->was_continued = was_continued;
	file->part_of = part_of.known ? part_of.value : 0;
	file->undone_by = undone_by.known ? undone_by.value : 0;
	*ret_file = GS_TAKE(file);
	*ret_boot_id = GS_TAKE(boot);
	return 0;
}

int gs_session_journal(struct gs_session *s, uint32_t max, int timeout_ms, struct json_object **ret_commits, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	struct json_object *params = json_object_new_object();
	int r;

	if (!params)
		return gs_error_oom(e);
	gs_json_add_u32(params, "max", GS_U32(max));
	r = gs_session_call(s, "journal", params, timeout_ms, &m, e);
	if (r < 0)
		return r;
	return gs_session_read_journal(m.params, ret_commits, e);
}

int gs_session_journal_file(struct gs_session *s, uint64_t id, int timeout_ms, struct gs_journal_file **ret_file, char **ret_boot_id, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	struct json_object *params = json_object_new_object();
	int r;

	if (!params)
		return gs_error_oom(e);
	if (id)
		gs_json_add_u64(params, "id", GS_U64(id));
	else
		json_object_object_add(params, "last", json_object_new_boolean(true));
	r = gs_session_call(s, "journal", params, timeout_ms, &m, e);
	if (r < 0)
		return r;
	return gs_session_read_file(m.params, ret_file, ret_boot_id, e);
}

void gs_session_saved_done(struct gs_session_saved *s)
{
	free(s->path);
	free(s->text);
	free(s->boot_id);
	free(s->by);
	free(s->current_boot_id);
	memset(s, 0, sizeof(*s));
}

/* A text that may be absent; -ENOMEM. */
static int take_text(struct json_object *o, const char *key, char **ret_text)
{
	const char *text = NULL;

	if (gs_json_get_string(o, key, &text, NULL) < 0)
		return -EBADMSG;
	*ret_text = text ? strdup(text) : NULL;
	return text && !*ret_text ? -ENOMEM : 0;
}

int gs_session_read_saved(struct json_object *answer, struct gs_session_saved *ret_saved, struct gs_error *e)
{
	GS_CLEANUP(gs_session_saved_done) struct gs_session_saved saved = { .saved_at_ms = GS_I64_UNKNOWN };
	int r;

	if (!json_object_is_type(answer, json_type_object) || gs_json_get_i64(answer, "saved_at_ms", &saved.saved_at_ms, NULL) < 0)
		return gs_session_wrong(e, "told of a saved layout in a way that cannot be read");
	r = take_text(answer, "path", &saved.path);
	if (r == 0)
		r = take_text(answer, "text", &saved.text);
	if (r == 0)
		r = take_text(answer, "boot_id", &saved.boot_id);
	if (r == 0)
		r = take_text(answer, "by", &saved.by);
	if (r == 0)
		r = take_text(answer, "current_boot_id", &saved.current_boot_id);
	if (r == -ENOMEM)
		return gs_error_oom(e);
	if (r < 0 || !saved.path)
		return gs_session_wrong(e, "told of a saved layout in a way that cannot be read");
	*ret_saved = saved;
	memset(&saved, 0, sizeof(saved));
	return 0;
}

int gs_session_saved(struct gs_session *s, int timeout_ms, struct gs_session_saved *ret_saved, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	int r = gs_session_call(s, "saved", json_object_new_object(), timeout_ms, &m, e);

	return r < 0 ? r : gs_session_read_saved(m.params, ret_saved, e);
}

int gs_session_save(struct gs_session *s, const char *text, int timeout_ms, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	struct json_object *params = json_object_new_object();

	if (!params)
		return gs_error_oom(e);
	gs_json_add_string(params, "text", text);
	return gs_session_call(s, "save", params, timeout_ms, &m, e);
}

int gs_session_leave(struct gs_session *s, uint64_t id, int timeout_ms, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	struct json_object *params = json_object_new_object();

	if (!params)
		return gs_error_oom(e);
	gs_json_add_u64(params, "id", GS_U64(id));
	return gs_session_call(s, "leave", params, timeout_ms, &m, e);
}
