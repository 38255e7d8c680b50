/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work that was promised a GPU: what each source says, what nobody should be able to say, and where it is put. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/claims.h"
#include "backend/claims_private.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define UUID "d0cebc46-0436-4e5d-a623-40ca2c938f4f"
#define ID64 "3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a"

static void release(struct gs_claim_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}

/* ---------------------------------------------------------------- slurm */

static void hosts_of_a_node_list(void **state)
{
	static const struct {
		const char *list, *host;
		bool is_in;
	} rows[] = {
		{ "dgx01", "dgx01", true }, { "dgx01", "dgx011", false }, { "dgx01,dgx02", "dgx02", true }, { "dgx[01-04,07]", "dgx03", true },
		{ "dgx[01-04,07]", "dgx07", true }, { "dgx[01-04,07]", "dgx05", false }, { "dgx[1-12]", "dgx11", true }, { "dgx[1-12]", "dgx011", false },
		{ "dgx[001-120]", "dgx007", true }, { "dgx[001-120]", "dgx7", false }, { "r[1-2]n[1-4]", "r2n4", true }, { "r[1-2]n[1-4]", "r3n4", false },
		{ "a[1-2]-ib,b", "a2-ib", true }, { "a[1-2]-ib,b", "b", true }, { "", "", false }, { "dgx[", "dgx1", false }, { "dgx[]", "dgx1", false },
		{ "dgx[1-", "dgx1", false }, { "dgx[x]", "dgx1", false }, { "[1-3]", "2", true }, { "dgx[99999999999]", "dgx1", false }, { ",,", "x", false },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++)
		assert_int_equal(gs_claims_slurm_has_host(rows[i].list, rows[i].host), rows[i].is_in);
}

/* "minor 0 of slurm job 42, …" */
static void assert_jobs(const char *text, const char *wanted)
{
	static const char *const kinds[] = { "device", "uuid", "minor", "index", "mig", "any" };
	struct gs_claim_list list = { 0 };
	char said[512] = "";

	assert_int_equal(gs_claims_slurm_parse(text, "dgx01", &list), 0);
	for (size_t i = 0; i < list.n; i++) {
		size_t n = strlen(said);

		snprintf(said + n, sizeof(said) - n, "%s%s %s %u", n ? ", " : "", list.items[i].name, kinds[list.items[i].to],
			 list.items[i].to == GS_CLAIM_TO_MINOR ? list.items[i].number : 0);
	}
	assert_string_equal(said, wanted);
	release(&list);
}

static void jobs_with_gpus_here(void **state)
{
	(void)state;
	assert_jobs("JobId=42 JobName=train UserId=a(1) JobState=RUNNING Reason=None NodeList=dgx01 NumNodes=1 JOB_GRES=gpu:h100:2 Nodes=dgx01 CPU_IDs=0-15 Mem=0 "
		    "GRES=gpu:h100:2(IDX:0-1) MinCPUsNode=1 TresPerNode=gres:gpu:2\n",
		    "slurm job 42 minor 0, slurm job 42 minor 1");
	/* two groups of nodes, one of them ours; commas in parentheses and between */
	assert_jobs("JobId=43 JobState=SUSPENDED NodeList=dgx[01-02] Nodes=dgx02 GRES=gpu(IDX:0-7) Nodes=dgx01 GRES=gpu:2(IDX:3,5),gpu:a100:1(IDX:6),nic(IDX:9) x\n",
		    "slurm job 43 minor 3, slurm job 43 minor 5, slurm job 43 minor 6");
	assert_jobs("JobId=44 JobState=PENDING Nodes=dgx01 GRES=gpu(IDX:0)\nJobId=45 JobState=COMPLETED Nodes=dgx01 GRES=gpu(IDX:0)\n"
		    "JobId=46 JobState=RUNNING Nodes=dgx02 GRES=gpu(IDX:0)\nJobId=47 JobState=RUNNING Nodes=dgx01 GRES=\nJobId=48 JobState=RUNNING Nodes=dgx01 GRES=gpu:0(IDX:N/A)\n",
		    "");
	/* which is not told: none is free of it */
	assert_jobs("JobId=49 JobState=RUNNING Nodes=dgx01 GRES=gpu:2\n", "slurm job 49 any 0");
	assert_jobs("JobId=50 JobState=RUNNING Nodes=dgx01 GRES=gpu:1g.10gb:1(IDX:3)\n", "slurm job 50 mig 0");
	assert_jobs("JobId=51 JobState=RUNNING Nodes=dgx01 GRES=mps:100(IDX:2)\n", "slurm job 51 minor 2");
}

