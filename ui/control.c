/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control.c - one event in, consequences out; who gets the key, and what all layers share. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/control_internal.h"
#include "ui/model_internal.h"

#define PAGE_ROWS 10

/* ---- saying things ---- */

static void say(struct gs_model *m, bool is_error, const char *fmt, va_list ap) GS_PRINTF(3, 0);

static void say(struct gs_model *m, bool is_error, const char *fmt, va_list ap)
{
	vsnprintf(m->message, sizeof(m->message), fmt, ap);
	m->message_is_error = is_error;
}

unsigned gs_say(struct gs_model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(m, false, fmt, ap);
	va_end(ap);
	return GS_DO_REDRAW;
}

unsigned gs_say_error(struct gs_model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(m, true, fmt, ap);
	va_end(ap);
	return GS_DO_REDRAW;
}

/* ---- layers ---- */

static bool lies_on_another(enum gs_layer layer)
{
	return layer == GS_LAYER_HELP || layer == GS_LAYER_WHO || layer == GS_LAYER_EXPLAIN || layer == GS_LAYER_QUIT || layer == GS_LAYER_PAST;
}

void gs_layer_open(struct gs_model *m, enum gs_layer layer)
{
	/* Only what can be looked at and left again without having done anything goes under another layer. */
	bool stays_below = m->layer == GS_LAYER_REVIEW || m->layer == GS_LAYER_WRITING || m->layer == GS_LAYER_HISTORY || m->layer == GS_LAYER_PAST || m->layer == GS_LAYER_SAVED;

	if (m->layer != layer) {
		m->layer_below = lies_on_another(layer) && stays_below ? m->layer : GS_LAYER_NONE;
		m->row_below = m->list_row;
		m->top_below = m->list_top;
		/* what was said belongs to the picture that it was said on; not every layer opens with a key, which would have taken it away */
		m->message[0] = '\0';
		m->message_is_error = false;
	}
	/* Half a word that is out of sight is not gone on with. */
	if (m->layer == GS_LAYER_REVIEW)
		gs_control_set_input(m, "");
	m->layer = layer;
	m->list_row = m->list_top = 0;
}

void gs_layer_close(struct gs_model *m)
{
	if (m->layer == GS_LAYER_CHOOSER)
		m->selecting = m->dragging = false;
	if (m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER) {
		gs_model_forget_offers(m);
		m->offers_inside = false;
	}
	if (m->layer == GS_LAYER_PROMPT || m->layer == GS_LAYER_REVIEW) {
		gs_control_set_input(m, "");
		m->prompt = GS_PROMPT_COMMAND;
		m->quit_after_save = false;
	}
	m->list_row = m->layer_below != GS_LAYER_NONE ? m->row_below : 0;
	m->list_top = m->layer_below != GS_LAYER_NONE ? m->top_below : 0;
	m->layer = m->layer_below;
	m->layer_below = GS_LAYER_NONE;
	/* The machine may have changed while the list was covered. */
	if (m->layer != GS_LAYER_NONE) {
		size_t n = gs_control_list_length(m);

		if (m->list_row >= n)
			m->list_row = n ? n - 1 : 0;
	}
	gs_model_review_sync(m);
}

bool gs_control_walk(enum gs_action_id id, size_t n, size_t *row)
{
	size_t last = n ? n - 1 : 0, at = *row;

	switch (id) {
	case GS_ACTION_MOVE_UP:
		at -= at > 0;
		break;
	case GS_ACTION_MOVE_DOWN:
		at++;
		break;
	case GS_ACTION_PAGE_UP:
		at -= at > PAGE_ROWS ? PAGE_ROWS : at;
		break;
	case GS_ACTION_PAGE_DOWN:
		at += PAGE_ROWS;
		break;
	case GS_ACTION_FIRST:
		at = 0;
		break;
	case GS_ACTION_LAST:
		at = last;
		break;
	default:
		return false;
	}
	*row = at > last ? last : at;
	return true;
}

