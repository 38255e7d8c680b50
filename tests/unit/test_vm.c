/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine a command line is, and what a cgroup tells: as several distributions write them, and as nobody should. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cgroup.h"
#include "backend/vm.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define UUID "d0cebc46-0436-4e5d-a623-40ca2c938f4f"
#define ID64 "3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a"

/* Words in brackets stand for themselves; '|' ends one. */
static bool parse(const char *line, struct gs_vm *ret_vm)
{
	char argv[4096];
	size_t n = strlen(line) + 1;

	memcpy(argv, line, n);
	for (size_t i = 0; i < n; i++)
		if (argv[i] == '|')
			argv[i] = '\0';
	return gs_vm_parse(argv, n, ret_vm);
}

/* "0000:26:00.4" or a UUID */
static void assert_device(const struct gs_vm *vm, size_t i, const char *wanted)
{
	char address[GS_BDF_TEXT];

	assert_true(i < vm->n_devices);
	assert_string_equal(vm->devices[i].mdev[0] ? vm->devices[i].mdev : gs_bdf_format(vm->devices[i].bdf, address), wanted);
}

static void machines_of_libvirt(void **state)
{
	struct gs_vm vm;

	(void)state;
	assert_true(parse("/usr/bin/qemu-system-x86_64|-name|guest=lab03-rocky9,debug-threads=on|-S|-object|{\"qom-type\":\"secret\",\"id\":\"masterKey0\","
			  "\"file\":\"/var/lib/libvirt/qemu/domain-10-lab03-rocky9/master-key.aes\"}|-uuid|" UUID,
			  &vm));
	assert_string_equal(vm.monitor, "qemu");
	assert_string_equal(vm.name, "lab03-rocky9");
	assert_string_equal(vm.uuid, UUID);
	assert_int_equal(vm.n_devices, 0);
	assert_true(parse("/usr/libexec/qemu-kvm|-name|guest=instance-00000042,debug-threads=on|-S|-uuid|30AD89AC-5906-49CA-8D52-3C6343C598F6|-smbios|type=1,x=y", &vm));
	assert_string_equal(vm.name, "instance-00000042");
	assert_string_equal(vm.uuid, "30ad89ac-5906-49ca-8d52-3c6343c598f6");
	assert_true(parse("/usr/bin/qemu-kvm|-name|guest=default_vmname,debug-threads=on|-device|"
			  "{\"driver\":\"vfio-pci\",\"id\":\"hostdev0\",\"sysfsdev\":\"/sys/bus/mdev/devices/" UUID
			  "\",\"display\":\"off\",\"bus\":\"pci.6\",\"addr\":\"0x0\"}|-device|{\"driver\":\"vfio-pci\",\"host\":\"0000:26:00.4\",\"id\":\"hostdev1\"}",
			  &vm));
	assert_string_equal(vm.name, "default_vmname");
	assert_int_equal(vm.n_devices, 2);
	assert_device(&vm, 0, UUID);
	assert_device(&vm, 1, "0000:26:00.4");
}

static void machines_of_proxmox(void **state)
{
	struct gs_vm vm;

	(void)state;
	assert_true(parse("/usr/bin/kvm|-id|108|-name|win11,debug-threads=on|-no-shutdown|-device|vfio-pci,host=0000:26:00.4,id=hostpci0,bus=pci.0,addr=0x10|"
			  "-device|vfio-pci,sysfsdev=/sys/bus/mdev/devices/00000000-0000-0000-0000-000000000108,id=hostpci0,bus=pci.0,addr=0x10",
			  &vm));
	assert_string_equal(vm.name, "win11");
	assert_int_equal(vm.n_devices, 2);
	assert_device(&vm, 0, "0000:26:00.4");
	assert_device(&vm, 1, "00000000-0000-0000-0000-000000000108");
}

