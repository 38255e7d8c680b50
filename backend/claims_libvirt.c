/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims_libvirt.c - host devices of machines that libvirt has defined and
 * that do not run: etc/libvirt/qemu/NAME.xml (interfaces 8.3). One that runs
 * holds its devices itself. The only file that includes libxml2.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <string.h>

#include "backend/claims_private.h"
#include "base/parse.h"

#define DOMAINS "etc/libvirt/qemu"
#define RUNNING "run/libvirt/qemu"
#define DEVICES_MAX 256

static void doc_freep(xmlDoc **doc)
{
	if (*doc)
		xmlFreeDoc(*doc);
}

static void xml_freep(xmlChar **text)
{
	if (*text)
		xmlFree(*text);
}

static xmlNode *child(xmlNode *node, const char *name)
{
	for (xmlNode *c = node ? node->children : NULL; c; c = c->next)
		if (c->type == XML_ELEMENT_NODE && xmlStrEqual(c->name, (const xmlChar *)name))
			return c;
	return NULL;
}

/* "0x26", or decimal, at most @max. False when it is missing or wrong. */
static bool number(xmlNode *node, const char *key, uint32_t max, uint32_t *ret_value)
{
	GS_CLEANUP(xml_freep) xmlChar *text = xmlGetProp(node, (const xmlChar *)key);
	const char *s = (const char *)text;

	return s && gs_parse_u32(s, gs_str_starts(s, "0x") ? 16 : 10, ret_value) == 0 && *ret_value <= max;
}

/* <address domain='0x0000' bus='0x26' slot='0x00' function='0x4'/> */
static bool take_function(xmlNode *address, struct gs_claim *claim)
{
	uint32_t domain, bus, slot, function;

	if (!number(address, "domain", 0xffff, &domain) || !number(address, "bus", 0xff, &bus) || !number(address, "slot", 0x1f, &slot) ||
	    !number(address, "function", 7, &function))
		return false;
	claim->device.bdf = (struct gs_bdf){ domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function };
	return true;
}

/* <address uuid='…'/> */
static bool take_mdev(xmlNode *address, struct gs_claim *claim)
{
	GS_CLEANUP(xml_freep) xmlChar *uuid = xmlGetProp(address, (const xmlChar *)"uuid");

	return uuid && gs_vm_parse_device((const char *)uuid, &claim->device) && claim->device.mdev[0];
}

static int add_hostdev(struct gs_claim_list *list, xmlNode *hostdev, const char *name)
{
	GS_CLEANUP(xml_freep) xmlChar *type = xmlGetProp(hostdev, (const xmlChar *)"type");
	xmlNode *address = child(child(hostdev, "source"), "address");
	struct gs_claim claim = { .to = GS_CLAIM_TO_DEVICE };
	bool is_known = false;

	if (type && address && xmlStrEqual(type, (const xmlChar *)"pci"))
		is_known = take_function(address, &claim);
	else if (type && address && xmlStrEqual(type, (const xmlChar *)"mdev"))
		is_known = take_mdev(address, &claim);
	if (!is_known)
		return 0;
	snprintf(claim.name, sizeof(claim.name), "vm %.100s", name);
	snprintf(claim.evidence, sizeof(claim.evidence), "libvirt: %.100s.xml, shut off", name);
	return gs_claim_list_add(list, &claim);
}

static int add_hostdevs(struct gs_claim_list *list, xmlNode *domain, const char *name)
{
	xmlNode *devices = child(domain, "devices");
	unsigned n = 0;
	int r = 0;

	for (xmlNode *c = devices ? devices->children : NULL; c && r == 0; c = c->next) {
		if (c->type != XML_ELEMENT_NODE || !xmlStrEqual(c->name, (const xmlChar *)"hostdev"))
			continue;
		if (n++ == DEVICES_MAX) {
			list->is_cut = true;
			break;
		}
		r = add_hostdev(list, c, name);
	}
	return r;
}

int gs_claims_libvirt_parse(const char *xml, size_t n, char *ret_name, size_t size, struct gs_claim_list *list)
{
	/* no network, no entities put in, no document type: libvirt writes none, and one is how a small file becomes a big one */
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
	GS_CLEANUP(doc_freep) xmlDoc *doc = NULL;
	GS_CLEANUP(xml_freep) xmlChar *name = NULL;
	xmlNode *root;

	if (n > GS_CLAIM_FILE_BYTES_MAX || memmem(xml, n, "<!DOCTYPE", 9) || memmem(xml, n, "<!ENTITY", 8))
		return -EBADMSG;
	doc = xmlReadMemory(xml, (int)n, "domain.xml", "UTF-8", options);
	root = doc && !xmlGetIntSubset(doc) ? xmlDocGetRootElement(doc) : NULL;
	if (!root || !xmlStrEqual(root->name, (const xmlChar *)"domain") || !child(root, "name"))
		return -EBADMSG;
	name = xmlNodeGetContent(child(root, "name"));
	if (!name || !*name)
		return -EBADMSG;
	snprintf(ret_name, size, "%s", (const char *)name);
	return add_hostdevs(list, root, ret_name);
}

static void stamp(struct gs_root *root, struct gs_strbuf *b)
{
	gs_claims_stamp_files(root, b, DOMAINS, ".xml");
	/* one that starts or ends is one file more or less there */
	gs_claims_stamp(root, b, RUNNING);
}

struct reading {
	struct gs_claim_reader *r;
	size_t n, n_bad;
};

static int read_domain(void *userdata, const char *file)
{
	struct reading *g = userdata;
	struct gs_claim_list *list = g->r->list;
	GS_FREE char *xml = NULL;
	size_t n, before = list->n;
	char name[128];
	int r = gs_root_read_bytes(g->r->root, GS_CLAIM_FILE_BYTES_MAX + 1, &xml, &n, DOMAINS "/%s", file);

	g->n++;
	if (r == 0)
		r = gs_claims_libvirt_parse(xml, n, name, sizeof(name), list);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		g->n_bad++;
		list->n = before;
		return 0;
	}
	/* a name with a slash is no file's, and the machine does not run under it */
	if (!strchr(name, '/') && gs_root_exists(g->r->root, RUNNING "/%s.pid", name))
		list->n = before;
	return 0;
}

static int read_libvirt(struct gs_claim_reader *r)
{
	struct reading g = { .r = r };
	int result = gs_claims_walk(r->root, DOMAINS, ".xml", read_domain, &g);

	if (result == -ENOMEM)
		return result;
	if (result == -ENOENT || result == -ENOTDIR)
		gs_claims_absent(r, "there is no /" DOMAINS);
	else if (result < 0)
		gs_claims_absent(r, "/" DOMAINS ": %s", strerror(-result));
	else if (g.n_bad)
		gs_claims_present(r, "%zu machines defined, and %zu files that could not be read as one", g.n - g.n_bad, g.n_bad);
	else
		gs_claims_present(r, "%zu machines defined", g.n);
	return 0;
}

const struct gs_claim_source gs_claims_libvirt = { "libvirt", stamp, read_libvirt };
