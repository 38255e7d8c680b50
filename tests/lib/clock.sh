# SPDX-License-Identifier: GPL-2.0-or-later
# clock.sh - waiting for something in a test script, behind tap.sh: no sleep, no busy loop.

# until_true COMMAND…: wait for it, 30 s at most
until_true() {
	tries=600
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		read -r _ <"$tmp/clock" || :
	done
}
# a pipe that somebody ticks twenty times a second; what runs in the background closes 9
mkfifo "$tmp/clock"
exec 9<>"$tmp/clock"
python3 -c '
import os, sys, time
os.setsid()
fd = os.open(sys.argv[1], os.O_WRONLY)
while os.path.exists(sys.argv[1]):
    os.write(fd, b"\n")
    time.sleep(0.05)' "$tmp/clock" 9>&- &
clock=$!
trap 'kill $clock 2>/dev/null; rm -rf "$tmp"' EXIT
