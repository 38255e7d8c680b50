/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_saved.c - S: what comes back at boot and what does not, and keeping what is there. */
#include <stdio.h>
#include <string.h>

#include "ui/control_internal.h"
#include "ui/model_internal.h"

static int take(struct gs_model *m, struct json_object *answer, struct gs_error *e)
{
	struct gs_session_saved saved = { .saved_at_ms = GS_I64_UNKNOWN };
	int rc = gs_session_read_saved(answer, &saved, e);

	return rc < 0 ? rc : gs_model_take_saved(m, &saved, e);
}

unsigned gs_control_take_saved(struct gs_model *m, struct json_object *answer)
{
	struct gs_error e = { 0 };

	if (take(m, answer, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	if (m->layer != GS_LAYER_SAVED)
		gs_layer_open(m, GS_LAYER_SAVED);
	/* what caused a difference is known to the journal, where it may be read */
	return gs_control_ask_causes(m);
}

void gs_control_take_causes(struct gs_model *m, struct json_object *answer)
{
	struct json_object *commits = NULL;

	if (!m->saved || gs_session_read_journal(answer, &commits, NULL) < 0)
		return;
	json_object_put(m->saved->commits);
	m->saved->commits = commits;
	gs_saved_view_judge(m->saved, m->snapshot);
}

/* Why the machine as it is now cannot be kept; NULL: it can. */
const char *gs_control_why_not_savable(const struct gs_model *m)
{
	if (m->agent_gone)
		return gs_control_why_no_agent(m);
	if (!m->privileged)
		return "saving needs root: ! asks sudo";
	if (gs_model_interrupted(m))
		return "a commit was interrupted, and the machine is neither what it was nor what it was to be: I first";
	return NULL;
}

unsigned gs_control_save(struct gs_model *m)
{
	const char *why = gs_control_why_not_savable(m);

	if (why)
		return gs_say_error(m, "%s", why);
	m->question = GS_SESSION_ASKS_SAVE;
	m->question_number = 0;
	gs_say(m, "saving");
	return GS_DO_ASK | GS_DO_REDRAW;
}

unsigned gs_control_was_saved(struct gs_model *m, const struct gs_error *e)
{
	const char *obstacle = m->snapshot ? gs_saved_obstacle(gs_snapshot_saved(m->snapshot)) : NULL;

	if (e)
		gs_say_error(m, "not saved for boot: %s", e->text);
	else
		gs_say(m, "saved to %s%s%s", gs_model_saved_path(m), obstacle ? ", but " : "; " GS_RESTORE_UNIT " puts it back at boot", obstacle ? obstacle : "");
	/* behind a commit it is a part of the outcome */
	if (m->layer == GS_LAYER_WRITING && m->writing_ended) {
		size_t n = strlen(m->write_text);

		snprintf(m->write_text + n, sizeof(m->write_text) - n, "; %s", m->message);
	}
	if (e)
		return GS_DO_REDRAW;
	return GS_DO_RECOLLECT | GS_DO_REDRAW | (m->layer == GS_LAYER_SAVED ? gs_control_ask_saved(m) : GS_DO_NOTHING);
}

/* All of it or nothing, in one review and one commit, but for GPUs that are lost, gone or exchanged. Each GPU by itself is the command's, which says more than one outcome. */
unsigned gs_control_restore(struct gs_model *m)
{
	struct gs_error e = { 0 };
	bool was_saved = m->layer == GS_LAYER_SAVED;
	const struct gs_drift_gpu *out;
	unsigned done;
	char label[96];

	if (m->read_only) {
		gs_model_may_edit(m, m->gpu, &e);
		return gs_say_error(m, "%s", e.text);
	}
	if (gs_model_plan_past(m, GS_WAY_RESTORE, &e) < 0)
		return gs_say_error(m, "%s%s", e.text, m->saved && m->saved->layout ? ": gpuslice restore puts back the others, each GPU by itself" : "");
	if (!m->plan->n_steps && !gs_plan_is_blocked(m->plan)) {
		gs_model_past_over(m);
		return gs_say(m, "nothing to restore: what is saved is there already");
	}
	m->back_to_saved = was_saved;
	done = gs_control_show_review(m, true);
	out = gs_model_not_restorable(m);
	if (out && !*m->message)
		gs_say_error(m, "%s is left out: %s", out->gpu ? gs_gpu_label(out->gpu, label, sizeof(label)) : "a GPU that is saved", out->n_differences ? out->differences[0] : "it cannot be talked to");
	return done;
}

unsigned gs_control_ask_restore(struct gs_model *m)
{
	unsigned done = gs_control_ask_saved(m);

	if (done & GS_DO_ASK)
		m->wish = GS_WISH_RESTORE;
	return done;
}

unsigned gs_control_take_restore(struct gs_model *m, struct json_object *answer)
{
	struct gs_error e = { 0 };

	return take(m, answer, &e) < 0 ? gs_say_error(m, "%s", e.text) : gs_control_restore(m);
}

unsigned gs_control_saved_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	if (gs_action_has_key(GS_ACTION_SAVE_NOW, ev->key)) {
		/* a machine that came up empty looks like any other: once is not meant */
		if (m->n_drifted && m->armed_key != ev->key && !gs_control_why_not_savable(m)) {
			m->armed_key = ev->key;
			return gs_say_error(m, "the machine is not as saved: y again saves it as it is now instead; what is saved is kept as %s.previous", gs_model_saved_path(m));
		}
		m->armed_key = 0;
		return gs_control_save(m);
	}
	if (gs_action_has_key(GS_ACTION_RESTORE, ev->key))
		return gs_control_restore(m);
	if (id == GS_ACTION_SAVE) {
		gs_layer_close(m);
		return GS_DO_REDRAW;
	}
	if (id == GS_ACTION_ROOT)
		return m->privileged ? GS_DO_NOTHING : GS_DO_SUDO;
	return gs_control_list_key(m, id);
}
