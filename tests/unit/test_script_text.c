/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command language as text: what is accepted, what it becomes, and where each mistake is said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "codec/script_text.h"

static struct gs_script *parse(const char *text)
{
	struct gs_script *s = NULL;
	struct gs_error e = { 0 };

	if (gs_script_parse(text, strlen(text), "f", &s, &e) < 0)
		fail_msg("%s: %u:%u: %s", text, e.line, e.column, e.text);
	return s;
}

/* The first statement in its canonical spelling. */
static void expect_format(const char *text, const char *canonical)
{
	struct gs_script *s = parse(text);
	char *out;

	assert_int_equal(s->n, 1);
	out = gs_statement_format(&s->items[0]);
	assert_string_equal(out, canonical);
	free(out);
	gs_script_free(s);
}

static void expect_error_n(const char *text, size_t n, unsigned line, unsigned column, const char *part)
{
	struct gs_script *s = (void *)1;
	struct gs_error e = { 0 };
	int r = gs_script_parse(text, n, "job.gs", &s, &e);

	if (r >= 0)
		fail_msg("accepted: %.60s", text);
	assert_ptr_equal(s, (void *)1);
	assert_int_equal(e.errnum, r);
	assert_int_equal(e.status, GS_STATUS_INVALID);
	assert_string_equal(e.file, "job.gs");
	if (e.line != line || e.column != column || !strstr(e.text, part))
		fail_msg("%.60s: %u:%u: %s", text, e.line, e.column, e.text);
	assert_true(gs_utf8_is_valid(e.text, strlen(e.text), NULL));
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *part)
{
	expect_error_n(text, strlen(text), line, column, part);
}

static void every_verb_is_read_and_written_back(void **state)
{
	(void)state;
	expect_format("mode 3 mig", "mode 3 mig");
	expect_format("mode 0-3 mig-vgpu", "mode 0-3 mig-vgpu");
	expect_format("mode 2-2 whole", "mode 2 whole");
	expect_format("create 0 3g.40gb", "create 0 3g.40gb");
	expect_format("create 0 3g.40gb ci none count 2 at 4", "create 0 3g.40gb at 4 count 2 ci none");
	expect_format("create 0 1g.10gb+me count +1", "create 0 1g.10gb+me count +1");
	expect_format("create 0/3g.40gb@4 1c.3g.40gb at 2", "create 0/3g.40gb@4 1c.3g.40gb at 2");
	expect_format("create 0 3g.40gb ci 1c.3g.40gb@0,2c.3g.40gb@1", "create 0 3g.40gb ci 1c.3g.40gb@0,2c.3g.40gb@1");
	expect_format("create 0 3g.40gb ci 1c.3g.40gb@0, 2c.3g.40gb at 4", "create 0 3g.40gb at 4 ci 1c.3g.40gb@0,2c.3g.40gb");
	expect_format("create 1 L40S-24Q vf 3 uuid C0FFEE00-0000-4000-8000-00000000000A",
		      "create 1 L40S-24Q vf 3 uuid c0ffee00-0000-4000-8000-00000000000a");
	expect_format("create 1 L40S-24Q vf 1B:00.4", "create 1 L40S-24Q vf 0000:1b:00.4");
	expect_format("delete 0 1g.10gb@0,1g.10gb@1 vf:3", "delete 0 1g.10gb@0 1g.10gb@1 vf:3");
	expect_format("delete all rest", "delete all rest");
	expect_format("delete 0/gi:3 all", "delete 0/gi:3 all");
	expect_format("delete 0 MIG-C0FFEE00-0000-4000-8000-00000000000A mdev:c0ffee00-0000-4000-8000-00000000000a vf:1b:00.4 gi:7",
		      "delete 0 MIG-c0ffee00-0000-4000-8000-00000000000a mdev:c0ffee00-0000-4000-8000-00000000000a vf:0000:1b:00.4 gi:7");
	expect_format("move 0 3g.40gb@0 to 4", "move 0 3g.40gb@0 to 4");
	expect_format("recreate 00000000:1B:00.0 all", "recreate 0000:1b:00.0 all");
	expect_format("copy 0 to 1, 2 GPU-AB12", "copy 0 to 1 2 GPU-ab12");
	expect_format("use \"night shift\" model:*H100*", "use \"night shift\" model:\"*H100*\"");
	expect_format("vfs 0 all", "vfs 0 all");
	expect_format("vfs 0 0", "vfs 0 0");
	expect_format("set 0 scheduler \"a \\\"b\\\" \\\\c\"", "set 0 scheduler \"a \\\"b\\\" \\\\c\"");
	expect_format("set 0/vf:3 disable_vnc 1", "set 0/vf:3 disable_vnc 1");
	expect_format("set 0/vf:1B:00.4 plugin0 a=\"b#\"", "set 0/vf:0000:1b:00.4 plugin0 \"a=b#\"");
	expect_format("set 0/mdev:C0FFEE00-0000-4000-8000-00000000000A vram-quota 50", "set 0/mdev:c0ffee00-0000-4000-8000-00000000000a vram-quota 50");
	expect_format("create 1/3g.40gb@0 DC-3-48Q vf 2 param frame_rate_limiter=0 uuid c0ffee00-0000-4000-8000-00000000000a param \"k\"=/x",
		      "create 1/3g.40gb@0 DC-3-48Q vf 2 uuid c0ffee00-0000-4000-8000-00000000000a param frame_rate_limiter=0 param \"k=/x\"");
	expect_format("create 1 \"RTX Pro 6000 Blackwell DC-4-24CGFX\"", "create 1 \"RTX Pro 6000 Blackwell DC-4-24CGFX\"");
	expect_format("recreate 0 vf:3", "recreate 0 vf:3");
	expect_format("recreate 0 mdev:c0ffee00-0000-4000-8000-00000000000a", "recreate 0 mdev:c0ffee00-0000-4000-8000-00000000000a");
	expect_format("set 0 scheduler \"\"", "set 0 scheduler \"\"");
}

