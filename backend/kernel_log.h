/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_log.h - what drivers told the kernel's log of a GPU that is not well:
 * NVIDIA's Xid messages, GPUs that are lost, resets, devices declared wedged;
 * and when a GPU's driver was loaded, or took the GPU.
 *
 * dev/kmsg is read without blocking, one record a read(2), "PRI,SEQ,USEC,FLAGS;
 * TEXT" with lines of KEY=VALUE behind it that begin with a blank (the kernel's
 * Documentation/ABI/testing/dev-kmsg). It takes CAP_SYSLOG where the sysctl
 * kernel.dmesg_restrict is 1; who may not read it knows nothing, which is not
 * the same as that there was nothing. In a recorded or simulated tree it is a
 * plain file of the same records.
 *
 * Only the kernel's own records count (facility 0: what programs write into
 * dev/kmsg has another), and only what a driver says at the beginning of one:
 * names of processes stand in the middle of them, and anybody chooses those.
 */
#ifndef GS_BACKEND_KERNEL_LOG_H
#define GS_BACKEND_KERNEL_LOG_H

#include "base/root.h"
#include "core/snapshot.h"

#define GS_KERNEL_TEXT 200

/* One record about a GPU. */
struct gs_kernel_event {
	struct gs_bdf bdf;
	enum gs_gpu_event_kind kind;
	struct gs_u32 xid;              /* of kind XID */
	uint64_t time_us;               /* of the kernel's own clock: since boot, without sleep */
	char text[GS_KERNEL_TEXT];      /* printable, cut */
};

/*
 * One line of the log, @n bytes without its newline; escapes (\x0a) are
 * resolved. False for everything that is not about a GPU. No memory, no errors.
 */
bool gs_kernel_log_parse(const char *line, size_t n, struct gs_kernel_event *ret_event);

/* One record of a driver that was loaded, or took a GPU. */
#define GS_KERNEL_DRIVER 16
struct gs_kernel_load {
	char driver[GS_KERNEL_DRIVER];  /* "nvidia", "amdgpu", "xe", "i915" */
	bool is_for_all;                /* NVIDIA's module says it once, for all GPUs that it drives: no address */
	struct gs_bdf bdf;
	uint64_t time_us;               /* as above */
};

/*
 * Is the line one of those? NVIDIA's module says that it is loaded, and nothing
 * when it takes one GPU; a driver of the DRM subsystem says of each GPU that it
 * took it, be it because it was loaded or bound. Modules beside them, such as
 * nvidia-drm, are none: one can be loaded alone. No memory, no errors.
 */
bool gs_kernel_log_parse_load(const char *line, size_t n, struct gs_kernel_load *ret_load);

struct gs_kernel_log;

/* @root is borrowed. NULL when there is no memory. */
struct gs_kernel_log *gs_kernel_log_new(struct gs_root *root);
struct gs_kernel_log *gs_kernel_log_free(struct gs_kernel_log *log);
GS_DEFINE_CLEANUP(struct gs_kernel_log *, gs_kernel_log_free);

/*
 * Read what has come since the last look and give each of @gpus its last
 * GS_GPU_EVENTS_MAX events, or none and events_visible false where the log may
 * not be read, and driver_loaded_ms by the driver that it has now (gpu->driver is
 * set before). A look reads a bounded number of records and goes on with the
 * next; without news it is one read(2). -ENOMEM.
 */
int gs_kernel_log_apply(struct gs_kernel_log *log, struct gs_snapshot *s, struct gs_gpu *const *gpus, size_t n_gpus);

#endif
