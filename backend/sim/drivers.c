/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/drivers.h"

#include <errno.h>
#include <string.h>

#include "backend/sim/amd.h"
#include "backend/sim/intel.h"
#include "backend/sim/kernel.h"
#include "backend/sim/log.h"
#include "base/parse.h"

/* ------------------------------------------------------------ who holds */

bool gs_sim_vf_is_held(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, uint32_t n)
{
	if (gs_sim_group_is_held(s, gpu->vfs[n].pci.iommu_group))
		return true;
	for (size_t i = 0; i < gpu->n_mdevs; i++) {
		if (gpu->mdevs[i].vf == n && gs_sim_group_is_held(s, gpu->mdevs[i].iommu_group))
			return true;
	}
	return false;
}

bool gs_sim_any_vgpu_is_held(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	for (uint32_t n = 0; n < gpu->total_vfs; n++) {
		if (gpu->vfs[n].state != GS_SIM_VF_ABSENT && gs_sim_vf_is_held(s, gpu, n))
			return true;
	}
	for (size_t i = 0; i < gpu->n_mdevs; i++) {
		if (gs_sim_group_is_held(s, gpu->mdevs[i].iommu_group))
			return true;
	}
	return false;
}

/* pci-pf-stub leaves VFs when it goes («driver left SR-IOV enabled after remove»); drivers of GPUs take them along. */
static bool keeps_vfs(const char *driver)
{
	return gs_str_equal(driver, "pci-pf-stub") || gs_sim_driver_is_vfio(driver);
}

static bool must_wait(const struct gs_sim_state *s, const struct gs_sim_function *f, int tree_fd)
{
	const char *driver = f->pci->driver;

	if (gs_sim_driver_is_vfio(driver))
		return gs_sim_group_is_held(s, f->pci->iommu_group);
	if (f->vf)
		return gs_sim_vf_is_held(s, f->gpu, f->vf_number);
	if (!f->gpu)
		return false;
	/* nvidia's remove callback waits for the last close (interfaces 4.3) */
	if (gs_str_equal(driver, "nvidia") &&
	    (gs_sim_node_is_open(s, f->gpu) || gs_sim_node_is_locked(tree_fd, f->gpu->minor, -1)))
		return true;
	return !keeps_vfs(driver) && gs_sim_any_vgpu_is_held(s, f->gpu);
}

/* ------------------------------------------------------------ what goes */

static void drop_mdevs(struct gs_sim_gpu *gpu, uint32_t vf, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < gpu->n_mdevs; i++) {
		if (!all && gpu->mdevs[i].vf != vf)
			gpu->mdevs[kept++] = gpu->mdevs[i];
	}
	gpu->n_mdevs = kept;
}

static void vgpu_clear(struct gs_sim_vf *vf)
{
	vf->vgpu_type = 0;
	vf->placement_id = 0xffff;
	vf->gpu_instance_id = UINT32_MAX;
	vf->vgpu_params = "";
}

static void vf_remove(struct gs_sim_gpu *gpu, uint32_t n)
{
	struct gs_sim_vf *vf = &gpu->vfs[n];

	drop_mdevs(gpu, n, false);
	vgpu_clear(vf);
	vf->state = GS_SIM_VF_ABSENT;
	vf->pci.driver = vf->pci.driver_override = "";
	vf->pci.unbinding = false;
}

static void vfs_remove(struct gs_sim_gpu *gpu)
{
	for (uint32_t n = 0; n < gpu->total_vfs; n++)
		vf_remove(gpu, n);
	gpu->numvfs = 0;
	gs_sim_intel_unshare(gpu);
}

void gs_sim_driver_state_wipe(struct gs_sim_gpu *gpu)
{
	vfs_remove(gpu);
	drop_mdevs(gpu, 0, true);
	gpu->heterogeneous = gpu->unbind_locked = false;
	gpu->schedule = (struct gs_sim_schedule){ 0 };
	gpu->n_gis = 0;
	gpu->epoch++;
}

/* The remove callback of the function's driver. */
static void leave_driver(const struct gs_sim_function *f)
{
	struct gs_sim_pci *pci = f->pci;

	if (f->vf) {
		drop_mdevs(f->gpu, f->vf_number, false);
		vgpu_clear(f->vf);
	} else if (f->gpu && !keeps_vfs(pci->driver)) {
		gs_sim_driver_state_wipe(f->gpu);
	}
	pci->driver = "";
	pci->unbinding = false;
}

/* ------------------------------------------------------------ drivers */

bool gs_sim_driver_exists(const struct gs_sim_state *s, const char *driver)
{
	struct gs_sim_function f;

	for (size_t i = 0; i < s->n_modules; i++) {
		if (gs_str_equal(s->modules[i].driver, driver))
			return s->modules[i].loaded;
	}
	for (size_t at = 0; gs_sim_function_next(s, &at, &f);) {
		if (gs_str_equal(f.pci->native, driver) || gs_str_equal(f.pci->driver, driver))
			return true;
	}
	return false;
}

