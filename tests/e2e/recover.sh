#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# recover.sh - the committer dies at every change of a plan, before it, after it, or alone: what recover makes of it.
. tests/lib/tap.sh
. tests/lib/clock.sh

# on HOST ARGUMENT...: gpuslice on that machine
on() { h=$1; shift; "$program" --sim "$h" "$@"; }

# layout HOST >FILE
layout() { on "$1" export json; }

is_free() { ! on "$host" --json list 2>/dev/null | grep -q '"path"'; }
# nobody of the dead commit is left: what the kernel was given has been done
is_quiet() { rm -f "$tmp/lockrc"; on "$host" recover --json >"$tmp/open" 2>/dev/null </dev/null; ! grep -q '"under_way": true' "$tmp/open" && is_free; }

# count HOST SCRIPT: how many changes the script makes; the base and the target are kept
count() {
	on "$1" sim reset >/dev/null
	layout "$1" >"$tmp/base"
	on "$1" sim fault kill after at 1000 >/dev/null
	printf '%s\n' "$2" >"$tmp/script"
	on "$1" apply --yes --disrupt all "$tmp/script" </dev/null >"$tmp/out" 2>"$tmp/err" || return 1
	n=$((1000 - $(on "$1" sim fault | sed -n 's/^kill after at //p')))
	layout "$1" >"$tmp/target"
}

# die HOST WHEN K
die() {
	on "$1" sim reset >/dev/null
	on "$1" sim fault kill "$2" at "$3" >/dev/null
	on "$1" apply --yes --disrupt all "$tmp/script" </dev/null >"$tmp/out" 2>"$tmp/err"
	died=$?
}

same() { layout "$host" >"$tmp/now" && cmp -s "$tmp/now" "$1"; }
closed() { on "$host" recover >"$tmp/out" 2>"$tmp/err" </dev/null; }

# every HOST SCRIPT: each change x each way to die, out of it forward and back by turns
every() {
	host=$1
	that "$host: the script runs" count "$1" "$2"
	k=1
	way=undo
	while [ $k -le $n ]; do
		for when in before after agent; do
			[ $way = undo ] && way=finish end=target || way=undo end=base
			die "$host" $when $k
			that "$host: killed $when change $k of $n, the command says that the agent is gone" [ $died -eq 5 ]
			that "$host: $when $k: what it was given ends" until_true is_quiet
			expect 3 "$host: $when $k: nothing else is begun there" on "$host" apply --yes "$tmp/other"
			that "$host: $when $k: and it says why" says out "recover"
			expect 0 "$host: $when $k: recover --$way" on "$host" recover --$way --yes
			that "$host: $when $k: --$way gives the $end" ends_at "$end"
			that "$host: $when $k: nothing is left open" closed
			# what was begun by one and finished by another is undone as one
			[ $way = undo ] && continue
			expect 0 "$host: $when $k: undo" on "$host" undo --yes --disrupt all
			that "$host: $when $k: undo takes back both halves" same "$tmp/base"
			expect 3 "$host: $when $k: and nothing is left to be undone" on "$host" undo --yes
		done
		k=$((k + 1))
	done
}

# killed before the first change recover finds nothing to do and closes it, whichever way was asked for
ends_at() {
	same "$tmp/$1" || { [ $k -eq 1 ] && [ $when = before ] && same "$tmp/base"; } || { [ $k -eq $n ] && [ $when != before ] && same "$tmp/target"; }
}

echo 'create 5 2g.20gb at 2' >"$tmp/other"
every dgx-h100 'mode 5 mig
create 5 3g.40gb at 4
create 5 1g.10gb at 0'
echo 'create 3 L40S-12Q vf 4' >"$tmp/other"
every kvm-l40s 'mode 3 vgpu
create 3 L40S-12Q vf 0
create 3 L40S-12Q vf 1'

# who may not read the journal is told by what root published
host=dgx-h100
that "$host: the script runs" count $host 'create 3 1g.10gb at 0
create 3 1g.10gb at 1'
die $host after 1
expect 0 "$host: root publishes" on $host agent --publish
expect 0 "$host: a viewer looks" on $host --as-user list
that "$host: and sees it" grep -qE '^3 .* commit 1 was interrupted' "$tmp/out"
expect 3 "$host: nor can a viewer plan over it" on $host --as-user apply --dry-run --yes "$tmp/script"
that "$host: which is said with its number" says out 'commit 1 ('
expect 0 "$host: recover --undo" on $host recover --undo --yes
expect 0 "$host: root publishes that" on $host agent --publish
expect 0 "$host: the viewer" on $host --as-user list
that "$host: sees none any more" sh -c '! grep -q "was interrupted" "$1"' - "$tmp/out"

