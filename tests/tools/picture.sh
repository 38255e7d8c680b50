#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# picture.sh OUT.svg [ROWSxCOLUMNS] - the console's picture for README.md,
# taken from the real program on a fresh simulated host.
set -eu
build=${BUILD:-build}
out=${1:?usage: picture.sh OUT.svg [ROWSxCOLUMNS]}
size=${2:-42x110}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/gpuslice-picture.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
# a state of its own: what somebody tried on the simulated host must not show
"$build/tests/tools/term2svg" "${0%/*}/picture.keys" "$tmp/picture.svg" "$size" \
	LC_ALL=C.UTF-8 TERM=xterm-256color XDG_STATE_HOME="$tmp" NO_COLOR= -- "$build/gpuslice" --sim dgx-h100
mkdir -p "$(dirname "$out")"
cp "$tmp/picture.svg" "$out"
