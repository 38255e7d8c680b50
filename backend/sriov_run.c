/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sriov_run.c - enable and disable VFs, by the kernel's file or by NVIDIA's tool. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backend/family_util.h"
#include "backend/sriov.h"
#include "base/parse.h"

#define SETTLE_MS 10000
#define LOOK_MS 100

/* ---------------------------------------------------------------- sriov_numvfs */

static int explain_no_driver(struct gs_doing *d, int r)
{
	char driver[GS_WORD];

	if (!gs_function_driver(d->root, d->step->bdf, driver)[0])
		return gs_doing_fail(d, r, d->step->bdf, "its VFs cannot be changed: no driver is bound to it. Nothing was changed: bind its driver first");
	if (strcmp(driver, "nvidia") == 0)
		return gs_doing_fail(d, r, d->step->bdf,
				     "the nvidia driver takes no number of VFs (interfaces of its own: " GS_SRIOV_MANAGE "). Nothing was changed");
	if (strcmp(driver, "gim") == 0)
		return gs_doing_fail(d, r, d->step->bdf,
				     "the gim driver makes its VFs when it is loaded. Nothing was changed: set its module parameter vf_num and load it again");
	return gs_doing_fail(d, r, d->step->bdf, "its driver %s does not support SR-IOV here (see dmesg). Nothing was changed", driver);
}

/* interfaces 3.2, 9.4 */
static int explain_numvfs(struct gs_doing *d, int r, uint32_t asked)
{
	char holders[224], bdf[GS_BDF_TEXT];
	uint64_t total;

	gs_doing_holders(d, d->step->bdf, holders, sizeof(holders));
	switch (-r) {
	case ENOENT:
		return explain_no_driver(d, r);
	case ERANGE:
		if (gs_root_read_u64(d->root, 10, &total, GS_PCI_DEVICES "/%s/sriov_totalvfs", gs_bdf_format(d->step->bdf, bdf)) < 0)
			total = 0;
		return gs_doing_fail(d, r, d->step->bdf, "%" PRIu32 " VFs are more than it can have (%" PRIu64 "). Nothing was changed: ask for fewer", asked, total);
	case EBUSY:
		return gs_doing_fail(d, r, d->step->bdf,
				     "%" PRIu32 " VFs were not set: there are VFs already, and they have to go first, or are in use%s. Nothing was changed", asked, holders);
	case ENOMEM:
	case EIO:
		return gs_doing_fail(d, r, d->step->bdf,
				     "%" PRIu32 " VFs were not set: the machine has no room for them (memory-mapped I/O or bus numbers; dmesg has the words). "
				     "Look for SR-IOV, ARI and «above 4G» in the firmware's setup",
				     asked);
	case ENODEV:
	case ENOSYS:
		return gs_doing_fail(d, r, d->step->bdf, "it has no VFs here: SR-IOV is off in the firmware, in the kernel or by the driver's parameter");
	default:
		return gs_doing_fail(d, r, d->step->bdf, "%" PRIu32 " VFs were not set: %s", asked, gs_errno_reason(r));
	}
}

static int write_numvfs(struct gs_doing *d, uint32_t n)
{
	char value[16], bdf[GS_BDF_TEXT];
	int r;

	snprintf(value, sizeof(value), "%" PRIu32, n);
	r = gs_doing_write(d, d->step->bdf, value, GS_PCI_DEVICES "/%s/sriov_numvfs", gs_bdf_format(d->step->bdf, bdf));
	return r == 0 || r == -EINPROGRESS ? r : explain_numvfs(d, r, n);
}

static int count(struct gs_doing *d, uint32_t *ret_n)
{
	int r = gs_vfs_count(d->root, d->step->bdf, ret_n);

	return r < 0 ? gs_doing_fail(d, r, d->step->bdf, "its VFs cannot be counted: %s", gs_errno_reason(r)) : 0;
}

static int set_numvfs(struct gs_doing *d, uint32_t want)
{
	uint32_t now = 0;
	int r = count(d, &now);

	if (r < 0 || now == want)
		return r;
	/* from one number to another only by way of none (interfaces 3.2) */
	if (now && want)
		r = write_numvfs(d, 0);
	if (r == 0)
		r = write_numvfs(d, want);
	if (r == 0)
		r = count(d, &now);
	if (r == 0 && now != want)
		return gs_doing_fail(d, -EIO, d->step->bdf,
				     "%" PRIu32 " VFs were asked for and reported as done, but there are %" PRIu32 ": the driver enabled fewer, see dmesg", want, now);
	return r;
}

/* ---------------------------------------------------------------- sriov-manage */

/* A run that stopped in the middle leaves it where no driver sees it (interfaces 3.4). */
static const char *state_text(struct gs_doing *d, char *buf, size_t size)
{
	char driver[GS_WORD];

	gs_function_driver(d->root, d->step->bdf, driver);
	if (strcmp(driver, "pci-pf-stub") == 0)
		snprintf(buf, size, "It is bound to pci-pf-stub now, where no driver sees it: bind it to nvidia again (mode whole does)");
	else if (!driver[0])
		snprintf(buf, size, "No driver is bound to it now: bind it to nvidia again (mode whole does)");
	else
		snprintf(buf, size, "It is bound to %s as before", driver);
	return buf;
}

