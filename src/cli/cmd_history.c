/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_history.c - `gpuslice history`: who changed what, and what came of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/past.h"
#include "codec/journal_list.h"
#include "codec/json_reader.h"

#define MAX_DEFAULT 50
#define MAX_MOST 1000
/* Behind the words of what is told of one. */
#define TEXT_COLUMN 10
#define NOTE_INDENT 6

struct history_options {
	uint32_t max;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct history_options *o = userdata;

	if (gs_parse_u32(value, 10, &o->max) < 0 || !o->max || o->max > MAX_MOST)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--%s takes a number from 1 to %d, not %s", name, MAX_MOST, value);
	return 0;
}

/* ---------------------------------------------------------------- all */

static void add_who(struct gs_table *t, const struct gs_author *author)
{
	if (author->user || !author->uid.known)
		gs_table_add(t, author->user);
	else
		gs_table_addf(t, "uid %" PRIu32, author->uid.value);
}

/* "0,3" */
static void add_gpus(struct gs_table *t, struct gs_json_reader *commit)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct json_object *list;
	size_t n = gs_json_read_array(commit, "gpus", UINT16_MAX, &list);

	for (size_t i = 0; i < n; i++) {
		struct gs_json_reader r = gs_json_reader_of(json_object_array_get_idx(list, i), NULL, NULL);

		gs_strbuf_printf(&b, "%s%" PRIu32, i ? "," : "", gs_json_read_u32(&r, "gpu", UINT32_MAX).value);
	}
	gs_table_add(t, b.length ? b.text : NULL);
}

/* And why it was done, in one column: either is long where the other is short. */
static void add_outcome(struct gs_table *t, const struct gs_journal_entry *c, const char *damage, uint64_t undone_by)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	bool says_it = c->state == GS_JOURNAL_IS_CLOSED && c->closed_way != GS_WAY_FINISH;

	gs_strbuf_puts(&b, damage ? damage : c->is_under_way ? "under way" : c->summary);
	if (undone_by && !says_it)
		gs_strbuf_printf(&b, "; undone by %" PRIu64, undone_by);
	if (c->author.message)
		gs_strbuf_printf(&b, "   \"%s\"", c->author.message);
	gs_table_add(t, b.failed ? NULL : b.text);
}

/* One that could not be read is shown too: it may be the one that is missed. */
static void add_commit(struct gs_table *t, const struct gs_journal_list *list, const struct gs_journal_entry *c, struct json_object *o)
{
	struct gs_json_reader r = gs_json_reader_of(o, NULL, NULL);
	const char *damage = gs_json_read_string(&r, "damage");
	char when[GS_WALL_TEXT], way[48];

	gs_table_addf(t, "%" PRIu64, c->id);
	gs_table_add(t, damage ? NULL : gs_wall_format_iso(c->begun, when, sizeof(when)));
	add_who(t, &c->author);
	gs_table_add(t, gs_journal_way_text(c->way, c->of, way, sizeof(way)));
	add_gpus(t, &r);
	if (damage)
		gs_table_add(t, NULL);
	else
		gs_table_addf(t, "%" PRIu32 "/%" PRIu32, gs_json_read_u32(&r, "done", UINT32_MAX).value, gs_json_read_u32(&r, "steps", UINT32_MAX).value);
	add_outcome(t, c, damage, gs_journal_undone_by(list, c));
}

/* The last column is cut to the terminal's width; a pipe gets all of it. */
static void print_commits(const struct gs_journal_list *list, struct json_object *commits, size_t max)
{
	static const char *const heads[] = { "ID", "TIME", "WHO", "WAY", "GPU", "DONE", "OUTCOME   \"WHY\"" };
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(GS_ARRAY_SIZE(heads));

	if (!list->n)
		printf("nothing has been changed yet\n");
	if (!list->n || !t)
		return;
	for (size_t i = 0; i < GS_ARRAY_SIZE(heads); i++)
		gs_table_add(t, heads[i]);
	for (size_t i = 0; i < list->n && i < max; i++)
		add_commit(t, list, &list->items[i], json_object_array_get_idx(commits, i));
	gs_table_print_within(t, gs_cli_terminal_columns());
}

