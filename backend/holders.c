/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/holders.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "backend/mig.h"
#include "backend/proc.h"
#include "base/clock.h"
#include "base/parse.h"
#include "codec/snapshot_json.h"

#define GPUS_MAX 1024
#define USES_MAX 8192
#define FDS_PER_PROCESS_MAX 65536
#define PROCESSES_MAX 4096
#define MINORS_BYTES_MAX (1u << 20)
#define PASSWD_BYTES_MAX (1u << 20)
#define CMDLINE_BYTES_MAX 4096
#define RESCAN_MS 5000
#define EVIDENCE_MAX 96

/* interfaces 5.10 */
#define CAP_FIRST 3
#define CAPS_PER_GPU 135
#define CAPS_PER_GI 9

/* A node that a process has open; outlives a round. */
struct opened {
	uint32_t pid;
	enum gs_node node;
	uint32_t number;
};

/* One process on one GPU or instance, this round. */
struct use {
	struct gs_gpu *gpu;
	struct gs_u32 gi;
	uint32_t pid;
	struct gs_u64 used_memory_bytes;
	bool is_nvml;
	char evidence[EVIDENCE_MAX];
};

/* What does not change while a process lives. */
struct process {
	uint32_t pid;
	uint64_t start_time;
	struct gs_u32 uid;
	char user[64], unit[128];
	bool yields;
	bool seen;
};

struct gs_holders {
	struct gs_root *root;
	struct gs_gpu *gpus[GPUS_MAX];
	struct gs_u32 minors[GPUS_MAX];
	size_t n_gpus;
	struct opened *opened;
	size_t n_opened, cap_opened;
	bool is_scan_hidden;            /* some process could not be looked into; as old as the scan */
	bool is_hidden;                 /* the same of what this round brought */
	bool is_cut;                    /* more than we keep track of: for a notice */
	bool is_scan_cut;
	bool hides[GPUS_MAX];           /* of @gpus: this one alone */
	bool has_scanned;
	struct gs_monotonic scanned;
	struct use *uses;
	size_t n_uses, cap_uses;
	struct process *processes;
	size_t n_processes, cap_processes;
	char *mig_minors;               /* the static table, once it was needed */
	bool has_mig_minors;
};

struct gs_holders *gs_holders_new(struct gs_root *root)
{
	struct gs_holders *h = calloc(1, sizeof(*h));

	if (h)
		h->root = root;
	return h;
}

struct gs_holders *gs_holders_free(struct gs_holders *h)
{
	if (!h)
		return NULL;
	free(h->opened);
	free(h->uses);
	free(h->processes);
	free(h->mig_minors);
	free(h);
	return NULL;
}

void gs_holders_begin(struct gs_holders *h)
{
	h->n_gpus = 0;
	h->n_uses = 0;
	h->is_hidden = false;
	h->is_cut = false;
}

/* Room for one more; *@array may move. The memory of more than @max elements is nobody's honest need. */
static int make_room(void **array, size_t n, size_t *cap, size_t size, size_t max)
{
	size_t grown = *cap ? *cap * 2 : 64;
	void *p;

	if (n < *cap)
		return 0;
	if (n >= max)
		return -E2BIG;
	p = reallocarray(*array, grown, size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = grown;
	return 0;
}

int gs_holders_add_gpu(struct gs_holders *h, struct gs_gpu *gpu, struct gs_u32 minor)
{
	if (h->n_gpus == GPUS_MAX)
		return -ENOMEM;
	h->gpus[h->n_gpus] = gpu;
	/* without its minor nobody's open node can be told to be this GPU's */
	h->hides[h->n_gpus] = !minor.known;
	h->minors[h->n_gpus++] = minor;
	return 0;
}

void gs_holders_hide(struct gs_holders *h, const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < h->n_gpus; i++)
		h->hides[i] |= h->gpus[i] == gpu;
}

