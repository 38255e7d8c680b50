/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/mig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/mig_facts.h"
#include "backend/telemetry.h"
#include "base/parse.h"
#include "codec/profile_codec.h"

#define MIG_DEVICES_MAX 64
#define INSTANCES_PER_PROFILE_MAX 64

/* What one read of one GPU works on. */
struct reading {
	struct gs_mig *mig;
	struct gs_nvml *nvml;
	nvml_device device;
	struct gs_snapshot *snapshot;
	struct gs_gpu *gpu;
	struct gs_mig_subject subject;
	const struct gs_profile_set *set;       /* the cache's own; copied into the snapshot at the end; NULL: not known now */
	bool telemetry;
	bool is_partial;                        /* something that decides where instances are was not answered */
};

int gs_mig_init(struct gs_mig *mig, struct gs_nvml *nvml, const struct gs_catalogue *catalogue)
{
	mig->nvml = nvml;
	mig->catalogue = catalogue;
	mig->profiles = gs_mig_profiles_new(nvml, catalogue);
	return mig->profiles ? 0 : -ENOMEM;
}

void gs_mig_done(struct gs_mig *mig)
{
	mig->profiles = gs_mig_profiles_free(mig->profiles);
}

int gs_mig_device(struct gs_mig *mig, struct gs_bdf bdf, nvml_device *ret_device)
{
	char address[GS_BDF_TEXT];

	return GS_NVML_CALL(mig->nvml, device_by_bus_id, gs_bdf_format(bdf, address), ret_device);
}

struct gs_instance *gs_mig_instance_by_id(const struct gs_gpu *gpu, uint32_t id)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (gpu->instances[i]->kind == GS_KIND_MIG && gpu->instances[i]->id == id)
			return gpu->instances[i];
	}
	return NULL;
}

/* True when @code says that the GPU has gone; it is marked. */
static bool is_lost(struct reading *r, int code)
{
	if (code != NVML_ERROR_GPU_IS_LOST)
		return false;
	r->gpu->lost = GS_NVML_LOST;
	return true;
}

/*
 * What was not answered is not «nothing there»: the GPU's placements do not
 * count as seen, and the reason is said. Returns @code.
 */
static int miss(struct reading *r, int code, const char *symbol, const char *what)
{
	char bdf[GS_BDF_TEXT];
	struct gs_error e;

	r->is_partial = true;
	/* a viewer without privilege is the common case, and a lost GPU is said at the GPU */
	if (code == NVML_ERROR_NO_PERMISSION || code == NVML_ERROR_GPU_IS_LOST)
		return code;
	gs_nvml_error(&e, code, symbol, "%s of %s cannot be read, so where its instances are is not known", what, gs_bdf_format(r->gpu->bdf, bdf));
	gs_snapshot_add_notice(r->snapshot, "%s", e.text);
	return code;
}

/* The same for an answer that makes no sense or is more than we take. */
static void miss_absurd(struct reading *r, const char *what)
{
	char bdf[GS_BDF_TEXT];

	r->is_partial = true;
	gs_snapshot_add_notice(r->snapshot, "the driver of %s tells %s, so where its instances are is not known", gs_bdf_format(r->gpu->bdf, bdf), what);
}

/* Inside @units (0: nobody told how many), of which there are @max at most? */
static bool lies_in_grid(struct nvml_placement place, uint32_t units, uint32_t max)
{
	uint32_t end = units && units < max ? units : max;

	return place.size && place.size <= end && place.start <= end - place.size;
}

static void read_identity(struct reading *r)
{
	struct gs_telemetry memory = { 0 };
	unsigned index;
	char text[NVML_TEXT];

	if (GS_NVML_CALL(r->nvml, device_name, r->device, text, sizeof(text)) == NVML_SUCCESS) {
		text[sizeof(text) - 1] = '\0';
		r->gpu->name = gs_snapshot_text(r->snapshot, text);
	}
	if (GS_NVML_CALL(r->nvml, device_uuid, r->device, text, sizeof(text)) == NVML_SUCCESS) {
		text[sizeof(text) - 1] = '\0';
		r->gpu->uuid = gs_snapshot_text(r->snapshot, text);
	}
	if (GS_NVML_CALL(r->nvml, device_index, r->device, &index) == NVML_SUCCESS)
		r->gpu->nvidia_index = GS_U32(index);
	(void)gs_readings_memory(r->nvml, r->device, &memory);
	r->gpu->memory_bytes = memory.memory_total_bytes;
	r->gpu->framework = GS_FRAMEWORK_NVML;
}

