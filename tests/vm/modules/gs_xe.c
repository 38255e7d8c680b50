// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gs_xe: a test-only driver called "xe" for a PF that gs_board has made an
 * Intel Flex 170: plain SR-IOV by the kernel, and the files of
 * sriov_admin (interfaces 7.1), which the kernel of this bench is too old for.
 * vfN is 1-based and there for every VF that could be, enabled or not.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>

static bool tiles_differ;
module_param(tiles_differ, bool, 0644);
MODULE_PARM_DESC(tiles_differ, "reading a quota or a time is EUCLEAN");
static bool stop_refused;
module_param(stop_refused, bool, 0644);
MODULE_PARM_DESC(stop_refused, "stopping a VF is EIO");

#define VRAM_BYTES (16ULL << 30)

enum priority { LOW, NORMAL, HIGH, N_PRIORITIES };
static const char *const priority_names[N_PRIORITIES] = { "low", "normal", "high" };

/* One of sriov_admin/.bulk_profile, pf, vf1… */
struct gs_xe_node {
	struct kobject kobj;
	struct gs_xe *xe;
	unsigned int vf;                /* 0: the PF */
	u32 exec_quantum_ms, preempt_timeout_us;
	u64 vram_quota;
	enum priority priority;
};

struct gs_xe {
	struct pci_dev *pdev;
	struct mutex lock;
	struct kobject *admin;
	struct gs_xe_node bulk;
	bool is_manual;                 /* somebody gave out memory: enabling VFs does not share it out any more */
	unsigned int n;                 /* 1 + VFs */
	struct gs_xe_node *nodes[];     /* [0] is the PF */
};

struct gs_xe_attribute {
	struct attribute attr;
	ssize_t (*show)(struct gs_xe_node *node, char *buf);
	ssize_t (*store)(struct gs_xe_node *node, const char *buf, size_t n);
};

#define XE_ATTR(variable, file, mode, show, store) \
	static struct gs_xe_attribute variable = { { #file, mode }, show, store }

static ssize_t node_show(struct kobject *k, struct attribute *a, char *buf)
{
	struct gs_xe_attribute *x = container_of(a, struct gs_xe_attribute, attr);

	return tiles_differ ? -EUCLEAN : x->show(container_of(k, struct gs_xe_node, kobj), buf);
}

static ssize_t node_store(struct kobject *k, struct attribute *a, const char *buf, size_t n)
{
	struct gs_xe_attribute *x = container_of(a, struct gs_xe_attribute, attr);
	struct gs_xe_node *node = container_of(k, struct gs_xe_node, kobj);
	ssize_t r;

	mutex_lock(&node->xe->lock);
	r = x->store(node, buf, n);
	mutex_unlock(&node->xe->lock);
	return r;
}

static const struct sysfs_ops node_ops = { .show = node_show, .store = node_store };

/* ---- times ---- */

static ssize_t exec_quantum_show(struct gs_xe_node *node, char *buf)
{
	return sysfs_emit(buf, "%u\n", node->exec_quantum_ms);
}

static ssize_t exec_quantum_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	return kstrtou32(buf, 0, &node->exec_quantum_ms) ?: n;
}

static ssize_t preempt_timeout_show(struct gs_xe_node *node, char *buf)
{
	return sysfs_emit(buf, "%u\n", node->preempt_timeout_us);
}

static ssize_t preempt_timeout_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	return kstrtou32(buf, 0, &node->preempt_timeout_us) ?: n;
}

static ssize_t bulk_exec_quantum_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	u32 value;
	int r = kstrtou32(buf, 0, &value);

	for (unsigned int i = 0; r == 0 && i < node->xe->n; i++)
		node->xe->nodes[i]->exec_quantum_ms = value;
	return r ?: n;
}

static ssize_t bulk_preempt_timeout_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	u32 value;
	int r = kstrtou32(buf, 0, &value);

	for (unsigned int i = 0; r == 0 && i < node->xe->n; i++)
		node->xe->nodes[i]->preempt_timeout_us = value;
	return r ?: n;
}

/* ---- priority: a VF cannot be high, nor can one VF be set alone ---- */

static ssize_t priority_show(struct gs_xe_node *node, char *buf)
{
	int n = 0;

	for (int i = 0; i < N_PRIORITIES - (node->vf ? 1 : 0); i++)
		n += sysfs_emit_at(buf, n, i == node->priority ? "%s[%s]" : "%s%s", n ? " " : "", priority_names[i]);
	return n + sysfs_emit_at(buf, n, "\n");
}

