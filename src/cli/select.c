/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select.c - the GPUs that a word of the command line means. */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "cli/cli.h"
#include "codec/script_text.h"
#include "core/script.h"

/* A selector is a word of the command language: let its parser read it. */
int gs_cli_select_gpus(const char *word, const struct gs_snapshot *s, uint32_t *ret_indices, size_t max, size_t *ret_n, struct gs_error *e)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	int r;

	/* a model's name may have one, and is quoted then */
	if (strchr(word, '/') && !strchr(word, '"'))
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "a whole GPU is expected here, not %.60s; write %.*s", word, (int)strcspn(word, "/"), word);
	gs_strbuf_puts(&text, "mode ");
	for (const char *p = word; *p; p++)
		if (*p != '\n' && *p != '\r' && *p != ';')
			gs_strbuf_add(&text, p, 1);
	gs_strbuf_puts(&text, " mig");
	if (text.failed)
		return gs_error_oom(e);
	r = gs_script_parse(text.text, text.length, "GPU", &script, e);
	if (r >= 0 && script->n != 1)
		r = gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s is not a GPU", word);
	if (r >= 0)
		r = gs_select_gpus(&script->items[0].gpu, s, ret_indices, max, ret_n, e);
	/* the position is in a line that the operator did not write */
	if (r < 0 && e) {
		e->file[0] = '\0';
		e->line = e->column = 0;
	}
	return r;
}