/* The driver says it itself. One generation with MIG needs a reset, and that one keeps the mode: it tells both. */
static void set_needs_reset(struct gs_gpu *gpu, bool needs_reset)
{
	gpu->mode_needs_reset = needs_reset;
	if (gpu->mode_survival_is_known)
		return;
	gpu->mode_survives_reboot = needs_reset;
	gpu->mode_survival_is_known = true;
}

/* Whether the switch takes a reset, and whether it survives a reboot: interfaces 5.8. */
static void read_mode_rules(struct reading *r, const struct gs_gpu_model *model)
{
	struct nvml_field_value field = { .field_id = NVML_FIELD_IS_RESETLESS_MIG_SUPPORTED };
	unsigned architecture;

	if (model) {
		r->gpu->mode_needs_reset = model->mode_needs_reset;
		r->gpu->mode_survives_reboot = model->mode_survives_reboot;
		r->gpu->mode_survival_is_known = model->mode_survival_is_known;
	}
	if (GS_NVML_CALL(r->nvml, device_architecture, r->device, &architecture) == NVML_SUCCESS && architecture != NVML_ARCH_UNKNOWN) {
		r->gpu->mode_needs_reset = architecture == NVML_ARCH_AMPERE;
		r->gpu->mode_survives_reboot = architecture == NVML_ARCH_AMPERE;
		r->gpu->mode_survival_is_known = true;
	}
	if (GS_NVML_CALL(r->nvml, device_fields, r->device, 1, &field) == NVML_SUCCESS && field.nvml_return == NVML_SUCCESS)
		set_needs_reset(r->gpu, field.value.ui == 0);
}

static int read_mode(struct reading *r)
{
	unsigned now = 0, pending = 0;
	int code = GS_NVML_CALL(r->nvml, mig_mode, r->device, &now, &pending);

	if (is_lost(r, code))
		return code;
	r->gpu->modes = 1u << GS_MODE_WHOLE;
	if (code == NVML_ERROR_NOT_SUPPORTED || code == NVML_ERROR_FUNCTION_NOT_FOUND) {
		r->gpu->placements_visible = true;      /* no MIG here: there is nothing to place */
		r->gpu->mode = GS_MODE_WHOLE;
		return NVML_ERROR_NOT_SUPPORTED;
	}
	if (code != NVML_SUCCESS) {
		struct gs_error e;
		char label[GS_BDF_TEXT];

		gs_nvml_error(&e, code, GS_NVML_SYMBOL(mig_mode), "the MIG mode of %s cannot be read", gs_bdf_format(r->gpu->bdf, label));
		gs_snapshot_add_notice(r->snapshot, "%s", e.text);
		return code;
	}
	r->gpu->modes |= 1u << GS_MODE_MIG;
	r->gpu->mode = now == NVML_MIG_ENABLE ? GS_MODE_MIG : GS_MODE_WHOLE;
	if (pending != now)
		r->gpu->mode_pending = pending == NVML_MIG_ENABLE ? GS_MODE_MIG : GS_MODE_WHOLE;
	r->subject.is_mig_on = now == NVML_MIG_ENABLE;
	return NVML_SUCCESS;
}

static struct gs_compute *compute_by_id(const struct gs_instance *inst, uint32_t id)
{
	for (size_t i = 0; i < inst->n_compute; i++) {
		if (inst->compute[i]->id == id)
			return inst->compute[i];
	}
	return NULL;
}

static int add_compute(struct reading *r, const struct gs_compute_profile *cp, nvml_ci ci, struct gs_instance *inst)
{
	struct nvml_ci_info info = { 0 };
	struct gs_compute *c;
	int code = GS_NVML_CALL(r->nvml, ci_info, ci, &info);

	if (code != NVML_SUCCESS)
		return miss(r, code, GS_NVML_SYMBOL(ci_info), "a compute instance");
	if (info.profile_id != cp->id.value || compute_by_id(inst, info.id))
		return NVML_SUCCESS;
	if (inst->n_compute == GS_COMPUTE_SLICES_MAX) {
		miss_absurd(r, "of more compute instances in a GPU instance than one has slices");
		return NVML_SUCCESS;
	}
	c = gs_instance_add_compute(r->snapshot, inst);
	if (!c)
		return NVML_ERROR_MEMORY;
	c->id = info.id;
	c->profile = gs_snapshot_text(r->snapshot, cp->name);
	c->profile_id = cp->id;
	if (!lies_in_grid(info.placement, r->set->compute_slices, GS_COMPUTE_SLICES_MAX)) {
		miss_absurd(r, "of a compute instance outside of the GPU's slices");
		return NVML_SUCCESS;
	}
	c->start = GS_U32(info.placement.start);
	c->size = GS_U32(info.placement.size);
	return NVML_SUCCESS;
}

