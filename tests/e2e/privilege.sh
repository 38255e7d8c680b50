#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# privilege.sh - without root: 9 from every command for what needs root or cannot be told, and nothing is done.
. tests/lib/tap.sh
g() { "$program" --sim dgx-h100 "$@"; }
tree=$(g sim path)
# all that root's work leaves behind
state() { (cd "$tree/../" && find . -type f ! -path './tree/run/*' -exec cksum {} + | sort); }

g sim reset >/dev/null
echo 'create 3 1g.10gb at 0' >"$tmp/create"
echo 'delete 2 rest' >"$tmp/delete"
echo 'create 2 3g.40gb at 4' >"$tmp/there"
expect 0 "a commit" g apply --yes "$tmp/create"
expect 0 "is saved" g save
g export json >"$tmp/layout"
expect 0 "and undone, so that there is something to restore" g undo --yes
g sim fault kill after at 1 >/dev/null
echo 'create 5 1g.10gb at 0' >"$tmp/other"
printf 'create 3 1g.10gb at 5\n' >"$tmp/cut"
expect 5 "one is interrupted" g apply --yes "$tmp/cut"
g sim fault clear >/dev/null

# STATUS ARGUMENTS: @ stands for a file of this test. What only looks at what everybody may see is 0.
table() {
	while read -r want arguments; do
		[ -n "$want" ] || continue
		state >"$tmp/before"
		# shellcheck disable=SC2086 # words
		expect "$want" "$1: $arguments" setsid "$program" --sim dgx-h100 --as-user $(echo "$arguments" | sed "s|@|$tmp/|g")
		[ "$want" -ne 9 ] || that "$1: $arguments: says that it is root's" grep -qE 'root|sudo|cannot be seen' "$tmp/out" "$tmp/err"
		state >"$tmp/after"
		that "$1: $arguments: leaves all as it was" cmp -s "$tmp/before" "$tmp/after"
	done
}

rm -f "$tree/run/gpuslice/snapshot.json"
table "places unseen" <<'END'
0 list
0 ps
0 profiles
0 monitor --once
9 who 3 --for delete
9 plan @create
9 plan @delete
9 plan @layout
9 plan --scope gpu @delete
9 apply --yes @create
9 apply --yes @delete
9 apply --yes @layout
9 apply --yes --scope gpu @create
9 apply --yes --scope gpu @delete
9 apply @create
9 apply --dry-run @create
9 assert @create
9 assert
9 export json
9 save
9 save @saved
9 restore --yes
9 restore --dry-run
9 restore --yes --scope host
9 history
9 history show 1
9 undo
9 undo 1
9 undo --yes 1
9 undo --dry-run
9 recover
9 recover --finish
9 recover --undo --yes
9 recover --leave
9 recover --leave 2
END
expect 0 "root recovers it" g recover --undo --yes
expect 0 "and looks, so that the places are published" g agent --publish
table "places seen" <<'END'
0 list
0 export json
0 apply --yes @there
9 apply --yes @create
9 apply @create
9 apply --yes --scope gpu @create
9 restore --yes
9 restore --yes --scope host
9 save
9 history
9 undo --yes
9 recover --undo --yes
9 recover --leave 2
END
expect 9 "publishing is root's, too" g --as-user agent --publish

done_testing
