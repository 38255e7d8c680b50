#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# words.sh - what the program says of itself: help, hints, faults that would never strike, and in which order it is said.
. tests/lib/tap.sh
l() { "$program" --sim lab "$@"; }
k() { "$program" --sim kvm-l40s "$@"; }
g() { "$program" --sim dgx-h100 "$@"; }

expect 0 "reset" g sim reset

# the language is in the help of those who read it
for command in plan apply assert; do
	expect 0 "$command --help" "$program" $command --help
	that "has every mode" says out "whole|mig|vgpu|mig-vgpu|sriov|passthrough"
	that "has vfs" says out "vfs GPU 0|N|all"
	that "has set" says out "set GPU[/INST] KEY VALUE"
	that "names the page" says out "gpuslice-script(5)"
	that "explains the column undo" says out "geometry  the same profiles at the same places"
	that "is not too wide for what it quotes" [ "$(sed -n '/^statements:/,/^$/p' "$tmp/out" | awk 'length > 80' | wc -l)" = 0 ]
done
expect 0 "apply --help" "$program" apply --help
that "names units as holders" says out "unit:NAME.service"
expect 2 "a statement is no command" "$program" mode 3 mig
that "and the way to have it read is told" says err "echo 'mode ...' | gpuslice plan -"
expect 2 "a command with a slip" "$program" prfiles
that "is guessed" says err "did you mean profiles"

# a fault that would never strike is none
expect 2 "a call that the program does not make" g sim fault nvml DeviceCreateGpuInstance 15
that "the one that it makes is named" says err "DeviceCreateGpuInstanceWithPlacement"
expect 2 "a call that the stand-in does not have" g sim fault nvml DeviceCreateGpuInstnce 15
that "is said to be missing" says err "no such function"
expect 2 "a call with a slip" g sim fault nvml DeviceSetMigMod 15
that "has a near one" says err "near it are DeviceSetMigMode"
expect 0 "nothing was switched on" g sim fault
that "as it says" says out "no faults"
expect 0 "a call without its version" g sim fault nvml DeviceGetCount 15 at 9
expect 0 "every call that writes" g sim fault nvml '*' 15 at 9
expect 0 "a GPU that is lost" g sim fault nvml lost 0000:61:00.0
expect 0 "reset" g sim reset

# each CALL that the help names is made: all are counted down by one look and one change
expect 0 "sim --help" "$program" sim --help
calls=$(sed -n '/^a CALL is/,/^$/p' "$tmp/out" | tail -n +2)
that "names calls" [ "$(echo "$calls" | wc -w)" -gt 30 ]
for call in $calls; do
	l sim fault nvml "$call" 999 at 1000000 >/dev/null || echo "# $call is refused"
	k sim fault nvml "$call" 999 at 1000000 >/dev/null
	g sim fault nvml "$call" 999 at 1000000 >/dev/null
done
l list --telemetry >/dev/null
printf 'mode 1 mig\ncreate 1 1g.6gb\ndelete 0 2g.10gb@0\n' >"$tmp/in"
expect_in 0 "a look and a change" l apply --yes --disrupt unit:nvidia-persistenced.service -
# what vGPUs are set to, by either version of the scheduler's calls, on the GPU and in a GPU instance
printf 'mode 3 vgpu\nset 3 heterogeneous on\nset 3 scheduler fixed-share:arr=off\n' >"$tmp/in"
expect_in 0 "vGPUs on the GPU" l apply --yes --disrupt unit:nvidia-persistenced.service -
echo 'set 3 scheduler equal-share' >"$tmp/in"
expect_in 0 "another scheduler" l apply --yes -
printf 'mode 3 mig-vgpu\ncreate 3 1g.24gb+gfx at 0\nset 3/1g.24gb+gfx@0 heterogeneous on\nset 3/1g.24gb+gfx@0 scheduler fixed-share:arr=off\n' >"$tmp/in"
expect_in 0 "vGPUs in a GPU instance" l apply --yes --disrupt unit:nvidia-persistenced.service -
printf 'set 3/1g.24gb+gfx@0 scheduler equal-share\ncreate 3/1g.24gb+gfx@0 DC-1-12Q vf 0\n' >"$tmp/in"
expect_in 0 "another scheduler there" l apply --yes -
expect 0 "a look at it" l list
expect 0 "the faults" l sim fault
that "all are there" [ "$(grep -c '^nvml' "$tmp/out")" = "$(echo "$calls" | wc -w)" ]
grep "at 1000000" "$tmp/out" | cut -d ' ' -f 2 >"$tmp/left"
# what runs in a vGPU is asked only where a virtual machine does, and the load inside MIG from Hopper on
k list --telemetry >/dev/null
g list --telemetry >/dev/null
k sim fault | grep "at 1000000" | cut -d ' ' -f 2 >"$tmp/left-there"
g sim fault | grep "at 1000000" | cut -d ' ' -f 2 | grep -xFf "$tmp/left-there" >"$tmp/left-anywhere"
that "and each has been on its way" [ -z "$(grep -xFf "$tmp/left-anywhere" "$tmp/left")" ]
g sim reset >/dev/null

