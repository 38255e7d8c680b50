/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mig_profiles.h - what a GPU can be cut into, as its driver lists it. Kept per
 * GPU, since it is immutable while the MIG mode stays (interfaces 5.7); what
 * the driver does not tell this caller is filled in from the catalogue.
 */
#ifndef GS_BACKEND_MIG_PROFILES_H
#define GS_BACKEND_MIG_PROFILES_H

#include "backend/nvml.h"
#include "codec/catalogue.h"
#include "core/bdf.h"
#include "core/profile.h"

struct gs_arena;
struct gs_mig_profiles;

/* Both borrowed; @catalogue may be NULL. NULL when there is no memory. */
struct gs_mig_profiles *gs_mig_profiles_new(struct gs_nvml *nvml, const struct gs_catalogue *catalogue);
struct gs_mig_profiles *gs_mig_profiles_free(struct gs_mig_profiles *m);
GS_DEFINE_CLEANUP(struct gs_mig_profiles *, gs_mig_profiles_free);

/* A GPU whose profiles are asked for. */
struct gs_mig_subject {
	nvml_device device;
	struct gs_bdf bdf;                      /* what they are kept by */
	const char *uuid;                       /* NULL when it cannot be read; another one at @bdf is another board */
	bool is_mig_on;
	const char *pci_id, *subsystem_id;      /* subsystem may be NULL */
};

/*
 * The profiles; borrowed, valid until the next call for this GPU. The source
 * is CATALOGUE when the places had to be taken from there, and is UNKNOWN
 * (n 0) when nobody knows. Returns NVML's code: SUCCESS also when there are no
 * profiles. After any other code nothing is kept, and @ret_set is untouched:
 * a list that was cut short must not pass for the whole one.
 */
int gs_mig_profiles_get(struct gs_mig_profiles *m, const struct gs_mig_subject *subject, const struct gs_profile_set **ret_set);

/*
 * Learn the compute profiles of @profile (of the set of @subject) from one of
 * its GPU instances; asked of the driver once. They need a GI handle
 * (interfaces 5.6), so they are the catalogue's until there is one. NVML's
 * code; after any but SUCCESS they are as before.
 */
int gs_mig_profiles_learn(struct gs_mig_profiles *m, const struct gs_mig_subject *subject, const struct gs_profile *profile, nvml_gi gi);

/* Deep copy into @a. 0 or -ENOMEM. */
int gs_profile_set_copy(struct gs_arena *a, const struct gs_profile_set *set, struct gs_profile_set *ret_set);

/* "MIG 1g.10gb" -> "1g.10gb". */
const char *gs_mig_plain_name(const char *name);

#endif
