/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/claims_private.h"
#include "backend/grow.h"
#include "backend/place.h"
#include "base/clock.h"
#include "base/parse.h"
#include "codec/snapshot_json.h"

#define CLAIMS_MAX 4096
#define FILES_MAX 1024
#define GPUS_MAX 1024
#define LOOK_MS 5000
#define PROGRAM_MS 60000
#define FAILED_PROGRAM_MS 300000    /* one that cannot reach its server may take long to say so */

static const struct gs_claim_source *const sources[] = {
	&gs_claims_slurm, &gs_claims_kubelet, &gs_claims_libvirt, &gs_claims_proxmox, &gs_claims_docker, &gs_claims_notes,
};

/* What one source said, until it is read again. */
struct state {
	struct gs_claim_list list;
	char *stamp;
	struct gs_monotonic read_at;
	bool has_read;
	bool is_present;
	char text[200], notice[256];
};

struct gs_claims {
	struct gs_root *root;
	const char *host;
	const struct gs_claims_ops *ops;
	struct state states[GS_ARRAY_SIZE(sources)];
	struct gs_monotonic looked_at;
	bool has_looked;
};

struct gs_claims *gs_claims_new(struct gs_root *root, const char *host, const struct gs_claims_ops *ops)
{
	struct gs_claims *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->root = root;
	c->host = host;
	c->ops = ops;
	return c;
}

struct gs_claims *gs_claims_free(struct gs_claims *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < GS_ARRAY_SIZE(c->states); i++) {
		free(c->states[i].list.items);
		free(c->states[i].stamp);
	}
	free(c);
	return NULL;
}

/* ---------------------------------------------------------------- for the sources */

int gs_claim_list_add(struct gs_claim_list *list, const struct gs_claim *claim)
{
	int r = gs_grow(&list->items, list->n, &list->cap, sizeof(*list->items), CLAIMS_MAX);

	if (r == -E2BIG) {
		list->is_cut = true;
		return 0;
	}
	if (r == 0)
		list->items[list->n++] = *claim;
	return r;
}

static void say(struct gs_claim_reader *r, bool is_present, const char *fmt, va_list ap) GS_PRINTF(3, 0);
static void say(struct gs_claim_reader *r, bool is_present, const char *fmt, va_list ap)
{
	r->is_present = is_present;
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
}

void gs_claims_present(struct gs_claim_reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(r, true, fmt, ap);
	va_end(ap);
}

void gs_claims_absent(struct gs_claim_reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(r, false, fmt, ap);
	va_end(ap);
}

void gs_claims_stamp(struct gs_root *root, struct gs_strbuf *b, const char *path)
{
	struct stat st;

	if (gs_root_stat(root, &st, "%s", path) < 0)
		gs_strbuf_printf(b, "%s -\n", path);
	else
		gs_strbuf_printf(b, "%s %" PRIu64 " %" PRIi64 " %" PRIi64 ".%09" PRIi64 "\n", path, (uint64_t)st.st_ino, (int64_t)st.st_size,
				 (int64_t)st.st_mtim.tv_sec, (int64_t)st.st_mtim.tv_nsec);
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

int gs_claims_walk(struct gs_root *root, const char *path, const char *suffix, int (*each)(void *userdata, const char *name), void *userdata)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned seen = 0;
	int r = gs_root_opendir(root, &dir, "%s", path);

	while (r >= 0 && (entry = readdir(dir)) && seen < FILES_MAX) {
		if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix))
			continue;
		seen++;
		r = each(userdata, entry->d_name);
	}
	return r < 0 ? r : 0;
}

struct stamping {
	struct gs_root *root;
	struct gs_strbuf *b;
	const char *path;
};

static int stamp_one(void *userdata, const char *name)
{
	struct stamping *s = userdata;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", s->path, name);
	gs_claims_stamp(s->root, s->b, path);
	return 0;
}

void gs_claims_stamp_files(struct gs_root *root, struct gs_strbuf *b, const char *path, const char *suffix)
{
	struct stamping s = { root, b, path };

	gs_claims_stamp(root, b, path);
	gs_claims_walk(root, path, suffix, stamp_one, &s);
}

/* "0", "GPU-…", "MIG-…", "1:0" (a MIG instance of GPU 1) */
static int add_visible(struct gs_claim_list *list, const struct gs_claim *claim, const char *word)
{
	struct gs_claim one = *claim;
	char index[12];
	size_t n = strcspn(word, ":");

	if (n < sizeof(index)) {
		memcpy(index, word, n);
		index[n] = '\0';
		one.to = GS_CLAIM_TO_INDEX;
		if (gs_parse_u32(index, 10, &one.number) == 0)
			return gs_claim_list_add(list, &one);
	}
	one.to = GS_CLAIM_TO_UUID;
	snprintf(one.uuid, sizeof(one.uuid), "%s", word);
	return gs_claim_list_add(list, &one);
}

