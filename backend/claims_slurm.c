/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims_slurm.c - GPUs that Slurm has given to jobs. `scontrol show node -d -o`
 * has "GresUsed=gpu:h100:2(IDX:0-1)" for all of them together, and `scontrol
 * show job -d -o` "Nodes=… GRES=gpu:h100:2(IDX:0-1)" for each job and group of
 * nodes, which is long and may be cut: the first says which, the second whose.
 * IDX counts the device files of the node (gres.conf lists /dev/nvidiaN in
 * order). A job's name is its user's: it can make a line say more than is true,
 * but never less.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/claims_private.h"
#include "base/parse.h"

#define OUTPUT_BYTES_MAX (8u << 20)
#define INDEX_MAX 1024

/* ---------------------------------------------------------------- node lists */

/* Digits of a range's end, at most nine: any node number. */
static bool take_number(const char **at, uint32_t *ret_value, size_t *ret_width)
{
	char digits[10];
	size_t n = strspn(*at, "0123456789");

	if (!n || n >= sizeof(digits))
		return false;
	memcpy(digits, *at, n);
	digits[n] = '\0';
	*at += n;
	*ret_width = n;
	return gs_parse_u32(digits, 10, ret_value) == 0;
}

static bool match_one(const char *list, const char *end, const char *host);

/* "[01-04,07]rest" against "03rest": a number as wide as the range's beginning. */
static bool match_brackets(const char *list, const char *end, const char *host)
{
	const char *close = memchr(list, ']', (size_t)(end - list));
	const char *p = list + 1;

	while (close && p < close) {
		uint32_t first, last, number;
		size_t width, any, n = strspn(host, "0123456789");
		const char *digits = host;

		if (!take_number(&p, &first, &width))
			return false;
		last = first;
		if (*p == '-') {
			p++;
			if (!take_number(&p, &last, &any))
				return false;
		}
		if (n >= width && take_number(&digits, &number, &any) && number >= first && number <= last && (any == width || host[0] != '0') &&
		    match_one(close + 1, end, digits))
			return true;
		if (*p != ',')
			break;
		p++;
	}
	return false;
}

/* One element of a list up to @end; of brackets there may be several. */
static bool match_one(const char *list, const char *end, const char *host)
{
	while (list < end && *list != '[') {
		if (*list++ != *host++)
			return false;
	}
	return list == end ? !*host : match_brackets(list, end, host);
}

bool gs_claims_slurm_has_host(const char *list, const char *host)
{
	while (*list) {
		const char *end = list;
		bool is_inside = false;

		for (; *end && (*end != ',' || is_inside); end++)
			is_inside = *end == '[' || (is_inside && *end != ']');
		if (end != list && match_one(list, end, host))
			return true;
		list = *end ? end + 1 : end;
	}
	return false;
}

/* ---------------------------------------------------------------- what was given */

/* "0-1,4" of (IDX:0-1,4): one claim for each. False when it is not of this form. */
static bool add_indices(struct gs_claim_list *list, const struct gs_claim *claim, const char *text, const char *end, int *ret_result)
{
	struct gs_claim one = *claim;

	one.to = GS_CLAIM_TO_MINOR;
	while (text < end) {
		uint32_t first, last;
		size_t width;

		if (!take_number(&text, &first, &width))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &last, &width))
				return false;
		}
		if (last < first || last >= INDEX_MAX)
			return false;
		for (uint32_t i = first; i <= last && *ret_result == 0; i++) {
			one.number = i;
			*ret_result = gs_claim_list_add(list, &one);
		}
		if (text < end && *text++ != ',')
			return false;
	}
	return true;
}

static bool is_gpu(const char *gres, size_t n)
{
	static const char *const names[] = { "gpu", "mps", "shard" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		size_t length = strlen(names[i]);

		if (n >= length && memcmp(gres, names[i], length) == 0 && (n == length || gres[length] == ':' || gres[length] == '('))
			return true;
	}
	return false;
}

