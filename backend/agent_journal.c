/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/agent_lock.h"
#include "backend/open_commits.h"
#include "backend/proc.h"
#include "base/file.h"
#include "base/parse.h"
#include "codec/journal_list.h"
#include "codec/request.h"

#define BOOT_ID "proc/sys/kernel/random/boot_id"
#define LIST_DEFAULT 50
/* Who dies in more of them closes the rest one by one. */
#define RECOVERIES_MAX 64
/* The kernel's «nobody logged in» (audit). */
#define LOGIN_UID_NONE UINT32_MAX

void gs_agent_journal_done(struct gs_agent_journal *j)
{
	j->journal = gs_journal_close(j->journal);
}

/* ---------------------------------------------------------------- who */

uint32_t gs_agent_caller_uid(void)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	const char *sudo = getenv("SUDO_UID");
	uint64_t login;
	uint32_t uid;

	if (gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL) == 0 && gs_root_read_u64(host, 10, &login, "proc/self/loginuid") == 0 && login < LOGIN_UID_NONE)
		return (uint32_t)login;
	if (geteuid() == 0 && sudo && gs_parse_u32(sudo, 10, &uid) == 0)
		return uid;
	return (uint32_t)getuid();
}

char *gs_agent_user_name(uint32_t uid)
{
	struct passwd entry, *found = NULL;
	char buf[4096];

	if (getpwuid_r((uid_t)uid, &entry, buf, sizeof(buf), &found) != 0 || !found)
		return NULL;
	return strdup(entry.pw_name);
}

/* ---------------------------------------------------------------- the commit under way */

static int begin(struct gs_agent_journal *j, const struct gs_plan *p, struct gs_error *e)
{
	struct gs_root *root = gs_machine_root(j->agent->machine);
	const struct gs_request *request = j->request;
	const struct gs_plan_options options = {
		.disrupt = request->disrupt, .n_disrupt = request->n_disrupt, .kill = request->kill, .allow_reset = request->allow_reset,
	};
	bool is_past = request->kind == GS_REQUEST_PAST;
	GS_FREE char *boot = NULL, *user = NULL;
	struct gs_proc_identity self;
	struct gs_journal_begin b = {
		.at = gs_wall_now(), .host = gs_machine_host(j->agent->machine), .pid = (uint32_t)getpid(), .undo_on_hangup = j->undo_on_hangup,
		.way = is_past ? request->way : j->way, .of = is_past ? request->commit_id : 0, .plan = p, .options = &options,
		.author = { .uid = GS_U32(gs_agent_caller_uid()), .ssh_client = j->ssh_client, .command = j->command, .message = j->message },
	};

	user = gs_agent_user_name(b.author.uid.value);
	b.author.user = user;
	b.boot_id = gs_root_read(root, &boot, BOOT_ID) == 0 ? boot : "unknown";
	/* processes are this host's, whatever machine is worked on */
	if (gs_proc_identify(b.pid, &self) == 0)
		b.start_time = self.start_time;
	return gs_journal_begin(root, &b, &j->journal, e);
}

int gs_agent_journal_record(struct gs_agent_journal *j, const struct gs_commit_record *record, struct gs_error *e)
{
	struct gs_journal_record r;
	int rc;

	if (record->kind == GS_JOURNAL_BEGIN)
		return begin(j, record->plan, e);
	if (!j->journal)
		return gs_error_set(e, -EBADF, GS_STATUS_FAILED, "it was never begun");
	gs_commit_record_to_journal(record, &r);
	rc = gs_journal_append(j->journal, &r, e);
	if (rc == 0 && record->kind == GS_JOURNAL_END)
		gs_journal_log(gs_machine_root(j->agent->machine), gs_journal_commit_of(j->journal));
	return rc;
}

/* ---------------------------------------------------------------- an earlier commit */

static int load(struct gs_agent *a, uint64_t id, struct gs_journal_file **ret_file, char **ret_boot_id, struct gs_error *e)
{
	GS_FREE char *boot = NULL;
	int r;

	if (gs_root_read(gs_machine_root(a->machine), &boot, BOOT_ID) < 0)
		boot = strdup("unknown");
	if (!boot)
		return gs_error_oom(e);
	r = gs_journal_load(gs_machine_root(a->machine), id, ret_file, e);
	if (r == 0)
		*ret_boot_id = GS_TAKE(boot);
	return r;
}

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

static int summarise(struct gs_root *root, uint32_t max, struct json_object **ret_list, struct gs_error *e)
{
	GS_JSON struct json_object *list = json_object_new_array();
	struct summaries to = { root, list };
	int r = list ? gs_journal_list(root, max, add_summary, &to, e) : gs_error_oom(e);

	if (r < 0)
		return r;
	*ret_list = json_object_get(list);
	return 0;
}

