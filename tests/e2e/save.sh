#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# save.sh - save, drift with its cause, restore: after a change, after a reboot, by hand-written YAML, and with a GPU that never comes.
. tests/lib/tap.sh
g() { "$program" --sim dgx-h100 "$@"; }
tree=$(g sim path)
saved=$tree/etc/gpuslice/layout.json
field() { python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); print(eval("o"+sys.argv[2]))' "$tmp/out" "$1"; }

expect 0 "reset" g sim reset
expect 2 "nothing is saved: restore says so" g restore
that "and how to" says err "gpuslice save"
expect 2 "assert without a file needs one that is saved" g assert
expect 0 "list says that nothing is saved" g list
that "of those that would lose something" says out "UNSAVED: nothing puts GPU 0, 1, 2, 3, 7 back at boot"
printf 'create 3 3g.40gb at 4\n' >"$tmp/in"
expect_in 0 "a plan says so too" g plan -
that "what to do" says out "nothing is saved: gpuslice save afterwards"
expect 9 "saving needs root" g --as-user save
that "nothing was saved" test ! -e "$saved"
expect 0 "saving to a file needs none of that" g save "$tmp/file"
g export json >"$tmp/before"
that "and is what export tells" cmp -s "$tmp/file" "$tmp/before"
expect 0 "so does -" g save -
that "to standard output" cmp -s "$tmp/out" "$tmp/before"

expect 0 "save" g save
that "it says where" says out "saved to /etc/gpuslice/layout.json"
that "and that nothing puts it back" says out "it is saved, but nothing puts it back at boot until systemctl enable gpuslice-restore.service"
that "what is saved is what export tells" cmp -s "$saved" "$tmp/before"
that "all may read it" test "$(stat -c %a "$saved")" = 644
expect 0 "as saved" g assert
expect 0 "restore has nothing to do" g restore --yes
that "and says so" says out "nothing to do"
expect 0 "list says as saved" g list
that "with the path" says out "saved: 8 GPUs as /etc/gpuslice/layout.json, but nothing puts it back at boot until systemctl enable gpuslice-restore.service"

# the unit
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
ln -s /usr/lib/systemd/system/gpuslice-restore.service "$tree/etc/systemd/system/multi-user.target.wants/gpuslice-restore.service"
expect 0 "save tells of the unit" g save --json
that "that is enabled" test "$(field '["unit_enabled"]')" = True
that "and list has no but" sh -c '"$1" --sim dgx-h100 list | grep -q "^saved: 8 GPUs as /etc/gpuslice/layout.json$"' - "$program"
expect 0 "what is saved and put back needs no note" g plan --json "$tmp/before"
that "none" says_not out not-saved
expect_in 0 "what differs from it has one" g plan -
that "that says so" says out "the saved layout differs from this: gpuslice save afterwards"

# drift
printf 'delete 2 1g.10gb@2\ncreate 3 1g.10gb at 0\nmode 6 mig\n' >"$tmp/in"
expect_in 0 "a change" g apply --yes -
expect 4 "assert tells the drift" g assert
that "what is missing" says out "GPU 2 (0000:52:00.0): 1g.10gb at 2 is missing"
that "what is there and not saved" says out "GPU 3 (0000:61:00.0): 1g.10gb at 0 is there, not saved"
that "another mode" says out "GPU 6 (0000:d1:00.0): mode is mig, saved is whole"
that "who did it" says out "    commit 1 by "
expect 0 "list tells it" g list
that "in a line per GPU" says out "DRIFT: GPU 2: 1g.10gb at 2 is missing (commit 1 by "
expect 4 "in JSON" g assert --json
that "with the states" test "$(field '["gpus"][2]["state"]')$(field '["gpus"][1]["state"]')" = differssame
rm -f "$tree/etc/systemd/system/multi-user.target.wants/gpuslice-restore.service"
expect 0 "what is saved, and no unit puts it back" g plan "$tmp/before"
that "is told as such" says out "it is saved, but nothing puts it back at boot until systemctl enable gpuslice-restore.service"
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
ln -s /usr/lib/systemd/system/gpuslice-restore.service "$tree/etc/systemd/system/multi-user.target.wants/gpuslice-restore.service"
expect 0 "with the unit it comes back by itself" g plan "$tmp/before"
that "steps" says out "create 1g.10gb at 2"
that "and no note" says_not out not-saved
expect 0 "restore --dry-run tells what it would do" g restore --dry-run
expect 4 "and does nothing" g assert
expect 0 "restore" g restore --yes
g export json >"$tmp/after"
that "the machine is as saved, byte for byte" cmp -s "$tmp/after" "$tmp/before"
expect 0 "again: nothing to do" g restore --yes --json
that "for any of them" test "$(field '["text"]')" = "nothing to do: the machine is as asked"
expect 0 "as saved again" g assert

