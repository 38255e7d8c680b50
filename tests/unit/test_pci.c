/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libpci behind its guard: a tree that we lay out, one that is empty, one that is broken. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/pci.h"
#include "base/file.h"
#include "tests/lib/cmocka.h"

struct tree {
	char dir[32];
	struct gs_root *root;
	struct gs_pci *pci;
};

static void put(const char *dir, const char *device, const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", dir, device);
	assert_int_equal(gs_mkdir_parents(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/%s", dir, device, name);
	assert_int_equal(gs_file_replace(path, text, strlen(text), 0644, NULL), 0);
}

static void put_link(const char *dir, const char *device, const char *name, const char *target)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/%s", dir, device, name);
	assert_int_equal(symlink(target, path), 0);
}

static void put_device(const char *dir, const char *device, const char *vendor, const char *id, const char *class)
{
	put(dir, device, "vendor", vendor);
	put(dir, device, "device", id);
	put(dir, device, "class", class);
	put(dir, device, "subsystem_vendor", "0x10de\n");
	put(dir, device, "subsystem_device", "0x16c1\n");
	put(dir, device, "irq", "0\n");
	put(dir, device, "resource", "0x0 0x0 0x0\n");
	put(dir, device, "driver_override", "(null)\n");
	put(dir, device, "numa_node", "-1\n");
}

/* What a test leaves behind. */
static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static void remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int setup(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	snprintf(t->dir, sizeof(t->dir), "/tmp/gpuslice-test-XXXXXX");
	if (!mkdtemp(t->dir) || gs_root_open(GS_ROOT_SYSROOT, t->dir, &t->root, NULL) < 0)
		return -1;
	t->pci = gs_pci_new(t->root);
	*state = t;
	return t->pci ? 0 : -1;
}

static int teardown(void **state)
{
	struct tree *t = *state;

	gs_pci_free(t->pci);
	gs_root_close(t->root);
	remove_tree(t->dir);
	free(t);
	return 0;
}

static void tree_without_a_bus_has_no_gpu(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	size_t n = 9;

	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void only_physical_gpus_of_the_three_vendors(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	struct gs_error e = { 0 };
	char name[128];
	size_t n = 0;

	put_device(t->dir, "0001:c8:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	put_link(t->dir, "0001:c8:00.0", "driver", "../../../bus/pci/drivers/nvidia");
	put_link(t->dir, "0001:c8:00.0", "iommu_group", "../../../kernel/iommu_groups/38");
	put_device(t->dir, "0000:1b:00.0", "0x1002\n", "0x74a1\n", "0x120000\n");
	put(t->dir, "0000:1b:00.0", "numa_node", "1\n");
	put(t->dir, "0000:1b:00.0", "driver_override", "vfio-pci\n");
	put_device(t->dir, "0000:1c:00.0", "0x1a03\n", "0x2000\n", "0x030000\n");      /* a BMC's display */
	put_device(t->dir, "0000:1d:00.0", "0x10de\n", "0x2330\n", "0x040300\n");      /* its audio function */
	put_device(t->dir, "0000:1e:00.4", "0x10de\n", "0x25b6\n", "0x030200\n");      /* a VF */
	put_link(t->dir, "0000:1e:00.4", "physfn", "../0000:1e:00.0");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(gpus[0].pci_id, "1002:74a1");
	assert_int_equal(gpus[0].vendor, GS_VENDOR_AMD);
	assert_int_equal(gpus[0].numa_node.value, 1);
	assert_string_equal(gpus[0].driver_override, "vfio-pci");
	assert_string_equal(gpus[0].driver, "");
	assert_false(gpus[0].iommu_group.known);
	assert_string_equal(gpus[1].pci_id, "10de:2330");
	assert_int_equal(gpus[1].bdf.domain, 1);
	assert_string_equal(gpus[1].subsystem_id, "10de:16c1");
	assert_string_equal(gpus[1].driver, "nvidia");
	assert_string_equal(gpus[1].driver_override, "");
	assert_false(gpus[1].numa_node.known);
	assert_int_equal(gpus[1].iommu_group.value, 38);
	if (gs_pci_name(t->pci, 0x10de, 0x2330, name, sizeof(name)))
		assert_non_null(strstr(name, "H100"));
	assert_false(gs_pci_name(t->pci, 0xfff0, 0xfff0, name, sizeof(name)));
}

static void a_broken_device_costs_itself_only(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	struct gs_error e = { 0 };
	char path[512];
	size_t n = 0;

	put_device(t->dir, "0000:01:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	put_device(t->dir, "0000:02:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:02:00.0/vendor", t->dir);
	assert_int_equal(unlink(path), 0);
	put(t->dir, "0000:01:00.0", "numa_node", "lots\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_false(gpus[0].numa_node.known);
}

static void a_name_that_is_no_address_does_not_end_the_program(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	struct gs_error e = { 0 };
	size_t n = 0;

	put_device(t->dir, "surprise", "0x10de\n", "0x2330\n", "0x030200\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "PCI"));
}

static void plugging_in_is_seen(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	size_t n = 0;

	put_device(t->dir, "0000:01:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 1);
	put_device(t->dir, "0000:00:02.0", "0x8086\n", "0x56c0\n", "0x038000\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(gpus[0].vendor, GS_VENDOR_INTEL);
}

/* Another one takes its place: made beside it, so that its inode is another. */
static void swap_device(const char *dir, const char *device, const char *vendor, const char *id, const char *class)
{
	char new[512], old[512];

	put_device(dir, "0000:fe:1f.7", vendor, id, class);
	snprintf(new, sizeof(new), "%s/sys/bus/pci/devices/0000:fe:1f.7", dir);
	snprintf(old, sizeof(old), "%s/sys/bus/pci/devices/%s", dir, device);
	remove_tree(old);
	assert_int_equal(rename(new, old), 0);
}

static void another_card_at_the_same_address_is_seen(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	size_t n = 0;

	put_device(t->dir, "0000:01:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_string_equal(gpus[0].pci_id, "10de:2330");
	swap_device(t->dir, "0000:01:00.0", "0x1002\n", "0x74a1\n", "0x120000\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(gpus[0].pci_id, "1002:74a1");
	assert_int_equal(gpus[0].vendor, GS_VENDOR_AMD);
}

/* The kernel shows a new function first and makes its physfn link after that. */
static void a_virtual_function_seen_too_early_does_not_stay_a_gpu(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	size_t n = 0;

	put_device(t->dir, "0000:01:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	put_device(t->dir, "0000:01:00.4", "0x10de\n", "0x2330\n", "0x030200\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 2);
	put_link(t->dir, "0000:01:00.4", "physfn", "../0000:01:00.0");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(gpus[0].bdf.function, 0);
}

/* Seen while it came: its files are there a moment later, and nothing else changes. */
static void one_that_could_not_be_read_yet_is_looked_at_again(void **state)
{
	struct tree *t = *state;
	const struct gs_pci_gpu *gpus;
	size_t n = 9;

	put(t->dir, "0000:01:00.0", "vendor", "0x10de\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 0);
	put_device(t->dir, "0000:01:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	assert_int_equal(gs_pci_scan(t->pci, &gpus, &n, NULL), 0);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tree_without_a_bus_has_no_gpu, setup, teardown),
		cmocka_unit_test_setup_teardown(only_physical_gpus_of_the_three_vendors, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_device_costs_itself_only, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_that_is_no_address_does_not_end_the_program, setup, teardown),
		cmocka_unit_test_setup_teardown(plugging_in_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(another_card_at_the_same_address_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_virtual_function_seen_too_early_does_not_stay_a_gpu, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_could_not_be_read_yet_is_looked_at_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