/* What the other commits mean for that one: both ends have to plan from the same. */
static int relate(struct gs_agent *a, struct gs_journal_file *f, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *list = NULL;
	GS_JSON struct json_object *commits = NULL;
	int r = summarise(gs_machine_root(a->machine), GS_JOURNAL_LIST_MAX, &commits, e);

	if (r == 0)
		r = gs_journal_list_from_json(commits, &list, e);
	if (r < 0)
		return r;
	gs_journal_relate(list, f);
	return 0;
}

int gs_agent_journal_prepare(struct gs_agent *a, struct gs_request *request, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_FREE char *boot = NULL;
	char label[256];
	bool is_open;
	int r;

	if (request->kind != GS_REQUEST_PAST)
		return 0;
	r = load(a, request->commit_id, &f, &boot, e);
	if (r < 0)
		return r;
	is_open = f->commit.state == GS_JOURNAL_IS_OPEN || gs_u32_is(f->commit.status, GS_STATUS_NOT_UNDONE);
	if (request->way == GS_WAY_UNDO && f->commit.state == GS_JOURNAL_IS_OPEN)
		return gs_error_set(e, -EINVAL, GS_STATUS_REFUSED, "%s was interrupted, so it is recovered and not undone: gpuslice recover %" PRIu64 ". Nothing was done",
				    gs_journal_label(&f->commit, label, sizeof(label)), f->commit.id);
	if (request->way != GS_WAY_UNDO && (!is_open || f->commit.state == GS_JOURNAL_IS_CLOSED))
		return gs_error_set(e, -EALREADY, GS_STATUS_REFUSED, "%s is not open any more: there is nothing to recover. Nothing was done",
				    gs_journal_label(&f->commit, label, sizeof(label)));
	r = relate(a, f, e);
	return r < 0 ? r : gs_journal_past(f, boot, &request->past, e);
}

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
static int close_one(struct gs_agent *a, uint64_t id, enum gs_way way, uint64_t by, const char *text, struct gs_error *e)
{
	struct gs_journal_record r = { .kind = GS_JOURNAL_CLOSED, .op = GS_STEP_INVALID, .way = way, .by = by, .text = text };
	GS_CLEANUP(gs_journal_closep) struct gs_journal *journal = NULL;
	int rc = gs_journal_reopen(gs_machine_root(a->machine), id, &journal, e);

	return rc == 0 ? gs_journal_append(journal, &r, e) : rc;
}

/* And of its recoveries that died, first: without them it would not be known what they were of. We hold the lock, so none of them is under way. */
static int close_commit(struct gs_agent *a, uint64_t id, enum gs_way way, uint64_t by, const char *text, struct gs_error *e)
{
	struct recoveries died = { .of = id };
	int r = gs_journal_list(gs_machine_root(a->machine), GS_JOURNAL_KEPT_MAX, add_recovery, &died, e);

	for (size_t i = 0; r == 0 && i < died.n; i++)
		if (died.ids[i] != by)
			r = close_one(a, died.ids[i], way, by, text, e);
	return r == 0 ? close_one(a, id, way, by, text, e) : r;
}

/* All of it was done; one step may only wait for a reset. */
static bool is_through(const struct gs_commit_result *result)
{
	return result->status == GS_STATUS_OK || (result->status == GS_STATUS_PENDING && result->plan && result->done == result->plan->n_steps);
}

/* An undo of what could neither go on nor back is its end, too. */
static bool needed_recovery(struct gs_agent *a, uint64_t id)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;

	return gs_journal_load(gs_machine_root(a->machine), id, &f, NULL) == 0 && f->commit.state == GS_JOURNAL_IS_ENDED && gs_u32_is(f->commit.status, GS_STATUS_NOT_UNDONE);
}

void gs_agent_journal_settle(struct gs_agent_journal *j, const struct gs_commit_result *result)
{
	const struct gs_request *request = j->request;
	struct gs_error e = { 0 };

	if (request->kind != GS_REQUEST_PAST || !is_through(result) || (request->way == GS_WAY_UNDO && !needed_recovery(j->agent, request->commit_id)))
		return;
	if (close_commit(j->agent, request->commit_id, request->way, j->journal ? gs_journal_id(j->journal) : 0, result->text, &e) < 0)
		gs_agent_notice(j->agent, "commit %" PRIu64 " is recovered, but the journal cannot be told so: %s", request->commit_id, e.text);
}

/* ---------------------------------------------------------------- what a client may ask */

static int tell_list(struct gs_agent *a, int64_t id, uint32_t max, struct gs_error *e)
{
	GS_JSON struct json_object *o = json_object_new_object();
	struct json_object *list = NULL;
	int r = o ? summarise(gs_machine_root(a->machine), max, &list, e) : gs_error_oom(e);

	if (r < 0)
		return r;
	json_object_object_add(o, "commits", list);
	gs_rpc_reply(a->client, id, json_object_get(o));
	return 0;
}

