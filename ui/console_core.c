/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console_core.c - model, agent and consequences, without a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/paths.h"
#include "ui/console_internal.h"
#include "ui/control_internal.h"

/* An operator who waits for another commit is asked again after that. */
#define LOCK_WAIT_SECONDS 3600

static void act(struct gs_console *c, unsigned what);

static void take_hello(struct gs_console *c)
{
	const struct gs_hello *hello = gs_session_hello(c->session);

	snprintf(c->m->host, sizeof(c->m->host), "%s", hello->host);
	c->m->source = hello->source;
	c->m->privileged = hello->privileged;
	/* Never the other way round: a console that was started as a monitor stays one. */
	c->m->read_only = c->options->read_only || hello->read_only;
	c->m->agent_gone = false;
}

int gs_console_start(struct gs_console *c, struct gs_session *session, const struct gs_console_options *options, struct gs_error *e)
{
	*c = (struct gs_console){ .session = session, .options = options, .dirty = true, .whole = true };
	c->m = gs_model_new(options->read_only);
	c->input = gs_input_new();
	if (!c->m || !c->input)
		return gs_error_oom(e);
	c->glyphs = gs_glyphs(options->ascii || !gs_locale_is_utf8());
	gs_console_clock(c);
	take_hello(c);
	c->m->sim = options->sim;
	c->m->sysroot = options->sysroot;
	return 0;
}

void gs_console_end(struct gs_console *c)
{
	c->screen = gs_screen_close(c->screen);
	c->frame = gs_frame_free(c->frame);
	c->input = gs_input_free(c->input);
	c->m = gs_model_free(c->m);
	c->session = gs_session_free(c->session);
}

void gs_console_clock(struct gs_console *c)
{
	c->m->now = gs_monotonic_now();
	c->m->wall = gs_wall_now();
}

int gs_console_watch(struct gs_console *c, struct gs_error *e)
{
	unsigned interval = c->options->interval_ms ? c->options->interval_ms : 1000;
	int rc = gs_session_watch(c->session, interval, true);

	return rc < 0 ? gs_error_set(e, rc, GS_STATUS_UNREACHABLE, "the agent does not answer: %s", strerror(-rc)) : 0;
}

/* ---- what the agent says ---- */

static void on_snapshot(void *userdata, struct gs_snapshot *s)
{
	struct gs_console *c = userdata;
	struct gs_error e = { 0 };

	if (gs_model_set_snapshot(c->m, s, &e) < 0)
		gs_say_error(c->m, "%s", e.text);
	/* notices are about what is shown being old; this is new */
	*c->m->agent_notice = '\0';
	act(c, gs_control_looked(c->m));
	c->dirty = true;
}

static void on_progress(void *userdata, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	struct gs_console *c = userdata;

	gs_control_progress(c->m, event, n, of, text, note);
	c->dirty = true;
}

static void on_notice(void *userdata, const char *text)
{
	struct gs_console *c = userdata;

	snprintf(c->m->agent_notice, sizeof(c->m->agent_notice), "%s", text ? text : "");
	c->dirty = true;
}

static void on_committed(void *userdata, const struct gs_session_result *r)
{
	struct gs_console *c = userdata;

	act(c, gs_control_committed(c->m, r->status, r->text));
	/* A new watch looks at once: the picture must not show the old machine for another interval. */
	gs_console_watch(c, NULL);
	c->dirty = true;
}

static void on_answered(void *userdata, enum gs_session_question question, uint64_t number, struct json_object *answer, const struct gs_error *e)
{
	struct gs_console *c = userdata;

	act(c, gs_control_answered(c->m, question, number, answer, e));
}

void gs_console_dispatch(struct gs_console *c)
{
	static const struct gs_session_handlers handlers = {
		.snapshot = on_snapshot, .progress = on_progress, .notice = on_notice, .committed = on_committed, .answered = on_answered,
	};
	struct gs_error e = { 0 };

	if (c->m->agent_gone)
		return;
	gs_console_clock(c);
	if (gs_session_dispatch(c->session, &handlers, c, &e) >= 0)
		return;
	c->dirty = true;
	act(c, gs_control_agent_ended(c->m, e.text));
}

/* ---- consequences ---- */

static void commit(struct gs_console *c)
{
	struct gs_session_commit what = {
		.request = c->m->request,
		/* the plan follows the machine while another commit is at it; what was agreed to is the one that was shown */
		.expect = c->m->waits_for_lock ? c->m->review_digest : c->m->plan->digest,
		.base = c->m->plan->base,
		.n_base = c->m->plan->n_base,
		.yes = true,
		.message = *c->m->commit_message ? c->m->commit_message : NULL,
		.ssh_client = c->options->ssh_client,
		.undo_on_hangup = c->options->undo_on_hangup,
		.way = c->m->past_way == GS_WAY_RESTORE ? GS_WAY_RESTORE : GS_WAY_CONSOLE,
		.command = "gpuslice (console)",
		.wait_seconds = c->m->waits_for_lock ? LOCK_WAIT_SECONDS : 0,
	};
	int rc = c->m->agent_gone ? -EPIPE : gs_session_commit_begin(c->session, &what);

	if (rc < 0)
		gs_control_committed(c->m, GS_STATUS_UNREACHABLE, "the agent cannot be reached; nothing was sent");
}

/* The one that ended is reaped; what it was in the middle of is for its journal to tell. */
static void take_session(struct gs_console *c, struct gs_session *session)
{
	gs_session_free(c->session);
	c->session = session;
	take_hello(c);
}