/* "gpu:h100:2(IDX:0-1)" */
static int add_gres(struct gs_claim_list *list, struct gs_claim *claim, const char *gres, const char *end)
{
	static const char indices[] = "(IDX:";
	size_t n = (size_t)(end - gres);
	const char *idx = memmem(gres, n, indices, strlen(indices));
	const char *close = idx ? memchr(idx, ')', (size_t)(end - idx)) : NULL;
	size_t before = list->n;
	int r = 0;

	/* none on this node */
	if (!is_gpu(gres, n) || memmem(gres, n, "(IDX:N/A)", strlen("(IDX:N/A)")))
		return 0;
	snprintf(claim->evidence, sizeof(claim->evidence), "scontrol: %.*s", (int)(n < 100 ? n : 100), gres);
	/* "1g.10gb": the index is of a MIG instance then, in an order that is not told */
	if (memmem(gres, n, "g.", 2)) {
		claim->to = GS_CLAIM_TO_MIG;
		return gs_claim_list_add(list, claim);
	}
	if (close && add_indices(list, claim, idx + strlen(indices), close, &r))
		return r;
	/* which of them is not told: none is free of it */
	list->n = before;
	claim->to = GS_CLAIM_TO_ANY;
	return r < 0 ? r : gs_claim_list_add(list, claim);
}

/* The value of "GRES=": elements between commas that are in no parentheses. */
static int add_gres_list(struct gs_claim_list *list, struct gs_claim *claim, const char *text, const char *end)
{
	int r = 0;

	while (text < end && r == 0) {
		const char *stop = text;
		bool is_inside = false;

		for (; stop < end && (*stop != ',' || is_inside); stop++)
			is_inside = *stop == '(' || (is_inside && *stop != ')');
		r = add_gres(list, claim, text, stop);
		text = stop < end ? stop + 1 : stop;
	}
	return r;
}

/* "Key=value" up to the next blank: the value, or NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t n = strlen(key);

	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool holds_resources(const char *state, size_t n)
{
	static const char *const states[] = { "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STAGE_OUT", "SIGNALING", "STOPPED", "RESIZING" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(states); i++)
		if (n == strlen(states[i]) && memcmp(state, states[i], n) == 0)
			return true;
	return false;
}

static bool is_word(const char *word, const char *end, const char *key, const char **ret_value)
{
	*ret_value = word < end ? value_of(word, key) : NULL;
	return *ret_value;
}

static bool is_active(const char *line, const char *end)
{
	for (const char *word = line; word < end; word += strcspn(word, " \n") + 1) {
		const char *value;

		if (is_word(word, end, "JobState", &value) && holds_resources(value, strcspn(value, " \n")))
			return true;
	}
	return false;
}

static bool has_host(const char *value, const char *host)
{
	char nodes[4096];
	size_t n = strcspn(value, " \n");

	/* a list that is cut could be missing this very host */
	if (n >= sizeof(nodes))
		return true;
	memcpy(nodes, value, n);
	nodes[n] = '\0';
	return gs_claims_slurm_has_host(nodes, host);
}

static int parse_line(const char *line, const char *end, const char *host, struct gs_claim_list *list)
{
	struct gs_claim claim = { 0 };
	bool is_here = false;
	const char *value;
	size_t n;
	int r = 0;

	if (!is_word(line, end, "JobId", &value) || !is_active(line, end))
		return 0;
	n = strspn(value, "0123456789_");
	snprintf(claim.name, sizeof(claim.name), "slurm job %.*s", (int)(n < 32 ? n : 32), value);
	snprintf(claim.same_as, sizeof(claim.same_as), "slurm job %.*s (", (int)(n < 32 ? n : 32), value);
	for (const char *word = line; word < end && r == 0; word += strcspn(word, " \n") + 1) {
		if (is_word(word, end, "Nodes", &value))
			is_here = has_host(value, host);
		else if (is_here && is_word(word, end, "GRES", &value))
			r = add_gres_list(list, &claim, value, value + strcspn(value, " \n"));
	}
	return r;
}

