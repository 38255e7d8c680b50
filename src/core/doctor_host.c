/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_host.c - checks of what all GPUs of a host share: driver, library, privileges, IOMMU, tools, daemons. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/doctor_private.h"

static const char *or_unknown(const char *text)
{
	return text ? text : "of an unknown version";
}

static bool is_to_be_driven(const struct gs_gpu *gpu)
{
	return gs_doctor_is_nvidia(gpu) && gpu->mode != GS_MODE_PASSTHROUGH;
}

void gs_doctor_check_driver(struct gs_doctor_exam *x)
{
	const struct gs_doctor_facts *f = x->facts;

	if (!gs_doctor_any(x, gs_doctor_is_nvidia))
		return;
	if (f->nouveau_loaded == GS_ANSWER_YES)
		gs_doctor_add(x, f->nvidia_loaded == GS_ANSWER_YES ? GS_DOCTOR_NOTE : GS_DOCTOR_PROBLEM, NULL,
			      "echo 'blacklist nouveau' >/etc/modprobe.d/nouveau.conf, make the initramfs anew, and reboot",
			      "the kernel module nouveau is loaded; it cuts no GPU, and NVIDIA's driver cannot have a GPU that nouveau has");
	if (f->nvidia_loaded == GS_ANSWER_UNKNOWN)
		gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, NULL, NULL, "whether NVIDIA's kernel module is loaded cannot be seen");
	else if (f->nvidia_loaded == GS_ANSWER_NO)
		/* with every GPU given to VFIO nobody misses it */
		gs_doctor_add(x, gs_doctor_any(x, is_to_be_driven) ? GS_DOCTOR_PROBLEM : GS_DOCTOR_NOTE, NULL, "modprobe nvidia", "NVIDIA's kernel module is not loaded, so there is neither MIG nor vGPU");
	else
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "NVIDIA's kernel module %s is loaded%s", or_unknown(f->nvidia_version),
			      f->nvidia_is_open == GS_ANSWER_YES ? " (open flavour)" : f->nvidia_is_open == GS_ANSWER_NO ? " (proprietary flavour)" : "");
}

void gs_doctor_check_library(struct gs_doctor_exam *x)
{
	const struct gs_doctor_facts *f = x->facts;

	if (!gs_doctor_any(x, gs_doctor_is_nvidia))
		return;
	if (f->library_found == GS_ANSWER_UNKNOWN)
		gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, NULL, NULL, "NVIDIA's management library (NVML) cannot be asked here: this machine is only a recording");
	else if (f->library_found == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "install the package of NVIDIA's driver that brings libnvidia-ml.so.1, of the kernel module's version",
			      "NVIDIA's management library is not to be loaded, so MIG can be neither seen nor changed: %s",
			      f->library_error ? f->library_error : "no reason is given");
	else if (f->library_differs == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "unload and load the nvidia modules (rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia; modprobe nvidia), or reboot",
			      "the loaded kernel module is %s and the library %s: the driver was updated and its module not loaded again",
			      or_unknown(f->nvidia_version), or_unknown(f->library_version));
	else if (f->library_error)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "look at dmesg for NVRM lines", "NVIDIA's management library does not start: %s", f->library_error);
	else if (f->nvidia_loaded != GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, NULL, "NVIDIA's management library is %s; it was not started, as its kernel module is not loaded",
			      f->library_path ? f->library_path : "there");
	else
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "NVIDIA's management library is %s", f->library_path ? f->library_path : "there");
}

/* What is lost with each function that matters for cutting; the rest are readings. */
static const struct {
	const char *symbol, *lost;
	bool is_needed;         /* without it nothing can be cut */
} losses[] = {
	{ "nvmlDeviceGetMigMode", "MIG is not seen", true },
	{ "nvmlDeviceSetMigMode", "the MIG mode cannot be changed", true },
	{ "nvmlDeviceGetGpuInstances", "GPU instances are not seen", true },
	{ "nvmlGpuInstanceGetInfo", "where a GPU instance lies is not seen", true },
	{ "nvmlDeviceCreateGpuInstanceWithPlacement", "GPU instances cannot be created at a place", true },
	{ "nvmlGpuInstanceDestroy", "GPU instances cannot be destroyed", true },
	{ "nvmlGpuInstanceCreateComputeInstanceWithPlacement", "compute instances cannot be created at a place", true },
	{ "nvmlComputeInstanceDestroy", "compute instances cannot be destroyed", true },
	{ "nvmlDeviceGetGpuInstancePossiblePlacements_v2", "placements come from the catalogue, not from the driver", false },
	{ "nvmlGpuInstanceGetComputeInstancePossiblePlacements", "places of compute instances come from the catalogue", false },
	{ "nvmlDeviceGetGpuInstanceProfileInfoV", "capabilities of profiles, such as +gfx, are not told", false },
	{ "nvmlDeviceGetComputeRunningProcesses_v3", "processes are found by their open files only", false },
};

