/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script_format.c - statements back to text, in the one spelling that records and journals use. */
#include <string.h>

#include "base/strbuf.h"
#include "codec/script_text.h"

/* Bytes that mean themselves outside quotes, wherever they stand in a word. */
static bool is_plain(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:@+*?=";

	return *s && !s[strspn(s, plain)];
}

static void add_quoted(struct gs_strbuf *b, const char *s)
{
	gs_strbuf_puts(b, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			gs_strbuf_puts(b, "\\");
		gs_strbuf_add(b, s, 1);
	}
	gs_strbuf_puts(b, "\"");
}

static void add_word(struct gs_strbuf *b, const char *s)
{
	if (!s)
		s = "";
	if (is_plain(s))
		gs_strbuf_puts(b, s);
	else
		add_quoted(b, s);
}

static void add_gpu(struct gs_strbuf *b, const struct gs_gpu_selector *gpu)
{
	char bdf[GS_BDF_TEXT];

	switch (gpu->kind) {
	case GS_SELECT_GPU_RANGE:
		gs_strbuf_printf(b, "%u", gpu->first);
		if (gpu->last != gpu->first)
			gs_strbuf_printf(b, "-%u", gpu->last);
		break;
	case GS_SELECT_GPU_BDF:
		gs_strbuf_puts(b, gs_bdf_format(gpu->bdf, bdf));
		break;
	case GS_SELECT_GPU_UUID:
		add_word(b, gpu->text);
		break;
	case GS_SELECT_GPU_MODEL:
		gs_strbuf_puts(b, "model:");
		add_quoted(b, gpu->text ? gpu->text : "");
		break;
	case GS_SELECT_GPU_ALL:
		gs_strbuf_puts(b, "all");
		break;
	}
}

/* PROFILE@START is quoted as a whole where the profile has blanks. */
static void add_placed(struct gs_strbuf *b, const char *profile, struct gs_u32 start)
{
	GS_STRBUF struct gs_strbuf word = GS_STRBUF_INIT;

	gs_strbuf_puts(&word, profile ? profile : "");
	if (start.known)
		gs_strbuf_printf(&word, "@%u", start.value);
	b->failed |= word.failed;
	add_word(b, word.text);
}

static void add_instance(struct gs_strbuf *b, const struct gs_instance_selector *inst)
{
	switch (inst->kind) {
	case GS_SELECT_AT:
		add_placed(b, inst->profile, GS_U32(inst->number));
		break;
	case GS_SELECT_VF:
		if (inst->text)
			gs_strbuf_printf(b, "vf:%s", inst->text);
		else
			gs_strbuf_printf(b, "vf:%u", inst->number);
		break;
	case GS_SELECT_MDEV:
		gs_strbuf_printf(b, "mdev:%s", inst->text ? inst->text : "");
		break;
	case GS_SELECT_UUID:
		add_word(b, inst->text);
		break;
	case GS_SELECT_GI:
		gs_strbuf_printf(b, "gi:%u", inst->number);
		break;
	case GS_SELECT_ALL:
		gs_strbuf_puts(b, "all");
		break;
	case GS_SELECT_REST:
		gs_strbuf_puts(b, "rest");
		break;
	}
}

static void add_param(struct gs_strbuf *b, const struct gs_key_value *param)
{
	GS_STRBUF struct gs_strbuf word = GS_STRBUF_INIT;

	gs_strbuf_printf(&word, "%s=%s", param->key, param->value);
	b->failed |= word.failed;
	gs_strbuf_puts(b, " param ");
	add_word(b, word.text);
}

static void add_create(struct gs_strbuf *b, const struct gs_statement *st)
{
	gs_strbuf_puts(b, " ");
	add_word(b, st->profile);
	if (st->at.known)
		gs_strbuf_printf(b, " at %u", st->at.value);
	if (st->count_adds || st->count != 1)
		gs_strbuf_printf(b, " count %s%u", st->count_adds ? "+" : "", st->count);
	if (st->ci == GS_CI_NONE)
		gs_strbuf_puts(b, " ci none");
	for (size_t i = 0; st->ci == GS_CI_LIST && i < st->n_cis; i++) {
		gs_strbuf_puts(b, i ? "," : " ci ");
		add_placed(b, st->cis[i].profile, st->cis[i].start);
	}
	if (st->vf) {
		gs_strbuf_puts(b, " vf ");
		add_word(b, st->vf);
	}
	if (st->uuid) {
		gs_strbuf_puts(b, " uuid ");
		add_word(b, st->uuid);
	}
	for (size_t i = 0; i < st->n_params; i++)
		add_param(b, &st->params[i]);
}

static void add_instances(struct gs_strbuf *b, const struct gs_statement *st)
{
	for (size_t i = 0; i < st->n_instances; i++) {
		gs_strbuf_puts(b, " ");
		add_instance(b, &st->instances[i]);
	}
}

static void add_targets(struct gs_strbuf *b, const struct gs_statement *st)
{
	for (size_t i = 0; i < st->n_targets; i++) {
		gs_strbuf_puts(b, " ");
		add_gpu(b, &st->targets[i]);
	}
}

static void add_rest(struct gs_strbuf *b, const struct gs_statement *st)
{
	const char *mode = gs_mode_name(st->mode);

	switch (st->verb) {
	case GS_VERB_MODE:
		gs_strbuf_printf(b, " %s", mode ? mode : "");
		break;
	case GS_VERB_CREATE:
		add_create(b, st);
		break;
	case GS_VERB_DELETE:
	case GS_VERB_RECREATE:
		add_instances(b, st);
		break;
	case GS_VERB_MOVE:
		add_instances(b, st);
		gs_strbuf_printf(b, " to %u", st->at.value);
		break;
	case GS_VERB_COPY:
		gs_strbuf_puts(b, " to");
		add_targets(b, st);
		break;
	case GS_VERB_VFS:
		gs_strbuf_puts(b, " ");
		add_word(b, st->text);
		break;
	case GS_VERB_SET:
		gs_strbuf_puts(b, " ");
		add_word(b, st->text);
		gs_strbuf_puts(b, " ");
		add_word(b, st->value);
		break;
	case GS_VERB_USE:
	case GS_VERB_MAX:
		break;
	}
}

static void add_statement(struct gs_strbuf *b, const struct gs_statement *st)
{
	const char *verb = gs_verb_name(st->verb);

	gs_strbuf_printf(b, "%s ", verb ? verb : "");
	if (st->verb == GS_VERB_USE) {
		add_word(b, st->text);
		add_targets(b, st);
		return;
	}
	add_gpu(b, &st->gpu);
	if (st->has_inside) {
		gs_strbuf_puts(b, "/");
		add_instance(b, &st->inside);
	}
	add_rest(b, st);
}

char *gs_statement_format(const struct gs_statement *st)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	add_statement(&b, st);
	return gs_strbuf_take(&b);
}

char *gs_script_format(const struct gs_script *s)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (size_t i = 0; i < s->n; i++) {
		add_statement(&b, &s->items[i]);
		gs_strbuf_puts(&b, "\n");
	}
	return gs_strbuf_take(&b);
}
