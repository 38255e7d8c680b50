#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# groups.sh - IOMMU groups: what has to let go before a VM can have a device.
. /lib/vm/facts.sh
start_machine || exit 125
DRIVERS=/sys/bus/pci/drivers
# give BDF DRIVER|-: unbound, and then onto it
give() {
	attr write $PCI/$1/driver_override "$2\n"
	if [ "$(driver_of "$1")" != - ]; then attr write "$PCI/$1/driver/unbind" "$1"; fi
	[ "$2" = - ] || attr write /sys/bus/pci/drivers_probe "$1"
}

# ---- a device alone in its group
give $T4 vfio-pci
group=$(group_of $T4)
hold device "$group" $T4
fact "a device alone can be opened" held echo "$held"
fact "its group is held by one, so another cannot" 'open-group EBUSY' vfio-hold group "$group"
fact "the node cannot even be opened" 'open EBUSY' attr open "/dev/vfio/$group" rw
release

# ---- a GPU with its audio function
modprobe snd-hda-intel
attr write /sys/bus/pci/drivers_probe $ADA_AUDIO
fact "the audio function has a native driver" snd_hda_intel driver_of $ADA_AUDIO
give $ADA vfio-pci
group=$(group_of $ADA)
fact "both share a group" "$group" group_of $ADA_AUDIO
hold device "$group" $ADA
fact "so the GPU cannot be opened" 'set-container EPERM' echo "$held"
release
give $ADA_AUDIO -
hold device "$group" $ADA
fact "with the sibling unbound it can" held echo "$held"
fact "then a native driver cannot have the sibling" EBUSY eval "attr write $PCI/$ADA_AUDIO/driver_override '\n'; attr write $DRIVERS/snd_hda_intel/bind $ADA_AUDIO"
fact "nor by a probe" EINVAL attr write /sys/bus/pci/drivers_probe $ADA_AUDIO
release
modprobe pci-stub
give $ADA_AUDIO pci-stub
hold device "$group" $ADA
fact "with the sibling on pci-stub it can" held echo "$held"
release
give $ADA_AUDIO vfio-pci
hold device "$group" $ADA
fact "with both on vfio-pci it can" held echo "$held"
release

# ---- two GPUs behind a bridge
group=$(group_of $V100_A)
fact "the bridge is of their group" "$group" group_of 0000:04:00.0
give $V100_A vfio-pci
give $V100_B -
hold device "$group" $V100_A
fact "which does no harm" held echo "$held"
release
done_testing
