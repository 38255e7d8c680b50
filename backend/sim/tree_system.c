/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_system.c - modules, the host's own files, and nodes that belong to no function (interfaces 4.5, 8.1). */
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/tree_list.h"
#include "base/parse.h"

/* Opens of the driver's nodes count, and the modules that use it. */
static size_t references(const struct gs_sim_state *s, const struct gs_sim_module *module)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_modules; i++)
		n += s->modules[i].loaded && gs_str_equal(s->modules[i].uses, module->name);
	for (size_t i = 0; gs_str_equal(module->name, "nvidia") && i < s->n_processes; i++) {
		if (s->processes[i].n_uses)
			n += s->processes[i].n_uses + 1;    /* and nvidiactl */
	}
	return n;
}

static void list_module(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_module *module)
{
	gs_sim_list_enter(l, "sys/module/%s/holders", module->name);
	for (size_t i = 0; i < s->n_modules; i++) {
		if (s->modules[i].loaded && gs_str_equal(s->modules[i].uses, module->name))
			gs_sim_list_link(l, s->modules[i].name, "../../%s", s->modules[i].name);
	}
	gs_sim_list_enter(l, "sys/module/%s", module->name);
	if (gs_str_starts(module->name, "nvidia") && s->driver_version[0])
		gs_sim_list_text(l, 0444, "version", "%s\n", s->driver_version);
	gs_sim_list_text(l, 0444, "initstate", "live\n");
	gs_sim_list_text(l, 0444, "refcnt", "%zu\n", references(s, module));
	if (module->driver[0]) {
		const char *link = gs_arena_printf(l->arena, "pci:%s", module->driver);

		gs_sim_list_enter(l, "sys/module/%s/drivers", module->name);
		if (link)
			gs_sim_list_link(l, link, "../../../bus/pci/drivers/%s", module->driver);
		gs_sim_list_enter(l, "sys/bus/pci/drivers/%s", module->driver);
		gs_sim_list_link(l, "module", "../../../../module/%s", module->name);
	}
}

/* "usr/lib/nvidia/sriov-manage": the directory is entered, the name listed. */
static void list_file(struct gs_sim_list *l, const struct gs_sim_file *file)
{
	const char *slash = strrchr(file->path, '/');

	gs_sim_list_enter(l, "%.*s", (int)(slash - file->path), file->path);
	gs_sim_list_bytes(l, file->mode, slash + 1, file->text, strlen(file->text));
}

static bool process_is_there(const struct gs_sim_state *s, uint32_t pid)
{
	for (size_t i = 0; i < s->n_processes; i++) {
		if (s->processes[i].pid == pid)
			return true;
	}
	return pid == 0;
}

void gs_sim_list_system(struct gs_sim_list *l, const struct gs_sim_state *s)
{
	bool vfio = false, mdev = false, kfd = false;

	for (size_t i = 0; i < s->n_modules; i++) {
		if (!s->modules[i].loaded)
			continue;
		list_module(l, s, &s->modules[i]);
		vfio |= gs_str_equal(s->modules[i].name, "vfio");
		mdev |= gs_str_equal(s->modules[i].name, "mdev");
	}
	for (size_t i = 0; i < s->n_gpus; i++)
		kfd |= s->gpus[i].amd.xcc && gs_str_equal(s->gpus[i].pci.driver, "amdgpu");
	for (size_t i = 0; i < s->n_files; i++) {
		if (process_is_there(s, s->files[i].pid))
			list_file(l, &s->files[i]);
	}
	if (vfio) {
		gs_sim_list_enter(l, "dev/vfio");
		gs_sim_list_bytes(l, 0666, "vfio", "", 0);
	}
	if (mdev)
		gs_sim_list_enter(l, "sys/bus/mdev/devices");
	if (kfd) {
		gs_sim_list_enter(l, "dev");
		gs_sim_list_bytes(l, 0666, "kfd", "", 0);
	}
}
