/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/holders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/grow.h"
#include "backend/holders_private.h"
#include "backend/mig.h"
#include "codec/snapshot_json.h"

#define USES_MAX 8192
#define ARGV_USES_MAX 4096
#define RESCAN_MS 5000

struct gs_holders *gs_holders_new(struct gs_root *root)
{
	GS_CLEANUP(gs_holders_freep) struct gs_holders *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->root = root;
	h->scan = gs_fdscan_new(root);
	return h->scan ? GS_TAKE(h) : NULL;
}

struct gs_holders *gs_holders_free(struct gs_holders *h)
{
	if (!h)
		return NULL;
	gs_fdscan_free(h->scan);
	free(h->argv_uses);
	free(h->uses);
	free(h->processes);
	free(h->mig_minors);
	free(h);
	return NULL;
}

void gs_holders_begin(struct gs_holders *h)
{
	h->n_gpus = 0;
	h->n_uses = 0;
	h->is_hidden = false;
	h->is_cut = false;
}

struct gs_places gs_holders_places(const struct gs_holders *h)
{
	return (struct gs_places){ h->root, h->gpus, h->n_gpus };
}

int gs_holders_add_gpu(struct gs_holders *h, struct gs_gpu *gpu, struct gs_u32 minor)
{
	if (h->n_gpus == GS_HOLDERS_GPUS_MAX)
		return -ENOMEM;
	h->gpus[h->n_gpus] = gpu;
	/* without its minor nobody's open node can be told to be this GPU's */
	h->hides[h->n_gpus] = !minor.known;
	h->minors[h->n_gpus++] = minor;
	return 0;
}

int gs_holders_add_other_gpu(struct gs_holders *h, struct gs_gpu *gpu)
{
	int r;

	for (size_t i = 0; i < h->n_gpus; i++)
		if (h->gpus[i] == gpu)
			return 0;
	r = gs_holders_add_gpu(h, gpu, GS_U32_UNKNOWN);
	if (r == 0)
		h->hides[h->n_gpus - 1] = false;
	return r;
}

void gs_holders_hide(struct gs_holders *h, const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < h->n_gpus; i++)
		h->hides[i] |= h->gpus[i] == gpu;
}

static int by_bdf(const void *a, const void *b)
{
	return gs_bdf_compare((*(struct gs_gpu *const *)a)->bdf, (*(struct gs_gpu *const *)b)->bdf);
}

size_t gs_holders_gpus(const struct gs_holders *h, struct gs_gpu **ret_gpus, size_t max)
{
	size_t n = h->n_gpus < max ? h->n_gpus : max;

	if (n) {
		memcpy(ret_gpus, h->gpus, n * sizeof(*ret_gpus));
		qsort(ret_gpus, n, sizeof(*ret_gpus), by_bdf);
	}
	return n;
}

/* ---------------------------------------------------------------- uses */

static void add_evidence(struct gs_use *u, const char *evidence)
{
	size_t n = strlen(u->evidence);

	if (strstr(u->evidence, evidence))
		return;
	snprintf(u->evidence + n, sizeof(u->evidence) - n, "%s%s", n ? ", " : "", evidence);
}

static bool is_same_place(const struct gs_place *a, const struct gs_place *b)
{
	return a->gpu == b->gpu && a->inst == b->inst && a->vf == b->vf;
}

int gs_holders_use(struct gs_holders *h, const struct gs_place *place, uint32_t pid, const char *evidence, struct gs_use **ret_use)
{
	struct gs_use *u;
	int r;

	for (size_t i = 0; i < h->n_uses; i++) {
		u = &h->uses[i];
		if (u->pid == pid && is_same_place(&u->place, place)) {
			add_evidence(u, evidence);
			*ret_use = u;
			return 0;
		}
	}
	r = gs_grow(&h->uses, h->n_uses, &h->cap_uses, sizeof(*h->uses), USES_MAX);
	if (r == -E2BIG) {
		/* what was left out is no error but must not look like «free» */
		h->is_cut = true;
		*ret_use = NULL;
		return 0;
	}
	if (r < 0)
		return r;
	u = &h->uses[h->n_uses++];
	memset(u, 0, sizeof(*u));
	u->place = *place;
	u->pid = pid;
	add_evidence(u, evidence);
	*ret_use = u;
	return 0;
}

