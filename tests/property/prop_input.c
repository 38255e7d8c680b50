/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random bytes, biased towards what looks like terminal input, cut at random
 * places: the events must be those of one single read. And whatever came
 * before, a full second of silence brings the keyboard back.
 * GS_SEED=N repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/parse.h"
#include "ui/input.h"

#define ROUNDS 4000
#define BYTES_MAX 600

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint64_t seed_of_run(void)
{
	const char *given = getenv("GS_SEED");
	uint64_t seed = 0;

	if (!given || gs_parse_u64(given, 10, &seed) < 0)
		seed = (uint64_t)gs_wall_now().ms * 2654435761u + (uint64_t)getpid();
	print_message("GS_SEED=%llu\n", (unsigned long long)seed);
	return seed ? seed : 1;
}

static size_t make_bytes(uint64_t *seed, char *bytes)
{
	static const char *const pieces[] = {
		"\033", "\033[", "\033O", "\033[<", "\033[M", "\033[200~", "\033[201~", "\033]", "\033P", "\033\\", "\007", "\033[[",
		";", "0", "1", "32", "86", "M", "m", "~", "u", "A", "R", "$", ":", "?", "\303\251", "\342\224\200", "\342", "\360\237", "x", "W",
	};
	size_t n = 0, wanted = next_random(seed) % (BYTES_MAX - 16);

	while (n < wanted) {
		uint64_t choice = next_random(seed);

		if (choice % 8 == 0) {
			bytes[n++] = (char)(choice >> 16);
		} else {
			const char *piece = pieces[(choice >> 8) % (sizeof(pieces) / sizeof(pieces[0]))];

			memcpy(bytes + n, piece, strlen(piece));
			n += strlen(piece);
		}
	}
	return n;
}

static size_t take_events(struct gs_input *in, struct gs_event *events, size_t n)
{
	while (n < 4 * BYTES_MAX && gs_input_next(in, &events[n]))
		n++;
	return n;
}

static bool is_same(const struct gs_event *a, const struct gs_event *b)
{
	return a->type == b->type && a->key == b->key && a->shift == b->shift && a->alt == b->alt && a->ctrl == b->ctrl &&
	       a->is_pasted == b->is_pasted && a->mouse == b->mouse && a->button == b->button && a->row == b->row &&
	       a->column == b->column;
}

static bool is_legal(const struct gs_event *ev)
{
	if (ev->type == GS_EVENT_MOUSE)
		return ev->row >= 0 && ev->column >= 0 && ev->button >= 0 && ev->button <= 2;
	return ev->type == GS_EVENT_KEY && ev->key != GS_KEY_NONE && ev->key <= GS_KEY_F12 && !(ev->key >= 0x80 && ev->key < 0xa0) &&
	       !(ev->key >= 0xd800 && ev->key < 0xe000);
}

static void splits_do_not_matter(void **state)
{
	static struct gs_event whole[4 * BYTES_MAX], parts[4 * BYTES_MAX];
	uint64_t seed = seed_of_run();

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct gs_input *a = gs_input_new(), *b = gs_input_new();
		char bytes[BYTES_MAX];
		size_t n = make_bytes(&seed, bytes), n_whole, n_parts = 0;

		gs_input_feed(a, bytes, n);
		n_whole = take_events(a, whole, 0);
		for (size_t at = 0; at < n;) {
			size_t step = next_random(&seed) % 7;

			step = step > n - at ? n - at : step;
			gs_input_feed(b, bytes + at, step);
			at += step;
			n_parts = take_events(b, parts, n_parts);
		}
		if (n_whole != n_parts)
			fail_msg("round %d: %zu events in one read, %zu in parts", round, n_whole, n_parts);
		for (size_t i = 0; i < n_whole; i++) {
			if (!is_same(&whole[i], &parts[i]))
				fail_msg("round %d: event %zu differs", round, i);
			if (!is_legal(&whole[i]))
				fail_msg("round %d: event %zu is none: type %d, key %x", round, i, (int)whole[i].type, whole[i].key);
		}
		assert_int_equal(gs_input_is_undecided(a), gs_input_is_undecided(b));
		gs_input_free(a);
		gs_input_free(b);
	}
}

static void keyboard_comes_back(void **state)
{
	uint64_t seed = seed_of_run();

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct gs_input *in = gs_input_new();
		struct gs_event ev;
		char bytes[BYTES_MAX];
		size_t n = make_bytes(&seed, bytes);

		gs_input_feed(in, bytes, n);
		for (int i = 0; i < 40; i++)
			gs_input_timeout(in);
		assert_false(gs_input_is_undecided(in));
		/* only an open paste lasts */
		gs_input_feed(in, "\033[201~", 6);
		while (gs_input_next(in, &ev))
			;
		gs_input_feed(in, "q", 1);
		assert_true(gs_input_next(in, &ev));
		assert_int_equal(ev.key, 'q');
		assert_false(ev.is_pasted);
		gs_input_free(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_do_not_matter),
		cmocka_unit_test(keyboard_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
