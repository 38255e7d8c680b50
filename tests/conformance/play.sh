#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# play.sh CASE DIR [--sim NAME] - play a case against a machine: the live one,
# or a simulated one. Each step leaves a folder DIR/NNN with what was asked
# (step, input) and what came of it (status, output, errors), for compare.py.
# Prints a line of TAP for each expectation. The language of cases is in
# README.md. PROGRAM and MACHINE_IO are paths; names of GPUs come from MACHINE,
# holders and faults of the live machine from HOLD and FAULT_WORDS.
set -u
PROGRAM=${PROGRAM:?} MACHINE_IO=${MACHINE_IO:?}
# shellcheck source=tests/vm/guest/machine.sh
. "${MACHINE:?}"
# shellcheck source=tests/vm/guest/hold.sh
[ -z "${HOLD:-}" ] || . "$HOLD"
# shellcheck source=tests/vm/guest/fault.sh
[ -z "${FAULT_WORDS:-}" ] || . "$FAULT_WORDS"
case_file=${1:?usage: play.sh CASE DIR [--sim NAME]} out=${2:?}
shift 2
case_name=$(basename "$case_file" .case)
n=0 tap_n=0 tap_bad=0 step='' line_number=0 background=''

# {A2} is an address; @ stands for where all devices are
names() {
	sed "s|{A2}|$A2|g; s|{T4}|$T4|g; s|{ADA}|$ADA|g; s|{ADA_AUDIO}|$ADA_AUDIO|g; s|{V100_A}|$V100_A|g; s|{V100_B}|$V100_B|g
		s|{L40S}|$L40S|g; s|{MI300X}|$MI300X|g; s|{FLEX}|$FLEX|g; s|^\([a-z]* \)@|\1sys/bus/pci/devices/|"
}

# hold_device MACHINE… : a VFIO device is held as by a virtual machine, until `release`
hold_device() {
	path=${rest%% *} how=''
	case $rest in *' unseen') how=unseen ;; esac
	if [ $# -gt 0 ]; then
		"$PROGRAM" "$@" sim fault hold "$("$MACHINE_IO" "$@" link "$path")" $how >/dev/null && echo held
	else
		hold "device${how:+-$how}" "$(basename "$(readlink "/$path/iommu_group")")" "$(basename "$(readlink -f "/$path")")"
		echo "$held"
	fi
}

# as_user MACHINE… : the program as somebody who is not root
as_user() {
	if [ $# -gt 0 ]; then
		"$PROGRAM" "$@" --as-user $rest
	else
		su -s /bin/sh nobody -c "exec $PROGRAM $rest"
	fi
}

# fault_words MACHINE… : in the words of «gpuslice sim fault» on both
fault_words() {
	if [ $# -gt 0 ]; then "$PROGRAM" "$@" sim fault $rest >/dev/null; else fault $rest; fi
}

# records MACHINE… : how many writes are waited for
records() {
	found=$("$MACHINE_IO" "$@" list run/gpuslice/writes)
	case $found in '' | ENOENT) echo 0 ;; *) echo "$found" | wc -w ;; esac
}

# await NUMBER MACHINE… : until so many writes are waited for, at most some 20 s
await() {
	wanted=$1
	shift
	for _ in $(seq 100); do
		if [ "$(records "$@")" = "$wanted" ]; then
			echo "$wanted"
			return
		fi
		sleep 0.2
	done
	echo "still $(records "$@")"
	return 1
}

# begin_run MACHINE… : `run`, with an end of its own; $background is its folder
begin_run() {
	background=$d
	rm -f "$d/status"
	(
		"$PROGRAM" "$@" $rest <"$d/input" >"$d/output" 2>"$d/errors" 3>&- &
		echo $! >"$d/pid"
		wait $!
		echo $? >"$d/status.new"
		mv "$d/status.new" "$d/status"
	) 3>&- 2>/dev/null &
}

# kill_agent: the first child of what `start` began
kill_agent() {
	pid=$(cat "$background/pid")
	agent=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children")
	kill -KILL "$agent"
}

# end_run: how what `start` began ends, which takes 20 s at most
end_run() {
	for _ in $(seq 100); do
		if [ -e "$background/status" ]; then
			cat "$background/status"
			return
		fi
		sleep 0.2
	done
	echo "goes on"
	return 1
}

# perform MACHINE… : the step in $step, with its input in $d/input
perform() {
	verb=${step%% *}
	rest=${step#* }
	set -f
	case $verb in
	run)
		# shellcheck disable=SC2086
		"$PROGRAM" "$@" $rest <"$d/input" 3>&-
		;;
	user) as_user "$@" <"$d/input" 3>&- ;;
	read | link | list) "$MACHINE_IO" "$@" "$verb" "$rest" ;;
	write) "$MACHINE_IO" "$@" write "${rest%% *}" "${rest#* }" ;;
	# shellcheck disable=SC2086
	program) "$MACHINE_IO" "$@" run $rest ;;
	hold) hold_device "$@" ;;
	release) if [ $# -gt 0 ]; then "$PROGRAM" "$@" sim fault release >/dev/null; else release; fi ;;
	fault) fault_words "$@" ;;
	await) await "$rest" "$@" ;;
	interrupt) kill -INT "$(cat "$background/pid")" && end_run ;;
	kill) kill_agent && end_run ;;
	*)
		echo "$case_name:$line_number: what is «$verb»?" >&2
		false
		;;
	esac >"$d/output" 2>"$d/errors"
	echo $? >"$d/status"
	set +f
}

# finish MACHINE…: do the step that was read, unless that has happened
finish() {
	[ -n "$step" ] || return 0
	printf '%s\n' "$step" >"$d/step"
	case $step in
	'start '*)
		rest=${step#* }
		begin_run "$@"
		;;
	*) perform "$@" ;;
	esac
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
	run\ * | user\ *) got=$(cat "$d/status") ;;
	*) got=$(cat "$d/output") ;;
	esac
	if [ "$got" = "$1" ]; then
		printf 'ok %s - %s = %s\n' "$tap_n" "$case_name:$line_number: $(cat "$d/step")" "$1"
	else
		printf 'not ok %s - %s\n' "$tap_n" "$case_name:$line_number: $(cat "$d/step")"
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
[ -z "$background" ] || end_run >/dev/null
rm -f "$out"/*/pid
echo "1..$tap_n"
exit $tap_bad