# what is no commit, what cannot be read, and who has gone
host=dgx-h100
files=$(on $host sim path)/var/lib/gpuslice/journal
on $host sim reset >/dev/null
on $host list >/dev/null
mkdir -p "$files"
: >"$files/1.jsonl"
printf 'create 3 1g.10gb at 0\ncreate 3 1g.10gb at 1\n' >"$tmp/script"
expect 0 "an empty record is nothing to recover" on $host recover
expect 0 "and can be put away" on $host recover --leave 1
that "which is done" [ ! -e "$files/1.jsonl" ]
die $host after 1
mv "$files" "$files.kept"
touch "$files"
expect 0 "a journal that cannot be read" on $host list
that "is told of" says err "nobody knows whether a commit was interrupted"
expect 3 "and nothing is saved then" on $host save
rm "$files"
ln -s "$files.kept" "$files"
expect 1 "a link is not followed" on $host recover
that "which is said" says err "no link to one"
rm "$files"
mv "$files.kept" "$files"
expect 0 "its GPU goes" on $host sim fault vanish 0000:61:00.0
expect 0 "list" on $host list
that "tells of it all the same" says err "which has gone: gpuslice recover"
expect 3 "nothing can be undone there" on $host recover --undo --yes
expect 3 "nor finished" on $host recover --finish --yes
on $host sim fault clear >/dev/null
expect 0 "it is left" on $host recover --leave
expect 0 "a viewer" on $host --as-user list
that "hears no more of it" sh -c '! grep -q "was interrupted" "$1"' - "$tmp/out"

# recover dies too, forward and back, and is begun again
host=kvm-l40s
for way in undo finish; do
	end=base
	[ $way = finish ] && end=target
	that "$host: the script runs" count $host 'mode 3 vgpu
create 3 L40S-12Q vf 0
create 3 L40S-12Q vf 1'
	die $host after $((n - 1))
	that "$host: it ends" until_true is_quiet
	on $host sim fault kill agent at 1 >/dev/null
	expect 5 "$host: recover dies" on $host recover --undo --yes --disrupt all
	that "$host: that ends too" until_true is_quiet
	expect 5 "$host: one commit is to be recovered" on $host --json recover
	that "$host: not its recovery beside it" [ "$(grep -c '"machine"' "$tmp/out")" = 1 ]
	expect 0 "$host: recover --$way, again" on $host recover --$way --yes --disrupt all
	that "$host: gives the $end" same "$tmp/$end"
	that "$host: nothing is left open" closed
	that "$host: nor in the journal" sh -c "! '$program' --sim $host --json history | grep -q '\"state\": *\"open\"'"
	expect 0 "$host: something else is begun" on $host apply --yes --dry-run --disrupt all "$tmp/script"
done

# the power goes, and the machine comes up empty
host=kvm-a2
printf '%s\n' 'delete 0 vf:0 vf:2' 'create 0 A2-4Q vf 1' >"$tmp/script"
on $host sim reset >/dev/null
layout $host >"$tmp/base"
expect 0 "$host: the script runs" on $host apply --yes --disrupt all "$tmp/script"
layout $host >"$tmp/target"
for way in undo finish; do
	end=base
	[ $way = finish ] && end=target
	die $host after 2
	expect 0 "$host: a power cut" on $host sim reboot
	expect 5 "$host: recover sees the commit of the last boot" on $host recover
	that "$host: and says so" says out "started again since"
	expect 0 "$host: recover --$way" on $host recover --$way --yes --disrupt all
	that "$host: after a reboot --$way gives the $end" same "$tmp/$end"
done
expect 0 "$host: what was finished after a reboot is undone" on $host undo --yes --disrupt all
that "$host: as a whole, too" same "$tmp/base"

# by which number of the two does not matter
host=kvm-l40s
that "$host: the script runs" count $host 'mode 3 vgpu
create 3 L40S-12Q vf 0
create 3 L40S-12Q vf 1'
for number in 1 2; do
	die $host after $((n - 1))
	that "$host: it ends" until_true is_quiet
	expect 0 "$host: recover --finish" on $host recover --finish --yes --disrupt all
	that "$host: is the target" same "$tmp/target"
	expect 0 "$host: undo $number" on $host undo $number --yes --disrupt all
	that "$host: names the first" says out "undoing commit 1 "
	that "$host: and takes back all of it" same "$tmp/base"
	expect 0 "$host: that undo is undone" on $host undo 3 --yes --disrupt all
	that "$host: which gives the target" same "$tmp/target"
	expect 0 "$host: then it is the last again" on $host undo --yes --disrupt all
	that "$host: and is taken back" same "$tmp/base"
done
host=kvm-a2
printf '%s\n' 'delete 0 vf:0 vf:2' 'create 0 A2-4Q vf 1' >"$tmp/script"
on $host sim reset >/dev/null
layout $host >"$tmp/base"
on $host apply --yes --disrupt all "$tmp/script" >/dev/null
layout $host >"$tmp/target"

# what a commit did is taken back later, and that too
on $host sim reset >/dev/null
expect 0 "a commit" on $host apply --yes --message "for the demo" "$tmp/script"
expect 0 "undo" on $host undo --yes
that "gives what was before" same "$tmp/base"
expect 3 "nothing is left to be undone" on $host undo --yes
expect 0 "an undo is undone by its number" on $host undo --yes 2
that "gives what was there" same "$tmp/target"
expect 0 "history" on $host history
that "names them all" says out "undo of 2"
expect 0 "history in JSON" on $host --json history
expect 0 "one commit" on $host history show 1
that "says why" says out "for the demo"
expect 2 "no number" on $host undo 0x1
expect 2 "there is no such commit" on $host undo 99

