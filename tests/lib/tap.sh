# SPDX-License-Identifier: GPL-2.0-or-later
# tap.sh - for the scripts beside it: the program, a state directory, TAP.
program=${BUILD:-build}/gpuslice
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME
[ -x "$program" ] || { echo "Bail out! $program is not built"; exit 1; }
tap_n=0 tap_bad=0

# expect STATUS NAME COMMAND…: run it; its output is in $out, its errors in $err
expect() {
	want=$1 name=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	check_status "$name" "$want" $?
}

# the same with standard input from $tmp/in
expect_in() {
	want=$1 name=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" <"$tmp/in"
	check_status "$name" "$want" $?
}

check_status() {
	tap_n=$((tap_n + 1))
	if [ "$3" -eq "$2" ]; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"
		echo "# exit status $3, not $2"
		sed 's/^/# out: /' "$tmp/out" | head -20
		sed 's/^/# err: /' "$tmp/err" | head -20
		tap_bad=1
	fi
}

# that NAME TEST…: a shell test as a TAP line
that() {
	name=$1
	shift
	tap_n=$((tap_n + 1))
	if "$@"; then
		echo "ok $tap_n - $name"
	else
		echo "not ok $tap_n - $name"
		sed 's/^/# out: /' "$tmp/out" | head -20
		sed 's/^/# err: /' "$tmp/err" | head -20
		tap_bad=1
	fi
}

# says FILE WORDS…: FILE contains them
says() { grep -qF -- "$2" "$tmp/$1"; }
says_not() { ! grep -qF -- "$2" "$tmp/$1"; }

done_testing() {
	echo "1..$tap_n"
	exit $tap_bad
}
