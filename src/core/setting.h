/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setting.h - something that a GPU, or a GPU instance, is set to by a word or
 * a number: AMD's partition modes, Intel's scheduling, NVIDIA's mixed-size mode
 * and vGPU scheduler.
 *
 * A value may have parts: «fixed-share:arr=off:timeslice-ns=2000000» is one
 * value, since the driver takes it in one call. Parts that are not said are
 * left to the driver, so a value is reached when all that it says is so.
 */
#ifndef GS_CORE_SETTING_H
#define GS_CORE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A setting that waits for a driver reload (interfaces 6.3). */
#define GS_SETTING_MEMORY_PARTITION "memory-partition"
#define GS_SETTING_COMPUTE_PARTITION "compute-partition"
/* vGPUs of several framebuffer sizes on one GPU, or in one GI: "on", "off" (interfaces 2.5). */
#define GS_SETTING_HETEROGENEOUS "heterogeneous"
/* How vGPUs share their engine's time (interfaces 5.3). */
#define GS_SETTING_SCHEDULER "scheduler"

/* A value with its parts. */
#define GS_SETTING_VALUE_MAX 128
#define GS_SETTING_PARTS_MAX 8

/* What may stand behind the word of a value, as «key=…». */
struct gs_setting_part {
	const char *key;                /* "timeslice-ns" */
	const char *const *words;       /* legal words; none: a number from min to max */
	size_t n_words;
	uint64_t min, max;
	const char *needs;              /* another part that has to be said with it: "arr=on"; NULL */
	const char *not_beside;         /* another part that rules it out: "arr=on"; NULL */
	const char *not_with;           /* a word that takes no such part: "best-effort"; NULL */
};

struct gs_setting {
	const char *key;                /* "compute-partition" */
	const char *value;              /* NULL when it cannot be read, "mixed" when its parts differ */
	const char *pending;            /* asked for, active after a driver reload; NULL when nothing is */
	const char *const *choices;     /* legal words; none: a number */
	size_t n_choices;
	const struct gs_setting_part *parts;    /* what may stand behind a word */
	size_t n_parts;
	const char *fixed;              /* why it cannot be written here; NULL when it can */
};

/* Can it change only while no vGPU is there, and is it gone when VFs are switched (interfaces 2.5, 5.7)? NVML's settings of vGPUs. */
bool gs_setting_is_for_vgpus(const char *key);

/* Is it what a driver has by itself, when nobody has asked for anything: «heterogeneous off», «scheduler best-effort» (interfaces 5.7)? */
bool gs_setting_is_default(const char *key, const char *value);

/* One of @list by key, or NULL. */
const struct gs_setting *gs_setting_by_key(struct gs_setting *const *list, size_t n, const char *key);

/*
 * Is @value one that @s takes? NULL when it is; else why not, in @buf, as the
 * rest of a sentence that begins with the key: "can be off, on, not \"x\"".
 */
const char *gs_setting_refuses(const struct gs_setting *s, const char *value, char *buf, size_t size);

/*
 * Is everything that @asked says true of @now? Either may be NULL: unknown,
 * which is equal to nothing. @or_untold: a part that @now does not tell counts
 * as true; a driver tells no time slices while nothing runs (interfaces 5.4).
 */
bool gs_setting_is(const char *now, const char *asked, bool or_untold);

/* The word before the first colon, in @buf. */
const char *gs_setting_word(const char *value, char *buf, size_t size);
/* The text of part @key of @value in @buf, or NULL when it does not say it. */
const char *gs_setting_part_of(const char *value, const char *key, char *buf, size_t size);

#endif
