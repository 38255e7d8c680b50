#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh CASE DIR - one case on the live machine of a guest (DIR/live) and on its
# simulated twin (DIR/sim), and both compared: TAP. BUILD is the build
# directory, VM the kernel's; called by tests/vm/run.sh.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-build} VM=${VM:?}
case_file=${1:?usage: run.sh CASE DIR} dir=${2:?}
name=$(basename "$case_file" .case)
twin=vm-bench

# numbered WHO FILE: the lines of TAP of one play into those of all, its plan left out
numbered() { sed -n "s/^\(not \)\{0,1\}ok [0-9]* - /\1ok - $1: /p; /^#/p" "$2"; }

# names of devices are the host's on both sides
pci_ids=$(ls /usr/share/misc/pci.ids* 2>/dev/null | head -n 1)

rm -rf "$dir"
mkdir -p "$dir/live" "$dir/sim" "$dir/state"
"$top/tests/vm/boot.sh" ${pci_ids:+-f "$pci_ids"} -t 180 -k "$dir/kernel.log" -o "$dir/live" \
	-f "$BUILD/gpuslice:/usr/bin/gpuslice" -f "$BUILD/tests/tools/machine_io:/usr/bin/machine_io" \
	-f "$top/data:/usr/share/gpuslice" -f "$top/themes:/usr/share/gpuslice/themes" \
	-f "$here/play.sh:/test/play.sh" -f "$case_file:/test/case/$name.case" \
	"$here/guest.sh" "$name.case" >"$dir/live.tap"
numbered live "$dir/live.tap" >"$dir/tap"
[ "$(grep -c '^1\.\.' "$dir/live.tap")" = 1 ] || echo "not ok - live: $name did not come to its end" >>"$dir/tap"

# an installation of our own, since the twin is no machine that is shipped
install_twin() {
	prefix=$dir/twin
	mkdir -p "$prefix/bin" "$prefix/lib/gpuslice/sim" "$prefix/share" || return
	cp -r "$top/data" "$prefix/share/gpuslice" && cp "$here/$twin.json" "$prefix/share/gpuslice/hosts/" &&
		cp "$BUILD/gpuslice" "$BUILD/tests/tools/machine_io" "$prefix/bin/" &&
		cp "$BUILD/sim/libnvidia-ml.so.1" "$prefix/lib/gpuslice/sim/"
}

if ! install_twin; then
	echo "not ok - the simulated twin can be installed" >>"$dir/tap"
else
	XDG_STATE_HOME="$dir/state" PROGRAM="$prefix/bin/gpuslice" MACHINE_IO="$prefix/bin/machine_io" MACHINE="$top/tests/vm/guest/machine.sh" \
		sh "$here/play.sh" "$case_file" "$dir/sim" --sim "$twin" >"$dir/sim.tap"
	numbered sim "$dir/sim.tap" >>"$dir/tap"
	if python3 "$here/compare.py" "$dir/live" "$dir/sim" >"$dir/differences"; then
		echo "ok - $name is the same on the simulated twin" >>"$dir/tap"
	else
		echo "not ok - $name is the same on the simulated twin" >>"$dir/tap"
		cat "$dir/differences" >>"$dir/tap"
	fi
fi
rm -rf "$dir/twin"
awk '/^(not )?ok - / { n++; sub(/ok - /, "ok " n " - ") } { print } END { print "1.." n + 0 }' "$dir/tap"
! grep -q '^not ok' "$dir/tap"
