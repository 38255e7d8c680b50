#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# history.sh - what was changed is told: by whom, why, step by step, also when it failed or was cut off.
. tests/lib/tap.sh
sim() { "$program" --sim dgx-h100 "$@"; }
journal=$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree/var/lib/gpuslice/journal
matches() { grep -qE -- "$1" "$tmp/out"; }

expect 0 "nothing has been done yet" sim history
that "which is said" matches 'nothing has been changed yet'
echo 'create 3 1g.10gb at 0' >"$tmp/in"
expect_in 0 "a change is made" sim apply --yes --message 'for the ml team' -
sim sim fault nvml GpuInstanceCreateComputeInstanceWithPlacement 19 >"$tmp/out"
expect_in 1 "another one fails" sh -c 'echo "create 3 2g.20gb at 2" | "$0" --sim dgx-h100 apply --yes -' "$program"
sim sim fault kill after >"$tmp/out"
expect 5 "a third is cut off" sh -c 'echo "create 3 2g.20gb at 2" | "$0" --sim dgx-h100 apply --yes -' "$program"
sim sim fault clear >"$tmp/out"

expect 0 "all three are there" sim history
that "the newest first, cut off" matches '^3 .*T.*Z .* apply +3 +0/2 +interrupted before any of 2 steps was proven, step 1 may be half done$'
that "what failed was undone" matches '^2 .* 1/2 +failed after step 1 of 2, undone$'
that "the first was done" matches '^1 .* 2/2 +done, 2 steps$'
expect 0 "one of them alone" sim history --max 1
that "is the newest" sh -c '[ "$(wc -l <"$0/out")" -eq 2 ] && grep -q "^3 " "$0/out"' "$tmp"

expect 0 "the first in full" sim history show 1
that "says why" matches '^why +for the ml team$'
that "says how" matches '^way +apply: gpuslice apply'
that "says each step, read back" matches '^1 +create 1g.10gb at 0 .*\+[0-9]+ ms +\+[0-9]+ ms +done'
expect 0 "the second in full" sim history show 2
that "says what the driver answered" matches '^2 .* failed .* answers 19'
that "says what was undone" matches '^undo 1 +destroy GI .* undone'
that "says its end" matches '^end with status 1: .*the machine is as before'
expect 0 "the third in full" sim history show 3
that "says what was not begun" matches '^not begun: step 2'

printf '{"kind":"resu' >>"$journal/3.jsonl"
expect 0 "half a record costs nothing but itself" sim history show 3
that "what was whole is there" matches '^1 +create 2g.20gb at 2 '
echo nonsense >"$journal/4.jsonl"
expect 0 "a file of nonsense keeps nobody from the others" sim history
that "and is told" matches '^4 .*its begin cannot be read'
that "as they are" matches '^1 .* done, 2 steps$'

expect 2 "there is no tenth" sim history show 10
expect 2 "nor a zeroth" sim history show 0
expect 2 "nor one without a number" sim history show
expect 2 "show is all that it knows" sim history list 1
expect 2 "it takes no more than it says" sim history --max 100000
expect 9 "it is root's" sim --as-user history
that "which is said" says err root
done_testing
