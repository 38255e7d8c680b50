/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_json.h - what is expected, in the state file: the lines as in a list, how many came, what came out of turn. */
#ifndef GS_SIM_EXPECT_JSON_H
#define GS_SIM_EXPECT_JSON_H

#include "backend/sim/jsonio.h"
#include "backend/sim/jsonout.h"
#include "backend/sim/state.h"

/* Nothing where nothing is expected. */
void gs_sim_expect_read(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s);
void gs_sim_expect_write(struct gs_sim_out *w, struct json_object *root, const struct gs_sim_state *s);

#endif
