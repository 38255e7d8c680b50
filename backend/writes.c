/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/writes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/writer.h"
#include "base/parse.h"
#include "codec/json_reader.h"

#define RECORDS_MAX 1024

void gs_write_record_done(struct gs_write_record *r)
{
	free(r->path);
	free(r->value);
	free(r->waits_for);
	*r = (struct gs_write_record){ 0 };
}

int gs_write_record_make(struct gs_root *root, const struct gs_write_record *r)
{
	GS_JSON struct json_object *o = json_object_new_object();
	struct gs_proc_identity process;
	GS_FREE char *text = NULL;
	char bdf[GS_BDF_TEXT];
	int rc = o ? gs_proc_identify(r->pid, &process) : -ENOMEM;

	if (rc < 0)
		return rc;
	gs_json_add_u64(o, "start_time", GS_U64(process.start_time));
	gs_json_add_string(o, "boot_id", process.boot_id);
	gs_json_add_string(o, "path", r->path);
	gs_json_add_string(o, "value", r->value);
	gs_json_add_i64(o, "since_ms", GS_I64(r->since_ms));
	gs_json_add_string(o, "waits_for", r->waits_for);
	if (r->owner.pid) {
		gs_json_add_u32(o, "owner_pid", GS_U32(r->owner.pid));
		gs_json_add_u64(o, "owner_start_time", GS_U64(r->owner.start_time));
	}
	text = gs_json_to_text(o);
	if (!text)
		return -ENOMEM;
	gs_root_mkdir(root, 0755, "run/gpuslice");
	rc = gs_root_mkdir(root, 0755, GS_WRITES_DIR);
	return rc < 0 ? rc : gs_root_replace_file(root, text, strlen(text), r->owner.pid ? 0644 : 0600, (gid_t)-1, GS_WRITES_DIR "/%u-%s", r->pid, gs_bdf_format(r->function, bdf));
}

void gs_write_record_remove(struct gs_root *root, uint32_t pid, struct gs_bdf function)
{
	char bdf[GS_BDF_TEXT];

	gs_root_unlink(root, GS_WRITES_DIR "/%u-%s", pid, gs_bdf_format(function, bdf));
}

/* "4711-0000:26:00.0" */
static bool parse_name(const char *name, uint32_t *ret_pid, struct gs_bdf *ret_function)
{
	size_t n = strcspn(name, "-");
	char pid[12];

	if (!name[n] || n >= sizeof(pid))
		return false;
	memcpy(pid, name, n);
	pid[n] = '\0';
	return gs_parse_u32(pid, 10, ret_pid) == 0 && gs_bdf_parse(name + n + 1, ret_function) == 0;
}

/* Whoever may write into /run/gpuslice is root, but a record may be half, old, or from another version. */
static int parse_record(const char *text, struct gs_write_record *record, struct gs_proc_identity *ret_process)
{
	GS_JSON struct json_object *o = NULL;
	const struct gs_json_where where = { NULL, "record", 0 };
	struct gs_json_reader r;
	const char *path, *value, *waits_for, *boot;
	struct gs_u64 start_time, owner_start_time;
	struct gs_u32 owner;
	struct gs_i64 since;

	if (gs_json_parse(text, strlen(text), "record", &o, NULL) < 0)
		return -EBADMSG;
	r = gs_json_reader_of(o, &where, NULL);
	path = gs_json_read_name(&r, "path");
	value = gs_json_read_name(&r, "value");
	boot = gs_json_read_name(&r, "boot_id");
	waits_for = gs_json_read_string(&r, "waits_for");
	start_time = gs_json_read_u64(&r, "start_time");
	since = gs_json_read_i64(&r, "since_ms");
	owner = gs_json_read_u32(&r, "owner_pid", INT32_MAX);
	owner_start_time = gs_json_read_u64(&r, "owner_start_time");
	if (r.failed || !start_time.known || strlen(boot) >= sizeof(ret_process->boot_id))
		return -EBADMSG;
	*ret_process = (struct gs_proc_identity){ .pid = record->pid, .start_time = start_time.value };
	snprintf(ret_process->boot_id, sizeof(ret_process->boot_id), "%s", boot);
	record->owner = *ret_process;
	record->owner.pid = owner.value;
	record->owner.start_time = owner_start_time.value;
	record->start_time = start_time.value;
	record->since_ms = since.value;
	record->path = strdup(path);
	record->value = strdup(value);
	record->waits_for = waits_for ? strdup(waits_for) : NULL;
	return record->path && record->value ? 0 : -ENOMEM;
}

/* 0 when it counts, -EAGAIN when its agent is there still, -ESRCH when its process has gone. */
static int read_record(struct gs_root *root, struct gs_write_record *record)
{
	struct gs_proc_identity process, now;
	GS_FREE char *text = NULL;
	char bdf[GS_BDF_TEXT];
	int r = gs_root_read(root, &text, GS_WRITES_DIR "/%u-%s", record->pid, gs_bdf_format(record->function, bdf));

	if (r == 0)
		r = parse_record(text, record, &process);
	if (r < 0 && r != -EACCES)
		return r;
	if (gs_proc_identify(record->pid, &now) < 0)
		return -ESRCH;
	/* not ours to read: that the process is there has to do */
	if (r == -EACCES) {
		record->path = strdup("?");
		record->value = strdup("?");
		return record->path && record->value ? 0 : -ENOMEM;
	}
	if (now.start_time != process.start_time || strcmp(now.boot_id, process.boot_id) != 0)
		return -ESRCH;
	return record->owner.pid && gs_proc_is_alive(&record->owner) ? -EAGAIN : 0;
}