static bool is_missing(const struct gs_doctor_facts *f, const char *symbol)
{
	for (size_t i = 0; i < f->missing_symbols.n; i++)
		if (strcmp(f->missing_symbols.items[i], symbol) == 0)
			return true;
	return false;
}

void gs_doctor_check_symbols(struct gs_doctor_exam *x)
{
	size_t n_named = 0, n_other;

	if (x->facts->library_found != GS_ANSWER_YES || !gs_doctor_any(x, gs_doctor_is_nvidia))
		return;
	for (size_t i = 0; i < GS_ARRAY_SIZE(losses); i++) {
		if (!is_missing(x->facts, losses[i].symbol))
			continue;
		gs_doctor_add(x, losses[i].is_needed && gs_doctor_any(x, gs_doctor_has_mig) ? GS_DOCTOR_PROBLEM : GS_DOCTOR_NOTE, NULL, "update the NVIDIA driver",
			      "the library has no %s: %s", losses[i].symbol, losses[i].lost);
		n_named++;
	}
	n_other = x->facts->missing_symbols.n > n_named ? x->facts->missing_symbols.n - n_named : 0;
	if (n_other)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, NULL, "the library lacks %zu%s function%s of newer drivers; what %s tell%s is shown as unknown", n_other,
			      n_named ? " other" : "", n_other == 1 ? "" : "s", n_other == 1 ? "it" : "they", n_other == 1 ? "s" : "");
	else if (!n_named)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "the library has every function that gpuslice uses");
}

void gs_doctor_check_privileges(struct gs_doctor_exam *x)
{
	const struct gs_doctor_facts *f = x->facts;
	size_t before = x->n;

	if (gs_snapshot_source(x->s) == GS_SOURCE_SYSROOT) {
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, NULL, "this is a recorded machine: it can be planned for, and nothing can be changed");
		return;
	}
	if (f->is_privileged == GS_ANSWER_UNKNOWN)
		gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, NULL, NULL, "whether this caller may change the machine is not known");
	if (f->is_privileged == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "sudo gpuslice doctor", "not root: nothing can be changed, and not all can be seen");
	if (f->is_privileged == GS_ANSWER_YES && f->has_sys_admin == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "run it on the host, or in a container with --privileged",
			      "root, but without CAP_SYS_ADMIN: the driver gives neither placements nor MIG to it");
	if (f->is_privileged == GS_ANSWER_YES && f->in_user_namespace == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "run it on the host", "root of a user namespace only: sysfs and the driver take this for an unprivileged user");
	if (f->sys_is_writable == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "run it on the host, or in a container with --privileged",
			      "/sys is mounted read-only: neither vGPUs nor VFs nor drivers can be changed");
	if (f->in_container == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "run it on the host", "this is a container: holders outside of it are not seen");
	if (x->n == before)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "root, and nothing withheld");
}

void gs_doctor_check_iommu(struct gs_doctor_exam *x)
{
	if (!gs_snapshot_n_gpus(x->s))
		return;
	if (x->facts->has_iommu_groups == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "the IOMMU is on");
	else if (x->facts->has_iommu_groups == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "switch VT-d or AMD-Vi on in the firmware, put intel_iommu=on (Intel) on the kernel command line, and reboot",
			      "the IOMMU is off (no /sys/kernel/iommu_groups): no passthrough, and no vGPU or VF for a VM");
	else
		gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, NULL, NULL, "whether the IOMMU is on cannot be seen");
}

void gs_doctor_check_vfio(struct gs_doctor_exam *x)
{
	if (!gs_snapshot_n_gpus(x->s) || x->facts->has_iommu_groups == GS_ANSWER_NO)
		return;
	if (x->facts->vfio_pci_loaded == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "vfio-pci is loaded");
	else if (x->facts->vfio_pci_available == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "install the kernel's package of extra modules", "vfio-pci is not among this kernel's modules: no passthrough");
	else if (x->facts->vfio_pci_loaded == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "modprobe vfio-pci", "vfio-pci is not loaded; passthrough needs it");
}

