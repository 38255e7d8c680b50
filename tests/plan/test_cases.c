/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Golden triples: a machine, what is asked, the plan. One file per case in
 * tests/plan/cases, in three parts:
 *
 *	model: h100-sxm5-80gb
 *	before: mig 3g.40gb@4 1g.10gb@0* | whole      (tests/lib/testhost.h)
 *	disrupt: pid:4000                             (optional)
 *	services: nvidia-persistenced.service         (optional: units that may be stopped)
 *	--- script
 *	create 0 2g.20gb at 0
 *	--- plan
 *	…
 *
 * A machine of another family is named instead by one line «machine: l40s vfs=32»
 * (tests/lib/famhost.h). Its plan is carried out as well: what the machine is
 * after, and how many steps the same request has then.
 *
 * GENERATE=1 rewrites the last part; read the difference before committing it.
 */
#include "tests/lib/cmocka.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "codec/plan_json.h"
#include "codec/request.h"
#include "tests/lib/famhost.h"
#include "tests/lib/testhost.h"

#define DIRECTORY "tests/plan/cases"

/* "key: value" of the first part, or "" */
static void header_value(const char *text, const char *key, char *ret, size_t size)
{
	const char *line = text;

	ret[0] = '\0';
	while (line && strncmp(line, "--- ", 4) != 0) {
		size_t n = strlen(key);

		if (strncmp(line, key, n) == 0 && line[n] == ':') {
			line += n + 1 + strspn(line + n + 1, " ");
			snprintf(ret, size, "%.*s", (int)strcspn(line, "\n"), line);
			return;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
}

static void add_disrupts(struct gs_request *q, const char *words)
{
	while (*words) {
		char word[64];
		size_t n = strcspn(words, " ");
		struct gs_error e;

		assert_true(n < sizeof(word));
		memcpy(word, words, n);
		word[n] = '\0';
		assert_int_equal(gs_request_add_disrupt(q, word, &e), 0);
		words += n + strspn(words + n, " ");
	}
}

#define SERVICES_MAX 4

/* One request, planned on whatever the machine is. */
struct request {
	const struct gs_request *q;
	struct gs_service services[SERVICES_MAX];
	size_t n_services;
	char names[256];
};

static void read_services(struct request *r, const char *head)
{
	char *save = NULL;

	header_value(head, "services", r->names, sizeof(r->names));
	for (char *word = strtok_r(r->names, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(r->n_services < SERVICES_MAX);
		r->services[r->n_services++] = (struct gs_service){ word, "its work waits" };
	}
}

static int plan_on(const struct request *r, const struct gs_snapshot *s, struct gs_plan **ret_plan, struct gs_error *e)
{
	const struct gs_plan_options options = { .disrupt = r->q->disrupt, .n_disrupt = r->q->n_disrupt, .allow_reset = r->q->allow_reset, .services = r->services, .n_services = r->n_services };

	return r->n_services ? gs_testhost_plan(s, r->q->text, &options, ret_plan, e) : gs_request_plan(r->q, s, ret_plan, e);
}

/* The plan carried out on a machine that knows nothing of plans, and planned again. */
static void add_outcome(const struct request *r, struct fam_host *h, const struct gs_plan *plan, struct gs_strbuf *out)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *again = NULL;
	GS_FREE char *text = NULL;
	struct gs_error e = { 0 };

	for (size_t i = 0; i < plan->n_steps; i++) {
		int done = fam_host_step(h, &plan->steps[i]);

		if (done < 0)
			gs_strbuf_printf(out, "REFUSED step %u: %s\n", plan->steps[i].n, strerror(-done));
	}
	s = fam_host_look(h);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].op == GS_STEP_SET_SETTING && gs_step_check(&plan->steps[i], s, &e) == -EINPROGRESS)
			gs_strbuf_printf(out, "pending step %u\n", plan->steps[i].n);
	text = fam_host_text(h);
	gs_strbuf_printf(out, "after %s\n", text);
	if (h->wiped)
		gs_strbuf_printf(out, "WIPED %u\n", h->wiped);
	if (plan_on(r, s, &again, &e) < 0)
		gs_strbuf_printf(out, "again error %d\n", (int)e.status);
	else
		gs_strbuf_printf(out, "again %zu steps\n", again->n_steps);
}

