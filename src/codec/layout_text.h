/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout_text.h - schema gpuslice.layout/1, as JSON or YAML. */
#ifndef GS_CODEC_LAYOUT_TEXT_H
#define GS_CODEC_LAYOUT_TEXT_H

#include "codec/json.h"
#include "core/layout.h"

/*
 * The machine as a layout: `export json`. Byte-equal for machines that agree
 * in identity, mode, settings, VFs and instances. MIG instances carry no uuid
 * (the driver gives it); "compute" is always written out. Of a vGPU "vf" is
 * its slot where the GPU has VFs, "start" its placement id. What follows from
 * mode, VFs and settings (plain VFs, passthrough, partitions) is left out, and
 * so are settings that nobody could write. The caller owns a reference.
 */
struct json_object *gs_layout_to_json(const struct gs_layout *bound, const struct gs_snapshot *s);

/* A digest of what gs_layout_to_json() says of GPU @i: equal when the same is asked of it. -ENOMEM. */
int gs_layout_digest(const struct gs_layout *bound, const struct gs_snapshot *s, size_t i, struct gs_digest *ret_digest);

/*
 * Decode an unbound layout. JSON is read with json-c (strict) and both through
 * libyaml, so that every error names file:line:column. Unknown keys, wrong
 * types, bad UTF-8, aliases, depth over GS_JSON_DEPTH_MAX: status INVALID.
 */
int gs_layout_parse(const char *bytes, size_t n, const char *name, struct gs_layout **ret_layout, struct gs_error *e);

/* What does the input look like? A layout begins with «{», or has a «schema:» or «gpus:» key at its left margin; else it is a script. */
bool gs_text_is_layout(const char *bytes, size_t n);

#endif