static void plain_names_doubled_commas_and_other_devices(void **state)
{
	struct gs_vm vm;

	(void)state;
	assert_true(parse("qemu-system-aarch64|-name|qemu,process=qemu,debug-threads=on", &vm));
	assert_string_equal(vm.name, "qemu");
	assert_true(parse("qemu-kvm|-name|guest=a,,b,,,,c,debug-threads=on", &vm));
	assert_string_equal(vm.name, "a,b,,c");
	assert_true(parse("qemu-kvm|-name|a,,b", &vm));
	assert_string_equal(vm.name, "a,b");
	assert_true(parse("qemu-kvm|--name|debug-threads=on,guest=late", &vm));
	assert_string_equal(vm.name, "late");
	/* not everything with a host is a host device, and short addresses are in domain 0 */
	assert_true(parse("qemu-kvm|-device|e1000,host=0000:26:00.4|-device|vfio-pci,host=26:00.5|-device|vfio-pci-nohotplug,host=0000:26:00.6|-device|vfio-pci,host=../../x", &vm));
	assert_int_equal(vm.n_devices, 2);
	assert_device(&vm, 0, "0000:26:00.5");
	assert_device(&vm, 1, "0000:26:00.6");
	assert_string_equal(vm.name, "");
	assert_string_equal(vm.uuid, "");
}

static void other_monitors(void **state)
{
	struct gs_vm vm;

	(void)state;
	assert_true(parse("/usr/bin/cloud-hypervisor|--api-socket|/run/ch.sock|--device|path=/sys/bus/pci/devices/0000:41:00.0/,iommu=on", &vm));
	assert_string_equal(vm.monitor, "cloud-hypervisor");
	assert_device(&vm, 0, "0000:41:00.0");
	assert_true(parse("crosvm|run|--name|guest1|--vfio=/sys/bus/mdev/devices/" UUID ",iommu=viommu", &vm));
	assert_string_equal(vm.name, "guest1");
	assert_device(&vm, 0, UUID);
	assert_true(parse("firecracker|--id|fc7", &vm));
	assert_string_equal(vm.name, "fc7");
}

static void what_is_no_machine(void **state)
{
	static const char *const lines[] = { "", "python3|-name|guest=x", "/usr/bin/qemu-img|convert", "qemu|x", "/opt/kvm-tool", "qemu-kvm/|-name|x", "|qemu-kvm" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(lines); i++) {
		struct gs_vm vm = { .monitor = "untouched" };

		assert_false(parse(lines[i], &vm));
		assert_string_equal(vm.monitor, "untouched");
	}
	assert_false(gs_vm_parse("", 0, &(struct gs_vm){ 0 }));
}

static void hostile_command_lines(void **state)
{
	size_t n = 1u << 20;
	GS_FREE char *argv = malloc(n);
	struct gs_vm vm;

	(void)state;
	/* a megabyte without a NUL */
	memset(argv, 'x', n);
	memcpy(argv, "/bin/", 5);
	assert_false(gs_vm_parse(argv, n, &vm));
	/* a name of a megabyte is cut, and stays text */
	memcpy(argv, "qemu-kvm\0-name\0", 15);
	assert_true(gs_vm_parse(argv, n, &vm));
	assert_int_equal(strlen(vm.name), GS_VM_NAME - 1);
	/* words that end where the bytes do */
	assert_true(gs_vm_parse("qemu-kvm\0-name\0guest=end", 24, &vm));
	assert_string_equal(vm.name, "end");
	assert_true(gs_vm_parse("qemu-kvm\0-name", 14, &vm));
	assert_true(gs_vm_parse("qemu-kvm", 8, &vm));
	/* nothing but separators */
	memset(argv + 9, 0, n - 9);
	assert_true(gs_vm_parse(argv, n, &vm));
	assert_true(parse("qemu-kvm|-name|,,,=,=,,guest=|-uuid|not-a-uuid|-device|{\"driver\":{}}|-device|{|-device|,|-device|=|-device||-name|a\x1b[31mb", &vm));
	assert_string_equal(vm.uuid, "");
	assert_int_equal(vm.n_devices, 0);
	assert_string_equal(vm.name, "a\x1b[31mb");
}

