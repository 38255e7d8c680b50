/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_nvml.c - which NVML the loader finds, what it lacks, and whether it starts. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "backend/doctor.h"
#include "backend/nvml.h"

/* "libnvidia-ml.so.570.124.06" -> "570.124.06"; NULL for a name without a version. */
static const char *version_of(const char *path)
{
	static const char stem[] = "libnvidia-ml.so.";
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (strncmp(name, stem, strlen(stem)) != 0 || !strchr(name + strlen(stem), '.'))
		return NULL;
	return name + strlen(stem);
}

static void name_library(void *library, struct gs_arena *arena, struct gs_doctor_facts *facts)
{
	GS_FREE char *real = NULL;
	struct link_map *map = NULL;

	if (dlinfo(library, RTLD_DI_LINKMAP, &map) < 0 || !map || !map->l_name || !map->l_name[0])
		return;
	real = realpath(map->l_name, NULL);
	facts->library_path = gs_arena_strdup(arena, real ? real : map->l_name);
	if (facts->library_path)
		facts->library_version = version_of(facts->library_path);
}

static int list_missing(void *library, struct gs_arena *arena, struct gs_doctor_facts *facts)
{
	struct gs_nvml_table table = { 0 };

	gs_nvml_bind(&table, library, dlsym);
#define MISSING_(slot, params, ...) \
	if (!table.slot && gs_doctor_list_add(&facts->missing_symbols, arena, GS_NVML_SYMBOL(slot)) < 0) \
		return -ENOMEM;
	GS_NVML_CALLS(MISSING_)
#undef MISSING_
	return 0;
}

/* Opened and looked into, not started: that opens no device (interfaces 5.1). */
static int look_into(const char *const *paths, struct gs_arena *arena, struct gs_doctor_facts *facts)
{
	const char *reason = NULL;
	int r;

	for (size_t i = 0; paths[i]; i++) {
		void *library = dlopen(paths[i], RTLD_LAZY | RTLD_LOCAL);

		if (!library) {
			const char *why = dlerror();

			if (!reason)
				reason = gs_arena_strdup(arena, why);
			continue;
		}
		facts->library_found = GS_ANSWER_YES;
		name_library(library, arena, facts);
		r = list_missing(library, arena, facts);
		dlclose(library);
		return r;
	}
	facts->library_found = GS_ANSWER_NO;
	facts->library_error = reason;
	return 0;
}

int gs_doctor_read_library(struct gs_machine *machine, struct gs_collect *collect, struct gs_arena *arena, struct gs_doctor_facts *facts)
{
	const char *const *paths;
	struct gs_error e = { 0 };
	struct gs_mig *mig;
	int r;

	if (gs_machine_nvml_paths(machine, &paths, &e) < 0)
		return 0;
	/* a recorded machine has no library to be looked for: not the same as one that is missing */
	if (!paths[0]) {
		if (gs_collect_mig(collect, &mig, &e) < 0)
			facts->library_error = gs_arena_strdup(arena, e.text);
		return gs_arena_has_failed(arena) ? -ENOMEM : 0;
	}
	r = look_into(paths, arena, facts);
	/* started without its kernel module it would have that loaded */
	if (r < 0 || facts->library_found != GS_ANSWER_YES || facts->nvidia_loaded != GS_ANSWER_YES)
		return r;
	r = gs_collect_mig(collect, &mig, &e);
	if (r == 0)
		return 0;
	/* NVML's 18 is the only start that fails so (nvml.c) */
	facts->library_differs = r == -EPROTO ? GS_ANSWER_YES : GS_ANSWER_NO;
	facts->library_error = gs_arena_strdup(arena, e.text);
	return facts->library_error ? 0 : -ENOMEM;
}
