#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# order.sh - the order of a commit against tables: what changes the machine has to be the next of the list, and all of it has to come.
. tests/lib/tap.sh
unit='--disrupt unit:nvidia-persistenced.service'
l() { "$program" --sim lab "$@"; }
d() { "$program" --sim dgx-h100 "$@"; }
# by_table NAME TABLE: what stands in the file "script" is carried out as the table says
by_table() {
	printf '%s\n' "$2" >"$tmp/table"
	expect 0 "a table: $1" "$host" sim expect "$tmp/table"
	# shellcheck disable=SC2086
	expect 0 "$1" "$host" apply --yes $unit "$tmp/script"
	expect 0 "all of it came, in that order" "$host" sim expect
	expect 0 "no more tables" "$host" sim expect clear
}

host=l
expect 0 "reset" l sim reset
cat >"$tmp/script" <<'SCRIPT'
mode 3 mig-vgpu
create 3 1g.24gb+gfx at 0
create 3 2g.48gb+gfx at 6
set 3/1g.24gb+gfx@0 heterogeneous on
set 3/1g.24gb+gfx@0 scheduler fixed-share:arr=off
set 3/2g.48gb+gfx@6 scheduler equal-share
create 3/1g.24gb+gfx@0 DC-1-12Q
create 3/1g.24gb+gfx@0 DC-1-6Q
create 3/2g.48gb+gfx@6 DC-2-24Q
SCRIPT
by_table "mode, VFs, instances, what they are set to, types from large to small" "DeviceSetMigMode
program sriov-manage
DeviceCreateGpuInstanceWithPlacement
GpuInstanceCreateComputeInstanceWithPlacement
DeviceCreateGpuInstanceWithPlacement
GpuInstanceCreateComputeInstanceWithPlacement
GpuInstanceSetVgpuHeterogeneousMode
GpuInstanceSetVgpuSchedulerState
GpuInstanceSetVgpuSchedulerState_v2
write current_vgpu_type
write current_vgpu_type
write current_vgpu_type"
printf 'delete 3 all\nmode 3 whole\n' >"$tmp/script"
by_table "and the reverse" "write current_vgpu_type
write current_vgpu_type
write current_vgpu_type
ComputeInstanceDestroy
GpuInstanceDestroy
ComputeInstanceDestroy
GpuInstanceDestroy
program sriov-manage
DeviceSetMigMode"

cat >"$tmp/script" <<'SCRIPT'
mode 3 vgpu
set 3 scheduler fixed-share:timeslice-ns=2000000
set 3 heterogeneous on
create 3 DC-8Q
create 3 DC-24Q
SCRIPT
by_table "on the GPU itself, settings as they were asked for" "program sriov-manage
DeviceSetVgpuSchedulerState
DeviceSetVgpuHeterogeneousMode
write current_vgpu_type
write current_vgpu_type"

host=d
unit=
expect 0 "reset" d sim reset
echo 'delete 2 1g.10gb@2
create 2 1g.10gb at 2 ci none' >"$tmp/script"
by_table "only what differs is touched" "ComputeInstanceDestroy"

# what comes out of turn is refused and noted, and what is left is told
echo 'DeviceSetMigMode' >"$tmp/table"
expect 0 "another table" d sim expect "$tmp/table"
echo 'delete 2 2g.20gb@0' >"$tmp/script"
expect 1 "a call that is not in it" d apply --yes "$tmp/script"
expect 4 "is told" d sim expect
that "with what was expected" grep -q 'ComputeInstanceDestroy came where DeviceSetMigMode was expected' "$tmp/out"
that "and what is left" grep -q '^left: DeviceSetMigMode$' "$tmp/out"
for line in 'DeviceSetMigMod' 'write ../x' 'program' 'write a b'; do
	echo "$line" >"$tmp/table"
	expect 2 "\"$line\" is nothing to expect" d sim expect "$tmp/table"
done
done_testing
