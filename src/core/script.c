/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/script.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/script_edit.h"

static const char *const verb_names[] = {
	[GS_VERB_MODE] = "mode",
	[GS_VERB_CREATE] = "create",
	[GS_VERB_DELETE] = "delete",
	[GS_VERB_MOVE] = "move",
	[GS_VERB_RECREATE] = "recreate",
	[GS_VERB_COPY] = "copy",
	[GS_VERB_USE] = "use",
	[GS_VERB_VFS] = "vfs",
	[GS_VERB_SET] = "set",
};

const char *gs_verb_name(enum gs_verb v)
{
	return (unsigned)v < GS_VERB_MAX ? verb_names[v] : NULL;
}

enum gs_verb gs_verb_from_name(const char *s)
{
	unsigned i = 0;

	while (i < GS_VERB_MAX && strcmp(s, verb_names[i]) != 0)
		i++;
	return (enum gs_verb)i;
}

struct gs_script *gs_script_new(void)
{
	struct gs_script *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->arena = gs_arena_new();
	if (!s->arena) {
		free(s);
		return NULL;
	}
	return s;
}

struct gs_script *gs_script_free(struct gs_script *s)
{
	if (!s)
		return NULL;
	gs_arena_free(s->arena);
	free(s);
	return NULL;
}

void gs_evaluation_done(struct gs_evaluation *ev)
{
	gs_layout_free(ev->layout);
	memset(ev, 0, sizeof(*ev));
}

/* ---------------------------------------------------------------- what editing shares */

struct gs_arena *gs_edit_arena(struct gs_edit *x)
{
	return x->ev->layout->arena;
}

struct gs_position gs_edit_position(struct gs_edit *x, struct gs_position pos)
{
	pos.file = gs_arena_strdup(gs_edit_arena(x), pos.file);
	return pos;
}

int gs_edit_remark(struct gs_edit *x, struct gs_position pos, enum gs_severity severity, const char *rule, const char *text)
{
	struct gs_evaluation *ev = x->ev;
	void *grown = gs_arena_grow(gs_edit_arena(x), ev->remarks, ev->n_remarks, &ev->cap_remarks, sizeof(*ev->remarks));

	if (!grown || !text)
		return gs_error_oom(x->e);
	ev->remarks = grown;
	ev->remarks[ev->n_remarks++] = (struct gs_remark){ gs_edit_position(x, pos), x->gpu->index, severity, rule, text };
	return 0;
}

/* ---------------------------------------------------------------- evaluation */

static int do_statement(struct gs_edit *x)
{
	switch (x->st->verb) {
	case GS_VERB_MODE:
		gs_layout_ask_mode(x->g, x->gpu, x->st->mode);
		return 0;
	case GS_VERB_VFS:
		return gs_edit_vfs(x);
	case GS_VERB_SET:
		return gs_edit_set(x);
	case GS_VERB_CREATE:
		return gs_edit_create(x);
	case GS_VERB_DELETE:
		return gs_edit_delete(x);
	case GS_VERB_MOVE:
		return gs_edit_move(x);
	case GS_VERB_RECREATE:
		return gs_edit_recreate(x);
	case GS_VERB_COPY:
		return gs_edit_copy(x);
	case GS_VERB_USE:
	case GS_VERB_MAX:
		break;
	}
	gs_error_at(x->e, -EOPNOTSUPP, &x->st->pos, "%s: GPU %" PRIu32 " offers nothing of the kind to this version", gs_verb_name(x->st->verb), x->gpu->index);
	if (x->e)
		x->e->status = GS_STATUS_REFUSED;
	return -EOPNOTSUPP;
}

/* Where nvidia-smi counts otherwise than we do, a bare number may mean another board to whoever wrote it. */
static int remark_index(struct gs_edit *x)
{
	if (x->context != GS_CONTEXT_FILE || x->st->gpu.kind != GS_SELECT_GPU_RANGE || !x->gpu->nvidia_index.known ||
	    x->gpu->nvidia_index.value == x->gpu->index)
		return 0;
	return gs_edit_remark(x, x->st->gpu.pos, GS_SEVERITY_CONFIRM, "bare-index",
		      gs_arena_printf(gs_edit_arena(x), "GPU %" PRIu32 " is nvidia-smi's %" PRIu32 ": name it by its PCI address or UUID to be sure", x->gpu->index,
				      x->gpu->nvidia_index.value));
}

bool gs_edit_is_for(const struct gs_edit *x, uint32_t gpu)
{
	for (size_t i = 0; i < x->n_only; i++)
		if (gs_bdf_compare(x->only[i], gs_snapshot_gpu(x->s, gpu)->bdf) == 0)
			return true;
	return !x->n_only;
}

static int evaluate_statement(struct gs_edit *x, uint32_t *selected)
{
	size_t n;
	int r = gs_select_gpus(&x->st->gpu, x->s, selected, gs_snapshot_n_gpus(x->s), &n, x->e);

	if (r >= 0 && x->st->verb == GS_VERB_COPY && n != 1)
		return gs_error_at(x->e, -EINVAL, &x->st->gpu.pos, "copy takes one GPU to copy from; this names %zu", n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		/* what is copied from is only looked at */
		if (x->st->verb != GS_VERB_COPY && !gs_edit_is_for(x, selected[i]))
			continue;
		x->gpu = gs_snapshot_gpu(x->s, selected[i]);
		x->g = &x->ev->layout->gpus[selected[i]];
		r = remark_index(x);
		if (r >= 0)
			r = do_statement(x);
	}
	return r;
}

int gs_script_evaluate(const struct gs_script *script, const struct gs_snapshot *s, enum gs_script_context context,
		       struct gs_evaluation *ret_ev, struct gs_error *e)
{
	return gs_script_evaluate_on(script, s, context, NULL, 0, ret_ev, e);
}

int gs_script_evaluate_on(const struct gs_script *script, const struct gs_snapshot *s, enum gs_script_context context, const struct gs_bdf *only, size_t n_only,
			  struct gs_evaluation *ret_ev, struct gs_error *e)
{
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	GS_FREE uint32_t *selected = calloc(gs_snapshot_n_gpus(s) + 1, sizeof(*selected));
	struct gs_edit x = { .s = s, .context = context, .ev = &ev, .only = only, .n_only = n_only, .e = e };
	int r;

	if (!selected)
		return gs_error_oom(e);
	r = gs_layout_from_snapshot(s, &ev.layout, e);
	for (size_t i = 0; r >= 0 && i < script->n; i++) {
		x.st = &script->items[i];
		x.number = (uint32_t)i;
		r = evaluate_statement(&x, selected);
	}
	if (r >= 0)
		r = gs_layout_solve(ev.layout, s, NULL, e);
	if (r < 0)
		return r;
	if (gs_arena_has_failed(ev.layout->arena))
		return gs_error_oom(e);
	*ret_ev = ev;
	memset(&ev, 0, sizeof(ev));
	return 0;
}
