/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * migmodel.h - the MIG models of data/mig as a test reads them for itself, with
 * no code of the planner, the catalogue or the simulator, and random layouts
 * that are legal by that: what is in the model's lists, does not overlap and
 * does not use up what the model counts. Everything asserts.
 */
#ifndef GS_TESTS_LIB_MIGMODEL_H
#define GS_TESTS_LIB_MIGMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "tests/lib/simhost.h"

#define MIGMODEL_PLACES_MAX 16
#define MIGMODEL_PROFILES_MAX 32
#define MIGMODEL_GIS_MAX 8
#define MIGMODEL_CIS_MAX 8
#define MIGMODEL_GPUS_MAX 3
#define MIGMODEL_ENGINES 4

/* A profile of GPU instances, or of compute instances inside one. */
struct migmodel_profile {
	char name[48];
	uint32_t id, size, max_instances;
	uint32_t starts[MIGMODEL_PLACES_MAX];
	size_t n_starts;
	uint32_t engines[MIGMODEL_ENGINES];          /* decoder, encoder, jpeg, ofa */
	bool is_default;
	struct migmodel_profile *compute;
	size_t n_compute;
};

struct migmodel {
	const char *name;
	struct migmodel_profile profiles[MIGMODEL_PROFILES_MAX];
	size_t n;
	uint32_t engines[MIGMODEL_ENGINES];          /* UINT32_MAX: not counted */
	bool has_compute;                   /* somebody has published its compute profiles */
};

struct migmodel_ci {
	const struct migmodel_profile *profile;
	uint32_t start;
};

struct migmodel_gi {
	const struct migmodel_profile *profile;
	uint32_t start;
	struct migmodel_ci cis[MIGMODEL_CIS_MAX];
	size_t n_cis;
};

struct migmodel_layout {
	struct {
		struct migmodel_gi gis[MIGMODEL_GIS_MAX];
		size_t n;
	} gpus[MIGMODEL_GPUS_MAX];
	unsigned n_gpus;
};

/* Below @below; repeatable everywhere. */
uint32_t migmodel_pick(uint64_t *state, uint32_t below);

/* The caller frees; @name is borrowed. */
struct migmodel *migmodel_read(const char *name);
struct migmodel *migmodel_free(struct migmodel *m);
GS_DEFINE_CLEANUP(struct migmodel *, migmodel_free);
const struct migmodel_profile *migmodel_profile_by_name(const struct migmodel *m, const char *name);

struct migmodel_layout migmodel_random(const struct migmodel *m, unsigned n_gpus, uint64_t *state);
/* Every other pair differs on one GPU only, so that there is something to keep. */
struct migmodel_layout migmodel_random_change(const struct migmodel *m, const struct migmodel_layout *from, uint64_t *state);
/* The same one in @l, or NULL. */
const struct migmodel_gi *migmodel_gi_in(const struct migmodel_layout *l, unsigned gpu, const struct migmodel_gi *like);
/* MIGMODEL_CIS_MAX: not there. */
size_t migmodel_ci_index(const struct migmodel_gi *gi, const struct migmodel_ci *like);

/* What `export json` must say, letter by letter; the caller frees. */
char *migmodel_layout_text(struct gs_simhost *h, const struct migmodel_layout *l);
/* The same as a script, instances in any order. */
char *migmodel_script_text(struct gs_simhost *h, const struct migmodel_layout *l, uint64_t *state);
/* As a file or as a script. */
char *migmodel_request_text(struct gs_simhost *h, const struct migmodel_layout *l, uint64_t *state);

#endif
