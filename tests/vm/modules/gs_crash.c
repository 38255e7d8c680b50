// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gs_crash: ends the program, or the machine, at an exact instant of a commit; for tests only.
 *
 *	event	"record": a record of the journal is on the disk, and whoever wrote it goes on; "unsynced":
 *		it is written and not on the disk yet; "write": the program or one that it runs is in the
 *		kernel with a write to sysfs
 *	who	"agent" gets SIGKILL, and nobody else; "all": also whoever writes for it, and what that runs;
 *		"power": the machine, without a further instruction
 *	at	arms it: the N-th such event, once; 0: off
 *
 * The agent is whoever wrote the journal last.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/glob.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#define JOURNAL "/var/lib/gpuslice/journal/*.jsonl"
#define WRITES "/sys/[bd]*"             /* bus, devices; not module, where our own parameters are */

/* isa-debug-exit ends QEMU with the status 2 * this + 1, which boot.sh knows */
#define EXIT_PORT 0x501
#define POWER_CUT 0x40

static char *event = "";
module_param(event, charp, 0644);
static char *who = "";
module_param(who, charp, 0644);
static int at;
module_param(at, int, 0644);

static pid_t agent;

static bool is_path(struct file *file, const char *pattern)
{
	static char buffer[512];        /* one processor, and not to be interrupted */
	char *path = d_path(&file->f_path, buffer, sizeof(buffer));

	return !IS_ERR(path) && glob_match(pattern, path);
}

static bool strikes(const char *what)
{
	return at > 0 && sysfs_streq(event, what) && --at == 0;
}

/* From us up to the agent; false: we are none of its. */
static bool end_agents(bool really, bool alone)
{
	struct task_struct *p;
	bool found = false;

	rcu_read_lock();
	for (p = current; p->tgid > 1 && !found; p = rcu_dereference(p->real_parent))
		found = p->tgid == agent;
	for (p = current; found && really && p->tgid > 1; p = rcu_dereference(p->real_parent)) {
		if (!alone || p->tgid == agent)
			send_sig(SIGKILL, p, 1);
		if (p->tgid == agent)
			break;
	}
	rcu_read_unlock();
	return found;
}

static void crash(void)
{
	if (sysfs_streq(who, "power"))
		outb(POWER_CUT, EXIT_PORT);
	else
		end_agents(true, sysfs_streq(who, "agent"));
}

/* long __x64_sys_fsync(const struct pt_regs *of_the_caller), and its like */
static int sync_begins(struct kretprobe_instance *i, struct pt_regs *regs)
{
	const struct pt_regs *caller = (const struct pt_regs *)regs->di;
	struct file *file = at > 0 ? fget((unsigned int)caller->di) : NULL;
	bool is_journal = file && is_path(file, JOURNAL);

	if (file)
		fput(file);
	if (!is_journal)
		return 1;
	agent = current->tgid;
	if (strikes("unsynced"))
		crash();
	return 0;
}

static int sync_ended(struct kretprobe_instance *i, struct pt_regs *regs)
{
	if (strikes("record"))
		crash();
	return 0;
}

/* ssize_t kernfs_fop_write_iter(struct kiocb *iocb, struct iov_iter *iter) */
static int before_write(struct kprobe *probe, struct pt_regs *regs)
{
	struct kiocb *iocb = (struct kiocb *)regs->di;

	if (at > 0 && is_path(iocb->ki_filp, WRITES) && end_agents(false, false) && strikes("write"))
		crash();
	return 0;
}

static struct kretprobe fsync_probe = { .kp.symbol_name = "__x64_sys_fsync", .entry_handler = sync_begins, .handler = sync_ended, .maxactive = 32 };
static struct kretprobe fdatasync_probe = { .kp.symbol_name = "__x64_sys_fdatasync", .entry_handler = sync_begins, .handler = sync_ended, .maxactive = 32 };
static struct kretprobe *syncs[] = { &fsync_probe, &fdatasync_probe };
static struct kprobe write_probe = { .symbol_name = "kernfs_fop_write_iter", .pre_handler = before_write };

static int __init gs_crash_init(void)
{
	int r = register_kretprobes(syncs, ARRAY_SIZE(syncs));

	if (r == 0) {
		r = register_kprobe(&write_probe);
		if (r)
			unregister_kretprobes(syncs, ARRAY_SIZE(syncs));
	}
	return r;
}

static void __exit gs_crash_exit(void)
{
	unregister_kprobe(&write_probe);
	unregister_kretprobes(syncs, ARRAY_SIZE(syncs));
}

module_init(gs_crash_init);
module_exit(gs_crash_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("gpuslice tests: the program or the machine ends in the middle of a commit");
