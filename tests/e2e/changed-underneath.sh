#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# changed-underneath.sh - what a commit says when the machine changes under it: a GPU that is lost or gone, a driver that is loaded again.
. tests/lib/tap.sh
d() { "$program" --sim dgx-h100 "$@"; }
l() { "$program" --sim lab "$@"; }

. tests/lib/clock.sh

is_said() { grep -qF -- "$1" "$tmp/running"; }
# under_way HOST FILE [OPTION…]: a commit in the background, up to where it waits
under_way() {
	host=$1 file=$2
	shift 2
	# what an earlier one said is not this one's
	: >"$tmp/running"
	"$program" --sim "$host" apply --yes "$@" "$file" >"$tmp/running" 2>&1 9>&- &
	pid=$!
	that "the commit waits" until_true is_said 'waiting '
}
ends_with() {
	wait "$pid"
	rc=$?
	that "the status is $1" [ "$rc" = "$1" ]
	[ "$rc" = "$1" ] || sed 's/^/# /' "$tmp/running"
}

printf 'create 3 3g.40gb at 4\ncreate 3 1g.10gb count 4\nmode 6 mig\n' >"$tmp/mig"
for what in "nvml lost 0000:61:00.0" "reload nvidia"; do
	d sim reset >/dev/null
	d sim fault nvml GpuInstanceCreateComputeInstanceWithPlacement hang >/dev/null
	under_way dgx-h100 "$tmp/mig"
	# shellcheck disable=SC2086
	d sim fault $what >/dev/null
	d sim fault release >/dev/null
	ends_with 5
	that "nobody is told that it is as before" [ "$(grep -c 'as before' "$tmp/running")" = 0 ]
	case $what in
	*lost*) that "but what cannot be told" is_said 'GPU 3 cannot be looked at' ;;
	*) that "but what is gone" is_said 'GPU 3 is in mode whole, not mig' ;;
	esac
done
d sim reset >/dev/null

# the two first GPUs are done when the third one's driver is loaded again
printf 'delete 0 1g.5gb@2\ncreate 2 T4-4Q count 2\nset 5 compute-partition CPX\n' >"$tmp/three"
l sim reset >/dev/null
l sim fault write '*/current_compute_partition' hang >/dev/null
under_way lab "$tmp/three" --disrupt all
l sim fault reload nvidia >/dev/null
l sim fault release >/dev/null
ends_with 5
that "all steps were done" is_said 'steps were done and proved, but at the end the machine is not as asked'
that "a vGPU that went is named" is_said 'create vGPU T4-4Q'
that "an instance that was to stay as well" is_said 'has lost the 3g.20gb at 4, which was to stay'

# one that is gone from the bus costs the others nothing
printf 'delete 0 1g.5gb@2\nmode 3 passthrough\n' >"$tmp/gone"
l sim reset >/dev/null
l sim fault write '*/driver_override' hang >/dev/null
under_way lab "$tmp/gone" --disrupt all
l sim fault vanish 0000:4b:00.0 >/dev/null
l sim fault release >/dev/null
ends_with 5
that "the one that is gone is named" is_said 'GPU 3 has gone'
that "and only that one" [ "$(grep -o 'Otherwise than before: .*' "$tmp/running" | grep -c 'GPU 0')" = 0 ]
expect 0 "list" l list --json
that "what was deleted on the other is there again" python3 -c '
import json, sys
gpu = json.load(open(sys.argv[1]))["gpus"][0]
sys.exit(("1g.5gb", 2) not in [(i["profile"], i["start"]) for i in gpu["instances"]])' "$tmp/out"

# an undo that fails as well says all that is otherwise, not only instances
l sim reset >/dev/null
printf 'set 5 compute-partition CPX\nmode 3 passthrough\nvfs 6 4\n' >"$tmp/all"
l sim fault write '*/sriov_numvfs' EIO at 1 >/dev/null
for i in 1 2 3 4 5 6 7 8 9; do
	l sim fault write '*/current_compute_partition' EIO at $((i + 1)) >/dev/null
	l sim fault write '*/unbind' EIO at $((i + 1)) >/dev/null
done
expect 5 "several GPUs that do not come back" l apply --yes --disrupt all "$tmp/all"
that "its driver" grep -q 'GPU 3 has driver vfio-pci, not nvidia' "$tmp/err"
that "its mode" grep -q 'GPU 3 is in mode passthrough, not whole' "$tmp/err"
that "its setting" grep -q 'GPU 5 has compute-partition CPX, not SPX' "$tmp/err"
expect 0 "whoever looks" l list
that "sees which GPUs were left half way" [ "$(grep -c 'commit 1 could neither be finished nor undone *gpuslice recover' "$tmp/out")" = 3 ]
expect 3 "nothing is saved of that" l save
that "and why" says err 'commit 1 ('

# what stays with its driver is not promised to another one
l sim reset >/dev/null
echo 'mode 3 passthrough' >"$tmp/one"
l sim fault write '*/unbind' EIO at 1 >/dev/null
expect 1 "an unbind that is refused" l apply --yes --disrupt all "$tmp/one"
that "driver_override is as it was" [ "$(cat "$(l sim path)/sys/bus/pci/devices/0000:4b:00.0/driver_override")" = "(null)" ]
done_testing