/* -E2BIG, what was left out, is no error but must not look like «free». */
static int cut(int r, bool *ret_cut)
{
	if (r != -E2BIG)
		return r;
	*ret_cut = true;
	return 0;
}

static void add_evidence(struct use *u, const char *evidence)
{
	size_t n = strlen(u->evidence);

	if (strstr(u->evidence, evidence))
		return;
	snprintf(u->evidence + n, sizeof(u->evidence) - n, "%s%s", n ? ", " : "", evidence);
}

/* A GI that the snapshot does not show counts as the GPU itself. */
static int add_use(struct gs_holders *h, struct gs_gpu *gpu, uint32_t pid, struct gs_u32 gi, const char *evidence, struct use **ret_use)
{
	struct use *u;
	int r;

	if (gi.known && !gs_mig_instance_by_id(gpu, gi.value))
		gi = GS_U32_UNKNOWN;
	for (size_t i = 0; i < h->n_uses; i++) {
		u = &h->uses[i];
		if (u->gpu == gpu && u->pid == pid && gs_u32_equal(u->gi, gi)) {
			add_evidence(u, evidence);
			*ret_use = u;
			return 0;
		}
	}
	r = make_room((void **)&h->uses, h->n_uses, &h->cap_uses, sizeof(*h->uses), USES_MAX);
	if (r < 0)
		return r;
	u = &h->uses[h->n_uses++];
	memset(u, 0, sizeof(*u));
	u->gpu = gpu;
	u->pid = pid;
	u->gi = gi;
	add_evidence(u, evidence);
	*ret_use = u;
	return 0;
}

int gs_holders_add_nvml(struct gs_holders *h, struct gs_gpu *gpu, uint32_t pid, struct gs_u32 gi, struct gs_u64 used_memory_bytes)
{
	struct use *u;
	int r;

	/* no process can have it */
	if (pid > INT32_MAX) {
		gs_holders_hide(h, gpu);
		return 0;
	}
	r = add_use(h, gpu, pid, gi, "nvml", &u);
	if (r < 0)
		return cut(r, &h->is_cut);
	u->is_nvml = true;
	if (used_memory_bytes.known)
		u->used_memory_bytes = used_memory_bytes;
	return 0;
}

enum gs_node gs_holders_parse_link(const char *target, uint32_t *ret_number)
{
	static const char gpu[] = "/dev/nvidia", capability[] = "/dev/nvidia-caps/nvidia-cap", deleted[] = " (deleted)";
	enum gs_node node;
	const char *digits;
	char number[12];
	size_t n;

	if (gs_str_starts(target, capability)) {
		node = GS_NODE_CAPABILITY;
		digits = target + strlen(capability);
	} else if (gs_str_starts(target, gpu)) {
		node = GS_NODE_GPU;
		digits = target + strlen(gpu);
	} else {
		return GS_NODE_OTHER;
	}
	n = strspn(digits, "0123456789");
	if (!n || n >= sizeof(number) || (digits[n] && strcmp(digits + n, deleted) != 0))
		return GS_NODE_OTHER;
	memcpy(number, digits, n);
	number[n] = '\0';
	return gs_parse_u32(number, 10, ret_number) < 0 ? GS_NODE_OTHER : node;
}

/* "gpu0/gi3/ci1/access 32" up to @end, when its last word is @number. */
/* "gpu7/" at @text: the number; what follows the slash, or NULL. */
static const char *numbered(const char *text, const char *name, uint32_t *ret_number)
{
	char digits[12];
	size_t n;

	if (!gs_str_starts(text, name))
		return NULL;
	text += strlen(name);
	n = strcspn(text, "/");
	if (text[n] != '/' || n >= sizeof(digits))
		return NULL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return gs_parse_u32(digits, 10, ret_number) < 0 ? NULL : text + n + 1;
}

