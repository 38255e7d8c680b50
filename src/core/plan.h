/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h - the ordered steps from what is to what should be, and what is to be
 * said about them. A plan is data: the same object is previewed, printed,
 * dry-run, committed and audited.
 *
 * It is minimal: what is equal in snapshot and layout is never touched, and
 * the deletion and creation of an equal profile, start and parent is a keep.
 * Order (interfaces 0.3, 9.3): stop holders and units; then GPU by GPU remove
 * vGPUs, destroy CIs and GIs, disable VFs, change the mode, driver or memory
 * mode, set the shares that have to come before VFs, enable VFs, create GIs and CIs, create vGPUs, set their parameters;
 * last start the units that were stopped. With a reset in the plan all GPUs come
 * as far as the mode first, then the reset, then what is created: a reset takes
 * other GPUs along.
 */
#ifndef GS_CORE_PLAN_H
#define GS_CORE_PLAN_H

#include "core/layout.h"
#include "core/script.h"
#include "core/snapshot.h"

/* In compute_profile_id: the driver's profile that fills the GI, whatever its id (not known until the GI exists). */
#define GS_COMPUTE_PROFILE_FILLS UINT32_MAX

struct gs_step {
	uint32_t n;                     /* from 1 */
	enum gs_step_op op;
	uint32_t gpu;                   /* index in the snapshot */
	struct gs_bdf bdf;
	const char *gpu_uuid;
	const char *target;             /* short: "GI 2 3g.40gb@4", "pid 4711 python3" */
	const char *text;               /* one sentence, imperative: "destroy GI 2 (3g.40gb at 4)" */
	enum gs_risk risk;
	enum gs_undo undo;
	/* set-mode; of enable-vfs: GS_MODE_VGPU when they are to carry vGPUs, else INVALID */
	enum gs_mode mode;
	/* reset-gpu: those that go along, by address; without the GPU itself */
	const struct gs_bdf *peers;
	size_t n_peers;
	/* GI: its place; CI: the place of its GI, by which it is found again (ids are given by the driver) */
	const char *profile;
	uint32_t profile_id;
	struct gs_span span;
	uint32_t instance_id;           /* destroy: GI id now */
	/* CI */
	const char *compute_profile;
	struct gs_span compute_span;
	uint32_t compute_profile_id;
	uint32_t gi_slices;             /* create: compute slices of its GI; 0: not known */
	uint32_t compute_id;            /* destroy: CI id now */
	const char *uuid;               /* of what goes, or that a new mdev gets; NULL when unknown */
	/* VFs, vGPUs, drivers, settings */
	enum gs_framework framework;    /* whose files are written; INVALID: NVML's */
	struct gs_bdf function;         /* the PCI function written to: the GPU, a VF, a sibling; the GPU for a VF that is not there yet */
	struct gs_u32 vf;               /* its number, where it is a VF */
	uint32_t vfs;                   /* enable-vfs: how many; disable-vfs: how many there are */
	enum gs_vfs_by vfs_by;
	const char *driver;             /* unbind: from; bind: to, NULL: whichever the kernel picks */
	bool to_vfio;                   /* bind, unbind: on the way into passthrough */
	const char *key, *value;        /* set-setting, set-param */
	const char *old_value;          /* NULL when not known */
	struct gs_u32 on_start;         /* create-vgpu in a GI: where that GI starts; its profile is gi_profile */
	const char *gi_profile;
	/* stop-unit, start-unit */
	const char *unit;
	/* stop-holder */
	uint32_t pid;
	uint64_t start_time;
	bool kill;                      /* SIGKILL when SIGTERM does not do */
};

/* In gs_finding.gpu: it concerns the machine, no single GPU. */
#define GS_FINDING_NO_GPU UINT32_MAX

/* Does @step reset the GPU at @bdf, by itself or along with another? */
bool gs_step_resets(const struct gs_step *step, struct gs_bdf bdf);

/* Something that the operator should do or know; @text says what to do. */
struct gs_finding {
	enum gs_severity severity;
	enum gs_status status;          /* for BLOCK: what the program exits with */
	const char *rule;               /* "placement-conflict", "holder-stops", … see policy.h */
	uint32_t gpu;                   /* or GS_FINDING_NO_GPU */
	const char *object;             /* "GPU 2 GI 12", "the machine", … */
	const struct gs_holder **holders;   /* of the plan's snapshot */
	size_t n_holders;
	const char *text;
	const char **alternatives;      /* sentences or commands that would do as well */
	size_t n_alternatives;
	struct gs_position pos;         /* the word that asked for it; line 0: none */
	bool is_typed;                  /* CONFIRM that stops somebody's work: the console has HOST:GPU typed */
	uint64_t units;                 /* grid units concerned, to be marked */
};

struct gs_plan_base {
	uint32_t gpu;
	struct gs_bdf bdf;
	struct gs_digest rev;
};

