/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * catalogue_shelf.h - the vGPU boards of a directory, each read when it is
 * first asked for: a machine has one or two of them, and nobody should wait
 * for the other thirty.
 *
 * Its index.json says which file describes which PCI ids; it is read when the
 * first board is asked for. A file is read once; if it is broken, it stays so.
 */
#ifndef GS_CODEC_CATALOGUE_SHELF_H
#define GS_CODEC_CATALOGUE_SHELF_H

#include "base/cleanup.h"
#include "codec/catalogue_vgpu.h"

struct gs_vgpu_shelf;

/* Reads nothing yet. The caller owns it and the boards live as long. NULL when there is no memory. */
struct gs_vgpu_shelf *gs_vgpu_shelf_new(const char *dir);
struct gs_vgpu_shelf *gs_vgpu_shelf_free(struct gs_vgpu_shelf *s);
GS_DEFINE_CLEANUP(struct gs_vgpu_shelf *, gs_vgpu_shelf_free);

/*
 * The board of a device. @subsystem_id may be NULL; it decides where several
 * boards have the device id, and does not matter where only one has.
 * -ENODEV: no board has the id; -ENOTUNIQ: several have and the subsystem is
 * none of theirs; -EBADMSG or what reading gave: index or file cannot be used.
 */
int gs_vgpu_shelf_find(struct gs_vgpu_shelf *s, const char *pci_id, const char *subsystem_id, const struct gs_vgpu_board **ret_board,
		       struct gs_error *e);

/* The board of a file, "l40s"; errors as above. */
int gs_vgpu_shelf_by_file(struct gs_vgpu_shelf *s, const char *file, const struct gs_vgpu_board **ret_board, struct gs_error *e);

/* Names of files, in the index's order: from 0, NULL behind the last one or when there is no index. */
const char *gs_vgpu_shelf_file(struct gs_vgpu_shelf *s, size_t i);

#endif
