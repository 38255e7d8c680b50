/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attr.h - store callbacks of attributes: one file per family, each with a
 * table. A family is added by its table here and its files in tree_*.c.
 *
 * A store answers as the kernel does. 0: done, the state has changed and is
 * written. -EINPROGRESS: it waits for somebody; @wait names the record. -EAGAIN
 * with @wait set: somebody else's write on that device comes first, ask again
 * when that is finished.
 */
#ifndef GS_SIM_ATTR_H
#define GS_SIM_ATTR_H

#include "backend/sim/function.h"
#include "backend/sim/state.h"

struct gs_sim_write {
	struct gs_sim_state *s;
	int tree_fd;
	const char *path;           /* in the tree, links resolved */
	const char *rest;           /* what follows the function's directory; the whole path where there is no function */
	struct gs_sim_function f;   /* pci NULL where the path leads to none */
	const char *text;           /* one newline at the end is cut, as kernel helpers do */
	const char *bytes;          /* as written; NUL after it */
	size_t n;
	uint64_t wait;
};

struct gs_sim_attr {
	const char *pattern;        /* fnmatch over @rest; * does not cross a slash */
	int (*store)(struct gs_sim_write *w);
};

/* Each ends with a NULL pattern. */
extern const struct gs_sim_attr gs_sim_attr_pci[];      /* on functions */
extern const struct gs_sim_attr gs_sim_attr_bus[];      /* drivers and the bus itself */
extern const struct gs_sim_attr gs_sim_attr_mdev[];
extern const struct gs_sim_attr gs_sim_attr_vendor_vfio[];
extern const struct gs_sim_attr gs_sim_attr_amd[];
extern const struct gs_sim_attr gs_sim_attr_intel[];
extern const struct gs_sim_attr gs_sim_attr_nvidia[];   /* proc/driver/nvidia */

/* Find the store of @w->path and run it. -EACCES for a control that this machine does not model. Fills @rest and @f. */
int gs_sim_attr_store(struct gs_sim_write *w);

/* kstrtoull with base 0 and a final newline cut: "8", "0x8", "010", "+8". -EINVAL, -ERANGE. */
int gs_sim_attr_number(const char *text, uint64_t *ret_value);
/* N of a component "PREFIXN" at the beginning of @text. -ENOENT when it is none. */
int gs_sim_attr_index(const char *text, const char *prefix, uint32_t *ret_index);
/* kstrtobool: y, Y, 1, on…; -EINVAL */
int gs_sim_attr_bool(const char *text, bool *ret_value);

#endif