int gs_holders_add_nvml(struct gs_holders *h, struct gs_gpu *gpu, uint32_t pid, struct gs_u32 gi, struct gs_u64 used_memory_bytes)
{
	/* a GI that the snapshot does not show counts as the GPU itself */
	struct gs_place place = { gpu, gi.known ? gs_mig_instance_by_id(gpu, gi.value) : NULL, NULL };
	struct gs_use *u;
	int r;

	/* no process can have it */
	if (pid > INT32_MAX) {
		gs_holders_hide(h, gpu);
		return 0;
	}
	r = gs_holders_use(h, &place, pid, "nvml", &u);
	if (r < 0 || !u)
		return r;
	u->is_nvml = true;
	if (used_memory_bytes.known)
		u->used_memory_bytes = used_memory_bytes;
	return 0;
}

/* ---------------------------------------------------------------- the scan */

/* Open files of others cannot be seen, their command line can: it names what a machine was given. */
static int read_argv(struct gs_holders *h)
{
	size_t n;
	const uint32_t *blind = gs_fdscan_blind(h->scan, &n);

	h->n_argv_uses = 0;
	for (size_t i = 0; i < n; i++) {
		struct gs_vm vm;

		if (!gs_vm_read(h->root, blind[i], &vm))
			continue;
		for (size_t k = 0; k < vm.n_devices; k++) {
			int r = gs_grow(&h->argv_uses, h->n_argv_uses, &h->cap_argv_uses, sizeof(*h->argv_uses), ARGV_USES_MAX);

			/* it is hidden already */
			if (r < 0)
				return r == -E2BIG ? 0 : r;
			h->argv_uses[h->n_argv_uses++] = (struct gs_argv_use){ blind[i], vm.devices[k] };
		}
	}
	return 0;
}

int gs_holders_scan(struct gs_holders *h, bool fresh)
{
	int r;

	if (gs_root_kind(h->root) == GS_ROOT_LIVE && !fresh && h->has_scanned && gs_elapsed_ms(h->scanned) < RESCAN_MS)
		return 0;
	h->has_scanned = true;
	h->scanned = gs_monotonic_now();
	r = gs_fdscan_walk(h->scan);
	if (r == 0)
		r = read_argv(h);
	if (r == 0)
		gs_modules_read(h->root, &h->modules);
	return r;
}

/* Turn open nodes into uses of the GPUs of this round. */
static int join_opened(struct gs_holders *h)
{
	size_t n;
	const struct gs_opened *opened = gs_fdscan_opened(h->scan, &n);
	int r = 0;

	/* first what the evidence must not lose when it gets long */
	for (size_t i = 0; i < n && r == 0; i++)
		if (opened[i].node == GS_NODE_KFD)
			r = gs_holders_join_drm(h, &opened[i]);
	for (size_t i = 0; i < n && r == 0; i++) {
		r = gs_holders_join_nvidia(h, &opened[i]);
		if (r == 0)
			r = gs_holders_join_vfio(h, &opened[i]);
		if (r == 0 && opened[i].node != GS_NODE_KFD)
			r = gs_holders_join_drm(h, &opened[i]);
	}
	return r;
}

static int join_argv(struct gs_holders *h)
{
	struct gs_places places = gs_holders_places(h);
	int r = 0;

	for (size_t i = 0; i < h->n_argv_uses && r == 0; i++) {
		struct gs_place place;
		struct gs_use *u;

		if (gs_place_by_device(&places, &h->argv_uses[i].device, &place))
			r = gs_holders_use(h, &place, h->argv_uses[i].pid, "command line", &u);
	}
	return r;
}

/* ---------------------------------------------------------------- into the snapshot */