static void more_devices_than_are_kept_are_said(void **state)
{
	char line[4096] = "qemu-kvm";
	struct gs_vm vm;
	size_t n = strlen(line);

	(void)state;
	for (unsigned i = 0; i < GS_VM_DEVICES_MAX + 1; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "|-device|vfio-pci,host=0000:%02x:00.0", i);
	assert_true(parse(line, &vm));
	assert_int_equal(vm.n_devices, GS_VM_DEVICES_MAX);
	assert_true(vm.is_cut);
}

static void devices_by_path(void **state)
{
	static const char *const bad[] = { "", "/", "/sys/", "/etc/0000:26:00.4", "26:00", "0000:26:00.8", "/sys/bus/pci/devices/..", "x/0000:26:00.4", UUID "0" };
	struct gs_vm_device d;

	(void)state;
	assert_true(gs_vm_parse_device("/sys/bus/pci/devices/0000:26:00.4/", &d));
	assert_int_equal(d.bdf.function, 4);
	assert_true(gs_vm_parse_device("/sys/devices/pci0000:00/0000:26:00.4/" UUID, &d));
	assert_string_equal(d.mdev, UUID);
	for (size_t i = 0; i < GS_ARRAY_SIZE(bad); i++)
		assert_false(gs_vm_parse_device(bad[i], &d));
}

static void a_nameless_machine_is_named_by_its_pid_file(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	char dir[GS_TREE_DIR];
	struct gs_vm vm;

	(void)state;
	gs_tree_new(dir);
	gs_tree_process(dir, 70, "qemu", "/usr/bin/qemu-system-x86_64 -S", NULL);
	gs_tree_process(dir, 71, "kvm", "/usr/bin/kvm -S", NULL);
	gs_tree_process(dir, 72, "kvm", "/usr/bin/kvm -S", NULL);
	gs_tree_put(dir, "run/libvirt/qemu/lab04.pid", "70\n");
	gs_tree_put(dir, "run/libvirt/qemu/other.pid", "7x\n");
	gs_tree_put(dir, "run/qemu-server/108.pid", "71\n");
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, dir, &root, NULL), 0);
	assert_true(gs_vm_read(root, 70, &vm));
	assert_string_equal(vm.name, "lab04");
	assert_true(gs_vm_read(root, 71, &vm));
	assert_string_equal(vm.name, "VM 108");
	assert_true(gs_vm_read(root, 72, &vm));
	assert_string_equal(vm.name, "");
	assert_false(gs_vm_read(root, 73, &vm));
	gs_tree_remove(dir);
}

/* ---------------------------------------------------------------- cgroups */

