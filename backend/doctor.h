/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - the facts that doctor judges and a snapshot has no room for, read
 * through the machine's root, so on live, recorded and simulated ones alike.
 * In the collector only: it loads NVML.
 */
#ifndef GS_BACKEND_DOCTOR_H
#define GS_BACKEND_DOCTOR_H

#include "backend/collect.h"
#include "core/doctor.h"

/* What cannot be read stays unknown. @ret_facts lives in @arena. -ENOMEM. */
int gs_doctor_read(struct gs_machine *machine, struct gs_collect *collect, struct gs_arena *arena, struct gs_doctor_facts *ret_facts, struct gs_error *e);

/* doctor_nvml.c: which library the loader finds, what it lacks, and whether it starts. */
int gs_doctor_read_library(struct gs_machine *machine, struct gs_collect *collect, struct gs_arena *arena, struct gs_doctor_facts *facts);

/* doctor_gpu.c: about each GPU on the bus. */
int gs_doctor_read_gpus(struct gs_root *root, struct gs_arena *arena, struct gs_doctor_facts *facts);

/* The next number on a line, between blanks; *@text moves behind it. False when there is none. */
bool gs_doctor_next_number(const char **text, unsigned base, uint64_t *ret_value);

/* Of /proc/PID/status: is @bit in the hexadecimal set behind «CapEff:»? */
enum gs_answer gs_doctor_has_capability(const char *status, unsigned bit);
/* Of /proc/PID/uid_map: the identity is one line «0 0 4294967295»; anything else is a user namespace. */
enum gs_answer gs_doctor_is_mapped(const char *uid_map);
/* Of /proc/PID/mounts: the last mount on /sys decides, «sysfs /sys sysfs ro,nosuid …». */
enum gs_answer gs_doctor_is_sys_writable(const char *mounts);

/*
 * The lines 7 to 12 of a function's file «resource», its VFs' BARs: do those
 * that have a size have an address? Unknown when none has a size or the kernel
 * lists none.
 */
enum gs_answer gs_doctor_vf_space(const char *resource);

/* First line of /proc/driver/nvidia/version (interfaces 5.10): the version, copied, and whether the module is the open one. False when it is neither. */
bool gs_doctor_parse_nvidia_version(const char *text, char *ret_version, size_t size, bool *ret_is_open);

#endif
