/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vgpu_run.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/vgpu_text.h"

static bool is_vgpu_framework(enum gs_framework f)
{
	return f == GS_FRAMEWORK_INVALID || f == GS_FRAMEWORK_NVML || f == GS_FRAMEWORK_MDEV || f == GS_FRAMEWORK_VENDOR_VFIO;
}

bool gs_vgpu_takes(const struct gs_step *step)
{
	switch (step->op) {
	case GS_STEP_CREATE_VGPU:
	case GS_STEP_REMOVE_VGPU:
		return true;
	case GS_STEP_SET_PARAM:
		return is_vgpu_framework(step->framework);
	default:
		return false;
	}
}

bool gs_vgpu_names_match(const char *a, const char *b)
{
	return a && b && strcmp(gs_vgpu_name_short(a), gs_vgpu_name_short(b)) == 0;
}

const char *gs_vgpu_own_file(const char *key)
{
	static const char *const files[][3] = {
		{ "placement_id", "placement-id", "placement_id" },
		{ "gpu_instance_id", "gpu-instance-id", "gpu_instance_id" },
	};

	for (size_t i = 0; i < GS_ARRAY_SIZE(files); i++) {
		if (strcmp(key, files[i][0]) == 0 || strcmp(key, files[i][1]) == 0)
			return files[i][2];
	}
	return NULL;
}

bool gs_vgpu_param_is_sound(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == ',' || *p == '=' || !isgraph((unsigned char)*p))
			return false;
	}
	return true;
}

char *gs_vgpu_params_with(const char *now, const char *key, const char *value)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	GS_FREE char *copy = strdup(now);
	size_t length = strlen(key);
	char *at = copy, *word;
	bool is_in = false;

	if (!copy)
		return NULL;
	gs_strbuf_puts(&b, "");
	while ((word = strsep(&at, ", \t\n"))) {
		if (!*word)
			continue;
		if (strncmp(word, key, length) != 0 || word[length] != '=')
			gs_strbuf_printf(&b, "%s%s", b.length ? "," : "", word);
		else if (value[0] && !is_in)
			gs_strbuf_printf(&b, "%s%s=%s", b.length ? "," : "", key, value);
		is_in = is_in || (strncmp(word, key, length) == 0 && word[length] == '=');
	}
	if (value[0] && !is_in)
		gs_strbuf_printf(&b, "%s%s=%s", b.length ? "," : "", key, value);
	/* a blank clears: nothing at all never reaches the kernel (interfaces 1.5) */
	if (!b.length)
		gs_strbuf_puts(&b, " ");
	return gs_strbuf_take(&b);
}

int gs_vgpu_function(struct gs_doing *d, struct gs_bdf *ret_function)
{
	const struct gs_step *step = d->step;
	struct gs_bdf now;
	char bdf[GS_BDF_TEXT], wanted[GS_BDF_TEXT];
	int r;

	if (!step->vf.known) {
		*ret_function = step->bdf;
		return 0;
	}
	r = gs_vf_function(d->root, step->bdf, step->vf.value, &now);
	if (r < 0)
		return gs_doing_fail(d, r, step->bdf, "VF %" PRIu32 " is not there: its VFs are not enabled, or fewer than that. Nothing was done", step->vf.value);
	/* a step that was planned before the VFs came names the PF, or nothing */
	if (gs_bdf_compare(step->function, now) != 0 && gs_bdf_compare(step->function, step->bdf) != 0 &&
	    gs_bdf_compare(step->function, (struct gs_bdf){ 0 }) != 0)
		return gs_doing_fail(d, -ESTALE, step->bdf, "VF %" PRIu32 " is %s now and not %s any more. Nothing was done: look again", step->vf.value,
				     gs_bdf_format(now, bdf), gs_bdf_format(step->function, wanted));
	*ret_function = now;
	return 0;
}

static int dispatch(struct gs_doing *d)
{
	struct gs_bdf function;
	int r = gs_vgpu_function(d, &function);

	if (r < 0)
		return r;
	if (gs_function_has(d->root, function, "nvidia/current_vgpu_type"))
		return gs_vendor_vfio_do(d, function);
	/* an mdev that is there is found by its UUID; what it lies on matters for new ones only */
	if (gs_function_has(d->root, function, "mdev_supported_types") || (d->step->uuid && d->step->op != GS_STEP_CREATE_VGPU))
		return gs_mdev_do(d, function);
	return gs_doing_fail(d, -ENODEV, function,
			     "the driver offers no vGPU here (neither nvidia/current_vgpu_type nor mdev_supported_types): is the vGPU host driver loaded, and has "
			     "nvidia-vgpud run? Nothing was done");
}

int gs_vgpu_run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct gs_doing d;
	int r;

	gs_doing_begin(&d, w, step, ret_outcome, e);
	r = dispatch(&d);
	return r == -EINPROGRESS ? 0 : r;
}
