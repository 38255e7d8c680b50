#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# reset.sh - modes that wait for a reset, and collectors that let go, with a monitor and a console on all the time.
. tests/lib/tap.sh
g() { "$program" --sim lab "$@"; }

a30=0000:31:00.0
tree=$(g sim path)
expect 0 "reset" g sim reset

# watcher COMMAND…: a screen on a terminal of its own, until its pid is killed; what it writes is thrown away
cat >"$tmp/watcher.py" <<'END'
import os, pty, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm-256color"
    os.execv(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
with open(sys.argv[1], "wb") as log:
    try:
        while True:
            data = os.read(fd, 65536)
            if not data:
                break
            log.write(data)
            log.flush()
    except OSError:
        pass
END
watchers=
watch_with() {
	python3 "$tmp/watcher.py" "$tmp/$1.log" "$program" --sim lab "$1" </dev/null >/dev/null 2>&1 &
	watchers="$watchers $!"
}
. tests/lib/clock.sh
# shellcheck disable=SC2086
trap 'kill $watchers $clock 2>/dev/null; exec 9>&-; rm -rf "$tmp"' EXIT

# held NODE: somebody has it open as NVML has
held() { ! flock -n -x "$tree/dev/$1" true 2>/dev/null; }
node_of() { # node_of INDEX: nvidiaN of that GPU
	g --json list | python3 -c '
import json, sys
gpus = [x for x in json.load(sys.stdin)["gpus"]]
print("nvidia%d" % [x["index"] for x in gpus if x["driver"] == "nvidia"].index(int(sys.argv[1])))' "$1"
}
mode_of() { g --json list | python3 -c '
import json, sys
x = json.load(sys.stdin)["gpus"][int(sys.argv[1])]
print(x["mode"], x["mode_pending"])' "$1"; }

watch_with monitor
watch_with console
a30_node=$(node_of 1)
that "monitor and console look" until_true held "$a30_node"

# ---- without the flag: pending, with the command that ends it
expect 0 "its next change stays pending" g sim fault mode-pending $a30
echo 'mode 1 mig' >"$tmp/in"
expect_in 8 "a mode that waits for a reset is left pending" g apply --yes -
that "with the command to run" says out "nvidia-smi --gpu-reset -i $a30"
that "and the option" says out "--allow-reset"
that "it is pending" [ "$(mode_of 1)" = "whole mig" ]

# ---- with it, while both look on
expect_in 0 "with --allow-reset the GPU is reset" g plan --allow-reset -
that "as a step that cannot be undone" says out "reset $a30"
expect_in 3 "which wants a confirmation" g apply --allow-reset -
expect 0 "still stuck" g sim fault mode-pending $a30
expect_in 0 "with --allow-reset and --yes it is done" g apply --allow-reset --yes -
that "the mode is active" [ "$(mode_of 1)" = "mig None" ]
that "and everybody looks again" until_true held "$a30_node"

# ---- where the driver makes it active by itself nothing is reset
echo 'mode 1 whole' >"$tmp/in"
expect_in 0 "back, while monitor and console are on" g apply --allow-reset --yes -
that "the mode is active" [ "$(mode_of 1)" = "whole None" ]

# ---- a reset that fails leaves the mode as it was
expect 0 "stuck" g sim fault mode-pending $a30
expect 0 "a reset that is refused" g sim fault program nvidia-smi exit 19
echo 'mode 1 mig' >"$tmp/in"
expect_in 1 "a reset that is refused fails the commit" g apply --allow-reset --yes -
that "with the reason" says err "in use by another client"
that "the machine is as before" [ "$(mode_of 1)" = "whole None" ]

# ---- sriov-manage and an unbind want everybody gone, too
that "everybody looks" until_true held "$(node_of 3)"
printf 'mode 3 vgpu\n' >"$tmp/in"
expect_in 0 "sriov-manage runs while monitor and console are on" g apply --yes --disrupt unit:nvidia-persistenced.service -
printf 'mode 3 whole\n' >"$tmp/in"
expect_in 0 "and back" g apply --yes --disrupt unit:nvidia-persistenced.service -
printf 'mode 1 passthrough\n' >"$tmp/in"
expect_in 0 "an unbind goes through" g apply --yes --disrupt unit:nvidia-persistenced.service -
printf 'mode 1 whole\n' >"$tmp/in"
expect_in 0 "and back" g apply --yes --disrupt unit:nvidia-persistenced.service -
that "and everybody still looks" until_true held "$(node_of 1)"

done_testing
