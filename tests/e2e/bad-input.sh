#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bad-input.sh - whatever comes in: one clear error with its place, and the machine untouched.
. tests/lib/tap.sh
g() { "$program" --sim dgx-h100 "$@"; }
g sim reset
g export json >"$tmp/before.json"

# refused NAME PLACE WORDS: standard input from $tmp/in is status 2, with the place and the words, in one line
refused() {
	expect_in 2 "$1" g apply --yes -
	that "$1: says where" says err "$2"
	that "$1: says what" says err "$3"
	that "$1: one line, no escape sequences" [ "$(grep -c . "$tmp/err")" -eq 1 ]
}
try() {
	printf "$4" >"$tmp/in"
	refused "$1" "$2" "$3"
}

try "unknown verb" "-:1:1:" "destroy" 'destroy 3 all\n'
try "unknown profile" "-:1:10:" "5g.50gb" 'create 3 5g.50gb\n'
try "illegal placement" "-:2:21:" "cannot start at 2" '# first\ncreate 3 3g.40gb at 2\n'
try "overlapping requests" "-:2:21:" "overlaps" 'create 3 3g.40gb at 4\ncreate 3 1g.10gb at 5\n'
try "no such GPU" "-:1:6:" "no GPU 8" 'mode 8 mig\n'
try "no such address" "-:1:6:" "0000:ff:00.0" 'mode 0000:ff:00.0 mig\n'
try "no beginning of a UUID" "-:1:6:" "UUID" 'mode GPU- mig\n'
try "unknown mode" "-:1:8:" "migg" 'mode 3 migg\n'
try "bad UTF-8" "-:1:" "UTF-8" 'create 3 \377\376\n'
try "a NUL" "-:1:" "NUL" 'mode 3\000 mig\n'
try "an open quote" "-:1:" "quot" 'create "3 1g.10gb\n'
try "a number that is none" "-:1:" "-1" 'create 3 1g.10gb at -1\n'
try "a count beyond reason" "-:1:" "99999999999" 'create 3 1g.10gb count 99999999999\n'
try "an id that the driver reuses" "-:1:10:" "gi:1" 'delete 0 gi:1\n'
try "terminal escapes" "-:1:10:" "0x1b" 'create 3 \033[2J\033[31m\n'
try "truncated JSON" "-:1:40:" "ends before" '{"schema":"gpuslice.layout/1","gpus":[{'
try "wrong schema" "-:1:" "schema" '{"schema":"gpuslice.plan/1","gpus":[]}'
try "unknown key" "-:1:" "colour" '{"schema":"gpuslice.layout/1","gpus":[],"colour":1}'
try "JSON that matches no GPU" "-:1:" "0000:ff:00.0" '{"schema":"gpuslice.layout/1","gpus":[{"match":{"bdf":"0000:ff:00.0"},"mode":"mig"}]}'
try "a layout that overlaps itself" "-:" "overlaps" 'schema: gpuslice.layout/1\ngpus:\n- match: {bdf: "0000:61:00.0"}\n  instances:\n  - {kind: mig, profile: 3g.40gb, start: 4}\n  - {kind: mig, profile: 1g.10gb, start: 5}\n'

head -c 10485760 /dev/zero | tr '\0' 'a' >"$tmp/in"
refused "a line of 10 MB" "standard input" "larger"
head -c 3000000 /dev/zero | tr '\0' 'a' >"$tmp/in"
refused "a line of 3 MB" "-:1:4097:" "4096"
{ printf '{"schema":"gpuslice.layout/1","gpus":'; head -c 100000 /dev/zero | tr '\0' '['; } >"$tmp/in"
refused "deep nesting" "-:1:" "deep"

expect 2 "a missing file" g apply --yes "$tmp/nowhere"
that "it is named" says err "$tmp/nowhere"
expect 2 "a directory" g apply --yes "$tmp"
expect 2 "an endless file" g apply --yes /dev/zero
expect 2 "an unknown command" g frobnicate
expect 2 "an unknown option" g list --frobnicate
expect 2 "an unknown machine" "$program" --sim nowhere list
that "the known ones are named" says err "dgx-h100"
expect 2 "two files" g apply one two
expect 2 "a holder that is none" g plan --disrupt nobody -
expect 2 "JSON errors are JSON" g apply --json "$tmp/nowhere"
that "with the status" python3 -c 'import json,sys; sys.exit(json.load(open(sys.argv[1]))["status"] != 2)' "$tmp/out"

for command in list profiles plan apply assert export sim agent monitor console; do
	expect 0 "$command --help" "$program" $command --help
	that "$command --help says usage" says out "usage: gpuslice"
done
expect 0 "--help" "$program" --help
expect 0 "--version" "$program" --version

expect 1 "a full disk is no success" sh -c '"$0" --sim dgx-h100 list --json >/dev/full' "$program"
expect 0 "a closed pipe is no noise" sh -c '"$0" --sim dgx-h100 list | head -1' "$program"
that "nothing on stderr" [ ! -s "$tmp/err" ]

g export json >"$tmp/after.json"
that "the machine is untouched" cmp -s "$tmp/before.json" "$tmp/after.json"
done_testing
