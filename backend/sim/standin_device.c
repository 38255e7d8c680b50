/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_device.c - system queries, enumeration and identity of devices. */
#include <stdio.h>
#include <string.h>

#include "backend/sim/standin.h"
#include "base/parse.h"

#define ANY_DEVICE (GS_HANDLE_GPU | GS_HANDLE_MIG)

const char *nvmlErrorString(enum gs_nvml_return result)
{
	switch (result) {
	case GS_NVML_SUCCESS: return "Success";
	case GS_NVML_UNINITIALIZED: return "Uninitialized";
	case GS_NVML_INVALID_ARGUMENT: return "Invalid Argument";
	case GS_NVML_NOT_SUPPORTED: return "Not Supported";
	case GS_NVML_NO_PERMISSION: return "Insufficient Permissions";
	case GS_NVML_NOT_FOUND: return "Not Found";
	case GS_NVML_INSUFFICIENT_SIZE: return "Insufficient Size";
	case GS_NVML_DRIVER_NOT_LOADED: return "Driver Not Loaded";
	case GS_NVML_GPU_IS_LOST: return "GPU is lost";
	case GS_NVML_OPERATING_SYSTEM: return "GPU access blocked by the operating system";
	case GS_NVML_IN_USE: return "In use by another client";
	case GS_NVML_MEMORY: return "Insufficient Memory";
	case GS_NVML_INSUFFICIENT_RESOURCES: return "Insufficient Resources";
	case GS_NVML_ARGUMENT_VERSION_MISMATCH: return "Argument version mismatch";
	case GS_NVML_UNKNOWN: break;
	}
	return "Unknown Error";
}

enum gs_nvml_return nvmlSystemGetDriverVersion(char *version, unsigned int length)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("SystemGetDriverVersion", &s);

	return r != GS_NVML_SUCCESS ? r : gs_standin_put_text(version, length, s->driver_version);
}

enum gs_nvml_return nvmlSystemGetNVMLVersion(char *version, unsigned int length)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("SystemGetNVMLVersion", &s);

	return r != GS_NVML_SUCCESS ? r : gs_standin_put_text(version, length, s->nvml_version);
}

enum gs_nvml_return nvmlSystemGetProcessName(unsigned int pid, char *name, unsigned int length)
{
	const struct gs_sim_process *p;
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("SystemGetProcessName", &s);

	if (r != GS_NVML_SUCCESS)
		return r;
	p = gs_sim_process_by_pid(s, pid);
	if (!p)
		return GS_NVML_NOT_FOUND;
	return gs_standin_put_text(name, length, p->n_args ? p->args[0] : p->comm);
}

enum gs_nvml_return nvmlGetExcludedDeviceCount(unsigned int *count)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("GetExcludedDeviceCount", &s);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!count)
		return GS_NVML_INVALID_ARGUMENT;
	*count = 0;
	return GS_NVML_SUCCESS;
}

static uint32_t nvml_index(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	uint32_t index = 0;

	for (size_t i = 0; i < s->n_gpus; i++)
		index += gs_sim_gpu_is_visible(&s->gpus[i]) && strcmp(s->gpus[i].pci.bdf, gpu->pci.bdf) < 0;
	return index;
}

static struct gs_sim_gpu *gpu_by_nvml_index(struct gs_sim_state *s, uint32_t index)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (gs_sim_gpu_is_visible(&s->gpus[i]) && nvml_index(s, &s->gpus[i]) == index)
			return &s->gpus[i];
	}
	return NULL;
}

enum gs_nvml_return nvmlDeviceGetCount_v2(unsigned int *count)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("DeviceGetCount_v2", &s);
	unsigned int n = 0;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!count)
		return GS_NVML_INVALID_ARGUMENT;
	for (size_t i = 0; i < s->n_gpus; i++)
		n += gs_sim_gpu_is_visible(&s->gpus[i]);
	*count = n;
	return GS_NVML_SUCCESS;
}

