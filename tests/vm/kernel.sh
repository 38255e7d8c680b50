#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kernel.sh DIR - Debian's kernel in DIR, without installing it: the image's
# package is downloaded and unpacked, never configured. Leaves there
#	image/		the package's files, with modules.dep
#	vmlinux		the kernel, uncompressed: QEMU boots it directly
#	version		its version, as modules and headers name it
# The version is the one that the installed linux-headers-amd64 stands for, so
# that modules built here fit.
set -eu
dir=${1:?usage: kernel.sh DIR}

die() {
	echo "tests/vm: $*" >&2
	exit 1
}

headers=$(dpkg-query -W -f '${Depends}' linux-headers-amd64 2>/dev/null) || die "linux-headers-amd64 is not installed: make vm-deps"
version=$(echo "$headers" | sed -n 's/.*linux-headers-\([^ ,]*\).*/\1/p')
release=$(dpkg-query -W -f '${Version}' "linux-headers-$version") || die "linux-headers-$version is not installed: make vm-deps"
[ -d "/lib/modules/$version/build" ] || die "/lib/modules/$version/build is missing, though linux-headers-$version is installed"

if [ -s "$dir/vmlinux" ] && [ "$(cat "$dir/version" 2>/dev/null)" = "$version" ] && [ "$(cat "$dir/release" 2>/dev/null)" = "$release" ]; then
	exit 0
fi

# download PACKAGE: the package lists may be older than the archive, or not there at all
download() {
	apt-get -qq download "$1" 2>"$dir/apt.log" && return
	echo "tests/vm: $1 is not to be had, reading the package lists again" >&2
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get -qq update >&2 && apt-get -qq download "$1" 2>"$dir/apt.log" && return
	cat "$dir/apt.log" >&2
	die "cannot download $1; when the archive has a newer kernel: apt-get install linux-headers-amd64"
}

rm -rf "$dir/image" "$dir/vmlinux" "$dir/version"
mkdir -p "$dir/image"
(cd "$dir" && dir=. && rm -f linux-image-*.deb && download "linux-image-$version=$release" && dpkg -x linux-image-*.deb image && rm -f linux-image-*.deb)
depmod -b "$dir/image" "$version"

# The compressed kernel lies whole within vmlinuz; what follows it makes the
# decompressor complain at the end, so the result is judged by its header.
cut_from() { # cut_from MAGIC COMMAND…
	magic=$1
	shift
	offset=$(LC_ALL=C grep -aboP "$magic" "$dir/image/boot/vmlinuz-$version" | { head -1; cat >/dev/null; } | cut -d: -f1)
	[ -n "$offset" ] || return 0
	tail -c "+$((offset + 1))" "$dir/image/boot/vmlinuz-$version" | "$@" 2>/dev/null >"$dir/vmlinux.new" || true
}
if grep -q '^CONFIG_KERNEL_XZ=y' "$dir/image/boot/config-$version"; then
	cut_from '\xfd7zXZ\x00' xz -dc
else
	cut_from '\x28\xb5\x2f\xfd' zstd -dc
fi
readelf -h "$dir/vmlinux.new" 2>/dev/null | grep -q ELF64 || die "no kernel to be found in vmlinuz-$version"
grep -q '^CONFIG_PVH=y' "$dir/image/boot/config-$version" || die "Linux $version is built without CONFIG_PVH: QEMU cannot boot it uncompressed"
mv "$dir/vmlinux.new" "$dir/vmlinux"
echo "$release" >"$dir/release"
echo "$version" >"$dir/version"
