/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"
#include "base/strbuf.h"
#include "codec/catalogue_model.h"
#include "codec/catalogue_shelf.h"
#include "codec/json.h"

#define MODELS_MAX 1024
#define SUFFIX ".json"

struct gs_catalogue {
	struct gs_arena *arena;
	struct gs_gpu_model *models;
	size_t n, cap;
	struct gs_vgpu_shelf *shelf;    /* NULL: without vGPU boards */
};

struct gs_catalogue *gs_catalogue_free(struct gs_catalogue *c)
{
	if (!c)
		return NULL;
	gs_vgpu_shelf_free(c->shelf);
	gs_arena_free(c->arena);
	free(c);
	return NULL;
}

static struct gs_catalogue *catalogue_new(void)
{
	struct gs_catalogue *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->arena = gs_arena_new();
	return c->arena ? c : gs_catalogue_free(c);
}

static int load_model(struct gs_catalogue *c, const char *dir, const char *entry, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf path = GS_STRBUF_INIT;
	GS_JSON struct json_object *o = NULL;
	struct gs_gpu_model *models;
	char *name = gs_arena_strndup(c->arena, entry, strlen(entry) - strlen(SUFFIX));
	int r;

	gs_strbuf_printf(&path, "%s/%s", dir, entry);
	models = gs_arena_grow(c->arena, c->models, c->n, &c->cap, sizeof(*models));
	if (!name || !models || path.failed)
		return gs_error_oom(e);
	c->models = models;
	r = gs_json_read_file(path.text, GS_INPUT_BYTES_MAX, &o, e);
	if (r < 0)
		return r;
	r = gs_model_read(o, path.text, name, c->arena, &c->models[c->n], e);
	if (r < 0)
		return r;
	c->n++;
	return 0;
}

static int is_model_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name), suffix = strlen(SUFFIX);

	return d->d_name[0] != '.' && n > suffix && strcmp(d->d_name + n - suffix, SUFFIX) == 0;
}

/* Not alphasort(): that depends on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The same board in two models: a lookup could not decide. */
static int check_board(const struct gs_catalogue *c, const struct gs_gpu_model *m, const struct gs_model_pci *pci, struct gs_error *e)
{
	for (const struct gs_gpu_model *other = c->models; other < m; other++)
		for (size_t i = 0; i < other->n_pci; i++) {
			if (strcmp(other->pci[i].id, pci->id) != 0)
				continue;
			for (size_t s = 0; s < pci->n_subsystems; s++)
				if (gs_model_pci_has_subsystem(&other->pci[i], pci->subsystems[s]))
					return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "%s and %s both describe board %s with subsystem %s",
							    other->file, m->file, pci->id, pci->subsystems[s]);
		}
	return 0;
}

static int check_boards(const struct gs_catalogue *c, struct gs_error *e)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->models[i].n_pci; k++) {
			int r = check_board(c, &c->models[i], &c->models[i].pci[k], e);

			if (r < 0)
				return r;
		}
	return 0;
}

int gs_catalogue_load_dir(const char *dir, struct gs_catalogue **ret_catalogue, struct gs_error *e)
{
	GS_CLEANUP(gs_catalogue_freep) struct gs_catalogue *c = catalogue_new();
	struct dirent **entries = NULL;
	int n, r = 0;

	if (!c)
		return gs_error_oom(e);
	n = scandir(dir, &entries, is_model_file, by_name);
	if (n < 0)
		return gs_error_set(e, -errno, GS_STATUS_INVALID, "cannot read the catalogue in %s: %m", dir);
	if (n > MODELS_MAX)
		r = gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "%s has %d model files, at most %d are possible", dir, n, MODELS_MAX);
	for (int i = 0; i < n; i++) {
		if (!r)
			r = load_model(c, dir, entries[i]->d_name, e);
		free(entries[i]);
	}
	free(entries);
	if (!r)
		r = check_boards(c, e);
	if (r < 0)
		return r;
	*ret_catalogue = GS_TAKE(c);
	return 0;
}

int gs_catalogue_load(struct gs_catalogue **ret_catalogue, struct gs_error *e)
{
	GS_CLEANUP(gs_catalogue_freep) struct gs_catalogue *c = NULL;
	GS_FREE char *mig = gs_data_path("mig");
	GS_FREE char *vgpu = gs_data_path("vgpu");
	int r;

	if (!mig || !vgpu)
		return gs_error_oom(e);
	r = gs_catalogue_load_dir(mig, &c, e);
	if (r < 0)
		return r;
	c->shelf = gs_vgpu_shelf_new(vgpu);
	if (!c->shelf)
		return gs_error_oom(e);
	*ret_catalogue = GS_TAKE(c);
	return 0;
}

size_t gs_catalogue_n_models(const struct gs_catalogue *c)
{
	return c->n;
}

const struct gs_gpu_model *gs_catalogue_model(const struct gs_catalogue *c, size_t i)
{
	return i < c->n ? &c->models[i] : NULL;
}

const struct gs_gpu_model *gs_catalogue_by_file(const struct gs_catalogue *c, const char *file)
{
	for (size_t i = 0; i < c->n; i++)
		if (gs_str_equal(c->models[i].file, file))
			return &c->models[i];
	return NULL;
}

const struct gs_gpu_model *gs_catalogue_by_pci(const struct gs_catalogue *c, const char *pci_id, const char *subsystem_id)
{
	const struct gs_gpu_model *only = NULL;
	bool shared = false;

	if (!pci_id)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->models[i].n_pci; k++) {
			const struct gs_gpu_model *m = &c->models[i];

			if (!gs_str_equal_nocase(m->pci[k].id, pci_id))
				continue;
			if (subsystem_id && gs_model_pci_has_subsystem(&m->pci[k], subsystem_id))
				return m;
			shared |= only && only != m;
			only = m;
		}
	/* boards of other makers carry subsystems that no list has: the chip decides when only one model has it */
	return shared ? NULL : only;
}

int gs_catalogue_find_vgpu_board(const struct gs_catalogue *c, const char *pci_id, const char *subsystem_id,
				 const struct gs_vgpu_board **ret_board, struct gs_error *e)
{
	if (!c->shelf)
		return gs_error_set(e, -ENODEV, GS_STATUS_FAILED, "this catalogue has no vGPU types");
	return gs_vgpu_shelf_find(c->shelf, pci_id, subsystem_id, ret_board, e);
}

const struct gs_vgpu_board *gs_catalogue_vgpu_board(const struct gs_catalogue *c, const char *pci_id, const char *subsystem_id)
{
	const struct gs_vgpu_board *board = NULL;

	return pci_id && gs_catalogue_find_vgpu_board(c, pci_id, subsystem_id, &board, NULL) == 0 ? board : NULL;
}

const struct gs_vgpu_board *gs_catalogue_vgpu_board_by_file(const struct gs_catalogue *c, const char *file)
{
	const struct gs_vgpu_board *board = NULL;

	return c->shelf && gs_vgpu_shelf_by_file(c->shelf, file, &board, NULL) == 0 ? board : NULL;
}

const char *gs_catalogue_vgpu_file(const struct gs_catalogue *c, size_t i)
{
	return c->shelf ? gs_vgpu_shelf_file(c->shelf, i) : NULL;
}