static enum gs_nvml_return give_gpu(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu,
				    enum gs_nvml_return otherwise, void **ret_device)
{
	if (!ret_device)
		return GS_NVML_INVALID_ARGUMENT;
	if (!gpu || !gs_sim_gpu_is_visible(gpu))
		return otherwise;
	if (gpu->lost)
		return GS_NVML_GPU_IS_LOST;
	*ret_device = gs_standin_gpu_handle(s, gpu);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("DeviceGetHandleByIndex_v2", &s);

	return r != GS_NVML_SUCCESS ? r : give_gpu(s, gpu_by_nvml_index(s, index), GS_NVML_INVALID_ARGUMENT, device);
}

static enum gs_nvml_return give_mig(struct gs_sim_state *s, const char *uuid, void **ret_device)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		struct gs_sim_gpu *gpu = &s->gpus[i];

		for (size_t k = 0; k < gpu->n_gis; k++) {
			for (size_t m = 0; m < gpu->gis[k].n_cis; m++) {
				if (!gs_str_equal_nocase(gpu->gis[k].cis[m].uuid, uuid))
					continue;
				if (gpu->lost)
					return GS_NVML_GPU_IS_LOST;
				*ret_device = gs_standin_mig_handle(s, gpu, &gpu->gis[k].cis[m]);
				return GS_NVML_SUCCESS;
			}
		}
	}
	return GS_NVML_NOT_FOUND;
}

enum gs_nvml_return nvmlDeviceGetHandleByUUID(const char *uuid, void **device)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("DeviceGetHandleByUUID", &s);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!uuid || !device)
		return GS_NVML_INVALID_ARGUMENT;
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (gs_str_equal_nocase(s->gpus[i].uuid, uuid))
			return give_gpu(s, &s->gpus[i], GS_NVML_NOT_FOUND, device);
	}
	return give_mig(s, uuid, device);
}

/* Any number of domain digits and any case: "00000000:1B:00.0" is 0000:1b:00.0 (interfaces 0.5). */
static bool normalise_bdf(const char *text, char *ret_bdf, size_t size)
{
	size_t n = strnlen(text, 32);
	char domain[16] = "";
	uint32_t number;

	if (n < 9 || n > 8 + sizeof(domain) - 1 || text[n - 8] != ':')
		return false;
	memcpy(domain, text, n - 8);
	if (gs_parse_u32(domain, 16, &number) < 0 || number > 0xffff)
		return false;
	snprintf(ret_bdf, size, "%04x%s", number, text + n - 8);
	return true;
}

enum gs_nvml_return nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, void **device)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("DeviceGetHandleByPciBusId_v2", &s);
	char bdf[16];

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!bus_id || !normalise_bdf(bus_id, bdf, sizeof(bdf)))
		return GS_NVML_INVALID_ARGUMENT;
	return give_gpu(s, gs_sim_gpu_by_bdf(s, bdf), GS_NVML_NOT_FOUND, device);
}

enum gs_nvml_return nvmlDeviceGetName(void *device, char *name, unsigned int length)
{
	const struct gs_sim_compute_profile *compute;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetName", device, ANY_DEVICE, &t);
	char text[128];

	if (r != GS_NVML_SUCCESS)
		return r;
	compute = gs_target_compute(&t);
	if (t.kind == GS_HANDLE_GPU || !compute)
		return gs_standin_put_text(name, length, t.gpu->name);
	snprintf(text, sizeof(text), "%s MIG %s", t.gpu->name, compute->name);
	return gs_standin_put_text(name, length, text);
}

