/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_fleet.c - a row per GPU: what it is, how it is cut, how busy, who. */
#include <stdio.h>
#include <string.h>

#include "ui/view_parts.h"

enum column { INDEX, SMI, PCI, MODE, BAR, BIGGEST, SM, MEMORY, CELSIUS, WATTS, WHO, COLUMN_MAX };

/* Where each column begins and how wide it is; width 0: not shown. */
struct columns {
	int at[COLUMN_MAX], width[COLUMN_MAX];
};

static bool smi_differs(const struct gs_snapshot *s)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		if (gpu->vendor == GS_VENDOR_NVIDIA && !gs_u32_is(gpu->nvidia_index, gpu->index) &&
		    (gpu->nvidia_index.known || gpu->mode == GS_MODE_PASSTHROUGH))
			return true;
	}
	return false;
}

/* What must be there first, then readings as long as a name still fits behind them. */
static void lay_out(const struct gs_snapshot *s, int screen, struct columns *c)
{
	static const struct { enum column which; int width, who; } readings[] = {
		{ SM, 4, 6 }, { MEMORY, 7, 6 }, { CELSIUS, 3, 10 }, { WATTS, 4, 14 },
	};
	size_t n = s ? gs_snapshot_n_gpus(s) : 0;
	bool is_wide = screen >= 96;
	int at = 2, fixed;

	*c = (struct columns){ 0 };
	c->width[INDEX] = n > 100 ? 3 : n > 10 ? 2 : 1;
	c->width[SMI] = s && smi_differs(s) ? 3 : 0;
	c->width[PCI] = 7;
	for (size_t i = 0; i < n; i++) {
		if (gs_snapshot_gpu(s, i)->bdf.domain)
			c->width[PCI] = 12;
	}
	c->width[MODE] = is_wide ? 6 : 5;
	c->width[BAR] = GS_BAR_COLUMNS;
	c->width[BIGGEST] = is_wide ? 11 : 8;
	for (int i = INDEX; i <= BIGGEST; i++) {
		c->at[i] = at;
		/* the bar's own edge keeps it off the mode */
		at += c->width[i] ? c->width[i] + (i == MODE && !is_wide ? 0 : 1) : 0;
	}
	fixed = at;
	for (size_t i = 0; i < GS_ARRAY_SIZE(readings); i++) {
		if (screen - fixed - readings[i].width - 1 < readings[i].who)
			break;
		c->width[readings[i].which] = readings[i].width;
		fixed += readings[i].width + 1;
	}
	for (int i = SM; i < WHO; i++) {
		c->at[i] = at;
		at += c->width[i] ? c->width[i] + 1 : 0;
	}
	at += is_wide ? 1 : 0;
	c->at[WHO] = at;
	c->width[WHO] = screen > at ? screen - at : 0;
}

static void draw_right(const struct gs_view *v, struct gs_rect rect, int row, const struct columns *c, enum column which, enum gs_element el,
		       const char *text)
{
	int n = gs_text_width(text);

	if (c->width[which])
		gs_draw_fit(v->f, rect, row, c->at[which] + (n < c->width[which] ? c->width[which] - n : 0), c->width[which], el, text);
}

/* Units of the bar of @gpu; of a bar that shows shares of the memory its GiB instead. */
static uint32_t heading_units(const struct gs_model *m, const struct gs_gpu *gpu, uint32_t *ret_gib)
{
	struct gs_ground ground = gs_model_shown(m, gpu);

	*ret_gib = 0;
	if (ground.grid == GS_KIND_INVALID)
		return gpu->grids[GS_KIND_MIG].memory_units;
	if (!ground.set->is_slots)
		return ground.set->memory_units;
	if (ground.grid == GS_KIND_VGPU)
		*ret_gib = (uint32_t)((gs_part_shared_bytes(gpu) + (1u << 29)) >> 30);
	return 0;
}

/* "0         24         48G" over the bar. */
static void draw_heading_gib(const struct gs_view *v, const struct columns *c, uint32_t gib)
{
	char end[16];

	snprintf(end, sizeof(end), "%uG", gib);
	gs_draw_text(v->f, v->geo.fleet, 0, c->at[BAR] + 1, GS_ELEMENT_DIM, "0");
	gs_draw_printf(v->f, v->geo.fleet, 0, c->at[BAR] + (GS_BAR_COLUMNS - 1) / 2, GS_ELEMENT_DIM, "%u", gib / 2);
	gs_draw_text(v->f, v->geo.fleet, 0, c->at[BAR] + GS_BAR_COLUMNS - 1 - gs_text_width(end), GS_ELEMENT_DIM, end);
}

