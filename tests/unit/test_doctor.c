/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each check of doctor both ways, on machines of one or two GPUs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/doctor.h"
#include "codec/doctor_json.h"
#include "core/doctor.h"
#include "tests/lib/cmocka.h"

struct machine {
	struct gs_snapshot *s;
	struct gs_gpu *gpu;
	struct gs_doctor_facts facts;
	struct gs_doctor_gpu gpu_facts;
	struct gs_arena *arena;
	struct gs_doctor_finding *findings;
	size_t n;
};

static const struct gs_service services[] = { { "nvidia-persistenced.service", "why" }, { "nvidia-dcgm.service", "why" } };

/* One H100 in a machine where all is well: nothing but ok. */
static struct machine make(void)
{
	struct machine m = { .s = gs_snapshot_new(), .arena = gs_arena_new() };

	gs_snapshot_set_host(m.s, "host", GS_SOURCE_LIVE);
	m.gpu = gs_snapshot_add_gpu(m.s, (struct gs_bdf){ 0, 1, 0, 0 });
	m.gpu->vendor = GS_VENDOR_NVIDIA;
	m.gpu->driver = "nvidia";
	m.gpu->framework = GS_FRAMEWORK_NVML;
	m.gpu->mode = GS_MODE_WHOLE;
	m.gpu->mode_pending = GS_MODE_INVALID;
	m.gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG | 1u << GS_MODE_VGPU;
	m.gpu->holders_visible = m.gpu->placements_visible = m.gpu->events_visible = true;
	m.gpu->iommu_group = GS_U32(7);
	m.gpu->vfs.total = GS_U32(16);
	m.gpu->vfs.enabled = GS_U32(0);
	m.gpu->vfs.by = GS_VFS_BY_SRIOV_MANAGE;
	m.facts = (struct gs_doctor_facts){
		.is_privileged = GS_ANSWER_YES, .has_sys_admin = GS_ANSWER_YES, .in_user_namespace = GS_ANSWER_NO, .in_container = GS_ANSWER_NO,
		.sys_is_writable = GS_ANSWER_YES, .nvidia_loaded = GS_ANSWER_YES, .nvidia_is_open = GS_ANSWER_YES, .nouveau_loaded = GS_ANSWER_NO,
		.library_found = GS_ANSWER_YES, .library_differs = GS_ANSWER_NO, .has_iommu_groups = GS_ANSWER_YES, .vfio_pci_loaded = GS_ANSWER_YES,
		.vfio_pci_available = GS_ANSWER_YES, .has_mig_capabilities = GS_ANSWER_YES, .has_capability_nodes = GS_ANSWER_YES,
		.has_sriov_manage = GS_ANSWER_YES, .sriov_manage_runs = GS_ANSWER_YES, .vgpu_manager_runs = GS_ANSWER_YES,
		.fabric_manager_runs = GS_ANSWER_YES, .has_nvidia_smi = GS_ANSWER_YES, .kernel_release = "6.8.0", .nvidia_version = "570.1",
		.library_path = "/usr/lib/libnvidia-ml.so.570.1", .library_version = "570.1",
	};
	m.gpu_facts = (struct gs_doctor_gpu){ m.gpu->bdf, GS_ANSWER_YES, GS_ANSWER_YES };
	return m;
}

static void examine(struct machine *m)
{
	struct gs_error e;

	m->facts.gpus = &m->gpu_facts;
	m->facts.n_gpus = 1;
	assert_int_equal(gs_snapshot_seal(m->s, &e), 0);
	assert_int_equal(gs_doctor_examine(m->s, &m->facts, services, 2, m->arena, &m->findings, &m->n), 0);
}

static void drop(struct machine *m)
{
	gs_arena_free(m->arena);
	gs_snapshot_unref(m->s);
}

static const struct gs_doctor_finding *find(const struct machine *m, const char *check, enum gs_doctor_state state, const char *words)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->findings[i].check, check) == 0 && m->findings[i].state == state && strstr(m->findings[i].text, words))
			return &m->findings[i];
	return NULL;
}

