#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# schemas.sh - shipped data, and what the program prints, against the JSON Schemas.
set -u
program=${BUILD:-build}/gpuslice
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
XDG_STATE_HOME=$tmp
export XDG_STATE_HOME
if ! python3 -c 'import jsonschema' 2>/dev/null; then
	echo "ok 1 - schemas # SKIP python3-jsonschema is missing"
	echo "1..1"
	exit 0
fi
g="$program --sim dgx-h100"
$g list --json --telemetry >"$tmp/snapshot.json"
$g list --json >"$tmp/plain.json"
$g profiles --json >"$tmp/profiles.json"
$g ps --json >"$tmp/ps.json"
$g who all --json >"$tmp/who.json"
$g --as-user who 0 --for delete --json >"$tmp/who-hidden.json"
$g export json >"$tmp/layout.json"
echo 'create 3 3g.40gb at 4' >"$tmp/script"
$g plan --json "$tmp/script" >"$tmp/plan.json"
echo 'delete 0 all' | $g plan --json - >"$tmp/blocked.json"
$g save --json >"$tmp/save.json"
$g apply --json --yes "$tmp/script" >"$tmp/result.json" 2>/dev/null
# the journal of one that was done, one that was undone and one that was cut off
$g sim fault nvml GpuInstanceCreateComputeInstanceWithPlacement 19 >"$tmp/out"
echo 'create 3 1g.10gb at 0' | $g apply --yes --message why - >"$tmp/out" 2>&1
$g sim fault kill after >"$tmp/out"
echo 'create 3 1g.10gb at 0' | $g apply --yes - >"$tmp/out" 2>&1
$g sim fault clear >"$tmp/out"
$g recover --undo >"$tmp/out" 2>&1
$g history --json >"$tmp/history.json"
journal=history:$tmp/history.json
for id in 1 2 3 4; do
	$g history show $id --json >"$tmp/journal-$id.json"
	journal="$journal journal:$tmp/journal-$id.json"
	python3 - "$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree/var/lib/gpuslice/journal/$id.jsonl" "$tmp/line-$id" <<-EOF || journal="$journal journal:no-lines-$id"
		import json, sys
		for n, line in enumerate(open(sys.argv[1])):
		    record = json.loads(line)
		    json.dump(record, open(f"{sys.argv[2]}-{n}.journal-line", "w"))
		    for key, schema in (("plan", "plan"), ("target", "layout"), ("base", "snapshot")):
		        # what our processes tell each other of a GPU's profiles is not in the schema
		        for gpu in record.get("base", {}).get("gpus", []):
		            for inner in ("profiles", "profiles_as", "grids", "grids_as"):
		                gpu.pop(inner, None)
		        if key in record:
		            json.dump(record[key], open(f"{sys.argv[2]}-{n}-{key}.{schema}", "w"))
	EOF
done
for line in "$tmp"/line-*; do
	journal="$journal ${line##*.}:$line"
done
$g assert --json >"$tmp/drift.json"
printf 'delete 0 all\ncreate 2 1g.10gb at 2\ncreate 3 1g.10gb at 0\n' >"$tmp/parts"
$g plan --json --scope gpu "$tmp/parts" >"$tmp/parts-plan.json"
$g apply --json --yes --scope gpu "$tmp/parts" >"$tmp/parts-result.json" 2>/dev/null
$g list --json >"$tmp/drifted.json"
printf 'create 2 1g.10gb\n' >"$tmp/torn"
$g sim fault kill after at 1 >/dev/null
$g apply --yes "$tmp/torn" >/dev/null 2>&1
$g recover --json >"$tmp/recover.json"
$g list --json >"$tmp/interrupted.json"
$program sim list --json >"$tmp/machines.json"
$g apply --json "$tmp/nowhere" >"$tmp/error.json" 2>/dev/null
cp "$XDG_STATE_HOME/gpuslice/sim/dgx-h100/tree/run/gpuslice/snapshot.json" "$tmp/published.json"
# every other host, each with families of its own
others=
for file in data/hosts/*.json; do
	host=${file##*/}
	host=${host%.json}
	$program --sim "$host" list --json --telemetry >"$tmp/$host-snapshot.json"
	$program --sim "$host" profiles --json >"$tmp/$host-profiles.json"
	$program --sim "$host" export json >"$tmp/$host-layout.json"
	$program --sim "$host" ps --json >"$tmp/$host-ps.json"
	$program --sim "$host" doctor --reboot --json --saved "$tmp/$host-layout.json" >"$tmp/$host-reboot.json"
	others="$others ps:$tmp/ps.json ps:$tmp/$host-ps.json snapshot:$tmp/$host-snapshot.json profiles:$tmp/$host-profiles.json layout:$tmp/$host-layout.json reboot:$tmp/$host-reboot.json"
done
# what no simulated machine has: written by the tests of the codec
mkdir "$tmp/examples"
for test in snapshot_json snapshot_families layout_text plan_json; do
	GS_WRITE_EXAMPLES=$tmp/examples "${BUILD:-build}/tests/unit/test_$test" >/dev/null 2>&1 || {
		echo "not ok 1 - the tests that write examples pass"
		echo "1..1"
		exit 1
	}
done
# shellcheck disable=SC2086
if python3 tests/check-schemas.py $others $journal "save:$tmp/save.json" "drift:$tmp/drift.json" "recover:$tmp/recover.json" "snapshot:$tmp/interrupted.json" "results:$tmp/parts-plan.json" "results:$tmp/parts-result.json" "snapshot:$tmp/drifted.json" "machines:$tmp/machines.json" "error:$tmp/error.json" "published:$tmp/published.json" "snapshot:$tmp/snapshot.json" "snapshot:$tmp/plain.json" "profiles:$tmp/profiles.json" "who:$tmp/who.json" "who:$tmp/who-hidden.json" "layout:$tmp/layout.json" \
	"snapshot:$tmp/examples/snapshot.json" "snapshot:$tmp/examples/families.json" "profiles:$tmp/examples/profiles.json" "profiles:$tmp/examples/families_profiles.json" "layout:$tmp/examples/layout.json" \
	"layout:$tmp/examples/families_layout.json" "layout:$tmp/examples/read_layout.json" \
	"plan:$tmp/examples/plan.json" "plan:$tmp/examples/families_plan.json" "result:$tmp/examples/result.json" \
	"plan:$tmp/plan.json" "plan:$tmp/blocked.json" "result:$tmp/result.json" >"$tmp/out" 2>&1; then
	echo "ok 1 - data files and everything printed agree with the schemas"
else
	echo "not ok 1 - data files and everything printed agree with the schemas"
	sed 's/^/# /' "$tmp/out"
	echo "1..1"
	exit 1
fi
echo "1..1"