# a driver that is loaded again: told by the kernel's log, with its time
says_like() { grep -Eq -- "$1" "$tmp/out"; }
when='[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC'
expect 3 "a driver in use cannot be unloaded" g sim reload nvidia
that "as rmmod says it" says err "Module nvidia is in use: pid 48211 python3"
expect 0 "and nothing was done" g assert
expect 0 "a fault does not ask" g sim fault reload nvidia
expect 4 "there is drift" g assert
that "by the driver, after the commit that made it" says_like "^    its driver nvidia was loaded again at $when, after commit [0-9]+ by .* at $when, and no restore has put this back$"
that "or after it was saved, where no commit was" says_like "^    its driver nvidia was loaded again at $when, after it was saved, and no restore has put this back$"
that "nobody else" says_not out "another tool"
expect 0 "an idle machine" g sim reset
expect 0 "by a reboot" g sim reboot
printf 'mode 0 mig\ncreate 0 3g.40gb at 4\nmode 6 mig\ncreate 6 1g.10gb count 2\n' >"$tmp/in"
expect_in 0 "with instances" g apply --yes --disrupt unit:nvidia-persistenced.service -
expect 0 "save" g save
g export json >"$tmp/idle"
expect 0 "its driver is loaded again" g sim reload
expect 4 "assert" g assert
that "tells what is missing" says out "GPU 6 (0000:d1:00.0): mode is whole, saved is mig"
that "and that it was the driver" says_like "^    its driver nvidia was loaded again at $when, after it was saved, and no restore has put this back$"
expect 4 "in JSON" g assert --json
that "as well" test "$(field '["gpus"][6]["cause"][:37]')" = "its driver nvidia was loaded again at"
# loaded_now: the time in the sentence is between the saving and now, to the second
loaded_now() {
	python3 -c '
import calendar, json, re, sys, time
told = json.load(open(sys.argv[1]))
at = calendar.timegm(time.strptime(re.search(r"at (.*) UTC", told["gpus"][6]["cause"]).group(1), "%Y-%m-%d %H:%M:%S"))
sys.exit(not told["saved_at_ms"] // 1000 <= at <= time.time())' "$tmp/out"
}
that "at the time at which it was" loaded_now
expect 0 "list" g list
that "has it in its line" says out "DRIFT: GPU 0: mode is whole, saved is mig; 3g.40gb at 4 is missing (its driver nvidia was loaded again at "
rm -f "$tree/run/gpuslice/snapshot.json"
expect 4 "who may not read the log" g --as-user assert
that "does not know" says out "by another tool, or a driver that was loaded again: nothing here knows"
expect 0 "until root has published it" g agent --publish
expect 4 "for viewers" g --as-user assert
that "then it is told" says out "its driver nvidia was loaded again at "
expect 0 "restore puts it back" g restore --yes --disrupt unit:nvidia-persistenced.service
g export json >"$tmp/now"
that "byte for byte" cmp -s "$tmp/now" "$tmp/idle"
expect 0 "as saved" g assert
# a load that is older than what differs explains nothing
printf 'delete 6 all\n' >"$tmp/in"
expect 0 "save again" g save
expect_in 0 "a change" g apply --yes -
expect 4 "is a commit" g assert
that "not the driver" says out "    commit "
# by another tool: nothing in the journal about it
rm -rf "$tree/var/lib/gpuslice/journal"
expect 4 "without its journal" g assert
that "neither it nor the log knows" says out "by another tool, or by hand: neither the journal nor the kernel's log tells of it"
expect 0 "root publishes" g agent --publish
expect 4 "what is published" g --as-user assert
that "tells viewers too" says out "by a commit, another tool, or by hand: the journal cannot be read here, and the kernel's log tells of nothing"
expect 0 "a GPU was lost meanwhile" g sim fault nvml lost 0000:d1:00.0
expect 0 "and is back" g sim fault clear
expect 4 "then the log tells of that" g assert
that "with the time" says_like "^    the GPU had fallen off the bus at $when, after it was saved, as the kernel's log says, and no restore has put this back$"
expect 0 "reset" g sim reset
expect 0 "save" g save
expect 0 "a reboot" g sim reboot
expect 4 "takes all instances" g assert
that "and is known to have" says out "the machine was restarted since it was saved"
expect 0 "restore" g restore --yes --message boot
g export json >"$tmp/after"
that "the machine is as before the reboot, byte for byte" cmp -s "$tmp/after" "$tmp/before"

# written by hand
cat >"$saved" <<'END'
schema: gpuslice.layout/1
gpus:
- match: {bdf: "0000:61:00.0"}
  mode: mig
  instances:
  - {kind: mig, profile: 2g.20gb}
END
expect 4 "YAML of an operator" g assert
that "tells of its GPU" says out "GPU 3 (0000:61:00.0): 2g.20gb at "
that "and that others are not in it" says out "GPU 0 (0000:1b:00.0): nothing is saved of it"
expect 4 "when it was saved is not known" g assert --json
that "null" test "$(field '["saved_at_ms"]')" = None
expect 0 "restore" g restore --yes
expect 0 "as saved, wherever it lies" g assert
expect 0 "again: nothing to do" g restore --yes
that "and says so" says out "nothing to do"

# hostile
printf 'schema: gpuslice.layout/1\ngpus: &a [*a]\n' >"$saved"
expect 2 "an alias is refused" g restore --yes
that "with its place" says err "/etc/gpuslice/layout.json:2:"
expect 0 "looking goes on" g list
that "and says that it cannot be used" says err "what is saved cannot be used: /etc/gpuslice/layout.json:2:"
printf 'delete all all\n' >"$saved"
expect 2 "a script is no layout" g restore --yes
head -c 5000000 /dev/zero | tr '\0' '#' >"$saved"
expect 2 "too large" g restore --yes
printf '{"schema":"gpuslice.layout/1",\0"gpus":[]}' >"$saved"
expect 2 "no text" g restore --yes
rm "$saved"
mkdir "$saved"
expect 2 "no file" g restore --yes
rmdir "$saved"
g export json >"$tmp/now"
expect 0 "saving after that" g save
that "is what is there" cmp -s "$saved" "$tmp/now"

# what cannot be saved
expect 0 "a GPU is lost" g sim fault nvml lost 0000:61:00.0
expect 3 "what cannot be seen is not saved" g save
that "the older one is still there" cmp -s "$saved" "$tmp/now"
expect 9 "whether it is as saved cannot be told" g assert
expect 0 "it comes back" g sim fault clear

# a GPU that never comes: the others are done, and it ends in time
expect 0 "reset" g sim reset
expect 0 "save" g save
printf 'delete 2 all\n' >"$tmp/in"
expect_in 0 "a change" g apply --yes -
expect 0 "one vanishes" g sim fault vanish 0000:d1:00.0
start=$(date +%s)
expect 10 "some are restored" g restore --yes --wait-ready 2
that "in time" test $(($(date +%s) - start)) -lt 30
that "it was waited" test $(($(date +%s) - start)) -ge 2
that "whom for is said" says err "after 2 s the GPU GPU-39b8a1f0-6d4e-5c97-8e15-f27c0a94b6d2, 0000:d1:00.0 is not there"
that "the other is done" says out "GPU 2  0000:52:00.0  done: 8 steps"
expect 4 "the missing one is drift" g assert
that "named by what was saved" says out "no GPU: this machine has no GPU with uuid GPU-39b8a1f0"
expect 10 "again: the same status" g restore --yes --wait-ready 0
expect 2 "as a whole it is wrong" g restore --yes --scope host
expect 2 "a time is a number" g restore --wait-ready soon

# one that comes while it is waited for: done, long before the time is over
mkfifo "$tmp/said"
g restore --yes --wait-ready 600 --json >"$tmp/out" 2>"$tmp/said" </dev/null &
restore=$!
exec 9<"$tmp/said"
read -r line <&9
printf '%s\n' "$line" >"$tmp/err"
that "it says that it waits" says err "waiting for 1 of 8 GPUs, at most 600 s"
g sim reset >/dev/null
cat <&9 >>"$tmp/err"
wait $restore
check_status "it goes on when the GPU is there" 0 $?
exec 9<&-
that "with all of them" test "$(field '["results"].__len__()')" = 8

expect 0 "reset" g sim reset
expect 0 "save" g save
expect 0 "who is there is not waited for" timeout 60 "$program" --sim dgx-h100 restore --yes --wait-ready 3600
# one y too many: what was saved before is still there
"$program" --sim dgx-h100 sim reset >/dev/null
expect 0 "save" "$program" --sim dgx-h100 save
cp "$(g sim path)/etc/gpuslice/layout.json" "$tmp/good"
"$program" --sim dgx-h100 sim reboot >/dev/null
expect 0 "save what is left after a reboot" "$program" --sim dgx-h100 save
that "the layout before is kept" cmp -s "$tmp/good" "$(g sim path)/etc/gpuslice/layout.json.previous"
expect 0 "save the same again" "$program" --sim dgx-h100 save
that "it still is" cmp -s "$tmp/good" "$(g sim path)/etc/gpuslice/layout.json.previous"

# every family: what was saved is there again after a reboot, byte for byte
for host in dgx-h100 kvm-l40s kvm-a2 b200 lab; do
	"$program" --sim $host sim reset >/dev/null
	expect 0 "$host: export" "$program" --sim $host export json
	cp "$tmp/out" "$tmp/before"
	expect 0 "$host: save" "$program" --sim $host save
	expect 0 "$host: reboot" "$program" --sim $host sim reboot
	expect 0 "$host: restore" "$program" --sim $host restore --yes --disrupt unit:nvidia-persistenced.service --disrupt unit:nvidia-dcgm.service --disrupt unit:dcgm-exporter.service
	expect 0 "$host: export again" "$program" --sim $host export json
	that "$host: is as before" cmp -s "$tmp/out" "$tmp/before"
	expect 0 "$host: restore again" "$program" --sim $host restore --yes
	that "$host: has nothing to do" says_not out 'done:'
done

# a machine that came up empty is saved by the same word: what that replaces is told
g sim reset >/dev/null
expect 0 "save" g save
that "says nothing of one before" says_not out 'what was saved before'
expect 0 "again, the same" g save
that "replaces nothing" says_not out 'what was saved before'
g sim reboot >/dev/null
expect 0 "save, when it came up empty" g save
that "tells what is replaced" grep -qE 'what was saved before, at 20.* UTC with 1[0-9] instances, is kept as /etc/gpuslice/layout.json.previous' "$tmp/out"

done_testing
