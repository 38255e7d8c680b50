#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh - run every test program and script, count, and end with one plain
# line. Test programs and scripts speak TAP. BUILD is the build directory.
set -u
BUILD=${BUILD:-build}
export BUILD
export CMOCKA_MESSAGE_OUTPUT=TAP
export LC_ALL=C.UTF-8
unset NO_COLOR COLORTERM GPUSLICE_SIM_STATE GPUSLICE_SIM_USER
work=$(mktemp -d "${TMPDIR:-/tmp}/gpuslice-check.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

count() { grep -c -E "$1" "$work/out"; }

# run NAME COMMAND…: a time limit, a state directory of its own, its output only when something is to be said
run() {
	name=$1
	shift
	mkdir -p "$work/state/$name"
	XDG_STATE_HOME="$work/state/$name" timeout -k 5 300 "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
	# cmocka calls a skipped test «not ok», which TAP means for one that is to be written
	sed -i 's/^not ok \(.*# SKIP\)/ok \1/' "$work/out"
	skip=$(grep -i -c -E '^ok .*# skip' "$work/out")
	bad=$(count '^not ok')
	good=$(count '^ok')
	good=$((good - skip))
	if [ $rc -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo "not ok - $name ended with status $rc" >>"$work/out"
	fi
	if [ "$good" -eq 0 ] && [ "$skip" -eq 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo "not ok - $name ran no test" >>"$work/out"
	fi
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
	if [ "$bad" -gt 0 ]; then
		echo "FAIL $name"
		grep -E '^(not ok|#)|rror|FAIL' "$work/out" | head -40
		tail -40 "$work/err"
	else
		printf 'ok   %-40s %3d passed%s\n' "$name" "$good" "$([ "$skip" -gt 0 ] && echo ", $skip skipped")"
	fi
	# what a test counted is said at the end
	grep -E '^# faults: ' "$work/out" >>"$work/counted"
	grep -i -E '^ok .*# skip' "$work/out" | sed 's/^ok [0-9]* *-* */     skipped: /'
	rm -rf "$work/state/$name"
}

only=${1:-}
for script in tests/static/*.sh tests/e2e/*.sh; do
	[ -e "$script" ] || continue
	case "$script" in *"$only"*) run "$script" sh "$script" ;; esac
done
for program in "$BUILD"/tests/unit/test_* "$BUILD"/tests/plan/test_* "$BUILD"/tests/property/prop_* "$BUILD"/tests/screen/test_* "$BUILD"/tests/e2e/test_*; do
	[ -x "$program" ] || continue
	source=tests/${program#"$BUILD"/tests/}.c
	[ -e "$source" ] || continue    # left over from another branch
	case "$source" in *"$only"*) run "$source" "$program" ;; esac
done
for program in "$BUILD"/tests/fuzz/fuzz_*; do
	[ -x "$program" ] || continue
	corpus=tests/fuzz/corpus/${program##*/fuzz_}
	case "$program" in *"$only"*) run "$corpus" "$program" "$corpus"/* ;; esac
done
[ ! -s "$work/counted" ] || sed 's/^# faults: //' "$work/counted"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
