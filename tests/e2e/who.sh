#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# who.sh - who stands in the way, by exit status, on a simulated DGX H100 and on a recorded tree.
. tests/lib/tap.sh
g() { "$program" --sim dgx-h100 "$@"; }

expect 0 "reset" g sim reset
expect 3 "who 0" g who 0
that "all four operations are answered" says out "MODE   DELETE  VFS  PASSTHROUGH"
that "the process is named" says out "pid 48211 python3 (alice)"
expect 3 "deleting on GPU 0 stops somebody" g who 0 --for delete
that "and it is said why" says out "runs in it"
expect 0 "deleting on GPU 3 stops nobody" g who 3 --for delete
that "the daemon does not mind" says out "no       process  pid 1893"
expect 9 "whether a mode changes under it is known by trying" g who 3 --for mode
expect 3 "an unbind would hang under it" g who 3 --for passthrough
expect 3 "one of many is enough" g who 0-3 --for delete
expect 9 "who cannot be seen may be there" g --as-user who 3 --for delete
that "and it is said" says out "somebody may be there"
expect 3 "the status is the same in JSON" g who 0 --for delete --json
that "with the verdict" python3 -c '
import json, sys
entries = json.load(open(sys.argv[1]))["gpus"][0]["entries"]
assert [e["for"]["delete"]["verdict"] for e in entries] == ["yes", "yes", "no"], entries
assert all(list(e["for"]) == ["delete"] for e in entries)' "$tmp/out"
expect 2 "no GPU" g who
expect 2 "two words" g who 0 1
expect 2 "no such GPU" g who 99
expect 2 "a part of a GPU" g who 0/vf:0
that "says that it wants a whole one" says err "a whole GPU is expected"
expect 2 "no such operation" g who 0 --for reset
that "the operations are named" says err "mode, delete, vfs or passthrough"

# what who says of a mode and of a deletion is what a plan finds
k() { "$program" --sim kvm-l40s "$@"; }
expect 0 "reset" k sim reset
expect 3 "a mode of a GPU without MIG takes its driver off" k who 3 --for mode
that "so that the daemon is in the way" says out "yes      process  pid 1893"
that "and has its whole name" says out "nvidia-persistenced (root)"
echo 'mode 3 vgpu' >"$tmp/in"
expect_in 3 "as the plan says" k plan -
that "of the same process" says out "pid 1893"
expect 0 "deleting disturbs no claim on a VF without a vGPU" k who 2 --for delete
that "and it is said why" says out "nothing to delete"
echo 'delete 2 all' >"$tmp/in"
expect_in 0 "as the plan says" k plan -
expect 3 "nor does it let VFs go" k who 2 --for vfs

# a recording of that machine, with a note of its site
cp -r "$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree" "$tmp/tree"
mkdir -p "$tmp/tree/etc/gpuslice/notes.d"
echo '{"gpu": "0000:61:00.0", "note": "reserved for the demo", "until": null}' >"$tmp/tree/etc/gpuslice/notes.d/demo.json"
expect 3 "a note is a claim" "$program" --sysroot "$tmp/tree" who 3 --for delete
that "of kind claim" says out "claim    claim    note: reserved for the demo"
that "with its file" says out "/etc/gpuslice/notes.d/demo.json"
expect 0 "another GPU has none" "$program" --sysroot "$tmp/tree" who 2 --for delete

done_testing
