#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# doctor.sh - each machine's own obstacles are named, simulated and recorded, by exit status, text and JSON.
. tests/lib/tap.sh
sim() { "$program" --sim "$@"; }
recorded() { "$program" --sysroot "$tmp/tree" doctor "$@"; }

# found CHECK STATE GPU WORDS: a finding of the JSON in $tmp/out; GPU "-": the host
found() {
	python3 -c '
import json, sys
check, state, gpu, words = sys.argv[2:]
for f in json.load(open(sys.argv[1]))["findings"]:
    if f["check"] == check and f["state"] == state and words in f["text"] and (f["gpu"] is None if gpu == "-" else f["gpu"] and str(f["gpu"]["index"]) == gpu):
        sys.exit(0)
sys.exit(1)' "$tmp/out" "$@"
}
not_found() { ! found "$@"; }
fits_80_columns() { [ "$(LC_ALL=C.UTF-8 awk 'length($0) > 80' "$tmp/out" | wc -l)" -eq 0 ]; }
is_sorted() {
	python3 -c '
import json, sys
order = ["problem", "cannot-tell", "note", "ok"]
states = [order.index(f["state"]) for f in json.load(open(sys.argv[1]))["findings"]]
assert states and states == sorted(states), states' "$tmp/out"
}
# 77: no validator here
fits_schema() {
	python3 tests/check-schemas.py "doctor:$tmp/out" >"$tmp/err" 2>&1
	[ $? -eq 0 ] || [ $? -eq 77 ]
}

for host in dgx-h100 kvm-l40s kvm-a2 lab b200; do
	expect 0 "$host: reset" sim $host sim reset
	expect 1 "$host: something stands in the way" sim $host doctor
	that "$host: fits 80 columns" fits_80_columns
	that "$host: problems come first" sh -c "sed -n 3p '$tmp/out' | grep -q '^PROBLEM'"
	expect 1 "$host: the status is the same in JSON" sim $host doctor --json
	that "$host: by the schema" fits_schema
	that "$host: the gravest first" is_sorted
	that "$host: it says its status" grep -q '"status": 1' "$tmp/out"
done

# ---- each one's own ----
expect 1 "dgx-h100" sim dgx-h100 doctor --json
that "work on GPU 0 stands in the way" found holders problem 0 "pid 48211 python3 (alice)"
that "GPU 3 has no work" not_found holders problem 3 ""
that "DCGM has GPU 5" found services problem - "nvidia-dcgm.service holds GPU 5 open"
that "persistenced is in the way of nothing for sure" found services note - "nvidia-persistenced.service holds GPUs 0-4, 7 open"
that "no vGPU host driver" found framework note 0 "MIG and passthrough, but no vGPU"
that "Hopper forgets MIG mode" found reboot note 7 "MIG mode is off again"
that "a unit that is not enabled restores nothing" not_found restorers note - ""
that "the driver is told" found driver ok - "570.124.06 is loaded (open flavour)"
that "sriov-manage concerns it not" not_found sriov-manage ok - ""

expect 1 "kvm-l40s" sim kvm-l40s doctor --json
that "a VM is named" found holders problem 2 "archive-viewer"
that "persistenced keeps sriov-manage off" found services problem - "nvidia-persistenced.service holds GPUs 0-3 open"
that "its framework" found framework ok 0 "vendor VFIO"
that "VFs not enabled yet" found sriov ok 3 "0 of 32 VFs"
that "sriov-manage is there" found sriov-manage ok - "executable"
that "the vGPU manager runs" found vgpu-manager ok - "runs"
that "a unit that enables VFs at boot" found restorers note - "vgpu-vfs.service runs sriov-manage"
that "vGPUs do not survive" found reboot note 0 "VFs and vGPUs are gone"

expect 1 "kvm-a2" sim kvm-a2 doctor --json
that "mdev" found framework ok 0 "vGPUs by mdev"
that "the VM on it" found holders problem 0 "desk-108"

expect 1 "lab" sim lab doctor --json
that "the container on the A100" found holders problem 0 "container 9d1c0f6ae2b7"
that "the VM that has the A5000" found holders problem 4 "cad-desk"
that "Ampere keeps MIG mode" found reboot note 0 "MIG mode stays, kept on the board"
that "no tool for a reset" found reset-tool note - "nvidia-smi is not there"
that "the MI300X can be cut" found amd ok 5 "compute-partition can be changed (now SPX)"
that "the Flex 170 too" found intel ok 6 "xe lets VFs be tuned"

