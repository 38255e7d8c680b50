/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script_words.h - private to the command language: bytes to words, and words
 * to the small things that they name (numbers, selectors, profiles).
 */
#ifndef GS_CODEC_SCRIPT_WORDS_H
#define GS_CODEC_SCRIPT_WORDS_H

#include <stdint.h>

#include "codec/script_text.h"

#define GS_SCRIPT_INDEX_MAX 4095u
#define GS_SCRIPT_START_MAX 63u
/* "at" may also be a placement id, and those count GiB or so; 0xFFFF is the driver's «none» (interfaces 2.5). */
#define GS_SCRIPT_AT_MAX 65534u
#define GS_SCRIPT_COUNT_MAX 64u
/* SR-IOV counts VFs in 16 bits; GI ids are small but the driver does not say how small. */
#define GS_SCRIPT_ORDINAL_MAX 65535u
#define GS_SCRIPT_PROFILE_MAX 64u
#define GS_SCRIPT_TEXT_MAX 256u

/*
 * One word, unquoted and unescaped, NUL-terminated. @where has @n + 1 entries:
 * the column from which each byte came (and the one behind the last), with
 * GS_WORD_QUOTED for bytes that were quoted and so never separate.
 */
#define GS_WORD_QUOTED 0x8000u
struct gs_word {
	const char *text;
	size_t n;
	const uint16_t *where;
	struct gs_position pos;
};

#define GS_WORDS_MAX (GS_SCRIPT_LINE_MAX / 2 + 1)

/* A reader of statements. Large: keep it on the heap. Words are valid until the next statement. */
struct gs_words {
	const char *bytes;
	size_t n, offset;
	const char *file;
	unsigned line;
	const char *text;       /* of the line in hand, NULL before it */
	size_t length, at;
	struct gs_word words[GS_WORDS_MAX];
	size_t n_words;
	struct gs_position end; /* behind the last word */
	size_t fill;
	char room[GS_SCRIPT_LINE_MAX + GS_WORDS_MAX + 1];
	uint16_t where[GS_SCRIPT_LINE_MAX + GS_WORDS_MAX + 1];
};

/* @bytes and @file are borrowed. The caller frees with free(3). NULL when there is no memory. */
struct gs_words *gs_words_new(const char *bytes, size_t n, const char *file);
/* 1: words[0..n_words) is the next statement; 0: the end; or an error with its place. */
int gs_words_next(struct gs_words *w, struct gs_error *e);

#define GS_WORD_SHOWN 48
/* At most forty bytes of @text for a message. Returns @buf, which has GS_WORD_SHOWN bytes. */
const char *gs_word_show(const char *text, char *buf);
/* Offset of the first unquoted @c at or behind @from, or @w->n. */
size_t gs_word_find(const struct gs_word *w, char c, size_t from);
/* Bytes [from, to) as a word of its own; its text lives in @a. -ENOMEM. */
int gs_word_slice(const struct gs_word *w, size_t from, size_t to, struct gs_arena *a, struct gs_word *ret_word, struct gs_error *e);
/* The word of @names that a person most likely meant, or NULL. */
const char *gs_word_nearest(const char *text, const char *const *names, size_t n);

/* Values; all: -EINVAL or -ERANGE with a sentence at the word, -ENOMEM. Strings live in @a. */
int gs_word_number(const struct gs_word *w, const char *what, uint32_t min, uint32_t max, uint32_t *ret_value, struct gs_error *e);
int gs_word_profile(const struct gs_word *w, struct gs_arena *a, const char **ret_profile, struct gs_error *e);
/* Eight-four-four-four-twelve hex digits; lower case comes back, with @prefix in front. */
int gs_word_uuid(const struct gs_word *w, const char *prefix, struct gs_arena *a, const char **ret_uuid, struct gs_error *e);
/* "N" or an address; *@ret_text stays NULL for a number, else it is @ret_bdf as it is written out. */
int gs_word_vf(const struct gs_word *w, struct gs_arena *a, uint32_t *ret_number, const char **ret_text, struct gs_bdf *ret_bdf, struct gs_error *e);
/* Of a parameter of an instance; see key_value.h. */
int gs_word_key(const struct gs_word *w, struct gs_arena *a, const char **ret_key, struct gs_error *e);
int gs_word_value(const struct gs_word *w, struct gs_arena *a, const char **ret_value, struct gs_error *e);
/* K=V */
int gs_word_param(const struct gs_word *w, struct gs_arena *a, struct gs_key_value *ret_param, struct gs_error *e);
int gs_word_gpu(const struct gs_word *w, struct gs_arena *a, struct gs_gpu_selector *ret_gpu, struct gs_error *e);
int gs_word_instance(const struct gs_word *w, struct gs_arena *a, struct gs_instance_selector *ret_instance, struct gs_error *e);
/* CI or CI@START */
int gs_word_ci(const struct gs_word *w, struct gs_arena *a, struct gs_ci_request *ret_ci, struct gs_error *e);

#endif
