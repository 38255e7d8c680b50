#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# conformance.sh - the runner of tests/conformance: what it plays it compares, and a difference does not pass it.
. tests/lib/tap.sh
export PROGRAM="$program" MACHINE_IO="${BUILD:-build}/tests/tools/machine_io" MACHINE=tests/vm/guest/machine.sh
cat >"$tmp/sample.case" <<'EOF'
# all verbs, on a machine that every checkout has
run --json list
= 0
run plan -
> create 4 nonsense
= 2
read sys/bus/pci/devices/0000:1b:00.0/vendor
= 0x10de\n
read sys/bus/pci/devices/0000:1b:00.0/no-such-file
= ENOENT
write sys/bus/pci/devices/0000:1b:00.0/driver_override two words\n
= ok
read sys/bus/pci/devices/0000:1b:00.0/driver_override
= two words\n
link sys/bus/pci/devices/0000:1b:00.0/driver
= nvidia
list sys/bus/pci/drivers/nvidia
program systemctl is-active ssh.service
fault read-only
write sys/bus/pci/devices/0000:1b:00.0/driver_override x
= EROFS
fault clear
user list
= 0
start --json list
await 0
= 0
hold sys/bus/pci/devices/0000:1b:00.0
EOF
play() { # play DIR
	mkdir -p "$tmp/$1"
	XDG_STATE_HOME="$tmp/state-$1" sh tests/conformance/play.sh "$tmp/sample.case" "$tmp/$1" --sim dgx-h100
}
expect 0 "a case is played" play a
that "with a line for each expectation" says out "1..10"
expect 0 "and again" play b
expect 0 "two plays are the same" python3 tests/conformance/compare.py "$tmp/a" "$tmp/b"

# each thing that is compared, changed in one play
differs() { # differs NAME STEP FILE SED-SCRIPT
	rm -rf "$tmp/c"
	cp -r "$tmp/a" "$tmp/c"
	sed "$4" "$tmp/a/$2/$3" >"$tmp/c/$2/$3"
	that "there is something to change: $1" sh -c "! cmp -s '$tmp/a/$2/$3' '$tmp/c/$2/$3'"
	expect 1 "$1 is seen" python3 tests/conformance/compare.py "$tmp/a" "$tmp/c"
}
differs "an exit status" 002 status 's/2/3/'
differs "a number in JSON" 001 output 's/"total": *[0-9]*/"total": 7/;t;s/"numa_node": 1/"numa_node": 7/'
differs "a key that is not there" 001 output '/"driver"/d'
differs "null where the other knows" 001 output 's/"source": "sim"/"source": null/'
differs "a sentence" 002 errors 's/nonsense/another/'
differs "a byte of an attribute" 003 output 's/10de/10df/'
rm -rf "$tmp/c"
cp -r "$tmp/a" "$tmp/c"
rm -r "$tmp/c/008"
expect 1 "a step that is missing is seen" python3 tests/conformance/compare.py "$tmp/a" "$tmp/c"

sed -i 's/^= nvidia/= vfio-pci/' "$tmp/sample.case"
expect 1 "what is not as expected fails" play d
that "and says what was" says out "# got: nvidia"
sed -i 's/^link/lnik/' "$tmp/sample.case"
expect 1 "a verb that there is not fails" play e
done_testing
