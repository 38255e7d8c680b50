/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/mig_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/vgpu_nvml.h"
#include "base/parse.h"

#define HANDLES_MAX 64

/* What one step works on. */
struct writing {
	struct gs_mig *mig;
	struct gs_nvml *nvml;
	nvml_device device;
	const struct gs_step *step;
	struct gs_mig_subject subject;
	char bdf[GS_BDF_TEXT];
	char uuid[NVML_TEXT];
	char pci_id[12], subsystem_id[12];
	const struct gs_profile *profile;       /* of the step's GI */
};

static int find_device(struct writing *w, struct gs_error *e)
{
	struct nvml_pci_info pci = { 0 };
	unsigned now = 0, pending = 0;
	int code;

	gs_bdf_format(w->step->bdf, w->bdf);
	code = gs_mig_device(w->mig, w->step->bdf, &w->device);
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(device_by_bus_id), "the driver does not know a GPU at %s", w->bdf);
	code = GS_NVML_CALL(w->nvml, device_uuid, w->device, w->uuid, sizeof(w->uuid));
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(device_uuid), "the UUID of the GPU at %s cannot be read", w->bdf);
	w->uuid[sizeof(w->uuid) - 1] = '\0';
	if (w->step->gpu_uuid && strcmp(w->step->gpu_uuid, w->uuid) != 0)
		return gs_error_set(e, -ESTALE, GS_STATUS_REFUSED, "at %s there is another GPU (%s) than the plan was made for (%s). Nothing was done: plan again",
				    w->bdf, w->uuid, w->step->gpu_uuid);
	if (GS_NVML_CALL(w->nvml, device_pci, w->device, &pci) == NVML_SUCCESS) {
		snprintf(w->pci_id, sizeof(w->pci_id), "%04x:%04x", pci.pci_device_id & 0xffff, pci.pci_device_id >> 16);
		snprintf(w->subsystem_id, sizeof(w->subsystem_id), "%04x:%04x", pci.pci_subsystem_id & 0xffff, pci.pci_subsystem_id >> 16);
	}
	GS_NVML_CALL(w->nvml, mig_mode, w->device, &now, &pending);
	w->subject = (struct gs_mig_subject){ .device = w->device, .bdf = w->step->bdf, .uuid = w->uuid, .is_mig_on = now == NVML_MIG_ENABLE,
		.pci_id = w->pci_id[0] ? w->pci_id : NULL, .subsystem_id = w->subsystem_id[0] ? w->subsystem_id : NULL };
	return 0;
}

static int find_profile(struct writing *w, struct gs_error *e)
{
	const struct gs_profile_set *set;
	int code = gs_mig_profiles_get(w->mig->profiles, &w->subject, &set);

	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(gi_profile_v), "the profiles of %s cannot be read", w->bdf);
	w->profile = w->step->profile ? gs_profile_by_name(set, w->step->profile) : NULL;
	if (!w->profile || !w->profile->id.known)
		return gs_error_set(e, -EINVAL, GS_STATUS_REFUSED, "the driver of %s offers no profile %s now. Nothing was done: plan again", w->bdf,
				    w->step->profile ? w->step->profile : "(none)");
	return 0;
}

/* The GI of the step's profile at the step's place; ids are the driver's and are reused, so they do not identify. */
static int find_gi(struct writing *w, nvml_gi *ret_gi, struct nvml_gi_info *ret_info, struct gs_error *e)
{
	nvml_gi handles[HANDLES_MAX];
	unsigned n = 0;
	int r = find_profile(w, e);
	int code;

	if (r < 0)
		return r;
	if (w->profile->max_instances > HANDLES_MAX)
		return gs_error_set(e, -E2BIG, GS_STATUS_FAILED, "the driver of %s allows %u instances of %s, more than this program can handle", w->bdf,
				    w->profile->max_instances, w->profile->name);
	code = GS_NVML_CALL(w->nvml, gis, w->device, w->profile->id.value, handles, &n);
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(gis), "the GPU instances of %s cannot be listed", w->bdf);
	for (unsigned i = 0; i < n && i < HANDLES_MAX; i++) {
		struct nvml_gi_info info = { 0 };

		if (GS_NVML_CALL(w->nvml, gi_info, handles[i], &info) != NVML_SUCCESS)
			continue;
		if (info.placement.start == w->step->span.start && info.placement.size == w->step->span.size) {
			*ret_gi = handles[i];
			*ret_info = info;
			return 0;
		}
	}
	return gs_error_set(e, -ENOENT, GS_STATUS_REFUSED, "there is no GPU instance %s at %u on %s any more: somebody else changed it. Plan again",
			    w->profile->name, w->step->span.start, w->bdf);
}

