/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.h - is a machine what it was, or what a plan made it? In words, for whoever has to repair it. */
#ifndef GS_CORE_COMPARE_H
#define GS_CORE_COMPARE_H

#include <stdint.h>

#include "base/strbuf.h"
#include "core/plan.h"

/* How many differences are told: a sentence has room for so many, and the rest is counted; but two of each GPU are told in any case. */
#define GS_COMPARE_SENTENCE 12
#define GS_COMPARE_ALL SIZE_MAX

/*
 * What of the GPUs that @p changes (its base) is otherwise in @now than in the
 * snapshot that @p was made from, appended to @b: a GPU that is gone or lost,
 * mode, driver (its siblings', too), driver_override, what is pending, VFs, settings,
 * parameters, instances that are missing, and
 * those that a step of @p made. New UUIDs and ids are no difference, nor what a
 * step of grade «none» did: the preview said that nothing brings it back. What
 * somebody else made meanwhile is not told. @max: GS_COMPARE_…. How many differences.
 */
size_t gs_compare_undone(const struct gs_plan *p, const struct gs_snapshot *now, size_t max, struct gs_strbuf *b);

/*
 * The same of a plan that was carried out to its end: steps whose effect is
 * not there any more, instances that @p keeps, and a driver that no step of it
 * was to change. Steps that the driver holds pending are none of them.
 */
size_t gs_compare_done(const struct gs_plan *p, const struct gs_snapshot *now, size_t max, struct gs_strbuf *b);

/*
 * Of a plan of which nobody has seen how far it came: what it was to take away
 * and is still there. A plan that was carried out has read that back step by step.
 */
size_t gs_compare_left(const struct gs_plan *p, const struct gs_snapshot *now, size_t max, struct gs_strbuf *b);

#endif
