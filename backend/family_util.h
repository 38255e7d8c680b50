/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family_util.h - what the families share: reading a PCI function's files, and
 * carrying a step out with errors that an operator can act on.
 */
#ifndef GS_BACKEND_FAMILY_UTIL_H
#define GS_BACKEND_FAMILY_UTIL_H

#include "backend/family.h"
#include "backend/writer.h"

#define GS_PCI_DEVICES "sys/bus/pci/devices"
#define GS_WORD 64

/* ---- reading ---- */

/* The bound driver, or "". Returns @buf, which has GS_WORD bytes. */
const char *gs_function_driver(struct gs_root *root, struct gs_bdf function, char *buf);
/* Is that function there, with that file (NULL: at all)? */
bool gs_function_has(struct gs_root *root, struct gs_bdf function, const char *file);
/* The 24 bits of «class»; 0 when it cannot be read. */
uint32_t gs_function_class(struct gs_root *root, struct gs_bdf function);
/* Unknown without an IOMMU. */
struct gs_u32 gs_function_group(struct gs_root *root, struct gs_bdf function);
/* Where «virtfnN» of @pf leads now. -ENOENT when that VF is not enabled. */
int gs_vf_function(struct gs_root *root, struct gs_bdf pf, uint32_t n, struct gs_bdf *ret_vf);
/* How many «virtfnN» links there are: sriov_numvfs itself hangs while a VF is stuck (testbench 4). -errno of the directory. */
int gs_vfs_count(struct gs_root *root, struct gs_bdf pf, uint32_t *ret_n);
/* Can the attribute be written, by its mode? */
bool gs_attribute_is_writable(struct gs_root *root, struct gs_bdf function, const char *file);

/* The numbers behind @prefix in the names of a directory ("virtfn12": 12), sorted, at most @max. -errno of the directory. */
int gs_numbered_entries(struct gs_root *root, const char *directory, const char *prefix, uint32_t *ret_numbers, size_t max, size_t *ret_n);

/* A profile set in @s's arena: @units places of one unit each. -ENOMEM. */
int gs_slots_make(struct gs_snapshot *s, uint32_t units, struct gs_profile *items, size_t n, enum gs_profile_source source, struct gs_profile_set *ret_set);
/* «a=b,c=d», as vgpu_params reads (interfaces 1.5), into an instance. -ENOMEM. */
int gs_params_read(struct gs_snapshot *s, struct gs_instance *inst, const char *text);
int gs_params_add(struct gs_snapshot *s, struct gs_instance *inst, const char *key, const char *value);
/* A setting with words to choose from: separated by commas and blanks, NULL or empty: a number. @fixed: why it cannot be written; NULL. -ENOMEM. */
struct gs_setting *gs_setting_add(struct gs_snapshot *s, struct gs_gpu *gpu, const char *key, const char *value, const char *choices, const char *fixed);

/* ---- carrying out ---- */

/* One step under way. */
struct gs_doing {
	struct gs_writer *w;
	struct gs_root *root;
	const struct gs_step *step;
	struct gs_step_outcome *outcome;
	struct gs_error *e;
	struct gs_error own;            /* where @e was NULL */
};
void gs_doing_begin(struct gs_doing *d, struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *outcome, struct gs_error *e);

/*
 * Write through the writer. 0; -EINPROGRESS: left pending, @d->outcome says
 * so, and the step is over; another -errno: the kernel's, or one that d->e
 * explains already.
 */
int gs_doing_write(struct gs_doing *d, struct gs_bdf function, const char *value, const char *fmt, ...) GS_PRINTF(4, 5);
/* "0000:26:00.4: " and the sentence, status FAILED; leaves an explanation that is there already. Returns @r. */
int gs_doing_fail(struct gs_doing *d, int r, struct gs_bdf function, const char *fmt, ...) GS_PRINTF(4, 5);
/* What an errno means for any attribute (interfaces 9.4). */
const char *gs_errno_reason(int r);
/* "; it is held by pid 4711 qemu", or "". Returns @buf. */
const char *gs_doing_holders(struct gs_doing *d, struct gs_bdf function, char *buf, size_t size);

#endif