static void hostile_jobs(void **state)
{
	(void)state;
	/* a name can say more, never less */
	assert_jobs("JobId=1 JobName=x JobState=COMPLETED JobState=RUNNING Nodes=dgx01 GRES=gpu(IDX:0)\n", "slurm job 1 minor 0");
	assert_jobs("JobId=2 JobState=RUNNING Nodes=dgx01 GRES=gpu(IDX:0-4294967295)\n", "slurm job 2 any 0");
	assert_jobs("JobId=3 JobState=RUNNING Nodes=dgx01 GRES=gpu(IDX:5-1)\n", "slurm job 3 any 0");
	assert_jobs("JobId=4 JobState=RUNNING Nodes=dgx01 GRES=gpu(IDX:\n", "slurm job 4 any 0");
	assert_jobs("JobId=5 JobState=RUNNING Nodes=dgx01 GRES=gpu(IDX:0,x)\n", "slurm job 5 any 0");
	assert_jobs("JobId=", "");
	assert_jobs("\n\n\n", "");
	assert_jobs("slurm_load_jobs error: Unable to contact slurm controller\n", "");
}

/* ---------------------------------------------------------------- libvirt */

static void domains_and_their_devices(void **state)
{
	static const char xml[] = "<!--\nedited by virsh\n-->\n<domain type='kvm'>\n<name>lab&amp;03</name>\n<devices>\n"
				  "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x26' slot='0x00' function='0x4'/></source>"
				  "<address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></hostdev>\n"
				  "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='" UUID "'/></source></hostdev>\n"
				  "<hostdev mode='subsystem' type='usb'><source><address bus='1' device='2'/></source></hostdev>\n"
				  "<hostdev type='pci'><source><address bus='0x100' slot='0' function='0' domain='0'/></source></hostdev>\n"
				  "<hostdev type='pci'><source><address bus='0x1' slot='0'/></source></hostdev><hostdev/>\n"
				  "</devices></domain>";
	struct gs_claim_list list = { 0 };
	char name[64], address[GS_BDF_TEXT];

	(void)state;
	assert_int_equal(gs_claims_libvirt_parse(xml, strlen(xml), name, sizeof(name), &list), 0);
	assert_string_equal(name, "lab&03");
	assert_int_equal(list.n, 2);
	assert_string_equal(gs_bdf_format(list.items[0].device.bdf, address), "0000:26:00.4");
	assert_string_equal(list.items[0].name, "vm lab&03");
	assert_string_equal(list.items[1].device.mdev, UUID);
	release(&list);
}

static void xml_that_is_a_bomb_or_no_domain(void **state)
{
	static const char *const texts[] = {
		"", "x", "<domain>", "<domain/>", "<domain><name/></domain>", "<network><name>x</name></network>",
		"<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;&lol;\">]><domain><name>&lol2;</name></domain>",
		"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><domain><name>x</name></domain>",
		"<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><domain><name>&e;</name></domain>",
		"<domain><name>x</name>", "<domain><name>\xff\xfe</name></domain>",
		/* the same in another encoding would pass a search for its letters */
		"\xff\xfe<\0!\0D\0O\0C\0T\0Y\0P\0E\0",
	};
	struct gs_claim_list list = { 0 };
	char name[64] = "untouched";

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++)
		assert_int_equal(gs_claims_libvirt_parse(texts[i], strlen(texts[i]), name, sizeof(name), &list), -EBADMSG);
	assert_string_equal(name, "untouched");
	assert_int_equal(list.n, 0);
}

