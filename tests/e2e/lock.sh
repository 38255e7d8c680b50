#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# lock.sh - one commit at a time: who is named, who waits and what for, and what is left of one that was killed.
. tests/lib/tap.sh
. tests/lib/clock.sh
. tests/lib/background.sh
g() { "$program" --sim dgx-h100 "$@"; }

# begin NAME ARGUMENT…: apply script NAME in the background
begin() {
	name=$1
	shift
	in_background "$name" "$program" --sim dgx-h100 apply --yes "$@" "$tmp/$name"
}
not_ended() { ! ended "$1"; }
is_said() { grep -qF -- "$2" "$tmp/$1.out" "$tmp/$1.err"; }
agent_of() { read -r of <"$tmp/$1.pid"; read -r agent _ <"/proc/$of/task/$of/children"; echo "$agent"; }
hang() { g sim reset >/dev/null; g sim fault nvml "$1" hang >/dev/null; }
# in the driver, which has been said, and the record lies there
is_stuck() { is_said "$1" 'the driver is still at it, since'; }
tree=$(g sim path)
records() { ls "$tree/run/gpuslice/writes" 2>/dev/null | wc -l; }
has_none() { [ "$(records)" -eq 0 ]; }

echo 'create 3 1g.10gb at 0' >"$tmp/first"
echo 'delete 2 1g.10gb@2' >"$tmp/second"
echo 'delete 2 1g.10gb@3' >"$tmp/third"
echo 'create 3 1g.10gb at 1' >"$tmp/same"
echo 'mode 6 mig' >"$tmp/mode"
create=DeviceCreateGpuInstanceWithPlacement

for wrong in -1 86401 x 1.5 ''; do
	expect 2 "--wait $wrong is no time" g apply --yes --wait="$wrong" "$tmp/second"
done

# two at once
hang $create
begin first
that "one is in the driver" until_true is_stuck first
expect 6 "a second one is refused" g apply --yes "$tmp/second"
that "which names who is at it" says err "another commit is running: pid $(agent_of first) (root): gpuslice apply --yes $tmp/first, since "
that "and what was done" says err 'Nothing was done'
expect 0 "whoever looks" g list
that "sees that it is under way" grep -qE '^3 .* commit 1 is under way +gpuslice history' "$tmp/out"
expect 6 "one that waits a second waits no longer" g apply --yes --wait 1 "$tmp/second"
that "and says so" says err 'waited for 1 s: another commit is running: pid'
begin second --wait 600
that "one that waits says for whom" until_true is_said second "waiting for another commit to end, 600 s at most: pid $(agent_of first) (root): gpuslice apply --yes $tmp/first"
begin third --wait 600
that "a third as well" until_true is_said third 'waiting for another commit'
kill -INT "$(cat "$tmp/third.pid")"
that "told to stop it ends with 6" ended_with third 6
that "and did nothing" is_said third 'Nothing was done'
that "the others go on" not_ended second
begin third --wait 600
that "one more waits" until_true is_said third 'waiting for another commit'
waiter=$(agent_of third)
kill -KILL "$(cat "$tmp/third.pid")"
that "whose client goes away" until_true ended third
has_gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
that "has nobody to wait for it" until_true has_gone "$waiter"
g sim fault release >/dev/null
that "the first is done" ended_with first 0
that "and then the one that waited" ended_with second 0
expect 0 "what both wanted" g list
that "is there" grep -qE '^3 +1g.10gb' "$tmp/out"
that "what the two wanted that were stopped is not" grep -qE '^2 +1g.10gb +[0-9]+ +3.1' "$tmp/out"

# what is so in the middle of another commit need not be so behind it
hang $create
begin first
that "one is in the driver" until_true is_stuck first
g export json >"$tmp/now.json" 2>/dev/null
expect 0 "assert in the middle" g assert "$tmp/now.json"
that "says so" grep -q 'note: GPU 3 .*commit 1 .* is under way' "$tmp/err"
echo 'delete 3 1g.10gb@0' >"$tmp/gone"
expect 0 "nothing is to be deleted yet" g apply --yes "$tmp/gone"
that "which is said too" grep -q 'commit 1 .* is under way' "$tmp/err"
begin gone --wait 600
that "who waits waits for that as well" until_true is_said gone 'waiting for another commit'
g sim fault release >/dev/null
that "it is done" ended_with first 0
that "and what it made is deleted" ended_with gone 0
expect 0 "list" g list
that "is without it" sh -c '! grep -qE "^3 +1g.10gb" "$1"' - "$tmp/out"

