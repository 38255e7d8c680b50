/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/family_json.h"

#include <string.h>
#include <uuid/uuid.h>

#include "backend/sim/function.h"
#include "base/parse.h"

#define COUNT_MAX ((uint64_t)1 << 52)

const char *const gs_sim_compute_names[GS_SIM_COMPUTE_MODES] = { "SPX", "DPX", "TPX", "QPX", "CPX" };
const char *const gs_sim_memory_names[GS_SIM_MEMORY_MODES] = { "NPS1", "NPS2", "NPS4", "NPS8" };
static const char *const frameworks[] = { "none", "mdev", "vendor-vfio" };
static const char *const intel_kinds[] = { "none", "xe", "i915-prelim", "i915" };

static void *allocate(struct gs_sim_json *j, size_t n, size_t size)
{
	void *p = gs_arena_calloc(j->arena, n ? n : 1, size);

	if (!p && !j->error)
		j->error = gs_error_oom(j->e);
	return p;
}

static uint32_t number_or(struct gs_sim_json *j, struct json_object *o, const char *key, uint32_t max, uint32_t otherwise)
{
	return gs_sim_json_has(o, key) ? gs_sim_json_u32(j, o, key, max) : otherwise;
}

static const char *text_or_none(struct gs_sim_json *j, struct json_object *o, const char *key, size_t max)
{
	return gs_sim_json_has(o, key) ? gs_sim_json_string(j, o, key, max) : "";
}

/* One of @names; the first when it is absent. */
static unsigned word(struct gs_sim_json *j, struct json_object *o, const char *key, const char *const *names, size_t n)
{
	const char *text = text_or_none(j, o, key, 32);

	for (unsigned i = 0; text[0] && i < n; i++) {
		if (gs_str_equal(names[i], text))
			return i;
	}
	if (text[0])
		gs_sim_json_fail(j, key, "is not a word that is known here");
	return 0;
}

#define WORD(j, o, key, names) word(j, o, key, names, GS_ARRAY_SIZE(names))

static void read_share(struct gs_sim_json *j, struct json_object *o, struct gs_sim_share *share)
{
	share->lmem_bytes = gs_sim_json_has(o, "lmem_bytes") ? gs_sim_json_u64(j, o, "lmem_bytes", COUNT_MAX) : 0;
	share->ggtt_bytes = gs_sim_json_has(o, "ggtt_bytes") ? gs_sim_json_u64(j, o, "ggtt_bytes", COUNT_MAX) : 0;
	share->contexts = number_or(j, o, "contexts", UINT32_MAX, 0);
	share->doorbells = number_or(j, o, "doorbells", UINT32_MAX, 0);
	share->exec_quantum_ms = number_or(j, o, "exec_quantum_ms", UINT32_MAX, 0);
	share->preempt_timeout_us = number_or(j, o, "preempt_timeout_us", UINT32_MAX, 0);
	share->priority = number_or(j, o, "priority", 2, 0);
}

static void read_amd(struct gs_sim_json *j, struct json_object *o, struct gs_sim_amd *amd)
{
	struct json_object *modes = gs_sim_json_array(j, o, "memory_modes", GS_SIM_MEMORY_MODES);

	amd->xcc = gs_sim_json_u32(j, o, "xcc", 64);
	amd->hive = number_or(j, o, "hive", UINT32_MAX, 0);
	amd->compute = amd->shown = (enum gs_sim_compute_mode)WORD(j, o, "compute", gs_sim_compute_names);
	amd->memory = amd->requested = (enum gs_sim_memory_mode)WORD(j, o, "memory", gs_sim_memory_names);
	if (gs_sim_json_has(o, "shown"))
		amd->shown = (enum gs_sim_compute_mode)WORD(j, o, "shown", gs_sim_compute_names);
	if (gs_sim_json_has(o, "requested"))
		amd->requested = (enum gs_sim_memory_mode)WORD(j, o, "requested", gs_sim_memory_names);
	for (size_t i = 0; i < gs_sim_json_length(modes); i++) {
		const char *name = gs_sim_json_string_at(j, modes, i, "memory_modes", 8);

		for (unsigned k = 0; k < GS_SIM_MEMORY_MODES; k++)
			amd->memory_modes |= gs_str_equal(name, gs_sim_memory_names[k]) ? 1u << k : 0;
	}
	if (!(amd->memory_modes & 1u << amd->memory))
		gs_sim_json_fail(j, "memory", "is not one of \"memory_modes\"");
}

