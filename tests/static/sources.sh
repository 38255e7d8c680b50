#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sources.sh - a fact of the catalogue names where it is from, and that can be looked up.
set -u
echo "1..1"
if ! command -v python3 >/dev/null; then
	echo "ok 1 - sources of the catalogue # SKIP python3 is missing"
elif out=$(python3 tests/check-sources.py); then
	echo "ok 1 - every source that the catalogue names is in its table"
else
	echo "not ok 1 - every source that the catalogue names is in its table"
	echo "$out" | sed 's/^/# /'
	exit 1
fi
