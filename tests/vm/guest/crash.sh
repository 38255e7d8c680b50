# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# crash.sh - for the scripts of tests/vm/crash, sourced in the guest: the program on the machine, gs_crash, TAP.
. /lib/vm/facts.sh
PATH=$PATH:/usr/bin
CRASH=/sys/module/gs_crash/parameters
JOURNAL=/var/lib/gpuslice/journal

# sysfs_of_all: what the kernel says of every GPU, without the program
sysfs_of_all() {
	grep -s . $PCI/*/sriov_numvfs $PCI/*/driver_override $PCI/*/nvidia/current_vgpu_type $PCI/*/nvidia/placement_id $PCI/*/nvidia/vgpu_params
	# a driver may keep what it was told of VFs that are not there
	for vf in $PCI/*/sriov_admin/*/device; do
		grep -s . "${vf%device}"profile/*
	done
	stat -c %N $PCI/*/driver /sys/bus/mdev/devices/*/mdev_type 2>/dev/null
}

# arm EVENT WHO N
arm() { printf %s "$1" >$CRASH/event && printf %s "$2" >$CRASH/who && echo "$3" >$CRASH/at; }
has_struck() { [ "$(cat $CRASH/at)" = 0 ]; }

# last_record: of the newest commit, what it says and of which step
last_record() {
	newest=$(ls $JOURNAL | sort -n | tail -n 1)
	tail -n 1 "$JOURNAL/$newest" | grep -o '"kind": *"[a-z]*"' | head -n 1 | cut -d '"' -f 4
}

# keep NAME: the state that the machine has, in both tellings
keep() { sysfs_of_all >"$kept/$1.sysfs"; gpuslice export json >"$kept/$1.json"; }
is_at() { sysfs_of_all >/tmp/now.sysfs; cmp -s /tmp/now.sysfs "$kept/$1.sysfs"; }

differences() { diff "$1" "$2" | grep '^[-+][^-+]' | head -n 8 | tr '\n' ' '; }

# at NAME: "NAME", in both tellings, or what is otherwise
at() {
	if ! is_at "$1"; then
		differences "$kept/$1.sysfs" /tmp/now.sysfs
	elif ! gpuslice export json >/tmp/now.json || ! cmp -s /tmp/now.json "$kept/$1.json"; then
		echo "sysfs is $1, and the program says otherwise: $(differences "$kept/$1.json" /tmp/now.json)"
	else
		echo "$1"
	fi
}
# where: the one of two states that the machine has
where() { if is_at a; then echo a; elif is_at b; then echo b; else echo between; fi; }

# nobody_works: whoever outlived the agent has ended
nobody_works() { ! pidof gpuslice sriov-manage >/dev/null; }
apply() { gpuslice apply --yes --disrupt all "$@" >/tmp/out 2>/tmp/err </dev/null; }

# ends NAME STATUS COMMAND…: and what it printed, if it ends otherwise
ends() {
	name=$1 expected=$2
	shift 2
	"$@" >/tmp/out 2>/tmp/err </dev/null
	status=$?
	result "$name" "$expected" $status
	[ $status = "$expected" ] || tail -n 12 /tmp/out /tmp/err | sed 's/^/# /'
}
