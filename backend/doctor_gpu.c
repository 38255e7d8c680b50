/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_gpu.c - facts of each GPU on the bus that doctor judges. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/doctor.h"
#include "backend/sriov.h"
#include "base/parse.h"

#define FIRST_VF_BAR 7  /* the kernel's numbering: six BARs and the ROM come first */
#define LAST_VF_BAR 12

enum gs_answer gs_doctor_vf_space(const char *resource)
{
	enum gs_answer answer = GS_ANSWER_UNKNOWN;
	const char *line = resource;

	for (int n = 0; line && *line && n <= LAST_VF_BAR; n++) {
		const char *p = line;
		uint64_t start, end;

		if (n >= FIRST_VF_BAR && gs_doctor_next_number(&p, 16, &start) && gs_doctor_next_number(&p, 16, &end) && end) {
			if (!start)
				return GS_ANSWER_NO;
			answer = GS_ANSWER_YES;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return answer;
}

/* design 6: display controllers and processing accelerators, whatever their driver; VFs are none. */
static bool is_gpu(struct gs_root *root, const char *name)
{
	uint64_t class_id;

	if (gs_root_read_u64(root, 16, &class_id, "sys/bus/pci/devices/%s/class", name) < 0)
		return false;
	return (class_id >> 16 == 0x03 || class_id >> 8 == 0x1200) && !gs_root_exists(root, "sys/bus/pci/devices/%s/physfn", name);
}

static void read_gpu(struct gs_root *root, const char *name, struct gs_doctor_gpu *gpu)
{
	GS_FREE char *resource = NULL;

	/* only below the driver's own directory is its absence an answer */
	if (gs_root_exists(root, "proc/driver/nvidia/gpus/%s", name))
		gpu->has_unbind_lock = gs_nvidia_has_unbind_lock(root, gpu->bdf) ? GS_ANSWER_YES : GS_ANSWER_NO;
	if (gs_root_exists(root, "sys/bus/pci/devices/%s/sriov_totalvfs", name) && gs_root_read(root, &resource, "sys/bus/pci/devices/%s/resource", name) == 0)
		gpu->has_vf_space = gs_doctor_vf_space(resource);
}

int gs_doctor_read_gpus(struct gs_root *root, struct gs_arena *arena, struct gs_doctor_facts *facts)
{
	DIR *dir;
	struct dirent *d;

	if (gs_root_opendir(root, &dir, "sys/bus/pci/devices") < 0)
		return 0;
	while ((d = readdir(dir))) {
		struct gs_doctor_gpu gpu = { 0 }, *grown;

		if (gs_bdf_parse(d->d_name, &gpu.bdf) < 0 || !is_gpu(root, d->d_name))
			continue;
		grown = gs_arena_grow(arena, facts->gpus, facts->n_gpus, &facts->cap_gpus, sizeof(*grown));
		if (!grown)
			break;
		read_gpu(root, d->d_name, &gpu);
		facts->gpus = grown;
		facts->gpus[facts->n_gpus++] = gpu;
	}
	closedir(dir);
	return gs_arena_has_failed(arena) ? -ENOMEM : 0;
}