/* The probe callback, once the driver matches. */
static int enter_driver(struct gs_sim_state *s, const struct gs_sim_function *f, const char *driver)
{
	struct gs_sim_pci *pci = f->pci;

	if (gs_sim_driver_is_vfio(driver)) {
		/* the host bridge would be taken, a PCI-to-PCI bridge is not (testbench 4) */
		if (pci->class >> 8 == 0x0604 || pci->iommu_group == GS_SIM_NONE)
			return -EINVAL;
	} else if (gs_sim_group_is_held(s, pci->iommu_group)) {
		return -EBUSY;
	}
	/* «Ignoring probe for VF» of a build without vGPU, or without an IOMMU (interfaces 3.4) */
	if (f->vf && gs_str_equal(driver, "nvidia") && (!f->gpu->framework || pci->iommu_group == GS_SIM_NONE))
		return -ENODEV;
	pci->driver = gs_arena_strdup(s->arena, driver);
	if (!pci->driver) {
		pci->driver = "";
		return -ENOMEM;
	}
	if (f->gpu && !f->vf && f->gpu->amd.xcc && gs_str_equal(driver, pci->native))
		gs_sim_amd_reload(s, f->gpu);
	if (f->gpu && !f->vf)
		gs_sim_log_load(s, driver, pci);
	return 0;
}

static bool matches(const struct gs_sim_pci *pci, const char *driver)
{
	return gs_str_equal(pci->driver_override[0] ? pci->driver_override : pci->native, driver);
}

int gs_sim_bind(struct gs_sim_state *s, const struct gs_sim_function *f, const char *driver)
{
	if (f->pci->driver[0])
		return -EBUSY;
	return matches(f->pci, driver) ? enter_driver(s, f, driver) : -ENODEV;
}

int gs_sim_probe(struct gs_sim_state *s, const struct gs_sim_function *f)
{
	const char *driver = f->pci->driver_override[0] ? f->pci->driver_override : f->pci->native;

	if (f->pci->driver[0])
		return 0;
	if (gs_sim_group_is_held(s, f->pci->iommu_group))
		return -EINVAL;
	if (driver[0] && gs_sim_driver_exists(s, driver))
		enter_driver(s, f, driver);
	return 0;
}

/* ------------------------------------------------------------ waiting */

static int wait_for(struct gs_sim_state *s, enum gs_sim_pending_kind kind, const char *what, uint64_t *ret_wait)
{
	struct gs_sim_pending *p = &s->pending[s->n_pending];

	if (s->n_pending == GS_SIM_PENDING_MAX)
		return -EAGAIN;
	p->what = gs_arena_strdup(s->arena, what);
	if (!p->what)
		return -ENOMEM;
	p->kind = kind;
	p->id = *ret_wait = s->next_serial++;
	s->n_pending++;
	return -EINPROGRESS;
}

uint64_t gs_sim_pending_on(const struct gs_sim_state *s, const char *what)
{
	for (size_t i = 0; i < s->n_pending; i++) {
		if (gs_str_equal(s->pending[i].what, what))
			return s->pending[i].id;
	}
	return 0;
}

bool gs_sim_is_pending(const struct gs_sim_state *s, uint64_t id)
{
	for (size_t i = 0; i < s->n_pending; i++) {
		if (s->pending[i].id == id)
			return true;
	}
	return false;
}

int gs_sim_unbind(struct gs_sim_state *s, const struct gs_sim_function *f, int tree_fd, uint64_t *ret_wait)
{
	if (must_wait(s, f, tree_fd)) {
		f->pci->unbinding = true;
		return wait_for(s, GS_SIM_PENDING_UNBIND, f->pci->bdf, ret_wait);
	}
	leave_driver(f);
	return 0;
}

bool gs_sim_driver_can_sriov(const struct gs_sim_gpu *gpu)
{
	static const char *const without[] = { "", "nvidia", "amdgpu", "pci-stub", "nouveau" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(without); i++) {
		if (gs_str_equal(gpu->pci.driver, without[i]))
			return false;
	}
	return !gs_sim_driver_is_vfio(gpu->pci.driver);
}

void gs_sim_vfs_enable(struct gs_sim_state *s, struct gs_sim_gpu *gpu, uint32_t n)
{
	gpu->numvfs = n;
	gs_sim_intel_share_out(gpu, n);
	for (uint32_t i = 0; i < n; i++) {
		struct gs_sim_function f = { &gpu->vfs[i].pci, gpu, &gpu->vfs[i], i };

		vf_remove(gpu, i);
		gpu->vfs[i].state = GS_SIM_VF_PRESENT;
		if (gpu->autoprobe)
			gs_sim_probe(s, &f);
	}
}

