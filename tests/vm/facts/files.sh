#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# files.sh - the machine is what README.md says.
. /lib/vm/facts.sh
start_machine || exit 125

# table: BDF vendor device class driver group-mates sriov_totalvfs
row() {
	fact "$1 is $2:$3" "0x$2\n 0x$3\n 0x$4\n" echo "$(attr read $PCI/$1/vendor)" "$(attr read $PCI/$1/device)" "$(attr read $PCI/$1/class)"
	fact "$1 is on $5" "$5" driver_of "$1"
	fact "$1 shares its group with $6 others" "$6" expr "$(ls "$PCI/$1/iommu_group/devices" | wc -l)" - 1
	if [ "$7" = - ]; then
		fact "$1 has no virtual functions" "open ENOENT" attr read "$PCI/$1/sriov_totalvfs"
	else
		fact "$1 can have $7 virtual functions" "$7\n" attr read "$PCI/$1/sriov_totalvfs"
	fi
}
row $A2 10de 25b6 030200 nvidia 0 8
row $T4 10de 1eb8 030200 nvidia 0 -
row $ADA 10de 26b1 030200 nvidia 1 -
row $ADA_AUDIO 10de 22ba 040300 - 1 -
row $V100_A 10de 1db6 030200 nvidia 2 -
row $V100_B 10de 1db6 030200 nvidia 2 -
row $L40S 10de 26b9 030200 nvidia 0 8
row $MI300X 1002 74a1 120000 amdgpu 0 -
row $FLEX 8086 56c0 038000 xe 0 8

fact "groups are of the kernel's default type" 'DMA-FQ\n' attr read $PCI/$A2/iommu_group/type
fact "an override that was never set reads (null)" '(null)\n' attr read $PCI/$A2/driver_override
fact "no NUMA node is -1" '-1\n' attr read $PCI/$A2/numa_node
fact "a device of a VF is bare hexadecimal, here QEMU's own" '10\n' attr read $PCI/$A2/sriov_vf_device
done_testing