# every kind of fault that is accepted is in the help
g sim fault bogus 2>"$tmp/kinds" >/dev/null
"$program" sim --help >"$tmp/out"
that "each kind of fault is in the help" [ -z "$(sed 's/.*a fault is one of: //' "$tmp/kinds" | tr ';' '\n' | while read -r kind rest; do
	grep -q "^  $kind\( \|$\)" "$tmp/out" || echo "$kind $rest"
done)" ]

# one name for one thing, and no word missing
k() { "$program" --sim kvm-l40s "$@"; }
expect 0 "reset" k sim reset
expect 0 "profiles of a GPU with vGPUs" k profiles 1
that "passthrough is named as such" says out "  passthrough, the whole GPU for one machine; not in that mode now"
that "and does not fit beside vGPUs" [ "$(awk '$1 == "passthrough" { print $NF }' "$tmp/out")" = 0 ]
expect 0 "profiles of an empty one" k profiles 3
that "has room for it" [ "$(awk '$1 == "passthrough" { print $NF }' "$tmp/out")" = 1 ]
expect 0 "list" k list
that "VFs are counted by their type" says out "32 VFs, 2 with a type"
that "a name that the kernel cut is whole where the unit tells it" says out "nvidia-persistenced (root)"
expect 0 "reset" l sim reset
echo 'vfs 6 4' >"$tmp/in"
expect_in 0 "plain VFs" l apply --yes -
expect 0 "list" l list
that "have no types" grep -qE '^6 +4 VFs$' "$tmp/out"
expect 0 "profiles of an AMD GPU" l profiles 5
that "name its partitions as the setting does" says out "compute partitions, 8 units"
that "and they are not in the way of passthrough" [ "$(awk '$1 == "passthrough" { print $NF }' "$tmp/out")" = 1 ]
expect 0 "profiles of a MIG GPU" l profiles 0
that "say what they are profiles of" says out "MIG profiles from the driver"

# why a view is partial
expect 0 "reset" l sim reset
expect 0 "a frame for somebody who is not told the places" l --as-user monitor --once --size 24x80
that "says that it is partial" says out "PARTIAL VIEW"
that "and why" says err "places of MIG instances to root only"
that "and what to do" says err "gpuslice agent --publish"
that "and that others are hidden" says err "processes of other users cannot be seen"
expect 0 "root publishes" l agent --publish
expect 0 "the frame now" l --as-user monitor --once --size 24x80
that "has the places that were published" says err "that root published"
expect 0 "monitor --help" "$program" monitor --help
that "explains it too" says out "PARTIAL VIEW in the first line means"

# in a log, what was said first stands first
echo 'delete 0 all' >"$tmp/in"
setsid -w "$program" --sim dgx-h100 apply --disrupt all - <"$tmp/in" >"$tmp/out" 2>&1
that "a plan stands before what is said of it" [ "$(grep -n '^PLAN' "$tmp/out" | cut -d: -f1)" -lt "$(grep -n 'needs a confirmation' "$tmp/out" | cut -d: -f1)" ]
done_testing
