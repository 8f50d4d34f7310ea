// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DRM driver: device, open files, ioctl table.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#include "../../compat.h"
#include "../exec/npu_client.h"
#include "../exec/npu_dispatch.h"
#include "../exec/npu_dump.h"
#include "../exec/npu_errors.h"
#include "../exec/npu_hold.h"
#include "../exec/npu_longest.h"
#include "../include/npu_device.h"
#include "../include/npu_family.h"
#include "../include/npu_isa.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_mem.h"
#include "../mem/npu_residency.h"
#include "../mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_api.h"
#include "npu_fdinfo.h"

static int npu_open(struct drm_device *dev, struct drm_file *file)
{
	struct npu_device *npu = to_npu_device(dev);
	struct npu_file *nfile;
	int ret, idx;

	nfile = kzalloc(sizeof(*nfile), GFP_KERNEL_ACCOUNT);
	if (!nfile)
		return -ENOMEM;

	ret = -ENODEV;
	if (!drm_dev_enter(dev, &idx))
		goto err_free;
	nfile->vm = npu_vm_create(npu);
	drm_dev_exit(idx);
	ret = PTR_ERR_OR_ZERO(nfile->vm);
	if (ret)
		goto err_free;
	ret = -ENOMEM;
	nfile->client = npu_client_create(nfile->vm, file->client_id);
	if (!nfile->client)
		goto err_vm;

	nfile->npu = npu;
	mutex_init(&nfile->lock);
	xa_init_flags(&nfile->contexts, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&nfile->jobs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->driver_priv = nfile;
	atomic_inc(&npu->files);
	return 0;

err_vm:
	npu_vm_put(nfile->vm);
err_free:
	kfree(nfile);
	return ret;
}

static void npu_postclose(struct drm_device *dev, struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	const struct npu_family *family = nfile->npu->desc.family;

	atomic_dec(&nfile->npu->files);
	npu_contexts_release(nfile);
	npu_jobs_release(nfile);
	if (family->release)
		family->release(nfile);
	npu_client_put(nfile->client);
	npu_vm_put(nfile->vm);
	mutex_destroy(&nfile->lock);
	kfree(nfile);
}

/*
 * Calls of the DRM core that must not reach it: GET_UNIQUE and GET_MAGIC use
 * the master of the file, which an accel node does not have, and crash; global
 * names would let any client open any buffer.
 */
static int npu_ioctl_refused(unsigned int cmd)
{
	/* The DRM core looks at the number only, in a 32 bit call. */
	if (_IOC_TYPE(cmd) != DRM_IOCTL_BASE)
		return -ENOTTY;
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(DRM_IOCTL_GET_UNIQUE):
	case _IOC_NR(DRM_IOCTL_GET_MAGIC):
	case _IOC_NR(DRM_IOCTL_GEM_FLINK):
	case _IOC_NR(DRM_IOCTL_GEM_OPEN):
		return -EACCES;
	default:
		return 0;
	}
}

static long npu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return npu_ioctl_refused(cmd) ?: drm_ioctl(filp, cmd, arg);
}

#ifdef CONFIG_COMPAT
static long npu_compat_ioctl(struct file *filp, unsigned int cmd,
			     unsigned long arg)
{
	return npu_ioctl_refused(cmd) ?: drm_compat_ioctl(filp, cmd, arg);
}
#endif

/* Pages of contexts lie below the offsets of buffers. */
static int npu_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct drm_file *file = filp->private_data;

	if (vma->vm_pgoff <= NPU_MAX_CONTEXTS)
		return npu_context_mmap(file->driver_priv, vma);
	return drm_gem_mmap(filp, vma);
}

