/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/who.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define WORD_(id, name) name,

static const char *const op_words[] = { GS_WHO_OPS(WORD_) };
static const char *const verdict_words[] = { GS_WHO_VERDICTS(WORD_) };

static int word_index(const char *const *words, int n, const char *s)
{
	for (int i = 0; i < n; i++)
		if (strcmp(s, words[i]) == 0)
			return i;
	return -1;
}

const char *gs_who_op_name(enum gs_who_op v)
{
	return (int)v >= 0 && v < GS_WHO_OP_MAX ? op_words[v] : NULL;
}

enum gs_who_op gs_who_op_from_name(const char *s)
{
	return (enum gs_who_op)word_index(op_words, GS_WHO_OP_MAX, s);
}

const char *gs_who_verdict_name(enum gs_who_verdict v)
{
	return (int)v >= 0 && v < GS_WHO_VERDICT_MAX ? verdict_words[v] : NULL;
}

enum gs_who_verdict gs_who_verdict_from_name(const char *s)
{
	return (enum gs_who_verdict)word_index(verdict_words, GS_WHO_VERDICT_MAX, s);
}

bool gs_unit_is_service(const char *unit)
{
	/* all that a user runs, and the ways in: stopping them frees a GPU only by throwing people out */
	static const char *const people[] = {
		"user@", "user-runtime-dir@", "getty@", "serial-getty@", "container-getty@", "autovt@", "console-getty.", "sshd@", "sshd.", "ssh@", "ssh.", "systemd-logind.",
	};
	size_t n = strlen(unit), suffix = strlen(".service");

	if (n <= suffix || strcmp(unit + n - suffix, ".service") != 0)
		return false;
	for (size_t i = 0; i < GS_ARRAY_SIZE(people); i++)
		if (gs_str_starts(unit, people[i]))
			return false;
	return true;
}

/* A verdict with its reason, as one value. */
struct judgement {
	enum gs_who_verdict verdict;
	const char *reason;
};

static struct judgement say(enum gs_who_verdict verdict, const char *reason)
{
	return (struct judgement){ verdict, reason };
}

/* No switch of MIG: what changes its mode is making VFs or giving it away. */
static bool has_no_mig(const struct gs_gpu *gpu)
{
	return gpu->vendor == GS_VENDOR_NVIDIA && gpu->modes && !(gpu->modes & (1u << GS_MODE_MIG | 1u << GS_MODE_MIG_VGPU));
}

/*
 * Does @op take the GPU away from its driver? NVIDIA's tool rebinds the PF to
 * make VFs (interfaces 3.4), and an unbind of the driver waits for ever while
 * somebody has the GPU open (interfaces 4.3).
 */
static bool unbinds(const struct gs_gpu *gpu, enum gs_who_op op)
{
	if (op == GS_WHO_OP_MODE)
		return has_no_mig(gpu);
	return op == GS_WHO_OP_PASSTHROUGH || (op == GS_WHO_OP_VFS && gpu->vfs.by != GS_VFS_BY_NUMVFS);
}

static struct judgement judge_module(const struct gs_gpu *gpu, const struct gs_holder *h, enum gs_who_op op)
{
	const char *name = h->name ? h->name : "";

	if (op == GS_WHO_OP_PASSTHROUGH && gs_str_starts(name, "snd_hda"))
		return say(GS_WHO_VERDICT_MAYBE, "drives its audio function, which goes along, and has users");
	if (!unbinds(gpu, op) || gs_str_starts(name, "snd_hda"))
		return say(GS_WHO_VERDICT_NO, "is a part of the driver and does not mind");
	/* the display driver keeps each of its GPUs open itself */
	if (strcmp(name, "nvidia_drm") == 0)
		return say(GS_WHO_VERDICT_YES, "keeps the GPU open: an unbind of its driver would wait for ever");
	/* nvidia_uvm's users are those of all GPUs; who uses this one has it open too, and is named by that */
	return say(GS_WHO_VERDICT_MAYBE, "has users, and whether on this GPU is not told");
}

/*
 * nvidia-persistenced keeps the device open on purpose and does not keep a mode
 * change pending by itself (interfaces 5.8 lists it among what may). A name
 * alone is whatever a process calls itself.
 */
static bool is_persistenced(const struct gs_holder *h)
{
	return h->name && gs_str_starts(h->name, "nvidia-persiste") && gs_u32_is(h->uid, 0) && gs_str_equal(h->unit, "nvidia-persistenced.service");
}

/* On the GPU as a whole. */
static struct judgement judge_on_gpu(const struct gs_gpu *gpu, const struct gs_holder *h, enum gs_who_op op)
{
	bool is_given = gpu->mode == GS_MODE_PASSTHROUGH;

	if (is_given)
		return say(GS_WHO_VERDICT_YES, "has the whole GPU");
	switch (op) {
	case GS_WHO_OP_DELETE:
		return say(GS_WHO_VERDICT_NO, "has the GPU open, but is in no instance and on no VF");
	case GS_WHO_OP_MODE:
		/* amdgpu refuses partition modes while the compute driver has users, and only then (interfaces 6.2) */
		if (gpu->vendor == GS_VENDOR_AMD && h->evidence && strstr(h->evidence, "/dev/kfd"))
			return say(GS_WHO_VERDICT_YES, "has the compute driver open: partitions cannot change under it");
		if (gpu->vendor == GS_VENDOR_AMD)
			return say(GS_WHO_VERDICT_MAYBE, "has the GPU open for drawing only");
		if (unbinds(gpu, op))
			return say(GS_WHO_VERDICT_YES, "has the GPU open: an unbind of its driver would wait for ever");
		if (is_persistenced(h))
			return say(GS_WHO_VERDICT_MAYBE, "has the GPU open; the driver may leave the switch of MIG pending");
		return say(GS_WHO_VERDICT_YES, "has the GPU open");
	case GS_WHO_OP_VFS:
		if (gpu->vfs.by == GS_VFS_BY_NUMVFS)
			return say(GS_WHO_VERDICT_MAYBE, "has the GPU open; the driver may refuse to change the VFs under it");
		return say(GS_WHO_VERDICT_YES, "has the GPU open: an unbind of its driver would wait for ever");
	default:
		/* other drivers let go and leave the process with an error */
		return say(GS_WHO_VERDICT_YES, gpu->vendor == GS_VENDOR_NVIDIA ? "has the GPU open: an unbind of its driver would wait for ever"
									       : "has the GPU open: an unbind of its driver would take it away");
	}
}

