#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# pending.sh - writes that the kernel does not come back from: said, left, found again, never repeated.
. tests/lib/tap.sh
g() { "$program" --sim kvm-l40s "$@"; }

tree=$(g sim path)
vf=sys/bus/pci/devices/0000:41:00.7
type_of() { cat "$tree/$1/nvidia/current_vgpu_type"; }
records() { ls "$tree/run/gpuslice/writes" 2>/dev/null | wc -l; }

. tests/lib/clock.sh
. tests/lib/background.sh

has_record() { [ "$(records)" -eq 1 ]; }
has_none() { [ "$(records)" -eq 0 ]; }
is_said() { grep -q "$1" "$tmp/bg.out" "$tmp/bg.err"; }

# begin SCRIPT: apply it in the background, its output in bg.out and bg.err, its status in bg.rc
begin() {
	begin_on kvm-l40s "$@"
}
begin_on() {
	host=$1
	shift
	echo "$1" >"$tmp/bg.in"
	in_background bg "$program" --sim "$host" apply --yes "$tmp/bg.in"
}

expect 0 "reset" g sim reset
before=$(type_of $vf)
that "VF 3 has a type" [ "$before" != 0 ]
expect 0 "a write that hangs" g sim fault write "*$vf/nvidia/current_vgpu_type" hang

begin 'delete 1 vf:3'
that "is recorded" until_true has_record
that "is said while it waits" until_true is_said 'the kernel has not come back from "current_vgpu_type" yet'
expect 0 "meanwhile everybody can look" g --json list
that "and sees it" says out '"path": "'$vf'/nvidia/current_vgpu_type"'
kill -INT "$(cat "$tmp/bg.pid")"
that "the commit ends when it is told to" until_true ended bg
that "with the status of what is pending" [ "$(cat "$tmp/bg.rc")" = 8 ]
that "which says so" is_said 'it is carried out when it is let go'
that "and the write waits on" has_record
that "the type is still there" [ "$(type_of $vf)" = "$before" ]

echo 'create 2 L40S-24Q vf 2' >"$tmp/in"
expect_in 0 "another GPU goes on" g apply --yes -
expect 0 "let it go" g sim fault release
that "its record goes" until_true has_none
that "it was carried out, late" [ "$(type_of $vf)" = 0 ]

# killed, with no chance to tidy up: the writer is nobody's child and goes on
expect 0 "reset" g sim reset
expect 0 "a write that hangs again" g sim fault write "*$vf/nvidia/current_vgpu_type" hang
begin 'delete 1 vf:3'
that "it is recorded" until_true has_record
read -r pid <"$tmp/bg.pid"
read -r agent _ <"/proc/$pid/task/$pid/children"
kill -KILL "$agent"
that "without its agent the commit fails" until_true ended bg
that "with a status" [ "$(cat "$tmp/bg.rc")" != 0 ]
that "the write waits on" has_record
expect 0 "the next look" g --json list
that "finds it" says out '"path": "'$vf'/nvidia/current_vgpu_type"'
expect 0 "let it go" g sim fault release
that "the record goes" until_true has_none
that "it was carried out" [ "$(type_of $vf)" = 0 ]

# NVML has no writer of its own: what it does not come back from is said as well, and why nothing can be done about it
d() { "$program" --sim dgx-h100 "$@"; }
expect 0 "reset" d sim reset
expect 0 "export" d export json
cp "$tmp/out" "$tmp/start"
expect 0 "a call that hangs" d sim fault nvml DeviceCreateGpuInstanceWithPlacement hang
begin_on dgx-h100 'create 3 1g.10gb at 0'
that "is said while it waits" until_true is_said 'the driver is still at it, since'
kill -TERM "$(cat "$tmp/bg.pid")"
that "whoever asks it to stop hears when that will be" until_true is_said 'then it stops, and what was done is undone'
expect 0 "it comes back" d sim fault release
that "the program ends" until_true ended bg
that "with 1" [ "$(cat "$tmp/bg.rc")" = 1 ]
expect 0 "export" d export json
that "and what the call did is undone" cmp -s "$tmp/out" "$tmp/start"
done_testing
