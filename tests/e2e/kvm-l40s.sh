#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kvm-l40s.sh - vGPUs under the vendor VFIO framework, end to end.
. tests/lib/tap.sh
g() { "$program" --sim kvm-l40s "$@"; }

tree=$(g sim path)
# current_vgpu_type of the VFs of the GPU at $1 that have one, as "n=type"
types() {
	for link in "$tree/sys/bus/pci/devices/$1"/virtfn*; do
		type=$(cat "$link/nvidia/current_vgpu_type")
		[ "$type" = 0 ] || printf '%s=%s\n' "${link##*virtfn}" "$type"
	done | sort -n | tr '\n' ' '
}
count_steps() { python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); print(len(r["plan"]["steps"]))' "$tmp/out"; }

expect 0 "reset" g sim reset
expect 0 "export" g export json
cp "$tmp/out" "$tmp/start"
that "GPU 2 has no vGPU" [ -z "$(types 0000:a1:00.0)" ]

# ids as the driver lists them: 1155 is L40S-24Q, 1153 L40S-12Q
list=$(cat "$tree/sys/bus/pci/devices/0000:a1:00.0/virtfn0/nvidia/creatable_vgpu_types")
id_of() { echo "$list" | sed -n "s/^\([0-9]*\) *: NVIDIA $1\$/\1/p"; }
big=$(id_of L40S-24Q) small=$(id_of L40S-12Q)

echo 'create 2 L40S-24Q' >"$tmp/in"
expect_in 0 "its plan" g plan --json -
that "names the unit that would put back other VFs" grep -q '"text": "vgpu-vfs.service (runs sriov-manage) puts a layout of its own back' "$tmp/out"
that "and how it is switched off" grep -q '"systemctl disable vgpu-vfs.service"' "$tmp/out"
that "once, and of the machine" python3 -c '
import json, sys
found = [f for f in json.load(open(sys.argv[1]))["findings"] if f["rule"] == "other-restorer"]
assert len(found) == 1 and found[0]["gpu"] is None and found[0]["severity"] == "note", found' "$tmp/out"
echo 'delete 3 rest' >"$tmp/in"
expect_in 0 "a plan without steps" g plan --json -
that "has nothing that could be undone" [ "$(grep -c other-restorer "$tmp/out")" = 0 ]
echo 'create 2 L40S-24Q' >"$tmp/in"
expect_in 0 "one L40S-24Q on the free GPU" g apply --yes -
that "its VF carries the type" [ "$(types 0000:a1:00.0)" = "0=$big " ]
expect_in 0 "the same again" g apply --yes --json -
that "is nothing to do" [ "$(count_steps)" = 0 ]
expect_in 0 "assert agrees" g assert -

echo 'create 2 L40S-12Q' >"$tmp/in"
expect_in 3 "another size beside it is refused" g apply --yes -
that "by the size rule" says out "size-rule"
that "which names the size that is there" says out "24 GiB"
that "and the VF" says out "VF 0"
that "and what would do" says out "create 2 L40S-24"
that "nothing changed" [ "$(types 0000:a1:00.0)" = "0=$big " ]

echo 'delete 2 vf:0' >"$tmp/in"
expect_in 0 "the first is deleted" g apply --yes -
that "the file says so" [ -z "$(types 0000:a1:00.0)" ]

echo 'create 2 L40S-12Q count 4' >"$tmp/in"
expect_in 0 "four of the other size" g apply --yes -
that "on the four lowest VFs" [ "$(types 0000:a1:00.0)" = "0=$small 1=$small 2=$small 3=$small " ]
echo 'create 2 L40S-12Q count 5' >"$tmp/in"
expect_in 3 "a fifth is one too many" g apply --yes -
that "by the count" says out "count-limit"
that "nothing changed" [ "$(types 0000:a1:00.0)" = "0=$small 1=$small 2=$small 3=$small " ]

