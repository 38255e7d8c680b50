/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_reset.c - what a reset takes away, on the GPU and on those that are linked with it. */
#include "core/policy_internal.h"

#include <inttypes.h>

#include "base/strbuf.h"
#include "core/reset.h"

static const struct gs_diff_gpu *diff_of(const struct gs_policy *y, const struct gs_gpu *gpu)
{
	return &y->diff->gpus[gpu->index];
}

/* The same rules with another GPU to speak of. */
static struct gs_policy about(const struct gs_policy *y, const struct gs_gpu *gpu)
{
	struct gs_policy other = *y;

	other.gpu = gpu;
	other.d = diff_of(y, gpu);
	return other;
}

/* No instance outlives a reset (interfaces 5.8): what stays in the plan would be lost without being named. */
static void block_kept_instances(struct gs_policy *other, uint32_t index)
{
	struct gs_finding *f;

	for (size_t i = 0; i < other->d->n_changes; i++) {
		const struct gs_change *c = &other->d->changes[i];

		if (!c->old || c->old->kind == GS_KIND_SRIOV || (c->kind != GS_CHANGE_KEEP && c->kind != GS_CHANGE_KEEP_GI))
			continue;
		f = gs_policy_add(other, GS_RULE_RESET_PEERS, GS_SEVERITY_BLOCK,
				  "it is linked with GPU %" PRIu32 " by NVLink and is reset along with it, and would lose its %s, which the request keeps", index,
				  c->old->profile ? c->old->profile : "instance");
		f->object = gs_policy_object(other, c->old);
		gs_policy_suggest(other, f, "have it made anew in the same script: recreate %" PRIu32 " %s@%" PRIu32, other->gpu->index, c->old->profile, c->old->start.value);
		gs_policy_suggest(other, f, "leave out --allow-reset: the mode then waits for a reset at a better time");
	}
}

static void check_peer(struct gs_policy *y, const struct gs_gpu *peer)
{
	struct gs_policy other = about(y, peer);
	bool changes_itself = other.d->mig_changes && !other.d->mig_only_unpends;
	uint32_t index = y->gpu->index;

	if (peer->mode == GS_MODE_PASSTHROUGH || !peer->driver || peer->lost)
		gs_policy_add(&other, GS_RULE_RESET_PEERS, GS_SEVERITY_BLOCK,
			      "it is linked with GPU %" PRIu32 " by NVLink and would have to be reset along with it, which NVIDIA's driver can do only with GPUs that it has", index);
	else if (other.d->vfs_now && !other.d->vfs_off)
		gs_policy_add(&other, GS_RULE_RESET_PEERS, GS_SEVERITY_BLOCK,
			      "it is linked with GPU %" PRIu32 " by NVLink and is reset along with it, and would lose its VFs, which the request keeps", index);
	block_kept_instances(&other, index);
	/* whose own mode changes too is judged by that */
	if (!changes_itself)
		gs_policy_check_reset_holders(&other);
	y->failed |= other.failed;
}

void gs_policy_check_reset(struct gs_policy *y)
{
	GS_STRBUF struct gs_strbuf names = GS_STRBUF_INIT;
	const struct gs_gpu **peers;
	size_t n;

	if (!gs_diff_wants_reset(y->d, y->options))
		return;
	if (gs_reset_peers(y->p->snapshot, y->gpu, y->p->arena, &peers, &n) < 0) {
		y->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(&names, "%sGPU %" PRIu32, i ? ", " : "", peers[i]->index);
	gs_policy_add(y, GS_RULE_RESET, GS_SEVERITY_CONFIRM, "it is reset%s%s%s: whatever is in its memory is lost, and that cannot be undone%s", n ? " together with " : "",
		      n && !names.failed ? names.text : "", n ? ", which NVLink links with it" : "",
		      gs_reset_peers_are_known(y->gpu) ? "" : "; what it is linked with by NVLink is not told here: if there is anything, the reset is refused and the mode stays as it is");
	y->failed |= names.failed;
	for (size_t i = 0; i < n; i++)
		check_peer(y, peers[i]);
}
