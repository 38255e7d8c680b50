/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of the simulated machine, AMD's partitions and Intel's shares. */
#include "test_sim_fixture.h"

#define DEV(bdf) "sys/bus/pci/devices/" bdf "/"
#define SRIOV_MANAGE "/usr/lib/nvidia/sriov-manage "

static int count_vfs(struct fixture *f, const char *pf)
{
	char path[128];
	int n = 0;

	do
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/virtfn%d", pf, n);
	while (fixture_exists(f, path) && ++n);
	return n;
}

static void stop_services(struct fixture *f)
{
	assert_int_equal(fixture_run(f, "systemctl stop dcgm-exporter.service", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-dcgm", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-persistenced.service", NULL, 0), 0);
}

static void whoever_holds_the_gpu_keeps_its_vfs_as_they_are(void **state)
{
	struct fixture *f = *state;
	char output[128];

	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:c6:00.0", output, sizeof(output)), 1);
	assert_string_equal(output, "Cannot obtain unbindLock for 0000:c6:00.0\n");
	/* what is so already needs no lock */
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:a1:00.0", output, sizeof(output)), 0);
	assert_string_equal(output, "");
	stop_services(f);
	/* the VMs hold theirs through the vGPU manager and VFIO */
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-d 0000:26:00.0", output, sizeof(output)), 1);
	assert_int_equal(count_vfs(f, "0000:26:00.0"), 32);
	/* a manager's child goes with its VM */
	assert_int_equal(fixture_kill(f, 20111, SIGTERM), 0);
	assert_false(fixture_exists(f, "proc/20140"));
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-d 0000:26:00.0", output, sizeof(output)), 1);
	assert_int_equal(fixture_kill(f, 20587, SIGTERM), 0);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-d 0000:26:00.0", output, sizeof(output)), 0);
	assert_int_equal(count_vfs(f, "0000:26:00.0"), 0);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:c6:00.0", NULL, 0), 0);
	assert_int_equal(count_vfs(f, "0000:c6:00.0"), 32);
	assert_file(f, DEV("0000:c6:00.0") "sriov_numvfs", "32");
	assert_link(f, DEV("0000:c6:00.0") "virtfn31", "../0000:c6:04.3");
	assert_true(fixture_exists(f, DEV("0000:c6:04.3") "nvidia/creatable_vgpu_types"));
	assert_int_equal(fixture_run(f, "sriov-manage -d 0000:c6:00.0", NULL, 0), 0);
	assert_int_equal(count_vfs(f, "0000:c6:00.0"), 0);
	assert_false(fixture_exists(f, "sys/kernel/iommu_groups/631"));
}

static void a_real_process_with_the_node_open_counts(void **state)
{
	struct fixture *f = *state;

	stop_services(f);
	fixture_init(f, true);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:c6:00.0", NULL, 0), 1);
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:c6:00.0", NULL, 0), 0);
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_SUCCESS);
}

static void disabling_takes_types_and_instances_along(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV("0000:a1:00.4") "nvidia/current_vgpu_type", "1155"), 0);
	stop_services(f);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-d 0000:a1:00.0", NULL, 0), 0);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:a1:00.0", NULL, 0), 0);
	assert_file(f, DEV("0000:a1:00.4") "nvidia/current_vgpu_type", "0");
}

