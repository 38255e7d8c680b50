/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/doctor_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define TEXT_MAX 1024

#define WORD_(id, name) name,
static const char *const state_words[] = { GS_DOCTOR_STATES(WORD_) };

const char *gs_doctor_state_name(enum gs_doctor_state v)
{
	return (int)v >= 0 && v < GS_DOCTOR_MAX ? state_words[v] : NULL;
}

enum gs_doctor_state gs_doctor_state_from_name(const char *s)
{
	for (int i = 0; i < GS_DOCTOR_MAX; i++)
		if (strcmp(s, state_words[i]) == 0)
			return (enum gs_doctor_state)i;
	return GS_DOCTOR_INVALID;
}

/* From what everything else stands on to what is good to know. */
static const struct {
	const char *name;
	void (*run)(struct gs_doctor_exam *x);
} checks[] = {
	{ "gpus", gs_doctor_check_gpus },
	{ "driver", gs_doctor_check_driver },
	{ "bound", gs_doctor_check_bound },
	{ "library", gs_doctor_check_library },
	{ "symbols", gs_doctor_check_symbols },
	{ "privileges", gs_doctor_check_privileges },
	{ "view", gs_doctor_check_view },
	{ "stranded", gs_doctor_check_stranded },
	{ "commit", gs_doctor_check_commit },
	{ "pending", gs_doctor_check_pending },
	{ "iommu", gs_doctor_check_iommu },
	{ "iommu-group", gs_doctor_check_group },
	{ "vfio", gs_doctor_check_vfio },
	{ "framework", gs_doctor_check_framework },
	{ "vgpu-manager", gs_doctor_check_vgpu_manager },
	{ "sriov", gs_doctor_check_sriov },
	{ "sriov-manage", gs_doctor_check_sriov_manage },
	{ "mig-nodes", gs_doctor_check_mig_nodes },
	{ "fabric", gs_doctor_check_fabric },
	{ "amd", gs_doctor_check_amd },
	{ "intel", gs_doctor_check_intel },
	{ "events", gs_doctor_check_events },
	{ "services", gs_doctor_check_services },
	{ "holders", gs_doctor_check_holders },
	{ "reset-tool", gs_doctor_check_reset_tool },
	{ "restorers", gs_doctor_check_restorers },
	{ "drift", gs_doctor_check_drift },
	{ "reboot", gs_doctor_check_reboot },
};

void gs_doctor_add(struct gs_doctor_exam *x, enum gs_doctor_state state, const struct gs_gpu *gpu, const char *remedy, const char *fmt, ...)
{
	struct gs_doctor_finding *grown = gs_arena_grow(x->arena, x->findings, x->n, &x->cap, sizeof(*grown));
	char text[TEXT_MAX];
	va_list ap;

	if (!grown)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gs_text_sanitize(text);
	x->findings = grown;
	x->findings[x->n++] = (struct gs_doctor_finding){ x->check, state, gpu, gs_arena_strdup(x->arena, text), gs_arena_strdup(x->arena, remedy) };
}

bool gs_doctor_any(const struct gs_doctor_exam *x, bool (*is)(const struct gs_gpu *gpu))
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(x->s); i++)
		if (is(gs_snapshot_gpu(x->s, i)))
			return true;
	return false;
}

bool gs_doctor_is_nvidia(const struct gs_gpu *gpu)
{
	return gpu->vendor == GS_VENDOR_NVIDIA;
}

bool gs_doctor_is_nvidia_driven(const struct gs_gpu *gpu)
{
	return gs_doctor_is_nvidia(gpu) && gs_str_equal(gpu->driver, "nvidia");
}

bool gs_doctor_has_mig(const struct gs_gpu *gpu)
{
	return gs_doctor_is_nvidia_driven(gpu) && (gpu->modes & 1u << GS_MODE_MIG);
}

const struct gs_doctor_gpu *gs_doctor_gpu_facts(const struct gs_doctor_exam *x, const struct gs_gpu *gpu)
{
	static const struct gs_doctor_gpu nothing;

	for (size_t i = 0; i < x->facts->n_gpus; i++)
		if (gs_bdf_compare(x->facts->gpus[i].bdf, gpu->bdf) == 0)
			return &x->facts->gpus[i];
	return &nothing;
}

int gs_doctor_examine(const struct gs_snapshot *s, const struct gs_doctor_facts *facts, const struct gs_service *services, size_t n_services,
		      struct gs_arena *arena, struct gs_doctor_finding **ret_findings, size_t *ret_n)
{
	struct gs_doctor_exam x = { .s = s, .facts = facts, .services = services, .n_services = n_services, .arena = arena };
	struct gs_doctor_finding *sorted;
	size_t n = 0;

	for (size_t i = 0; i < GS_ARRAY_SIZE(checks); i++) {
		x.check = checks[i].name;
		checks[i].run(&x);
	}
	sorted = gs_arena_calloc(arena, x.n, sizeof(*sorted));
	if (gs_arena_has_failed(arena) || !sorted)
		return -ENOMEM;
	for (int state = 0; state < GS_DOCTOR_MAX; state++)
		for (size_t i = 0; i < x.n; i++)
			if (x.findings[i].state == (enum gs_doctor_state)state)
				sorted[n++] = x.findings[i];
	*ret_findings = sorted;
	*ret_n = n;
	return 0;
}

int gs_doctor_status(const struct gs_doctor_finding *findings, size_t n)
{
	int status = 0;

	for (size_t i = 0; i < n; i++) {
		if (findings[i].state == GS_DOCTOR_PROBLEM)
			return 1;
		if (findings[i].state == GS_DOCTOR_CANNOT_TELL)
			status = 2;
	}
	return status;
}

int gs_doctor_list_add(struct gs_doctor_list *list, struct gs_arena *arena, const char *item)
{
	const char **grown = gs_arena_grow(arena, list->items, list->n, &list->cap, sizeof(*grown));
	const char *copy = gs_arena_strdup(arena, item);

	if (!grown || !copy)
		return -ENOMEM;
	list->items = grown;
	list->items[list->n++] = copy;
	return 0;
}
