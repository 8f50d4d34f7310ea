// SPDX-License-Identifier: GPL-2.0-only
/* The memory of a device: address spaces and on-chip memory. */
#include <linux/slab.h>

#include "npu_mem.h"
#include "npu_residency.h"
#include "npu_vm.h"

/**
 * npu_mem_init() - prepare the memory of a device
 * @npu: the device
 *
 * Return: 0 or a negative errno.
 */
int npu_mem_init(struct npu_device *npu)
{
	struct npu_mem *mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	int ret;

	if (!mem)
		return -ENOMEM;
	mem->npu = npu;
	mutex_init(&mem->vms_lock);
	mutex_init(&mem->sram_lock);
	INIT_LIST_HEAD(&mem->vms);
	init_waitqueue_head(&mem->still);
	npu_users_init(&mem->users);
	npu->mem = mem;
	ret = -ENOMEM;
	mem->queue = alloc_workqueue("npu-move", WQ_UNBOUND, 0);
	if (!mem->queue)
		goto err_free;
	ret = npu_residency_init(npu);
	if (ret)
		goto err_queue;
	return 0;

err_queue:
	destroy_workqueue(mem->queue);
err_free:
	npu_users_fini(&mem->users);
	mutex_destroy(&mem->sram_lock);
	mutex_destroy(&mem->vms_lock);
	kfree(mem);
	return ret;
}

/**
 * npu_mem_fini() - undo npu_mem_init()
 * @npu: the device, which has no buffers any more
 */
void npu_mem_fini(struct npu_device *npu)
{
	npu_residency_fini(npu);
	destroy_workqueue(npu->mem->queue);
	npu_users_fini(&npu->mem->users);
	mutex_destroy(&npu->mem->sram_lock);
	mutex_destroy(&npu->mem->vms_lock);
	kfree(npu->mem);
}

/**
 * npu_mem_unplug() - let go of the backend
 * @npu: the device, whose cores start nothing any more
 */
void npu_mem_unplug(struct npu_device *npu)
{
	struct npu_vm *vm;

	npu_residency_unplug(npu);
	mutex_lock(&npu->mem->vms_lock);
	list_for_each_entry(vm, &npu->mem->vms, link)
		npu_vm_unplug(vm);
	mutex_unlock(&npu->mem->vms_lock);
}