/* What is said when @change has been done to the machine where all is well. */
struct change_case {
	const char *name;
	void (*change)(struct machine *m);
	const char *check;
	enum gs_doctor_state state;
	const char *words;
	int status;
};

static struct gs_holder *hold(struct machine *m, const char *name, const char *unit)
{
	struct gs_holder *h = gs_gpu_add_holder(m->s, m->gpu);

	h->kind = GS_HOLDER_PROCESS;
	h->pid = GS_U32(4711);
	h->name = name;
	h->unit = unit;
	h->uid = GS_U32(0);
	return h;
}

static void set_pending(struct machine *m)
{
	struct gs_setting *setting = gs_gpu_add_setting(m->s, m->gpu);

	setting->key = "memory-partition";
	setting->value = "NPS1";
	setting->pending = "NPS4";
}

static void set_event(struct machine *m)
{
	for (int i = 0; i < 2; i++) {
		struct gs_gpu_event *ev = gs_gpu_add_event(m->s, m->gpu);

		*ev = (struct gs_gpu_event){ GS_GPU_EVENT_XID, GS_I64(1763000005140), GS_U32(79), NULL };
	}
}

static void set_write(struct machine *m)
{
	struct gs_pending_write *w = gs_gpu_add_write(m->s, m->gpu);

	w->path = "sys/x/remove";
	w->value = "1";
	w->waits_for = "pid 5 qemu";
}

static void set_sibling(struct machine *m)
{
	gs_gpu_add_sibling(m->s, m->gpu)->bdf = (struct gs_bdf){ 0, 1, 0, 1 };
}

static void set_bridge(struct machine *m)
{
	struct gs_sibling *sibling = gs_gpu_add_sibling(m->s, m->gpu);

	sibling->bdf = (struct gs_bdf){ 0, 0, 1, 0 };
	sibling->is_bridge = true;
}

static void set_missing(struct machine *m, const char *symbol)
{
	assert_int_equal(gs_doctor_list_add(&m->facts.missing_symbols, m->arena, symbol), 0);
}

static void set_vendor(struct machine *m, enum gs_vendor vendor, const char *driver)
{
	m->gpu->vendor = vendor;
	m->gpu->driver = driver;
	m->gpu->modes = 1u << GS_MODE_WHOLE;
}

static void set_partition(struct machine *m, const char *key, const char *fixed)
{
	struct gs_setting *setting = gs_gpu_add_setting(m->s, m->gpu);

	setting->key = key;
	setting->value = "SPX";
	setting->fixed = fixed;
}

static void set_instance(struct machine *m, enum gs_mode mode)
{
	struct gs_instance *inst = gs_gpu_add_instance(m->s, m->gpu);

	inst->kind = mode == GS_MODE_MIG ? GS_KIND_MIG : mode == GS_MODE_PASSTHROUGH ? GS_KIND_PASSTHROUGH : GS_KIND_VGPU;
	m->gpu->mode = mode;
}