static void a_statement_says_what_was_written(void **state)
{
	struct gs_script *s = parse("create model:\"A/B,c;#\"/3g.40gb@4 1c.3g.40gb at 2 count +3");
	const struct gs_statement *st = &s->items[0];

	(void)state;
	assert_int_equal(st->verb, GS_VERB_CREATE);
	assert_int_equal(st->gpu.kind, GS_SELECT_GPU_MODEL);
	assert_string_equal(st->gpu.text, "A/B,c;#");
	assert_true(st->has_inside);
	assert_string_equal(st->inside.profile, "3g.40gb");
	assert_int_equal(st->inside.number, 4);
	assert_string_equal(st->profile, "1c.3g.40gb");
	assert_true(gs_u32_is(st->at, 2));
	assert_int_equal(st->count, 3);
	assert_true(st->count_adds);
	assert_int_equal(st->ci, GS_CI_DEFAULT);
	assert_int_equal(st->inside.pos.column, 24);
	assert_int_equal(st->profile_pos.column, 34);
	assert_int_equal(st->at_pos.column, 48);
	gs_script_free(s);
}

static void vfs_and_parameters_are_read_to_the_end(void **state)
{
	struct gs_script *s = parse("create 0 T vf 17 param b=2 param a=1=x\ncreate 0 T vf 1b:00.4\ndelete 0 vf:1b:00.5 vf:6\nvfs 0 4\nvfs 0 all\nset 0/vf:3 key value");
	const struct gs_statement *st = s->items;

	(void)state;
	assert_true(gs_u32_is(st[0].vf_number, 17));
	assert_string_equal(st[0].vf, "17");
	assert_int_equal(st[0].vf_pos.column, 15);
	assert_int_equal(st[0].n_params, 2);
	assert_string_equal(st[0].params[0].key, "b");
	assert_string_equal(st[0].params[1].value, "1=x");
	assert_int_equal(st[0].params_pos.column, 24);
	assert_false(st[1].vf_number.known);
	assert_string_equal(st[1].vf, "0000:1b:00.4");
	assert_int_equal(st[1].vf_bdf.function, 4);
	assert_int_equal(st[2].instances[0].bdf.function, 5);
	assert_string_equal(st[2].instances[0].text, "0000:1b:00.5");
	assert_null(st[2].instances[1].text);
	assert_int_equal(st[2].instances[1].number, 6);
	assert_true(gs_u32_is(st[3].vfs, 4));
	assert_false(st[4].vfs.known);
	assert_true(st[5].has_inside);
	assert_int_equal(st[5].inside.number, 3);
	assert_int_equal(st[5].text_pos.column, 12);
	assert_int_equal(st[5].value_pos.column, 16);
	gs_script_free(s);
}

