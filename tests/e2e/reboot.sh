#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# reboot.sh - what «doctor --reboot» foretells is what «sim reboot» leaves: two implementations of the rules that share nothing.
. tests/lib/tap.sh
host=
g() { "$program" --sim "$host" "$@"; }
unit='--disrupt unit:nvidia-persistenced.service'

# layout WHAT: the layout in FILE ($tmp/told or $tmp/out) as one line, without what was told to be unknown
layout() {
	python3 - "$tmp/told" "$1" <<'PYTHON'
import json, sys
told = json.load(open(sys.argv[1]))
layout = told["layout"] if sys.argv[2] == "told" else json.load(open(sys.argv[2]))
assert layout["schema"] == "gpuslice.layout/1" and len(layout["gpus"]) == len(told["gpus"])
for gpu, about in zip(layout["gpus"], told["gpus"]):
    for member in about["unknown"]:
        at, _, key = member.rpartition(".")
        del (gpu[at] if at else gpu)[key]
print(json.dumps(layout))
PYTHON
}
as_told() {
	layout told >"$tmp/a" && layout "$tmp/out" >"$tmp/b" && [ -s "$tmp/a" ] && cmp -s "$tmp/a" "$tmp/b" && return
	diff "$tmp/a" "$tmp/b" >"$tmp/err"
	return 1
}
# unknown GPU MEMBER…: exactly these cannot be told of it
unknown() {
	python3 -c '
import json, sys
gpu = json.load(open(sys.argv[1]))["gpus"][int(sys.argv[2])]
sys.exit(gpu["unknown"] != sys.argv[3:])' "$tmp/told" "$@"
}
# item GPU FATE WORDS: an item of the JSON, "what: why"
item() {
	python3 -c '
import json, sys
gpu, fate, words = sys.argv[2:]
items = json.load(open(sys.argv[1]))["gpus"][int(gpu)]["items"]
sys.exit(not any(i["fate"] == fate and words in i["what"] + ": " + i["why"] for i in items))' "$tmp/told" "$@"
}
items() { python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["gpus"][int(sys.argv[2])]["items"]))' "$tmp/told" "$1"; }
fits_80_columns() { [ "$(LC_ALL=C.UTF-8 awk 'length($0) > 80' "$tmp/out" | wc -l)" -eq 0 ]; }
# 77: no validator here
fits() {
	python3 tests/check-schemas.py "$@" >"$tmp/err" 2>&1
	[ $? -eq 0 ] || [ $? -eq 77 ]
}

# change NAME [OPTION…]: the script in $tmp/in is carried out
change() {
	name=$1
	shift
	# shellcheck disable=SC2086
	expect_in 0 "$host: $name" g apply --yes $unit "$@" -
}
# reboot STATUS: tell, remember what is, reboot, compare. STATUS 2: not all of it can be told
reboot() {
	expect 0 "$host: what is" g export json
	cp "$tmp/out" "$tmp/before"
	expect "$1" "$host: it is told" g doctor --reboot --json --saved "$tmp/before"
	cp "$tmp/out" "$tmp/told"
	that "$host: by the schema" fits "reboot:$tmp/told"
	python3 -c 'import json, sys; json.dump(json.load(open(sys.argv[1]))["layout"], open(sys.argv[2], "w"))' "$tmp/told" "$tmp/layout"
	that "$host: the layout in it by its own" fits "layout:$tmp/layout"
	expect "$1" "$host: the same for people" g doctor --reboot --saved "$tmp/before"
	that "$host: in 80 columns" fits_80_columns
	expect 0 "$host: it reboots" g sim reboot
	expect 0 "$host: what is left" g export json
	cp "$tmp/out" "$tmp/after"
	that "$host: is what was told" as_told
	that "$host: and not what was" sh -c "! cmp -s '$tmp/before' '$tmp/after'"
}
# restored STATUS: what was told to be done to put it back does it
restored() {
	# shellcheck disable=SC2086
	expect "$1" "$host: the layout of before is applied" g apply --yes --json $unit "$tmp/before"
	cp "$tmp/out" "$tmp/result"
	expect 0 "$host: and it is" g export json
	that "$host: as before" cmp -s "$tmp/out" "$tmp/before"
}
# the steps that were told; those of services aside, which are there only when the machine is up
steps_as_told() {
	python3 -c '
import json, sys
def steps(plan):
    return [s["text"] for s in plan["steps"] if s["op"] not in ("stop-unit", "start-unit")]
told = steps(json.load(open(sys.argv[1]))["restore"]["plan"])
done = steps(json.load(open(sys.argv[2]))["plan"])
assert told and told == done, (told, done)' "$tmp/told" "$tmp/result" 2>"$tmp/err"
}

