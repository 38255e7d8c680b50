# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# machine.sh - makes the guest the machine of README.md; sourced by what runs in it.
A2=0000:01:00.0 T4=0000:02:00.0 ADA=0000:03:00.0 ADA_AUDIO=0000:03:00.1 V100_A=0000:05:01.0 V100_B=0000:05:02.0
L40S=0000:06:00.0 MI300X=0000:07:00.0 FLEX=0000:08:00.0
PCI=/sys/bus/pci/devices

# vendor:device:class:subvendor:subdevice[:device of the VFs]
boards() {
	cat <<-EOF
		$A2=10de:25b6:030200:10de:157e:25b6
		$T4=10de:1eb8:030200:10de:12a2
		$ADA=10de:26b1:030200:10de:16a1
		$ADA_AUDIO=10de:22ba:040300:10de:16a1
		$V100_A=10de:1db6:030200:10de:124a
		$V100_B=10de:1db6:030200:10de:124a
		$L40S=10de:26b9:030200:10de:1851:26b9
		$MI300X=1002:74a1:120000:1002:74a1
		$FLEX=8086:56c0:038000:8086:4905:56c0
	EOF
}

# start_machine: other identities first, then the drivers that find them
start_machine() {
	hostname vm-bench
	modprobe gs_board "board=$(boards | tr '\n' ',' | sed 's/,$//')" &&
		modprobe vfio_iommu_type1 && modprobe vfio-pci && modprobe pci-pf-stub &&
		modprobe gs_nvidia && modprobe gs_amd && modprobe gs_xe && make_nodes
}

# as nvidia-modprobe does; minors in the order in which the GPUs were found
make_nodes() {
	for n in 0 1 2 3 4 5; do
		[ -e /dev/nvidia$n ] || mknod -m 666 /dev/nvidia$n c 195 $n || return
	done
}

driver_of() { # driver_of BDF: its name, or "-"
	if [ -e "$PCI/$1/driver" ]; then basename "$(readlink "$PCI/$1/driver")"; else echo -; fi
}
