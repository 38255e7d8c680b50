#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bad-families.sh - what must not work, on machines with VFs, vGPUs and passthrough: a sentence, the right status, nothing half done.
. tests/lib/tap.sh
host=
g() { "$program" --sim "$host" "$@"; }
pci() { echo "$(g sim path)/sys/bus/pci/devices"; }

# begin HOST: reset, and remember what is
begin() {
	host=$1
	g sim reset >/dev/null
	g export json >"$tmp/start"
}
fault() { g sim fault "$@" >/dev/null; }
untouched() {
	g export json >"$tmp/now"
	that "$1: nothing is half done" cmp -s "$tmp/start" "$tmp/now"
}
script() { printf '%s\n' "$@" >"$tmp/in"; }

begin kvm-l40s
script 'create 2 L40S-1B count 33'
expect_in 3 "33 vGPUs where 32 fit" g apply --yes -
that "device and reason" says out "GPU 2 L40S-1B"
that "how many fit" says out "allows 32"
script 'create 2 L40S-24Q' 'create 2 L40S-8Q'
expect_in 3 "two sizes without mixed mode" g apply --yes -
that "both sizes are named" says out "8 GiB"
that "what would do is named" says out "create 2 L40S-24"
script 'delete 0 vf:0'
expect_in 3 "a VF that a VM has" g apply --yes --disrupt all --kill -
that "holder and remedy" says out "virsh shutdown cad-01"
script 'mode 0 whole'
expect_in 3 "a mode that would destroy vGPUs" g apply --yes -
that "says to delete them first" says out "delete 0 all"
script 'vfs 3 33'
expect_in 2 "more VFs than there are" g apply --yes -
that "says how many there are" says err "at most 32 VFs"
script 'vfs 3 7'
expect_in 2 "a part of them, where the tool knows all or none" g apply --yes -
that "says so" says err "all of its 32 VFs or none"
script 'create 2 L40S-24Q vf 31'
expect_in 3 "a VF that a shut-off VM names, unconfirmed" setsid "$program" --sim "$host" apply -
that "the VM is named" says out "archive-viewer"
script 'create 2 L40S-24Q vf 32'
expect_in 2 "a VF that is not there" g apply --yes -
script 'create 2 L40S-24Q uuid 11111111-2222-3333-4444-555555555555'
expect_in 2 "a UUID where vGPUs have none" g apply --yes -
script 'set 2 compute-partition SPX'
expect_in 2 "a setting that is not there" g apply --yes -
script 'set 2 scheduler fixed'
expect_in 2 "a policy that is none" g apply --yes -
that "names those that there are" grep -q 'best-effort, equal-share, fixed-share' "$tmp/err"
script 'set 2 scheduler fixed-share:timeslice-ns=1'
expect_in 2 "a time slice out of the range" g apply --yes -
that "with the range" grep -q 'timeslice-ns from 1000000 to 30000000' "$tmp/err"
script 'set 2 scheduler equal-share:frequency-hz=480'
expect_in 2 "a part that needs another" g apply --yes -
script 'set 2 scheduler equal-share:arr=on:timeslice-ns=2000000'
expect_in 2 "parts that rule each other out" g apply --yes -
script 'set 2 scheduler equal-share:arr=on:arr=off'
expect_in 2 "a part said twice" g apply --yes -
script 'set 2 scheduler best-effort:arr=on'
expect_in 2 "a part that the policy does not take" g apply --yes -
script 'set 2 scheduler equal-share:colour=red'
expect_in 2 "a part that there is not" g apply --yes -
script "set 2 scheduler equal-share:$(printf '%0200d' 0)"
expect_in 2 "a value without end" g apply --yes -
script 'set 2/1g.24gb@0 scheduler best-effort'
expect_in 2 "a GPU instance that there cannot be" g apply --yes -
script 'set 2 heterogeneous maybe'
expect_in 2 "neither on nor off" g apply --yes -
script 'set 3 heterogeneous on'
expect_in 3 "mixed sizes without virtual functions" g apply --yes -
script 'set 1 scheduler equal-share'
expect_in 3 "a scheduler under vGPUs" g apply --yes -
untouched "kvm-l40s"
script 'create 2 L40S-24Q'
expect_in 9 "as somebody who is not root" g --as-user apply --yes -
that "says what to do" says err "sudo"
script 'create 2 L40S-24Q vf 31'
expect_in 9 "asked nothing first" setsid "$program" --sim "$host" --as-user apply -
that "and told the same" says err "sudo"
untouched "not root"

