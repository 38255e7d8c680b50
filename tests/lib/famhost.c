/* SPDX-License-Identifier: GPL-2.0-or-later */
/* famhost.c - from words to a machine, and back. */
#include "tests/lib/famhost.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

#define CHECK(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "famhost: %s failed at \"%s\"\n", #x, word); \
			abort(); \
		} \
	} while (0)

const char *fam_uuid(unsigned k, char *buf, size_t size)
{
	snprintf(buf, size, "0000c0de-0000-4000-8000-%012u", k);
	return buf;
}

static uint32_t take_number(const char **at, const char *word)
{
	char digits[8];
	size_t n = strspn(*at, "0123456789");
	uint32_t value;

	CHECK(n && n < sizeof(digits));
	memcpy(digits, *at, n);
	digits[n] = '\0';
	CHECK(gs_parse_u32(digits, 10, &value) == 0);
	*at += n;
	return value;
}

/* "{k=v,k=v}" */
static void take_params(const char **at, struct fam_slot *slot, const char *word)
{
	const char *p = *at + 1;

	while (*p && *p != '}') {
		struct fam_param *param = &slot->params[slot->n_params++];
		size_t n = strcspn(p, "=");

		CHECK(slot->n_params <= FAM_PARAMS_MAX && n < sizeof(param->key) && p[n] == '=');
		memcpy(param->key, p, n);
		p += n + 1;
		n = strcspn(p, ",}");
		CHECK(n < sizeof(param->value));
		memcpy(param->value, p, n);
		p += n + (p[n] == ',');
	}
	CHECK(*p == '}');
	*at = p + 1;
}

/* What stands behind the place of a vGPU or VF. */
static void take_marks(struct fam_gpu *g, struct fam_slot *slot, const char *at, const char *word)
{
	char uuid[40];

	while (*at) {
		if (*at == '/') {
			at++;
			slot->gi = take_number(&at, word);
			for (size_t i = 0; i < g->n_gis; i++)
				if (g->gis[i].start == slot->gi) {
					slot->gi = g->gis[i].id;
					break;
				}
		} else if (*at == '+') {
			at++;
			slot->placement = take_number(&at, word);
		} else if (*at == '#') {
			at++;
			snprintf(slot->uuid, sizeof(slot->uuid), "%s", fam_uuid(take_number(&at, word), uuid, sizeof(uuid)));
		} else if (*at == '{') {
			take_params(&at, slot, word);
		} else {
			CHECK(*at == '*' || *at == '~');
			slot->is_held |= *at == '*';
			slot->is_claimed |= *at == '~';
			at++;
		}
	}
}

static void add_gi(struct fam_gpu *g, const char *word)
{
	static const char *const names[] = { "1g.24gb", "2g.48gb", "4g.96gb" };
	const char *at = strchr(word, '@') + 1;
	struct fam_gi *gi = &g->gis[g->n_gis++];

	CHECK(g->n_gis <= FAM_GIS_MAX);
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++)
		if (gs_str_starts(word, names[i]))
			gi->profile = names[i];
	CHECK(gi->profile);
	/* numbers that say nothing about the place */
	gi->id = (uint32_t)g->n_gis + 6;
	gi->start = take_number(&at, word);
	gi->has_ci = !strchr(at, '^');
	gi->is_held = strchr(at, '*');
}

static void add_vgpu(struct fam_gpu *g, const char *word)
{
	char name[64], uuid[40];
	size_t n = strcspn(word, "@");
	const char *at = word + n + 1;
	struct fam_slot *slot;
	uint32_t number;

	CHECK(word[n] == '@' && n < sizeof(name));
	memcpy(name, word, n);
	name[n] = '\0';
	number = take_number(&at, word);
	CHECK(number < FAM_SLOTS_MAX);
	slot = &g->slots[number];
	slot->type = fam_board_type(g->board, name);
	CHECK(slot->type);
	if (g->board->framework == GS_FRAMEWORK_MDEV)
		snprintf(slot->uuid, sizeof(slot->uuid), "%s", fam_uuid(100 * g->board->pci_id[5] + number, uuid, sizeof(uuid)));
	take_marks(g, slot, at, word);
}

