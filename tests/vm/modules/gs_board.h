/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gs_board.h - what an emulated PCI function is made to look like. gs_board
 * changes what the PCI core believes of a function (vendor, device, class,
 * subsystem: what sysfs shows and what drivers match); the test drivers then
 * find "their" devices by id, as real drivers do. The configuration space
 * itself, and so the file `config`, stays as QEMU has it.
 */
#ifndef GS_BOARD_H
#define GS_BOARD_H

#include <linux/pci.h>

/*
 * A few bytes that outlive the driver, as a board's own memory does: a request
 * that is honoured by the next probe. Zero at first. NULL: not one of ours.
 */
u32 *gs_board_memory(struct pci_dev *pdev);

#endif
