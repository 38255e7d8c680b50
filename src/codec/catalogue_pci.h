/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catalogue_pci.h - by what a board is known: the PCI part that the files of all catalogues share. */
#ifndef GS_CODEC_CATALOGUE_PCI_H
#define GS_CODEC_CATALOGUE_PCI_H

#include <stdbool.h>
#include <stddef.h>

#define GS_MODEL_LIST_MAX 256   /* elements of a list in a catalogue file */

struct gs_arena;
struct gs_json_reader;

struct gs_model_pci {
	const char *id;                 /* "10de:2330" */
	const char *name;               /* NULL when it is not known, or not asked for */
	const char **subsystems;        /* "10de:16c0"; may be empty */
	size_t n_subsystems;
};

/* "10de:2330", lower case */
bool gs_model_is_pci_id(const char *s);

/* Does it list this subsystem? In any case. */
bool gs_model_pci_has_subsystem(const struct gs_model_pci *pci, const char *id);

/* A list of strings under @key, into @a; with @ret NULL it is only checked. */
void gs_model_strings_read(struct gs_json_reader *r, const char *key, struct gs_arena *a, const char ***ret, size_t *ret_n);

/* The same, each of them "vvvv:dddd". */
void gs_model_pci_ids_read(struct gs_json_reader *r, const char *key, struct gs_arena *a, const char ***ret, size_t *ret_n);

/* The list "pci" of a file: id, name, subsystems and sources, strictly; into @a. */
void gs_model_pcis_read(struct gs_json_reader *r, struct gs_arena *a, const struct gs_model_pci **ret, size_t *ret_n);

/* The same in an index: id and subsystems only. */
void gs_model_pci_keys_read(struct gs_json_reader *r, struct gs_arena *a, const struct gs_model_pci **ret, size_t *ret_n);

#endif
