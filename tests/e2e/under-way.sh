#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# under-way.sh - recover and undo while somebody is at a commit: it is neither interrupted nor at its end.
. tests/lib/tap.sh
. tests/lib/clock.sh
. tests/lib/background.sh
g() { "$program" --sim dgx-h100 "$@"; }

# begin NAME ARGUMENT…: gpuslice in the background
begin() {
	name=$1
	shift
	in_background "$name" "$program" --sim dgx-h100 "$@"
}
is_said() { grep -q "$2" "$tmp/$1.out" "$tmp/$1.err"; }
is_stuck() { ls "$(g sim path)"/run/gpuslice/writes/* >/dev/null 2>&1; }
agent_of() { g --json history show "$1" | sed -n 's/^ *"pid": *\([0-9]*\),*$/\1/p' | head -1; }
is_free() { rm -f "$tmp/seen"; g --json list >"$tmp/seen" 2>/dev/null && ! grep -q '"path"' "$tmp/seen"; }

echo 'create 3 1g.10gb at 0' >"$tmp/first"
echo 'delete 2 1g.10gb@2' >"$tmp/second"
# commit 1 has ended, commit 2 is in the driver
hang() {
	g sim reset >/dev/null
	g apply --yes "$tmp/first" >/dev/null
	g sim fault nvml GpuInstanceDestroy hang >/dev/null
	begin second apply --yes "$tmp/second"
	until_true is_stuck
}
layout() { g export json >"$tmp/$1"; }

g sim reset >/dev/null
layout empty
g apply --yes "$tmp/first" >/dev/null
layout one
g apply --yes "$tmp/second" >/dev/null
layout two
same() { layout now && cmp -s "$tmp/now" "$tmp/$1"; }

that "a commit is in the driver" hang
for id in '' 2; do
	expect 0 "recover $id only looks" g recover $id
	that "and says who is at it" says out "commit 2 (root, gpuslice apply --yes $tmp/second) is under way since 20"
	that "and offers no way out" says_not out "ways out"
	expect 0 "recover $id in JSON" g --json recover $id
	that "has none open" says_not out '"machine"'
	that "and names the one" says out '"id": 2'
	for way in --finish --undo --leave; do
		expect 6 "recover $way $id is refused" g recover $way --yes $id
		that "by who is at it" says err "commit 2 (root, gpuslice apply --yes $tmp/second) is under way since 20"
		that "with a way to wait" says err '--wait SECONDS'
	done
	expect 6 "waiting has an end" g recover --undo --yes --wait 1 $id
	that "which is told" says err 'waited for 1 s: commit 2'
	expect 6 "undo $id is refused" g undo --yes $id
	that "by the same" says err 'commit 2 (root'
done
expect 6 "nor is it known what undo would take back" g undo --dry-run

# it ends well
begin recover recover --undo --yes --wait 600 2
begin all recover --undo --yes --wait 600
begin looks recover --wait 600
for name in recover all looks; do
	that "$name waits" until_true is_said "$name" 'waiting for its end.*commit 2'
done
g sim fault release >/dev/null
that "the commit ends" ended_with second 0
that "recover of it has nothing to do" ended_with recover 0
that "which it says" is_said "recover" 'commit 2 (.*has ended meanwhile: done.*nothing to recover'
that "nor has recover of all" ended_with all 0
that "which it says" is_said "all" 'nothing to recover: every commit has ended'
that "nor has who only looks" ended_with looks 0
that "and what it did stays" same two

# undo takes back what was waited for, not what came before it
that "a commit is in the driver" hang
begin undo undo --yes --wait 600
that "undo waits" until_true is_said "undo" 'waiting for its end.*commit 2'
g sim fault release >/dev/null
that "the commit ends" ended_with second 0
that "and is undone" ended_with undo 0
that "by its name" is_said "undo" 'undoing commit 2 ('
that "and nothing else" same one

# it dies
that "a commit is in the driver" hang
begin undo recover --undo --yes --wait 600
that "recover waits" until_true is_said "undo" 'waiting for its end.*commit 2'
kill -KILL "$(agent_of 2)"
that "who was at it is told" ended_with second 5
that "recover does not wait any longer" until_true ended undo
that "and sees what is left" is_said "undo" 'a write of it still waits in the kernel'
g sim fault release >/dev/null
that "the driver is through" until_true is_free
expect 0 "then it is recovered" g recover --undo --yes
that "and all is as before it" same one

done_testing