static void read_intel(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu)
{
	struct gs_sim_intel *intel = &gpu->intel;

	intel->kind = (enum gs_sim_intel_kind)WORD(j, o, "kind", intel_kinds);
	intel->manual = gs_sim_json_flag(j, o, "manual");
	read_share(j, gs_sim_json_object(j, o, "total"), &intel->total);
	intel->shares = allocate(j, (size_t)gpu->total_vfs + 1, sizeof(*intel->shares));
	for (size_t i = 0; intel->shares && i <= gpu->total_vfs; i++)
		intel->shares[i].priority = 0;
}

void gs_sim_capabilities_read(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu)
{
	gpu->total_vfs = number_or(j, o, "total_vfs", GS_SIM_VFS_MAX, 0);
	gpu->vf_offset = number_or(j, o, "vf_offset", 0xffff, 4);
	gpu->vf_stride = number_or(j, o, "vf_stride", 0xffff, 1);
	gpu->vf_device = number_or(j, o, "vf_device", 0xffff, gpu->pci.device);
	gpu->vf_group = number_or(j, o, "vf_group", 1u << 20, GS_SIM_NONE);
	gpu->framework = (enum gs_sim_framework)WORD(j, o, "framework", frameworks);
	gpu->board_name = text_or_none(j, o, "board", 64);
	if (gpu->board_name[0] && !gs_sim_word_is_valid(gpu->board_name))
		gs_sim_json_fail(j, "board", "is not the name of a board");
	if (!gpu->board_name[0] != (gpu->framework == GS_SIM_VGPU_NONE))
		gs_sim_json_fail(j, "framework", "and \"board\" go together");
	gpu->private_ids = number_or(j, o, "private_ids", 1u << 24, 0);
	gpu->autoprobe = true;
	gpu->vfs = allocate(j, gpu->total_vfs, sizeof(*gpu->vfs));
	if (gpu->framework == GS_SIM_VGPU_MDEV)
		gpu->mdevs = allocate(j, GS_SIM_MDEVS_MAX, sizeof(*gpu->mdevs));
	if (gs_sim_json_has(o, "amd"))
		read_amd(j, gs_sim_json_object(j, o, "amd"), &gpu->amd);
	if (gs_sim_json_has(o, "intel"))
		read_intel(j, gs_sim_json_object(j, o, "intel"), gpu);
	for (uint32_t n = 0; gpu->vfs && !j->error && n < gpu->total_vfs; n++) {
		if (gs_sim_vf_init(j->arena, gpu, n) < 0)
			gs_sim_json_fail(j, "vf_offset", "and \"vf_stride\" lead past the last bus");
	}
}