static int tell_one(struct gs_agent *a, int64_t call, uint64_t id, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	struct json_object *o = NULL;
	GS_FREE char *boot = NULL, *text = NULL;
	GS_CLOSE int fd = -1;
	size_t n;
	int r = load(a, id, &f, &boot, e);

	if (r == 0)
		r = relate(a, f, e);
	if (r < 0)
		return r;
	if (r == 0)
		r = gs_root_open_file(gs_machine_root(a->machine), O_RDONLY | O_NONBLOCK, 0, &fd, GS_JOURNAL_DIR "/%" PRIu64 ".jsonl", id);
	if (r < 0)
		return e->errnum ? r : gs_error_set(e, r, GS_STATUS_FAILED, "commit %" PRIu64 " cannot be read: %s", id, strerror(-r));
	r = gs_fd_read_all(fd, "journal", GS_JOURNAL_BYTES_MAX, &text, &n, e);
	if (r < 0)
		return r;
	/* what counts of it, so that both ends read the same */
	text[n < f->n_valid_bytes ? n : f->n_valid_bytes] = '\0';
	o = json_object_new_object();
	if (!o)
		return gs_error_oom(e);
	gs_json_add_string(o, "text", text);
	gs_json_add_string(o, "boot_id", boot);
	gs_json_add_string(o, "damage", f->damage[0] ? f->damage : NULL);
	gs_json_add_u64(o, "changed_since", f->changed_since ? GS_U64(f->changed_since) : GS_U64_UNKNOWN);
	json_object_object_add(o, "was_continued", json_object_new_boolean(f->was_continued));
	r = gs_rpc_reply(a->client, call, o);
	return r == -EMSGSIZE ? gs_error_set(e, r, GS_STATUS_FAILED, "the record of commit %" PRIu64 " is too long to be sent", id) : 0;
}

static int check_reader(const struct gs_agent *a, struct gs_error *e)
{
	if (gs_machine_is_privileged(a->machine))
		return 0;
	if (gs_machine_source(a->machine) == GS_SOURCE_SYSROOT)
		return gs_error_set(e, -EACCES, GS_STATUS_CANNOT_TELL, "a recorded machine has no journal that could be read here");
	return gs_error_set(e, -EACCES, GS_STATUS_CANNOT_TELL, "the journal is root's: it names people and their work. Use sudo");
}

int gs_agent_tell_journal(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	struct gs_u32 max = GS_U32_UNKNOWN;
	struct gs_u64 id = GS_U64_UNKNOWN;
	int r = check_reader(a, e);

	if (r == 0 && m->params)
		r = gs_json_get_u32(m->params, "max", &max, e);
	if (r == 0 && m->params)
		r = gs_json_get_u64(m->params, "id", &id, e);
	if (r < 0)
		return r;
	if (id.known)
		return tell_one(a, m->id, id.value, e);
	return tell_list(a, m->id, max.known ? max.value : LIST_DEFAULT, e);
}

/* One that makes no sense cannot be written to; where only the last line is half it can. */
static int set_aside(struct gs_agent *a, int64_t call, uint64_t id, struct gs_error *e)
{
	int r = gs_agent_lock(a, "gpuslice recover --leave", 0, e);

	if (r < 0)
		return r;
	if (close_one(a, id, GS_WAY_INVALID, 0, "left as it was found", NULL) < 0)
		r = gs_journal_set_aside(gs_machine_root(a->machine), id, e);
	gs_agent_unlock(a);
	if (r == 0)
		gs_rpc_reply(a->client, call, json_object_new_boolean(true));
	return r;
}

int gs_agent_leave(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	struct gs_u64 id = GS_U64_UNKNOWN;
	GS_FREE char *boot = NULL;
	char label[256];
	int r;

	if (!a->writer || !gs_machine_is_privileged(a->machine))
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "closing a commit needs root. Nothing was done: use sudo");
	r = m->params ? gs_json_get_u64(m->params, "id", &id, e) : 0;
	if (r < 0)
		return r;
	if (!id.known)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "leave which commit?");
	r = load(a, id.value, &f, &boot, e);
	if (r == -EBADMSG || (r == 0 && f->damage[0] && f->commit.state == GS_JOURNAL_IS_OPEN))
		return set_aside(a, m->id, id.value, e);
	if (r < 0)
		return r;
	if (f->commit.state != GS_JOURNAL_IS_OPEN && !gs_u32_is(f->commit.status, GS_STATUS_NOT_UNDONE))
		return gs_error_set(e, -EALREADY, GS_STATUS_REFUSED, "%s is not open: there is nothing to leave", gs_journal_label(&f->commit, label, sizeof(label)));
	/* whoever recovers it just now holds the lock */
	r = gs_agent_lock(a, "gpuslice recover --leave", 0, e);
	if (r < 0)
		return r;
	r = close_commit(a, id.value, GS_WAY_INVALID, 0, "left as it was found", e);
	gs_agent_unlock(a);
	if (r == 0)
		gs_rpc_reply(a->client, m->id, json_object_new_boolean(true));
	return r;
}
