/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/amd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/family_util.h"
#include "base/parse.h"
#include "codec/json.h"

#define XCC_MAX 64

static const struct {
	const char *name;
	uint32_t partitions;    /* 0: one per XCC */
} modes[] = { { "SPX", 1 }, { "DPX", 2 }, { "TPX", 3 }, { "QPX", 4 }, { "CPX", 0 } };

/* ---------------------------------------------------------------- a memory mode that was asked for */

/*
 * Which life of the driver this is: sysfs makes the module's directory anew
 * each time that it is loaded, and numbers its inodes upwards.
 */
static uint64_t driver_life(struct gs_root *root)
{
	struct stat st;

	return gs_root_stat(root, &st, "sys/module/amdgpu") == 0 ? (uint64_t)st.st_ino : 0;
}

static char *requested_memory(struct gs_root *root, struct gs_bdf gpu, const char *current)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *text = NULL;
	struct gs_u64 life = GS_U64_UNKNOWN;
	const char *value = NULL;
	char bdf[GS_BDF_TEXT];

	if (gs_root_read(root, &text, GS_AMD_MEMORY_DIR "/%s", gs_bdf_format(gpu, bdf)) < 0 || gs_json_parse(text, strlen(text), "request", &o, NULL) < 0 ||
	    !json_object_is_type(o, json_type_object) || gs_json_get_string(o, "value", &value, NULL) < 0 || gs_json_get_u64(o, "driver", &life, NULL) < 0 || !value)
		return NULL;
	/* it has come true, or the driver was loaded again and did not take it: no longer pending */
	if (gs_str_equal(value, current) || !life.known || life.value != driver_life(root))
		return NULL;
	return strdup(value);
}

static int remember_memory(struct gs_doing *d)
{
	GS_JSON struct json_object *o = json_object_new_object();
	GS_FREE char *text = NULL;
	char bdf[GS_BDF_TEXT];
	int r;

	if (!o)
		return -ENOMEM;
	gs_json_add_string(o, "value", d->step->value);
	gs_json_add_u64(o, "driver", GS_U64(driver_life(d->root)));
	text = gs_json_to_line(o);
	if (!text)
		return -ENOMEM;
	gs_root_mkdir(d->root, 0755, "run/gpuslice");
	r = gs_root_mkdir(d->root, 0755, GS_AMD_MEMORY_DIR);
	return r < 0 ? r : gs_root_replace_file(d->root, text, strlen(text), 0644, (gid_t)-1, GS_AMD_MEMORY_DIR "/%s", gs_bdf_format(d->step->bdf, bdf));
}

/* ---------------------------------------------------------------- collecting */

static char *read_word(struct gs_root *root, struct gs_bdf gpu, const char *file)
{
	char *text = NULL;
	char bdf[GS_BDF_TEXT];

	/* EPERM while the GPU is being reset (interfaces 6.2): not known now */
	if (gs_root_read(root, &text, GS_PCI_DEVICES "/%s/%s", gs_bdf_format(gpu, bdf), file) < 0)
		return NULL;
	return text;
}

static int add_setting(struct gs_family_look *look, const char *key, const char *value, const char *what, struct gs_setting **ret_setting)
{
	char file[64];
	GS_FREE char *choices = NULL;
	const char *fixed = NULL;
	struct gs_setting *setting;

	snprintf(file, sizeof(file), "available_%s_partition", what);
	choices = read_word(look->root, look->gpu->bdf, file);
	snprintf(file, sizeof(file), "current_%s_partition", what);
	if (!gs_attribute_is_writable(look->root, look->gpu->bdf, file))
		fixed = "this GPU, or its driver, cannot switch it";
	else if (!choices)
		fixed = "the driver does not say which modes there are";
	setting = gs_setting_add(look->snapshot, look->gpu, key, value, choices, fixed);
	if (!setting)
		return -ENOMEM;
	if (value && !choices && !setting->n_choices) {
		const char **one = gs_arena_calloc(gs_snapshot_arena(look->snapshot), 1, sizeof(*one));

		if (!one)
			return -ENOMEM;
		one[0] = setting->value;
		setting->choices = one;
		setting->n_choices = 1;
	}
	*ret_setting = setting;
	return 0;
}

static uint32_t partitions_of(const char *mode, uint32_t xcc)
{
	for (size_t i = 0; mode && i < GS_ARRAY_SIZE(modes); i++) {
		if (strcmp(modes[i].name, mode) == 0)
			return modes[i].partitions ? modes[i].partitions : xcc;
	}
	return 0;
}

static bool offers(const struct gs_setting *compute, const char *mode)
{
	for (size_t i = 0; i < compute->n_choices; i++) {
		if (strcmp(compute->choices[i], mode) == 0)
			return true;
	}
	return false;
}

/*
 * How many XCCs. The driver tells how many a partition of the displayed mode
 * has (not in CPX, where it is always one); else the modes that it offers tell
 * (interfaces 6.1, 6.4). 0: not known.
 */