static void read_vf(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu)
{
	uint32_t n = gs_sim_json_u32(j, o, "n", GS_SIM_VFS_MAX);
	struct gs_sim_vf *vf;

	if (n >= gpu->total_vfs || !gpu->vfs) {
		gs_sim_json_fail(j, "vfs", "has a number that the GPU does not have");
		return;
	}
	vf = &gpu->vfs[n];
	vf->state = gs_sim_json_flag(j, o, "removing") ? GS_SIM_VF_REMOVING : GS_SIM_VF_PRESENT;
	vf->pci.driver = text_or_none(j, o, "driver", 64);
	if (vf->pci.driver[0] && !gs_sim_word_is_valid(vf->pci.driver))
		gs_sim_json_fail(j, "driver", "is not the name of a driver");
	vf->pci.driver_override = text_or_none(j, o, "driver_override", 4095);
	vf->pci.unbinding = gs_sim_json_flag(j, o, "unbinding");
	vf->pci.vanished = gs_sim_json_flag(j, o, "vanished");
	vf->vgpu_type = number_or(j, o, "type", INT32_MAX, 0);
	vf->placement_id = number_or(j, o, "placement_id", UINT32_MAX, 0xffff);
	vf->gpu_instance_id = number_or(j, o, "gpu_instance_id", UINT32_MAX, UINT32_MAX);
	vf->vgpu_params = text_or_none(j, o, "params", 1024);
}

static void read_mdev(struct gs_sim_json *j, struct json_object *o, const struct gs_sim_gpu *gpu, struct gs_sim_mdev *m)
{
	const char *text = gs_sim_json_string(j, o, "uuid", 36);
	uuid_t uuid;

	if (uuid_parse(text, uuid) < 0) {
		gs_sim_json_fail(j, "uuid", "is none");
		return;
	}
	uuid_unparse_lower(uuid, m->uuid);
	m->type = gs_sim_json_u32(j, o, "type", INT32_MAX);
	m->vf = number_or(j, o, "vf", GS_SIM_VFS_MAX, GS_SIM_NONE);
	if (gpu->total_vfs ? m->vf >= gpu->total_vfs : m->vf != GS_SIM_NONE)
		gs_sim_json_fail(j, "vf", "is not one of the GPU");
	m->iommu_group = gs_sim_json_u32(j, o, "iommu_group", 1u << 20);
	m->params = text_or_none(j, o, "params", 1024);
	m->vm_name = text_or_none(j, o, "vm_name", 128);
	m->removing = gs_sim_json_flag(j, o, "removing");
}

void gs_sim_schedule_read(struct gs_sim_json *j, struct json_object *up, struct gs_sim_schedule *s)
{
	struct json_object *o = gs_sim_json_has(up, "schedule") ? gs_sim_json_object(j, up, "schedule") : NULL;

	if (!o)
		return;
	s->policy = number_or(j, o, "policy", 3, 0);
	s->arr = number_or(j, o, "arr", 2, 0);
	s->average_factor = number_or(j, o, "average_factor", UINT32_MAX, 0);
	s->frequency_hz = number_or(j, o, "frequency_hz", UINT32_MAX, 0);
	s->timeslice_ns = number_or(j, o, "timeslice_ns", UINT32_MAX, 0);
}

void gs_sim_schedule_write(struct gs_sim_out *w, struct json_object *up, const struct gs_sim_schedule *s)
{
	struct json_object *o;

	if (!s->policy)
		return;
	o = json_object_new_object();
	gs_sim_put_number(w, o, "policy", s->policy);
	gs_sim_put_unless(w, o, "arr", s->arr, 0);
	gs_sim_put_unless(w, o, "average_factor", s->average_factor, 0);
	gs_sim_put_unless(w, o, "frequency_hz", s->frequency_hz, 0);
	gs_sim_put_unless(w, o, "timeslice_ns", s->timeslice_ns, 0);
	gs_sim_put(w, up, "schedule", o);
}

