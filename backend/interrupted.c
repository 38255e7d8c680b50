/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/interrupted.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/journal.h"
#include "backend/proc.h"
#include "base/parse.h"

/* The last record of a commit is shorter: its text is bounded (gs_commit_result). */
#define TAIL_BYTES 16384
#define OPEN_MAX 64

/* "12.jsonl" */
static bool parse_name(const char *name, uint64_t *ret_id)
{
	char number[24];
	size_t n = strcspn(name, ".");

	if (strcmp(name + n, ".jsonl") != 0 || !n || n >= sizeof(number))
		return false;
	memcpy(number, name, n);
	number[n] = '\0';
	return gs_parse_u64(number, 10, ret_id) == 0 && *ret_id > 0;
}

/* Its last whole line says so; anything that cannot be read has not. */
static bool has_ended(struct gs_root *root, uint64_t id)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *tail = malloc(TAIL_BYTES + 1);
	const char *kind = NULL;
	GS_CLOSE int fd = -1;
	struct stat st;
	char *line;
	ssize_t n;

	if (!tail || gs_root_open_file(root, O_RDONLY | O_NONBLOCK, 0, &fd, GS_JOURNAL_DIR "/%" PRIu64 ".jsonl", id) < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	n = pread(fd, tail, TAIL_BYTES, st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
	while (n > 0 && tail[n - 1] != '\n')
		n--;
	if (n <= 1)
		return false;
	tail[n - 1] = '\0';
	line = memrchr(tail, '\n', (size_t)n - 1);
	line = line ? line + 1 : tail;
	if (gs_json_parse(line, strlen(line), "journal", &o, NULL) < 0 || !json_object_is_type(o, json_type_object) || gs_json_get_string(o, "kind", &kind, NULL) < 0 || !kind)
		return false;
	return strcmp(kind, gs_journal_kind_name(GS_JOURNAL_END)) == 0 || strcmp(kind, gs_journal_kind_name(GS_JOURNAL_CLOSED)) == 0;
}

/* It is a process of this host, whatever machine it works on; a later boot may have given its number to another. */
bool gs_interrupted_is_under_way(struct gs_root *root, const struct gs_journal_file *f)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	GS_FREE char *boot = NULL;
	struct gs_u32 pid = GS_U32_UNKNOWN;
	struct gs_u64 start_time = GS_U64_UNKNOWN;
	uint64_t now;

	if (gs_json_get_u32(f->begin, "pid", &pid, NULL) < 0 || gs_json_get_u64(f->begin, "start_time", &start_time, NULL) < 0 || !pid.known || !start_time.known)
		return false;
	if (gs_root_kind(root) == GS_ROOT_LIVE && gs_root_read(root, &boot, "proc/sys/kernel/random/boot_id") == 0 && strcmp(boot, f->commit.boot_id) != 0)
		return false;
	return gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL) == 0 && gs_proc_stat(host, pid.value, NULL, &now) == 0 && now == start_time.value;
}

/* A recovery that was interrupted itself is no matter of its own: what is decided about is the commit that it was of, as long as that waits for it. */
static uint64_t to_recover(struct gs_root *root, const struct gs_journal_commit *c)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *of = NULL;

	if (!c->of || c->way == GS_WAY_UNDO || gs_journal_load(root, c->of, &of, NULL) < 0)
		return c->id;
	return of->commit.state == GS_JOURNAL_IS_OPEN || (of->commit.state == GS_JOURNAL_IS_ENDED && gs_u32_is(of->commit.status, GS_STATUS_NOT_UNDONE)) ? c->of : c->id;
}

static int mark(struct gs_root *root, struct gs_snapshot *s, const struct gs_journal_file *f)
{
	uint64_t id = to_recover(root, &f->commit);
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = NULL;
	char label[256], summary[256], text[600];

	/* whose GPUs cannot be told is in the way of all: nobody may think that nothing is open */
	if (gs_journal_plan(f, &p, NULL) == -ENOMEM)
		return -ENOMEM;
	snprintf(text, sizeof(text), "%s was %s", gs_journal_label(&f->commit, label, sizeof(label)), gs_journal_summary(&f->commit, summary, sizeof(summary)));
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		struct gs_gpu *gpu = (struct gs_gpu *)gs_snapshot_gpu(s, i);    /* being built: ours still */
		bool is_concerned = !p;

		for (size_t k = 0; p && k < p->n_base; k++)
			is_concerned |= gs_bdf_compare(p->base[k].bdf, gpu->bdf) == 0;
		if (!is_concerned)
			continue;
		gpu->interrupted_commit = GS_U64(id);
		gpu->interrupted_text = gs_snapshot_text(s, text);
		if (!gpu->interrupted_text)
			return -ENOMEM;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers behind @above, the lowest first. */
static size_t list(struct gs_root *root, uint64_t above, uint64_t *ret_ids, size_t max)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	size_t n = 0;
	uint64_t id;

	if (gs_root_opendir(root, &dir, GS_JOURNAL_DIR) < 0)
		return 0;
	while (n < max && (entry = readdir(dir)))
		if (parse_name(entry->d_name, &id) && id > above)
			ret_ids[n++] = id;
	qsort(ret_ids, n, sizeof(*ret_ids), by_number);
	return n;
}

int gs_interrupted_collect(struct gs_interrupted *known, struct gs_root *root, struct gs_snapshot *s)
{
	GS_FREE uint64_t *ids = calloc(GS_JOURNAL_KEPT_MAX * 2, sizeof(*ids));
	size_t n, n_open = 0;

	if (!ids)
		return -ENOMEM;
	n = list(root, known->ended, ids, GS_JOURNAL_KEPT_MAX * 2);
	for (size_t i = 0; i < n && n_open < OPEN_MAX; i++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
		struct gs_error e = { 0 };
		int r;

		if (has_ended(root, ids[i])) {
			if (!n_open)
				known->ended = ids[i];
			continue;
		}
		n_open++;
		r = gs_journal_load(root, ids[i], &f, &e);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			gs_snapshot_add_notice(s, "commit %" PRIu64 " in the journal cannot be read: %s", ids[i], e.text);
		else if (f->commit.state == GS_JOURNAL_IS_OPEN && !gs_interrupted_is_under_way(root, f) && mark(root, s, f) < 0)
			return -ENOMEM;
	}
	return 0;
}
