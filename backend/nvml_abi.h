/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvml_abi.h - the part of NVML's binary interface that we use, declared by
 * ourselves: devices and MIG; readings and vGPUs have headers of their own. Sizes and offsets are NVIDIA's (interfaces 5.4, LP64, natural
 * alignment) and asserted here; version words are those of 5.5.
 */
#ifndef GS_BACKEND_NVML_ABI_H
#define GS_BACKEND_NVML_ABI_H

#include <stddef.h>

/* Return codes (interfaces 5.2). A plain int: a newer library may return numbers that are not here. */
enum {
	NVML_SUCCESS = 0,
	NVML_ERROR_UNINITIALIZED = 1,
	NVML_ERROR_INVALID_ARGUMENT = 2,
	NVML_ERROR_NOT_SUPPORTED = 3,
	NVML_ERROR_NO_PERMISSION = 4,
	NVML_ERROR_ALREADY_INITIALIZED = 5,
	NVML_ERROR_NOT_FOUND = 6,
	NVML_ERROR_INSUFFICIENT_SIZE = 7,
	NVML_ERROR_INSUFFICIENT_POWER = 8,
	NVML_ERROR_DRIVER_NOT_LOADED = 9,
	NVML_ERROR_TIMEOUT = 10,
	NVML_ERROR_IRQ_ISSUE = 11,
	NVML_ERROR_LIBRARY_NOT_FOUND = 12,
	NVML_ERROR_FUNCTION_NOT_FOUND = 13,
	NVML_ERROR_CORRUPTED_INFOROM = 14,
	NVML_ERROR_GPU_IS_LOST = 15,
	NVML_ERROR_RESET_REQUIRED = 16,
	NVML_ERROR_OPERATING_SYSTEM = 17,
	NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18,
	NVML_ERROR_IN_USE = 19,
	NVML_ERROR_MEMORY = 20,
	NVML_ERROR_NO_DATA = 21,
	NVML_ERROR_VGPU_ECC_NOT_SUPPORTED = 22,
	NVML_ERROR_INSUFFICIENT_RESOURCES = 23,
	NVML_ERROR_FREQ_NOT_SUPPORTED = 24,
	NVML_ERROR_ARGUMENT_VERSION_MISMATCH = 25,
	NVML_ERROR_DEPRECATED = 26,
	NVML_ERROR_NOT_READY = 27,
	NVML_ERROR_GPU_NOT_FOUND = 28,
	NVML_ERROR_INVALID_STATE = 29,
	NVML_ERROR_RESET_TYPE_NOT_SUPPORTED = 30,
	NVML_ERROR_UNKNOWN = 999,
};

typedef struct nvml_device_opaque *nvml_device;
typedef struct nvml_gi_opaque *nvml_gi;
typedef struct nvml_ci_opaque *nvml_ci;

/* Constants and buffer sizes (interfaces 5.3). */
#define NVML_MIG_DISABLE 0
#define NVML_MIG_ENABLE 1
#define NVML_GI_PROFILE_LOOP 0x40       /* the enum grows: we loop past 0x20 until INVALID_ARGUMENT */
#define NVML_CI_PROFILE_LOOP 0x20
#define NVML_CI_ENGINE_SHARED 0
#define NVML_TEXT 96
#define NVML_NO_INSTANCE 0xffffffffu
#define NVML_ARCH_AMPERE 7
#define NVML_ARCH_UNKNOWN 0xffffffffu
#define NVML_ARCH_HOPPER 9
#define NVML_VIRTUALIZATION_PASSTHROUGH 1       /* seen from inside of the virtual machine */
#define NVML_FIELD_IS_RESETLESS_MIG_SUPPORTED 184

#define NVML_VERSION_WORD(type, ver) ((unsigned int)sizeof(type) | ((unsigned int)(ver) << 24))

