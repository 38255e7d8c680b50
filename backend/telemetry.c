/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/telemetry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"
#include "core/layout.h"

#define SLOW_MS 5000
/* Two samples closer than that say nothing (NVML's header: at least 100 ms). */
#define GPM_APART_MS 120
#define VGPUS_MAX 64
#define KIB 1024u

/* The samples of one GI, taken in turn. */
struct gpm {
	struct gs_bdf bdf;
	uint32_t gi;
	char uuid[NVML_TEXT];           /* of its first compute instance: ids of GIs are reused */
	nvml_gpm_sample samples[2];
	unsigned newest;                /* of the two */
	bool has_one;
	struct gs_monotonic at;
	struct gs_u32 last_percent;
	bool is_seen;                   /* in this look */
};

/* What is read now and again, as it was then. */
struct slow {
	struct gs_bdf bdf;
	struct gs_monotonic at, throughput_at;
	bool has_been_read, has_throughput;
	struct gs_telemetry t;
};

struct gs_readings {
	struct gs_nvml *nvml;
	struct gpm *gpms;
	size_t n_gpms, cap_gpms;
	struct slow *slows;
	size_t n_slows, cap_slows;
	struct nvml_gpm_metrics *metrics;
};

struct gs_readings *gs_readings_new(struct gs_nvml *nvml)
{
	struct gs_readings *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->nvml = nvml;
	r->metrics = calloc(1, sizeof(*r->metrics));
	return r->metrics ? r : gs_readings_free(r);
}

static void drop_gpm(struct gs_readings *r, size_t i)
{
	for (size_t k = 0; k < GS_ARRAY_SIZE(r->gpms[i].samples); k++)
		if (r->gpms[i].samples[k])
			GS_NVML_CALL(r->nvml, gpm_free, r->gpms[i].samples[k]);
	r->gpms[i] = r->gpms[--r->n_gpms];
}

struct gs_readings *gs_readings_free(struct gs_readings *r)
{
	if (!r)
		return NULL;
	while (r->n_gpms)
		drop_gpm(r, r->n_gpms - 1);
	free(r->gpms);
	free(r->slows);
	free(r->metrics);
	free(r);
	return NULL;
}

static void *grow(void *items, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *grown;

	if (n < *cap)
		return items;
	grown = reallocarray(items, more, size);
	if (grown)
		*cap = more;
	return grown;
}

/* ---------------------------------------------------------------- in every look */

int gs_readings_memory(struct gs_nvml *nvml, nvml_device device, struct gs_telemetry *t)
{
	struct nvml_memory_v2 v2 = { .version = NVML_VERSION_WORD(struct nvml_memory_v2, 2) };
	struct nvml_memory v1;
	int code = GS_NVML_CALL(nvml, device_memory_v2, device, &v2);

	if (code == NVML_SUCCESS) {
		t->memory_total_bytes = GS_U64(v2.total);
		t->memory_reserved_bytes = GS_U64(v2.reserved);
		t->memory_used_bytes = GS_U64(v2.used);
		t->memory_free_bytes = GS_U64(v2.free);
		return code;
	}
	/* the older one counts what is reserved as used, and does not tell how much that is */
	code = GS_NVML_CALL(nvml, device_memory, device, &v1);
	if (code == NVML_SUCCESS) {
		t->memory_total_bytes = GS_U64(v1.total);
		t->memory_used_bytes = GS_U64(v1.used);
		t->memory_free_bytes = GS_U64(v1.free);
	}
	return code;
}

/* What is no percentage is unknown: it would spoil the snapshot that carries it. */
static struct gs_u32 percent(double value)
{
	return value >= 0 && value <= 100 ? GS_U32((uint32_t)(value + 0.5)) : GS_U32_UNKNOWN;
}

/* Has it answered? Whatever call says that the GPU has gone is believed. */
static bool told(struct gs_gpu *gpu, int code)
{
	if (code == NVML_ERROR_GPU_IS_LOST)
		gpu->lost = GS_NVML_LOST;
	return code == NVML_SUCCESS;
}

static const char *code_text(struct gs_snapshot *s, const char *symbol, int code)
{
	const char *reason = gs_nvml_reason(code);

	if (code == NVML_ERROR_FUNCTION_NOT_FOUND)
		return gs_arena_printf(gs_snapshot_arena(s), "the driver's library has no %s", symbol);
	return gs_arena_printf(gs_snapshot_arena(s), "%s says %d%s%s", symbol, code, reason ? ": " : "", reason ? reason : "");
}