static int read_compute(struct reading *r, const struct gs_profile *profile, nvml_gi gi, struct gs_instance *inst)
{
	for (size_t i = 0; i < profile->n_compute; i++) {
		const struct gs_compute_profile *cp = &profile->compute[i];
		nvml_ci handles[INSTANCES_PER_PROFILE_MAX];
		unsigned n = 0;
		int code;

		if (!cp->id.known)
			continue;       /* of the catalogue; what the driver lists has ids */
		if (cp->max_instances > INSTANCES_PER_PROFILE_MAX) {
			miss_absurd(r, "of more compute instances than a GPU can have");
			continue;
		}
		code = GS_NVML_CALL(r->nvml, cis, gi, cp->id.value, handles, &n);
		if (code != NVML_SUCCESS)
			return miss(r, code, GS_NVML_SYMBOL(cis), "the list of compute instances");
		for (unsigned k = 0; k < n && k < INSTANCES_PER_PROFILE_MAX; k++) {
			code = add_compute(r, cp, handles[k], inst);
			if (code != NVML_SUCCESS)
				return code;
		}
	}
	return NVML_SUCCESS;
}

static int add_instance(struct reading *r, const struct gs_profile *profile, nvml_gi gi)
{
	struct nvml_gi_info info = { 0 };
	struct gs_instance *inst;
	int code = GS_NVML_CALL(r->nvml, gi_info, gi, &info);

	/* gone between the list and the question: the next look will tell */
	if (code == NVML_ERROR_NOT_FOUND)
		return NVML_SUCCESS;
	if (code != NVML_SUCCESS)
		return miss(r, code, GS_NVML_SYMBOL(gi_info), "a GPU instance");
	if (gs_mig_instance_by_id(r->gpu, info.id))
		return NVML_SUCCESS;
	if (r->gpu->n_instances == GS_GRID_UNITS_MAX) {
		miss_absurd(r, "of more instances than a GPU can have");
		return NVML_SUCCESS;
	}
	inst = gs_gpu_add_instance(r->snapshot, r->gpu);
	if (!inst)
		return NVML_ERROR_MEMORY;
	inst->id = info.id;
	inst->kind = GS_KIND_MIG;
	inst->profile = gs_snapshot_text(r->snapshot, profile->name);
	inst->profile_id = GS_U32(info.profile_id);
	if (lies_in_grid(info.placement, r->set->memory_units, GS_GRID_UNITS_MAX)) {
		inst->start = GS_U32(info.placement.start);
		inst->size = GS_U32(info.placement.size);
	} else {
		miss_absurd(r, "of an instance outside of the GPU's grid");
	}
	code = gs_mig_profiles_learn(r->mig->profiles, &r->subject, profile, gi);
	/* a driver that cannot list them: the catalogue's are used */
	if (code != NVML_SUCCESS && code != NVML_ERROR_FUNCTION_NOT_FOUND)
		return miss(r, code, GS_NVML_SYMBOL(ci_profile_v), "the list of compute instance profiles");
	return read_compute(r, profile, gi, inst);
}

/* The privileged way: interfaces 5.7, «Fill order». NO_PERMISSION when it is not ours to go. */
static int read_instances(struct reading *r)
{
	if (!r->set->n)
		miss_absurd(r, "of MIG mode, but of no profile");
	for (size_t i = 0; i < r->set->n; i++) {
		const struct gs_profile *profile = &r->set->items[i];
		nvml_gi handles[INSTANCES_PER_PROFILE_MAX];
		unsigned n = 0;
		int code;

		/* the call has no room argument: the array must hold max_instances */
		if (!profile->id.known || profile->max_instances > INSTANCES_PER_PROFILE_MAX) {
			miss_absurd(r, "of more instances of a profile than a GPU can have");
			continue;
		}
		code = GS_NVML_CALL(r->nvml, gis, r->device, profile->id.value, handles, &n);
		if (code != NVML_SUCCESS)
			return miss(r, code, GS_NVML_SYMBOL(gis), "the list of instances");
		for (unsigned k = 0; k < n && k < INSTANCES_PER_PROFILE_MAX; k++) {
			code = add_instance(r, profile, handles[k]);
			if (code != NVML_SUCCESS)
				return code;
		}
	}
	return NVML_SUCCESS;
}

