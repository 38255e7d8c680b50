/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_recover.c - `gpuslice recover`: a commit that never ended, or could not be undone, finds its end. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "cli/past.h"
#include "cli/under_way.h"
#include "codec/journal_list.h"

#define OPEN_MAX 256

enum how { HOW_ASK, HOW_FINISH, HOW_UNDO, HOW_LEAVE };

struct recover_options {
	struct gs_cli_commit commit;
	enum how how;
	unsigned n_how;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct recover_options *o = userdata;
	int r = gs_cli_commit_take(&o->commit, name, value, e);
	enum how how = strcmp(name, "finish") == 0 ? HOW_FINISH : strcmp(name, "undo") == 0 ? HOW_UNDO : strcmp(name, "leave") == 0 ? HOW_LEAVE : HOW_ASK;

	if (how != HOW_ASK) {
		o->how = how;
		o->n_how++;
	}
	return r < 0 ? r : 0;
}

/* One commit that needs an end. */
struct wound {
	struct gs_cli_past past;
	struct gs_past *how_it_was;
	enum gs_past_state state;
	struct gs_strbuf not_base, not_target;
};

static void wound_done(struct wound *w)
{
	gs_cli_past_done(&w->past);
	gs_past_free(w->how_it_was);
	gs_strbuf_done(&w->not_base);
	gs_strbuf_done(&w->not_target);
}

static int look(struct gs_session *s, uint64_t id, uint32_t wait_seconds, struct wound *w, struct gs_error *e)
{
	int r = gs_cli_past_load(s, id, wait_seconds, &w->past, e);

	if (r == 0)
		r = gs_journal_past(w->past.file, w->past.boot_id, &w->how_it_was, e);
	return r < 0 ? r : gs_past_judge(w->how_it_was, w->past.snapshot, &w->state, &w->not_base, &w->not_target, e);
}

static bool is_open(const struct wound *w)
{
	const struct gs_journal_commit *c = &w->past.file->commit;

	return gs_journal_wants_end(c->state, c->status);
}

static const char *machine_word(enum gs_past_state state)
{
	return state == GS_PAST_IS_BASE ? "base" : state == GS_PAST_IS_TARGET ? "target" : "between";
}

static void print_differences(const char *than, const struct gs_strbuf *differences)
{
	printf("  now, otherwise than %s:", than);
	if (!differences->length) {
		printf(" nothing that can be seen\n");
		return;
	}
	putchar('\n');
	gs_cli_print_differences(stdout, differences->text, 4);
}

static void print_wound(const struct wound *w)
{
	const struct gs_journal_commit *c = &w->past.file->commit;
	const struct gs_plan *p = w->how_it_was->plan;
	char label[256], summary[256];

	printf("%s: %s\n", gs_journal_label(c, label, sizeof(label)), gs_journal_summary(c, summary, sizeof(summary)));
	for (size_t i = 0; i < p->n_steps; i++)
		printf("  step %" PRIu32 "  GPU %" PRIu32 "  %-52s %s\n", p->steps[i].n, p->steps[i].gpu, p->steps[i].text,
		       i < c->done ? "done" : i == c->done && c->is_uncertain ? "may be done" : "not done");
	if (!w->how_it_was->is_same_boot)
		printf("  the machine was started again since\n");
	if (w->state != GS_PAST_IS_BASE)
		print_differences("before it", &w->not_base);
	if (w->state != GS_PAST_IS_TARGET)
		print_differences("it was to be", &w->not_target);
	for (size_t i = 0; i < c->n_units; i++)
		printf("  unit %s is stopped by it\n", c->units[i]);
}

static struct json_object *wound_to_json(const struct wound *w)
{
	struct json_object *o = gs_journal_summary_to_json(&w->past.file->commit);

	if (!o)
		return NULL;
	gs_json_add_string(o, "machine", machine_word(w->state));
	json_object_object_add(o, "same_boot", json_object_new_boolean(w->how_it_was->is_same_boot));
	gs_json_add_string(o, "not_base", w->not_base.length ? w->not_base.text : "");
	gs_json_add_string(o, "not_target", w->not_target.length ? w->not_target.text : "");
	return o;
}

