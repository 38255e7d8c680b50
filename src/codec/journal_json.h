/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_json.h - a commit's file, a record per line (data/schema/journal-line.json),
 * and what is told of one or of all: gpuslice.journal/1, and the elements of gpuslice.history/1.
 *
 * The line of begin is enough to go back or forward without the program that
 * wrote it: the snapshot that the plan was made from ("base", with profiles),
 * the layout that was to be ("target", as `export json`), every step in full
 * ("steps"), the plan as it was shown ("plan", gpuslice.plan/1), and what was
 * allowed ("options").
 */
#ifndef GS_CODEC_JOURNAL_JSON_H
#define GS_CODEC_JOURNAL_JSON_H

#include "codec/json.h"
#include "core/journal.h"
#include "core/past.h"

#define GS_JOURNAL_SCHEMA "gpuslice.journal/1"
/* Of the first line of a file. */
#define GS_JOURNAL_FILE_SCHEMA "gpuslice.journal-file/1"
/* A commit's file; one that would grow beyond it is not begun. */
#define GS_JOURNAL_BYTES_MAX (7u << 20)
#define GS_JOURNAL_RECORDS_MAX 65536

/* What begin says beside the plan. */
struct gs_journal_begin {
	uint64_t id;
	struct gs_wall at;
	const char *boot_id, *host;
	uint32_t pid;                   /* of the agent */
	uint64_t start_time;
	struct gs_author author;
	enum gs_way way;
	uint64_t of;                    /* 0: none */
	bool undo_on_hangup;
	const struct gs_plan *plan;
	const struct gs_plan_options *options;  /* disrupt, kill, allow_reset */
};

/* One line with its newline, valid JSON without a newline in it; the caller frees. -ENOMEM, -EFBIG (begin alone is too large). */
int gs_journal_begin_to_line(const struct gs_journal_begin *begin, char **ret_line, struct gs_error *e);
int gs_journal_record_to_line(const struct gs_journal_record *record, char **ret_line, struct gs_error *e);

/* A commit that was read. */
struct gs_journal_file {
	struct gs_journal_commit commit;
	struct gs_journal_record *records;      /* begin first; strings are the file's */
	size_t n_records;
	size_t n_valid_bytes;                   /* up to and with the last line that counts; what is behind it was being written when the power went */
	char damage[200];                       /* why reading ended early, or "" */
	/* set by who knows the others: gs_journal_relate() */
	uint64_t changed_since;                 /* a later commit that changed one of its GPUs too, 0: none */
	bool was_continued;                     /* a later one went on with its steps */
	uint64_t part_of;                       /* the commit that it finished, with which it is undone; 0: none */
	uint64_t undone_by;                     /* the commit that took it back and is in effect still; 0: none */
	struct json_object *begin;              /* the line of begin; its members are decoded when asked for */
	struct gs_arena *arena;
};
struct gs_journal_file *gs_journal_file_free(struct gs_journal_file *f);
GS_DEFINE_CLEANUP(struct gs_journal_file *, gs_journal_file_free);

/*
 * Read a commit's file. A last line that is half, or anything that cannot
 * follow, ends it (see damage): what came before counts. -ENODATA when begin is
 * not whole: then nothing had been done; -EBADMSG when it cannot be read. The
 * caller owns.
 */
int gs_journal_parse(const char *bytes, size_t n, struct gs_journal_file **ret_file, struct gs_error *e);

/*
 * The plan that was carried out, as far as going back or forward needs it:
 * snapshot (base), base revs, steps, layout (the target, bound to the base);
 * no findings, and the digest that was recorded. The caller owns. -EBADMSG.
 */
int gs_journal_plan(const struct gs_journal_file *f, struct gs_plan **ret_plan, struct gs_error *e);
/* The same as past.h wants it, on a machine that has @boot_id now. The caller owns. */
int gs_journal_past(const struct gs_journal_file *f, const char *boot_id, struct gs_past **ret_past, struct gs_error *e);

/* For `history --json` and the wire: the commit without its begin's bulk, and with every record. The caller owns a reference. */
struct json_object *gs_journal_summary_to_json(const struct gs_journal_commit *c);
struct json_object *gs_journal_to_json(const struct gs_journal_file *f);

#endif