static struct json_object *commits_to_json(const struct gs_journal_list *list, struct json_object *commits, size_t max)
{
	struct json_object *o = json_object_new_object(), *array = json_object_new_array();

	gs_json_add_string(o, "schema", "gpuslice.history/1");
	for (size_t i = 0; i < list->n && i < max; i++) {
		struct json_object *c = json_object_get(json_object_array_get_idx(commits, i));
		uint64_t undone_by = gs_journal_undone_by(list, &list->items[i]);

		if (!json_object_object_get_ex(c, "damage", NULL))
			gs_json_add_u64(c, "undone_by", undone_by ? GS_U64(undone_by) : GS_U64_UNKNOWN);
		json_object_array_add(array, c);
	}
	json_object_object_add(o, "commits", array);
	return o;
}

static int show_all(struct gs_cli *cli, struct gs_session *s, uint32_t max)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *list = NULL;
	GS_JSON struct json_object *commits = NULL;
	struct gs_error e = { 0 };

	/* all of them, whatever is shown: what one belongs to may be an older one */
	if (gs_session_journal(s, MAX_MOST, GS_CLI_PAST_TIMEOUT_MS, &commits, &e) < 0 || gs_journal_list_from_json(commits, &list, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (cli->json)
		return gs_cli_print_json(commits_to_json(list, commits, max));
	print_commits(list, commits, max);
	return GS_STATUS_OK;
}

/* ---------------------------------------------------------------- one: who and why */

static const char *text_of(struct json_object *o, const char *key)
{
	const char *s = NULL;

	return gs_json_get_string(o, key, &s, NULL) == 0 ? s : NULL;
}

/* What was confirmed, and what it was told about. */
static void print_findings(struct json_object *begin)
{
	struct json_object *plan = NULL, *list = NULL;

	if (gs_json_get_object(begin, "plan", &plan, NULL) < 0 || !plan || gs_json_get_array(plan, "findings", &list, NULL) < 0 || !list)
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *f = json_object_array_get_idx(list, i);
		const char *severity = text_of(f, "severity"), *text = text_of(f, "text");
		GS_FREE char *clean = text ? strdup(text) : NULL;

		if (!clean || !severity)
			continue;
		gs_text_sanitize(clean);
		printf("%-10s", strcmp(severity, "confirm") == 0 ? "confirmed" : "noted");
		gs_cli_print_wrapped(clean, TEXT_COLUMN, TEXT_COLUMN);
	}
}

static void print_head(const struct gs_journal_file *f, const char *boot_id)
{
	const struct gs_journal_commit *c = &f->commit;
	char when[GS_WALL_TEXT], summary[256], way[48], bdf[GS_BDF_TEXT], uid[24] = "unknown";

	if (c->author.uid.known)
		snprintf(uid, sizeof(uid), "%" PRIu32, c->author.uid.value);
	printf("commit %" PRIu64 ": %s\n", c->id, gs_journal_summary(c, summary, sizeof(summary)));
	printf("who       %s (uid %s%s%s)\n", c->author.user ? c->author.user : "somebody", uid, c->author.ssh_client ? ", from " : "",
	       c->author.ssh_client ? c->author.ssh_client : "");
	printf("why       %s\n", c->author.message ? c->author.message : "-");
	printf("way       %s%s%s\n", gs_journal_way_text(c->way, c->of, way, sizeof(way)), c->author.command ? ": " : "", c->author.command ? c->author.command : "");
	printf("begun     %s\n", gs_wall_format_iso(c->begun, when, sizeof(when)));
	if (c->state != GS_JOURNAL_IS_OPEN)
		printf("ended     %s\n", gs_wall_format_iso(c->ended, when, sizeof(when)));
	if (f->part_of)
		printf("part      of commit %" PRIu64 ", which it finished and with which it is undone\n", f->part_of);
	if (f->undone_by)
		printf("undone    by commit %" PRIu64 "\n", f->undone_by);
	for (size_t i = 0; i < c->n_gpus; i++)
		printf("GPU       %" PRIu32 " (%s)\n", c->gpus[i].gpu, gs_bdf_format(c->gpus[i].bdf, bdf));
	if (!c->boot_id[0] || strcmp(c->boot_id, boot_id) != 0)
		printf("boot      the machine has been started again since\n");
	print_findings(f->begin);
}