void gs_sim_family_read(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu)
{
	struct json_object *array, *intel;

	gs_sim_capabilities_read(j, o, gpu);
	gpu->numvfs = number_or(j, o, "numvfs", gpu->total_vfs, 0);
	gpu->autoprobe = !gs_sim_json_flag(j, o, "no_autoprobe");
	gpu->heterogeneous = gs_sim_json_flag(j, o, "heterogeneous");
	gs_sim_schedule_read(j, o, &gpu->schedule);
	gpu->unbind_locked = gs_sim_json_flag(j, o, "unbind_locked");
	array = gs_sim_json_has(o, "vfs") ? gs_sim_json_array(j, o, "vfs", GS_SIM_VFS_MAX) : NULL;
	for (size_t i = 0; i < gs_sim_json_length(array); i++)
		read_vf(j, gs_sim_json_element(j, array, i, "vfs"), gpu);
	array = gs_sim_json_has(o, "mdevs") ? gs_sim_json_array(j, o, "mdevs", GS_SIM_MDEVS_MAX) : NULL;
	if (gs_sim_json_length(array) && !gpu->mdevs)
		gs_sim_json_fail(j, "mdevs", "on a GPU without them");
	for (size_t i = 0; gpu->mdevs && i < gs_sim_json_length(array); i++) {
		gpu->n_mdevs = i + 1;
		read_mdev(j, gs_sim_json_element(j, array, i, "mdevs"), gpu, &gpu->mdevs[i]);
	}
	intel = gpu->intel.kind ? gs_sim_json_object(j, o, "intel") : NULL;
	array = gs_sim_json_has(intel, "shares") ? gs_sim_json_array(j, intel, "shares", gpu->total_vfs + 1) : NULL;
	for (size_t i = 0; gpu->intel.shares && i < gs_sim_json_length(array); i++)
		read_share(j, gs_sim_json_element(j, array, i, "shares"), &gpu->intel.shares[i]);
}

/* ------------------------------------------------------------ writing */

static struct json_object *share_object(struct gs_sim_out *w, const struct gs_sim_share *share)
{
	struct json_object *o = json_object_new_object();

	gs_sim_put_unless(w, o, "lmem_bytes", share->lmem_bytes, 0);
	gs_sim_put_unless(w, o, "ggtt_bytes", share->ggtt_bytes, 0);
	gs_sim_put_unless(w, o, "contexts", share->contexts, 0);
	gs_sim_put_unless(w, o, "doorbells", share->doorbells, 0);
	gs_sim_put_unless(w, o, "exec_quantum_ms", share->exec_quantum_ms, 0);
	gs_sim_put_unless(w, o, "preempt_timeout_us", share->preempt_timeout_us, 0);
	gs_sim_put_unless(w, o, "priority", share->priority, 0);
	return o;
}

static struct json_object *amd_object(struct gs_sim_out *w, const struct gs_sim_amd *amd)
{
	struct json_object *o = json_object_new_object(), *modes = json_object_new_array();

	gs_sim_put_number(w, o, "xcc", amd->xcc);
	gs_sim_put_unless(w, o, "hive", amd->hive, 0);
	gs_sim_put_text(w, o, "compute", gs_sim_compute_names[amd->compute]);
	gs_sim_put_text(w, o, "shown", gs_sim_compute_names[amd->shown]);
	gs_sim_put_text(w, o, "memory", gs_sim_memory_names[amd->memory]);
	gs_sim_put_text(w, o, "requested", gs_sim_memory_names[amd->requested]);
	for (unsigned i = 0; i < GS_SIM_MEMORY_MODES; i++) {
		if (amd->memory_modes & 1u << i)
			gs_sim_push(w, modes, json_object_new_string(gs_sim_memory_names[i]));
	}
	gs_sim_put(w, o, "memory_modes", modes);
	return o;
}

static struct json_object *intel_object(struct gs_sim_out *w, const struct gs_sim_gpu *gpu)
{
	struct json_object *o = json_object_new_object(), *shares = json_object_new_array();

	gs_sim_put_text(w, o, "kind", intel_kinds[gpu->intel.kind]);
	gs_sim_put_flag(w, o, "manual", gpu->intel.manual);
	gs_sim_put(w, o, "total", share_object(w, &gpu->intel.total));
	for (size_t i = 0; i <= gpu->total_vfs; i++)
		gs_sim_push(w, shares, share_object(w, &gpu->intel.shares[i]));
	gs_sim_put(w, o, "shares", shares);
	return o;
}

