/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/expect.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/calls.h"
#include "base/parse.h"

#define WORDS_MAX 3
#define NVML_CODE_MAX 999
#define EXIT_MAX 255

static const char write_word[] = "write", program_word[] = "program";

/* ------------------------------------------------------------ what comes */

static const char *path_of(const struct gs_sim_fault_event *event)
{
	return event->other_name ? event->other_name : event->name;
}

static const char *describe(const struct gs_sim_fault_event *event, char *buf, size_t size)
{
	const char *slash = strrchr(path_of(event), '/');

	switch (event->target) {
	case GS_SIM_ON_WRITE:
		snprintf(buf, size, "%s %s", write_word, slash ? slash + 1 : path_of(event));
		break;
	case GS_SIM_ON_PROGRAM:
		snprintf(buf, size, "%s %s", program_word, event->name);
		break;
	default:
		snprintf(buf, size, "%s", event->name);
	}
	/* it goes into the state's file */
	gs_text_sanitize(buf);
	return buf;
}

static bool path_matches(const char *pattern, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!strchr(pattern, '/'))
		return fnmatch(pattern, slash ? slash + 1 : path, 0) == 0;
	return fnmatch(pattern[0] == '/' ? pattern + 1 : pattern, path, 0) == 0;
}

static bool matches(const struct gs_sim_expected *x, const struct gs_sim_fault_event *event)
{
	if (x->target != event->target)
		return false;
	if (x->target != GS_SIM_ON_WRITE)
		return gs_str_equal(x->name, event->name);
	return path_matches(x->name, event->name) || path_matches(x->name, path_of(event));
}

/* Every call that writes; of files and programs those that are in the list. */
static bool is_watched(const struct gs_sim_state *s, const struct gs_sim_fault_event *event)
{
	if (event->target == GS_SIM_ON_NVML)
		return event->is_mutating;
	for (size_t i = 0; i < s->n_expected; i++) {
		if (matches(&s->expected[i], event))
			return true;
	}
	return false;
}

static void note(struct gs_sim_state *s, const char *sentence)
{
	if (s->n_unexpected < GS_SIM_UNEXPECTED_MAX) {
		const char *copy = gs_arena_strdup(s->arena, sentence);

		/* lack of memory is the arena's to tell, when the state is written */
		s->unexpected[s->n_unexpected] = copy ? copy : "";
	}
	if (s->n_unexpected < UINT32_MAX)
		s->n_unexpected++;
}

static void note_turn(struct gs_sim_state *s, const struct gs_sim_fault_event *event)
{
	char what[GS_SIM_EXPECTED_LINE_MAX], next[GS_SIM_EXPECTED_LINE_MAX], sentence[GS_SIM_UNEXPECTED_TEXT_MAX];

	describe(event, what, sizeof(what));
	if (s->n_met < s->n_expected)
		snprintf(sentence, sizeof(sentence), "%s came where %s was expected, number %zu of the list", what,
			 gs_sim_expected_format(&s->expected[s->n_met], next, sizeof(next)), s->n_met + 1);
	else
		snprintf(sentence, sizeof(sentence), "%s came behind the end of the list", what);
	note(s, sentence);
}

static uint32_t refusal_of(const struct gs_sim_fault_event *event)
{
	switch (event->target) {
	case GS_SIM_ON_WRITE:
		return EIO;
	case GS_SIM_ON_PROGRAM:
		return 1;
	default:
		return GS_NVML_UNKNOWN;
	}
}

bool gs_sim_expect_answers(struct gs_sim_state *s, const struct gs_sim_fault_event *event, struct gs_sim_fault *ret_fault, bool *ret_counted)
{
	const struct gs_sim_expected *next = s->n_met < s->n_expected ? &s->expected[s->n_met] : NULL;
	uint32_t code;

	s->must_succeed = false;
	if (!s->n_expected || !is_watched(s, event))
		return false;
	*ret_counted = true;
	if (next && matches(next, event)) {
		s->n_met++;
		s->must_succeed = next->code == 0;
		if (next->code == 0 || next->code == GS_SIM_NONE)
			return false;
		code = next->code;
	} else {
		note_turn(s, event);
		code = refusal_of(event);
	}
	*ret_fault = (struct gs_sim_fault){ .target = event->target, .kind = GS_SIM_FAULT_CODE, .code = code };
	return true;
}

void gs_sim_expect_answered(struct gs_sim_state *s, uint32_t code)
{
	char line[GS_SIM_EXPECTED_LINE_MAX], sentence[GS_SIM_UNEXPECTED_TEXT_MAX];

	if (s->must_succeed && code) {
		snprintf(sentence, sizeof(sentence), "%s, number %zu of the list, was answered with %u",
			 gs_sim_expected_format(&s->expected[s->n_met - 1], line, sizeof(line)), s->n_met, code);
		note(s, sentence);
	}
	s->must_succeed = false;
}

/* ------------------------------------------------------------ the list as text */