/* Known to be somewhere on this GPU: not repeated at the GPU. */
static bool is_elsewhere(const struct gs_holders *h, const struct gs_use *u)
{
	for (size_t i = 0; i < h->n_uses; i++) {
		const struct gs_use *other = &h->uses[i];

		if (other->pid == u->pid && other->place.gpu == u->place.gpu && (other->place.inst || other->place.vf))
			return true;
	}
	return false;
}

static const char *text_or_null(struct gs_snapshot *s, const char *text)
{
	return text[0] ? gs_snapshot_text(s, text) : NULL;
}

static void describe(struct gs_holders *h, struct gs_snapshot *s, struct gs_holder *holder, uint64_t start_time, const char *comm)
{
	const struct gs_process *p = gs_holders_know(h, holder->pid.value, start_time, comm);

	holder->start_time = GS_U64(start_time);
	holder->name = gs_snapshot_text(s, p && p->name[0] ? p->name : comm);
	if (!p)
		return;
	holder->kind = p->kind;
	holder->uid = p->uid;
	holder->user = text_or_null(s, p->user);
	holder->unit = text_or_null(s, p->unit);
	holder->vm_uuid = text_or_null(s, p->vm_uuid);
	holder->yields = p->yields;
}

static int add_holder(struct gs_holders *h, struct gs_snapshot *s, const struct gs_use *u)
{
	char comm[GS_PROC_COMM];
	uint64_t start_time = 0;
	int r = gs_proc_stat(h->root, u->pid, comm, &start_time);
	struct gs_holder *holder;

	/* one that has gone; NVML may name processes of other pid namespaces, which are there but cannot be seen */
	if (r == -ENOENT && !u->is_nvml)
		return 0;
	if (gs_place_n_holders(&u->place) == GS_SNAPSHOT_HOLDERS_MAX) {
		h->is_cut = true;
		return 0;
	}
	holder = gs_place_add_holder(s, &u->place);
	if (!holder)
		return -ENOMEM;
	holder->kind = GS_HOLDER_PROCESS;
	holder->pid = GS_U32(u->pid);
	holder->used_memory_bytes = u->used_memory_bytes;
	holder->evidence = gs_snapshot_text(s, u->evidence);
	if (r < 0)
		h->is_hidden = true;
	else
		describe(h, s, holder, start_time, comm);
	return 0;
}

static void say_source(struct gs_holders *h, struct gs_snapshot *s)
{
	bool is_hidden = gs_fdscan_is_hidden(h->scan) || h->is_hidden;
	size_t n;

	gs_fdscan_blind(h->scan, &n);
	if (is_hidden && n)
		gs_snapshot_add_source(s, "processes", false, "%zu of them may not be looked into here: root sees them", n);
	else if (is_hidden)
		gs_snapshot_add_source(s, "processes", false, "some are listed that cannot be looked into here");
	else
		gs_snapshot_add_source(s, "processes", true, "every process and its open files");
}

int gs_holders_finish(struct gs_holders *h, struct gs_snapshot *s)
{
	bool is_hidden;
	int r = join_opened(h);

	if (r == 0)
		r = join_argv(h);
	for (size_t i = 0; i < h->n_uses && r == 0; i++) {
		const struct gs_use *u = &h->uses[i];

		if (u->place.inst || u->place.vf || !is_elsewhere(h, u))
			r = add_holder(h, s, u);
	}
	for (size_t i = 0; i < h->n_gpus && r == 0; i++)
		r = gs_modules_add(h->root, &h->modules, s, h->gpus[i]);
	if (r < 0)
		return r;
	h->is_cut = h->is_cut || gs_fdscan_is_cut(h->scan);
	if (h->is_cut)
		gs_snapshot_add_notice(s, "more processes use the GPUs than this program keeps track of: not all of them are shown");
	is_hidden = h->is_hidden || h->is_cut || gs_fdscan_is_hidden(h->scan);
	for (size_t i = 0; i < h->n_gpus; i++)
		h->gpus[i]->holders_visible = !is_hidden && !h->hides[i];
	say_source(h, s);
	gs_holders_forget(h);
	return 0;
}