#define P GS_DOCTOR_PROBLEM
#define C GS_DOCTOR_CANNOT_TELL
#define N GS_DOCTOR_NOTE
#define K GS_DOCTOR_OK
#define CASES(X) \
	X(lost, m->gpu->lost = "it is lost", "gpus", P, "it is lost", 1) \
	X(notice, gs_snapshot_add_notice(m->s, "0000:02:00.0 fell off"), "gpus", C, "fell off", 2) \
	X(driver_absent, m->facts.nvidia_loaded = GS_ANSWER_NO, "driver", P, "not loaded", 1) \
	X(driver_absent_all_given, (m->facts.nvidia_loaded = GS_ANSWER_NO, m->gpu->mode = GS_MODE_PASSTHROUGH), "driver", N, "not loaded", 0) \
	X(driver_unseen, m->facts.nvidia_loaded = GS_ANSWER_UNKNOWN, "driver", C, "cannot be seen", 2) \
	X(driver_closed, m->facts.nvidia_is_open = GS_ANSWER_NO, "driver", K, "proprietary", 0) \
	X(nouveau_beside, m->facts.nouveau_loaded = GS_ANSWER_YES, "driver", N, "nouveau", 0) \
	X(nouveau_instead, (m->facts.nouveau_loaded = GS_ANSWER_YES, m->facts.nvidia_loaded = GS_ANSWER_NO), "driver", P, "nouveau", 1) \
	X(nouveau_bound, m->gpu->driver = "nouveau", "bound", P, "nouveau", 1) \
	X(unbound, m->gpu->driver = NULL, "bound", P, "no driver is bound", 1) \
	X(given, (m->gpu->driver = "vfio-pci", m->gpu->mode = GS_MODE_PASSTHROUGH), "bound", N, "given to VFIO", 0) \
	X(library_absent, (m->facts.library_found = GS_ANSWER_NO, m->facts.library_error = "no file"), "library", P, "no file", 1) \
	X(library_unknown, m->facts.library_found = GS_ANSWER_UNKNOWN, "library", C, "recording", 2) \
	X(library_differs, (m->facts.library_differs = GS_ANSWER_YES, m->facts.library_error = "18"), "library", P, "module is 570.1", 1) \
	X(library_fails, m->facts.library_error = "no permission", "library", P, "does not start: no permission", 1) \
	X(symbol_needed, set_missing(m, "nvmlDeviceSetMigMode"), "symbols", P, "nvmlDeviceSetMigMode: the MIG mode cannot be changed", 1) \
	X(symbol_helpful, set_missing(m, "nvmlDeviceGetGpuInstancePossiblePlacements_v2"), "symbols", N, "from the catalogue", 0) \
	X(symbol_other, set_missing(m, "nvmlDeviceGetNewThing"), "symbols", N, "lacks 1 function of newer drivers", 0) \
	X(symbol_without_mig, (set_missing(m, "nvmlDeviceSetMigMode"), m->gpu->modes = 1u << GS_MODE_WHOLE), "symbols", N, "SetMigMode", 0) \
	X(not_root, m->facts.is_privileged = GS_ANSWER_NO, "privileges", P, "not root", 1) \
	X(root_unknown, m->facts.is_privileged = GS_ANSWER_UNKNOWN, "privileges", C, "not known", 2) \
	X(no_capability, m->facts.has_sys_admin = GS_ANSWER_NO, "privileges", P, "CAP_SYS_ADMIN", 1) \
	X(user_namespace, m->facts.in_user_namespace = GS_ANSWER_YES, "privileges", P, "user namespace", 1) \
	X(sys_read_only, m->facts.sys_is_writable = GS_ANSWER_NO, "privileges", P, "read-only", 1) \
	X(container, m->facts.in_container = GS_ANSWER_YES, "privileges", N, "container", 0) \
	X(recording, gs_snapshot_set_host(m->s, "host", GS_SOURCE_SYSROOT), "privileges", N, "recorded", 0) \
	X(holders_hidden, m->gpu->holders_visible = false, "view", C, "somebody may hold it", 2) \
	X(places_hidden, (m->gpu->placements_visible = false, m->gpu->mode = GS_MODE_MIG), "view", C, "where its instances lie", 2) \
	X(stranded, (m->gpu->stranded = "bound to pci-pf-stub", m->gpu->driver = "pci-pf-stub"), "stranded", P, "pci-pf-stub", 1) \
	X(mode_pending, m->gpu->mode_pending = GS_MODE_MIG, "pending", P, "mode mig is asked for", 1) \
	X(setting_pending, set_pending(m), "pending", P, "memory-partition NPS4", 1) \
	X(write_pending, set_write(m), "pending", P, "for pid 5 qemu", 1) \
	X(no_iommu, m->facts.has_iommu_groups = GS_ANSWER_NO, "iommu", P, "the IOMMU is off", 1) \
	X(iommu_unknown, m->facts.has_iommu_groups = GS_ANSWER_UNKNOWN, "iommu", C, "cannot be seen", 2) \
	X(no_passthrough, m->gpu->no_passthrough = "the group is shared", "iommu-group", N, "the group is shared", 0) \
	X(no_group, m->gpu->iommu_group = GS_U32_UNKNOWN, "iommu-group", N, "no IOMMU group", 0) \
	X(sibling, set_sibling(m), "iommu-group", N, "1 other function ", 0) \
	X(vfio_unloaded, m->facts.vfio_pci_loaded = GS_ANSWER_NO, "vfio", N, "not loaded", 0) \
	X(vfio_absent, (m->facts.vfio_pci_loaded = GS_ANSWER_NO, m->facts.vfio_pci_available = GS_ANSWER_NO), "vfio", N, "not among", 0) \
	X(data_centre, m->gpu_facts.has_unbind_lock = GS_ANSWER_NO, "framework", N, "MIG and passthrough, but no vGPU", 0) \
	X(by_mdev, m->gpu->framework = GS_FRAMEWORK_MDEV, "framework", K, "vGPUs by mdev", 0) \
	X(by_vfio, m->gpu->framework = GS_FRAMEWORK_VENDOR_VFIO, "framework", K, "vGPUs by the vendor VFIO", 0) \
	X(t4_without_mdev, (m->gpu->vfs.total = GS_U32_UNKNOWN), "framework", P, "no mdev on kernel 6.8.0", 1) \
	X(no_manager, m->facts.vgpu_manager_runs = GS_ANSWER_NO, "vgpu-manager", P, "does not run", 1) \
	X(manager_unknown, m->facts.vgpu_manager_runs = GS_ANSWER_UNKNOWN, "vgpu-manager", C, "cannot be seen", 2) \
	X(no_vfs, m->gpu->vfs.total = GS_U32(0), "sriov", P, "allowed 0 VFs", 1) \
	X(no_space, m->gpu_facts.has_vf_space = GS_ANSWER_NO, "sriov", P, "gave its 16 VFs no addresses", 1) \
	X(vfs_on, m->gpu->vfs.enabled = GS_U32(16), "sriov", K, "16 of 16", 0) \
	X(vfs_unknown, m->gpu->vfs.enabled = GS_U32_UNKNOWN, "sriov", C, "cannot be read", 2) \
	X(no_tool, m->facts.has_sriov_manage = GS_ANSWER_NO, "sriov-manage", P, "not there", 1) \
	X(tool_not_run, m->facts.sriov_manage_runs = GS_ANSWER_NO, "sriov-manage", P, "not executable", 1) \
	X(tool_unknown, m->facts.has_sriov_manage = GS_ANSWER_UNKNOWN, "sriov-manage", C, "cannot be seen", 2) \
	X(no_nodes, m->facts.has_capability_nodes = GS_ANSWER_NO, "mig-nodes", N, "no nodes for MIG", 0) \
	X(no_capabilities, m->facts.has_mig_capabilities = GS_ANSWER_NO, "mig-nodes", N, "no /proc/driver", 0) \
	X(no_fabric, (m->gpu->is_in_fabric = true, m->facts.fabric_manager_runs = GS_ANSWER_NO), "fabric", N, "not seen to run", 0) \
	X(fabric, m->gpu->is_in_fabric = true, "fabric", K, "runs", 0) \
	X(amd, (set_vendor(m, GS_VENDOR_AMD, "amdgpu"), set_partition(m, "compute-partition", NULL)), "amd", K, "(now SPX)", 0) \
	X(amd_fixed, (set_vendor(m, GS_VENDOR_AMD, "amdgpu"), set_partition(m, "compute-partition", "a guest")), "amd", N, "a guest", 0) \
	X(amd_none, set_vendor(m, GS_VENDOR_AMD, "amdgpu"), "amd", N, "offers no memory-partition", 0) \
	X(intel, (set_vendor(m, GS_VENDOR_INTEL, "xe"), set_partition(m, "sched-priority", NULL)), "intel", K, "tuned", 0) \
	X(intel_old, set_vendor(m, GS_VENDOR_INTEL, "xe"), "intel", N, "no sriov_admin", 0) \
	X(intel_none, (set_vendor(m, GS_VENDOR_INTEL, "i915"), m->gpu->vfs.total = GS_U32_UNKNOWN), "intel", N, "offers no VFs", 0) \
	X(service, hold(m, "nv-hostengine", "nvidia-dcgm.service"), "services", P, "nvidia-dcgm.service holds GPU 0 open and stands", 1) \
	X(service_mild, (m->gpu->vfs.by = GS_VFS_BY_NOBODY, hold(m, "nvidia-persiste", "nvidia-persistenced.service")), "services", N, "may have to wait", 0) \
	X(work, hold(m, "python3", NULL), "holders", P, "pid 4711 python3", 1) \
	X(no_smi, (m->gpu->mode_needs_reset = true, m->facts.has_nvidia_smi = GS_ANSWER_NO), "reset-tool", N, "not there", 0) \
	X(smi, m->gpu->mode_needs_reset = true, "reset-tool", K, "is there", 0) \
	X(restorer, gs_snapshot_add_restorer(m->s, GS_RESTORER_UNIT, "a.service", "runs sriov-manage"), "restorers", N, "a.service runs sriov-manage: it puts a layout", 0) \
	X(event, set_event(m), "events", N, "the kernel's log says: 2025-11-13 02:13:25 UTC  Xid 79 (and 1 before)", 0) \
	X(no_log, m->gpu->events_visible = false, "events", N, "the kernel's log cannot be read here", 0) \
	X(interrupted, (m->gpu->open_commit = (struct gs_open_commit){ GS_OPEN_INTERRUPTED, 7, NULL }), "commit", P, "commit 7 was interrupted", 1) \
	X(half_done, (m->gpu->open_commit = (struct gs_open_commit){ GS_OPEN_NOT_UNDONE, 7, "commit 7 failed" }), "commit", P, "commit 7 failed", 1) \
	X(under_way, (m->gpu->open_commit = (struct gs_open_commit){ GS_OPEN_UNDER_WAY, 7, NULL }), "commit", N, "commit 7 is under way", 0) \
	X(drifted, (m->gpu->saved = GS_SAVED_DIFFERS), "drift", N, "it is not as it was saved", 0) \
	X(ampere, (m->gpu->mode_survives_reboot = m->gpu->mode_survival_is_known = true, set_instance(m, GS_MODE_MIG)), "reboot", N, "stays, kept on the board, and the instances are gone", 0) \
	X(hopper, (m->gpu->mode_survival_is_known = true, set_instance(m, GS_MODE_MIG)), "reboot", N, "is off again", 0) \
	X(unknown_generation, set_instance(m, GS_MODE_MIG), "reboot", N, "whether MIG mode stays is not known", 0) \
	X(vgpus, (m->gpu->vfs.enabled = GS_U32(16), set_instance(m, GS_MODE_VGPU)), "reboot", N, "VFs and vGPUs are gone", 0) \
	X(amd_reboot, (set_vendor(m, GS_VENDOR_AMD, "amdgpu"), set_partition(m, "compute-partition", NULL)), "reboot", N, "defaults", 0)

