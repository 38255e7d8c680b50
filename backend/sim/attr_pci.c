/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr_pci.c - driver_override, SR-IOV, bind and unbind (interfaces 3.2, 4.2, testbench 4). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/attr.h"
#include "backend/sim/drivers.h"
#include "base/parse.h"

/* Another write on that device waits: this one queues behind it, as on the device lock. */
static bool must_queue(struct gs_sim_write *w, const char *bdf)
{
	w->wait = gs_sim_pending_on(w->s, bdf);
	return w->wait != 0;
}

/* driver_set_override: a page at most; what follows a newline is cut, an empty line clears, zero bytes never get here. */
static int store_override(struct gs_sim_write *w)
{
	const char *end = strchr(w->text, '\n');
	const char *copy;

	if (w->n >= 4095)
		return -EINVAL;
	if (must_queue(w, w->f.pci->bdf))
		return -EAGAIN;
	copy = gs_arena_strndup(w->s->arena, w->text, end ? (size_t)(end - w->text) : strlen(w->text));
	if (!copy)
		return -ENOMEM;
	w->f.pci->driver_override = gs_str_equal(copy, "(null)") ? "" : copy;
	return 0;
}

/* drivers/pci/iov.c in its order: parse, range, «is so already», driver, «already enabled». */
static int store_numvfs(struct gs_sim_write *w)
{
	struct gs_sim_gpu *gpu = w->f.gpu;
	uint64_t n;
	int r;

	if (!gpu || w->f.vf)
		return -ENOENT;
	r = gs_sim_attr_number(w->text, &n);
	if (r < 0)
		return r;
	if (n > UINT16_MAX)
		return -EINVAL;     /* kstrtou16 says ERANGE, but 65536 was measured as EINVAL (testbench 4) */
	if (n > gpu->total_vfs)
		return -ERANGE;
	if (must_queue(w, gpu->pci.bdf))
		return -EAGAIN;
	if (n == gpu->numvfs)
		return 0;
	if (!gs_sim_driver_can_sriov(gpu))
		return -ENOENT;
	if (n == 0)
		return gs_sim_vfs_disable(w->s, gpu, &w->wait);
	if (gpu->numvfs)
		return -EBUSY;
	gs_sim_vfs_enable(w->s, gpu, (uint32_t)n);
	return 0;
}

static int store_autoprobe(struct gs_sim_write *w)
{
	if (!w->f.gpu || w->f.vf)
		return -ENOENT;
	return gs_sim_attr_bool(w->text, &w->f.gpu->autoprobe);
}

const struct gs_sim_attr gs_sim_attr_pci[] = {
	{ "driver_override", store_override },
	{ "sriov_numvfs", store_numvfs },
	{ "sriov_drivers_autoprobe", store_autoprobe },
	{ NULL, NULL },
};

/* ------------------------------------------------------------ the bus */

/* The bus finds a device by its exact name, with one newline at the end cut. */
static bool find_device(struct gs_sim_write *w)
{
	return strlen(w->text) == 12 && gs_sim_function_find(w->s, w->text, &w->f);
}

/* "…/drivers/NAME/bind" */
static void driver_of(const struct gs_sim_write *w, char *ret_name, size_t size)
{
	const char *name = w->path + strlen("sys/bus/pci/drivers/");

	snprintf(ret_name, size, "%.*s", (int)strcspn(name, "/"), name);
}

static int store_bind(struct gs_sim_write *w)
{
	char driver[80];

	driver_of(w, driver, sizeof(driver));
	if (!find_device(w))
		return -ENODEV;
	if (must_queue(w, w->f.pci->bdf))
		return -EAGAIN;
	return gs_sim_bind(w->s, &w->f, driver);
}

static int store_unbind(struct gs_sim_write *w)
{
	char driver[80];

	driver_of(w, driver, sizeof(driver));
	if (!find_device(w))
		return -ENODEV;
	if (must_queue(w, w->f.pci->bdf))
		return -EAGAIN;
	if (!gs_str_equal(w->f.pci->driver, driver))
		return -ENODEV;
	return gs_sim_unbind(w->s, &w->f, w->tree_fd, &w->wait);
}

static int store_probe(struct gs_sim_write *w)
{
	if (!find_device(w))
		return -ENODEV;
	/* an unbind in progress is no reason to wait here: success, and nothing done (testbench 4) */
	if (gs_sim_pending_on(w->s, w->f.pci->bdf))
		return 0;
	return gs_sim_probe(w->s, &w->f);
}

const struct gs_sim_attr gs_sim_attr_bus[] = {
	{ "sys/bus/pci/drivers/*/bind", store_bind },
	{ "sys/bus/pci/drivers/*/unbind", store_unbind },
	{ "sys/bus/pci/drivers_probe", store_probe },
	{ NULL, NULL },
};
