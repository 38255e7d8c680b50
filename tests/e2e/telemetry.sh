#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# telemetry.sh - what is measured, in list, ps and the monitor: of GPUs, of MIG instances, of vGPUs; and why something is not.
. tests/lib/tap.sh
g() { "$program" --sim dgx-h100 "$@"; }
k() { "$program" --sim kvm-l40s "$@"; }
l() { "$program" --sim lab "$@"; }

expect 0 "reset" g sim reset
expect 0 "reset" k sim reset
expect 0 "reset" l sim reset

# each instance with memory, load and who works there, also where the viewer is told no places
for where in "places unknown" "places published"; do
	expect 0 "a frame, $where" g monitor --once --size 40x120
	that "an instance of GPU 0 with its process" grep -Eq '^0 +3g.40gb +GI 1( at 0)? +31\.0 +8\.5 +39\.5 +[1-9][0-9]*% +pid 48211 python3 \(alice\) 31\.0 GiB$' "$tmp/out"
	that "its neighbour" grep -Eq '^0 +3g.40gb +GI 2( at 4)? +35\.4 +4\.1 +39\.5 +[1-9][0-9]*% +pid 50377 python3 \(chen\) 35\.4 GiB$' "$tmp/out"
	that "all eleven instances" [ "$(grep -Ec '^[0-7] +[1-7]g\.[0-9]+gb +GI [0-9]+ .* [0-9]+% ' "$tmp/out")" = 11 ]
	that "an idle one reads 0, and nobody says that it is free" grep -Eq '^2 +2g.20gb +GI 3( at 0)? +0\.0 +19\.6 +19\.6 +0% +\?$' "$tmp/out"
	g agent --publish >/dev/null 2>&1
done

# what one look tells
expect 0 "list" g list --telemetry --json
that "each reading is there, and unknown is null" python3 -c '
import json, sys
gpus = json.load(open(sys.argv[1]))["gpus"]
t = gpus[4]["telemetry"]
assert t["memory_total_bytes"] == t["memory_used_bytes"] + t["memory_free_bytes"] + t["memory_reserved_bytes"], t
assert t["clock_sm_mhz"] and t["ecc_is_on"] is not None and t["pcie_generation"] == 5 and t["pcie_rx_bytes_per_second"] > 0, t
assert 0 < t["power_watts"] < t["power_limit_watts"] == 700, t
busy = [i["telemetry"] for i in gpus[1]["instances"] if i["profile"] == "3g.40gb"][0]
assert 0 < busy["utilization_percent"] <= 100 and busy["utilization_reason"] is None, busy
assert busy["clock_sm_mhz"] is None and busy["temperature_celsius"] is None, busy
assert gpus[1]["telemetry"]["utilization_percent"] is None and gpus[1]["telemetry"]["utilization_reason"]
idle = gpus[2]["instances"][0]["telemetry"]
assert idle["utilization_percent"] == 0 and idle["memory_used_bytes"] == 0, idle' "$tmp/out"
expect 0 "without it there is none" g list --json
that "as asked" says_not out "utilization_percent"

# why there is none
expect 0 "an A100 with MIG" l list --telemetry --json
that "says what it takes" says out "from Hopper on only"
expect 0 "a meter that says that its GPU has gone" g sim fault nvml DeviceGetClockInfo 15
expect 0 "list" g list --telemetry --json
that "one is lost, and the others are measured" python3 -c '
import json, sys
gpus = json.load(open(sys.argv[1]))["gpus"]
assert [bool(g["lost"]) for g in gpus] == [True] + [False] * 7
assert all(i["telemetry"]["utilization_percent"] is not None for g in gpus[1:] for i in g["instances"])' "$tmp/out"
expect 0 "reset" g sim reset

# vGPUs
expect 0 "list" k list --telemetry --json
that "vGPUs are measured by their host" python3 -c '
import json, sys
gpus = json.load(open(sys.argv[1]))["gpus"]
t = [i["telemetry"] for i in gpus[0]["instances"]]
assert all(i["utilization_percent"] is not None and i["memory_total_bytes"] == 24 << 30 for i in t), t
assert gpus[1]["instances"][1]["telemetry"]["utilization_percent"] is None' "$tmp/out"

# ps, and its order
for key in gpu memory load pid user name; do
	expect 0 "by $key" g ps --sort $key --json
	cp "$tmp/out" "$tmp/$key"
done
that "the same rows in each" python3 -c '
import json, sys
rows = [json.load(open(path))["rows"] for path in sys.argv[1:]]
def name(r): return (r["gpu"], str(r["id"]))
assert len(rows[0]) == 15 and all(sorted(map(name, r)) == sorted(map(name, rows[0])) for r in rows), [len(r) for r in rows]
' "$tmp/gpu" "$tmp/memory" "$tmp/load" "$tmp/pid" "$tmp/user" "$tmp/name"
that "by memory the fullest first" python3 -c '
import json, sys
used = [r["telemetry"]["memory_used_bytes"] for r in json.load(open(sys.argv[1]))["rows"]]
assert used == sorted(used, reverse=True) and used[0] > used[-1], used' "$tmp/memory"
that "by pid the lowest of who works in an instance" python3 -c '
import json, sys
rows = [r for r in json.load(open(sys.argv[1]))["rows"] if r["id"] is not None]
pids = [r["holders"][0]["pid"] if r["holders"] else None for r in rows]
known = [p for p in pids if p is not None]
assert len(known) == 6 and pids == sorted(known) + [None] * (len(pids) - 6), pids' "$tmp/pid"
expect 2 "by what there is not" g ps --sort size
expect 2 "ps of one GPU" g ps 3
expect 0 "who cannot see everybody" k --as-user ps
that "is told so, not that nobody is there" grep -Eq '^3 +whole GPU .* \?$' "$tmp/out"

done_testing
