/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_modes.c - what a GPU can be used as and set to, and what each choice would mean here. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/view_parts.h"

#define FRAME_ROWS 2    /* title and heading */

static bool item_at(const struct gs_geometry *geo, int row, size_t top, size_t n, size_t *ret_item)
{
	if (row < FRAME_ROWS || row >= geo->layer.rows || top + (size_t)(row - FRAME_ROWS) >= n)
		return false;
	*ret_item = top + (size_t)(row - FRAME_ROWS);
	return true;
}

size_t gs_view_modes_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	enum gs_mode modes[GS_MODE_MAX];

	return gs_part_scrolled(m->list_top, m->list_row, gs_model_mode_rows(m, modes), geo->layer.rows - FRAME_ROWS);
}

bool gs_view_modes_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	enum gs_mode modes[GS_MODE_MAX];

	return item_at(geo, row, gs_view_modes_top(m, geo), gs_model_mode_rows(m, modes), ret_item);
}

size_t gs_view_settings_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	return gs_part_scrolled(m->list_top, m->list_row, gs_model_n_settings(m), geo->layer.rows - FRAME_ROWS);
}

bool gs_view_settings_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	return item_at(geo, row, gs_view_settings_top(m, geo), gs_model_n_settings(m), ret_item);
}

static void clear(const struct gs_view *v, struct gs_rect r)
{
	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
}

/* One row of either list. */
static void draw_row(const struct gs_view *v, int row, size_t i, bool is_off, const char *text)
{
	struct gs_rect r = v->geo.layer;
	bool is_chosen = i == v->m->list_row;
	enum gs_element el = is_chosen ? GS_ELEMENT_SELECTED : is_off ? GS_ELEMENT_DIM : GS_ELEMENT_TEXT;

	if (is_chosen)
		gs_draw_fill(v->f, r, row, 0, 1, r.columns, el, ' ');
	gs_draw_printf(v->f, r, row, 1, el, "%c %2zu  ", is_chosen ? '>' : ' ', i + 1);
	gs_draw_fit(v->f, r, row, 7, r.columns - 7, el, text);
	if (is_chosen)
		gs_draw_flag(v->f, r, row, 0, 1, r.columns, GS_CELL_CURSOR);
}

/* ---------------------------------------------------------------- modes */

static const char *mode_means(enum gs_mode mode)
{
	switch (mode) {
	case GS_MODE_WHOLE:
		return "one GPU, not cut";
	case GS_MODE_MIG:
		return "cut into instances with their own memory and SMs";
	case GS_MODE_VGPU:
		return "time-sliced virtual GPUs for VMs";
	case GS_MODE_MIG_VGPU:
		return "virtual GPUs on MIG instances";
	case GS_MODE_SRIOV:
		return "virtual functions";
	case GS_MODE_PASSTHROUGH:
		return "the whole card for one VM, through VFIO";
	default:
		return "";
	}
}

/* The operation that going from the target's mode to @mode is, for those who hold it; MAX: it disturbs nobody. */
static enum gs_who_op op_of(const struct gs_gpu *gpu, enum gs_mode mode)
{
	if (mode == gpu->mode)
		return GS_WHO_OP_MAX;
	if (mode == GS_MODE_PASSTHROUGH || gpu->mode == GS_MODE_PASSTHROUGH)
		return GS_WHO_OP_PASSTHROUGH;
	if (gpu->vfs.total.known && gs_mode_has_vfs(mode) != gs_mode_has_vfs(gpu->mode))
		return GS_WHO_OP_VFS;
	return gs_mode_has_mig(mode) != gs_mode_has_mig(gpu->mode) ? GS_WHO_OP_MODE : GS_WHO_OP_MAX;
}

static void say_driver(const struct gs_gpu *gpu, enum gs_mode mode, struct gs_strbuf *b)
{
	char pci[GS_BDF_TEXT];
	size_t n = 0;

	if (mode == GS_MODE_PASSTHROUGH && gpu->mode != mode) {
		gs_strbuf_printf(b, "Its driver %s gives way to %s.", gpu->driver ? gpu->driver : "(none)", gpu->vfio_driver ? gpu->vfio_driver : "vfio-pci");
		for (size_t i = 0; i < gpu->n_siblings; i++)
			if (!gpu->siblings[i]->is_bridge)
				gs_strbuf_printf(b, "%s%s (%s)", n++ ? ", " : " Along goes ", gs_part_pci(gpu->siblings[i]->bdf, pci, sizeof(pci)),
						 gpu->siblings[i]->driver ? gpu->siblings[i]->driver : "no driver");
		gs_strbuf_puts(b, n ? ". " : " ");
	} else if (gpu->mode == GS_MODE_PASSTHROUGH && gpu->mode != mode) {
		gs_strbuf_printf(b, "It goes back to its driver%s%s. ", gpu->original_driver ? " " : "", gpu->original_driver ? gpu->original_driver : "");
	} else if (gpu->stranded || !gpu->driver) {
		gs_strbuf_puts(b, "It gets its driver back. ");
	}
}

