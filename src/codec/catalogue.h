/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * catalogue.h - what is known of MIG models and vGPU types without asking a
 * driver: for unprivileged viewers, offline planning, and the simulator's data files.
 */
#ifndef GS_CODEC_CATALOGUE_H
#define GS_CODEC_CATALOGUE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "codec/catalogue_pci.h"
#include "codec/catalogue_vgpu.h"
#include "core/profile.h"

struct gs_gpu_model {
	const char *file;               /* "h100-sxm5-80gb" */
	const char *name;
	const char *architecture;
	const struct gs_model_pci *pci;
	size_t n_pci;
	struct gs_u32 sm_count;
	bool mode_needs_reset, mode_survives_reboot;
	bool mode_survival_is_known;    /* of mode_survives_reboot: false where no source says it */
	struct gs_profile_set profiles; /* source CATALOGUE; profiles without id or placements are left in, with n_placements 0 */
};

struct gs_catalogue;

/*
 * Load every MIG model file of the shipped data, strictly: an unknown key, a missing
 * one, a placement outside the grid, a duplicate is -EBADMSG with file and
 * path of the value. vGPU boards are read when they are first asked for. The caller owns it.
 */
int gs_catalogue_load(struct gs_catalogue **ret_catalogue, struct gs_error *e);
/* The same from a directory of MIG models, for tests; without vGPU boards. */
int gs_catalogue_load_dir(const char *dir, struct gs_catalogue **ret_catalogue, struct gs_error *e);
struct gs_catalogue *gs_catalogue_free(struct gs_catalogue *c);
GS_DEFINE_CLEANUP(struct gs_catalogue *, gs_catalogue_free);

size_t gs_catalogue_n_models(const struct gs_catalogue *c);
const struct gs_gpu_model *gs_catalogue_model(const struct gs_catalogue *c, size_t i);
const struct gs_gpu_model *gs_catalogue_by_file(const struct gs_catalogue *c, const char *file);
/* The model of a board; @subsystem_id may be NULL. Two boards can share a PCI id: NULL when it does not decide. */
const struct gs_gpu_model *gs_catalogue_by_pci(const struct gs_catalogue *c, const char *pci_id, const char *subsystem_id);

/*
 * The vGPU types of a board; @subsystem_id may be NULL. It decides where
 * several boards have the device id (A2 and A16), and does not matter where
 * only one has. The file is read at the first call; the board lives as long as
 * the catalogue. -ENODEV: not in the catalogue; -ENOTUNIQ: cannot be decided;
 * -EBADMSG or what reading gave: the file cannot be used.
 */
int gs_catalogue_find_vgpu_board(const struct gs_catalogue *c, const char *pci_id, const char *subsystem_id,
				 const struct gs_vgpu_board **ret_board, struct gs_error *e);
/* The same for callers who get along without: NULL for whatever reason. @pci_id may be NULL. */
const struct gs_vgpu_board *gs_catalogue_vgpu_board(const struct gs_catalogue *c, const char *pci_id, const char *subsystem_id);

/* By file, "l40s"; also for boards whose PCI ids no source gives. */
const struct gs_vgpu_board *gs_catalogue_vgpu_board_by_file(const struct gs_catalogue *c, const char *file);
/* Files of boards, from 0, without reading them; NULL behind the last. */
const char *gs_catalogue_vgpu_file(const struct gs_catalogue *c, size_t i);

#endif