struct nvml_pci_info {
	char bus_id_legacy[16];
	unsigned int domain, bus, device, pci_device_id, pci_subsystem_id;
	char bus_id[32];
};

struct nvml_attributes {
	unsigned int sm_count, copy, decoder, encoder, jpeg, ofa, gi_slices, ci_slices;
	unsigned long long memory_mb;
};

union nvml_value {
	double d;
	unsigned int ui;
	unsigned long long ull;
};

struct nvml_field_value {
	unsigned int field_id, scope_id;
	long long timestamp, latency_usec;
	unsigned int value_type;
	int nvml_return;
	union nvml_value value;
};

struct nvml_placement {
	unsigned int start, size;
};

struct nvml_gi_profile_v1 {
	unsigned int id, is_p2p, slices, instances, sm_count, copy, decoder, encoder, jpeg, ofa;
	unsigned long long memory_mb;
};

struct nvml_gi_profile_v2 {
	unsigned int version, id, is_p2p, slices, instances, sm_count, copy, decoder, encoder, jpeg, ofa;
	unsigned long long memory_mb;
	char name[NVML_TEXT];
};

/* The same size as v2 with is_p2p gone: only the version byte tells them apart. */
struct nvml_gi_profile_v3 {
	unsigned int version, id, slices, instances, sm_count, copy, decoder, encoder, jpeg, ofa;
	unsigned long long memory_mb;
	char name[NVML_TEXT];
	unsigned int capabilities;
};

struct nvml_gi_info {
	nvml_device device;
	unsigned int id, profile_id;
	struct nvml_placement placement;
};

struct nvml_ci_profile_v1 {
	unsigned int id, slices, instances, sm_count, copy, decoder, encoder, jpeg, ofa;
};

struct nvml_ci_profile_v2 {
	unsigned int version, id, slices, instances, sm_count, copy, decoder, encoder, jpeg, ofa;
	char name[NVML_TEXT];
};

struct nvml_ci_profile_v3 {
	unsigned int version, id, slices, instances, sm_count, copy, decoder, encoder, jpeg, ofa;
	char name[NVML_TEXT];
	unsigned int capabilities;
};

struct nvml_ci_info {
	nvml_device device;
	nvml_gi gi;
	unsigned int id, profile_id;
	struct nvml_placement placement;
};

#define NVML_SIZE_IS(type, size) _Static_assert(sizeof(type) == (size), "NVML ABI: size of " #type)
#define NVML_AT(type, field, at) _Static_assert(offsetof(type, field) == (at), "NVML ABI: offset of " #type "." #field)

