#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# play.sh CASE DIR [--sim NAME] - play a case against a machine: the live one,
# or a simulated one. Each step leaves a folder DIR/NNN with what was asked
# (step, input) and what came of it (status, output, errors), for compare.py.
# Prints a line of TAP for each expectation. The language of cases is in
# README.md. PROGRAM and MACHINE_IO are paths; names of GPUs come from MACHINE,
# holders from HOLD where there is such.
set -u
PROGRAM=${PROGRAM:?} MACHINE_IO=${MACHINE_IO:?}
# shellcheck source=tests/vm/guest/machine.sh
. "${MACHINE:?}"
# shellcheck source=tests/vm/guest/hold.sh
[ -z "${HOLD:-}" ] || . "$HOLD"
case_file=${1:?usage: play.sh CASE DIR [--sim NAME]} out=${2:?}
shift 2
case_name=$(basename "$case_file" .case)
n=0 tap_n=0 tap_bad=0 step='' line_number=0

# {A2} is an address; @ stands for where all devices are
names() {
	sed "s|{A2}|$A2|g; s|{T4}|$T4|g; s|{ADA}|$ADA|g; s|{ADA_AUDIO}|$ADA_AUDIO|g; s|{V100_A}|$V100_A|g; s|{V100_B}|$V100_B|g
		s|{L40S}|$L40S|g; s|{MI300X}|$MI300X|g; s|{FLEX}|$FLEX|g; s|^\([a-z]* \)@|\1sys/bus/pci/devices/|"
}

# A VFIO device is held as by a virtual machine, until `release`; the guest has the means.
hold_or_release() {
	if [ $# -gt 0 ]; then
		echo "nobody can be made to hold a device of a simulated machine" >&2
		return 1
	fi
	if [ "$verb" = release ]; then
		release
		return
	fi
	hold device "$(basename "$(readlink "/$rest/iommu_group")")" "$(basename "$(readlink -f "/$rest")")"
	echo "$held"
}

# perform MACHINE… : the step in $step, with its input in $d/input
perform() {
	verb=${step%% *}
	rest=${step#* }
	case $verb in
	run)
		set -f
		# shellcheck disable=SC2086
		"$PROGRAM" "$@" $rest <"$d/input" >"$d/output" 2>"$d/errors" 3>&-
		echo $? >"$d/status"
		set +f
		;;
	read | link | list)
		"$MACHINE_IO" "$@" "$verb" "$rest" >"$d/output" 2>"$d/errors"
		echo $? >"$d/status"
		;;
	write)
		"$MACHINE_IO" "$@" write "${rest%% *}" "${rest#* }" >"$d/output" 2>"$d/errors"
		echo $? >"$d/status"
		;;
	hold | release)
		hold_or_release "$@" >"$d/output" 2>"$d/errors"
		echo $? >"$d/status"
		;;
	*)
		echo "$case_name:$line_number: what is «$verb»?" >"$d/errors"
		echo 127 >"$d/status"
		;;
	esac
}

# finish MACHINE…: do the step that was read, unless that has happened
finish() {
	[ -n "$step" ] || return 0
	printf '%s\n' "$step" >"$d/step"
	perform "$@"
	step=''
}

begin() {
	n=$((n + 1))
	step=$1
	d=$out/$(printf '%03d' $n)
	mkdir -p "$d"
	: >"$d/input"
}

# expect WHAT: of `run` its exit status, of others their line of output
expect() {
	tap_n=$((tap_n + 1))
	case $(cat "$d/step") in
	run\ *) got=$(cat "$d/status") ;;
	*) got=$(cat "$d/output") ;;
	esac
	if [ "$got" = "$1" ]; then
		echo "ok $tap_n - $case_name:$line_number: $(cat "$d/step") = $1"
	else
		echo "not ok $tap_n - $case_name:$line_number: $(cat "$d/step")"
		printf '# expected: %s\n# got: %s\n' "$1" "$got"
		head -5 "$d/errors" | sed 's/^/# err: /'
		tap_bad=1
	fi
}

names <"$case_file" >"$out/case"
while IFS= read -r line; do
	line_number=$((line_number + 1))
	case $line in
	'' | '#'*) ;;
	'> '*) printf '%s\n' "${line#> }" >>"$d/input" ;;
	'= '*)
		finish "$@"
		expect "${line#= }"
		;;
	*)
		finish "$@"
		begin "$line"
		;;
	esac
done <"$out/case"
finish "$@"
echo "1..$tap_n"
exit $tap_bad
