#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# headers.sh - every header compiles alone.
set -u
CC=${CC:-gcc}
n=0 bad=0
flags="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Isrc -I. -fsyntax-only $(pkg-config --cflags ncursesw libpci json-c yaml-0.1 uuid)"
for header in src/*/*.h backend/*.h backend/sim/*.h ui/*.h tests/lib/*.h; do
	n=$((n + 1))
	if err=$(echo "#include \"$header\"" | $CC $flags -x c - 2>&1); then
		echo "ok $n - $header"
	else
		echo "not ok $n - $header"
		echo "$err" | sed 's/^/# /'
		bad=1
	fi
done
echo "1..$n"
exit $bad
