/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a function through VFIO, a display node, the compute driver; machines, containers, jobs, kernel modules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backend/fdscan.h"
#include "backend/holders.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define UUID "d0cebc46-0436-4e5d-a623-40ca2c938f4f"
#define ID64 "3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a"

/* 26:00.0 with two VFs, the second with a vGPU; 41:00.0 is amdgpu's; 61:00.0 is given to VFIO. */
struct host {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
	struct gs_holders *h;
	struct gs_snapshot *s;
	struct gs_gpu *nvidia, *amd, *given;
	struct gs_vf *vf[2];
	struct gs_instance *vgpu;
};

static struct gs_gpu *add_gpu(struct host *m, uint8_t bus, enum gs_vendor vendor, const char *driver)
{
	struct gs_gpu *gpu = gs_snapshot_add_gpu(m->s, (struct gs_bdf){ 0, bus, 0, 0 });

	gpu->vendor = vendor;
	gpu->driver = driver;
	return gpu;
}

static void make_host(struct host *m)
{
	memset(m, 0, sizeof(*m));
	gs_tree_new(m->dir);
	gs_tree_put(m->dir, "proc/self", "");
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, m->dir, &m->root, NULL), 0);
	m->h = gs_holders_new(m->root);
	m->s = gs_snapshot_new();
	m->nvidia = add_gpu(m, 0x26, GS_VENDOR_NVIDIA, "nvidia");
	m->amd = add_gpu(m, 0x41, GS_VENDOR_AMD, "amdgpu");
	m->given = add_gpu(m, 0x61, GS_VENDOR_NVIDIA, "vfio-pci");
	m->given->iommu_group = GS_U32(61);
	for (uint32_t n = 0; n < 2; n++) {
		m->vf[n] = gs_gpu_add_vf(m->s, m->nvidia);
		m->vf[n]->n = n;
		m->vf[n]->bdf = (struct gs_bdf){ 0, 0x26, 0, (uint8_t)(4 + n) };
		m->vf[n]->iommu_group = GS_U32(90 + n);
	}
	m->vgpu = gs_gpu_add_instance(m->s, m->nvidia);
	m->vgpu->kind = GS_KIND_VGPU;
	m->vgpu->vf = GS_U32(1);
	m->vgpu->uuid = UUID;
	gs_holders_begin(m->h);
	assert_int_equal(gs_holders_add_gpu(m->h, m->nvidia, GS_U32(0)), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(gs_holders_add_other_gpu(m->h, i ? m->given : m->amd), 0);
	/* told twice is once */
	assert_int_equal(gs_holders_add_other_gpu(m->h, m->nvidia), 0);
}

static void look(struct host *m)
{
	assert_int_equal(gs_holders_scan(m->h, true), 0);
	assert_int_equal(gs_holders_finish(m->h, m->s), 0);
}

static void drop_host(struct host *m)
{
	gs_snapshot_unref(m->s);
	gs_holders_free(m->h);
	gs_root_close(m->root);
	gs_tree_remove(m->dir);
}

static size_t n_everywhere(const struct host *m)
{
	return m->nvidia->n_holders + m->amd->n_holders + m->given->n_holders + m->vf[0]->n_holders + m->vf[1]->n_holders + m->vgpu->n_holders;
}

