#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bind.sh - driver_override, bind, unbind, drivers_probe.
. /lib/vm/facts.sh
start_machine || exit 125
DRIVERS=/sys/bus/pci/drivers
override() { attr write $PCI/$T4/driver_override "$1"; }
probe() { attr write /sys/bus/pci/drivers_probe "$1"; }

fact "a new line clears what is not set" '' override '\n'
fact "any name is taken" '' override no-such-driver
fact "and read back" 'no-such-driver\n' attr read $PCI/$T4/driver_override
fact "no byte changes nothing" '' override ''
fact "so it is still" 'no-such-driver\n' attr read $PCI/$T4/driver_override
fact "the first line counts" '' override 'a\nb'
fact "not the second" 'a\n' attr read $PCI/$T4/driver_override
fact "a blank is part of the name" '' override 'a '
fact "it stays" 'a \n' attr read $PCI/$T4/driver_override
fact "a page is too long" EINVAL override "$(printf '%04095d' 0)"
fact "a new line clears" '' override '\n'
fact "nothing is (null)" '(null)\n' attr read $PCI/$T4/driver_override
fact "an override alone moves no device" '' override vfio-pci
fact "it is where it was" nvidia driver_of $T4

fact "unbind needs the whole address" ENODEV attr write $DRIVERS/nvidia/unbind 02:00.0
fact "without blanks" ENODEV attr write $DRIVERS/nvidia/unbind " $T4"
fact "an address that there is not" ENODEV attr write $DRIVERS/nvidia/unbind 0000:55:00.0
fact "a device of another driver" ENODEV attr write $DRIVERS/vfio-pci/unbind $T4
fact "bound to another driver" EBUSY attr write $DRIVERS/vfio-pci/bind $T4
fact "probing what is bound is taken" '' probe $T4
fact "and changes nothing" nvidia driver_of $T4
fact "unbind" '' attr write $DRIVERS/nvidia/unbind $T4
fact "no driver" - driver_of $T4
fact "so there is no driver/unbind" 'open ENOENT' attr write $PCI/$T4/driver/unbind $T4
fact "unbind again" ENODEV attr write $DRIVERS/nvidia/unbind $T4
fact "the override decides who may have it" ENODEV attr write $DRIVERS/nvidia/bind $T4
fact "probe" '' probe $T4
fact "vfio-pci has it" vfio-pci driver_of $T4
fact "its group has a node" yes exists "/dev/vfio/$(group_of $T4)"
attr write $DRIVERS/vfio-pci/unbind $T4
fact "which goes with the driver" no exists "/dev/vfio/$(group_of $T4)"

fact "an override that names no driver" '' override no-such-driver
fact "a probe that finds none is taken" '' probe $T4
fact "and nothing is bound" - driver_of $T4
fact "an address that there is not" ENODEV probe 0000:55:00.0
override '\n'
echo 5 >/sys/module/gs_nvidia/parameters/bind_errno
fact "a driver that refuses: bind says so" EIO attr write $DRIVERS/nvidia/bind $T4
fact "the probe does not" '' probe $T4
fact "nothing is bound" - driver_of $T4
echo 0 >/sys/module/gs_nvidia/parameters/bind_errno
fact "the native driver takes it back" '' probe $T4
fact "by itself" nvidia driver_of $T4

fact "vfio-pci takes the host bridge, if told" vfio-pci eval 'attr write $PCI/0000:00:00.0/driver_override vfio-pci; probe 0000:00:00.0; driver_of 0000:00:00.0'
attr write $PCI/0000:04:00.0/driver_override vfio-pci
fact "but no bridge of PCI" EINVAL attr write $DRIVERS/vfio-pci/bind 0000:04:00.0

# ---- new_id takes whatever matches, not what was meant
modprobe pci-stub
for device in $V100_A $V100_B; do attr write $DRIVERS/nvidia/unbind $device; done
fact "one id" '' attr write $DRIVERS/pci-stub/new_id '10de 1db6'
fact "takes one device" pci-stub driver_of $V100_A
fact "and the other, which nobody named" pci-stub driver_of $V100_B
fact "the same id again" EEXIST attr write $DRIVERS/pci-stub/new_id '10de 1db6'
fact "no id" EINVAL attr write $DRIVERS/pci-stub/new_id junk
fact "it can be taken back" '' attr write $DRIVERS/pci-stub/remove_id '10de 1db6'
fact "once" ENODEV attr write $DRIVERS/pci-stub/remove_id '10de 1db6'

# ---- unplugging by hand
fact "remove with 0 does nothing" '' attr write $PCI/$T4/remove 0
attr write $PCI/$T4/driver_override nvidia
fact "remove with 1" '' attr write $PCI/$T4/remove 1
fact "gone" no exists $PCI/$T4
fact "rescan" '' attr write /sys/bus/pci/rescan 1
fact "the device is back, on its driver" nvidia driver_of $T4
fact "without its override" '(null)\n' attr read $PCI/$T4/driver_override
done_testing
