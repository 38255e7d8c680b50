/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_log_line.c - one line of the kernel's log: is it a driver's about a GPU, and what does it say? */
#include <stdio.h>
#include <string.h>

#include "backend/kernel_log.h"
#include "base/parse.h"

#define KERNEL_PRIORITIES 8     /* below: facility 0, the kernel's own */

/* A number that ends at @end; then what is behind it. NULL for anything else. */
static const char *take_number(const char *p, char end, uint64_t *ret_value)
{
	char digits[21];
	size_t n = strspn(p, "0123456789");

	if (!n || n >= sizeof(digits) || p[n] != end)
		return NULL;
	memcpy(digits, p, n);
	digits[n] = '\0';
	return gs_parse_u64(digits, 10, ret_value) == 0 ? p + n + 1 : NULL;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy of what stands in @line, "\x0a" resolved to what it means; line ends become blanks, so that a message of several lines is one. */
static void resolve(const char *line, size_t n, char *buf, size_t size)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k + 1 < size; i++) {
		char c = line[i];

		if (c == '\\' && i + 3 < n && line[i + 1] == 'x' && hex(line[i + 2]) >= 0 && hex(line[i + 3]) >= 0) {
			c = (char)(hex(line[i + 2]) << 4 | hex(line[i + 3]));
			i += 3;
		}
		if (c == '\n' || c == '\r' || c == '\t')
			c = ' ';
		/* a NUL would end the text here and not for whoever wrote it */
		buf[k++] = c ? c : '?';
	}
	buf[k] = '\0';
}

/* "0000:65:00.0", or without the function, which is 0 then; up to one of @ends. What is behind it, NULL when it is none. */
static const char *take_address(const char *p, const char *ends, struct gs_bdf *ret_bdf)
{
	char word[GS_BDF_TEXT + 2];
	size_t n = strcspn(p, ends);

	/* with the domain always: shorter ones are other things */
	if (n < strlen("0000:00:00") || n > GS_BDF_TEXT - 1)
		return NULL;
	memcpy(word, p, n);
	word[n] = '\0';
	if (!strchr(word, '.'))
		memcpy(word + n, ".0", 3);
	if (!strchr(word, ':') || strchr(word, ':') == strrchr(word, ':') || gs_bdf_parse(word, ret_bdf) < 0)
		return NULL;
	return p + n;
}

/* "NVRM: Xid (PCI:0000:65:00): 79, pid=…", on a MIG instance "(PCI:0000:65:00 GPU-I:05)" */
static bool parse_xid(const char *text, struct gs_kernel_event *ret)
{
	static const char begin[] = "NVRM: Xid (PCI:";
	char number[8];
	size_t n;

	if (!gs_str_starts(text, begin))
		return false;
	text = take_address(text + strlen(begin), " )", &ret->bdf);
	text = text ? strstr(text, "): ") : NULL;
	if (!text)
		return false;
	text += 3;
	n = strspn(text, "0123456789");
	if (!n || n >= sizeof(number))
		return false;
	memcpy(number, text, n);
	number[n] = '\0';
	ret->kind = GS_GPU_EVENT_XID;
	ret->xid.known = gs_parse_u32(number, 10, &ret->xid.value) == 0;
	return ret->xid.known;
}

/* "NVRM: GPU 0000:65:00.0: GPU has fallen off the bus.", "NVRM: The NVIDIA GPU 0000:65:00.0 (PCI ID: 10de:2330) … fallen off the bus …" */
static bool parse_nvidia_lost(const char *text, struct gs_kernel_event *ret)
{
	if (!gs_str_starts(text, "NVRM: ") || !strstr(text, "fallen off the bus"))
		return false;
	for (const char *p = strstr(text, "GPU "); p; p = strstr(p + 1, "GPU ")) {
		const char *address = p + strlen("GPU ");
		size_t n;

		if (gs_str_starts(address, "at PCI:"))
			address += strlen("at PCI:");
		/* the colon behind it belongs to the sentence */
		n = strspn(address, "0123456789abcdefABCDEF:.");
		while (n && (address[n - 1] == ':' || address[n - 1] == '.'))
			n--;
		if (n && n < GS_BDF_TEXT) {
			char word[GS_BDF_TEXT];

			memcpy(word, address, n);
			word[n] = '\0';
			if (take_address(word, "", &ret->bdf)) {
				ret->kind = GS_GPU_EVENT_LOST;
				return true;
			}
		}
	}
	return false;
}

