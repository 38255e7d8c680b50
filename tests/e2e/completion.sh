#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# completion.sh - what Tab gives in a bash that has nothing but our file: no package bash-completion.
# shellcheck disable=SC2016
. tests/lib/tap.sh
if ! command -v bash >/dev/null; then
	echo "1..0 # SKIP bash is missing"
	exit 0
fi
file=${BUILD:-build}/completion/gpuslice.bash
"$program" --sim dgx-h100 sim reset >/dev/null
"$program" --sim kvm-l40s sim reset >/dev/null
touch "$tmp/a.script"

# tab LINE: what may follow, a word a line; "files" where readline is to find files
tab() {
	bash --norc --noprofile -u -c '
		compopt() { echo "files: $*"; }
		. "$1"
		words=($2)
		COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$'"' \\t\\n\"\\x27><=;|&(:'"'
		_gpuslice "${words[0]}" "" ""
		printf "%s\n" "${COMPREPLY[@]}"' bash "$file" "$program $1" >"$tmp/out" 2>"$tmp/err"
}
# gives LINE WORD...: each of them, and nothing on stderr
gives() {
	tab "$1"
	[ ! -s "$tmp/err" ] || return 1
	shift
	for word; do
		grep -qxF -- "$word" "$tmp/out" || return 1
	done
}
# gives_only LINE [WORD]...: these and no others
gives_only() {
	gives "$@" || return 1
	shift
	[ "$(grep -c . "$tmp/out")" = $# ]
}

that "commands" gives '' list who profiles plan apply assert export sim
that "the beginning of one" gives_only 'pro' profiles
that "behind an option with its argument" gives_only '--sim dgx-h100 pro' profiles
that "options of a command" gives 'apply --d' --disrupt --dry-run
that "of another not" gives_only 'list --disr'
that "machines" gives '--sim ' dgx-h100 lab
that "machines behind =" gives_only '--sim=dgx' dgx-h100
that "operations" gives_only 'who 3 --for ' mode delete vfs passthrough
that "GPUs of who" gives_only '--sim dgx-h100 who ' all 0 1 2 3 4 5 6 7
that "GPUs of profiles" gives_only '--sim kvm-l40s profiles ' all 0 1 2 3
that "one GPU only" gives_only '--sim kvm-l40s who 3 '
that "holders" gives '--sim kvm-l40s apply --disrupt ' all pid:1893 unit:nvidia-dcgm.service
that "a unit, behind the colon that readline keeps" gives_only '--sim kvm-l40s plan --disrupt unit:nvidia-d' nvidia-dcgm.service
that "words of sim" gives_only 'sim ' list reset reboot reload path fault expect
that "faults, and not the words of sim again" gives_only 'sim fault ' nvml write read program vanish reload mode-pending hold kill read-only uuid library release clear
that "nothing behind reset" gives_only 'sim reset '
that "calls" gives_only 'sim fault nvml DeviceSetM' DeviceSetMigMode
that "a star stays a star" gives 'sim fault nvml ' '*' lost DeviceGetName
that "what a call can do" gives_only 'sim fault nvml DeviceSetMigMode ' nothing hang slow
that "formats" gives_only 'export ' json
that "files for a script" gives_only "apply $tmp/a" 'files: -o default'
that "a folder for a tree" gives_only '--sysroot ' 'files: -o dirnames'
that "themes" gives 'console --theme ' default mono
done_testing