static bool table_line(const char *line, const char *end, uint32_t number, uint32_t *ret_gpu_minor, uint32_t *ret_gi)
{
	char text[64], wanted[16];
	size_t n = (size_t)(end - line);
	const char *rest;
	uint32_t gpu, gi;
	char *blank;

	if (n >= sizeof(text))
		return false;
	memcpy(text, line, n);
	text[n] = '\0';
	blank = strrchr(text, ' ');
	snprintf(wanted, sizeof(wanted), "%u", number);
	if (!blank || strcmp(blank + 1, wanted) != 0)
		return false;
	rest = numbered(text, "gpu", &gpu);
	if (!rest || !numbered(rest, "gi", &gi))
		return false;
	*ret_gpu_minor = gpu;
	*ret_gi = gi;
	return true;
}

bool gs_holders_capability(const char *minors, uint32_t number, uint32_t *ret_gpu_minor, uint32_t *ret_gi)
{
	if (number < CAP_FIRST)
		return false;
	for (const char *line = minors; line && *line;) {
		const char *end = line + strcspn(line, "\n");

		if (table_line(line, end, number, ret_gpu_minor, ret_gi))
			return true;
		line = *end ? end + 1 : end;
	}
	if (minors)
		return false;
	*ret_gpu_minor = (number - CAP_FIRST) / CAPS_PER_GPU;
	*ret_gi = (number - CAP_FIRST) % CAPS_PER_GPU / CAPS_PER_GI;
	return true;
}

static int remember_opened(struct gs_holders *h, uint32_t pid, enum gs_node node, uint32_t number)
{
	int r;

	for (size_t i = h->n_opened; i > 0 && h->opened[i - 1].pid == pid; i--) {
		if (h->opened[i - 1].node == node && h->opened[i - 1].number == number)
			return 0;
	}
	r = make_room((void **)&h->opened, h->n_opened, &h->cap_opened, sizeof(*h->opened), USES_MAX);
	if (r < 0)
		return r;
	h->opened[h->n_opened++] = (struct opened){ pid, node, number };
	return 0;
}

/* One that has ended uses nothing; whatever else stands in the way hides it. */
static void note_blind(struct gs_holders *h, int r)
{
	h->is_scan_hidden = h->is_scan_hidden || (r != -ENOENT && r != -ESRCH);
}

/* The next entry; NULL at the end, and then *@ret_error says whether it was the end. */
static const struct dirent *next_entry(DIR *dir, int *ret_error)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(dir);
	*ret_error = entry ? 0 : -errno;
	return entry;
}

static int scan_process(struct gs_holders *h, uint32_t pid)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned seen = 0;
	int r = gs_root_opendir(h->root, &dir, "proc/%u/fd", pid);
	int end;

	if (r < 0) {
		note_blind(h, r);
		return 0;
	}
	while ((entry = next_entry(dir, &end))) {
		char target[128];
		enum gs_node node;
		uint32_t number;
		ssize_t n;

		if (entry->d_name[0] == '.')
			continue;
		if (seen++ == FDS_PER_PROCESS_MAX)
			return cut(-E2BIG, &h->is_scan_cut);
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0) {
			note_blind(h, -errno);
			continue;
		}
		target[n] = '\0';
		node = gs_holders_parse_link(target, &number);
		if (node == GS_NODE_OTHER)
			continue;
		r = remember_opened(h, pid, node, number);
		if (r < 0)
			return cut(r, &h->is_scan_cut);
	}
	if (end < 0)
		note_blind(h, end);
	return 0;
}

int gs_holders_scan(struct gs_holders *h, bool fresh)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	int r, end;

	if (gs_root_kind(h->root) == GS_ROOT_LIVE && !fresh && h->has_scanned && gs_elapsed_ms(h->scanned) < RESCAN_MS)
		return 0;
	h->n_opened = 0;
	h->is_scan_hidden = false;
	h->is_scan_cut = false;
	h->has_scanned = true;
	h->scanned = gs_monotonic_now();
	r = gs_root_opendir(h->root, &dir, "proc");
	if (r < 0) {
		h->is_scan_hidden = true;
		return 0;
	}
	while ((entry = next_entry(dir, &end))) {
		uint32_t pid;

		if (gs_parse_u32(entry->d_name, 10, &pid) < 0)
			continue;
		r = scan_process(h, pid);
		if (r < 0)
			return r;
	}
	h->is_scan_hidden = h->is_scan_hidden || end < 0;
	return 0;
}

