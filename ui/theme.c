/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/theme.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/paths.h"
#include "codec/json.h"

#define SCHEMA "gpuslice.theme/1"
#define THEME_BYTES_MAX (64u << 10)

struct element_words {
	const char *name, *summary;
};

#define ELEMENT_WORDS_(id, name, text) [GS_ELEMENT_##id] = { name, text },
static const struct element_words element_words[GS_ELEMENT_MAX] = { GS_ELEMENTS(ELEMENT_WORDS_) };

const char *gs_element_name(enum gs_element el)
{
	return (unsigned)el < GS_ELEMENT_MAX ? element_words[el].name : "?";
}

const char *gs_element_summary(enum gs_element el)
{
	return (unsigned)el < GS_ELEMENT_MAX ? element_words[el].summary : "";
}

/* ------------------------------------------------------------------ */
/* theme files */

static int element_by_name(const char *name)
{
	for (int el = 0; el < GS_ELEMENT_MAX; el++)
		if (strcmp(element_words[el].name, name) == 0)
			return el;
	return -1;
}

static int colour_by_name(const char *name)
{
	static const char *const names[] = { "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white" };
	int bright = 0;

	if (gs_str_starts(name, "bright-")) {
		bright = 8;
		name += strlen("bright-");
	}
	for (int i = 0; i < 8; i++)
		if (strcmp(names[i], name) == 0)
			return i + bright;
	return -1;
}

/* Every mistake in a theme is the operator's to mend, whatever found it. */
static int invalid(struct gs_error *e, int r)
{
	if (e)
		e->status = GS_STATUS_INVALID;
	return r;
}

static int read_colour(const char *key, struct json_object *v, int *ret_colour, struct gs_error *e)
{
	int colour = -1;

	if (!v) {
		*ret_colour = -1;
		return 0;
	}
	if (json_object_is_type(v, json_type_string))
		colour = colour_by_name(json_object_get_string(v));
	else if (json_object_is_type(v, json_type_int) && json_object_get_int64(v) >= 0 && json_object_get_int64(v) <= 255)
		colour = (int)json_object_get_int64(v);
	if (colour < 0)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID,
				    "\"%s\": a colour is null (the terminal's own), a number from 0 to 255, or one of black, red, "
				    "green, yellow, blue, magenta, cyan, white, each with or without \"bright-\"", key);
	*ret_colour = colour;
	return 0;
}

static int read_flag(const char *key, struct json_object *v, bool *ret_flag, struct gs_error *e)
{
	if (!json_object_is_type(v, json_type_boolean))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "\"%s\" is true or false", key);
	*ret_flag = json_object_get_boolean(v);
	return 0;
}

static int read_style(struct json_object *o, struct gs_style *ret_style, struct gs_error *e)
{
	struct gs_style style = { .foreground = -1, .background = -1 };

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "expected an object such as {\"fg\": \"cyan\", \"bold\": true}");
	json_object_object_foreach(o, key, v) {
		int r;

		if (strcmp(key, "fg") == 0)
			r = read_colour(key, v, &style.foreground, e);
		else if (strcmp(key, "bg") == 0)
			r = read_colour(key, v, &style.background, e);
		else if (strcmp(key, "bold") == 0)
			r = read_flag(key, v, &style.bold, e);
		else if (strcmp(key, "dim") == 0)
			r = read_flag(key, v, &style.dim, e);
		else if (strcmp(key, "underline") == 0)
			r = read_flag(key, v, &style.underline, e);
		else if (strcmp(key, "reverse") == 0)
			r = read_flag(key, v, &style.reverse, e);
		else
			r = gs_error_set(e, -EBADMSG, GS_STATUS_INVALID,
					 "unknown key \"%s\": a style has fg, bg, bold, dim, underline, reverse", key);
		if (r < 0)
			return r;
	}
	*ret_style = style;
	return 0;
}

static int read_elements(struct gs_theme *t, struct json_object *elements, struct gs_error *e)
{
	bool given[GS_ELEMENT_MAX] = { false };

	json_object_object_foreach(elements, name, v) {
		int el = element_by_name(name);
		int r;

		if (el < 0)
			return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "unknown element \"%s\"", name);
		r = read_style(v, &t->styles[el], e);
		if (r < 0) {
			gs_error_prefix(e, "element \"%s\": ", name);
			return r;
		}
		given[el] = true;
	}
	for (int el = 0; el < GS_ELEMENT_MAX; el++)
		if (!given[el])
			t->styles[el] = t->styles[GS_ELEMENT_TEXT];
	return 0;
}