/* What it printed and how it ended: a tool that dies without a word still says how. */
static const char *said_text(int exit_status, const char *output, char *buf, size_t size)
{
	size_t length = strlen(output);
	char end[96];

	while (length && isspace((unsigned char)output[length - 1]))
		length--;
	snprintf(end, sizeof(end), "exit status %d", exit_status);
	/* as a shell writes it, and gs_program_run() */
	if (exit_status > 128 && exit_status < 128 + NSIG)
		snprintf(end, sizeof(end), "signal %d (%s)", exit_status - 128, strsignal(exit_status - 128));
	if (length)
		snprintf(buf, size, "it said «%.*s»; %s", (int)(length < 300 ? length : 300), output, end);
	else
		snprintf(buf, size, "it said nothing; %s", end);
	return buf;
}

static int explain_manage(struct gs_doing *d, int exit_status, const char *output, uint32_t want, uint32_t now)
{
	char holders[224], state[160], said[448];

	state_text(d, state, sizeof(state));
	said_text(exit_status, output, said, sizeof(said));
	gs_doing_holders(d, d->step->bdf, holders, sizeof(holders));
	if (strstr(output, "unbindLock"))
		return gs_doing_fail(d, -EBUSY, d->step->bdf,
				     "sriov-manage could not get hold of the GPU: somebody has it open%s. %s. End what uses it (nvidia-persistenced, DCGM and exporters too), "
				     "then try again",
				     holders, state);
	if (exit_status)
		return gs_doing_fail(d, -EIO, d->step->bdf, "sriov-manage failed%s: %s. %s", holders, said, state);
	return gs_doing_fail(d, -EIO, d->step->bdf,
			     "sriov-manage reported success, but there are %" PRIu32 " VFs and not %" PRIu32
			     "; right after the driver was loaded it does that: wait half a minute and try again (%s). %s",
			     now, want, said, state);
}

static bool all_vfs_have_drivers(struct gs_doing *d, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		char driver[GS_WORD];
		struct gs_bdf vf;

		if (gs_vf_function(d->root, d->step->bdf, i, &vf) < 0 || !gs_function_driver(d->root, vf, driver)[0])
			return false;
	}
	return true;
}

/* VFs are bound by and by (interfaces 9.3); without a driver they offer no vGPU types. */
static void settle(struct gs_doing *d, uint32_t n)
{
	struct gs_monotonic since = gs_monotonic_now();

	while (!all_vfs_have_drivers(d, n)) {
		if (gs_elapsed_ms(since) >= SETTLE_MS) {
			snprintf(d->outcome->note, sizeof(d->outcome->note), "not every VF has a driver after %d s", SETTLE_MS / 1000);
			return;
		}
		gs_writer_pause(d->w, -1, LOOK_MS);
	}
}

/* All or none: the number of VFs that there have to be afterwards. */
static int expected(struct gs_doing *d, uint32_t *ret_n)
{
	char bdf[GS_BDF_TEXT];
	uint64_t total;
	int r;

	if (d->step->op == GS_STEP_DISABLE_VFS) {
		*ret_n = 0;
		return 0;
	}
	r = gs_root_read_u64(d->root, 10, &total, GS_PCI_DEVICES "/%s/sriov_totalvfs", gs_bdf_format(d->step->bdf, bdf));
	if (r < 0 || total > UINT16_MAX)
		return gs_doing_fail(d, r < 0 ? r : -ERANGE, d->step->bdf, "how many VFs it can have cannot be read (sriov_totalvfs). Nothing was changed");
	*ret_n = (uint32_t)total;
	return 0;
}

static int manage(struct gs_doing *d)
{
	char bdf[GS_BDF_TEXT];
	const char *argv[] = { GS_SRIOV_MANAGE, d->step->op == GS_STEP_ENABLE_VFS ? "-e" : "-d", gs_bdf_format(d->step->bdf, bdf), NULL };
	GS_FREE char *output = NULL;
	uint32_t want = 0, now = 0;
	int exit_status = 0;
	int r = expected(d, &want);

	if (r < 0)
		return r;
	r = gs_writer_run(d->w, d->step->bdf, argv, &exit_status, &output, d->e);
	if (r == -ENOENT) {
		d->e->text[0] = '\0';
		return gs_doing_fail(d, r, d->step->bdf, GS_SRIOV_MANAGE " is not installed: it comes with NVIDIA's vGPU host driver. Nothing was changed");
	}
	if (r < 0)
		return r;
	r = count(d, &now);
	if (r < 0)
		return r;
	if (now != want)
		return explain_manage(d, exit_status, output, want, now);
	settle(d, want);
	/* what is there counts, as it does when the tool reports success */
	if (exit_status && !d->outcome->note[0])
		snprintf(d->outcome->note, sizeof(d->outcome->note), "sriov-manage ended with status %d, but the VFs are as asked", exit_status);
	return 0;
}

int gs_sriov_run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct gs_doing d;
	int r;

	gs_doing_begin(&d, w, step, ret_outcome, e);
	if (step->vfs_by == GS_VFS_BY_SRIOV_MANAGE)
		r = manage(&d);
	else
		r = set_numvfs(&d, step->op == GS_STEP_ENABLE_VFS ? step->vfs : 0);
	return r == -EINPROGRESS ? 0 : r;
}
