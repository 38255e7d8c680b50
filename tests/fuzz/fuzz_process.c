/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What processes and others write about themselves: command lines, cgroups,
 * links, what managers list, lines of the kernel's log and of units. The first byte chooses the reader; no input
 * crashes, and what comes out is bounded text.
 */
#include "backend/cgroup.h"
#include "backend/claims_private.h"
#include "backend/fdscan.h"
#include "backend/kernel_log.h"
#include "backend/proc.h"
#include "backend/restorers.h"
#include "backend/vm.h"
#include "tests/fuzz/fuzz.h"

static void try_argv(const char *bytes, size_t n)
{
	struct gs_vm vm;

	gs_proc_is_collector("gpuslice", bytes, n);
	if (!gs_vm_parse(bytes, n, &vm))
		return;
	FUZZ_REQUIRE(vm.monitor);
	FUZZ_REQUIRE(strnlen(vm.name, sizeof(vm.name)) < sizeof(vm.name));
	FUZZ_REQUIRE(strlen(vm.uuid) == 0 || strlen(vm.uuid) == 36);
	FUZZ_REQUIRE(vm.n_devices <= GS_VM_DEVICES_MAX);
	for (size_t i = 0; i < vm.n_devices; i++)
		FUZZ_REQUIRE(strlen(vm.devices[i].mdev) == 0 || strlen(vm.devices[i].mdev) == 36);
}

static void try_cgroup(const char *text)
{
	struct gs_cgroup c;

	gs_cgroup_parse(text, &c);
	FUZZ_REQUIRE(strnlen(c.unit, sizeof(c.unit)) < sizeof(c.unit) && !strchr(c.unit, '/'));
	FUZZ_REQUIRE(strnlen(c.container, sizeof(c.container)) < sizeof(c.container) && !strchr(c.container, '/'));
	FUZZ_REQUIRE(!c.container[0] == !c.runtime[0]);
	FUZZ_REQUIRE(strspn(c.pod, "0123456789abcdef-") == strlen(c.pod));
}

/* What was read as a node is written as that node. */
static void try_link(const char *text)
{
	uint32_t number = 0, again = 1;
	enum gs_node node = gs_node_parse(text, &number);
	char path[64];

	if (node == GS_NODE_OTHER)
		return;
	FUZZ_REQUIRE(gs_node_parse(gs_node_format(node, number, path, sizeof(path)), &again) == node);
	FUZZ_REQUIRE(number == again);
}

static void try_claims(char which, const char *text, size_t n)
{
	struct gs_claim_list list = { 0 };
	struct gs_error e = { 0 };
	char name[64];
	int r = 0;

	if (which == 's')
		r = gs_claims_slurm_parse(text, "dgx01", &list);
	else if (which == 'x')
		gs_claims_libvirt_parse(text, n, name, sizeof(name), &list);
	else if (which == 'p')
		r = gs_claims_proxmox_parse(text, "108", &list);
	else if (gs_claims_kubelet_parse(text, n, &list, &e) < 0)
		fuzz_check_error(e.errnum, &e);
	FUZZ_REQUIRE(r == 0);
	for (size_t i = 0; i < list.n; i++) {
		FUZZ_REQUIRE(list.items[i].name[0]);
		FUZZ_REQUIRE(strnlen(list.items[i].uuid, sizeof(list.items[i].uuid)) < sizeof(list.items[i].uuid));
	}
	free(list.items);
}

/* A line about a GPU has printable, bounded text and says which. */
static void try_kernel_log(const char *bytes, size_t n)
{
	struct gs_kernel_event ev;
	struct gs_kernel_load load;

	if (gs_kernel_log_parse_load(bytes, n, &load)) {
		FUZZ_REQUIRE(load.driver[0] && strnlen(load.driver, sizeof(load.driver)) < sizeof(load.driver));
		FUZZ_REQUIRE(load.bdf.device <= 0x1f && load.bdf.function <= 7);
	}
	if (!gs_kernel_log_parse(bytes, n, &ev))
		return;
	FUZZ_REQUIRE(ev.kind >= 0 && ev.kind < GS_GPU_EVENT_MAX);
	FUZZ_REQUIRE((ev.kind == GS_GPU_EVENT_XID) == ev.xid.known);
	FUZZ_REQUIRE(ev.text[0] && strnlen(ev.text, sizeof(ev.text)) < sizeof(ev.text));
	for (const char *p = ev.text; *p; p++)
		FUZZ_REQUIRE((unsigned char)*p >= ' ' && *p != 0x7f);
	FUZZ_REQUIRE(ev.bdf.device <= 0x1f && ev.bdf.function <= 7);
}

static void try_unit(const char *text)
{
	struct gs_bdf bdf = { 0 };
	bool has_function;
	const char *word = gs_restorers_word(text, &bdf, &has_function);

	FUZZ_REQUIRE(word ? strlen(word) > 4 : !has_function);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	GS_FREE char *text = malloc(n + 1);

	if (!text || !n)
		return 0;
	memcpy(text, bytes + 1, n - 1);
	text[n - 1] = '\0';
	switch (bytes[0]) {
	case 'a':
		try_argv((const char *)bytes + 1, n - 1);
		break;
	case 'c':
		try_cgroup(text);
		break;
	case 'l':
		try_link(text);
		break;
	case 'n':
		try_kernel_log((const char *)bytes + 1, n - 1);
		break;
	case 'u':
		try_unit(text);
		break;
	case 's':
	case 'x':
	case 'p':
	case 'k':
		try_claims((char)bytes[0], text, strlen(text));
		break;
	default:
		break;
	}
	return 0;
}
