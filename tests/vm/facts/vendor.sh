#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vendor.sh - the files of VF/nvidia/. Their rules are our module's; that they are files of the kernel is not.
. /lib/vm/facts.sh
start_machine || exit 125

vf() { echo "$PCI/$L40S/virtfn$1/nvidia"; }
type_of() { attr read "$(vf "$1")/current_vgpu_type"; }
set_type() { attr write "$(vf "$1")/current_vgpu_type" "$2"; }
rows() { expr "$(cat "$(vf "$1")/creatable_vgpu_types" | wc -l)" - 1; }

fact "a raw write to sriov_numvfs finds no support in the driver" ENOENT attr write $PCI/$L40S/sriov_numvfs 4
fact "the vendor's script enables all" "Enabling VFs on $L40S" /usr/lib/nvidia/sriov-manage -e $L40S
fact "so there are 8" '8\n' attr read $PCI/$L40S/sriov_numvfs
fact "the PF is on its driver again" nvidia driver_of $L40S
fact "without an override left behind" '(null)\n' attr read $PCI/$L40S/driver_override
fact "the VFs are on it" nvidia driver_of "$(link_of $PCI/$L40S/virtfn7)"
fact "and know their PF" $L40S link_of $PCI/$L40S/virtfn7/physfn
fact "the PF has no such files" no exists $PCI/$L40S/nvidia
fact "enabling again is taken" '' /usr/lib/nvidia/sriov-manage -e $L40S
fact "a VF is a VFIO device" 1 count $PCI/$L40S/virtfn0/vfio-dev/vfio*

fact "untyped is 0" '0\n' type_of 0
fact "with all types to choose from" 23 rows 0
fact "the list has a header" 'ID    : vGPU Name' head -1 "$(vf 0)/creatable_vgpu_types"
fact "and a column of five" '1145  : NVIDIA L40S-1B' sed -n 2p "$(vf 0)/creatable_vgpu_types"
fact "its order is the driver's" '2164  : NVIDIA L40S-3B' tail -n 1 "$(vf 0)/creatable_vgpu_types"
for file in placement_id gpu_instance_id vgpu_params; do
	fact "$file cannot be read without a type" ENXIO attr read "$(vf 0)/$file"
done

fact "a type" '' set_type 0 1155
fact "is read back" '1155\n' type_of 0
fact "the list has its header only" 'ID    : vGPU Name\n' attr read "$(vf 0)/creatable_vgpu_types"
fact "it has a place" '0\n' attr read "$(vf 0)/placement_id"
fact "another type on top is refused" EIO set_type 0 1155
fact "other VFs offer that size alone" '1155 1165' echo $(sed -n 's/ *: NVIDIA.*//p' "$(vf 1)/creatable_vgpu_types")
fact "another size is refused" EIO set_type 1 1153
fact "and leaves the VF as it was" '0\n' type_of 1
fact "an id that there is not" EIO set_type 1 7
fact "a word" EINVAL set_type 1 x
fact "two fit" '' set_type 1 1165
fact "beside each other" '24\n' attr read "$(vf 1)/placement_id"
fact "then the GPU is full" 0 rows 2
fact "so a third is refused" EIO set_type 2 1155
fact "a place that is taken is refused" EIO attr write "$(vf 1)/placement_id" 0
fact "0 removes" '' set_type 0 0
fact "and again does nothing" '' set_type 0 0
fact "its place is free" '' attr write "$(vf 1)/placement_id" 0
fact "the other has moved" '0\n' attr read "$(vf 1)/placement_id"
fact "the last one goes" '' set_type 1 0
fact "and every size is there again" 23 rows 1
fact "four of 12" '' eval 'for i in 0 1 2 3; do set_type $i 1153; done'
fact "make the GPU full" 0 rows 4

group=$(group_of "$(link_of $PCI/$L40S/virtfn0)")
hold device "$group" "$(link_of $PCI/$L40S/virtfn0)"
fact "a VF can be held as a VM does" held echo "$held"
fact "then its type stays" EBUSY set_type 0 0
fact "as it is" '1153\n' type_of 0
fact "it is known by its group's node" "/dev/vfio/$group" sh -c "ls -l /proc/$holder/fd | sed -n 's/.*-> \(.dev.vfio.[0-9]*\)$/\1/p'"
release
fact "when it is let go, the type goes" '' set_type 0 0

fact "rebinding the PF" '' attr write /sys/bus/pci/drivers/nvidia/unbind $L40S
fact "takes the types away" '0\n' type_of 1
fact "the driver is bound again" '' attr write /sys/bus/pci/drivers/nvidia/bind $L40S
fact "disabling" "Disabling VFs on $L40S" /usr/lib/nvidia/sriov-manage -d $L40S
fact "leaves no VF" 0 count $PCI/$L40S/virtfn*

# ---- as it has been seen to go wrong
echo nothing >/run/sriov-manage.fault
fact "a run that says it is well" 'status 0' eval '/usr/lib/nvidia/sriov-manage -e $L40S; echo status $?'
fact "and has done nothing" '0\n' attr read $PCI/$L40S/sriov_numvfs
echo interrupted >/run/sriov-manage.fault
fact "a run that was interrupted" 'status 130' eval '/usr/lib/nvidia/sriov-manage -e $L40S; echo status $?'
fact "leaves the PF on the stub" pci-pf-stub driver_of $L40S
fact "without VFs" '0\n' attr read $PCI/$L40S/sriov_numvfs
fact "from where the native driver can have it back" nvidia eval 'attr write $PCI/$L40S/driver/unbind $L40S; attr write $PCI/$L40S/driver_override "\n"; attr write /sys/bus/pci/drivers_probe $L40S; driver_of $L40S'
done_testing