#define DEFINE_(name, code, ...) \
	static void change_##name(struct machine *m) \
	{ \
		(void)(code); \
	}
CASES(DEFINE_)
#define ROW_(name, code, ...) { #name, change_##name, __VA_ARGS__ },
static const struct change_case cases[] = { CASES(ROW_) };

static void a_sound_machine_is_only_ok(void **state)
{
	struct machine m = make();

	(void)state;
	examine(&m);
	assert_true(m.n > 5);
	for (size_t i = 0; i < m.n; i++) {
		if (m.findings[i].state != K)
			print_message("%s: %s\n", m.findings[i].check, m.findings[i].text);
		assert_int_equal(m.findings[i].state, K);
	}
	assert_int_equal(gs_doctor_status(m.findings, m.n), 0);
	drop(&m);
}

static void each_thing_amiss_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct change_case *c = &cases[i];
		struct machine sound = make(), m = make();

		examine(&sound);
		assert_null(find(&sound, c->check, c->state, c->words));
		drop(&sound);
		c->change(&m);
		examine(&m);
		if (!find(&m, c->check, c->state, c->words) || gs_doctor_status(m.findings, m.n) != c->status) {
			print_message("case %s, status %d:\n", c->name, gs_doctor_status(m.findings, m.n));
			for (size_t k = 0; k < m.n; k++)
				print_message("  %s %s: %s\n", gs_doctor_state_name(m.findings[k].state), m.findings[k].check, m.findings[k].text);
		}
		assert_non_null(find(&m, c->check, c->state, c->words));
		assert_int_equal(gs_doctor_status(m.findings, m.n), c->status);
		/* what stands in the way comes with what to do, but for what is not to be mended here */
		for (size_t k = 0; k < m.n; k++)
			assert_true(m.findings[k].state != P || m.findings[k].remedy);
		drop(&m);
	}
}