static void read_fast(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	struct gs_telemetry *t = &gpu->telemetry;
	struct nvml_utilization utilization;
	unsigned value, period;
	int code;

	(void)told(gpu, gs_readings_memory(nvml, device, t));
	code = GS_NVML_CALL(nvml, device_utilization, device, &utilization);
	if (told(gpu, code))
		t->utilization_percent = percent(utilization.gpu);
	/* not supported on a GPU in MIG mode: unknown, not 0 (interfaces 5.7) */
	else if (code == NVML_ERROR_NOT_SUPPORTED && gs_mode_has_mig(gpu->mode))
		t->utilization_reason = "in MIG mode each GPU instance has its own";
	else
		t->utilization_reason = code_text(s, GS_NVML_SYMBOL(device_utilization), code);
	if (code == NVML_SUCCESS && !t->utilization_percent.known)
		t->utilization_reason = "the driver tells no number between 0 and 100";
	if (told(gpu, GS_NVML_CALL(nvml, device_encoder, device, &value, &period)))
		t->encoder_percent = percent(value);
	if (told(gpu, GS_NVML_CALL(nvml, device_decoder, device, &value, &period)))
		t->decoder_percent = percent(value);
	if (told(gpu, GS_NVML_CALL(nvml, device_temperature, device, NVML_TEMPERATURE_GPU, &value)))
		t->temperature_celsius = GS_U32(value);
	if (told(gpu, GS_NVML_CALL(nvml, device_power, device, &value)))
		t->power_milliwatts = GS_U64(value);
}

/* ---------------------------------------------------------------- now and again */

static struct slow *slow_of(struct gs_readings *r, struct gs_bdf bdf)
{
	void *grown;

	for (size_t i = 0; i < r->n_slows; i++)
		if (gs_bdf_compare(r->slows[i].bdf, bdf) == 0)
			return &r->slows[i];
	grown = grow(r->slows, r->n_slows, &r->cap_slows, sizeof(*r->slows));
	if (!grown)
		return NULL;
	r->slows = grown;
	r->slows[r->n_slows] = (struct slow){ .bdf = bdf };
	return &r->slows[r->n_slows++];
}

static void read_slow(struct gs_nvml *nvml, nvml_device device, struct gs_gpu *gpu, struct gs_telemetry *t)
{
	unsigned value, pending;
	unsigned long long count;

	*t = (struct gs_telemetry){ .pcie_tx_bytes_per_second = t->pcie_tx_bytes_per_second, .pcie_rx_bytes_per_second = t->pcie_rx_bytes_per_second };
	if (told(gpu, GS_NVML_CALL(nvml, device_power_limit, device, &value)))
		t->power_limit_milliwatts = GS_U64(value);
	if (told(gpu, GS_NVML_CALL(nvml, device_clock, device, NVML_CLOCK_SM, &value)))
		t->clock_sm_mhz = GS_U32(value);
	if (told(gpu, GS_NVML_CALL(nvml, device_clock, device, NVML_CLOCK_MEMORY, &value)))
		t->clock_memory_mhz = GS_U32(value);
	if (told(gpu, GS_NVML_CALL(nvml, device_ecc_mode, device, &value, &pending)))
		t->ecc_is_on = GS_U32(value != 0);
	/* without ECC there is nothing counted, which is not the same as no errors */
	if (t->ecc_is_on.known && t->ecc_is_on.value) {
		if (told(gpu, GS_NVML_CALL(nvml, device_ecc_errors, device, NVML_ECC_CORRECTED, NVML_ECC_VOLATILE, &count)))
			t->ecc_corrected = GS_U64(count);
		if (told(gpu, GS_NVML_CALL(nvml, device_ecc_errors, device, NVML_ECC_UNCORRECTED, NVML_ECC_VOLATILE, &count)))
			t->ecc_uncorrected = GS_U64(count);
	}
	if (told(gpu, GS_NVML_CALL(nvml, device_pcie_generation, device, &value)))
		t->pcie_generation = GS_U32(value);
	if (told(gpu, GS_NVML_CALL(nvml, device_pcie_width, device, &value)))
		t->pcie_width = GS_U32(value);
}

/* KB/s, over the 20 ms that each call takes. */
static void read_throughput(struct gs_nvml *nvml, nvml_device device, struct gs_gpu *gpu, struct slow *slow)
{
	unsigned value;

	slow->t.pcie_tx_bytes_per_second = slow->t.pcie_rx_bytes_per_second = GS_U64_UNKNOWN;
	if (told(gpu, GS_NVML_CALL(nvml, device_pcie_throughput, device, NVML_PCIE_TX, &value)))
		slow->t.pcie_tx_bytes_per_second = GS_U64((uint64_t)value * KIB);
	if (told(gpu, GS_NVML_CALL(nvml, device_pcie_throughput, device, NVML_PCIE_RX, &value)))
		slow->t.pcie_rx_bytes_per_second = GS_U64((uint64_t)value * KIB);
	slow->has_throughput = true;
	slow->throughput_at = gs_monotonic_now();
}