static void xml_that_is_too_deep_or_too_long(void **state)
{
	size_t n = 0, room = 600000;
	GS_FREE char *xml = malloc(room);
	struct gs_claim_list list = { 0 };
	char name[8];

	(void)state;
	n += (size_t)snprintf(xml, room, "<domain><name>deep</name>");
	for (unsigned i = 0; i < 5000; i++)
		n += (size_t)snprintf(xml + n, room - n, "<a>");
	assert_int_equal(gs_claims_libvirt_parse(xml, n, name, sizeof(name), &list), -EBADMSG);
	n = (size_t)snprintf(xml, room, "<domain><name>a-name-that-is-longer</name><devices>");
	for (unsigned i = 0; i < 3000; i++)
		n += (size_t)snprintf(xml + n, room - n, "<hostdev type='pci'><source><address domain='0' bus='%u' slot='0' function='0'/></source></hostdev>", i % 256);
	n += (size_t)snprintf(xml + n, room - n, "</devices></domain>");
	assert_int_equal(gs_claims_libvirt_parse(xml, n, name, sizeof(name), &list), 0);
	assert_string_equal(name, "a-name-");
	assert_int_equal(list.n, 256);
	assert_true(list.is_cut);
	release(&list);
}

/* ---------------------------------------------------------------- the others */

static void machines_of_proxmox(void **state)
{
	static const char text[] = "boot: order=scsi0\nhostpci0: 0000:26:00.4,pcie=1\nhostpci1: 41:00,x-vga=1\r\nhostpci2: 0000:61:00.0;0000:61:00.1,mdev=nvidia-558\n"
				   "hostpci3: mapping=gpu1\nhostpcix: 0000:01:00.0\nhostpci: 0000:01:00.0\n#hostpci5: 0000:01:00.0\nname: win\n"
				   "[before-upgrade]\nhostpci4: 0000:99:00.0\n";
	static const char *const wanted[] = { "0000:26:00.4", "0000:41:00.0", "0000:61:00.0", "0000:61:00.1" };
	struct gs_claim_list list = { 0 };
	char address[GS_BDF_TEXT];

	(void)state;
	assert_int_equal(gs_claims_proxmox_parse(text, "108", &list), 0);
	assert_int_equal(list.n, GS_ARRAY_SIZE(wanted));
	for (size_t i = 0; i < GS_ARRAY_SIZE(wanted); i++)
		assert_string_equal(gs_bdf_format(list.items[i].device.bdf, address), wanted[i]);
	assert_string_equal(list.items[0].name, "vm 108");
	release(&list);
}

static int parse_kubelet(const char *text, struct gs_claim_list *list)
{
	struct gs_error e = { 0 };
	int r = gs_claims_kubelet_parse(text, strlen(text), list, &e);

	assert_true(r == 0 || e.text[0]);
	return r;
}

static void devices_of_pods(void **state)
{
	static const char text[] = "{\"Data\":{\"PodDeviceEntries\":["
				   "{\"PodUID\":\"1a2b3c4d-0000-1111-2222-333344445555\",\"ContainerName\":\"main\",\"ResourceName\":\"nvidia.com/gpu\","
				   "\"DeviceIDs\":{\"-1\":[\"GPU-aa\"],\"0\":[\"GPU-bb::3\",7]},\"AllocResp\":\"Qg==\"},"
				   "{\"PodUID\":\"9\",\"ContainerName\":\"old\",\"ResourceName\":\"nvidia.com/mig-1g.10gb\",\"DeviceIDs\":[\"MIG-cc\"]},"
				   "{\"PodUID\":\"8\",\"ContainerName\":\"net\",\"ResourceName\":\"intel.com/sriov_netdevice\",\"DeviceIDs\":[\"0000:03:02.0\"]}],"
				   "\"RegisteredDevices\":{}},\"Checksum\":1}";
	static const char *const wanted[] = { "GPU-aa", "GPU-bb", "MIG-cc" };
	struct gs_claim_list list = { 0 };

	(void)state;
	assert_int_equal(parse_kubelet(text, &list), 0);
	assert_int_equal(list.n, GS_ARRAY_SIZE(wanted));
	for (size_t i = 0; i < GS_ARRAY_SIZE(wanted); i++)
		assert_string_equal(list.items[i].uuid, wanted[i]);
	assert_string_equal(list.items[0].name, "pod 1a2b3c4d-0000-1111-2222-333344445555 container main");
	assert_string_equal(list.items[0].same_as, "pod 1a2b3c4d");
	release(&list);
	assert_int_equal(parse_kubelet("{\"Data\":null}", &list), 0);
	assert_int_equal(parse_kubelet("{\"Data\":{\"PodDeviceEntries\":null}}", &list), 0);
	assert_true(parse_kubelet("[]", &list) < 0);
	assert_true(parse_kubelet("{\"Data\":7}", &list) < 0);
	assert_true(parse_kubelet("{\"Data\":{\"PodDeviceEntries\":[7]}}", &list) < 0);
	assert_true(parse_kubelet("{", &list) < 0);
	assert_int_equal(list.n, 0);
	release(&list);
}

