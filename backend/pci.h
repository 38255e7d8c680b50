/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci.h - which GPUs are plugged in, whatever drives them: libpci's view of
 * sys/bus/pci of a machine's root. pci.c alone includes <pci/pci.h>.
 *
 * A GPU here is a physical function of NVIDIA, AMD or Intel with class
 * 0x03xxxx or 0x1200xx (design 6, interfaces 9.1); virtual functions have a
 * physfn link and are none.
 */
#ifndef GS_BACKEND_PCI_H
#define GS_BACKEND_PCI_H

#include <stddef.h>
#include <stdint.h>

#include "base/optional.h"
#include "base/root.h"
#include "core/bdf.h"
#include "core/vocabulary.h"

#define GS_PCI_WORD 64
#define GS_PCI_GPUS_MAX 1024
#define GS_PCI_SILENT_MAX 16

struct gs_pci_gpu {
	struct gs_bdf bdf;
	enum gs_vendor vendor;
	uint16_t vendor_id, device_id, class_id;
	char pci_id[12];                        /* "10de:2330" */
	char subsystem_id[12];                  /* "" when it cannot be read */
	char driver[GS_PCI_WORD];               /* "" when none is bound */
	char driver_override[GS_PCI_WORD];      /* "" when not set ("(null)", interfaces 4.2) */
	struct gs_i64 numa_node;                /* -1 of the kernel is unknown here */
	struct gs_u32 iommu_group;
};

struct gs_pci;

/* @root is borrowed. NULL when there is no memory. */
struct gs_pci *gs_pci_new(struct gs_root *root);
struct gs_pci *gs_pci_free(struct gs_pci *pci);
GS_DEFINE_CLEANUP(struct gs_pci *, gs_pci_free);

/*
 * The GPUs, in BDF order; the list is borrowed until the next scan. Devices
 * that vanish on the way are left out. A tree without sys/bus/pci has none.
 * What libpci cannot read: -EIO with its words.
 * The bus is walked again only when the names of its devices have changed;
 * drivers and groups are read each time.
 */
int gs_pci_scan(struct gs_pci *pci, const struct gs_pci_gpu **ret_gpus, size_t *ret_n, struct gs_error *e);

/*
 * A write to these functions hangs in the kernel: their driver_override, which
 * would hang the reader as well (testbench 4), is not read until told
 * otherwise. Copied; those over GS_PCI_SPARED_MAX are left out.
 */
#define GS_PCI_SPARED_MAX 64
void gs_pci_spare(struct gs_pci *pci, const struct gs_bdf *functions, size_t n);

/* Display functions of the last scan that answer 0xffff for their vendor: fallen off the bus, so nobody's. Borrowed until the next scan. */
size_t gs_pci_silent(const struct gs_pci *pci, const struct gs_bdf **ret_functions);

/* "GH100 [H100 SXM5 80GB]" by pci.ids; false when it is not listed. */
bool gs_pci_name(struct gs_pci *pci, uint16_t vendor_id, uint16_t device_id, char *ret_name, size_t size);

#endif
