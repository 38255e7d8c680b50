/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ui_fixture.h - a machine of H100s in memory and a hand on the keyboard, for tests of the console. */
#ifndef GS_TESTS_LIB_UI_FIXTURE_H
#define GS_TESTS_LIB_UI_FIXTURE_H

#include "ui/control.h"
#include "ui/model.h"

#define UI_NOWHERE UINT32_MAX

struct ui_instance {
	uint32_t gpu, id;
	const char *profile;    /* NULL: its name cannot be read; it is two units long */
	uint32_t start;         /* UI_NOWHERE: its place cannot be read */
	uint32_t pid;           /* 0: idle */
	enum gs_holder_kind kind;
};

struct ui_machine {
	uint32_t first_bus;     /* of GPU 0; the others follow */
	uint32_t n_gpus;
	uint32_t whole;         /* bit per GPU: MIG off */
	uint32_t missing;       /* bit per board: fell off the bus */
	uint32_t lost;          /* bit per GPU: does not answer */
	uint32_t bare;          /* bit per GPU: the driver tells no profiles */
	uint32_t kept_open;     /* bit per GPU: nvidia-persistenced holds it */
	uint32_t watched;       /* bit per GPU: two other daemons hold it */
	uint32_t interrupted;   /* bit per GPU: commit 7 changed it and never ended */
	bool places_hidden;
	const struct ui_instance *instances;
	size_t n;
};

/*
 * GPU 0 MIG and empty; GPU 1 MIG with 1g.10gb at 0 (idle) and 1 (pid 51020,
 * bob), 3g.40gb at 4 (pid 48211, alice); GPU 2 whole.
 */
extern const struct ui_machine ui_lab;

struct gs_snapshot *ui_snapshot(const struct ui_machine *machine);
/* A console with that machine, privileged. */
struct gs_model *ui_model(const struct ui_machine *machine, bool read_only);
/* The same machine, seen again. */
void ui_look(struct gs_model *m, const struct ui_machine *machine);

/* Text with \033 \r \t as a terminal sends it, through input.c; all consequences or-ed. */
unsigned ui_keys(struct gs_model *m, int rows, int columns, const char *text);
unsigned ui_mouse(struct gs_model *m, int rows, int columns, enum gs_mouse_action action, int row, int column);
/* A cell that gs_view_hit() takes for this unit of the grid; false when there is none. */
bool ui_find_unit(const struct gs_model *m, int rows, int columns, uint32_t unit, int *ret_row, int *ret_column);

#endif
