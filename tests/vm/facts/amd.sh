#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# amd.sh - the partition files. Their rules are our module's.
. /lib/vm/facts.sh
start_machine || exit 125
G=$PCI/$MI300X
compute() { attr write $G/current_compute_partition "$1"; }
memory() { attr write $G/current_memory_partition "$1"; }

fact "one partition" 'SPX\n' attr read $G/current_compute_partition
fact "one memory domain" 'NPS1\n' attr read $G/current_memory_partition
fact "compute modes" 'SPX, DPX, QPX, CPX\n' attr read $G/available_compute_partition
fact "memory modes" 'NPS1, NPS4\n' attr read $G/available_memory_partition
fact "to look at a mode switches nothing" '' attr write $G/compute_partition_config/xcp_config DPX
fact "DPX goes with NPS1 alone" 'NPS1\n' attr read $G/compute_partition_config/supported_nps_configs
fact "the mode is what it was" 'SPX\n' attr read $G/current_compute_partition
fact "CPX" '' compute 'CPX\n'
fact "is there" 'CPX\n' attr read $G/current_compute_partition
fact "in small letters" '' compute qpx
fact "as well" 'QPX\n' attr read $G/current_compute_partition
fact "a word that there is not" EINVAL compute XPX
fact "a mode of other chips" EINVAL compute TPX
echo 1 >/sys/module/gs_amd/parameters/kfd_busy
fact "while somebody computes" EBUSY compute SPX
fact "the same mode is taken" '' compute QPX
echo 0 >/sys/module/gs_amd/parameters/kfd_busy
echo 1 >/sys/module/gs_amd/parameters/in_reset
fact "in a reset nothing is read" EPERM attr read $G/current_compute_partition
echo 0 >/sys/module/gs_amd/parameters/in_reset

fact "a memory mode is taken" '' memory NPS4
fact "and does not hold yet" 'NPS1\n' attr read $G/current_memory_partition
fact "a mode that there is not" EINVAL memory NPS2
fact "the driver goes" '' attr write /sys/bus/pci/drivers/amdgpu/unbind $MI300X
fact "and comes back" '' attr write /sys/bus/pci/drivers/amdgpu/bind $MI300X
fact "now it holds" 'NPS4\n' attr read $G/current_memory_partition
fact "SPX does not go with it" EINVAL compute SPX
fact "back" '' memory NPS1
fact "reloading the module does it as well" 'NPS1\n' eval 'rmmod gs_amd && modprobe gs_amd && attr read $G/current_memory_partition'
fact "and the compute mode is the first again" 'SPX\n' attr read $G/current_compute_partition
done_testing
