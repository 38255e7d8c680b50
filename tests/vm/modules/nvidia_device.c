// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nvidia_device.c - a GPU's character device (/dev/nvidiaN, which does nothing
 * but be held) and its files below /proc/driver/nvidia/gpus (interfaces 5.10,
 * 3.4). Nodes are made by whoever wants them, as nvidia-modprobe does.
 */
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "nvidia.h"

#define MAJOR_NUMBER 195
#define MINORS 16
#define LOCK_TEXT_MAX 16

static struct cdev device;
static struct proc_dir_entry *driver_folder, *gpus_folder;
static struct gs_gpu *by_minor[MINORS];
static DEFINE_MUTEX(by_minor_lock);

/* ---- /dev/nvidiaN ---- */

static int device_open(struct inode *inode, struct file *file)
{
	struct gs_gpu *gpu;
	int r = 0;

	mutex_lock(&by_minor_lock);
	gpu = by_minor[iminor(inode)];
	if (!gpu) {
		r = -ENODEV;
	} else {
		mutex_lock(&gpu->lock);
		if (gpu->is_unbind_locked) {
			r = -EBUSY;     /* that it fails is known, with what is not */
		} else {
			gpu->n_open++;
			kref_get(&gpu->refs);
			file->private_data = gpu;
		}
		mutex_unlock(&gpu->lock);
	}
	mutex_unlock(&by_minor_lock);
	return r;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct gs_gpu *gpu = file->private_data;

	mutex_lock(&gpu->lock);
	gpu->n_open--;
	mutex_unlock(&gpu->lock);
	wake_up_all(&gpu->closed);
	gs_gpu_put(gpu);
	return 0;
}

static const struct file_operations device_operations = { .owner = THIS_MODULE, .open = device_open, .release = device_release };

/* ---- information, unbindLock ---- */

/* Without the line of the UUID: the real driver leaves it out until it knows it. */
static int information_show(struct seq_file *s, void *unused)
{
	struct gs_gpu *gpu = s->private;

	seq_printf(s, "Model: \t\t %s\nIRQ:   \t\t 0\nVideo BIOS: \t ??.??.??.??.??\nBus Type: \t PCIe\nDMA Size: \t 52 bits\nDMA Mask: \t 0xfffffffffffff\n",
		   gpu->model->name);
	seq_printf(s, "Bus Location: \t %s\nDevice Minor: \t %u\nGPU Firmware: \t N/A\nGPU Excluded:\t No\n", gpu->address, gpu->minor);
	return 0;
}

/* What is written counts when the file is closed, and nobody hears whether it did (interfaces 0.1). */
static int unbind_lock_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(LOCK_TEXT_MAX, GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static ssize_t unbind_lock_write(struct file *file, const char __user *bytes, size_t n, loff_t *position)
{
	char *text = file->private_data;

	if (n >= LOCK_TEXT_MAX)
		return -ENOSPC;
	memset(text, 0, LOCK_TEXT_MAX);
	return copy_from_user(text, bytes, n) ? -EFAULT : n;
}

static ssize_t unbind_lock_read(struct file *file, char __user *to, size_t n, loff_t *position)
{
	struct gs_gpu *gpu = pde_data(file_inode(file));
	const char *text = gpu->is_unbind_locked ? "1\n" : "0\n";

	return simple_read_from_buffer(to, n, position, text, 2);
}

static int unbind_lock_release(struct inode *inode, struct file *file)
{
	struct gs_gpu *gpu = pde_data(inode);
	unsigned int value;

	if (kstrtouint(file->private_data, 10, &value) == 0) {
		mutex_lock(&gpu->lock);
		gpu->is_unbind_locked = value && gpu->n_open == 0;
		mutex_unlock(&gpu->lock);
	}
	kfree(file->private_data);
	return 0;
}

static const struct proc_ops unbind_lock_operations = { .proc_open = unbind_lock_open, .proc_write = unbind_lock_write, .proc_read = unbind_lock_read, .proc_release = unbind_lock_release };

/* ---- a GPU ---- */

static int take_minor(struct gs_gpu *gpu)
{
	int r = -ENOSPC;

	mutex_lock(&by_minor_lock);
	for (unsigned int i = 0; i < MINORS; i++) {
		if (!by_minor[i]) {
			by_minor[i] = gpu;
			gpu->minor = i;
			r = 0;
			break;
		}
	}
	mutex_unlock(&by_minor_lock);
	return r;
}

static void give_minor(struct gs_gpu *gpu)
{
	mutex_lock(&by_minor_lock);
	by_minor[gpu->minor] = NULL;
	mutex_unlock(&by_minor_lock);
}

int gs_device_add(struct gs_gpu *gpu)
{
	int r = take_minor(gpu);

	if (r)
		return r;
	gpu->folder = proc_mkdir(gpu->address, gpus_folder);
	if (!gpu->folder || !proc_create_single_data("information", 0444, gpu->folder, information_show, gpu))
		goto fail;
	/* the vGPU host driver alone has it */
	if (gpu->model->interface != GS_PLAIN && !proc_create_data("unbindLock", 0644, gpu->folder, &unbind_lock_operations, gpu))
		goto fail;
	return 0;
fail:
	proc_remove(gpu->folder);
	give_minor(gpu);
	return -ENOMEM;
}

/* As the real one: whoever has the device open is waited for, without end and not to be killed. */
void gs_device_remove(struct gs_gpu *gpu)
{
	give_minor(gpu);
	if (gpu->n_open)
		pr_err("NVRM: Attempting to remove device %s with non-zero usage count!\n", gpu->address);
	wait_event(gpu->closed, READ_ONCE(gpu->n_open) == 0);
	proc_remove(gpu->folder);
}

int gs_device_init(void)
{
	int r = register_chrdev_region(MKDEV(MAJOR_NUMBER, 0), MINORS, "nvidia");

	if (r)
		return r;
	cdev_init(&device, &device_operations);
	device.owner = THIS_MODULE;
	r = cdev_add(&device, MKDEV(MAJOR_NUMBER, 0), MINORS);
	if (r)
		goto unregister;
	driver_folder = proc_mkdir("driver/nvidia", NULL);
	gpus_folder = driver_folder ? proc_mkdir("gpus", driver_folder) : NULL;
	if (gpus_folder)
		return 0;
	r = -ENOMEM;
	proc_remove(driver_folder);
	cdev_del(&device);
unregister:
	unregister_chrdev_region(MKDEV(MAJOR_NUMBER, 0), MINORS);
	return r;
}

void gs_device_exit(void)
{
	proc_remove(driver_folder);
	cdev_del(&device);
	unregister_chrdev_region(MKDEV(MAJOR_NUMBER, 0), MINORS);
}
