/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vgpu_scheduler.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define NS_PER_SECOND 1000000000u

static const struct {
	unsigned int policy;
	const char *word;
} policies[] = {
	{ NVML_SCHEDULER_BEST_EFFORT, "best-effort" },
	{ NVML_SCHEDULER_EQUAL_SHARE, "equal-share" },
	{ NVML_SCHEDULER_FIXED_SHARE, "fixed-share" },
};

static const char *word_of(unsigned int policy)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(policies); i++)
		if (policies[i].policy == policy)
			return policies[i].word;
	return NULL;
}

/* ---------------------------------------------------------------- reading */

/* What either version tells; 0 where it does not. */
struct state {
	unsigned int policy, arr, average_factor, timeslice_ns;
};

static int read_v2(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, struct state *ret)
{
	struct nvml_scheduler_state_v2 s = { .engine = NVML_SCHEDULER_ENGINE_GRAPHICS };
	int code = gi ? GS_NVML_CALL(nvml, gi_scheduler_v2, gi, &s) : GS_NVML_CALL(nvml, scheduler_v2, device, &s);

	if (code != NVML_SUCCESS)
		return code;
	/* it has no word for arr; a factor is one of adaptive round robin alone (interfaces 5.4) */
	*ret = (struct state){ s.policy, s.average_factor ? NVML_ARR_ENABLE : NVML_ARR_DEFAULT, s.average_factor, s.rest };
	return NVML_SUCCESS;
}

static struct state state_of(unsigned int policy, unsigned int arr, const union nvml_scheduler_params *params)
{
	struct state s = { .policy = policy, .arr = arr };

	if (arr == NVML_ARR_ENABLE) {
		s.average_factor = params->arr.average_factor;
		s.timeslice_ns = params->arr.rest;
	} else {
		s.timeslice_ns = params->timeslice;
	}
	return s;
}

static int read_v1(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, struct state *ret)
{
	struct nvml_gi_scheduler_state g = { .version = NVML_VERSION_WORD(struct nvml_gi_scheduler_state, 1), .engine = NVML_SCHEDULER_ENGINE_GRAPHICS };
	struct nvml_scheduler_state d = { 0 };
	int code = gi ? GS_NVML_CALL(nvml, gi_scheduler, gi, &g) : GS_NVML_CALL(nvml, scheduler, device, &d);

	if (code == NVML_SUCCESS)
		*ret = gi ? state_of(g.policy, g.arr, &g.params) : state_of(d.policy, d.arr, &d.params);
	return code;
}

static void format(const struct state *s, char *ret_value)
{
	size_t n = (size_t)snprintf(ret_value, GS_SETTING_VALUE_MAX, "%s", word_of(s->policy));

	/* it shares nothing out, so there is nothing else to it */
	if (s->policy == NVML_SCHEDULER_BEST_EFFORT)
		return;
	if (s->arr != NVML_ARR_DEFAULT)
		n += (size_t)snprintf(ret_value + n, GS_SETTING_VALUE_MAX - n, ":arr=%s", s->arr == NVML_ARR_ENABLE ? "on" : "off");
	if (s->arr == NVML_ARR_ENABLE && s->average_factor)
		n += (size_t)snprintf(ret_value + n, GS_SETTING_VALUE_MAX - n, ":average-factor=%u", s->average_factor);
	if (!s->timeslice_ns)
		return;
	if (s->arr == NVML_ARR_ENABLE)
		snprintf(ret_value + n, GS_SETTING_VALUE_MAX - n, ":frequency-hz=%u", (NS_PER_SECOND + s->timeslice_ns / 2) / s->timeslice_ns);
	else
		snprintf(ret_value + n, GS_SETTING_VALUE_MAX - n, ":timeslice-ns=%u", s->timeslice_ns);
}

int gs_vgpu_scheduler_read(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, char *ret_value)
{
	struct state newer = { 0 }, older = { 0 };
	int code = read_v2(nvml, device, gi, &newer), code_v1 = read_v1(nvml, device, gi, &older);

	if (code != NVML_SUCCESS) {
		code = code_v1;
		newer = older;
	} else if (code_v1 == NVML_SUCCESS && older.policy == newer.policy && older.arr != NVML_ARR_DEFAULT) {
		newer.arr = older.arr;
	}
	if (code != NVML_SUCCESS)
		return code;
	if (!word_of(newer.policy))
		return NVML_ERROR_NO_DATA;
	format(&newer, ret_value);
	return NVML_SUCCESS;
}

/* ---------------------------------------------------------------- writing */

static unsigned int number_of(const char *value, const char *key)
{
	char text[GS_SETTING_VALUE_MAX];
	uint32_t n;

	return gs_setting_part_of(value, key, text, sizeof(text)) && gs_parse_u32(text, 10, &n) == 0 ? n : 0;
}

/* A time slice is taken only without adaptive round robin (NVML API reference, nvmlDeviceSetVgpuSchedulerState). */
static unsigned int arr_of(const char *value)
{
	char text[GS_SETTING_VALUE_MAX];

	if (!gs_setting_part_of(value, "arr", text, sizeof(text)))
		return number_of(value, "timeslice-ns") ? NVML_ARR_DISABLE : NVML_ARR_DEFAULT;
	return strcmp(text, "on") == 0 ? NVML_ARR_ENABLE : NVML_ARR_DISABLE;
}

