/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/collect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/claims.h"
#include "backend/family.h"
#include "backend/holders.h"
#include "backend/kernel_log.h"
#include "backend/open_commits.h"
#include "backend/pci.h"
#include "backend/mig_proc.h"
#include "backend/published.h"
#include "backend/restorers.h"
#include "backend/saved_look.h"
#include "backend/telemetry.h"
#include "backend/vgpu_nvml.h"
#include "backend/writer.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "core/layout.h"

#define NVML_DEVICES_MAX 1024
#define PROCESSES_MAX 4096
#define MIG_DEVICES_MAX 64
#define LIST_TRIES 3
#define NVML_RETRY_MS 10000
#define STUCK_MAX GS_PCI_SPARED_MAX

struct gs_collect {
	struct gs_machine *machine;
	struct gs_root *root;
	struct gs_pci *pci;
	struct gs_holders *holders;
	struct gs_claims *claims;
	struct gs_claims_ops claims_ops;
	struct gs_restorers *restorers;
	struct gs_kernel_log *kernel_log;
	struct gs_saved_look *saved;
	struct gs_catalogue *catalogue;     /* NULL when it cannot be loaded */
	struct gs_error catalogue_error;
	struct gs_nvml *nvml;
	struct gs_error nvml_error;         /* why there is none */
	struct gs_monotonic nvml_tried;
	bool has_tried_nvml;
	struct gs_digest nvml_gpus;         /* which GPUs its driver had then */
	struct gs_mig mig;
	struct gs_vgpu_names *names;
	struct gs_open_commits open_commits;
	struct gs_published published;      /* as it was read last */
	struct gs_readings *readings;       /* NULL before any was asked for; of this life of the library */
	struct gs_vgpu_placements *placements;      /* NULL before any was asked for */
};

/* One look. */
struct look {
	struct gs_collect *c;
	struct gs_snapshot *snapshot;
	const struct gs_collect_options *options;
	const struct gs_pci_gpu *pci;
	size_t n_pci;
	struct gs_gpu **gpus;           /* in the order of @pci */
	bool *is_nvml;                  /* NVML told about it */
	nvml_device *devices;           /* NULL where it did not */
};

/* For the claims: what a program of the machine says when it ends well. */
static int run_program(void *userdata, const char *const *argv, size_t max, char **ret_text, size_t *ret_n, struct gs_error *e)
{
	GS_FREE char *text = NULL;
	int status, r = gs_machine_run(userdata, argv, &status, &text, e);

	if (r < 0)
		return r;
	if (status)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s ended with status %d: %.100s", argv[0], status, text);
	*ret_n = strnlen(text, max);
	*ret_text = GS_TAKE(text);
	return 0;
}

int gs_collect_new(struct gs_machine *machine, struct gs_collect **ret_collect, struct gs_error *e)
{
	GS_CLEANUP(gs_collect_freep) struct gs_collect *c = calloc(1, sizeof(*c));

	if (!c)
		return gs_error_oom(e);
	c->machine = machine;
	c->root = gs_machine_root(machine);
	c->pci = gs_pci_new(c->root);
	c->holders = gs_holders_new(c->root);
	c->names = gs_vgpu_names_new(c->root);
	c->claims_ops = (struct gs_claims_ops){ run_program, machine };
	c->claims = gs_claims_new(c->root, gs_machine_host(machine), &c->claims_ops);
	c->restorers = gs_restorers_new(c->root);
	c->kernel_log = gs_kernel_log_new(c->root);
	c->saved = gs_saved_look_new(c->root);
	if (!c->pci || !c->holders || !c->names || !c->claims || !c->restorers || !c->kernel_log || !c->saved)
		return gs_error_oom(e);
	if (gs_catalogue_load(&c->catalogue, &c->catalogue_error) < 0)
		c->catalogue = NULL;
	*ret_collect = GS_TAKE(c);
	return 0;
}

