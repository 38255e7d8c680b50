# SPDX-License-Identifier: GPL-2.0-or-later
# background.sh - a program that goes on while the test script does, behind clock.sh.

# in_background NAME COMMAND…: its output in NAME.out and NAME.err, its pid in NAME.pid, at its end its status in NAME.rc
in_background() {
	job=$1
	shift
	rm -f "$tmp/$job.rc"
	: >"$tmp/$job.out" >"$tmp/$job.err"
	(
		"$@" >"$tmp/$job.out" 2>"$tmp/$job.err" </dev/null 9>&- &
		echo $! >"$tmp/$job.pid"
		wait $!
		echo $? >"$tmp/$job.rc"
	) 2>/dev/null &
}
# ended NAME
ended() { [ -s "$tmp/$1.rc" ]; }
# ended_with NAME STATUS
ended_with() { until_true ended "$1" && [ "$(cat "$tmp/$1.rc")" = "$2" ]; }
