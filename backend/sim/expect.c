/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/expect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/calls.h"
#include "base/parse.h"

#define WORDS_MAX 96

static const char write_word[] = "write ", program_word[] = "program ";

static const char *describe(const struct gs_sim_fault_event *event, char *buf, size_t size)
{
	const char *path = event->other_name ? event->other_name : event->name, *slash = strrchr(path, '/');

	switch (event->target) {
	case GS_SIM_ON_WRITE:
		snprintf(buf, size, "%s%s", write_word, slash ? slash + 1 : path);
		break;
	case GS_SIM_ON_PROGRAM:
		snprintf(buf, size, "%s%s", program_word, event->name);
		break;
	default:
		snprintf(buf, size, "%s", event->name);
	}
	return buf;
}

/* Every call that writes; of files and programs those that are in the list. */
static bool is_watched(const struct gs_sim_state *s, const struct gs_sim_fault_event *event, const char *what)
{
	if (event->target == GS_SIM_ON_NVML)
		return event->is_mutating;
	for (size_t i = 0; event->target != GS_SIM_ON_READ && i < s->n_expected; i++)
		if (strcmp(s->expected[i], what) == 0)
			return true;
	return false;
}

bool gs_sim_expect_refuses(struct gs_sim_state *s, const struct gs_sim_fault_event *event, struct gs_sim_fault *ret_fault, bool *ret_counted)
{
	const char *next = s->n_met < s->n_expected ? s->expected[s->n_met] : "nothing more";
	char what[WORDS_MAX];

	if (!s->n_expected || !is_watched(s, event, describe(event, what, sizeof(what))))
		return false;
	*ret_counted = true;
	if (s->n_met < s->n_expected && strcmp(what, next) == 0) {
		s->n_met++;
		return false;
	}
	if (!s->unexpected[0])
		s->unexpected = gs_arena_printf(s->arena, "%s came where %s was expected", what, next);
	*ret_fault = (struct gs_sim_fault){ .target = event->target, .kind = GS_SIM_FAULT_CODE,
		.code = event->target == GS_SIM_ON_NVML ? GS_NVML_UNKNOWN : event->target == GS_SIM_ON_WRITE ? EIO : 1 };
	return true;
}

/* Names that a call, a file or a program could have. */
static bool is_sound(const char *line)
{
	const char *rest = gs_str_starts(line, write_word) ? line + strlen(write_word) : gs_str_starts(line, program_word) ? line + strlen(program_word) : NULL;

	if (rest)
		return gs_sim_word_is_valid(rest) && strlen(line) < WORDS_MAX;
	return gs_sim_call_find(line) && strcmp(gs_sim_call_find(line), line) == 0;
}

int gs_sim_expect_parse(struct gs_sim_state *s, const char *text, struct gs_error *e)
{
	const char **list = gs_arena_calloc(s->arena, GS_SIM_EXPECTED_MAX, sizeof(*list));
	char *copy = gs_arena_strdup(s->arena, text), *line;
	size_t n = 0, number = 0;

	if (!list || !copy)
		return gs_error_oom(e);
	while ((line = strsep(&copy, "\n"))) {
		size_t length;

		number++;
		line += strspn(line, " \t");
		line[strcspn(line, "#")] = '\0';
		for (length = strlen(line); length && (line[length - 1] == ' ' || line[length - 1] == '\t' || line[length - 1] == '\r'); length--)
			line[length - 1] = '\0';
		if (!*line)
			continue;
		if (!is_sound(line))
			return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "line %zu: \"%.60s\" is no call of NVML, nor \"write FILE\", nor \"program NAME\"", number, line);
		if (n == GS_SIM_EXPECTED_MAX)
			return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "line %zu: at most %d can be expected", number, GS_SIM_EXPECTED_MAX);
		list[n++] = line;
	}
	s->expected = list;
	s->n_expected = n;
	s->n_met = 0;
	s->unexpected = "";
	return 0;
}