static void say_vfs(const struct gs_gpu *gpu, enum gs_mode mode, struct gs_strbuf *b)
{
	bool is_on = gpu->vfs.enabled.known && gpu->vfs.enabled.value;

	if (!gpu->vfs.total.known || gs_mode_has_vfs(mode) == is_on)
		return;
	if (gpu->vfs.by == GS_VFS_BY_NOBODY && gpu->mode != GS_MODE_PASSTHROUGH)
		gs_strbuf_printf(b, "The driver %s cannot switch VFs. ", gpu->driver ? gpu->driver : "(none)");
	else if (gs_mode_has_vfs(mode))
		gs_strbuf_printf(b, "%u VFs are enabled%s. ", gpu->vfs.total.value,
				 gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE ? " by sriov-manage, which takes the driver off this GPU for a moment"
				 : mode == GS_MODE_SRIOV ? "; s asks for fewer" : "");
	else
		gs_strbuf_printf(b, "%u VFs are switched off. ", gpu->vfs.enabled.value);
}

/* Those who would not like it, by name; verdicts as «who» gives them. */
static void say_in_the_way(const struct gs_gpu *gpu, enum gs_who_op op, struct gs_strbuf *yes, struct gs_strbuf *maybe)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	struct gs_who_entry *entries;
	size_t n, said = 0;
	char label[160];

	if (op == GS_WHO_OP_MAX || !arena || gs_who_list(gpu, op, arena, &entries, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		bool is_yes = entries[i].verdict == GS_WHO_VERDICT_YES || entries[i].verdict == GS_WHO_VERDICT_CLAIM;
		struct gs_strbuf *b = is_yes ? yes : maybe;

		if (!is_yes && entries[i].verdict != GS_WHO_VERDICT_MAYBE && entries[i].verdict != GS_WHO_VERDICT_HIDDEN)
			continue;
		if (++said > 6)
			continue;
		gs_strbuf_printf(b, "%s%s", b->length ? ", " : "",
				 entries[i].holder ? gs_holder_label(entries[i].holder, label, sizeof(label)) : "somebody who cannot be seen from here");
	}
	if (said > 6)
		gs_strbuf_printf(yes->length ? yes : maybe, " and %zu more", said - 6);
}

static void draw_meaning(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_mode mode, bool is_so)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT, yes = GS_STRBUF_INIT, maybe = GS_STRBUF_INIT;
	const char *refused = gs_model_mode_refused(gpu, mode);
	GS_LINES struct gs_lines l = { 0 };
	struct gs_rect d = v->geo.detail;
	int width = d.columns - 1;

	d.row++;
	d.rows--;
	if (refused)
		gs_lines_wrap(&l, -1, GS_ELEMENT_BLOCK, " X  ", GS_ELEMENT_TEXT, refused, width, 3);
	else if (gpu->n_writes)
		gs_lines_wrap(&l, -1, GS_ELEMENT_BLOCK, " X  ", GS_ELEMENT_TEXT, "an earlier write still waits in the kernel: nothing is begun here before it ends", width, 2);
	/* what cannot be needs no more words */
	if (!refused)
		say_in_the_way(gpu, op_of(gpu, mode), &yes, &maybe);
	if (yes.length && !yes.failed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_STOPS, " ! in the way:  ", GS_ELEMENT_TEXT, yes.text, width, 4);
	if (!refused) {
		say_driver(gpu, mode, &b);
		say_vfs(gpu, mode, &b);
	}
	if (!refused && gpu->mode_needs_reset && gs_mode_has_mig(mode) != gs_mode_has_mig(gpu->mode) && gpu->mode != GS_MODE_PASSTHROUGH)
		gs_strbuf_puts(&b, "This model changes its mode only with a reset, which gpuslice does not do: the change may stay pending until then. ");
	if (b.length && !b.failed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_NOTE, " ", GS_ELEMENT_TEXT, b.text, width, 3);
	if (is_so)
		gs_lines_add(&l, -1, GS_ELEMENT_DIM, mode == gpu->mode ? " It is in this mode." : " This is staged.");
	else if (!refused)
		gs_lines_wrap(&l, -1, GS_ELEMENT_OK, " Enter stages it. ", GS_ELEMENT_TEXT,
			      gpu->n_instances ? "What the change would wipe is staged for deletion with it, so that the plan says who stops." : "", width, 2);
	if (maybe.length && !maybe.failed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_CONFIRM, " perhaps:  ", GS_ELEMENT_TEXT, maybe.text, width, 2);
	gs_lines_draw(v, d, &l, 0, -1);
}