static void draw_heading(const struct gs_view *v, const struct columns *c, uint32_t units, uint32_t gib)
{
	struct gs_rect r = v->geo.fleet;
	enum gs_element el = GS_ELEMENT_DIM;

	draw_right(v, r, 0, c, INDEX, el, "#");
	draw_right(v, r, 0, c, SMI, el, "smi");
	gs_draw_text(v->f, r, 0, c->at[PCI], el, "PCI");
	gs_draw_text(v->f, r, 0, c->at[MODE], el, "mode");
	/* where a unit is two columns wide, two digits would run together */
	for (uint32_t u = 0; u < units; u += units > 8 ? 3 : 1)
		gs_draw_printf(v->f, r, 0, c->at[BAR] + gs_part_bar_column(units, u) + 1, el, "%u", u);
	if (gib)
		draw_heading_gib(v, c, gib);
	gs_draw_text(v->f, r, 0, c->at[BIGGEST], el, "biggest");
	draw_right(v, r, 0, c, SM, el, "SM");
	draw_right(v, r, 0, c, MEMORY, el, "mem GiB");
	draw_right(v, r, 0, c, CELSIUS, el, "C");
	draw_right(v, r, 0, c, WATTS, el, "W");
	gs_draw_text(v->f, r, 0, c->at[WHO], el, "who");
}

/* "mig"; "+mig" when staged; "wmig" when the driver has it pending. */
static void draw_mode(const struct gs_view *v, int row, const struct columns *c, const struct gs_gpu *gpu)
{
	const struct gs_layout_gpu *target = gs_model_target(v->m, gpu->index);
	enum gs_mode mode = gpu->mode;
	enum gs_element el = GS_ELEMENT_TEXT;
	const char *sign = "", *name;
	char text[24];

	if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode) {
		mode = gpu->mode_pending;
		sign = "w";
		el = GS_ELEMENT_WAITING;
	}
	if (v->m->n_staged && target && target->mode != GS_MODE_INVALID && target->mode != gpu->mode) {
		mode = target->mode;
		sign = "+";
		el = GS_ELEMENT_STAGED_NEW;
	}
	name = mode == GS_MODE_PASSTHROUGH ? "vfio" : mode == GS_MODE_MIG_VGPU ? "migv" : gs_mode_name(mode);
	if (mode == GS_MODE_SRIOV && *sign && c->width[MODE] < 6)
		name = "vfs";
	if (mode == GS_MODE_WHOLE && gpu->grids[GS_KIND_PARTITION].memory_units && gs_gpu_setting(gpu, GS_SETTING_COMPUTE_PARTITION)) {
		const struct gs_setting *s = gs_gpu_setting(gpu, GS_SETTING_COMPUTE_PARTITION);
		const char *wanted = gs_model_setting_wanted(v->m, gpu->index, s);

		/* for these the word is the mode */
		if (wanted && (!s->value || strcmp(wanted, s->value) != 0)) {
			sign = v->m->n_staged ? "+" : "w";
			el = v->m->n_staged ? GS_ELEMENT_STAGED_NEW : GS_ELEMENT_WAITING;
		}
		name = wanted ? wanted : name;
	}
	/* the sign may push the last letter out: "+whol" would be a puzzle */
	snprintf(text, sizeof(text), "%s%s", sign, !name ? "-" : *sign && name == gs_mode_name(GS_MODE_WHOLE) && c->width[MODE] < 6 ? "all" : name);
	if (gpu->lost) {
		gs_draw_text(v->f, v->geo.fleet, row, c->at[MODE], GS_ELEMENT_ERROR, "LOST");
		return;
	}
	gs_draw_fit(v->f, v->geo.fleet, row, c->at[MODE], c->width[MODE], el, text);
}

static bool is_partitioned(const struct gs_gpu *gpu)
{
	return gpu->n_instances && gpu->instances[0]->kind == GS_KIND_PARTITION;
}