# what a hostile or unlucky look found
host=dgx-h100
d() { "$program" --sim dgx-h100 "$@"; }
journal=$(d sim path)/var/lib/gpuslice/journal
printf 'create 3 1g.10gb at 0\n' >"$tmp/script"

# all is done but its last word: the way that is asked for is the one that is gone
d sim reset >/dev/null
layout $host >"$tmp/base"
d apply --yes "$tmp/script" >/dev/null
layout $host >"$tmp/target"
sed -i '$d' "$journal/1.jsonl"
expect 0 "at the target, recover --undo" d recover --undo --yes
that "gives the base" same "$tmp/base"
for way in --finish ''; do
	d sim reset >/dev/null
	d apply --yes "$tmp/script" >/dev/null
	sed -i '$d' "$journal/1.jsonl"
	expect 0 "at the target, recover $way" d recover $way
	that "closes it" says out "as it was to make it; closed"
	expect 0 "so that it can be undone" d undo --yes
	that "gives the base" same "$tmp/base"
done
d sim reset >/dev/null
d sim fault kill before at 1 >/dev/null
d apply --yes "$tmp/script" >/dev/null 2>&1
expect 0 "at the base, recover --finish" d recover --finish --yes
that "gives the target" same "$tmp/target"

# what cannot be read is in the way of all, and can be set aside
d sim reset >/dev/null
d sim fault kill after at 1 >/dev/null
d apply --yes "$tmp/script" >/dev/null 2>&1
sed -i '1s/gpuslice.journal-file/another.journal-file/' "$journal/1.jsonl"
printf 'create 2 1g.10gb at 4\nmode 5 mig\n' >"$tmp/other"
expect 3 "a record that makes no sense: nothing is begun anywhere" d apply --yes --disrupt all "$tmp/other"
that "and it is said why" says out "cannot be told"
expect 1 "recover cannot tell either" d recover
that "but names the way out" says err "recover --leave 1"
expect 0 "which is one" d recover --leave 1
that "nothing of it is lost" [ -s "$journal/1.damaged" ]
expect 0 "and then all goes on" d apply --yes --disrupt unit:nvidia-dcgm.service --disrupt unit:dcgm-exporter.service "$tmp/script"

# what is no record at all
d sim reset >/dev/null
expect 2 "there is no such commit" d recover 77
that "which can be left neither" says_not err "--leave"
mkdir -p "$journal/1.jsonl"
expect 1 "a directory in the place of a record" d recover --leave 1
that "is what it is, in one sentence" says err "1.jsonl is not a file, so gpuslice did not write it and does not touch it: look at what it is, and move it"
rmdir "$journal/1.jsonl"
ln -s /dev/null "$journal/1.jsonl"
expect 1 "nor is a link one" d recover --leave 1
that "which stays as it is" [ -h "$journal/1.jsonl" ]
that "and is told" says err "did not write it and does not touch it"
rm "$journal/1.jsonl"

# a unit that was stopped belongs to the GPU that it was stopped for
d sim reset >/dev/null
d sim fault kill agent at 2 >/dev/null
echo 'mode 5 mig' >"$tmp/other"
d apply --yes --disrupt unit:nvidia-dcgm.service --disrupt unit:dcgm-exporter.service "$tmp/other" >/dev/null 2>&1
expect 5 "units are stopped by what was interrupted" d recover
that "which says so" says out "unit nvidia-dcgm.service is stopped by it"
expect 0 "in JSON they are started" d --json recover --undo --yes --dry-run
that "on that GPU" says out '"gpu": 5'
that "and no other" says_not out '"gpu": 0'
expect 0 "recover --undo" d recover --undo --yes
that "says the same" says out "GPU 5: started unit nvidia-dcgm.service"
that "and nothing of another" says_not out "GPU 0"

# an undo says that others were there since, and does not work on another board
d sim reset >/dev/null
d apply --yes "$tmp/script" >/dev/null
printf 'create 3 1g.10gb at 5\n' >"$tmp/other"
d apply --yes "$tmp/other" >/dev/null
expect 3 "undo of what others changed since wants a confirmation" d undo 1
that "and says so" says out "commit 2 changed it since"
expect 0 "with which it is done" d undo 1 --yes
d sim reset >/dev/null
d apply --yes "$tmp/script" >/dev/null
sed -i '1s/GPU-c07b93d4-1e58-5a26-b4f9-d83e5f61027a/GPU-c07b93d4-1e58-5a26-b4f9-000000000000/g' "$journal/1.jsonl"
expect 3 "undo on another board" d undo --yes
that "is refused" says err "is another one than when commit 1 was made"
expect 0 "a GPU that has gone" d sim fault vanish 0000:61:00.0
expect 3 "is not undone by saying that there is nothing to do" d undo --yes
printf 'create 3 1g.10gb at 5\n' >"$tmp/script"
d sim reset >/dev/null
expect 0 "bytes that are no UTF-8" d apply --yes --message "$(printf 'caf\351')" "$tmp/script"

done_testing