static size_t n_holders_here(const struct gs_model *m)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	struct gs_who_entry *entries;
	size_t n = 0, here;

	if (!arena || gs_model_who(m, arena, &entries, &n, &here) < 0)
		return 0;
	return n;
}

size_t gs_control_list_length(const struct gs_model *m)
{
	enum gs_mode modes[GS_MODE_MAX];
	size_t n = 0;

	switch (m->layer) {
	case GS_LAYER_PALETTE:
	case GS_LAYER_CHOOSER:
		return m->n_offers;
	case GS_LAYER_MODE:
		return gs_model_mode_rows(m, modes);
	case GS_LAYER_SETTINGS:
		return gs_model_n_settings(m);
	case GS_LAYER_REVIEW:
		return gs_model_n_plan_items(m);
	case GS_LAYER_WHO:
		return n_holders_here(m);
	case GS_LAYER_QUIT:
		return 3;
	case GS_LAYER_HELP:
		gs_actions(&n);
		return n;
	case GS_LAYER_WRITING:
		return m->n_progress;
	case GS_LAYER_HISTORY:
		return m->journal ? m->journal->n : 0;
	case GS_LAYER_PAST:
	case GS_LAYER_SAVED:
	case GS_LAYER_EXPLAIN:
		/* prose: the view knows how long it gets */
		return 64;
	case GS_LAYER_NONE:
	case GS_LAYER_PROMPT:
		break;
	}
	return 0;
}

/* help, explain */
unsigned gs_control_list_key(struct gs_model *m, enum gs_action_id id)
{
	if (gs_control_walk(id, gs_control_list_length(m), &m->list_row))
		return GS_DO_REDRAW;
	switch (id) {
	case GS_ACTION_OPEN:
	case GS_ACTION_BACK:
	case GS_ACTION_QUIT:
	case GS_ACTION_STOP:
		gs_layer_close(m);
		return GS_DO_REDRAW;
	case GS_ACTION_HELP:
		if (m->layer == GS_LAYER_HELP)
			gs_layer_close(m);
		return GS_DO_REDRAW;
	default:
		return GS_DO_NOTHING;
	}
}

/* ---- who uses this ---- */

/* What is looked at, and what would be done to it first of all. */
unsigned gs_control_open_who(struct gs_model *m)
{
	struct gs_block b;

	m->who_here = false;
	m->who_vf = GS_U32_UNKNOWN;
	m->who_kind = GS_KIND_INVALID;
	m->who_op = GS_WHO_OP_MODE;
	if (m->focus == GS_FOCUS_GRID && gs_control_block(m, &b) && (b.instance || b.vf)) {
		m->who_here = true;
		m->who_op = GS_WHO_OP_DELETE;
		if (b.instance) {
			m->who_kind = b.instance->kind;
			m->who_id = b.instance->id;
			m->who_vf = b.instance->vf;
		} else {
			m->who_vf = GS_U32(b.vf->n);
		}
	} else if (gs_model_gpu(m) && gs_model_gpu(m)->mode == GS_MODE_PASSTHROUGH) {
		m->who_op = GS_WHO_OP_PASSTHROUGH;
	}
	gs_layer_open(m, GS_LAYER_WHO);
	return GS_DO_REDRAW;
}

unsigned gs_control_who_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	unsigned done;

	if (gs_action_has_key(GS_ACTION_WHO_FOR, ev->key)) {
		m->who_op = (enum gs_who_op)((m->who_op + 1) % GS_WHO_OP_MAX);
		m->list_row = 0;
		return GS_DO_REDRAW;
	}
	if (gs_action_has_key(GS_ACTION_WHO_AGAIN, ev->key)) {
		gs_say(m, "looking again");
		return GS_DO_RECOLLECT | GS_DO_REDRAW;
	}
	if (id == GS_ACTION_WHO) {
		gs_layer_close(m);
		return GS_DO_REDRAW;
	}
	if (id == GS_ACTION_ROOT)
		return !m->privileged && !m->read_only ? GS_DO_SUDO : GS_DO_NOTHING;
	done = gs_control_list_key(m, id);
	/* what this list is not for is said, so that nobody waits for it */
	if (done == GS_DO_NOTHING && ev->key > GS_KEY_SPACE && ev->key < GS_KEY_SPECIAL)
		return gs_say(m, "this is only a list: Esc goes back to where %s", ev->key == 'W' ? "W writes" : "that key works");
	return done;
}

