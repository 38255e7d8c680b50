/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/state.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

const char *const gs_sim_library_names[3] = { "current", "old", "new" };

struct gs_sim_state *gs_sim_state_new(void)
{
	struct gs_sim_state *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->arena = gs_arena_new();
	if (!s->arena) {
		free(s);
		return NULL;
	}
	return s;
}

struct gs_sim_state *gs_sim_state_free(struct gs_sim_state *s)
{
	if (s) {
		gs_arena_free(s->arena);
		free(s);
	}
	return NULL;
}

bool gs_sim_bdf_is_valid(const char *bdf)
{
	static const char shape[] = "xxxx:xx:xx.o";
	size_t i;

	for (i = 0; shape[i] && bdf[i]; i++) {
		bool hex = (bdf[i] >= '0' && bdf[i] <= '9') || (bdf[i] >= 'a' && bdf[i] <= 'f');

		if (shape[i] == 'x' ? !hex : shape[i] == 'o' ? bdf[i] < '0' || bdf[i] > '7' : bdf[i] != shape[i])
			return false;
	}
	return !shape[i] && !bdf[i];
}

bool gs_sim_word_is_valid(const char *word)
{
	if (!word[0] || word[0] == '.' || strlen(word) > 64)
		return false;
	for (; *word; word++) {
		if (!((*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z') ||
		      (*word >= '0' && *word <= '9') || strchr("_-.", *word)))
			return false;
	}
	return true;
}

bool gs_sim_gpu_is_visible(const struct gs_sim_gpu *gpu)
{
	return gs_sim_is_nvidia(gpu) && gs_str_equal(gpu->pci.driver, "nvidia") && !gpu->pci.unbinding && !gpu->pci.vanished;
}

struct gs_sim_gpu *gs_sim_gpu_by_bdf(struct gs_sim_state *s, const char *bdf)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (gs_str_equal_nocase(s->gpus[i].pci.bdf, bdf))
			return &s->gpus[i];
	}
	return NULL;
}

struct gs_sim_gpu *gs_sim_gpu_at(struct gs_sim_state *s, uint32_t index)
{
	return index < s->n_gpus ? &s->gpus[index] : NULL;
}

uint32_t gs_sim_gpu_index(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	return (uint32_t)(gpu - s->gpus);
}

struct gs_sim_gi *gs_sim_gi_by_id(struct gs_sim_gpu *gpu, uint32_t id)
{
	for (size_t i = 0; i < gpu->n_gis; i++) {
		if (gpu->gis[i].id == id)
			return &gpu->gis[i];
	}
	return NULL;
}

struct gs_sim_gi *gs_sim_gi_by_serial(struct gs_sim_gpu *gpu, uint64_t serial)
{
	for (size_t i = 0; i < gpu->n_gis; i++) {
		if (gpu->gis[i].serial == serial)
			return &gpu->gis[i];
	}
	return NULL;
}

struct gs_sim_ci *gs_sim_ci_by_id(struct gs_sim_gi *gi, uint32_t id)
{
	for (size_t i = 0; i < gi->n_cis; i++) {
		if (gi->cis[i].id == id)
			return &gi->cis[i];
	}
	return NULL;
}

struct gs_sim_ci *gs_sim_ci_by_serial(struct gs_sim_gpu *gpu, uint64_t serial, struct gs_sim_gi **ret_gi)
{
	for (size_t i = 0; i < gpu->n_gis; i++) {
		for (size_t k = 0; k < gpu->gis[i].n_cis; k++) {
			if (gpu->gis[i].cis[k].serial == serial) {
				*ret_gi = &gpu->gis[i];
				return &gpu->gis[i].cis[k];
			}
		}
	}
	return NULL;
}

struct gs_sim_ci *gs_sim_ci_by_slot(struct gs_sim_gpu *gpu, uint32_t slot, struct gs_sim_gi **ret_gi)
{
	for (size_t i = 0; i < gpu->n_gis; i++) {
		for (size_t k = 0; k < gpu->gis[i].n_cis; k++) {
			if (gpu->gis[i].cis[k].slot == slot) {
				*ret_gi = &gpu->gis[i];
				return &gpu->gis[i].cis[k];
			}
		}
	}
	return NULL;
}

struct gs_sim_process *gs_sim_process_by_pid(struct gs_sim_state *s, uint32_t pid)
{
	for (size_t i = 0; i < s->n_processes; i++) {
		if (s->processes[i].pid == pid)
			return &s->processes[i];
	}
	return NULL;
}
