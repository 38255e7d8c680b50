# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# killed.sh - between two states, there and back: the program dies at every
# record of the journal and at every write, and recover takes the machine to
# where it was or to where it was to go, by turns. Sourced.
. /lib/vm/crash.sh
start_machine && modprobe gs_crash || exit 125
kept=/tmp/kept n_between=0
mkdir -p $kept

# both SCRIPT SCRIPT: to the first state from the empty machine, and to the second from there
both() {
	echo "$1" >/tmp/script
	ends "the first state" 0 gpuslice apply --yes --disrupt all /tmp/script
	keep a
	echo "$2" >/tmp/script
	ends "the second state" 0 gpuslice apply --yes --disrupt all /tmp/script
	keep b
	result "is another" between "$(is_at a || echo between)"
	ends "from each" 0 gpuslice apply --yes --disrupt all $kept/a.json
	result "the other is reached" a "$(at a)"
}

# die EVENT WHO N: on the way from where the machine is to the other state; false: there is no N-th one
die() {
	from=$(where) to=b
	[ "$from" = a ] || to=a
	arm "$@"
	apply $kept/$to.json
	died=$?
	has_struck && return
	arm "" "" 0
	false
}

# recovered EVENT WHO N WAY: what died so is taken there
recovered() {
	what="$from to $to, $1 $3, $2 killed, last record: $(last_record)"
	eventually nobody_works || result "$what: what the kernel was given ends" yes no
	found=$(where) end=$from
	[ "$4" = undo ] || end=$to
	if [ "$found$n_between" = between0 ]; then
		ends "$what: nothing else is begun" 3 gpuslice apply --yes --disrupt all $kept/$end.json
		fact "and recover is named" recover grep -o -m 1 recover /tmp/out /tmp/err -h
	fi
	[ "$found" != between ] || n_between=$((n_between + 1))
	result "$what: the command says so" 5 $died
	ends "$what, found $found: recover --$4" 0 gpuslice recover --"$4" --yes --disrupt all
	result "$what, found $found: recover --$4 gives" "$end" "$(at "$end")"
}

# every EVENT WHO [STEP]: at each, or every STEP-th, finished and undone by turns, from both sides
every() {
	n=1 way=finish
	while die "$1" "$2" $n; do
		recovered "$1" "$2" $n $way
		if [ $way = finish ]; then way=undo; else way=finish; fi
		n=$((n + ${3:-1}))
	done
	result "that was every $1" yes "$([ $n -gt 2 ] && echo yes)"
}

# done_killing N: all that, of it at least N between the two states
done_killing() {
	result "$n_between times the machine was in between" yes "$([ $n_between -ge "$1" ] && echo yes)"
	done_testing
}
