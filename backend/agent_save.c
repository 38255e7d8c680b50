/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_save.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backend/agent_lock.h"
#include "backend/agent_who.h"
#include "backend/collector.h"
#include "backend/journal.h"
#include "backend/saved.h"
#include "base/file.h"
#include "codec/layout_text.h"
#include "codec/snapshot_json.h"

int gs_agent_tell_saved(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	struct gs_root *root = gs_machine_root(a->machine);
	GS_CLEANUP(gs_saved_done) struct gs_saved saved = { 0 };
	GS_FREE char *boot = gs_boot_id(root);
	struct json_object *o;
	int r = gs_saved_read(root, &saved, e);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return r;
	/* what is no text cannot be sent; why it is none is for whoever parses it */
	if (r == 0 && memchr(saved.text, '\0', saved.n))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "/" GS_SAVED_PATH " is no text");
	o = json_object_new_object();
	if (!o)
		return gs_error_oom(e);
	gs_json_add_string(o, "path", "/" GS_SAVED_PATH);
	gs_json_add_string(o, "text", saved.text);
	gs_json_add_i64(o, "saved_at_ms", saved.text ? saved.saved_at_ms : GS_I64_UNKNOWN);
	gs_json_add_string(o, "boot_id", saved.boot_id);
	gs_json_add_string(o, "by", saved.by);
	gs_json_add_string(o, "current_boot_id", boot);
	gs_rpc_reply(a->client, m->id, o);
	return 0;
}

/* The machine as a layout, by a look of our own: what a client saw may be older than what is there. */
static int look(struct gs_agent *a, char **ret_text, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL, *layout = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	GS_FREE uint64_t *ids = NULL;
	size_t n_ids;
	int r;

	/* what was interrupted cannot be told from what is whole without it */
	r = gs_journal_list_ids(gs_machine_root(a->machine), &ids, &n_ids);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_REFUSED, "/" GS_JOURNAL_DIR " cannot be read (%s), so nobody knows whether a commit was interrupted half way. Nothing was saved", strerror(-r));
	/* a collection under way would answer in between */
	gs_agent_stop_collector(a, false);
	r = gs_agent_ask(a, "collect", gs_collector_collect_params(false, true, false), NULL, &o, e);
	if (r == 0)
		r = gs_snapshot_from_json(o, &s, e);
	if (r == 0)
		r = gs_layout_from_snapshot(s, &l, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n_gpus; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);
		char label[96], text[600];

		if (gpu->lost)
			return gs_error_set(e, -EIO, GS_STATUS_REFUSED, "%s is lost, and what is on it cannot be seen: what would be saved is less than was there. Nothing was saved",
					    gs_gpu_label(gpu, label, sizeof(label)));
		if (gpu->open_commit.state != GS_OPEN_NONE)
			return gs_error_set(e, -EBUSY, GS_STATUS_REFUSED, "%s: %s, so it is neither what it was nor what it was to be: %s. Nothing was saved",
					    gs_gpu_label(gpu, label, sizeof(label)), gs_gpu_open_commit_text(gpu, text, sizeof(text)),
					    gpu->open_commit.state == GS_OPEN_UNDER_WAY ? "save when it has ended" : "gpuslice recover first");
		if (l->gpus[i].positions_unknown)
			return gs_error_set(e, -EPERM, GS_STATUS_CANNOT_TELL, "%s: where its instances are cannot be seen. Nothing was saved", gs_gpu_label(gpu, label, sizeof(label)));
	}
	layout = gs_layout_to_json(l, s);
	*ret_text = layout ? gs_json_to_text(layout) : NULL;
	return *ret_text ? 0 : gs_error_oom(e);
}

static int check_given(const char *text, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;

	if (strlen(text) > GS_INPUT_BYTES_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_INVALID, "a layout of more than %u bytes. Nothing was saved", GS_INPUT_BYTES_MAX);
	return gs_layout_parse(text, strlen(text), "the layout to be saved", &l, e);
}

static int save(struct gs_agent *a, struct json_object *params, struct gs_error *e)
{
	GS_FREE char *own = NULL, *user = gs_agent_user_name(gs_agent_caller_uid());
	const char *text = NULL;
	int r = params ? gs_json_get_string(params, "text", &text, e) : 0;

	if (r == 0)
		r = gs_machine_check_root(a->machine, "saving the layout of this machine", e);
	if (r == 0 && text)
		r = check_given(text, e);
	if (r < 0)
		return r;
	r = gs_agent_lock(a, "gpuslice save", 0, e);
	if (r < 0)
		return r;
	if (!text)
		r = look(a, &own, e);
	if (r == 0)
		r = gs_saved_write(gs_machine_root(a->machine), text ? text : own, strlen(text ? text : own), user, gs_wall_now(), e);
	gs_agent_unlock(a);
	return r;
}

void gs_agent_save(struct gs_agent *a, int64_t id, struct json_object *params)
{
	struct gs_error e = { 0 };
	int r;

	/* whoever asks for a commit while we look has to wait as for one */
	a->is_committing = true;
	a->is_cancelled = false;
	r = save(a, params, &e);
	a->is_committing = a->is_cancelled = false;
	a->watch_due = a->watching;
	if (r < 0)
		gs_rpc_fail(a->client, id, &e);
	else
		gs_rpc_reply(a->client, id, json_object_new_boolean(true));
}
