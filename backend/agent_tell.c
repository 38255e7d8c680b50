/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_tell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backend/agent_lock.h"
#include "backend/agent_past.h"

#define LIST_DEFAULT 50

static int tell_list(struct gs_agent *a, int64_t id, uint32_t max, struct gs_error *e)
{
	GS_JSON struct json_object *o = json_object_new_object();
	struct json_object *list = NULL;
	int r = o ? gs_agent_past_summarise(a, max, &list, e) : gs_error_oom(e);

	if (r < 0)
		return r;
	json_object_object_add(o, "commits", list);
	gs_rpc_reply(a->client, id, json_object_get(o));
	return 0;
}

/* One commit; @id 0: the last that can be undone. */
static int tell_one(struct gs_agent *a, int64_t call, uint64_t id, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *list = NULL;
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	const struct gs_journal_entry *last;
	struct json_object *o = NULL;
	GS_FREE char *boot = NULL, *text = NULL;
	int r = gs_agent_past_list(a, &list, e);

	if (r < 0)
		return r;
	last = id ? NULL : gs_journal_last_undoable(list);
	if (!id && !last)
		return gs_error_set(e, -ENOENT, GS_STATUS_REFUSED, "no commit is left to be undone; gpuslice history lists what there was. Nothing was done");
	r = gs_agent_past_load(a, id ? id : last->id, list, &f, &boot, &text, e);
	if (r < 0)
		return r;
	o = json_object_new_object();
	if (!o)
		return gs_error_oom(e);
	gs_json_add_string(o, "text", text);
	gs_json_add_string(o, "boot_id", boot);
	gs_json_add_string(o, "damage", f->damage[0] ? f->damage : NULL);
	gs_json_add_u64(o, "changed_since", f->changed_since ? GS_U64(f->changed_since) : GS_U64_UNKNOWN);
	gs_json_add_u64(o, "part_of", f->part_of ? GS_U64(f->part_of) : GS_U64_UNKNOWN);
	gs_json_add_u64(o, "undone_by", f->undone_by ? GS_U64(f->undone_by) : GS_U64_UNKNOWN);
	json_object_object_add(o, "was_continued", json_object_new_boolean(f->was_continued));
	r = gs_rpc_reply(a->client, call, o);
	return r == -EMSGSIZE ? gs_error_set(e, r, GS_STATUS_FAILED, "the record of commit %" PRIu64 " is too long to be sent", f->commit.id) : 0;
}

static int check_reader(const struct gs_agent *a, struct gs_error *e)
{
	if (gs_machine_is_privileged(a->machine))
		return 0;
	if (gs_machine_source(a->machine) == GS_SOURCE_SYSROOT)
		return gs_error_set(e, -EACCES, GS_STATUS_REFUSED, "a recorded machine has no journal that could be read here");
	return gs_error_set(e, -EACCES, GS_STATUS_CANNOT_TELL, "the journal is root's: it names people and their work. Use sudo");
}

int gs_agent_tell_journal(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	struct gs_u32 max = GS_U32_UNKNOWN;
	struct gs_u64 id = GS_U64_UNKNOWN;
	bool last = false;
	int r = check_reader(a, e);

	if (r == 0 && m->params)
		r = gs_json_get_u32(m->params, "max", &max, e);
	if (r == 0 && m->params)
		r = gs_json_get_u64(m->params, "id", &id, e);
	if (r == 0 && m->params)
		r = gs_json_get_bool(m->params, "last", false, &last, e);
	if (r < 0)
		return r;
	if (id.known || last)
		return tell_one(a, m->id, last ? 0 : id.value, e);
	return tell_list(a, m->id, max.known ? max.value : LIST_DEFAULT, e);
}

/* One that makes no sense cannot be written to; where only the last line is half it can. */
static int set_aside(struct gs_agent *a, int64_t call, uint64_t id, struct gs_error *e)
{
	int r = gs_agent_lock(a, "gpuslice recover --leave", 0, e);

	if (r < 0)
		return r;
	if (gs_agent_past_close_one(a, id, GS_WAY_INVALID, 0, "left as it was found", NULL) < 0)
		r = gs_journal_set_aside(gs_machine_root(a->machine), id, e);
	if (r == 0)
		gs_agent_show_outcome(a);
	gs_agent_unlock(a);
	if (r == 0)
		gs_rpc_reply(a->client, call, json_object_new_boolean(true));
	return r;
}

int gs_agent_leave(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	struct gs_u64 id = GS_U64_UNKNOWN;
	char label[256];
	int r;

	if (!a->writer)
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "this agent is read-only: it cannot close a commit. Nothing was done");
	r = gs_machine_check_root(a->machine, "closing a commit", e);
	if (r < 0)
		return r;
	r = m->params ? gs_json_get_u64(m->params, "id", &id, e) : 0;
	if (r < 0)
		return r;
	if (!id.known)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "leave which commit?");
	r = gs_journal_load(gs_machine_root(a->machine), id.value, &f, e);
	if (r == -EBADMSG || r == -ENODATA || (r == 0 && f->damage[0] && f->commit.state == GS_JOURNAL_IS_OPEN))
		return set_aside(a, m->id, id.value, e);
	if (r < 0)
		return r;
	if (!gs_journal_wants_end(f->commit.state, f->commit.status))
		return gs_error_set(e, -EALREADY, GS_STATUS_REFUSED, "%s is not open: there is nothing to leave", gs_journal_label(&f->commit, label, sizeof(label)));
	/* whoever recovers it just now holds the lock */
	r = gs_agent_lock(a, "gpuslice recover --leave", 0, e);
	if (r < 0)
		return r;
	r = gs_agent_past_close(a, id.value, GS_WAY_INVALID, 0, "left as it was found", e);
	if (r == 0)
		gs_agent_show_outcome(a);
	gs_agent_unlock(a);
	if (r == 0)
		gs_rpc_reply(a->client, m->id, json_object_new_boolean(true));
	return r;
}
