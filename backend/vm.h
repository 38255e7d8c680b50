/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm.h - which virtual machine a process is, and which host devices it was
 * given, by its command line (interfaces 8.3). Anybody may write any command
 * line: bounded, and never trusted for more than showing.
 */
#ifndef GS_BACKEND_VM_H
#define GS_BACKEND_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/root.h"
#include "core/bdf.h"

#define GS_VM_NAME 128
#define GS_VM_UUID 37
#define GS_VM_DEVICES_MAX 32

/* A host device of a machine: a PCI function, or an mdev by its UUID. */
struct gs_vm_device {
	struct gs_bdf bdf;
	char mdev[GS_VM_UUID];          /* lower case; "": the PCI function */
};

struct gs_vm {
	const char *monitor;            /* "qemu", "cloud-hypervisor", "crosvm", "firecracker"; constant */
	char name[GS_VM_NAME];          /* "" when the command line has none */
	char uuid[GS_VM_UUID];          /* lower case; "" */
	struct gs_vm_device devices[GS_VM_DEVICES_MAX];
	size_t n_devices;
	bool is_cut;                    /* it has more devices than that */
};

/*
 * @argv is /proc/PID/cmdline, @n bytes of words that end with a NUL; the last
 * one need not. True when its first word is the program of a virtual machine.
 */
bool gs_vm_parse(const char *argv, size_t n, struct gs_vm *ret_vm);

/* The same of a process; false also when it cannot be read. A name that the command line lacks is looked for in the managers' pid files. */
bool gs_vm_read(struct gs_root *root, uint32_t pid, struct gs_vm *ret_vm);

/*
 * "/sys/bus/mdev/devices/UUID", "/sys/bus/pci/devices/BDF", with or without a
 * slash at the end, or a bare address or UUID. False for anything else.
 */
bool gs_vm_parse_device(const char *text, struct gs_vm_device *ret_device);

/*
 * One value of QEMU's "key=value,key=value" from *@at on: a comma is doubled
 * in a value. The key of a first word without «=» is @implied (NULL: the word
 * itself, with no value). False at the end. Too long ones are cut.
 */
bool gs_vm_next_option(const char **at, const char *implied, char *ret_key, size_t key_size, char *ret_value, size_t value_size);

#endif