void gs_view_modes(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	const struct gs_gpu *gpu = gs_model_gpu(m);
	const struct gs_layout_gpu *target = gs_model_target(m, m->gpu);
	enum gs_mode modes[GS_MODE_MAX];
	size_t n = gs_model_mode_rows(m, modes), top = gs_view_modes_top(m, &v->geo);
	struct gs_rect r = v->geo.layer;
	char text[128];

	clear(v, r);
	clear(v, v->geo.detail);
	snprintf(text, sizeof(text), "MODE of GPU %u%s", m->gpu, m->marked_gpus ? " and all marked" : "");
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, text, NULL);
	gs_draw_text(v->f, r, 1, 7, GS_ELEMENT_DIM, "mode         state");
	for (int row = FRAME_ROWS; gpu && row < r.rows && top + (size_t)(row - FRAME_ROWS) < n; row++) {
		size_t i = top + (size_t)(row - FRAME_ROWS);
		const char *state = gpu->mode == modes[i] ? "now" : gpu->mode_pending == modes[i] ? "pending" : target && target->mode == modes[i] ? "staged" : "";
		const char *refused = gs_model_mode_refused(gpu, modes[i]);

		snprintf(text, sizeof(text), "%-12s %-7s %s", gs_mode_name(modes[i]), refused ? "no" : state, refused ? refused : mode_means(modes[i]));
		draw_row(v, row, i, refused, text);
	}
	gs_part_rule(v, v->geo.detail, 0, GS_ELEMENT_TITLE, n && m->list_row < n ? gs_mode_name(modes[m->list_row]) : "", NULL);
	if (gpu && m->list_row < n)
		draw_meaning(v, gpu, modes[m->list_row], gs_model_is_mode(m, modes[m->list_row]));
}

/* ---------------------------------------------------------------- settings */

/* Has a value the row's word, whatever parts stand behind it? */
static bool has_word(const char *value, const char *word)
{
	char first[GS_SETTING_VALUE_MAX];

	return value && word && gs_str_equal(gs_setting_word(value, first, sizeof(first)), word);
}

static const char *state_of(const struct gs_model *m, const struct gs_setting_row *row)
{
	const struct gs_setting *s = row->setting;
	const char *wanted = gs_model_setting_wanted(m, m->gpu, s), *soon = s->pending ? s->pending : s->value;

	if (has_word(wanted, row->value) && !gs_setting_is(soon, wanted, false))
		return "staged";
	if (has_word(s->pending, row->value))
		return "pending";
	return has_word(s->value, row->value) ? "now" : "";
}

/* With the parts that are set, or staged, behind the word. */
static const char *value_of(const struct gs_model *m, const struct gs_setting_row *row)
{
	const char *wanted = gs_model_setting_wanted(m, m->gpu, row->setting);

	if (has_word(wanted, row->value))
		return wanted;
	return has_word(row->setting->value, row->value) ? row->setting->value : row->value;
}

static void describe_row(const struct gs_model *m, const struct gs_setting_row *row, char *buf, size_t size)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	const struct gs_setting *s = row->setting;

	if (!s)
		snprintf(buf, size, "%-20s %u of %u", "virtual functions", gpu->vfs.enabled.known ? gpu->vfs.enabled.value : 0, gpu->vfs.total.value);
	else if (!row->value)
		snprintf(buf, size, "%-20s %s%s", s->key, s->value ? s->value : "cannot be read", s->fixed ? "   fixed" : "");
	else
		snprintf(buf, size, "%-20s %-10s %s", row->is_first ? s->key : "", value_of(m, row), s->fixed && !has_word(s->value, row->value) ? "" : state_of(m, row));
}

/* What the two settings of vGPUs mean, when they can be written, and how parts are said. */
static void explain_vgpus(const struct gs_view *v, const struct gs_setting *s, struct gs_lines *l, int width)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	const struct gs_gpu *gpu = gs_model_gpu(v->m);
	size_t vgpus = 0;

	for (size_t i = 0; i < gpu->n_instances; i++)
		vgpus += gpu->instances[i]->kind == GS_KIND_VGPU;
	gs_strbuf_puts(&b, gs_str_equal(s->key, GS_SETTING_HETEROGENEOUS) ? "vGPUs of several framebuffer sizes on one GPU (mixed sizes). " :
									     "How vGPUs share the GPU's time. ");
	if (gs_mode_has_mig(gpu->mode))
		gs_strbuf_printf(&b, "In MIG mode each GPU instance has its own: set %" PRIu32 "/PROFILE@START %s ...", gpu->index, s->key);
	else if (vgpus)
		gs_strbuf_printf(&b, "Written only while there is no vGPU, and there %s %zu.", vgpus == 1 ? "is" : "are", vgpus);
	else
		gs_strbuf_puts(&b, "Written only while there is no vGPU.");
	for (size_t i = 0; i < s->n_parts && !gs_mode_has_mig(gpu->mode); i++) {
		const struct gs_setting_part *part = &s->parts[i];

		gs_strbuf_printf(&b, "%s%s=", i ? ", " : " Behind the word at the prompt, after a colon: ", part->key);
		if (part->n_words)
			gs_strbuf_printf(&b, "%s|%s", part->words[0], part->words[part->n_words - 1]);
		else
			gs_strbuf_printf(&b, "%" PRIu64 "..%" PRIu64, part->min, part->max);
	}
	if (!b.failed)
		gs_lines_wrap(l, -1, GS_ELEMENT_DIM, " ", GS_ELEMENT_TEXT, b.text, width, 5);
}