static void parameters_are_checked_where_they_stand(void **state)
{
	char many[4000] = "create 0 T";

	(void)state;
	expect_error("create 0 T param", 1, 17, "K=V behind \"param\" is missing");
	expect_error("create 0 T param a", 1, 18, "no parameter");
	expect_error("create 0 T param =1", 1, 18, "no name of a parameter");
	expect_error("create 0 T param a=", 1, 20, "cannot be the value");
	expect_error("create 0 T param a=1,b=2", 1, 20, "without blank and comma");
	expect_error("create 0 T param \"a=1 2\"", 1, 21, "without blank and comma");
	expect_error("create 0 T param a=\xc3\xa4", 1, 20, "printable ASCII");
	expect_error("create 0 T param a=1 param b=2 param a=3", 1, 38, "a is given twice");
	expect_error("create 0 T param a=1 vf 1 vf 2", 1, 27, "\"vf\" is given twice");
	expect_error("create 0 T vf 65536", 1, 15, "0 to 65535");
	expect_error("create 0 T vf 1b:00.9", 1, 15, "PCI address");
	expect_error("set 0/vf:x k v", 1, 10, "no number");
	expect_error("set 0/all k v", 1, 7, "one instance");
	expect_error("set 0/vf:3 k 1,2", 1, 14, "without blank and comma");
	expect_error("set 0/vf:3 \"\" v", 1, 12, "no name of a parameter");
	expect_error("set 0/vf:3 k", 1, 13, "value is missing");
	expect_error("vfs 0 some", 1, 7, "no number");
	expect_error("vfs 0 -1", 1, 7, "no number");
	expect_error("vfs 0", 1, 6, "number of VFs is missing");
	for (unsigned i = 0; i < 33; i++)
		sprintf(many + strlen(many), " param k%02u=1", i);
	expect_error(many, 1, 12 + 32 * 12 + 6, "at most 32 parameters");
}

static void count_is_one_and_adds_nothing_when_it_is_not_given(void **state)
{
	struct gs_script *s = parse("create 0 3g.40gb");

	(void)state;
	assert_int_equal(s->items[0].count, 1);
	assert_false(s->items[0].count_adds);
	assert_false(s->items[0].at.known);
	gs_script_free(s);
}

static void positions_count_lines_and_bytes_through_comments_semicolons_and_crlf(void **state)
{
	struct gs_script *s = parse("\xef\xbb\xbf# first\r\n\r\n  mode 0 mig; delete 0 all # why\r\n\tset 0 k \"\xc3\xa4;#\" ;;\ncopy 0 to 1");

	(void)state;
	assert_int_equal(s->n, 4);
	assert_string_equal(s->items[0].pos.file, "f");
	assert_int_equal(s->items[0].pos.line, 3);
	assert_int_equal(s->items[0].pos.column, 3);
	assert_int_equal(s->items[1].pos.line, 3);
	assert_int_equal(s->items[1].pos.column, 15);
	assert_int_equal(s->items[1].instances[0].pos.column, 24);
	assert_int_equal(s->items[2].pos.line, 4);
	assert_int_equal(s->items[2].pos.column, 2);
	assert_string_equal(s->items[2].value, "\xc3\xa4;#");
	assert_int_equal(s->items[3].pos.line, 5);
	gs_script_free(s);
}

