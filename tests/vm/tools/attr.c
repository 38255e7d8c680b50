/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attr - one open() and one read() or write() on an attribute, and what the
 * kernel said to it, by the errno's name. For tests; a shell's echo and cat
 * would hide both.
 *
 *	attr read PATH                   the bytes, written as TEXT below, on one line
 *	attr write PATH TEXT             \n, \t, \\ and \xHH in TEXT
 *	attr split PATH TEXT TEXT        two writes to one descriptor
 *	attr open PATH MODE              MODE: ro, rw, wo, creat
 *
 * On failure the errno's name is printed, "open ENOENT" when it was open(). Exit
 * status: 0, 1 on failure, 2 for wrong words.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/attribute_text.h"

/* more than a page, to see what the kernel does with it */
#define TEXT_MAX 16384

static int failed(const char *call)
{
	printf("%s%s\n", call, strerrorname_np(errno));
	return 1;
}

static int read_once(const char *path)
{
	char bytes[TEXT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return failed("open ");
	n = read(fd, bytes, sizeof(bytes));
	if (n < 0)
		return failed("");
	gs_attribute_print(stdout, bytes, (size_t)n);
	putchar('\n');
	return 0;
}

/* Each text one write(); the last one's result counts. */
static int write_texts(const char *path, char *const *texts, int n_texts)
{
	char bytes[TEXT_MAX];
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int status = 0;

	if (fd < 0)
		return failed("open ");
	for (int i = 0; i < n_texts; i++) {
		size_t n = gs_attribute_bytes(texts[i], bytes, sizeof(bytes));
		ssize_t done = write(fd, bytes, n);

		status = 0;
		if (done < 0)
			status = failed("");
		else if ((size_t)done != n)
			status = printf("short %zd\n", done) > 0;
	}
	return status;
}

static int open_only(const char *path, const char *mode)
{
	static const struct {
		const char *name;
		int flags;
	} modes[] = { { "ro", O_RDONLY }, { "rw", O_RDWR }, { "wo", O_WRONLY }, { "creat", O_WRONLY | O_CREAT } };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(mode, modes[i].name) == 0)
			return open(path, modes[i].flags | O_CLOEXEC, 0600) < 0 ? failed("open ") : 0;
	}
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_once(argv[2]);
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		return write_texts(argv[2], argv + 3, 1);
	if (argc == 5 && strcmp(argv[1], "split") == 0)
		return write_texts(argv[2], argv + 3, 2);
	if (argc == 4 && strcmp(argv[1], "open") == 0)
		return open_only(argv[2], argv[3]);
	fprintf(stderr, "usage: attr read PATH | write PATH TEXT | split PATH TEXT TEXT | open PATH ro|rw|wo|creat\n");
	return 2;
}
