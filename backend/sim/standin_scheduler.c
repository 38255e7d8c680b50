/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standin_scheduler.c - how vGPUs share the engine's time, of a GPU and of a
 * GPU instance, through both versions of the calls (interfaces 5.3, 5.7). The
 * ranges are those that nvidia-smi shows for a real driver: 1 to 30 ms, 63 to
 * 960 Hz, an average factor of 1 to 60.
 */
#include "backend/sim/standin.h"

#include "base/parse.h"

#define GI_STATE_V1 0x01000018u         /* interfaces 5.5 */
#define ENGINE_GRAPHICS 1u
#define NS_PER_SECOND 1000000000u

enum { BEST_EFFORT = 1, EQUAL_SHARE, FIXED_SHARE };
enum { ARR_DEFAULT, ARR_OFF, ARR_ON };

#define TIMESLICE_MIN 1000000u
#define TIMESLICE_MAX 30000000u
#define TIMESLICE_DEFAULT 2000000u
#define FREQUENCY_MIN 63u
#define FREQUENCY_MAX 960u
#define FREQUENCY_DEFAULT 480u
#define FACTOR_MIN 1u
#define FACTOR_MAX 60u
#define FACTOR_DEFAULT 33u

/* Time-sliced vGPUs on the GPU itself, or in the GIs of one that time-slices them (interfaces 2.6). */
static bool has_scheduler(const struct gs_target *t)
{
	if (!t->gpu->framework || !t->gpu->board)
		return false;
	if (t->gi)
		return t->gpu->mig_current && gs_str_equal_nocase(t->gpu->board->architecture, "blackwell");
	return !t->gpu->mig_current;
}

static struct gs_sim_schedule *schedule_of(const struct gs_target *t)
{
	return t->gi ? &t->gi->schedule : &t->gpu->schedule;
}

/* What the driver works with, defaults filled in. */
static struct gs_sim_schedule effective(const struct gs_target *t)
{
	struct gs_sim_schedule s = *schedule_of(t);

	if (!s.policy)
		s.policy = BEST_EFFORT;
	if (s.policy == BEST_EFFORT) {
		s.arr = ARR_OFF;
		s.timeslice_ns = TIMESLICE_DEFAULT;
		return s;
	}
	if (s.arr == ARR_DEFAULT)
		s.arr = ARR_ON;
	if (s.arr == ARR_ON) {
		s.average_factor = s.average_factor ? s.average_factor : FACTOR_DEFAULT;
		s.frequency_hz = s.frequency_hz ? s.frequency_hz : FREQUENCY_DEFAULT;
		s.timeslice_ns = NS_PER_SECOND / s.frequency_hz;
	} else if (!s.timeslice_ns) {
		s.timeslice_ns = TIMESLICE_DEFAULT;
	}
	return s;
}

static bool is_in(uint32_t value, uint32_t min, uint32_t max)
{
	return !value || (value >= min && value <= max);
}

/* Only while no vGPU is there: NOT_SUPPORTED, where one would expect IN_USE (interfaces 5.7). */
static enum gs_nvml_return change_schedule(struct gs_target *t, void *arguments)
{
	const struct gs_sim_schedule *s = arguments;

	if (!has_scheduler(t) || gs_standin_has_vgpus(t))
		return GS_NVML_NOT_SUPPORTED;
	if (s->policy < BEST_EFFORT || s->policy > FIXED_SHARE || s->arr > ARR_ON || !is_in(s->timeslice_ns, TIMESLICE_MIN, TIMESLICE_MAX) ||
	    !is_in(s->frequency_hz, FREQUENCY_MIN, FREQUENCY_MAX) || !is_in(s->average_factor, FACTOR_MIN, FACTOR_MAX))
		return GS_NVML_INVALID_ARGUMENT;
	*schedule_of(t) = *s;
	return GS_NVML_SUCCESS;
}

static struct gs_sim_schedule from_v1(uint32_t policy, uint32_t arr, const struct gs_abi_schedule_params *params)
{
	struct gs_sim_schedule s = { .policy = policy, .arr = arr };

	if (arr == ARR_ON) {
		s.average_factor = params->first;
		s.frequency_hz = params->second;
	} else {
		s.timeslice_ns = params->first;
	}
	return s;
}

static struct gs_abi_schedule_params to_v1(const struct gs_sim_schedule *s)
{
	if (s->arr == ARR_ON)
		return (struct gs_abi_schedule_params){ s->average_factor, s->timeslice_ns };
	return (struct gs_abi_schedule_params){ s->timeslice_ns, 0 };
}

