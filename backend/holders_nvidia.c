/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holders_nvidia.c - who has nodes of NVIDIA's driver open: /dev/nvidiaN and the capabilities of MIG (interfaces 5.10). */
#include <stdio.h>
#include <string.h>

#include "backend/holders_private.h"
#include "backend/mig.h"
#include "base/parse.h"

#define MINORS_BYTES_MAX (1u << 20)
#define CAP_FIRST 3
#define CAPS_PER_GPU 135
#define CAPS_PER_GI 9

/* "gpu7/" at @text: the number; what follows the slash, or NULL. */
static const char *numbered(const char *text, const char *name, uint32_t *ret_number)
{
	char digits[12];
	size_t n;

	if (!gs_str_starts(text, name))
		return NULL;
	text += strlen(name);
	n = strcspn(text, "/");
	if (text[n] != '/' || n >= sizeof(digits))
		return NULL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return gs_parse_u32(digits, 10, ret_number) < 0 ? NULL : text + n + 1;
}

/* "gpu0/gi3/ci1/access 32" up to @end, when its last word is @number. */
static bool table_line(const char *line, const char *end, uint32_t number, uint32_t *ret_gpu_minor, uint32_t *ret_gi)
{
	char text[64], wanted[16];
	size_t n = (size_t)(end - line);
	const char *rest;
	uint32_t gpu, gi;
	char *blank;

	if (n >= sizeof(text))
		return false;
	memcpy(text, line, n);
	text[n] = '\0';
	blank = strrchr(text, ' ');
	snprintf(wanted, sizeof(wanted), "%u", number);
	if (!blank || strcmp(blank + 1, wanted) != 0)
		return false;
	rest = numbered(text, "gpu", &gpu);
	if (!rest || !numbered(rest, "gi", &gi))
		return false;
	*ret_gpu_minor = gpu;
	*ret_gi = gi;
	return true;
}

bool gs_holders_capability(const char *minors, uint32_t number, uint32_t *ret_gpu_minor, uint32_t *ret_gi)
{
	if (number < CAP_FIRST)
		return false;
	for (const char *line = minors; line && *line;) {
		const char *end = line + strcspn(line, "\n");

		if (table_line(line, end, number, ret_gpu_minor, ret_gi))
			return true;
		line = *end ? end + 1 : end;
	}
	if (minors)
		return false;
	*ret_gpu_minor = (number - CAP_FIRST) / CAPS_PER_GPU;
	*ret_gi = (number - CAP_FIRST) % CAPS_PER_GPU / CAPS_PER_GI;
	return true;
}

static const char *mig_minors(struct gs_holders *h)
{
	size_t n;

	if (!h->has_mig_minors) {
		h->has_mig_minors = true;
		if (gs_root_read_bytes(h->root, MINORS_BYTES_MAX, &h->mig_minors, &n, "proc/driver/nvidia-caps/mig-minors") < 0)
			h->mig_minors = NULL;
	}
	return h->mig_minors;
}

struct gs_gpu *gs_holders_gpu_by_minor(const struct gs_holders *h, uint32_t minor)
{
	for (size_t i = 0; i < h->n_gpus; i++) {
		if (gs_u32_is(h->minors[i], minor))
			return h->gpus[i];
	}
	return NULL;
}

int gs_holders_join_nvidia(struct gs_holders *h, const struct gs_opened *o)
{
	struct gs_place place = { 0 };
	uint32_t minor = o->number, gi;
	char path[64], evidence[80];
	struct gs_use *u;

	if (o->node != GS_NODE_GPU && o->node != GS_NODE_CAPABILITY)
		return 0;
	if (o->node == GS_NODE_CAPABILITY && !gs_holders_capability(mig_minors(h), o->number, &minor, &gi))
		return 0;
	place.gpu = gs_holders_gpu_by_minor(h, minor);
	if (!place.gpu)
		return 0;
	/* a GI that the snapshot does not show counts as the GPU itself */
	if (o->node == GS_NODE_CAPABILITY)
		place.inst = gs_mig_instance_by_id(place.gpu, gi);
	snprintf(evidence, sizeof(evidence), "fd %s", gs_node_format(o->node, o->number, path, sizeof(path)));
	return gs_holders_use(h, &place, o->pid, evidence, &u);
}