static void a_group_is_what_lies_in_it(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/90/devices/0000:26:00.4", "x");
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/91/devices/0000:26:00.5", "x");
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/61/devices/0000:61:00.0", "x");
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/61/devices/0000:61:00.1", "x");
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/7/devices/0000:03:00.0", "x");
	gs_tree_process(m.dir, 100, "qemu-kvm", "/usr/libexec/qemu-kvm -name guest=lab03,debug-threads=on -uuid " UUID, "0::/machine.slice/machine-qemu\\x2d1.scope/libvirt\n");
	gs_tree_open(m.dir, 100, 20, "/dev/vfio/vfio");
	gs_tree_open(m.dir, 100, 21, "/dev/vfio/90");
	gs_tree_process(m.dir, 101, "kvm", "/usr/bin/kvm -id 108 -name win11", NULL);
	gs_tree_open(m.dir, 101, 21, "/dev/vfio/91");
	gs_tree_process(m.dir, 102, "vfio-user", "dpdk", NULL);
	gs_tree_open(m.dir, 102, 21, "/dev/vfio/noiommu-61");
	/* another function's group is of no GPU */
	gs_tree_process(m.dir, 103, "nic", "dpdk", NULL);
	gs_tree_open(m.dir, 103, 21, "/dev/vfio/7");
	look(&m);
	assert_int_equal(n_everywhere(&m), 3);
	/* an untyped VF keeps its holder, one with a vGPU gives it to that */
	assert_int_equal(m.vf[0]->n_holders, 1);
	assert_int_equal(m.vf[0]->holders[0]->kind, GS_HOLDER_VM);
	assert_string_equal(m.vf[0]->holders[0]->name, "lab03");
	assert_string_equal(m.vf[0]->holders[0]->vm_uuid, UUID);
	assert_string_equal(m.vf[0]->holders[0]->evidence, "fd /dev/vfio/90");
	assert_string_equal(m.vf[0]->holders[0]->unit, "machine-qemu\\x2d1.scope");
	assert_int_equal(m.vf[0]->holders[0]->pid.value, 100);
	assert_int_equal(m.vgpu->n_holders, 1);
	assert_string_equal(m.vgpu->holders[0]->name, "win11");
	assert_null(m.vgpu->holders[0]->vm_uuid);
	assert_int_equal(m.given->n_holders, 1);
	assert_int_equal(m.given->holders[0]->kind, GS_HOLDER_PROCESS);
	assert_string_equal(m.given->holders[0]->name, "vfio-user");
	assert_true(m.given->holders_visible && m.amd->holders_visible && m.nvidia->holders_visible);
	drop_host(&m);
}

static void without_the_group_list_the_collected_number_counts(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_process(m.dir, 100, "qemu-kvm", "qemu-kvm -name a", NULL);
	gs_tree_open(m.dir, 100, 21, "/dev/vfio/90");
	gs_tree_open(m.dir, 100, 22, "/dev/vfio/61");
	look(&m);
	assert_int_equal(m.vf[0]->n_holders, 1);
	assert_int_equal(m.given->n_holders, 1);
	assert_int_equal(n_everywhere(&m), 2);
	drop_host(&m);
}

static void an_mdev_has_a_group_and_a_name_of_its_own(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/200/devices/" UUID, "x");
	/* one that is not in the snapshot counts for the function that it was made on */
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/201/devices/30ad89ac-5906-49ca-8d52-3c6343c598f6", "x");
	gs_tree_link(m.dir, "sys/bus/mdev/devices/30ad89ac-5906-49ca-8d52-3c6343c598f6", "../../../devices/pci0000:20/0000:26:00.4/30ad89ac-5906-49ca-8d52-3c6343c598f6");
	gs_tree_process(m.dir, 100, "qemu-kvm", "qemu-kvm -name a", NULL);
	gs_tree_open(m.dir, 100, 21, "/dev/vfio/200");
	gs_tree_open(m.dir, 100, 22, "/dev/vfio/91");
	gs_tree_process(m.dir, 101, "qemu-kvm", "qemu-kvm -name b", NULL);
	gs_tree_open(m.dir, 101, 21, "/dev/vfio/201");
	look(&m);
	/* found as the mdev and as the function that it lies on: one place */
	assert_int_equal(m.vgpu->n_holders, 1);
	assert_string_equal(m.vgpu->holders[0]->name, "a");
	assert_string_equal(m.vgpu->holders[0]->evidence, "fd /dev/vfio/200, fd /dev/vfio/91");
	assert_int_equal(m.vf[0]->n_holders, 1);
	assert_string_equal(m.vf[0]->holders[0]->name, "b");
	assert_int_equal(n_everywhere(&m), 2);
	drop_host(&m);
}

