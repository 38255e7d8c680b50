/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/catalogue_pci.h"

#include <string.h>

#include "base/parse.h"
#include "codec/profile_codec.h"

static const struct gs_json_key pci_keys[] = {
	{ "id", GS_JSON_STRING },
	{ "subsystems", GS_JSON_ARRAY },
	{ "name", GS_JSON_STRING | GS_JSON_NULL },
	{ "sources", GS_JSON_ARRAY },
};
#define N_INDEX_KEYS 2  /* of pci_keys: what an index has */

bool gs_model_is_pci_id(const char *s)
{
	if (strlen(s) != 9 || s[4] != ':')
		return false;
	for (size_t i = 0; i < 9; i++)
		if (i != 4 && !strchr("0123456789abcdef", s[i]))
			return false;
	return true;
}

bool gs_model_pci_has_subsystem(const struct gs_model_pci *pci, const char *id)
{
	for (size_t i = 0; i < pci->n_subsystems; i++)
		if (gs_str_equal_nocase(pci->subsystems[i], id))
			return true;
	return false;
}

void gs_model_strings_read(struct gs_json_reader *r, const char *key, struct gs_arena *a, const char ***ret, size_t *ret_n)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, key, GS_MODEL_LIST_MAX, &list);
	const char **items = NULL;

	if (r->failed)
		return;
	if (ret)
		items = gs_arena_calloc(a, n, sizeof(*items));
	for (size_t i = 0; i < n && !r->failed; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (!json_object_is_type(v, json_type_string))
			gs_json_read_fail(r, key, "element %zu must be a string", i);
		else if (items)
			items[i] = gs_arena_text(a, json_object_get_string(v));
	}
	if (ret) {
		*ret = items;
		*ret_n = items ? n : 0;
	}
}

void gs_model_pci_ids_read(struct gs_json_reader *r, const char *key, struct gs_arena *a, const char ***ret, size_t *ret_n)
{
	const char **items = NULL;
	size_t n = 0;

	gs_model_strings_read(r, key, a, &items, &n);
	for (size_t i = 0; !r->failed && i < n; i++)
		if (items[i] && !gs_model_is_pci_id(items[i]))
			gs_json_read_fail(r, key, "\"%.32s\" is not vvvv:dddd", items[i]);
	*ret = items;
	*ret_n = n;
}

static void read_pci(struct gs_json_reader *r, struct gs_arena *a, bool is_index, struct gs_model_pci *pci)
{
	gs_json_read_keys(r, pci_keys, is_index ? N_INDEX_KEYS : GS_ARRAY_SIZE(pci_keys));
	pci->id = gs_arena_text(a, gs_json_read_name(r, "id"));
	if (!r->failed && pci->id && !gs_model_is_pci_id(pci->id))
		gs_json_read_fail(r, "id", "\"%.32s\" is not vvvv:dddd", pci->id);
	gs_model_pci_ids_read(r, "subsystems", a, &pci->subsystems, &pci->n_subsystems);
	if (is_index)
		return;
	pci->name = gs_arena_text(a, gs_json_read_string(r, "name"));
	gs_model_strings_read(r, "sources", a, NULL, NULL);
}

static void read_pcis(struct gs_json_reader *r, struct gs_arena *a, bool is_index, const struct gs_model_pci **ret, size_t *ret_n)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "pci", GS_MODEL_LIST_MAX, &list);
	struct gs_json_where pcis = { r->where, "pci", 0 };
	struct gs_model_pci *items = gs_arena_calloc(a, n, sizeof(*items));

	for (size_t i = 0; items && i < n && !r->failed; i++) {
		struct gs_json_where where = { &pcis, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &where, r->e);

		read_pci(&in, a, is_index, &items[i]);
		r->failed = in.failed;
	}
	*ret = items;
	*ret_n = items ? n : 0;
}

void gs_model_pcis_read(struct gs_json_reader *r, struct gs_arena *a, const struct gs_model_pci **ret, size_t *ret_n)
{
	read_pcis(r, a, false, ret, ret_n);
}

void gs_model_pci_keys_read(struct gs_json_reader *r, struct gs_arena *a, const struct gs_model_pci **ret, size_t *ret_n)
{
	read_pcis(r, a, true, ret, ret_n);
}
