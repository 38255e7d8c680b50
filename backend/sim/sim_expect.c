/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_expect.c - «gpuslice sim expect»: the list, and how it stands. */
#include "backend/sim/expect.h"
#include "backend/sim/sim_private.h"
#include "base/strbuf.h"

int gs_sim_expect(struct gs_sim *sim, const char *text, struct gs_error *e)
{
	int r = gs_sim_store_begin(sim->store, e);

	if (r == 0)
		r = gs_sim_expect_parse(gs_sim_store_state(sim->store), text, e);
	if (r == 0)
		r = gs_sim_store_commit(sim->store, e);
	gs_sim_store_end(sim->store);
	return r;
}

static void list_unexpected(const struct gs_sim_state *s, struct gs_strbuf *b)
{
	for (uint32_t i = 0; i < s->n_unexpected && i < GS_SIM_UNEXPECTED_MAX; i++)
		gs_strbuf_printf(b, "%s\n", s->unexpected[i]);
	if (s->n_unexpected > GS_SIM_UNEXPECTED_MAX)
		gs_strbuf_printf(b, "and %u more of that kind\n", s->n_unexpected - GS_SIM_UNEXPECTED_MAX);
}

int gs_sim_expect_state(struct gs_sim *sim, char **ret_text, bool *ret_is_met, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char line[GS_SIM_EXPECTED_LINE_MAX], *text;
	const struct gs_sim_state *s;
	int r = gs_sim_store_refresh(sim->store, e);

	if (r < 0)
		return r;
	s = gs_sim_store_state(sim->store);
	gs_strbuf_printf(&b, "%zu of %zu came\n", s->n_met, s->n_expected);
	list_unexpected(s, &b);
	for (size_t i = s->n_met; i < s->n_expected; i++)
		gs_strbuf_printf(&b, "left: %s\n", gs_sim_expected_format(&s->expected[i], line, sizeof(line)));
	text = gs_strbuf_take(&b);
	if (!text)
		return gs_error_oom(e);
	*ret_text = text;
	*ret_is_met = s->n_met == s->n_expected && !s->n_unexpected;
	return 0;
}