static uint32_t count_xcc(struct gs_family_look *look, const struct gs_setting *compute)
{
	GS_FREE char *displayed = read_word(look->root, look->gpu->bdf, "compute_partition_config/xcp_config");
	uint32_t parts = displayed && strcmp(displayed, "CPX") != 0 ? partitions_of(displayed, 0) : 0;
	char bdf[GS_BDF_TEXT];
	uint64_t each;

	if (parts && gs_root_read_u64(look->root, 10, &each, GS_PCI_DEVICES "/%s/compute_partition_config/xcc/num_inst", gs_bdf_format(look->gpu->bdf, bdf)) == 0 &&
	    each && each <= XCC_MAX / parts)
		return (uint32_t)each * parts;
	if (offers(compute, "QPX"))
		return 8;
	if (offers(compute, "TPX"))
		return 6;
	return offers(compute, "DPX") ? 4 : 0;
}

static int fill_profile(struct gs_family_look *look, struct gs_profile *p, const char *mode, uint32_t parts, uint32_t xcc)
{
	struct gs_span *spans = gs_arena_calloc(gs_snapshot_arena(look->snapshot), parts, sizeof(*spans));

	if (!spans)
		return -ENOMEM;
	for (uint32_t i = 0; i < parts; i++)
		spans[i] = (struct gs_span){ i * (xcc / parts), xcc / parts };
	p->name = mode;
	p->compute_slices = xcc / parts;
	p->max_instances = parts;
	p->placements = spans;
	p->n_placements = parts;
	if (look->gpu->memory_bytes.known)
		p->memory_bytes = GS_U64(look->gpu->memory_bytes.value / parts);
	return 0;
}

static int make_grid(struct gs_family_look *look, const struct gs_setting *compute, uint32_t xcc)
{
	struct gs_profile *items = gs_arena_calloc(gs_snapshot_arena(look->snapshot), compute->n_choices, sizeof(*items));
	size_t n = 0;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < compute->n_choices; i++) {
		uint32_t parts = partitions_of(compute->choices[i], xcc);

		if (parts && parts <= xcc && xcc % parts == 0 && fill_profile(look, &items[n++], compute->choices[i], parts, xcc) < 0)
			return -ENOMEM;
	}
	look->gpu->grids[GS_KIND_PARTITION] =
		(struct gs_profile_set){ .memory_units = xcc, .compute_slices = xcc, .max_instances = xcc, .items = items, .n = n, .source = GS_PROFILES_DRIVER };
	return 0;
}

/* The partitions follow from the mode: there is one row for each, and none of them can be made or deleted alone. */
static int add_instances(struct gs_family_look *look, const char *mode, uint32_t xcc)
{
	uint32_t parts = partitions_of(mode, xcc);

	for (uint32_t i = 0; parts > 1 && xcc % parts == 0 && i < parts; i++) {
		struct gs_instance *inst = gs_gpu_add_instance(look->snapshot, look->gpu);

		if (!inst)
			return -ENOMEM;
		inst->id = i;
		inst->kind = GS_KIND_PARTITION;
		inst->profile = mode;
		inst->start = GS_U32(i * (xcc / parts));
		inst->size = GS_U32(xcc / parts);
	}
	return 0;
}

static int collect_compute(struct gs_family_look *look, const char *current)
{
	struct gs_setting *compute = NULL;
	uint32_t xcc;
	int r = add_setting(look, GS_AMD_COMPUTE, current, "compute", &compute);

	if (r < 0)
		return r;
	xcc = count_xcc(look, compute);
	if (!xcc || !compute->n_choices)
		return 0;
	r = make_grid(look, compute, xcc);
	return r == 0 && compute->value ? add_instances(look, compute->value, xcc) : r;
}

static int collect_memory(struct gs_family_look *look, const char *current)
{
	GS_FREE char *requested = requested_memory(look->root, look->gpu->bdf, current);
	struct gs_setting *memory = NULL;
	int r = add_setting(look, GS_AMD_MEMORY, current, "memory", &memory);

	if (r == 0 && requested) {
		memory->pending = gs_snapshot_text(look->snapshot, requested);
		r = memory->pending ? 0 : -ENOMEM;
	}
	return r;
}

static void read_memory_size(struct gs_family_look *look)
{
	char bdf[GS_BDF_TEXT];
	uint64_t bytes;

	if (!look->gpu->memory_bytes.known &&
	    gs_root_read_u64(look->root, 10, &bytes, GS_PCI_DEVICES "/%s/mem_info_vram_total", gs_bdf_format(look->gpu->bdf, bdf)) == 0)
		look->gpu->memory_bytes = GS_U64(bytes);
}

/* From the board's own FRU, where amdgpu could read it (amdgpu_fru_eeprom.c); pci.ids is behind with new boards. */
static void read_name(struct gs_family_look *look)
{
	GS_FREE char *name = look->gpu->name ? NULL : read_word(look->root, look->gpu->bdf, "product_name");

	if (name && name[0])
		look->gpu->name = gs_snapshot_text(look->snapshot, name);
}

