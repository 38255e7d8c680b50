#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# base.sh DIR - DIR/base.cpio: what every boot has. busybox, the kernel's
# modules that are wanted, our test modules, init and the helpers. Wants DIR as
# kernel.sh left it, with our modules in DIR/modules and helpers in DIR/tools.
set -eu
dir=${1:?usage: base.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)
version=$(cat "$dir/version")
root=$dir/root

# snd-hda-intel: a native driver for the audio function; 9p: files out of the guest; ext4 on virtio_blk: what outlives a power cut
wanted="vfio-pci vfio_iommu_type1 mdev pci-pf-stub pci-stub nvme e1000e snd-hda-intel virtio_pci 9pnet_virtio 9p virtio_blk ext4"

rm -rf "$root"
for d in bin sbin proc sys dev tmp run etc usr/lib/nvidia "lib/modules/$version" test out; do
	mkdir -p "$root/$d"
done
cp /bin/busybox "$root/bin/busybox"
/bin/busybox --list | while read -r applet; do
	[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done

ln -s ../bin/modprobe "$root/sbin/modprobe"

# with everything they depend on, flat in one folder
for module in $wanted; do
	modprobe -d "$dir/image" -S "$version" --show-depends "$module" || echo "tests/vm: Linux $version has no module $module" >&2
done | while read -r how path _; do
	[ "$how" = insmod ] || continue
	name=$(basename "$path")
	case $name in
	*.xz) xz -dc "$path" >"$root/lib/modules/$version/${name%.xz}" ;;
	*) cp "$path" "$root/lib/modules/$version/" ;;
	esac
done
for module in "$dir"/modules/*.ko; do
	strip --strip-debug -o "$root/lib/modules/$version/$(basename "$module")" "$module"
done
cp "$dir/image/lib/modules/$version/modules.order" "$dir/image/lib/modules/$version/modules.builtin" \
	"$dir/image/lib/modules/$version/modules.builtin.modinfo" "$root/lib/modules/$version/"
depmod -b "$root" "$version"
(cd "$root/lib/modules/$version" && rm -f modules.*.bin modules.builtin* modules.order)

cp "$dir"/tools/* "$root/bin/"
cp "$here/guest/init" "$root/init"
cp "$here/guest/sriov-manage" "$root/usr/lib/nvidia/sriov-manage"
mkdir -p "$root/lib/vm"
cp "$here"/guest/*.sh "$root/lib/vm/"
chmod 755 "$root/init" "$root/usr/lib/nvidia/sriov-manage"
echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
echo nobody:x:65534:65534:nobody:/:/bin/sh >>"$root/etc/passwd"
# who may read what root publishes, as the packages make it; nobody is one of them
printf "root:x:0:\ngpuslice-view:x:65534:\n" >"$root/etc/group"
echo vm-bench >"$root/etc/hostname"
# what names of mdevs are made from; the simulated twin's
echo ee761dcc2c0c5cd9bf048a99b9af5fa3 >"$root/etc/machine-id"
(cd "$root" && find . -print0 | sort -z | cpio --null -o -H newc --quiet -R 0:0) >"$dir/base.cpio.new"
mv "$dir/base.cpio.new" "$dir/base.cpio"
