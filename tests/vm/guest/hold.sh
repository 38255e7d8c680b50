# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# hold.sh - vfio-hold in the background of a script of the guest; sourced.

# eventually COMMAND…: until it succeeds, at most some 20 s
eventually() {
	for _ in $(seq 200); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

# hold WORDS…: vfio-hold in the background, until release; what it says first is in $held
hold() {
	rm -f /tmp/hold /tmp/held
	mkfifo /tmp/hold
	vfio-hold "$@" </tmp/hold >/tmp/held &
	holder=$!
	exec 3>/tmp/hold
	eventually [ -s /tmp/held ]
	held=$(cat /tmp/held)
}
release() {
	exec 3>&-
	wait $holder
}
