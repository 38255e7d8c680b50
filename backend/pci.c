/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/pci.h"

#include <errno.h>
#include <limits.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/digest.h"

#define DEVICES_MAX 65536
#define TRIES 3

struct gs_pci {
	struct gs_root *root;
	char path[PATH_MAX];            /* for libpci's parameter sysfs.path */
	struct pci_access *names;       /* keeps pci.ids in memory once it was needed */
	struct gs_digest signature;     /* of the names on the bus, as far as all of them could be read */
	bool is_incomplete;             /* the last walk left one out that was there */
	struct gs_pci_gpu *gpus;
	size_t n, cap;
	struct gs_bdf spared[GS_PCI_SPARED_MAX];
	size_t n_spared;
	struct gs_bdf silent[GS_PCI_SILENT_MAX];
	size_t n_silent;
};

/*
 * libpci's error callback gets no userdata and must not return (practice 2.8):
 * the way back has to be found without an argument. Set only for the length of
 * one guarded call.
 */
struct guard {
	jmp_buf back;
	char message[256];
};
static _Thread_local struct guard *guard_of_thread;

static void raise_error(char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void raise_error(char *fmt, ...)
{
	struct guard *g = guard_of_thread;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->message, sizeof(g->message), fmt, ap);
	va_end(ap);
	longjmp(g->back, 1);
}

static void ignore_message(char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void ignore_message(char *fmt, ...)
{
	(void)fmt;
}

/* Run @fn with libpci's errors caught: 0, or -EIO with @g->message. Nothing is held by @fn that only @fn could release. */
static int run_guarded(struct guard *g, void (*fn)(void *), void *argument)
{
	struct guard *outer = guard_of_thread;
	int r = 0;

	g->message[0] = '\0';
	guard_of_thread = g;
	if (setjmp(g->back) == 0)
		fn(argument);
	else
		r = -EIO;
	guard_of_thread = outer;
	return r;
}

static struct pci_access *access_new(struct gs_pci *pci)
{
	struct pci_access *a = pci_alloc();

	if (!a)
		return NULL;
	a->error = raise_error;
	a->warning = ignore_message;
	a->debug = ignore_message;
	a->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_set_param(a, (char *)"sysfs.path", pci->path);
	return a;
}

struct start {
	struct gs_pci *pci;
	struct pci_access *access;
};

static void do_start(void *argument)
{
	struct start *s = argument;

	s->access = access_new(s->pci);
	if (s->access)
		pci_init(s->access);
}

static void do_cleanup(void *argument)
{
	pci_cleanup(argument);
}

static void access_done(struct pci_access *a)
{
	struct guard g;

	if (a)
		run_guarded(&g, do_cleanup, a);
}

static void do_scan(void *argument)
{
	pci_scan_bus(argument);
}

static void do_fill(void *argument)
{
	pci_fill_info(argument, PCI_FILL_IDENT | PCI_FILL_CLASS);
}

static int open_access(struct gs_pci *pci, struct pci_access **ret_access, struct gs_error *e)
{
	struct start s = { .pci = pci };
	struct guard g;

	if (run_guarded(&g, do_start, &s) < 0) {
		access_done(s.access);
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "cannot read the PCI bus: %s", g.message);
	}
	if (!s.access)
		return gs_error_oom(e);
	*ret_access = s.access;
	return 0;
}

struct gs_pci *gs_pci_new(struct gs_root *root)
{
	struct gs_pci *pci = calloc(1, sizeof(*pci));
	const char *path = gs_root_path(root);

	if (!pci)
		return NULL;
	pci->root = root;
	if (snprintf(pci->path, sizeof(pci->path), "%s/sys/bus/pci", strcmp(path, "/") == 0 ? "" : path) >= (int)sizeof(pci->path))
		return gs_pci_free(pci);
	return pci;
}

struct gs_pci *gs_pci_free(struct gs_pci *pci)
{
	if (!pci)
		return NULL;
	access_done(pci->names);
	free(pci->gpus);
	free(pci);
	return NULL;
}