static int check_keys(struct json_object *o, struct gs_error *e)
{
	const char *schema = NULL;
	int r;

	json_object_object_foreach(o, key, v) {
		(void)v;
		if (strcmp(key, "schema") && strcmp(key, "name") && strcmp(key, "elements"))
			return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID,
					    "unknown key \"%s\": a theme has schema, name, elements", key);
	}
	r = gs_json_get_string(o, "schema", &schema, e);
	if (r < 0)
		return r;
	if (!schema || strcmp(schema, SCHEMA) != 0)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "\"schema\" is not \"" SCHEMA "\"");
	return 0;
}

static int parse_theme(struct gs_theme *t, struct json_object *o, struct gs_error *e)
{
	struct json_object *elements = NULL;
	const char *name = NULL;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "a theme is an object");
	r = check_keys(o, e);
	if (r < 0)
		return r;
	r = gs_json_get_string(o, "name", &name, e);
	if (r < 0)
		return r;
	if (!name || !*name || strlen(name) >= sizeof(t->name))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "\"name\" is missing, empty or longer than %zu bytes",
				    sizeof(t->name) - 1);
	memcpy(t->name, name, strlen(name) + 1);
	r = gs_json_get_object(o, "elements", &elements, e);
	if (r < 0)
		return r;
	t->styles[GS_ELEMENT_TEXT] = (struct gs_style){ .foreground = -1, .background = -1 };
	if (!elements)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "\"elements\" is missing");
	return read_elements(t, elements, e);
}

/* A name is a file of ours; only a path with a slash may be anything else. */
static bool is_theme_name(const char *name)
{
	if (!*name || strlen(name) > 32)
		return false;
	for (; *name; name++)
		if (!((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9') || *name == '-'))
			return false;
	return true;
}

static int theme_path(const char *name, char **ret_path, struct gs_error *e)
{
	char relative[64];
	char *path;

	if (strchr(name, '/')) {
		path = strdup(name);
	} else if (is_theme_name(name)) {
		snprintf(relative, sizeof(relative), "themes/%s.json", name);
		path = gs_data_path(relative);
	} else {
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID,
				    "\"%s\" is no theme: a name such as default or mono, or a path with a slash", name);
	}
	if (!path)
		return gs_error_oom(e);
	*ret_path = path;
	return 0;
}

int gs_theme_load(const char *name, struct gs_theme **ret_theme, struct gs_error *e)
{
	GS_CLEANUP(gs_theme_freep) struct gs_theme *t = calloc(1, sizeof(*t));
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *path = NULL;
	int r;

	if (!t)
		return gs_error_oom(e);
	r = theme_path(name, &path, e);
	if (r < 0)
		return r;
	r = gs_json_read_file(path, THEME_BYTES_MAX, &o, e);
	if (r < 0)
		return invalid(e, r);
	r = parse_theme(t, o, e);
	if (r < 0) {
		gs_error_prefix(e, "%s: ", path);
		return invalid(e, r);
	}
	*ret_theme = GS_TAKE(t);
	return 0;
}

struct gs_theme *gs_theme_free(struct gs_theme *t)
{
	free(t);
	return NULL;
}

/* ------------------------------------------------------------------ */
/* glyphs */

static const struct gs_glyphs ascii_glyphs = {
	.is_ascii = true,
	.box_h = '-', .box_v = '|', .box_tl = '+', .box_tr = '+', .box_bl = '+', .box_br = '+',
	.new_h = '=', .new_v = '%', .new_tl = '%', .new_tr = '%', .new_bl = '%', .new_br = '%',
	.gone = '/', .conflict = '!', .ghost = '^', .wait = 'w', .lost = '~', .free = '.', .dot = '.', .unread = ':',
	.sm = '#', .sm_lost = '~',
	.meter_full = '#', .meter_empty = '-', .rule = '-', .mark = '>', .up = '^', .down = 'v',
};

/* Only characters that every common font has and that are one column everywhere. */
static const struct gs_glyphs utf8_glyphs = {
	.is_ascii = false,
	.box_h = 0x2500, .box_v = 0x2502, .box_tl = 0x250c, .box_tr = 0x2510, .box_bl = 0x2514, .box_br = 0x2518,
	.new_h = 0x2550, .new_v = 0x2551, .new_tl = 0x2554, .new_tr = 0x2557, .new_bl = 0x255a, .new_br = 0x255d,
	.gone = 0x2573, .conflict = 0x2592, .ghost = 0x2504, .wait = 'w', .lost = '~', .free = 0x2591, .dot = 0x00b7, .unread = ':',
	.sm = 0x2588, .sm_lost = '~',
	.meter_full = 0x2588, .meter_empty = 0x2591, .rule = 0x2500, .mark = '>', .up = 0x2191, .down = 0x2193,
};

const struct gs_glyphs *gs_glyphs(bool ascii)
{
	return ascii ? &ascii_glyphs : &utf8_glyphs;
}
