/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_gpu.c - checks of each GPU: who drives it, what is pending, its IOMMU group, its VFs, its vendor's files. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/doctor_private.h"

#define FOR_EACH_GPU(x, gpu) \
	for (size_t i_ = 0; i_ < gs_snapshot_n_gpus((x)->s); i_++) \
		for (const struct gs_gpu *gpu = gs_snapshot_gpu((x)->s, i_); gpu; gpu = NULL)

void gs_doctor_check_gpus(struct gs_doctor_exam *x)
{
	if (!gs_snapshot_n_gpus(x->s))
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, NULL, "see what is on the bus with: lspci -d ::0300; lspci -d ::0302",
			      "no GPU of NVIDIA, AMD or Intel is to be seen, so there is nothing to cut");
	FOR_EACH_GPU(x, gpu)
		if (gpu->lost)
			gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "power the board, or the machine, off and on", "%s", gpu->lost);
	/* what could not be read, a GPU that fell off the bus among it; the library has a check of its own */
	for (size_t i = 0; i < gs_snapshot_n_notices(x->s); i++)
		if (!x->facts->library_error || !strstr(gs_snapshot_notice(x->s, i), x->facts->library_error))
			gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, NULL, NULL, "%s", gs_snapshot_notice(x->s, i));
}

static const char *driver_for(const struct gs_gpu *gpu)
{
	return gpu->vendor == GS_VENDOR_NVIDIA ? "nvidia" : gpu->vendor == GS_VENDOR_AMD ? "amdgpu" : "xe";
}

void gs_doctor_check_bound(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		char remedy[160], bdf[GS_BDF_TEXT];

		if (gpu->stranded)
			continue;
		if (!gpu->driver) {
			snprintf(remedy, sizeof(remedy), "modprobe %s; echo %s >/sys/bus/pci/drivers_probe", driver_for(gpu), gs_bdf_format(gpu->bdf, bdf));
			gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, remedy, "no driver is bound to it%s%s", gpu->driver_override ? "; its driver_override is " : "",
				      gpu->driver_override ? gpu->driver_override : "");
		} else if (gs_doctor_is_nvidia(gpu) && (strcmp(gpu->driver, "nouveau") == 0 || strcmp(gpu->driver, "nova_core") == 0)) {
			gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "blacklist it, install NVIDIA's driver, and reboot", "the driver %s has it, which offers neither MIG nor vGPU",
				      gpu->driver);
		} else if (gpu->mode == GS_MODE_PASSTHROUGH) {
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, NULL, "it is given to VFIO as a whole (%s) and not to be cut before it comes back", gpu->driver);
		}
	}
}

void gs_doctor_check_view(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		if (!gpu->holders_visible)
			gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, gpu, "sudo gpuslice doctor", "not every process can be seen: somebody may hold it");
		if (gpu->mode == GS_MODE_MIG && !gpu->placements_visible)
			gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, gpu, "sudo gpuslice doctor", "where its instances lie cannot be seen");
	}
}

void gs_doctor_check_stranded(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		char remedy[320], bdf[GS_BDF_TEXT];

		if (!gpu->stranded)
			continue;
		gs_bdf_format(gpu->bdf, bdf);
		/* interfaces 3.4: back from the stub to the driver */
		snprintf(remedy, sizeof(remedy), "echo %s >/sys/bus/pci/devices/%s/driver/unbind; echo >/sys/bus/pci/devices/%s/driver_override; echo %s >/sys/bus/pci/drivers_probe",
			 bdf, bdf, bdf, bdf);
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, remedy, "an interrupted tool left it behind: %s", gpu->stranded);
	}
}

void gs_doctor_check_commit(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		char text[600];

		if (gpu->open_commit.state == GS_OPEN_UNDER_WAY)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, "gpuslice history", "%s", gs_gpu_open_commit_text(gpu, text, sizeof(text)));
		else if (gpu->open_commit.state != GS_OPEN_NONE)
			gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "gpuslice recover", "%s", gs_gpu_open_commit_text(gpu, text, sizeof(text)));
	}
}

void gs_doctor_check_pending(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		if (gpu->mode_pending != GS_MODE_INVALID) {
			char remedy[120], bdf[GS_BDF_TEXT];

			snprintf(remedy, sizeof(remedy), "stop what holds it, then: nvidia-smi --gpu-reset -i %s", gs_bdf_format(gpu->bdf, bdf));
			gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, remedy, "mode %s is asked for and not active before a reset; until then it is %s",
				      gs_mode_name(gpu->mode_pending), gs_mode_name(gpu->mode) ? gs_mode_name(gpu->mode) : "unknown");
		}
		for (size_t i = 0; i < gpu->n_settings; i++)
			if (gpu->settings[i]->pending)
				gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "reload the driver, or reboot", "%s %s is asked for and not active before its driver is loaded again",
					      gpu->settings[i]->key, gpu->settings[i]->pending);
		for (size_t i = 0; i < gpu->n_writes; i++) {
			if (gs_write_is_call(gpu->writes[i])) {
				gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "dmesg may say why; it cannot be interrupted",
					      "the driver has not come back from \"%s\" (collector pid %" PRIu32 ")", gpu->writes[i]->value, gpu->writes[i]->pid);
				continue;
			}
			gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "end what it waits for; the kernel then carries the write out",
				      "a write of \"%s\" to %s waits in the kernel%s%s", gpu->writes[i]->value, gpu->writes[i]->path,
				      gpu->writes[i]->waits_for ? " for " : "", gpu->writes[i]->waits_for ? gpu->writes[i]->waits_for : "");
		}
	}
}