for host in dgx-h100 kvm-l40s kvm-a2 lab b200; do
	g sim reset >/dev/null
	reboot "$([ $host = lab ] && echo 2 || echo 0)"
done

# ---- MIG that Hopper forgets ----
host=dgx-h100
expect 0 "reset" g sim reset
printf 'create 3 3g.40gb at 4\ncreate 3 1g.10gb at 0\n' >"$tmp/in"
change "instances"
reboot 0
that "Hopper loses MIG mode" item 3 lost "MIG mode: from Hopper on"
that "and the instances, by name" item 3 lost "2 GPU instances (1g.10gb@0, 3g.40gb@4)"
that "nothing of a GPU that is whole" [ "$(items 4)" = 0 ]
restored 0
that "by the steps that were told" steps_as_told

# ---- vGPUs on VFs, sizes mixed ----
host=kvm-l40s
expect 0 "reset" g sim reset
printf 'mode 3 vgpu\nset 3 heterogeneous on\nset 3 scheduler equal-share\n' >"$tmp/in"
change "GPU 3 gets VFs, sizes mixed and a scheduler" --disrupt unit:nvidia-dcgm.service --disrupt unit:dcgm-exporter.service
printf 'create 3 L40S-24Q\ncreate 3 L40S-8Q\n' >"$tmp/in"
change "and vGPUs of two sizes"
reboot 0
that "mixed sizes go" item 3 lost "heterogeneous on: its driver comes up with off"
that "the scheduler too" item 3 lost "480: its driver comes up with best-effort"
that "types on VFs" item 0 lost "2 vGPUs (L40S-24Q on VF 0, L40S-24Q on VF 1)"
that "and VFs" item 2 lost "32 VFs"

# ---- mdevs ----
host=kvm-a2
expect 0 "reset" g sim reset
echo 'create 0 A2-4Q vf 15' >"$tmp/in"
change "one mdev more"
reboot 0
that "mdevs go, and mdevctl is named" item 0 lost "mdevctl"
that "all four" item 0 lost "4 vGPUs"

# ---- one of each family ----
host=lab
expect 0 "reset" g sim reset
cat >"$tmp/in" <<'SCRIPT'
mode 1 mig
create 1 2g.12gb at 2
mode 3 mig
create 3 1g.24gb count 2
create 2 T4-4Q count 2
vfs 6 4
set 6 exec-quantum-ms 10
set 5 compute-partition CPX
SCRIPT
change "something in each family"
echo 'set 6/vf:1 vram-quota-bytes 2147483648' >"$tmp/in"
change "a share of a VF"
echo 'set 5 memory-partition NPS4' >"$tmp/in"
expect_in 8 "a memory mode that waits for a reload" g apply --yes -
reboot 2
that "Ampere keeps MIG mode" item 1 kept "MIG mode: Ampere"
that "A100 too" item 0 kept "MIG mode: Ampere"
that "Blackwell does not" item 3 lost "MIG mode"
that "the mdevs of a PF" item 2 lost "2 vGPUs"
that "partitions" item 5 lost "compute-partition CPX"
that "a request for the memory" item 5 lost "memory-partition NPS4, which is pending"
that "VFs and what they got" item 6 lost "4 VFs with what they were given"
that "shares of the PF" item 6 lost "exec-quantum-ms 10: its driver comes up with 0"
that "driver_override" item 4 lost "driver_override vfio-pci"
that "what then is, is not guessed" unknown 4 match.uuid mode settings
that "the others are told" unknown 0
that "Ampere's mode is there" grep -q '"mode": "mig"' "$tmp/after"
# the memory mode waits for a reload again
restored 8

# ---- given away, and asked for ----
expect 0 "reset" g sim reset
expect 0 "the A30 shall not change at once" g sim fault mode-pending 0000:31:00.0
expect 0 "nor the RTX PRO" g sim fault mode-pending 0000:4b:00.0
echo 'mode 2 passthrough' >"$tmp/in"
change "the T4 is given away"
for gpu in 1 3; do
	echo "mode $gpu mig" >"$tmp/in"
	# shellcheck disable=SC2086
	expect_in 8 "the mode of GPU $gpu waits" g apply --yes $unit -
