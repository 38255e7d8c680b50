/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims_kubelet.c - devices that the kubelet has given to pods: the device
 * manager's checkpoint. The pod-resources socket tells the same in gRPC, which
 * is not spoken here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/claims_private.h"
#include "base/parse.h"
#include "codec/json.h"

#define CHECKPOINT "var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"
#define ENTRIES_MAX 4096
#define POD_SHOWN 8

/* "GPU-…", "MIG-…", "GPU-…::3" of a GPU that is shared in time; other plugins give addresses of functions. */
static int add_device(struct gs_claim_list *list, const struct gs_claim *claim, const char *id)
{
	struct gs_claim one = *claim;
	const char *replica = strstr(id, "::");
	size_t n = replica ? (size_t)(replica - id) : strlen(id);

	if (!n || n >= sizeof(one.uuid))
		return 0;
	one.to = GS_CLAIM_TO_UUID;
	memcpy(one.uuid, id, n);
	one.uuid[n] = '\0';
	return gs_claim_list_add(list, &one);
}

static int add_devices(struct gs_claim_list *list, const struct gs_claim *claim, struct json_object *ids)
{
	size_t n = json_object_is_type(ids, json_type_array) ? json_object_array_length(ids) : 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct json_object *id = json_object_array_get_idx(ids, i);

		if (json_object_is_type(id, json_type_string))
			r = add_device(list, claim, json_object_get_string(id));
	}
	return r;
}

/* Whose devices are not of a GPU is not ours to show: "intel.com/sriov_netdevice". */
static bool is_gpu_resource(const char *name)
{
	static const char *const parts[] = { "gpu", "mig-", "xe", "i915", "nvidia.com/", "vgpu" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(parts); i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

static int add_entry(struct gs_claim_list *list, struct json_object *entry, struct gs_error *e)
{
	const char *pod = NULL, *container = NULL, *resource = NULL;
	struct json_object *ids = NULL;
	struct gs_claim claim = { 0 };
	int r;

	if (!json_object_is_type(entry, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "an entry is no object");
	r = gs_json_get_string(entry, "PodUID", &pod, e);
	if (r == 0)
		r = gs_json_get_string(entry, "ContainerName", &container, e);
	if (r == 0)
		r = gs_json_get_string(entry, "ResourceName", &resource, e);
	if (r < 0 || !pod || !resource || !is_gpu_resource(resource) || !json_object_object_get_ex(entry, "DeviceIDs", &ids))
		return r;
	snprintf(claim.name, sizeof(claim.name), "pod %.40s%s%.60s", pod, container ? " container " : "", container ? container : "");
	snprintf(claim.evidence, sizeof(claim.evidence), "kubelet checkpoint: %.100s", resource);
	if (strlen(pod) >= POD_SHOWN)
		snprintf(claim.same_as, sizeof(claim.same_as), "pod %.*s", POD_SHOWN, pod);
	if (!json_object_is_type(ids, json_type_object))
		return add_devices(list, &claim, ids);
	/* newer ones list them by NUMA node */
	json_object_object_foreach(ids, node, of_node) {
		(void)node;
		r = r < 0 ? r : add_devices(list, &claim, of_node);
	}
	return r;
}

int gs_claims_kubelet_parse(const char *bytes, size_t n, struct gs_claim_list *list, struct gs_error *e)
{
	GS_JSON struct json_object *file = NULL;
	struct json_object *data = NULL, *entries = NULL;
	int r = gs_json_parse(bytes, n, "/" CHECKPOINT, &file, e);

	if (r < 0)
		return r;
	if (!json_object_is_type(file, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "/" CHECKPOINT " is no object");
	r = gs_json_get_object(file, "Data", &data, e);
	if (r == 0 && data)
		r = gs_json_get_array(data, "PodDeviceEntries", &entries, e);
	for (size_t i = 0; r == 0 && entries && i < json_object_array_length(entries); i++) {
		if (i == ENTRIES_MAX) {
			list->is_cut = true;
			break;
		}
		r = add_entry(list, json_object_array_get_idx(entries, i), e);
	}
	return r;
}

static void stamp(struct gs_root *root, struct gs_strbuf *b)
{
	gs_claims_stamp(root, b, CHECKPOINT);
	/* a pod's socket comes and goes with the kubelet */
	gs_strbuf_puts(b, gs_root_exists(root, "var/lib/kubelet/pod-resources/kubelet.sock") ? "socket\n" : "");
}

static int read_kubelet(struct gs_claim_reader *r)
{
	GS_FREE char *bytes = NULL;
	struct gs_error e = { 0 };
	size_t n = 0;
	int result = gs_root_read_bytes(r->root, GS_CLAIM_FILE_BYTES_MAX, &bytes, &n, CHECKPOINT);

	if (result == -ENOMEM)
		return result;
	if (result == -ENOENT || result == -ENOTDIR) {
		gs_claims_absent(r, "there is no kubelet checkpoint%s",
				 gs_root_exists(r->root, "var/lib/kubelet/pod-resources/kubelet.sock") ? ", and the pod-resources socket speaks gRPC, which is not asked" : "");
		return 0;
	}
	if (result < 0) {
		gs_claims_absent(r, "/" CHECKPOINT ": %s", strerror(-result));
		return 0;
	}
	result = gs_claims_kubelet_parse(bytes, n, r->list, &e);
	if (result == -ENOMEM)
		return result;
	if (result < 0)
		gs_claims_absent(r, "/" CHECKPOINT " is not understood: %.80s", e.text);
	else
		gs_claims_present(r, "device checkpoint; the pod-resources socket, which speaks gRPC, is not asked");
	return 0;
}

const struct gs_claim_source gs_claims_kubelet = { "kubelet", stamp, read_kubelet };