struct gs_collect *gs_collect_free(struct gs_collect *c)
{
	if (!c)
		return NULL;
	gs_mig_done(&c->mig);
	gs_published_done(&c->published);
	gs_readings_free(c->readings);
	gs_nvml_close(c->nvml);
	gs_catalogue_free(c->catalogue);
	gs_vgpu_names_free(c->names);
	gs_vgpu_placements_free(c->placements);
	gs_claims_free(c->claims);
	gs_restorers_free(c->restorers);
	gs_kernel_log_free(c->kernel_log);
	gs_saved_look_free(c->saved);
	gs_holders_free(c->holders);
	gs_pci_free(c->pci);
	free(c);
	return NULL;
}

/* Once per life when it works; a driver that was not loaded may be later. */
static int need_nvml(struct gs_collect *c)
{
	const char *const *paths;
	int r;

	if (c->nvml)
		return 0;
	if (c->has_tried_nvml && gs_elapsed_ms(c->nvml_tried) < NVML_RETRY_MS)
		return c->nvml_error.errnum;
	c->has_tried_nvml = true;
	c->nvml_tried = gs_monotonic_now();
	r = gs_machine_nvml_paths(c->machine, &paths, &c->nvml_error);
	if (r == 0)
		r = gs_nvml_open(paths, &c->nvml, &c->nvml_error);
	if (r == 0 && gs_mig_init(&c->mig, c->nvml, c->catalogue) < 0) {
		/* one without the other would be used at the next look */
		c->nvml = gs_nvml_close(c->nvml);
		return gs_error_oom(&c->nvml_error);
	}
	return r;
}

static bool is_nvidia_driven(const struct gs_pci_gpu *p)
{
	return p->vendor == GS_VENDOR_NVIDIA && strcmp(p->driver, "nvidia") == 0;
}

/*
 * NVML's list and its handles are those of its start; they mean nothing once a
 * GPU has come, gone or changed its driver (interfaces 5.1). It starts anew.
 */
static void restart_nvml_when_gpus_changed(struct look *l)
{
	GS_STRBUF struct gs_strbuf all = GS_STRBUF_INIT;
	struct gs_collect *c = l->c;
	struct gs_digest now;

	gs_strbuf_puts(&all, "");
	for (size_t i = 0; i < l->n_pci; i++) {
		char address[GS_BDF_TEXT];

		if (is_nvidia_driven(&l->pci[i]))
			gs_strbuf_printf(&all, "%s\n", gs_bdf_format(l->pci[i].bdf, address));
	}
	if (all.failed)
		return;
	now = gs_digest_of(all.text, all.length);
	if (gs_digest_equal(&now, &c->nvml_gpus))
		return;
	c->nvml_gpus = now;
	gs_mig_done(&c->mig);
	c->readings = gs_readings_free(c->readings);
	c->nvml = gs_nvml_close(c->nvml);
	c->has_tried_nvml = false;
}

int gs_collect_mig(struct gs_collect *c, struct gs_mig **ret_mig, struct gs_error *e)
{
	int r = need_nvml(c);

	if (r < 0) {
		if (e)
			*e = c->nvml_error;
		return r;
	}
	*ret_mig = &c->mig;
	return 0;
}

static int add_pci_gpu(struct look *l, size_t i)
{
	const struct gs_pci_gpu *p = &l->pci[i];
	struct gs_gpu *gpu = gs_snapshot_add_gpu(l->snapshot, p->bdf);

	if (!gpu)
		return -ENOMEM;
	gpu->vendor = p->vendor;
	gpu->pci_id = gs_snapshot_text(l->snapshot, p->pci_id);
	gpu->subsystem_id = p->subsystem_id[0] ? gs_snapshot_text(l->snapshot, p->subsystem_id) : NULL;
	gpu->driver = p->driver[0] ? gs_snapshot_text(l->snapshot, p->driver) : NULL;
	gpu->driver_override = p->driver_override[0] ? gs_snapshot_text(l->snapshot, p->driver_override) : NULL;
	gpu->numa_node = p->numa_node;
	gpu->iommu_group = p->iommu_group;
	l->gpus[i] = gpu;
	return 0;
}

