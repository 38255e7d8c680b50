/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test_sim_fixture.h"

#include "backend/sim/rules.h"

struct machine {
	struct gs_sim_state *s;
	struct gs_sim_model_file *file;
	struct gs_sim_gpu *gpu;
};

static void machine_make(struct machine *m, const char *model)
{
	char relative[64], *path;

	snprintf(relative, sizeof(relative), "mig/%s.json", model);
	path = gs_data_path(relative);
	assert_int_equal(gs_sim_model_read(path, &m->file, NULL), 0);
	free(path);
	m->s = gs_sim_state_new();
	m->s->next_serial = m->s->uuid_counter = 1;
	m->s->n_gpus = 1;
	m->s->gpus = gs_arena_calloc(m->s->arena, 1, sizeof(*m->s->gpus));
	m->gpu = m->s->gpus;
	m->gpu->uuid = "GPU-8d1f6c2e-4b7a-5f90-a3c1-6e2d9b048f17";
	m->gpu->model = gs_sim_model_of(m->file);
	m->gpu->mig_current = m->gpu->mig_pending = true;
}

static void machine_done(struct machine *m)
{
	gs_sim_state_free(m->s);
	gs_sim_model_free(m->file);
}

/* Creates by id in that order and checks starts; -1 stands for «insufficient resources». */
static void check_case(const unsigned int *ids, const int *starts, size_t n)
{
	struct machine m;
	struct gs_sim_gi *gi;

	machine_make(&m, "a100-40gb");
	for (size_t i = 0; i < n; i++) {
		enum gs_nvml_return r = gs_sim_gi_create(m.s, m.gpu, ids[i], NULL, &gi);

		assert_int_equal(r, starts[i] < 0 ? GS_NVML_INSUFFICIENT_RESOURCES : GS_NVML_SUCCESS);
		if (starts[i] >= 0)
			assert_int_equal((int)gi->start, starts[i]);
	}
	machine_done(&m);
}

static void driver_order_reproduces_the_guides_four_cases(void **state)
{
	(void)state;
	check_case((const unsigned int[]){ 19, 14, 5 }, (const int[]){ 6, 4, 0 }, 3);
	check_case((const unsigned int[]){ 19, 19, 14, 9 }, (const int[]){ 6, 4, 0, -1 }, 4);
	check_case((const unsigned int[]){ 9, 19, 14, 19 }, (const int[]){ 4, 0, 2, 1 }, 4);
	check_case((const unsigned int[]){ 14, 19, 19, 19, 19, 19 }, (const int[]){ 4, 6, 0, 1, 2, 3 }, 6);
}

static enum gs_nvml_return create_at(struct machine *m, unsigned int id, uint32_t start, uint32_t size)
{
	struct gs_sim_gi *gi;

	return gs_sim_gi_create(m->s, m->gpu, id, &(struct gs_sim_span){ start, size }, &gi);
}

static void two_halves_leave_nothing_for_any_profile(void **state)
{
	struct machine m;

	(void)state;
	machine_make(&m, "h100-sxm5-80gb");
	assert_int_equal(create_at(&m, 9, 0, 4), GS_NVML_SUCCESS);
	assert_int_equal(create_at(&m, 9, 4, 4), GS_NVML_SUCCESS);
	for (size_t i = 0; i < m.gpu->model->n_profiles; i++)
		assert_int_equal(gs_sim_gi_capacity(m.gpu, &m.gpu->model->profiles[i]), 0);
	machine_done(&m);
}

static void capacity_of_an_empty_gpu_is_the_profiles_maximum(void **state)
{
	struct machine m;

	(void)state;
	machine_make(&m, "h100-sxm5-80gb");
	for (size_t i = 0; i < m.gpu->model->n_profiles; i++)
		assert_int_equal(gs_sim_gi_capacity(m.gpu, &m.gpu->model->profiles[i]),
				 m.gpu->model->profiles[i].max_instances);
	machine_done(&m);
}