static void take_slow(const struct slow *slow, struct gs_telemetry *t)
{
	t->power_limit_milliwatts = slow->t.power_limit_milliwatts;
	t->clock_sm_mhz = slow->t.clock_sm_mhz;
	t->clock_memory_mhz = slow->t.clock_memory_mhz;
	t->ecc_is_on = slow->t.ecc_is_on;
	t->ecc_corrected = slow->t.ecc_corrected;
	t->ecc_uncorrected = slow->t.ecc_uncorrected;
	t->pcie_generation = slow->t.pcie_generation;
	t->pcie_width = slow->t.pcie_width;
	t->pcie_tx_bytes_per_second = slow->t.pcie_tx_bytes_per_second;
	t->pcie_rx_bytes_per_second = slow->t.pcie_rx_bytes_per_second;
}

/* *@throughputs: how many more GPUs may be asked for it in this look. */
static int read_now_and_again(struct gs_readings *r, const struct gs_readings_gpu *g, unsigned *throughputs)
{
	struct slow *slow = slow_of(r, g->gpu->bdf);

	if (!slow)
		return -ENOMEM;
	if (!slow->has_been_read || gs_elapsed_ms(slow->at) >= SLOW_MS) {
		read_slow(r->nvml, g->device, g->gpu, &slow->t);
		slow->has_been_read = true;
		slow->at = gs_monotonic_now();
	}
	if (*throughputs && (!slow->has_throughput || gs_elapsed_ms(slow->throughput_at) >= SLOW_MS)) {
		read_throughput(r->nvml, g->device, g->gpu, slow);
		--*throughputs;
	}
	take_slow(slow, &g->gpu->telemetry);
	return 0;
}

/* ---------------------------------------------------------------- inside MIG */

static struct gpm *gpm_of(struct gs_readings *r, struct gs_bdf bdf, uint32_t gi, const char *uuid)
{
	struct gpm *g;
	void *grown;

	for (size_t i = 0; i < r->n_gpms; i++) {
		g = &r->gpms[i];
		if (gs_bdf_compare(g->bdf, bdf) != 0 || g->gi != gi)
			continue;
		/* another instance has got its id: what lies between their samples is nobody's load */
		if (strncmp(g->uuid, uuid, sizeof(g->uuid) - 1) != 0) {
			g->has_one = false;
			g->last_percent = GS_U32_UNKNOWN;
			snprintf(g->uuid, sizeof(g->uuid), "%s", uuid);
		}
		return g;
	}
	grown = grow(r->gpms, r->n_gpms, &r->cap_gpms, sizeof(*r->gpms));
	if (!grown)
		return NULL;
	r->gpms = grown;
	g = &r->gpms[r->n_gpms++];
	*g = (struct gpm){ .bdf = bdf, .gi = gi };
	snprintf(g->uuid, sizeof(g->uuid), "%s", uuid);
	return g;
}

/* *@ret_symbol: the call whose code it is. */
static int take_sample(struct gs_nvml *nvml, nvml_device device, struct gpm *g, const char **ret_symbol)
{
	unsigned next = g->has_one ? !g->newest : g->newest;
	int code = NVML_SUCCESS;

	*ret_symbol = GS_NVML_SYMBOL(gpm_alloc);
	if (!g->samples[next])
		code = GS_NVML_CALL(nvml, gpm_alloc, &g->samples[next]);
	/* it says that it did, and gave nothing */
	if (code == NVML_SUCCESS && !g->samples[next])
		code = NVML_ERROR_MEMORY;
	if (code != NVML_SUCCESS)
		return code;
	*ret_symbol = GS_NVML_SYMBOL(gpm_gi_sample);
	code = GS_NVML_CALL(nvml, gpm_gi_sample, device, g->gi, g->samples[next]);
	if (code != NVML_SUCCESS)
		return code;
	g->newest = next;
	g->at = gs_monotonic_now();
	return NVML_SUCCESS;
}