static const struct file_operations npu_fops = {
	.owner = THIS_MODULE,
	.open = npu_node_open,
	.release = drm_release,
	.unlocked_ioctl = npu_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl = npu_compat_ioctl,
#endif
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = npu_mmap,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

/* Every client may make every call, on a render node too. */
#define NPU_IOCTL(name, func) DRM_IOCTL_DEF_DRV(name, func, DRM_RENDER_ALLOW)

/* Numbers below NPU_FAMILY_IOCTLS are free here. */
static const struct drm_ioctl_desc npu_ioctls[] = {
	NPU_IOCTL(NPU_QUERY, npu_query_ioctl),
	NPU_IOCTL(NPU_BO_CREATE, npu_bo_create_ioctl),
	NPU_IOCTL(NPU_CONTEXT_CREATE, npu_context_create_ioctl),
	NPU_IOCTL(NPU_CONTEXT_DESTROY, npu_context_destroy_ioctl),
	NPU_IOCTL(NPU_JOB_CREATE, npu_job_create_ioctl),
	NPU_IOCTL(NPU_JOB_DESTROY, npu_job_destroy_ioctl),
	NPU_IOCTL(NPU_JOB_SUBMIT, npu_job_submit_ioctl),
	NPU_IOCTL(NPU_JOB_WAIT, npu_job_wait_ioctl),
	NPU_IOCTL(NPU_JOB_CANCEL, npu_job_cancel_ioctl),
	NPU_IOCTL(NPU_BO_WAIT, npu_bo_wait_ioctl),
	NPU_IOCTL(NPU_BO_RESIDENCY, npu_bo_residency_ioctl),
	NPU_IOCTL(NPU_CONTEXT_SET, npu_context_set_ioctl),
	NPU_IOCTL(NPU_BO_SYNC, npu_bo_sync_ioctl),
};

static const struct drm_driver npu_driver = {
	.driver_features = NPU_DRIVER_NODE | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = npu_open,
	.postclose = npu_postclose,
	.gem_create_object = npu_gem_create_object,
	.prime_handle_to_fd = npu_prime_handle_to_fd,
	.gem_prime_import_sg_table = npu_gem_import_sg_table,
	.show_fdinfo = npu_show_fdinfo,
	.fops = &npu_fops,
	.desc = "NPU with jobs, contexts and residency",
};

/* The DRM driver of @family, filled in the first time. */
static const struct drm_driver *npu_family_driver(struct npu_family *family)
{
	static DEFINE_MUTEX(lock);
	struct drm_driver driver = npu_driver;
	unsigned int i;

	static_assert(ARRAY_SIZE(npu_ioctls) <= NPU_FAMILY_TABLE);
	mutex_lock(&lock);
	if (!family->driver.fops) {
		for (i = 0; i < ARRAY_SIZE(npu_ioctls); i++)
			family->table[i] = npu_ioctls[i];
		for (i = 0; i < min(family->ioctl_count, NPU_FAMILY_IOCTLS); i++)
			family->table[i] = family->ioctls[i];
		driver.ioctls = family->table;
		driver.num_ioctls = ARRAY_SIZE(npu_ioctls);
		driver.name = family->driver.name;
		driver.major = family->driver.major;
		driver.minor = family->driver.minor;
		family->driver = driver;
	}
	mutex_unlock(&lock);
	return &family->driver;
}

/* How many objects of each kind are alive, for tests that look for leaks. */
static int npu_debugfs_objects(struct seq_file *m, void *data)
{
	struct drm_debugfs_entry *entry = m->private;
	struct npu_device *npu = to_npu_device(entry->dev);
	struct npu_vm *vm;
	unsigned int vms = 0;

	mutex_lock(&npu->mem->vms_lock);
	list_for_each_entry(vm, &npu->mem->vms, link)
		vms++;
	mutex_unlock(&npu->mem->vms_lock);

	seq_printf(m, "address_spaces %u\n", vms);
	seq_printf(m, "buffers %d\n", atomic_read(&npu->buffer_objects));
	seq_printf(m, "contexts %d\n", atomic_read(&npu->context_objects));
	seq_printf(m, "jobs %d\n", atomic_read(&npu->job_objects));
	seq_printf(m, "bytes %lld\n", atomic64_read(&npu->used));
	return 0;
}

static void npu_device_fini(struct drm_device *drm, void *data)
{
	struct npu_device *npu = data;

	npu_exec_fini(npu);
	npu_mem_fini(npu);
}

/* Does @desc keep to what npu_hw.h says? */
static bool npu_desc_valid(const struct npu_hw_desc *desc)
{
	const struct npu_hw_ops *ops = desc->ops;
	bool direct = !ops->vm_create;

	if (!desc->core_count || desc->core_count > NPU_MAX_CORES)
		return false;
	/* Address spaces come with all operations or without any. */
	if (!ops->vm_destroy != direct || !ops->vm_map != direct ||
	    !ops->vm_unmap != direct || !ops->attach != direct)
		return false;
	return !direct || (desc->family->isa->bounded && !desc->sram[0].size);
}

/**
 * npu_device_create() - prepare a device
 * @parent: the hardware's device
 * @desc: its description, which is copied
 * @hw: handed to the operations
 *
 * Return: the device, which goes with the last reference, or an ERR_PTR().
 */
struct npu_device *npu_device_create(struct device *parent,
				     const struct npu_hw_desc *desc, void *hw)
{
	struct npu_device *npu;
	int ret;

	if (!npu_desc_valid(desc))
		return ERR_PTR(-EINVAL);

	npu = devm_drm_dev_alloc(parent, npu_family_driver(desc->family),
				 struct npu_device, drm);
	if (IS_ERR(npu))
		return npu;

	npu->desc = *desc;
	npu->scaled = desc->ops->clock_hz;
	npu->direct = !desc->ops->vm_create;
	strscpy(npu->name, desc->name);
	npu->hw = hw;
	npu->core_count = desc->core_count;

	ret = npu_mem_init(npu);
	if (ret)
		return ERR_PTR(ret);
	ret = npu_exec_init(npu);
	if (ret)
		goto err_mem;
	ret = drmm_add_action_or_reset(&npu->drm, npu_device_fini, npu);
	if (ret)
		return ERR_PTR(ret);

	drm_debugfs_add_file(&npu->drm, "objects", npu_debugfs_objects, NULL);
	npu_errors_debugfs_init(npu);
	npu_hold_debugfs_init(npu);
	npu_longest_debugfs_init(npu);
	npu_fault_debugfs_init(npu);
	return npu;

err_mem:
	npu_mem_fini(npu);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(npu_device_create);

/**
 * npu_device_register() - let clients in
 * @npu: the device
 *
 * Return: 0 or a negative errno.
 */
int npu_device_register(struct npu_device *npu)
{
	int ret = drm_dev_register(&npu->drm, 0);

	if (!ret)
		npu_errors_register(npu);
	return ret;
}
EXPORT_SYMBOL_GPL(npu_device_register);

/**
 * npu_device_unplug() - the hardware goes away while clients may still use it
 * @npu: the device
 *
 * Jobs end with ENODEV, calls answer ENODEV, and none of the backend's
 * operations is called after it: the dispatcher is dead and calls none on cores,
 * and the page tables of all address spaces have been destroyed.
 */
void npu_device_unplug(struct npu_device *npu)
{
	npu_errors_unregister(npu);
	drm_dev_unplug(&npu->drm);
	npu_exec_unplug(npu);
	npu_dump_flush(npu);
	npu_mem_unplug(npu);
}
EXPORT_SYMBOL_GPL(npu_device_unplug);

static void __exit npu_exit(void)
{
	/* Fences drop their references to the module in RCU callbacks. */
	rcu_barrier();
	npu_errors_exit();
}
module_exit(npu_exit);

MODULE_AUTHOR("accel-npu maintainers");
MODULE_DESCRIPTION("NPU jobs, contexts and memory on drivers/accel");
MODULE_LICENSE("GPL");
