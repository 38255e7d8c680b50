/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "codec/json.h"

static int parse(const char *text, struct json_object **ret, struct gs_error *e)
{
	return gs_json_parse(text, strlen(text), "in.json", ret, e);
}

static void good_text_is_taken(void **state)
{
	static const char *const texts[] = { "12", " [1, -2, 0.5, 1e3] \n", "{\"a\": null}", "\"\\u00e9\\n\"", "true", "[\"'N I\"]" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++) {
		GS_JSON struct json_object *o = NULL;
		struct gs_error e;

		if (parse(texts[i], &o, &e) < 0)
			fail_msg("%s: %s", texts[i], e.text);
	}
}

static void bad_text_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
	} cases[] = {
		{ "", 1, 1 },                   { "  ", 1, 3 },              { "{", 1, 2 },
		{ "{\n  \"a\": 1,\n}", 3, 1 },  { "[1,]", 1, 4 },            { "{\"a\":1} x", 1, 9 },
		{ "[1]\n[2]", 2, 1 },           { "{'a': 1}", 1, 2 },        { "[NaN]", 1, 2 },
		{ "[-Infinity]", 1, 3 },        { "[-01]", 1, 2 },           { "[1.]", 1, 3 },
		{ "[\"a\tb\"]", 1, 4 },         { "[\"\\u0000\"]", 1, 3 },   { "[\"\xff\"]", 1, 3 },
		{ "// x\n[]", 1, 1 },           { "[TRUE]", 1, 2 },          { "\xef\xbb\xbf{}", 1, 1 },
		{ "[\"\xc3\xa9\", x]", 1, 8 },  { "{\"a\"\n\n 1}", 3, 2 },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		struct json_object *o = NULL;
		struct gs_error e;

		if (parse(cases[i].text, &o, &e) != -EBADMSG)
			fail_msg("taken: %s", cases[i].text);
		assert_null(o);
		assert_int_equal(e.status, GS_STATUS_INVALID);
		assert_string_equal(e.file, "in.json");
		if (e.line != cases[i].line || e.column != cases[i].column)
			fail_msg("%s: %u:%u: %s", cases[i].text, e.line, e.column, e.text);
	}
}

static void depth_is_bounded(void **state)
{
	char text[2 * (GS_JSON_DEPTH_MAX + 1) + 1] = "";
	GS_JSON struct json_object *o = NULL;
	struct gs_error e;

	(void)state;
	memset(text, '[', GS_JSON_DEPTH_MAX + 1);
	memset(text + GS_JSON_DEPTH_MAX + 1, ']', GS_JSON_DEPTH_MAX + 1);
	assert_int_equal(parse(text, &o, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "deep"));
	text[2 * GS_JSON_DEPTH_MAX + 1] = '\0';
	assert_int_equal(gs_json_parse(text + 2, 2 * GS_JSON_DEPTH_MAX - 2, "in.json", &o, &e), 0);
}

static void embedded_nul_bytes_are_refused(void **state)
{
	struct json_object *o = NULL;
	struct gs_error e;

	(void)state;
	assert_int_equal(gs_json_parse("[1]\0[2]", 7, "in.json", &o, &e), -EBADMSG);
	assert_int_equal(gs_json_parse("[\"a\0b\"]", 7, "in.json", &o, &e), -EBADMSG);
}

static void numbers_are_whole_and_in_range(void **state)
{
	GS_JSON struct json_object *o = NULL;
	struct gs_u32 u32 = GS_U32(7);
	struct gs_u64 u64;
	struct gs_i64 i64;
	struct gs_error e;

	(void)state;
	assert_int_equal(parse("{\"max\":4294967295,\"over\":4294967296,\"neg\":-1,\"real\":1.0,\"text\":\"1\",\"huge\":99999999999999999999,"
			       "\"low\":-99999999999999999999,\"big\":18446744073709551614}", &o, &e), 0);
	assert_int_equal(gs_json_get_u32(o, "over", &u32, &e), -EBADMSG);
	assert_int_equal(gs_json_get_u32(o, "neg", &u32, &e), -EBADMSG);
	assert_int_equal(gs_json_get_u32(o, "real", &u32, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "\"real\""));
	assert_int_equal(gs_json_get_u32(o, "text", &u32, &e), -EBADMSG);
	assert_true(gs_u32_is(u32, 7));         /* untouched so far */
	assert_int_equal(gs_json_get_u64(o, "huge", &u64, &e), -EBADMSG);
	assert_int_equal(gs_json_get_i64(o, "low", &i64, &e), -EBADMSG);
	assert_int_equal(gs_json_get_i64(o, "big", &i64, &e), -EBADMSG);
	assert_int_equal(gs_json_get_u32(o, "max", &u32, &e), 0);
	assert_true(gs_u32_is(u32, UINT32_MAX));
	assert_int_equal(gs_json_get_u64(o, "big", &u64, &e), 0);
	assert_true(u64.known && u64.value == 18446744073709551614ull);
	assert_int_equal(gs_json_get_i64(o, "neg", &i64, &e), 0);
	assert_true(i64.known && i64.value == -1);
}

static void absent_and_null_are_unknown(void **state)
{
	GS_JSON struct json_object *o = NULL;
	const char *s = "x";
	struct gs_u32 u32 = GS_U32(7);
	struct json_object *a = NULL;
	bool b = false;

	(void)state;
	assert_int_equal(parse("{\"n\":null}", &o, NULL), 0);
	assert_int_equal(gs_json_get_string(o, "n", &s, NULL), 0);
	assert_null(s);
	assert_int_equal(gs_json_get_u32(o, "absent", &u32, NULL), 0);
	assert_false(u32.known);
	assert_int_equal(gs_json_get_bool(o, "n", true, &b, NULL), 0);
	assert_true(b);
	assert_int_equal(gs_json_get_array(o, "n", &a, NULL), 0);
	assert_null(a);
	assert_int_equal(gs_json_get_string(NULL, "n", &s, NULL), -EBADMSG);
}

static void builders_write_null_for_unknown(void **state)
{
	GS_JSON struct json_object *o = json_object_new_object();
	GS_FREE char *line = NULL, *text = NULL;

	(void)state;
	gs_json_add_string(o, "s", "a/b");
	gs_json_add_string(o, "none", NULL);
	gs_json_add_u32(o, "u32", GS_U32_UNKNOWN);
	gs_json_add_u64(o, "u64", GS_U64(18446744073709551614ull));
	gs_json_add_i64(o, "i64", GS_I64(-5));
	line = gs_json_to_line(o);
	assert_string_equal(line, "{\"s\":\"a/b\",\"none\":null,\"u32\":null,\"u64\":18446744073709551614,\"i64\":-5}");
	text = gs_json_to_text(o);
	assert_true(strncmp(text, "{\n  \"s\": \"a/b\",\n", 16) == 0);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_is_taken),
		cmocka_unit_test(bad_text_is_refused_with_its_place),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(embedded_nul_bytes_are_refused),
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(absent_and_null_are_unknown),
		cmocka_unit_test(builders_write_null_for_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
