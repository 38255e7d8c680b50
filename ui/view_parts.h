/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_parts.h - what the views share: the picture being drawn, lists of lines, words for amounts and people. */
#ifndef GS_UI_VIEW_PARTS_H
#define GS_UI_VIEW_PARTS_H

#include "ui/control.h"
#include "ui/view.h"

/* One picture on its way. */
struct gs_view {
	const struct gs_model *m;
	const struct gs_glyphs *g;
	struct gs_frame *f;
	struct gs_geometry geo;
};

/* The views; each draws inside its own rectangle. */
void gs_view_header(const struct gs_view *v);
void gs_view_fleet(const struct gs_view *v);
void gs_view_grid(const struct gs_view *v);
void gs_view_plan(const struct gs_view *v);
void gs_view_palette(const struct gs_view *v);
void gs_view_modes(const struct gs_view *v);
void gs_view_settings(const struct gs_view *v);
void gs_view_review(const struct gs_view *v);
void gs_view_writing(const struct gs_view *v);
void gs_view_help(const struct gs_view *v);
void gs_view_who(const struct gs_view *v);
void gs_view_explain(const struct gs_view *v);
void gs_view_quit(const struct gs_view *v);
void gs_view_history(const struct gs_view *v);
void gs_view_saved(const struct gs_view *v);
void gs_view_past(const struct gs_view *v);
void gs_view_prompt(const struct gs_view *v);
void gs_view_hints(const struct gs_view *v);

/* The item of a list that lies on row @row of its rectangle; false when there is none. */
bool gs_view_fleet_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_gpu);
bool gs_view_plan_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item);
bool gs_view_palette_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item);
bool gs_view_modes_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item);
bool gs_view_settings_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item);
bool gs_view_review_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item);
bool gs_view_who_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item);
bool gs_view_history_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item);
/* The first item or line of a list that is drawn. */
size_t gs_view_history_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_saved_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_past_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_fleet_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_plan_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_review_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_palette_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_modes_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_settings_top(const struct gs_model *m, const struct gs_geometry *geo);
size_t gs_view_who_top(const struct gs_model *m, const struct gs_geometry *geo);
/* Scrolling from @top as little as possible, so that row @at of @n is in sight in @room rows. */
size_t gs_part_scrolled(size_t top, size_t at, size_t n, int room);
/* The unit under a column of a fleet bar; the key under a column of the hint line. */
bool gs_view_fleet_unit_at(const struct gs_model *m, const struct gs_geometry *geo, size_t gpu, int column, uint32_t *ret_unit);
uint32_t gs_view_hint_at(const struct gs_model *m, int columns, int column);

/* ---- lists of lines that wrap and scroll ---- */

struct gs_line {
	char *text;
	int lead;                           /* so many columns at the left … */
	enum gs_element lead_element;       /* … look like this */
	enum gs_element element;
	int item;                           /* of the list that the cursor walks; -1: none */
};
struct gs_lines {
	struct gs_line *items;
	size_t n, cap;
};
void gs_lines_done(struct gs_lines *l);
#define GS_LINES GS_CLEANUP(gs_lines_done)

/* Without memory a line is left out. */
void gs_lines_add(struct gs_lines *l, int item, enum gs_element el, const char *fmt, ...) GS_PRINTF(4, 5);
/* @lead, then @text wrapped to @width beside it; at most @max lines, the last one cut. */
void gs_lines_wrap(struct gs_lines *l, int item, enum gs_element lead_el, const char *lead, enum gs_element el, const char *text,
		   int width, size_t max);
/* The first line to show, so that @item is in sight, scrolling from line @top as little as possible. */
size_t gs_lines_window(const struct gs_lines *l, int rows, int item, size_t top);
/* @item is drawn as the chosen one; -1: none. A mark on the last row says that there is more. */
void gs_lines_draw(const struct gs_view *v, struct gs_rect rect, const struct gs_lines *l, size_t top, int item);

/* ---- a layer with a question at its bottom ---- */

/* rule, sentence, input or another sentence */
#define GS_ASK_ROWS 3
/* What lies between its title and the question; and the question, which stays whatever is scrolled. */
struct gs_rect gs_part_body(const struct gs_geometry *geo);
struct gs_rect gs_part_ask(const struct gs_geometry *geo);
/* The first line of prose to show in the body: where the operator has scrolled to, at most so far that its end is in sight. */
size_t gs_part_prose_top(const struct gs_model *m, const struct gs_geometry *geo, const struct gs_lines *l);

/* ---- pieces of a picture ---- */

/* «-- title ------ right --»; @right may be NULL. */
void gs_part_rule(const struct gs_view *v, struct gs_rect rect, int row, enum gs_element el, const char *title, const char *right);
/* «[####----]» in @width columns. */
void gs_part_meter(const struct gs_view *v, struct gs_rect rect, int row, int column, int width, enum gs_element el, uint64_t used, uint64_t total);
/* A GPU as a proportional bar, GS_BAR_COLUMNS wide. */
#define GS_BAR_COLUMNS 25
enum gs_bar_state { GS_BAR_NOW, GS_BAR_AFTER, GS_BAR_MERGED };
void gs_part_bar(const struct gs_view *v, struct gs_rect rect, int row, int column, const struct gs_gpu *gpu, enum gs_bar_state state);
/* Column of unit @unit of @n in a bar. */
int gs_part_bar_column(uint32_t n, uint32_t unit);

/* ---- words ---- */