/* ---------------------------------------------------------------- one: its steps */

/* A step as it was tried: what was written of it, each NULL where it was not. */
struct attempt {
	const struct gs_journal_record *intent, *result, *verdict;
};

static bool is_of(const struct attempt *a, const struct gs_journal_record *r)
{
	const struct gs_journal_record *one = a->intent ? a->intent : a->result ? a->result : a->verdict;

	return one && one->n == r->n && one->is_undo == r->is_undo && !a->verdict && (r->kind != GS_JOURNAL_INTENT) && !(r->kind == GS_JOURNAL_RESULT && a->result);
}

static void add_time(struct gs_table *t, const struct gs_journal_record *r, const struct gs_journal_record *from)
{
	char when[GS_WALL_TEXT];

	if (r && from && r != from)
		gs_table_addf(t, "%+" PRId64 " ms", r->at.ms - from->at.ms);
	else
		gs_table_add(t, r ? gs_wall_format_iso(r->at, when, sizeof(when)) : NULL);
}

static void add_attempt(struct gs_table *t, const struct attempt *a)
{
	const struct gs_journal_record *one = a->intent ? a->intent : a->result ? a->result : a->verdict;
	const struct gs_journal_record *said = a->verdict && a->verdict->text ? a->verdict : a->result;
	char bdf[GS_BDF_TEXT];

	gs_table_addf(t, "%" PRIu32, one->n);
	if (one->kind == GS_JOURNAL_INTENT && one->text)
		gs_table_add(t, one->text);
	else
		gs_table_addf(t, "%s on %s", gs_step_op_name(one->op), gs_bdf_format(one->bdf, bdf));
	add_time(t, a->intent, NULL);
	add_time(t, a->result, a->intent);
	add_time(t, a->verdict, a->result ? a->result : a->intent);
	gs_table_add(t, a->verdict ? gs_journal_kind_name(a->verdict->kind) : "?");
	gs_table_note(t, said ? said->text : NULL);
}

/* From record @at on, up to the next undo or the end, as a table; where it ended. */
static size_t print_attempts(const struct gs_journal_file *f, size_t at)
{
	static const char *const heads[] = { "STEP", "WHAT", "BEGUN", "ANSWERED", "READ BACK", "CAME TO" };
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(GS_ARRAY_SIZE(heads));
	struct attempt a = { 0 };
	bool has_any = false;

	for (size_t i = 0; t && i < GS_ARRAY_SIZE(heads); i++)
		gs_table_add(t, heads[i]);
	for (; at < f->n_records && f->records[at].kind != GS_JOURNAL_UNDO; at++) {
		const struct gs_journal_record *r = &f->records[at];

		if (!t || !r->n)
			continue;
		if (!is_of(&a, r)) {
			if (has_any)
				add_attempt(t, &a);
			a = (struct attempt){ 0 };
			has_any = true;
		}
		if (r->kind == GS_JOURNAL_INTENT)
			a.intent = r;
		else if (r->kind == GS_JOURNAL_RESULT)
			a.result = r;
		else
			a.verdict = r;
	}
	if (!has_any)
		return at;
	add_attempt(t, &a);
	gs_table_print(t);
	return at;
}