/* Hopper and later change their mode without a reset (interfaces 5.8): those have only to come free. */
static bool is_resetless(const struct writing *w)
{
	struct nvml_field_value field = { .field_id = NVML_FIELD_IS_RESETLESS_MIG_SUPPORTED };

	return GS_NVML_CALL(w->nvml, device_fields, w->device, 1, &field) == NVML_SUCCESS && field.nvml_return == NVML_SUCCESS && field.value.ui;
}

/* What has to happen, and the command that makes it; who holds the GPU is said by the agent. */
static void note_pending(const struct writing *w, int activation, char *note, size_t size)
{
	if (activation == NVML_ERROR_IN_USE && is_resetless(w))
		snprintf(note, size, "the mode is pending: it comes when nobody uses the GPU any more");
	else
		snprintf(note, size, "the mode is pending until the GPU is reset: nvidia-smi --gpu-reset -i %s once nobody uses it, or apply again with --allow-reset%s", w->bdf,
			 activation == NVML_ERROR_RESET_REQUIRED ? " (in a virtual machine: reboot it)" : "");
}

static int set_mode(struct writing *w, struct gs_step_outcome *out, struct gs_error *e)
{
	bool on = w->step->mode == GS_MODE_MIG;
	int activation = NVML_SUCCESS;
	int code;

	if (!on && w->step->mode != GS_MODE_WHOLE)
		return gs_error_set(e, -EOPNOTSUPP, GS_STATUS_REFUSED, "%s cannot be put into mode %s by NVML", w->bdf, gs_mode_name(w->step->mode));
	code = GS_NVML_CALL(w->nvml, set_mig_mode, w->device, on ? NVML_MIG_ENABLE : NVML_MIG_DISABLE, &activation);
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(set_mig_mode), "%s: MIG mode was not switched %s", w->bdf, on ? "on" : "off");
	/* two answers: the call's, and whether the mode is active already (interfaces 5.7) */
	if (activation == NVML_SUCCESS)
		return 0;
	if (activation == NVML_ERROR_IN_USE || activation == NVML_ERROR_RESET_REQUIRED) {
		out->is_pending = true;
		note_pending(w, activation, out->note, sizeof(out->note));
		return 0;
	}
	return gs_nvml_error(e, activation, GS_NVML_SYMBOL(set_mig_mode),
			     "%s: the driver took the order to switch MIG mode %s, but it did not become active and may be pending now (see: gpuslice list)", w->bdf,
			     on ? "on" : "off");
}

/* What was made and is not what was asked for does not stay: an undo would take it for somebody else's. */
static const char *take_back(bool is_removed)
{
	return is_removed ? "It was removed again" : "It could not be removed again and may still be there";
}

static int create_gi(struct writing *w, struct gs_step_outcome *out, struct gs_error *e)
{
	struct nvml_placement place = { w->step->span.start, w->step->span.size };
	struct nvml_gi_info info = { 0 };
	nvml_gi gi = NULL;
	int r = find_profile(w, e);
	int code;

	if (r < 0)
		return r;
	code = GS_NVML_CALL(w->nvml, create_gi, w->device, w->profile->id.value, &place, &gi);
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(create_gi), "%s: no GPU instance %s was created at %u", w->bdf, w->profile->name, place.start);
	code = gi ? GS_NVML_CALL(w->nvml, gi_info, gi, &info) : NVML_ERROR_NOT_FOUND;
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(gi_info), "%s: the driver says that it created %s at %u, but does not show it. %s", w->bdf,
				     w->profile->name, place.start, take_back(gi && GS_NVML_CALL(w->nvml, destroy_gi, gi) == NVML_SUCCESS));
	if (info.profile_id != w->profile->id.value || info.placement.start != place.start || info.placement.size != place.size) {
		return gs_error_set(e, -EIO, GS_STATUS_FAILED,
				    "%s: asked for %s (profile %u) at %u, the driver made profile %u at %u (GI %u). %s", w->bdf, w->profile->name,
				    w->profile->id.value, place.start, info.profile_id, info.placement.start, info.id,
				    take_back(GS_NVML_CALL(w->nvml, destroy_gi, gi) == NVML_SUCCESS));
	}
	out->id = info.id;
	return 0;
}

