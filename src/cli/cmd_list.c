/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_list.c - `gpuslice list`: the snapshot, as a table or as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "cli/cli.h"
#include "cli/saved.h"
#include "codec/snapshot_json.h"

#define SNAPSHOT_TIMEOUT_MS 60000

struct list_options {
	bool telemetry;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct list_options *o = userdata;

	(void)name;
	(void)value;
	(void)e;
	o->telemetry = true;
	return 0;
}

static void holders_text(struct gs_holder *const *holders, size_t n, struct gs_strbuf *b)
{
	char label[160];

	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(b, "%s%s%s", b->length ? ", " : "", gs_cli_holder_label(holders[i], label, sizeof(label)), holders[i]->yields ? " (lets go)" : "");
}

static const char *or_dash(const struct gs_strbuf *b, bool visible)
{
	if (b->length)
		return b->text;
	return visible ? "-" : "?";     /* cannot see is not free */
}

static void add_place(struct gs_table *t, const struct gs_instance *inst)
{
	if (inst->vf.known)
		gs_table_addf(t, "VF %" PRIu32, inst->vf.value);
	else if (inst->kind == GS_KIND_VGPU || inst->kind == GS_KIND_SRIOV)
		gs_table_add(t, NULL);
	else if (inst->start.known && inst->size.known)
		gs_table_addf(t, "%" PRIu32 "+%" PRIu32 "%s", inst->start.value, inst->size.value, inst->place_is_published ? " (published)" : "");
	else
		gs_table_add(t, "position unknown");
}

static void add_mode(struct gs_table *t, const struct gs_gpu *gpu)
{
	const char *mode = gs_mode_name(gpu->mode);

	if (gpu->lost)
		gs_table_add(t, "LOST");
	else if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode)
		gs_table_addf(t, "%s, %s pending", mode ? mode : "?", gs_mode_name(gpu->mode_pending));
	else
		gs_table_add(t, mode ? mode : "?");
}

static void add_memory(struct gs_table *t, struct gs_u64 total, const struct gs_telemetry *m)
{
	if (m->memory_used_bytes.known && m->memory_total_bytes.known)
		gs_table_addf(t, "%.1f/%.1f GiB", (double)m->memory_used_bytes.value / (1u << 30), (double)m->memory_total_bytes.value / (1u << 30));
	else if (total.known)
		gs_table_addf(t, "%.1f GiB", (double)total.value / (1u << 30));
	else
		gs_table_add(t, NULL);
}

static void add_gpu(struct gs_table *t, const struct gs_gpu *gpu)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
	char bdf[GS_BDF_TEXT];

	if (gpu->nvidia_index.known && gpu->nvidia_index.value != gpu->index)
		gs_table_addf(t, "%" PRIu32 " (smi %" PRIu32 ")", gpu->index, gpu->nvidia_index.value);
	else
		gs_table_addf(t, "%" PRIu32, gpu->index);
	gs_table_add(t, gs_bdf_format(gpu->bdf, bdf));
	add_mode(t, gpu);
	gs_table_add(t, gpu->name ? gpu->name : gpu->pci_id);
	gs_table_add(t, NULL);
	gs_table_add(t, NULL);
	add_memory(t, gpu->memory_bytes, &gpu->telemetry);
	gs_table_add(t, gpu->uuid);
	holders_text(gpu->holders, gpu->n_holders, &who);
	gs_table_add(t, or_dash(&who, gpu->holders_visible));
}

/* The GI: of a MIG-backed vGPU the one that it lies in. */
static void add_gi(struct gs_table *t, const struct gs_instance *inst)
{
	if (inst->kind == GS_KIND_MIG || inst->gi.known)
		gs_table_addf(t, "%" PRIu32, inst->kind == GS_KIND_MIG ? inst->id : inst->gi.value);
	else
		gs_table_add(t, NULL);
}