static struct gs_gpu *gpu_by_minor(const struct gs_holders *h, uint32_t minor)
{
	for (size_t i = 0; i < h->n_gpus; i++) {
		if (gs_u32_is(h->minors[i], minor))
			return h->gpus[i];
	}
	return NULL;
}

static const char *mig_minors(struct gs_holders *h)
{
	size_t n;

	if (!h->has_mig_minors) {
		h->has_mig_minors = true;
		if (gs_root_read_bytes(h->root, MINORS_BYTES_MAX, &h->mig_minors, &n, "proc/driver/nvidia-caps/mig-minors") < 0)
			h->mig_minors = NULL;
	}
	return h->mig_minors;
}

/* Turn open nodes into uses of the GPUs of this round. */
static int join_opened(struct gs_holders *h)
{
	for (size_t i = 0; i < h->n_opened; i++) {
		const struct opened *o = &h->opened[i];
		struct gs_u32 gi = GS_U32_UNKNOWN;
		uint32_t minor = o->number;
		char evidence[64];
		struct gs_gpu *gpu;
		struct use *u;
		int r;

		if (o->node == GS_NODE_CAPABILITY) {
			gi.known = true;
			if (!gs_holders_capability(mig_minors(h), o->number, &minor, &gi.value))
				continue;
			snprintf(evidence, sizeof(evidence), "fd /dev/nvidia-caps/nvidia-cap%u", o->number);
		} else {
			snprintf(evidence, sizeof(evidence), "fd /dev/nvidia%u", o->number);
		}
		gpu = gpu_by_minor(h, minor);
		if (!gpu)
			continue;
		r = add_use(h, gpu, o->pid, gi, evidence, &u);
		if (r < 0)
			return cut(r, &h->is_cut);
	}
	return 0;
}

/* Name of a uid in the machine's passwd; a line is name:x:uid:… */
static void find_user(struct gs_holders *h, uint32_t uid, char *ret_user, size_t size)
{
	GS_FREE char *text = NULL;
	char wanted[16];
	size_t n;

	ret_user[0] = '\0';
	if (gs_root_read_bytes(h->root, PASSWD_BYTES_MAX, &text, &n, "etc/passwd") < 0)
		return;
	snprintf(wanted, sizeof(wanted), "%u", uid);
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n"), name = strcspn(line, ":\n");
		const char *end = line + length;
		const char *password = name < length ? line + name + 1 : end;
		const char *number = password + strcspn(password, ":\n");

		number = number < end ? number + 1 : end;
		if (strcspn(number, ":\n") == strlen(wanted) && strncmp(number, wanted, strlen(wanted)) == 0 && name < size) {
			memcpy(ret_user, line, name);
			ret_user[name] = '\0';
			return;
		}
		line = *end ? end + 1 : end;
	}
}

/* A process writes its own name and words; which file it executes is the kernel's word. */
static bool is_own_collector(struct gs_holders *h, uint32_t pid, const char *comm)
{
	GS_FREE char *cmdline = NULL;
	size_t n = 0;

	if (strcmp(comm, "gpuslice") != 0 || !gs_proc_is_own_program(h->root, pid))
		return false;
	return gs_root_read_bytes(h->root, CMDLINE_BYTES_MAX, &cmdline, &n, "proc/%u/cmdline", pid) == 0 && gs_proc_is_collector(comm, cmdline, n);
}

/* What is known of a process; looked up once in its life. NULL when it has gone or memory has. */
static struct process *know_process(struct gs_holders *h, uint32_t pid, uint64_t start_time, const char *comm)
{
	struct process *p;
	uint32_t uid;

