#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# scope.sh - --scope gpu: one board that is lost, one that has gone, one in use, and all others done.
. tests/lib/tap.sh
. tests/lib/clock.sh
g() { "$program" --sim dgx-h100 "$@"; }
layout() { g export json >"$tmp/now"; }

# field PATH: of the JSON in $out
field() { python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); print(eval("o"+sys.argv[2]))' "$tmp/out" "$1"; }

expect 0 "reset" g sim reset
layout
cp "$tmp/now" "$tmp/before"
printf 'delete 2 all\ncreate 3 1g.10gb at 0\nmode 6 mig\n' >"$tmp/in"
expect_in 0 "three GPUs are changed" g apply --yes -

# the layout as it was, less what somebody uses on GPU 0
python3 - "$tmp/before" "$tmp/wanted" <<'END'
import json, sys
layout = json.load(open(sys.argv[1]))
layout["gpus"][0]["instances"] = layout["gpus"][0]["instances"][:1]
json.dump(layout, open(sys.argv[2], "w"))
END
expect 3 "as a whole it is refused: somebody uses GPU 0" g apply --yes "$tmp/wanted"
expect 0 "a GPU that has gone" g sim fault vanish 0000:d1:00.0
expect 2 "as a whole it is wrong now" g apply --yes "$tmp/wanted"
expect 0 "a GPU that is lost" g sim fault nvml lost 0000:61:00.0

layout
expect 10 "plan --scope gpu tells what could be done" g plan --scope gpu "$tmp/wanted"
that "the one in use" says out "pid 50377"
that "the one that can be" says out "create 3g.40gb at 4"
cp "$tmp/now" "$tmp/then"
layout
that "planning touches nothing" cmp -s "$tmp/now" "$tmp/then"
expect 10 "a dry run tells the same" g apply --scope gpu --dry-run --json "$tmp/wanted"
layout
that "and touches nothing" cmp -s "$tmp/now" "$tmp/then"
that "results of a dry run are plans" test "$(field '["results"][2]["result"]["schema"]')" = gpuslice.plan/1

expect 10 "some done, some not" g apply --scope gpu --yes --json "$tmp/wanted"
that "the schema" test "$(field '["schema"]')" = gpuslice.results/1
that "GPU 0 is refused: in use" test "$(field '["results"][0]["status"]')" = 3
that "GPU 1 is as asked" test "$(field '["results"][1]["status"]')" = 0
that "GPU 2 is done" test "$(field '["results"][2]["result"]["outcome"]')" = done
that "GPU 3, which is lost, is not" test "$(field '["results"][3]["status"]')" != 0
that "an entry without a GPU stands at the end" test "$(field '["results"][-1]["gpu"]')" = None
that "and names what is missing" test "$(field '["results"][-1]["text"].count("GPU-39b8a1f0-6d4e-5c97-8e15-f27c0a94b6d2")')" = 1
that "nobody lost work" test "$(g list --json | grep -c 50377)" -ge 1
g export json >"$tmp/out"
that "GPU 2 has its instances again" test "$(field '["gpus"][2]["instances"].__len__()')" = 4

expect 10 "again: nothing more is done, and the status is the same" g apply --scope gpu --yes "$tmp/wanted"
that "in text, a line per GPU" says out "GPU 2  0000:52:00.0  nothing to do: it is as asked"
that "and how many" says out "5 of 8 GPUs done"

expect 0 "the lost one comes back" g sim fault clear
expect 10 "and is done" g apply --scope gpu --yes "$tmp/wanted"
that "it says so" says out "GPU 3  0000:61:00.0  done: 2 steps"

