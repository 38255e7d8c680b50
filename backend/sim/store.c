/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "backend/sim/tree.h"
#include "base/file.h"
#include "base/parse.h"

struct cached_model {
	char name[65];
	struct gs_sim_model_file *file;
};

struct cached_board {
	char name[65];
	struct gs_sim_board_file *file;
};

struct gs_sim_store {
	char *dir, *tree, *state_path;
	int dir_fd, tree_fd;
	int lock_fd;            /* -1 unless between begin and end */
	/*
	 * The file that @state was read from, kept open: as long as it is, its
	 * inode number cannot be given to a later file, so «another inode» is
	 * an exact test for «changed».
	 */
	int state_fd;
	ino_t inode;
	bool dirty;             /* begin was called and nothing committed since */
	struct gs_sim_state *state;
	size_t n_models;
	struct cached_model models[GS_SIM_GPUS_MAX];
	size_t n_boards;
	struct cached_board boards[GS_SIM_GPUS_MAX];
};

int gs_sim_store_open(const char *dir, struct gs_sim_store **ret_store, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_store_closep) struct gs_sim_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return gs_error_oom(e);
	store->dir_fd = store->tree_fd = store->lock_fd = store->state_fd = -1;
	store->dir = strdup(dir);
	if (!store->dir || asprintf(&store->tree, "%s/tree", dir) < 0 ||
	    asprintf(&store->state_path, "%s/state.json", dir) < 0)
		return gs_error_oom(e);
	store->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir_fd < 0) {
		r = -errno;
		return gs_error_set(e, r, GS_STATUS_INVALID, "%s: cannot be opened: %s", dir, strerror(-r));
	}
	*ret_store = GS_TAKE(store);
	return 0;
}

static void forget_state(struct gs_sim_store *store)
{
	store->state = gs_sim_state_free(store->state);
	if (store->state_fd >= 0)
		close(store->state_fd);
	store->state_fd = -1;
}

struct gs_sim_store *gs_sim_store_close(struct gs_sim_store *store)
{
	if (!store)
		return NULL;
	forget_state(store);
	for (size_t i = 0; i < store->n_models; i++)
		gs_sim_model_free(store->models[i].file);
	for (size_t i = 0; i < store->n_boards; i++)
		gs_sim_board_free(store->boards[i].file);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	if (store->tree_fd >= 0)
		close(store->tree_fd);
	if (store->dir_fd >= 0)
		close(store->dir_fd);
	free(store->dir);
	free(store->tree);
	free(store->state_path);
	free(store);
	return NULL;
}

static int find_model(struct gs_sim_store *store, const char *name, const struct gs_sim_model **ret_model, struct gs_error *e)
{
	GS_FREE char *path = NULL;
	struct cached_model *cached;
	int r;

	for (size_t i = 0; i < store->n_models; i++) {
		if (gs_str_equal(store->models[i].name, name)) {
			*ret_model = gs_sim_model_of(store->models[i].file);
			return 0;
		}
	}
	if (store->n_models == GS_ARRAY_SIZE(store->models))
		return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "%s: too many GPU models", store->dir);
	if (asprintf(&path, "%s/models/%s.json", store->dir, name) < 0)
		return gs_error_oom(e);
	cached = &store->models[store->n_models];
	r = gs_sim_model_read(path, &cached->file, e);
	if (r < 0)
		return r;
	memcpy(cached->name, name, strlen(name) + 1);
	store->n_models++;
	*ret_model = gs_sim_model_of(cached->file);
	return 0;
}

static int find_board(struct gs_sim_store *store, const char *name, const struct gs_sim_board **ret_board, struct gs_error *e)
{
	GS_FREE char *path = NULL;
	struct cached_board *cached;
	int r;

	for (size_t i = 0; i < store->n_boards; i++) {
		if (gs_str_equal(store->boards[i].name, name)) {
			*ret_board = gs_sim_board_of(store->boards[i].file);
			return 0;
		}
	}
	if (store->n_boards == GS_ARRAY_SIZE(store->boards))
		return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "%s: too many vGPU boards", store->dir);
	if (asprintf(&path, "%s/boards/%s.json", store->dir, name) < 0)
		return gs_error_oom(e);
	cached = &store->boards[store->n_boards];
	r = gs_sim_board_read(path, &cached->file, e);
	if (r < 0)
		return r;
	memcpy(cached->name, name, strlen(name) + 1);
	store->n_boards++;
	*ret_board = gs_sim_board_of(cached->file);
	return 0;
}

static int attach_models(struct gs_sim_store *store, struct gs_sim_state *s, struct gs_error *e)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		int r = 0;

		if (s->gpus[i].model_name[0])
			r = find_model(store, s->gpus[i].model_name, &s->gpus[i].model, e);
		if (r == 0 && s->gpus[i].board_name[0])
			r = find_board(store, s->gpus[i].board_name, &s->gpus[i].board, e);
		/* -ENOENT says «there is no state»; a state without its model is another matter */
		if (r < 0)
			return r == -ENOENT ? -EINVAL : r;
	}
	return 0;
}

static int load(struct gs_sim_store *store, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_state_freep) struct gs_sim_state *state = NULL;
	GS_FREE char *bytes = NULL;
	GS_CLOSE int fd = -1;
	struct stat st;
	size_t n;
	int r;

	fd = openat(store->dir_fd, "state.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", store->state_path, strerror(-r));
	}
	if (!S_ISREG(st.st_mode))
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s: not a regular file", store->state_path);
	r = gs_fd_read_all(fd, store->state_path, GS_SIM_BYTES_MAX, &bytes, &n, e);
	if (r < 0)
		return r;
	r = gs_sim_state_parse(bytes, n, store->state_path, &state, e);
	if (r < 0)
		return r;
	r = attach_models(store, state, e);
	if (r < 0)
		return r;
	forget_state(store);
	store->state = GS_TAKE(state);
	store->state_fd = GS_TAKE_FD(fd);
	store->inode = st.st_ino;
	return 0;
}