static int destroy_gi(struct writing *w, struct gs_step_outcome *out, struct gs_error *e)
{
	struct nvml_gi_info info;
	nvml_gi gi;
	int r = find_gi(w, &gi, &info, e);
	int code;

	if (r < 0)
		return r;
	if (info.id != w->step->instance_id)
		return gs_error_set(e, -ESTALE, GS_STATUS_REFUSED,
				    "%s: the %s at %u is GI %u now, the plan saw GI %u: it was recreated meanwhile. Nothing was done: plan again", w->bdf,
				    w->profile->name, info.placement.start, info.id, w->step->instance_id);
	code = GS_NVML_CALL(w->nvml, destroy_gi, gi);
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(destroy_gi), "%s: GI %u (%s at %u) was not destroyed", w->bdf, info.id, w->profile->name,
				     info.placement.start);
	out->id = info.id;
	return 0;
}

static int find_compute_profile(struct writing *w, nvml_gi gi, const struct gs_compute_profile **ret_profile, struct gs_error *e)
{
	const struct gs_compute_profile *cp;
	int code;

	code = gs_mig_profiles_learn(w->mig->profiles, &w->subject, w->profile, gi);
	if (code != NVML_SUCCESS && code != NVML_ERROR_FUNCTION_NOT_FOUND)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(ci_profile_v), "%s: the compute instance profiles of %s cannot be listed, nothing was done", w->bdf,
				     w->profile->name);
	cp = w->step->compute_profile ? gs_compute_profile_by_name(w->profile, w->step->compute_profile) : NULL;
	if (cp && cp->id.known) {
		*ret_profile = cp;
		return 0;
	}
	return gs_error_set(e, -EINVAL, GS_STATUS_REFUSED, "%s: %s has no compute profile %s. Nothing was done: plan again", w->bdf, w->profile->name,
			    w->step->compute_profile ? w->step->compute_profile : "(none)");
}

static int create_ci(struct writing *w, struct gs_step_outcome *out, struct gs_error *e)
{
	struct nvml_placement place = { w->step->compute_span.start, w->step->compute_span.size };
	const struct gs_compute_profile *cp;
	struct nvml_ci_info info = { 0 };
	struct nvml_gi_info parent;
	nvml_gi gi;
	nvml_ci ci = NULL;
	int r = find_gi(w, &gi, &parent, e);
	int code;

	if (r < 0)
		return r;
	r = find_compute_profile(w, gi, &cp, e);
	if (r < 0)
		return r;
	code = GS_NVML_CALL(w->nvml, create_ci, gi, cp->id.value, &place, &ci);
	/* an old library places by itself; where it did is read back, and one that lies elsewhere is removed */
	if (code == NVML_ERROR_FUNCTION_NOT_FOUND)
		code = GS_NVML_CALL(w->nvml, create_ci_anywhere, gi, cp->id.value, &ci);
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(create_ci), "%s GI %u: no compute instance %s was created at %u", w->bdf, parent.id, cp->name,
				     place.start);
	code = ci ? GS_NVML_CALL(w->nvml, ci_info, ci, &info) : NVML_ERROR_NOT_FOUND;
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(ci_info), "%s GI %u: the driver says that it created compute instance %s, but does not show it. %s",
				     w->bdf, parent.id, cp->name, take_back(ci && GS_NVML_CALL(w->nvml, destroy_ci, ci) == NVML_SUCCESS));
	if (info.profile_id != cp->id.value || info.placement.start != place.start || info.placement.size != place.size) {
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s GI %u: asked for compute instance %s at %u, the driver made profile %u at %u. %s", w->bdf,
				    parent.id, cp->name, place.start, info.profile_id, info.placement.start,
				    take_back(GS_NVML_CALL(w->nvml, destroy_ci, ci) == NVML_SUCCESS));
	}
	out->id = info.id;
	return 0;
}

