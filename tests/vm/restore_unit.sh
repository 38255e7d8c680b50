#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# restore_unit.sh - boots guest/restore_unit.sh with the host's systemd and the unit that
# is packaged: TAP. BUILD is the build directory, VM the kernel's; called by tests/vm/run.sh.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-build} VM=${VM:?}
units=/lib/systemd/system
set -- -f /lib/systemd/systemd:/lib/systemd/systemd -f /usr/bin/systemctl -f "$top/packaging/systemd/gpuslice-restore.service:/etc/systemd/system/gpuslice-restore.service"
for unit in basic multi-user sysinit local-fs sockets timers paths slices shutdown umount final; do
	set -- "$@" -f "$units/$unit.target:$units/$unit.target"
done
# from systemd 254 on a service is begun by a program of its own
[ ! -e /lib/systemd/systemd-executor ] || set -- "$@" -f /lib/systemd/systemd-executor:/lib/systemd/systemd-executor
exec "$here/boot.sh" "$@" -m 768 -t 240 -k "$VM/kernel-restore-unit.log" -f "$BUILD/gpuslice:/usr/bin/gpuslice" \
	-f "$top/data:/usr/share/gpuslice" -f "$top/themes:/usr/share/gpuslice/themes" "$here/guest/restore_unit.sh"