static void a_bridge_and_our_own_are_in_nobodys_way(void **state)
{
	struct machine m = make();

	(void)state;
	set_bridge(&m);
	hold(&m, "gpuslice", NULL)->yields = true;
	examine(&m);
	assert_null(find(&m, "iommu-group", N, ""));
	assert_null(find(&m, "holders", P, ""));
	drop(&m);
}

static void a_missing_function_is_said_once(void **state)
{
	struct machine m = make();

	(void)state;
	set_missing(&m, "nvmlDeviceSetMigMode");
	set_missing(&m, "nvmlGpuInstanceDestroy");
	examine(&m);
	assert_non_null(find(&m, "symbols", P, "nvmlGpuInstanceDestroy"));
	assert_null(find(&m, "symbols", N, ""));
	drop(&m);
	m = make();
	set_missing(&m, "nvmlDeviceGetNewThing");
	set_missing(&m, "nvmlDeviceSetMigMode");
	examine(&m);
	assert_non_null(find(&m, "symbols", N, "lacks 1 other function"));
	drop(&m);
}

static void without_a_gpu_there_is_nothing_to_cut(void **state)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_arena *arena = gs_arena_new();
	struct gs_doctor_facts facts = { .is_privileged = GS_ANSWER_YES };
	struct gs_doctor_finding *findings;
	struct gs_error e;
	size_t n;

	(void)state;
	gs_snapshot_set_host(s, "host", GS_SOURCE_LIVE);
	assert_int_equal(gs_snapshot_seal(s, &e), 0);
	assert_int_equal(gs_doctor_examine(s, &facts, NULL, 0, arena, &findings, &n), 0);
	assert_int_equal(gs_doctor_status(findings, n), 1);
	assert_string_equal(findings[0].check, "gpus");
	/* nothing is said of what concerns no GPU */
	assert_int_equal(n, 2);
	gs_arena_free(arena);
	gs_snapshot_unref(s);
}

