#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# nvidia.sh - who has a GPU open, and the lock against that. Our module does it as the real one is known to.
. /lib/vm/facts.sh
start_machine || exit 125
GPUS=/proc/driver/nvidia/gpus
LOCK=$GPUS/$L40S/unbindLock
minor() { sed -n 's/^Device Minor:[ \t]*//p' "$GPUS/$1/information"; }

fact "a GPU says its minor number" 5 minor $L40S
fact "and its model" "NVIDIA L40S" sed -n 's/^Model:[ \t]*//p' $GPUS/$L40S/information
fact "a driver for virtual machines has the lock" yes exists $LOCK
fact "a driver without vGPUs has none" no exists $GPUS/$ADA/unbindLock
fact "not taken" '0\n' attr read $LOCK
fact "taken" '' attr write $LOCK 1
fact "is read back" '1\n' attr read $LOCK
fact "then the GPU cannot be opened" 'open EBUSY' attr open /dev/nvidia5 rw
fact "given back" '' attr write $LOCK 0
fact "it can" '' attr open /dev/nvidia5 rw

sleep 1000 </dev/nvidia5 &
holder=$!
is_held() { [ "$(readlink /proc/$holder/fd/0)" = /dev/nvidia5 ]; }
eventually is_held
fact "while somebody has it open the write is taken" '' attr write $LOCK 1
fact "but the lock is not" '0\n' attr read $LOCK
fact "so the vendor's script says so" "Cannot obtain unbindLock for $L40S" /usr/lib/nvidia/sriov-manage -e $L40S
fact "and the GPU is as before" '0\n' attr read $PCI/$L40S/sriov_numvfs
stuck "an unbind waits for who has it open" attr write /sys/bus/pci/drivers/nvidia/unbind $L40S
kill -KILL "$pid"
fact "and cannot be killed" D eval 'sleep 1; state_of $pid'
kill $holder
fact "when it is closed, all end" '' eventually all_ended
fact "unbound" - driver_of $L40S
fact "its files are gone" no exists $GPUS/$L40S
fact "the node leads nowhere" 'open ENODEV' attr open /dev/nvidia5 rw
done_testing
