// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gs_amd: a test-only driver called "amdgpu" for a function that gs_board has
 * made an MI300X: the partition files of interfaces 6.1 to 6.4. The memory
 * mode that is asked for is kept by the board and holds from the next probe on.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "gs_board.h"

static bool kfd_busy;
module_param(kfd_busy, bool, 0644);
MODULE_PARM_DESC(kfd_busy, "somebody computes: the compute mode cannot change");
static int busy_errno = EBUSY;
module_param(busy_errno, int, 0644);
MODULE_PARM_DESC(busy_errno, "what a busy device answers; not known for sure of the real one");
static bool in_reset;
module_param(in_reset, bool, 0644);
MODULE_PARM_DESC(in_reset, "the device is being reset: nothing can be read or written");

#define VRAM_BYTES (196592ULL << 20)

enum memory_mode { NPS1, NPS4, N_MEMORY_MODES };
static const char *const memory_names[N_MEMORY_MODES] = { "NPS1", "NPS4" };

/* Which memory modes a compute mode goes with (interfaces 6.4, what an MI300X has of it). */
static const struct compute_mode {
	const char *name;
	unsigned int partitions;
	bool goes_with[N_MEMORY_MODES];
} compute_modes[] = {
	{ "SPX", 1, { [NPS1] = true } },
	{ "DPX", 2, { [NPS1] = true } },
	{ "QPX", 4, { [NPS1] = true, [NPS4] = true } },
	{ "CPX", 8, { [NPS1] = true, [NPS4] = true } },
};

struct gs_amd {
	struct mutex lock;
	const struct compute_mode *compute;
	const struct compute_mode *shown;       /* xcp_config: whose resources are displayed */
	enum memory_mode memory, asked;         /* asked: holds after the driver has been reloaded */
};

/* As the driver does it: the name is a prefix of what was written, in any case of letters. */
static const struct compute_mode *compute_by_name(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(compute_modes); i++) {
		if (strncasecmp(text, compute_modes[i].name, strlen(compute_modes[i].name)) == 0)
			return &compute_modes[i];
	}
	return NULL;
}

static struct gs_amd *amd_of(struct device *d)
{
	return dev_get_drvdata(d);
}

/* ---- modes ---- */

static ssize_t current_compute_partition_show(struct device *d, struct device_attribute *a, char *buf)
{
	return in_reset ? -EPERM : sysfs_emit(buf, "%s\n", amd_of(d)->compute->name);
}

static ssize_t current_compute_partition_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	struct gs_amd *amd = amd_of(d);
	const struct compute_mode *mode = compute_by_name(buf);
	int r = 0;

	if (in_reset)
		return -EPERM;
	if (!mode)
		return -EINVAL;
	mutex_lock(&amd->lock);
	if (mode == amd->compute)
		;
	else if (!mode->goes_with[amd->memory])
		r = -EINVAL;
	else if (kfd_busy)
		r = -busy_errno;
	else
		amd->compute = mode;
	mutex_unlock(&amd->lock);
	return r ?: n;
}
static DEVICE_ATTR_RW(current_compute_partition);

static int emit_compute_modes(char *buf)
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(compute_modes); i++)
		n += sysfs_emit_at(buf, n, "%s%s", n ? ", " : "", compute_modes[i].name);
	return n + sysfs_emit_at(buf, n, "\n");
}

static ssize_t available_compute_partition_show(struct device *d, struct device_attribute *a, char *buf)
{
	return emit_compute_modes(buf);
}
static DEVICE_ATTR_RO(available_compute_partition);

static ssize_t current_memory_partition_show(struct device *d, struct device_attribute *a, char *buf)
{
	return in_reset ? -EPERM : sysfs_emit(buf, "%s\n", memory_names[amd_of(d)->memory]);
}

/* Only a request; the present mode is accepted and means nothing (interfaces 6.3). */
static ssize_t current_memory_partition_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	struct gs_amd *amd = amd_of(d);

	if (in_reset)
		return -EPERM;
	for (int i = 0; i < N_MEMORY_MODES; i++) {
		if (strncasecmp(buf, memory_names[i], strlen(memory_names[i])) == 0) {
			if (i != amd->memory)
				amd->asked = i;
			return n;
		}
	}
	return -EINVAL;
}
static DEVICE_ATTR_RW(current_memory_partition);