static struct json_object *vf_object(struct gs_sim_out *w, const struct gs_sim_vf *vf, uint32_t n)
{
	struct json_object *o = json_object_new_object();

	gs_sim_put_number(w, o, "n", n);
	gs_sim_put_flag(w, o, "removing", vf->state == GS_SIM_VF_REMOVING);
	gs_sim_put_word(w, o, "driver", vf->pci.driver);
	gs_sim_put_word(w, o, "driver_override", vf->pci.driver_override);
	gs_sim_put_flag(w, o, "unbinding", vf->pci.unbinding);
	gs_sim_put_flag(w, o, "vanished", vf->pci.vanished);
	gs_sim_put_unless(w, o, "type", vf->vgpu_type, 0);
	gs_sim_put_unless(w, o, "placement_id", vf->placement_id, 0xffff);
	gs_sim_put_unless(w, o, "gpu_instance_id", vf->gpu_instance_id, UINT32_MAX);
	gs_sim_put_word(w, o, "params", vf->vgpu_params);
	return o;
}

static struct json_object *mdev_object(struct gs_sim_out *w, const struct gs_sim_mdev *m)
{
	struct json_object *o = json_object_new_object();

	gs_sim_put_text(w, o, "uuid", m->uuid);
	gs_sim_put_number(w, o, "type", m->type);
	gs_sim_put_unless(w, o, "vf", m->vf, GS_SIM_NONE);
	gs_sim_put_number(w, o, "iommu_group", m->iommu_group);
	gs_sim_put_word(w, o, "params", m->params);
	gs_sim_put_word(w, o, "vm_name", m->vm_name);
	gs_sim_put_flag(w, o, "removing", m->removing);
	return o;
}

static void write_instances(struct gs_sim_out *w, struct json_object *o, const struct gs_sim_gpu *gpu)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t n = 0; n < gpu->total_vfs; n++) {
		if (gpu->vfs[n].state != GS_SIM_VF_ABSENT)
			gs_sim_push(w, array, vf_object(w, &gpu->vfs[n], n));
	}
	gs_sim_put(w, o, "vfs", array);
	if (!gpu->n_mdevs)
		return;
	array = json_object_new_array();
	for (size_t i = 0; i < gpu->n_mdevs; i++)
		gs_sim_push(w, array, mdev_object(w, &gpu->mdevs[i]));
	gs_sim_put(w, o, "mdevs", array);
}

void gs_sim_family_write(struct gs_sim_out *w, struct json_object *o, const struct gs_sim_gpu *gpu)
{
	gs_sim_put_unless(w, o, "vf_offset", gpu->vf_offset, 4);
	gs_sim_put_unless(w, o, "vf_stride", gpu->vf_stride, 1);
	gs_sim_put_unless(w, o, "vf_device", gpu->vf_device, gpu->pci.device);
	gs_sim_put_unless(w, o, "vf_group", gpu->vf_group, GS_SIM_NONE);
	gs_sim_put_unless(w, o, "numvfs", gpu->numvfs, 0);
	gs_sim_put_flag(w, o, "no_autoprobe", !gpu->autoprobe);
	if (gpu->framework) {
		gs_sim_put_text(w, o, "framework", frameworks[gpu->framework]);
		gs_sim_put_text(w, o, "board", gpu->board_name);
		gs_sim_put_unless(w, o, "private_ids", gpu->private_ids, 0);
	}
	gs_sim_put_flag(w, o, "heterogeneous", gpu->heterogeneous);
	gs_sim_schedule_write(w, o, &gpu->schedule);
	gs_sim_put_flag(w, o, "unbind_locked", gpu->unbind_locked);
	if (gpu->amd.xcc)
		gs_sim_put(w, o, "amd", amd_object(w, &gpu->amd));
	if (gpu->intel.kind)
		gs_sim_put(w, o, "intel", intel_object(w, gpu));
	write_instances(w, o, gpu);
}
