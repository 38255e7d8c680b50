/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

/* After the start of the kernel, on an everyday machine. */
#define DRIVERS_LOAD_US 5000000

static void add(struct gs_sim_state *s, unsigned priority, uint64_t sequence, uint64_t time_us, const char *text)
{
	const char *line = gs_arena_printf(s->arena, "%u,%" PRIu64 ",%" PRIu64 ",-;%s", priority, sequence, time_us, text);

	if (!line)
		return;
	if (s->n_log == GS_SIM_LOG_MAX) {
		memmove(s->log, s->log + 1, (GS_SIM_LOG_MAX - 1) * sizeof(*s->log));
		s->n_log--;
	}
	s->log[s->n_log++] = line;
}

/*
 * The machine was started at a fixed time and what is done to it is done now, so its kernel's clock says what
 * makes that right: btime of proc/stat and this are the real time. Without that (a clock of ours that is
 * behind the start) it goes on from the end of boot.
 */
static uint64_t now_us(const struct gs_sim_state *s, uint64_t sequence)
{
	uint64_t now_ms = (uint64_t)gs_wall_now().ms, start_ms = s->boot_time * 1000, up_ms = s->uptime_seconds * 1000;

	return now_ms >= start_ms + up_ms ? (now_ms - start_ms) * 1000 : up_ms * 1000 + sequence;
}

void gs_sim_log(struct gs_sim_state *s, unsigned priority, const char *fmt, ...)
{
	uint64_t sequence = s->next_serial++;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(s, priority, sequence, now_us(s, sequence), text);
}

/* In the words of the driver of that function; "" for those that say nothing, or for NVIDIA's module as a whole when @bdf is NULL. */
static void load_text(const struct gs_sim_state *s, const char *driver, const char *bdf, uint32_t minor, char *buf, size_t size)
{
	buf[0] = '\0';
	if (!bdf && gs_str_equal(driver, "nvidia"))
		snprintf(buf, size, "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  %s  Release Build", s->driver_version);
	else if (bdf && gs_str_equal(driver, "amdgpu"))
		snprintf(buf, size, "[drm] Initialized amdgpu 3.64.0 for %s on minor %" PRIu32, bdf, minor);
	else if (bdf && gs_str_equal(driver, "xe"))
		snprintf(buf, size, "[drm] Initialized xe 1.1.0 for %s on minor %" PRIu32, bdf, minor);
	else if (bdf && gs_str_equal(driver, "i915"))
		snprintf(buf, size, "[drm] Initialized i915 1.6.0 for %s on minor %" PRIu32, bdf, minor);
}

void gs_sim_log_load(struct gs_sim_state *s, const char *driver, const struct gs_sim_pci *pci)
{
	char text[256];

	load_text(s, driver, pci ? pci->bdf : NULL, pci && pci->drm_card != GS_SIM_NONE ? pci->drm_card : 0, text, sizeof(text));
	if (text[0])
		gs_sim_log(s, pci ? 6 : 4, "%s", text);
}

void gs_sim_log_boot(struct gs_sim_state *s)
{
	bool has_nvidia = false;
	uint64_t sequence = 1;

	s->n_log = 0;
	for (size_t i = 0; i < s->n_gpus; i++) {
		const struct gs_sim_pci *pci = &s->gpus[i].pci;
		bool is_first = !has_nvidia && gs_str_equal(pci->driver, "nvidia");
		char text[256];

		load_text(s, pci->driver, is_first ? NULL : pci->bdf, pci->drm_card != GS_SIM_NONE ? pci->drm_card : 0, text, sizeof(text));
		if (text[0])
			add(s, is_first ? 4 : 6, sequence, DRIVERS_LOAD_US + sequence, text);
		sequence += text[0] != '\0';
		has_nvidia |= is_first;
	}
}
