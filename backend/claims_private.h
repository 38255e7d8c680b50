/* SPDX-License-Identifier: GPL-2.0-or-later */
/* claims_private.h - what the sources of claims share. */
#ifndef GS_BACKEND_CLAIMS_PRIVATE_H
#define GS_BACKEND_CLAIMS_PRIVATE_H

#include "backend/claims.h"
#include "backend/vm.h"
#include "base/strbuf.h"

#define GS_CLAIM_NAME 128
#define GS_CLAIM_FILE_BYTES_MAX (1u << 20)

/* How a source names what it promised. */
enum gs_claim_to {
	GS_CLAIM_TO_DEVICE,     /* a function or an mdev */
	GS_CLAIM_TO_UUID,       /* of a GPU or a MIG instance, as NVIDIA writes it */
	GS_CLAIM_TO_MINOR,      /* N of /dev/nvidiaN */
	GS_CLAIM_TO_INDEX,      /* nvidia-smi's */
	GS_CLAIM_TO_MIG,        /* some MIG instance of this machine: which is not told */
	GS_CLAIM_TO_ANY,        /* some GPU of NVIDIA's here, or all */
};

struct gs_claim {
	enum gs_claim_to to;
	struct gs_vm_device device;
	uint32_t number;
	char uuid[64];
	struct gs_u32 vf;               /* besides: virtual function of the GPU */
	char name[GS_CLAIM_NAME];       /* "slurm job 42" */
	char evidence[160];             /* "scontrol: gpu:h100:2(IDX:0-1)" */
	char same_as[80];               /* who has this in its name is the same work, running; "" */
};

struct gs_claim_list {
	struct gs_claim *items;
	size_t n, cap;
	bool is_cut;
};

/* One reading of one source. */
struct gs_claim_reader {
	struct gs_root *root;
	const char *host;
	const struct gs_claims_ops *ops;        /* may be NULL */
	struct gs_claim_list *list;
	bool is_present;
	char text[200];                         /* what is there, or why it is not */
	char notice[256];                       /* for the operator: a file that is wrong; "" */
};

struct gs_claim_source {
	const char *name;
	/* Write down what changes when the source does: gs_claims_stamp(). NULL: cannot be told. */
	void (*stamp)(struct gs_root *root, struct gs_strbuf *b);
	/* Add its claims, and say present or absent. -ENOMEM. */
	int (*read)(struct gs_claim_reader *r);
};

extern const struct gs_claim_source gs_claims_slurm, gs_claims_kubelet, gs_claims_libvirt, gs_claims_proxmox, gs_claims_docker, gs_claims_notes;

/* -ENOMEM; too many are cut and said. */
int gs_claim_list_add(struct gs_claim_list *list, const struct gs_claim *claim);
void gs_claims_present(struct gs_claim_reader *r, const char *fmt, ...) GS_PRINTF(2, 3);
void gs_claims_absent(struct gs_claim_reader *r, const char *fmt, ...) GS_PRINTF(2, 3);

/* Identity, size and time of one file or directory, "-" when it is not there. */
void gs_claims_stamp(struct gs_root *root, struct gs_strbuf *b, const char *path);

/*
 * Call @each with the names in directory @path that end with @suffix ("": all),
 * hidden ones left out, at most 1024 of them. 0, what @each returned negative,
 * or -errno when there is no such directory.
 */
int gs_claims_walk(struct gs_root *root, const char *path, const char *suffix, int (*each)(void *userdata, const char *name), void *userdata);
/* Stamp a directory and its files with that suffix. */
void gs_claims_stamp_files(struct gs_root *root, struct gs_strbuf *b, const char *path, const char *suffix);

/* "all", "0,GPU-…,1:0", as NVIDIA_VISIBLE_DEVICES has it: @claim once for each. "none" and "void" are none. -ENOMEM. */
int gs_claims_add_visible(struct gs_claim_list *list, const struct gs_claim *claim, const char *devices);

/* ---- parts of sources that read hostile text, for their tests ---- */

/* What `scontrol show job -d -o` printed: the running jobs with GPUs on @host. -ENOMEM. */
int gs_claims_slurm_parse(const char *text, const char *host, struct gs_claim_list *list);
/* What `scontrol show node -d -o` printed of one node: what it has given out, whoever has it. -ENOMEM. */
int gs_claims_slurm_parse_node(const char *text, struct gs_claim_list *list);
/* Is @host in "dgx[01-04,07],login1"? */
bool gs_claims_slurm_has_host(const char *list, const char *host);
/* A domain of libvirt: its name, and a claim for each host device. -EBADMSG when it is none. */
int gs_claims_libvirt_parse(const char *xml, size_t n, char *ret_name, size_t size, struct gs_claim_list *list);
/* A machine's configuration of Proxmox. -ENOMEM. */
int gs_claims_proxmox_parse(const char *text, const char *id, struct gs_claim_list *list);
/* kubelet's checkpoint. -EBADMSG with a sentence. */
int gs_claims_kubelet_parse(const char *bytes, size_t n, struct gs_claim_list *list, struct gs_error *e);
/* "2026-12-31": the first moment after that day, UTC. -EINVAL. */
int gs_claims_parse_day(const char *text, struct gs_wall *ret_end);

#endif