static size_t count_endpoints(const struct gs_gpu *gpu)
{
	size_t n = 0;

	for (size_t i = 0; i < gpu->n_siblings; i++)
		n += !gpu->siblings[i]->is_bridge;
	return n;
}

void gs_doctor_check_group(struct gs_doctor_exam *x)
{
	if (x->facts->has_iommu_groups != GS_ANSWER_YES)
		return;
	FOR_EACH_GPU(x, gpu) {
		if (gpu->no_passthrough)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, NULL, "it cannot be given to a VM: %s", gpu->no_passthrough);
		else if (!gpu->iommu_group.known)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, NULL, "it is in no IOMMU group, so it cannot be given to a VM");
		else if (gpu->mode != GS_MODE_PASSTHROUGH && count_endpoints(gpu))
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, NULL, "%zu other function%s (%s) in its IOMMU group %" PRIu32 " or on its board go%s along when it is given to a VM",
				      count_endpoints(gpu), count_endpoints(gpu) == 1 ? "" : "s", "audio, USB and the like", gpu->iommu_group.value,
				      count_endpoints(gpu) == 1 ? "es" : "");
	}
}

void gs_doctor_check_framework(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		const struct gs_doctor_gpu *f = gs_doctor_gpu_facts(x, gpu);

		if (!gs_doctor_is_nvidia_driven(gpu))
			continue;
		if (gpu->framework == GS_FRAMEWORK_MDEV || gpu->framework == GS_FRAMEWORK_VENDOR_VFIO)
			gs_doctor_add(x, GS_DOCTOR_OK, gpu, NULL, "vGPUs by %s", gpu->framework == GS_FRAMEWORK_MDEV ? "mdev" : "the vendor VFIO framework");
		else if (f->has_unbind_lock == GS_ANSWER_NO)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, "for vGPUs: install NVIDIA's vGPU host driver (vGPU for KVM) in its place",
				      "the driver is not the vGPU host driver (it has no unbindLock): %spassthrough, but no vGPU",
				      gpu->modes & 1u << GS_MODE_MIG ? "MIG and " : "");
		else if (f->has_unbind_lock == GS_ANSWER_YES && gpu->vfs.total.known && !gs_u32_is(gpu->vfs.total, 0))
			gs_doctor_add(x, GS_DOCTOR_OK, gpu, NULL, "vGPU host driver; by mdev or vendor VFIO shows with its VFs");
		else if (f->has_unbind_lock == GS_ANSWER_YES)
			/* interfaces 2: without SR-IOV there is no vGPU where the driver has no mdev */
			gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "boot a kernel on which the driver offers mdev, such as one before 6.8, or see that nvidia-vgpud has run",
				      "the vGPU host driver offers no mdev on kernel %s, and a GPU without SR-IOV has no vGPU otherwise",
				      x->facts->kernel_release ? x->facts->kernel_release : "?");
	}
}

static void check_vfs_of(struct gs_doctor_exam *x, const struct gs_gpu *gpu)
{
	const struct gs_doctor_gpu *f = gs_doctor_gpu_facts(x, gpu);
	bool is_off = gs_u32_is(gpu->vfs.enabled, 0);

	/* the data-centre driver cannot do it at all, and the framework's check has said so */
	if (!gpu->vfs.total.known || (gpu->vfs.by == GS_VFS_BY_NOBODY && gs_doctor_is_nvidia(gpu)))
		return;
	if (gs_u32_is(gpu->vfs.total, 0))
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "allow SR-IOV in the firmware's setup, and more than 0 by the driver's parameter (xe: max_vfs)",
			      "it has SR-IOV, but is allowed 0 VFs");
	else if (is_off && f->has_vf_space == GS_ANSWER_NO)
		gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, "switch SR-IOV and Above 4G Decoding on in the firmware's setup, and reboot",
			      "the firmware gave its %" PRIu32 " VFs no addresses: enabling them would fail with «not enough MMIO resources»", gpu->vfs.total.value);
	else if (is_off)
		gs_doctor_add(x, GS_DOCTOR_OK, gpu, NULL, "0 of %" PRIu32 " VFs are enabled; changing its mode enables them", gpu->vfs.total.value);
	else if (gpu->vfs.enabled.known)
		gs_doctor_add(x, GS_DOCTOR_OK, gpu, NULL, "%" PRIu32 " of %" PRIu32 " VFs are enabled", gpu->vfs.enabled.value, gpu->vfs.total.value);
	else
		gs_doctor_add(x, GS_DOCTOR_CANNOT_TELL, gpu, NULL, "how many of its %" PRIu32 " VFs are enabled cannot be read", gpu->vfs.total.value);
}

