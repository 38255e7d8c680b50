/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "delete", "move", "recreate", "copy". */
#include "core/script_edit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

static int delete_one(struct gs_edit *x, const struct gs_instance_selector *sel)
{
	struct gs_want *w = NULL;
	/* what cannot be seen is not absent */
	int r = gs_edit_check_seen(x, &sel->pos);

	if (r < 0)
		return r;
	if (sel->kind == GS_SELECT_ALL || sel->kind == GS_SELECT_REST) {
		for (size_t i = x->g->n_wants; i-- > 0;)
			/* plain VFs come and go with their number; what is set of them is not an instance */
			if (x->g->wants[i].kind != GS_KIND_SRIOV && (sel->kind == GS_SELECT_ALL || !x->g->wants[i].is_claimed))
				gs_layout_remove_want(x->g, i);
		return 0;
	}
	r = gs_edit_find(x, sel, &w);
	if (r < 0)
		return r;
	if (!w && (sel->kind == GS_SELECT_VF || sel->kind == GS_SELECT_MDEV))
		return gs_edit_remark(x, sel->pos, GS_SEVERITY_NOTE, "absent",
				      sel->text ? gs_arena_printf(gs_edit_arena(x), "there is no vGPU %s: nothing to delete", sel->text)
						: gs_arena_printf(gs_edit_arena(x), "VF %" PRIu32 " has no vGPU: nothing to delete", sel->number));
	if (!w)
		return gs_edit_remark(x, sel->pos, GS_SEVERITY_NOTE, "absent",
			      sel->kind == GS_SELECT_AT ? gs_arena_printf(gs_edit_arena(x), "%s@%" PRIu32 " is not there: nothing to delete", sel->profile, sel->number)
							: gs_arena_printf(gs_edit_arena(x), "%s is deleted already", sel->text ? sel->text : "it"));
	gs_layout_remove_want(x->g, (size_t)(w - x->g->wants));
	return 0;
}

