/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/parse.h"
#include "codec/json.h"

#define CMDLINE_BYTES_MAX (256u << 10)
#define DEVICE_BYTES_MAX (64u << 10)
#define WORDS_MAX 4096
#define PID_FILES_MAX 1024

bool gs_vm_parse_device(const char *text, struct gs_vm_device *ret_device)
{
	struct gs_vm_device device = { 0 };
	const char *slash;
	char last[64];
	size_t n = strlen(text);
	uuid_t uuid;

	while (n && text[n - 1] == '/')
		n--;
	slash = memrchr(text, '/', n);
	if (slash) {
		if (!gs_str_starts(text, "/sys/"))
			return false;
		n -= (size_t)(slash + 1 - text);
		text = slash + 1;
	}
	if (!n || n >= sizeof(last))
		return false;
	memcpy(last, text, n);
	last[n] = '\0';
	if (gs_bdf_parse(last, &device.bdf) < 0) {
		if (uuid_parse(last, uuid) < 0)
			return false;
		uuid_unparse_lower(uuid, device.mdev);
	}
	*ret_device = device;
	return true;
}

static void add_device(struct gs_vm *vm, const char *text)
{
	struct gs_vm_device device;

	if (!gs_vm_parse_device(text, &device))
		return;
	if (vm->n_devices == GS_VM_DEVICES_MAX)
		vm->is_cut = true;
	else
		vm->devices[vm->n_devices++] = device;
}

static void set_uuid(struct gs_vm *vm, const char *text)
{
	uuid_t uuid;

	if (uuid_parse(text, uuid) == 0)
		uuid_unparse_lower(uuid, vm->uuid);
}

/* One word up to a lone comma, with doubled ones made single; *@at ends behind the comma. */
static void take_word(const char **at, const char *stop, char *ret, size_t size)
{
	const char *p = *at;
	size_t n = 0;

	while (*p && !strchr(stop, *p)) {
		if (*p == ',' && p[1] == ',')
			p++;
		else if (*p == ',')
			break;
		if (n + 1 < size)
			ret[n++] = *p;
		p++;
	}
	ret[n] = '\0';
	*at = p;
}

bool gs_vm_next_option(const char **at, const char *implied, char *ret_key, size_t key_size, char *ret_value, size_t value_size)
{
	const char *start = *at;

	if (!*start)
		return false;
	take_word(at, "=", ret_key, key_size);
	if (**at == '=') {
		(*at)++;
		take_word(at, "", ret_value, value_size);
	} else if (implied) {
		/* a value, whose key goes without saying */
		*at = start;
		take_word(at, "", ret_value, value_size);
		snprintf(ret_key, key_size, "%s", implied);
	} else {
		ret_value[0] = '\0';
	}
	if (**at == ',')
		(*at)++;
	return true;
}

/* "guest=lab03,debug-threads=on", or the name first (plain QEMU, Proxmox) */
static void take_name(struct gs_vm *vm, const char *text)
{
	char key[32], value[GS_VM_NAME];
	const char *implied = "guest";

	while (gs_vm_next_option(&text, implied, key, sizeof(key), value, sizeof(value))) {
		if (strcmp(key, "guest") == 0)
			snprintf(vm->name, sizeof(vm->name), "%s", value);
		implied = NULL;
	}
}

/* newer libvirt: {"driver":"vfio-pci","sysfsdev":"/sys/bus/mdev/devices/UUID"} */
static void take_json_device(struct gs_vm *vm, const char *text, size_t n)
{
	static const char *const keys[] = { "host", "sysfsdev" };
	GS_JSON struct json_object *o = NULL;
	const char *value;

	if (n > DEVICE_BYTES_MAX || gs_json_parse(text, n, "-device", &o, NULL) < 0 || !json_object_is_type(o, json_type_object))
		return;
	if (gs_json_get_string(o, "driver", &value, NULL) < 0 || !value || !gs_str_starts(value, "vfio-"))
		return;
	for (size_t i = 0; i < GS_ARRAY_SIZE(keys); i++)
		if (gs_json_get_string(o, keys[i], &value, NULL) == 0 && value)
			add_device(vm, value);
}

/* "vfio-pci,host=0000:26:00.4,id=hostpci0" */
static void take_device(struct gs_vm *vm, const char *text)
{
	char key[32], value[256];
	const char *implied = "driver";
	bool is_vfio = false;

	if (*text == '{') {
		take_json_device(vm, text, strlen(text));
		return;
	}
	while (gs_vm_next_option(&text, implied, key, sizeof(key), value, sizeof(value))) {
		implied = NULL;
		if (strcmp(key, "driver") == 0)
			is_vfio = gs_str_starts(value, "vfio-");
		else if (is_vfio && (strcmp(key, "host") == 0 || strcmp(key, "sysfsdev") == 0))
			add_device(vm, value);
	}
}

/* The words one by one: @argv need not end with a NUL, the copies do. */
struct words {
	const char *at, *end;
	char *copy;             /* of the longest word so far; owned */
	unsigned n;
};