const char *gs_sim_expected_format(const struct gs_sim_expected *x, char *buf, size_t size)
{
	const char *word = x->target == GS_SIM_ON_WRITE ? "write " : x->target == GS_SIM_ON_PROGRAM ? "program " : "";
	const char *name = x->target == GS_SIM_ON_WRITE && x->code != GS_SIM_NONE && x->code ? strerrorname_np((int)x->code) : NULL;

	if (x->code == GS_SIM_NONE)
		snprintf(buf, size, "%s%s", word, x->name);
	else if (name)
		snprintf(buf, size, "%s%s %s", word, x->name, name);
	else
		snprintf(buf, size, "%s%s %u", word, x->name, x->code);
	return buf;
}

/* Shown and kept in a file, and fnmatch reads it. */
static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if ((*text < ' ' && *text != '\t') || *text > '~')
			return false;
	}
	return true;
}

/* At most WORDS_MAX words of @line, which is cut up; WORDS_MAX + 1 when there are more. */
static size_t split(char *line, char *words[WORDS_MAX])
{
	char *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(line, " \t\r", &save); word; word = strtok_r(NULL, " \t\r", &save)) {
		if (n == WORDS_MAX)
			return WORDS_MAX + 1;
		words[n++] = word;
	}
	return n;
}

static bool parse_code(enum gs_sim_fault_target target, const char *text, uint32_t *ret_code)
{
	uint32_t max = target == GS_SIM_ON_PROGRAM ? EXIT_MAX : NVML_CODE_MAX;

	if (target == GS_SIM_ON_WRITE && !gs_str_equal(text, "0"))
		return gs_sim_errno_parse(text, ret_code);
	return gs_parse_u32(text, 10, ret_code) == 0 && *ret_code <= max;
}

/* NULL, or what is wrong with the words. */
static const char *read_words(struct gs_arena *a, char *const *words, size_t n, struct gs_sim_expected *x)
{
	const char *call;
	size_t at = 0;

	if (gs_str_equal(words[0], write_word))
		x->target = GS_SIM_ON_WRITE;
	else if (gs_str_equal(words[0], program_word))
		x->target = GS_SIM_ON_PROGRAM;
	at = x->target == GS_SIM_ON_NVML ? 0 : 1;
	if (n <= at || n > at + 2)
		return "is no call of NVML, nor \"write GLOB\", nor \"program NAME\", with a number behind it or without";
	if (x->target == GS_SIM_ON_NVML) {
		call = gs_sim_call_find(words[0]);
		if (!call || !gs_str_equal(call, words[0]))
			return "is no call that the simulated NVML has, nor \"write GLOB\", nor \"program NAME\"";
		if (!gs_sim_call_is_mutating(call))
			return "only reads, so it is none to wait for";
	} else if (x->target == GS_SIM_ON_PROGRAM && !gs_sim_word_is_valid(words[at])) {
		return "has no name of a program";
	} else if (x->target == GS_SIM_ON_WRITE && strstr(words[at], "..")) {
		return "has no name of a file";
	}
	if (n == at + 2 && !parse_code(x->target, words[at + 1], &x->code))
		return "has no answer that is one: of NVML 0 to 999, of a write 0 or an errno, of a program 0 to 255";
	x->name = gs_arena_strdup(a, words[at]);
	return NULL;
}

int gs_sim_expected_parse(struct gs_arena *a, const char *line, struct gs_sim_expected *ret_expected, struct gs_error *e)
{
	struct gs_sim_expected x = { .target = GS_SIM_ON_NVML, .code = GS_SIM_NONE };
	char copy[GS_SIM_EXPECTED_LINE_MAX], *words[WORDS_MAX];
	const char *wrong;
	size_t n;

	if (strlen(line) >= sizeof(copy) - 16)      /* with a code's name it still fits */
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "\"%.60s…\" is longer than any", line);
	if (!is_printable(line))
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "it has characters that are not printable ASCII");
	memcpy(copy, line, strlen(line) + 1);
	n = split(copy, words);
	wrong = n ? read_words(a, words, n, &x) : "is empty";
	if (wrong)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "\"%.60s\" %s", line, wrong);
	if (!x.name)
		return gs_error_oom(e);
	*ret_expected = x;
	return 0;
}

int gs_sim_expect_parse(struct gs_sim_state *s, const char *text, struct gs_error *e)
{
	struct gs_sim_expected *list = gs_arena_calloc(s->arena, GS_SIM_EXPECTED_MAX, sizeof(*list));
	char *rest = gs_arena_strdup(s->arena, text), *line;
	size_t n = 0, number = 0;

	if (!list || !rest)
		return gs_error_oom(e);
	while ((line = strsep(&rest, "\n"))) {
		number++;
		line[strcspn(line, "#")] = '\0';
		line += strspn(line, " \t");
		if (!line[strspn(line, " \t\r")])
			continue;
		if (n == GS_SIM_EXPECTED_MAX)
			return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "line %zu: at most %d can be expected", number, GS_SIM_EXPECTED_MAX);
		if (gs_sim_expected_parse(s->arena, line, &list[n], e) < 0)
			return gs_error_prefix(e, "line %zu, number %zu of the list: ", number, n + 1);
		n++;
	}
	s->expected = list;
	s->n_expected = n;
	s->n_met = 0;
	s->n_unexpected = 0;
	return 0;
}