static void sriov_manage_can_lie_and_can_stop_half_way(void **state)
{
	struct fixture *f = *state;

	stop_services(f);
	assert_int_equal(fixture_fault(f, "program sriov-manage nothing"), 0);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:c6:00.0", NULL, 0), 0);
	assert_int_equal(count_vfs(f, "0000:c6:00.0"), 0);
	assert_int_equal(fixture_fault(f, "program sriov-manage exit 3"), 0);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:c6:00.0", NULL, 0), 3);
	assert_int_equal(fixture_fault(f, "program sriov-manage interrupted"), 0);
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e 0000:c6:00.0", NULL, 0), 130);
	assert_link(f, DEV("0000:c6:00.0") "driver", "../../../../bus/pci/drivers/pci-pf-stub");
	assert_file(f, DEV("0000:c6:00.0") "sriov_numvfs", "0");
	assert_false(fixture_exists(f, "proc/driver/nvidia/gpus/0000:c6:00.0"));
	/* the way out (interfaces 3.4) */
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers/pci-pf-stub/unbind", "0000:c6:00.0"), 0);
	assert_int_equal(fixture_store(f, DEV("0000:c6:00.0") "driver_override", "\n"), 0);
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers_probe", "0000:c6:00.0"), 0);
	assert_link(f, DEV("0000:c6:00.0") "driver", "../../../../bus/pci/drivers/nvidia");
}

static void a_unit_comes_back_as_other_processes(void **state)
{
	struct fixture *f = *state;
	char output[64];

	assert_int_equal(fixture_run(f, "systemctl is-active nvidia-persistenced.service", output, sizeof(output)), 0);
	assert_string_equal(output, "active\n");
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-persistenced.service", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl is-active nvidia-persistenced", output, sizeof(output)), 3);
	assert_string_equal(output, "inactive\n");
	assert_false(fixture_exists(f, "proc/1893"));
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-persistenced", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl start nvidia-persistenced", NULL, 0), 0);
	assert_false(fixture_exists(f, "proc/1893"));
	assert_file(f, "proc/200000/comm", "nvidia-persiste");
	assert_link(f, "proc/200000/fd/4", "/dev/nvidia0");
	assert_true(fixture_start_time(f, 200000) > 72743100);
	assert_int_equal(fixture_run(f, "systemctl start no-such.service", output, sizeof(output)), 5);
	assert_int_equal(fixture_run(f, "systemctl restart nvidia-persistenced", output, sizeof(output)), 1);
}

static void modules_and_unknown_programs(void **state)
{
	struct fixture *f = *state;
	char output[128];

	assert_false(fixture_exists(f, "sys/bus/pci/drivers/pci-pf-stub"));
	assert_int_equal(fixture_run(f, "modprobe pci-pf-stub", NULL, 0), 0);
	assert_true(fixture_exists(f, "sys/bus/pci/drivers/pci-pf-stub/bind"));
	assert_int_equal(fixture_run(f, "/sbin/modprobe nvgrace_gpu_vfio_pci", NULL, 0), 0);
	assert_true(fixture_exists(f, "sys/module/nvgrace_gpu_vfio_pci"));
	assert_link(f, "sys/module/vfio_pci_core/holders/nvgrace_gpu_vfio_pci", "../../nvgrace_gpu_vfio_pci");
	assert_int_equal(fixture_run(f, "modprobe no_such_module", output, sizeof(output)), 1);
	assert_non_null(strstr(output, "not found"));
	assert_int_equal(fixture_run(f, "/bin/sh -c true", NULL, 0), -ENOENT);
	assert_int_equal(fixture_run(f, "scontrol show node", NULL, 0), -ENOENT);
	gs_sim_set_root(f->sim, false);
	assert_int_equal(fixture_run(f, "modprobe pci-pf-stub", NULL, 0), -EACCES);
}

static void slurm_answers_where_there_is_slurm(void **state)
{
	struct fixture *f = *state;     /* b200 */
	char output[4096];

	assert_int_equal(fixture_run(f, "scontrol show jobs -d", output, sizeof(output)), 0);
	assert_non_null(strstr(output, "JobId=4712"));
	assert_non_null(strstr(output, "GRES=gpu:b200:1(IDX:2)"));
	assert_int_equal(fixture_run(f, "scontrol show node b200", output, sizeof(output)), 0);
	assert_non_null(strstr(output, "Gres=gpu:b200:8"));
	assert_int_equal(fixture_run(f, "scontrol show licenses", output, sizeof(output)), 1);
	/* a host without the vGPU driver has no sriov-manage, and no unbindLock */
	assert_int_equal(fixture_run(f, SRIOV_MANAGE "-e ALL", NULL, 0), -ENOENT);
	assert_false(fixture_exists(f, "proc/driver/nvidia/gpus/0000:1b:00.0/unbindLock"));
}