static void add_instance(struct gs_table *t, const struct gs_gpu *gpu, const struct gs_instance *inst)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
	const struct gs_profile *p = inst->profile ? gs_profile_by_name(&gpu->grids[inst->kind], inst->profile) : NULL;
	const struct gs_vf *vf = inst->vf.known ? gs_gpu_vf(gpu, inst->vf.value) : NULL;
	char bdf[GS_BDF_TEXT];

	gs_table_addf(t, "%" PRIu32, gpu->index);
	gs_table_add(t, vf ? gs_bdf_format(vf->bdf, bdf) : "");
	gs_table_add(t, "");
	gs_table_addf(t, "  %s", inst->profile ? inst->profile : "?");
	add_gi(t, inst);
	add_place(t, inst);
	add_memory(t, p ? p->memory_bytes : GS_U64_UNKNOWN, &inst->telemetry);
	gs_table_add(t, inst->uuid);
	holders_text(inst->holders, inst->n_holders, &who);
	if (!inst->n_holders && vf)
		holders_text(vf->holders, vf->n_holders, &who);
	gs_table_add(t, or_dash(&who, gpu->holders_visible));
}

/* A line about the GPU that is no instance: what stands under NAME, and who is concerned. */
static void add_remark(struct gs_table *t, const struct gs_gpu *gpu, const char *bdf, const char *place, const char *text, const char *who)
{
	gs_table_addf(t, "%" PRIu32, gpu->index);
	gs_table_add(t, bdf);
	gs_table_add(t, "");
	gs_table_addf(t, "  %s", text);
	gs_table_add(t, "");
	gs_table_add(t, place);
	gs_table_add(t, "");
	gs_table_add(t, "");
	gs_table_add(t, who);
}

/* An untyped VF is no instance; one that somebody holds is told all the same. */
static void add_held_vf(struct gs_table *t, const struct gs_gpu *gpu, const struct gs_vf *vf)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
	char bdf[GS_BDF_TEXT], place[16];

	if (!vf->n_holders || gs_gpu_instance_on_vf(gpu, vf->n))
		return;
	holders_text(vf->holders, vf->n_holders, &who);
	snprintf(place, sizeof(place), "VF %" PRIu32, vf->n);
	add_remark(t, gpu, gs_bdf_format(vf->bdf, bdf), place, vf->type ? vf->type : "without a type", or_dash(&who, true));
}

/* "16 VFs, 3 with a type"; of plain VFs nobody asks for a type */
static void add_vfs(struct gs_table *t, const struct gs_gpu *gpu)
{
	bool has_types = gpu->grids[GS_KIND_VGPU].n;
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	size_t typed = 0;

	if (!gpu->vfs.enabled.known || !gpu->vfs.enabled.value)
		return;
	for (size_t i = 0; i < gpu->vfs.n_functions; i++)
		typed += gpu->vfs.functions[i]->type != NULL;
	gs_strbuf_printf(&text, "%" PRIu32 " VF%s", gpu->vfs.enabled.value, gpu->vfs.enabled.value == 1 ? "" : "s");
	if (has_types || typed)
		gs_strbuf_printf(&text, ", %zu with a type", typed);
	add_remark(t, gpu, "", "", text.text, "");
}

static void add_settings(struct gs_table *t, const struct gs_gpu *gpu)
{
	char text[256];

	for (size_t i = 0; i < gpu->n_settings; i++) {
		const struct gs_setting *setting = gpu->settings[i];

		/* what every driver has by itself is no news */
		if (gs_setting_is_for_vgpus(setting->key) && (!setting->value || gs_setting_is_default(setting->key, setting->value)))
			continue;
		snprintf(text, sizeof(text), "%s %s%s%s%s", setting->key, setting->value ? setting->value : "?", setting->pending ? ", " : "",
			 setting->pending ? setting->pending : "", setting->pending ? " pending" : "");
		add_remark(t, gpu, "", "", text, "");
	}
}

static void add_writes(struct gs_table *t, const struct gs_gpu *gpu)
{
	char bdf[GS_BDF_TEXT], text[256];

	for (size_t i = 0; i < gpu->n_writes; i++) {
		if (gs_write_is_call(gpu->writes[i]))
			snprintf(text, sizeof(text), "waits in the driver: %.200s", gpu->writes[i]->value);
		else
			snprintf(text, sizeof(text), "write to %s waits", gpu->writes[i]->path);
		add_remark(t, gpu, gs_bdf_format(gpu->writes[i]->function, bdf), "", text, gpu->writes[i]->waits_for ? gpu->writes[i]->waits_for : "?");
	}
}