enum gs_nvml_return nvmlDeviceGetVgpuSchedulerCapabilities(void *device, struct gs_abi_schedule_capabilities *capabilities)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuSchedulerCapabilities", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!capabilities)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->framework)
		return GS_NVML_NOT_SUPPORTED;
	*capabilities = (struct gs_abi_schedule_capabilities){
		.policies = { BEST_EFFORT, EQUAL_SHARE, FIXED_SHARE }, .max_timeslice = TIMESLICE_MAX, .min_timeslice = TIMESLICE_MIN, .has_arr = 1,
		.max_frequency = FREQUENCY_MAX, .min_frequency = FREQUENCY_MIN, .max_average_factor = FACTOR_MAX, .min_average_factor = FACTOR_MIN,
	};
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetVgpuSchedulerState(void *device, struct gs_abi_schedule *state)
{
	struct gs_sim_schedule s;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuSchedulerState", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!state)
		return GS_NVML_INVALID_ARGUMENT;
	if (!has_scheduler(&t))
		return GS_NVML_NOT_SUPPORTED;
	s = effective(&t);
	*state = (struct gs_abi_schedule){ s.policy, s.arr, to_v1(&s) };
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceSetVgpuSchedulerState(void *device, struct gs_abi_schedule *state)
{
	struct gs_sim_schedule s;

	if (!state)
		return GS_NVML_INVALID_ARGUMENT;
	s = from_v1(state->policy, state->arr, &state->params);
	return gs_standin_change("DeviceSetVgpuSchedulerState", device, GS_HANDLE_GPU, change_schedule, &s);
}

static enum gs_nvml_return get_v2(const char *call, void *handle, unsigned int kind, struct gs_abi_schedule_v2 *state)
{
	struct gs_sim_schedule s;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read(call, handle, kind, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!state || state->engine != ENGINE_GRAPHICS)
		return GS_NVML_INVALID_ARGUMENT;
	if (!has_scheduler(&t))
		return GS_NVML_NOT_SUPPORTED;
	s = effective(&t);
	*state = (struct gs_abi_schedule_v2){ ENGINE_GRAPHICS, s.policy, s.arr == ARR_ON ? s.average_factor : 0, s.timeslice_ns };
	return GS_NVML_SUCCESS;
}

static enum gs_nvml_return set_v2(const char *call, void *handle, unsigned int kind, const struct gs_abi_schedule_v2 *state)
{
	struct gs_sim_schedule s;

	if (!state || state->engine != ENGINE_GRAPHICS)
		return GS_NVML_INVALID_ARGUMENT;
	s = (struct gs_sim_schedule){ .policy = state->policy, .average_factor = state->average_factor, .frequency_hz = state->rest };
	s.arr = s.policy == BEST_EFFORT ? ARR_DEFAULT : ARR_ON;
	return gs_standin_change(call, handle, kind, change_schedule, &s);
}

enum gs_nvml_return nvmlDeviceGetVgpuSchedulerState_v2(void *device, struct gs_abi_schedule_v2 *state)
{
	return get_v2("DeviceGetVgpuSchedulerState_v2", device, GS_HANDLE_GPU, state);
}

enum gs_nvml_return nvmlDeviceSetVgpuSchedulerState_v2(void *device, struct gs_abi_schedule_v2 *state)
{
	return set_v2("DeviceSetVgpuSchedulerState_v2", device, GS_HANDLE_GPU, state);
}

enum gs_nvml_return nvmlGpuInstanceGetVgpuSchedulerState_v2(void *gi, struct gs_abi_schedule_v2 *state)
{
	return get_v2("GpuInstanceGetVgpuSchedulerState_v2", gi, GS_HANDLE_GI, state);
}

enum gs_nvml_return nvmlGpuInstanceSetVgpuSchedulerState_v2(void *gi, struct gs_abi_schedule_v2 *state)
{
	return set_v2("GpuInstanceSetVgpuSchedulerState_v2", gi, GS_HANDLE_GI, state);
}

enum gs_nvml_return nvmlGpuInstanceGetVgpuSchedulerState(void *gi, struct gs_abi_gi_schedule *state)
{
	struct gs_sim_schedule s;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("GpuInstanceGetVgpuSchedulerState", gi, GS_HANDLE_GI, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!state || state->engine != ENGINE_GRAPHICS)
		return GS_NVML_INVALID_ARGUMENT;
	if (state->version != GI_STATE_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!has_scheduler(&t))
		return GS_NVML_NOT_SUPPORTED;
	s = effective(&t);
	*state = (struct gs_abi_gi_schedule){ GI_STATE_V1, ENGINE_GRAPHICS, s.policy, s.arr, to_v1(&s) };
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlGpuInstanceSetVgpuSchedulerState(void *gi, struct gs_abi_gi_schedule *state)
{
	struct gs_sim_schedule s;

	if (!state || state->engine != ENGINE_GRAPHICS)
		return GS_NVML_INVALID_ARGUMENT;
	if (state->version != GI_STATE_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	s = from_v1(state->policy, state->arr, &state->params);
	return gs_standin_change("GpuInstanceSetVgpuSchedulerState", gi, GS_HANDLE_GI, change_schedule, &s);
}