static void add_sharing(struct fam_sharing *sharing, const char *key, const char *word)
{
	if (gs_str_starts(key, "heterogeneous="))
		sharing->is_mixed = strcmp(strchr(key, '='), "=on") == 0;
	else
		snprintf(sharing->scheduler, sizeof(sharing->scheduler), "%s", strchr(key, '=') + 1);
	CHECK(gs_str_starts(key, "heterogeneous=") || gs_str_starts(key, "scheduler="));
}

/* "in:0:scheduler=equal-share" */
static void add_gi_setting(struct fam_gpu *g, const char *word)
{
	const char *at = word + strlen("in:");
	uint32_t start = take_number(&at, word);

	for (size_t i = 0; i < g->n_gis; i++) {
		if (g->gis[i].start != start)
			continue;
		add_sharing(&g->gis[i].sharing, at + 1, word);
		return;
	}
	CHECK(!"a GI there");
}

static void add_setting(struct fam_gpu *g, const char *word, bool is_fixed)
{
	const char *key = strchr(word, ':') + 1, *value = strchr(key, '=');

	if (g->has_sharing && !is_fixed) {
		add_sharing(&g->sharing, key, word);
		return;
	}

	for (size_t i = 0; i < g->board->n_settings; i++) {
		struct fam_setting *s = &g->settings[i];
		size_t n = strlen(g->board->settings[i].key);

		if (strncmp(key, g->board->settings[i].key, n) != 0)
			continue;
		s->is_fixed |= is_fixed;
		if (!value)
			return;
		snprintf(s->value, sizeof(s->value), "%.*s", (int)strcspn(value + 1, ","), value + 1);
		if (strchr(value, ','))
			snprintf(s->pending, sizeof(s->pending), "%s", strchr(value, ',') + 1);
		return;
	}
	CHECK(!"a setting of this board");
}

static void set_driver(char *to, const char *driver)
{
	snprintf(to, 32, "%s", driver);
}

static void add_sibling(struct fam_sibling *s, const char *word)
{
	s->is_there = true;
	set_driver(s->driver, strchr(word, '=') ? strchr(word, '=') + 1 : "");
}

static void give_to_vfio(struct fam_gpu *g)
{
	set_driver(g->original, g->board->driver);
	set_driver(g->driver, "vfio-pci");
	if (g->audio.is_there) {
		set_driver(g->audio.original, "snd_hda_intel");
		set_driver(g->audio.driver, "vfio-pci");
	}
}

/* From VFIO; whoever did it died behind the GPU's own driver. */
static void give_half_back(struct fam_gpu *g)
{
	set_driver(g->driver, g->board->driver);
	set_driver(g->audio.original, "snd_hda_intel");
	set_driver(g->audio.driver, "");
}

static bool add_flag(struct fam_gpu *g, const char *word)
{
	const struct {
		const char *word;
		bool *flag;
	} flags[] = {
		{ "mig", &g->mig }, { "held", &g->is_held }, { "persistenced", &g->is_persistent }, { "kfd", &g->has_kfd }, { "vm", &g->has_vm },
		{ "fabric", &g->has_fabric }, { "reset", &g->needs_reset }, { "boot", &g->is_boot }, { "noiommu", &g->has_no_iommu }, { "hidden", &g->is_hidden }, { "blind", &g->is_blind }, { "novgpu", &g->has_no_vgpu },
		{ "waits", &g->write_waits }, { "shares", &g->has_sharing },
	};

	for (size_t i = 0; i < GS_ARRAY_SIZE(flags); i++)
		if (strcmp(word, flags[i].word) == 0)
			return *flags[i].flag = true;
	return false;
}

