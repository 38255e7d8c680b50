#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# power.sh - a machine whose power goes in the middle of a commit, again and
# again, with one disk: TAP. Each boot recovers what the one before began.
# BUILD is the build directory, VM the kernel's; called by tests/vm/run.sh.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-build} VM=${VM:?}
work=$(mktemp -d "${TMPDIR:-/tmp}/gpuslice-power.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin:/sbin
truncate -s 16M "$work/disk" && mke2fs -q -F -t ext4 -b 4096 -J size=4 "$work/disk" || exit 2
n=0

# boot STATUS PART…: what it prints, numbered on; a boot whose power is to go has to end by that
boot() {
	expected=$1
	shift
	n=$((n + 1))
	"$here/boot.sh" -d "$work/disk" -t 120 -k "$VM/kernel-power-$n.log" -f "$BUILD/gpuslice:/usr/bin/gpuslice" \
		-f "$top/data:/usr/share/gpuslice" -f "$top/themes:/usr/share/gpuslice/themes" "$here/guest/power.sh" "$@" >"$work/out"
	status=$?
	sed -n "s/^\(not \)\{0,1\}ok [0-9]* - /\1ok - boot $n: /p; /^#/p" "$work/out" >>"$work/tap"
	if [ $status = "$expected" ]; then echo "ok - boot $n: $*" >>"$work/tap"; else echo "not ok - boot $n: $* ended with $status" >>"$work/tap"; fi
}

went=123
boot $went states cut record 3
boot $went recover finish b result cut unsynced 6
boot $went recover undo b intent cut write 3
boot $went tear 9 cut-recovery record 5 undo
boot 0 recover finish a intent save
boot 0 restore a
awk '/^(not )?ok - / { n++; sub(/ok - /, "ok " n " - ") } { print } END { print "1.." n + 0 }' "$work/tap"
! grep -q '^not ok' "$work/tap"