static void the_parts_of_one_word_have_their_own_positions(void **state)
{
	(void)state;
	expect_error("delete 0 1g.10gb@0,1g.10gb@64", 1, 28, "out of range");
	expect_error("create 0/3g.40gb@x 1c.3g.40gb", 1, 18, "no number");
	expect_error("create 0 3g.40gb ci 1c.3g.40gb@0,/", 1, 34, "profile");
	expect_error("create \"0\"/\"a b@x\" 1c", 1, 17, "no number");
	expect_error("mode 0-x mig", 1, 8, "no number");
}

static void an_empty_input_is_an_empty_script(void **state)
{
	static const char *const texts[] = { "", "\n", "\r\n", "  # only a comment", ";;;", "\xef\xbb\xbf" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++) {
		struct gs_script *s = parse(texts[i]);
		char *out = gs_script_format(s);

		assert_int_equal(s->n, 0);
		assert_string_equal(out, "");
		free(out);
		gs_script_free(s);
	}
}

static void bytes_that_are_no_text_are_refused_where_they_stand(void **state)
{
	(void)state;
	expect_error("mode 0 mig\nset 0 k \xff", 2, 9, "UTF-8");
	expect_error("# \xc3", 1, 3, "UTF-8");
	expect_error("mode 0 \xed\xa0\x80", 1, 8, "UTF-8");
	expect_error_n("mode 0 m\0g", 10, 1, 9, "NUL");
	expect_error("mode \x1b[2J mig", 1, 6, "control character 0x1b");
	expect_error("mode 0\rmig", 1, 7, "control character 0x0d");
	expect_error("set 0 k \"a\tb\"", 1, 11, "control character 0x09");
	expect_error("set 0 k \"a\xe2\x80\xae\"", 1, 11, "direction-changing");
	expect_error("set 0 k \xc2\x9b", 1, 9, "invisible");
}

static void quotes_must_be_closed_and_escape_only_themselves(void **state)
{
	(void)state;
	expect_error("set 0 k \"abc\nset 0 k \"d\"", 1, 9, "not closed");
	expect_error("set 0 k a\"bc", 1, 10, "not closed");
	expect_error("set 0 k \"abc\\", 1, 9, "not closed");
	expect_error("set 0 k \"a\\n\"", 1, 11, "backslash");
}

static void a_mistyped_word_gets_the_nearest_one(void **state)
{
	(void)state;
	expect_error("craete 0 3g.40gb", 1, 1, "\"create\"");
	expect_error("Delete 0 all", 1, 1, "\"delete\"");
	expect_error("frobnicate 0", 1, 1, "the commands are");
	expect_error("mode 0 mgi", 1, 8, "\"mig\"");
	expect_error("mode 0 nonsense", 1, 8, "whole|mig");
	expect_error("create 0 3g.40gb cuont 3", 1, 18, "\"count\"");
}

static void missing_and_extra_words_are_told_with_the_syntax(void **state)
{
	(void)state;
	expect_error("create", 1, 7, "GPU is missing; write: create GPU");
	expect_error("create 0  # nothing", 1, 9, "profile is missing");
	expect_error("create 0 at 3", 1, 10, "profile such as");
	expect_error("create 0 3g.40gb at", 1, 20, "start behind \"at\" is missing");
	expect_error("create 0 3g.40gb ci", 1, 20, "\"ci\" is missing");
	expect_error("create 0 3g.40gb ci 1c,", 1, 24, "behind the comma is missing");
	expect_error("create 0 3g.40gb 4", 1, 18, "not known here");
	expect_error("create 0 3g.40gb at 4 at 4", 1, 23, "twice");
	expect_error("mode 0 mig now", 1, 12, "too many");
	expect_error("mode 0/3g.40gb@0 mig", 1, 6, "whole GPU");
	expect_error("move 0 3g.40gb@0 4", 1, 18, "\"to\" is expected");
	expect_error("move 0 all to 4", 1, 8, "one instance");
	expect_error("move 0 rest to 4", 1, 8, "delete only");
	expect_error("recreate 0 a@0 b@0", 1, 16, "too many");
	expect_error("delete 0", 1, 9, "missing");
	expect_error("delete 0 rest 3g.40gb@0", 1, 15, "alone");
	expect_error("delete 0 3g.40gb@0 all", 1, 20, "alone");
	expect_error("delete 0 ,3g.40gb@0", 1, 10, "before this comma");
	expect_error("delete 0 3g.40gb@0,,", 1, 20, "before this comma");
	expect_error("delete 0/rest all", 1, 10, "one instance");
	expect_error("delete 0/ all", 1, 10, "instance is expected");
	expect_error("copy 0 1", 1, 8, "\"to\" is expected");
	expect_error("use \"\" 0", 1, 5, "name");
	expect_error("set 0 K v", 1, 7, "no setting's name");
}

