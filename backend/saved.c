/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/saved.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/parse.h"
#include "core/digest.h"

#define NOTE_SCHEMA "gpuslice.saved/1"
#define NOTE_BYTES_MAX 4096u
#define BY_MAX 255

void gs_saved_done(struct gs_saved *s)
{
	free(s->text);
	free(s->by);
	free(s->boot_id);
	memset(s, 0, sizeof(*s));
}

char *gs_boot_id(struct gs_root *root)
{
	char *text = NULL;

	if (gs_root_read(root, &text, "proc/sys/kernel/random/boot_id") < 0)
		return NULL;
	gs_text_sanitize(text);
	return text;
}

static char *copy_printable(const char *text)
{
	char *copy = text && strlen(text) <= BY_MAX ? strdup(text) : NULL;

	if (copy)
		gs_text_sanitize(copy);
	return copy;
}

/* A note that is torn, of another schema or about another file says nothing; that is no error. */
static void read_note(struct gs_root *root, const struct gs_digest *digest, struct gs_saved *s)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *bytes = NULL;
	const char *schema = NULL, *of = NULL, *by = NULL, *boot = NULL;
	struct gs_i64 at = GS_I64_UNKNOWN;
	size_t n;

	if (gs_root_read_bytes(root, NOTE_BYTES_MAX, &bytes, &n, GS_SAVED_NOTE_PATH) < 0 || gs_json_parse(bytes, n, GS_SAVED_NOTE_PATH, &o, NULL) < 0 ||
	    !json_object_is_type(o, json_type_object))
		return;
	if (gs_json_get_string(o, "schema", &schema, NULL) < 0 || gs_json_get_string(o, "digest", &of, NULL) < 0 || gs_json_get_string(o, "by", &by, NULL) < 0 ||
	    gs_json_get_string(o, "boot_id", &boot, NULL) < 0 || gs_json_get_i64(o, "saved_at_ms", &at, NULL) < 0)
		return;
	if (!gs_str_equal(schema, NOTE_SCHEMA) || !gs_str_equal(of, digest->hex))
		return;
	s->saved_at_ms = at;
	s->by = copy_printable(by);
	s->boot_id = copy_printable(boot);
}

/* Who may write it decides what is done as root at boot. */
static int check_owner(struct gs_root *root, struct gs_error *e)
{
	struct stat st;
	int r = gs_root_stat(root, &st, GS_SAVED_PATH);

	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "/" GS_SAVED_PATH ": %s", strerror(-r));
	if (!S_ISREG(st.st_mode))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "/" GS_SAVED_PATH " is no file");
	if (gs_root_kind(root) == GS_ROOT_LIVE && (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH)))
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "/" GS_SAVED_PATH " can be written by others than root, so it is not used: chown root and chmod go-w");
	return 0;
}

int gs_saved_read(struct gs_root *root, struct gs_saved *ret_saved, struct gs_error *e)
{
	struct gs_saved s = { .saved_at_ms = GS_I64_UNKNOWN };
	struct gs_digest digest;
	int r = check_owner(root, e);

	if (r < 0)
		return r;
	r = gs_root_read_bytes(root, GS_INPUT_BYTES_MAX, &s.text, &s.n, GS_SAVED_PATH);
	if (r < 0)
		return gs_error_set(e, r, r == -EFBIG ? GS_STATUS_INVALID : GS_STATUS_FAILED, "/" GS_SAVED_PATH " cannot be read: %s", strerror(-r));
	digest = gs_digest_of(s.text, s.n);
	read_note(root, &digest, &s);
	*ret_saved = s;
	return 0;
}

