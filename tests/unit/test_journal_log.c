/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_journal_log.c - what goes to syslog: libc's functions are this program's own, so that nothing reaches the machine's. */
#include "tests/lib/cmocka.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "backend/journal.h"

static struct {
	char ident[32];
	int option, facility, priority;
	char text[1024];
	unsigned opened, said, closed;
} heard;

void openlog(const char *ident, int option, int facility)
{
	snprintf(heard.ident, sizeof(heard.ident), "%s", ident);
	heard.option = option;
	heard.facility = facility;
	heard.opened++;
}

void closelog(void)
{
	heard.closed++;
}

static void hear(int priority, const char *fmt, va_list ap) GS_PRINTF(2, 0);
static void hear(int priority, const char *fmt, va_list ap)
{
	heard.priority = priority;
	heard.said++;
	vsnprintf(heard.text, sizeof(heard.text), fmt, ap);
}

/* With _FORTIFY_SOURCE the header makes one of the other. */
#if defined(__USE_FORTIFY_LEVEL) && __USE_FORTIFY_LEVEL > 0
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	hear(priority, fmt, ap);
	va_end(ap);
}
#else
void syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hear(priority, fmt, ap);
	va_end(ap);
}
#endif

static const struct gs_plan_base gpus[] = { { 0, { 0, 0x26, 0, 0 }, { "" } } };

static struct gs_journal_commit commit_of(const char *message)
{
	return (struct gs_journal_commit){
		.id = 12, .way = GS_WAY_UNDO, .of = 11, .author = { GS_U32(1000), "alice", "192.0.2.7", "gpuslice undo 11", message }, .gpus = gpus, .n_gpus = 1,
		.n_steps = 2, .done = 2, .state = GS_JOURNAL_IS_ENDED, .status = GS_U32(GS_STATUS_OK),
	};
}

static void a_commit_is_one_line_of_authpriv(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *live = NULL;
	/* what people say is text, and no format */
	const struct gs_journal_commit c = commit_of("100% sure: %s%n");
	char line[1024];

	(void)state;
	memset(&heard, 0, sizeof(heard));
	assert_int_equal(gs_root_open(GS_ROOT_LIVE, NULL, &live, NULL), 0);
	gs_journal_log(live, &c);
	assert_int_equal(heard.opened, 1);
	assert_int_equal(heard.said, 1);
	assert_int_equal(heard.closed, 1);
	assert_string_equal(heard.ident, "gpuslice");
	assert_int_equal(heard.option, LOG_PID);
	assert_int_equal(heard.facility, LOG_AUTHPRIV);
	assert_int_equal(heard.priority, LOG_NOTICE);
	assert_string_equal(heard.text, gs_journal_log_line(&c, line, sizeof(line)));
	assert_string_equal(heard.text, "commit 12 by alice (uid 1000, from 192.0.2.7): undo of 11: done, 2 steps on 0000:26:00.0 - 100% sure: %s%n");
}

static void the_log_is_of_this_machine_only(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *recorded = NULL;
	const struct gs_journal_commit c = commit_of(NULL);

	(void)state;
	memset(&heard, 0, sizeof(heard));
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, "/", &recorded, NULL), 0);
	gs_journal_log(recorded, &c);
	assert_int_equal(heard.opened + heard.said, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_is_one_line_of_authpriv),
		cmocka_unit_test(the_log_is_of_this_machine_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
