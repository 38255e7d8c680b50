# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# facts.sh - for the scripts of tests/vm/facts, sourced in the guest: the machine, TAP.
. /lib/vm/machine.sh
. /lib/vm/hold.sh
tap_n=0 tap_bad=0

result() { # result NAME EXPECTED GOT
	tap_n=$((tap_n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"
		printf '# expected: %s\n# got: %s\n' "$2" "$3"
		tap_bad=1
	fi
}

# fact NAME EXPECTED COMMAND…: what the command prints. With attr(1): '' for a
# write that is taken, EINVAL and the like, 'open EACCES', or the bytes read.
fact() {
	name=$1 expected=$2
	shift 2
	result "$name" "$expected" "$("$@" 2>&1)"
}

# link_of PATH: the last part of where a symbolic link leads; '-' when there is none
link_of() {
	if [ -h "$1" ]; then basename "$(readlink "$1")"; else echo -; fi
}
group_of() { link_of "$PCI/$1/iommu_group"; }

exists() { if [ -e "$1" ] || [ -h "$1" ]; then echo yes; else echo no; fi; }

# count PATTERN…: how many of the names are there
count() {
	n=0
	for f; do
		if [ -e "$f" ] || [ -h "$f" ]; then n=$((n + 1)); fi
	done
	echo $n
}

# state_of PID: R, S, D… or - when it has ended
state_of() { sed 's/^.*) \(.\) .*/\1/' "/proc/$1/stat" 2>/dev/null || echo -; }
has_ended() { [ ! -e "/proc/$1" ] || [ "$(state_of "$1")" = Z ]; }

# stuck NAME COMMAND…: it does not end by itself; a process that waits for a second and still sleeps waits for good
stuck_pids=''
stuck() {
	name=$1
	shift
	"$@" >"/tmp/stuck.$((tap_n + 1))" 2>&1 3>&- &     # what waits must not keep the holder from its end of file
	pid=$!
	stuck_pids="$stuck_pids $pid"
	for _ in $(seq 10); do
		if has_ended $pid; then break; fi
		sleep 0.1
	done
	result "$name" waits "$(case $(state_of $pid) in S | D) echo waits ;; *) cat "/tmp/stuck.$((tap_n + 1))" ;; esac)"
}
all_ended() {
	for pid in $stuck_pids; do
		has_ended "$pid" || return
	done
}

done_testing() {
	echo "1..$tap_n"
	exit $tap_bad
}