static void draw_biggest(const struct gs_view *v, int row, const struct columns *c, const struct gs_gpu *gpu)
{
	const struct gs_layout_gpu *target = gs_model_target(v->m, gpu->index);
	struct gs_placed placed[GS_PLACED_MAX];
	const struct gs_profile *best;
	const char *text = "-";
	char gib[32] = "";
	size_t n;

	if (gpu->lost || gpu->stranded || gpu->n_writes || is_partitioned(gpu) || (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode)) {
		text = "-";
	} else if (gs_mode_kind(target ? target->mode : gpu->mode) != GS_KIND_INVALID || gs_mode_has_mig(gpu->mode)) {
		const struct gs_profile_set *set = gs_model_creation(v->m, gpu).set;

		if (!gs_part_placed(v->m, gpu, placed, &n)) {
			text = "?";
		} else {
			best = gs_part_biggest(set, placed, n);
			if (best && set->is_slots && best->memory_bytes.known)
				snprintf(gib, sizeof(gib), "%llu GiB", (unsigned long long)(best->memory_bytes.value >> 30));
			/* of slots the size tells: there are types of each for every use */
			text = !best ? "-" : *gib ? gib : best->name;
		}
	} else if (gpu->mode == GS_MODE_WHOLE) {
		text = gs_part_gpu_is_used(gpu) ? "-" : gpu->holders_visible ? "whole" : "?";
	}
	gs_draw_fit(v->f, v->geo.fleet, row, c->at[BIGGEST], c->width[BIGGEST], *text == '-' ? GS_ELEMENT_DIM : GS_ELEMENT_TEXT, text);
}

static void draw_reading(const struct gs_view *v, int row, const struct columns *c, enum column which, bool known, const char *text)
{
	draw_right(v, v->geo.fleet, row, c, which, known ? GS_ELEMENT_TEXT : GS_ELEMENT_DIM, known ? text : "-");
}

static void draw_readings(const struct gs_view *v, int row, const struct columns *c, const struct gs_gpu *gpu)
{
	const struct gs_telemetry *t = &gpu->telemetry;
	char text[64], used[16];

	snprintf(text, sizeof(text), "%u%%", t->utilization_percent.value);
	draw_reading(v, row, c, SM, t->utilization_percent.known, text);
	snprintf(text, sizeof(text), "%.0f/%.0f", (double)t->memory_used_bytes.value / (1u << 30), (double)t->memory_total_bytes.value / (1u << 30));
	draw_reading(v, row, c, MEMORY, t->memory_used_bytes.known && t->memory_total_bytes.known, text);
	snprintf(text, sizeof(text), "%u", t->temperature_celsius.value);
	draw_reading(v, row, c, CELSIUS, t->temperature_celsius.known, text);
	snprintf(used, sizeof(used), "%.0f", (double)t->power_milliwatts.value / 1000);
	draw_reading(v, row, c, WATTS, t->power_milliwatts.known, used);
}

static void draw_gpu(const struct gs_view *v, int row, const struct columns *c, const struct gs_gpu *gpu)
{
	struct gs_rect r = v->geo.fleet;
	bool is_current = gpu->index == v->m->gpu;
	enum gs_element el = gpu->lost ? GS_ELEMENT_ERROR : GS_ELEMENT_TEXT;
	char text[256];

	if (is_current)
		gs_draw_code(v->f, r, row, 0, GS_ELEMENT_SELECTED, v->g->mark);
	if (gpu->index < 64 && v->m->marked_gpus & (1ull << gpu->index))
		gs_draw_code(v->f, r, row, 1, GS_ELEMENT_SELECTED, '*');
	snprintf(text, sizeof(text), "%u", gpu->index);
	draw_right(v, r, row, c, INDEX, is_current ? GS_ELEMENT_SELECTED : el, text);
	if (gpu->nvidia_index.known)
		snprintf(text, sizeof(text), "%u", gpu->nvidia_index.value);
	draw_right(v, r, row, c, SMI, el, gpu->nvidia_index.known ? text : "-");
	gs_draw_fit(v->f, r, row, c->at[PCI], c->width[PCI], el, gs_part_pci(gpu->bdf, text, sizeof(text)));
	draw_mode(v, row, c, gpu);
	gs_part_bar(v, r, row, c->at[BAR], gpu, GS_BAR_MERGED);
	draw_biggest(v, row, c, gpu);
	draw_readings(v, row, c, gpu);
	gs_part_who(gpu, c->width[WHO], text, sizeof(text));
	gs_draw_fit(v->f, r, row, c->at[WHO], c->width[WHO], gpu->lost ? GS_ELEMENT_ERROR : *text == '[' ? GS_ELEMENT_DIM : GS_ELEMENT_HOLDER,
		    gpu->lost ? gpu->lost : text);
	if (is_current && v->m->focus == GS_FOCUS_FLEET && v->m->layer == GS_LAYER_NONE)
		gs_draw_flag(v->f, r, row, 0, 1, c->at[BAR], GS_CELL_CURSOR);
	if (gpu->index < 64 && v->m->marked_gpus & (1ull << gpu->index))
		gs_draw_flag(v->f, r, row, 0, 1, c->at[BAR], GS_CELL_MARKED);
}