static void draw_consequence(const struct gs_view *v, const struct gs_setting_row *row)
{
	const struct gs_setting *s = row->setting;
	const struct gs_gpu *gpu = gs_model_gpu(v->m);
	GS_STRBUF struct gs_strbuf yes = GS_STRBUF_INIT, maybe = GS_STRBUF_INIT;
	GS_LINES struct gs_lines l = { 0 };
	struct gs_rect d = v->geo.detail;
	int width = d.columns - 1;
	bool cuts = s && (gs_str_equal(s->key, GS_SETTING_COMPUTE_PARTITION) || gs_str_equal(s->key, GS_SETTING_MEMORY_PARTITION));

	d.row++;
	d.rows--;
	if (s && gs_setting_is_for_vgpus(s->key))
		explain_vgpus(v, s, &l, width);
	if (s && s->fixed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_BLOCK, " X  ", GS_ELEMENT_TEXT, s->fixed, width, 3);
	if (s && s->pending) {
		char text[160];

		snprintf(text, sizeof(text), "%s pending: driver reload. Until then it is %s.", s->pending, s->value ? s->value : "what it was");
		gs_lines_wrap(&l, -1, GS_ELEMENT_WAITING, " w  ", GS_ELEMENT_TEXT, text, width, 2);
	}
	if (cuts && !s->fixed)
		say_in_the_way(gpu, GS_WHO_OP_MODE, &yes, &maybe);
	if (yes.length && !yes.failed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_STOPS, " ! in the way:  ", GS_ELEMENT_TEXT, yes.text, width, 4);
	if (s && !s->value && !s->fixed && !(gs_setting_is_for_vgpus(s->key) && gs_mode_has_mig(gpu->mode)))
		gs_lines_add(&l, -1, GS_ELEMENT_CONFIRM, " What it is now cannot be read.");
	if (gs_str_equal(s ? s->value : NULL, "mixed"))
		gs_lines_add(&l, -1, GS_ELEMENT_CONFIRM, " Its parts differ now.");
	if (v->m->read_only)
		gs_lines_add(&l, -1, GS_ELEMENT_DIM, " Only a look: nothing is changed from here.");
	else if (!s)
		gs_lines_add(&l, -1, GS_ELEMENT_OK, " Enter asks how many. Another number goes through none: all VFs go and come.");
	else if (!s->fixed && row->value && gs_str_equal(row->value, gs_model_setting_wanted(v->m, v->m->gpu, s)))
		gs_lines_add(&l, -1, GS_ELEMENT_DIM, has_word(s->value, row->value) ? " It is so." : s->pending ? " This is pending." : " This is staged.");
	else if (!s->fixed)
		gs_lines_add(&l, -1, GS_ELEMENT_OK, row->value ? " Enter stages it." : " Enter asks for a number.");
	gs_lines_draw(v, d, &l, 0, -1);
}

void gs_view_settings(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	size_t n = gs_model_n_settings(m), top = gs_view_settings_top(m, &v->geo);
	struct gs_rect r = v->geo.layer;
	struct gs_setting_row chosen;
	char text[160];

	clear(v, r);
	clear(v, v->geo.detail);
	snprintf(text, sizeof(text), "SETTINGS of GPU %u%s", m->gpu, m->marked_gpus ? " and all marked" : "");
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, text, NULL);
	gs_draw_text(v->f, r, 1, 7, GS_ELEMENT_DIM, "setting              value      state");
	for (int row = FRAME_ROWS; row < r.rows && top + (size_t)(row - FRAME_ROWS) < n; row++) {
		struct gs_setting_row line;
		size_t i = top + (size_t)(row - FRAME_ROWS);

		if (!gs_model_setting(m, i, &line))
			break;
		describe_row(m, &line, text, sizeof(text));
		draw_row(v, row, i, line.setting && line.setting->fixed, text);
	}
	if (!gs_model_setting(m, m->list_row, &chosen))
		return;
	gs_part_rule(v, v->geo.detail, 0, GS_ELEMENT_TITLE, chosen.setting ? chosen.setting->key : "virtual functions", NULL);
	draw_consequence(v, &chosen);
}
