#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# xe.sh - sriov_admin. Its rules are our module's.
. /lib/vm/facts.sh
start_machine || exit 125
A=$PCI/$FLEX/sriov_admin

fact "a folder per VF that could be" 8 count $A/vf*
fact "counted from 1" no exists $A/vf0
fact "without a device while there are no VFs" no exists $A/vf1/device
fact "the PF's" $FLEX link_of $A/pf/device
fact "VFs" '' attr write $PCI/$FLEX/sriov_numvfs 2
fact "vf1 is virtfn0" "$(link_of $PCI/$FLEX/virtfn0)" link_of $A/vf1/device
fact "vf3 is not there yet" no exists $A/vf3/device
fact "a time" '' attr write $A/vf1/profile/exec_quantum_ms '20\n'
fact "is read back" '20\n' attr read $A/vf1/profile/exec_quantum_ms
fact "a word is none" EINVAL attr write $A/vf1/profile/exec_quantum_ms x
fact "memory" '' attr write $A/vf1/profile/vram_quota 8589934592
fact "is read back" '8589934592\n' attr read $A/vf1/profile/vram_quota
fact "more than there is" EIO attr write $A/vf2/profile/vram_quota 17179869184
fact "the PF has no quota" no exists $A/pf/profile/vram_quota
fact "priorities of the PF" '[low] normal high\n' attr read $A/pf/profile/sched_priority
fact "a word" '' attr write $A/pf/profile/sched_priority high
fact "moves the brackets" 'low normal [high]\n' attr read $A/pf/profile/sched_priority
fact "a VF cannot be high" '[low] normal\n' attr read $A/vf1/profile/sched_priority
fact "nor be set alone" 'open EACCES' attr write $A/vf1/profile/sched_priority normal
fact "all at once" '' attr write $A/.bulk_profile/exec_quantum_ms 7
fact "reach the PF" '7\n' attr read $A/pf/profile/exec_quantum_ms
fact "and every VF" '7\n' attr read $A/vf8/profile/exec_quantum_ms
fact "to be written only" 'open EACCES' attr read $A/.bulk_profile/exec_quantum_ms
echo 1 >/sys/module/gs_xe/parameters/tiles_differ
fact "tiles that differ" EUCLEAN attr read $A/vf1/profile/exec_quantum_ms
echo 0 >/sys/module/gs_xe/parameters/tiles_differ
fact "stop" '' attr write $A/vf1/stop 1
fact "no VFs" '' attr write $PCI/$FLEX/sriov_numvfs 0
fact "no device" no exists $A/vf1/device
fact "the profile stays" '7\n' attr read $A/vf1/profile/exec_quantum_ms
done_testing