	for (size_t i = 0; i < h->n_processes; i++) {
		p = &h->processes[i];
		if (p->pid == pid && p->start_time == start_time)
			return p;
	}
	if (make_room((void **)&h->processes, h->n_processes, &h->cap_processes, sizeof(*h->processes), PROCESSES_MAX) < 0)
		return NULL;
	p = &h->processes[h->n_processes++];
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	p->start_time = start_time;
	if (gs_proc_uid(h->root, pid, &uid) == 0) {
		p->uid = GS_U32(uid);
		find_user(h, uid, p->user, sizeof(p->user));
	}
	if (gs_proc_unit(h->root, pid, p->unit, sizeof(p->unit)) < 0)
		p->unit[0] = '\0';
	p->yields = is_own_collector(h, pid, comm);
	return p;
}

static void forget_unseen(struct gs_holders *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n_processes; i++) {
		if (!h->processes[i].seen)
			continue;
		h->processes[kept] = h->processes[i];
		h->processes[kept++].seen = false;
	}
	h->n_processes = kept;
}

/* Known to be in one of this GPU's instances: not repeated at the GPU. */
static bool has_instance(const struct gs_holders *h, const struct use *u)
{
	for (size_t i = 0; i < h->n_uses; i++) {
		if (h->uses[i].gpu == u->gpu && h->uses[i].pid == u->pid && h->uses[i].gi.known)
			return true;
	}
	return false;
}

static int add_holder(struct gs_holders *h, struct gs_snapshot *s, const struct use *u)
{
	struct gs_instance *inst = u->gi.known ? gs_mig_instance_by_id(u->gpu, u->gi.value) : NULL;
	char comm[GS_PROC_COMM];
	uint64_t start_time = 0;
	int r = gs_proc_stat(h->root, u->pid, comm, &start_time);
	struct gs_holder *holder;
	struct process *p;

	/* one that has gone; NVML may name processes of other pid namespaces, which are there but cannot be seen */
	if (r == -ENOENT && !u->is_nvml)
		return 0;
	if ((inst ? inst->n_holders : u->gpu->n_holders) == GS_SNAPSHOT_HOLDERS_MAX)
		return cut(-E2BIG, &h->is_cut);
	holder = inst ? gs_instance_add_holder(s, inst) : gs_gpu_add_holder(s, u->gpu);
	if (!holder)
		return -ENOMEM;
	holder->kind = GS_HOLDER_PROCESS;
	holder->pid = GS_U32(u->pid);
	holder->used_memory_bytes = u->used_memory_bytes;
	holder->evidence = gs_snapshot_text(s, u->evidence);
	if (r < 0) {
		h->is_hidden = true;
		return 0;
	}
	holder->start_time = GS_U64(start_time);
	holder->name = gs_snapshot_text(s, comm);
	p = know_process(h, u->pid, start_time, comm);
	if (!p)
		return 0;
	p->seen = true;
	holder->uid = p->uid;
	holder->user = p->user[0] ? gs_snapshot_text(s, p->user) : NULL;
	holder->unit = p->unit[0] ? gs_snapshot_text(s, p->unit) : NULL;
	holder->yields = p->yields;
	return 0;
}

int gs_holders_finish(struct gs_holders *h, struct gs_snapshot *s)
{
	int r = join_opened(h);

	if (r < 0)
		return r;
	for (size_t i = 0; i < h->n_uses; i++) {
		const struct use *u = &h->uses[i];

		if (!u->gi.known && has_instance(h, u))
			continue;
		r = add_holder(h, s, u);
		if (r < 0)
			return r;
	}
	if (h->is_cut || h->is_scan_cut)
		gs_snapshot_add_notice(s, "more processes use the GPUs than this program keeps track of: not all of them are shown");
	for (size_t i = 0; i < h->n_gpus; i++)
		h->gpus[i]->holders_visible = !h->is_hidden && !h->is_scan_hidden && !h->is_cut && !h->is_scan_cut && !h->hides[i];
	forget_unseen(h);
	return 0;
}
