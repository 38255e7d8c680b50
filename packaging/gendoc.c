/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gendoc - the program's own tables as documentation, so that no page can
 * name a command, an option, a key or a rule that is not there.
 *
 *	gendoc fill TEMPLATE    the template on standard output, with every line
 *	                        @NAME@ replaced by that table (mdoc or bash)
 *	gendoc list WHAT        the names alone, one a line, for tests/static/docs.sh:
 *	                        commands, options, keys, verbs, rules, undos, modes, faults,
 *	                        elements, statuses
 */
#include <stdio.h>
#include <string.h>

/* The table of commands lies beside the program's main(), which this one leaves alone. */
#define main gs_program_main
int gs_program_main(int argc, char **argv);
#include "cli/main.c"
#undef main

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/script_text.h"
#include "core/policy.h"
#include "core/who.h"
#include "ui/control.h"
#include "ui/theme.h"

#define LINE_WIDTH 76

/* The enum in base/status.h, for people. Index is the status. */
static const char *const statuses[] = {
	[GS_STATUS_OK] = "Done, nothing to do, or the machine matches.",
	[GS_STATUS_FAILED] = "Failed; the machine is as before.",
	[GS_STATUS_INVALID] = "Wrong whatever the machine's state: command line, syntax, unknown word, no such GPU, illegal start.",
	[GS_STATUS_REFUSED] = "Sound but refused, nothing was done: units taken, a holder, the mode, changed underneath, not confirmed.",
	[GS_STATUS_DIFFERS] = "The machine differs (assert, plan --exit-code).",
	[GS_STATUS_NOT_UNDONE] = "Failed, and not everything could be undone; the message says what is left.",
	[GS_STATUS_LOCKED] = "Another commit holds the lock.",
	[GS_STATUS_UNREACHABLE] = "The agent cannot be reached.",
	[GS_STATUS_PENDING] = "Accepted by the driver, but not active yet.",
	[GS_STATUS_CANNOT_TELL] = "Not at this privilege: it cannot be told, or needs root. Nothing was done.",
	[GS_STATUS_PARTIAL] = "Some GPUs done, some not: apply --scope gpu, and restore.",
};
_Static_assert(GS_ARRAY_SIZE(statuses) == GS_STATUS_PARTIAL + 1, "a status without a sentence");

/* ---------------------------------------------------------------- mdoc */

/* One character of text: what roff would take for its own is escaped, what is not in every font is spelled out. */
static size_t put_char(const char *s)
{
	static const struct {
		const char *from, *to;
	} spelled[] = {
		{ "\\", "\\e" },
		{ "--", "\\-\\-" },
		{ "`", "\\(ga" },
		{ "\xc2\xab", "\\(lq" },
		{ "\xc2\xbb", "\\(rq" },
		{ "\xe2\x80\xa6", "..." },
	};

	for (size_t i = 0; i < GS_ARRAY_SIZE(spelled); i++) {
		if (gs_str_starts(s, spelled[i].from)) {
			fputs(spelled[i].to, stdout);
			return strlen(spelled[i].from);
		}
	}
	putchar(*s);
	return 1;
}

static void put_word(const char *word, size_t n)
{
	for (size_t i = 0; i < n;)
		i += put_char(word + i);
}

