/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/paths.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* Where the executable lies: its own path, and the source tree when it was not installed. */
struct place {
	char program[PATH_MAX];
	char tree[PATH_MAX];    /* "/home/x/gpuslice" for …/build[/…]/gpuslice, else empty */
	char build[PATH_MAX];   /* "/home/x/gpuslice/build" or a variant below it */
	char prefix[PATH_MAX];  /* "/usr" for /usr/bin/gpuslice */
};

static bool cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int find_place(struct place *p)
{
	ssize_t n = readlink("/proc/self/exe", p->program, sizeof(p->program) - 1);
	char dir[PATH_MAX];

	if (n < 0)
		return -errno;
	p->program[n] = '\0';
	/* replaced while running, by an upgrade: the new one is what we want to exec */
	if (n > 10 && strcmp(p->program + n - 10, " (deleted)") == 0)
		p->program[n - 10] = '\0';
	memcpy(dir, p->program, sizeof(dir));
	cut_last(dir);
	memcpy(p->prefix, dir, sizeof(dir));
	cut_last(p->prefix);
	memcpy(p->build, dir, sizeof(dir));
	p->tree[0] = '\0';
	for (int level = 0; level < 4; level++) {
		bool is_build = strcmp(last_of(dir), "build") == 0;
		char marker[PATH_MAX + 16];

		if (!cut_last(dir))
			break;
		snprintf(marker, sizeof(marker), "%s/data/mig", dir);
		if (is_build && access(marker, F_OK) == 0) {
			memcpy(p->tree, dir, sizeof(dir));
			break;
		}
	}
	return 0;
}

char *gs_data_path(const char *relative)
{
	struct place p;
	char *path = NULL;
	int n;

	if (find_place(&p) < 0)
		return NULL;
	if (!p.tree[0])
		n = asprintf(&path, "%s/share/gpuslice/%s", p.prefix, relative);
	else if (gs_str_starts(relative, "themes/"))
		n = asprintf(&path, "%s/%s", p.tree, relative);
	else
		n = asprintf(&path, "%s/data/%s", p.tree, relative);
	return n < 0 ? NULL : path;
}

char *gs_standin_path(bool is_old)
{
	const char *file = is_old ? "libnvidia-ml-470.so.1" : "libnvidia-ml.so.1";
	struct place p;
	char *path = NULL;
	int n;

	if (find_place(&p) < 0)
		return NULL;
	if (!p.tree[0]) {
		n = asprintf(&path, "%s/lib/gpuslice/sim/%s", p.prefix, file);
		return n < 0 ? NULL : path;
	}
	/* a test program lies deeper in the build directory than the program itself */
	for (int level = 0; level < 3; level++) {
		n = asprintf(&path, "%s/sim/%s", p.build, file);
		if (n < 0)
			return NULL;
		if (access(path, F_OK) == 0 || strcmp(last_of(p.build), "build") == 0 || !cut_last(p.build))
			return path;
		free(path);
		path = NULL;
	}
	return NULL;
}

char *gs_program_path(void)
{
	struct place p;

	if (find_place(&p) < 0)
		return NULL;
	if (strcmp(last_of(p.program), "gpuslice") == 0)
		return strdup(p.program);
	/* a test program: the real one is in the build directory above it */
	for (int level = 0; level < 3; level++) {
		char *path = NULL;

		if (asprintf(&path, "%s/gpuslice", p.build) < 0)
			return NULL;
		if (access(path, X_OK) == 0 || !cut_last(p.build))
			return path;
		free(path);
	}
	return strdup(p.program);
}

int gs_state_dir(char **ret_path, struct gs_error *e)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n;

	if (xdg && *xdg == '/') {
		n = asprintf(&path, "%s/gpuslice", xdg);
	} else {
		if (!home || *home != '/') {
			const struct passwd *pw = getpwuid(geteuid());

			home = pw ? pw->pw_dir : NULL;
		}
		if (!home || *home != '/')
			return gs_error_set(e, -ENOENT, GS_STATUS_FAILED, "no home directory to keep state in: set HOME or XDG_STATE_HOME");
		n = asprintf(&path, "%s/.local/state/gpuslice", home);
	}
	if (n < 0)
		return gs_error_oom(e);
	*ret_path = path;
	return 0;
}
