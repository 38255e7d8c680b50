#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# blocked.sh - writes that wait for a holder, and what else waits then.
. /lib/vm/facts.sh
start_machine || exit 125
DRIVERS=/sys/bus/pci/drivers

# ---- unbind
to_vfio() {
	attr write "$PCI/$1/driver_override" vfio-pci
	if [ "$(driver_of "$1")" != - ]; then attr write "$PCI/$1/driver/unbind" "$1"; fi
	attr write /sys/bus/pci/drivers_probe "$1"
}
to_vfio $T4
group=$(group_of $T4)

hold group "$group"
fact "who holds the group alone" held echo "$held"
fact "does not keep a device from being unbound" '' attr write $DRIVERS/vfio-pci/unbind $T4
release
attr write /sys/bus/pci/drivers_probe $T4

hold device-request "$group" $T4
fact "who wants to be asked" held echo "$held"
fact "lets go when the device is unbound" '' attr write $DRIVERS/vfio-pci/unbind $T4
fact "because the kernel asked" asked eval 'release; tail -n 1 /tmp/held'
attr write /sys/bus/pci/drivers_probe $T4

hold device "$group" $T4
stuck "an unbind waits for who does not" attr write $DRIVERS/vfio-pci/unbind $T4
writer=$pid
kill -TERM "$writer"
kill -KILL "$writer"
fact "it cannot be killed" D eval 'sleep 1; state_of $writer'
fact "the driver's link is gone" - driver_of $T4
fact "and its entry" no exists $DRIVERS/vfio-pci/$T4
fact "the group's node is not" yes exists "/dev/vfio/$group"
fact "but is taken" 'open EBUSY' attr open "/dev/vfio/$group" rw
fact "what it is can be read" '0x10de\n' attr read $PCI/$T4/vendor
fact "and where" '-1\n' attr read $PCI/$T4/numa_node
fact "other devices are not concerned" '' attr write $DRIVERS/nvidia/unbind $V100_A
stuck "a bind waits behind it" attr write $DRIVERS/vfio-pci/bind $T4
case $(uname -r) in
6.1.*)
	stuck "so does reading the override" attr read $PCI/$T4/driver_override
	stuck "and the uevent" attr read $PCI/$T4/uevent
	;;
esac
release
fact "when it is let go, all end" '' eventually all_ended
stuck_pids=''

# ---- sriov_numvfs
attr write $PCI/$FLEX/sriov_numvfs 3
VF1=$(link_of $PCI/$FLEX/virtfn1)
to_vfio "$VF1"
hold device "$(group_of "$VF1")" "$VF1"
fact "a VF is held" held echo "$held"
stuck "disabling VFs waits for its holder" attr write $PCI/$FLEX/sriov_numvfs 0
fact "the VF before it is gone" no exists $PCI/$FLEX/virtfn0
fact "it has no link any more" no exists $PCI/$FLEX/virtfn1
fact "but is there" yes exists "$PCI/$VF1"
fact "the VF behind it is untouched" yes exists $PCI/$FLEX/virtfn2
fact "how many there could be is read" '8\n' attr read $PCI/$FLEX/sriov_totalvfs
stuck "how many there are is not" attr read $PCI/$FLEX/sriov_numvfs
stuck "nor how many interrupts they have" attr read $PCI/$FLEX/sriov_vf_total_msix
stuck "a second write waits" attr write $PCI/$FLEX/sriov_numvfs 2
kill -KILL "$pid"
stuck "the rescan of the bus waits" attr write /sys/bus/pci/rescan 1
release
fact "when it is let go, all end" '' eventually all_ended
fact "the write of the process that was killed was carried out" '2\n' attr read $PCI/$FLEX/sriov_numvfs
stuck_pids=''

# ---- mdev remove
/usr/lib/nvidia/sriov-manage -e $A2 || exit 125
U=11111111-2222-3333-4444-555555555550
TYPES=$PCI/$A2/virtfn0/mdev_supported_types
attr write $TYPES/nvidia-746/create $U
hold device "$(link_of /sys/bus/mdev/devices/$U/iommu_group)" $U
fact "an mdev is held" held echo "$held"
stuck "its removal waits" attr write /sys/bus/mdev/devices/$U/remove 1
fact "it is gone from the bus" no exists /sys/bus/mdev/devices/$U
fact "its instance is not free" '0\n' attr read $TYPES/nvidia-746/available_instances
fact "its UUID is still in use" EEXIST attr write $PCI/$A2/virtfn1/mdev_supported_types/nvidia-746/create $U
fact "others can be made" '' attr write $PCI/$A2/virtfn1/mdev_supported_types/nvidia-746/create 11111111-2222-3333-4444-555555555551
fact "the driver cannot be unloaded" "rmmod: can't unload module 'gs_nvidia': Resource temporarily unavailable" rmmod gs_nvidia
release
fact "when it is let go, it ends" '' eventually all_ended
fact "and the instance is free" '1\n' attr read $TYPES/nvidia-746/available_instances
done_testing