static int write_note(struct gs_root *root, const struct gs_digest *digest, const char *by, struct gs_wall now)
{
	GS_JSON struct json_object *o = json_object_new_object();
	GS_FREE char *boot = gs_boot_id(root), *text = NULL;
	int r;

	gs_json_add_string(o, "schema", NOTE_SCHEMA);
	gs_json_add_i64(o, "saved_at_ms", GS_I64(now.ms));
	gs_json_add_string(o, "by", by);
	gs_json_add_string(o, "boot_id", boot);
	gs_json_add_string(o, "digest", digest->hex);
	text = o ? gs_json_to_text(o) : NULL;
	if (!text)
		return -ENOMEM;
	r = gs_root_mkdir(root, 0755, "var");
	if (r == 0)
		r = gs_root_mkdir(root, 0755, "var/lib");
	if (r == 0)
		r = gs_root_mkdir(root, 0755, "var/lib/gpuslice");
	return r < 0 ? r : gs_root_replace_file(root, text, strlen(text), 0644, (gid_t)-1, GS_SAVED_NOTE_PATH);
}

/* One y too many must not cost the only good layout. What cannot be read is none, and nothing depends on this copy. */
static void keep_previous(struct gs_root *root, const struct gs_digest *next)
{
	GS_FREE char *bytes = NULL;
	struct gs_digest digest;
	size_t n = 0;

	if (gs_root_read_bytes(root, GS_INPUT_BYTES_MAX, &bytes, &n, GS_SAVED_PATH) < 0)
		return;
	digest = gs_digest_of(bytes, n);
	if (!gs_digest_equal(&digest, next))
		gs_root_replace_file(root, bytes, n, 0644, (gid_t)-1, GS_SAVED_PATH ".previous");
}

int gs_saved_write(struct gs_root *root, const char *text, size_t n, const char *by, struct gs_wall now, struct gs_error *e)
{
	const struct gs_digest digest = gs_digest_of(text, n);
	int r = gs_root_mkdir(root, 0755, "etc");

	if (r == 0)
		r = gs_root_mkdir(root, 0755, "etc/gpuslice");
	if (r == 0)
		keep_previous(root, &digest);
	if (r == 0)
		r = gs_root_replace_file(root, text, n, 0644, (gid_t)-1, GS_SAVED_PATH);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "/" GS_SAVED_PATH " cannot be written: %s. What was saved before is still there", strerror(-r));
	/* a note about the layout before has another digest and counts no more; without one, when and by whom is not known */
	write_note(root, &digest, by, now);
	return 0;
}

/* A directory NAME.wants or NAME.requires that has the unit in it. */
static bool is_wanted_in(struct gs_root *root, const char *directory)
{
	GS_CLOSEDIR DIR *dir = NULL;
	struct dirent *entry;

	if (gs_root_opendir(root, &dir, "%s", directory) < 0)
		return false;
	while ((entry = readdir(dir))) {
		GS_FREE char *target = NULL;
		const char *end = strrchr(entry->d_name, '.');

		/* the link may lead to a unit that the package has taken along: systemd does not start that one either, but says so itself */
		if (end && (strcmp(end, ".wants") == 0 || strcmp(end, ".requires") == 0) &&
		    gs_root_readlink(root, &target, "%s/%s/" GS_RESTORE_UNIT, directory, entry->d_name) == 0)
			return true;
	}
	return false;
}

bool gs_restore_unit_is_enabled(struct gs_root *root)
{
	GS_FREE char *masked = NULL;

	/* systemctl mask: a link to /dev/null where the administrator's units are */
	if (gs_root_readlink(root, &masked, "etc/systemd/system/" GS_RESTORE_UNIT) == 0 && strcmp(masked, "/dev/null") == 0)
		return false;
	return is_wanted_in(root, "etc/systemd/system") || is_wanted_in(root, "usr/lib/systemd/system") || is_wanted_in(root, "lib/systemd/system");
}

bool gs_restore_unit_is_installed(struct gs_root *root)
{
	/* systemd.unit(5), without what is gone after a reboot */
	static const char *const folders[] = { "etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(folders); i++)
		if (gs_root_exists(root, "%s/" GS_RESTORE_UNIT, folders[i]))
			return true;
	return false;
}
