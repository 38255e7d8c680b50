#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# power.sh PART… - in the guest, one boot of many with the same disk. What was
# begun in the boot before is recovered, and something is begun that the power
# goes in. The disk has var/lib/gpuslice and etc/gpuslice, and what each state
# looks like. Parts:
#	states		make the two states, and keep how they look
#	recover WAY END RECORD	the commit that the power went in is taken there; its last record is of that kind
#	tear N		cut N bytes off the end of its journal first, as when the last write was half
#	cut EVENT N	begin the way to the other state; the power goes at that event
#	cut-recovery EVENT N WAY	recover, and the power goes again
#	save		save the layout that is there
#	restore END	put it back
. /lib/vm/crash.sh
start_machine && modprobe gs_crash || exit 125
modprobe virtio_pci && modprobe virtio_blk && modprobe ext4 || exit 125
mkdir -p /disk /var/lib/gpuslice /etc/gpuslice
mount -t ext4 /dev/vda /disk || exit 125
kept=/disk/kept
mkdir -p $kept /disk/var /disk/etc
mount -o bind /disk/var /var/lib/gpuslice && mount -o bind /disk/etc /etc/gpuslice || exit 125
U=11111111-2222-3333-4444-55555555555

states() {
	printf '%s\n' "mode $L40S vgpu" "create $L40S L40S-24Q vf 0" "create $T4 T4-4Q uuid ${U}0" >/tmp/script
	ends "the first state" 0 gpuslice apply --yes --disrupt all /tmp/script
	keep a
	printf '%s\n' "delete $L40S vf:0" "create $L40S L40S-12Q vf 1" "delete $T4 all" "create $T4 T4-8Q uuid ${U}1" "vfs $FLEX 2" >/tmp/script
	ends "the second state" 0 gpuslice apply --yes --disrupt all /tmp/script
	keep b
	result "is another" between "$(is_at a || echo between)"
	ends "from each" 0 gpuslice apply --yes --disrupt all $kept/a.json
	result "the other is reached" a "$(at a)"
}

# tear N: half a record, with its room behind it
tear() {
	file=$JOURNAL/$(ls $JOURNAL | sort -n | tail -n 1)
	truncate -s $(($(wc -c <"$file") - $1)) "$file"
	fact "the last record is half" 0 sh -c "tail -n 1 '$file' | grep -c '}$'"
}

# recovered WAY END LAST
recovered() {
	result "what was on the disk is there" "$3" "$(last_record)"
	gpuslice --json recover >/tmp/open 2>&1
	result "one commit is to be recovered" 1 "$(grep -c '"machine"' /tmp/open)"
	gpuslice list >/tmp/list 2>&1
	result "list says so" "$(cat /tmp/list)" "$(grep -q interrupted /tmp/list && cat /tmp/list)"
	ends "nothing else is begun" 3 gpuslice apply --yes --disrupt all $kept/"$2".json
	ends "recover knows that the machine was started again" 5 gpuslice recover
	fact "and says so" "started again since" grep -o -m 1 "started again since" /tmp/out
	ends "recover --$1" 0 gpuslice recover --"$1" --yes --disrupt all
	result "gives" "$2" "$(at "$2")"
	ends "and nothing is left to be done" 0 gpuslice recover
}

# cut EVENT N: never comes back, unless there is no such event
cut_power() {
	from=$(where) to=b
	[ "$from" = a ] || to=a
	echo "# from $from to $to, the power goes at $1 $2"
	done_here
	arm "$1" power "$2"
	apply $kept/$to.json
	echo "not ok 0 - the power went in $1 $2"
	exit 1
}

cut_recovery() {
	echo "# recover --$3, the power goes at $1 $2"
	done_here
	arm "$1" power "$2"
	gpuslice recover --"$3" --yes --disrupt all >/tmp/out 2>/tmp/err
	echo "not ok 0 - the power went in $1 $2"
	exit 1
}

# the plan, before the power goes; the console's bytes leave QEMU at once
done_here() { echo "1..$tap_n"; sync; }

while [ $# -gt 0 ]; do
	case $1 in
	states) states && shift ;;
	tear) tear "$2" && shift 2 ;;
	recover) recovered "$2" "$3" "$4" && shift 4 ;;
	cut) cut_power "$2" "$3" ;;
	cut-recovery) cut_recovery "$2" "$3" "$4" ;;
	save) ends "save" 0 gpuslice save && shift ;;
	restore)
		result "the machine is empty" between "$(where)"
		ends "restore" 0 gpuslice restore --yes
		result "gives" "$2" "$(at "$2")"
		shift 2
		;;
	*) exit 125 ;;
	esac
done
umount /var/lib/gpuslice /etc/gpuslice /disk
done_testing
