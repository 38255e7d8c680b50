#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh - what gpuslice costs, beside htop and btop where they are installed,
# measured in one run on the simulated DGX H100 with the stand-in NVML (a real
# driver's latency is not in these figures). Ratios are what counts.
set -u
BUILD=${BUILD:-build}
program=$PWD/$BUILD/gpuslice
seconds=${SECONDS_EACH:-15}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
XDG_STATE_HOME=$tmp
export XDG_STATE_HOME
"$program" --sim dgx-h100 sim reset || exit 1
"$program" --sim dgx-h100 agent --publish
"$program" --sim kvm-l40s sim reset || exit 1
"$program" --sim kvm-l40s agent --publish
exec python3 tests/bench/measure.py "$program" "$seconds"
