#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sriov.sh - sriov_numvfs and what hangs on it. The xe look-alike leaves it to the kernel.
. /lib/vm/facts.sh
start_machine || exit 125

N=$PCI/$FLEX/sriov_numvfs
number() { attr write $N "$1"; }

fact "none at first" '0\n' attr read $N
fact "0 when there are none" '' number 0
fact "more than there can be" ERANGE number 9
for bad in -1 abc 65536 '\n' ' 2' '2 ' '2\n\n' ''; do
	expected=EINVAL
	[ -n "$bad" ] || expected=''
	fact "«$bad»" "$expected" number "$bad"
done
fact "hexadecimal is a number" '' number 0x2
fact "so there are two" '2\n' attr read $N
fact "their links count from 0" yes exists $PCI/$FLEX/virtfn1
fact "the same again is taken" '' number 2
fact "another is refused while there are some" EBUSY number 3
fact "too many is seen first" ERANGE number 9
fact "the VF knows its PF" $FLEX link_of "$PCI/$FLEX/virtfn0/physfn"
fact "a VF has no VFs" 'open ENOENT' attr read $PCI/$FLEX/virtfn0/sriov_totalvfs
fact "nor can it be removed alone" no exists $PCI/$FLEX/virtfn0/remove
fact "a VF has a group of its own" 1 count "$PCI/$FLEX"/virtfn0/iommu_group/devices/*
fact "0 removes them" '' number 0
fact "no link stays" 0 count $PCI/$FLEX/virtfn*
fact "all" '' number 8
fact "addresses go on to the next device number" "0000:08:01.0" link_of $PCI/$FLEX/virtfn7
fact "offset" '1\n' attr read $PCI/$FLEX/sriov_offset
fact "stride" '1\n' attr read $PCI/$FLEX/sriov_stride
fact "none" '' number 0

fact "autoprobe is a yes or no" EINVAL attr write $PCI/$FLEX/sriov_drivers_autoprobe x
fact "no" '' attr write $PCI/$FLEX/sriov_drivers_autoprobe 0
fact "is read back" '0\n' attr read $PCI/$FLEX/sriov_drivers_autoprobe
attr write $PCI/$FLEX/sriov_drivers_autoprobe 1

# ---- drivers without support, and none
fact "a driver without support" ENOENT attr write $PCI/$A2/sriov_numvfs 2
fact "even to say 0 with none there is taken" '' attr write $PCI/$A2/sriov_numvfs 0
fact "too many is seen before that" ERANGE attr write $PCI/$A2/sriov_numvfs 9
fact "a device without SR-IOV has no such file" 'open ENOENT' attr write $PCI/$T4/sriov_numvfs 1
attr write /sys/bus/pci/drivers/nvidia/unbind $A2
fact "no driver" ENOENT attr write $PCI/$A2/sriov_numvfs 2
fact "no driver and too many" ERANGE attr write $PCI/$A2/sriov_numvfs 9

# ---- the stub, and what is left when it goes
attr write $PCI/$A2/driver_override pci-pf-stub
attr write /sys/bus/pci/drivers_probe $A2
fact "pci-pf-stub takes it" pci-pf-stub driver_of $A2
fact "with it the number can be set" '' attr write $PCI/$A2/sriov_numvfs 2
fact "VFs of a PF that is not the driver's stay free" - driver_of "$(link_of $PCI/$A2/virtfn0)"
fact "the stub goes" '' attr write /sys/bus/pci/drivers/pci-pf-stub/unbind $A2
fact "the VFs stay" '2\n' attr read $PCI/$A2/sriov_numvfs
fact "and cannot be disabled without a driver" ENOENT attr write $PCI/$A2/sriov_numvfs 0
attr write $PCI/$A2/driver_override '\n'
attr write /sys/bus/pci/drivers_probe $A2
fact "nor with one that has no support" ENOENT attr write $PCI/$A2/sriov_numvfs 0
fact "a driver that takes the PF finds them there" '2\n' attr read $PCI/$A2/sriov_numvfs
/usr/lib/nvidia/sriov-manage -d $A2
fact "until the stub has it again" '0\n' attr read $PCI/$A2/sriov_numvfs

# ---- a PF that is given away
attr write $PCI/$FLEX/driver_override vfio-pci
attr write /sys/bus/pci/drivers/xe/unbind $FLEX
attr write /sys/bus/pci/drivers_probe $FLEX
fact "vfio-pci has no support either" ENOENT attr write $PCI/$FLEX/sriov_numvfs 2
echo Y >/sys/module/vfio_pci/parameters/enable_sriov
fact "unless it was told to" '' attr write $PCI/$FLEX/sriov_numvfs 2
fact "then it has the VFs too" vfio-pci driver_of "$(link_of $PCI/$FLEX/virtfn1)"
fact "by an override of theirs" 'vfio-pci\n' attr read $PCI/$FLEX/virtfn1/driver_override
done_testing