size_t gs_view_fleet_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	return gs_part_scrolled(m->fleet_top, m->gpu, m->snapshot ? gs_snapshot_n_gpus(m->snapshot) : 0, geo->fleet.rows - 1);
}

bool gs_view_fleet_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_gpu)
{
	size_t n = m->snapshot ? gs_snapshot_n_gpus(m->snapshot) : 0, gpu;

	if (row < 1 || row >= geo->fleet.rows)
		return false;
	gpu = gs_view_fleet_top(m, geo) + (size_t)row - 1;
	if (gpu >= n)
		return false;
	*ret_gpu = gpu;
	return true;
}

bool gs_view_fleet_unit_at(const struct gs_model *m, const struct gs_geometry *geo, size_t gpu, int column, uint32_t *ret_unit)
{
	const struct gs_gpu *g = gs_snapshot_gpu(m->snapshot, gpu);
	struct gs_block b[GS_GRID_UNITS_MAX];
	struct columns c;
	uint32_t units;

	lay_out(m->snapshot, geo->fleet.columns, &c);
	column -= c.at[BAR];
	units = gs_model_shown(m, g).set->memory_units;
	/* a bar of slots shows shares of the memory, not places */
	if (gs_model_shown(m, g).set->is_slots)
		return false;
	if (column < 0 || column >= GS_BAR_COLUMNS || !units || !gs_model_blocks(m, g->index, true, b))
		return false;
	for (uint32_t u = 0; u < units; u++) {
		if (column >= gs_part_bar_column(units, u))
			*ret_unit = u;
	}
	return true;
}

static void draw_unread(const struct gs_view *v)
{
	struct gs_rect r = v->geo.fleet;

	gs_draw_text(v->f, r, 0, 2, GS_ELEMENT_DIM, "#");
	for (int row = 1; row < r.rows; row++)
		gs_draw_fill(v->f, r, row, 2, 1, r.columns - 4, GS_ELEMENT_DIM, v->g->unread);
	gs_draw_text(v->f, r, r.rows / 2, 4, GS_ELEMENT_TEXT, v->m->agent_gone ? " no agent runs, nothing was read: A starts one " : " reading the machine ");
}

void gs_view_fleet(const struct gs_view *v)
{
	const struct gs_snapshot *s = v->m->snapshot;
	uint32_t units = 0, gib = 0;
	struct columns c;
	size_t top, n;

	if (!s) {
		draw_unread(v);
		return;
	}
	n = gs_snapshot_n_gpus(s);
	if (!n) {
		gs_draw_text(v->f, v->geo.fleet, 0, 2, GS_ELEMENT_TEXT, "No NVIDIA, AMD or Intel GPU was found on this machine.");
		return;
	}
	/* the heading numbers the units of the GPU under the cursor; grids may differ */
	if (v->m->gpu < n)
		units = heading_units(v->m, gs_snapshot_gpu(s, v->m->gpu), &gib);
	if (!units && !gib && n)
		units = heading_units(v->m, gs_snapshot_gpu(s, 0), &gib);
	lay_out(s, v->geo.fleet.columns, &c);
	draw_heading(v, &c, units <= 12 ? units : 0, gib);
	top = gs_view_fleet_top(v->m, &v->geo);
	for (int row = 1; row < v->geo.fleet.rows && top + (size_t)row - 1 < n; row++)
		draw_gpu(v, row, &c, gs_snapshot_gpu(s, top + (size_t)row - 1));
	if (top)
		gs_draw_code(v->f, v->geo.fleet, 0, 0, GS_ELEMENT_TITLE, v->g->up);
	if (top + (size_t)v->geo.fleet.rows - 1 < n) {
		int last = v->geo.fleet.rows - 1;
		char more[32];

		snprintf(more, sizeof(more), " +%zu more", n - top - (size_t)last);
		gs_draw_fill(v->f, v->geo.fleet, 0, c.at[WHO], 1, c.width[WHO], GS_ELEMENT_DIM, ' ');
		gs_draw_text(v->f, v->geo.fleet, 0, v->geo.fleet.columns - gs_text_width(more), GS_ELEMENT_TITLE, more);
	}
}