static void containers_by_their_cgroup(void **state)
{
	static const struct {
		const char *text, *runtime, *container, *pod, *unit;
	} rows[] = {
		{ "0::/system.slice/docker-" ID64 ".scope\n", "docker", ID64, "", "docker-" ID64 ".scope" },
		{ "12:devices:/docker/" ID64 "\n1:name=systemd:/docker/" ID64 "\n", "docker", ID64, "", "" },
		{ "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1a2b3c4d_0000_1111_2222_333344445555.slice/cri-containerd-" ID64 ".scope\n", "containerd", ID64,
		  "1a2b3c4d-0000-1111-2222-333344445555", "cri-containerd-" ID64 ".scope" },
		{ "5:memory:/kubepods/besteffort/pod1a2b3c4d-0000-1111-2222-333344445555/" ID64 "\n", "containerd", ID64, "1a2b3c4d-0000-1111-2222-333344445555", "" },
		{ "0::/kubepods.slice/crio-" ID64 ".scope\n", "cri-o", ID64, "", "crio-" ID64 ".scope" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID64 ".scope/container\n", "podman", ID64, "", "user@1000.service" },
		{ "0::/machine.slice/libpod-" ID64 ".scope\n", "podman", ID64, "", "libpod-" ID64 ".scope" },
		{ "0::/system.slice/containerd.service/kubepods-pod1a2b3c4d_0000_1111_2222_333344445555.slice:cri-containerd:" ID64 "\n", "containerd", ID64,
		  "1a2b3c4d-0000-1111-2222-333344445555", "containerd.service" },
		{ "0::/lxc/101/ns\n", "lxc", "101", "", "" },
		{ "0::/lxc.payload.web\n", "lxc", "web", "", "" },
		/* words of people are no ids */
		{ "0::/docker/mine\n", "", "", "", "" },
		{ "0::/system.slice/docker-abc123.scope\n", "", "", "", "docker-abc123.scope" },
		{ "0::/system.slice/docker-compose.service\n", "", "", "", "docker-compose.service" },
		{ "0::/user.slice/x-cri-containerd-" ID64 ".scope\n", "", "", "", "x-cri-containerd-" ID64 ".scope" },
		{ "0::/docker-" ID64 "ff.scope\n", "", "", "", "docker-" ID64 "ff.scope" },
		{ "garbage", "", "", "", "" },
		{ "0:", "", "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_cgroup c;

		gs_cgroup_parse(rows[i].text, &c);
		assert_string_equal(c.runtime, rows[i].runtime);
		assert_string_equal(c.container, rows[i].container);
		assert_string_equal(c.pod, rows[i].pod);
		assert_string_equal(c.unit, rows[i].unit);
	}
}

static void jobs_by_their_cgroup(void **state)
{
	struct gs_cgroup c;

	(void)state;
	gs_cgroup_parse("9:devices:/slurm/uid_1000/job_4711/step_0/task_0\n1:name=systemd:/system.slice/slurmd.service\n", &c);
	assert_true(gs_u32_is(c.slurm_job, 4711));
	assert_string_equal(c.unit, "slurmd.service");
	gs_cgroup_parse("0::/system.slice/slurmstepd.scope/job_42/step_batch/user/task_0\n", &c);
	assert_true(gs_u32_is(c.slurm_job, 42));
	gs_cgroup_parse("0::/user.slice/job_42\n", &c);
	assert_false(c.slurm_job.known);
	gs_cgroup_parse("0::/slurm/job_99999999999\n", &c);
	assert_false(c.slurm_job.known);
}

static void hostile_cgroups(void **state)
{
	size_t n = 1u << 20;
	GS_FREE char *text = malloc(n + 1);
	struct gs_cgroup c;

	(void)state;
	memset(text, '/', n);
	text[n] = '\0';
	memcpy(text, "0::", 3);
	gs_cgroup_parse(text, &c);
	assert_string_equal(c.unit, "");
	memset(text + 4, 'a', n - 4);
	gs_cgroup_parse(text, &c);
	assert_string_equal(c.container, "");
	for (size_t i = 0; i + 2 < n; i += 2)
		memcpy(text + i, "/x", 2);
	memcpy(text, "0::", 3);
	gs_cgroup_parse(text, &c);
	assert_string_equal(c.runtime, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_of_libvirt),
		cmocka_unit_test(machines_of_proxmox),
		cmocka_unit_test(plain_names_doubled_commas_and_other_devices),
		cmocka_unit_test(other_monitors),
		cmocka_unit_test(what_is_no_machine),
		cmocka_unit_test(hostile_command_lines),
		cmocka_unit_test(more_devices_than_are_kept_are_said),
		cmocka_unit_test(devices_by_path),
		cmocka_unit_test(a_nameless_machine_is_named_by_its_pid_file),
		cmocka_unit_test(containers_by_their_cgroup),
		cmocka_unit_test(jobs_by_their_cgroup),
		cmocka_unit_test(hostile_cgroups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