static void add_word(struct fam_gpu *g, const char *word)
{
	const char *at;

	if (add_flag(g, word))
		return;
	if (strcmp(word, "pending-mig") == 0 || strcmp(word, "pending-whole") == 0)
		g->mig_pending = word[8] == 'm';
	else if (gs_str_starts(word, "vfs=")) {
		at = word + 4;
		g->vfs = take_number(&at, word);
	} else if (gs_str_starts(word, "stranded")) {
		set_driver(g->driver, "pci-pf-stub");
		at = word + strlen("stranded=");
		g->vfs = word[strlen("stranded")] ? take_number(&at, word) : 0;
	} else if (strcmp(word, "unbound") == 0)
		g->driver[0] = '\0';
	else if (strcmp(word, "vfio") == 0)
		give_to_vfio(g);
	else if (strcmp(word, "half-back") == 0)
		give_half_back(g);
	else if (strcmp(word, "forgotten") == 0)
		g->original[0] = g->audio.original[0] = '\0';
	else if (gs_str_starts(word, "audio"))
		add_sibling(&g->audio, word);
	else if (gs_str_starts(word, "foreign"))
		add_sibling(&g->foreign, word);
	else if (gs_str_starts(word, "set:") || gs_str_starts(word, "fixed:"))
		add_setting(g, word, word[0] == 'f');
	else if (gs_str_starts(word, "in:"))
		add_gi_setting(g, word);
	else if (gs_str_starts(word, "vf:")) {
		uint32_t n;

		at = word + 3;
		n = take_number(&at, word);
		CHECK(n < FAM_SLOTS_MAX);
		take_marks(g, &g->slots[n], at, word);
	} else if (strstr(word, "g.") && g->board->has_mig)
		add_gi(g, word);
	else
		add_vgpu(g, word);
}

void fam_host_parse(struct fam_host *h, const char *spec)
{
	char copy[4096], *save_gpu = NULL;
	const char *word = spec;

	memset(h, 0, sizeof(*h));
	CHECK(strlen(spec) < sizeof(copy));
	snprintf(copy, sizeof(copy), "%s", spec);
	for (char *part = strtok_r(copy, "|", &save_gpu); part; part = strtok_r(NULL, "|", &save_gpu)) {
		struct fam_gpu *g = &h->gpus[h->n++];
		char *save = NULL;

		word = strtok_r(part, " ", &save);
		CHECK(h->n <= FAM_GPUS_MAX && word);
		g->board = fam_board_by_name(word);
		CHECK(g->board);
		set_driver(g->driver, g->board->driver);
		g->mig_pending = -1;
		for (size_t i = 0; i < g->board->n_settings; i++)
			snprintf(g->settings[i].value, sizeof(g->settings[i].value), "%s", g->board->settings[i].first);
		while ((word = strtok_r(NULL, " ", &save)))
			add_word(g, word);
	}
}

/* ---------------------------------------------------------------- and back */

static const struct fam_gi *gi_by_id(const struct fam_gpu *g, uint32_t id)
{
	for (size_t i = 0; i < g->n_gis; i++)
		if (g->gis[i].id == id)
			return &g->gis[i];
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct fam_param *)a)->key, ((const struct fam_param *)b)->key);
}

static void add_params(struct gs_strbuf *b, const struct fam_slot *slot)
{
	struct fam_param sorted[FAM_PARAMS_MAX];

	memcpy(sorted, slot->params, sizeof(sorted));
	if (slot->n_params > 1)
		qsort(sorted, slot->n_params, sizeof(*sorted), by_key);
	for (size_t i = 0; i < slot->n_params; i++)
		gs_strbuf_printf(b, "%s%s=%s%s", i ? "," : "{", sorted[i].key, sorted[i].value, i + 1 == slot->n_params ? "}" : "");
}

static void add_slot(struct gs_strbuf *b, const struct fam_gpu *g, uint32_t n)
{
	const struct fam_slot *slot = &g->slots[n];

	if (!slot->type && !slot->n_params && !slot->is_held && !slot->is_claimed)
		return;
	/* a mediated device is known by its UUID */
	if (slot->type && !g->board->total_vfs)
		gs_strbuf_printf(b, " %s", slot->type->name);
	else if (slot->type)
		gs_strbuf_printf(b, " %s@%" PRIu32, slot->type->name, n);
	else
		gs_strbuf_printf(b, " vf:%" PRIu32, n);
	if (slot->gi)
		gs_strbuf_printf(b, "/%" PRIu32, gi_by_id(g, slot->gi) ? gi_by_id(g, slot->gi)->start : 99);
	if (slot->type && g->sharing.is_mixed)
		gs_strbuf_printf(b, "+%" PRIu32, slot->placement);
	if (slot->type && slot->uuid[0])
		gs_strbuf_printf(b, "#%s", slot->uuid);
	add_params(b, slot);
	gs_strbuf_printf(b, "%s%s", slot->is_held ? "*" : "", slot->is_claimed ? "~" : "");
}

