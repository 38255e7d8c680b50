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
that "the first was done, and why" matches '^1 .* 2/2 +done, 2 steps +"for the ml team"$'
expect 0 "one of them alone" sim history --max 1
that "is the newest" sh -c '[ "$(wc -l <"$0/out")" -eq 2 ] && grep -q "^3 " "$0/out"' "$tmp"

expect 0 "the first in full" sim history show 1
that "says why" matches '^why +for the ml team$'
that "says how, as a shell takes it" matches "^way +apply: gpuslice apply --yes --message 'for the ml team' -\$"
that "says each step, read back" matches '^1 +create 1g.10gb at 0 .*\+[0-9]+ ms +\+[0-9]+ ms +done'
expect 0 "the second in full" sim history show 2
that "says that the step failed" matches '^2 .* failed$'
that "says what the driver answered" sh -c 'tr "\n" " " <"$0/out" | grep -qE "failed +0000:61:00.0 GI .* answers +19"' "$tmp"
that "says that it was taken back" matches '^taken back in 1 step$'
that "and by what" matches '^1 +destroy GI .* undone$'
that "says its end" sh -c 'tr -s "\n " " " <"$0/out" | grep -q "end with status 1: .*the machine is as before"' "$tmp"
that "no line is wider than a page" sh -c '! sed -n "/^end with/,\$ p" "$0/out" | grep -qE ".{81}"' "$tmp"
expect 0 "the third in full" sim history show 3
that "says what was not begun" matches '^not begun: step 2'

printf '{"kind":"resu' >>"$journal/3.jsonl"
expect 0 "half a record costs nothing but itself" sim history show 3
that "what was whole is there" matches '^1 +create 2g.20gb at 2 '
echo nonsense >"$journal/4.jsonl"
expect 0 "a file of nonsense keeps nobody from the others" sim history
that "and is told" matches '^4 .*its begin cannot be read'
that "as they are" matches '^1 .* done, 2 steps +"for the ml team"$'
rm "$journal/4.jsonl"

# one that was undone says by which, and no longer when that was undone itself
expect 0 "recover" sim recover --undo --yes
expect 0 "undo" sim undo --yes
expect 0 "the list" sim history
that "says which was undone by which" matches '^1 .* done, 2 steps; undone by 5 +"for the ml team"$'
that "and what the undo is of" matches '^5 .* undo of 1 '
expect 0 "one alone" sim history show 1
that "says it too" matches '^undone +by commit 5$'
expect 0 "in JSON" sim --json history
that "it is a number" python3 -c 'import json,sys; c = json.load(open(sys.argv[1]))["commits"]; assert [x["undone_by"] for x in c if x["id"] in (1, 5)] == [None, 5], c' "$tmp/out"
expect 0 "the undo is undone" sim undo --yes 5
expect 0 "the list" sim history
that "then the first is in effect again" matches '^1 .* done, 2 steps +"for the ml team"$'
that "and the undo is not" matches '^5 .* done, 2 steps; undone by 6$'

# why is cut to the terminal, and whole in a pipe
long='a reason that goes on for longer than a line of any terminal is wide, because people write such things into tickets and copy them here'
expect_in 0 "a long reason" sh -c 'echo "create 3 1g.10gb at 1" | "$0" --sim dgx-h100 apply --yes --message "$1" -' "$program" "$long"
expect 0 "the list" sim history --max 1
that "has all of it" says out "$long"
cat >"$tmp/columns.py" <<'END'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
text = b""
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    text += data
sys.stdout.write(text.decode().replace("\r", ""))
END
expect 0 "on a terminal" python3 "$tmp/columns.py" "$program" --sim dgx-h100 history
that "it is cut" matches 'done, 2 steps +"a reason that .*[.]{3}$'
that "so that no row is wider" sh -c '! grep -qE ".{101}" "$0/out"' "$tmp"

expect 2 "there is no tenth" sim history show 10
expect 2 "nor a zeroth" sim history show 0
expect 2 "nor one without a number" sim history show
expect 2 "show is all that it knows" sim history list 1
expect 2 "it takes no more than it says" sim history --max 100000
expect 9 "it is root's" sim --as-user history
that "which is said" says err root
# what was run can be run again
for why in "it's \$HOME" '' 'a;b' 'plain' '*' '"quoted"'; do
	sim sim reset >/dev/null
	expect_in 0 "a change for «$why»" sh -c 'echo "create 3 1g.10gb at 0" | "$0" --sim dgx-h100 apply --yes --message "$1" -' "$program" "$why"
	sim history show 1 >"$tmp/out"
	sed -n 's/^way  *apply: gpuslice apply //p' "$tmp/out" >"$tmp/words"
	that "a shell reads it as it was" sh -c 'eval "set -- $(cat "$1/words")"; [ $# -eq 4 ] && [ "$3" = "$0" ]' "$why" "$tmp"
done

# what could not be undone: a line for each difference
sim sim reset >/dev/null
sim sim fault nvml GpuInstanceCreateComputeInstanceWithPlacement 19 at 2 >/dev/null
for at in 1 2 3 4; do
	sim sim fault nvml GpuInstanceDestroy 999 at $at >/dev/null
done
printf 'create 3 1g.10gb at 0\ncreate 3 1g.10gb at 1\n' >"$tmp/in"
expect_in 5 "neither forward nor back" sim apply --yes -
that "each difference has a line" sh -c 'grep -qx "    GPU 3 still has the new 1g.10gb at 0" "$0/err" && grep -qx "    GPU 3 still has the new 1g.10gb at 1" "$0/err"' "$tmp"
that "and what to do has one" sh -c 'grep -qx "  gpuslice recover shows the ways out" "$0/err"' "$tmp"
sim sim fault clear >/dev/null
expect 5 "recover shows it" sim recover
that "a line for each, too" sh -c 'grep -A2 -x "  now, otherwise than before it:" "$0/out" | tail -1 | grep -qx "    GPU 3 still has the new 1g.10gb at 1"' "$tmp"
done_testing