static void a_vfio_device_node_is_one_function(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_link(m.dir, "sys/class/vfio-dev/vfio3/device", "../../../0000:26:00.5");
	gs_tree_put(m.dir, "sys/bus/pci/devices/0000:26:00.4/vfio-dev/vfio4/dev", "511:4\n");
	gs_tree_process(m.dir, 100, "qemu-kvm", "qemu-kvm -name a", NULL);
	gs_tree_open(m.dir, 100, 20, "/dev/iommu");
	gs_tree_open(m.dir, 100, 21, "/dev/vfio/devices/vfio3");
	gs_tree_open(m.dir, 100, 22, "/dev/vfio/devices/vfio4");
	gs_tree_open(m.dir, 100, 23, "/dev/vfio/devices/vfio5");
	look(&m);
	assert_int_equal(m.vgpu->n_holders, 1);
	assert_int_equal(m.vf[0]->n_holders, 1);
	assert_int_equal(n_everywhere(&m), 2);
	drop_host(&m);
}

static void a_function_that_was_not_collected_counts_for_its_gpu(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_link(m.dir, "sys/kernel/iommu_groups/300/devices/0000:26:01.0", "x");
	gs_tree_link(m.dir, "sys/bus/pci/devices/0000:26:01.0/physfn", "../0000:26:00.0");
	gs_tree_process(m.dir, 100, "qemu-kvm", "qemu-kvm -name a", NULL);
	gs_tree_open(m.dir, 100, 21, "/dev/vfio/300");
	look(&m);
	assert_int_equal(m.nvidia->n_holders, 1);
	drop_host(&m);
}

static void display_and_compute_nodes(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_link(m.dir, "sys/class/drm/card1/device", "../../../0000:41:00.0");
	gs_tree_link(m.dir, "sys/class/drm/renderD128/device", "../../../0000:41:00.0");
	/* a compute partition's node is a platform device's; 0x4100 is 41:00.0 */
	gs_tree_link(m.dir, "sys/class/drm/renderD129/device", "../../../amdgpu_xcp_1");
	gs_tree_put(m.dir, "sys/class/kfd/kfd/topology/nodes/0/properties", "cpu_cores_count 64\ndrm_render_minor 0\n");
	gs_tree_put(m.dir, "sys/class/kfd/kfd/topology/nodes/1/properties", "simd_count 304\ndomain 0\nlocation_id 16640\ndrm_render_minor 129\n");
	gs_tree_process(m.dir, 100, "Xorg", "/usr/lib/xorg/Xorg", NULL);
	gs_tree_open(m.dir, 100, 9, "/dev/dri/card1");
	gs_tree_process(m.dir, 101, "train", "python3 train.py", "0::/system.slice/slurmstepd.scope/job_42/step_0\n");
	gs_tree_open(m.dir, 101, 5, "/dev/dri/renderD129");
	gs_tree_open(m.dir, 101, 6, "/dev/kfd");
	gs_tree_process(m.dir, 102, "rocm-smi", "rocm-smi", "0::/system.slice/docker-" ID64 ".scope\n");
	gs_tree_open(m.dir, 102, 6, "/dev/kfd");
	gs_tree_open(m.dir, 102, 7, "/dev/dri/renderD130");
	look(&m);
	assert_int_equal(m.amd->n_holders, 3);
	assert_int_equal(n_everywhere(&m), 3);
	assert_int_equal(gs_snapshot_seal(m.s, NULL), 0);
	assert_string_equal(m.amd->holders[0]->name, "Xorg");
	assert_string_equal(m.amd->holders[0]->evidence, "fd /dev/dri/card1");
	assert_int_equal(m.amd->holders[1]->kind, GS_HOLDER_UNIT);
	assert_string_equal(m.amd->holders[1]->name, "slurm job 42 (train)");
	assert_string_equal(m.amd->holders[1]->evidence, "fd /dev/kfd, fd /dev/dri/renderD129");
	assert_int_equal(m.amd->holders[2]->kind, GS_HOLDER_CONTAINER);
	assert_string_equal(m.amd->holders[2]->name, "3f4c5d6e7f80 (docker, rocm-smi)");
	assert_int_equal(m.amd->holders[2]->pid.value, 102);
	drop_host(&m);
}