void gs_doctor_check_sriov(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu)
		check_vfs_of(x, gpu);
}

/* A partition setting that cannot be written, or is not there. */
static void check_partition(struct gs_doctor_exam *x, const struct gs_gpu *gpu, const char *key)
{
	const struct gs_setting *setting = gs_gpu_setting(gpu, key);

	if (!setting)
		gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, NULL, "amdgpu offers no %s for it: the model has none, or the driver is too old", key);
	else if (setting->fixed)
		gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, NULL, "its %s cannot be changed: %s", key, setting->fixed);
	else
		gs_doctor_add(x, GS_DOCTOR_OK, gpu, NULL, "its %s can be changed (now %s)", key, setting->value ? setting->value : "unknown");
}

void gs_doctor_check_amd(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		if (gpu->vendor != GS_VENDOR_AMD || !gs_str_equal(gpu->driver, "amdgpu"))
			continue;
		check_partition(x, gpu, "compute-partition");
		check_partition(x, gpu, "memory-partition");
	}
}

void gs_doctor_check_intel(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		if (gpu->vendor != GS_VENDOR_INTEL || !gpu->driver || gpu->mode == GS_MODE_PASSTHROUGH)
			continue;
		if (!gpu->vfs.total.known)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, NULL, "the driver %s offers no VFs for it: the model has none, or the firmware has SR-IOV off", gpu->driver);
		else if (gpu->n_settings)
			gs_doctor_add(x, GS_DOCTOR_OK, gpu, NULL, "the driver %s lets VFs be tuned", gpu->driver);
		else
			/* interfaces 7.1 */
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, "for shares of your own: xe of kernel 6.19 or later", "the driver %s has no sriov_admin: its VFs get equal shares only",
				      gpu->driver);
	}
}

void gs_doctor_check_drift(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu)
		if (gpu->saved == GS_SAVED_DIFFERS)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, "gpuslice assert tells what differs and why; gpuslice restore puts back what is saved, gpuslice save keeps what is there",
				      "it is not as it was saved");
}

/* What keeps what is there now over a reboot. */
static const char *keeping(const struct gs_doctor_exam *x, const struct gs_gpu *gpu)
{
	if (gpu->saved != GS_SAVED_SAME)
		return "gpuslice save, and once: systemctl enable " GS_RESTORE_UNIT;
	return gs_saved_obstacle(gs_snapshot_saved(x->s)) ? "it is saved; what puts it back is systemctl enable " GS_RESTORE_UNIT : "nothing: it is saved, and " GS_RESTORE_UNIT " puts it back";
}

/* What a reboot takes (interfaces 0.4, 5.8). */
void gs_doctor_check_reboot(struct gs_doctor_exam *x)
{
	FOR_EACH_GPU(x, gpu) {
		const char *remedy = keeping(x, gpu);
		bool is_mig = gpu->mode == GS_MODE_MIG || gpu->mode == GS_MODE_MIG_VGPU;
		bool has_vfs = gpu->vfs.enabled.known && gpu->vfs.enabled.value;

		if (is_mig)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, remedy, "after a reboot %s, and the instances%s are gone",
				      !gpu->mode_survival_is_known ? "whether MIG mode stays is not known" :
				      gpu->mode_survives_reboot ? "MIG mode stays, kept on the board" : "MIG mode is off again", has_vfs ? ", VFs and vGPUs" : "");
		else if (gpu->n_instances && gpu->mode == GS_MODE_PASSTHROUGH)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, remedy, "after a reboot it is bound to its own driver again, unless the site binds it to VFIO");
		else if (has_vfs || gpu->n_instances)
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, remedy, "after a reboot the %s are gone", gpu->mode == GS_MODE_VGPU ? has_vfs ? "VFs and vGPUs" : "vGPUs" : "VFs and instances");
		else if (gs_gpu_setting(gpu, "compute-partition"))
			gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, remedy, "after a reboot the partition modes are the defaults again");
	}
}

/* What the kernel's log has of it. A finding of its own for each GPU: they differ in the time at least. */
void gs_doctor_check_events(struct gs_doctor_exam *x)
{
	bool is_hidden = false;

	for (size_t i = 0; i < gs_snapshot_n_gpus(x->s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(x->s, i);
		char label[320], more[64] = "";

		is_hidden |= !gpu->events_visible;
		if (!gpu->n_events)
			continue;
		if (gpu->n_events > 1)
			snprintf(more, sizeof(more), " (and %zu before)", gpu->n_events - 1);
		gs_doctor_add(x, GS_DOCTOR_NOTE, gpu, "journalctl -k", "the kernel's log says: %s%s",
			      gs_gpu_event_label(gpu->events[gpu->n_events - 1], label, sizeof(label)), more);
	}
	if (is_hidden)
		gs_doctor_add(x, GS_DOCTOR_NOTE, NULL, "run it as root, or with CAP_SYSLOG",
			      "the kernel's log cannot be read here, so whether it has Xid errors or lost GPUs is not known");
}
