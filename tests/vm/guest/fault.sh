# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# fault.sh - what goes wrong in the guest, in the words of «gpuslice sim fault»; sourced.
FAULT=/sys/module/gs_fault/parameters

errno_of() {
	case $1 in
	nothing) echo 0 ;;
	EPERM) echo 1 ;;
	EIO) echo 5 ;;
	ENOMEM) echo 12 ;;
	EACCES) echo 13 ;;
	EBUSY) echo 16 ;;
	ENODEV) echo 19 ;;
	EINVAL) echo 22 ;;
	ENOSPC) echo 28 ;;
	*) return 1 ;;
	esac
}

# fault_write GLOB ERRNO|nothing [at N]
fault_write() {
	number=$(errno_of "$2") || return
	[ -e $FAULT ] || modprobe gs_fault || return
	printf %s "$1" >$FAULT/glob && echo "$number" >$FAULT/error && echo "${4:-1}" >$FAULT/at
}

# fault WORDS…
fault() {
	case $1 in
	write) shift && fault_write "$@" ;;
	program) echo "$3 ${4:-}" >"/run/$2.fault" ;;
	read-only) mount -o remount,ro /sys ;;
	clear)
		mount -o remount,rw /sys || return
		[ ! -e $FAULT ] || echo 0 >$FAULT/at
		rm -f /run/*.fault
		;;
	*)
		echo "the guest has no fault «$*»" >&2
		return 1
		;;
	esac
}
