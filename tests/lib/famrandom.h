/* SPDX-License-Identifier: GPL-2.0-or-later */
/* famrandom.h - random machines of famhost.h and random targets for them, repeatable by their seed. */
#ifndef GS_TESTS_FAMRANDOM_H
#define GS_TESTS_FAMRANDOM_H

#include <stdint.h>

#include "base/strbuf.h"
#include "tests/lib/famhost.h"

/* A number in [0, below), below > 0. *@state is not 0, and is the seed of what follows. */
uint32_t fam_pick(uint64_t *state, uint32_t below);

/* A machine of two GPUs, what is asked of it as a script, and the machine that this makes; specs of fam_host_parse(). */
struct fam_pair {
	struct gs_strbuf before, after, script;
};
void fam_pair_done(struct fam_pair *p);
#define FAM_PAIR GS_CLEANUP(fam_pair_done) struct fam_pair

const struct fam_board *fam_random_board(uint64_t *state);
/* Fills *@ret, which the caller empties. Its plan is never blocked where nvidia-persistenced may be stopped. */
void fam_random_pair(const struct fam_board *const boards[2], uint64_t *state, struct fam_pair *ret);

#endif
