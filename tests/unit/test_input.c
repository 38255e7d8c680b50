/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "ui/input.h"

static const char *key_name(uint32_t key)
{
	static const char *const special[] = {
		"Up", "Down", "Left", "Right", "Home", "End", "PgUp", "PgDn", "Ins", "Del", "Backtab",
		"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
	};
	static char text[32];

	if (key > GS_KEY_SPECIAL && key - GS_KEY_SPECIAL <= GS_ARRAY_SIZE(special))
		return special[key - GS_KEY_SPECIAL - 1];
	switch (key) {
	case GS_KEY_TAB: return "Tab";
	case GS_KEY_ENTER: return "Enter";
	case GS_KEY_ESCAPE: return "Esc";
	case GS_KEY_SPACE: return "Space";
	case GS_KEY_BACKSPACE: return "BS";
	default:
		if (key > 0x20 && key < 0x7f)
			snprintf(text, sizeof(text), "%c", (char)key);
		else
			snprintf(text, sizeof(text), "U+%02X", key);
		return text;
	}
}

/* All events that are there, as words: "C-a Up S-F5 press0@3,4 <x>" (<…>: pasted). */
static char *words(struct gs_input *in)
{
	static const char *const mouse[] = { "press", "drag", "release", "wheelup", "wheeldown" };
	struct gs_strbuf b = GS_STRBUF_INIT;
	struct gs_event ev;

	gs_strbuf_puts(&b, "");
	while (gs_input_next(in, &ev)) {
		gs_strbuf_printf(&b, "%s%s%s%s", b.length ? " " : "", ev.shift ? "S-" : "", ev.alt ? "A-" : "", ev.ctrl ? "C-" : "");
		if (ev.type == GS_EVENT_MOUSE)
			gs_strbuf_printf(&b, "%s%d@%d,%d", mouse[ev.mouse], ev.button, ev.row, ev.column);
		else
			gs_strbuf_printf(&b, ev.is_pasted ? "<%s>" : "%s", key_name(ev.key));
	}
	return gs_strbuf_take(&b);
}

static void expect(const char *bytes, size_t n, const char *expected)
{
	for (int by_byte = 0; by_byte < 2; by_byte++) {
		struct gs_input *in = gs_input_new();
		char *got;

		for (size_t i = 0; by_byte && i < n; i++)
			gs_input_feed(in, bytes + i, 1);
		if (!by_byte)
			gs_input_feed(in, bytes, n);
		got = words(in);
		assert_string_equal(got, expected);
		free(got);
		gs_input_free(in);
	}
}

#define EXPECT(bytes, expected) expect(bytes, sizeof(bytes) - 1, expected)

static void characters(void **state)
{
	(void)state;
	EXPECT("aZ~ ", "a Z ~ Space");
	EXPECT("\r\t\177\b\n", "Enter Tab BS BS Enter");
	EXPECT("\001\014\032", "C-U+01 C-U+0C C-U+1A");
	EXPECT("\0", "C-Space");
	EXPECT("\303\251\342\224\200\360\237\230\200", "U+E9 U+2500 U+1F600");
	EXPECT("\033a\033\r\033\303\251", "A-a A-Enter A-U+E9");
}

static void malformed_utf8_is_never_a_key(void **state)
{
	(void)state;
	EXPECT("\200\277\300\257\301\377\376", "");
	EXPECT("\340\200\257x", "x");           /* overlong */
	EXPECT("\355\240\200x", "x");           /* surrogate */
	EXPECT("\364\220\200\200x", "x");       /* above U+10FFFF */
	EXPECT("\342\224x", "x");               /* cut */
	EXPECT("\342\224\303\251", "U+E9");
	EXPECT("\302\233" "31mx", "3 1 m x");   /* a C1 control in UTF-8 begins nothing */
}

static void cursor_and_function_keys(void **state)
{
	(void)state;
	EXPECT("\033[A\033[B\033[C\033[D", "Up Down Right Left");
	EXPECT("\033OA\033OB\033OC\033OD", "Up Down Right Left");
	EXPECT("\033[H\033[F\033OH\033OF\033[1~\033[4~\033[7~\033[8~", "Home End Home End Home End Home End");
	EXPECT("\033[2~\033[3~\033[5~\033[6~\033[Z", "Ins Del PgUp PgDn Backtab");
	EXPECT("\033OP\033OQ\033OR\033OS", "F1 F2 F3 F4");
	EXPECT("\033[11~\033[12~\033[13~\033[14~\033[15~\033[17~\033[18~\033[19~", "F1 F2 F3 F4 F5 F6 F7 F8");
	EXPECT("\033[20~\033[21~\033[23~\033[24~", "F9 F10 F11 F12");
	EXPECT("\033OM\033Oj\033Oy\033Op\033Oz", "Enter * 9 0");
	EXPECT("\033[[A\033[[B\033[[C\033[[D\033[[E\033[[Z", "F1 F2 F3 F4 F5");
}