static void add_around(struct gs_table *t, const struct gs_gpu *gpu)
{
	const struct gs_open_commit *c = &gpu->open_commit;
	char text[96];

	if (gpu->stranded)
		add_remark(t, gpu, "", "", gpu->stranded, "");
	if (c->state != GS_OPEN_NONE) {
		snprintf(text, sizeof(text), "commit %" PRIu64 " %s", c->id, gs_open_state_summary(c->state));
		add_remark(t, gpu, "", "", text, c->state == GS_OPEN_UNDER_WAY ? "gpuslice history" : "gpuslice recover");
	}
	add_settings(t, gpu);
	add_vfs(t, gpu);
	add_writes(t, gpu);
}

/* The last thing that the kernel's log has of each GPU; all of them are in the JSON. */
static void say_events(const struct gs_snapshot *s)
{
	char label[96], text[320];

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		if (!gpu->n_events)
			continue;
		gs_cli_say("kernel log, %s: %s", gs_gpu_label(gpu, label, sizeof(label)), gs_gpu_event_label(gpu->events[gpu->n_events - 1], text, sizeof(text)));
		if (gpu->n_events > 1)
			gs_cli_say("            and %zu before", gpu->n_events - 1);
	}
}

static void say_age(const struct gs_snapshot *s)
{
	struct gs_wall at;
	char age[32];

	if (gs_snapshot_published(s, &at))
		gs_cli_say("note: what is marked as published was seen by root %s ago", gs_age_format(gs_wall_now().ms - at.ms, age, sizeof(age)));
}

static int print_table(const struct gs_snapshot *s)
{
	static const char *const heads[] = { "GPU", "PCI", "MODE", "NAME", "GI", "AT", "MEMORY", "UUID", "HELD BY" };
	GS_CLEANUP(gs_table_freep) struct gs_table *t = gs_table_new(GS_ARRAY_SIZE(heads));

	if (!t)
		return GS_STATUS_FAILED;
	for (size_t i = 0; i < GS_ARRAY_SIZE(heads); i++)
		gs_table_add(t, heads[i]);
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		add_gpu(t, gpu);
		add_around(t, gpu);
		for (size_t k = 0; k < gpu->n_instances; k++)
			add_instance(t, gpu, gpu->instances[k]);
		for (size_t k = 0; k < gpu->vfs.n_functions; k++)
			add_held_vf(t, gpu, gpu->vfs.functions[k]);
	}
	if (gs_snapshot_n_gpus(s))
		gs_table_print(t);
	else
		printf("no GPU that gpuslice knows is on this machine\n");
	say_events(s);
	say_age(s);
	for (size_t i = 0; i < gs_snapshot_n_notices(s); i++)
		gs_cli_say("note: %s", gs_snapshot_notice(s, i));
	return GS_STATUS_OK;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_connect how = { 0 };
	struct list_options o = { 0 };
	struct gs_error e = { 0 };
	int first, status;

	if (gs_cli_parse(cli, &gs_command_list, argc, argv, take, &o, &first, &status))
		return status;
	if (first != argc)
		return gs_cli_misuse(cli, &gs_command_list, "list takes no arguments");
	if (gs_cli_connect(cli, &how, &session, &e) < 0 || gs_session_snapshot(session, o.telemetry, SNAPSHOT_TIMEOUT_MS, &s, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (cli->json)
		return gs_cli_print_json(gs_snapshot_to_json(s, o.telemetry ? GS_SNAPSHOT_TELEMETRY : 0));
	status = print_table(s);
	gs_cli_print_saved_line(session, s);
	if (o.telemetry && status == GS_STATUS_OK)
		gs_cli_print_readings(s);
	return status;
}

static const struct gs_cli_option options[] = {
	{ "telemetry", NULL, "with what changes all the time: memory in use, load, power, temperature, clocks, ECC, PCIe" },
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_list = {
	.name = "list",
	.arguments = "",
	.summary = "every GPU and every instance on it, with who uses it",
	.details = "A \"?\" under HELD BY means that processes cannot be seen, not that nobody is there.\n"
		   "Behind a GPU stand its settings, its virtual functions, writes that still wait for somebody, and its instances.",
	.options = options,
	.run = run,
};
