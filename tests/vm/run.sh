#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh [PART-OF-A-NAME] - the tests that need a real Linux kernel: get one,
# build our test modules for it, boot it once per script of facts/ and crash/ and
# once per case of tests/conformance, and one machine again and again (power.sh); count.
# BUILD is the build directory. Without QEMU or a kernel this fails, unless
# GPUSLICE_VM_OPTIONAL=1 says that it may be skipped (status 77).
set -u
BUILD=${BUILD:-build}
CC=${CC:-gcc}
here=$(cd "$(dirname "$0")" && pwd)
only=${1:-}
mkdir -p "$BUILD/vm"
VM=$(cd "$BUILD/vm" && pwd)
export VM
work=$(mktemp -d "${TMPDIR:-/tmp}/gpuslice-check-vm.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
start=$(date +%s%3N)
: >"$VM/boots"

cannot() {
	echo "check-vm: $*" >&2
	if [ "${GPUSLICE_VM_OPTIONAL:-}" = 1 ]; then
		echo "check-vm: skipped, as GPUSLICE_VM_OPTIONAL=1 allows" >&2
		exit 77
	fi
	exit 1
}

seconds() { awk -v ms="$1" 'BEGIN { printf "%.1f", ms / 1000 }'; }
since() { seconds $(($(date +%s%3N) - $1)); }

PATH=$PATH:/usr/sbin:/sbin
for tool in qemu-system-x86_64 busybox mke2fs cpio depmod readelf strip zstd xz "$CC"; do
	command -v "$tool" >/dev/null || cannot "$tool is missing: make vm-deps"
done

# build MODULES out of the source tree: kbuild leaves its files beside the sources
build_modules() {
	rm -rf "$VM/kbuild" && mkdir -p "$VM/kbuild" "$VM/modules" && cp "$here"/modules/* "$VM/kbuild/" || return
	make -s -C "/lib/modules/$(cat "$VM/version")/build" M="$VM/kbuild" modules >"$work/kbuild" 2>&1 || { cat "$work/kbuild" >&2; return 1; }
	if grep -i warning "$work/kbuild" >&2; then return 1; fi
	rm -f "$VM"/modules/*.ko && cp "$VM"/kbuild/*.ko "$VM/modules/"
}

build_tools() {
	mkdir -p "$VM/tools"
	for source in "$here"/tools/*.c; do
		name=$(basename "$source" .c)
		"$CC" -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -static -I"$here/../.." -o "$VM/tools/$name" "$source" "$here/../lib/attribute_text.c" || return
	done
}

"$here/kernel.sh" "$VM" || cannot "there is no kernel to boot"
build_modules || cannot "the test modules do not build for Linux $(cat "$VM/version")"
build_tools || cannot "the helpers do not build"
"$here/base.sh" "$VM" || cannot "the initial file system cannot be made"
echo "Linux $(cat "$VM/version") ($(cat "$VM/release")), ready after $(since "$start") s"

passed=0 failed=0 skipped=0 cases=0
mkdir -p "$work/jobs"

# count NAME STATUS SECONDS TAP ERRORS
count() {
	skip=$(grep -i -c -E '^ok .*# skip' "$4")
	bad=$(grep -c '^not ok' "$4")
	good=$(($(grep -c '^ok' "$4") - skip))
	planned=$(sed -n 's/^1\.\.//p' "$4")
	if [ "$bad" -eq 0 ] && { [ "$2" -ne 0 ] || [ "${planned:-none}" != $((good + skip)) ]; }; then
		bad=1
		echo "not ok - $1 ended with status $2 after $((good + skip)) of ${planned:-unknown} tests" >>"$4"
	fi
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
	if [ "$bad" -gt 0 ]; then
		echo "FAIL $1"
		grep -B 2 -A 12 -E '^not ok' "$4" | head -120
		tail -n 40 "$5"
	else
		printf 'ok   %-44s %3d passed%s  %5s s\n' "$1" "$good" "$([ "$skip" -gt 0 ] && echo ", $skip skipped")" "$3"
	fi
}

# job NAME COMMAND…: to be run, unless only others are asked for. Words without quotes.
job() {
	name=$1
	shift
	case $name in *"$only"*) ;; *) return ;; esac
	n_jobs=$((n_jobs + 1))
	file=$work/jobs/$(printf '%03d' $n_jobs)
	echo "$name" >"$file.name"
	words=
	for word; do words="$words '$word'"; done
	cat >"$file.sh" <<-EOF
		began=\$(date +%s%3N)
		$words >'$file.out' 2>'$file.err'
		echo \$? \$((\$(date +%s%3N) - began)) >'$file.status.new'
		mv '$file.status.new' '$file.status'
	EOF
}

n_jobs=0
for script in "$here"/facts/*.sh; do
	name=$(basename "$script")
	job "tests/vm/facts/$name" "$here/boot.sh" -t 240 -k "$VM/kernel-$name.log" "$script"
done
for script in "$here"/crash/*.sh; do
	name=$(basename "$script")
	job "tests/vm/crash/$name" "$here/boot.sh" -t 240 -k "$VM/kernel-crash-$name.log" -f "$BUILD/gpuslice:/usr/bin/gpuslice" \
		-f "$here/../../data:/usr/share/gpuslice" -f "$here/../../themes:/usr/share/gpuslice/themes" "$script"
done
job tests/vm/power.sh "$here/power.sh"
job tests/vm/restore_unit.sh "$here/restore_unit.sh"
for program in "$BUILD"/tests/vm/test_*; do
	name=$(basename "$program")
	[ -x "$program" ] && [ -e "$here/$name.c" ] || continue
	job "tests/vm/$name.c" "$here/boot.sh" -p -t 240 -k "$VM/kernel-$name.log" -b "$program" -f "$BUILD/gpuslice:/usr/bin/gpuslice" \
		-f "$here/../../data:/usr/share/gpuslice" -f "$here/../../themes:/usr/share/gpuslice/themes" "$here/guest/console.sh"
done
for case_file in "$here"/../conformance/cases/*.case; do
	name=$(basename "$case_file")
	job "tests/conformance/$name" "$here/../conformance/run.sh" "$case_file" "$VM/conformance/${name%.case}"
	case $name in *"$only"*) cases=$((cases + 1)) ;; esac
done
[ "$n_jobs" -gt 0 ] || cannot "nothing is called \"$only\""

# a guest has one processor: as many at a time as there are here
printf '%s\n' "$work"/jobs/*.sh | xargs -P "${JOBS:-$(nproc)}" -n 1 sh &
runner=$!
for file in "$work"/jobs/*.name; do
	file=${file%.name}
	while [ ! -e "$file.status" ] && kill -0 $runner 2>/dev/null; do sleep 0.2; done
	if [ ! -e "$file.status" ]; then
		echo "FAIL $(cat "$file.name"): it was not run"
		failed=$((failed + 1))
		continue
	fi
	read -r status ms <"$file.status"
	count "$(cat "$file.name")" "$status" "$(seconds "$ms")" "$file.out" "$file.err"
done
wait $runner

boots=$(wc -l <"$VM/boots")
retries=$(grep -c -E '^12[45] ' "$VM/boots")
awk '$3 != "-" { n++; sum += $3; if ($3 > max) max = $3 } END { if (n) printf "a guest is up after %.1f s, at most %.1f s\n", sum / n, max }' "$VM/boots"
echo "$passed passed, $failed failed, $skipped skipped; $boots boots, $retries without a verdict; $cases cases on both kernels; $(since "$start") s"
# what is skipped here has not been compared
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$skipped" -eq 0 ]