static void modifiers(void **state)
{
	(void)state;
	EXPECT("\033[1;2A\033[1;3B\033[1;5C\033[1;8D", "S-Up A-Down C-Right S-A-C-Left");
	EXPECT("\033[3;5~\033[15;2~\033[1;2P", "C-Del S-F5 S-F1");
	EXPECT("\033O5A", "C-Up");
	EXPECT("\033[5^\033[7$", "C-PgUp S-Home");
	EXPECT("\033[97;5u\033[27;5;98~\033[9;2u\033[13u", "C-U+01 C-U+02 S-Backtab Enter");
	EXPECT("\0331:2", "A-1 : 2");
	EXPECT("\033[57399u\033[55296u\033[200000u", "");
}

static void unknown_sequences_are_swallowed_whole(void **state)
{
	(void)state;
	EXPECT("\033[I\033[Ox", "x");                           /* focus */
	EXPECT("\033[?2026;2$yx\033[?1;2cx\033[>0;276;0cx", "x x x");
	EXPECT("\033[12;40Rx", "x");                            /* cursor report, not F3 */
	EXPECT("\033]11;rgb:0000/0000/0000\033\\x", "x");
	EXPECT("\033]0;qWy\007x", "x");
	EXPECT("\033P1+r544e=qqq\033\\x", "x");
	EXPECT("\033_Gi=1;OK\033\\\033[A", "Up");
	EXPECT("\033]0;lost\033[A", "Up");                      /* the string was cut off */
	EXPECT("\033[1;2;3;4;5;6;7;8;9;10;11Ax", "x");
	EXPECT("\033[99999999999999999999~x", "x");
	EXPECT("\033[<<1;1;1Mx\033[ qx\033[1?1Ax", "x x x");
	EXPECT("\033[12\001x", "x");                            /* a control in the middle ends it */
	EXPECT("\033[1\033[A", "Up");
	EXPECT("\033[1\303\251x", "x");
}

static void mouse_sgr(void **state)
{
	(void)state;
	EXPECT("\033[<0;10;5M\033[<32;11;5M\033[<0;11;5m", "press0@4,9 drag0@4,10 release0@4,10");
	EXPECT("\033[<2;1;1M\033[<2;1;1m\033[<1;300;200M", "press2@0,0 release2@0,0 press1@199,299");
	EXPECT("\033[<64;3;3M\033[<65;3;3M\033[<66;3;3M\033[<67;3;3M", "wheelup0@2,2 wheeldown0@2,2");
	EXPECT("\033[<4;1;1M\033[<8;1;1M\033[<16;1;1M", "S-press0@0,0 A-press0@0,0 C-press0@0,0");
	EXPECT("\033[<35;5;5M", "");                            /* moved, nothing pressed */
	EXPECT("\033[<128;5;5M\033[<0;0;5M\033[<0;5;0M\033[<0;5M\033[<;5;5M\033[<0;99999999;1Mx", "x");
}

static void mouse_x10(void **state)
{
	(void)state;
	EXPECT("\033[M !!\033[M@\"!\033[M#\"!", "press0@0,0 drag0@0,1 release0@0,1");
	EXPECT("\033[M\"!!\033[M#!!", "press2@0,0 release2@0,0");
	EXPECT("\033[M`!!\033[Ma!!", "wheelup0@0,0 wheeldown0@0,0");
	EXPECT("\033[M \377\377x", "press0@222,222 x");
	EXPECT("\033[M \001\001x", "x");
	EXPECT("\033[M \033[A", "Up");
}

static void paste_is_text(void **state)
{
	(void)state;
	EXPECT("\033[200~dW\r\n\tq\303\251\033[201~W", "<d> <W> <Enter> <Enter> <Tab> <q> <U+E9> W");
	EXPECT("\033[200~a\033[31m\033OP\003\177b\033[201~", "<a> <[> <3> <1> <m> <O> <P> <b>");
	EXPECT("\033[200~\033[20\033[201~x", "<[> <2> <0> x");
	EXPECT("\033[200~\342\033[201~x", "x");
	EXPECT("\033[201~x", "x");
}

