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

# what a commit did is taken back later, and that too
on $host sim reset >/dev/null
expect 0 "a commit" on $host apply --yes --message "for the demo" "$tmp/script"
expect 0 "undo" on $host undo --yes
that "gives what was before" same "$tmp/base"
expect 3 "nothing is left to be undone" on $host undo --yes
expect 0 "an undo is undone by its number" on $host undo --yes 2
that "gives what was there" same "$tmp/target"
expect 0 "history" on $host history
that "names them all" says out "undo 2"
expect 0 "history in JSON" on $host --json history
expect 0 "one commit" on $host history show 1
that "says why" says out "for the demo"
expect 2 "no number" on $host undo 0x1
expect 2 "there is no such commit" on $host undo 99

done_testing