/* "39.5", "141"; "-" when unknown. Returns @buf. */
const char *gs_part_gib(struct gs_u64 bytes, char *buf, size_t size);
/* The PCI address without its domain while that is 0000. */
const char *gs_part_pci(struct gs_bdf bdf, char *buf, size_t size);
/* "H100 80GB HBM3" */
const char *gs_part_model(const char *name);
/* Who works on this GPU: users, else processes; "alice, chen", cut to @width with " +2". */
const char *gs_part_who(const struct gs_gpu *gpu, int width, char *buf, size_t size);
/* The daemons that have it open, persistenced too, by the names of their units: "nvidia-persistenced, nvidia-dcgm", cut to @width; empty: none. */
const char *gs_part_daemons(const struct gs_gpu *gpu, int width, char *buf, size_t size);
/* Of one instance: "alice  48211 python3 +2", in @width columns. "idle" when nobody is there. */
const char *gs_part_holders(const struct gs_gpu *gpu, const struct gs_instance *inst, int width, char *buf, size_t size);
/* '*' held, 'c' claimed without a process, '?' cannot be seen, 0 idle */
char gs_part_mark(const struct gs_gpu *gpu, const struct gs_instance *inst);
/* "win11-03", "slurm 88121", "python3": the shortest that says who */
const char *gs_part_holder_name(const struct gs_holder *h);
/* What a GPU is used as, for titles: "vGPU", "MIG with vGPUs", "passthrough". */
const char *gs_part_mode_words(const struct gs_gpu *gpu, enum gs_mode mode);
/* How long a write has been waiting, "0:45"; "?" when that is not known. Returns @buf. */
const char *gs_part_age(const struct gs_model *m, struct gs_wall since, char *buf, size_t size);
/* "INTERRUPTED" and the like, of a commit that is open; not for NONE. */
const char *gs_part_open_word(enum gs_open_state state);
/* A sentence about what is wrong with the GPU as a whole: writes that wait, an interrupted tool; false when nothing is. */
bool gs_part_trouble(const struct gs_model *m, const struct gs_gpu *gpu, char *buf, size_t size);
/* Anybody who would notice if the GPU went away, services that watch it not counted. */
bool gs_part_gpu_is_used(const struct gs_gpu *gpu);
/* Is @h a reason to call something held: neither one of our own collectors nor a kernel module? */
bool gs_part_holder_counts(const struct gs_holder *h);

/* " ! typed    ", and how it looks */
const char *gs_part_severity(const struct gs_finding *f, enum gs_element *ret_element);
/* Is more than one GPU concerned? Then findings and steps say which. */
bool gs_part_many_gpus(const struct gs_plan *p);
/* The first note that says the same as finding @i about another GPU; @i when there is none. */
size_t gs_part_same_note(const struct gs_plan *p, size_t i);
/* "GPU 2", "GPU 0, 1, 2": whom finding @i and the notes that say the same are about. */
const char *gs_part_note_gpus(const struct gs_plan *p, size_t i, char *buf, size_t size);
/* How many units the plan stops for a while. */
size_t gs_part_paused_units(const struct gs_plan *p);
/* Whose work the plan ends, each once; at most @max. Not those whose unit is started again. */
size_t gs_part_stopped(const struct gs_plan *p, const struct gs_holder **ret, size_t max);

/* ---- the grid, read through the model ---- */

enum gs_lane_kind { GS_LANE_OF_NOW, GS_LANE_OF_AFTER, GS_LANE_MERGED };

/* What will be, with what goes marked where nothing takes its place. @ret has room for GS_GRID_UNITS_MAX. */
size_t gs_part_blocks_merged(const struct gs_model *m, uint32_t gpu, struct gs_block *ret);
/* Does anything staged change this GPU's grid? */
bool gs_part_is_changed(const struct gs_model *m, uint32_t gpu);
/* Its places after what is staged; false when they are not known. @ret has room for GS_PLACED_MAX. */
bool gs_part_placed(const struct gs_model *m, const struct gs_gpu *gpu, struct gs_placed *ret, size_t *ret_n);
/* The largest profile that can still be created; NULL when none. */
const struct gs_profile *gs_part_biggest(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n);
/* "needs 0-3: GI 11, GI 12*"; empty when it fits. */
const char *gs_part_why_not(const struct gs_gpu *gpu, const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *p, char *buf, size_t size);
enum gs_element gs_part_block_element(const struct gs_gpu *gpu, const struct gs_block *b);
/* With what a block's free columns are filled. */
uint32_t gs_part_block_fill(const struct gs_glyphs *g, const struct gs_block *b);
/* "24Q*", "+24Q", "x24Q*" of a vGPU or VF, in @width columns; the sign and the mark are never cut. */
const char *gs_part_slot_tag(const struct gs_gpu *gpu, const struct gs_block *b, int width, char *buf, size_t size);
/* The grid that a lane is drawn by. */
const struct gs_profile_set *gs_part_set(const struct gs_model *m, const struct gs_gpu *gpu, enum gs_lane_kind kind);
/* What the vGPUs of a GPU share. Types are named by round numbers: the largest may say more than the driver's count of bytes. 0: not known. */
uint64_t gs_part_shared_bytes(const struct gs_gpu *gpu);
/* A grid of slots, all of it: memory, cells, words. */
void gs_part_slots(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind);
/* One lane of a grid: the boxes, with @body lines in each, from row @top of the grid's rectangle. */
void gs_part_lane(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind, int top, int body);
/* The SM row of a lane: a budget, drawn under the memory that owns it. */
void gs_part_sm_row(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind, int row);
size_t gs_part_blocks(const struct gs_model *m, uint32_t gpu, enum gs_lane_kind kind, struct gs_block *ret);
/* A GPU that has no grid to draw; NULL: none at all. */
void gs_part_no_grid(const struct gs_view *v, const struct gs_gpu *gpu);
/* Bytes of one memory unit, as its profiles give it. */
struct gs_u64 gs_part_unit_bytes(const struct gs_gpu *gpu, const struct gs_profile_set *set);

#endif
