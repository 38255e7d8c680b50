/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/saved.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/drift_json.h"
#include "codec/layout_text.h"
#include "core/reboot.h"

#define TIMEOUT_MS 60000
/* More commits than that do not lie between a saving and a question about it. */
#define COMMITS_MAX 200

void gs_cli_saved_done(struct gs_cli_saved *s)
{
	gs_drift_free(s->drift);
	gs_layout_free(s->layout);
	gs_arena_free(s->arena);
	json_object_put(s->commits);
	gs_session_saved_done(&s->saved);
}

int gs_cli_saved_load(struct gs_session *session, struct gs_cli_saved *ret_saved, struct gs_error *e)
{
	GS_CLI_SAVED struct gs_cli_saved s = { 0 };
	int r = gs_session_saved(session, TIMEOUT_MS, &s.saved, e);

	if (r < 0)
		return r;
	if (!s.saved.text)
		return gs_error_set(e, -ENOENT, GS_STATUS_INVALID, "nothing is saved: there is no %s (gpuslice save)", s.saved.path);
	r = gs_layout_parse(s.saved.text, strlen(s.saved.text), s.saved.path, &s.layout, e);
	if (r < 0)
		return r;
	*ret_saved = s;
	memset(&s, 0, sizeof(s));
	return 0;
}

int gs_cli_saved_compare(struct gs_cli_saved *saved, struct gs_session *session, const struct gs_snapshot *s, struct gs_error *e)
{
	struct gs_drift_facts facts = { saved->saved.boot_id, saved->saved.current_boot_id, saved->saved.saved_at_ms, NULL, 0, true };
	struct gs_drift_commit *commits = NULL;

	saved->arena = gs_arena_new();
	if (!saved->arena)
		return gs_error_oom(e);
	/* without the journal fewer causes are known, that is all */
	if (gs_session_hello(session)->privileged && gs_session_journal(session, COMMITS_MAX, TIMEOUT_MS, &saved->commits, NULL) == 0) {
		facts.journal_is_hidden = false;
		if (gs_drift_commits_from_json(saved->commits, saved->arena, &commits, &facts.n_commits) < 0)
			return gs_error_oom(e);
	}
	facts.commits = commits;
	return gs_drift_build(saved->layout, s, &facts, &saved->drift, e);
}

static void print_label(const struct gs_drift_gpu *g)
{
	char label[96];

	if (g->gpu)
		printf("%s", gs_gpu_label(g->gpu, label, sizeof(label)));
	else
		printf("no GPU");
}

static void print_drift(const struct gs_drift *d, const char *path)
{
	for (size_t i = 0; i < d->n_gpus; i++) {
		const struct gs_drift_gpu *g = &d->gpus[i];

		if (g->state == GS_DRIFT_SAME || g->state == GS_DRIFT_NOT_SAVED)
			continue;
		for (size_t k = 0; k < g->n_differences; k++) {
			print_label(g);
			printf(": %s\n", g->differences[k]);
		}
		if (g->cause)
			printf("    %s\n", g->cause);
	}
	for (size_t i = 0; i < d->n_gpus; i++) {
		if (d->gpus[i].state != GS_DRIFT_NOT_SAVED)
			continue;
		print_label(&d->gpus[i]);
		printf(": nothing is saved of it in %s\n", path);
	}
}

int gs_cli_assert_saved(struct gs_cli *cli, struct gs_session *session, const struct gs_snapshot *s)
{
	GS_CLI_SAVED struct gs_cli_saved saved = { 0 };
	struct gs_error e = { 0 };
	enum gs_status status;

	if (gs_cli_saved_load(session, &saved, &e) < 0 || gs_cli_saved_compare(&saved, session, s, &e) < 0)
		return gs_cli_fail(cli, &e);
	status = gs_drift_status(saved.drift);
	if (cli->json) {
		int r = gs_cli_print_json(gs_drift_to_json(saved.drift, saved.saved.path, saved.saved.saved_at_ms));

		return r ? r : (int)status;
	}
	if (status == GS_STATUS_OK)
		printf("as saved in %s\n", saved.saved.path);
	print_drift(saved.drift, saved.saved.path);
	return (int)status;
}

/* "GPU 2, 3" of those that are in that state and would lose something. */
static size_t list_gpus(const struct gs_snapshot *s, enum gs_saved_state state, struct gs_strbuf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		if (gpu->saved == state && (state == GS_SAVED_DIFFERS || gs_reboot_would_lose(gpu)))
			gs_strbuf_printf(b, "%s%" PRIu32, n++ ? ", " : "GPU ", gpu->index);
	}
	return n;
}

/* More of one GPU make no line that is read. */
#define LINE_DIFFERENCES_MAX 3

static void print_differences(struct gs_session *session, const struct gs_snapshot *s)
{
	GS_CLI_SAVED struct gs_cli_saved saved = { 0 };

	if (gs_cli_saved_load(session, &saved, NULL) < 0 || gs_cli_saved_compare(&saved, session, s, NULL) < 0)
		return;
	for (size_t i = 0; i < saved.drift->n_gpus; i++) {
		const struct gs_drift_gpu *g = &saved.drift->gpus[i];

		if (g->state != GS_DRIFT_DIFFERS && g->state != GS_DRIFT_MISSING)
			continue;
		printf("DRIFT: ");
		if (g->gpu)
			printf("GPU %" PRIu32 ": ", g->gpu->index);
		for (size_t k = 0; k < g->n_differences && g->n_differences <= LINE_DIFFERENCES_MAX; k++)
			printf("%s%s", k ? "; " : "", g->differences[k]);
		if (g->n_differences > LINE_DIFFERENCES_MAX)
			printf("%zu differences, which gpuslice assert tells", g->n_differences);
		printf("%s%s%s\n", g->cause ? " (" : "", g->cause ? g->cause : "", g->cause ? ")" : "");
	}
}

void gs_cli_print_saved_line(struct gs_session *session, const struct gs_snapshot *s)
{
	const struct gs_saved_fact *fact = gs_snapshot_saved(s);
	const char *obstacle = gs_saved_obstacle(fact);
	GS_STRBUF struct gs_strbuf unsaved = GS_STRBUF_INIT, unknown = GS_STRBUF_INIT;
	size_t same = 0, n_unsaved;

	if (fact->state == GS_SAVED_UNKNOWN || !gs_snapshot_n_gpus(s))
		return;
	n_unsaved = list_gpus(s, GS_SAVED_NONE, &unsaved);
	if (fact->state == GS_SAVED_NONE) {
		if (n_unsaved)
			printf("\nUNSAVED: nothing puts %s back at boot (gpuslice save)\n", unsaved.text);
		return;
	}
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		same += gs_snapshot_gpu(s, i)->saved == GS_SAVED_SAME;
	printf("\n");
	print_differences(session, s);
	if (n_unsaved)
		printf("UNSAVED: %s: not in %s (gpuslice save)\n", unsaved.text, fact->path);
	if (list_gpus(s, GS_SAVED_UNKNOWN, &unknown))
		printf("saved: %s: whether as saved cannot be told\n", unknown.text);
	if (same)
		printf("saved: %zu GPU%s as %s%s%s\n", same, same == 1 ? "" : "s", fact->path, obstacle ? ", but " : "", obstacle ? obstacle : "");
}
