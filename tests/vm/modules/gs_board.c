// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gs_board: other identities for emulated PCI functions, for tests only.
 *
 *	board=ADDRESS=VENDOR:DEVICE:CLASS:SUBVENDOR:SUBDEVICE[:VFDEVICE],…	all hexadecimal
 *
 * With VFDEVICE the function's virtual functions become that device of the same
 * vendor and class, from the moment that they appear: before any driver sees
 * them and before their uevent. A function that is removed and found again is
 * relabelled again.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "gs_board.h"

#define BOARDS_MAX 16

static char *board[BOARDS_MAX];
static int n_boards;
module_param_array(board, charp, &n_boards, 0444);

struct gs_identity {
	unsigned int domain, bus, slot, function;
	unsigned int vendor, device, class, subvendor, subdevice, vf_device;
	u32 memory;
	/* as it was, to be put back */
	struct { u16 vendor, device, subvendor, subdevice; u32 class; } was;
};

static struct gs_identity identities[BOARDS_MAX];

static struct gs_identity *identity_of(struct pci_dev *p)
{
	for (int i = 0; i < n_boards; i++) {
		struct gs_identity *d = &identities[i];

		if (pci_domain_nr(p->bus) == d->domain && p->bus->number == d->bus && p->devfn == PCI_DEVFN(d->slot, d->function))
			return d;
	}
	return NULL;
}

u32 *gs_board_memory(struct pci_dev *pdev)
{
	struct gs_identity *d = identity_of(pdev);

	return d ? &d->memory : NULL;
}
EXPORT_SYMBOL_GPL(gs_board_memory);

static void relabel(struct pci_dev *p, const struct gs_identity *d)
{
	p->vendor = d->vendor;
	p->device = d->device;
	p->class = d->class;
	p->subsystem_vendor = d->subvendor;
	p->subsystem_device = d->subdevice;
}

/* As on a real A2, a virtual function's subsystem device reads 0 (interfaces 3.1). */
static void relabel_vf(struct pci_dev *p, const struct gs_identity *d)
{
	p->vendor = d->vendor;
	p->device = d->vf_device;
	p->class = d->class;
	p->subsystem_vendor = d->subvendor;
	p->subsystem_device = 0;
}

static int on_bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *p = to_pci_dev(data);
	struct gs_identity *d;

	if (action != BUS_NOTIFY_ADD_DEVICE)
		return NOTIFY_DONE;
	if (p->is_virtfn) {
		d = identity_of(p->physfn);
		if (d && d->vf_device)
			relabel_vf(p, d);
		return NOTIFY_OK;
	}
	d = identity_of(p);
	if (d)
		relabel(p, d);
	return NOTIFY_OK;
}

static struct notifier_block bus_events = { .notifier_call = on_bus_event };

static struct pci_dev *find(const struct gs_identity *d)
{
	return pci_get_domain_bus_and_slot(d->domain, d->bus, PCI_DEVFN(d->slot, d->function));
}

static int __init relabel_first(struct gs_identity *d, const char *text)
{
	struct pci_dev *p;
	int n = sscanf(text, "%x:%x:%x.%x=%x:%x:%x:%x:%x:%x", &d->domain, &d->bus, &d->slot, &d->function,
		       &d->vendor, &d->device, &d->class, &d->subvendor, &d->subdevice, &d->vf_device);

	if (n < 9) {
		pr_err("gs_board: cannot read \"%s\"\n", text);
		return -EINVAL;
	}
	p = find(d);
	if (!p) {
		pr_err("gs_board: there is no function for \"%s\"\n", text);
		return -ENODEV;
	}
	d->was.vendor = p->vendor;
	d->was.device = p->device;
	d->was.class = p->class;
	d->was.subvendor = p->subsystem_vendor;
	d->was.subdevice = p->subsystem_device;
	relabel(p, d);
	pci_dev_put(p);
	return 0;
}

static void put_back(int n)
{
	while (n-- > 0) {
		struct gs_identity *d = &identities[n];
		struct pci_dev *p = find(d);

		if (!p)
			continue;
		p->vendor = d->was.vendor;
		p->device = d->was.device;
		p->class = d->was.class;
		p->subsystem_vendor = d->was.subvendor;
		p->subsystem_device = d->was.subdevice;
		pci_dev_put(p);
	}
}

static int __init gs_board_init(void)
{
	int r;

	for (int i = 0; i < n_boards; i++) {
		r = relabel_first(&identities[i], board[i]);
		if (r) {
			put_back(i);
			return r;
		}
	}
	r = bus_register_notifier(&pci_bus_type, &bus_events);
	if (r)
		put_back(n_boards);
	return r;
}

static void __exit gs_board_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &bus_events);
	put_back(n_boards);
}

module_init(gs_board_init);
module_exit(gs_board_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("gpuslice tests: other identities for emulated PCI functions");
