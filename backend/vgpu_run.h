/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vgpu_run.h - steps on vGPUs, whose framework is found by the files of the function when the step is carried out. */
#ifndef GS_BACKEND_VGPU_RUN_H
#define GS_BACKEND_VGPU_RUN_H

#include "backend/family_util.h"

/* create-vgpu, remove-vgpu, and set-param of a vGPU. */
bool gs_vgpu_takes(const struct gs_step *step);
/* Finds the framework: a plan that enables VFs cannot know it yet (interfaces 9.1). See struct gs_family. */
int gs_vgpu_run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e);

/* The VF of the step as it is now; an address in the step that has become another's is refused. @d->e explains. */
int gs_vgpu_function(struct gs_doing *d, struct gs_bdf *ret_function);
/* "L40S-12Q" fits a name that the driver spells with its prefix. */
bool gs_vgpu_names_match(const char *a, const char *b);
/*
 * What vgpu_params should read after @key is @value (empty: without it), from
 * what it reads now; the caller frees. One write replaces all of them
 * (interfaces 1.5). NULL when there is no memory.
 */
char *gs_vgpu_params_with(const char *now, const char *key, const char *value);
/* The file of a parameter that has one of its own: "placement-id", "gpu-instance-id", with «-» or «_». NULL: it goes into vgpu_params. */
const char *gs_vgpu_own_file(const char *key);
/* A key or value that would mean something else in vgpu_params. */
bool gs_vgpu_param_is_sound(const char *text);

/* The frameworks. */
int gs_vendor_vfio_do(struct gs_doing *d, struct gs_bdf function);
int gs_mdev_do(struct gs_doing *d, struct gs_bdf parent);

#endif
