/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/reset.h"

#include <errno.h>

#include "backend/nvml.h"
#include "backend/writer.h"
#include "base/strbuf.h"


static bool takes(const struct gs_step *step)
{
	return step->op == GS_STEP_RESET_GPU;
}

static bool waits(const struct gs_snapshot *last, struct gs_bdf bdf)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(last, bdf);

	/* one that cannot be seen proves nothing */
	return !gpu || (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode);
}

bool gs_reset_is_due(const struct gs_step *step, const struct gs_snapshot *last)
{
	bool due = !last || waits(last, step->bdf);

	for (size_t i = 0; !due && i < step->n_peers; i++)
		due = waits(last, step->peers[i]);
	return due;
}

/* "0000:17:00.0,0000:31:00.0": one run, since linked GPUs are reset together or not at all. */
static char *addresses_of(const struct gs_step *step)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char bdf[GS_BDF_TEXT];

	gs_strbuf_puts(&b, gs_bdf_format(step->bdf, bdf));
	for (size_t i = 0; i < step->n_peers; i++)
		gs_strbuf_printf(&b, ",%s", gs_bdf_format(step->peers[i], bdf));
	return gs_strbuf_take(&b);
}

static int run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	GS_FREE char *addresses = addresses_of(step), *output = NULL;
	const char *argv[] = { "nvidia-smi", "--gpu-reset", "-i", addresses, NULL };
	char holders[224];
	int exit_status = 0, r;

	(void)ret_outcome;
	if (!addresses)
		return gs_error_oom(e);
	r = gs_writer_run(w, step->bdf, argv, &exit_status, &output, e);
	if (r == -ENOENT)
		return gs_error_set(e, r, GS_STATUS_FAILED, "nvidia-smi, which does the reset, is not installed. Nothing was reset");
	if (r < 0)
		return gs_error_prefix(e, "nvidia-smi --gpu-reset -i %s: ", addresses);
	if (!exit_status)
		return 0;
	gs_writer_holders(w, step->bdf, holders, sizeof(holders));
	/* it exits with NVML's numbers (interfaces 5.2) */
	return gs_error_set(e, gs_nvml_errno(exit_status), GS_STATUS_FAILED,
			    "nvidia-smi did not reset %s: %s%s%s (exit status %d%s%.300s). Nothing was reset: end what uses these GPUs, then try again", addresses,
			    gs_nvml_reason(exit_status) ? gs_nvml_reason(exit_status) : "it does not say why", holders[0] ? "; held by " : "", holders, exit_status,
			    output[0] ? ": " : "", output);
}

const struct gs_family gs_family_reset = {
	.name = "reset",
	.takes = takes,
	.run = run,
};
