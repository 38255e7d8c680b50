#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh - in the guest: play /test/case on the live machine into /out.
. /lib/vm/machine.sh
start_machine || exit 125
export PROGRAM=/usr/bin/gpuslice MACHINE_IO=/usr/bin/machine_io MACHINE=/lib/vm/machine.sh HOLD=/lib/vm/hold.sh FAULT_WORDS=/lib/vm/fault.sh
exec sh /test/play.sh "/test/case/$1" /out
