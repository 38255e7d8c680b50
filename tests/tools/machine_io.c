/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine_io - one access to a file of a machine, live or simulated, through
 * the same gs_root that the program uses; so the simulated kernel's answers can
 * be held against a real one's.
 *
 *	machine_io [--sim NAME] read PATH          the bytes, see tests/lib/attribute_text.h
 *	machine_io [--sim NAME] write PATH TEXT    "ok"
 *	machine_io [--sim NAME] link PATH          where a symbolic link leads, its last part
 *	machine_io [--sim NAME] list PATH          the names in a directory, sorted, on one line
 *	machine_io [--sim NAME] run PROGRAM WORD…  a program of the machine: "status N", then what it printed
 *
 * PATH without a leading slash. What fails prints the errno's name; the exit status is 0 then too, it was an answer.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/machine.h"
#include "base/cleanup.h"
#include "tests/lib/attribute_text.h"

#define BYTES_MAX 65536

static int say(int r)
{
	puts(r < 0 ? strerrorname_np(-r) : "ok");
	return 0;
}

static int do_read(struct gs_root *root, const char *path)
{
	GS_FREE char *bytes = NULL;
	size_t n;
	int r = gs_root_read_bytes(root, BYTES_MAX, &bytes, &n, "%s", path);

	if (r < 0)
		return say(r);
	gs_attribute_print(stdout, bytes, n);
	putchar('\n');
	return 0;
}

static int do_write(struct gs_root *root, const char *path, const char *text)
{
	char bytes[BYTES_MAX];

	return say(gs_root_write(root, bytes, gs_attribute_bytes(text, bytes, sizeof(bytes)), "%s", path));
}

static int do_link(struct gs_root *root, const char *path)
{
	GS_FREE char *name = NULL;
	int r = gs_root_readlink_name(root, &name, "%s", path);

	if (r < 0)
		return say(r);
	puts(name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int do_list(struct gs_root *root, const char *path)
{
	char *names[4096];
	size_t n = 0;
	DIR *dir;
	struct dirent *entry;
	int r = gs_root_opendir(root, &dir, "%s", path);

	if (r < 0)
		return say(r);
	while (n < sizeof(names) / sizeof(names[0]) && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			names[n++] = strdup(entry->d_name);
	}
	closedir(dir);
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		printf("%s%s", i ? " " : "", names[i]);
		free(names[i]);
	}
	putchar('\n');
	return 0;
}

static int do_run(struct gs_machine *machine, char **argv)
{
	GS_FREE char *output = NULL;
	struct gs_error e = { 0 };
	int status;
	int r = gs_machine_run(machine, (const char *const *)argv, &status, &output, &e);

	if (r < 0) {
		fprintf(stderr, "machine_io: %s\n", e.text);
		return say(r);
	}
	printf("status %d\n%s", status, output);
	return 0;
}

int main(int argc, char **argv)
{
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	struct gs_machine_options options = { 0 };
	struct gs_error e = { 0 };
	struct gs_root *root;

	if (argc > 2 && strcmp(argv[1], "--sim") == 0) {
		options.sim = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (gs_machine_open(&options, &machine, &e) < 0) {
		fprintf(stderr, "machine_io: %s\n", e.text);
		return 1;
	}
	root = gs_machine_root(machine);
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return do_read(root, argv[2]);
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		return do_write(root, argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "link") == 0)
		return do_link(root, argv[2]);
	if (argc == 3 && strcmp(argv[1], "list") == 0)
		return do_list(root, argv[2]);
	if (argc >= 3 && strcmp(argv[1], "run") == 0)
		return do_run(machine, argv + 2);
	fprintf(stderr, "usage: machine_io [--sim NAME] read PATH | write PATH TEXT | link PATH | list PATH | run PROGRAM WORD…\n");
	return 1;
}