/* What drivers of the DRM subsystem put in front of what they say. */
static const char *skip_prefixes(const char *p)
{
	static const char *const words[] = { "amdgpu: ", "[drm] ", "*ERROR* ", "CRITICAL: " };
	bool found;

	do {
		const char *digits;

		found = false;
		for (size_t i = 0; i < GS_ARRAY_SIZE(words); i++) {
			if (gs_str_starts(p, words[i])) {
				p += strlen(words[i]);
				found = true;
			}
		}
		digits = gs_str_starts(p, "Tile") ? p + 4 : gs_str_starts(p, "GT") ? p + 2 : NULL;
		if (digits) {
			size_t n = strspn(digits, "0123456789");

			if (n && gs_str_starts(digits + n, ": ")) {
				p = digits + n + 2;
				found = true;
			}
		}
	} while (found);
	return p;
}

/*
 * "amdgpu 0000:03:00.0: amdgpu: GPU reset begin!" and the like, as the kernel's
 * amdgpu_device.c, xe_device.c, xe_gt.c, intel_reset.c and drm_drv.c say them.
 */
static bool parse_drm(const char *text, struct gs_kernel_event *ret)
{
	static const struct {
		const char *driver, *begin;
		enum gs_gpu_event_kind kind;
	} rows[] = {
		{ NULL, "device wedged, but recovered through reset", GS_GPU_EVENT_RESET },
		{ NULL, "device wedged", GS_GPU_EVENT_WEDGED },
		{ "amdgpu", "GPU reset begin!", GS_GPU_EVENT_RESET },
		{ "amdgpu", "device lost from bus!", GS_GPU_EVENT_LOST },
		{ "xe", "Xe has declared device ", GS_GPU_EVENT_WEDGED },
		{ "xe", "reset started", GS_GPU_EVENT_RESET },
		{ "i915", "Resetting chip for ", GS_GPU_EVENT_RESET },
		{ "i915", "Failed to initialize GPU, declaring it wedged", GS_GPU_EVENT_WEDGED },
	};
	static const char *const drivers[] = { "amdgpu", "xe", "i915" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(drivers); i++) {
		size_t n = strlen(drivers[i]);
		const char *p, *colon;
		char address[GS_BDF_TEXT];

		if (!gs_str_starts(text, drivers[i]) || text[n] != ' ')
			continue;
		p = text + n + 1;
		colon = strstr(p, ": ");
		if (!colon || (size_t)(colon - p) >= sizeof(address))
			return false;
		memcpy(address, p, (size_t)(colon - p));
		address[colon - p] = '\0';
		if (!take_address(address, "", &ret->bdf))
			return false;
		p = skip_prefixes(colon + 2);
		for (size_t k = 0; k < GS_ARRAY_SIZE(rows); k++) {
			if ((rows[k].driver && strcmp(rows[k].driver, drivers[i]) != 0) || !gs_str_starts(p, rows[k].begin))
				continue;
			ret->kind = rows[k].kind;
			return true;
		}
		return false;
	}
	return false;
}

/* What an operator reads of it: the driver's own mark and the address are told otherwise. */
static void keep_text(const char *text, struct gs_kernel_event *ret)
{
	if (gs_str_starts(text, "NVRM: "))
		text += strlen("NVRM: ");
	snprintf(ret->text, sizeof(ret->text), "%.*s", GS_KERNEL_TEXT - 1, text);
	gs_text_sanitize(ret->text);
}

