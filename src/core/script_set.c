/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "vfs" and "set": how many VFs, and words and numbers that a GPU or a VF is set to. */
#include "core/script_edit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

int gs_edit_vfs(struct gs_edit *x)
{
	const struct gs_gpu *gpu = x->gpu;
	uint32_t n = gpu->vfs.total.known ? gpu->vfs.total.value : 0;
	int r = gs_edit_check_answers(x, &x->st->pos, "how many VFs it has");

	if (r < 0)
		return r;
	if (gs_str_equal(x->st->text, "all")) {
		if (!n)
			return gs_error_at(x->e, -EINVAL, &x->st->pos, "GPU %" PRIu32 " has no virtual functions", gpu->index);
	} else if (gs_parse_u32(x->st->text, 10, &n) < 0) {
		return gs_error_at(x->e, -EINVAL, &x->st->pos, "vfs takes a number or «all», not \"%.40s\"", x->st->text);
	}
	r = gs_vfs_check(gpu, n, &x->st->pos, x->e);
	if (r < 0)
		return r;
	/* without SR-IOV «vfs 0» is so already */
	if (gpu->vfs.total.known)
		gs_layout_ask_vfs(x->g, gpu, n);
	x->g->vfs_pos = gs_edit_position(x, x->st->pos);
	return 0;
}

/* The carrier of a VF's parameters: the vGPU on it; on a GPU without vGPUs it is made when there is none yet. */
static int want_on_vf(struct gs_edit *x, uint32_t n, struct gs_want **ret)
{
	struct gs_want *w;

	for (size_t i = 0; i < x->g->n_wants; i++) {
		if (x->g->wants[i].kind == GS_KIND_MIG || !gs_u32_is(x->g->wants[i].start, n))
			continue;
		*ret = &x->g->wants[i];
		return 0;
	}
	if (x->gpu->grids[GS_KIND_VGPU].n)
		return gs_error_at(x->e, -ENOENT, &x->st->inside.pos, "VF %" PRIu32 " of GPU %" PRIu32 " carries no vGPU to set anything of: create one first", n,
				   x->gpu->index);
	w = gs_layout_add_want(x->ev->layout, x->g);
	if (!w)
		return gs_error_oom(x->e);
	w->kind = GS_KIND_SRIOV;
	w->profile = "vf";
	w->start = GS_U32(n);
	*ret = w;
	return 0;
}

/* The name of an amount says its unit. */
static bool is_amount(const char *key)
{
	static const char *const units[] = { "-bytes", "-ms", "-us" };
	size_t n = strlen(key);

	for (size_t i = 0; i < GS_ARRAY_SIZE(units); i++)
		if (n > strlen(units[i]) && strcmp(key + n - strlen(units[i]), units[i]) == 0)
			return true;
	return false;
}

/* Plain VFs have the parameters that their driver shows; what a vGPU takes is its plugin's affair (interfaces 1.5). */
static int check_vf_key(struct gs_edit *x, uint32_t n)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;
	const struct gs_instance *inst = gs_gpu_instance_on_vf(x->gpu, n);
	const char *now;
	uint64_t number;

	now = inst && inst->kind == GS_KIND_SRIOV ? gs_instance_param(inst, x->st->text) : NULL;
	if (now && is_amount(x->st->text) && gs_parse_u64(x->st->value, 10, &number) < 0)
		return gs_error_at(x->e, -EINVAL, &x->st->pos, "%s takes a whole number, without a unit, not \"%.40s\"; it is %s now", x->st->text, x->st->value, now);
	if (!inst || inst->kind != GS_KIND_SRIOV || now)
		return 0;
	for (size_t i = 0; i < inst->n_params; i++)
		gs_strbuf_printf(&known, "%s%s", i ? ", " : "", inst->params[i].key);
	gs_strbuf_puts(&known, "");
	return gs_error_at(x->e, -EINVAL, &x->st->pos, "VF %" PRIu32 " of GPU %" PRIu32 " has no setting %s%s%s", n, x->gpu->index, x->st->text,
			   known.length ? "; it has " : ", nor any other", known.length ? known.text : "");
}

