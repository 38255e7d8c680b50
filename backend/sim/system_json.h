/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system_json.h - modules, units, files and what programs print: the same in a host file and in state.json. */
#ifndef GS_SIM_SYSTEM_JSON_H
#define GS_SIM_SYSTEM_JSON_H

#include "backend/sim/jsonio.h"
#include "backend/sim/state.h"

/* Members "modules", "units", "files", "outputs"; each may be absent. */
void gs_sim_system_read(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s);

#endif
