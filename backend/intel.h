/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intel.h - how Intel's drivers share a GPU out among its VFs (interfaces 7):
 * xe's sriov_admin and i915's prelim_iov or iov. On the PF they are settings,
 * on a VF parameters of its instance. Their vf1 is our VF 0.
 */
#ifndef GS_BACKEND_INTEL_H
#define GS_BACKEND_INTEL_H

#include "backend/family.h"

/* After the family that makes VFs instances. */
extern const struct gs_family gs_family_xe;
extern const struct gs_family gs_family_i915;

/* One of their files, and what it is called here. */
struct gs_share_file {
	const char *key, *file;
	bool on_pf, on_vf;              /* is a setting, is a parameter */
	bool is_fixed_on_vf;            /* readable there only */
};

/* Remember which of @files are shares that the driver gives by itself when VFs go on (interfaces 7.1). -ENOMEM. */
int gs_share_add_quotas(struct gs_family_look *look, const struct gs_share_file *files, size_t n);

/* The value as it is shown: «[low] normal high» is "low". In place; returns @text. */
char *gs_share_active_word(char *text);

#endif