static int compare_samples(struct gs_readings *r, const struct gpm *g, struct gs_u32 *ret_percent)
{
	struct nvml_gpm_metrics *m = r->metrics;
	int code;

	memset(m, 0, sizeof(*m));
	m->version = NVML_GPM_VERSION;
	m->n = 1;
	m->first = g->samples[!g->newest];
	m->second = g->samples[g->newest];
	m->metrics[0].id = NVML_GPM_SM_UTIL;
	code = GS_NVML_CALL(r->nvml, gpm_metrics, m);
	if (code == NVML_SUCCESS)
		code = m->metrics[0].nvml_return;
	if (code != NVML_SUCCESS)
		return code;
	if (!(m->metrics[0].value >= 0 && m->metrics[0].value <= 100))
		return NVML_ERROR_NO_DATA;
	*ret_percent = GS_U32((uint32_t)(m->metrics[0].value + 0.5));
	return NVML_SUCCESS;
}

static const char first_look[] = "it is measured from one look to the next: look again";

/* The load of one GI since the last look. A first sample is taken where there is none, and *@wants_second set. */
static int read_gi(struct gs_readings *r, struct gs_snapshot *s, nvml_device device, struct gs_gpu *gpu, struct gs_instance *inst, bool *wants_second)
{
	struct gpm *g = gpm_of(r, gpu->bdf, inst->id, inst->uuid ? inst->uuid : "");
	struct gs_telemetry *t = &inst->telemetry;
	const char *symbol;
	int code;

	if (!g)
		return -ENOMEM;
	g->is_seen = true;
	/* what is counted are compute instances: without one the driver refuses */
	if (!inst->n_compute) {
		t->utilization_reason = "there is no compute instance in it";
		g->has_one = false;
		return 0;
	}
	if (g->has_one && gs_elapsed_ms(g->at) < GPM_APART_MS) {
		t->utilization_percent = g->last_percent;
		t->utilization_reason = g->last_percent.known ? NULL : first_look;
		*wants_second |= !g->last_percent.known;
		return 0;
	}
	code = take_sample(r->nvml, device, g, &symbol);
	if (code == NVML_SUCCESS && !g->has_one) {
		g->has_one = *wants_second = true;
		t->utilization_reason = first_look;
		return 0;
	}
	/* what was before is over, also where nothing comes after it */
	g->last_percent = GS_U32_UNKNOWN;
	if (code == NVML_SUCCESS) {
		symbol = GS_NVML_SYMBOL(gpm_metrics);
		code = compare_samples(r, g, &g->last_percent);
	}
	t->utilization_percent = g->last_percent;
	t->utilization_reason = told(gpu, code) ? NULL : code_text(s, symbol, code);
	return 0;
}

/* Why nothing inside this GPU can be measured; NULL: it can. */
static const char *why_no_gpm(struct gs_readings *r, struct gs_snapshot *s, nvml_device device)
{
	struct nvml_gpm_support support = { .version = NVML_GPM_VERSION };
	int code = GS_NVML_CALL(r->nvml, gpm_support, device, &support);

	unsigned architecture;
	int mode;

	if (code != NVML_SUCCESS && code != NVML_ERROR_NOT_SUPPORTED)
		return code_text(s, GS_NVML_SYMBOL(gpm_support), code);
	if (code != NVML_SUCCESS || !support.is_supported) {
		if (GS_NVML_CALL(r->nvml, device_architecture, device, &architecture) != NVML_SUCCESS || architecture < NVML_ARCH_HOPPER)
			return "the driver measures it inside GPU instances from Hopper on only";
		return GS_NVML_CALL(r->nvml, host_vgpu_mode, device, &mode) == NVML_SUCCESS ? "the driver does not measure it inside GPU instances of a host of vGPUs" :
											      "the driver does not measure it inside GPU instances of this GPU";
	}
	return r->nvml->call.gpm_gi_sample ? NULL : code_text(s, GS_NVML_SYMBOL(gpm_gi_sample), NVML_ERROR_FUNCTION_NOT_FOUND);
}

