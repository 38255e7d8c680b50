/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What list prints of a machine that is not MIG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The tables are made by static functions. */
#include "cli/cmd_list.c"
#include "tests/lib/printed.h"
#include "tests/lib/testfamilies.h"

/* main() has the table of commands. */
const struct gs_cli_command *const gs_cli_commands[] = { &gs_command_list, NULL };

static void list_has_vgpus_with_their_vf_and_what_lies_around(void **state)
{
	GS_FREE char *text = gs_testprinted(print_table, *state);

	gs_testprinted_has(text, "\n0                              32 VFs, 2 with a type\n");
	gs_testprinted_has(text, "\n0    0000:41:00.7              write to driver/unbind waits ");
	gs_testprinted_has(text, "  pid 12 qemu\n");
	gs_testprinted_has(text, "\n0    0000:41:00.4              L40S-12Q ");
	gs_testprinted_has(text, "  VF 0  12.0 GiB ");
	gs_testprinted_has(text, "  VF 3  12.0 GiB  -                                     vm win11\n");
	gs_testprinted_has(text, "  c0ffee00-0000-4000-8000-00000000000a  -\n");
	gs_testprinted_has(text, "\n2                              bound to pci-pf-stub\n");
	gs_testprinted_has(text, "  9   VF 2  ");
	gs_testprinted_has(text, "  memory-partition NPS1, NPS4 pending\n");
	gs_testprinted_has(text, "  vram-quota ?\n");
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
		cmocka_unit_test(list_has_vgpus_with_their_vf_and_what_lies_around),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