/* /dev/nvidiaN of a GPU that NVML does not tell about: «Device Minor:» of interfaces 5.10. */
static struct gs_u32 minor_by_proc(struct gs_collect *c, struct gs_bdf bdf)
{
	static const char key[] = "Device Minor:";
	GS_FREE char *text = NULL;
	char address[GS_BDF_TEXT], number[12];
	struct gs_u32 minor = { true, 0 };
	const char *p;
	size_t n;

	if (gs_root_read(c->root, &text, "proc/driver/nvidia/gpus/%s/information", gs_bdf_format(bdf, address)) < 0)
		return GS_U32_UNKNOWN;
	p = strstr(text, key);
	if (!p)
		return GS_U32_UNKNOWN;
	p += strlen(key);
	p += strspn(p, " \t");
	n = strspn(p, "0123456789");
	if (!n || n >= sizeof(number))
		return GS_U32_UNKNOWN;
	memcpy(number, p, n);
	number[n] = '\0';
	return gs_parse_u32(number, 10, &minor.value) < 0 ? GS_U32_UNKNOWN : minor;
}

/* Below 0 are our own errors: a library that answers so has said nothing that we know. */
static int library_code(int code)
{
	return code < 0 ? NVML_ERROR_UNKNOWN : code;
}

typedef int (*process_call)(nvml_device device, unsigned *n, struct nvml_process *processes);

/* How many, then which (interfaces 5.7), once more when some started in between. NVML's code, or -ENOMEM. */
static int list_processes(process_call call, nvml_device device, struct nvml_process **ret_list, unsigned *ret_n)
{
	unsigned n = 0;
	int code = call ? call(device, &n, NULL) : NVML_ERROR_FUNCTION_NOT_FOUND;

	*ret_n = 0;
	for (int i = 0; i < LIST_TRIES && code == NVML_ERROR_INSUFFICIENT_SIZE && n <= PROCESSES_MAX; i++) {
		GS_FREE struct nvml_process *list = NULL;
		unsigned room = n + 16;

		list = calloc(room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		n = room;
		code = call(device, &n, list);
		if (code != NVML_SUCCESS)
			continue;
		*ret_list = GS_TAKE(list);
		*ret_n = n < room ? n : room;
	}
	return library_code(code);
}

static int read_processes(struct look *l, process_call call, nvml_device device, struct gs_gpu *gpu, struct gs_u32 gi)
{
	GS_FREE struct nvml_process *list = NULL;
	unsigned n;
	int code = list_processes(call, device, &list, &n);

	for (unsigned i = 0; i < n; i++) {
		struct gs_u32 in = list[i].gi != NVML_NO_INSTANCE ? GS_U32(list[i].gi) : gi;
		struct gs_u64 used = l->options->telemetry && list[i].used_memory != NVML_NOT_AVAILABLE ? GS_U64(list[i].used_memory) : GS_U64_UNKNOWN;

		if (gs_holders_add_nvml(l->c->holders, gpu, list[i].pid, in, used) < 0)
			return -ENOMEM;
	}
	return code;
}

/* A library without the question, or a GPU without the answer: then the open nodes tell. */
static bool is_told(int code)
{
	return code == NVML_SUCCESS || code == NVML_ERROR_NOT_SUPPORTED || code == NVML_ERROR_FUNCTION_NOT_FOUND;
}

/* The first code that keeps something from us, else that for compute processes. */
static int read_all_processes(struct look *l, nvml_device device, struct gs_gpu *gpu, struct gs_u32 gi)
{
	int code = read_processes(l, l->c->nvml->call.compute_processes, device, gpu, gi);
	int graphics = code < 0 ? code : read_processes(l, l->c->nvml->call.graphics_processes, device, gpu, gi);

	return graphics < 0 || (is_told(code) && !is_told(graphics)) ? graphics : code;
}

/* Each MIG device for itself. The first code that keeps something from us. */
static int read_mig_processes(struct look *l, nvml_device device, struct gs_gpu *gpu)
{
	struct gs_nvml *nvml = l->c->nvml;
	unsigned n = 0;
	int first = library_code(GS_NVML_CALL(nvml, mig_count, device, &n));

	for (unsigned i = 0; i < n && i < MIG_DEVICES_MAX; i++) {
		nvml_device mig;
		unsigned gi;
		int code = library_code(GS_NVML_CALL(nvml, mig_device, device, i, &mig));

		if (code == NVML_ERROR_NOT_FOUND)
			continue;
		if (code == NVML_SUCCESS)
			code = library_code(GS_NVML_CALL(nvml, device_gi_id, mig, &gi));
		if (code == NVML_SUCCESS)
			code = read_all_processes(l, mig, gpu, GS_U32(gi));
		if (code < 0)
			return code;
		if (is_told(first))
			first = code;
	}
	return first;
}

/* On a MIG parent the question may need privilege; its MIG devices answer for themselves. */
static int read_holders(struct look *l, nvml_device device, struct gs_gpu *gpu)
{
	int code = read_all_processes(l, device, gpu, GS_U32_UNKNOWN);

	if (code > 0 && gpu->mode == GS_MODE_MIG && code != NVML_ERROR_GPU_IS_LOST)
		code = read_mig_processes(l, device, gpu);
	if (code < 0)
		return code;
	if (!is_told(code))
		gs_holders_hide(l->c->holders, gpu);
	return 0;
}

/* What lies on it by sysfs is read later, and NVML tells more of that. */
static void remember_device(struct look *l, nvml_device device, const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < l->n_pci; i++)
		if (l->gpus[i] == gpu)
			l->devices[i] = device;
}

