#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# script.sh - carve a simulated DGX H100 by script, end to end.
. tests/lib/tap.sh
g() { "$program" --sim dgx-h100 "$@"; }

# the instances of GPU $1 as "profile@start=id/uuid", one a line
instances() {
	g list --json | python3 -c '
import json, sys
for i in json.load(sys.stdin)["gpus"][int(sys.argv[1])]["instances"]:
    print("%s@%s=%s/%s" % (i["profile"], i["start"], i["id"], i["uuid"]))' "$1"
}
shape() { instances "$1" | sed 's/=.*//' | tr '\n' ' '; }

expect 0 "sim list names the machine" "$program" sim list
that "dgx-h100 is one" says out dgx-h100
expect 0 "reset" g sim reset

for n in 3 6; do
	printf 'mode %s mig\ncreate %s 3g.40gb at 4\ncreate %s 1g.10gb at 0 count 2\n' $n $n $n >"$tmp/in"
	expect_in 0 "carve GPU $n" g apply --yes -
	that "GPU $n holds the three" [ "$(shape $n)" = "1g.10gb@0 1g.10gb@1 3g.40gb@4 " ]
	state=$(cat "$XDG_STATE_HOME/gpuslice/sim/dgx-h100/state.json" | cksum)
	expect_in 0 "the same script again" g apply --yes --json -
	that "plans 0 steps" python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); sys.exit(len(r["plan"]["steps"]))' "$tmp/out"
	that "changes nothing" [ "$(cat "$XDG_STATE_HOME/gpuslice/sim/dgx-h100/state.json" | cksum)" = "$state" ]
	expect_in 0 "assert agrees" g assert -
done

before=$(instances 3 | grep 3g)
printf 'delete 3 1g.10gb@0 1g.10gb@1\ncreate 3 2g.20gb at 0\n' >"$tmp/in"
expect_in 0 "replace two 1g by a 2g" g apply --yes -
that "the 3g keeps id and UUID" [ "$(instances 3 | grep 3g)" = "$before" ]
that "the 2g is there" [ "$(shape 3)" = "2g.20gb@0 3g.40gb@4 " ]

before=$(instances 6 | grep 3g)
printf 'delete 6 all\ncreate 6 3g.40gb at 4\ncreate 6 2g.20gb at 0\n' >"$tmp/in"
expect_in 0 "delete all and create: only what differs" g apply --yes -
that "the 3g keeps id and UUID here too" [ "$(instances 6 | grep 3g)" = "$before" ]
that "and the 2g came" [ "$(shape 6)" = "2g.20gb@0 3g.40gb@4 " ]

echo 'create 3 4g.40gb at 0' >"$tmp/in"
expect_in 3 "4g at 0 is refused" g plan -
that "the finding names what holds the units" says out "held by GI"
that "and offers what would do" says out "fits at 2"

echo 'delete 0 3g.40gb@0' >"$tmp/in"
expect_in 3 "deleting under a process is refused" g apply --yes -
that "the process is named" says out "pid 48211 python3 (alice)"
that "nothing changed" [ "$(shape 0)" = "3g.40gb@0 3g.40gb@4 " ]
expect_in 0 "with the holder named there is a plan" g plan --disrupt pid:48211 -
that "with the stop-holder step" says out "stop pid 48211"
expect_in 3 "without a confirmation it is not carried out" setsid "$program" --sim dgx-h100 apply --disrupt pid:48211 -
that "it says that --yes confirms" says err "--yes"
expect_in 0 "with both it is" g apply --yes --disrupt pid:48211 -
that "the instance is gone" [ "$(shape 0)" = "3g.40gb@4 " ]
expect 0 "list" g list
that "the process is gone from the machine" says_not out "pid 48211"
that "the other one is not" says out "pid 50377"

g export json >"$tmp/before.json"
expect 0 "a layout applied to its own machine" g apply "$tmp/before.json"
that "does nothing" says out "nothing to do"
expect 0 "and asserts" g assert "$tmp/before.json"
run="$(g sim path)/run/gpuslice"
held=$(stat -c '%n %i' "$run/lock" "$run/collectors" "$run/yield")
expect 0 "reset again" g sim reset
that "a reset takes no lock from under a program that holds it" test "$held" = "$(stat -c '%n %i' "$run/lock" "$run/collectors" "$run/yield")"
expect 4 "the layout differs from the shipped machine" g assert "$tmp/before.json"

# two legal arrangements of 3g + 2g + 1g + 1g
for places in "4 0 2 3" "0 4 6 3"; do
	set -- $places
	[ "$1" = 0 ] && continue
	printf 'create 3 3g.40gb at %s\ncreate 3 2g.20gb at %s\ncreate 3 1g.10gb at %s\ncreate 3 1g.10gb at %s\n' $1 $2 $3 $4 >"$tmp/in"
	expect_in 0 "arrangement with 3g at $1" g apply --yes -
	printf 'create 3 1g.10gb\ncreate 3 2g.20gb\ncreate 3 1g.10gb\ncreate 3 3g.40gb\ndelete 3 rest\n' >"$tmp/in"
	expect_in 0 "the file without starts" g plan --exit-code -
	that "plans 0 steps" says out "nothing to do"
	echo 'delete 3 all' >"$tmp/in"
	expect_in 0 "clear" g apply --yes -
done

# unprivileged viewers
expect 0 "reset for viewers" g sim reset
expect 0 "a viewer without a published layout" g --as-user monitor --once
that "says position unknown" grep -qi 'position unknown\|places unknown\|starts unknown' "$tmp/out"
expect 9 "a plan beside unknown positions cannot be told" sh -c 'echo "create 2 1g.10gb at 0" | "$0" --sim dgx-h100 --as-user plan -' "$program"
expect 0 "a privileged agent publishes" g agent --publish
expect 0 "the viewer sees it" g --as-user monitor --once
that "with its age" grep -Eq '[0-9]+ ?(s|min|h) old' "$tmp/out"
that "and the places" says out "3g.40gb"

# a call that returned 0 and did nothing is a failure, and is undone
expect 0 "reset for faults" g sim reset
g export json >"$tmp/before.json"
for n in 1 2 3 4; do
	expect 0 "fault: mutating call $n does nothing" g sim fault nvml '*' nothing at $n
	printf 'create 3 3g.40gb at 4\ncreate 3 1g.10gb at 0\n' >"$tmp/in"
	expect_in 1 "the commit fails" g apply --yes -
	that "and says so" says err "undone"
	g sim fault clear >/dev/null
	g export json >"$tmp/after.json"
	that "the machine is as before" cmp -s "$tmp/before.json" "$tmp/after.json"
done
for n in 1 2 3 4; do
	expect 0 "fault: mutating call $n is refused" g sim fault nvml '*' 999 at $n
	expect_in 1 "the commit fails" g apply --yes -
	g sim fault clear >/dev/null
	g export json >"$tmp/after.json"
	that "the machine is as before" cmp -s "$tmp/before.json" "$tmp/after.json"
done
echo 'mode 6 mig' >"$tmp/in"
expect 0 "fault: the mode stays pending" g sim fault mode-pending 0000:d1:00.0
expect_in 8 "pending is neither done nor failed" g apply --yes -
that "and said" says err "pending"
echo 'mode 6 whole' >"$tmp/in"
expect_in 4 "what is pending differs from what is" g assert -
expect_in 0 "a pending change is taken back" g apply --yes -
expect_in 0 "and nothing is left of it" g assert -
g sim fault clear >/dev/null

done_testing