/* The kernel's own record: when, and its text as it was meant, cut to @size. */
static bool take_record(const char *line, size_t n, uint64_t *ret_time_us, char *text, size_t size)
{
	uint64_t priority, sequence, time_us;
	char head[96];
	const char *semicolon = memchr(line, ';', n < sizeof(head) ? n : sizeof(head));
	const char *p;
	size_t n_head;

	/* KEY=VALUE of the record before, and what a cut-off line left */
	if (!semicolon || line[0] == ' ')
		return false;
	n_head = (size_t)(semicolon - line);
	if (n_head >= sizeof(head))
		return false;
	memcpy(head, line, n_head);
	head[n_head] = '\0';
	p = take_number(head, ',', &priority);
	p = p ? take_number(p, ',', &sequence) : NULL;
	p = p ? take_number(p, ',', &time_us) : NULL;
	if (!p || priority >= KERNEL_PRIORITIES || time_us > INT64_MAX / 2)
		return false;
	resolve(semicolon + 1, n - n_head - 1, text, size);
	*ret_time_us = time_us;
	return true;
}

bool gs_kernel_log_parse(const char *line, size_t n, struct gs_kernel_event *ret_event)
{
	struct gs_kernel_event ev = { 0 };
	char text[1024];

	if (!take_record(line, n, &ev.time_us, text, sizeof(text)))
		return false;
	if (!parse_xid(text, &ev) && !parse_nvidia_lost(text, &ev) && !parse_drm(text, &ev))
		return false;
	keep_text(text, &ev);
	*ret_event = ev;
	return true;
}

/*
 * "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.129.03  …", of the open one
 * "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  525.60.11  …" (dmesg in its bug reports)
 */
static bool parse_nvidia_load(const char *text, struct gs_kernel_load *ret)
{
	if (!gs_str_starts(text, "NVRM: loading NVIDIA UNIX ") || !strstr(text, " Kernel Module "))
		return false;
	snprintf(ret->driver, sizeof(ret->driver), "nvidia");
	ret->is_for_all = true;
	return true;
}

/* What is behind "xe 0000:03:00.0: "; without that, the text itself. */
static const char *skip_device(const char *text, const char *driver)
{
	size_t n = strlen(driver);
	const char *end = strstr(text, ": [drm] ");
	char address[GS_BDF_TEXT];
	struct gs_bdf bdf;

	if (!gs_str_starts(text, driver) || text[n] != ' ' || !end || end <= text + n || (size_t)(end - text) - n - 1 >= sizeof(address))
		return text;
	memcpy(address, text + n + 1, (size_t)(end - text) - n - 1);
	address[(size_t)(end - text) - n - 1] = '\0';
	return take_address(address, "", &bdf) ? end + 2 : text;
}

/*
 * "[drm] Initialized amdgpu 3.57.0 20150101 for 0000:03:00.0 on minor 0": drm_dev_register() of the kernel's
 * drm_drv.c; newer ones leave the date out, and drm_info() puts the device in front: "xe 0000:03:00.0: [drm] …".
 * What is no PCI device (a partition of AMD's) has no address there.
 */
static bool parse_drm_load(const char *text, struct gs_kernel_load *ret)
{
	static const char begin[] = "[drm] Initialized ";
	static const char *const drivers[] = { "amdgpu", "xe", "i915" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(drivers); i++) {
		const char *p = skip_device(text, drivers[i]);
		size_t n = strlen(drivers[i]);

		if (!gs_str_starts(p, begin) || !gs_str_starts(p + strlen(begin), drivers[i]) || p[strlen(begin) + n] != ' ')
			continue;
		p += strlen(begin) + n + 1;
		p += strspn(p, "0123456789.");
		if (*p == ' ' && p[1 + strspn(p + 1, "0123456789")] == ' ' && p[1] != ' ')
			p += 1 + strspn(p + 1, "0123456789");
		if (!gs_str_starts(p, " for "))
			return false;
		p = take_address(p + strlen(" for "), " ", &ret->bdf);
		if (!p || !gs_str_starts(p, " on minor "))
			return false;
		snprintf(ret->driver, sizeof(ret->driver), "%s", drivers[i]);
		return true;
	}
	return false;
}

bool gs_kernel_log_parse_load(const char *line, size_t n, struct gs_kernel_load *ret_load)
{
	struct gs_kernel_load load = { .is_for_all = false };
	char text[256];

	if (!take_record(line, n, &load.time_us, text, sizeof(text)))
		return false;
	if (!parse_nvidia_load(text, &load) && !parse_drm_load(text, &load))
		return false;
	*ret_load = load;
	return true;
}
