#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# lab-mig-vgpu.sh - a GPU from plain to MIG with vGPUs of two sizes in its instances, in one script, and all of it back.
. tests/lib/tap.sh
g() { "$program" --sim lab "$@"; }

unit='--disrupt unit:nvidia-persistenced.service'
tree=$(g sim path)
pci=$tree/sys/bus/pci/devices/0000:4b:00.0
expect 0 "reset" g sim reset
expect 0 "export" g export json
cp "$tmp/out" "$tmp/start"

cat >"$tmp/make" <<'SCRIPT'
mode 3 mig-vgpu
create 3 1g.24gb+gfx at 0
create 3 2g.48gb+gfx at 6
set 3/1g.24gb+gfx@0 scheduler fixed-share:arr=off:timeslice-ns=2000000
set 3/2g.48gb+gfx@6 scheduler equal-share:arr=on:frequency-hz=480
create 3/1g.24gb+gfx@0 DC-1-12Q count 2
create 3/2g.48gb+gfx@6 DC-2-24Q
SCRIPT
cp "$tmp/make" "$tmp/in"
expect_in 0 "mode, VFs, instances and types in one script" g apply --yes $unit -
that "in that order" [ "$(grep -oE '^done [0-9]+/[0-9]+  GPU 3: (set mode|enabled|created [12]g|created CI|set scheduler|created vGPU)' "$tmp/out" | sed 's/.*: //' | uniq | tr '\n' ',')" = \
	"set mode,enabled,created 1g,created CI,created 2g,created CI,set scheduler,created vGPU," ]
that "three VFs are typed" [ "$(cat "$pci"/virtfn*/nvidia/current_vgpu_type | grep -vc '^0$')" = 3 ]
expect 0 "list" g list --json
that "two share an instance, the third has the other" python3 -c '
import json, sys
gpu = json.load(open(sys.argv[1]))["gpus"][3]
on = sorted((i["on"]["profile"], i["on"]["start"]) for i in gpu["instances"] if i["kind"] == "vgpu")
sys.exit(on != [("1g.24gb+gfx", 0), ("1g.24gb+gfx", 0), ("2g.48gb+gfx", 6)])' "$tmp/out"
that "each instance has the scheduler that it was given, with what the driver adds by itself" python3 -c '
import json, sys
gpu = json.load(open(sys.argv[1]))["gpus"][3]
is_set = {i["profile"]: i["params"]["scheduler"] for i in gpu["instances"] if i["kind"] == "mig"}
sys.exit(is_set != {"1g.24gb+gfx": "fixed-share:arr=off:timeslice-ns=2000000",
		    "2g.48gb+gfx": "equal-share:arr=on:average-factor=33:frequency-hz=480"})' "$tmp/out"
cp "$tmp/make" "$tmp/in"
expect_in 0 "the same script again" g plan --exit-code -
echo 'set 3/1g.24gb+gfx@0 scheduler best-effort' >"$tmp/in"
expect_in 3 "another scheduler under vGPUs" g plan -
that "that names them" grep -q 'while no vGPU is in it, and 2 stay' "$tmp/out"
echo 'create 3/1g.24gb+gfx@0 DC-1-6Q' >"$tmp/in"
expect_in 3 "another size in the same instance" g plan -
expect 0 "export" g export json
cp "$tmp/out" "$tmp/made"

printf 'delete 3 all\nmode 3 whole\n' >"$tmp/in"
expect_in 0 "all of it back" g apply --yes $unit -
expect 0 "export" g export json
that "is byte-equal to the start" cmp -s "$tmp/out" "$tmp/start"
expect 0 "the same by a layout" g apply --yes $unit "$tmp/made"
expect 0 "export" g export json
that "is what the script made" cmp -s "$tmp/out" "$tmp/made"
expect 0 "and back by one" g apply --yes $unit "$tmp/start"
expect 0 "export" g export json
that "is the start" cmp -s "$tmp/out" "$tmp/start"
done_testing