static void a_service_is_said_once_with_its_gpus(void **state)
{
	static const uint32_t with[] = { 0, 1, 2, 4, 6, 7 };
	struct machine m = make();
	struct gs_gpu *gpus[8] = { m.gpu };
	struct gs_error e;
	size_t n_said = 0;

	(void)state;
	for (uint8_t i = 1; i < 8; i++) {
		gpus[i] = gs_snapshot_add_gpu(m.s, (struct gs_bdf){ 0, (uint8_t)(i + 1), 0, 0 });
		*gpus[i] = (struct gs_gpu){ .bdf = gpus[i]->bdf, .vendor = GS_VENDOR_NVIDIA, .driver = "nvidia", .modes = m.gpu->modes, .mode = GS_MODE_WHOLE,
					   .mode_pending = GS_MODE_INVALID, .framework = GS_FRAMEWORK_NVML, .holders_visible = true };
	}
	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
		struct gs_holder *h = gs_gpu_add_holder(m.s, gpus[with[i]]);

		h->kind = GS_HOLDER_PROCESS;
		h->pid = GS_U32(9);
		h->name = "nv-hostengine";
		h->unit = "nvidia-dcgm.service";
	}
	assert_int_equal(gs_snapshot_seal(m.s, &e), 0);
	assert_int_equal(gs_doctor_examine(m.s, &m.facts, services, 2, m.arena, &m.findings, &m.n), 0);
	assert_non_null(find(&m, "services", P, "nvidia-dcgm.service holds GPUs 0-2, 4, 6, 7 open"));
	assert_null(find(&m, "holders", P, ""));
	for (size_t i = 0; i < m.n; i++)
		n_said += strcmp(m.findings[i].check, "services") == 0;
	assert_int_equal(n_said, 1);
	drop(&m);
}

