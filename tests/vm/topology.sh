# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# topology.sh - the machine that every boot has, as QEMU arguments; sourced by
# boot.sh. README.md says what the functions are made to look like.
#
# root_port NUMBER SLOT: a port of its own has a bus of its own and an IOMMU group of its own
root_port() {
	echo "-device pcie-root-port,id=rp$1,bus=pcie.0,chassis=$1,slot=$1,addr=$2"
}

# sriov_pf NAME PORT: an NVMe controller is what QEMU has with virtual functions
sriov_pf() {
	echo "-device nvme-subsys,id=ss-$1"
	echo "-device nvme,id=$1,serial=$1,bus=rp$2,subsys=ss-$1,sriov_max_vfs=8,sriov_vq_flexible=16,sriov_vi_flexible=8,max_ioqpairs=26,msix_qsize=26"
}

# topology: arguments without blanks in them
topology() {
	echo "-device intel-iommu,intremap=on,aw-bits=48"
	root_port 1 04.0
	root_port 2 05.0
	root_port 3 06.0
	root_port 4 07.0
	root_port 5 08.0
	root_port 6 09.0
	root_port 7 0a.0
	# 01: mdev on virtual functions
	sriov_pf nv0 1
	# 02: an endpoint alone, mdev on the physical function
	echo "-device e1000e,id=nic0,bus=rp2"
	# 03: display and audio, two functions in one group
	echo "-device bochs-display,id=gpu1,bus=rp3,addr=00.0,multifunction=on"
	echo "-device ich9-intel-hda,id=aud1,bus=rp3,addr=00.1"
	# 04: a bridge; 05: two conventional devices behind it, all three in one group
	echo "-device pcie-pci-bridge,id=br1,bus=rp4"
	echo "-device edu,id=edu0,bus=br1,addr=01.0"
	echo "-device edu,id=edu1,bus=br1,addr=02.0"
	# 06: the vendor's VFIO files on virtual functions
	sriov_pf nv1 5
	# 07: an endpoint alone, partitions
	echo "-device edu,id=edu3,bus=rp6"
	# 08: sriov_admin
	sriov_pf nv2 7
}