static struct judgement judge(const struct gs_gpu *gpu, const struct gs_holder *h, struct gs_who_place place, enum gs_who_op op)
{
	if (h->yields)
		return say(GS_WHO_VERDICT_YIELDS, "is one of gpuslice's own and lets go when a commit asks");
	if (h->kind == GS_HOLDER_CLAIM)
		return say(GS_WHO_VERDICT_CLAIM, place.instance || place.vf ? "was promised it" : "was promised the GPU");
	if (h->kind == GS_HOLDER_MODULE)
		return judge_module(gpu, h, op);
	/* every one of the four destroys what is in an instance or on a VF */
	if (place.instance)
		return say(GS_WHO_VERDICT_YES, "runs in it");
	if (place.vf)
		return say(GS_WHO_VERDICT_YES, "has the VF open");
	return judge_on_gpu(gpu, h, op);
}

enum gs_who_verdict gs_who_judge(const struct gs_gpu *gpu, const struct gs_holder *holder, struct gs_who_place place, enum gs_who_op op,
				 const char **ret_reason)
{
	struct judgement j = judge(gpu, holder, place, op);

	if (ret_reason)
		*ret_reason = j.reason;
	return j.verdict;
}

enum gs_who_verdict gs_who_answer(const struct gs_gpu *gpu, const struct gs_holder *holder, struct gs_who_place place, enum gs_who_op op,
				  const char **ret_reason)
{
	if (op == GS_WHO_OP_DELETE && place.vf && !holder->yields && !gs_gpu_instance_on_vf(gpu, place.vf->n)) {
		if (ret_reason)
			*ret_reason = "is on a VF that has nothing to delete";
		return GS_WHO_VERDICT_NO;
	}
	return gs_who_judge(gpu, holder, place, op, ret_reason);
}

/* ---------------------------------------------------------------- the list */

struct list {
	const struct gs_gpu *gpu;
	enum gs_who_op op;
	struct gs_who_entry *entries;
	size_t n;
};

static void add_holders(struct list *l, struct gs_holder *const *holders, size_t n, struct gs_who_place place)
{
	for (size_t i = 0; i < n; i++) {
		struct gs_who_entry *entry = &l->entries[l->n++];

		entry->holder = holders[i];
		entry->place = place;
		entry->verdict = gs_who_answer(l->gpu, holders[i], place, l->op, &entry->reason);
	}
}

static size_t count_holders(const struct gs_gpu *gpu)
{
	size_t n = gpu->n_holders + 1;

	for (size_t i = 0; i < gpu->n_instances; i++)
		n += gpu->instances[i]->n_holders;
	for (size_t i = 0; i < gpu->vfs.n_functions; i++)
		n += gpu->vfs.functions[i]->n_holders;
	return n;
}

/* The gravest first, and as they were found among equals. */
static void sort_into(const struct list *l, struct gs_who_entry *ret_entries)
{
	static const enum gs_who_verdict grave[] = {
		GS_WHO_VERDICT_YES, GS_WHO_VERDICT_CLAIM, GS_WHO_VERDICT_HIDDEN, GS_WHO_VERDICT_MAYBE, GS_WHO_VERDICT_YIELDS, GS_WHO_VERDICT_NO,
	};
	size_t n = 0;

	_Static_assert(GS_ARRAY_SIZE(grave) == GS_WHO_VERDICT_MAX, "a verdict without a rank");
	for (size_t g = 0; g < GS_ARRAY_SIZE(grave); g++)
		for (size_t i = 0; i < l->n; i++)
			if (l->entries[i].verdict == grave[g])
				ret_entries[n++] = l->entries[i];
}

int gs_who_list(const struct gs_gpu *gpu, enum gs_who_op op, struct gs_arena *arena, struct gs_who_entry **ret_entries, size_t *ret_n)
{
	size_t max = count_holders(gpu);
	struct list l = { .gpu = gpu, .op = op, .entries = gs_arena_calloc(arena, max, sizeof(*l.entries)) };
	struct gs_who_entry *sorted = gs_arena_calloc(arena, max, sizeof(*sorted));

	if (!l.entries || !sorted)
		return -ENOMEM;
	add_holders(&l, gpu->holders, gpu->n_holders, (struct gs_who_place){ NULL, NULL });
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];

		add_holders(&l, inst->holders, inst->n_holders, (struct gs_who_place){ inst, NULL });
	}
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		const struct gs_vf *vf = gpu->vfs.functions[i];

		add_holders(&l, vf->holders, vf->n_holders, (struct gs_who_place){ NULL, vf });
	}
	if (!gpu->holders_visible) {
		struct gs_who_entry *entry = &l.entries[l.n++];

		entry->verdict = GS_WHO_VERDICT_HIDDEN;
		entry->reason = "not every process can be seen here";
	}
	sort_into(&l, sorted);
	*ret_entries = sorted;
	*ret_n = l.n;
	return 0;
}
