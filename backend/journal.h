/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h - the files of the journal: var/lib/gpuslice/journal/N.jsonl, one
 * per commit, 0600 in a directory 0700, which only root reads: it names people
 * and their work. A record is on the disk before its function returns.
 *
 * Only whoever holds the commit's lock (lock.h) writes here.
 */
#ifndef GS_BACKEND_JOURNAL_H
#define GS_BACKEND_JOURNAL_H

#include "base/root.h"
#include "codec/journal_json.h"

#define GS_JOURNAL_DIR "var/lib/gpuslice/journal"

/* How many commits, and bytes of them, are kept: the oldest ended ones go first; open ones, and what failed and was not undone, never. */
#define GS_JOURNAL_KEPT_MAX 200
#define GS_JOURNAL_KEPT_BYTES_MAX (64u << 20)

struct gs_journal;

/*
 * Begin a commit's file: the next number, written, synced, directory synced,
 * room for its steps reserved, so that a full disk is met before anything is
 * done. What could not be read back is refused. @begin->id is set by it; older
 * ones beyond the bounds go. -errno with a sentence; then nothing is there.
 */
int gs_journal_begin(struct gs_root *root, struct gs_journal_begin *begin, struct gs_journal **ret_journal, struct gs_error *e);
/* Write behind what is there of an earlier commit; a half line at its end is cut off. -EBADMSG where whole lines would have to be: what was written down stays. */
int gs_journal_reopen(struct gs_root *root, uint64_t id, struct gs_journal **ret_journal, struct gs_error *e);
/* seq and time are set by it. -EBADMSG for one that cannot follow (gs_journal_take). On failure the record is not there, or does not count. */
int gs_journal_append(struct gs_journal *j, struct gs_journal_record *record, struct gs_error *e);
uint64_t gs_journal_id(const struct gs_journal *j);
/* What it amounts to so far; borrowed. */
const struct gs_journal_commit *gs_journal_commit_of(const struct gs_journal *j);
struct gs_journal *gs_journal_close(struct gs_journal *j);
GS_DEFINE_CLEANUP(struct gs_journal *, gs_journal_close);

/* Read one; -ENOENT with a sentence, -EACCES, and what gs_journal_parse() gives. The caller owns. */
int gs_journal_load(struct gs_root *root, uint64_t id, struct gs_journal_file **ret_file, struct gs_error *e);

/* The same with the text of it that counts, which the caller frees. @ret_text may be NULL. */
int gs_journal_load_text(struct gs_root *root, uint64_t id, struct gs_journal_file **ret_file, char **ret_text, struct gs_error *e);

/* The numbers that are there, the newest first; the caller frees. None where there is no journal; -errno where it cannot be read. */
int gs_journal_list_ids(struct gs_root *root, uint64_t **ret_ids, size_t *ret_n);

/*
 * The newest first; at most @max. Files that cannot be read are told to @take
 * with @file NULL. A return of @take other than 0 ends it and is returned. 0
 * when there is no journal; -EACCES when it is not for us.
 */
int gs_journal_list(struct gs_root *root, size_t max, int (*take)(void *userdata, uint64_t id, const struct gs_journal_file *file, const struct gs_error *why),
		    void *userdata, struct gs_error *e);

/*
 * Take a commit's file that makes no sense out of the journal, to N.damaged in
 * the same directory: nothing is decided about it any more, and nothing of it
 * is lost. -errno with a sentence.
 */
int gs_journal_set_aside(struct gs_root *root, uint64_t id, struct gs_error *e);

/* "12.jsonl": true and the number. Anything else in the directory is none of ours. */
bool gs_journal_parse_name(const char *name, uint64_t *ret_id);

/* Remove what exceeds the bounds. */
void gs_journal_rotate(struct gs_root *root);

/* One line to syslog's authpriv: who did what, and what came of it. Only on a live machine. */
void gs_journal_log(struct gs_root *root, const struct gs_journal_commit *c);

#endif