static void ctrl_c_alone_ends_a_paste_that_lost_its_end(void **state)
{
	struct gs_input *in = gs_input_new();
	char *got;

	(void)state;
	gs_input_feed(in, "\033[200~ab", 8);
	free(words(in));
	gs_input_end_paste(in);
	gs_input_feed(in, "\003q", 2);
	got = words(in);
	assert_string_equal(got, "C-U+03 q");
	free(got);
	gs_input_free(in);
}

static void lone_escape_waits_for_time(void **state)
{
	struct gs_input *in = gs_input_new();
	char *got;

	(void)state;
	assert_false(gs_input_is_undecided(in));
	gs_input_feed(in, "\033", 1);
	assert_true(gs_input_is_undecided(in));
	got = words(in);
	assert_string_equal(got, "");
	free(got);
	gs_input_timeout(in);
	assert_false(gs_input_is_undecided(in));
	got = words(in);
	assert_string_equal(got, "Esc");
	free(got);
	gs_input_feed(in, "\033\033[A", 4);
	got = words(in);
	assert_string_equal(got, "Esc Up");
	free(got);
	gs_input_timeout(in);
	got = words(in);
	assert_string_equal(got, "");
	free(got);
	gs_input_free(in);
}

/* A slow line may deliver the tail late: it must not become commands. */
static void cut_sequence_keeps_its_tail(void **state)
{
	struct gs_input *in = gs_input_new();
	char *got;

	(void)state;
	gs_input_feed(in, "\033[<0;86", 7);
	for (int i = 0; i < 5; i++) {
		assert_true(gs_input_is_undecided(in));
		gs_input_timeout(in);
	}
	gs_input_feed(in, ";60M", 4);
	got = words(in);
	assert_string_equal(got, "press0@59,85");
	free(got);
	/* but a line that drops it for good does not cost the keyboard */
	gs_input_feed(in, "\033[<0;86", 7);
	for (int i = 0; i < 1000 && gs_input_is_undecided(in); i++)
		gs_input_timeout(in);
	assert_false(gs_input_is_undecided(in));
	gs_input_feed(in, "q", 1);
	got = words(in);
	assert_string_equal(got, "q");
	free(got);
	gs_input_free(in);
}

static void alt_key_that_could_begin_a_string(void **state)
{
	struct gs_input *in = gs_input_new();
	char *got;

	(void)state;
	gs_input_feed(in, "\033]", 2);
	gs_input_timeout(in);
	gs_input_feed(in, "q", 1);
	got = words(in);
	assert_string_equal(got, "A-] q");
	free(got);
	gs_input_free(in);
}

static void a_pause_in_a_paste_ends_nothing(void **state)
{
	struct gs_input *in = gs_input_new();
	char *got;

	(void)state;
	gs_input_feed(in, "\033[200~a", 7);
	for (int i = 0; i < 1000; i++)
		gs_input_timeout(in);
	gs_input_feed(in, "W\033[201~", 7);
	got = words(in);
	assert_string_equal(got, "<a> <W>");
	free(got);
	gs_input_free(in);
}

static void endless_junk_needs_no_memory(void **state)
{
	struct gs_input *in = gs_input_new();
	char junk[4096];
	struct gs_event ev;
	size_t n = 0;

	(void)state;
	memset(junk, '1', sizeof(junk));
	gs_input_feed(in, "\033[", 2);
	for (int i = 0; i < 2560; i++)
		gs_input_feed(in, junk, sizeof(junk));
	assert_false(gs_input_next(in, &ev));
	gs_input_feed(in, "~x", 2);
	assert_true(gs_input_next(in, &ev));
	assert_int_equal(ev.key, 'x');
	/* and keys that nobody fetches are dropped at some point, not kept for ever */
	for (int i = 0; i < 2560; i++)
		gs_input_feed(in, junk, sizeof(junk));
	while (gs_input_next(in, &ev))
		n++;
	assert_in_range(n, 4096, 100000);
	gs_input_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters),
		cmocka_unit_test(malformed_utf8_is_never_a_key),
		cmocka_unit_test(cursor_and_function_keys),
		cmocka_unit_test(modifiers),
		cmocka_unit_test(unknown_sequences_are_swallowed_whole),
		cmocka_unit_test(mouse_sgr),
		cmocka_unit_test(mouse_x10),
		cmocka_unit_test(paste_is_text),
		cmocka_unit_test(ctrl_c_alone_ends_a_paste_that_lost_its_end),
		cmocka_unit_test(lone_escape_waits_for_time),
		cmocka_unit_test(cut_sequence_keeps_its_tail),
		cmocka_unit_test(alt_key_that_could_begin_a_string),
		cmocka_unit_test(a_pause_in_a_paste_ends_nothing),
		cmocka_unit_test(endless_junk_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
