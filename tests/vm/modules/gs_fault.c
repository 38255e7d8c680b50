// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gs_fault: makes a write to an attribute of sysfs fail before anybody sees it, for tests only.
 *
 *	glob	which: a shell pattern over the whole path, links resolved; * crosses slashes
 *	error	the errno; 0: the write says that it is well and has not happened
 *	at	arms it: the N-th write that matches, once; 0: off
 */
#include <linux/fs.h>
#include <linux/glob.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/uio.h>

static char *glob = "";
module_param(glob, charp, 0644);
static int error;
module_param(error, int, 0644);
static int at;
module_param(at, int, 0644);

/* Where the function goes that is not to run: back to its caller, with what is in rax. */
void gs_fault_return(void);
asm(".pushsection .text\n"
    ".type gs_fault_return, @function\n"
    ".globl gs_fault_return\n"
    "gs_fault_return:\n"
    ASM_RET
    ".size gs_fault_return, .-gs_fault_return\n"
    ".popsection\n");

static bool strikes(struct file *file)
{
	static char buffer[512];        /* one processor, and not to be interrupted */
	char *path = d_path(&file->f_path, buffer, sizeof(buffer));

	return !IS_ERR(path) && glob_match(glob, path) && --at == 0;
}

/* ssize_t kernfs_fop_write_iter(struct kiocb *iocb, struct iov_iter *iter) */
static int before_write(struct kprobe *probe, struct pt_regs *regs)
{
	struct kiocb *iocb = (struct kiocb *)regs->di;
	struct iov_iter *iter = (struct iov_iter *)regs->si;

	if (at <= 0 || !strikes(iocb->ki_filp))
		return 0;
	regs->ax = error ? -(long)error : iov_iter_count(iter);
	regs->ip = (unsigned long)gs_fault_return;
	return 1;
}

/* With one the kernel lets the handler before it go elsewhere. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = { .symbol_name = "kernfs_fop_write_iter", .pre_handler = before_write, .post_handler = after };

static int __init gs_fault_init(void)
{
	return register_kprobe(&probe);
}

static void __exit gs_fault_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(gs_fault_init);
module_exit(gs_fault_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("gpuslice tests: writes to sysfs that fail");
