/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/system_json.h"

#include <string.h>

#include "base/parse.h"

static void *allocate(struct gs_sim_json *j, size_t n, size_t size)
{
	void *p = gs_arena_calloc(j->arena, n ? n : 1, size);

	if (!p && !j->error)
		j->error = gs_error_oom(j->e);
	return p;
}

/* A name that becomes a file name, or "". */
static const char *name(struct gs_sim_json *j, struct json_object *o, const char *key, bool optional)
{
	const char *text = optional && !gs_sim_json_has(o, key) ? "" : gs_sim_json_string(j, o, key, 64);

	if (!(optional && !text[0]) && !gs_sim_word_is_valid(text))
		gs_sim_json_fail(j, key, "is no name");
	return text;
}

/* Text of several lines. */
static const char *text(struct gs_sim_json *j, struct json_object *o, const char *key)
{
	GS_SIM_JSON_PUT struct json_object *one = NULL;
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(o, key, &value)) {
		gs_sim_json_fail(j, key, "is missing");
		return "";
	}
	one = json_object_new_array();
	if (!one || json_object_array_add(one, json_object_get(value)) < 0) {
		j->error = gs_error_oom(j->e);
		return "";
	}
	return gs_sim_json_string_at(j, one, 0, key, 1u << 16);
}

/* Where a host's own files lie. Nothing of sys/, proc/ or dev/, which the simulated kernel makes. */
static bool path_is_allowed(const char *path)
{
	static const char *const roots[] = { "usr/", "var/", "etc/libvirt/", "etc/vfio/", "etc/systemd/system/", "etc/udev/rules.d/", "etc/mdevctl.d/", "run/libvirt/", "run/qemu-server/", "run/slurm/" };
	bool found = false;

	for (size_t i = 0; i < GS_ARRAY_SIZE(roots); i++)
		found |= gs_str_starts(path, roots[i]) && path[strlen(roots[i])];
	return found && !strstr(path, "..") && !strstr(path, "//") && path[strlen(path) - 1] != '/';
}

static void read_file(struct gs_sim_json *j, struct json_object *o, struct gs_sim_file *file)
{
	file->path = gs_sim_json_string(j, o, "path", 200);
	if (!path_is_allowed(file->path))
		gs_sim_json_fail(j, "path", "is not a path for a host's own file");
	file->text = text(j, o, "text");
	file->mode = gs_sim_json_has(o, "mode") ? gs_sim_json_u32(j, o, "mode", 0777) : 0644;
	file->pid = gs_sim_json_has(o, "pid") ? gs_sim_json_u32(j, o, "pid", 1u << 22) : 0;
}

void gs_sim_system_read(struct gs_sim_json *j, struct json_object *root, struct gs_sim_state *s)
{
	struct json_object *array = gs_sim_json_has(root, "modules") ? gs_sim_json_array(j, root, "modules", GS_SIM_MODULES_MAX) : NULL;

	s->modules = allocate(j, gs_sim_json_length(array), sizeof(*s->modules));
	s->n_modules = s->modules ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_modules; i++) {
		struct json_object *o = gs_sim_json_element(j, array, i, "modules");

		s->modules[i].name = name(j, o, "name", false);
		s->modules[i].driver = name(j, o, "driver", true);
		s->modules[i].uses = name(j, o, "uses", true);
		s->modules[i].loaded = gs_sim_json_bool(j, o, "loaded");
	}

	array = gs_sim_json_has(root, "units") ? gs_sim_json_array(j, root, "units", GS_SIM_UNITS_MAX) : NULL;
	s->units = allocate(j, gs_sim_json_length(array), sizeof(*s->units));
	s->n_units = s->units ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_units; i++) {
		struct json_object *o = gs_sim_json_element(j, array, i, "units");

		s->units[i].name = name(j, o, "name", false);
		s->units[i].active = gs_sim_json_bool(j, o, "active");
	}

	array = gs_sim_json_has(root, "files") ? gs_sim_json_array(j, root, "files", GS_SIM_FILES_MAX) : NULL;
	s->files = allocate(j, gs_sim_json_length(array), sizeof(*s->files));
	s->n_files = s->files ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_files; i++)
		read_file(j, gs_sim_json_element(j, array, i, "files"), &s->files[i]);

	array = gs_sim_json_has(root, "log") ? gs_sim_json_array(j, root, "log", GS_SIM_LOG_MAX) : NULL;
	s->n_log = gs_sim_json_length(array);
	for (size_t i = 0; i < s->n_log; i++)
		s->log[i] = gs_sim_json_string_at(j, array, i, "log", 1024);

	array = gs_sim_json_has(root, "outputs") ? gs_sim_json_array(j, root, "outputs", GS_SIM_OUTPUTS_MAX) : NULL;
	s->outputs = allocate(j, gs_sim_json_length(array), sizeof(*s->outputs));
	s->n_outputs = s->outputs ? gs_sim_json_length(array) : 0;
	for (size_t i = 0; i < s->n_outputs; i++) {
		struct json_object *o = gs_sim_json_element(j, array, i, "outputs");

		s->outputs[i].command = gs_sim_json_string(j, o, "command", 128);
		s->outputs[i].text = text(j, o, "text");
	}
}
