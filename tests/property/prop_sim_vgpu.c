/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random writes to a simulated GPU's VFs, against a small model of the rules
 * that is written here once more, from the documents: one size, a maximum, one
 * vGPU per VF, retyping through 0; UUIDs are unique on the host; VFs come and
 * go as a whole. After each write the files must say what the model says.
 * GS_SEED=N repeats a run.
 */
#include "../unit/test_sim_fixture.h"

#include "base/clock.h"
#include "base/parse.h"

#define STEPS 150

struct model {
	unsigned n_vfs;
	unsigned gib[32];           /* of each VF; 0: free */
	unsigned type[32];
	int serial[32];             /* of its mdev */
};

struct type {
	unsigned id, gib, max;
};

/* Of an A2 and of an L40S; the maximum is the framebuffer divided by the size, 32 at most. */
static const struct type a2_types[] = {
	{ 742, 1, 16 }, { 743, 2, 8 }, { 746, 4, 4 }, { 751, 4, 4 }, { 747, 8, 2 }, { 748, 16, 1 }, { 756, 16, 1 },
};
static const struct type l40s_types[] = {
	{ 1145, 1, 32 }, { 1149, 3, 16 }, { 2164, 3, 16 }, { 1152, 8, 6 }, { 1154, 16, 3 }, { 1155, 24, 2 }, { 1165, 24, 2 }, { 1156, 48, 1 },
};

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

static bool model_takes(const struct model *m, const struct type *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n_vfs; i++) {
		if (m->gib[i] && m->gib[i] != t->gib)
			return false;
		n += m->gib[i] != 0;
	}
	return n < t->max;
}

static void vf_path(char *path, size_t size, const char *pf, unsigned n, const char *file)
{
	snprintf(path, size, "sys/bus/pci/devices/%s/virtfn%u/%s", pf, n, file);
}

/* ------------------------------------------------------------ vendor framework */

static bool list_has(const char *list, unsigned id)
{
	char row[32];

	snprintf(row, sizeof(row), "\n%-5u : ", id);
	return strstr(list, row) != NULL;
}

static void check_vendor(struct fixture *f, const struct model *m, unsigned n)
{
	char path[160], number[16], *list;

	vf_path(path, sizeof(path), "0000:a1:00.0", n, "nvidia/current_vgpu_type");
	snprintf(number, sizeof(number), "%u", m->type[n]);
	assert_file(f, path, number);
	vf_path(path, sizeof(path), "0000:a1:00.0", n, "nvidia/placement_id");
	assert_int_equal(gs_sim_root_ops.read(f->sim, path), m->type[n] ? 0 : -ENXIO);
	vf_path(path, sizeof(path), "0000:a1:00.0", n, "nvidia/creatable_vgpu_types");
	list = fixture_read(f, path);
	assert_non_null(list);
	for (size_t i = 0; i < GS_ARRAY_SIZE(l40s_types); i++) {
		bool expected = !m->type[n] && model_takes(m, &l40s_types[i]);

		if (list_has(list, l40s_types[i].id) != expected)
			fail_msg("VF %u: type %u is %soffered", n, l40s_types[i].id, expected ? "not " : "");
	}
	free(list);
}

static void types_of_vfs_follow_the_rules(void **state)
{
	struct fixture *f = *state;
	struct model m = { .n_vfs = 32 };
	uint64_t seed = seed_of_run();

	for (int step = 0; step < STEPS; step++) {
		unsigned n = (unsigned)(next_random(&seed) % 12);
		const struct type *t = &l40s_types[next_random(&seed) % GS_ARRAY_SIZE(l40s_types)];
		bool clear = next_random(&seed) % 3 == 0;
		char path[160], text[16];
		int expected = 0, r;

		snprintf(text, sizeof(text), "%u", clear ? 0 : t->id);
		if (!clear && (m.type[n] || !model_takes(&m, t)))
			expected = -EIO;
		vf_path(path, sizeof(path), "0000:a1:00.0", n, "nvidia/current_vgpu_type");
		r = fixture_store(f, path, text);
		if (r != expected)
			fail_msg("step %d: VF %u ← %s gives %d, not %d", step, n, text, r, expected);
		if (r == 0) {
			m.type[n] = clear ? 0 : t->id;
			m.gib[n] = clear ? 0 : t->gib;
		}
		check_vendor(f, &m, n);
		check_vendor(f, &m, (unsigned)(next_random(&seed) % 32));
	}
}