void gs_doctor_check_mig_nodes(struct gs_doctor_exam *x)
{
	if (!gs_doctor_any(x, gs_doctor_has_mig))
		return;
	if (x->facts->has_mig_capabilities == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "update the NVIDIA driver",
			      "the driver has no /proc/driver/nvidia/capabilities: MIG cannot be handed to a user or container");
	else if (x->facts->has_mig_capabilities == GS_ANSWER_YES && x->facts->has_capability_nodes == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "run nvidia-smi -L once as root, which has them made",
			      "/dev/nvidia-caps has no nodes for MIG: only root can use and manage instances, and containers cannot be given them");
	else if (x->facts->has_capability_nodes == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "the nodes of MIG's capabilities are there");
}

static bool has_vgpu_driver(const struct gs_doctor_exam *x)
{
	for (size_t i = 0; i < x->facts->n_gpus; i++)
		if (x->facts->gpus[i].has_unbind_lock == GS_ANSWER_YES)
			return true;
	return false;
}

void gs_doctor_check_vgpu_manager(struct gs_doctor_exam *x)
{
	if (!has_vgpu_driver(x))
		return;
	if (x->facts->vgpu_manager_runs == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "nvidia-vgpu-mgr runs");
	else if (x->facts->vgpu_manager_runs == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "systemctl start nvidia-vgpud nvidia-vgpu-mgr",
			      "nvidia-vgpu-mgr does not run: the driver offers no vGPU types, and no VM with a vGPU starts");
	else
		gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, NULL, NULL, "whether nvidia-vgpu-mgr runs cannot be seen");
}

void gs_doctor_check_sriov_manage(struct gs_doctor_exam *x)
{
	if (!has_vgpu_driver(x))
		return;
	if (x->facts->has_sriov_manage == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "reinstall NVIDIA's vGPU host driver, which brings it",
			      "/usr/lib/nvidia/sriov-manage is not there: VFs of NVIDIA GPUs cannot be enabled");
	else if (x->facts->sriov_manage_runs == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "chmod 755 /usr/lib/nvidia/sriov-manage", "/usr/lib/nvidia/sriov-manage is not executable");
	else if (x->facts->has_sriov_manage == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "/usr/lib/nvidia/sriov-manage is there and executable");
	else
		gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, NULL, NULL, "whether /usr/lib/nvidia/sriov-manage is there cannot be seen");
}

static bool is_in_fabric(const struct gs_gpu *gpu)
{
	return gpu->is_in_fabric;
}

void gs_doctor_check_fabric(struct gs_doctor_exam *x)
{
	if (!gs_doctor_any(x, is_in_fabric))
		return;
	if (x->facts->fabric_manager_runs == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "nvidia-fabricmanager runs");
	else if (x->facts->fabric_manager_runs == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "systemctl start nvidia-fabricmanager",
			      "the GPUs are behind NVSwitches and nvidia-fabricmanager is not seen to run: after a reset their links stay down, and whole GPUs without MIG cannot be used");
}

static bool wants_reset(const struct gs_gpu *gpu)
{
	return gpu->mode_needs_reset && gs_doctor_has_mig(gpu);
}

void gs_doctor_check_reset_tool(struct gs_doctor_exam *x)
{
	if (!gs_doctor_any(x, wants_reset))
		return;
	if (x->facts->has_nvidia_smi == GS_ANSWER_YES)
		gs_doctor_add(x, GS_DOCTOR_OK, NULL, NULL, "nvidia-smi is there, for a reset that a change of the MIG mode leaves to be done");
	else if (x->facts->has_nvidia_smi == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "install nvidia-smi (it comes with the driver's utilities)",
			      "nvidia-smi is not there: a reset that a change of the MIG mode leaves to be done takes a reboot then");
}

void gs_doctor_check_restorers(struct gs_doctor_exam *x)
{
	for (size_t i = 0; i < gs_snapshot_n_restorers(x->s); i++) {
		const struct gs_restorer *r = gs_snapshot_restorer(x->s, i);
		/* what it does at boot is to be done by somebody: first us, then not it */
		bool is_taken_over = gs_snapshot_saved(x->s)->state == GS_SAVED_SAME && !gs_saved_obstacle(gs_snapshot_saved(x->s));
		char own[256], remedy[400];

		snprintf(remedy, sizeof(remedy), "%s%s", is_taken_over ? "" : "leave it to that; or gpuslice save, systemctl enable " GS_RESTORE_UNIT ", and then: ", gs_restorer_remedy(r, own, sizeof(own)));
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, remedy,
			      "%s %s%sputs a layout of its own back, at boot or later, and may undo what is done here", r->name, r->what ? r->what : "", r->what ? ": it " : "");
	}
}
