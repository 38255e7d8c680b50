# SPDX-License-Identifier: GPL-2.0-or-later
#
# restore_unit.sh - in the guest: gpuslice-restore.service as it is packaged,
# under a real systemd, at «boot». A layout is saved and what is on the GPUs goes;
# then systemd starts as process 1 of a namespace, with a daemon that holds a
# GPU, a driver that comes late, and one who would use the GPUs. systemd and its
# units come by tests/vm/restore_unit.sh.
. /lib/vm/crash.sh
start_machine || exit 125
kept=/tmp/kept
mkdir -p $kept
systemd_pid='' init=/newroot

# in COMMAND…: beside systemd, in its namespaces
in_it() { nsenter -t "$systemd_pid" -p -m chroot $init env PATH=/bin:/usr/bin:/sbin "$@"; }
state() { in_it systemctl show -p "$2" --value "$1" 2>&1; }

# eventually COMMAND…: true in the end
eventually_true() {
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.2
	done
	false
}

# ---- the layout, and a machine that has lost it
printf '%s\n' "mode $L40S vgpu" "create $L40S L40S-24Q vf 0" "vfs $FLEX 2" >/tmp/script
ends "the layout" 0 gpuslice apply --yes --disrupt all /tmp/script
keep a
ends "is saved" 0 gpuslice save
printf '%s\n' "delete $L40S all" "mode $L40S whole" "vfs $FLEX 0" >/tmp/script
ends "and goes" 0 gpuslice apply --yes --disrupt all /tmp/script
result "the machine is another" between "$(is_at a || echo between)"
rmmod gs_xe || exit 125

# ---- a root of its own, since systemd moves it about
mkdir -p $init
mount -t tmpfs -o size=256m tmpfs $init || exit 125
for d in bin sbin etc usr lib lib64; do
	[ ! -e /$d ] || cp -a /$d $init/
done
mkdir -p $init/proc $init/sys $init/dev $init/run $init/tmp $init/var/lib $init/root $init/home $init/log
cp -a /var/lib/gpuslice $init/var/lib/
mount -o rbind /sys $init/sys && mount -o rbind /dev $init/dev && mount -t tmpfs tmpfs $init/run || exit 125
mount -t cgroup2 cgroup2 $init/sys/fs/cgroup || exit 125
units=$init/etc/systemd/system
mkdir -p $units/gpuslice-restore.service.d $units/multi-user.target.wants
cat >$init/etc/systemd/system.conf <<EOF
[Manager]
LogTarget=null
DefaultStandardOutput=null
EOF
cat >$units/gpuslice-restore.service.d/said.conf <<EOF
[Service]
StandardOutput=append:/log/restore.out
StandardError=append:/log/restore.err
EOF
cat >$units/nvidia-persistenced.service <<EOF
[Service]
ExecStart=/bin/sh -c 'exec 3</dev/nvidia5 && echo start >>/log/persistenced && exec sleep 1000000'
EOF
# its driver comes when the restore says that it waits
cat >$units/late-driver.service <<EOF
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'until grep -qs "waiting for" /log/restore.out /log/restore.err; do sleep 0.2; done; modprobe gs_xe'
EOF
cat >$units/libvirtd.service <<EOF
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /log/look
EOF
echo "cat $PCI/$FLEX/sriov_numvfs $PCI/$L40S/virtfn0/nvidia/current_vgpu_type >/log/libvirtd" >$init/log/look
for unit in gpuslice-restore nvidia-persistenced late-driver libvirtd; do
	ln -sf ../$unit.service $units/multi-user.target.wants/$unit.service
done
ln -sf /lib/systemd/system/multi-user.target $units/default.target

# ---- boot
unshare -p -m -f sh -c "mount -t proc proc $init/proc && exec chroot $init env -i container=vm-bench PATH=/bin:/usr/bin:/sbin:/usr/sbin /lib/systemd/systemd --system" >/tmp/systemd.log 2>&1 &
unshare_pid=$!
find_it() { systemd_pid=$(pidof systemd); [ -n "$systemd_pid" ]; }
eventually_true find_it || { sed 's/^/# /' /tmp/systemd.log; exit 1; }
is_up() { [ "$(state default.target ActiveState)" = active ]; }
result "systemd comes up" up "$(eventually_true is_up && echo up)"

result "the unit has done its work" "active success 0" "$(state gpuslice-restore.service ActiveState) $(state gpuslice-restore.service Result) $(state gpuslice-restore.service ExecMainStatus)"
[ "$(state gpuslice-restore.service ExecMainStatus)" = 0 ] || sed "s/^/# /" $init/log/restore.out $init/log/restore.err
result "it waited for the driver" yes "$(grep -qs 'waiting for' $init/log/restore.out $init/log/restore.err && echo yes)"
result "the kernel has what was saved" a "$(is_at a && echo a || differences $kept/a.sysfs /tmp/now.sysfs)"
result "who held the GPU was stopped, and runs again" "2 active" "$(grep -c start $init/log/persistenced) $(state nvidia-persistenced.service ActiveState)"
result "who would use the GPUs came after it" "2 $(cat $PCI/$L40S/virtfn0/nvidia/current_vgpu_type)" "$(tr '\n' ' ' <$init/log/libvirtd | sed 's/ $//')"
result "it stands in the journal" 'restore 0' "$(in_it gpuslice --json history | tr -d ' \n' | sed 's/.*"way":"\(restore\)".*/\1/') $(in_it gpuslice recover >/dev/null 2>&1; echo $?)"

# ---- again: there is nothing to do
was=$(in_it gpuslice --json history | grep -c '"id"')
in_it systemctl restart gpuslice-restore.service >/dev/null 2>&1
result "again: done" "active success 0" "$(state gpuslice-restore.service ActiveState) $(state gpuslice-restore.service Result) $(state gpuslice-restore.service ExecMainStatus)"
result "and nothing was to be done" "$was 2" "$(in_it gpuslice --json history | grep -c '"id"') $(grep -c start $init/log/persistenced)"

# ---- a layout that is wrong is not tried again
echo '{"schema": "gpuslice.layout/1", "gpus": 7}' >$init/etc/gpuslice/layout.json
in_it systemctl restart gpuslice-restore.service >/dev/null 2>&1
result "a wrong layout fails at once" "failed exit-code 2 0" "$(state gpuslice-restore.service ActiveState) $(state gpuslice-restore.service Result) $(state gpuslice-restore.service ExecMainStatus) $(state gpuslice-restore.service NRestarts)"
result "and nothing was done" a "$(is_at a && echo a || differences $kept/a.sysfs /tmp/now.sysfs)"

# ---- without one it is not begun
rm $init/etc/gpuslice/layout.json
in_it systemctl reset-failed gpuslice-restore.service
in_it systemctl restart gpuslice-restore.service >/dev/null 2>&1
result "without a layout it is passed over" "inactive no" "$(state gpuslice-restore.service ActiveState) $(state gpuslice-restore.service ConditionResult)"
kill -KILL "$systemd_pid"
wait $unshare_pid 2>/dev/null
done_testing
