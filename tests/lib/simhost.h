/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simhost.h - a simulated machine of any catalogue model, reached as the
 * program reaches one: session -> agent -> collector -> NVML loader ->
 * stand-in library, each a process or a library of its own.
 *
 * It is the shipped host dgx-h100 in a state directory of the test's own, with
 * its GPUs exchanged for others before anybody looks. Everything here aborts
 * the test on a failure that is not the machine's.
 */
#ifndef GS_TESTS_SIMHOST_H
#define GS_TESTS_SIMHOST_H

#include "codec/json.h"
#include "codec/session.h"

#define GS_SIMHOST_GPUS_MAX 8

struct gs_simhost;

struct gs_simhost_options {
	const char *model;              /* a file of data/mig without ".json" */
	unsigned n_gpus;                /* all of that model, empty, held by nobody */
	bool is_whole;                  /* MIG mode off */
	/* Plants a fault: changes the machine's own copy of the model's data. NULL: none. */
	void (*spoil)(struct json_object *model);
};

/* Sets XDG_STATE_HOME to a new directory. One at a time: what a failed test left open is closed. */
struct gs_simhost *gs_simhost_open(const struct gs_simhost_options *options);
/* Ends the session and removes the directory. */
struct gs_simhost *gs_simhost_close(struct gs_simhost *h);
GS_DEFINE_CLEANUP(struct gs_simhost *, gs_simhost_close);

/* The agent's, started the first time by the program's own connect.c. */
struct gs_session *gs_simhost_session(struct gs_simhost *h);
/* A fresh look; one reference for the caller. */
struct gs_snapshot *gs_simhost_snapshot(struct gs_simhost *h);
/* `export json` of a fresh look, in one line; the caller frees. */
char *gs_simhost_export(struct gs_simhost *h);

/* What `gpuslice apply --yes` does with @text: plan here, commit there with that plan's digest and revs. */
struct gs_simhost_applied {
	enum gs_status status;          /* of planning, or of the commit */
	size_t planned, done;           /* steps */
	bool undone;
	char text[1024];                /* what it said */
};
struct gs_simhost_applied gs_simhost_apply(struct gs_simhost *h, const char *text);

/* `gpuslice sim fault WORDS` */
void gs_simhost_fault(struct gs_simhost *h, const char *words);
/* Faults that are on and have not struck yet ("uuid old" is none); the caller frees. */
char *gs_simhost_faults(struct gs_simhost *h);

/* A process that computes in the GI at @start of GPU @gpu (its first CI). */
void gs_simhost_hold(struct gs_simhost *h, unsigned gpu, uint32_t start, uint32_t pid);
/* No process is left. */
void gs_simhost_release(struct gs_simhost *h);

/* The GI of GPU @gpu that starts at @from starts at @to now: a driver that does what nobody asked for. */
void gs_simhost_move(struct gs_simhost *h, unsigned gpu, uint32_t from, uint32_t to);

/*
 * What the driver alone knows. The serial of the GI at @start (of the CI at
 * slice @slice in it) is never used again, so it tells a kept instance from one
 * that came back with the same id and UUID; 0 when there is none.
 */
uint64_t gs_simhost_gi_serial(struct gs_simhost *h, unsigned gpu, uint32_t start);
uint64_t gs_simhost_ci_serial(struct gs_simhost *h, unsigned gpu, uint32_t start, uint32_t slice);
/* Grows with every change of the machine, whoever makes it. */
uint64_t gs_simhost_generation(struct gs_simhost *h);

/* Identity of a GPU, as written in state.json. Borrowed until the next call. */
struct gs_simhost_gpu {
	const char *uuid, *bdf;
	char pci_id[12], subsystem_id[12];
};
struct gs_simhost_gpu gs_simhost_gpu(struct gs_simhost *h, unsigned gpu);

/* Makes this process see the machine through the stand-in, and loads it: for asking the driver without our program. dlclose() by the caller. */
void *gs_simhost_load_standin(struct gs_simhost *h);

/* Files of data/mig whose grid, ids and placements are all known, sorted, without ".json"; NULL ends. The caller frees each and the array. */
char **gs_simhost_models(void);
/* data/mig/NAME.json; one reference for the caller. */
struct json_object *gs_simhost_model(const char *name);

#endif