static void facts_survive_the_wire(void **state)
{
	struct machine m = make();
	struct gs_doctor_facts back = { 0 };
	GS_JSON struct json_object *o = NULL, *again = NULL;
	struct gs_error e;

	(void)state;
	m.facts.in_container = GS_ANSWER_UNKNOWN;
	m.facts.library_error = "x";
	set_missing(&m, "nvmlA");
	m.facts.gpus = &m.gpu_facts;
	m.facts.n_gpus = 1;
	o = gs_doctor_facts_to_json(&m.facts);
	assert_int_equal(gs_doctor_facts_from_json(o, m.arena, &back, &e), 0);
	assert_int_equal(back.in_container, GS_ANSWER_UNKNOWN);
	assert_int_equal(back.nouveau_loaded, GS_ANSWER_NO);
	assert_int_equal(back.is_privileged, GS_ANSWER_YES);
	assert_string_equal(back.missing_symbols.items[0], "nvmlA");
	assert_int_equal(back.gpus[0].has_unbind_lock, GS_ANSWER_YES);
	again = gs_doctor_facts_to_json(&back);
	assert_string_equal(json_object_to_json_string(again), json_object_to_json_string(o));
	drop(&m);
}

static void facts_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = {
		"[]", "3", "{\"is_privileged\": 1}", "{\"kernel_release\": []}", "{\"missing_symbols\": [1]}", "{\"missing_symbols\": {}}",
		"{\"gpus\": [3]}", "{\"gpus\": [{}]}", "{\"gpus\": [{\"bdf\": \"x\"}]}", "{\"gpus\": [{\"bdf\": \"0000:01:00.0\", \"has_vf_space\": \"yes\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		GS_JSON struct json_object *o = NULL;
		GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
		struct gs_doctor_facts facts = { .kernel_release = "untouched" };
		struct gs_error e = { 0 };

		assert_int_equal(gs_json_parse(wrong[i], strlen(wrong[i]), "facts", &o, &e), 0);
		assert_int_equal(gs_doctor_facts_from_json(o, arena, &facts, &e), -EBADMSG);
		assert_true(e.text[0]);
		assert_string_equal(facts.kernel_release, "untouched");
	}
}

static void words_are_read_as_they_are_written(void **state)
{
	(void)state;
	for (int i = 0; i < GS_DOCTOR_MAX; i++)
		assert_int_equal(gs_doctor_state_from_name(gs_doctor_state_name((enum gs_doctor_state)i)), i);
	assert_int_equal(gs_doctor_state_from_name("bad"), GS_DOCTOR_INVALID);
	assert_null(gs_doctor_state_name(GS_DOCTOR_INVALID));
}