# a failure on the first does not stop the second
expect 0 "reset" g sim reset
printf 'create 3 1g.10gb at 0\ndelete 2 vf:0\n' >"$tmp/in"
expect_in 2 "a script with a mistake is wrong as a whole" g apply --scope gpu --yes -
expect 0 "a fault" g sim fault nvml GpuInstanceDestroy 999 at 1
printf 'delete 2 1g.10gb@2\ncreate 3 1g.10gb at 0\n' >"$tmp/in"
expect_in 10 "the first fails, the second is done" g apply --scope gpu --yes -
that "the first is as before" says out "GPU 2  0000:52:00.0  failed"
that "the second is done" says out "GPU 3  0000:61:00.0  done: 2 steps"
expect 0 "a fault" g sim fault nvml GpuInstanceDestroy 999 at 1
printf 'delete 2 1g.10gb@2\n' >"$tmp/in"
expect_in 1 "when none is done the status is the worst of them" g apply --scope gpu --yes -
expect 0 "a fault" g sim fault clear
expect_in 0 "all done" g apply --scope gpu --yes -
expect_in 0 "nothing to do" g apply --scope gpu --yes -

# all that is to be confirmed is confirmed at once, by its host and GPUs
expect 0 "reset" g sim reset
printf 'delete 0 3g.40gb@0\ndelete 1 1g.10gb@0\n' >"$tmp/stops"
host=$(g list --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["host"]["name"])')
cat >"$tmp/answer.py" <<'END'
import os, pty, sys
answer, words = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(words[0], words)
text, asked = b"", 0
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    text += data
    if text.count(b" to write: ") > asked:
        asked += 1
        os.write(fd, answer.encode() + b"\n")
sys.stdout.write(text.decode(errors="replace").replace("\r", ""))
print(f"asked {asked} times")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
ask() { python3 "$tmp/answer.py" "$1" "$program" --sim dgx-h100 apply --scope gpu --disrupt pid:48211 --disrupt pid:51020 "$tmp/stops"; }
expect 3 "another word is no consent" ask y
that "to any of them" test "$(g list --json | grep -c '"pid": 48211')" -ge 1
expect 0 "host and GPUs are" ask "$host:0,1"
that "asked once" says out "asked 1 times"
that "for both" test "$(g list --json | grep -cE '"pid": (48211|51020)')" = 0

# agreeing to one plan is not agreeing to several
expect 2 "--expect is about one plan" g apply --scope gpu --expect 00000000000000000000000000000000 "$tmp/wanted"
expect 2 "there are two scopes" g apply --scope rack "$tmp/wanted"
printf 'delete 0-1 all\n' >"$tmp/in"
expect_in 3 "--disrupt all is for one GPU" g apply --scope gpu --yes --disrupt all -
printf 'delete 2 all\n' >"$tmp/in"
expect_in 9 "without root nothing is done" g --as-user apply --scope gpu --yes -
# a script that names a GPU that is lost: the others are done all the same
g sim reset >/dev/null
g sim fault nvml lost 0000:52:00.0 >/dev/null
printf 'create 3 1g.10gb at 1\ncreate 2 1g.10gb at 2\n' >"$tmp/in"
expect 3 "as a whole a script for a lost GPU is refused" g apply --yes "$tmp/in"
expect 10 "by GPU the others are done" g apply --scope gpu --yes "$tmp/in"
that "the lost one is named" says out "GPU 2  0000:52:00.0  refused"
that "the other is done" says out "GPU 3  0000:61:00.0  done: 2 steps"
printf 'create 3 1g.10gb at 5\ncreate 1 nonsense at 2\n' >"$tmp/in"
expect 2 "what is wrong anyway is wrong for all" g apply --scope gpu --yes "$tmp/in"