static void connect_again(struct gs_console *c)
{
	struct gs_session *next = NULL;
	struct gs_error e = { 0 };
	bool was_privileged = c->m->privileged;
	int rc = -ENOTSUP;

	if (c->options->connect)
		rc = c->options->connect(c->options->userdata, &next, &e);
	if (rc >= 0) {
		take_session(c, next);
		rc = gs_console_watch(c, &e);
	}
	if (rc < 0 && !*e.text)
		gs_error_set(&e, rc, GS_STATUS_UNREACHABLE, "%s", strerror(-rc));
	act(c, gs_control_agent_started(c->m, was_privileged, rc < 0 ? &e : NULL));
}

static void elevate(struct gs_console *c)
{
	struct gs_session *better = NULL;
	struct gs_error e = { 0 };
	int rc;

	if (!c->options->elevate) {
		gs_say_error(c->m, "root cannot be asked for from here: start it with sudo");
		return;
	}
	if (c->screen)
		gs_screen_suspend(c->screen);
	rc = c->options->elevate(c->options->userdata, &better, &e);
	if (c->screen && gs_screen_resume(c->screen) < 0)
		c->quit = true;
	c->whole = true;
	if (rc < 0) {
		gs_say_error(c->m, "%s", *e.text ? e.text : "sudo did not give an agent");
		return;
	}
	take_session(c, better);
	/* more is seen now, as at the start */
	c->m->has_typed = false;
	c->m->wish = GS_WISH_NONE;
	if (gs_console_watch(c, &e) < 0)
		gs_say_error(c->m, "%s", e.text);
	else if (c->m->privileged)
		gs_say(c->m, "this agent may see and write everything; what was staged is still there");
	else
		gs_say_error(c->m, "the new agent is not privileged either");
}

/* A new file, whole or not at all: never over one that is there, not even one made a moment ago. */
static int write_new(const char *path, const char *text, struct gs_error *e)
{
	GS_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	int rc;

	if (fd < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "%s", errno == EEXIST ? "there is a file of that name already" : strerror(errno));
	rc = gs_fd_write_all(fd, text, strlen(text));
	if (rc >= 0 && fsync(fd) < 0 && errno != EINVAL)
		rc = -errno;
	if (rc >= 0)
		return 0;
	unlink(path);
	return gs_error_set(e, rc, GS_STATUS_FAILED, "%s: %s", path, strerror(-rc));
}

static unsigned save_script(struct gs_console *c)
{
	GS_FREE char *script = gs_model_script(c->m);
	GS_FREE char *path = strdup(c->m->input);
	struct gs_error e = { 0 };

	if (!script || !path)
		return gs_control_saved(c->m, "", "cannot allocate memory");
	if (write_new(path, script, &e) < 0)
		return gs_control_saved(c->m, path, e.text);
	return gs_control_saved(c->m, path, NULL);
}

static void suspend(struct gs_console *c)
{
	if (!c->screen)
		return;
	gs_screen_suspend(c->screen);
	raise(SIGSTOP);
	if (gs_screen_resume(c->screen) < 0)
		c->quit = true;
	c->whole = true;
}

static void ask(struct gs_console *c)
{
	int rc = c->m->agent_gone ? -EPIPE : gs_session_ask(c->session, c->m->question, c->m->question_number);

	if (rc >= 0)
		return;
	c->m->wish = GS_WISH_NONE;
	gs_say_error(c->m, "the agent cannot be asked: %s", strerror(-rc));
}

static void act(struct gs_console *c, unsigned what)
{
	if (what & GS_DO_SAVE_SCRIPT)
		what |= save_script(c);
	if (what & GS_DO_COMMIT)
		commit(c);
	if (what & GS_DO_PAUSE)
		gs_session_pause(c->session);
	if (what & GS_DO_RESUME)
		gs_session_resume(c->session);
	if (what & GS_DO_CANCEL)
		gs_session_cancel(c->session);
	if (what & GS_DO_ASK)
		ask(c);
	if (what & GS_DO_SUDO)
		elevate(c);
	if (what & GS_DO_CONNECT)
		connect_again(c);
	if (what & GS_DO_SUSPEND)
		suspend(c);
	if (what & GS_DO_RECOLLECT)
		gs_console_watch(c, NULL);
	if (what & GS_DO_QUIT)
		c->quit = true;
	if (what & GS_DO_REPAINT)
		c->whole = true;
	if (what & ~(unsigned)GS_DO_QUIT)
		c->dirty = true;
}

void gs_console_event(struct gs_console *c, const struct gs_event *ev)
{
	gs_console_clock(c);
	act(c, gs_control_event(c->m, ev, c->rows, c->columns));
}

void gs_console_events(struct gs_console *c)
{
	struct gs_event ev;

	while (!c->quit && gs_input_next(c->input, &ev))
		gs_console_event(c, &ev);
}

struct gs_frame *gs_console_draw(struct gs_console *c)
{
	if (!c->frame || c->frame->rows != c->rows || c->frame->columns != c->columns) {
		c->frame = gs_frame_free(c->frame);
		if (gs_frame_new(c->rows, c->columns, &c->frame) < 0)
			return NULL;
	}
	gs_frame_clear(c->frame);
	gs_view_draw(c->m, c->glyphs, c->frame);
	return c->frame;
}

void gs_console_rescue(struct gs_console *c)
{
	GS_FREE char *script = c->m->n_staged ? gs_model_script(c->m) : NULL;
	GS_FREE char *dir = NULL;
	GS_FREE char *path = NULL;

	if (!script || !*script || gs_state_dir(&dir, NULL) < 0 || gs_mkdir_parents(dir, 0700) < 0)
		return;
	if (asprintf(&path, "%s/staged-%s.gs", dir, c->m->host) < 0) {
		path = NULL;
		return;
	}
	for (char *s = path + strlen(dir) + 1; *s; s++)
		if (*s == '/')
			*s = '-';
	gs_file_replace(path, script, strlen(script), 0600, NULL);
}