static int collect(struct gs_family_look *look)
{
	GS_FREE char *compute = NULL, *memory = NULL;
	struct gs_gpu *gpu = look->gpu;
	int r = 0;

	if (gpu->vendor != GS_VENDOR_AMD)
		return 0;
	if (gs_str_equal(gpu->driver, "gim"))
		gpu->framework = GS_FRAMEWORK_GIM;
	read_memory_size(look);
	read_name(look);
	if (!gs_function_has(look->root, gpu->bdf, "current_compute_partition"))
		return 0;
	gpu->framework = GS_FRAMEWORK_AMDGPU;
	compute = read_word(look->root, gpu->bdf, "current_compute_partition");
	memory = read_word(look->root, gpu->bdf, "current_memory_partition");
	r = collect_compute(look, compute);
	if (r == 0 && gs_function_has(look->root, gpu->bdf, "current_memory_partition"))
		r = collect_memory(look, memory);
	return r;
}

/* ---------------------------------------------------------------- steps */

static int explain(struct gs_doing *d, int r)
{
	char holders[224];

	gs_doing_holders(d, d->step->bdf, holders, sizeof(holders));
	if (r == -EBUSY || r == -EPERM || r == -EACCES)
		return gs_doing_fail(d, r, d->step->bdf,
				     "%s was not set to %s: processes use /dev/kfd, or the GPU is being reset%s. Nothing was changed: all compute processes have to end, ROCm "
				     "tools and exporters too",
				     d->step->key, d->step->value, holders);
	if (r == -EINVAL)
		return gs_doing_fail(d, r, d->step->bdf,
				     "%s was not set to %s: this GPU has no such mode, or it does not go with the other partition mode. Nothing was changed: "
				     "compute_partition_config/supported_nps_configs says what goes together",
				     d->step->key, d->step->value);
	if (r == -EIO)
		return gs_doing_fail(d, r, d->step->bdf, "%s was not set to %s: the driver could not start compute again; dmesg says why", d->step->key, d->step->value);
	return gs_doing_fail(d, r, d->step->bdf, "%s was not set to %s: %s", d->step->key, d->step->value, gs_errno_reason(r));
}

static int set_compute(struct gs_doing *d)
{
	char bdf[GS_BDF_TEXT];
	GS_FREE char *now = NULL;
	int r = gs_doing_write(d, d->step->bdf, d->step->value, GS_PCI_DEVICES "/%s/current_compute_partition", gs_bdf_format(d->step->bdf, bdf));

	if (r == -EINPROGRESS)
		return r;
	if (r < 0)
		return explain(d, r);
	now = read_word(d->root, d->step->bdf, "current_compute_partition");
	return gs_str_equal(now, d->step->value) ? 0
						 : gs_doing_fail(d, -EIO, d->step->bdf, "%s was reported as set to %s, but reads %s", d->step->key, d->step->value, now ? now : "nothing");
}

/* Success means that it was noted: it is active after the driver was loaded again (interfaces 6.3). */
static int set_memory(struct gs_doing *d)
{
	char bdf[GS_BDF_TEXT];
	GS_FREE char *now = NULL, *earlier = NULL;
	int r = gs_doing_write(d, d->step->bdf, d->step->value, GS_PCI_DEVICES "/%s/current_memory_partition", gs_bdf_format(d->step->bdf, bdf));

	if (r == -EINPROGRESS)
		return r;
	if (r < 0)
		return explain(d, r);
	now = read_word(d->root, d->step->bdf, "current_memory_partition");
	if (gs_str_equal(now, d->step->value)) {
		/* asking for what is, is a no-op for the driver: an earlier request stays */
		earlier = requested_memory(d->root, d->step->bdf, now);
		if (earlier)
			snprintf(d->outcome->note, sizeof(d->outcome->note),
				 "%s: the driver does not take the earlier request for %.32s back; it is carried out when amdgpu is loaded again", bdf, earlier);
		return 0;
	}
	r = remember_memory(d);
	d->outcome->is_pending = true;
	snprintf(d->outcome->note, sizeof(d->outcome->note),
		 "%s: %s is active after amdgpu was unloaded and loaded again; in an XGMI hive every GPU has to be asked for the same%s", bdf, d->step->value,
		 r < 0 ? ". The request could not be noted" : "");
	return 0;
}

static bool takes(const struct gs_step *step)
{
	return step->op == GS_STEP_SET_SETTING && step->key && (strcmp(step->key, GS_AMD_COMPUTE) == 0 || strcmp(step->key, GS_AMD_MEMORY) == 0);
}

static int run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct gs_doing d;
	int r;

	gs_doing_begin(&d, w, step, ret_outcome, e);
	r = strcmp(step->key, GS_AMD_COMPUTE) == 0 ? set_compute(&d) : set_memory(&d);
	return r == -EINPROGRESS ? 0 : r;
}

const struct gs_family gs_family_amd = { "amd", collect, takes, run };
