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

# with answers: what has to succeed, and what fails by the list and is undone
expect 0 "reset" d sim reset
expect 0 "export" d export json
cp "$tmp/out" "$tmp/start"
cat >"$tmp/table" <<'TABLE'
# a comment
	ComputeInstanceDestroy	0

GpuInstanceDestroy 19   # in use
GpuInstanceCreateComputeInstanceWithPlacement 0
TABLE
echo 'delete 2 1g.10gb@2' >"$tmp/script"
expect 0 "a table with answers" d sim expect "$tmp/table"
expect 1 "one of them a failure" d apply --yes "$tmp/script"
that "that the operator reads" says err "nvmlGpuInstanceDestroy answers 19"
expect 0 "all of it came, the undo too" d sim expect
expect 0 "export" d export json
that "is as before" cmp -s "$tmp/out" "$tmp/start"
expect 1 "behind the end nothing is expected" d apply --yes "$tmp/script"
expect 4 "and that is told" d sim expect
that "with what it was" says out "ComputeInstanceDestroy came behind the end of the list"
that "and what came" says out "3 of 3 came"

echo 'ComputeInstanceDestroy 0' >"$tmp/table"
expect 0 "one that has to succeed" d sim expect "$tmp/table"
expect 0 "and cannot" d sim fault nvml ComputeInstanceDestroy 20
expect 1 "is carried out" d apply --yes "$tmp/script"
expect 4 "and noted" d sim expect
that "with its answer" says out "ComputeInstanceDestroy 0, number 1 of the list, was answered with 20"
expect 0 "reset" d sim reset
expect 0 "ends a list too" d sim expect
that "all of it" says out "0 of 0 came"

# files by pattern: one list for NVML and sysfs, with an answer of the kernel
host=l
unit='--disrupt unit:nvidia-persistenced.service'
expect 0 "reset" l sim reset
printf 'mode 3 mig-vgpu\ncreate 3 1g.24gb+gfx at 0\ncreate 3/1g.24gb+gfx@0 DC-1-24Q vf 0\n' >"$tmp/script"
by_table "a file by its path" "DeviceSetMigMode 0
program sriov-manage 0
DeviceCreateGpuInstanceWithPlacement 0
GpuInstanceCreateComputeInstanceWithPlacement 0
write */0000:4b:00.*/nvidia/current_vgpu_type 0"
echo 'delete 3 all' >"$tmp/script"
printf 'write current_* EIO\n' >"$tmp/table"
expect 0 "a table that lets a write fail" l sim expect "$tmp/table"
expect 1 "it fails" l apply --yes "$tmp/script"
expect 0 "as the list has it" l sim expect
expect 0 "clear" l sim expect clear
printf 'write sriov_numvfs\nwrite sriov_numvfs\n' >"$tmp/table"
expect 0 "VFs that are not asked for" l sim expect "$tmp/table"
printf 'delete 3 vf:0\n' >"$tmp/script"
expect 0 "files that no line names are free" l apply --yes "$tmp/script"
expect 4 "but what is named has to come" l sim expect
that "both of them" [ "$(grep -c '^left: write sriov_numvfs$' "$tmp/out")" = 2 ]
expect 0 "reset" l sim reset

# what comes out of turn is refused and noted, and what is left is told
host=d
unit=
echo 'DeviceSetMigMode' >"$tmp/table"
expect 0 "another table" d sim expect "$tmp/table"
echo 'delete 2 2g.20gb@0' >"$tmp/script"
expect 1 "a call that is not in it" d apply --yes "$tmp/script"
expect 4 "is told" d sim expect
that "with what was expected" grep -q 'ComputeInstanceDestroy came where DeviceSetMigMode was expected' "$tmp/out"
that "and what is left" grep -q '^left: DeviceSetMigMode$' "$tmp/out"
cp "$tmp/out" "$tmp/told"
long=$(printf '%0400d' 0)
for line in 'DeviceSetMigMod' 'DeviceGetName' 'DeviceSetMigMode 1000' 'DeviceSetMigMode -1' 'DeviceSetMigMode 0 0' 'write' 'write ../x' 'write a b' 'write a EWHAT' \
	'program' 'program /bin/sh' 'program x 256' '*' "write $long" "$(printf 'write \351')" "$(printf 'write a\033b')"; do
	printf '# first\nDeviceSetMigMode\n%s\n' "$line" >"$tmp/table"
	expect 2 "\"$(printf %.20s "$line" | tr -dc ' -~')\" is nothing to expect" d sim expect "$tmp/table"
	that "and where it stands is told" says err "line 3, number 2 of the list"
done
yes DeviceSetMigMode | head -600 >"$tmp/table"
expect 2 "600 lines are too many" d sim expect "$tmp/table"
printf 'DeviceSetMigMode\0x\n' >"$tmp/table"
expect 2 "a byte 0 is no text" d sim expect "$tmp/table"
expect 2 "a file that is not there" d sim expect "$tmp/none"
expect 4 "what was refused has changed nothing" d sim expect
that "of the list" cmp -s "$tmp/out" "$tmp/told"
done_testing