enum gs_nvml_return nvmlDeviceGetIndex(void *device, unsigned int *index)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetIndex", device, ANY_DEVICE, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!index)
		return GS_NVML_INVALID_ARGUMENT;
	*index = t.kind == GS_HANDLE_MIG ? t.ci->slot : nvml_index(t.state, t.gpu);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetUUID(void *device, char *uuid, unsigned int length)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetUUID", device, ANY_DEVICE, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	return gs_standin_put_text(uuid, length, t.kind == GS_HANDLE_MIG ? t.ci->uuid : t.gpu->uuid);
}

/* Getters of one number from a GPU. */
static enum gs_nvml_return give_number(const char *call, void *device, unsigned int *to, struct gs_target *t)
{
	enum gs_nvml_return r = gs_standin_read(call, device, GS_HANDLE_GPU, t);

	return r == GS_NVML_SUCCESS && !to ? GS_NVML_INVALID_ARGUMENT : r;
}

enum gs_nvml_return nvmlDeviceGetMinorNumber(void *device, unsigned int *minor)
{
	struct gs_target t;
	enum gs_nvml_return r = give_number("DeviceGetMinorNumber", device, minor, &t);

	if (r == GS_NVML_SUCCESS)
		*minor = t.gpu->minor;
	return r;
}

enum gs_nvml_return nvmlDeviceGetArchitecture(void *device, unsigned int *architecture)
{
	static const struct { const char *name; unsigned int number; } known[] = {
		{ "Turing", 6 }, { "Ampere", 7 }, { "Ada", 8 }, { "Hopper", 9 }, { "Blackwell", 10 },
	};
	struct gs_target t;
	enum gs_nvml_return r = give_number("DeviceGetArchitecture", device, architecture, &t);
	const char *name;

	if (r != GS_NVML_SUCCESS)
		return r;
	name = t.gpu->model ? t.gpu->model->architecture : t.gpu->board ? t.gpu->board->architecture : "";
	*architecture = 0xffffffffu;
	for (size_t i = 0; i < GS_ARRAY_SIZE(known); i++) {
		if (gs_str_equal(known[i].name, name))
			*architecture = known[i].number;
	}
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetPersistenceMode(void *device, unsigned int *mode)
{
	struct gs_target t;
	enum gs_nvml_return r = give_number("DeviceGetPersistenceMode", device, mode, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	*mode = 0;
	for (size_t i = 0; i < t.state->n_processes; i++) {
		const struct gs_sim_process *p = &t.state->processes[i];

		for (size_t k = 0; p->passive && k < p->n_uses; k++) {
			if (p->uses[k].gpu == gs_sim_gpu_index(t.state, t.gpu))
				*mode = 1;
		}
	}
	return GS_NVML_SUCCESS;
}

static uint32_t hex_part(const char *text, size_t n)
{
	char part[9] = "";
	uint32_t value = 0;

	memcpy(part, text, n);
	gs_parse_u32(part, 16, &value);
	return value;
}

enum gs_nvml_return nvmlDeviceGetPciInfo_v3(void *device, struct gs_abi_pci_info *pci)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetPciInfo_v3", device, ANY_DEVICE, &t);
	const struct gs_sim_pci *from;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!pci)
		return GS_NVML_INVALID_ARGUMENT;
	from = &t.gpu->pci;
	memset(pci, 0, sizeof(*pci));
	pci->domain = hex_part(from->bdf, 4);
	pci->bus = hex_part(from->bdf + 5, 2);
	pci->device = hex_part(from->bdf + 8, 2);
	pci->pci_device_id = from->device << 16 | from->vendor;
	pci->pci_subsystem_id = from->subsystem_device << 16 | from->subsystem_vendor;
	snprintf(pci->bus_id_legacy, sizeof(pci->bus_id_legacy), "%04X:%02X:%02X.0", pci->domain & 0xffff, pci->bus & 0xff,
		 pci->device & 0xff);
	snprintf(pci->bus_id, sizeof(pci->bus_id), "%08X:%02X:%02X.0", pci->domain, pci->bus & 0xff, pci->device & 0xff);
	return GS_NVML_SUCCESS;
}
