/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/open_commits.h"

#define BOOT_ID "proc/sys/kernel/random/boot_id"
/* Who dies in more of them closes the rest one by one. */
#define RECOVERIES_MAX 64

/* ---------------------------------------------------------------- all of them */

struct summaries {
	struct gs_root *root;
	struct json_object *list;
};

static int add_summary(void *userdata, uint64_t id, const struct gs_journal_file *file, const struct gs_error *why)
{
	struct summaries *to = userdata;
	struct json_object *o = file ? gs_journal_summary_to_json(&file->commit) : json_object_new_object();

	if (!o)
		return -ENOMEM;
	if (!file) {
		gs_json_add_u64(o, "id", GS_U64(id));
		gs_json_add_string(o, "damage", why ? why->text : "it cannot be read");
	}
	if (file && file->commit.state == GS_JOURNAL_IS_OPEN)
		json_object_object_add(o, "under_way", json_object_new_boolean(gs_open_commits_is_under_way(to->root, file)));
	json_object_array_add(to->list, o);
	return 0;
}

int gs_agent_past_summarise(struct gs_agent *a, size_t max, struct json_object **ret_commits, struct gs_error *e)
{
	GS_JSON struct json_object *list = json_object_new_array();
	struct gs_root *root = gs_machine_root(a->machine);
	struct summaries to = { root, list };
	int r = list ? gs_journal_list(root, max, add_summary, &to, e) : gs_error_oom(e);

	if (r < 0)
		return r;
	*ret_commits = json_object_get(list);
	return 0;
}

int gs_agent_past_list(struct gs_agent *a, struct gs_journal_list **ret_list, struct gs_error *e)
{
	GS_JSON struct json_object *commits = NULL;
	int r = gs_agent_past_summarise(a, GS_JOURNAL_LIST_MAX, &commits, e);

	return r < 0 ? r : gs_journal_list_from_json(commits, ret_list, e);
}

/* ---------------------------------------------------------------- one of them */

int gs_agent_past_load(struct gs_agent *a, uint64_t id, const struct gs_journal_list *list, struct gs_journal_file **ret_file, char **ret_boot_id, char **ret_text,
		       struct gs_error *e)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *own = NULL;
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_FREE char *boot = NULL, *text = NULL;
	int r;

	if (gs_root_read(gs_machine_root(a->machine), &boot, BOOT_ID) < 0)
		boot = strdup("unknown");
	if (!boot)
		return gs_error_oom(e);
	r = gs_journal_load_text(gs_machine_root(a->machine), id, &f, ret_text ? &text : NULL, e);
	if (r == 0 && !list)
		r = gs_agent_past_list(a, &own, e);
	if (r < 0)
		return r;
	gs_journal_relate(list ? list : own, f);
	*ret_file = GS_TAKE(f);
	*ret_boot_id = GS_TAKE(boot);
	if (ret_text)
		*ret_text = GS_TAKE(text);
	return 0;
}

/* ---------------------------------------------------------------- an end for it */

/* Recoveries of a commit that were interrupted themselves. */
struct recoveries {
	uint64_t of, ids[RECOVERIES_MAX];
	size_t n;
};

static int add_recovery(void *userdata, uint64_t id, const struct gs_journal_file *file, const struct gs_error *why)
{
	struct recoveries *to = userdata;

	(void)why;
	if (file && file->commit.of == to->of && file->commit.way != GS_WAY_UNDO && file->commit.state == GS_JOURNAL_IS_OPEN && to->n < RECOVERIES_MAX)
		to->ids[to->n++] = id;
	return 0;
}

/* Write behind what is there that it has found its end. */
int gs_agent_past_close_one(struct gs_agent *a, uint64_t id, enum gs_way way, uint64_t by, const char *text, struct gs_error *e)
{
	struct gs_journal_record r = { .kind = GS_JOURNAL_CLOSED, .op = GS_STEP_INVALID, .way = way, .by = by, .text = text };
	GS_CLEANUP(gs_journal_closep) struct gs_journal *journal = NULL;
	int rc = gs_journal_reopen(gs_machine_root(a->machine), id, &journal, e);

	return rc == 0 ? gs_journal_append(journal, &r, e) : rc;
}

/* And of its recoveries that died, first: without them it would not be known what they were of. We hold the lock, so none of them is under way. */
int gs_agent_past_close(struct gs_agent *a, uint64_t id, enum gs_way way, uint64_t by, const char *text, struct gs_error *e)
{
	struct recoveries died = { .of = id };
	int r = gs_journal_list(gs_machine_root(a->machine), GS_JOURNAL_KEPT_MAX, add_recovery, &died, e);

	for (size_t i = 0; r == 0 && i < died.n; i++)
		if (died.ids[i] != by)
			r = gs_agent_past_close_one(a, died.ids[i], way, by, text, e);
	return r == 0 ? gs_agent_past_close_one(a, id, way, by, text, e) : r;
}
