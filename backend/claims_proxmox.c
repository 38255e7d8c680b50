/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims_proxmox.c - host devices of Proxmox machines that do not run:
 * etc/pve/qemu-server/VMID.conf, lines "hostpciN: 0000:26:00.4,pcie=1"
 * (interfaces 8.3). What follows a line in brackets is an old state of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/claims_private.h"
#include "base/parse.h"

#define MACHINES "etc/pve/qemu-server"
#define RUNNING "run/qemu-server"

/* "0000:26:00.4", "26:00" (every function of it: the first one is the GPU) */
static int add_address(struct gs_claim_list *list, const struct gs_claim *claim, const char *text)
{
	struct gs_claim one = *claim;
	char whole[40];

	if (gs_bdf_parse(text, &one.device.bdf) == 0)
		return gs_claim_list_add(list, &one);
	snprintf(whole, sizeof(whole), "%.32s.0", text);
	return gs_bdf_parse(whole, &one.device.bdf) == 0 ? gs_claim_list_add(list, &one) : 0;
}

/* "host=0000:26:00.4;0000:26:00.5,mdev=nvidia-558": several addresses, then properties */
static int add_hostpci(struct gs_claim_list *list, const struct gs_claim *claim, const char *value)
{
	char key[32], addresses[512];
	const char *at = value;
	int r = 0;

	while (r == 0 && gs_vm_next_option(&at, "host", key, sizeof(key), addresses, sizeof(addresses))) {
		if (strcmp(key, "host") != 0)
			continue;
		for (char *p = addresses, *next; p && r == 0; p = next) {
			next = strchr(p, ';');
			if (next)
				*next++ = '\0';
			r = add_address(list, claim, p);
		}
	}
	return r;
}

/* "hostpci0: …": what follows the number and the colon, or NULL. */
static const char *hostpci_value(const char *line)
{
	const char *p;
	size_t n;

	if (!gs_str_starts(line, "hostpci"))
		return NULL;
	p = line + strlen("hostpci");
	n = strspn(p, "0123456789");
	if (!n || p[n] != ':')
		return NULL;
	p += n + 1;
	return p + strspn(p, " \t");
}

static int parse_line(const char *line, const char *id, struct gs_claim_list *list)
{
	struct gs_claim claim = { .to = GS_CLAIM_TO_DEVICE };
	const char *value = hostpci_value(line);

	if (!value)
		return 0;
	snprintf(claim.name, sizeof(claim.name), "vm %.32s", id);
	snprintf(claim.evidence, sizeof(claim.evidence), "proxmox: %.32s.conf, shut off", id);
	return add_hostpci(list, &claim, value);
}

int gs_claims_proxmox_parse(const char *text, const char *id, struct gs_claim_list *list)
{
	int r = 0;

	while (*text && *text != '[' && r == 0) {
		size_t n = strcspn(text, "\r\n");
		char line[512];

		if (n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = '\0';
			r = parse_line(line, id, list);
		}
		text += n;
		text += strspn(text, "\r\n");
	}
	return r;
}

static void stamp(struct gs_root *root, struct gs_strbuf *b)
{
	gs_claims_stamp_files(root, b, MACHINES, ".conf");
	gs_claims_stamp(root, b, RUNNING);
}

struct reading {
	struct gs_claim_reader *r;
	size_t n;
};

static int read_machine(void *userdata, const char *file)
{
	struct reading *g = userdata;
	GS_FREE char *text = NULL;
	char id[32];
	size_t n;

	if (strlen(file) - strlen(".conf") >= sizeof(id))
		return 0;
	snprintf(id, sizeof(id), "%.*s", (int)(strlen(file) - strlen(".conf")), file);
	if (gs_root_read_bytes(g->r->root, GS_CLAIM_FILE_BYTES_MAX, &text, &n, MACHINES "/%s", file) < 0)
		return 0;
	g->n++;
	if (gs_root_exists(g->r->root, RUNNING "/%s.pid", id))
		return 0;
	return gs_claims_proxmox_parse(text, id, g->r->list);
}

static int read_proxmox(struct gs_claim_reader *r)
{
	struct reading g = { .r = r };
	int result = gs_claims_walk(r->root, MACHINES, ".conf", read_machine, &g);

	if (result == -ENOMEM)
		return result;
	if (result == -ENOENT || result == -ENOTDIR)
		gs_claims_absent(r, "there is no /" MACHINES);
	else if (result < 0)
		gs_claims_absent(r, "/" MACHINES ": %s", strerror(-result));
	else
		gs_claims_present(r, "%zu machines defined", g.n);
	return 0;
}

const struct gs_claim_source gs_claims_proxmox = { "proxmox", stamp, read_proxmox };
