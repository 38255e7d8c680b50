/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_meters.c - clocks, ECC, PCIe and the video engines. By NVML's public header: interfaces.md does not have them all. */
#include <time.h>

#include "backend/sim/standin.h"

#define ANY_DEVICE (GS_HANDLE_GPU | GS_HANDLE_MIG)
#define PERIOD_US 167000u
/* A throughput is counted over 20 ms, and the call takes that long (NVML's header). */
#define THROUGHPUT_NS 20000000

enum { CLOCK_GRAPHICS, CLOCK_SM, CLOCK_MEMORY, CLOCK_VIDEO, CLOCKS };

/* Of the board: a MIG device has none of its own. */
static enum gs_nvml_return enter(const char *call, void *device, const void *to, struct gs_target *t)
{
	enum gs_nvml_return r = gs_standin_read(call, device, ANY_DEVICE, t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!to)
		return GS_NVML_INVALID_ARGUMENT;
	return t->kind == GS_HANDLE_MIG ? GS_NVML_NOT_SUPPORTED : GS_NVML_SUCCESS;
}

static enum gs_nvml_return video(const char *call, void *device, unsigned int *percent, unsigned int *period_us)
{
	struct gs_target t;
	enum gs_nvml_return r = enter(call, device, percent, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!period_us)
		return GS_NVML_INVALID_ARGUMENT;
	if (t.gpu->mig_current)
		return GS_NVML_NOT_SUPPORTED;
	*percent = 0;
	*period_us = PERIOD_US;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetEncoderUtilization(void *device, unsigned int *percent, unsigned int *period_us)
{
	return video("DeviceGetEncoderUtilization", device, percent, period_us);
}

enum gs_nvml_return nvmlDeviceGetDecoderUtilization(void *device, unsigned int *percent, unsigned int *period_us)
{
	return video("DeviceGetDecoderUtilization", device, percent, period_us);
}

enum gs_nvml_return nvmlDeviceGetClockInfo(void *device, unsigned int clock, unsigned int *mhz)
{
	struct gs_target t;
	enum gs_nvml_return r = enter("DeviceGetClockInfo", device, mhz, &t);
	bool busy;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (clock >= CLOCKS)
		return GS_NVML_INVALID_ARGUMENT;
	busy = gs_standin_is_busy(&t, GS_SIM_NONE);
	if (clock == CLOCK_MEMORY)
		*mhz = busy ? 2619 : 1593;
	else
		*mhz = busy ? 1755 + gs_standin_wobble(&t, 4) * 15 : 345;
	return GS_NVML_SUCCESS;
}

/* Boards with HBM have it on; the others let one choose. */
enum gs_nvml_return nvmlDeviceGetEccMode(void *device, unsigned int *current, unsigned int *pending)
{
	struct gs_target t;
	enum gs_nvml_return r = enter("DeviceGetEccMode", device, current, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!pending)
		return GS_NVML_INVALID_ARGUMENT;
	*current = *pending = t.gpu->model != NULL;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetTotalEccErrors(void *device, unsigned int kind, unsigned int since, unsigned long long *count)
{
	struct gs_target t;
	enum gs_nvml_return r = enter("DeviceGetTotalEccErrors", device, count, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (kind > 1 || since > 1)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->model)
		return GS_NVML_NOT_SUPPORTED;
	*count = kind == 0 ? t.gpu->minor : 0;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetCurrPcieLinkGeneration(void *device, unsigned int *generation)
{
	struct gs_target t;
	enum gs_nvml_return r = enter("DeviceGetCurrPcieLinkGeneration", device, generation, &t);

	if (r == GS_NVML_SUCCESS)
		*generation = gs_standin_is_busy(&t, GS_SIM_NONE) ? 5 : 1;
	return r;
}

enum gs_nvml_return nvmlDeviceGetCurrPcieLinkWidth(void *device, unsigned int *width)
{
	struct gs_target t;
	enum gs_nvml_return r = enter("DeviceGetCurrPcieLinkWidth", device, width, &t);

	if (r == GS_NVML_SUCCESS)
		*width = 16;
	return r;
}

enum gs_nvml_return nvmlDeviceGetPcieThroughput(void *device, unsigned int way, unsigned int *kb_per_second)
{
	const struct timespec pause = { .tv_nsec = THROUGHPUT_NS };
	struct gs_target t;
	enum gs_nvml_return r = enter("DeviceGetPcieThroughput", device, kb_per_second, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (way > 1)
		return GS_NVML_INVALID_ARGUMENT;
	nanosleep(&pause, NULL);
	*kb_per_second = gs_standin_is_busy(&t, GS_SIM_NONE) ? (way ? 1850000 : 920000) + gs_standin_wobble(&t, 50) * 1000 : 0;
	return GS_NVML_SUCCESS;
}