int gs_claims_add_visible(struct gs_claim_list *list, const struct gs_claim *claim, const char *devices)
{
	struct gs_claim any = *claim;
	int r = 0;

	any.to = GS_CLAIM_TO_ANY;
	if (!*devices || strcmp(devices, "none") == 0 || strcmp(devices, "void") == 0)
		return 0;
	if (strcmp(devices, "all") == 0)
		return gs_claim_list_add(list, &any);
	while (r == 0 && *devices) {
		size_t n = strcspn(devices, ",");
		char word[64];

		if (n && n < sizeof(word)) {
			memcpy(word, devices, n);
			word[n] = '\0';
			r = add_visible(list, claim, word);
		}
		devices += n + (devices[n] == ',');
	}
	return r;
}

/* ---------------------------------------------------------------- reading */

static int read_source(struct gs_claims *c, size_t i)
{
	struct state *st = &c->states[i];
	struct gs_claim_list list = { 0 };
	struct gs_claim_reader r = { .root = c->root, .host = c->host, .ops = c->ops, .list = &list };
	int result = sources[i]->read(&r);

	if (result < 0) {
		free(list.items);
		return result;
	}
	free(st->list.items);
	st->list = list;
	st->is_present = r.is_present;
	st->has_read = true;
	st->read_at = gs_monotonic_now();
	snprintf(st->text, sizeof(st->text), "%s", r.text);
	snprintf(st->notice, sizeof(st->notice), "%s", r.notice);
	return 0;
}

static int refresh_source(struct gs_claims *c, size_t i, bool fresh)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct state *st = &c->states[i];
	bool is_same;

	if (!sources[i]->stamp)
		return fresh || !st->has_read || gs_elapsed_ms(st->read_at) >= (st->is_present ? PROGRAM_MS : FAILED_PROGRAM_MS) ? read_source(c, i) : 0;
	gs_strbuf_puts(&b, "");
	sources[i]->stamp(c->root, &b);
	if (b.failed)
		return -ENOMEM;
	is_same = st->has_read && gs_str_equal(st->stamp, b.text);
	free(st->stamp);
	st->stamp = gs_strbuf_take(&b);
	return is_same && !fresh ? 0 : read_source(c, i);
}

static int refresh(struct gs_claims *c, bool fresh)
{
	int r = 0;

	if (gs_root_kind(c->root) == GS_ROOT_LIVE && !fresh && c->has_looked && gs_elapsed_ms(c->looked_at) < LOOK_MS)
		return 0;
	for (size_t i = 0; i < GS_ARRAY_SIZE(sources) && r == 0; i++)
		r = refresh_source(c, i, fresh);
	c->looked_at = gs_monotonic_now();
	c->has_looked = r == 0;
	return r;
}

/* ---------------------------------------------------------------- into the snapshot */

struct applying {
	struct gs_snapshot *s;
	const struct gs_holders *holders;
	struct gs_places places;
	const struct gs_claim *claim;
	size_t n_found;         /* places of this claim */
	bool is_cut;
};

/* The promised work runs there already, or it was promised before. */
static bool is_known(const struct gs_place *place, const struct gs_claim *claim)
{
	struct gs_holder *const *holders = gs_place_holders(place);

	for (size_t i = 0; i < gs_place_n_holders(place); i++) {
		const struct gs_holder *h = holders[i];

		if (h->kind == GS_HOLDER_CLAIM ? gs_str_equal(h->name, claim->name) : claim->same_as[0] && h->name && strstr(h->name, claim->same_as))
			return true;
	}
	return false;
}

/* A slot that a grid does not have needs no avoiding, and a snapshot with one would be refused. */
static void avoid(struct gs_gpu *gpu, struct gs_u32 vf)
{
	static const enum gs_instance_kind kinds[] = { GS_KIND_VGPU, GS_KIND_SRIOV };

	for (size_t i = 0; vf.known && i < GS_ARRAY_SIZE(kinds); i++)
		if (vf.value < gpu->grids[kinds[i]].memory_units && vf.value < GS_GRID_UNITS_MAX)
			gpu->grids[kinds[i]].avoid |= 1ull << vf.value;
}

static int apply_at(struct applying *a, struct gs_place place)
{
	const struct gs_claim *claim = a->claim;
	struct gs_holder *h;

	a->n_found++;
	if (claim->vf.known) {
		avoid(place.gpu, claim->vf);
		/* one that is not there yet is promised on the GPU */
		gs_place_by_vf(place.gpu, claim->vf.value, &place);
	}
	avoid(place.gpu, place.inst ? place.inst->vf : place.vf ? GS_U32(place.vf->n) : GS_U32_UNKNOWN);
	if (is_known(&place, claim))
		return 0;
	if (gs_place_n_holders(&place) >= GS_SNAPSHOT_HOLDERS_MAX) {
		a->is_cut = true;
		return 0;
	}
	h = gs_place_add_holder(a->s, &place);
	if (!h)
		return -ENOMEM;
	h->kind = GS_HOLDER_CLAIM;
	h->name = gs_snapshot_text(a->s, claim->name);
	h->evidence = gs_snapshot_text(a->s, claim->evidence);
	return 0;
}