/* A directory that is none stands for one that may not be looked into. */
static void whose_files_are_hidden_is_known_by_the_command_line(void **state)
{
	struct host m;
	const struct gs_source *source;

	(void)state;
	make_host(&m);
	gs_tree_put(m.dir, "proc/100/fd", "");
	gs_tree_put(m.dir, "proc/100/stat", "100 (qemu-kvm) S 1 1 1 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 5 1 2 3\n");
	gs_tree_put_bytes(m.dir, "proc/100/cmdline", "qemu-kvm\0-name\0guest=x\0-device\0vfio-pci,host=26:00.4", 52);
	look(&m);
	assert_int_equal(m.vf[0]->n_holders, 1);
	assert_string_equal(m.vf[0]->holders[0]->evidence, "command line");
	assert_int_equal(m.vf[0]->holders[0]->kind, GS_HOLDER_VM);
	/* and still nobody can say that this is all */
	assert_false(m.nvidia->holders_visible || m.amd->holders_visible || m.given->holders_visible);
	source = gs_snapshot_source_at(m.s, 0);
	assert_string_equal(source->name, "processes");
	assert_false(source->is_present);
	assert_non_null(strstr(source->text, "1 of them"));
	drop_host(&m);
}

static void an_unprivileged_look_is_hidden_not_free(void **state)
{
	bool is_root = geteuid() == 0;
	struct host m;
	char path[128];

	(void)state;
	make_host(&m);
	assert_int_equal(chmod(m.dir, 0755), 0);
	gs_tree_process(m.dir, 100, "x", NULL, NULL);
	snprintf(path, sizeof(path), "%s/proc/100/fd", m.dir);
	assert_int_equal(chmod(path, 0), 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	look(&m);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(n_everywhere(&m), 0);
	assert_false(m.nvidia->holders_visible || m.amd->holders_visible || m.given->holders_visible);
	drop_host(&m);
}

static void a_reused_pid_is_another_process(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_process(m.dir, 100, "kvm", "/usr/bin/kvm -name first", NULL);
	gs_tree_open(m.dir, 100, 4, "/dev/nvidia0");
	look(&m);
	assert_int_equal(m.nvidia->holders[0]->kind, GS_HOLDER_VM);
	/* the same pid, and what it is now */
	gs_tree_put(m.dir, "proc/100/stat", "100 (kvm) S 1 1 1 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 77777 1 2 3\n");
	gs_tree_put_bytes(m.dir, "proc/100/cmdline", "sleep\0", 6);
	gs_holders_begin(m.h);
	assert_int_equal(gs_holders_add_gpu(m.h, m.nvidia, GS_U32(0)), 0);
	look(&m);
	assert_int_equal(m.nvidia->n_holders, 2);
	assert_int_equal(m.nvidia->holders[1]->kind, GS_HOLDER_PROCESS);
	assert_int_equal(m.nvidia->holders[1]->start_time.value, 77777);
	drop_host(&m);
}

static bool has_module(const struct gs_gpu *gpu, const char *name)
{
	for (size_t i = 0; i < gpu->n_holders; i++)
		if (gpu->holders[i]->kind == GS_HOLDER_MODULE && strcmp(gpu->holders[i]->name, name) == 0)
			return true;
	return false;
}

static void modules_with_users(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_link(m.dir, "sys/module/nvidia/holders/nvidia_uvm", "../../nvidia_uvm");
	gs_tree_link(m.dir, "sys/module/nvidia/holders/nvidia_modeset", "../../nvidia_modeset");
	gs_tree_link(m.dir, "sys/module/nvidia/holders/nvidia_peermem", "../../nvidia_peermem");
	gs_tree_link(m.dir, "sys/module/nvidia/holders/gdrdrv", "../../gdrdrv");
	gs_tree_link(m.dir, "sys/module/nvidia_modeset/holders/nvidia_drm", "../../nvidia_drm");
	gs_tree_put(m.dir, "sys/module/nvidia_uvm/refcnt", "4\n");
	gs_tree_put(m.dir, "sys/module/nvidia_modeset/refcnt", "1\n");
	gs_tree_put(m.dir, "sys/module/nvidia_peermem/refcnt", "0\n");
	gs_tree_put(m.dir, "sys/module/gdrdrv/refcnt", "0\n");
	gs_tree_put(m.dir, "sys/module/nvidia_drm/refcnt", "0\n");
	gs_tree_put(m.dir, "sys/module/nvidia_drm/parameters/modeset", "Y\n");
	gs_tree_put(m.dir, "sys/module/snd_hda_intel/refcnt", "2\n");
	gs_tree_put(m.dir, "sys/bus/pci/devices/0000:41:00.1/class", "0x040300\n");
	gs_tree_link(m.dir, "sys/bus/pci/devices/0000:41:00.1/driver", "../../../bus/pci/drivers/snd_hda_intel");
	look(&m);
	assert_true(has_module(m.nvidia, "nvidia_uvm"));
	assert_true(has_module(m.nvidia, "nvidia_peermem"));
	/* no users, and a module between others */
	assert_false(has_module(m.nvidia, "gdrdrv"));
	assert_false(has_module(m.nvidia, "nvidia_modeset"));
	/* it made no device for this GPU */
	assert_false(has_module(m.nvidia, "nvidia_drm"));
	/* a GPU of another driver does not mind them */
	assert_int_equal(m.given->n_holders, 0);
	assert_true(has_module(m.amd, "snd_hda_intel"));
	assert_int_equal(m.amd->n_holders, 1);
	drop_host(&m);
}

static void the_display_driver_keeps_the_gpus_that_it_has(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_link(m.dir, "sys/module/nvidia_modeset/holders/nvidia_drm", "../../nvidia_drm");
	gs_tree_put(m.dir, "sys/module/nvidia_drm/refcnt", "garbage\n");
	gs_tree_put(m.dir, "sys/bus/pci/devices/0000:26:00.0/drm/card0/dev", "226:0\n");
	look(&m);
	/* users that cannot be read are not none */
	assert_true(has_module(m.nvidia, "nvidia_drm"));
	assert_non_null(strstr(m.nvidia->holders[0]->evidence, "unknown"));
	drop_host(&m);
}

/* ---- by device number */

static void numbers_are_compared_where_names_say_nothing(void **state)
{
	const struct gs_fdscan_number numbers[] = { { makedev(195, 0), GS_NODE_GPU, 0 }, { makedev(195, 3), GS_NODE_GPU, 3 }, { makedev(226, 128), GS_NODE_DRM_RENDER, 128 } };
	uint32_t number = 9;

	(void)state;
	assert_int_equal(gs_fdscan_by_number(numbers, 3, makedev(195, 3), &number), GS_NODE_GPU);
	assert_int_equal(number, 3);
	assert_int_equal(gs_fdscan_by_number(numbers, 3, makedev(226, 128), &number), GS_NODE_DRM_RENDER);
	number = 9;
	assert_int_equal(gs_fdscan_by_number(numbers, 3, makedev(226, 1), &number), GS_NODE_OTHER);
	assert_int_equal(gs_fdscan_by_number(numbers, 3, 0, &number), GS_NODE_OTHER);
	assert_int_equal(gs_fdscan_by_number(NULL, 0, makedev(195, 0), &number), GS_NODE_OTHER);
	assert_int_equal(number, 9);
}

static void a_node_under_another_name_is_found(void **state)
{
	char path[128];
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_put(m.dir, "dev/x", "");
	snprintf(path, sizeof(path), "%s/dev/nvidia0", m.dir);
	if (mknod(path, S_IFCHR | 0600, makedev(195, 0)) < 0) {
		drop_host(&m);
		skip();
	}
	snprintf(path, sizeof(path), "%s/dev/gpu-of-this-container", m.dir);
	assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(195, 0)), 0);
	/* of somebody who was chrooted, and of a /dev that is mounted nowhere here */
	gs_tree_put(m.dir, "run/driver/dev/x", "");
	snprintf(path, sizeof(path), "%s/run/driver/dev/nvidia0", m.dir);
	assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(195, 0)), 0);
	snprintf(path, sizeof(path), "%s/nvidia0", m.dir);
	assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(195, 0)), 0);
	snprintf(path, sizeof(path), "%s/dev/other", m.dir);
	assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(1, 3)), 0);
	gs_tree_process(m.dir, 100, "job", NULL, NULL);
	gs_tree_open(m.dir, 100, 4, "/dev/gpu-of-this-container");
	gs_tree_process(m.dir, 101, "none", NULL, NULL);
	gs_tree_open(m.dir, 101, 4, "/dev/other");
	gs_tree_process(m.dir, 102, "chrooted", NULL, NULL);
	gs_tree_open(m.dir, 102, 4, "/run/driver/dev/nvidia0");
	gs_tree_process(m.dir, 103, "elsewhere", NULL, NULL);
	gs_tree_open(m.dir, 103, 4, "/nvidia0");
	look(&m);
	assert_int_equal(m.nvidia->n_holders, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_not_equal(m.nvidia->holders[i]->pid.value, 101);
	drop_host(&m);
}