static void an_illegal_place_is_another_error_than_an_occupied_one(void **state)
{
	struct machine m;

	(void)state;
	machine_make(&m, "h100-sxm5-80gb");
	assert_int_equal(create_at(&m, 5, 4, 4), GS_NVML_INVALID_ARGUMENT);    /* 4g only at 0 */
	assert_int_equal(create_at(&m, 5, 0, 3), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(create_at(&m, 77, 0, 1), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(create_at(&m, 19, 1, 1), GS_NVML_SUCCESS);
	assert_int_equal(create_at(&m, 5, 0, 4), GS_NVML_INSUFFICIENT_RESOURCES);
	assert_int_equal(m.gpu->n_gis, 1);
	machine_done(&m);
}

static void media_engines_can_be_used_up(void **state)
{
	struct machine m;

	(void)state;
	machine_make(&m, "a30");
	/* 1g.6gb+me and 2g.12gb+me both want the one OFA */
	assert_int_equal(create_at(&m, 21, 0, 1), GS_NVML_SUCCESS);
	assert_int_equal(create_at(&m, 6, 2, 2), GS_NVML_INSUFFICIENT_RESOURCES);
	assert_int_equal(create_at(&m, 5, 2, 2), GS_NVML_SUCCESS);
	machine_done(&m);
	machine_make(&m, "h100-sxm5-80gb");
	assert_int_equal(create_at(&m, 20, 0, 1), GS_NVML_SUCCESS);
	assert_int_equal(create_at(&m, 20, 1, 1), GS_NVML_INSUFFICIENT_RESOURCES);
	assert_int_equal(gs_sim_gi_capacity(m.gpu, gs_sim_profile_by_id(m.gpu->model, 20)), 0);
	machine_done(&m);
}

static void gi_ids_go_by_size_and_are_used_again(void **state)
{
	struct machine m;
	struct gs_sim_gi *gi;

	(void)state;
	machine_make(&m, "h100-sxm5-80gb");
	assert_int_equal(create_at(&m, 9, 4, 4), GS_NVML_SUCCESS);
	assert_int_equal(m.gpu->gis[0].id, 1);
	assert_int_equal(create_at(&m, 14, 2, 2), GS_NVML_SUCCESS);
	assert_int_equal(m.gpu->gis[1].id, 3);
	assert_int_equal(create_at(&m, 19, 1, 1), GS_NVML_SUCCESS);
	assert_int_equal(create_at(&m, 19, 0, 1), GS_NVML_SUCCESS);
	assert_int_equal(m.gpu->gis[3].id, 8);
	assert_int_equal(gs_sim_gi_destroy(m.s, m.gpu, &m.gpu->gis[2]), GS_NVML_SUCCESS);
	assert_int_equal(gs_sim_gi_create(m.s, m.gpu, 19, NULL, &gi), GS_NVML_SUCCESS);
	assert_int_equal(gi->id, 7);
	machine_done(&m);
}

static void compute_instances_share_a_gpu_instance(void **state)
{
	struct machine m;
	struct gs_sim_gi *gi;
	struct gs_sim_ci *ci;

	(void)state;
	machine_make(&m, "h100-sxm5-80gb");
	assert_int_equal(gs_sim_gi_create(m.s, m.gpu, 9, NULL, &gi), GS_NVML_SUCCESS);
	assert_int_equal(gs_sim_ci_create(m.s, m.gpu, gi, 0, &(struct gs_sim_span){ 1, 1 }, &ci), GS_NVML_SUCCESS);
	assert_int_equal(ci->id, 0);
	assert_int_equal(gs_sim_ci_create(m.s, m.gpu, gi, 2, NULL, &ci), GS_NVML_INSUFFICIENT_RESOURCES);
	assert_int_equal(gs_sim_ci_create(m.s, m.gpu, gi, 1, &(struct gs_sim_span){ 1, 2 }, &ci), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(gs_sim_ci_create(m.s, m.gpu, gi, 0, NULL, &ci), GS_NVML_SUCCESS);
	assert_int_equal(ci->start, 0);
	assert_int_equal(gs_sim_ci_capacity(gi, gs_sim_compute_by_id(gs_sim_profile_by_id(m.gpu->model, 9), 0)), 1);
	assert_int_equal(gs_sim_gi_destroy(m.s, m.gpu, gi), GS_NVML_IN_USE);
	machine_done(&m);
}

static void every_placeable_model_can_be_read(void **state)
{
	static const char *const models[] = { "a100-40gb", "a30", "b200-180gb", "gb200-186gb", "h100-sxm-64gb",
					      "h200-sxm-141gb", "rtx-pro-6000-blackwell" };
	struct machine m;
	struct gs_sim_gi *gi;
	struct gs_sim_ci *ci;

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(models); i++) {
		machine_make(&m, models[i]);
		for (size_t k = 0; k < m.gpu->model->n_profiles; k++) {
			const struct gs_sim_profile *p = &m.gpu->model->profiles[k];

			assert_int_equal(gs_sim_gi_create(m.s, m.gpu, p->id, NULL, &gi), GS_NVML_SUCCESS);
			for (size_t c = 0; c < p->n_compute; c++) {
				if (p->compute[c].is_default)
					assert_int_equal(gs_sim_ci_create(m.s, m.gpu, gi, p->compute[c].id, NULL, &ci),
							 GS_NVML_SUCCESS);
			}
			assert_int_equal(gi->n_cis, 1);
			assert_int_equal(gs_sim_ci_destroy(m.s, m.gpu, gi, &gi->cis[0]), GS_NVML_SUCCESS);
			assert_int_equal(gs_sim_gi_destroy(m.s, m.gpu, gi), GS_NVML_SUCCESS);
		}
		machine_done(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(driver_order_reproduces_the_guides_four_cases),
		cmocka_unit_test(two_halves_leave_nothing_for_any_profile),
		cmocka_unit_test(capacity_of_an_empty_gpu_is_the_profiles_maximum),
		cmocka_unit_test(an_illegal_place_is_another_error_than_an_occupied_one),
		cmocka_unit_test(media_engines_can_be_used_up),
		cmocka_unit_test(gi_ids_go_by_size_and_are_used_again),
		cmocka_unit_test(compute_instances_share_a_gpu_instance),
		cmocka_unit_test(every_placeable_model_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