/* An instance by the UUID of any of its compute instances. */
static struct gs_instance *instance_by_uuid(struct gs_gpu *gpu, const char *uuid)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		struct gs_instance *inst = gpu->instances[i];

		if (inst->uuid && gs_str_equal_nocase(inst->uuid, uuid))
			return inst;
		for (size_t k = 0; k < inst->n_compute; k++)
			if (inst->compute[k]->uuid && gs_str_equal_nocase(inst->compute[k]->uuid, uuid))
				return inst;
	}
	return NULL;
}

static int apply_uuid(struct applying *a)
{
	struct gs_vm_device device;
	struct gs_place place;

	for (size_t i = 0; i < a->places.n; i++) {
		struct gs_gpu *gpu = a->places.gpus[i];
		struct gs_instance *inst = instance_by_uuid(gpu, a->claim->uuid);

		if (inst || (gpu->uuid && gs_str_equal_nocase(gpu->uuid, a->claim->uuid)))
			return apply_at(a, (struct gs_place){ gpu, inst, NULL });
	}
	/* device plugins of others name functions */
	if (gs_vm_parse_device(a->claim->uuid, &device) && gs_place_by_device(&a->places, &device, &place))
		return apply_at(a, place);
	return 0;
}

static bool has_nvidia(const struct applying *a)
{
	for (size_t i = 0; i < a->places.n; i++)
		if (a->places.gpus[i]->vendor == GS_VENDOR_NVIDIA)
			return true;
	return false;
}

static bool is_index(const struct gs_gpu *gpu, size_t rank, uint32_t number)
{
	return gpu->nvidia_index.known ? gpu->nvidia_index.value == number : rank == number;
}

/* By number among NVIDIA's GPUs, or where there are none among all. */
static int apply_number(struct applying *a)
{
	bool nvidia = has_nvidia(a);
	size_t rank = 0;

	if (nvidia && a->claim->to == GS_CLAIM_TO_MINOR) {
		struct gs_gpu *gpu = gs_holders_gpu_by_minor(a->holders, a->claim->number);

		if (gpu)
			return apply_at(a, (struct gs_place){ gpu, NULL, NULL });
	}
	for (size_t i = 0; i < a->places.n; i++) {
		struct gs_gpu *gpu = a->places.gpus[i];

		if (nvidia && gpu->vendor != GS_VENDOR_NVIDIA)
			continue;
		if (is_index(gpu, rank++, a->claim->number))
			return apply_at(a, (struct gs_place){ gpu, NULL, NULL });
	}
	return 0;
}

static int apply_many(struct applying *a)
{
	bool nvidia = has_nvidia(a);
	int r = 0;

	for (size_t i = 0; i < a->places.n && r == 0; i++) {
		struct gs_gpu *gpu = a->places.gpus[i];

		if (a->claim->to == GS_CLAIM_TO_MIG ? gpu->mode == GS_MODE_MIG : !nvidia || gs_str_equal(gpu->driver, "nvidia"))
			r = apply_at(a, (struct gs_place){ gpu, NULL, NULL });
	}
	return r;
}

static int apply_claim(struct applying *a)
{
	struct gs_place place;

	switch (a->claim->to) {
	case GS_CLAIM_TO_DEVICE:
		return gs_place_by_device(&a->places, &a->claim->device, &place) ? apply_at(a, place) : 0;
	case GS_CLAIM_TO_UUID:
		return apply_uuid(a);
	case GS_CLAIM_TO_MINOR:
	case GS_CLAIM_TO_INDEX:
		return apply_number(a);
	default:
		return apply_many(a);
	}
}

static int apply_source(struct gs_claims *c, size_t i, struct applying *a)
{
	const struct state *st = &c->states[i];
	size_t elsewhere = 0;

	for (size_t k = 0; k < st->list.n; k++) {
		int r;

		a->claim = &st->list.items[k];
		a->n_found = 0;
		r = apply_claim(a);
		if (r < 0)
			return r;
		elsewhere += !a->n_found;
	}
	if (elsewhere)
		gs_snapshot_add_source(a->s, sources[i]->name, st->is_present, "%s; %zu name no GPU of this machine", st->text, elsewhere);
	else
		gs_snapshot_add_source(a->s, sources[i]->name, st->is_present, "%s", st->text);
	if (st->notice[0])
		gs_snapshot_add_notice(a->s, "%s", st->notice);
	a->is_cut = a->is_cut || st->list.is_cut;
	return 0;
}

int gs_claims_apply(struct gs_claims *c, struct gs_snapshot *s, const struct gs_holders *holders, bool fresh)
{
	GS_FREE struct gs_gpu **gpus = calloc(GPUS_MAX, sizeof(*gpus));
	struct applying a = { .s = s, .holders = holders, .places = { .root = c->root, .gpus = gpus } };
	int r = gpus ? refresh(c, fresh) : -ENOMEM;

	if (r < 0)
		return r;
	a.places.n = gs_holders_gpus(holders, gpus, GPUS_MAX);
	for (size_t i = 0; i < GS_ARRAY_SIZE(sources); i++) {
		r = apply_source(c, i, &a);
		if (r < 0)
			return r;
	}
	if (a.is_cut)
		gs_snapshot_add_notice(s, "more work was promised the GPUs than this program keeps track of: not all of it is shown");
	return 0;
}
