#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# i915.sh - quotas of the out-of-tree i915, which takes them only while no VF is on: the lab's Flex 170 under that driver.
. tests/lib/tap.sh
g() { "$program" --sim lab "$@"; }
flex=0000:9a:00.0
g sim reset >/dev/null
tree=$(g sim path)
state=$(dirname "$tree")/state.json
python3 - "$state" <<'END' || exit 1
import json, sys
text = open(sys.argv[1]).read()
for old, new in (('"kind":"xe"', '"kind":"i915-prelim"'), ('"driver":"xe"', '"driver":"i915"'), ('"native":"xe"', '"native":"i915"')):
    assert old in text, old
    text = text.replace(old, new)
json.loads(text)
open(sys.argv[1], "w").write(text)
END
# any change brings the tree to the new state
g sim fault uuid old >/dev/null
iov=$(echo "$tree"/sys/class/drm/card*/prelim_iov)
quota() { cat "$iov/vf$1/gt0/lmem_quota"; }
g export json >"$tmp/start"

printf '%s\n' "vfs $flex 2" "set $flex/vf:0 vram-quota-bytes 4194304000" "set $flex/vf:1 vram-quota-bytes 8388608000" "set $flex/vf:1 exec-quantum-ms 5" >"$tmp/in"
expect_in 0 "VFs with shares of their own" g apply --yes -
that "the first has its own" [ "$(quota 1)" = 4194304000 ]
that "and the second" [ "$(quota 2)" = 8388608000 ]
that "both are on" [ "$(ls -d "$tree/sys/bus/pci/devices/$flex"/virtfn* | wc -l)" = 2 ]
expect_in 0 "which is so then" g assert -

echo "set $flex/vf:0 vram-quota-bytes 2097152000" >"$tmp/in"
expect_in 0 "another share of a VF that is on" g apply --yes -
that "it has it" [ "$(quota 1)" = 2097152000 ]
that "the other keeps its own" [ "$(quota 2)" = 8388608000 ]
that "and its time" [ "$(cat "$iov/vf2/gt0/exec_quantum_ms")" = 5 ]

echo "vfs $flex 3" >"$tmp/in"
expect_in 0 "another number" g apply --yes -
that "says whose shares may go" says out "VF 0, 1 may lose vram-quota-bytes"

echo "vfs $flex 0" >"$tmp/in"
expect_in 0 "and none" g apply --yes -
g export json >"$tmp/end"
that "is byte-equal to the start" cmp -s "$tmp/start" "$tmp/end"
done_testing