NVML_SIZE_IS(struct nvml_pci_info, 68);
NVML_AT(struct nvml_pci_info, bus_id_legacy, 0);
NVML_AT(struct nvml_pci_info, domain, 16);
NVML_AT(struct nvml_pci_info, bus, 20);
NVML_AT(struct nvml_pci_info, device, 24);
NVML_AT(struct nvml_pci_info, pci_device_id, 28);
NVML_AT(struct nvml_pci_info, pci_subsystem_id, 32);
NVML_AT(struct nvml_pci_info, bus_id, 36);
NVML_SIZE_IS(struct nvml_attributes, 40);
NVML_AT(struct nvml_attributes, sm_count, 0);
NVML_AT(struct nvml_attributes, copy, 4);
NVML_AT(struct nvml_attributes, decoder, 8);
NVML_AT(struct nvml_attributes, encoder, 12);
NVML_AT(struct nvml_attributes, jpeg, 16);
NVML_AT(struct nvml_attributes, ofa, 20);
NVML_AT(struct nvml_attributes, gi_slices, 24);
NVML_AT(struct nvml_attributes, ci_slices, 28);
NVML_AT(struct nvml_attributes, memory_mb, 32);
NVML_SIZE_IS(union nvml_value, 8);
NVML_AT(union nvml_value, d, 0);
NVML_AT(union nvml_value, ui, 0);
NVML_AT(union nvml_value, ull, 0);
NVML_SIZE_IS(struct nvml_field_value, 40);
NVML_AT(struct nvml_field_value, field_id, 0);
NVML_AT(struct nvml_field_value, scope_id, 4);
NVML_AT(struct nvml_field_value, timestamp, 8);
NVML_AT(struct nvml_field_value, latency_usec, 16);
NVML_AT(struct nvml_field_value, value_type, 24);
NVML_AT(struct nvml_field_value, nvml_return, 28);
NVML_AT(struct nvml_field_value, value, 32);
NVML_SIZE_IS(struct nvml_placement, 8);
NVML_AT(struct nvml_placement, start, 0);
NVML_AT(struct nvml_placement, size, 4);
NVML_SIZE_IS(struct nvml_gi_profile_v1, 48);
NVML_AT(struct nvml_gi_profile_v1, id, 0);
NVML_AT(struct nvml_gi_profile_v1, is_p2p, 4);
NVML_AT(struct nvml_gi_profile_v1, slices, 8);
NVML_AT(struct nvml_gi_profile_v1, instances, 12);
NVML_AT(struct nvml_gi_profile_v1, sm_count, 16);
NVML_AT(struct nvml_gi_profile_v1, copy, 20);
NVML_AT(struct nvml_gi_profile_v1, decoder, 24);
NVML_AT(struct nvml_gi_profile_v1, encoder, 28);
NVML_AT(struct nvml_gi_profile_v1, jpeg, 32);
NVML_AT(struct nvml_gi_profile_v1, ofa, 36);
NVML_AT(struct nvml_gi_profile_v1, memory_mb, 40);
NVML_SIZE_IS(struct nvml_gi_profile_v2, 152);
NVML_AT(struct nvml_gi_profile_v2, version, 0);
NVML_AT(struct nvml_gi_profile_v2, id, 4);
NVML_AT(struct nvml_gi_profile_v2, is_p2p, 8);
NVML_AT(struct nvml_gi_profile_v2, slices, 12);
NVML_AT(struct nvml_gi_profile_v2, instances, 16);
NVML_AT(struct nvml_gi_profile_v2, sm_count, 20);
NVML_AT(struct nvml_gi_profile_v2, copy, 24);
NVML_AT(struct nvml_gi_profile_v2, decoder, 28);
NVML_AT(struct nvml_gi_profile_v2, encoder, 32);
NVML_AT(struct nvml_gi_profile_v2, jpeg, 36);
NVML_AT(struct nvml_gi_profile_v2, ofa, 40);
NVML_AT(struct nvml_gi_profile_v2, memory_mb, 48);
NVML_AT(struct nvml_gi_profile_v2, name, 56);
NVML_SIZE_IS(struct nvml_gi_profile_v3, 152);
NVML_AT(struct nvml_gi_profile_v3, version, 0);
NVML_AT(struct nvml_gi_profile_v3, id, 4);
NVML_AT(struct nvml_gi_profile_v3, slices, 8);
NVML_AT(struct nvml_gi_profile_v3, instances, 12);
NVML_AT(struct nvml_gi_profile_v3, sm_count, 16);
NVML_AT(struct nvml_gi_profile_v3, copy, 20);
NVML_AT(struct nvml_gi_profile_v3, decoder, 24);
NVML_AT(struct nvml_gi_profile_v3, encoder, 28);
NVML_AT(struct nvml_gi_profile_v3, jpeg, 32);
NVML_AT(struct nvml_gi_profile_v3, ofa, 36);
NVML_AT(struct nvml_gi_profile_v3, memory_mb, 40);
NVML_AT(struct nvml_gi_profile_v3, name, 48);
NVML_AT(struct nvml_gi_profile_v3, capabilities, 144);
NVML_SIZE_IS(struct nvml_gi_info, 24);
NVML_AT(struct nvml_gi_info, device, 0);
NVML_AT(struct nvml_gi_info, id, 8);
NVML_AT(struct nvml_gi_info, profile_id, 12);
NVML_AT(struct nvml_gi_info, placement, 16);
NVML_SIZE_IS(struct nvml_ci_profile_v1, 36);
NVML_AT(struct nvml_ci_profile_v1, id, 0);
NVML_AT(struct nvml_ci_profile_v1, slices, 4);
NVML_AT(struct nvml_ci_profile_v1, instances, 8);
NVML_AT(struct nvml_ci_profile_v1, sm_count, 12);
NVML_AT(struct nvml_ci_profile_v1, copy, 16);
NVML_AT(struct nvml_ci_profile_v1, decoder, 20);
NVML_AT(struct nvml_ci_profile_v1, encoder, 24);
NVML_AT(struct nvml_ci_profile_v1, jpeg, 28);
NVML_AT(struct nvml_ci_profile_v1, ofa, 32);
NVML_SIZE_IS(struct nvml_ci_profile_v2, 136);
NVML_AT(struct nvml_ci_profile_v2, version, 0);
NVML_AT(struct nvml_ci_profile_v2, id, 4);
NVML_AT(struct nvml_ci_profile_v2, slices, 8);
NVML_AT(struct nvml_ci_profile_v2, instances, 12);
NVML_AT(struct nvml_ci_profile_v2, sm_count, 16);
NVML_AT(struct nvml_ci_profile_v2, copy, 20);
NVML_AT(struct nvml_ci_profile_v2, decoder, 24);
NVML_AT(struct nvml_ci_profile_v2, encoder, 28);
NVML_AT(struct nvml_ci_profile_v2, jpeg, 32);
NVML_AT(struct nvml_ci_profile_v2, ofa, 36);
NVML_AT(struct nvml_ci_profile_v2, name, 40);
NVML_SIZE_IS(struct nvml_ci_profile_v3, 140);
NVML_AT(struct nvml_ci_profile_v3, version, 0);
NVML_AT(struct nvml_ci_profile_v3, id, 4);
NVML_AT(struct nvml_ci_profile_v3, slices, 8);
NVML_AT(struct nvml_ci_profile_v3, instances, 12);
NVML_AT(struct nvml_ci_profile_v3, sm_count, 16);
NVML_AT(struct nvml_ci_profile_v3, copy, 20);
NVML_AT(struct nvml_ci_profile_v3, decoder, 24);
NVML_AT(struct nvml_ci_profile_v3, encoder, 28);
NVML_AT(struct nvml_ci_profile_v3, jpeg, 32);
NVML_AT(struct nvml_ci_profile_v3, ofa, 36);
NVML_AT(struct nvml_ci_profile_v3, name, 40);
NVML_AT(struct nvml_ci_profile_v3, capabilities, 136);
NVML_SIZE_IS(struct nvml_ci_info, 32);
NVML_AT(struct nvml_ci_info, device, 0);
NVML_AT(struct nvml_ci_info, gi, 8);
NVML_AT(struct nvml_ci_info, id, 16);
NVML_AT(struct nvml_ci_info, profile_id, 20);
NVML_AT(struct nvml_ci_info, placement, 24);

_Static_assert(NVML_VERSION_WORD(struct nvml_gi_profile_v2, 2) == 0x02000098, "nvmlGpuInstanceProfileInfo_v2");
_Static_assert(NVML_VERSION_WORD(struct nvml_gi_profile_v3, 3) == 0x03000098, "nvmlGpuInstanceProfileInfo_v3");
_Static_assert(NVML_VERSION_WORD(struct nvml_ci_profile_v2, 2) == 0x02000088, "nvmlComputeInstanceProfileInfo_v2");
_Static_assert(NVML_VERSION_WORD(struct nvml_ci_profile_v3, 3) == 0x0300008c, "nvmlComputeInstanceProfileInfo_v3");

#endif