static const char *place_of_claim(const struct gs_claim *c, char *buf, size_t size)
{
	if (c->place)
		snprintf(buf, size, "%s on %s", c->profile, c->place);
	else
		snprintf(buf, size, "%s@%u", c->profile, c->start);
	return buf;
}

/* What a case gives: the printed plan, or the error. */
static void plan_text(const char *head, const char *script, size_t n_script, struct gs_strbuf *out)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *q = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	char model[64], before[1024], machine[1024], disrupt[256], allow[64], text[1400];
	struct request r = { .n_services = 0 };
	struct gs_error e = { 0 };
	struct fam_host h;

	header_value(head, "model", model, sizeof(model));
	header_value(head, "before", before, sizeof(before));
	header_value(head, "machine", machine, sizeof(machine));
	header_value(head, "disrupt", disrupt, sizeof(disrupt));
	header_value(head, "allow", allow, sizeof(allow));
	if (machine[0]) {
		fam_host_parse(&h, machine);
		s = fam_host_look(&h);
	} else {
		s = gs_testhost(model, before);
	}
	assert_int_equal(gs_request_new(script, n_script, "script", GS_CONTEXT_FILE, &q, &e), 0);
	add_disrupts(q, disrupt);
	q->allow_reset = strcmp(allow, "reset") == 0;
	read_services(&r, head);
	r.q = q;
	if (plan_on(&r, s, &plan, &e) < 0) {
		gs_strbuf_printf(out, "error %d: %s\n", (int)e.status, gs_error_format(&e, text, sizeof(text)));
		return;
	}
	gs_plan_print(plan, out);
	for (size_t i = 0; i < plan->n_claims; i++)
		gs_strbuf_printf(out, "claimed GPU %u %s\n", plan->claims[i].gpu, place_of_claim(&plan->claims[i], text, sizeof(text)));
	gs_strbuf_printf(out, "status %d\n", (int)gs_plan_status(plan));
	if (machine[0] && !gs_plan_is_blocked(plan))
		add_outcome(&r, &h, plan, out);
}

static void run_case(const char *name)
{
	GS_STRBUF struct gs_strbuf got = GS_STRBUF_INIT, whole = GS_STRBUF_INIT;
	GS_FREE char *text = NULL;
	const char *script, *plan;
	struct gs_error e = { 0 };
	char path[512];
	size_t n;

	snprintf(path, sizeof(path), DIRECTORY "/%s", name);
	assert_int_equal(gs_file_read(path, 1 << 20, &text, &n, &e), 0);
	script = strstr(text, "--- script\n");
	assert_non_null(script);
	script += strlen("--- script\n");
	plan = strstr(script, "--- plan\n");
	assert_non_null(plan);
	plan_text(text, script, (size_t)(plan - script), &got);
	plan += strlen("--- plan\n");
	assert_non_null(got.text);
	if (strcmp(got.text, plan) == 0)
		return;
	if (getenv("GENERATE")) {
		gs_strbuf_add(&whole, text, (size_t)(plan - text));
		gs_strbuf_puts(&whole, got.text);
		assert_int_equal(gs_file_replace(path, whole.text, whole.length, 0, &e), 0);
		return;
	}
	fail_msg("%s: the plan is now\n%s\nand should be\n%s", name, got.text, plan);
}

static void a_case(void **state)
{
	run_case(*state);
}

static int is_case(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && strcmp(dot, ".txt") == 0;
}

int main(void)
{
	struct dirent **names;
	struct CMUnitTest *tests;
	int n = scandir(DIRECTORY, &names, is_case, alphasort), failed;

	if (n <= 0) {
		fprintf(stderr, "no cases in " DIRECTORY "\n");
		return 1;
	}
	tests = calloc((size_t)n, sizeof(*tests));
	for (int i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){ names[i]->d_name, a_case, NULL, NULL, names[i]->d_name };
	/* the macro counts an array; the function takes the number */
	failed = _cmocka_run_group_tests("plan cases", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	free(tests);
	return failed;
}