/* The steps, then those that took them back; there may have been several tries of that. */
static void print_steps(const struct gs_journal_file *f)
{
	for (size_t at = print_attempts(f, 0); at < f->n_records; at = print_attempts(f, at + 1)) {
		const struct gs_journal_record *r = &f->records[at];
		/* why is mostly what the step before it failed of, and has been said */
		bool is_said = at && gs_str_equal(f->records[at - 1].text, r->text);

		int column = printf("taken back in %" PRIu32 " step%s%s", r->n_steps, r->n_steps == 1 ? "" : "s", !is_said && r->text ? ", because:" : "");

		gs_cli_print_wrapped(!is_said && r->text ? r->text : "", column, NOTE_INDENT);
	}
}

/* Steps that were not come to. */
static void print_rest(const struct gs_journal_file *f)
{
	struct json_object *steps = NULL;
	uint32_t last = 0;

	for (size_t i = 0; i < f->n_records; i++)
		if (f->records[i].n > last && !f->records[i].is_undo)
			last = f->records[i].n;
	if (gs_json_get_array(f->begin, "steps", &steps, NULL) < 0 || !steps)
		return;
	for (size_t i = last; i < json_object_array_length(steps); i++) {
		const char *text = text_of(json_object_array_get_idx(steps, i), "text");
		GS_FREE char *clean = strdup(text ? text : "?");

		if (!clean)
			return;
		gs_text_sanitize(clean);
		printf("not begun: step %zu, %s\n", i + 1, clean);
	}
}

static void print_outcome(const struct gs_journal_file *f)
{
	const struct gs_journal_commit *c = &f->commit;
	int column;

	for (size_t i = 0; i < f->n_records; i++) {
		const struct gs_journal_record *r = &f->records[i];

		if (r->kind != GS_JOURNAL_END && r->kind != GS_JOURNAL_CLOSED)
			continue;
		if (r->kind == GS_JOURNAL_END)
			column = printf("end with status %" PRIu32 ":", r->status.value);
		else
			column = printf("closed:");
		gs_cli_print_wrapped(r->text ? r->text : "-", column, NOTE_INDENT);
	}
	for (size_t i = 0; i < c->n_units; i++)
		printf("unit %s is stopped by it\n", c->units[i]);
	if (f->damage[0])
		printf("damaged: %s\n", f->damage);
}

static int show_one(struct gs_cli *cli, struct gs_session *s, uint64_t id)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_FREE char *boot_id = NULL;
	struct gs_error e = { 0 };

	if (gs_session_journal_file(s, id, GS_CLI_PAST_TIMEOUT_MS, &f, &boot_id, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (cli->json)
		return gs_cli_print_json(gs_journal_to_json(f));
	print_head(f, boot_id);
	putchar('\n');
	print_steps(f);
	print_rest(f);
	print_outcome(f);
	return GS_STATUS_OK;
}

/* ---------------------------------------------------------------- the command */

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	struct history_options o = { MAX_DEFAULT };
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };
	uint64_t id = 0;
	int first, status;

	if (gs_cli_parse(cli, &gs_command_history, argc, argv, take, &o, &first, &status))
		return status;
	if (argc != first && (argc - first != 2 || strcmp(argv[first], "show") != 0))
		return gs_cli_misuse(cli, &gs_command_history, "history takes nothing, or «show ID»");
	if (argc != first && gs_cli_past_id(argv[first + 1], &id, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (gs_cli_connect(cli, &how, &session, &e) < 0)
		return gs_cli_fail(cli, &e);
	return id ? show_one(cli, session, id) : show_all(cli, session, o.max);
}

static const struct gs_cli_option options[] = {
	{ "max", "N", "the newest N commits (50)" },
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_history = {
	.name = "history",
	.arguments = "[show ID]",
	.summary = "who changed what and why, and what came of it",
	.details = "Without arguments a line for each commit, the newest first, with why (--message), cut to the width of a\n"
		   "terminal, and which commit took it back. With show ID all of one: who, why, what was\n"
		   "confirmed, and each step with when it was begun, when and what the kernel or the driver answered, and what\n"
		   "reading it back came to. Times are UTC. The journal is root's; it keeps the last 200 commits, and open ones.",
	.options = options,
	.run = run,
};