int gs_claims_slurm_parse(const char *text, const char *host, struct gs_claim_list *list)
{
	int r = 0;

	while (*text && r == 0) {
		const char *end = text + strcspn(text, "\n");

		r = parse_line(text, end, host, list);
		text = *end ? end + 1 : end;
	}
	return r;
}

int gs_claims_slurm_parse_node(const char *text, struct gs_claim_list *list)
{
	const char *end = text + strlen(text);
	struct gs_claim claim = { .name = "slurm job", .same_as = "slurm job " };
	const char *value;
	int r = 0;

	for (const char *word = text; word < end && r == 0; word += strcspn(word, " \n") + 1)
		if (is_word(word, end, "GresUsed", &value))
			r = add_gres_list(list, &claim, value, value + strcspn(value, " \n"));
	return r;
}

/* ---------------------------------------------------------------- the source */

static bool has_same(const struct gs_claim_list *list, size_t n, const struct gs_claim *claim)
{
	for (size_t i = 0; i < n; i++)
		if (list->items[i].to == claim->to && (claim->to != GS_CLAIM_TO_MINOR || list->items[i].number == claim->number))
			return true;
	return false;
}

/* What the node has given out and no job that was listed has. */
static int add_unnamed(struct gs_claim_list *list, const struct gs_claim_list *used)
{
	size_t n = list->n;
	int r = 0;

	for (size_t i = 0; i < used->n && r == 0; i++)
		if (!has_same(list, n, &used->items[i]))
			r = gs_claim_list_add(list, &used->items[i]);
	return r;
}

static int ask(struct gs_claim_reader *r, const char *const *argv, char **ret_text)
{
	struct gs_error e = { 0 };
	size_t n = 0;
	int result = r->ops->run(r->ops->userdata, argv, OUTPUT_BYTES_MAX, ret_text, &n, &e);

	if (result == -ENOENT)
		gs_claims_absent(r, "scontrol is not installed");
	else if (result < 0)
		gs_claims_absent(r, "%.180s", e.text[0] ? e.text : strerror(-result));
	return result;
}

static int read_jobs(struct gs_claim_reader *r, const char *host)
{
	const char *const show_node[] = { "scontrol", "show", "node", "-d", "-o", host, NULL };
	static const char *const show_jobs[] = { "scontrol", "show", "job", "-d", "-o", NULL };
	GS_FREE char *node = NULL, *jobs = NULL;
	struct gs_claim_list used = { 0 };
	int result = ask(r, show_node, &node);

	/* said already */
	if (result < 0)
		return result == -ENOMEM ? result : 0;
	result = gs_claims_slurm_parse_node(node, &used);
	if (result == 0 && used.n) {
		/* without names they are given out all the same */
		if (ask(r, show_jobs, &jobs) == 0)
			result = gs_claims_slurm_parse(jobs, host, r->list);
		if (result == 0)
			result = add_unnamed(r->list, &used);
	}
	free(used.items);
	gs_claims_present(r, "what node %.60s has given to jobs", host);
	return result;
}

static int read_slurm(struct gs_claim_reader *r)
{
	static const char *const configurations[] = { "etc/slurm/slurm.conf", "etc/slurm-llnl/slurm.conf", "run/slurm/conf/slurm.conf" };
	bool is_there = false;
	char host[128];

	for (size_t i = 0; i < GS_ARRAY_SIZE(configurations); i++)
		is_there = is_there || gs_root_exists(r->root, "%s", configurations[i]);
	if (!is_there || !r->ops || !r->ops->run) {
		gs_claims_absent(r, is_there ? "scontrol cannot be run on this machine" : "there is no slurm.conf");
		return 0;
	}
	/* node names are short ones */
	snprintf(host, sizeof(host), "%s", r->host);
	host[strcspn(host, ".")] = '\0';
	if (!host[0] || host[0] == '-') {
		gs_claims_absent(r, "this host has no name to ask for");
		return 0;
	}
	return read_jobs(r, host);
}

const struct gs_claim_source gs_claims_slurm = { "slurm", NULL, read_slurm };
