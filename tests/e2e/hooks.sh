#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# hooks.sh - the site's hooks around a commit, those of a simulated machine's own tree.
. tests/lib/tap.sh
g() { "$program" --sim dgx-h100 "$@"; }
shape() { g list --json | python3 -c '
import json, sys
print(" ".join("%s@%s" % (i["profile"], i["start"]) for i in json.load(sys.stdin)["gpus"][int(sys.argv[1])]["instances"]))' "$1"; }
# hook NAME: an executable, its text on standard input
hook() {
	{ printf '#!/bin/sh\nlog=%s\n' "$tmp/log"; cat; } >"$hooks/$1"
	chmod 755 "$hooks/$1"
}

expect 0 "reset" g sim reset
hooks=$(g sim path)/etc/gpuslice/hooks.d
mkdir -p "$hooks"
log=$tmp/log
: >"$log"

hook 10-drain <<'END'
echo "$(basename "$0") $*" >>"$log"
python3 -c 'import json, sys; p = json.load(sys.stdin); print(p["schema"], "with", len(p["steps"]), "steps")'
echo "host $GPUSLICE_HOST, why: ${GPUSLICE_MESSAGE-nobody says}"
END
hook 20-tell <<'END'
echo "$(basename "$0") $*" >>"$log"
END
printf 'never run\n' >"$hooks/README~"

echo 'create 3 1g.10gb at 0' >"$tmp/in"
expect_in 0 "a plan runs no hook" g plan -
that "none was run" [ ! -s "$log" ]
expect_in 0 "a commit runs them" g apply --yes --message "room for two" -
printf '10-drain before - 0000:61:00.0\n20-tell before - 0000:61:00.0\n10-drain after 0 0000:61:00.0\n20-tell after 0 0000:61:00.0\n' >"$tmp/want"
that "all before the first step and all after the last, in their order" cmp -s "$log" "$tmp/want"
that "they read the plan" grep -q 'hook 10-drain before: gpuslice.plan/1 with 2 steps' "$tmp/out" "$tmp/err"
that "they are told why" grep -q 'why: room for two' "$tmp/out" "$tmp/err"
: >"$log"
expect_in 0 "the same again" g apply --yes -
that "is nothing to do, and no hook's business" [ ! -s "$log" ]
echo 'delete 0 3g.40gb@0' >"$tmp/in"
expect_in 3 "a plan that is refused anyway" g apply --yes -
that "is no hook's business either" [ ! -s "$log" ]

hook 15-no <<'END'
echo "$(basename "$0") $*" >>"$log"
[ "$1" = after ] || { echo "jobs are running"; exit 9; }
END
echo 'create 3 1g.10gb at 1' >"$tmp/in"
expect_in 3 "a hook that says no stops the commit" g apply --yes -
that "with its name and last line" says err "the hook 15-no (before) says no with exit status 9: jobs are running; nothing was done"
that "nothing was done" [ "$(shape 3)" = "1g.10gb@0" ]
printf '10-drain before - 0000:61:00.0\n15-no before - 0000:61:00.0\n10-drain after 3 0000:61:00.0\n15-no after 3 0000:61:00.0\n' >"$tmp/want"
that "those that were begun are told, the others were not run" cmp -s "$log" "$tmp/want"
chmod 644 "$hooks/15-no"
expect_in 3 "one that is not executable is not skipped in silence" g apply --yes -
that "it is named" says err "hooks.d/15-no is not executable"
rm "$hooks/15-no"

hook 30-late <<'END'
[ "$1" = before ] || { echo "the scheduler does not answer"; exit 1; }
END
expect_in 0 "a hook that fails afterwards changes nothing any more" g apply --yes -
that "but is told" says out "done: 2 steps; the hook 30-late (after) says no with exit status 1: the scheduler does not answer"
that "it is done" [ "$(shape 3)" = "1g.10gb@0 1g.10gb@1" ]
rm "$hooks/30-late"

# the agent serves while a hook runs, and whatever becomes of the commit is told
hook 30-list <<END
[ "\$1" = after ] || XDG_STATE_HOME=$XDG_STATE_HOME $(realpath "$program") --sim dgx-h100 list --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["gpus"]), "GPUs seen")'
END
: >"$log"
expect 0 "fault: the next creation fails" g sim fault nvml DeviceCreateGpuInstanceWithPlacement 999
echo 'create 3 1g.10gb at 2' >"$tmp/in"
expect_in 1 "a commit that fails" g apply --yes -
that "tells it to those that were asked" grep -q '^10-drain after 1 0000:61:00.0$' "$log"
that "a hook may look at the machine" grep -q '8 GPUs seen' "$tmp/out" "$tmp/err"
g sim fault clear >/dev/null

hook 30-list <<END
[ "\$1" = after ] || { echo 'create 3 1g.10gb at 2' | XDG_STATE_HOME=$XDG_STATE_HOME $(realpath "$program") --sim dgx-h100 apply --yes -; echo "status \$?"; }
END
expect_in 0 "a hook that would commit itself" g apply --yes -
that "finds the lock taken" grep -q 'hook 30-list before: status 6' "$tmp/out" "$tmp/err"

expect 9 "a monitor's agent runs none" sh -c 'echo "create 3 1g.10gb at 3" | "$0" --sim dgx-h100 --as-user apply --yes -' "$program"
that "since it cannot commit" says_not err "hook"

# a reset is a machine as shipped, without what was tried on it
expect 0 "reset" g sim reset
that "no hook is left" [ -z "$(ls "$(g sim path)/etc/gpuslice/hooks.d" 2>/dev/null)" ]
done_testing
