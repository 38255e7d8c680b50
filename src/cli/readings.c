/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readings.c - what the boards measure, one row a GPU: for `gpuslice list --telemetry`. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"

#define MIB (1u << 20)

static void add_u32(struct gs_table *t, struct gs_u32 v, const char *unit)
{
	if (v.known)
		gs_table_addf(t, "%" PRIu32 "%s", v.value, unit);
	else
		gs_table_add(t, NULL);
}

static void add_power(struct gs_table *t, const struct gs_telemetry *m)
{
	if (m->power_milliwatts.known && m->power_limit_milliwatts.known)
		gs_table_addf(t, "%.0f/%.0f", (double)m->power_milliwatts.value / 1000, (double)m->power_limit_milliwatts.value / 1000);
	else if (m->power_milliwatts.known)
		gs_table_addf(t, "%.0f", (double)m->power_milliwatts.value / 1000);
	else
		gs_table_add(t, NULL);
}

/* Errors since the driver was loaded: corrected, uncorrected. */
static void add_ecc(struct gs_table *t, const struct gs_telemetry *m)
{
	if (m->ecc_is_on.known && !m->ecc_is_on.value)
		gs_table_add(t, "off");
	else if (m->ecc_corrected.known && m->ecc_uncorrected.known)
		gs_table_addf(t, "%" PRIu64 ", %" PRIu64, m->ecc_corrected.value, m->ecc_uncorrected.value);
	else
		gs_table_add(t, NULL);
}

static void add_link(struct gs_table *t, const struct gs_telemetry *m)
{
	if (m->pcie_generation.known && m->pcie_width.known)
		gs_table_addf(t, "%" PRIu32 " x%" PRIu32, m->pcie_generation.value, m->pcie_width.value);
	else
		gs_table_add(t, NULL);
}

static void add_mib(struct gs_table *t, struct gs_u64 bytes)
{
	if (bytes.known)
		gs_table_addf(t, "%" PRIu64, bytes.value / MIB);
	else
		gs_table_add(t, NULL);
}

void gs_cli_print_readings(const struct gs_snapshot *s)
{
	static const char *const heads[] = { "GPU", "LOAD", "ENC", "DEC", "C", "W", "SM MHz", "MEM MHz", "ECC", "PCIe", "TX MiB/s", "RX", "RESERVED MiB" };
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(GS_ARRAY_SIZE(heads));

	if (!t || !gs_snapshot_n_gpus(s))
		return;
	for (size_t i = 0; i < GS_ARRAY_SIZE(heads); i++)
		gs_table_add(t, heads[i]);
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_telemetry *m = &gs_snapshot_gpu(s, i)->telemetry;

		gs_table_addf(t, "%zu", i);
		add_u32(t, m->utilization_percent, "%");
		add_u32(t, m->encoder_percent, "%");
		add_u32(t, m->decoder_percent, "%");
		add_u32(t, m->temperature_celsius, "");
		add_power(t, m);
		add_u32(t, m->clock_sm_mhz, "");
		add_u32(t, m->clock_memory_mhz, "");
		add_ecc(t, m);
		add_link(t, m);
		add_mib(t, m->pcie_tx_bytes_per_second);
		add_mib(t, m->pcie_rx_bytes_per_second);
		add_mib(t, m->memory_reserved_bytes);
	}
	putchar('\n');
	gs_table_print(t);
}
