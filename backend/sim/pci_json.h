/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_json.h - one PCI function in JSON; the same in host files and state files. */
#ifndef GS_SIM_PCI_JSON_H
#define GS_SIM_PCI_JSON_H

#include "backend/sim/jsonio.h"
#include "backend/sim/state.h"

void gs_sim_pci_read(struct gs_sim_json *j, struct json_object *o, struct gs_sim_pci *pci);
/* NULL when there is no memory. */
struct json_object *gs_sim_pci_write(const struct gs_sim_pci *pci);

#endif
