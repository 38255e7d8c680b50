/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/expect_json.h"

#include "backend/sim/expect.h"

static void read_expected(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s)
{
	struct json_object *array = gs_sim_json_array(j, root, "expected", GS_SIM_EXPECTED_MAX);
	size_t n = gs_sim_json_length(array);

	s->expected = gs_arena_calloc(j->arena, n ? n : 1, sizeof(*s->expected));
	if (!s->expected) {
		j->error = j->error ? j->error : gs_error_oom(j->e);
		return;
	}
	for (size_t i = 0; i < n && !j->error; i++) {
		const char *line = gs_sim_json_string_at(j, array, i, "expected", GS_SIM_EXPECTED_LINE_MAX - 1);

		if (!j->error && gs_sim_expected_parse(j->arena, line, &s->expected[i], NULL) < 0)
			gs_sim_json_fail(j, "expected", "has a line that cannot be expected");
	}
	if (j->error)
		return;
	s->n_expected = n;
	s->n_met = gs_sim_json_u32(j, root, "met", (uint32_t)n);
	s->n_unexpected = gs_sim_json_u32(j, root, "n_unexpected", UINT32_MAX - 1);
	array = gs_sim_json_array(j, root, "unexpected", GS_SIM_UNEXPECTED_MAX);
	n = gs_sim_json_length(array);
	if (n != (s->n_unexpected < GS_SIM_UNEXPECTED_MAX ? s->n_unexpected : GS_SIM_UNEXPECTED_MAX))
		gs_sim_json_fail(j, "unexpected", "has not as many sentences as n_unexpected says");
	for (size_t i = 0; i < n && !j->error; i++)
		s->unexpected[i] = gs_sim_json_string_at(j, array, i, "unexpected", GS_SIM_UNEXPECTED_TEXT_MAX - 1);
}

void gs_sim_expect_read(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s)
{
	if (gs_sim_json_has(root, "expected"))
		read_expected(j, root, s);
}

void gs_sim_expect_write(struct gs_sim_out *w, struct json_object *root, const struct gs_sim_state *s)
{
	struct json_object *array;
	char line[GS_SIM_EXPECTED_LINE_MAX];

	if (!s->n_expected)
		return;
	array = json_object_new_array();
	for (size_t i = 0; i < s->n_expected; i++)
		gs_sim_push(w, array, json_object_new_string(gs_sim_expected_format(&s->expected[i], line, sizeof(line))));
	gs_sim_put(w, root, "expected", array);
	gs_sim_put_number(w, root, "met", s->n_met);
	gs_sim_put_number(w, root, "n_unexpected", s->n_unexpected);
	array = json_object_new_array();
	for (size_t i = 0; i < s->n_unexpected && i < GS_SIM_UNEXPECTED_MAX; i++)
		gs_sim_push(w, array, json_object_new_string(s->unexpected[i]));
	gs_sim_put(w, root, "unexpected", array);
}
