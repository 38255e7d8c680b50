/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/services.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"
#include "codec/profile_codec.h"

#define FILE_BYTES_MAX (256u << 10)
#define UNIT_MAX 255
#define WHY_MAX 300
#define PLAIN_MIN 3

/* ---------------------------------------------------------------- what is never stopped */

/* Stopping one of these ends somebody's login, container, VM or job, or the way into the host. */
static const char *const never[] = {
	"containerd.service", "crio.service", "cri-docker.service", "docker.service", "podman.service", "lxc.service", "lxcfs.service", "lxd.service",
	"incus.service", "kubelet.service", "k3s.service", "k3s-agent.service", "rke2-agent.service", "rke2-server.service", "nomad.service",
	"libvirtd.service", "virtqemud.service", "virtlogd.service", "virtlockd.service", "virtproxyd.service", "qmeventd.service", "pvedaemon.service",
	"slurmd.service", "slurmctld.service", "slurmdbd.service", "slurmstepd.service", "munge.service", "pbs.service", "sge_execd.service",
	"ssh.service", "sshd.service", "dropbear.service", "dbus.service", "dbus-broker.service", "NetworkManager.service", "networking.service",
	"gpuslice-publish.service",
};

/* Families of such: whatever begins so. */
static const char *const never_begins[] = { "user@", "user-runtime-dir@", "session-", "getty@", "serial-getty@", "ssh@", "sshd@", "systemd-", "virtqemud@", "qemu" };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

const char *gs_service_refusal(const char *pattern)
{
	size_t n = strlen(pattern), plain = strcspn(pattern, "*?");

	if (!n || n > UNIT_MAX || pattern[0] == '-' ||
	    pattern[strspn(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@*?")])
		return "is no name of a unit";
	if (n <= strlen(".service") || strcmp(pattern + n - strlen(".service"), ".service") != 0)
		return "does not end with .service: scopes, slices and mounts are somebody's work";
	if (plain < PLAIN_MIN)
		return "could be almost any unit: begin it with three plain characters";
	for (size_t i = 0; i < GS_ARRAY_SIZE(never); i++)
		if (fnmatch(pattern, never[i], 0) == 0)
			return "may be a unit that carries logins, containers, VMs or jobs, and is never stopped";
	/* wild behind a part of such a beginning, or behind all of it */
	for (size_t i = 0; i < GS_ARRAY_SIZE(never_begins); i++)
		if ((pattern[plain] || plain >= strlen(never_begins[i])) &&
		    strncmp(pattern, never_begins[i], least(plain, strlen(never_begins[i]))) == 0)
			return "may be a unit that carries logins, containers, VMs or jobs, and is never stopped";
	return NULL;
}

/* ---------------------------------------------------------------- reading */

struct gs_services *gs_services_new(void)
{
	struct gs_services *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->arena = gs_arena_new();
	if (!s->arena) {
		free(s);
		return NULL;
	}
	return s;
}

struct gs_services *gs_services_free(struct gs_services *s)
{
	if (!s)
		return NULL;
	gs_arena_free(s->arena);
	free(s);
	return NULL;
}

static struct gs_service *find(const struct gs_services *s, const char *unit)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].unit, unit) == 0)
			return &s->items[i];
	return NULL;
}

/* A new entry; NULL and the reader failed when there is no memory or no room. */
static struct gs_service *add(struct gs_services *s, struct gs_json_reader *r)
{
	void *grown = s->n < GS_SERVICES_MAX ? gs_arena_grow(s->arena, s->items, s->n, &s->cap, sizeof(*s->items)) : NULL;

	if (!grown) {
		gs_json_read_fail(r, NULL, s->n < GS_SERVICES_MAX ? "cannot allocate memory" : "is one too many: at most %d are possible", GS_SERVICES_MAX);
		return NULL;
	}
	s->items = grown;
	return &s->items[s->n++];
}