int gs_write_records(struct gs_root *root, bool may_clean, int (*take)(void *userdata, struct gs_write_record *r), void *userdata)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned n = 0;
	int r = 0;

	if (gs_root_opendir(root, &dir, GS_WRITES_DIR) < 0)
		return 0;
	while (r == 0 && (entry = readdir(dir)) && n++ < RECORDS_MAX) {
		struct gs_write_record record = { 0 };
		int rc;

		if (!parse_name(entry->d_name, &record.pid, &record.function))
			continue;
		rc = read_record(root, &record);
		if (rc == 0)
			r = take(userdata, &record);
		else if ((rc == -ESRCH || rc == -EBADMSG) && may_clean)
			gs_write_record_remove(root, record.pid, record.function);
		else if (rc == -ENOMEM)
			r = rc;
		gs_write_record_done(&record);
	}
	return r;
}

struct search {
	struct gs_bdf function;
	struct gs_write_record *found;
};

static int take_match(void *userdata, struct gs_write_record *r)
{
	struct search *s = userdata;

	if (gs_bdf_compare(r->function, s->function) != 0)
		return 0;
	*s->found = *r;
	*r = (struct gs_write_record){ 0 };
	return 1;
}

bool gs_write_record_of(struct gs_root *root, struct gs_bdf function, struct gs_write_record *ret_record)
{
	struct search s = { function, ret_record };

	return gs_write_records(root, false, take_match, &s) == 1;
}

struct list {
	struct gs_bdf *functions;
	size_t n, max;
};

static int take_function(void *userdata, struct gs_write_record *r)
{
	struct list *l = userdata;

	/* sysfs goes on while a call of NVML waits */
	if (strcmp(r->path, GS_WRITE_PATH_NVML) == 0)
		return 0;
	if (l->n == l->max)
		return 1;
	l->functions[l->n++] = r->function;
	return 0;
}

size_t gs_writes_functions(struct gs_root *root, struct gs_bdf *ret_functions, size_t max)
{
	struct list l = { ret_functions, 0, max };

	gs_write_records(root, false, take_function, &l);
	return l.n;
}

/* ---------------------------------------------------------------- into a snapshot */

struct collecting {
	struct gs_root *root;
	struct gs_snapshot *s;
};

static bool has_function(const struct gs_gpu *gpu, struct gs_bdf function)
{
	if (gs_bdf_compare(gpu->bdf, function) == 0)
		return true;
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		if (gs_bdf_compare(gpu->vfs.functions[i]->bdf, function) == 0)
			return true;
	}
	for (size_t i = 0; i < gpu->n_siblings; i++) {
		if (gs_bdf_compare(gpu->siblings[i]->bdf, function) == 0)
			return true;
	}
	return false;
}

/* The GPU itself first; a VF or sibling, which two GPUs of one group may both list, only then. */
static struct gs_gpu *gpu_of(struct gs_snapshot *s, struct gs_bdf function)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(s, function);

	for (size_t i = 0; !gpu && i < gs_snapshot_n_gpus(s); i++) {
		if (has_function(gs_snapshot_gpu(s, i), function))
			gpu = gs_snapshot_gpu(s, i);
	}
	return (struct gs_gpu *)gpu;    /* being built: ours still */
}

static int take_into_snapshot(void *userdata, struct gs_write_record *r)
{
	struct collecting *c = userdata;
	struct gs_gpu *gpu = gpu_of(c->s, r->function);
	struct gs_pending_write *w;
	char bdf[GS_BDF_TEXT];

	/* a collector that looks is not in that call any more */
	if (r->pid == (uint32_t)getpid())
		return 0;
	/* of no function at all: a program that works on a unit */
	if (gs_bdf_compare(r->function, (struct gs_bdf){ 0 }) == 0) {
		gs_snapshot_add_notice(c->s, "%s %s is still at work (pid %u)", r->path, r->value, r->pid);
		return 0;
	}
	if (!gpu) {
		gs_snapshot_add_notice(c->s, "a write of %s to /%s for %s waits in the kernel (writer pid %u)", r->value, r->path, gs_bdf_format(r->function, bdf), r->pid);
		return 0;
	}
	w = gs_gpu_add_write(c->s, gpu);
	if (!w)
		return -ENOMEM;
	w->function = r->function;
	w->path = gs_snapshot_text(c->s, r->path);
	w->value = gs_snapshot_text(c->s, r->value);
	w->waits_for = gs_snapshot_text(c->s, r->waits_for);
	w->pid = r->pid;
	w->since = (struct gs_wall){ r->since_ms };
	return w->path && w->value ? 0 : -ENOMEM;
}

int gs_writes_collect(struct gs_root *root, struct gs_snapshot *s, bool may_clean)
{
	struct collecting c = { root, s };

	return gs_write_records(root, may_clean, take_into_snapshot, &c);
}