/* "NVIDIA H100 80GB HBM3 MIG 1c.3g.40gb" tells both profiles: the GI's is what follows "1c.". */
static void name_from_device(struct reading *r, nvml_device mig, struct gs_instance *inst, struct gs_compute *c)
{
	const struct gs_profile *profile;
	const struct gs_compute_profile *cp;
	const char *at, *whole, *gi;
	char text[NVML_TEXT];

	if (GS_NVML_CALL(r->nvml, device_name, mig, text, sizeof(text)) != NVML_SUCCESS)
		return;
	text[sizeof(text) - 1] = '\0';
	at = strstr(text, " MIG ");
	if (!at)
		return;
	whole = at + strlen(" MIG ");
	gi = whole + strspn(whole, "0123456789");
	gi = gs_str_starts(gi, "c.") ? gi + strlen("c.") : whole;
	inst->profile = gs_snapshot_text(r->snapshot, gi);
	c->profile = gs_snapshot_text(r->snapshot, whole);
	profile = r->set ? gs_profile_by_name(r->set, gi) : NULL;
	if (!profile)
		return;
	inst->profile_id = profile->id;
	if (profile->n_placements)
		inst->size = GS_U32(profile->placements[0].size);
	cp = gs_compute_profile_by_name(profile, whole);
	if (!cp)
		return;
	c->profile_id = cp->id;
	c->size = GS_U32(cp->compute_slices);
}

/* The instance and compute instance of a MIG device, made when the privileged way did not bring them. */
static int find_mig_device(struct reading *r, nvml_device mig, struct gs_instance **ret_inst, struct gs_compute **ret_compute)
{
	unsigned gi, ci;
	int code = GS_NVML_CALL(r->nvml, device_gi_id, mig, &gi);

	if (code == NVML_SUCCESS)
		code = GS_NVML_CALL(r->nvml, device_ci_id, mig, &ci);
	if (code != NVML_SUCCESS)
		return miss(r, code, GS_NVML_SYMBOL(device_gi_id), "the ids of a MIG device");
	*ret_inst = gs_mig_instance_by_id(r->gpu, gi);
	if (!*ret_inst) {
		*ret_inst = gs_gpu_add_instance(r->snapshot, r->gpu);
		if (!*ret_inst)
			return NVML_ERROR_MEMORY;
		(*ret_inst)->id = gi;
		(*ret_inst)->kind = GS_KIND_MIG;
	}
	*ret_compute = compute_by_id(*ret_inst, ci);
	if (*ret_compute)
		return NVML_SUCCESS;
	if ((*ret_inst)->n_compute == GS_COMPUTE_SLICES_MAX) {
		miss_absurd(r, "of more compute instances in a GPU instance than one has slices");
		return NVML_ERROR_NOT_FOUND;
	}
	*ret_compute = gs_instance_add_compute(r->snapshot, *ret_inst);
	if (!*ret_compute)
		return NVML_ERROR_MEMORY;
	(*ret_compute)->id = ci;
	name_from_device(r, mig, *ret_inst, *ret_compute);
	return NVML_SUCCESS;
}

static int read_mig_device(struct reading *r, nvml_device mig)
{
	struct gs_instance *inst;
	struct gs_compute *c;
	char uuid[NVML_TEXT];
	int code = find_mig_device(r, mig, &inst, &c);

	/* one that does not answer does not cost the others */
	if (code != NVML_SUCCESS)
		return code == NVML_ERROR_MEMORY || code == NVML_ERROR_GPU_IS_LOST ? code : NVML_SUCCESS;
	if (GS_NVML_CALL(r->nvml, device_uuid, mig, uuid, sizeof(uuid)) == NVML_SUCCESS) {
		uuid[sizeof(uuid) - 1] = '\0';
		c->uuid = gs_snapshot_text(r->snapshot, uuid);
	}
	if (r->telemetry && inst->n_compute == 1)
		(void)gs_readings_memory(r->nvml, mig, &inst->telemetry);
	return NVML_SUCCESS;
}

/* One handle per compute instance: where the UUIDs are, and all there is without privilege. */
static int read_mig_devices(struct reading *r)
{
	unsigned n = 0;
	int code = GS_NVML_CALL(r->nvml, mig_count, r->device, &n);

	if (code != NVML_SUCCESS)
		return miss(r, code, GS_NVML_SYMBOL(mig_count), "the number of MIG devices");
	if (n > MIG_DEVICES_MAX)
		miss_absurd(r, "of more MIG devices than a GPU can have");
	for (unsigned i = 0; i < n && i < MIG_DEVICES_MAX; i++) {
		nvml_device mig;

		code = GS_NVML_CALL(r->nvml, mig_device, r->device, i, &mig);
		if (code == NVML_ERROR_NOT_FOUND)
			continue;       /* a hole (interfaces 5.7) */
		if (code != NVML_SUCCESS) {
			if (miss(r, code, GS_NVML_SYMBOL(mig_device), "a MIG device") == NVML_ERROR_GPU_IS_LOST)
				return code;
			continue;
		}
		code = read_mig_device(r, mig);
		if (code != NVML_SUCCESS)
			return code;
	}
	return NVML_SUCCESS;
}