# what cannot be told of a lost GPU is not «nothing to do»
g sim reset >/dev/null
g export json >"$tmp/all"
python3 - "$tmp/all" "$tmp/empty" <<'END'
import json, sys
layout = json.load(open(sys.argv[1]))
layout["gpus"] = [{"match": layout["gpus"][2]["match"], "instances": []}]
json.dump(layout, open(sys.argv[2], "w"))
END
g sim fault nvml lost 0000:52:00.0 >/dev/null
for statement in 'delete 2 rest' 'delete 2 all' 'delete 2 1g.10gb@2' 'delete 2/1g.10gb@2 all' 'vfs 2 0' 'set 2 heterogeneous on' 'mode 2 mig' 'delete all rest'; do
	echo "$statement" >"$tmp/in"
	expect_in 3 "$statement on a lost GPU" g apply --yes -
	that "$statement: says so" grep -qF 'fallen off the bus' "$tmp/out" "$tmp/err"
done
expect 3 "a layout that wants it empty" g apply --yes "$tmp/empty"
that "says so too" says out 'gpu-lost'
printf 'create 3 1g.10gb at 1\ndelete 2 rest\n' >"$tmp/in"
expect_in 10 "by GPU the other one is done" g apply --scope gpu --yes -
that "and the lost one refused" says out 'GPU 2  0000:52:00.0  refused'
# nor is what the caller may not see
g sim reset >/dev/null
for statement in 'delete 2 rest' 'delete 2 all' 'delete 2 1g.10gb@2' 'delete all rest' 'create 3 1g.10gb at 0'; do
	echo "$statement" >"$tmp/in"
	expect_in 9 "$statement without root cannot be told" g --as-user plan -
	that "$statement: says so" grep -qF 'cannot be seen here' "$tmp/out" "$tmp/err"
done

# an agent that dies in the middle: the journal knows how far it came, and another one does the other GPUs
for at in 2 4; do
	g sim reset >/dev/null
	g sim fault kill agent at $at >/dev/null
	printf 'delete 2 1g.10gb@2\ncreate 3 1g.10gb at 0\n' >"$tmp/in"
	expect_in 10 "the agent dies at change $at" g apply --scope gpu --yes -
	that "it says which commit, how far it came and what to do" says out "commit $((at / 2)) was interrupted after step 1 of 2, step 2 may be half done: gpuslice recover $((at / 2))"
	that "the other GPU is done" says out "done: 2 steps"
	that "and one of two" says out "1 of 2 GPUs done"
	expect 0 "what was interrupted is recovered" g recover --undo --yes $((at / 2))
done
printf 'delete 2 1g.10gb@2\ncreate 3 1g.10gb at 0\n' >"$tmp/in"
g sim reset >/dev/null
g sim fault kill agent at 2 >/dev/null
expect_in 10 "one that dies over the first" g apply --scope gpu --yes --json -
that "the first could not be undone" test "$(field '["results"][0]["status"]')" = 5
that "the second is done" test "$(field '["results"][1]["status"]')" = 0
that "that another agent did it is said" says err "another one goes on"

# agents that die one after the other: three new ones, and no more
g sim reset >/dev/null
g save >/dev/null
g sim reboot >/dev/null
g sim fault nvml DeviceSetMigMode hang >/dev/null
"$program" --sim dgx-h100 restore --yes --json >"$tmp/out" 2>"$tmp/err" </dev/null 9>&- &
client=$!
writes=$(g sim path)/run/gpuslice/writes
# N GPUs are in the driver
are_stuck() { [ "$(ls "$writes" 2>/dev/null | wc -l)" -eq "$1" ]; }
agent_of() { g --json history show "$1" | sed -n 's/^ *"pid": *\([0-9]*\),*$/\1/p' | head -1; }
for n in 1 2 3 4; do
	that "agent $n is at a GPU of its own" until_true are_stuck $n
	kill -KILL "$(agent_of $n)"
done
wait $client
check_status "the command ends" 10 $?
g sim fault release >/dev/null
that "the fourth is told as such" test "$(field '["results"][3]["status"]')" = 5
that "the fifth was not begun" test "$(field '["results"][7]["status"]')" = 7
that "and why not" test "$(field '["results"][7]["text"].count("not begun: the agent has gone, and so have 3 after it")')" = 1

done_testing