expect 1 "b200" sim b200 doctor --json
that "a Slurm job is named" found holders problem 0 "slurm job 4711"
that "the exporter has all" found services problem - "dcgm-exporter.service holds GPUs 0-7 open"
that "the fabric manager runs" found fabric ok - "runs"

# ---- less privilege, faults ----
expect 1 "as a user" sim dgx-h100 --as-user doctor --json
that "that is said" found privileges problem - "not root"
that "holders may be hidden" found view cannot-tell 3 "somebody may hold it"
expect 0 "the library is of another version" sim dgx-h100 sim fault nvml Init_v2 18
expect 1 "18" sim dgx-h100 doctor --json
that "both are named" found library problem - "the loaded kernel module is 570.124.06"
that "and said once" not_found gpus cannot-tell - ""
expect 0 "no faults" sim dgx-h100 sim fault clear
expect 0 "a GPU falls off the bus" sim dgx-h100 sim fault nvml lost 0000:52:00.0
expect 1 "lost" sim dgx-h100 doctor --json
that "it is named" found gpus problem 2 "fallen off the bus"
that "with what the kernel's log says" found events note 2 "GPU 0000:52:00.0: GPU has fallen off the bus. (and 1 before)"
expect 0 "list" sim dgx-h100 list
that "has it below the table" says err "kernel log, GPU 2 (0000:52:00.0): 20"
expect 0 "list in JSON" sim dgx-h100 list --json
that "has both lines of that GPU, and none of others" python3 -c '
import json, sys
events = [g["events"] for g in json.load(open(sys.argv[1]))["gpus"]]
assert [e["kind"] for e in events[2]] == ["xid", "lost"] and events[2][0]["xid"] == 79, events[2]
assert events[2][0]["time_ms"] > 1763000000000 and all(e == [] for e in events[:2] + events[3:]), events' "$tmp/out"
rm -f "$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree/run/gpuslice/snapshot.json"
expect 1 "a user who may not read the log" sim dgx-h100 --as-user doctor --json
that "is told so" found events note - "the kernel's log cannot be read here"
expect 0 "list as that user" sim dgx-h100 --as-user list --json
that "says null, which is not none" [ "$(grep -c '"events": null' "$tmp/out")" = 8 ]
expect 0 "root publishes" sim dgx-h100 agent --publish
expect 0 "list as that user" sim dgx-h100 --as-user list --json
that "now has what was published" [ "$(grep -c '"xid": 79' "$tmp/out")" = 1 ]
expect 0 "list as a table" sim dgx-h100 --as-user list
that "says how old it is" grep -q "was seen by root [0-9]* s ago" "$tmp/err"
mkdir -p "$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree/etc/gpuslice"
policy=$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree/etc/gpuslice/policy.json
published=$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree/run/gpuslice/snapshot.json
that "what is published has names" grep -q '"name":"python3"' "$published"
echo '{"schema": "gpuslice.policy/1", "publish": {"names": false}}' >"$policy"
expect 0 "the site keeps them back" sim dgx-h100 agent --publish
that "none of them is told" python3 -c '
import json, sys
def walk(o):
    for v in o.values() if isinstance(o, dict) else o if isinstance(o, list) else []:
        yield v
        yield from walk(v)
text = open(sys.argv[1]).read()
assert not any(w in text for w in ("python3", "alice", "persistenced", "dcgm")), text
holders = [h for o in walk(json.loads(text)) if isinstance(o, dict) and isinstance(o.get("holders"), list) for h in o["holders"]]
assert holders and any(h["pid"] for h in holders), holders' "$published"
expect 0 "viewers still get the places" sim dgx-h100 --as-user list
that "as before" says out "(published)"
that "the file is for its group alone" [ "$(stat -c %a "$published")" = 640 ]
before=$(cksum <"$published")
echo '{"schema": "gpuslice.policy/1", "publish": {"name": false}}' >"$policy"
expect 1 "a policy with a mistake" sim dgx-h100 agent --publish
that "is told" says err "/etc/gpuslice/policy.json"
that "and nothing is published" [ "$(cksum <"$published")" = "$before" ]
rm "$policy"
expect 0 "one frame of the monitor" sim dgx-h100 monitor --once
that "says it too" grep -q "those that root published [0-9]* s ago" "$tmp/err"
expect 0 "no faults" sim dgx-h100 sim fault clear