static ssize_t available_memory_partition_show(struct device *d, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%s, %s\n", memory_names[NPS1], memory_names[NPS4]);
}
static DEVICE_ATTR_RO(available_memory_partition);

/* ---- what the board is ---- */

static ssize_t product_name_show(struct device *d, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "AMD Instinct MI300X OAM\n");
}
static DEVICE_ATTR_RO(product_name);

static ssize_t mem_info_vram_total_show(struct device *d, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%llu\n", VRAM_BYTES);
}
static DEVICE_ATTR_RO(mem_info_vram_total);

static struct attribute *mode_attributes[] = { &dev_attr_product_name.attr, &dev_attr_mem_info_vram_total.attr,
	 &dev_attr_current_compute_partition.attr, &dev_attr_available_compute_partition.attr,
	&dev_attr_current_memory_partition.attr, &dev_attr_available_memory_partition.attr, NULL };
static const struct attribute_group mode_group = { .attrs = mode_attributes };

/* ---- compute_partition_config: what a mode would give ---- */

static ssize_t xcp_config_show(struct device *d, struct device_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%s\n", amd_of(d)->shown->name);
}

static ssize_t xcp_config_store(struct device *d, struct device_attribute *a, const char *buf, size_t n)
{
	const struct compute_mode *mode = compute_by_name(buf);

	if (!mode)
		return -EINVAL;
	amd_of(d)->shown = mode;
	return n;
}
static DEVICE_ATTR_RW(xcp_config);

static ssize_t supported_xcp_configs_show(struct device *d, struct device_attribute *a, char *buf)
{
	return emit_compute_modes(buf);
}
static DEVICE_ATTR_RO(supported_xcp_configs);

static ssize_t supported_nps_configs_show(struct device *d, struct device_attribute *a, char *buf)
{
	const struct compute_mode *mode = amd_of(d)->shown;
	int n = 0;

	for (int i = 0; i < N_MEMORY_MODES; i++) {
		if (mode->goes_with[i])
			n += sysfs_emit_at(buf, n, "%s%s", n ? ", " : "", memory_names[i]);
	}
	return n + sysfs_emit_at(buf, n, "\n");
}
static DEVICE_ATTR_RO(supported_nps_configs);

static struct attribute *config_attributes[] = { &dev_attr_xcp_config.attr, &dev_attr_supported_xcp_configs.attr, &dev_attr_supported_nps_configs.attr, NULL };
static const struct attribute_group config_group = { .name = "compute_partition_config", .attrs = config_attributes };

static const struct attribute_group *groups[] = { &mode_group, &config_group, NULL };

/* ---- driver ---- */

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct gs_amd *amd = devm_kzalloc(&pdev->dev, sizeof(*amd), GFP_KERNEL);
	u32 *memory = gs_board_memory(pdev);

	if (!amd || !memory)
		return amd ? -ENODEV : -ENOMEM;
	mutex_init(&amd->lock);
	amd->memory = amd->asked = *memory < N_MEMORY_MODES ? *memory : NPS1;
	/* one partition where the memory mode allows it; which mode the real driver takes with NPS4 is not known for sure */
	amd->compute = amd->memory == NPS1 ? compute_by_name("SPX") : compute_by_name("QPX");
	amd->shown = amd->compute;
	pci_set_drvdata(pdev, amd);
	pr_info("[drm] Initialized amdgpu 3.64.0 for %s on minor 0\n", pci_name(pdev));
	return 0;
}

static void remove(struct pci_dev *pdev)
{
	u32 *memory = gs_board_memory(pdev);

	if (memory)
		*memory = amd_of(&pdev->dev)->asked;
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(PCI_VENDOR_ID_ATI, 0x74a1) }, { } };
static struct pci_driver gs_amd_driver = { .name = "amdgpu", .id_table = ids, .probe = probe, .remove = remove, .dev_groups = groups };
module_pci_driver(gs_amd_driver);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("gpuslice tests: partition files as amdgpu shows them");