static ssize_t priority_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	int i = sysfs_match_string(priority_names, buf);

	if (i < 0)
		return i;
	node->priority = i;
	return n;
}

static ssize_t bulk_priority_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	int value = sysfs_match_string(priority_names, buf);

	if (value < 0)
		return value;
	for (unsigned int i = 0; i < node->xe->n; i++)
		node->xe->nodes[i]->priority = i && value == HIGH ? NORMAL : value;
	return n;
}

/* ---- memory of VFs, and stopping one ---- */

static ssize_t vram_show(struct gs_xe_node *node, char *buf)
{
	return sysfs_emit(buf, "%llu\n", node->vram_quota);
}

static ssize_t vram_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	u64 value, sum = 0;
	int r = kstrtou64(buf, 0, &value);

	if (r)
		return r;
	for (unsigned int i = 1; i < node->xe->n; i++)
		sum += i == node->vf ? value : node->xe->nodes[i]->vram_quota;
	if (value > VRAM_BYTES)
		return -EINVAL;
	if (sum > VRAM_BYTES)
		return -EIO;
	node->vram_quota = value;
	node->xe->is_manual = true;
	return n;
}

static ssize_t bulk_vram_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	u64 value;
	int r = kstrtou64(buf, 0, &value);

	if (r)
		return r;
	if (value > VRAM_BYTES)
		return -EINVAL;
	/* room for the VFs that are there, or for all that could be */
	if (value > VRAM_BYTES / (pci_num_vf(node->xe->pdev) ?: node->xe->n - 1))
		return -EIO;
	node->xe->is_manual = true;
	for (unsigned int i = 1; i < node->xe->n; i++)
		node->xe->nodes[i]->vram_quota = value;
	return n;
}

static ssize_t stop_store(struct gs_xe_node *node, const char *buf, size_t n)
{
	bool yes;
	int r = kstrtobool(buf, &yes);

	if (r || !yes)
		return -EINVAL;
	return stop_refused ? -EIO : n;
}

/* ---- the tree ---- */

XE_ATTR(exec_quantum, exec_quantum_ms, 0644, exec_quantum_show, exec_quantum_store);
XE_ATTR(preempt_timeout, preempt_timeout_us, 0644, preempt_timeout_show, preempt_timeout_store);
XE_ATTR(pf_priority, sched_priority, 0644, priority_show, priority_store);
XE_ATTR(vf_priority, sched_priority, 0444, priority_show, NULL);
XE_ATTR(vram_quota, vram_quota, 0644, vram_show, vram_store);
XE_ATTR(stop, stop, 0200, NULL, stop_store);
XE_ATTR(bulk_exec_quantum, exec_quantum_ms, 0200, NULL, bulk_exec_quantum_store);
XE_ATTR(bulk_preempt_timeout, preempt_timeout_us, 0200, NULL, bulk_preempt_timeout_store);
XE_ATTR(bulk_priority, sched_priority, 0200, NULL, bulk_priority_store);
XE_ATTR(bulk_vram, vram_quota, 0200, NULL, bulk_vram_store);

static struct attribute *pf_attributes[] = { &exec_quantum.attr, &preempt_timeout.attr, &pf_priority.attr, NULL };
static struct attribute *vf_attributes[] = { &exec_quantum.attr, &preempt_timeout.attr, &vf_priority.attr, &vram_quota.attr, NULL };
static struct attribute *vf_own_attributes[] = { &stop.attr, NULL };
static struct attribute *bulk_attributes[] = { &bulk_exec_quantum.attr, &bulk_preempt_timeout.attr, &bulk_priority.attr, &bulk_vram.attr, NULL };
static const struct attribute_group pf_profile = { .name = "profile", .attrs = pf_attributes };
static const struct attribute_group vf_profile = { .name = "profile", .attrs = vf_attributes };
static const struct attribute_group vf_own = { .attrs = vf_own_attributes };
static const struct attribute_group bulk_own = { .attrs = bulk_attributes };
static const struct attribute_group *pf_groups[] = { &pf_profile, NULL };
static const struct attribute_group *vf_groups[] = { &vf_profile, &vf_own, NULL };
static const struct attribute_group *bulk_groups[] = { &bulk_own, NULL };

static void node_release(struct kobject *k)
{
	kfree(container_of(k, struct gs_xe_node, kobj));
}

static void bulk_release(struct kobject *k)
{
}

static struct kobj_type pf_type = { .release = node_release, .sysfs_ops = &node_ops, .default_groups = pf_groups };
static struct kobj_type vf_type = { .release = node_release, .sysfs_ops = &node_ops, .default_groups = vf_groups };
static struct kobj_type bulk_type = { .release = bulk_release, .sysfs_ops = &node_ops, .default_groups = bulk_groups };