static void versions_of_the_kernel_module(void **state)
{
	static const struct {
		const char *text, *version;
		bool is_open;
	} rows[] = {
		{ "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (b@h)\nGCC version:  gcc version 12.2.0\n", "570.124.06", true },
		{ "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.05  Thu Feb 22 00:00:00 UTC 2024\nGCC version: 12.2.0", "535.161.05", false },
		{ "NVRM version: NVIDIA UNIX x86_64 Kernel Module", NULL, false },
		{ "GCC version: 12.2.0\nKernel Module 1.2", NULL, false },
		{ "", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char version[64] = "";
		bool is_open = false;

		assert_int_equal(gs_doctor_parse_nvidia_version(rows[i].text, version, sizeof(version), &is_open), rows[i].version != NULL);
		if (rows[i].version) {
			assert_string_equal(version, rows[i].version);
			assert_int_equal(is_open, rows[i].is_open);
		}
	}
}

static void what_the_kernel_says_of_the_caller(void **state)
{
	(void)state;
	assert_int_equal(gs_doctor_has_capability("Name:\tx\nCapEff:\t000001ffffffffff\n", 21), GS_ANSWER_YES);
	assert_int_equal(gs_doctor_has_capability("Name:\tx\nCapEff:\t00000000a80425fb\n", 21), GS_ANSWER_NO);
	assert_int_equal(gs_doctor_has_capability("Name:\tCapEff: f\n", 21), GS_ANSWER_UNKNOWN);
	assert_int_equal(gs_doctor_is_mapped("         0          0 4294967295\n"), GS_ANSWER_NO);
	assert_int_equal(gs_doctor_is_mapped("         0     100000      65536\n"), GS_ANSWER_YES);
	assert_int_equal(gs_doctor_is_mapped("         0          0          1\n"), GS_ANSWER_YES);
	assert_int_equal(gs_doctor_is_mapped(""), GS_ANSWER_UNKNOWN);
	assert_int_equal(gs_doctor_is_sys_writable("sysfs /sys sysfs rw,nosuid 0 0\n"), GS_ANSWER_YES);
	assert_int_equal(gs_doctor_is_sys_writable("sysfs /sys sysfs ro,nosuid 0 0\n"), GS_ANSWER_NO);
	assert_int_equal(gs_doctor_is_sys_writable("sysfs /sys sysfs ro 0 0\nsysfs /sys sysfs rw 0 0\n"), GS_ANSWER_YES);
	assert_int_equal(gs_doctor_is_sys_writable("sysfs /sys sysfs rw,romode 0 0\n"), GS_ANSWER_YES);
	assert_int_equal(gs_doctor_is_sys_writable("tmpfs /tmp tmpfs ro 0 0\n"), GS_ANSWER_UNKNOWN);
}

static void addresses_of_vfs(void **state)
{
#define NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define BARS NONE NONE NONE NONE NONE NONE NONE
#define GIVEN "0x00000000c0500000 0x00000000c050ffff 0x0000000000040200\n"
#define NOT_GIVEN "0x0000000000000000 0x000000000003ffff 0x0000000000140204\n"
	(void)state;
	assert_int_equal(gs_doctor_vf_space(""), GS_ANSWER_UNKNOWN);
	assert_int_equal(gs_doctor_vf_space(BARS), GS_ANSWER_UNKNOWN);
	/* the GPU's own BARs say nothing about its VFs' */
	assert_int_equal(gs_doctor_vf_space(NOT_GIVEN BARS NONE), GS_ANSWER_UNKNOWN);
	assert_int_equal(gs_doctor_vf_space(BARS NONE), GS_ANSWER_UNKNOWN);
	assert_int_equal(gs_doctor_vf_space(BARS GIVEN NONE), GS_ANSWER_YES);
	assert_int_equal(gs_doctor_vf_space(BARS GIVEN NONE NOT_GIVEN), GS_ANSWER_NO);
	/* what comes behind them is a bridge's */
	assert_int_equal(gs_doctor_vf_space(BARS NONE NONE NONE NONE NONE NONE NOT_GIVEN), GS_ANSWER_UNKNOWN);
	assert_int_equal(gs_doctor_vf_space("rubbish\n"), GS_ANSWER_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_machine_is_only_ok),
		cmocka_unit_test(each_thing_amiss_is_named),
		cmocka_unit_test(a_bridge_and_our_own_are_in_nobodys_way),
		cmocka_unit_test(a_missing_function_is_said_once),
		cmocka_unit_test(without_a_gpu_there_is_nothing_to_cut),
		cmocka_unit_test(a_service_is_said_once_with_its_gpus),
		cmocka_unit_test(facts_survive_the_wire),
		cmocka_unit_test(facts_that_are_none_are_refused),
		cmocka_unit_test(words_are_read_as_they_are_written),
		cmocka_unit_test(versions_of_the_kernel_module),
		cmocka_unit_test(what_the_kernel_says_of_the_caller),
		cmocka_unit_test(addresses_of_vfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