/* ------------------------------------------------------------ mdev */

static void uuid_of(char *text, size_t size, int serial)
{
	snprintf(text, size, "5a5a5a5a-0000-4000-8000-%012d", serial);
}

static void check_mdev(struct fixture *f, const struct model *m, unsigned n)
{
	char path[200], file[80], uuid[40];

	for (size_t i = 0; i < GS_ARRAY_SIZE(a2_types); i++) {
		snprintf(file, sizeof(file), "mdev_supported_types/nvidia-%u/available_instances", a2_types[i].id);
		vf_path(path, sizeof(path), "0000:08:00.0", n, file);
		assert_file(f, path, !m->type[n] && model_takes(m, &a2_types[i]) ? "1" : "0");
	}
	if (!m->type[n])
		return;
	uuid_of(uuid, sizeof(uuid), m->serial[n]);
	snprintf(path, sizeof(path), "sys/bus/mdev/devices/%s/mdev_type", uuid);
	snprintf(file, sizeof(file), "../mdev_supported_types/nvidia-%u", m->type[n]);
	assert_link(f, path, file);
}

static int create_mdev(struct fixture *f, struct model *m, unsigned n, const struct type *t, int serial, int *ret_expected)
{
	char path[200], file[64], uuid[40];
	bool exists = false;

	for (unsigned i = 0; i < m->n_vfs; i++)
		exists |= m->type[i] && m->serial[i] == serial;
	*ret_expected = exists ? -EEXIST : m->type[n] || !model_takes(m, t) ? -ENOSPC : 0;
	uuid_of(uuid, sizeof(uuid), serial);
	snprintf(file, sizeof(file), "mdev_supported_types/nvidia-%u/create", t->id);
	vf_path(path, sizeof(path), "0000:08:00.0", n, file);
	if (*ret_expected == 0) {
		m->type[n] = t->id;
		m->gib[n] = t->gib;
		m->serial[n] = serial;
	}
	return fixture_store(f, path, uuid);
}

static int remove_mdev(struct fixture *f, struct model *m, int serial, int *ret_expected)
{
	char path[120], uuid[40];

	*ret_expected = -ENOENT;
	for (unsigned i = 0; i < m->n_vfs; i++) {
		if (m->type[i] && m->serial[i] == serial) {
			m->type[i] = m->gib[i] = 0;
			*ret_expected = 0;
		}
	}
	uuid_of(uuid, sizeof(uuid), serial);
	snprintf(path, sizeof(path), "sys/bus/mdev/devices/%s/remove", uuid);
	return fixture_store(f, path, "1");
}

static void empty_a2(struct fixture *f)
{
	assert_int_equal(fixture_kill(f, 9921, SIGTERM), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-vgpu-mgr", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop dcgm-exporter", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-persistenced", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "sriov-manage -d 0000:08:00.0", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "sriov-manage -e 0000:08:00.0", NULL, 0), 0);
}

static void mdevs_follow_the_rules(void **state)
{
	struct fixture *f = *state;
	struct model m = { .n_vfs = 16 };
	uint64_t seed = seed_of_run();

	empty_a2(f);
	for (int step = 0; step < STEPS; step++) {
		unsigned n = (unsigned)(next_random(&seed) % 6), what = (unsigned)(next_random(&seed) % 20);
		const struct type *t = &a2_types[next_random(&seed) % GS_ARRAY_SIZE(a2_types)];
		int serial = (int)(next_random(&seed) % 10), expected, r;

		if (what == 0) {
			/* both ways through sriov-manage leave nothing */
			r = fixture_run(f, "sriov-manage -d ALL", NULL, 0) + fixture_run(f, "sriov-manage -e ALL", NULL, 0);
			expected = 0;
			m = (struct model){ .n_vfs = 16 };
		} else if (what < 10) {
			r = remove_mdev(f, &m, serial, &expected);
		} else {
			r = create_mdev(f, &m, n, t, serial, &expected);
		}
		if (r != expected)
			fail_msg("step %d: VF %u, type %u, serial %d gives %d, not %d", step, n, t->id, serial, r, expected);
		check_mdev(f, &m, n);
		check_mdev(f, &m, (unsigned)(next_random(&seed) % 16));
	}
}

#define ON(host, name) \
	{ #name, name, fixture_setup, fixture_teardown, (void *)(uintptr_t)host }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON("kvm-l40s", types_of_vfs_follow_the_rules),
		ON("kvm-a2", mdevs_follow_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
