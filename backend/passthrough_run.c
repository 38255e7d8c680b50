/* SPDX-License-Identifier: GPL-2.0-or-later */
/* passthrough_run.c - take a function from its driver and give it to another (interfaces 4.2, 4.3). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/family_util.h"
#include "backend/passthrough.h"
#include "backend/sriov.h"
#include "base/parse.h"

#define LOCK_TRIES 5
#define LOCK_PAUSE_MS 1000
#define CLASS_BRIDGE 0x06

/* ---------------------------------------------------------------- is it safe? */

static uint32_t module_holders(struct gs_root *root)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	uint32_t n = 0;

	if (gs_root_opendir(root, &dir, "sys/module/nvidia/holders") < 0)
		return 0;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	return n;
}

/*
 * The driver gives the GPU up only when nobody has it open, and says so in the
 * file: it acts when the file is closed, so the write succeeds whatever comes
 * of it (interfaces 0.1, 3.4).
 */
static int take_unbind_lock(struct gs_doing *d)
{
	char bdf[GS_BDF_TEXT], holders[224];
	int r;

	gs_bdf_format(d->step->function, bdf);
	for (int i = 0; i < LOCK_TRIES; i++) {
		uint64_t acquired = 0;

		if (i)
			gs_writer_pause(d->w, -1, LOCK_PAUSE_MS);
		r = gs_doing_write(d, d->step->function, "1", "proc/driver/nvidia/gpus/%s/unbindLock", bdf);
		if (r < 0)
			return r == -EINPROGRESS ? r
						 : gs_doing_fail(d, r, d->step->function, "its unbindLock cannot be written: %s. It is still bound to nvidia",
								 gs_errno_reason(r));
		if (gs_root_read_u64(d->root, 10, &acquired, "proc/driver/nvidia/gpus/%s/unbindLock", bdf) == 0 && acquired == 1)
			return 0;
	}
	gs_doing_holders(d, d->step->function, holders, sizeof(holders));
	return gs_doing_fail(d, -EBUSY, d->step->function,
			     "the driver does not give it up (unbindLock): somebody has it open%s. It is still bound to nvidia: end what uses it, then try again", holders);
}

/*
 * Without an unbindLock an unbind with open files hangs for ever and takes the
 * device with it (interfaces 4.3). The plan blocks that; this is the last look.
 */
static int check_unused(struct gs_doing *d)
{
	char holders[200];
	uint64_t refs = 0;

	if (gs_writer_holders(d->w, d->step->function, holders, sizeof(holders))[0])
		return gs_doing_fail(d, -EBUSY, d->step->function,
				     "it is held by %s, and unbinding it now would hang for ever. It is still bound to nvidia: end what uses it, then try again", holders);
	if (gs_root_read_u64(d->root, 10, &refs, "sys/module/nvidia/refcnt") < 0 || refs <= module_holders(d->root))
		return 0;
	/* whose they are cannot be told from the count: a GPU next to this one may be theirs */
	snprintf(d->outcome->note, sizeof(d->outcome->note), "the nvidia module has %" PRIu64 " users, but none was seen on this GPU", refs - module_holders(d->root));
	return 0;
}

static int refuse_bridge(struct gs_doing *d)
{
	if (!d->step->to_vfio || gs_function_class(d->root, d->step->function) >> 16 != CLASS_BRIDGE)
		return 0;
	return gs_doing_fail(d, -EPERM, d->step->function, "it is a bridge, which the machine needs, and is not given to a VM. Nothing was changed");
}

/* ---------------------------------------------------------------- what it was */

static int remember_driver(struct gs_doing *d, const char *driver)
{
	char bdf[GS_BDF_TEXT], text[2 * GS_WORD];
	const char *mode = gs_mode_name(d->step->mode);
	int n, r;

	/* on the second step of the same way it has been remembered */
	if (!driver[0] || gs_driver_is_vfio(driver))
		return 0;
	/* the mode, too: a GPU on VFIO does not tell what it can be */
	n = snprintf(text, sizeof(text), "%s\n%s\n", driver, mode ? mode : "");
	gs_root_mkdir(d->root, 0755, "run/gpuslice");
	r = gs_root_mkdir(d->root, 0755, GS_DRIVERS_DIR);
	if (r == 0)
		r = gs_root_replace_file(d->root, text, (size_t)n, 0644, (gid_t)-1, GS_DRIVERS_DIR "/%s", gs_bdf_format(d->step->function, bdf));
	return r < 0 ? gs_doing_fail(d, r, d->step->function, "its driver %s cannot be remembered in /" GS_DRIVERS_DIR ": %s. Nothing was changed", driver, strerror(-r)) : 0;
}