/* Which texts are worth a look at the number. */
static void a_link_may_be_a_node_of_another_dev(void **state)
{
	static const char *const yes[] = { "/dev/nvidia0", "/dev/x", "/run/nvidia/driver/dev/nvidia0", "/nvidia0", "/vfio/12", "/dri/card1", "/a/dev/b/dev/renderD128", "/dev/nvidia3 (deleted)" };
	static const char *const no[] = { "/dev/null", "/run/nvidia/driver/dev/null", "/null", "/dev/nvidiactl", "/home/alice/data", "/usr/lib/x.so", "socket:[12]", "anon_inode:[eventfd]", "pipe:[3]", "", "dev/x" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(yes); i++)
		assert_true(gs_fdscan_may_be_node(yes[i]));
	for (size_t i = 0; i < GS_ARRAY_SIZE(no); i++)
		assert_false(gs_fdscan_may_be_node(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_is_what_lies_in_it),
		cmocka_unit_test(without_the_group_list_the_collected_number_counts),
		cmocka_unit_test(an_mdev_has_a_group_and_a_name_of_its_own),
		cmocka_unit_test(a_vfio_device_node_is_one_function),
		cmocka_unit_test(a_function_that_was_not_collected_counts_for_its_gpu),
		cmocka_unit_test(display_and_compute_nodes),
		cmocka_unit_test(whose_files_are_hidden_is_known_by_the_command_line),
		cmocka_unit_test(an_unprivileged_look_is_hidden_not_free),
		cmocka_unit_test(a_reused_pid_is_another_process),
		cmocka_unit_test(modules_with_users),
		cmocka_unit_test(the_display_driver_keeps_the_gpus_that_it_has),
		cmocka_unit_test(numbers_are_compared_where_names_say_nothing),
		cmocka_unit_test(a_node_under_another_name_is_found),
		cmocka_unit_test(a_link_may_be_a_node_of_another_dev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