static void numbers_are_plain_and_bounded(void **state)
{
	(void)state;
	expect_error("mode 4096 mig", 1, 6, "0 to 4095");
	expect_error("mode 99999999999999999999 mig", 1, 6, "out of range");
	expect_error("mode 3-1 mig", 1, 6, "backwards");
	expect_error("mode 0- mig", 1, 8, "no number");
	expect_error("mode -1 mig", 1, 6, "GPU is expected");
	expect_error("mode 0x1 mig", 1, 6, "no number");
	expect_error("mode 01 mig", 1, 6, "plain decimal");
	expect_error("create 0 p at 65535", 1, 15, "0 to 65534");
	expect_error("move 0 p@0 to 64", 1, 15, "0 to 63");
	expect_error("create 0 p at +1", 1, 15, "no number");
	expect_error("create 0 p at 1.0", 1, 15, "no number");
	expect_error("create 0 p count 0", 1, 18, "1 to 64");
	expect_error("create 0 p count 65", 1, 18, "1 to 64");
	expect_error("create 0 p count +", 1, 19, "no number");
	expect_error("create 0 p count ++1", 1, 19, "no number");
	expect_error("vfs 0 65536", 1, 7, "65535");
	expect_error("vfs 0 \"\"", 1, 7, "no number");
}

static void selectors_must_look_like_what_they_name(void **state)
{
	(void)state;
	expect_error("mode 0000:1b:00.8 mig", 1, 6, "PCI address");
	expect_error("mode GPU- mig", 1, 6, "UUID");
	expect_error("mode GPU-xyz mig", 1, 6, "UUID");
	expect_error("mode model: mig", 1, 6, "pattern");
	expect_error("mode \"\" mig", 1, 6, "GPU is expected");
	expect_error("delete 0 3g.40gb", 1, 10, "PROFILE@START");
	expect_error("delete 0 mdev:abc", 1, 15, "UUID");
	expect_error("delete 0 MIG-abc", 1, 14, "UUID");
	expect_error("delete 0 gi:", 1, 13, "no number");
	expect_error("delete 0 vf:x", 1, 13, "no number");
	expect_error("create 0 3g,40gb", 1, 10, "profile such as");
	expect_error("create 0 \"a b \"", 1, 10, "profile such as");
	expect_error("create 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, 10, "...");
	expect_error("create 0 p uuid 123", 1, 17, "UUID");
}

static void a_ten_megabyte_line_gives_one_short_error_at_once(void **state)
{
	size_t n = 10u << 20;
	char *text = malloc(n);
	struct gs_monotonic start = gs_monotonic_now();
	struct gs_script *s = NULL;
	struct gs_error e;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', n);
	assert_int_equal(gs_script_parse(text, n, "f", &s, &e), -EMSGSIZE);
	assert_int_equal(e.line, 1);
	assert_int_equal(e.column, GS_SCRIPT_LINE_MAX + 1);
	assert_true(strlen(e.text) < 120);
	assert_true(gs_elapsed_ms(start) < 1000);
	free(text);
}

static void a_line_may_be_as_long_as_the_maximum_and_no_longer(void **state)
{
	char text[GS_SCRIPT_LINE_MAX + 3];
	struct gs_script *s;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "mode 0 mig", 10);
	memcpy(text + GS_SCRIPT_LINE_MAX, "\r\n", 3);
	s = parse(text);
	assert_int_equal(s->n, 1);
	gs_script_free(s);
	memcpy(text + GS_SCRIPT_LINE_MAX, " \n", 3);
	expect_error(text, 1, GS_SCRIPT_LINE_MAX + 1, "at most 4096");
	/* as many words as a line can have */
	for (size_t i = 0; i < GS_SCRIPT_LINE_MAX; i++)
		text[i] = i % 2 ? ' ' : 'a';
	text[GS_SCRIPT_LINE_MAX] = '\0';
	expect_error(text, 1, 1, "no command");
	/* and as many quoted bytes */
	memset(text, 'a', GS_SCRIPT_LINE_MAX);
	memcpy(text, "set 0 k ", 8);
	expect_error(text, 1, 9, "at most 256 bytes");
}