static int add_node(struct gs_xe *xe, unsigned int i)
{
	struct gs_xe_node *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int r;

	if (!node)
		return -ENOMEM;
	node->xe = xe;
	node->vf = i;
	if (i == 0)
		r = kobject_init_and_add(&node->kobj, &pf_type, xe->admin, "pf");
	else
		r = kobject_init_and_add(&node->kobj, &vf_type, xe->admin, "vf%u", i);
	if (r == 0 && i == 0)
		r = sysfs_create_link(&node->kobj, &xe->pdev->dev.kobj, "device");
	if (r) {
		kobject_put(&node->kobj);
		return r;
	}
	xe->nodes[i] = node;
	return 0;
}

static void remove_tree(struct gs_xe *xe)
{
	for (unsigned int i = 0; i < xe->n; i++) {
		if (xe->nodes[i])
			kobject_put(&xe->nodes[i]->kobj);
	}
	if (xe->bulk.kobj.state_initialized)
		kobject_put(&xe->bulk.kobj);
	kobject_put(xe->admin);
}

static int add_tree(struct gs_xe *xe)
{
	int r;

	xe->admin = kobject_create_and_add("sriov_admin", &xe->pdev->dev.kobj);
	if (!xe->admin)
		return -ENOMEM;
	xe->bulk.xe = xe;
	r = kobject_init_and_add(&xe->bulk.kobj, &bulk_type, xe->admin, ".bulk_profile");
	for (unsigned int i = 0; r == 0 && i < xe->n; i++)
		r = add_node(xe, i);
	if (r)
		remove_tree(xe);
	return r;
}

/* ---- virtual functions ---- */

static void unlink_vfs(struct gs_xe *xe)
{
	for (unsigned int i = 1; i < xe->n; i++)
		sysfs_remove_link(&xe->nodes[i]->kobj, "device");
}

static void link_vfs(struct gs_xe *xe)
{
	struct pci_dev *vf = NULL;

	for_each_pci_dev(vf) {
		if (!vf->is_virtfn || vf->physfn != xe->pdev)
			continue;
		if (sysfs_create_link(&xe->nodes[pci_iov_vf_id(vf) + 1]->kobj, &vf->dev.kobj, "device"))
			pci_warn(vf, "no link from sriov_admin\n");
	}
}

/* Equal shares of the memory, unless somebody has given it out already (interfaces 7.1). */
static void share_memory(struct gs_xe *xe, unsigned int n)
{
	if (xe->is_manual)
		return;
	for (unsigned int i = 1; i < xe->n; i++)
		xe->nodes[i]->vram_quota = i <= n ? VRAM_BYTES / n : 0;
}

static int configure(struct pci_dev *pdev, int n)
{
	struct gs_xe *xe = pci_get_drvdata(pdev);
	int r;

	if (n == 0)
		unlink_vfs(xe);
	r = pci_sriov_configure_simple(pdev, n);
	if (r >= 0)
		share_memory(xe, n);
	if (r > 0)
		link_vfs(xe);
	return r;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	unsigned int n = 1 + pci_sriov_get_totalvfs(pdev);
	struct gs_xe *xe;
	int r;

	if (pdev->is_virtfn)
		return 0;               /* as the real driver, which can use one itself */
	if (n == 1)
		return -ENODEV;
	xe = kzalloc(struct_size(xe, nodes, n), GFP_KERNEL);
	if (!xe)
		return -ENOMEM;
	xe->pdev = pdev;
	xe->n = n;
	mutex_init(&xe->lock);
	r = add_tree(xe);
	if (r) {
		kfree(xe);
		return r;
	}
	pci_set_drvdata(pdev, xe);
	pr_info("[drm] Initialized xe 1.1.0 for %s on minor 1\n", pci_name(pdev));
	return 0;
}

static void remove(struct pci_dev *pdev)
{
	struct gs_xe *xe = pci_get_drvdata(pdev);

	if (pdev->is_virtfn)
		return;
	if (pci_num_vf(pdev)) {
		unlink_vfs(xe);
		pci_disable_sriov(pdev);
	}
	remove_tree(xe);
	kfree(xe);
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(PCI_VENDOR_ID_INTEL, 0x56c0) }, { } };
static struct pci_driver gs_xe_driver = { .name = "xe", .id_table = ids, .probe = probe, .remove = remove, .sriov_configure = configure };
module_pci_driver(gs_xe_driver);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("gpuslice tests: sriov_admin as xe shows it");