static void days(void **state)
{
	static const char *const bad[] = { "", "2026-02-30", "2026-13-01", "2026-1-01", "2026-01-00", "2026-01-01T00:00", "x026-01-01", "2026/01/01", "-026-01-01", "1900-01-01" };
	struct gs_wall end = { 7 };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(bad); i++)
		assert_int_equal(gs_claims_parse_day(bad[i], &end), -EINVAL);
	assert_int_equal(end.ms, 7);
	/* the day itself still counts */
	assert_int_equal(gs_claims_parse_day("1970-01-01", &end), 0);
	assert_int_equal(end.ms, 86400000);
	assert_int_equal(gs_claims_parse_day("2024-02-29", &end), 0);
	assert_int_equal(end.ms, 1709251200000);
}

static void visible_devices(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		enum gs_claim_to first;
	} rows[] = {
		{ "all", 1, GS_CLAIM_TO_ANY }, { "none", 0, 0 }, { "void", 0, 0 }, { "", 0, 0 }, { "0,2", 2, GS_CLAIM_TO_INDEX }, { "1:0", 1, GS_CLAIM_TO_INDEX },
		{ "GPU-aa,MIG-bb", 2, GS_CLAIM_TO_UUID }, { ",,", 0, 0 },
	};
	const struct gs_claim claim = { .name = "x" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_claim_list list = { 0 };

		assert_int_equal(gs_claims_add_visible(&list, &claim, rows[i].text), 0);
		assert_int_equal(list.n, rows[i].n);
		if (list.n)
			assert_int_equal(list.items[0].to, rows[i].first);
		release(&list);
	}
}

/* ---------------------------------------------------------------- on a machine */

/* GPU 0: 26:00.0 with VF 0, and VF 1 with an mdev; GPU 1: 41:00.0 with a MIG instance, /dev/nvidia5. */
struct host {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
	struct gs_holders *h;
	struct gs_claims *c;
	struct gs_snapshot *s;
	struct gs_gpu *gpu[2];
	struct gs_vf *vf;
	struct gs_instance *mdev, *mig;
	struct gs_claims_ops ops;
	const char *node;       /* what scontrol says of it; NULL: one GPU is given out */
	int run_result;
	unsigned runs;
};

static int run_scontrol(void *userdata, const char *const *argv, size_t max, char **ret_text, size_t *ret_n, struct gs_error *e)
{
	struct host *m = userdata;

	assert_string_equal(argv[0], "scontrol");
	assert_true(max > 0);
	m->runs += strcmp(argv[2], "node") == 0;
	if (m->run_result < 0)
		return gs_error_set(e, m->run_result, GS_STATUS_FAILED, "scontrol ended with status 1");
	if (strcmp(argv[2], "node") == 0) {
		assert_string_equal(argv[5], "dgx01");
		*ret_text = strdup(m->node ? m->node : "NodeName=dgx01 Gres=gpu:h100:8(S:0-1) GresUsed=gpu:h100:1(IDX:5) x");
	} else {
		assert_string_equal(argv[2], "job");
		*ret_text = strdup("JobId=42 JobState=RUNNING Nodes=dgx01 GRES=gpu:h100:1(IDX:5)\n");
	}
	*ret_n = strlen(*ret_text);
	return 0;
}

static void begin(struct host *m)
{
	m->s = gs_snapshot_new();
	gs_holders_begin(m->h);
	for (uint8_t i = 0; i < 2; i++) {
		m->gpu[i] = gs_snapshot_add_gpu(m->s, (struct gs_bdf){ 0, i ? 0x41 : 0x26, 0, 0 });
		m->gpu[i]->vendor = GS_VENDOR_NVIDIA;
		m->gpu[i]->driver = "nvidia";
		m->gpu[i]->uuid = i ? "GPU-bb" : "GPU-aa";
		m->gpu[i]->nvidia_index = GS_U32(i);
		assert_int_equal(gs_holders_add_gpu(m->h, m->gpu[i], GS_U32(i ? 5 : 0)), 0);
	}
	m->gpu[0]->grids[GS_KIND_VGPU].memory_units = 8;
	m->gpu[0]->grids[GS_KIND_SRIOV].memory_units = 2;
	m->vf = gs_gpu_add_vf(m->s, m->gpu[0]);
	m->vf->bdf = (struct gs_bdf){ 0, 0x26, 0, 4 };
	m->mdev = gs_gpu_add_instance(m->s, m->gpu[0]);
	m->mdev->kind = GS_KIND_VGPU;
	m->mdev->vf = GS_U32(1);
	m->mdev->uuid = UUID;
	m->mig = gs_gpu_add_instance(m->s, m->gpu[1]);
	m->mig->kind = GS_KIND_MIG;
	m->gpu[1]->mode = GS_MODE_MIG;
	gs_instance_add_compute(m->s, m->mig)->uuid = "MIG-cc";
}

