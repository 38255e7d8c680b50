#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# hangup.sh - a commit whose client goes away in the middle, and one whose operator presses Ctrl-C.
. tests/lib/tap.sh
. tests/lib/clock.sh
g() { "$program" --sim dgx-h100 "$@"; }
call=DeviceCreateGpuInstanceWithPlacement

printf 'create 3 3g.40gb at 4\ncreate 3 1g.10gb at 0\n' >"$tmp/script"
g sim reset >/dev/null
g export json >"$tmp/base"
g apply --yes "$tmp/script" >/dev/null
g export json >"$tmp/target"

same() { g export json >"$tmp/now" && cmp -s "$tmp/now" "$tmp/$1"; }
is_stuck() { ls "$(g sim path)"/run/gpuslice/writes/* >/dev/null 2>&1; }
newest() { g --json history --max 1 >"$tmp/newest" 2>/dev/null && grep -q "\"state\": \"$1\"" "$tmp/newest"; }

# hang_up SIGNAL OPTION...: the client gets it while the first call is in the driver
hang_up() {
	signal=$1
	shift
	g sim reset >/dev/null
	g sim fault nvml $call hang >/dev/null
	"$program" --sim dgx-h100 apply --yes "$@" "$tmp/script" >"$tmp/bg" 2>&1 9>&- </dev/null &
	pid=$!
	that "$signal $*: a step is in the driver" until_true is_stuck
	kill "-$signal" "$pid"
	wait "$pid" 2>/dev/null
	g sim fault release >/dev/null
	that "$signal $*: the commit ends all the same" until_true newest ended
}

for signal in KILL HUP; do
	hang_up $signal
	that "$signal: it was finished" same target
	hang_up $signal --on-hangup undo
	that "$signal: it was undone, as it was asked to" same base
	expect 0 "$signal: the record" g history show 1
	that "$signal: says so" says out "stopped as asked"
done
expect 2 "neither finish nor undo" g apply --on-hangup maybe "$tmp/script"

# GPU by GPU: each is a commit of its own, and those that are not begun yet are the client's to begin
g sim reset >/dev/null
g export json >"$tmp/saved"
g save >/dev/null
g sim reboot >/dev/null
g export json >"$tmp/empty"
begun() { grep -q '^done 1/' "$tmp/bg"; }

# restore_and SIGNAL OPTION...: it gets the signal behind its first step
restore_and() {
	signal=$1
	shift
	g sim fault clear >/dev/null
	g sim reboot >/dev/null
	g sim fault nvml '*' slow 60 >/dev/null
	: >"$tmp/bg"
	"$program" --sim dgx-h100 restore --yes "$@" >"$tmp/bg" 2>&1 9>&- </dev/null &
	pid=$!
	that "restore, $signal $*: the first GPU is under way" until_true begun
	kill "-$signal" "$pid"
	wait "$pid" 2>/dev/null
	rc=$?
}
restore_and HUP
that "restore goes on without its terminal" [ $rc -eq 0 ]
g sim fault clear >/dev/null
g export json >"$tmp/now"
that "to the last GPU" cmp -s "$tmp/now" "$tmp/saved"
restore_and HUP --on-hangup undo
that "with --on-hangup undo it ends" [ $rc -ne 0 ]
that "the GPU under way is undone" until_true newest ended
g sim fault clear >/dev/null
g export json >"$tmp/now"
that "and no other one is begun" cmp -s "$tmp/now" "$tmp/empty"

# read_one OPTION...: whoever reads what restore prints goes away behind its first step
read_one() {
	g sim fault clear >/dev/null
	g sim reboot >/dev/null
	g sim fault nvml '*' slow 60 >/dev/null
	{
		"$program" --sim dgx-h100 restore --yes "$@" 2>&1 </dev/null 9>&-
		echo $? >"$tmp/rc"
	} | sed '/^done 1\//q' >"$tmp/bg"
	rc=$(cat "$tmp/rc")
	g sim fault clear >/dev/null
	g export json >"$tmp/now"
}
read_one
that "without a reader it goes on" [ "$rc" -eq 0 ]
that "to the last GPU" cmp -s "$tmp/now" "$tmp/saved"
read_one --on-hangup undo
that "with --on-hangup undo it does not" [ "$rc" -ne 0 ]
that "the GPU under way is undone, and no other one is begun" cmp -s "$tmp/now" "$tmp/empty"

# press KEYS...: Ctrl-C while the first call is in the driver, then each key when it is asked for
cat >"$tmp/press" <<'END'
import os, pty, subprocess, sys, select, time

program, script, stuck, keys = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(program, [program, "--sim", "dgx-h100", "apply", "--yes", script])
seen = b""


def read_until(condition):
    global seen
    while not condition():
        if not select.select([fd], [], [], 0.05)[0]:
            continue
        try:
            data = os.read(fd, 4096)
        except OSError:
            return
        if not data:
            return
        seen += data


read_until(lambda: os.path.isdir(stuck) and os.listdir(stuck))
os.write(fd, b"\x03")
read_until(lambda: b"Ctrl-C again: u" in seen)
def on_machine(*words):
    return subprocess.run([program, "--sim", "dgx-h100", *words], stdout=subprocess.PIPE, check=True).stdout


late = keys[0] == "late"
if late:
    # the step ends while the question stands: its record says when, and what it prints comes before the answer, or is held back
    on_machine("sim", "fault", "release")
    deadline = time.monotonic() + 60
    while b"done" not in on_machine("history", "show", "1"):
        if time.monotonic() > deadline:
            sys.exit("the step does not end")
    on_machine("list")
for key in keys[late:]:
    os.write(fd, key.encode().decode("unicode_escape").encode())
on_machine("sim", "fault", "release")
read_until(lambda: False)
sys.stdout.write(seen.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
press() {
	g sim reset >/dev/null
	g sim fault nvml $call hang >/dev/null
	python3 "$tmp/press" "$(readlink -f "$program")" "$tmp/script" "$(g sim path)/run/gpuslice/writes" "$@"
}
expect 0 "Ctrl-C, go on" press 'g\n'
that "the commit was asked about" says out "The commit waits behind this step"
that "and is done" same target
expect 0 "Ctrl-C, and the step ends while it is asked" press late 'g\n'
that "its progress does not tear the question" says out 'Ctrl-C again: u): g'
that "and is printed behind the answer" says out 'done 1/'
that "and all is done" same target
expect 1 "Ctrl-C, undo" press 'u\n'
that "and is undone" same base
expect 1 "Ctrl-C twice" press '\x03'
that "is undone as well" same base
expect 0 "what is neither is asked again" press 'x\n' 'g\n'
that "and then done" same target

done_testing