/* Whoever sets one thing of a VF has not asked for the shares that the driver gave it meanwhile. */
static void forget_quotas(const struct gs_gpu *gpu, struct gs_want *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_params; i++)
		if (!gs_gpu_is_quota(gpu, w->params[i].key))
			w->params[n++] = w->params[i];
	w->n_params = n;
}

/* A setting of a GPU instance, which the layout has already. */
static int set_in_gi(struct gs_edit *x)
{
	const struct gs_instance_selector *sel = &x->st->inside;
	struct gs_want *w = NULL;
	int r = gs_edit_find(x, sel, &w);

	if (r < 0)
		return r;
	if (!w || w->kind != GS_KIND_MIG)
		return gs_error_at(x->e, -ENOENT, &sel->pos, "GPU %" PRIu32 " has no GPU instance there, and none is asked for at that start: create it first, with «at»", x->gpu->index);
	r = gs_gi_setting_check(x->gpu, x->st->text, x->st->value, &x->st->pos, x->e);
	if (r < 0)
		return r;
	w->pos = gs_edit_position(x, x->st->pos);
	return gs_want_set_param(gs_edit_arena(x), w, x->st->text, x->st->value) < 0 ? gs_error_oom(x->e) : 0;
}

static int set_inside(struct gs_edit *x)
{
	const struct gs_instance_selector *sel = &x->st->inside;
	struct gs_want *w = NULL;
	uint32_t n = sel->number;
	int r = 0;

	if (sel->kind == GS_SELECT_AT || sel->kind == GS_SELECT_GI || sel->kind == GS_SELECT_UUID)
		return set_in_gi(x);
	if (sel->kind == GS_SELECT_MDEV) {
		r = gs_edit_find(x, sel, &w);
		if (r == 0 && !w)
			return gs_error_at(x->e, -ENOENT, &sel->pos, "GPU %" PRIu32 " has no mdev %s", x->gpu->index, sel->text);
	} else if (sel->kind == GS_SELECT_VF) {
		if (sel->text)
			r = gs_edit_vf(x, sel->text, &sel->pos, &n);
		if (r == 0 && (!x->gpu->vfs.total.known || n >= x->gpu->vfs.total.value))
			return gs_error_at(x->e, -EINVAL, &sel->pos, "GPU %" PRIu32 " has no VF %" PRIu32, x->gpu->index, n);
		if (r == 0)
			r = check_vf_key(x, n);
		if (r == 0)
			r = want_on_vf(x, n, &w);
	} else {
		return gs_error_at(x->e, -EINVAL, &sel->pos, "one instance has settings of its own: name a VF with vf:N, an mdev with mdev:UUID, a GPU instance with PROFILE@START");
	}
	if (r < 0)
		return r;
	w->pos = gs_edit_position(x, x->st->pos);
	if (w->is_settled)
		forget_quotas(x->gpu, w);
	w->is_settled = false;
	return gs_want_set_param(gs_edit_arena(x), w, x->st->text, x->st->value) < 0 ? gs_error_oom(x->e) : 0;
}

int gs_edit_set(struct gs_edit *x)
{
	struct gs_want_setting *s;
	int r = gs_edit_check_answers(x, &x->st->pos, "which settings it has");

	if (r < 0)
		return r;
	if (x->st->has_inside)
		return set_inside(x);
	r = gs_setting_check(x->gpu, x->st->text, x->st->value, &x->st->pos, x->e);
	if (r < 0)
		return r;
	s = gs_layout_set(x->ev->layout, x->g, x->st->text, x->st->value);
	if (!s)
		return gs_error_oom(x->e);
	s->pos = gs_edit_position(x, x->st->pos);
	return 0;
}