static void make_host(struct host *m)
{
	memset(m, 0, sizeof(*m));
	gs_tree_new(m->dir);
	gs_tree_put(m->dir, "proc/self", "");
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, m->dir, &m->root, NULL), 0);
	m->ops = (struct gs_claims_ops){ run_scontrol, m };
	m->h = gs_holders_new(m->root);
	m->c = gs_claims_new(m->root, "dgx01.example.org", &m->ops);
	begin(m);
}

static void look(struct host *m, bool fresh)
{
	assert_int_equal(gs_holders_scan(m->h, true), 0);
	assert_int_equal(gs_holders_finish(m->h, m->s), 0);
	assert_int_equal(gs_claims_apply(m->c, m->s, m->h, fresh), 0);
}

static void look_again(struct host *m, bool fresh)
{
	gs_snapshot_unref(m->s);
	begin(m);
	look(m, fresh);
}

static void drop_host(struct host *m)
{
	gs_snapshot_unref(m->s);
	gs_claims_free(m->c);
	gs_holders_free(m->h);
	gs_root_close(m->root);
	gs_tree_remove(m->dir);
}

static const struct gs_source *source(const struct host *m, const char *name)
{
	for (size_t i = 0; i < gs_snapshot_n_sources(m->s); i++)
		if (strcmp(gs_snapshot_source_at(m->s, i)->name, name) == 0)
			return gs_snapshot_source_at(m->s, i);
	fail_msg("no source %s", name);
	return NULL;
}

/* The names at a place, "a, b". */
static void assert_claims(struct gs_holder *const *holders, size_t n, const char *wanted)
{
	char said[512] = "";

	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(said);

		if (holders[i]->kind == GS_HOLDER_CLAIM)
			snprintf(said + at, sizeof(said) - at, "%s%s", at ? ", " : "", holders[i]->name);
	}
	assert_string_equal(said, wanted);
}

#define AT(x) (x)->holders, (x)->n_holders

static void nothing_there_is_said_for_each(void **state)
{
	static const char *const names[] = { "slurm", "kubelet", "libvirt", "proxmox", "docker", "notes" };
	struct host m;

	(void)state;
	make_host(&m);
	look(&m, true);
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		assert_false(source(&m, names[i])->is_present);
		assert_true(source(&m, names[i])->text[0]);
	}
	assert_int_equal(m.runs, 0);
	assert_claims(AT(m.gpu[0]), "");
	drop_host(&m);
}