static void a_script_has_a_bounded_number_of_statements(void **state)
{
	size_t n = GS_SCRIPT_STATEMENTS_MAX;
	char *text = malloc(11 * (n + 1) + 1);
	struct gs_script *s = NULL;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i <= n; i++)
		memcpy(text + 11 * i, "mode 0 mig\n", 12);
	assert_int_equal(gs_script_parse(text, 11 * n, "f", &s, NULL), 0);
	assert_int_equal(s->n, n);
	gs_script_free(s);
	expect_error(text, GS_SCRIPT_STATEMENTS_MAX + 1, 1, "at most 10000");
	free(text);
}

static void a_statement_that_grows_over_the_maximum_when_written_out_is_refused(void **state)
{
	char text[GS_SCRIPT_LINE_MAX + 1] = "copy 0 to";

	(void)state;
	for (size_t n = strlen(text); n + 9 < sizeof(text); n += 8)
		memcpy(text + n, " 1b:00.0", 9);
	expect_error(text, 1, 1, "written out");
}

static void the_help_has_one_line_for_each_verb(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; gs_script_syntax(i); i++) {
		size_t n = strcspn(gs_script_syntax(i), " ");

		assert_true(strlen(gs_verb_name((enum gs_verb)i)) == n);
		assert_true(gs_str_starts(gs_script_syntax(i), gs_verb_name((enum gs_verb)i)));
	}
	assert_int_equal(i, GS_VERB_MAX);
}

static void a_script_is_formatted_a_line_for_each_statement(void **state)
{
	struct gs_script *s = parse("mode 0 mig;create 0 3g.40gb at 4 # x\nvfs 1 4");
	char *out = gs_script_format(s);

	(void)state;
	assert_string_equal(out, "mode 0 mig\ncreate 0 3g.40gb at 4\nvfs 1 4\n");
	free(out);
	gs_script_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_is_read_and_written_back),
		cmocka_unit_test(a_statement_says_what_was_written),
		cmocka_unit_test(vfs_and_parameters_are_read_to_the_end),
		cmocka_unit_test(parameters_are_checked_where_they_stand),
		cmocka_unit_test(count_is_one_and_adds_nothing_when_it_is_not_given),
		cmocka_unit_test(positions_count_lines_and_bytes_through_comments_semicolons_and_crlf),
		cmocka_unit_test(the_parts_of_one_word_have_their_own_positions),
		cmocka_unit_test(an_empty_input_is_an_empty_script),
		cmocka_unit_test(bytes_that_are_no_text_are_refused_where_they_stand),
		cmocka_unit_test(quotes_must_be_closed_and_escape_only_themselves),
		cmocka_unit_test(a_mistyped_word_gets_the_nearest_one),
		cmocka_unit_test(missing_and_extra_words_are_told_with_the_syntax),
		cmocka_unit_test(numbers_are_plain_and_bounded),
		cmocka_unit_test(selectors_must_look_like_what_they_name),
		cmocka_unit_test(a_ten_megabyte_line_gives_one_short_error_at_once),
		cmocka_unit_test(a_line_may_be_as_long_as_the_maximum_and_no_longer),
		cmocka_unit_test(a_script_has_a_bounded_number_of_statements),
		cmocka_unit_test(a_statement_that_grows_over_the_maximum_when_written_out_is_refused),
		cmocka_unit_test(the_help_has_one_line_for_each_verb),
		cmocka_unit_test(a_script_is_formatted_a_line_for_each_statement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