static void forget_driver(struct gs_doing *d)
{
	char bdf[GS_BDF_TEXT];

	gs_root_unlink(d->root, GS_DRIVERS_DIR "/%s", gs_bdf_format(d->step->function, bdf));
}

/* A newline clears it: an empty write never reaches the kernel (interfaces 4.2). */
static int write_override(struct gs_doing *d, const char *driver)
{
	char bdf[GS_BDF_TEXT], value[GS_WORD + 1];
	int r;

	snprintf(value, sizeof(value), "%s\n", driver);
	r = gs_doing_write(d, d->step->function, value, GS_PCI_DEVICES "/%s/driver_override", gs_bdf_format(d->step->function, bdf));
	if (r == 0 || r == -EINPROGRESS)
		return r;
	return gs_doing_fail(d, r, d->step->function, "driver_override cannot be written: %s", gs_errno_reason(r));
}

/* ---------------------------------------------------------------- unbind */

static bool driver_is_loaded(struct gs_doing *d, const char *driver)
{
	return gs_root_exists(d->root, "sys/bus/pci/drivers/%s", driver);
}

/* The name of a driver is nearly always its module's; modprobe takes «-» and «_» for the same. */
static int load_driver(struct gs_doing *d, const char *driver)
{
	const char *argv[] = { "modprobe", driver, NULL };
	GS_FREE char *output = NULL;
	char now[GS_WORD];
	int exit_status = 0, r;

	if (!gs_driver_name_is_sound(driver))
		return gs_doing_fail(d, -EINVAL, d->step->function, "\"%s\" is no name of a driver. Nothing was changed", driver);
	if (driver_is_loaded(d, driver))
		return 0;
	r = gs_writer_run(d->w, d->step->function, argv, &exit_status, &output, d->e);
	if (driver_is_loaded(d, driver)) {
		d->e->text[0] = '\0';
		return 0;
	}
	if (r < 0)
		return r;
	gs_function_driver(d->root, d->step->function, now);
	return gs_doing_fail(d, -ENOENT, d->step->function, "the driver %s is not loaded, and modprobe %s%s%.300s. It is bound to %s", driver,
			     exit_status ? "failed" : "did not bring it", output[0] ? ": " : "", output, now[0] ? now : "nothing");
}

static int unbind_from(struct gs_doing *d, const char *driver)
{
	char bdf[GS_BDF_TEXT], now[GS_WORD], holders[224];
	int r = gs_doing_write(d, d->step->function, gs_bdf_format(d->step->function, bdf), "sys/bus/pci/drivers/%s/unbind", driver);

	if (r == -EINPROGRESS)
		return r;
	gs_function_driver(d->root, d->step->function, now);
	/* somebody else was faster: it is as it should be */
	if (!now[0] && (r == 0 || r == -ENODEV))
		return 0;
	gs_doing_holders(d, d->step->function, holders, sizeof(holders));
	if (r < 0)
		return gs_doing_fail(d, r, d->step->function, "it cannot be unbound from %s: %s%s. It is bound to %s", driver, gs_errno_reason(r), holders,
				     now[0] ? now : "nothing");
	return gs_doing_fail(d, -EIO, d->step->function, "unbinding it from %s was reported as done, but it is bound to %s", driver, now);
}

/* An error while we hold it must not leave the GPU locked to everybody. */
static void give_unbind_lock_back(struct gs_doing *d)
{
	struct gs_error why = *d->e;
	char bdf[GS_BDF_TEXT];

	gs_doing_write(d, d->step->function, "0", "proc/driver/nvidia/gpus/%s/unbindLock", gs_bdf_format(d->step->function, bdf));
	*d->e = why;
}

/* A GPU that stays with its driver must not go to VFIO when it is next bound. */
static void take_override_back(struct gs_doing *d, const char *before)
{
	const struct gs_error why = *d->e;
	struct gs_error now;

	if (write_override(d, before) >= 0) {
		*d->e = why;
		return;
	}
	now = *d->e;
	*d->e = why;
	gs_error_set(d->e, why.errnum, why.status, "%s; and driver_override still says VFIO: %s", why.text, now.text);
}

/* What it says now; "" for nothing. */
static void read_override(struct gs_doing *d, char *ret, size_t size)
{
	GS_FREE char *text = NULL;
	char bdf[GS_BDF_TEXT];

	ret[0] = '\0';
	if (gs_root_read(d->root, &text, GS_PCI_DEVICES "/%s/driver_override", gs_bdf_format(d->step->function, bdf)) == 0 && strcmp(text, "(null)") != 0)
		snprintf(ret, size, "%s", text);
}