/* ---- leaving ---- */

unsigned gs_control_quit(struct gs_model *m)
{
	if (m->layer == GS_LAYER_WRITING && !m->writing_ended)
		return gs_say_error(m, "a commit is under way: Ctrl-C lets it wait, and asks");
	if (!m->n_staged)
		return GS_DO_QUIT;
	gs_layer_open(m, GS_LAYER_QUIT);
	return GS_DO_REDRAW;
}

unsigned gs_control_quit_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	size_t row = m->list_row;

	if (gs_control_walk(id, 3, &m->list_row))
		return GS_DO_REDRAW;
	if (id == GS_ACTION_BACK)
		row = 2;
	else if (ev->key == 's')
		row = 0;
	else if (ev->key == 'X')
		row = 1;
	else if (id != GS_ACTION_OPEN)
		return gs_say(m, "s saves a script, X drops what is staged, Esc stays");
	switch (row) {
	case 0:
		return gs_control_open_save(m, true);
	case 1:
		gs_model_drop_all(m);
		return GS_DO_QUIT | GS_DO_REDRAW;
	default:
		gs_layer_close(m);
		return GS_DO_REDRAW;
	}
}

/* ---- events ---- */

static bool takes_text(const struct gs_model *m)
{
	return m->layer == GS_LAYER_PROMPT || gs_control_expects_word(m);
}

static unsigned layer_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id, int rows, int columns)
{
	switch (m->layer) {
	case GS_LAYER_NONE:
		return gs_control_main_key(m, ev, id, rows, columns);
	case GS_LAYER_PALETTE:
	case GS_LAYER_CHOOSER:
		return gs_control_offer_key(m, ev, id);
	case GS_LAYER_MODE:
		return gs_control_mode_key(m, ev, id);
	case GS_LAYER_SETTINGS:
		return gs_control_settings_key(m, ev, id);
	case GS_LAYER_PROMPT:
		return gs_control_prompt_key(m, ev);
	case GS_LAYER_REVIEW:
		return gs_control_review_key(m, ev, id);
	case GS_LAYER_WRITING:
		return gs_control_writing_key(m, ev, id);
	case GS_LAYER_QUIT:
		return gs_control_quit_key(m, ev, id);
	case GS_LAYER_WHO:
		return gs_control_who_key(m, ev, id);
	case GS_LAYER_HISTORY:
		return gs_control_history_key(m, id);
	case GS_LAYER_PAST:
		return gs_control_past_key(m, ev, id);
	case GS_LAYER_SAVED:
		return gs_control_saved_key(m, ev, id);
	case GS_LAYER_HELP:
	case GS_LAYER_EXPLAIN:
		return gs_control_list_key(m, id);
	}
	return GS_DO_NOTHING;
}

/*
 * Where there is no room for the picture nothing is shown, so nothing is
 * decided: who cannot see a review does not answer it. What is left is to
 * leave, where that loses nothing, and to have a commit wait.
 */
static unsigned blind_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	bool is_writing = m->layer == GS_LAYER_WRITING && !m->writing_ended;

	if (id == GS_ACTION_STOP && is_writing)
		return gs_control_writing_key(m, ev, id);
	if ((id == GS_ACTION_QUIT || id == GS_ACTION_STOP) && !is_writing && !m->n_staged && !takes_text(m))
		return GS_DO_QUIT | GS_DO_REDRAW;
	return GS_DO_NOTHING;
}

