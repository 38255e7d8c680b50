/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders_drm.c - who has nodes of the display and compute drivers open:
 * /dev/dri/cardN, /dev/dri/renderDN, and /dev/kfd, which is one for all GPUs
 * of amdgpu (interfaces 8.1).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/holders_private.h"
#include "base/parse.h"

#define KFD_NODES_MAX 256

static const char kfd_nodes[] = "sys/class/kfd/kfd/topology/nodes";

/* "drm_render_minor 129" in a text of «name number» lines; false when there is none. */
static bool property(const char *text, const char *name, uint64_t *ret_value)
{
	size_t length = strlen(name);

	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");
		char number[24];
		size_t n;

		if (strncmp(line, name, length) == 0 && line[length] == ' ') {
			n = (size_t)(end - line) - length - 1;
			if (n >= sizeof(number))
				return false;
			memcpy(number, line + length + 1, n);
			number[n] = '\0';
			return gs_parse_u64(number, 10, ret_value) == 0;
		}
		line = *end ? end + 1 : end;
	}
	return false;
}

/*
 * The render node of a compute partition belongs to a platform device without
 * an address (interfaces 6.2); the compute driver's topology knows of which
 * function it is: domain, and bus, device and function in location_id.
 */
static bool find_partition(struct gs_root *root, uint32_t minor, struct gs_bdf *ret_bdf)
{
	for (unsigned i = 0; i < KFD_NODES_MAX; i++) {
		GS_FREE char *text = NULL;
		uint64_t found, location, domain = 0;
		int r = gs_root_read(root, &text, "%s/%u/properties", kfd_nodes, i);

		if (r == -ENOENT)
			return false;
		if (r < 0 || !property(text, "drm_render_minor", &found) || found != minor || !property(text, "location_id", &location))
			continue;
		property(text, "domain", &domain);
		if (location > 0xffff || domain > UINT32_MAX)
			return false;
		*ret_bdf = (struct gs_bdf){ (uint32_t)domain, (uint8_t)(location >> 8), (uint8_t)(location >> 3 & 0x1f), (uint8_t)(location & 7) };
		return true;
	}
	return false;
}

static bool find_function(struct gs_holders *h, const struct gs_opened *o, struct gs_bdf *ret_bdf)
{
	GS_FREE char *name = NULL;
	char path[64];
	const char *node = strrchr(gs_node_format(o->node, o->number, path, sizeof(path)), '/') + 1;

	if (gs_root_readlink_name(h->root, &name, "sys/class/drm/%s/device", node) == 0 && gs_bdf_parse(name, ret_bdf) == 0)
		return true;
	return o->node == GS_NODE_DRM_RENDER && find_partition(h->root, o->number, ret_bdf);
}

static int join_kfd(struct gs_holders *h, uint32_t pid)
{
	struct gs_use *u;
	int r = 0;

	for (size_t i = 0; i < h->n_gpus && r == 0; i++) {
		struct gs_place place = { h->gpus[i], NULL, NULL };

		if (gs_str_equal(h->gpus[i]->driver, "amdgpu"))
			r = gs_holders_use(h, &place, pid, "fd /dev/kfd", &u);
	}
	return r;
}

int gs_holders_join_drm(struct gs_holders *h, const struct gs_opened *o)
{
	struct gs_places places = gs_holders_places(h);
	char path[64], evidence[80];
	struct gs_place place;
	struct gs_bdf bdf;
	struct gs_use *u;

	if (o->node == GS_NODE_KFD)
		return join_kfd(h, o->pid);
	if (o->node != GS_NODE_DRM_CARD && o->node != GS_NODE_DRM_RENDER)
		return 0;
	if (!find_function(h, o, &bdf) || !gs_place_by_bdf(&places, bdf, &place))
		return 0;
	snprintf(evidence, sizeof(evidence), "fd %s", gs_node_format(o->node, o->number, path, sizeof(path)));
	return gs_holders_use(h, &place, o->pid, evidence, &u);
}