static void read_service(struct gs_services *s, struct gs_json_reader *r, struct json_object *list, size_t index)
{
	static const struct gs_json_key keys[] = { { "unit", GS_JSON_STRING }, { "why", GS_JSON_STRING } };
	const char *unit, *why, *refusal;
	struct gs_service *service;

	gs_json_read_keys(r, keys, GS_ARRAY_SIZE(keys));
	unit = gs_json_read_name(r, "unit");
	why = gs_json_read_name(r, "why");
	if (r->failed)
		return;
	refusal = gs_service_refusal(unit);
	if (refusal)
		gs_json_read_fail(r, "unit", "\"%.64s\" %s", unit, refusal);
	if (strlen(why) > WHY_MAX)
		gs_json_read_fail(r, "why", "is longer than %d bytes", WHY_MAX);
	for (size_t i = 0; i < index && !r->failed; i++) {
		struct json_object *other = json_object_object_get(json_object_array_get_idx(list, i), "unit");

		if (strcmp(json_object_get_string(other), unit) == 0)
			gs_json_read_fail(r, "unit", "%.64s is there twice", unit);
	}
	if (r->failed)
		return;
	service = find(s, unit);
	if (!service)
		service = add(s, r);
	if (!service)
		return;
	service->unit = gs_arena_text(s->arena, unit);
	service->why = gs_arena_text(s->arena, why);
	if (!service->unit || !service->why)
		gs_json_read_fail(r, NULL, "cannot allocate memory");
}

int gs_services_add_json(struct gs_services *s, struct json_object *o, const char *name, struct gs_error *e)
{
	static const struct gs_json_key keys[] = { { "schema", GS_JSON_STRING }, { "services", GS_JSON_ARRAY } };
	struct gs_json_where root = { NULL, name, 0 }, services = { &root, "services", 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &root, e);
	struct json_object *list = NULL;
	const char *schema;
	size_t n;

	gs_json_read_keys(&r, keys, GS_ARRAY_SIZE(keys));
	schema = gs_json_read_name(&r, "schema");
	if (!r.failed && strcmp(schema, "gpuslice.services/1") != 0)
		gs_json_read_fail(&r, "schema", "must be \"gpuslice.services/1\"");
	n = gs_json_read_array(&r, "services", GS_SERVICES_MAX, &list);
	for (size_t i = 0; i < n && !r.failed; i++) {
		struct gs_json_where where = { &services, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &where, e);

		read_service(s, &in, list, i);
		r.failed = in.failed;
	}
	return r.failed;
}

/* ---------------------------------------------------------------- files */

static int add_fd(struct gs_services *s, int fd, const char *path, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *bytes = NULL;
	size_t n;
	int r = gs_fd_read_all(fd, path, FILE_BYTES_MAX, &bytes, &n, e);

	if (r == 0)
		r = gs_json_parse(bytes, n, path, &o, e);
	return r < 0 ? r : gs_services_add_json(s, o, path, e);
}

static int add_shipped(struct gs_services *s, struct gs_error *e)
{
	GS_FREE char *path = gs_data_path("services.json");
	GS_CLOSE int fd = -1;

	if (!path)
		return gs_error_oom(e);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot read %s, which says what may be stopped: %m", path);
	return add_fd(s, fd, path, e);
}

static int add_site(struct gs_services *s, struct gs_error *e)
{
	GS_CLOSE int fd = open(GS_SITE_SERVICES, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot read %s, and a plan without it would be another one: %m; make it readable for all",
				    GS_SITE_SERVICES);
	if (fstat(fd, &st) < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot look at %s: %m", GS_SITE_SERVICES);
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return gs_error_set(e, -EPERM, GS_STATUS_FAILED, "%s must be a file that belongs to root and that nobody else can write", GS_SITE_SERVICES);
	return add_fd(s, fd, GS_SITE_SERVICES, e);
}

int gs_services_load(bool with_site, struct gs_services **ret_services, struct gs_error *e)
{
	GS_CLEANUP(gs_services_freep) struct gs_services *s = gs_services_new();
	int r;

	if (!s)
		return gs_error_oom(e);
	r = add_shipped(s, e);
	if (r == 0 && with_site)
		r = add_site(s, e);
	if (r < 0)
		return r;
	*ret_services = GS_TAKE(s);
	return 0;
}