struct gs_plan {
	struct gs_arena *arena;
	struct gs_snapshot *snapshot;   /* one reference; findings point into it */
	struct gs_layout *layout;       /* the solved target; the plan's own copy */
	struct gs_digest digest;        /* over base revs, steps and findings: what was approved */
	struct gs_digest shape;         /* the same without host identity: groups equal plans of many hosts */
	struct gs_plan_base *base;      /* the GPUs that the steps touch */
	size_t n_base, cap_base;
	struct gs_step *steps;          /* none when blocked */
	size_t n_steps, cap_steps;
	struct gs_finding *findings;    /* BLOCK first, then CONFIRM, then NOTE; each by GPU, the machine last */
	size_t n_findings, cap_findings;
	struct gs_claim *claims;
	size_t n_claims;
	uint64_t recovers;              /* as the options said: the interrupted commit that this is to end */
	uint32_t kept;                  /* instances that are in both and not touched, over all GPUs */
	uint32_t created, deleted;      /* instances, recreated ones in both */
};

/* A holder that may be stopped: "pid:4711", "unit:NAME", "all". */
struct gs_disrupt {
	enum { GS_DISRUPT_PID, GS_DISRUPT_UNIT, GS_DISRUPT_ALL } kind;
	uint32_t pid;
	const char *unit;
};

/* A unit that may be stopped for a while when it is named: data/services.json or the site's own. */
struct gs_service {
	const char *unit;               /* "nvidia-dcgm.service"; may be an fnmatch pattern */
	const char *why;                /* what one does without it meanwhile */
};

struct gs_plan_options {
	const struct gs_disrupt *disrupt;   /* borrowed */
	size_t n_disrupt;
	bool kill;                          /* SIGKILL is allowed */
	bool allow_reset;                   /* a GPU may be reset to make its mode active, linked ones included */
	const struct gs_service *services;  /* borrowed; units that are not among them are never stopped */
	size_t n_services;
	const struct gs_digest *targets;    /* borrowed; per GPU, of what is asked of it, comparable with gs_gpu.saved_layout; NULL: not known */
	const char *const *start_units;     /* borrowed; units that an interrupted commit stopped: started at the end, whatever else there is to do */
	size_t n_start_units;
	const struct gs_plan *started_for;  /* borrowed; the plan of that commit, whose GPUs the units belong to; NULL: not known */
	uint64_t recovers;                  /* the interrupted commit that this is to end; 0: none, and then its GPUs are not to be touched */
};

/*
 * Plan from @s to what @ev asks. A target that cannot be reached gives a plan
 * with BLOCK findings and no steps, not an error. -ENOMEM.
 * The caller owns the plan.
 */
int gs_plan_build(const struct gs_snapshot *s, const struct gs_evaluation *ev, const struct gs_plan_options *options,
		  struct gs_plan **ret_plan, struct gs_error *e);
struct gs_plan *gs_plan_free(struct gs_plan *p);
GS_DEFINE_CLEANUP(struct gs_plan *, gs_plan_free);

bool gs_plan_is_blocked(const struct gs_plan *p);
/* May somebody lose work whom this viewer cannot see? Then "stops nobody" is not known, and must not be said. */
bool gs_plan_has_hidden_holders(const struct gs_plan *p);
bool gs_plan_needs_confirmation(const struct gs_plan *p);
/*
 * @later is made of the same request as @approved, of a newer look. The first
 * thing in it that wants a confirmation and had none in @approved; NULL. A
 * holder who came since is such a thing, unless his unit is one that @approved stops.
 */
const struct gs_finding *gs_plan_unapproved(const struct gs_plan *approved, const struct gs_plan *later);
/* Does it stop somebody's work (any typed finding)? */
bool gs_plan_stops_somebody(const struct gs_plan *p);
/*
 * What has to be typed before work is stopped: "dgx01:0", "dgx01:1,4". The
 * mistakes are the wrong window and the wrong GPU, so it names both. Returns @buf.
 */
const char *gs_plan_confirm_word(const struct gs_plan *p, const char *host, char *buf, size_t size);
size_t gs_plan_count(const struct gs_plan *p, enum gs_severity severity);
/* REFUSED or CANNOT_TELL from the findings of a blocked plan, else OK. */
enum gs_status gs_plan_status(const struct gs_plan *p);

/* Tenses of a step, for previews, progress and the record. */
enum gs_tense { GS_TENSE_PLAN, GS_TENSE_RUNNING, GS_TENSE_DONE };
/* "destroy GI 2 …" / "destroying GI 2 …" / "destroyed GI 2 …". Returns @buf. */
const char *gs_step_describe(const struct gs_step *step, enum gs_tense tense, char *buf, size_t size);

/*
 * Has the effect of @step been reached on @now (a later snapshot of the same
 * machine)? Returning 0 from a driver is not proof; this is:
 * 0 when reached, -EINPROGRESS when the driver has it pending, -EIO with a
 * sentence when it is not there.
 */
int gs_step_check(const struct gs_step *step, const struct gs_snapshot *now, struct gs_error *e);

#endif