static int read_gis(struct gs_readings *r, struct gs_snapshot *s, const struct gs_readings_gpu *g, bool *wants_second)
{
	const char *why = NULL;
	bool has_asked = false;

	for (size_t i = 0; i < g->gpu->n_instances; i++) {
		struct gs_instance *inst = g->gpu->instances[i];

		if (inst->kind != GS_KIND_MIG)
			continue;
		if (!has_asked)
			why = why_no_gpm(r, s, g->device);
		has_asked = true;
		if (why)
			inst->telemetry.utilization_reason = why;
		else if (read_gi(r, s, g->device, g->gpu, inst, wants_second) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_all_gis(struct gs_readings *r, struct gs_snapshot *s, const struct gs_readings_gpu *gpus, size_t n, bool *ret_wants_second)
{
	*ret_wants_second = false;
	for (size_t i = 0; i < r->n_gpms; i++)
		r->gpms[i].is_seen = false;
	for (size_t i = 0; i < n; i++)
		if (gpus[i].device && !gpus[i].gpu->lost && read_gis(r, s, &gpus[i], ret_wants_second) < 0)
			return -ENOMEM;
	/* one that is gone takes its samples along; its id may be another's soon */
	for (size_t i = r->n_gpms; i-- > 0;)
		if (!r->gpms[i].is_seen)
			drop_gpm(r, i);
	return 0;
}

static void pause_ms(long ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

int gs_readings_look(struct gs_readings *r, struct gs_snapshot *s, const struct gs_readings_gpu *gpus, size_t n, bool is_patient)
{
	unsigned throughputs = is_patient ? (unsigned)n : 1;
	bool wants_second;

	if (read_all_gis(r, s, gpus, n, &wants_second) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!gpus[i].device || gpus[i].gpu->lost)
			continue;
		read_fast(r->nvml, gpus[i].device, s, gpus[i].gpu);
		if (gpus[i].gpu->lost)
			continue;
		if (read_now_and_again(r, &gpus[i], &throughputs) < 0)
			return -ENOMEM;
	}
	if (!is_patient || !wants_second)
		return 0;
	pause_ms(GPM_APART_MS + 1);
	return read_all_gis(r, s, gpus, n, &wants_second);
}

/* ---------------------------------------------------------------- vGPUs */

static struct gs_u32 percent_of(union nvml_value v, unsigned type)
{
	if (type == NVML_VALUE_UINT && v.ui <= 100)
		return GS_U32(v.ui);
	if (type == NVML_VALUE_DOUBLE && v.d >= 0 && v.d <= 100)
		return GS_U32((uint32_t)(v.d + 0.5));
	return GS_U32_UNKNOWN;
}

static int read_utilizations(struct gs_nvml *nvml, nvml_device device, uint32_t vgpu, struct gs_telemetry *t)
{
	struct nvml_vgpu_utilization items[VGPUS_MAX];
	struct nvml_vgpu_utilizations all = { .version = NVML_VERSION_WORD(struct nvml_vgpu_utilizations, 1), .value_type = NVML_VALUE_UINT, .count = VGPUS_MAX,
		.items = items };
	int code = GS_NVML_CALL(nvml, vgpu_utilizations, device, &all);

	for (unsigned i = 0; code == NVML_SUCCESS && i < all.count && i < VGPUS_MAX; i++) {
		if (items[i].vgpu != vgpu)
			continue;
		t->utilization_percent = percent_of(items[i].sm, all.value_type);
		t->encoder_percent = percent_of(items[i].encoder, all.value_type);
		t->decoder_percent = percent_of(items[i].decoder, all.value_type);
	}
	return code;
}

static int read_samples(struct gs_nvml *nvml, nvml_device device, uint32_t vgpu, struct gs_telemetry *t)
{
	struct nvml_vgpu_sample samples[VGPUS_MAX];
	unsigned type = NVML_VALUE_UINT, n = VGPUS_MAX;
	int code = GS_NVML_CALL(nvml, vgpu_samples, device, 0, &type, &n, samples);

	for (unsigned i = 0; code == NVML_SUCCESS && i < n && i < VGPUS_MAX; i++) {
		if (samples[i].vgpu != vgpu)
			continue;
		t->utilization_percent = percent_of(samples[i].sm, type);
		t->encoder_percent = percent_of(samples[i].encoder, type);
		t->decoder_percent = percent_of(samples[i].decoder, type);
	}
	return code;
}

void gs_readings_vgpu(struct gs_nvml *nvml, nvml_device device, uint32_t vgpu, struct gs_telemetry *t)
{
	unsigned long long bytes;
	int code = read_utilizations(nvml, device, vgpu, t);

	if (code == NVML_ERROR_FUNCTION_NOT_FOUND || code == NVML_ERROR_ARGUMENT_VERSION_MISMATCH)
		code = read_samples(nvml, device, vgpu, t);
	/* of MIG-backed ones the driver tells nothing (interfaces 2.6) */
	if (!t->utilization_percent.known)
		t->utilization_reason = code == NVML_SUCCESS ? "the driver does not tell it of this vGPU" : "the driver tells the load of no vGPU on this GPU";
	if (GS_NVML_CALL(nvml, vgpu_memory, vgpu, &bytes) == NVML_SUCCESS)
		t->memory_used_bytes = GS_U64(bytes);
}