static int read_nvml_gpu(struct look *l, nvml_device device, struct gs_gpu *gpu)
{
	struct gs_u32 minor = { true, 0 };
	int r;

	remember_device(l, device, gpu);
	if (GS_NVML_CALL(l->c->nvml, device_minor, device, &minor.value) != NVML_SUCCESS)
		minor = minor_by_proc(l->c, gpu->bdf);
	r = gs_holders_add_gpu(l->c->holders, gpu, minor);
	if (r == 0)
		r = gs_mig_read(&l->c->mig, device, l->snapshot, gpu, l->options->telemetry);
	/* whoever is told everything needs no second source */
	if (r == 0 && minor.known && gpu->mode == GS_MODE_MIG && !gpu->placements_visible && !gpu->lost)
		r = gs_mig_proc_read(l->c->root, l->snapshot, gpu, minor.value);
	return r == 0 ? read_holders(l, device, gpu) : r;
}

/* The GPU of the PCI list at that address; one that sysfs hides (a container) is added from NVML's own words. */
static struct gs_gpu *gpu_of(struct look *l, struct gs_bdf bdf, const struct nvml_pci_info *pci)
{
	struct gs_gpu *gpu;
	char id[12];

	for (size_t i = 0; i < l->n_pci; i++) {
		if (gs_bdf_compare(l->pci[i].bdf, bdf) == 0) {
			l->is_nvml[i] = true;
			return l->gpus[i];
		}
	}
	gpu = gs_snapshot_add_gpu(l->snapshot, bdf);
	if (!gpu)
		return NULL;
	gpu->vendor = GS_VENDOR_NVIDIA;
	gpu->driver = "nvidia";
	snprintf(id, sizeof(id), "%04x:%04x", pci->pci_device_id & 0xffff, pci->pci_device_id >> 16);
	gpu->pci_id = gs_snapshot_text(l->snapshot, id);
	snprintf(id, sizeof(id), "%04x:%04x", pci->pci_subsystem_id & 0xffff, pci->pci_subsystem_id >> 16);
	gpu->subsystem_id = gs_snapshot_text(l->snapshot, id);
	return gpu;
}