static int destroy_ci(struct writing *w, struct gs_step_outcome *out, struct gs_error *e)
{
	const struct gs_compute_profile *cp;
	struct nvml_gi_info parent;
	nvml_ci handles[HANDLES_MAX];
	unsigned n = 0;
	nvml_gi gi;
	int r = find_gi(w, &gi, &parent, e);
	int code;

	if (r < 0)
		return r;
	r = find_compute_profile(w, gi, &cp, e);
	if (r < 0)
		return r;
	code = cp->max_instances <= HANDLES_MAX ? GS_NVML_CALL(w->nvml, cis, gi, cp->id.value, handles, &n) : NVML_ERROR_INSUFFICIENT_SIZE;
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(cis), "%s GI %u: its compute instances cannot be listed", w->bdf, parent.id);
	for (unsigned i = 0; i < n && i < HANDLES_MAX; i++) {
		struct nvml_ci_info info = { 0 };

		if (GS_NVML_CALL(w->nvml, ci_info, handles[i], &info) != NVML_SUCCESS || info.placement.start != w->step->compute_span.start)
			continue;
		if (parent.id != w->step->instance_id || info.id != w->step->compute_id)
			return gs_error_set(e, -ESTALE, GS_STATUS_REFUSED,
					    "%s: compute instance %s is GI %u CI %u now, the plan saw GI %u CI %u. Nothing was done: plan again", w->bdf,
					    cp->name, parent.id, info.id, w->step->instance_id, w->step->compute_id);
		code = GS_NVML_CALL(w->nvml, destroy_ci, handles[i]);
		if (code != NVML_SUCCESS)
			return gs_nvml_error(e, code, GS_NVML_SYMBOL(destroy_ci), "%s GI %u: CI %u (%s) was not destroyed", w->bdf, parent.id, info.id,
					     cp->name);
		out->id = info.id;
		return 0;
	}
	return gs_error_set(e, -ENOENT, GS_STATUS_REFUSED, "%s GI %u has no compute instance %s at %u any more: somebody else changed it. Plan again",
			    w->bdf, parent.id, cp->name, w->step->compute_span.start);
}

/* Of the GPU, or of the GI that the step names by its profile and place. */
static int set_setting(struct writing *w, struct gs_error *e)
{
	struct nvml_gi_info info;
	nvml_gi gi = NULL;
	char where[96];
	int r;

	if (!w->step->profile)
		return gs_vgpu_nvml_set(w->nvml, w->device, NULL, w->bdf, w->step->key, w->step->value, e);
	r = find_gi(w, &gi, &info, e);
	if (r < 0)
		return r;
	snprintf(where, sizeof(where), "%s GI %u (%.40s at %u)", w->bdf, info.id, w->profile->name, info.placement.start);
	return gs_vgpu_nvml_set(w->nvml, w->device, gi, where, w->step->key, w->step->value, e);
}

int gs_mig_run(struct gs_mig *mig, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct writing w = { .mig = mig, .nvml = mig->nvml, .step = step };
	struct gs_step_outcome out = { 0 };
	int r = find_device(&w, e);

	if (r < 0)
		return r;
	switch (step->op) {
	case GS_STEP_SET_MODE:
		r = set_mode(&w, &out, e);
		break;
	case GS_STEP_CREATE_GI:
		r = create_gi(&w, &out, e);
		break;
	case GS_STEP_DESTROY_GI:
		r = destroy_gi(&w, &out, e);
		break;
	case GS_STEP_CREATE_CI:
		r = create_ci(&w, &out, e);
		break;
	case GS_STEP_DESTROY_CI:
		r = destroy_ci(&w, &out, e);
		break;
	case GS_STEP_SET_SETTING:
		r = set_setting(&w, e);
		break;
	default:
		return gs_error_set(e, -EOPNOTSUPP, GS_STATUS_FAILED, "%s: step %s is nothing that NVML does", w.bdf, gs_step_op_name(step->op));
	}
	if (r == 0)
		*ret_outcome = out;
	return r;
}
