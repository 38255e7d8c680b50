/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/nvml.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"

#define SYMBOLS_MAX 3

struct symbol_row {
	size_t offset;                      /* of the slot in struct gs_nvml_table */
	const char *names[SYMBOLS_MAX];     /* newest first; NULL ends */
};

#define SYMBOL_ROW(slot, params, ...) { offsetof(struct gs_nvml_table, slot), { __VA_ARGS__ } },
static const struct symbol_row symbol_rows[] = {
	GS_NVML_CALLS(SYMBOL_ROW)
};

_Static_assert(sizeof(void *) == sizeof(int (*)(void)), "dlsym gives a function as a data pointer");

void gs_nvml_bind(struct gs_nvml_table *table, void *library, gs_nvml_lookup lookup)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(symbol_rows); i++) {
		const struct symbol_row *row = &symbol_rows[i];
		void *found = NULL;

		for (unsigned n = 0; n < SYMBOLS_MAX && row->names[n] && !found; n++)
			found = lookup(library, row->names[n]);
		memcpy((char *)table + row->offset, &found, sizeof(found));
	}
}

const char *gs_nvml_symbol_at(size_t offset)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(symbol_rows); i++) {
		if (symbol_rows[i].offset == offset)
			return symbol_rows[i].names[0];
	}
	return "an NVML function";
}

/* Sources: interfaces 5.2 for the codes, 5.7 and 5.8 for what brings them about. */
static const struct {
	int code, errnum;
	const char *reason, *remedy;
} codes[] = {
	{ NVML_ERROR_UNINITIALIZED, -EIO, "NVML is not initialised", "Run it again; if it stays, reload the nvidia driver" },
	{ NVML_ERROR_INVALID_ARGUMENT, -EINVAL, "the driver does not accept the argument", "Look again: the GPU may have changed since" },
	{ NVML_ERROR_NOT_SUPPORTED, -EOPNOTSUPP, "this GPU, or its present mode, does not support it", "See what it can with: gpuslice profiles" },
	{ NVML_ERROR_NO_PERMISSION, -EPERM, "it needs privileges", "Run it as root" },
	{ NVML_ERROR_ALREADY_INITIALIZED, -EIO, "NVML has been initialised already", "Run it again" },
	{ NVML_ERROR_NOT_FOUND, -ENOENT, "it is not there", "Look again: somebody else may have changed it" },
	{ NVML_ERROR_INSUFFICIENT_SIZE, -EIO, "the driver has more to say than there was room for", "Look for a newer gpuslice" },
	{ NVML_ERROR_INSUFFICIENT_POWER, -EIO, "the GPU's external power cables are not attached properly", "Check the power cables" },
	{ NVML_ERROR_DRIVER_NOT_LOADED, -ENODEV, "the NVIDIA driver is not loaded", "Load it with: modprobe nvidia" },
	{ NVML_ERROR_TIMEOUT, -ETIMEDOUT, "the driver gave up waiting", "Look at dmesg for NVRM lines" },
	{ NVML_ERROR_IRQ_ISSUE, -EIO, "the kernel found an interrupt problem with a GPU", "Look at dmesg for NVRM lines" },
	{ NVML_ERROR_LIBRARY_NOT_FOUND, -ENOENT, "NVML cannot find or load another part of the driver", "Reinstall the driver's user space" },
	{ NVML_ERROR_FUNCTION_NOT_FOUND, -ENOSYS, "the installed driver is too old to have this function", "Update the NVIDIA driver" },
	{ NVML_ERROR_CORRUPTED_INFOROM, -EIO, "the GPU's infoROM is corrupted", "The board needs its vendor's service" },
	{ NVML_ERROR_GPU_IS_LOST, -ENODEV, "the GPU has fallen off the bus", "Look at dmesg for Xid 79; the machine, or the board, needs a power cycle" },
	{ NVML_ERROR_RESET_REQUIRED, -EBUSY, "the GPU has to be reset first", "Reset it with: nvidia-smi --gpu-reset -i BDF; in a virtual machine: reboot it" },
	{ NVML_ERROR_OPERATING_SYSTEM, -EIO, "the operating system has blocked access to the GPU", "Look for a device cgroup or a container that withholds /dev/nvidia*" },
	{ NVML_ERROR_LIB_RM_VERSION_MISMATCH, -EPROTO, "the library and the loaded kernel module are of different versions",
		"The driver was updated: unload and load the nvidia modules, or reboot" },
	{ NVML_ERROR_IN_USE, -EBUSY, "in use by another client", "See who holds it with: gpuslice list" },
	{ NVML_ERROR_MEMORY, -ENOMEM, "the driver has not enough memory", "Look at dmesg for NVRM lines, and free memory" },
	{ NVML_ERROR_NO_DATA, -ENODATA, "there is no data", "Look again in a moment" },
	{ NVML_ERROR_VGPU_ECC_NOT_SUPPORTED, -EOPNOTSUPP, "a vGPU on this host does not work while ECC is on",
		"Update the vGPU host driver, or switch ECC off with: nvidia-smi -e 0, and reboot" },
	{ NVML_ERROR_INSUFFICIENT_RESOURCES, -ENOSPC, "it does not fit: the units are taken or reserved", "See what fits with: gpuslice profiles" },
	{ NVML_ERROR_FREQ_NOT_SUPPORTED, -EINVAL, "the GPU does not have this frequency", "See its frequencies with: nvidia-smi -q -d SUPPORTED_CLOCKS" },
	{ NVML_ERROR_ARGUMENT_VERSION_MISMATCH, -EPROTO, "the library does not know this version of the argument", "Library and gpuslice are of different ages: update the older" },
	{ NVML_ERROR_DEPRECATED, -ENOSYS, "the driver has dropped this function", "Look for a newer gpuslice" },
	{ NVML_ERROR_NOT_READY, -EAGAIN, "the system is not ready yet", "Try again in a moment" },
	{ NVML_ERROR_GPU_NOT_FOUND, -ENODEV, "the driver has no usable GPU", "See which driver the GPU is bound to with: gpuslice list" },
	{ NVML_ERROR_INVALID_STATE, -EINVAL, "the GPU is in a state that does not allow it", "See its mode and instances with: gpuslice list" },
	{ NVML_ERROR_RESET_TYPE_NOT_SUPPORTED, -EOPNOTSUPP, "the GPU does not support this kind of reset", "Reboot the machine instead" },
	{ NVML_ERROR_UNKNOWN, -EIO, "the driver gives no reason", "Look at dmesg for NVRM lines" },
};

