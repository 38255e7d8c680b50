#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# libraries.sh - management libraries of another age: what they lack is named, what they have is used, what nobody knows yet is shown.
. tests/lib/tap.sh
d() { "$program" --sim dgx-h100 "$@"; }
k() { "$program" --sim kvm-l40s "$@"; }

expect 0 "a library of the 470 branch" d sim fault library old
expect 0 "list" d list --json --telemetry
that "every instance is there with its place, and its memory by the older call" python3 -c '
import json, sys
gpus = json.load(open(sys.argv[1]))["gpus"]
mig = [i for g in gpus for i in g["instances"] if i["kind"] == "mig"]
sys.exit(len(mig) != 11 or any(i["start"] is None or i["telemetry"]["memory_used_bytes"] is None or i["telemetry"]["memory_reserved_bytes"] is not None or
			       i["telemetry"]["utilization_percent"] is not None or "nvmlGpm" not in i["telemetry"]["utilization_reason"] for i in mig))' "$tmp/out"
expect 0 "ps" d ps
that "says what the library lacks" grep -q "library has no nvmlGpmQueryDeviceSupport" "$tmp/out"
echo 'create 3 1g.10gb at 0' >"$tmp/in"
expect_in 0 "an instance is made with what it has" d apply --yes -
expect_in 0 "and stands there" d assert -
echo 'create 3 3g.40gb at 4 ci 1c.3g.40gb@1' >"$tmp/in"
expect_in 1 "one that the library cannot place is taken back" d apply --yes -
that "with what came instead" grep -q 'asked for compute instance 1c.3g.40gb at 1' "$tmp/err"
expect 0 "vGPUs" k sim fault library old
echo 'set 2 heterogeneous on' >"$tmp/in"
expect_in 3 "a setting of later drivers" k plan -
that "names the call that is missing" grep -q 'nvmlDeviceGetVgpuHeterogeneousMode' "$tmp/out"
printf 'create 2 L40S-24Q\n' >"$tmp/in"
expect_in 0 "a vGPU all the same" k apply --yes -

expect 0 "a library of next year" d sim fault library new
expect 0 "profiles" d profiles 3
that "has the profile that nobody knows" grep -q '^1g.1gb+new  *200' "$tmp/out"
echo 'create 3 1g.10gb at 1' >"$tmp/in"
expect_in 0 "the others are made as ever" d apply --yes -
expect 0 "a call that takes its time" d sim fault nvml DeviceGetPowerUsage slow 200
expect 0 "is waited for" d ps
expect 2 "and no longer than that" d sim fault nvml DeviceGetPowerUsage slow 10001
expect 0 "clear" d sim fault clear
that "is as shipped" says out "no faults"
done_testing