/* One after the other; the first that is held stops it, half gone (testbench 4). */
static bool disable_until_held(const struct gs_sim_state *s, struct gs_sim_gpu *gpu)
{
	for (uint32_t n = 0; n < gpu->total_vfs; n++) {
		struct gs_sim_vf *vf = &gpu->vfs[n];

		if (vf->state == GS_SIM_VF_ABSENT)
			continue;
		if (gs_sim_vf_is_held(s, gpu, n)) {
			vf->state = GS_SIM_VF_REMOVING;
			return false;
		}
		vf_remove(gpu, n);
	}
	gpu->numvfs = 0;
	gs_sim_intel_unshare(gpu);
	return true;
}

int gs_sim_vfs_disable(struct gs_sim_state *s, struct gs_sim_gpu *gpu, uint64_t *ret_wait)
{
	return disable_until_held(s, gpu) ? 0 : wait_for(s, GS_SIM_PENDING_NUMVFS, gpu->pci.bdf, ret_wait);
}

static void mdev_forget(struct gs_sim_gpu *gpu, struct gs_sim_mdev *m)
{
	size_t i = (size_t)(m - gpu->mdevs);

	memmove(m, m + 1, (gpu->n_mdevs - i - 1) * sizeof(*m));
	gpu->n_mdevs--;
}

int gs_sim_mdev_remove(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_mdev *m, uint64_t *ret_wait)
{
	if (gs_sim_group_is_held(s, m->iommu_group)) {
		m->removing = true;
		return wait_for(s, GS_SIM_PENDING_MDEV, m->uuid, ret_wait);
	}
	mdev_forget(gpu, m);
	return 0;
}

/* ------------------------------------------------------------ settling */

static bool is_ready(const struct gs_sim_state *s, const struct gs_sim_pending *p, int tree_fd)
{
	struct gs_sim_function f;
	struct gs_sim_gpu *gpu;
	struct gs_sim_mdev *m;

	if (p->kind == GS_SIM_PENDING_MDEV) {
		m = gs_sim_mdev_by_uuid(s, p->what, &gpu);
		return !m || !gs_sim_group_is_held(s, m->iommu_group);
	}
	if (!gs_sim_function_find(s, p->what, &f))
		return true;
	if (p->kind == GS_SIM_PENDING_UNBIND)
		return !must_wait(s, &f, tree_fd);
	for (uint32_t n = 0; f.gpu && n < f.gpu->total_vfs; n++) {
		if (f.gpu->vfs[n].state == GS_SIM_VF_REMOVING)
			return !gs_sim_vf_is_held(s, f.gpu, n);
	}
	return true;
}

/* True when it is done for good; a disable may stop at the next VF that is held. */
static bool finish(struct gs_sim_state *s, const struct gs_sim_pending *p)
{
	struct gs_sim_function f;
	struct gs_sim_gpu *gpu;
	struct gs_sim_mdev *m;

	if (p->kind == GS_SIM_PENDING_MDEV) {
		m = gs_sim_mdev_by_uuid(s, p->what, &gpu);
		if (m)
			mdev_forget(gpu, m);
		return true;
	}
	if (!gs_sim_function_find(s, p->what, &f))
		return true;
	if (p->kind == GS_SIM_PENDING_NUMVFS)
		return !f.gpu || disable_until_held(s, f.gpu);
	leave_driver(&f);
	return true;
}

bool gs_sim_settle(struct gs_sim_state *s, int tree_fd)
{
	bool changed = false;

	for (size_t i = 0; i < s->n_pending;) {
		if (!is_ready(s, &s->pending[i], tree_fd)) {
			i++;
			continue;
		}
		changed = true;
		if (!finish(s, &s->pending[i])) {
			i++;
			continue;
		}
		memmove(&s->pending[i], &s->pending[i + 1], (s->n_pending - i - 1) * sizeof(*s->pending));
		s->n_pending--;
		i = 0;      /* what waited for that one may go on now */
	}
	return gs_sim_modes_settle(s, tree_fd) || changed;
}

bool gs_sim_can_settle(const struct gs_sim_state *s, int tree_fd)
{
	for (size_t i = 0; i < s->n_pending; i++) {
		if (is_ready(s, &s->pending[i], tree_fd))
			return true;
	}
	for (size_t i = 0; i < s->n_gpus; i++) {
		const struct gs_sim_gpu *gpu = &s->gpus[i];

		if (gpu->mig_pending != gpu->mig_current && !gpu->pending_stuck && !gs_sim_gpu_is_held(s, gpu, tree_fd, -1))
			return true;
	}
	return false;
}