static const char *next_word(struct words *w)
{
	size_t n;
	char *copy;

	if (w->at >= w->end || w->n++ == WORDS_MAX)
		return NULL;
	n = strnlen(w->at, (size_t)(w->end - w->at));
	copy = realloc(w->copy, n + 1);
	if (!copy)
		return NULL;
	w->copy = copy;
	memcpy(copy, w->at, n);
	copy[n] = '\0';
	w->at += n + 1;
	return copy;
}

static void parse_qemu(struct words *w, struct gs_vm *vm)
{
	const char *word;

	while ((word = next_word(w))) {
		enum { NAME, UUID, DEVICE, OTHER } what;

		word += word[0] == '-' && word[1] == '-';       /* --name is -name */
		what = strcmp(word, "-name") == 0 ? NAME : strcmp(word, "-uuid") == 0 ? UUID : strcmp(word, "-device") == 0 ? DEVICE : OTHER;
		if (what == OTHER)
			continue;
		word = next_word(w);
		if (!word)
			return;
		if (what == NAME)
			take_name(vm, word);
		else if (what == UUID)
			set_uuid(vm, word);
		else
			take_device(vm, word);
	}
}

/* The path of a device somewhere in a word: "path=/sys/bus/pci/devices/0000:01:00.0/,id=x", "--vfio=/sys/…". */
static void take_path(struct gs_vm *vm, const char *word)
{
	const char *path = strstr(word, "/sys/");
	char copy[256];
	size_t n;

	if (!path)
		return;
	n = strcspn(path, ",");
	if (n >= sizeof(copy))
		return;
	memcpy(copy, path, n);
	copy[n] = '\0';
	add_device(vm, copy);
}

/* cloud-hypervisor, crosvm, firecracker: long options, devices by path. */
static void parse_other(struct words *w, struct gs_vm *vm)
{
	bool is_name = false;
	const char *word;

	while ((word = next_word(w))) {
		if (is_name)
			snprintf(vm->name, sizeof(vm->name), "%s", word);
		else
			take_path(vm, word);
		is_name = !is_name && (strcmp(word, "--name") == 0 || strcmp(word, "--id") == 0);
	}
}

/* The program of a machine, or NULL: by the last part of its path. */
static const char *monitor_of(const char *program)
{
	static const char *const exact[] = { "cloud-hypervisor", "crosvm", "firecracker" };
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	if (gs_str_starts(name, "qemu-system-") || strcmp(name, "qemu-kvm") == 0 || strcmp(name, "kvm") == 0)
		return "qemu";
	for (size_t i = 0; i < GS_ARRAY_SIZE(exact); i++)
		if (strcmp(name, exact[i]) == 0)
			return exact[i];
	return NULL;
}

bool gs_vm_parse(const char *argv, size_t n, struct gs_vm *ret_vm)
{
	struct words w = { .at = argv, .end = argv + n };
	struct gs_vm vm = { 0 };
	const char *word = next_word(&w);

	vm.monitor = word ? monitor_of(word) : NULL;
	if (vm.monitor && strcmp(vm.monitor, "qemu") == 0)
		parse_qemu(&w, &vm);
	else if (vm.monitor)
		parse_other(&w, &vm);
	free(w.copy);
	if (!vm.monitor)
		return false;
	*ret_vm = vm;
	return true;
}

/* DIR/NAME.pid that holds @pid: the NAME. */
static bool find_pid_file(struct gs_root *root, const char *path, uint32_t pid, char *ret_name, size_t size)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned seen = 0;

	if (gs_root_opendir(root, &dir, "%s", path) < 0)
		return false;
	while ((entry = readdir(dir)) && seen++ < PID_FILES_MAX) {
		size_t n = strlen(entry->d_name), suffix = strlen(".pid");
		uint64_t found;

		if (n <= suffix || strcmp(entry->d_name + n - suffix, ".pid") != 0 || n - suffix >= size)
			continue;
		if (gs_root_read_u64(root, 10, &found, "%s/%s", path, entry->d_name) < 0 || found != pid)
			continue;
		memcpy(ret_name, entry->d_name, n - suffix);
		ret_name[n - suffix] = '\0';
		return true;
	}
	return false;
}

bool gs_vm_read(struct gs_root *root, uint32_t pid, struct gs_vm *ret_vm)
{
	GS_FREE char *argv = NULL;
	struct gs_vm vm;
	char number[32];
	size_t n;

	if (gs_root_read_bytes(root, CMDLINE_BYTES_MAX, &argv, &n, "proc/%u/cmdline", pid) < 0 || !gs_vm_parse(argv, n, &vm))
		return false;
	if (!vm.name[0] && !find_pid_file(root, "run/libvirt/qemu", pid, vm.name, sizeof(vm.name)) &&
	    find_pid_file(root, "run/qemu-server", pid, number, sizeof(number)))
		snprintf(vm.name, sizeof(vm.name), "VM %s", number);
	*ret_vm = vm;
	return true;
}