# the one that is waited for dies
hang $create
begin first
that "one is in the driver" until_true is_stuck first
begin second --wait 600
that "another waits" until_true is_said second 'waiting for another commit'
kill -KILL "$(agent_of first)"
that "a lock dies with its agent" ended_with second 0
that "though the driver still has its call" [ "$(records)" -eq 1 ]
that "of which the program says that its end is not known" ended_with first 5
collector=$(ls "$tree/run/gpuslice/writes")
collector=${collector%%-*}
that "that process is there" [ -d "/proc/$collector" ]
expect 0 "another GPU can be changed" g apply --yes "$tmp/third"
expect 3 "the same one cannot" g apply --yes "$tmp/same"
that "and says why" says out 'the driver has not come back from an earlier step on 0000:61:00.0 (create 1g.10gb at 0'
that "and in which process" says out "pid $collector)"
expect 0 "everybody sees it" g list
that "in the table" says out 'waits in the driver: create 1g.10gb at 0'
expect 1 "doctor" g doctor
that "names it, too" says out "(collector pid $collector)"
g sim fault release >/dev/null
that "it comes back" until_true has_gone "$collector"
expect 3 "what the dead agent left is decided about first" g apply --yes "$tmp/same"
that "and it is said how" says out 'gpuslice recover'
expect 0 "so it is" g recover --undo --yes
expect 0 "then the GPU can be changed" g apply --yes "$tmp/same"
that "and no record is left" has_none

# both want the same GPU: who waited finds another machine than he planned for, and plans again with what he was allowed
on_three() { "$program" --sim dgx-h100 --json list | python3 -c 'import json,sys; print(" ".join(sorted("%s@%d" % (i["profile"], i["start"]) for i in json.load(sys.stdin)["gpus"][3]["instances"])))'; }
is_on_three() { [ "$(on_three)" = "$1" ]; }
race() {
	hang $create
	begin first
	that "one is in the driver" until_true is_stuck first
	begin "$@"
	that "another waits for the same GPU" until_true is_said "$1" 'waiting for another commit'
	g sim fault release >/dev/null
	that "the first is done" ended_with first 0
}
race same --wait 600
that "the other one is done then" ended_with same 0
that "and has planned again, which it says" is_said same 'was changed by somebody else since the plan was made; nothing was done: look again; planned again, as --wait asks'
that "both are there" is_on_three '1g.10gb@0 1g.10gb@1'
race same --wait 600 --scope gpu
that "by GPU, too" ended_with same 0
that "both are there" is_on_three '1g.10gb@0 1g.10gb@1'
that "it is said what was done" is_said same 'done: 2 steps'
cp "$tmp/first" "$tmp/equal"
race equal --wait 600
that "what was done meanwhile is not done again" ended_with equal 0
that "once" is_on_three '1g.10gb@0'
echo 'create 3 2g.20gb at 0' >"$tmp/against"
race against --wait 600
that "what cannot be any more is refused as ever" ended_with against 3
that "with what stands there" is_said against '1g.10gb'
that "and nothing else is there" is_on_three '1g.10gb@0'
race against --wait 600 --scope gpu
that "by GPU, too" ended_with against 3
g sim reset >/dev/null
digest=$(g --json plan "$tmp/same" | python3 -c 'import json,sys; print(json.load(sys.stdin)["digest"])')
race same --wait 600 --expect "$digest"
that "a certain plan is not made anew" ended_with same 3
that "which is said" is_said same 'was changed by somebody else'
that "and nothing was done" is_on_three '1g.10gb@0'
race same --wait 600 --json
that "in JSON" ended_with same 0
that "there is one result" sh -c 'python3 -c "import json,sys; assert json.load(open(sys.argv[1]))[\"status\"] == 0" "$0/same.out"' "$tmp"

# undo and restore wait as well
verb() {
	name=$1
	shift
	rm -f "$tmp/$name.rc"
	: >"$tmp/$name.out" >"$tmp/$name.err"
	(
		"$program" --sim dgx-h100 "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null 9>&- &
		wait $!
		echo $? >"$tmp/$name.rc"
	) 2>/dev/null &
}
g sim reset >/dev/null
expect 0 "one is there" g apply --yes "$tmp/same"
g sim fault nvml $create hang >/dev/null
begin first
that "another is in the driver" until_true is_stuck first
verb back undo 1 --yes --wait 600
that "undo waits" until_true is_said back 'waiting for another commit'
g sim fault release >/dev/null
that "the other is done" ended_with first 0
that "and then undo" ended_with back 0
that "which says that there was a later one" is_said back 'commit 2 changed it since'
that "and takes back its own" is_on_three '1g.10gb@0'
g sim reset >/dev/null
expect 0 "a layout" g apply --yes "$tmp/same"
expect 0 "is saved" g save
expect 0 "and taken away" g undo --yes
hang_again() { g sim fault nvml "$1" hang >/dev/null; }
hang_again $create
begin first
that "another is in the driver" until_true is_stuck first
verb back restore --yes --wait 600
that "restore waits" until_true is_said back 'waiting for another commit'
g sim fault release >/dev/null
that "the other is done" ended_with first 0
that "and then restore" ended_with back 0
that "with what is saved, and only that" is_on_three '1g.10gb@1'

# a commit that keeps everybody off the GPUs: who waits, waits for a look at them, too
hang DeviceSetMigMode
begin mode
that "one changes a mode" until_true is_stuck mode
begin second --wait 600
expect 6 "who does not wait cannot even look" g apply --yes "$tmp/third"
that "who waits goes on waiting" not_ended second
g sim fault release >/dev/null
that "the mode is changed" ended_with mode 0
that "and then the one that waited is done" ended_with second 0
done_testing
