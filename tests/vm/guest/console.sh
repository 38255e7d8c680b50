#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# console.sh - in the guest: test_vm_console on the machine of README.md.
. /lib/vm/machine.sh
start_machine || exit 125
export CMOCKA_MESSAGE_OUTPUT=TAP
exec /bin/test_vm_console