static int read_nvml_list(struct look *l)
{
	struct gs_nvml *nvml = l->c->nvml;
	unsigned n = 0;

	if (GS_NVML_CALL(nvml, device_count, &n) != NVML_SUCCESS)
		return 0;
	for (unsigned i = 0; i < n && i < NVML_DEVICES_MAX; i++) {
		struct nvml_pci_info pci = { 0 };
		struct gs_gpu *gpu;
		struct gs_bdf bdf;
		nvml_device device;
		int r;

		if (GS_NVML_CALL(nvml, device_by_index, i, &device) != NVML_SUCCESS || GS_NVML_CALL(nvml, device_pci, device, &pci) != NVML_SUCCESS)
			continue;
		pci.bus_id[sizeof(pci.bus_id) - 1] = '\0';
		if (gs_bdf_parse(pci.bus_id, &bdf) < 0)
			continue;
		gpu = gpu_of(l, bdf, &pci);
		if (!gpu)
			return -ENOMEM;
		r = read_nvml_gpu(l, device, gpu);
		if (r < 0)
			return r;
	}
	return 0;
}

/* GPUs that the driver has but enumeration left out: lost ones answer 15 here. */
static int read_left_out(struct look *l)
{
	for (size_t i = 0; i < l->n_pci; i++) {
		char address[GS_BDF_TEXT];
		nvml_device device;
		struct gs_error why;
		int code, r;

		if (l->is_nvml[i] || !is_nvidia_driven(&l->pci[i]))
			continue;
		code = gs_mig_device(&l->c->mig, l->pci[i].bdf, &device);
		if (code == NVML_SUCCESS) {
			r = read_nvml_gpu(l, device, l->gpus[i]);
			if (r < 0)
				return r;
			continue;
		}
		gs_nvml_error(&why, code, GS_NVML_SYMBOL(device_by_bus_id), "the driver does not give access to the GPU at %s",
			      gs_bdf_format(l->pci[i].bdf, address));
		if (code == NVML_ERROR_GPU_IS_LOST)
			l->gpus[i]->lost = gs_snapshot_text(l->snapshot, why.text);
		else
			gs_snapshot_add_notice(l->snapshot, "%s", why.text);
		r = gs_holders_add_gpu(l->c->holders, l->gpus[i], minor_by_proc(l->c, l->pci[i].bdf));
		if (r < 0)
			return r;
	}
	return 0;
}

