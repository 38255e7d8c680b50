/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/vgpu_text.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define GIB (1ull << 30)
#define MIB (1ull << 20)
#define SIZE_DIGITS_MAX 4               /* of a size in GiB in a name */
#define MEGABYTES_MAX (1u << 30)        /* a PiB: more is no framebuffer */

/* Some bytes of a text; not terminated. */
struct span {
	const char *at;
	size_t n;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct span trim(struct span s)
{
	while (s.n && is_blank(s.at[0])) {
		s.at++;
		s.n--;
	}
	while (s.n && is_blank(s.at[s.n - 1]))
		s.n--;
	return s;
}

/* Everything before the first of @stops; @s goes on behind it. *@ret_stop: which one, '\0' at the end. */
static struct span take(struct span *s, const char *stops, size_t n_stops, char *ret_stop)
{
	struct span head = { s->at, 0 };

	while (head.n < s->n && !memchr(stops, s->at[head.n], n_stops))
		head.n++;
	*ret_stop = head.n < s->n ? s->at[head.n] : '\0';
	s->at += head.n;
	s->n -= head.n;
	if (s->n) {
		s->at++;
		s->n--;
	}
	return head;
}

static bool span_is(struct span s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.at, word, s.n) == 0;
}

/* All of @s is a decimal number of 32 bits. */
static int span_u32(struct span s, uint32_t *ret_value)
{
	char digits[16];

	if (s.n >= sizeof(digits) || memchr(s.at, '\0', s.n))
		return -EINVAL;
	memcpy(digits, s.at, s.n);
	digits[s.n] = '\0';
	return gs_parse_u32(digits, 10, ret_value);
}

const char *gs_vgpu_name_short(const char *name)
{
	static const char *const prefixes[] = { "NVIDIA ", "GRID " };

	for (size_t i = 0; i < GS_ARRAY_SIZE(prefixes); i++)
		if (gs_str_starts(name, prefixes[i]))
			return name + strlen(prefixes[i]);
	return name;
}

/* What may follow the class. */
static bool is_suffix(const char *s, char series, bool is_mig_backed)
{
	static const char *const mig[] = { "ME", "NOME", "MEALL", "GFX" };

	if (!*s)
		return true;
	if (!is_mig_backed)
		return series == 'B' && strcmp(s, "4") == 0;
	for (size_t i = 0; i < GS_ARRAY_SIZE(mig); i++)
		if (strcmp(s, mig[i]) == 0)
			return true;
	return false;
}

int gs_vgpu_name_parse(const char *name, struct gs_vgpu_name *ret_name)
{
	const char *text = gs_vgpu_name_short(name), *dash = strrchr(text, '-'), *s;
	struct gs_vgpu_name parsed = { 0 };
	uint32_t gibibytes;

	if (!dash || dash == text)
		return -EINVAL;
	for (s = dash + 1; is_digit(*s) && s - dash <= SIZE_DIGITS_MAX; s++)
		;
	if (span_u32((struct span){ dash + 1, (size_t)(s - dash - 1) }, &gibibytes) < 0 || !gibibytes || !*s || !strchr("ABCQ", *s))
		return -EINVAL;
	parsed.framebuffer_bytes = gibibytes * GIB;
	parsed.series = *s++;
	parsed.suffix = s;
	/* one digit between two dashes: the compute slices of the GI below */
	if (dash - text >= 3 && dash[-2] == '-' && dash[-1] >= '1' && dash[-1] <= '9') {
		parsed.compute_slices = (uint32_t)(dash[-1] - '0');
		dash -= 2;
	}
	if (!is_suffix(s, parsed.series, parsed.compute_slices))
		return -EINVAL;
	parsed.n_prefix = (size_t)(dash - text);
	*ret_name = parsed;
	return 0;
}

int gs_vgpu_name_framebuffer(const char *name, uint64_t *ret_bytes)
{
	struct gs_vgpu_name parsed;
	int r = gs_vgpu_name_parse(name, &parsed);

	if (r < 0)
		return r;
	*ret_bytes = parsed.framebuffer_bytes;
	return 0;
}

/* A name that can be shown and compared; false when there is none or too long a one. */
static bool copy_name(struct span s, char *ret_name)
{
	if (!s.n || s.n >= GS_VGPU_NAME_SIZE)
		return false;
	memcpy(ret_name, s.at, s.n);
	ret_name[s.n] = '\0';
	for (size_t i = 0; i < s.n; i++)
		if (!ret_name[i])
			ret_name[i] = '?';
	gs_text_sanitize(ret_name);
	return true;
}

