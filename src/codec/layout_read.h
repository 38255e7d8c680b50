/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout_read.h - private to the layout's reader: layout_text.c has the GPUs, layout_want_text.c what lies on them. */
#ifndef GS_CODEC_LAYOUT_READ_H
#define GS_CODEC_LAYOUT_READ_H

#include "codec/layout_text.h"
#include "codec/yaml_node.h"

/* What the tree is read into; nodes live elsewhere, the layout has copies. */
struct gs_layout_reader {
	struct gs_layout *layout;
	struct gs_error *e;
};

/* ---- layout_text.c: -EINVAL with file:line:column, -ENOMEM ---- */

/* A string of the layout; NULL when absent or null. */
int gs_layout_read_string(struct gs_layout_reader *d, const struct gs_yaml_node *map, const char *key, const char **ret);
struct gs_position gs_layout_read_position(struct gs_layout_reader *d, const struct gs_position *pos);
/*
 * Keys to values, null left out; at most @max. Calls @take for each, with
 * strings of the layout. For "settings" and "params".
 */
int gs_layout_read_pairs(struct gs_layout_reader *d, const struct gs_yaml_node *map, const char *what, size_t max,
			 int (*take)(struct gs_layout_reader *, void *, const char *key, const char *value, const struct gs_yaml_node *), void *userdata);

/* ---- layout_want_text.c ---- */

/* One element of "instances"; without a "kind" it is @kind. */
int gs_layout_read_want(struct gs_layout_reader *d, const struct gs_yaml_node *node, enum gs_instance_kind kind, struct gs_layout_gpu *g);

#endif
