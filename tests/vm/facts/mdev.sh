#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mdev.sh - create and remove, as the kernel's mdev core takes them, and the types of two GPUs.
. /lib/vm/facts.sh
start_machine || exit 125
/usr/lib/nvidia/sriov-manage -e $A2 >/dev/null || exit 125

VF0=$(readlink -f $PCI/$A2/virtfn0) VF1=$(readlink -f $PCI/$A2/virtfn1)
T4_TYPES=$PCI/$T4/mdev_supported_types
U=11111111-2222-3333-4444-55555555555
new() { attr write "$1/mdev_supported_types/$2/create" "$3"; }
left() { attr read "$1/mdev_supported_types/$2/available_instances"; }
MDEV=/sys/bus/mdev/devices

# ---- what is there
fact "the PF of a GPU with VFs is no parent" no exists $PCI/$A2/mdev_supported_types
fact "a VF has all types" 15 count "$VF0"/mdev_supported_types/nvidia-*
fact "the compat class names the parent" "$(basename "$VF0")" link_of "/sys/class/mdev_bus/$(basename "$VF0")"
fact "a name" 'NVIDIA A2-1B\n' attr read "$VF0/mdev_supported_types/nvidia-742/name"
fact "a description" 'num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=16\n' \
	attr read "$VF0/mdev_supported_types/nvidia-742/description"
fact "the API" 'vfio-pci\n' attr read "$VF0/mdev_supported_types/nvidia-742/device_api"
fact "create cannot be read, not even by root" 'open EACCES' attr open "$VF0/mdev_supported_types/nvidia-742/create" ro
fact "nor opened for both" 'open EACCES' attr open "$VF0/mdev_supported_types/nvidia-742/create" rw
fact "what is read-only cannot be opened to write" 'open EACCES' attr open "$VF0/mdev_supported_types/nvidia-742/name" wo
fact "an unknown type is not there" 'open ENOENT' new "$VF0" nvidia-1 ${U}0
fact "and O_CREAT makes none" 'open EACCES' attr open "$VF0/mdev_supported_types/nvidia-742/nothing" creat

# ---- what is taken for a UUID
for bad in "${U}" "${U}000" "${U}x" "{${U}0}" " ${U}0" "${U}0\\r\\n" '\n' 11111111222233334444555555555550 11111111_2222_3333_4444_555555555550; do
	fact "«$bad» is no UUID" EINVAL new "$VF0" nvidia-746 "$bad"
done
fact "half a UUID is none, nor is the other half" "$(printf 'EINVAL\nEINVAL')" attr split "$VF0/mdev_supported_types/nvidia-746/create" 11111111-2222-3333 -4444-555555555550
fact "no byte at all does nothing" '' new "$VF0" nvidia-746 ''
fact "so the type is still free" '1\n' left "$VF0" nvidia-746

# ---- create
fact "a UUID without newline" '' new "$VF0" nvidia-746 ${U}0
fact "the device is on the bus" ${U}0 link_of $MDEV/${U}0
fact "its type" nvidia-746 link_of $MDEV/${U}0/mdev_type
fact "its driver" nvidia-vgpu-vfio link_of $MDEV/${U}0/driver
fact "it has a group of its own" yes exists $MDEV/${U}0/iommu_group
fact "and so a VFIO node" yes exists "/dev/vfio/$(link_of $MDEV/${U}0/iommu_group)"
fact "one vGPU per VF" '0\n' left "$VF0" nvidia-746
fact "the VF is full" ENOSPC new "$VF0" nvidia-746 ${U}1
fact "the same size is left elsewhere" '1\n' left "$VF1" nvidia-746
fact "of another class too" '1\n' left "$VF1" nvidia-754
fact "another size is not" '0\n' left "$VF1" nvidia-747
fact "a UUID is used once on a host, seen before capacity is" EEXIST new "$VF1" nvidia-747 ${U}0
fact "on another parent as well" EEXIST attr write $T4_TYPES/nvidia-230/create ${U}0
fact "upper case and a newline are taken" '' new "$VF1" nvidia-754 '11111111-2222-3333-4444-55555555555A\n'
fact "the name is in lower case" yes exists $MDEV/${U}a
fact "in either case it is the same" EEXIST new "$VF1" nvidia-747 ${U}A
fact "a 37th byte of any kind is dropped" EEXIST new "$VF1" nvidia-747 "${U}0x"
for i in 2 3; do
	fact "four of 4 GiB fit: $i" '' attr write "$PCI/$A2/virtfn$i/mdev_supported_types/nvidia-751/create" ${U}$i
