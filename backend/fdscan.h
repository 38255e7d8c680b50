/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdscan.h - which processes have which GPU device nodes open: a walk over
 * proc/PID/fd (interfaces 8.1). The link's text says whether it can be a node
 * at all; which one is told by its device number, since a container may have
 * its own name for it, and by the text where no node here has that number. What may not be read is remembered as blind,
 * never taken for «nothing open».
 */
#ifndef GS_BACKEND_FDSCAN_H
#define GS_BACKEND_FDSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/root.h"

/* What a link in proc/PID/fd points at, and what its number counts. */
enum gs_node {
	GS_NODE_OTHER,
	GS_NODE_GPU,            /* /dev/nvidiaN: the minor */
	GS_NODE_CAPABILITY,     /* /dev/nvidia-caps/nvidia-capN */
	GS_NODE_VFIO_GROUP,     /* /dev/vfio/N, /dev/vfio/noiommu-N: the IOMMU group */
	GS_NODE_VFIO_DEVICE,    /* /dev/vfio/devices/vfioN */
	GS_NODE_DRM_CARD,       /* /dev/dri/cardN */
	GS_NODE_DRM_RENDER,     /* /dev/dri/renderDN */
	GS_NODE_KFD,            /* /dev/kfd: no number, 0 */
};

/* "/dev/nvidia3" -> GPU 3; with or without " (deleted)". */
enum gs_node gs_node_parse(const char *target, uint32_t *ret_number);
/* The path again: "/dev/nvidia3". Returns @buf; "" for OTHER. */
const char *gs_node_format(enum gs_node node, uint32_t number, char *buf, size_t size);

/* A node that a process has open. */
struct gs_opened {
	uint32_t pid;
	enum gs_node node;
	uint32_t number;
};

struct gs_fdscan;

/* @root is borrowed. NULL when there is no memory. */
struct gs_fdscan *gs_fdscan_new(struct gs_root *root);
struct gs_fdscan *gs_fdscan_free(struct gs_fdscan *scan);
GS_DEFINE_CLEANUP(struct gs_fdscan *, gs_fdscan_free);

/* Walk every process now; what an earlier walk found is forgotten. -ENOMEM. */
int gs_fdscan_walk(struct gs_fdscan *scan);

/* Of the last walk; borrowed until the next. Those of one process stand together. */
const struct gs_opened *gs_fdscan_opened(const struct gs_fdscan *scan, size_t *ret_n);
/* Processes that are there and could not be looked into, as many as are kept. */
const uint32_t *gs_fdscan_blind(const struct gs_fdscan *scan, size_t *ret_n);
/* Something could not be looked at: «nobody» is not proven. */
bool gs_fdscan_is_hidden(const struct gs_fdscan *scan);
/* There was more than is kept. */
bool gs_fdscan_is_cut(const struct gs_fdscan *scan);

/* Can a link with that text be a device node of a GPU, so that its number has to be looked at? It may be another /dev than ours. */
bool gs_fdscan_may_be_node(const char *target);

/* A known node with that device number, for links whose text does not tell. */
struct gs_fdscan_number {
	dev_t rdev;
	enum gs_node node;
	uint32_t number;
};
/* OTHER when there is none; 0 is no device. */
enum gs_node gs_fdscan_by_number(const struct gs_fdscan_number *numbers, size_t n, dev_t rdev, uint32_t *ret_number);

#endif
