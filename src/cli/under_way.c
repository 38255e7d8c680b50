/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/under_way.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/past.h"
#include "codec/journal_list.h"

/* One commit at a time has a machine, so the one under way is among the newest. */
#define NEWEST 32
/* The journal has nothing to poll(2) through an agent. */
#define TICK_MS 200

static void describe(const struct gs_journal_entry *c, struct gs_cli_under_way *ret)
{
	const struct gs_author *a = &c->author;
	char when[GS_WALL_TEXT], uid[24] = "somebody";

	if (a->uid.known)
		snprintf(uid, sizeof(uid), "uid %" PRIu32, a->uid.value);
	ret->id = c->id;
	ret->of = c->of;
	ret->begun = c->begun;
	snprintf(ret->text, sizeof(ret->text), "commit %" PRIu64 " (%s%s%s) is under way since %s", c->id, a->user ? a->user : uid, a->command ? ", " : "",
		 a->command ? a->command : "", gs_wall_format(c->begun, when, sizeof(when)));
}

int gs_cli_under_way_find(struct gs_session *s, uint64_t id, struct gs_cli_under_way *ret_found, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *list = NULL;
	GS_JSON struct json_object *commits = NULL;
	int r = gs_session_journal(s, NEWEST, GS_CLI_PAST_TIMEOUT_MS, &commits, e);

	if (r >= 0)
		r = gs_journal_list_from_json(commits, &list, e);
	if (r < 0)
		return r;
	*ret_found = (struct gs_cli_under_way){ 0 };
	for (size_t i = 0; i < list->n; i++) {
		const struct gs_journal_entry *c = &list->items[i];

		if (!c->is_under_way || (id && c->id != id && c->of != id))
			continue;
		describe(c, ret_found);
		break;
	}
	return 0;
}

int gs_cli_under_way_await(struct gs_session *s, uint64_t id, uint32_t *seconds, struct gs_cli_under_way *ret_awaited, struct gs_error *e)
{
	const struct gs_monotonic since = gs_monotonic_now();
	const int64_t limit_ms = (int64_t)*seconds * 1000;
	struct gs_cli_under_way now, awaited = { 0 };
	int64_t left_ms;

	for (;;) {
		int r = gs_cli_under_way_find(s, id, &now, e);

		if (r < 0)
			return r;
		left_ms = limit_ms - gs_elapsed_ms(since);
		if (!now.id)
			break;
		if (!*seconds)
			return gs_error_set(e, -EWOULDBLOCK, GS_STATUS_LOCKED, "%s. Nothing was done: --wait SECONDS waits for its end", now.text);
		if (left_ms <= 0)
			return gs_error_set(e, -EWOULDBLOCK, GS_STATUS_LOCKED, "waited for %" PRIu32 " s: %s. Nothing was done", *seconds, now.text);
		if (now.id != awaited.id)
			gs_cli_say("waiting for its end, %" PRId64 " s at most: %s", (left_ms + 999) / 1000, now.text);
		awaited = now;
		poll(NULL, 0, (int)(left_ms < TICK_MS ? left_ms : TICK_MS));
	}
	if (*seconds)
		*seconds = left_ms < 1000 ? 1 : (uint32_t)((left_ms + 999) / 1000);
	if (ret_awaited)
		*ret_awaited = awaited;
	return 0;
}