done
reboot 2
that "a pending mode becomes Ampere's" item 1 kept "MIG mode on, which is pending"
that "and is forgotten by others" item 3 lost "the pending change of MIG mode"
that "its own driver takes the T4 again" item 2 lost "so nvidia takes the GPU again"
that "so its mode is known" unknown 2 match.uuid settings
that "the A30 is in MIG mode" python3 -c 'import json, sys; sys.exit([g["mode"] for g in json.load(open(sys.argv[1]))["gpus"]][1:4] != ["mig", "vgpu", "whole"])' "$tmp/after"

# ---- what cannot be told, and what is no layout ----
expect 0 "a GPU falls off the bus" g sim fault nvml lost 0000:17:00.0
expect 2 "lost" g doctor --reboot --json
cp "$tmp/out" "$tmp/told"
that "then nothing of it is told" unknown 0 mode settings instances
expect 0 "no faults" g sim fault clear
expect 0 "on an idle machine all is told" g doctor --reboot
that "nothing is saved" says out "Nothing is saved: nothing comes back; gpuslice save keeps it."
echo 'mode 1 mig' >"$tmp/script"
expect 2 "a script is no layout" g doctor --reboot --saved "$tmp/script"
that "which is said" says err "is no layout"
expect 2 "no such file" g doctor --reboot --saved "$tmp/nowhere"
expect 2 "for a reboot only" g doctor --saved "$tmp/before"
sed 's/0000:31:00.0/0000:32:00.0/; s/GPU-cb513168/GPU-cb513169/' "$tmp/before" >"$tmp/other"
expect 0 "the layout of another machine" g doctor --reboot --saved "$tmp/other"
that "cannot be put back here" says out "cannot be foretold"
expect 2 "sim reboot takes nothing" g sim reboot now

# ---- nobody runs restore at boot: that comes first ----
host=kvm-l40s
begins_with() { [ "$(head -c "${#1}" "$tmp/out")" = "$1" ]; }
recorded() {
	rm -rf "$tmp/tree"
	cp -R "$(g sim path)" "$tmp/tree"
	expect 0 "recorded, $1" "$program" --sysroot "$tmp/tree" doctor --reboot
}
g sim reset >/dev/null
expect 0 "nothing is saved" g doctor --reboot
that "the first line is what to do on a simulated machine" begins_with "NOT RESTORED AT BOOT: a simulated machine starts no units: gpuslice --sim"
that "all of it" sh -c 'tr -s "\n " "  " <"$1" | grep -q "gpuslice --sim kvm-l40s save now, and restore afterwards kvm-l40s (simulated)"' - "$tmp/out"
recorded "nothing is saved"
that "on others" begins_with "NOT RESTORED AT BOOT: nothing is saved: gpuslice save, then systemctl enable"
expect 0 "save" g save
expect 0 "it is saved" g doctor --reboot
that "and a simulated machine starts no units all the same" begins_with "NOT RESTORED AT BOOT: a simulated machine starts no units"
recorded "without the unit"
that "it has to be installed" begins_with "NOT RESTORED AT BOOT: it is saved, but nothing puts it back at boot:"
mkdir -p "$tmp/tree/usr/lib/systemd/system" "$tmp/tree/etc/systemd/system/multi-user.target.wants"
echo '[Unit]' >"$tmp/tree/usr/lib/systemd/system/gpuslice-restore.service"
expect 0 "with the unit" "$program" --sysroot "$tmp/tree" doctor --reboot
that "it has to be enabled" begins_with "NOT RESTORED AT BOOT: it is saved, but nothing puts it back at boot until"
ln -s /usr/lib/systemd/system/gpuslice-restore.service "$tmp/tree/etc/systemd/system/multi-user.target.wants/gpuslice-restore.service"
expect 0 "with one that is enabled" "$program" --sysroot "$tmp/tree" doctor --reboot
that "there is no warning" says_not out "NOT RESTORED"
host=dgx-h100
g sim reset >/dev/null
g sim reboot >/dev/null
expect 0 "a machine as it comes up" g doctor --reboot
that "has nothing to lose" says_not out "NOT RESTORED"
done_testing