static void the_unbind_lock_is_told_by_reading_it(void **state)
{
	struct fixture *f = *state;

#define LOCK "proc/driver/nvidia/gpus/0000:c6:00.0/unbindLock"
	assert_file(f, LOCK, "0");
	assert_int_equal(fixture_store(f, LOCK, "1"), 0);
	assert_file(f, LOCK, "0");
	stop_services(f);
	assert_int_equal(fixture_store(f, LOCK, "1"), 0);
	assert_file(f, LOCK, "1");
	assert_int_equal(fixture_store(f, LOCK, "nonsense"), 0);
	assert_int_equal(fixture_store(f, LOCK, "0"), 0);
	assert_file(f, LOCK, "0");
}

/* ------------------------------------------------------------ AMD */

#define MI "sys/bus/pci/devices/0000:83:00.0/"

static void compute_partitions_switch_at_once(void **state)
{
	struct fixture *f = *state;

	assert_file(f, MI "current_compute_partition", "SPX");
	assert_file(f, MI "available_compute_partition", "SPX, DPX, QPX, CPX");
	assert_file(f, MI "available_memory_partition", "NPS1, NPS4");
	assert_file(f, MI "compute_partition_config/supported_nps_configs", "NPS1");
	assert_file(f, "sys/class/drm/card1/device/current_compute_partition", "SPX");
	assert_true(fixture_exists(f, "dev/kfd"));
	assert_false(fixture_exists(f, "dev/dri/renderD129"));
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "TPX"), -EINVAL);
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "XPX"), -EINVAL);
	assert_int_equal(fixture_store(f, MI "compute_partition_config/xcp_config", "CPX"), 0);
	assert_file(f, MI "current_compute_partition", "SPX");
	assert_file(f, MI "compute_partition_config/xcc/num_inst", "1");
	assert_file(f, MI "compute_partition_config/supported_nps_configs", "NPS1, NPS4");
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "cpx\n"), 0);
	assert_file(f, MI "current_compute_partition", "CPX");
	assert_true(fixture_exists(f, "dev/dri/renderD135"));
	assert_false(fixture_exists(f, "dev/dri/renderD136"));
	assert_true(fixture_exists(f, "sys/class/drm/renderD135/device"));
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "SPX"), 0);
	assert_false(fixture_exists(f, "dev/dri/renderD129"));
}

static void compute_partitions_wait_for_nobody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_hold(f, 31007, "/dev/kvm", "/dev/kfd"), 0);
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "DPX"), -EBUSY);
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "SPX"), 0);
	assert_int_equal(fixture_kill(f, 31007, SIGTERM), 0);
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "DPX"), 0);
}

static void memory_partitions_take_effect_at_a_reload(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, MI "current_memory_partition", "NPS8"), -EINVAL);
	assert_int_equal(fixture_store(f, MI "current_memory_partition", "NPS4\n"), 0);
	assert_file(f, MI "current_memory_partition", "NPS1");
	assert_int_equal(fixture_fault(f, "reload amdgpu"), 0);
	assert_file(f, MI "current_memory_partition", "NPS4");
	/* SPX does not go with NPS4 */
	assert_file(f, MI "current_compute_partition", "QPX");
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "SPX"), -EINVAL);
	assert_int_equal(fixture_store(f, MI "current_compute_partition", "CPX"), 0);
}

static void a_reload_of_nvidia_wipes(void **state)
{
	struct fixture *f = *state;     /* kvm-l40s */

	assert_int_equal(fixture_fault(f, "reload nvidia"), 0);
	assert_int_equal(count_vfs(f, "0000:a1:00.0"), 0);
	assert_link(f, DEV("0000:a1:00.0") "driver", "../../../../bus/pci/drivers/nvidia");
}