static unsigned key_event(struct gs_model *m, const struct gs_event *ev, int rows, int columns)
{
	enum gs_action_id id = ev->alt || ev->is_pasted ? GS_ACTION_MAX : gs_action_of_key(ev->key);
	bool had_message = *m->message;
	unsigned done;

	m->has_typed = true;

	/* A paste is text: where none is typed it is nothing, above all not commands. */
	if (ev->is_pasted && m->layer != GS_LAYER_PROMPT)
		return GS_DO_NOTHING;
	/* Esc and a letter in one read look like Alt and the letter: nothing is answered by that. */
	if (ev->alt && m->layer != GS_LAYER_PROMPT)
		return GS_DO_NOTHING;
	if (id == GS_ACTION_REPAINT)
		return GS_DO_REPAINT | GS_DO_REDRAW;
	if (id == GS_ACTION_SUSPEND)
		return GS_DO_SUSPEND | GS_DO_REDRAW;
	if (gs_view_is_too_small(rows, columns))
		return blind_key(m, ev, id);
	if (m->armed_key && ev->key != m->armed_key)
		m->armed_key = 0;
	m->message[0] = '\0';
	m->message_is_error = false;
	if ((id == GS_ACTION_HELP && (ev->key == GS_KEY_F1 || !takes_text(m))) && m->layer != GS_LAYER_HELP &&
	    (m->layer == GS_LAYER_NONE || m->layer == GS_LAYER_REVIEW || m->layer == GS_LAYER_WRITING || m->layer == GS_LAYER_HISTORY || m->layer == GS_LAYER_PAST ||
	     m->layer == GS_LAYER_SAVED)) {
		gs_layer_open(m, GS_LAYER_HELP);
		return GS_DO_REDRAW;
	}
	/* not where letters are of a word or of a name */
	if (m->agent_gone && id == GS_ACTION_AGENT && !takes_text(m) && m->layer != GS_LAYER_PALETTE && m->layer != GS_LAYER_CHOOSER)
		return GS_DO_CONNECT | GS_DO_REDRAW;
	done = layer_key(m, ev, id, rows, columns);
	return had_message ? done | GS_DO_REDRAW : done;
}

bool gs_control_shows_time(const struct gs_model *m)
{
	if (m->show_clock || (m->layer == GS_LAYER_WRITING && !m->writing_ended))
		return true;
	/* how long a write has been waiting */
	for (size_t i = 0; m->snapshot && i < gs_snapshot_n_gpus(m->snapshot); i++)
		if (gs_snapshot_gpu(m->snapshot, i)->n_writes)
			return true;
	return false;
}

/* Lists stay where they are shown now, so that walking back moves the cursor and not the list. */
static void scroll(struct gs_model *m, int rows, int columns)
{
	struct gs_tops tops;

	if (!gs_view_tops(m, rows, columns, &tops))
		return;
	m->fleet_top = tops.fleet;
	m->plan_top = tops.plan;
	m->list_top = tops.list;
	/* prose has no cursor: what scrolls it stops at its end */
	if (m->layer == GS_LAYER_PAST || m->layer == GS_LAYER_SAVED)
		m->list_row = tops.list;
}

unsigned gs_control_event(struct gs_model *m, const struct gs_event *ev, int rows, int columns)
{
	unsigned done;

	switch (ev->type) {
	case GS_EVENT_KEY:
		done = key_event(m, ev, rows, columns);
		scroll(m, rows, columns);
		return done;
	case GS_EVENT_MOUSE:
		if (gs_view_is_too_small(rows, columns))
			return GS_DO_NOTHING;
		done = gs_control_mouse(m, ev, rows, columns);
		scroll(m, rows, columns);
		return done;
	case GS_EVENT_RESIZE:
		m->dragging = false;
		scroll(m, ev->rows, ev->columns);
		return GS_DO_REDRAW;
	case GS_EVENT_TICK:
		return gs_control_shows_time(m) ? GS_DO_REDRAW : GS_DO_NOTHING;
	}
	return GS_DO_NOTHING;
}
