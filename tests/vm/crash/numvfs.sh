#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# numvfs.sh - SIGKILL in a commit that changes the number of VFs: the kernel's own, and by the vendor's script, which dies too.
. /lib/vm/killed.sh
QUOTA=4294967296
both "vfs $FLEX 2
set $FLEX/vf:0 vram-quota-bytes $QUOTA
set $FLEX/vf:1 vram-quota-bytes $QUOTA" "vfs $FLEX 3
set $FLEX/vf:0 vram-quota-bytes $QUOTA
set $FLEX/vf:1 vram-quota-bytes $QUOTA
set $FLEX/vf:2 vram-quota-bytes $QUOTA"
every write all
both "mode $L40S whole" "mode $L40S vgpu"
every write all 5
every write agent 9
done_killing 3
