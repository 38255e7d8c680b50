#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# boot.sh - run a script inside a Linux kernel of its own, under QEMU without KVM
#	boot.sh [-b PROGRAM]… [-f FILE[:DEST]]… [-o DIR] [-d DISK] [-p] [-m MEGABYTES] [-t SECONDS] [-k LOG] SCRIPT [ARGUMENT…]
#	-b	a program, to /bin of the guest, with the libraries that it needs
#	-f	a file or directory, to the same path in the guest, or to DEST
#	-o	a directory of the host that the guest sees as /out
#	-d	a file of the host that is the guest's disk, /dev/vda; what the guest does not write to it is lost with its power
#	-p	terminal descriptions for programs on a pseudo-terminal
#	-k	where the kernel's messages go
# The guest runs the script as root with /test as its directory; what it prints
# is printed here. The exit status is the script's; 123: it cut its own power
# (modules/gs_crash.c), 124: no end in time, 125: the guest ended without a
# verdict. A boot that ends in one of the last two is tried once more, from the same disk.
# VM is the directory of kernel.sh and base.sh. Each boot adds a line to
# $VM/boots: verdict, milliseconds of the host, seconds of the guest at the start of the script.
set -u
VM=${VM:?VM is the directory of the kernel}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/vm/topology.sh
. "$here/topology.sh"
memory=512 seconds=120 out='' disk='' kernel_log=''
work=$(mktemp -d "${TMPDIR:-/tmp}/gpuslice-vm.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/test" "$root/bin"

usage() {
	sed -n '4,6p' "$0" >&2
	exit 2
}

put() { # put FILE DEST
	mkdir -p "$root$(dirname "$2")"
	[ -e "$root$2" ] || cp -aL "$1" "$root$2"
}

# every shared object, the loader included, at the path where it was found
put_libraries() {
	ldd "$1" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
		put "$library" "$library"
	done
}

put_program() {
	path=$(command -v "$1") || { echo "boot.sh: there is no program $1" >&2; exit 2; }
	cp -L "$path" "$root/bin/"
	put_libraries "$path"
}

put_file() {
	from=${1%%:*}
	to=${1#*:}
	[ "$to" != "$1" ] || to=$(realpath "$from")
	put "$from" "$to"
	if [ -f "$from" ] && [ -x "$from" ]; then put_libraries "$from"; fi
}

put_terminals() {
	for name in linux xterm xterm-256color vt100 screen screen-256color tmux-256color dumb; do
		for base in /lib/terminfo /usr/share/terminfo /etc/terminfo; do
			file=$(printf '%.1s/%s' "$name" "$name")
			if [ -e "$base/$file" ]; then put "$base/$file" "/lib/terminfo/$file"; fi
		done
	done
}

while getopts b:f:o:d:pm:t:k: option; do
	case $option in
	b) put_program "$OPTARG" ;;
	f) put_file "$OPTARG" ;;
	o) out=$OPTARG ;;
	d) disk=$OPTARG ;;
	p) put_terminals ;;
	m) memory=$OPTARG ;;
	t) seconds=$OPTARG ;;
	k) kernel_log=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
[ -f "$1" ] || { echo "boot.sh: there is no script $1" >&2; exit 2; }

# /test/run calls the script with its arguments, quoted for the guest's shell
cp "$1" "$root/test/script"
chmod 755 "$root/test/script"
shift
{
	echo '#!/bin/sh'
	echo 'export PATH=/bin:/sbin HOME=/tmp TERM=xterm-256color LC_ALL=C.UTF-8'
	if [ -n "$out" ]; then
		echo 'modprobe virtio_pci && modprobe 9pnet_virtio && modprobe 9p || exit 125'
		echo 'mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /out || exit 125'
	fi
	printf 'exec /test/script'
	for argument; do printf " '%s'" "$(printf '%s' "$argument" | sed "s/'/'\\\\''/g")"; done
	echo
} >"$root/test/run"
chmod 755 "$root/test/run"
(cd "$root" && find . -mindepth 1 -print0 | cpio --null -o -H newc --quiet -R 0:0) >"$work/test.cpio"
cat "$VM/base.cpio" "$work/test.cpio" >"$work/initrd"
# shellcheck disable=SC2046
set -- $(topology)
if [ -n "$out" ]; then
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
	set -- "$@" -fsdev "local,id=out,path=$out,security_model=none" -device virtio-9p-pci,fsdev=out,mount_tag=out,bus=pcie.0,addr=1e.0
fi
# what is in the guest's own memory is lost; what it has written, and whatever it has flushed, is in the file
if [ -n "$disk" ]; then
	cp --sparse=always "$disk" "$work/disk" || exit 2
	set -- "$@" -drive "file=$disk,if=none,id=disk,format=raw,cache=writeback" -device virtio-blk-pci,drive=disk,bus=pcie.0,addr=1d.0
fi

now_ms() { date +%s%3N; }

# one boot: its verdict in $verdict
boot() {
	rm -f "$work/verdict"
	: >"$work/console"
	start=$(now_ms)
	timeout -k 5 "$seconds" qemu-system-x86_64 -M q35,kernel-irqchip=split -accel tcg -cpu qemu64 -smp 1 -m "$memory" \
		-nodefaults -no-user-config -display none -no-reboot -kernel "$VM/vmlinux" -initrd "$work/initrd" \
		-append "console=ttyS0 panic=-1 quiet loglevel=4 intel_iommu=on nokaslr mitigations=off cryptomgr.notests tsc=reliable no_timer_check random.trust_cpu=on audit=0" \
		-device isa-debug-exit,iobase=0x501,iosize=1 \
		-chardev "file,id=c0,path=$work/console" -serial chardev:c0 -chardev stdio,id=c1,signal=off -serial chardev:c1 \
		-chardev "file,id=c2,path=$work/verdict" -serial chardev:c2 "$@" </dev/null 2>"$work/qemu.err" >"$work/output"
	status=$?
	verdict=$(tr -cd '0-9' <"$work/verdict" 2>/dev/null)
	if [ -z "$verdict" ]; then
		verdict=125
		case $status in
		124 | 137) verdict=124 ;;
		129) verdict=123 ;;
		esac
	fi
	up=$(sed -n 's/.*guest: up at \([0-9.]*\).*/\1/p' "$work/console" | head -1)
	echo "$verdict $(($(now_ms) - start)) ${up:--}" >>"$VM/boots"
	[ -z "$kernel_log" ] || cp "$work/console" "$kernel_log"
}

boot "$@"
case $verdict in
124 | 125)
	echo "boot.sh: no verdict ($verdict, QEMU's status $status): once more" >&2
	cat "$work/console" "$work/output" "$work/qemu.err" | tail -n 15 >&2
	[ -z "$out" ] || find "$out" -mindepth 1 -delete
	[ -z "$disk" ] || cp --sparse=always "$work/disk" "$disk"
	boot "$@"
	;;
esac
# a serial line has a carriage return of its own
tr -d '\r' <"$work/output"
if [ "$verdict" -ge 124 ] && [ "$verdict" -le 125 ]; then tail -n 20 "$work/console" >&2; fi
grep -v 'has no peer' "$work/qemu.err" >&2
exit "$verdict"