/* "delete GPU/INST 1c.3g.40gb@0" */
static int delete_inside(struct gs_edit *x)
{
	struct gs_want *w = NULL;
	int r = gs_edit_check_seen(x, &x->st->inside.pos);

	if (r >= 0)
		r = gs_edit_find(x, &x->st->inside, &w);
	if (r < 0)
		return r;
	for (size_t i = 0; i < x->st->n_instances; i++) {
		const struct gs_instance_selector *sel = &x->st->instances[i];
		bool all = sel->kind == GS_SELECT_ALL, found = all;

		if (!all && sel->kind != GS_SELECT_AT)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "a compute instance is named by PROFILE@START");
		if (w && w->compute_default && (all || sel->number == 0)) {
			w->compute_default = false;
			w->n_compute = 0;
			found = true;
		}
		for (size_t k = w ? w->n_compute : 0; k-- > 0;) {
			if (!all && !(gs_str_equal(w->compute[k].profile, sel->profile) && gs_u32_is(w->compute[k].start, sel->number)))
				continue;
			memmove(&w->compute[k], &w->compute[k + 1], (w->n_compute - k - 1) * sizeof(*w->compute));
			w->n_compute--;
			found = true;
		}
		if (!found) {
			r = gs_edit_remark(x, sel->pos, GS_SEVERITY_NOTE, "absent", "that compute instance is not there: nothing to delete");
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int gs_edit_delete(struct gs_edit *x)
{
	if (x->st->has_inside)
		return delete_inside(x);
	for (size_t i = 0; i < x->st->n_instances; i++) {
		int r = delete_one(x, &x->st->instances[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

int gs_edit_move(struct gs_edit *x)
{
	const struct gs_profile *p = NULL;
	struct gs_want *w = NULL;
	size_t at;
	int r = gs_edit_find(x, &x->st->instances[0], &w);

	if (r < 0)
		return r;
	if (!w)
		return gs_error_at(x->e, -ENOENT, &x->st->instances[0].pos, "GPU %" PRIu32 " has no such instance to move", x->gpu->index);
	if (w->kind != GS_KIND_MIG)
		return gs_error_at(x->e, -EINVAL, &x->st->instances[0].pos, "a vGPU does not move: delete it, and create it with vf N");
	r = gs_edit_profile(x, w->profile, &x->st->pos, &p, NULL);
	if (r >= 0)
		r = gs_edit_check_start(x, p, x->st->at.value, &x->st->at_pos);
	if (r < 0)
		return r;
	if (gs_u32_equal(w->start, x->st->at)) {
		w->is_claimed = true;
		w->open_claim = 0;
		return 0;
	}
	w->is_claimed = false;
	at = (size_t)(w - x->g->wants);
	r = gs_edit_make_way(x, GS_KIND_MIG, p, x->st->at.value, &x->st->at_pos);
	if (r < 0)
		return r;
	/* what made way may have moved the array */
	w = &x->g->wants[at];
	if (w->instance_id.known)
		w->moved_id = w->instance_id;
	w->instance_id = GS_U32_UNKNOWN;
	w->start = x->st->at;
	w->pos = gs_edit_position(x, x->st->pos);
	w->is_claimed = true;
	w->open_claim = 0;
	return 0;
}

int gs_edit_recreate(struct gs_edit *x)
{
	for (size_t i = 0; i < x->st->n_instances; i++) {
		const struct gs_instance_selector *sel = &x->st->instances[i];
		struct gs_want *w = NULL;
		int r;

		if (sel->kind == GS_SELECT_ALL) {
			for (size_t k = 0; k < x->g->n_wants; k++)
				x->g->wants[k].recreate = x->g->wants[k].is_claimed = true;
			continue;
		}
		r = gs_edit_find(x, sel, &w);
		if (r < 0)
			return r;
		if (!w)
			return gs_error_at(x->e, -ENOENT, &sel->pos, "GPU %" PRIu32 " has no such instance to recreate", x->gpu->index);
		w->recreate = true;
		w->is_claimed = true;
	}
	return 0;
}

/* What the source is set to, or shall be, where the other has such a setting. */
static int copy_settings(struct gs_edit *x, const struct gs_gpu *gpu, struct gs_layout_gpu *to)
{
	for (size_t i = 0; i < x->gpu->n_settings; i++) {
		const struct gs_setting *s = x->gpu->settings[i], *other = gs_gpu_setting(gpu, s->key);
		const char *value = s->pending ? s->pending : s->value;

		for (size_t k = 0; k < x->g->n_settings; k++)
			if (gs_str_equal(x->g->settings[k].key, s->key))
				value = x->g->settings[k].value;
		if (other && !other->fixed && value && gs_setting_check(gpu, s->key, value, &x->st->pos, NULL) == 0 &&
		    !gs_layout_set(x->ev->layout, to, s->key, value))
			return gs_error_oom(x->e);
	}
	return 0;
}

static int copy_to(struct gs_edit *x, uint32_t target)
{
	struct gs_layout *l = x->ev->layout;
	const struct gs_gpu *gpu = gs_snapshot_gpu(x->s, target);
	struct gs_layout_gpu *to = &l->gpus[target];
	int r;

	if (target == x->gpu->index)
		return 0;
	if (x->g->mode != GS_MODE_INVALID)
		gs_layout_ask_mode(to, gpu, x->g->mode);
	if (x->g->mode == GS_MODE_SRIOV && x->g->vfs.known) {
		r = gs_vfs_check(gpu, x->g->vfs.value, &x->st->pos, x->e);
		if (r < 0)
			return r;
		gs_layout_ask_vfs(to, gpu, x->g->vfs.value);
	}
	r = copy_settings(x, gpu, to);
	if (r < 0)
		return r;
	to->n_wants = 0;
	for (size_t i = 0; i < x->g->n_wants; i++) {
		const struct gs_want *from = &x->g->wants[i];
		struct gs_want *w;

		if (from->kind == GS_KIND_SRIOV)
			continue;
		if (!gs_want_profile(from, gpu))
			return gs_error_at(x->e, -EINVAL, &x->st->pos, "GPU %" PRIu32 " has no profile %s: it is another model than GPU %" PRIu32, target, from->profile,
					   x->gpu->index);
		w = gs_layout_add_want(l, to);
		if (!w)
			return gs_error_oom(x->e);
		gs_want_copy_afresh(gs_edit_arena(x), w, from);
		/* a UUID is one instance's on the whole host */
		w->uuid = NULL;
		w->pos = gs_edit_position(x, x->st->pos);
		w->is_claimed = true;
	}
	return 0;
}

int gs_edit_copy(struct gs_edit *x)
{
	size_t max = gs_snapshot_n_gpus(x->s), n;
	GS_FREE uint32_t *targets = calloc(max + 1, sizeof(*targets));
	char label[96];
	int r;

	if (!targets)
		return gs_error_oom(x->e);
	/* a GPU that cannot be seen into looks empty: copying that would empty the others */
	if (x->gpu->lost || x->g->positions_unknown) {
		gs_error_at(x->e, -EPERM, &x->st->gpu.pos, "what %s looks like cannot be seen here, so it cannot be copied", gs_gpu_label(x->gpu, label, sizeof(label)));
		if (x->e)
			x->e->status = GS_STATUS_CANNOT_TELL;
		return -EPERM;
	}
	for (size_t i = 0; i < x->st->n_targets; i++) {
		r = gs_select_gpus(&x->st->targets[i], x->s, targets, max, &n, x->e);
		for (size_t k = 0; r >= 0 && k < n; k++)
			r = gs_edit_is_for(x, targets[k]) ? copy_to(x, targets[k]) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}
