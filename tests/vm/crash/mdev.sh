#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mdev.sh - SIGKILL in a commit that takes mdevs away and makes others, on the PF and on VFs.
. /lib/vm/killed.sh
U=11111111-2222-3333-4444-55555555555
both "create $T4 T4-4Q uuid ${U}0
mode $A2 vgpu
create $A2 A2-4Q vf 0 uuid ${U}1" "delete $T4 all
create $T4 T4-8Q uuid ${U}2
delete $A2 vf:0
create $A2 A2-8Q vf 1 uuid ${U}3"
every write agent
every write all
done_killing 3
