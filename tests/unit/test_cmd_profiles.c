/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What profiles prints of a machine that is not MIG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The tables are made by static functions. */
#include "cli/cmd_profiles.c"
#include "tests/lib/printed.h"
#include "tests/lib/testfamilies.h"

/* main() has the table of commands. */
const struct gs_cli_command *const gs_cli_commands[] = { &gs_command_profiles, NULL };

static int print_profiles(const struct gs_snapshot *s)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;

	assert_int_equal(gs_layout_from_snapshot(s, &l, NULL), 0);
	print_gpu(s, l, 0);
	print_gpu(s, l, 3);
	return print_gpu(s, l, 4);
}

static void profiles_has_every_grid(void **state)
{
	GS_FREE char *text = gs_testprinted(print_profiles, *state);

	gs_testprinted_has(text, "  vGPU types, 32 places, from the driver; one size for the whole GPU\n");
	gs_testprinted_has(text, "TYPE      ID    GiB    IN       PER GI  MAX  FITS NOW\n");
	gs_testprinted_has(text, "L40S-12Q  1153  12.00  -        -       4    2\n");
	gs_testprinted_has(text, "DC-1-24Q  -     -      1g.24gb  2       8    ?\n");
	gs_testprinted_has(text, "  6 memory units, 2 compute slices");
	gs_testprinted_has(text, "DC-1-24Q  -   -    1g.24gb  2       4    1\n");
}

static int setup(void **state)
{
	*state = gs_testfamilies();
	return 0;
}

static int teardown(void **state)
{
	gs_snapshot_unref(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_has_every_grid),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