static unsigned int policy_of(const char *value)
{
	char word[GS_SETTING_VALUE_MAX];

	gs_setting_word(value, word, sizeof(word));
	for (size_t i = 0; i < GS_ARRAY_SIZE(policies); i++)
		if (strcmp(policies[i].word, word) == 0)
			return policies[i].policy;
	return NVML_SCHEDULER_UNKNOWN;
}

static int write_v2(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, const char *value, const char **ret_symbol)
{
	/* 0 is the driver's default (NVML API reference, nvmlVgpuSchedulerState_v2_t) */
	struct nvml_scheduler_state_v2 s = {
		.engine = NVML_SCHEDULER_ENGINE_GRAPHICS,
		.policy = policy_of(value),
		.average_factor = number_of(value, "average-factor"),
		.rest = number_of(value, "frequency-hz"),
	};

	*ret_symbol = gi ? GS_NVML_SYMBOL(set_gi_scheduler_v2) : GS_NVML_SYMBOL(set_scheduler_v2);
	return gi ? GS_NVML_CALL(nvml, set_gi_scheduler_v2, gi, &s) : GS_NVML_CALL(nvml, set_scheduler_v2, device, &s);
}

static int write_v1(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, const char *value, const char **ret_symbol)
{
	struct nvml_gi_scheduler_state g = {
		.version = NVML_VERSION_WORD(struct nvml_gi_scheduler_state, 1),
		.engine = NVML_SCHEDULER_ENGINE_GRAPHICS,
		.policy = policy_of(value),
		.arr = arr_of(value),
	};
	struct nvml_scheduler_state d;

	if (g.arr == NVML_ARR_ENABLE) {
		g.params.arr.average_factor = number_of(value, "average-factor");
		g.params.arr.rest = number_of(value, "frequency-hz");
	} else {
		g.params.timeslice = number_of(value, "timeslice-ns");
	}
	d = (struct nvml_scheduler_state){ .policy = g.policy, .arr = g.arr, .params = g.params };
	*ret_symbol = gi ? GS_NVML_SYMBOL(set_gi_scheduler) : GS_NVML_SYMBOL(set_scheduler);
	return gi ? GS_NVML_CALL(nvml, set_gi_scheduler, gi, &g) : GS_NVML_CALL(nvml, set_scheduler, device, &d);
}

int gs_vgpu_scheduler_write(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, const char *value, const char **ret_symbol)
{
	bool needs_v1 = arr_of(value) == NVML_ARR_DISABLE;
	int code = needs_v1 ? NVML_ERROR_FUNCTION_NOT_FOUND : write_v2(nvml, device, gi, value, ret_symbol);

	return code == NVML_ERROR_FUNCTION_NOT_FOUND ? write_v1(nvml, device, gi, value, ret_symbol) : code;
}

/* ---------------------------------------------------------------- what it takes */

static const char *const on_off[] = { "on", "off" };

/* A driver that gives no range has that part by default alone. */
static size_t add_range(struct gs_setting_part *parts, size_t n, const char *key, unsigned int min, unsigned int max, const char *needs, const char *not_beside)
{
	if (!max || min > max)
		return n;
	parts[n] = (struct gs_setting_part){ .key = key, .min = min, .max = max, .needs = needs, .not_beside = not_beside, .not_with = "best-effort" };
	return n + 1;
}

int gs_vgpu_scheduler_choices(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_setting *setting, int *ret_code)
{
	struct nvml_scheduler_capabilities c = { .policies = { 0 } };
	const char **words = gs_arena_calloc(gs_snapshot_arena(s), GS_ARRAY_SIZE(c.policies), sizeof(*words));
	struct gs_setting_part *parts = gs_arena_calloc(gs_snapshot_arena(s), GS_SETTING_PARTS_MAX, sizeof(*parts));
	size_t n = 0;

	if (!words || !parts)
		return -ENOMEM;
	*ret_code = GS_NVML_CALL(nvml, scheduler_capabilities, device, &c);
	if (*ret_code != NVML_SUCCESS)
		return 0;
	for (size_t i = 0; i < GS_ARRAY_SIZE(c.policies); i++)
		if (word_of(c.policies[i]))
			words[setting->n_choices++] = word_of(c.policies[i]);
	setting->choices = words;
	if (c.has_arr) {
		parts[n++] = (struct gs_setting_part){ .key = "arr", .words = on_off, .n_words = GS_ARRAY_SIZE(on_off), .not_with = "best-effort" };
		n = add_range(parts, n, "average-factor", c.min_average_factor, c.max_average_factor, "arr=on", NULL);
		n = add_range(parts, n, "frequency-hz", c.min_frequency, c.max_frequency, "arr=on", NULL);
	}
	n = add_range(parts, n, "timeslice-ns", c.min_timeslice, c.max_timeslice, NULL, "arr=on");
	setting->parts = parts;
	setting->n_parts = n;
	return 0;
}
