/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commit.h - what the commands that change a machine share: their options, the
 * review, the confirmation, following the commit.
 */
#ifndef GS_CLI_COMMIT_H
#define GS_CLI_COMMIT_H

#include <stdio.h>

#include "cli/cli.h"

struct gs_cli_commit {
	bool must_ask;          /* also where no finding wants it */
	bool yes, dry_run, kill, allow_reset, undo_on_hangup;
	struct gs_digest expect;    /* one certain plan; empty: whichever */
	const char *message;
	uint32_t wait_seconds;
	const char *disrupt[64];
	size_t n_disrupt;
	enum gs_way way;
};

/* Rows of a command's table of options. */
#define GS_CLI_COMMIT_OPTIONS \
	{ "yes", NULL, "confirm what wants confirmation (never what is refused)" }, \
	{ "dry-run", NULL, "print the plan, do nothing" }, \
	{ "disrupt", "HOLDER", "pid:N, unit:NAME.service or all: this may be stopped; a unit is started again. May be given again" }, \
	{ "kill", NULL, "SIGKILL for what SIGTERM does not stop" }, \
	{ "allow-reset", NULL, "reset a GPU whose mode waits for that, and those that NVLink links with it" }, \
	{ "expect", "DIGEST", "only the plan with this digest, the one that was approved" }, \
	{ "on-hangup", "finish|undo", "when the terminal or the connection goes away in the middle (finish)" }, \
	GS_CLI_WAIT_OPTION, \
	{ "message", "TEXT", "why, for the record" }

/* Take an option of these: 1 taken, 0 none of them, -EINVAL with a sentence. */
int gs_cli_commit_take(struct gs_cli_commit *o, const char *name, const char *value, struct gs_error *e);
/* Put into @request what the options allow. */
int gs_cli_commit_ask(const struct gs_cli_commit *o, struct gs_request *request, struct gs_error *e);

/* "finish" or "undo"; INVALID with a sentence otherwise. */
int gs_cli_on_hangup(const char *value, bool *ret_undo, struct gs_error *e);
/* The address in SSH_CONNECTION, which sudo takes away from the agent; for the record only. Returns @buf; NULL: not over ssh. */
const char *gs_cli_ssh_client(char *buf, size_t size);

void gs_cli_print_plan(const struct gs_plan *p, FILE *to);
/* A note for each GPU on which a commit is open. True: one is under way. */
bool gs_cli_say_open_commits(const struct gs_snapshot *s);

/* The error of who may not change that machine: CANNOT_TELL without root, as everywhere; REFUSED where nobody can. */
int gs_cli_needs_root(const struct gs_hello *hello, struct gs_error *e);

/* Show @n plans on the terminal and ask once for all of them. 0; -ENOTTY (nothing was shown), -EPERM with a sentence. */
int gs_cli_confirm(const struct gs_plan *const *plans, size_t n, const struct gs_hello *hello, struct gs_error *e);

/*
 * Have the agent carry out @p, whatever was to be confirmed being confirmed,
 * and tell its progress; wait for another commit for @wait_seconds. The caller calls gs_session_result_done(). An error
 * when there is no result. *@ret_stopped (may be NULL): by Ctrl-C.
 */
int gs_cli_commit_follow(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, const struct gs_request *request, const struct gs_plan *p,
			 uint32_t wait_seconds, struct gs_session_result *ret_result, bool *ret_stopped, struct gs_error *e);

/*
 * Carry out @p, which @request made of the session's machine: refuse, or print
 * it for a dry run, ask what has to be confirmed, write, follow, tell. With --wait
 * what another commit has overtaken is planned again (again.h). The exit status.
 */
int gs_cli_commit(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, struct gs_request *request, const struct gs_plan *p);

#endif
