/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reboot_json.h - schema gpuslice.reboot/1: what is left after a reboot, and how a saved layout comes back. */
#ifndef GS_CODEC_REBOOT_JSON_H
#define GS_CODEC_REBOOT_JSON_H

#include "codec/json.h"
#include "core/plan.h"
#include "core/reboot.h"

/* How a saved layout would be put back on the machine of after. */
struct gs_reboot_restore {
	const char *file;
	const struct gs_plan *plan;     /* on gs_reboot_snapshot(); NULL: it cannot be made */
	const char *error;              /* why; NULL with a plan */
};

/*
 * Of @s, whose gs_reboot_snapshot() is @after; @restore NULL: nothing is saved. "layout" is what `export json` gives
 * after the reboot, but for the members that "unknown" of its GPU names. The caller owns a reference; NULL when there is no memory.
 */
struct json_object *gs_reboot_to_json(const struct gs_snapshot *s, const struct gs_snapshot *after, const struct gs_reboot_restore *restore);

#endif