# ---- recordings of a machine, with things taken from it ----
take() {
	rm -rf "$tmp/tree"
	cp -r "$XDG_STATE_HOME/gpuslice/sim/$1/tree" "$tmp/tree"
}
take dgx-h100
expect 1 "a recording names who uses a GPU" recorded --json
that "that is said" found library cannot-tell - "only a recording"
rm -rf "$tmp/tree/sys/kernel/iommu_groups"
expect 1 "no IOMMU" recorded --json
that "what it costs" found iommu problem - "no passthrough, and no vGPU or VF for a VM"
take dgx-h100
rm -rf "$tmp/tree/proc/driver/nvidia" "$tmp/tree/sys/module/nvidia"
expect 1 "no driver" recorded --json
that "it is to be loaded" found driver problem - "not loaded"
that "with the command" grep -q '"remedy": "modprobe nvidia"' "$tmp/out"
mkdir -p "$tmp/tree/sys/module/nouveau" "$tmp/tree/sys/bus/pci/drivers/nouveau"
ln -sfn ../../../../../bus/pci/drivers/nouveau "$(readlink -f "$tmp/tree/sys/bus/pci/devices/0000:1b:00.0")/driver"
expect 1 "nouveau" recorded --json
that "the module is named" found driver problem - "nouveau"
that "the GPU that it has too" found bound problem 0 "nouveau"
rm "$(readlink -f "$tmp/tree/sys/bus/pci/devices/0000:1b:00.0")/driver"
expect 1 "no driver at all" recorded --json
that "unbound" found bound problem 0 "no driver is bound"

take kvm-l40s
chmod 644 "$tmp/tree/usr/lib/nvidia/sriov-manage"
expect 1 "sriov-manage lost its mode" recorded --json
that "so it is said" found sriov-manage problem - "not executable"
rm "$tmp/tree/usr/lib/nvidia/sriov-manage"
for comm in "$tmp"/tree/proc/*/comm; do
	! grep -qx nvidia-vgpu-mgr "$comm" || rm -rf "${comm%/comm}"
done
expect 1 "sriov-manage and the manager are gone" recorded --json
that "the tool" found sriov-manage problem - "not there"
that "the daemon" found vgpu-manager problem - "does not run"
mkdir -p "$tmp/tree/etc/mdevctl.d/0000:26:00.4" "$tmp/tree/etc/systemd/system/multi-user.target.wants"
echo '{"mdev_type": "nvidia-1155", "start": "auto", "attrs": []}' >"$tmp/tree/etc/mdevctl.d/0000:26:00.4/6b3ff62b-5b8f-4a5c-9f5c-5d3f6fbb0001"
echo '{"mdev_type": "nvidia-1155", "start": "manual"}' >"$tmp/tree/etc/mdevctl.d/0000:26:00.4/6b3ff62b-5b8f-4a5c-9f5c-5d3f6fbb0002"
echo '{"start": ' >"$tmp/tree/etc/mdevctl.d/0000:26:00.4/broken"
: >"$tmp/tree/etc/systemd/system/multi-user.target.wants/nvidia-mig-manager.service"
expect 1 "others who put layouts back" recorded --json
that "mdevctl, by what it starts" found restorers note - "starts 1 mdev with start=auto"
that "the MIG manager" found restorers note - "nvidia-mig-manager.service"

mkdir -p "$tmp/bare/sys/bus/pci/devices"
expect 1 "a bare tree" "$program" --sysroot "$tmp/bare" doctor
that "there is nothing to cut" says out "nothing to cut"
expect 2 "no such tree" "$program" --sysroot "$tmp/nowhere" doctor
expect 2 "an argument" sim dgx-h100 doctor now
expect 2 "an unknown option" sim dgx-h100 doctor --fix
expect 0 "help" "$program" doctor --help
that "with its statuses" says out "1 when something"

done_testing
