/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/pci_json.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* "10de:2330" */
static void read_id(struct gs_sim_json *j, struct json_object *o, const char *key, uint32_t *vendor, uint32_t *device)
{
	const char *text = gs_sim_json_string(j, o, key, 9);
	char half[5] = "";

	if (strlen(text) != 9 || text[4] != ':') {
		gs_sim_json_fail(j, key, "has to look like 10de:2330");
		return;
	}
	memcpy(half, text, 4);
	if (gs_parse_u32(half, 16, vendor) < 0 || gs_parse_u32(text + 5, 16, device) < 0)
		gs_sim_json_fail(j, key, "has to look like 10de:2330");
}

static uint32_t read_hex(struct gs_sim_json *j, struct json_object *o, const char *key, uint32_t max)
{
	const char *text = gs_sim_json_string(j, o, key, 10);
	uint32_t value = 0;

	if (gs_parse_u32(text, 16, &value) < 0 || value > max)
		gs_sim_json_fail(j, key, "is not a hexadecimal number that fits");
	return value;
}

static const char *optional_text(struct gs_sim_json *j, struct json_object *o, const char *key, size_t max)
{
	return gs_sim_json_has(o, key) ? gs_sim_json_string(j, o, key, max) : "";
}

void gs_sim_pci_read(struct gs_sim_json *j, struct json_object *o, struct gs_sim_pci *pci)
{
	pci->bdf = gs_sim_json_string(j, o, "bdf", 12);
	pci->parent = optional_text(j, o, "parent", 12);
	if (!gs_sim_bdf_is_valid(pci->bdf) || (pci->parent[0] && !gs_sim_bdf_is_valid(pci->parent)))
		gs_sim_json_fail(j, "bdf", "or \"parent\" is not an address like 0000:1b:00.0");
	read_id(j, o, "id", &pci->vendor, &pci->device);
	if (gs_sim_json_has(o, "subsystem"))
		read_id(j, o, "subsystem", &pci->subsystem_vendor, &pci->subsystem_device);
	pci->class = read_hex(j, o, "class", 0xffffff);
	pci->revision = gs_sim_json_has(o, "revision") ? read_hex(j, o, "revision", 0xff) : 0;
	pci->numa_node = (int32_t)gs_sim_json_i64(j, o, "numa_node", -1, 1023);
	pci->irq = gs_sim_json_has(o, "irq") ? gs_sim_json_u32(j, o, "irq", 1u << 20) : 0;
	pci->iommu_group = gs_sim_json_has(o, "iommu_group") ? gs_sim_json_u32(j, o, "iommu_group", 1u << 20) :
							       GS_SIM_NONE;
	pci->driver = optional_text(j, o, "driver", 64);
	if (pci->driver[0] && !gs_sim_word_is_valid(pci->driver))
		gs_sim_json_fail(j, "driver", "is not the name of a driver");
	pci->driver_override = optional_text(j, o, "driver_override", 4095);
	pci->native = gs_sim_json_has(o, "native") ? gs_sim_json_string(j, o, "native", 64) :
		      strstr(pci->driver, "vfio") ? "" : pci->driver;
	if (pci->native[0] && !gs_sim_word_is_valid(pci->native))
		gs_sim_json_fail(j, "native", "is not the name of a driver");
	pci->cpulist = optional_text(j, o, "cpulist", 256);
	pci->drm_card = gs_sim_json_has(o, "drm_card") ? gs_sim_json_u32(j, o, "drm_card", 63) : GS_SIM_NONE;
	pci->drm_render = gs_sim_json_has(o, "drm_render") ? gs_sim_json_u32(j, o, "drm_render", 255) : GS_SIM_NONE;
	pci->boot_vga = gs_sim_json_flag(j, o, "boot_vga");
	pci->unbinding = gs_sim_json_flag(j, o, "unbinding");
	pci->vanished = gs_sim_json_flag(j, o, "vanished");
}

static bool add(struct json_object *o, const char *key, struct json_object *value)
{
	return value && json_object_object_add(o, key, value) == 0;
}

static bool add_text(struct json_object *o, const char *key, const char *text)
{
	return !text[0] || add(o, key, json_object_new_string(text));
}

static bool add_flag(struct json_object *o, const char *key, bool value)
{
	return !value || add(o, key, json_object_new_boolean(true));
}

static bool add_number(struct json_object *o, const char *key, uint32_t value)
{
	return value == GS_SIM_NONE || add(o, key, json_object_new_int64(value));
}

static bool add_hex(struct json_object *o, const char *key, int width, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%0*x", width, value);
	return add_text(o, key, text);
}

static bool add_id(struct json_object *o, const char *key, uint32_t vendor, uint32_t device)
{
	char text[16];

	snprintf(text, sizeof(text), "%04x:%04x", vendor & 0xffff, device & 0xffff);
	return add_text(o, key, text);
}

struct json_object *gs_sim_pci_write(const struct gs_sim_pci *pci)
{
	struct json_object *o = json_object_new_object();
	bool ok = o != NULL;

	ok = ok && add_text(o, "bdf", pci->bdf);
	ok = ok && add_text(o, "parent", pci->parent);
	ok = ok && add_id(o, "id", pci->vendor, pci->device);
	ok = ok && add_id(o, "subsystem", pci->subsystem_vendor, pci->subsystem_device);
	ok = ok && add_hex(o, "class", 6, pci->class);
	ok = ok && add_hex(o, "revision", 2, pci->revision);
	ok = ok && add(o, "numa_node", json_object_new_int64(pci->numa_node));
	ok = ok && add(o, "irq", json_object_new_int64(pci->irq));
	if (pci->iommu_group != GS_SIM_NONE)
		ok = ok && add(o, "iommu_group", json_object_new_int64(pci->iommu_group));
	ok = ok && add_text(o, "driver", pci->driver);
	ok = ok && add_text(o, "driver_override", pci->driver_override);
	ok = ok && add(o, "native", json_object_new_string(pci->native));
	ok = ok && add_text(o, "cpulist", pci->cpulist);
	ok = ok && add_number(o, "drm_card", pci->drm_card) && add_number(o, "drm_render", pci->drm_render);
	ok = ok && add_flag(o, "boot_vga", pci->boot_vga) && add_flag(o, "unbinding", pci->unbinding);
	ok = ok && add_flag(o, "vanished", pci->vanished);
	if (ok)
		return o;
	json_object_put(o);
	return NULL;
}