/* No library: the driver's own directories still tell which instances there are. */
static int read_without_nvml(struct look *l)
{
	for (size_t i = 0; i < l->n_pci; i++) {
		struct gs_u32 minor;
		int r;

		if (!is_nvidia_driven(&l->pci[i]))
			continue;
		minor = minor_by_proc(l->c, l->pci[i].bdf);
		r = gs_holders_add_gpu(l->c->holders, l->gpus[i], minor);
		if (r == 0 && minor.known)
			r = gs_mig_proc_read(l->c->root, l->snapshot, l->gpus[i], minor.value);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_nvml(struct look *l)
{
	char version[NVML_TEXT];
	bool is_wanted = !l->n_pci;
	int r;

	for (size_t i = 0; i < l->n_pci; i++)
		is_wanted = is_wanted || is_nvidia_driven(&l->pci[i]);
	restart_nvml_when_gpus_changed(l);
	if (!is_wanted)
		return 0;
	if (need_nvml(l->c) < 0) {
		if (l->n_pci)
			gs_snapshot_add_notice(l->snapshot, "%s", l->c->nvml_error.text);
		return read_without_nvml(l);
	}
	if (GS_NVML_CALL(l->c->nvml, driver_version, version, sizeof(version)) == NVML_SUCCESS) {
		version[sizeof(version) - 1] = '\0';
		gs_snapshot_set_driver_version(l->snapshot, version);
	}
	r = read_nvml_list(l);
	return r == 0 ? read_left_out(l) : r;
}

/* Names for those that NVML did not name: pci.ids is read from disk only then. */
static void name_gpus(struct look *l)
{
	for (size_t i = 0; i < l->n_pci; i++) {
		char name[128];

		if (!l->gpus[i]->name && gs_pci_name(l->c->pci, l->pci[i].vendor_id, l->pci[i].device_id, name, sizeof(name)))
			l->gpus[i]->name = gs_snapshot_text(l->snapshot, name);
	}
}

static void join_published(struct look *l)
{
	struct gs_published *published = &l->c->published;
	struct gs_error e;
	bool is_needed = !gs_machine_is_privileged(l->c->machine);

	for (size_t i = 0; i < l->n_pci; i++)
		is_needed = is_needed || (gs_mode_has_mig(l->gpus[i]->mode) && !l->gpus[i]->placements_visible);
	/* its absence is normal, and what it holds is checked like any foreign text */
	if (!is_needed || gs_published_refresh(l->c->root, published, &e) < 0)
		return;
	for (size_t i = 0; i < l->n_pci; i++) {
		if (gs_mode_has_mig(l->gpus[i]->mode) && !l->gpus[i]->placements_visible)
			l->gpus[i]->placements_visible = gs_published_join(published, l->snapshot, l->gpus[i]);
		gs_published_join_events(published, l->snapshot, l->gpus[i]);
		if (!gs_machine_is_privileged(l->c->machine))
			gs_published_join_open_commit(published, l->snapshot, l->gpus[i]);
	}
}

/* May this look leave something behind for others under run/gpuslice? */
static bool may_keep(const struct look *l)
{
	return gs_machine_is_privileged(l->c->machine) && !gs_machine_is_read_only(l->c->machine);
}

/* What is cut by sysfs, and the writes that the kernel still holds. */
static int read_families(struct look *l)
{
	for (size_t i = 0; i < l->n_pci; i++) {
		struct gs_family_look look = {
			.root = l->c->root,
			.pci = &l->pci[i],
			.snapshot = l->snapshot,
			.gpu = l->gpus[i],
			.catalogue = l->c->catalogue,
			.names = l->c->names,
		};

		if (gs_families_collect(&look) < 0)
			return -ENOMEM;
	}
	/* who cannot write it goes on with what is in memory */
	if (may_keep(l))
		gs_vgpu_names_save(l->c->names, l->c->root);
	/* the journal is root's: whoever may not read it cannot say that nothing is open, and nobody else can change anything */
	if (gs_machine_is_privileged(l->c->machine) && gs_open_commits_collect(&l->c->open_commits, l->c->root, l->snapshot) < 0)
		return -ENOMEM;
	return gs_writes_collect(l->c->root, l->snapshot, may_keep(l));
}

/* What NVML knows of vGPUs, which sysfs has shown. */
static int read_vgpus(struct look *l)
{
	int r = 0;

	for (size_t i = 0; i < l->n_pci && r == 0; i++) {
		if (!l->devices[i])
			continue;
		r = gs_vgpu_nvml_settings(l->c->nvml, l->devices[i], l->snapshot, l->gpus[i], &l->c->placements);
		if (r == 0)
			r = gs_vgpu_nvml_guests(l->c->nvml, l->devices[i], l->snapshot, l->gpus[i], l->options->telemetry);
	}
	return r;
}

static int read_telemetry(struct look *l)
{
	struct gs_readings_gpu *gpus = gs_arena_calloc(gs_snapshot_arena(l->snapshot), l->n_pci, sizeof(*gpus));

	if (!l->options->telemetry || !l->c->nvml)
		return 0;
	if (!l->c->readings)
		l->c->readings = gs_readings_new(l->c->nvml);
	if (!gpus || !l->c->readings)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_pci; i++)
		gpus[i] = (struct gs_readings_gpu){ l->devices[i], l->gpus[i] };
	/* who asks once has no next look to compare with */
	return gs_readings_look(l->c->readings, l->snapshot, gpus, l->n_pci, l->options->fresh);
}

static int look_at(struct look *l, struct gs_error *e)
{
	int r;

	for (size_t i = 0; i < l->n_pci; i++) {
		if (add_pci_gpu(l, i) < 0)
			return gs_error_oom(e);
	}
	gs_holders_begin(l->c->holders);
	r = read_nvml(l);
	for (size_t i = 0; i < l->n_pci && r == 0; i++)
		r = gs_holders_add_other_gpu(l->c->holders, l->gpus[i]);
	if (r == 0)
		r = read_families(l);
	if (r == 0)
		r = gs_holders_scan(l->c->holders, l->options->fresh);
	if (r == 0)
		r = gs_holders_finish(l->c->holders, l->snapshot);
	if (r == 0)
		r = gs_claims_apply(l->c->claims, l->snapshot, l->c->holders, l->options->fresh);
	if (r == 0)
		r = gs_restorers_apply(l->c->restorers, l->snapshot, l->options->fresh);
	if (r == 0)
		r = gs_kernel_log_apply(l->c->kernel_log, l->snapshot, l->gpus, l->n_pci);
	if (r == 0)
		r = read_vgpus(l);
	if (r == 0)
		r = read_telemetry(l);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "the machine cannot be looked at: %s", strerror(-r));
	name_gpus(l);
	join_published(l);
	/* what root is not told has been said where it failed */
	if (!gs_machine_is_privileged(l->c->machine))
		gs_mig_note_missing(l->snapshot, l->gpus, l->n_pci);
	return 0;
}

