/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.h - the command language after parsing, and what it means.
 *
 * A script is a list of statements that edit a copy of the machine's layout
 * one by one; the result is diffed once at the end. Statements are pure: the
 * same snapshot and the same list give the same layout, so undo and redo are a
 * list. The text form is codec/script.h.
 */
#ifndef GS_CORE_SCRIPT_H
#define GS_CORE_SCRIPT_H

#include "core/layout.h"
#include "core/snapshot.h"

enum gs_verb {
	GS_VERB_MODE,
	GS_VERB_CREATE,
	GS_VERB_DELETE,
	GS_VERB_MOVE,
	GS_VERB_RECREATE,
	GS_VERB_COPY,
	GS_VERB_USE,
	GS_VERB_VFS,
	GS_VERB_SET,
	GS_VERB_MAX,
};

enum gs_gpu_selector_kind {
	GS_SELECT_GPU_RANGE,    /* "3" (first == last) or "0-3" */
	GS_SELECT_GPU_BDF,
	GS_SELECT_GPU_UUID,     /* prefix, with "GPU-" */
	GS_SELECT_GPU_MODEL,    /* fnmatch(3) pattern, ignoring case */
	GS_SELECT_GPU_ALL,
};

struct gs_gpu_selector {
	enum gs_gpu_selector_kind kind;
	uint32_t first, last;
	struct gs_bdf bdf;
	const char *text;       /* prefix or pattern */
	struct gs_position pos;
};

enum gs_instance_selector_kind {
	GS_SELECT_AT,           /* PROFILE@START */
	GS_SELECT_VF,           /* vf:N, vf:BDF */
	GS_SELECT_MDEV,         /* mdev:UUID */
	GS_SELECT_UUID,         /* MIG-UUID */
	GS_SELECT_GI,           /* gi:N: the driver reuses these, prompt only */
	GS_SELECT_ALL,
	GS_SELECT_REST,         /* what this script did not claim; delete only */
};

struct gs_instance_selector {
	enum gs_instance_selector_kind kind;
	const char *profile;
	const char *text;       /* UUID; of a VF that is named by its address: the address, else NULL */
	uint32_t number;        /* start, VF or GI */
	struct gs_bdf bdf;      /* vf:BDF: the address, when @text is set */
	struct gs_position pos;
};

struct gs_ci_request {
	const char *profile;    /* "1c.3g.40gb", or "3g.40gb" for the whole */
	struct gs_u32 start;
	struct gs_position pos;
};

struct gs_statement {
	enum gs_verb verb;
	struct gs_position pos;             /* of the verb */
	struct gs_gpu_selector gpu;
	bool has_inside;                    /* GPU/INST: @inside names the GI */
	struct gs_instance_selector inside;
	/* delete, move, recreate: which */
	struct gs_instance_selector *instances;
	size_t n_instances;
	/* create */
	const char *profile;
	struct gs_position profile_pos;
	struct gs_u32 at;                   /* also move … to */
	struct gs_position at_pos;
	uint32_t count;                     /* 1 when not given */
	bool count_adds;                    /* "+N": always new, not idempotent */
	enum { GS_CI_DEFAULT, GS_CI_NONE, GS_CI_LIST } ci;
	struct gs_ci_request *cis;
	size_t n_cis;
	const char *vf, *uuid;              /* of a vGPU; refused on MIG. @vf as it is written out: "3" or an address */
	struct gs_u32 vf_number;            /* of @vf, when it is a number, from 0 */
	struct gs_bdf vf_bdf;               /* of @vf, when it is an address */
	struct gs_position vf_pos, uuid_pos;
	struct gs_key_value *params;        /* in the order written, a key once */
	size_t n_params;
	struct gs_position params_pos;      /* of the first */
	/* mode */
	enum gs_mode mode;
	/* copy: to these; use: for these (@gpu is the first), @text is the layout's name; set: @text is the key, @value its value; vfs: @text is N or "all" */
	struct gs_gpu_selector *targets;
	size_t n_targets;
	const char *text, *value;
	struct gs_position text_pos, value_pos;
	struct gs_u32 vfs;                  /* vfs: how many; unknown: all */
};

/* Statements and their strings live in @arena. */
struct gs_script {
	struct gs_arena *arena;
	struct gs_statement *items;
	size_t n, cap;
};

struct gs_script *gs_script_new(void);
struct gs_script *gs_script_free(struct gs_script *s);
GS_DEFINE_CLEANUP(struct gs_script *, gs_script_free);

/* An instance that a create statement found and kept: said by the plan ("claimed"). */
struct gs_claim {
	uint32_t gpu;           /* index */
	const char *profile;
	enum gs_instance_kind kind;
	uint32_t start;
	uint32_t instance_id;
	const char *place;      /* of a vGPU: "vf:3", "mdev:…"; NULL for a GI */
	bool is_held;
};

/* Something to tell about a statement that is no error: deleting what is absent, a count that is not idempotent. */
struct gs_remark {
	struct gs_position pos;
	uint32_t gpu;
	enum gs_severity severity;  /* NOTE or CONFIRM */
	const char *rule;           /* "absent", "not-idempotent", "bare-index" */
	const char *text;
};

/* What a script makes of a machine. Strings belong to the layout's arena. */
struct gs_evaluation {
	struct gs_layout *layout;   /* bound and solved */
	struct gs_claim *claims;
	size_t n_claims, cap_claims;
	struct gs_remark *remarks;
	size_t n_remarks, cap_remarks;
};
void gs_evaluation_done(struct gs_evaluation *ev);
#define GS_EVALUATION GS_CLEANUP(gs_evaluation_done)

enum gs_script_context {
	GS_CONTEXT_FILE,        /* gi:N is refused, create claims */
	GS_CONTEXT_PROMPT,      /* gi:N is allowed, create always adds */
};

/*
 * Evaluate @script on @s. Errors carry the position of the word at fault:
 * status INVALID for what is wrong whatever the machine's state (no such GPU,
 * unknown profile, a start that is not in the profile's list, two requests of
 * the script that overlap, ambiguous prefix), REFUSED with -EOPNOTSUPP for a
 * verb of another family. What is merely in the way is no error here: the
 * plan has it as a finding.
 * @ret_ev is filled on success; the caller calls gs_evaluation_done().
 */
int gs_script_evaluate(const struct gs_script *script, const struct gs_snapshot *s, enum gs_script_context context,
		       struct gs_evaluation *ret_ev, struct gs_error *e);

/* The same for the GPUs @only alone (none: all): statements are not tried on others, so what is wrong there costs nothing here. */
int gs_script_evaluate_on(const struct gs_script *script, const struct gs_snapshot *s, enum gs_script_context context, const struct gs_bdf *only, size_t n_only,
			  struct gs_evaluation *ret_ev, struct gs_error *e);

/* Indices of the GPUs that @sel names, ascending; @ret has room for @max. Errors as above. */
int gs_select_gpus(const struct gs_gpu_selector *sel, const struct gs_snapshot *s, uint32_t *ret, size_t max, size_t *ret_n, struct gs_error *e);

/* Name of a verb and back; GS_VERB_MAX for an unknown word. */
const char *gs_verb_name(enum gs_verb v);
enum gs_verb gs_verb_from_name(const char *s);

#endif