static enum gs_vendor vendor_of(uint16_t id)
{
	switch (id) {
	case 0x10de:
		return GS_VENDOR_NVIDIA;
	case 0x1002:
		return GS_VENDOR_AMD;
	case 0x8086:
		return GS_VENDOR_INTEL;
	default:
		return GS_VENDOR_INVALID;
	}
}

static bool is_gpu_class(uint16_t class_id)
{
	return class_id >> 8 == 0x03 || class_id == 0x1200;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * A digest over the names of the devices, sorted: readdir's order means
 * nothing. Their inodes tell another card at the same address, which came
 * between two looks. A name that is no address must not reach libpci: it gives
 * up in the middle and keeps the directory open for ever.
 */
static int bus_signature(struct gs_pci *pci, struct gs_digest *ret_signature)
{
	GS_CLOSEDIR DIR *dir = NULL;
	GS_STRBUF struct gs_strbuf all = GS_STRBUF_INIT;
	struct dirent *entry;
	char **names = NULL;
	size_t n = 0, cap = 0;
	int r = gs_root_opendir(pci->root, &dir, "sys/bus/pci/devices");

	if (r < 0)
		return r;
	while (r == 0 && n < DEVICES_MAX && (entry = readdir(dir))) {
		struct gs_bdf bdf;

		if (entry->d_name[0] == '.')
			continue;
		if (gs_bdf_parse(entry->d_name, &bdf) < 0) {
			r = -EBADMSG;
			break;
		}
		if (n == cap) {
			char **grown = reallocarray(names, cap ? cap * 2 : 64, sizeof(*names));

			if (!grown) {
				r = -ENOMEM;
				break;
			}
			names = grown;
			cap = cap ? cap * 2 : 64;
		}
		r = asprintf(&names[n], "%s %ju", entry->d_name, (uintmax_t)entry->d_ino) < 0 ? -ENOMEM : 0;
		n += r == 0 ? 1 : 0;
	}
	if (n)
		qsort(names, n, sizeof(*names), name_compare);
	for (size_t i = 0; i < n; i++) {
		gs_strbuf_puts(&all, names[i]);
		gs_strbuf_puts(&all, "\n");
		free(names[i]);
	}
	free(names);
	if (r == 0 && all.failed)
		r = -ENOMEM;
	if (r == 0)
		*ret_signature = gs_digest_of(all.text ? all.text : "", all.length);
	return r;
}

static struct gs_pci_gpu *add_gpu(struct gs_pci *pci)
{
	if (pci->n == pci->cap) {
		size_t cap = pci->cap ? pci->cap * 2 : 16;
		struct gs_pci_gpu *grown = reallocarray(pci->gpus, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		pci->gpus = grown;
		pci->cap = cap;
	}
	memset(&pci->gpus[pci->n], 0, sizeof(*pci->gpus));
	return &pci->gpus[pci->n++];
}

static bool is_virtual_function(struct gs_pci *pci, const char *bdf)
{
	GS_FREE char *target = NULL;

	return gs_root_readlink(pci->root, &target, "sys/bus/pci/devices/%s/physfn", bdf) == 0;
}

/* Keep @d when it is a GPU of ours. A device that goes while we look is skipped. */
static int take_device(struct gs_pci *pci, struct pci_dev *d)
{
	struct gs_bdf bdf = { (uint32_t)d->domain, d->bus, d->dev, d->func };
	struct gs_pci_gpu *gpu;
	char address[GS_BDF_TEXT];
	struct guard g;

	if (run_guarded(&g, do_fill, d) < 0) {
		pci->is_incomplete = true;
		return 0;
	}
	/* what a function that has fallen off its bus answers (interfaces 10.7) */
	if (d->vendor_id == 0xffff && is_gpu_class(d->device_class) && pci->n_silent < GS_PCI_SILENT_MAX)
		pci->silent[pci->n_silent++] = bdf;
	if (vendor_of(d->vendor_id) == GS_VENDOR_INVALID || !is_gpu_class(d->device_class) || pci->n >= GS_PCI_GPUS_MAX)
		return 0;
	if (is_virtual_function(pci, gs_bdf_format(bdf, address)))
		return 0;
	gpu = add_gpu(pci);
	if (!gpu)
		return -ENOMEM;
	gpu->bdf = bdf;
	gpu->vendor = vendor_of(d->vendor_id);
	gpu->vendor_id = d->vendor_id;
	gpu->device_id = d->device_id;
	gpu->class_id = d->device_class;
	snprintf(gpu->pci_id, sizeof(gpu->pci_id), "%04x:%04x", d->vendor_id, d->device_id);
	return 0;
}

static int walk_bus(struct gs_pci *pci, struct gs_error *e)
{
	struct pci_access *access = NULL;
	struct guard g;
	int r = open_access(pci, &access, e);

	if (r < 0)
		return r;
	pci->n = pci->n_silent = 0;
	pci->is_incomplete = false;
	if (run_guarded(&g, do_scan, access) < 0)
		r = gs_error_set(e, -EIO, GS_STATUS_FAILED, "cannot read the PCI bus: %s", g.message);
	for (struct pci_dev *d = access->devices; r == 0 && d; d = d->next) {
		if (take_device(pci, d) < 0)
			r = gs_error_oom(e);
	}
	access_done(access);
	return r;
}

static void read_word(struct gs_root *root, char *ret_word, const char *address, const char *attribute)
{
	GS_FREE char *text = NULL;

	ret_word[0] = '\0';
	if (gs_root_read(root, &text, "sys/bus/pci/devices/%s/%s", address, attribute) < 0)
		return;
	if (strcmp(text, "(null)") != 0)
		snprintf(ret_word, GS_PCI_WORD, "%s", text);
}

static void read_link_name(struct gs_root *root, char *ret_word, const char *address, const char *link)
{
	GS_FREE char *name = NULL;

	ret_word[0] = '\0';
	if (gs_root_readlink_name(root, &name, "sys/bus/pci/devices/%s/%s", address, link) == 0)
		snprintf(ret_word, GS_PCI_WORD, "%s", name);
}

size_t gs_pci_silent(const struct gs_pci *pci, const struct gs_bdf **ret_functions)
{
	*ret_functions = pci->silent;
	return pci->n_silent;
}

void gs_pci_spare(struct gs_pci *pci, const struct gs_bdf *functions, size_t n)
{
	pci->n_spared = n < GS_PCI_SPARED_MAX ? n : GS_PCI_SPARED_MAX;
	if (pci->n_spared)
		memcpy(pci->spared, functions, pci->n_spared * sizeof(*functions));
}

static bool is_spared(const struct gs_pci *pci, struct gs_bdf bdf)
{
	for (size_t i = 0; i < pci->n_spared; i++) {
		if (gs_bdf_compare(pci->spared[i], bdf) == 0)
			return true;
	}
	return false;
}

/* What changes while the device stays: the driver and what belongs to it. False when the device has gone, or is no GPU of its own. */
static bool refresh(struct gs_pci *pci, struct gs_pci_gpu *gpu)
{
	char address[GS_BDF_TEXT], word[GS_PCI_WORD];
	uint64_t vendor, device;
	uint32_t group;

	gs_bdf_format(gpu->bdf, address);
	/* the kernel makes a function visible first and its physfn link after that: a walk in between takes a VF for a GPU */
	if (is_virtual_function(pci, address) || !gs_root_exists(pci->root, "sys/bus/pci/devices/%s", address))
		return false;
	gpu->subsystem_id[0] = '\0';
	if (gs_root_read_u64(pci->root, 16, &vendor, "sys/bus/pci/devices/%s/subsystem_vendor", address) == 0 &&
	    gs_root_read_u64(pci->root, 16, &device, "sys/bus/pci/devices/%s/subsystem_device", address) == 0 && vendor <= 0xffff && device <= 0xffff)
		snprintf(gpu->subsystem_id, sizeof(gpu->subsystem_id), "%04x:%04x", (unsigned)vendor, (unsigned)device);
	read_link_name(pci->root, gpu->driver, address, "driver");
	if (is_spared(pci, gpu->bdf))
		gpu->driver_override[0] = '\0';
	else
		read_word(pci->root, gpu->driver_override, address, "driver_override");
	gpu->numa_node = GS_I64_UNKNOWN;
	if (gs_root_read_i64(pci->root, &gpu->numa_node.value, "sys/bus/pci/devices/%s/numa_node", address) == 0)
		gpu->numa_node.known = gpu->numa_node.value >= 0;
	if (!gpu->numa_node.known)
		gpu->numa_node = GS_I64_UNKNOWN;
	gpu->iommu_group = GS_U32_UNKNOWN;
	read_link_name(pci->root, word, address, "iommu_group");
	if (gs_parse_u32(word, 10, &group) == 0)
		gpu->iommu_group = GS_U32(group);
	return true;
}

static int gpu_compare(const void *a, const void *b)
{
	return gs_bdf_compare(((const struct gs_pci_gpu *)a)->bdf, ((const struct gs_pci_gpu *)b)->bdf);
}

/* Refresh all, and drop what is not there any more. How many were dropped. */
static size_t refresh_all(struct gs_pci *pci)
{
	size_t kept = 0, dropped;

	for (size_t i = 0; i < pci->n; i++) {
		if (refresh(pci, &pci->gpus[i]))
			pci->gpus[kept++] = pci->gpus[i];
	}
	dropped = pci->n - kept;
	pci->n = kept;
	return dropped;
}

int gs_pci_scan(struct gs_pci *pci, const struct gs_pci_gpu **ret_gpus, size_t *ret_n, struct gs_error *e)
{
	struct gs_digest signature;
	int r;

	for (int attempt = 0; attempt < TRIES; attempt++) {
		r = bus_signature(pci, &signature);
		if (r == -ENOENT) {
			*ret_gpus = NULL;
			*ret_n = 0;
			return 0;
		}
		if (r == -EBADMSG)
			return gs_error_set(e, r, GS_STATUS_FAILED, "cannot read the PCI bus: something in %s/devices is named like no PCI address", pci->path);
		if (r < 0)
			return gs_error_set(e, r, GS_STATUS_FAILED, "cannot read the PCI bus: %s/devices: %s", pci->path, strerror(-r));
		if (!gs_digest_equal(&signature, &pci->signature)) {
			r = walk_bus(pci, e);
			if (r < 0 && attempt + 1 < TRIES)
				continue;       /* something was unplugged in the middle: interfaces 0.1 */
			if (r < 0)
				return r;
			if (pci->n)
				qsort(pci->gpus, pci->n, sizeof(*pci->gpus), gpu_compare);
			pci->signature = signature;
		}
		/* one that could not be read is coming or going: it is looked at again by the next scan */
		if (pci->is_incomplete)
			pci->signature.hex[0] = '\0';
		if (!refresh_all(pci))
			break;
		pci->signature.hex[0] = '\0';
	}
	*ret_gpus = pci->gpus;
	*ret_n = pci->n;
	return 0;
}

struct lookup {
	struct pci_access *access;
	char *buf;
	size_t size;
	unsigned vendor_id, device_id;
	const char *name;
};

static void do_lookup(void *argument)
{
	struct lookup *l = argument;

	l->name = pci_lookup_name(l->access, l->buf, (int)l->size, PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS, l->vendor_id, l->device_id);
}

bool gs_pci_name(struct gs_pci *pci, uint16_t vendor_id, uint16_t device_id, char *ret_name, size_t size)
{
	char name[128];
	struct lookup l = { .buf = name, .size = sizeof(name), .vendor_id = vendor_id, .device_id = device_id };
	struct guard g;

	if (!pci->names && open_access(pci, &pci->names, NULL) < 0)
		return false;
	l.access = pci->names;
	name[0] = '\0';
	if (run_guarded(&g, do_lookup, &l) < 0 || !l.name || !name[0])
		return false;
	snprintf(ret_name, size, "%s", name);
	return true;
}