/* One that is gone from its bus still has its place in the machine: indices behind it count without it, and that has to be said. */
static void note_silent(const struct gs_pci *pci, struct gs_snapshot *s)
{
	const struct gs_bdf *functions;
	size_t n = gs_pci_silent(pci, &functions);
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < n; i++)
		gs_snapshot_add_notice(s, "%s: the device does not answer (vendor 0xffff): it has fallen off the bus, is left out, and GPUs behind it count one less",
				       gs_bdf_format(functions[i], bdf));
}

int gs_collect_snapshot(struct gs_collect *c, const struct gs_collect_options *options, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_snapshot_new();
	struct look l = { .c = c, .snapshot = s, .options = options };
	struct gs_bdf stuck[STUCK_MAX];
	size_t n_stuck;
	int r;

	if (!s)
		return gs_error_oom(e);
	gs_snapshot_set_host(s, gs_machine_host(c->machine), gs_machine_source(c->machine));
	gs_snapshot_set_telemetry(s, options->telemetry);
	if (c->catalogue_error.errnum)
		gs_snapshot_add_notice(s, "the catalogue of GPU models cannot be used: %s", c->catalogue_error.text);
	n_stuck = gs_writes_functions(c->root, stuck, STUCK_MAX);
	gs_pci_spare(c->pci, stuck, n_stuck);
	r = gs_pci_scan(c->pci, &l.pci, &l.n_pci, e);
	if (r < 0)
		return r;
	note_silent(c->pci, s);
	l.gpus = gs_arena_calloc(gs_snapshot_arena(s), l.n_pci, sizeof(*l.gpus));
	l.is_nvml = gs_arena_calloc(gs_snapshot_arena(s), l.n_pci, sizeof(*l.is_nvml));
	l.devices = gs_arena_calloc(gs_snapshot_arena(s), l.n_pci, sizeof(*l.devices));
	if (!l.gpus || !l.is_nvml || !l.devices)
		return gs_error_oom(e);
	r = look_at(&l, e);
	if (r < 0)
		return r;
	r = gs_snapshot_seal(s, e);
	if (r == 0)
		r = gs_saved_look_apply(c->saved, s, e);
	if (r < 0)
		return r;
	*ret_snapshot = GS_TAKE(s);
	return 0;
}