/* ------------------------------------------------------------ Intel */

#define FLEX "sys/bus/pci/devices/0000:9a:00.0/"
#define ADMIN FLEX "sriov_admin/"

static void xe_profiles_are_numbered_from_one(void **state)
{
	struct fixture *f = *state;

	assert_true(fixture_exists(f, ADMIN "vf31/profile/vram_quota"));
	assert_false(fixture_exists(f, ADMIN "vf0"));
	assert_false(fixture_exists(f, ADMIN "vf1/device"));
	assert_file(f, ADMIN "pf/profile/sched_priority", "[low] normal high");
	assert_file(f, ADMIN "vf1/profile/sched_priority", "[low] normal");
	assert_false(fixture_exists(f, ADMIN "pf/profile/vram_quota"));
	assert_int_equal(fixture_store(f, ADMIN "pf/profile/sched_priority", "high\n"), 0);
	assert_file(f, ADMIN "pf/profile/sched_priority", "low normal [high]");
	assert_int_equal(fixture_store(f, ADMIN "pf/profile/sched_priority", "urgent"), -EINVAL);
	assert_int_equal(fixture_store(f, ADMIN "vf1/profile/sched_priority", "normal"), -EACCES);
	assert_int_equal(fixture_store(f, ADMIN "vf1/profile/exec_quantum_ms", "20"), 0);
	assert_file(f, ADMIN "vf1/profile/exec_quantum_ms", "20");
	assert_int_equal(fixture_store(f, ADMIN "vf1/profile/exec_quantum_ms", "-1"), -EINVAL);
	assert_int_equal(fixture_store(f, ADMIN ".bulk_profile/preempt_timeout_us", "640000"), 0);
	assert_file(f, ADMIN "pf/profile/preempt_timeout_us", "640000");
	assert_file(f, ADMIN "vf31/profile/preempt_timeout_us", "640000");
	assert_int_equal(gs_sim_root_ops.read(f->sim, ADMIN ".bulk_profile/preempt_timeout_us"), -EACCES);
}

static void enabling_vfs_shares_fairly_unless_quotas_were_set(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, FLEX "sriov_numvfs", "2"), 0);
	assert_file(f, ADMIN "vf1/profile/vram_quota", "8388608000");
	assert_file(f, ADMIN "vf3/profile/vram_quota", "0");
	assert_link(f, ADMIN "vf1/device", "../../../0000:9a:00.1");
	assert_int_equal(fixture_store(f, FLEX "sriov_numvfs", "0"), 0);
	assert_file(f, ADMIN "vf1/profile/vram_quota", "0");
	assert_int_equal(fixture_store(f, ADMIN "vf1/profile/vram_quota", "99999999999"), -EINVAL);
	assert_int_equal(fixture_store(f, ADMIN "vf1/profile/vram_quota", "12000000000"), 0);
	assert_int_equal(fixture_store(f, ADMIN "vf2/profile/vram_quota", "12000000000"), -EIO);
	assert_int_equal(fixture_store(f, ADMIN "vf2/profile/vram_quota", "4000000000"), 0);
	assert_int_equal(fixture_store(f, FLEX "sriov_numvfs", "2"), 0);
	assert_file(f, ADMIN "vf1/profile/vram_quota", "12000000000");
}

/* The same card under the older driver: the state is written anew with another kind. */
static void i915_has_its_own_directory(void **state)
{
	struct fixture *f = *state;
	char *path = fixture_state_path(f), *text, *changed = NULL;
	static const char *const swaps[][2] = {
		{ "\"kind\":\"xe\"", "\"kind\":\"i915-prelim\"" }, { "\"driver\":\"xe\",\n        \"native\":\"xe\"", "\"driver\":\"i915\",\n        \"native\":\"i915\"" },
	};
	size_t n;

	assert_int_equal(gs_file_read(path, 1u << 22, &text, &n, NULL), 0);
	for (size_t i = 0; i < GS_ARRAY_SIZE(swaps); i++) {
		char *at = strstr(text, swaps[i][0]);

		if (!at)
			fail_msg("the state has no %s", swaps[i][0]);
		assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, swaps[i][1], at + strlen(swaps[i][0])) > 0);
		free(text);
		text = changed;
	}
	assert_int_equal(gs_file_replace(path, text, strlen(text), 0600, NULL), 0);
	free(text);
	free(path);