static void each_is_put_where_it_belongs(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_put(m.dir, "etc/slurm/slurm.conf", "");
	gs_tree_put(m.dir, "var/lib/kubelet/device-plugins/kubelet_internal_checkpoint",
		    "{\"Data\":{\"PodDeviceEntries\":[{\"PodUID\":\"p1\",\"ContainerName\":\"c\",\"ResourceName\":\"nvidia.com/gpu\",\"DeviceIDs\":[\"mig-CC\",\"GPU-zz\"]}]}}");
	gs_tree_put(m.dir, "etc/libvirt/qemu/lab.xml",
		    "<domain><name>lab</name><devices><hostdev type='mdev'><source><address uuid='" UUID "'/></source></hostdev></devices></domain>");
	gs_tree_put(m.dir, "etc/libvirt/qemu/on.xml",
		    "<domain><name>on</name><devices><hostdev type='pci'><source><address domain='0' bus='0x26' slot='0' function='4'/></source></hostdev></devices></domain>");
	gs_tree_put(m.dir, "run/libvirt/qemu/on.pid", "1\n");
	gs_tree_put(m.dir, "etc/libvirt/qemu/bad.xml", "<domain>");
	gs_tree_put(m.dir, "etc/pve/qemu-server/108.conf", "hostpci0: 26:00.4\n");
	gs_tree_put(m.dir, "etc/pve/qemu-server/109.conf", "hostpci0: 26:00.4\n");
	gs_tree_put(m.dir, "run/qemu-server/109.pid", "1\n");
	gs_tree_put(m.dir, "etc/gpuslice/notes.d/a.json", "{\"gpu\":\"0000:26:00.0\",\"vf\":2,\"note\":\"for Ann\",\"until\":null}");
	gs_tree_put(m.dir, "etc/gpuslice/notes.d/a2.json", "{\"gpu\":\"GPU-aa\",\"vf\":4000,\"note\":\"for Ann\"}");
	gs_tree_put(m.dir, "etc/gpuslice/notes.d/b.json", "{\"gpu\":\"gpu-BB\",\"note\":\"old\",\"until\":\"2001-01-01\"}");
	gs_tree_put(m.dir, "etc/gpuslice/notes.d/c.json", "{\"gpu\":\"GPU-bb\",\"note\":\"typo\",\"untill\":\"2001-01-01\"}");
	look(&m, true);
	assert_claims(AT(m.gpu[1]), "slurm job 42");
	assert_claims(AT(m.mig), "pod p1 container c");
	assert_claims(AT(m.mdev), "vm lab");
	assert_claims(AT(m.vf), "vm 108");
	/* VF 2 is not there yet: promised on the GPU, and left alone when it comes */
	assert_claims(AT(m.gpu[0]), "note: for Ann");
	assert_true(m.gpu[0]->grids[GS_KIND_VGPU].avoid == 7);
	/* a slot that a grid does not have is none to leave alone */
	assert_true(m.gpu[0]->grids[GS_KIND_SRIOV].avoid == 3);
	assert_true(m.gpu[1]->grids[GS_KIND_VGPU].avoid == 0);
	assert_true(source(&m, "slurm")->is_present);
	assert_non_null(strstr(source(&m, "kubelet")->text, "1 name no GPU"));
	assert_non_null(strstr(source(&m, "libvirt")->text, "1 files"));
	assert_non_null(strstr(source(&m, "notes")->text, "2 in force, 1 run out, 1 that"));
	assert_int_equal(gs_snapshot_n_notices(m.s), 1);
	assert_non_null(strstr(gs_snapshot_notice(m.s, 0), "c.json"));
	assert_non_null(strstr(gs_snapshot_notice(m.s, 0), "untill"));
	drop_host(&m);
}

static void containers_that_run(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_put(m.dir, "var/lib/docker/containers/" ID64 "/config.v2.json",
		    "{\"State\":{\"Running\":true},\"Name\":\"/train\",\"Config\":{\"Env\":[\"PATH=/bin\",\"NVIDIA_VISIBLE_DEVICES=all\"]}}");
	gs_tree_put(m.dir, "var/lib/docker/containers/" ID64 "/hostconfig.json",
		    "{\"Runtime\":\"runc\",\"DeviceRequests\":[{\"Driver\":\"\",\"Count\":0,\"DeviceIDs\":[\"1\"],\"Capabilities\":[[\"gpu\"]]}],\"Devices\":[]}");
	gs_tree_put(m.dir, "var/lib/docker/containers/aaaa/config.v2.json", "{\"State\":{\"Running\":false},\"Name\":\"/off\"}");
	gs_tree_put(m.dir, "var/lib/docker/containers/aaaa/hostconfig.json", "{\"DeviceRequests\":[{\"Driver\":\"nvidia\",\"Count\":-1}]}");
	gs_tree_put(m.dir, "var/lib/docker/containers/bbbb/config.v2.json", "{\"State\":{\"Running\":true},\"Config\":{\"Env\":[\"NVIDIA_VISIBLE_DEVICES=GPU-aa\"]}}");
	gs_tree_put(m.dir, "var/lib/docker/containers/bbbb/hostconfig.json", "{\"Runtime\":\"nvidia\",\"Devices\":[{\"PathOnHost\":\"/dev/nvidia5\"}],\"DeviceRequests\":null}");
	gs_tree_put(m.dir, "var/lib/docker/containers/cccc/config.v2.json", "[]");
	look(&m, true);
	assert_claims(AT(m.gpu[0]), "container bbbb");
	assert_int_equal(m.gpu[1]->n_holders, 2);
	assert_non_null(strstr(source(&m, "docker")->text, "2 containers run; 1 could not"));
	/* what runs is no claim any more */
	gs_tree_process(m.dir, 77, "python3", NULL, "0::/system.slice/docker-" ID64 ".scope\n");
	gs_tree_open(m.dir, 77, 9, "/dev/nvidia5");
	look_again(&m, true);
	assert_int_equal(m.gpu[1]->n_holders, 2);
	assert_claims(AT(m.gpu[1]), "container bbbb");
	drop_host(&m);
}

