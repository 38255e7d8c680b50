/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script_parser.h - private to the grammar: script_text.c has a function for
 * each verb, script_create_text.c the one with options.
 */
#ifndef GS_CODEC_SCRIPT_PARSER_H
#define GS_CODEC_SCRIPT_PARSER_H

#include "codec/script_words.h"

struct gs_parser {
	struct gs_arena *arena;
	const struct gs_words *words;
	size_t next;                    /* the word in hand */
	size_t cap, cap_params;         /* of the statement's list and of its parameters */
	struct gs_statement *st;
	struct gs_error *e;
};

#define GS_SYNTAX_CREATE \
	"create GPU[/INST] PROFILE [at START] [count [+]N] [ci none|CI[@S],...] [vf N|BDF] [uuid UUID] [param K=V]..."

/* All: -EINVAL, -ERANGE, -E2BIG, -ENOMEM with a sentence at the word. */

/* The next word, or NULL after the last. */
const struct gs_word *gs_parser_peek(const struct gs_parser *p);
/* The same, to be used up; NULL with the error set when it is not there. */
const struct gs_word *gs_parser_take(struct gs_parser *p, const char *what);
/* GPU[/INST] */
int gs_parser_gpu_or_inside(struct gs_parser *p);
/*
 * A list: items separated by commas, blanks behind a comma allowed. With
 * @by_words the items may be separated by blanks alone, and the list runs to
 * the end of the statement.
 */
int gs_parser_list(struct gs_parser *p, const char *what, bool by_words, int (*add)(struct gs_parser *, const struct gs_word *));

/* ---- script_create_text.c ---- */

/* Behind "create". */
int gs_parser_create(struct gs_parser *p);

#endif
