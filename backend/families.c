/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "backend/amd.h"
#include "backend/family.h"
#include "backend/intel.h"
#include "backend/mdev.h"
#include "backend/passthrough.h"
#include "backend/reset.h"
#include "backend/sriov.h"
#include "backend/vendor_vfio.h"

/* Later ones see what earlier ones found: who carries vGPUs must be known before a VF counts as an instance of its own. */
const struct gs_family *const gs_families[] = {
	&gs_family_sriov,
	&gs_family_vendor_vfio,
	&gs_family_mdev,
	&gs_family_passthrough,
	&gs_family_plain_vfs,
	&gs_family_amd,
	&gs_family_xe,
	&gs_family_i915,
	&gs_family_reset,
	NULL,
};

/* What the bound driver alone tells (interfaces 9.1). NVML has told about its own already. */
static void begin(struct gs_gpu *gpu)
{
	if (gpu->vendor == GS_VENDOR_NVIDIA && gpu->driver && strcmp(gpu->driver, "nvidia") == 0)
		return;
	gpu->placements_visible = true;
	gpu->modes |= 1u << GS_MODE_WHOLE;
	/* unbound, or parked on a driver that does nothing: it is nothing, and can be made something */
	if (gpu->driver && strncmp(gpu->driver, "pci-", 4) != 0)
		gpu->mode = GS_MODE_WHOLE;
}

int gs_families_collect(struct gs_family_look *look)
{
	begin(look->gpu);
	for (size_t i = 0; gs_families[i]; i++) {
		int r = gs_families[i]->collect ? gs_families[i]->collect(look) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

const struct gs_family *gs_family_of(const struct gs_step *step)
{
	for (size_t i = 0; gs_families[i]; i++) {
		if (gs_families[i]->takes && gs_families[i]->takes(step))
			return gs_families[i];
	}
	return NULL;
}
