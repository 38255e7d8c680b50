/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * key_value.h - what may be a key or a value of a setting or parameter,
 * wherever it is written: scripts, layouts, snapshots. The drivers' own are
 * like compute-partition=DPX and frame_rate_limiter=0 (interfaces 1.5).
 */
#ifndef GS_CODEC_KEY_VALUE_H
#define GS_CODEC_KEY_VALUE_H

#include <stdbool.h>

#define GS_KEY_MAX 64u
#define GS_VALUE_MAX 256u
/* Parameters of one instance, settings of one GPU. */
#define GS_PARAMS_MAX 32u
#define GS_SETTINGS_MAX 64u

/* 1 to GS_KEY_MAX letters, digits, '-', '_', '.'; a letter or digit first. */
bool gs_key_is_valid(const char *s);
/*
 * 1 to GS_VALUE_MAX printable ASCII bytes without blank and comma: a parameter
 * is one item of the driver's comma-separated list, and must not become two.
 */
bool gs_param_value_is_valid(const char *s);

#endif