/* What has no name cannot be planned with, and a place would say that it can (the decoder does the same). */
static void unplace_unnamed(struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		struct gs_instance *inst = gpu->instances[i];

		for (size_t k = 0; k < inst->n_compute; k++) {
			if (!inst->compute[k]->profile)
				inst->start = GS_U32_UNKNOWN;
		}
	}
}

/* Has every instance its place, and has everything been answered? */
static bool sees_all(const struct reading *r)
{
	for (size_t i = 0; i < r->gpu->n_instances; i++) {
		if (!r->gpu->instances[i]->start.known)
			return false;
	}
	return !r->is_partial;
}

static void name_instances(struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		struct gs_instance *inst = gpu->instances[i];
		const struct gs_compute *first = NULL;

		for (size_t k = 0; k < inst->n_compute; k++) {
			if (!first || inst->compute[k]->id < first->id)
				first = inst->compute[k];
		}
		inst->uuid = first ? first->uuid : NULL;
	}
}

static void read_sm_count(struct reading *r, const struct gs_gpu_model *model)
{
	struct nvml_attributes attributes;

	if (model)
		r->gpu->sm_count = model->sm_count;
	else if (GS_NVML_CALL(r->nvml, device_attributes, r->device, &attributes) == NVML_SUCCESS)
		r->gpu->sm_count = GS_U32(attributes.sm_count);
}

static int read_all(struct reading *r)
{
	const struct gs_gpu_model *model = NULL;
	int code;

	if (r->mig->catalogue && r->gpu->pci_id)
		model = gs_catalogue_by_pci(r->mig->catalogue, r->gpu->pci_id, r->gpu->subsystem_id);
	read_identity(r);
	r->subject.uuid = r->gpu->uuid;
	read_sm_count(r, model);
	code = read_mode(r);
	if (code != NVML_SUCCESS)
		return code == NVML_ERROR_NOT_SUPPORTED ? NVML_SUCCESS : code;
	read_mode_rules(r, model);
	gs_mig_read_links(r->nvml, r->device, r->snapshot, r->gpu);
	code = gs_mig_profiles_get(r->mig->profiles, &r->subject, &r->set);
	if (code != NVML_SUCCESS && miss(r, code, GS_NVML_SYMBOL(gi_profile_v), "the list of profiles") == NVML_ERROR_GPU_IS_LOST)
		return code;
	if (r->subject.is_mig_on) {
		code = r->set ? read_instances(r) : NVML_SUCCESS;
		if (code != NVML_ERROR_GPU_IS_LOST)
			code = read_mig_devices(r);
		if (code == NVML_ERROR_GPU_IS_LOST)
			return code;
	}
	name_instances(r->gpu);
	/* without memory the snapshot cannot be sealed, so what is missing then is never taken for complete */
	if (r->set && gs_profile_set_copy(gs_snapshot_arena(r->snapshot), r->set, &r->gpu->grids[GS_KIND_MIG]) < 0)
		return NVML_ERROR_MEMORY;
	unplace_unnamed(r->gpu);
	/* privileged, and only in MIG mode (interfaces 5.7) */
	if (!r->is_partial && r->subject.is_mig_on)
		gs_mig_read_remaining(r->nvml, r->device, r->snapshot, r->gpu);
	r->gpu->placements_visible = sees_all(r);
	return NVML_SUCCESS;
}

int gs_mig_read(struct gs_mig *mig, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu, bool telemetry)
{
	struct reading r = {
		.mig = mig, .nvml = mig->nvml, .device = device, .snapshot = s, .gpu = gpu, .telemetry = telemetry,
		.subject = { .device = device, .bdf = gpu->bdf, .pci_id = gpu->pci_id, .subsystem_id = gpu->subsystem_id },
	};
	int code = read_all(&r);

	is_lost(&r, code);
	/* 20 may be the driver's own trouble, which costs this GPU only */
	return gs_arena_has_failed(gs_snapshot_arena(s)) ? -ENOMEM : 0;
}