# the driver refuses, lies, hangs
fault write '*/current_vgpu_type' EIO
expect_in 1 "the driver refuses" g apply --yes -
that "device, reason and state" says err "machine is as before"
untouched "refused"
fault clear
fault write '*/current_vgpu_type' nothing
expect_in 1 "the driver says yes and does nothing" g apply --yes -
untouched "a lie"
fault clear
script 'delete 1 vf:3' 'create 1 L40S-8A vf 3'
fault write '*/current_vgpu_type' EIO at 2
expect_in 1 "the second of two writes fails" g apply --yes -
untouched "undone"
fault clear

begin kvm-a2
script 'create 0 A2-4Q uuid 8f3b0f52-3f8a-4c6d-9a41-0d5b7a1e6c01 vf 5'
expect_in 3 "a UUID that is in use" g apply --yes -
that "says whose it is" says out "is that of A2-4C on GPU 0"
script 'create 0 A2-4Q uuid 11111111-2222-3333-4444-555555555555 vf 5' 'create 0 A2-4Q uuid 11111111-2222-3333-4444-555555555555 vf 6'
expect_in 3 "a UUID that is asked for twice" g apply --yes -
that "says so" says out "asked for twice"
untouched "kvm-a2"
script 'delete 0 mdev:00000000-0000-0000-0000-000000000108'
expect_in 3 "an mdev that a VM has" g apply --yes --disrupt all -
that "the VM is named" says out "desk-108"
untouched "kvm-a2 again"

begin lab
script 'mode 0000:65:00.0 whole'
expect_in 3 "a GPU that a running VM has" g apply --yes --disrupt all -
that "the VM is named" says out "cad-desk"
script 'vfs 6 99'
expect_in 2 "more VFs than a Flex 170 has" g apply --yes -
script 'set 5 compute-partition XXX'
expect_in 2 "a partition mode that the driver does not offer" g apply --yes -
that "those that it offers are named" says err "SPX"
untouched "lab"
script 'set 5 compute-partition CPX'
fault write '*/current_compute_partition' EBUSY
expect_in 1 "the KFD is busy" g apply --yes -
that "says who may be" says err "/dev/kfd"
untouched "KFD"
fault clear
script 'vfs 6 4'
fault write '*/sriov_numvfs' ENOMEM
expect_in 1 "no room for VFs" g apply --yes -
that "says where it is lacking" says err "firmware"
untouched "VFs"
fault clear
script 'mode 1 passthrough'
fault write '*/drivers_probe' nothing
expect_in 1 "drivers_probe that binds nothing" g apply --yes --disrupt unit:nvidia-persistenced.service -
untouched "probe"
that "the driver is back" [ "$(basename "$(readlink "$(pci)/0000:31:00.0/driver")")" = nvidia ]
fault clear

# PFs without a driver, another device in the group, garbage
begin lab
tree=$(g sim path)
expect 0 "a recorded copy" cp -a "$tree" "$tmp/tree"
flex=$(readlink -f "$tmp/tree/sys/bus/pci/devices/0000:9a:00.0")
rm "$flex/driver"
script 'vfs 0000:9a:00.0 2'
expect_in 3 "a PF without driver" "$program" --sysroot "$tmp/tree" plan -
that "says so" says out "no driver"
printf 'zebra\n' | { chmod u+w "$flex/sriov_totalvfs" && cat >"$flex/sriov_totalvfs"; }
expect 0 "a sriov_totalvfs of garbage" "$program" --sysroot "$tmp/tree" list
that "is said" says err "sriov_totalvfs"
a30=$(readlink -f "$tmp/tree/sys/bus/pci/devices/0000:31:00.0")
chmod u+w "$a30/vendor" && echo 0xffff >"$a30/vendor"
expect 0 "a device that has fallen off the bus" "$program" --sysroot "$tmp/tree" list
that "is said" says err "does not answer"
script 'mode 0000:4b:00.0 vgpu'
expect_in 3 "a recorded machine" "$program" --sysroot "$tmp/tree" apply --yes -

host=kvm-l40s
cp -a "$(g sim path)" "$tmp/tree2"
for list in "$tmp"/tree2/sys/bus/pci/devices/0000:a1:*/nvidia/creatable_vgpu_types; do
	chmod u+w "$list"
	{ cat "$list"; i=0; while [ $i -lt 300 ]; do printf '%-5s : NVIDIA L40S-%sQ\n' $((4000 + i)) $((100 + i)); i=$((i + 1)); done; } | head -c 4095 >"$tmp/list"
	cat "$tmp/list" >"$list"
done
expect 0 "a list that was cut at a page" "$program" --sysroot "$tmp/tree2" profiles 2
that "is taken as far as it goes" says out "L40S-24Q"
that "and no half name" [ -z "$(grep -E '^L40S-[0-9]* ' "$tmp/out")" ]
done_testing
