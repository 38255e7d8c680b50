/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * saved.h - the layout that is to be put back at boot: etc/gpuslice/layout.json
 * of the machine. It is configuration: an operator or a tool may write it as
 * well, as JSON or YAML. What gpuslice knows about its own saving lies beside,
 * in var/lib/gpuslice/saved.json, and counts only while it is about that file.
 */
#ifndef GS_BACKEND_SAVED_H
#define GS_BACKEND_SAVED_H

#include "base/clock.h"
#include "base/root.h"
#include "core/snapshot.h"
#include "codec/json.h"

#define GS_SAVED_PATH "etc/gpuslice/layout.json"
#define GS_SAVED_NOTE_PATH "var/lib/gpuslice/saved.json"

struct gs_saved {
	char *text;                     /* the layout, as it stands; owned */
	size_t n;
	/* of the note; unknown or NULL when there is none about this file */
	struct gs_i64 saved_at_ms;
	char *by, *boot_id;             /* owned */
};
void gs_saved_done(struct gs_saved *s);

/*
 * Read it. -ENOENT when nothing is saved, -EACCES; else with a sentence: too
 * large, or on a live machine writable by others than root. It is not parsed.
 * The caller calls gs_saved_done().
 */
int gs_saved_read(struct gs_root *root, struct gs_saved *ret_saved, struct gs_error *e);

/*
 * Put @text in its place (0644, replaced as a whole), and the note beside it.
 * @by: whom to name; may be NULL. Without the note, which is written last, the
 * layout is saved all the same.
 */
int gs_saved_write(struct gs_root *root, const char *text, size_t n, const char *by, struct gs_wall now, struct gs_error *e);

/* The boot id of the machine now, or NULL; the caller frees. */
char *gs_boot_id(struct gs_root *root);

/* Is the unit that restores started at boot: does a target want it? */
bool gs_restore_unit_is_enabled(struct gs_root *root);
/* Is it there at all? One that is wanted and has no file is not started, and enabling it fails. */
bool gs_restore_unit_is_installed(struct gs_root *root);

#endif