/* What a clock too coarse to tell would leave: other words, the same size and time. */
static void change_in_place(const struct host *m, const char *name, const char *text)
{
	struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void fresh_is_read_whatever_the_files_look_like(void **state)
{
	static const char note[] = "etc/gpuslice/notes.d/a.json";
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_put(m.dir, note, "{\"gpu\":\"GPU-aa\",\"note\":\"one\"}");
	change_in_place(&m, note, "{\"gpu\":\"GPU-aa\",\"note\":\"one\"}");
	look(&m, false);
	change_in_place(&m, note, "{\"gpu\":\"GPU-aa\",\"note\":\"two\"}");
	look_again(&m, false);
	assert_claims(AT(m.gpu[0]), "note: one");
	look_again(&m, true);
	assert_claims(AT(m.gpu[0]), "note: two");
	drop_host(&m);
}

static void a_source_is_read_when_it_changed(void **state)
{
	struct host m;

	(void)state;
	make_host(&m);
	gs_tree_put(m.dir, "etc/slurm/slurm.conf", "");
	gs_tree_put(m.dir, "etc/gpuslice/notes.d/a.json", "{\"gpu\":\"GPU-aa\",\"note\":\"one\"}");
	look(&m, false);
	look_again(&m, false);
	/* a program cannot be looked at: once a minute, and when it is asked for */
	assert_int_equal(m.runs, 1);
	assert_claims(AT(m.gpu[0]), "note: one");
	gs_tree_put(m.dir, "etc/gpuslice/notes.d/b.json", "{\"gpu\":\"GPU-aa\",\"note\":\"two\"}");
	look_again(&m, false);
	assert_int_equal(m.gpu[0]->n_holders, 2);
	assert_int_equal(m.runs, 1);
	look_again(&m, true);
	assert_int_equal(m.runs, 2);
	/* what it said holds no longer when it cannot be asked, and that is said */
	m.run_result = -EIO;
	look_again(&m, true);
	assert_claims(AT(m.gpu[1]), "");
	assert_false(source(&m, "slurm")->is_present);
	assert_string_equal(source(&m, "slurm")->text, "scontrol ended with status 1");
	m.run_result = 0;
	/* the list of jobs was cut: what no job has that was listed is given out all the same */
	m.node = "NodeName=dgx01 GresUsed=gpu:h100:2(IDX:0,5)\n";
	look_again(&m, true);
	assert_claims(AT(m.gpu[1]), "slurm job 42");
	assert_claims(AT(m.gpu[0]), "slurm job, note: one, note: two");
	m.node = "NodeName=dgx01 GresUsed=gpu:h100:0(IDX:N/A)\n";
	look_again(&m, true);
	assert_claims(AT(m.gpu[1]), "");
	m.run_result = -ENOENT;
	look_again(&m, true);
	assert_string_equal(source(&m, "slurm")->text, "scontrol is not installed");
	drop_host(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_a_node_list),
		cmocka_unit_test(jobs_with_gpus_here),
		cmocka_unit_test(hostile_jobs),
		cmocka_unit_test(domains_and_their_devices),
		cmocka_unit_test(xml_that_is_a_bomb_or_no_domain),
		cmocka_unit_test(xml_that_is_too_deep_or_too_long),
		cmocka_unit_test(machines_of_proxmox),
		cmocka_unit_test(devices_of_pods),
		cmocka_unit_test(days),
		cmocka_unit_test(visible_devices),
		cmocka_unit_test(nothing_there_is_said_for_each),
		cmocka_unit_test(each_is_put_where_it_belongs),
		cmocka_unit_test(containers_that_run),
		cmocka_unit_test(a_source_is_read_when_it_changed),
		cmocka_unit_test(fresh_is_read_whatever_the_files_look_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