echo 'delete 2 vf:1 vf:2' >"$tmp/in"
expect_in 0 "two go" g apply --yes -
that "and two stay where they are" [ "$(types 0000:a1:00.0)" = "0=$small 3=$small " ]
echo 'create 2 L40S-12Q vf 7' >"$tmp/in"
expect_in 0 "one on a VF that is named" g apply --yes -
that "is there" [ "$(types 0000:a1:00.0)" = "0=$small 3=$small 7=$small " ]

printf 'delete 2 all\ncreate 2 L40S-1B count 33\n' >"$tmp/in"
expect_in 3 "33 where 32 fit" g apply --yes -
that "names the maximum" says out "32"
printf 'delete 2 all\ncreate 2 L40S-24Q\ncreate 2 L40S-12Q\n' >"$tmp/in"
expect_in 3 "two sizes in one script" g apply --yes -
that "names the rule" says out "size-rule"
echo 'delete 2 vf:99' >"$tmp/in"
expect_in 2 "a VF that the GPU does not have" g plan -
that "says which it has" says err "from 0 to 31"

echo 'delete 0 all' >"$tmp/in"
expect_in 3 "vGPUs of running VMs" g apply --yes --disrupt all -
that "name the VM" says out "cad-01"
that "and how to end it" says out "virsh shutdown"

echo 'delete 2 all' >"$tmp/in"
expect_in 0 "all go" g apply --yes -
expect 0 "export again" g export json
that "is byte-equal to the start" cmp -s "$tmp/out" "$tmp/start"

# VFs on and off, with units in the way
echo 'mode 3 vgpu' >"$tmp/in"
expect_in 3 "services have the GPU open" g apply --yes -
that "the unit is named with the way to have it stopped" says out "--disrupt unit:nvidia-persistenced.service"
units='--disrupt unit:nvidia-persistenced.service --disrupt unit:nvidia-dcgm.service --disrupt unit:dcgm-exporter.service'
expect_in 0 "with the units named VFs are made" g apply --yes $units -
that "all 32 are there" [ "$(ls -d "$tree"/sys/bus/pci/devices/0000:c6:00.0/virtfn* | wc -l)" = 32 ]
expect 0 "list" g list
that "the service runs again" says out "nvidia-persiste"
echo 'create 3 L40S-48Q' >"$tmp/in"
expect_in 0 "and carry a vGPU" g apply --yes -
printf 'delete 3 all\nmode 3 whole\n' >"$tmp/in"
expect_in 0 "and go again" g apply --yes $units -
that "none is left" [ -z "$(ls -d "$tree"/sys/bus/pci/devices/0000:c6:00.0/virtfn* 2>/dev/null)" ]
expect 0 "export once more" g export json
that "is byte-equal to the start too" cmp -s "$tmp/out" "$tmp/start"

# back from passthrough: the daemons would open the GPU before sriov-manage has had its turn
stop='--disrupt unit:nvidia-persistenced.service --disrupt unit:nvidia-dcgm.service --disrupt unit:dcgm-exporter.service'
expect 0 "reset" g sim reset
echo 'mode 3 passthrough' >"$tmp/in"
expect_in 0 "GPU 3 is given away" g apply --yes $stop -
printf 'mode 3 vgpu\ncreate 3 L40S-24Q\n' >"$tmp/back"
cp "$tmp/back" "$tmp/in"
expect_in 3 "and comes back not while they may open it" g apply --yes -
that "each is named" says out "dcgm-exporter.service"
cp "$tmp/back" "$tmp/in"
expect_in 0 "they pause meanwhile" g apply --yes $stop -
expect 0 "list" g list
that "and run again" says out "nv-hostengine"

# a VF that somebody has is passed over, and a placement id that the driver refuses changes nothing
expect 0 "reset" g sim reset
expect 0 "VF 0 is open" g sim fault hold 0000:a1:00.4
echo 'create 2 L40S-12Q count 2' >"$tmp/in"
expect_in 0 "two vGPUs find their places" g apply --yes -
that "on the VFs that are free" says out "VF 1 (0000:a1:00.5)"
expect 0 "it lets go" g sim fault release
echo 'create 2 L40S-12Q at 5' >"$tmp/in"
expect_in 1 "a placement id that does not fit the type" g apply --yes -
that "leaves the machine as before" says err "as before"
done_testing