#define IOV "sys/class/drm/card2/prelim_iov/"
	/* any change brings the tree to the new state */
	assert_int_equal(fixture_fault(f, "uuid old"), 0);
	assert_false(fixture_exists(f, ADMIN "pf"));
	assert_file(f, IOV "mode", "PF");
	assert_file(f, IOV "pf/auto_provisioning", "1");
	assert_int_equal(fixture_store(f, IOV "vf1/gt0/lmem_quota", "4194304000"), 0);
	assert_file(f, IOV "pf/auto_provisioning", "0");
	assert_file(f, IOV "vf1/gt0/lmem_quota", "4194304000");
	assert_int_equal(fixture_store(f, IOV "vf1/gt0/doorbells_quota", "241"), -EINVAL);
	assert_int_equal(fixture_store(f, FLEX "sriov_numvfs", "1"), 0);
	assert_int_equal(fixture_store(f, IOV "vf1/gt0/lmem_quota", "1"), -EBUSY);
	assert_int_equal(fixture_store(f, IOV "vf1/gt0/exec_quantum_ms", "10"), 0);
	assert_link(f, IOV "vf1/device", "../../../../../0000:9a:00.1");
}

/* ------------------------------------------------------------ all */

/* Every single byte of a richer state that is damaged either reads as something legal or is refused. */
static void a_damaged_byte_never_does_more_than_fail(void **state)
{
	struct fixture *f = *state;
	char *path = fixture_state_path(f), *text;
	size_t n;

	assert_int_equal(fixture_store(f, FLEX "sriov_numvfs", "3"), 0);
	assert_int_equal(gs_file_read(path, 1u << 22, &text, &n, NULL), 0);
	for (size_t i = 0; i < n; i += 97) {
		char *fault_text = NULL, old = text[i];

		text[i] = (char)(i % 3 ? '9' : '"');
		assert_int_equal(gs_file_replace(path, text, n, 0600, NULL), 0);
		if (gs_sim_fault_list(f->sim, &fault_text, NULL) == 0)
			free(fault_text);
		text[i] = old;
	}
	free(text);
	free(path);
}

#define ON(host, name) \
	{ #name, name, fixture_setup, fixture_teardown, (void *)(uintptr_t)host }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON("kvm-l40s", whoever_holds_the_gpu_keeps_its_vfs_as_they_are),
		ON("kvm-l40s", a_real_process_with_the_node_open_counts),
		ON("kvm-l40s", disabling_takes_types_and_instances_along),
		ON("kvm-l40s", sriov_manage_can_lie_and_can_stop_half_way),
		ON("kvm-l40s", a_unit_comes_back_as_other_processes),
		ON("kvm-l40s", modules_and_unknown_programs),
		ON("b200", slurm_answers_where_there_is_slurm),
		ON("kvm-l40s", the_unbind_lock_is_told_by_reading_it),
		ON("lab", compute_partitions_switch_at_once),
		ON("lab", compute_partitions_wait_for_nobody),
		ON("lab", memory_partitions_take_effect_at_a_reload),
		ON("kvm-l40s", a_reload_of_nvidia_wipes),
		ON("lab", xe_profiles_are_numbered_from_one),
		ON("lab", enabling_vfs_shares_fairly_unless_quotas_were_set),
		ON("lab", i915_has_its_own_directory),
		ON("lab", a_damaged_byte_never_does_more_than_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
