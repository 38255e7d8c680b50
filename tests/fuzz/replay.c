/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c - run every file given through one fuzz target, so that corpora
 * are tests without a fuzzing compiler. With one:
 *
 *	clang -fsanitize=fuzzer,address … tests/fuzz/fuzz_script.c …
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/fuzz/fuzz.h"

#define CORPUS_BYTES_MAX (16u << 20)

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		GS_FREE char *bytes = NULL;
		struct gs_error e;
		size_t n = 0;

		if (gs_file_read(argv[i], CORPUS_BYTES_MAX, &bytes, &n, &e) < 0) {
			printf("not ok %d - %s\n", i, e.text);
			return 1;
		}
		/* a target that finds something aborts: say before which file */
		fprintf(stderr, "%s (%zu bytes)\n", argv[i], n);
		LLVMFuzzerTestOneInput((const uint8_t *)bytes, n);
		printf("ok %d - %s is survived\n", i, argv[i]);
	}
	printf("1..%d\n", argc - 1);
	return 0;
}
