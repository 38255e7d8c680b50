/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step_text.c - what a step says of itself, before, while and after. */
#include "core/plan.h"

#include <inttypes.h>
#include <stdio.h>

static const char *verb_of(enum gs_step_op op, enum gs_tense tense)
{
	static const char *const verbs[GS_STEP_MAX][3] = {
		[GS_STEP_STOP_HOLDER] = { "stop", "stopping", "stopped" },
		[GS_STEP_STOP_UNIT] = { "stop", "stopping", "stopped" },
		[GS_STEP_REMOVE_VGPU] = { "remove", "removing", "removed" },
		[GS_STEP_DESTROY_CI] = { "destroy", "destroying", "destroyed" },
		[GS_STEP_DESTROY_GI] = { "destroy", "destroying", "destroyed" },
		[GS_STEP_DISABLE_VFS] = { "disable", "disabling", "disabled" },
		[GS_STEP_UNBIND_DRIVER] = { "unbind", "unbinding", "unbound" },
		[GS_STEP_BIND_DRIVER] = { "bind", "binding", "bound" },
		[GS_STEP_SET_MODE] = { "set", "setting", "set" },
		[GS_STEP_RESET_GPU] = { "reset", "resetting", "reset" },
		[GS_STEP_SET_SETTING] = { "set", "setting", "set" },
		[GS_STEP_ENABLE_VFS] = { "enable", "enabling", "enabled" },
		[GS_STEP_CREATE_GI] = { "create", "creating", "created" },
		[GS_STEP_CREATE_CI] = { "create", "creating", "created" },
		[GS_STEP_CREATE_VGPU] = { "create", "creating", "created" },
		[GS_STEP_SET_PARAM] = { "set", "setting", "set" },
		[GS_STEP_START_UNIT] = { "start", "starting", "started" },
	};

	return verbs[op][tense];
}

/* " on VF 3 (0000:26:00.7)" or " (mdev 1234…)" */
static const char *where_text(const struct gs_step *step, char *buf, size_t size)
{
	char bdf[GS_BDF_TEXT];

	if (step->vf.known && gs_bdf_compare(step->function, step->bdf) == 0)
		snprintf(buf, size, " on VF %" PRIu32, step->vf.value);
	else if (step->vf.known)
		snprintf(buf, size, " on VF %" PRIu32 " (%s)", step->vf.value, gs_bdf_format(step->function, bdf));
	else if (step->uuid)
		snprintf(buf, size, " (mdev %s)", step->uuid);
	else
		buf[0] = '\0';
	return buf;
}

static const char *how_text(const struct gs_step *step)
{
	return step->vfs_by == GS_VFS_BY_SRIOV_MANAGE ? " with sriov-manage" : "";
}

static void describe_reset(const struct gs_step *step, const char *verb, char *buf, size_t size)
{
	char bdf[GS_BDF_TEXT];
	size_t n = (size_t)snprintf(buf, size, "%s %s", verb, gs_bdf_format(step->bdf, bdf));

	/* eight fit; the record has all */
	for (size_t i = 0; i < step->n_peers && n + GS_BDF_TEXT + 16 < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : ", along with ", gs_bdf_format(step->peers[i], bdf));
}

const char *gs_step_describe(const struct gs_step *step, enum gs_tense tense, char *buf, size_t size)
{
	const char *verb = verb_of(step->op, tense);
	char where[80], bdf[GS_BDF_TEXT];

	switch (step->op) {
	case GS_STEP_STOP_HOLDER:
		snprintf(buf, size, "%s %s with SIGTERM%s", verb, step->target ? step->target : "a process", step->kill ? ", SIGKILL after 30 s" : "");
		break;
	case GS_STEP_STOP_UNIT:
	case GS_STEP_START_UNIT:
		snprintf(buf, size, "%s unit %s", verb, step->unit);
		break;
	case GS_STEP_REMOVE_VGPU:
		snprintf(buf, size, "%s vGPU %s%s", verb, step->profile, where_text(step, where, sizeof(where)));
		break;
	case GS_STEP_DESTROY_CI:
		snprintf(buf, size, "%s CI %" PRIu32 " (%s) of GI %" PRIu32, verb, step->compute_id, step->compute_profile ? step->compute_profile : "?",
			 step->instance_id);
		break;
	case GS_STEP_DESTROY_GI:
		snprintf(buf, size, "%s GI %" PRIu32 " (%s at %" PRIu32 ")", verb, step->instance_id, step->profile, step->span.start);
		break;
	case GS_STEP_DISABLE_VFS:
	case GS_STEP_ENABLE_VFS:
		snprintf(buf, size, "%s %" PRIu32 " VF%s%s", verb, step->vfs, step->vfs == 1 ? "" : "s", how_text(step));
		break;
	case GS_STEP_UNBIND_DRIVER:
		snprintf(buf, size, "%s %s from %s", verb, gs_bdf_format(step->function, bdf), step->driver ? step->driver : "its driver");
		break;
	case GS_STEP_BIND_DRIVER:
		snprintf(buf, size, "%s %s to %s", verb, gs_bdf_format(step->function, bdf), step->driver ? step->driver : "its own driver");
		break;
	case GS_STEP_SET_MODE:
		snprintf(buf, size, "%s mode %s", verb, gs_mode_name(step->mode));
		break;
	case GS_STEP_RESET_GPU:
		describe_reset(step, verb, buf, size);
		break;
	case GS_STEP_SET_SETTING:
		if (step->profile)
			snprintf(where, sizeof(where), " of the %s at %" PRIu32, step->profile, step->span.start);
		snprintf(buf, size, "%s %s%s to %s%s%s", verb, step->key, step->profile ? where : "", step->value, step->old_value ? ", from " : "",
			 step->old_value ? step->old_value : "");
		break;
	case GS_STEP_SET_PARAM:
		snprintf(buf, size, "%s %s to %s%s", verb, step->key, step->value[0] ? step->value : "nothing", where_text(step, where, sizeof(where)));
		break;
	case GS_STEP_CREATE_GI:
		snprintf(buf, size, "%s %s at %" PRIu32, verb, step->profile, step->span.start);
		break;
	case GS_STEP_CREATE_CI:
		if (step->compute_span.size < step->gi_slices)
			snprintf(buf, size, "%s CI %s at slice %" PRIu32 " of the %s at %" PRIu32, verb, step->compute_profile, step->compute_span.start,
				 step->profile, step->span.start);
		else
			snprintf(buf, size, "%s CI %s in the %s at %" PRIu32, verb, step->compute_profile, step->profile, step->span.start);
		break;
	case GS_STEP_CREATE_VGPU:
		if (step->gi_profile && !step->on_start.known)
			snprintf(buf, size, "%s vGPU %s%s in a %s", verb, step->profile, where_text(step, where, sizeof(where)), step->gi_profile);
		else if (step->gi_profile)
			snprintf(buf, size, "%s vGPU %s%s in the %s at %" PRIu32, verb, step->profile, where_text(step, where, sizeof(where)), step->gi_profile,
				 step->on_start.value);
		else
			snprintf(buf, size, "%s vGPU %s%s", verb, step->profile, where_text(step, where, sizeof(where)));
		break;
	case GS_STEP_MAX:
	case GS_STEP_INVALID:
		snprintf(buf, size, "?");
		break;
	}
	return buf;
}