static int by_uuid(const void *a, const void *b)
{
	return strcmp((*(const struct fam_slot *const *)a)->uuid, (*(const struct fam_slot *const *)b)->uuid);
}

static void add_slots(struct gs_strbuf *b, const struct fam_gpu *g)
{
	const struct fam_slot *there[FAM_SLOTS_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < FAM_SLOTS_MAX; i++) {
		if (g->board->total_vfs)
			add_slot(b, g, i);
		else if (g->slots[i].type)
			there[n++] = &g->slots[i];
	}
	if (n > 1)
		qsort(there, n, sizeof(*there), by_uuid);
	for (size_t i = 0; i < n; i++)
		add_slot(b, g, (uint32_t)(there[i] - g->slots));
}

static void add_sharing_text(struct gs_strbuf *b, const char *where, const struct fam_sharing *sharing)
{
	if (sharing->is_mixed)
		gs_strbuf_printf(b, " %sheterogeneous=on", where);
	if (sharing->scheduler[0])
		gs_strbuf_printf(b, " %sscheduler=%s", where, sharing->scheduler);
}

static void add_gis(struct gs_strbuf *b, const struct fam_gpu *g)
{
	for (uint32_t start = 0; start < 12; start++) {
		for (size_t i = 0; i < g->n_gis; i++) {
			char where[16];

			if (g->gis[i].start != start)
				continue;
			gs_strbuf_printf(b, " %s@%" PRIu32 "%s%s", g->gis[i].profile, start, g->gis[i].has_ci ? "" : "^", g->gis[i].is_held ? "*" : "");
			snprintf(where, sizeof(where), "in:%" PRIu32 ":", start);
			add_sharing_text(b, where, &g->gis[i].sharing);
		}
	}
}

static void add_sibling_text(struct gs_strbuf *b, const char *name, const struct fam_sibling *s)
{
	if (s->is_there)
		gs_strbuf_printf(b, " %s=%s", name, s->driver);
}

static void add_gpu(struct gs_strbuf *b, const struct fam_gpu *g)
{
	gs_strbuf_printf(b, "%s on %s", g->board->name, g->driver[0] ? g->driver : "nothing");
	if (g->mig)
		gs_strbuf_puts(b, " mig");
	if (g->mig_pending >= 0)
		gs_strbuf_printf(b, " pending-%s", g->mig_pending ? "mig" : "whole");
	if (g->board->total_vfs)
		gs_strbuf_printf(b, " vfs=%" PRIu32, g->vfs);
	add_gis(b, g);
	add_slots(b, g);
	for (size_t i = 0; i < g->board->n_settings; i++)
		gs_strbuf_printf(b, " set:%s=%s%s%s", g->board->settings[i].key, g->settings[i].value, g->settings[i].pending[0] ? "," : "", g->settings[i].pending);
	add_sharing_text(b, "set:", &g->sharing);
	add_sibling_text(b, "audio", &g->audio);
	add_sibling_text(b, "foreign", &g->foreign);
	if (g->override[0])
		gs_strbuf_printf(b, " override=%s", g->override);
	gs_strbuf_printf(b, "%s%s", g->is_gone ? " gone" : "", g->is_lost ? " lost" : "");
	gs_strbuf_printf(b, "%s%s%s%s", g->is_held ? " held" : "", g->is_persistent ? " persistenced" : "", g->has_kfd ? " kfd" : "", g->has_vm ? " vm" : "");
}

char *fam_gpu_text(const struct fam_gpu *g)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	add_gpu(&b, g);
	return gs_strbuf_take(&b);
}

char *fam_host_text(const struct fam_host *h)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (size_t i = 0; i < h->n; i++) {
		gs_strbuf_puts(&b, i ? " | " : "");
		add_gpu(&b, &h->gpus[i]);
	}
	return gs_strbuf_take(&b);
}

struct gs_snapshot *fam_snapshot(const char *spec)
{
	struct fam_host h;

	fam_host_parse(&h, spec);
	return fam_host_look(&h);
}