/* Is the first word all digits? Then @ret_id is that word, and @line what follows it. */
static bool take_id(struct span *line, struct span *ret_id)
{
	size_t n = 0;

	while (n < line->n && is_digit(line->at[n]))
		n++;
	if (!n || (n < line->n && !is_blank(line->at[n]) && line->at[n] != ':'))
		return false;
	*ret_id = (struct span){ line->at, n };
	line->at += n;
	line->n -= n;
	return true;
}

/* @rest: what follows the id. */
static bool read_row(struct gs_vgpu_table *t, struct span id, struct span rest)
{
	struct gs_vgpu_row *row;
	uint32_t type_id;

	rest = trim(rest);
	if (t->n == GS_VGPU_TYPES_MAX || span_u32(id, &type_id) < 0 || !type_id || gs_vgpu_table_by_id(t, type_id))
		return false;
	if (!rest.n || rest.at[0] != ':')
		return false;
	row = &t->rows[t->n];
	if (!copy_name(trim((struct span){ rest.at + 1, rest.n - 1 }), row->name))
		return false;
	row->type_id = type_id;
	t->n++;
	return true;
}

void gs_vgpu_table_parse(const char *bytes, size_t n, struct gs_vgpu_table *ret_table)
{
	struct span rest = { bytes, n };
	bool is_first = true;

	*ret_table = (struct gs_vgpu_table){ 0 };
	while (rest.n) {
		char stop;
		struct span id, line = trim(take(&rest, "\n", 1, &stop));

		if (!line.n)
			continue;
		if (stop != '\n') {
			ret_table->is_cut = true;
			break;
		}
		if (!take_id(&line, &id))
			ret_table->has_header |= is_first;
		else if (!read_row(ret_table, id, line))
			ret_table->n_ignored++;
		is_first = false;
	}
}

const struct gs_vgpu_row *gs_vgpu_table_by_id(const struct gs_vgpu_table *t, uint32_t type_id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].type_id == type_id)
			return &t->rows[i];
	return NULL;
}

const struct gs_vgpu_row *gs_vgpu_table_by_name(const struct gs_vgpu_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(gs_vgpu_name_short(t->rows[i].name), gs_vgpu_name_short(name)) == 0)
			return &t->rows[i];
	return NULL;
}

static bool read_number(struct span s, struct gs_u32 *into)
{
	uint32_t value;

	if (into->known || span_u32(s, &value) < 0)
		return false;
	*into = GS_U32(value);
	return true;
}

/* "1024M": mebibytes. Without a unit it is not known what the number counts. */
static bool read_megabytes(struct span s, struct gs_u64 *into)
{
	uint32_t value;

	if (into->known || !s.n || s.at[s.n - 1] != 'M' || span_u32((struct span){ s.at, s.n - 1 }, &value) < 0 || !value || value > MEGABYTES_MAX)
		return false;
	*into = GS_U64(value * MIB);
	return true;
}

/* "5120x2880" */
static bool read_resolution(struct span s, char *into)
{
	uint32_t width, height;
	struct span rest = s;
	char stop;

	if (*into || s.n >= GS_RESOLUTION_SIZE || span_u32(take(&rest, "x", 1, &stop), &width) < 0 || stop != 'x' || span_u32(rest, &height) < 0 ||
	    !width || !height)
		return false;
	memcpy(into, s.at, s.n);
	into[s.n] = '\0';
	return true;
}

static void read_pair(struct gs_mdev_description *d, struct span key, struct span value)
{
	bool is_read = true;

	if (span_is(key, "num_heads"))
		is_read = read_number(value, &d->heads);
	else if (span_is(key, "frl_config"))
		is_read = read_number(value, &d->frame_limit);
	else if (span_is(key, "framebuffer"))
		is_read = read_megabytes(value, &d->framebuffer_bytes);
	else if (span_is(key, "max_instance"))
		is_read = read_number(value, &d->max_instances);
	else if (span_is(key, "max_resolution") || span_is(key, "resolution"))
		is_read = read_resolution(value, d->max_resolution);
	d->n_ignored += !is_read;
}

void gs_mdev_description_parse(const char *bytes, size_t n, struct gs_mdev_description *ret_description)
{
	struct span rest = { bytes, n };

	*ret_description = (struct gs_mdev_description){ 0 };
	while (rest.n) {
		char stop;
		struct span value = take(&rest, ",\n", 2, &stop);
		struct span key = take(&value, "=:", 2, &stop);

		read_pair(ret_description, trim(key), trim(value));
	}
}
