/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/vocabulary.h"

#include <stddef.h>
#include <string.h>

#define WORD_(id, name) name,
#define GS_DEFINE_WORDS(table, type, prefix, lower) \
	static const char *const lower##_words[] = { table(WORD_) }; \
	const char *gs_##lower##_name(enum type v) \
	{ \
		return (int)v >= 0 && v < GS_##prefix##_MAX ? lower##_words[v] : NULL; \
	} \
	enum type gs_##lower##_from_name(const char *s) \
	{ \
		for (int i = 0; i < GS_##prefix##_MAX; i++) \
			if (strcmp(s, lower##_words[i]) == 0) \
				return (enum type)i; \
		return GS_##prefix##_INVALID; \
	} \
	struct gs_require_semicolon

GS_DEFINE_WORDS(GS_VENDORS, gs_vendor, VENDOR, vendor);
GS_DEFINE_WORDS(GS_MODES, gs_mode, MODE, mode);
GS_DEFINE_WORDS(GS_INSTANCE_KINDS, gs_instance_kind, KIND, instance_kind);
GS_DEFINE_WORDS(GS_HOLDER_KINDS, gs_holder_kind, HOLDER, holder_kind);
GS_DEFINE_WORDS(GS_RESTORER_KINDS, gs_restorer_kind, RESTORER, restorer_kind);
GS_DEFINE_WORDS(GS_GPU_EVENT_KINDS, gs_gpu_event_kind, GPU_EVENT, gpu_event_kind);
GS_DEFINE_WORDS(GS_OPEN_STATES, gs_open_state, OPEN, open_state);
const char *gs_open_state_summary(enum gs_open_state v)
{
	static const char *const summaries[GS_OPEN_MAX] = {
		[GS_OPEN_NOT_UNDONE] = "could neither be finished nor undone",
		[GS_OPEN_INTERRUPTED] = "was interrupted",
		[GS_OPEN_UNDER_WAY] = "is under way",
	};

	return (int)v >= 0 && v < GS_OPEN_MAX ? summaries[v] : NULL;
}

GS_DEFINE_WORDS(GS_HOST_SOURCES, gs_host_source, SOURCE, host_source);
GS_DEFINE_WORDS(GS_SEVERITIES, gs_severity, SEVERITY, severity);
GS_DEFINE_WORDS(GS_UNDO_GRADES, gs_undo, UNDO, undo);
const char *gs_undo_summary(enum gs_undo v)
{
	static const char *const summaries[GS_UNDO_MAX] = {
		[GS_UNDO_FULL] = "as it was",
		[GS_UNDO_GEOMETRY] = "the same profiles at the same places, perhaps with other ids and UUIDs",
		[GS_UNDO_NONE] = "nothing: what was stopped stays stopped",
	};

	return (int)v >= 0 && v < GS_UNDO_MAX ? summaries[v] : NULL;
}

GS_DEFINE_WORDS(GS_RISKS, gs_risk, RISK, risk);
GS_DEFINE_WORDS(GS_STEP_OPS, gs_step_op, STEP, step_op);
GS_DEFINE_WORDS(GS_FRAMEWORKS, gs_framework, FRAMEWORK, framework);
GS_DEFINE_WORDS(GS_JOURNAL_KINDS, gs_journal_kind, JOURNAL, journal_kind);
GS_DEFINE_WORDS(GS_WAYS, gs_way, WAY, way);
