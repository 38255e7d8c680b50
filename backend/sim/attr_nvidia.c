/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr_nvidia.c - what can be written below proc/driver/nvidia: the driver acts when the file is closed, so every write succeeds (interfaces 0.1). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/attr.h"
#include "backend/sim/drivers.h"
#include "backend/sim/kernel.h"
#include "base/parse.h"

/* Acquired only while nobody uses the GPU; only a look at the file afterwards tells (interfaces 3.4). */
static int store_unbind_lock(struct gs_sim_write *w)
{
	char bdf[13] = "";
	struct gs_sim_function f;

	snprintf(bdf, sizeof(bdf), "%.12s", w->path + strlen("proc/driver/nvidia/gpus/"));
	if (!gs_sim_function_find(w->s, bdf, &f) || !f.gpu)
		return -ENOENT;
	if (gs_str_equal(w->text, "0"))
		f.gpu->unbind_locked = false;
	else if (gs_str_equal(w->text, "1") && !gs_sim_node_is_open(w->s, f.gpu) &&
		 !gs_sim_node_is_locked(w->tree_fd, f.gpu->minor, -1) && !gs_sim_any_vgpu_is_held(w->s, f.gpu))
		f.gpu->unbind_locked = true;
	return 0;
}

static int store_nothing(struct gs_sim_write *w)
{
	(void)w;
	return 0;
}

const struct gs_sim_attr gs_sim_attr_nvidia[] = {
	{ "proc/driver/nvidia/gpus/*/unbindLock", store_unbind_lock },
	{ "proc/driver/nvidia/capabilities/mig/*", store_nothing },
	{ NULL, NULL },
};
