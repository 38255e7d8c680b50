#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# layers.sh - who may know whom (README, «Folders»): includes that go upwards
# are breaches. Also: what may be included in one file only.
set -u
n=0 bad=0
tap() { # tap NAME LINES: ok when there are none
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
		bad=1
	fi
}
includes() { grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($2)" $1 --include='*.[ch]' 2>/dev/null; }

tap "base knows nobody" "$(includes src/base 'core/|codec/|cli/|backend/|ui/')"
tap "core knows base only" "$(includes src/core 'codec/|cli/|backend/|ui/')"
tap "core has no JSON, YAML, PCI library, curses, clock or files" \
	"$(includes src/core 'json-c|yaml|pci/|curses|ncurses|time\.h|sys/time|fcntl|dirent|base/file|base/root|base/paths'; grep -nE '\b(gs_wall_now|gs_monotonic_now|fopen|open)\(' src/core/*.c)"
tap "codec knows base and core only" "$(includes src/codec 'cli/|backend/|ui/')"
tap "backend does not know cli and ui" "$(includes backend 'cli/|ui/')"
tap "the simulator knows base only" "$(includes backend/sim 'core/|codec/' ; grep -rnE '^#include "backend/' backend/sim --include='*.[ch]' | grep -v '"backend/sim/')"
tap "ui does not know cli and backend" "$(includes ui 'cli/|backend/')"
tap "only one file of ui talks to curses" "$(grep -rlE '^#include <(curses|ncurses[^>]*|term)\.h>' ui src backend --include='*.[ch]' | grep -v '^ui/screen\.c$')"
tap "only one file talks to libpci" "$(grep -rlE '^#include <pci/' ui src backend --include='*.[ch]' | grep -v '^backend/pci\.c$')"
tap "only one file talks to libxml2" "$(grep -rlE '^#include <libxml/' ui src backend --include='*.[ch]' | grep -v '^backend/claims_libvirt\.c$')"
tap "only one file talks to libudev" "$(grep -rlE '^#include <libudev' ui src backend --include='*.[ch]' | grep -v '^backend/uevent\.c$')"
tap "curses refresh happens in one place" "$(grep -rnE '\b(w?refresh|doupdate)\(' ui --include='*.c' | grep -v '^ui/screen\.c')"
echo "1..$n"
exit $bad
