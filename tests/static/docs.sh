#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docs.sh - the pages name what the program has, and nothing that only we know.
# shellcheck disable=SC2016
set -u
build=${BUILD:-build}
gendoc=$build/gendoc
pages="README.md NEWS.md CONTRIBUTING.md docs/*.md"
n=0 bad=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
tap() { # tap NAME LINES: ok when there are none
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
		bad=1
	fi
}

# missing WHAT FORMAT FILE…: the names of that table that no line of the files has; %s in FORMAT is the name
missing() {
	what=$1 format=$2
	shift 2
	"$gendoc" list "$what" >"$tmp/names" || echo "gendoc list $what failed"
	[ -s "$tmp/names" ] || echo "gendoc lists no $what"
	while IFS= read -r name; do
		# shellcheck disable=SC2059
		wanted=$(printf "$format" "$name")
		grep -qF -- "$wanted" "$@" || echo "$what: $name"
	done <"$tmp/names"
}

tap "every command is in gpuslice(1)" "$(missing commands '.It Cm %s' "$build/man/gpuslice.1")"
tap "every command is in --help" "$("$build/gpuslice" --help >"$tmp/help" || echo "--help failed"; missing commands '  %s ' "$tmp/help")"
tap "every option is in gpuslice(1)" "$("$gendoc" list options | while read -r o; do grep -qF ".It Fl ${o#-}" "$build/man/gpuslice.1" || echo "$o"; done)"
tap "every option can be completed" "$("$gendoc" list options | while read -r o; do grep -qE -- "[ ']${o}[ ']" "$build/completion/gpuslice.bash" || echo "$o"; done)"
# quotes around a key keep roff from reading it; \& stands before a lone delimiter
tap "every key is in gpuslice(1)" "$(sed -e 's/\\&//' "$build/man/gpuslice.1" >"$tmp/keys"; missing keys '.It Ic "%s"' "$tmp/keys")"
tap "every verb is in gpuslice-script(5)" "$(missing verbs '%s ' "$build/man/gpuslice-script.5")"
tap "every verb is in docs/language.md" "$("$gendoc" list verbs | while read -r v; do grep -qE "(^|\`)${v}(\`| )" docs/language.md || echo "$v"; done)"
tap "every rule is in gpuslice-script(5)" "$(missing rules '.It Li %s' "$build/man/gpuslice-script.5")"
tap "every rule is in docs/language.md" "$(missing rules '| `%s` |' docs/language.md)"
tap "docs/language.md has no rule that is gone" "$("$gendoc" list rules >"$tmp/rules"
	sed -n '/^## Findings/,$s/^| `\([a-z-]*\)` .*/\1/p' docs/language.md | grep -vxFf "$tmp/rules")"
tap "every grade of undo is in gpuslice(1)" "$(missing undos '.It Li %s' "$build/man/gpuslice.1")"
tap "every fault is in docs/simulator.md" "$(sed 's/\\|/|/g' docs/simulator.md >"$tmp/faults"; "$gendoc" list faults | while read -r f rest; do grep -qE "^\| .*\`$f( |\`)" "$tmp/faults" || echo "$f $rest"; done)"
tap "every fault is in gpuslice(1)" "$(missing faults '%s' "$build/man/gpuslice.1")"
tap "every way to name a holder is in gpuslice(1)" "$(for word in pid:N unit:NAME.service all; do grep -qE "^\.Ar $word( ,)?$" "$build/man/gpuslice.1" || echo "$word"; done)"
tap "every mode is in the help of apply" "$("$build/gpuslice" apply --help >"$tmp/apply"; for mode in $("$gendoc" list modes); do grep -qE "mode GPU ([a-z|-]*\\|)?$mode(\||$)" "$tmp/apply" || echo "$mode"; done)"
tap "every mode is in what gpuslice(1) says it does" "$(sed -n '/^.Sh DESCRIPTION/,/^.Sh OPTIONS/p' "$build/man/gpuslice.1" >"$tmp/does"; for word in 'MIG instances' 'vGPUs' 'virtual functions' 'passes' 'partitions'; do grep -q "$word" "$tmp/does" || echo "$word"; done)"
tap "every element is in gpuslice-theme(5)" "$(missing elements '.It Li %s' "$build/man/gpuslice-theme.5")"
tap "every exit status is in README.md" "$(missing statuses '| %s | ' README.md)"
tap "every exit status is in gpuslice(1)" "$("$gendoc" list statuses | while read -r x; do grep -qxF ".It $x" "$build/man/gpuslice.1" || echo "$x"; done)"

tap "every mode is explained in gpuslice-script(5)" "$("$gendoc" list modes | while read -r m; do sed -n '/^.It Cm mode/,/^It never/p' "$build/man/gpuslice-script.5" | grep -qE "^\.Cm $m( [,;])?$" || echo "$m"; done)"
tap "every grade of undo is in README.md and in the help" "$("$gendoc" list undos | while read -r u; do grep -qF "\`$u\`" README.md && grep -qE "^  $u +[a-z]" "$tmp/apply" || echo "$u"; done)"
tap "README.md shows each page, the completion and a statement's way to plan" "$(for f in "$build"/man/*; do grep -qF "${f##*/}" README.md || echo "${f##*/}"; done
	for text in '. build/completion/gpuslice.bash' "| gpuslice --sim dgx-h100 plan -" /etc/gpuslice/hooks.d; do grep -qF "$text" README.md || echo "$text"; done)"
tap "README.md names every folder" "$(for f in src/*/ backend/*/ [a-z]*/; do
	f=${f%/}
	case $f in src | build) continue ;; esac
	grep -qF "| \`$f\` |" README.md || echo "$f"
done)"
tap "README.md names no folder that is gone" "$(sed -n 's/^| `\([a-z/]*\)` | .*/\1/p' README.md | while read -r f; do [ -d "$f" ] || echo "$f"; done)"
tap "every simulated host is in docs/simulator.md" "$(for f in data/hosts/*.json; do h=${f##*/}; grep -qF "| \`${h%.json}\` |" docs/simulator.md || echo "$h"; done)"
# shellcheck disable=SC2086
tap "every schema is in docs/json.md or a page of its own" "$(for f in data/schema/*.json; do s=${f##*/}; case $s in theme.json | mig-model.json | vgpu-*.json) continue ;; esac; grep -qF "data/schema/$s" docs/json.md || echo "$s"; done)"

# shellcheck disable=SC2086
tap "links lead somewhere" "$(for page in $pages; do
	grep -oE '\]\([^)#: ]+\)' "$page" | sed 's/^](//; s/)$//' | while read -r target; do
		[ -e "$(dirname "$page")/$target" ] || echo "$page: $target"
	done
done)"
# shellcheck disable=SC2086
tap "no templates are left over" "$(grep -nE '^@[A-Z-]+@$' "$build"/man/* "$build"/completion/*)"
# how it came about is not what a reader came for
# shellcheck disable=SC2086
tap "pages name no place of one machine and nothing unfinished" "$(grep -nwE 'TODO|FIXME|XXX|/home/[a-z]+|/tmp/[a-z]+' $pages packaging/man/*.in packaging/systemd/* packaging/debian/* packaging/completion/* 2>/dev/null)"
if command -v mandoc >/dev/null; then
	tap "mandoc has no warning" "$(mandoc -T lint -W warning "$build"/man/*)"
else
	n=$((n + 1))
	echo "ok $n - mandoc has no warning # SKIP mandoc is missing"
fi
echo "1..$n"
exit $bad