static int unbind(struct gs_doing *d)
{
	char driver[GS_WORD], override[GS_WORD];
	bool has_override = false;
	const char *vfio = d->step->to_vfio ? gs_vfio_driver_for(d->root, d->step->function) : NULL;
	bool has_lock = false;
	int r = refuse_bridge(d);

	gs_function_driver(d->root, d->step->function, driver);
	/* what can fail without harm comes first: it is still bound to its driver then */
	if (r == 0 && vfio)
		r = load_driver(d, vfio);
	if (r == 0 && vfio)
		r = remember_driver(d, driver);
	if (r == 0 && strcmp(driver, "nvidia") == 0) {
		has_lock = gs_nvidia_has_unbind_lock(d->root, d->step->function);
		r = has_lock ? take_unbind_lock(d) : check_unused(d);
	}
	/* before the unbind: nobody's autoprobe can come in between (interfaces 4.3) */
	read_override(d, override, sizeof(override));
	if (r == 0 && vfio) {
		r = write_override(d, vfio);
		has_override = r == 0;
	}
	if (r == 0 && driver[0])
		r = unbind_from(d, driver);
	if (r < 0 && r != -EINPROGRESS && has_override)
		take_override_back(d, override);
	if (r < 0 && r != -EINPROGRESS && has_lock)
		give_unbind_lock_back(d);
	return r;
}

/* ---------------------------------------------------------------- bind */

static int probe(struct gs_doing *d, const char *want)
{
	char bdf[GS_BDF_TEXT], now[GS_WORD];
	int r = gs_doing_write(d, d->step->function, gs_bdf_format(d->step->function, bdf), "sys/bus/pci/drivers_probe");

	if (r == -EINPROGRESS)
		return r;
	/* success is reported when nothing matched, too: the link tells (interfaces 4.2) */
	gs_function_driver(d->root, d->step->function, now);
	if (now[0] && (!want || strcmp(now, want) == 0))
		return 0;
	/* an audio function that nobody drove before is driven by nobody after */
	if (r == 0 && !want && !now[0] && gs_bdf_compare(d->step->function, d->step->bdf) != 0)
		return 0;
	if (r == -EINVAL)
		return gs_doing_fail(d, r, d->step->function,
				     "%s would not take it: another function of its IOMMU group is in use by a VM, or there is no IOMMU. It is bound to %s",
				     want ? want : "its driver", now[0] ? now : "nothing");
	if (r < 0)
		return gs_doing_fail(d, r, d->step->function, "the kernel would not look for a driver: %s. It is bound to %s", gs_errno_reason(r),
				     now[0] ? now : "nothing");
	return gs_doing_fail(d, -EIO, d->step->function, "it was to be bound to %s, but is bound to %s: dmesg says why the driver did not take it",
			     want ? want : "its own driver", now[0] ? now : "nothing");
}

/* Bound to something else: a PF that sriov-manage left on its stub, or VFIO on the way back. */
static int make_free(struct gs_doing *d, const char *want)
{
	char driver[GS_WORD];

	gs_function_driver(d->root, d->step->function, driver);
	if (!driver[0] || (want && strcmp(driver, want) == 0))
		return 0;
	if (strcmp(driver, "pci-pf-stub") == 0 || gs_driver_is_vfio(driver))
		return unbind_from(d, driver);
	return want ? gs_doing_fail(d, -EBUSY, d->step->function, "it is bound to %s, not to nothing. It was left so: unbind it first", driver) : 0;
}

static int bind(struct gs_doing *d)
{
	const char *want = d->step->driver;
	char now[GS_WORD];
	int r = refuse_bridge(d);

	if (d->step->to_vfio && !want)
		want = gs_vfio_driver_for(d->root, d->step->function);
	if (r == 0)
		r = write_override(d, d->step->to_vfio ? want : "");
	if (r == 0)
		r = make_free(d, want);
	if (r == 0 && want)
		r = load_driver(d, want);
	if (r < 0)
		return r;
	gs_function_driver(d->root, d->step->function, now);
	if (!now[0] || (want && strcmp(now, want) != 0))
		r = probe(d, want);
	if (r == 0 && !d->step->to_vfio)
		forget_driver(d);
	return r;
}

int gs_passthrough_run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct gs_doing d;
	int r;

	gs_doing_begin(&d, w, step, ret_outcome, e);
	r = step->op == GS_STEP_UNBIND_DRIVER ? unbind(&d) : bind(&d);
	return r == -EINPROGRESS ? 0 : r;
}