int gs_sim_store_refresh(struct gs_sim_store *store, struct gs_error *e)
{
	struct stat st;

	if (store->state && fstatat(store->dir_fd, "state.json", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == store->inode)
		return 0;
	return load(store, e);
}

struct gs_sim_state *gs_sim_store_state(struct gs_sim_store *store)
{
	return store->state;
}

int gs_sim_store_open_tree(struct gs_sim_store *store, struct gs_error *e)
{
	int r;

	if (store->tree_fd >= 0)
		return 0;
	if (mkdirat(store->dir_fd, "tree", 0755) < 0 && errno != EEXIST) {
		r = -errno;
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", store->tree, strerror(-r));
	}
	store->tree_fd = openat(store->dir_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (store->tree_fd < 0) {
		r = -errno;
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", store->tree, strerror(-r));
	}
	return 0;
}

int gs_sim_store_lock(struct gs_sim_store *store, struct gs_error *e)
{
	int r;

	store->lock_fd = openat(store->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0) {
		r = -errno;
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s/lock: %s", store->dir, strerror(-r));
	}
	while (flock(store->lock_fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		r = -errno;
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s/lock: %s", store->dir, strerror(-r));
	}
	store->dirty = true;
	return 0;
}

int gs_sim_store_begin(struct gs_sim_store *store, struct gs_error *e)
{
	int r = gs_sim_store_lock(store, e);

	if (r < 0)
		return r;
	r = gs_sim_store_open_tree(store, e);
	return r < 0 ? r : gs_sim_store_refresh(store, e);
}

int gs_sim_store_sync_tree(struct gs_sim_store *store, struct gs_error *e)
{
	int r;

	r = gs_sim_store_open_tree(store, e);
	if (r < 0)
		return r;
	r = gs_sim_tree_sync(store->tree_fd, store->state);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", store->tree, strerror(-r));
	return 0;
}

/* Only the holder of the lock writes, so one fixed name will do, and what a killed writer left there goes. */
static int replace_file(struct gs_sim_store *store, const char *name, const char *bytes, size_t n)
{
	GS_CLOSE int fd = -1;
	char temporary[128];
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s.new", name) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	if (unlinkat(store->dir_fd, temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(store->dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = gs_fd_write_all(fd, bytes, n);
	if (r < 0)
		return r;
	if (fsync(fd) < 0 || renameat(store->dir_fd, temporary, store->dir_fd, name) < 0)
		return -errno;
	return 0;
}

static int put_data(struct gs_sim_store *store, const char *folder, const char *name, const char *bytes, size_t n,
		    struct gs_error *e)
{
	char path[128];
	int r;

	if (mkdirat(store->dir_fd, folder, 0700) < 0 && errno != EEXIST)
		r = -errno;
	else if (snprintf(path, sizeof(path), "%s/%s.json", folder, name) >= (int)sizeof(path))
		r = -ENAMETOOLONG;
	else
		r = replace_file(store, path, bytes, n);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s/%s/%s.json: cannot be written: %s", store->dir, folder, name,
				    strerror(-r));
	return 0;
}

int gs_sim_store_put_model(struct gs_sim_store *store, const char *name, const char *bytes, size_t n, struct gs_error *e)
{
	return put_data(store, "models", name, bytes, n, e);
}

int gs_sim_store_put_board(struct gs_sim_store *store, const char *name, const char *bytes, size_t n, struct gs_error *e)
{
	return put_data(store, "boards", name, bytes, n, e);
}

int gs_sim_store_commit(struct gs_sim_store *store, struct gs_error *e)
{
	GS_FREE char *text = NULL;
	struct stat st;
	size_t n;
	int fd, r;

	if (gs_arena_has_failed(store->state->arena))
		return gs_error_oom(e);
	store->state->generation++;
	r = gs_sim_state_format(store->state, &text, &n, e);
	if (r < 0)
		return r;
	r = replace_file(store, "state.json", text, n);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: cannot be written: %s; nothing was changed",
				    store->state_path, strerror(-r));
	fd = openat(store->dir_fd, "state.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", store->state_path, strerror(-r));
	}
	if (store->state_fd >= 0)
		close(store->state_fd);
	store->state_fd = fd;
	store->inode = st.st_ino;
	store->dirty = false;
	return gs_sim_store_sync_tree(store, e);
}

int gs_sim_store_replace(struct gs_sim_store *store, struct gs_sim_state *state, struct gs_error *e)
{
	int r;

	store->state = gs_sim_state_free(store->state);
	store->state = state;
	r = attach_models(store, state, e);
	return r < 0 ? r : gs_sim_store_commit(store, e);
}

void gs_sim_store_end(struct gs_sim_store *store)
{
	if (store->dirty)
		forget_state(store);
	store->dirty = false;
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	store->lock_fd = -1;
}

const char *gs_sim_store_dir(const struct gs_sim_store *store)
{
	return store->dir;
}

const char *gs_sim_store_tree(const struct gs_sim_store *store)
{
	return store->tree;
}

int gs_sim_store_tree_fd(const struct gs_sim_store *store)
{
	return store->tree_fd;
}
