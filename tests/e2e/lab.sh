#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# lab.sh - one of each family: passthrough, VFs, vGPUs on VFs and as mdevs, AMD partitions, in one script and back.
. tests/lib/tap.sh
g() { "$program" --sim lab "$@"; }

tree=$(g sim path)
pci=$tree/sys/bus/pci/devices
unit='--disrupt unit:nvidia-persistenced.service'
driver() { basename "$(readlink "$pci/$1/driver")"; }
vfs() { ls -d "$pci/$1"/virtfn* 2>/dev/null | wc -l; }
mdevs() { ls "$tree/sys/bus/mdev/devices" 2>/dev/null | wc -l; }
typed() { cat "$pci/$1"/virtfn*/nvidia/current_vgpu_type | grep -vc '^0$'; }

expect 0 "reset" g sim reset
expect 0 "export" g export json
cp "$tmp/out" "$tmp/start"

cat >"$tmp/in" <<'SCRIPT'
mode model:"*A30*" passthrough
mode model:"*RTX PRO 6000*" vgpu
create model:"*RTX PRO 6000*" DC-48Q count 2
create model:"*T4*" T4-4Q count 3
vfs model:"*Flex 170*" 4
set 0000:83:00.0 compute-partition CPX
SCRIPT
cp "$tmp/in" "$tmp/make"
expect_in 3 "without its name the unit that holds two of them is in the way" g plan -
that "it is named" says out "nvidia-persistenced.service"
expect_in 0 "one script for five families" g apply --yes $unit -
that "the A30 is with vfio-pci" [ "$(driver 0000:31:00.0)" = vfio-pci ]
that "the RTX PRO 6000 has its 48 VFs" [ "$(vfs 0000:4b:00.0)" = 48 ]
that "two of them carry a vGPU" [ "$(typed 0000:4b:00.0)" = 2 ]
that "the T4 has three mdevs" [ "$(mdevs)" = 3 ]
that "the Flex 170 has 4 VFs" [ "$(vfs 0000:9a:00.0)" = 4 ]
that "the MI300X is in CPX" [ "$(cat "$pci/0000:83:00.0/current_compute_partition")" = CPX ]
expect 0 "the service runs again" g list
that "and has the T4 open" says out "nvidia-persiste"
cp "$tmp/make" "$tmp/in"
expect_in 0 "the same script again" g apply --yes --json $unit -
that "plans 0 steps" python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); sys.exit(len(r["plan"]["steps"]))' "$tmp/out"
expect_in 0 "assert agrees" g assert -
expect 0 "export of what is" g export json
cp "$tmp/out" "$tmp/made"
expect 0 "a layout asserts itself" g assert "$tmp/made"

cat >"$tmp/in" <<'SCRIPT'
mode model:"*A30*" whole
delete model:"*RTX PRO 6000*" all
mode model:"*RTX PRO 6000*" whole
delete model:"*T4*" all
vfs model:"*Flex 170*" 0
set 0000:83:00.0 compute-partition SPX
SCRIPT
expect_in 0 "and all of it back" g apply --yes $unit -
that "the A30 has its driver" [ "$(driver 0000:31:00.0)" = nvidia ]
that "no VF is left" [ "$(vfs 0000:4b:00.0)$(vfs 0000:9a:00.0)" = 00 ]
that "no mdev is left" [ "$(mdevs)" = 0 ]
expect 0 "export" g export json
that "is byte-equal to the start" cmp -s "$tmp/out" "$tmp/start"

# the same by a layout file
expect 0 "the layout of before" g apply --yes $unit "$tmp/made"
expect 0 "export" g export json
that "is what the script made" cmp -s "$tmp/out" "$tmp/made"
expect 0 "and the one of the start" g apply --yes $unit "$tmp/start"
expect 0 "export" g export json
that "is the start" cmp -s "$tmp/out" "$tmp/start"

# a card that a VM has
echo 'mode 0000:65:00.0 whole' >"$tmp/in"
expect_in 3 "the card of a running VM stays" g apply --yes --disrupt all -
that "the VM is named" says out "cad-desk"

# pending is not done
echo 'set 0000:83:00.0 memory-partition NPS4' >"$tmp/in"
expect_in 8 "the memory mode waits for a reload" g apply --yes -
expect 0 "list" g list --json
that "and is shown as pending" says out "NPS4"
that "the driver has the old one" [ "$(cat "$pci/0000:83:00.0/current_memory_partition")" = NPS1 ]
expect_in 0 "asking again is nothing to do" g apply --yes -
expect 0 "amdgpu is loaded anew" g sim fault reload amdgpu
that "now it is" [ "$(cat "$pci/0000:83:00.0/current_memory_partition")" = NPS4 ]
echo 'set 0000:83:00.0 memory-partition NPS3' >"$tmp/in"
expect_in 2 "a mode that it does not have" g plan -
that "names those that it has" says err "NPS1"

# from passthrough to vGPUs in one script: no driver lists the types before
g sim reset >/dev/null
g export json >"$tmp/before"
echo 'mode 2 passthrough' >"$tmp/in"
expect_in 0 "a T4 is passed through" g apply --yes --disrupt unit:nvidia-persistenced.service -
printf 'mode 2 vgpu\ncreate 2 T4-4Q count 2\n' >"$tmp/in"
expect_in 0 "and cut into vGPUs at once" g apply --yes -
that "with types of the catalogue" says out "types-from-catalogue"
expect_in 0 "which is so then" g assert -
printf 'delete 2 all\nmode 2 passthrough\n' >"$tmp/in"
expect_in 0 "it is passed through again" g apply --yes --disrupt unit:nvidia-persistenced.service -
printf 'mode 2 vgpu\ncreate 2 T4-5Q\n' >"$tmp/in"
expect_in 2 "a type that the catalogue does not have" g apply --yes -
that "takes two scripts" says err "Two scripts are needed"
echo 'mode 2 vgpu' >"$tmp/in"
expect_in 0 "it gets its driver back" g apply --yes -
g export json >"$tmp/after"
that "and is as it was" cmp -s "$tmp/before" "$tmp/after"

# shares of a VF: an amount is a number, and only VFs that are on have any
expect 0 "reset" g sim reset
echo 'vfs 6 4' >"$tmp/in"
expect_in 0 "four VFs" g apply --yes -
echo 'set 6/vf:0 vram-quota-bytes 4G' >"$tmp/in"
expect_in 2 "no number" g plan -
that "says what one is" says err "whole number"
echo 'set 6/vf:7 vram-quota-bytes 2147483648' >"$tmp/in"
expect_in 3 "a VF that is off" g plan -
that "says how many are on" says out "the first 4 are on"
echo 'set 6/vf:0 vram-quota-bytes 2147483648' >"$tmp/in"
expect_in 0 "the README's own" g apply --yes -
done_testing