/* Running text, broken at LINE_WIDTH and behind every sentence, as mdoc wants it. */
static void put_text(const char *s)
{
	size_t column = 0;

	while (*s) {
		size_t n = strcspn(s, " \n");

		if (column && column + 1 + n > LINE_WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (column)
			putchar(' ');
		else if (*s == '.' || *s == '\'')
			fputs("\\&", stdout);
		put_word(s, n);
		column += n + 1;
		if (n && strchr(".?!", s[n - 1]) && s[n])
			column = LINE_WIDTH;
		s += n;
		s += strspn(s, " \n");
	}
	putchar('\n');
}

/* A sentence from half of one: capital letter, full stop. */
static void put_sentence(const char *s)
{
	size_t n = strlen(s);
	GS_FREE char *copy = malloc(n + 2);

	if (!copy || !n)
		return;
	memcpy(copy, s, n + 1);
	if (copy[0] >= 'a' && copy[0] <= 'z')
		copy[0] = (char)(copy[0] - 'a' + 'A');
	if (copy[n - 1] != '.')
		memcpy(copy + n, ".", 2);
	put_text(copy);
}

/* Lines as they stand. */
static void put_literal(const char *s)
{
	puts(".Bd -literal -offset 2n");
	while (*s) {
		size_t n = strcspn(s, "\n");

		if (n && (*s == '.' || *s == '\''))
			fputs("\\&", stdout);
		put_word(s, n);
		putchar('\n');
		s += n + (s[n] == '\n');
	}
	puts(".Ed");
}

/* In quotes no word is taken for a macro; a delimiter is kept from acting as one. */
static void put_argument(const char *s)
{
	fputs(" \"", stdout);
	if (strlen(s) == 1 && !(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z'))
		fputs("\\&", stdout);
	for (size_t i = 0; s[i];) {
		if (s[i] == '"') {
			fputs("\\(dq", stdout);
			i++;
		} else {
			i += put_char(s + i);
		}
	}
	putchar('"');
}

static void mdoc_options(const struct gs_cli_option *options)
{
	puts(".Bl -tag -width 2n -compact");
	for (; options->name; options++) {
		printf(".It Fl -%s", options->name);
		if (options->argument)
			printf(" Ar %s", options->argument);
		putchar('\n');
		put_text(options->help);
	}
	puts(".El");
}

static void mdoc_globals(void)
{
	mdoc_options(gs_cli_globals);
}

static void mdoc_lines(const struct gs_cli_lines *t)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	char line[GS_CLI_LINE_MAX];

	if (t->has_place)
		return;
	puts(".Pp");
	put_text(t->head);
	for (unsigned i = 0; t->line(i, line, sizeof(line)); i++)
		gs_strbuf_printf(&text, "%s\n", line);
	if (text.text)
		put_literal(text.text);
}

static void mdoc_commands(void)
{
	puts(".Bl -tag -width 2n");
	for (size_t i = 0; gs_cli_commands[i]; i++) {
		const struct gs_cli_command *c = gs_cli_commands[i];

		if (c->is_hidden)
			continue;
		printf(".It Cm %s", c->name);
		if (*c->arguments) {
			fputs(" Ar", stdout);
			put_argument(c->arguments);
		}
		putchar('\n');
		put_sentence(c->summary);
		/* what serves three commands has a place of its own */
		if (c->details && !(c->tables && c->tables->has_place)) {
			if (strstr(c->details, "  "))
				put_literal(c->details);
			else
				put_text(c->details);
		}
		for (const struct gs_cli_lines *t = c->tables; t && t->head; t++)
			mdoc_lines(t);
		if (c->options)
			mdoc_options(c->options);
	}
	puts(".El");
}

static void mdoc_keys(void)
{
	size_t n;
	const struct gs_action *actions = gs_actions(&n);

	puts(".Bl -tag -width \"Right l\"");
	for (size_t i = 0; i < n; i++) {
		fputs(".It Ic", stdout);
		put_argument(actions[i].key_text);
		putchar('\n');
		put_text(actions[i].help);
		if (actions[i].flags & GS_ACTION_EDITS)
			puts("Not in a monitor.");
	}
	puts(".El");
}

/* Long ones are continued with an indent, at a blank before a bracket where there is one. */
static void mdoc_verbs(void)
{
	const char *s;

	puts(".Bd -literal -offset 2n");
	for (unsigned i = 0; (s = gs_script_syntax(i)); i++) {
		while (strlen(s) > LINE_WIDTH - 8) {
			size_t n = LINE_WIDTH - 8;

			while (n && !(s[n] == ' ' && s[n + 1] == '['))
				n--;
			if (!n)
				break;
			put_word(s, n);
			fputs("\n       ", stdout);
			s += n;
		}
		put_word(s, strlen(s));
		putchar('\n');
	}
	puts(".Ed");
}

static void mdoc_rules(void)
{
	puts(".Bl -tag -width 2n -compact");
	for (int r = 0; r < GS_RULE_MAX; r++) {
		printf(".It Li %s\n", gs_rule_name((enum gs_rule)r));
		put_sentence(gs_rule_summary((enum gs_rule)r));
	}
	puts(".El");
}

static void mdoc_undos(void)
{
	puts(".Bl -tag -width \"geometry\" -compact");
	for (int u = 0; u < GS_UNDO_MAX; u++) {
		printf(".It Li %s\n", gs_undo_name((enum gs_undo)u));
		put_sentence(gs_undo_summary((enum gs_undo)u));
	}
	puts(".El");
}

static void mdoc_elements(void)
{
	puts(".Bl -tag -width \"header-simulated\" -compact");
	for (int el = 0; el < GS_ELEMENT_MAX; el++) {
		printf(".It Li %s\n", gs_element_name((enum gs_element)el));
		put_sentence(gs_element_summary((enum gs_element)el));
	}
	puts(".El");
}

static void mdoc_statuses(void)
{
	puts(".Bl -tag -width 4n -compact");
	for (size_t i = 0; i < GS_ARRAY_SIZE(statuses); i++) {
		printf(".It %zu\n", i);
		put_text(statuses[i]);
	}
	puts(".El");
}

/* ---------------------------------------------------------------- bash */

static void bash_words(const struct gs_cli_option *options)
{
	for (; options && options->name; options++)
		printf(" --%s", options->name);
}

static void bash_commands(void)
{
	fputs("\tlocal commands='", stdout);
	for (size_t i = 0; gs_cli_commands[i]; i++)
		if (!gs_cli_commands[i]->is_hidden)
			printf("%s%s", i ? " " : "", gs_cli_commands[i]->name);
	puts("'");
}

static void bash_options(void)
{
	fputs("\tlocal options='", stdout);
	bash_words(gs_cli_globals);
	puts("'");
	puts("\tcase $command in");
	for (size_t i = 0; gs_cli_commands[i]; i++) {
		if (!gs_cli_commands[i]->options)
			continue;
		printf("\t%s) options+='", gs_cli_commands[i]->name);
		bash_words(gs_cli_commands[i]->options);
		puts("' ;;");
	}
	puts("\tesac");
}

/* Options that take an argument: the word behind one is no command. */
static void bash_arguments(void)
{
	fputs("\tlocal with_argument='", stdout);
	for (const struct gs_cli_option *o = gs_cli_globals; o->name; o++)
		if (o->argument)
			printf(" --%s", o->name);
	for (size_t i = 0; gs_cli_commands[i]; i++)
		for (const struct gs_cli_option *o = gs_cli_commands[i]->options; o && o->name; o++)
			if (o->argument)
				printf(" --%s", o->name);
	puts(" '");
}

/* What stands behind an option or a command. */
static void bash_words_of_tables(void)
{
	const char *spec;
	size_t n, length = 0;

	fputs("\tlocal operations='", stdout);
	for (int op = 0; op < GS_WHO_OP_MAX; op++)
		printf("%s%s", op ? " " : "", gs_who_op_name((enum gs_who_op)op));
	fputs("'\n\tlocal faults='", stdout);
	for (unsigned i = 0; (spec = gs_cli_fault_spec(i)); i++) {
		bool is_again = i && length == strcspn(spec, " ") && strncmp(spec, gs_cli_fault_spec(i - 1), length) == 0;

		length = strcspn(spec, " ");
		if (!is_again)
			printf("%s%.*s", i ? " " : "", (int)length, spec);
	}
	fputs("'\n\tlocal calls='", stdout);
	for (n = 0; gs_cli_fault_call((unsigned)n); n++)
		printf("%s%s", n ? " " : "", gs_cli_fault_call((unsigned)n));
	puts("'\n\tlocal themes='default mono'");
}

/* ---------------------------------------------------------------- templates and lists */

static void version(void)
{
	puts(".Os \"gpuslice " GS_VERSION "\"");
}

static const struct {
	const char *marker;
	void (*print)(void);
} tables[] = {
	{ "@OS@", version },
	{ "@OPTIONS@", mdoc_globals },
	{ "@COMMANDS@", mdoc_commands },
	{ "@KEYS@", mdoc_keys },
	{ "@VERBS@", mdoc_verbs },
	{ "@RULES@", mdoc_rules },
	{ "@UNDOS@", mdoc_undos },
	{ "@ELEMENTS@", mdoc_elements },
	{ "@STATUSES@", mdoc_statuses },
	{ "@BASH-COMMANDS@", bash_commands },
	{ "@BASH-OPTIONS@", bash_options },
	{ "@BASH-ARGUMENTS@", bash_arguments },
	{ "@BASH-WORDS@", bash_words_of_tables },
};

static int fill(const char *path)
{
	GS_FCLOSE FILE *in = fopen(path, "re");
	char line[1024];

	if (!in) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), in)) {
		size_t i = 0;

		line[strcspn(line, "\n")] = '\0';
		while (i < GS_ARRAY_SIZE(tables) && !gs_str_equal(line, tables[i].marker))
			i++;
		if (i < GS_ARRAY_SIZE(tables)) {
			tables[i].print();
		} else if (line[0] == '@') {
			fprintf(stderr, "gendoc: %s: no table is called %s\n", path, line);
			return 1;
		} else {
			puts(line);
		}
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

static void list_options(void)
{
	for (const struct gs_cli_option *o = gs_cli_globals; o->name; o++)
		printf("--%s\n", o->name);
	for (size_t i = 0; gs_cli_commands[i]; i++)
		for (const struct gs_cli_option *o = gs_cli_commands[i]->options; o && o->name; o++)
			printf("--%s\n", o->name);
}

static int list(const char *what)
{
	size_t n;
	const struct gs_action *actions = gs_actions(&n);

	if (gs_str_equal(what, "commands")) {
		for (size_t i = 0; gs_cli_commands[i]; i++)
			puts(gs_cli_commands[i]->name);
	} else if (gs_str_equal(what, "options")) {
		list_options();
	} else if (gs_str_equal(what, "keys")) {
		for (size_t i = 0; i < n; i++)
			puts(actions[i].key_text);
	} else if (gs_str_equal(what, "verbs")) {
		for (int v = 0; v < GS_VERB_MAX; v++)
			puts(gs_verb_name((enum gs_verb)v));
	} else if (gs_str_equal(what, "rules")) {
		for (int r = 0; r < GS_RULE_MAX; r++)
			puts(gs_rule_name((enum gs_rule)r));
	} else if (gs_str_equal(what, "undos")) {
		for (int u = 0; u < GS_UNDO_MAX; u++)
			puts(gs_undo_name((enum gs_undo)u));
	} else if (gs_str_equal(what, "modes")) {
		for (int m = 0; m < GS_MODE_MAX; m++)
			puts(gs_mode_name((enum gs_mode)m));
	} else if (gs_str_equal(what, "faults")) {
		for (unsigned f = 0; gs_cli_fault_spec(f); f++)
			puts(gs_cli_fault_spec(f));
	} else if (gs_str_equal(what, "elements")) {
		for (int el = 0; el < GS_ELEMENT_MAX; el++)
			puts(gs_element_name((enum gs_element)el));
	} else if (gs_str_equal(what, "statuses")) {
		for (size_t i = 0; i < GS_ARRAY_SIZE(statuses); i++)
			printf("%zu\n", i);
	} else {
		fprintf(stderr, "gendoc: nothing to list is called %s\n", what);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && gs_str_equal(argv[1], "fill"))
		return fill(argv[2]);
	if (argc == 3 && gs_str_equal(argv[1], "list"))
		return list(argv[2]);
	fprintf(stderr, "usage: gendoc fill TEMPLATE | gendoc list WHAT\n");
	return 1;
}