/* Does it still hang in the kernel? Then what is seen proves nothing. */
static bool is_waiting(const struct wound *w)
{
	const struct gs_plan *p = w->how_it_was->plan;

	for (size_t i = 0; i < p->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(w->past.snapshot, p->base[i].bdf);

		if (gpu && gpu->n_writes)
			return true;
	}
	return false;
}

/* Nothing is left to be done: the machine is at the end that is asked for, or at either when none is. */
static bool is_settled(const struct wound *w, enum how how)
{
	if (w->past.file->commit.n_units || is_waiting(w))
		return false;
	return (w->state == GS_PAST_IS_BASE && how != HOW_FINISH) || (w->state == GS_PAST_IS_TARGET && how != HOW_UNDO);
}

/* Closed as what it came to, so that a later undo knows whether it did what it was to do. Nothing is to be done for that, but seen under the lock. */
static int settle(struct gs_cli *cli, const struct recover_options *o, struct gs_session *s, const struct wound *w)
{
	enum gs_way way = w->state == GS_PAST_IS_BASE ? GS_WAY_TAKE_BACK : GS_WAY_FINISH;
	struct gs_session_result result = { 0 };
	enum gs_status status;
	struct gs_error e = { 0 };
	char label[256];

	if (gs_cli_past_close(cli, &o->commit, s, &w->past, way, &result, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (result.status != GS_STATUS_OK)
		gs_cli_say_differences(result.text);
	else if (!cli->json)
		printf("%s: nothing to recover, the machine is %s; closed\n", gs_journal_label(&w->past.file->commit, label, sizeof(label)),
		       w->state == GS_PAST_IS_BASE ? "as before it" : "as it was to make it");
	status = result.status;
	gs_session_result_done(&result);
	return (int)status;
}

static int leave(struct gs_cli *cli, struct gs_session *s, const struct wound *w)
{
	const struct gs_journal_commit *c = &w->past.file->commit;
	struct gs_error e = { 0 };

	if (gs_session_leave(s, c->id, GS_CLI_PAST_TIMEOUT_MS, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (cli->json)
		return GS_STATUS_OK;
	printf("left as it is; closed. gpuslice undo %" PRIu64 " still takes back what it did\n", c->id);
	for (size_t i = 0; i < c->n_units; i++)
		printf("unit %s stays stopped: systemctl start %s\n", c->units[i], c->units[i]);
	return GS_STATUS_OK;
}

/* @why it cannot be read. */
static int leave_unread(struct gs_cli *cli, struct gs_session *s, uint64_t id, const struct gs_error *why)
{
	struct gs_error e = { 0 };
	int r = gs_session_leave(s, id, GS_CLI_PAST_TIMEOUT_MS, &e);

	/* a directory or a link in its place: nothing of ours, that we could put aside */
	if (r == -EISDIR || r == -ELOOP)
		gs_error_set(&e, r, GS_STATUS_FAILED, "%s, so gpuslice did not write it and does not touch it: look at what it is, and move it out of that directory. Nothing was done", why->text);
	if (r < 0)
		return gs_cli_fail(cli, &e);
	if (!cli->json)
		printf("commit %" PRIu64 " is left as it is; closed. What it did is in its file only: look with gpuslice list\n", id);
	return GS_STATUS_OK;
}

/* f, u, l on the terminal; HOW_ASK when nobody is there or decides. */
static enum how ask(void)
{
	GS_FCLOSE FILE *tty = NULL;
	GS_CLOSE int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char answer[64];

	if (fd < 0)
		return HOW_ASK;
	tty = fdopen(fd, "r+");
	if (!tty)
		return HOW_ASK;
	GS_TAKE_FD(fd);
	fprintf(tty, "f finishes it, u undoes what it did, l leaves it as it is; anything else decides nothing: ");
	fflush(tty);
	if (!fgets(answer, sizeof(answer), tty))
		return HOW_ASK;
	return strcmp(answer, "f\n") == 0 ? HOW_FINISH : strcmp(answer, "u\n") == 0 ? HOW_UNDO : strcmp(answer, "l\n") == 0 ? HOW_LEAVE : HOW_ASK;
}

/* Who was at it has been waited for: then a good end is no mistake of who asks. */
static int say_ended(struct gs_cli *cli, const struct wound *w)
{
	const struct gs_journal_commit *c = &w->past.file->commit;
	char label[256], summary[256];

	if (!cli->json)
		printf("%s has ended meanwhile: %s; nothing to recover\n", gs_journal_label(c, label, sizeof(label)), gs_journal_summary(c, summary, sizeof(summary)));
	return GS_STATUS_OK;
}

/* *@ret_told: the result of a commit was printed. */
static int recover(struct gs_cli *cli, const struct recover_options *o, struct gs_session *s, uint64_t id, bool was_awaited, bool *ret_told)
{
	GS_CLEANUP(wound_done) struct wound w = { .not_base = GS_STRBUF_INIT, .not_target = GS_STRBUF_INIT };
	struct gs_cli_commit commit;
	struct gs_error e = { 0 };
	enum how how = o->how;

	/* what cannot be read can still be left, and has to be before anything else is begun there */
	if (look(s, id, o->commit.wait_seconds, &w, &e) < 0 && how == HOW_LEAVE)
		return leave_unread(cli, s, id, &e);
	if (e.errnum) {
		gs_cli_fail(cli, &e);
		if (e.errnum != -ENOENT)
			gs_cli_say("gpuslice recover --leave %" PRIu64 " closes it as it is", id);
		return (int)e.status;
	}
	if (!is_open(&w) && was_awaited)
		return say_ended(cli, &w);
	if (!is_open(&w)) {
		char label[256];

		gs_error_set(&e, -EALREADY, GS_STATUS_REFUSED, "%s has ended: there is nothing to recover; gpuslice undo %" PRIu64 " takes it back", gs_journal_label(&w.past.file->commit, label, sizeof(label)), id);
		return gs_cli_fail(cli, &e);
	}
	if (!cli->json)
		print_wound(&w);
	if (how != HOW_LEAVE && is_settled(&w, how) && !o->commit.dry_run)
		return settle(cli, o, s, &w);
	if (is_waiting(&w) && !cli->json)
		printf("  a write of it still waits in the kernel: gpuslice list says for whom\n");
	if (how == HOW_ASK && !cli->json)
		how = ask();
	if (how == HOW_LEAVE)
		return leave(cli, s, &w);
	if (how == HOW_ASK) {
		if (!cli->json)
			printf("ways out: gpuslice recover --finish %" PRIu64 ", --undo or --leave\n", id);
		return GS_STATUS_NOT_UNDONE;
	}
	/* who chose on the terminal has not seen the plan yet */
	commit = o->commit;
	commit.must_ask = o->how == HOW_ASK;
	*ret_told = true;
	return gs_cli_past_commit(cli, &commit, s, &w.past, how == HOW_FINISH ? GS_WAY_FINISH : GS_WAY_TAKE_BACK);
}

/* The oldest first; without the one that @now is recovering. */
static int find(struct gs_session *s, const struct gs_cli_under_way *now, uint64_t *ret_ids, size_t *ret_n, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *list = NULL;
	GS_JSON struct json_object *commits = NULL;
	int r = gs_session_journal(s, GS_JOURNAL_LIST_MAX, GS_CLI_PAST_TIMEOUT_MS, &commits, e);
	size_t n = 0;

	if (r >= 0)
		r = gs_journal_list_from_json(commits, &list, e);
	if (r < 0)
		return r;
	for (size_t i = list->n; i-- > 0;)
		if (gs_journal_needs_recovery(list, &list->items[i]) && list->items[i].id != now->of && n < OPEN_MAX)
			ret_ids[n++] = list->items[i].id;
	*ret_n = n;
	return 0;
}

static void add_under_way(struct json_object *to, const struct gs_cli_under_way *now)
{
	struct json_object *list = json_object_new_array(), *o = now->id ? json_object_new_object() : NULL;

	if (o) {
		gs_json_add_u64(o, "id", GS_U64(now->id));
		gs_json_add_i64(o, "begun_ms", GS_I64(now->begun.ms));
		gs_json_add_string(o, "text", now->text);
		json_object_array_add(list, o);
	}
	json_object_object_add(to, "under_way", list);
}

static int tell(struct gs_cli *cli, struct gs_session *s, const uint64_t *ids, size_t n, const struct gs_cli_under_way *now)
{
	GS_JSON struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct gs_error e = { 0 };
	size_t n_open = 0;

	if (!o || !list) {
		json_object_put(list);
		gs_error_oom(&e);
		return gs_cli_fail(cli, &e);
	}
	gs_json_add_string(o, "schema", "gpuslice.recover/1");
	json_object_object_add(o, "open", list);
	for (size_t i = 0; i < n; i++) {
		GS_CLEANUP(wound_done) struct wound w = { .not_base = GS_STRBUF_INIT, .not_target = GS_STRBUF_INIT };

		if (look(s, ids[i], 0, &w, &e) < 0)
			return gs_cli_fail(cli, &e);
		/* one that was named may have ended */
		if (is_open(&w) && ++n_open)
			json_object_array_add(list, wound_to_json(&w));
	}
	add_under_way(o, now);
	gs_cli_print_json(json_object_get(o));
	return n_open ? GS_STATUS_NOT_UNDONE : GS_STATUS_OK;
}

/* What is to be looked at: @id, or with 0 all that need it. One that is under way does not, and is in *@now. */
static int choose(struct gs_session *s, uint64_t id, uint64_t *ret_ids, size_t *ret_n, struct gs_cli_under_way *ret_now, struct gs_error *e)
{
	int r = gs_cli_under_way_find(s, id, ret_now, e);

	if (r < 0 || !id)
		return r < 0 ? r : find(s, ret_now, ret_ids, ret_n, e);
	ret_ids[0] = id;
	*ret_n = ret_now->id ? 0 : 1;
	return 0;
}

static int recover_all(struct gs_cli *cli, struct recover_options *o, struct gs_session *s, uint64_t id)
{
	struct gs_cli_under_way now = { 0 }, awaited = { 0 };
	uint64_t ids[OPEN_MAX];
	struct gs_error e = { 0 };
	bool told = false;
	int status = 0;
	size_t n = 0;

	/* who only looks may look at what is under way */
	if ((o->how != HOW_ASK || o->commit.wait_seconds) && gs_cli_under_way_await(s, id, &o->commit.wait_seconds, &awaited, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (choose(s, id, ids, &n, &now, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (cli->json && o->how == HOW_ASK)
		return tell(cli, s, ids, n, &now);
	if (now.id && !cli->json)
		printf("%s%s\n", n ? "" : "nothing to recover: ", now.text);
	else if (!n && !cli->json)
		printf("nothing to recover: every commit has ended\n");
	for (size_t i = 0; i < n && !status; i++)
		status = recover(cli, o, s, ids[i], awaited.id != 0, &told);
	/* what is left then, where nothing else was printed */
	if (!cli->json || told || status)
		return status;
	if (gs_cli_under_way_find(s, 0, &now, &e) < 0 || find(s, &now, ids, &n, &e) < 0)
		return gs_cli_fail(cli, &e);
	return tell(cli, s, ids, n, &now);
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	struct recover_options o = { .commit.way = GS_WAY_APPLY };
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };
	int first, status = 0;
	uint64_t id;

	if (gs_cli_parse(cli, &gs_command_recover, argc, argv, take, &o, &first, &status))
		return status;
	if (argc - first > 1 || o.n_how > 1)
		return gs_cli_misuse(cli, &gs_command_recover, o.n_how > 1 ? "one of --finish, --undo and --leave" : "recover takes one ID");
	if (gs_cli_past_id(first < argc ? argv[first] : NULL, &id, &e) < 0 || gs_cli_connect(cli, &how, &session, &e) < 0)
		return gs_cli_fail(cli, &e);
	return recover_all(cli, &o, session, id);
}

static const struct gs_cli_option options[] = {
	{ "finish", NULL, "go on to what the commit was to make" },
	{ "undo", NULL, "go back to what was before it" },
	{ "leave", NULL, "close it, change nothing" },
	GS_CLI_COMMIT_OPTIONS,
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_recover = {
	.name = "recover",
	.arguments = "[ID]",
	.summary = "a commit that was interrupted, or could not be undone: show it, finish it, undo it, leave it",
	.details = "Without --finish, --undo or --leave it shows what the commit was to do, how far it came and how the\n"
		   "machine is now, and asks on a terminal; without one it ends with status 5 when there is something\n"
		   "to recover. A commit that is under way is none: who wants to recover it is told who is at it (status 6),\n"
		   "and waits for its end with --wait. After a restart of the machine --undo and --finish plan from what is left of it.",
	.options = options,
	.run = run,
};