const char *gs_nvml_reason(int code)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(codes); i++) {
		if (codes[i].code == code)
			return codes[i].reason;
	}
	return NULL;
}

const char *gs_nvml_remedy(int code)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(codes); i++) {
		if (codes[i].code == code)
			return codes[i].remedy;
	}
	return NULL;
}

int gs_nvml_errno(int code)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(codes); i++) {
		if (codes[i].code == code)
			return codes[i].errnum;
	}
	return -EIO;
}

int gs_nvml_error(struct gs_error *e, int code, const char *symbol, const char *fmt, ...)
{
	const char *reason = gs_nvml_reason(code), *remedy = gs_nvml_remedy(code);
	char what[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (!reason)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s: %s answers %d, a code that this program does not know. Look at dmesg for NVRM lines",
				    what, symbol, code);
	return gs_error_set(e, gs_nvml_errno(code), GS_STATUS_FAILED, "%s: %s (%s answers %d)%s%s", what, reason, symbol, code,
			    remedy ? ". " : "", remedy ? remedy : "");
}

/* The reasons of all paths in one sentence: the last one alone would mislead. That a file is not there is said once. */
static void *open_library(const char *const *paths, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf why = GS_STRBUF_INIT;

	for (size_t i = 0; paths && paths[i]; i++) {
		void *library = dlopen(paths[i], RTLD_LAZY | RTLD_LOCAL);
		const char *reason;

		if (library)
			return library;
		reason = dlerror();
		if (why.length && paths[i][0] == '/' && access(paths[i], F_OK) < 0)
			continue;
		gs_strbuf_printf(&why, "%s%s", why.length ? "; " : "", reason ? reason : paths[i]);
	}
	gs_error_set(e, -ENOENT, GS_STATUS_FAILED, "cannot load NVIDIA's management library, so MIG cannot be seen: %s",
		     why.length ? why.text : "this machine has none");
	return NULL;
}

int gs_nvml_open(const char *const *paths, struct gs_nvml **ret_nvml, struct gs_error *e)
{
	GS_CLEANUP(gs_nvml_closep) struct gs_nvml *nvml = calloc(1, sizeof(*nvml));
	int code;

	if (!nvml)
		return gs_error_oom(e);
	nvml->library = open_library(paths, e);
	if (!nvml->library)
		return -ENOENT;
	gs_nvml_bind(&nvml->call, nvml->library, dlsym);
	code = GS_NVML_CALL(nvml, init);
	if (code != NVML_SUCCESS)
		return gs_nvml_error(e, code, GS_NVML_SYMBOL(init), "cannot start NVIDIA's management library");
	nvml->is_initialised = true;
	*ret_nvml = GS_TAKE(nvml);
	return 0;
}

struct gs_nvml *gs_nvml_close(struct gs_nvml *nvml)
{
	if (!nvml)
		return NULL;
	if (nvml->is_initialised)
		GS_NVML_CALL(nvml, shutdown);
	if (nvml->library)
		dlclose(nvml->library);
	free(nvml);
	return NULL;
}