done
fact "a fifth does not" ENOSPC attr write "$PCI/$A2/virtfn4/mdev_supported_types/nvidia-751/create" ${U}4
fact "although its VF is free, none is left there" '0\n' attr read "$PCI/$A2/virtfn4/mdev_supported_types/nvidia-751/available_instances"
fact "parameters are empty at first" '\n' attr read $MDEV/${U}0/nvidia/vgpu_params
fact "and can be set" '' attr write $MDEV/${U}0/nvidia/vgpu_params 'frame_rate_limiter=0\n'
fact "and are read back" 'frame_rate_limiter=0\n' attr read $MDEV/${U}0/nvidia/vgpu_params
fact "a blank clears them" '' attr write $MDEV/${U}0/nvidia/vgpu_params ' '
fact "cleared" '\n' attr read $MDEV/${U}0/nvidia/vgpu_params
fact "no VM has a name" '\n' attr read $MDEV/${U}0/nvidia/vm_name

# ---- remove
fact "0 is taken and does nothing" '' attr write $MDEV/${U}0/remove '0\n'
fact "the device is still there" yes exists $MDEV/${U}0
fact "a word is no number" EINVAL attr write $MDEV/${U}0/remove x
fact "nor is a newline" EINVAL attr write $MDEV/${U}0/remove '\n'
fact "no byte does nothing" '' attr write $MDEV/${U}0/remove ''
fact "any other number removes" '' attr write $MDEV/${U}0/remove '2'
fact "gone" no exists $MDEV/${U}0
fact "so there is nothing to open" 'open ENOENT' attr write $MDEV/${U}0/remove 1
fact "its instance is free" '1\n' left "$VF0" nvidia-746

# ---- a parent that is a PF
fact "a PF counts what is left" '8\n' attr read $T4_TYPES/nvidia-231/available_instances
fact "one of 2 GiB" '' attr write $T4_TYPES/nvidia-231/create ${U}5
fact "seven more" '7\n' attr read $T4_TYPES/nvidia-231/available_instances
fact "of another class as well" '7\n' attr read $T4_TYPES/nvidia-226/available_instances
fact "and none of another size" '0\n' attr read $T4_TYPES/nvidia-232/available_instances
fact "the all-zero UUID is one" '' attr write $T4_TYPES/nvidia-231/create 00000000-0000-0000-0000-000000000000

# ---- a driver that refuses
echo 5 >/sys/module/gs_nvidia/parameters/mdev_create_errno
fact "what the driver says is what one gets" EIO attr write $T4_TYPES/nvidia-231/create ${U}6
echo 0 >/sys/module/gs_nvidia/parameters/mdev_create_errno
fact "and nothing is left of it" no exists $MDEV/${U}6

# ---- others that take vGPUs away, without a word
fact "unbinding the parent is taken" '' attr write /sys/bus/pci/drivers/nvidia/unbind $T4
fact "its vGPUs are gone" no exists $MDEV/${U}5
fact "disabling VFs needs the other driver" ENOENT attr write $PCI/$A2/sriov_numvfs 0
/usr/lib/nvidia/sriov-manage -d $A2 >/dev/null
fact "the VFs' vGPUs are gone with them" 0 count $MDEV/*
attr write /sys/bus/pci/drivers_probe $T4
fact "a vGPU again" '' attr write $T4_TYPES/nvidia-231/create ${U}7
fact "unloading the driver is taken" '' rmmod gs_nvidia
fact "its vGPU is gone" no exists $MDEV/${U}7
fact "who is not root may not write" 'open EACCES' su -s /bin/sh nobody -c "attr write $PCI/$A2/driver_override x"
mount -o remount,ro /sys
fact "sysfs can be read-only" 'open EROFS' attr open $PCI/$A2/driver_override wo
done_testing
