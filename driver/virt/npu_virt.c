// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual NPU: three cores, each a thread that runs the model of an RKNN
 * core on the very streams the hardware would get.
 */
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../core/npu_hw.h"
#include "../model/npu_model.h"
#include "../rknn/rknn_regs.h"
#include "npu_accel.h"
#include "npu_virt_vm.h"

#define NPU_VIRT_CORES_MAX	3

static unsigned int cores = NPU_VIRT_CORES_MAX;
module_param(cores, uint, 0444);
MODULE_PARM_DESC(cores, "Number of cores, 1 to 3 (default 3)");

static unsigned int clock_mhz = 1000;
module_param(clock_mhz, uint, 0444);
MODULE_PARM_DESC(clock_mhz, "Modelled clock in MHz, 1 to 10000 (default 1000)");

static unsigned int core_mbps = 10600;
module_param(core_mbps, uint, 0444);
MODULE_PARM_DESC(core_mbps, "Modelled bandwidth of one core in MB/s (default 10600)");

static unsigned int total_mbps = 28000;
module_param(total_mbps, uint, 0444);
MODULE_PARM_DESC(total_mbps, "Modelled bandwidth of all cores in MB/s (default 28000)");

static unsigned int task_ns = 4000;
module_param(task_ns, uint, 0444);
MODULE_PARM_DESC(task_ns, "Modelled start-up of a task in ns (default 4000)");

/* Long, since a busy or emulated host computes slowly. */
static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "A core without progress for so long is reset (default 10000)");

/**
 * struct npu_virt_core - a core and its thread
 */
struct npu_virt_core {
	/** @virt: The device. */
	struct npu_virt *virt;
	/** @index: Number of the core. */
	unsigned int index;
	/** @model: The model; the thread's while @running. */
	struct npu_model_core *model;
	/** @vm: Address space; changes only while the core is idle. */
	struct npu_virt_vm *vm;
	/** @worker: The thread. */
	struct kthread_worker *worker;
	/** @work: A run of the model. */
	struct kthread_work work;
	/** @lane: What to run. */
	struct npu_hw_lane lane;
	/** @stop: The run is to be abandoned. */
	bool stop;
	/** @transfers: Bus transfers so far, as a sign of life. */
	u64 transfers;
};

/**
 * struct npu_virt - a virtual device
 */
struct npu_virt {
	/** @npu: The device in the core. */
	struct npu_device *npu;
	/** @desc: Its description. */
	struct npu_hw_desc desc;
	/** @dev: The platform device. */
	struct device *dev;
	/** @cores: The cores. */
	struct npu_virt_core cores[NPU_VIRT_CORES_MAX];
};

static int npu_virt_transfer(struct npu_virt_core *core, u32 addr, void *data,
			     u32 len, bool write)
{
	WRITE_ONCE(core->transfers, core->transfers + 1);
	cond_resched();
	if (READ_ONCE(core->stop) || !core->vm)
		return -EIO;
	return npu_virt_vm_access(core->vm, addr, data, len, write);
}

static int npu_virt_read(void *host, u32 addr, void *dst, u32 len)
{
	return npu_virt_transfer(host, addr, dst, len, false);
}

static int npu_virt_write(void *host, u32 addr, const void *src, u32 len)
{
	/* Not written to: the access goes the other way. */
	return npu_virt_transfer(host, addr, (void *)src, len, true);
}

/* Start the model as mainline's driver starts the hardware. */
static void npu_virt_start(struct npu_virt_core *core)
{
	const struct npu_hw_lane *lane = &core->lane;
	struct npu_model_core *model = core->model;
	u32 pointer = RKNN_S_POINTER_PING_PONG |
		      RKNN_S_POINTER_CORE(core->index);

	model->active_cores = lane->job_lanes;
	npu_model_write_reg(model, RKNN_PC_BASE_ADDRESS,
			    RKNN_PC_BASE_ADDRESS_SLAVE);
	npu_model_write_reg(model, RKNN_CNA_S_POINTER, pointer);
	npu_model_write_reg(model, RKNN_CORE_S_POINTER, pointer);
	/* Streams may set it, but only to this, so that no client depends on it. */
	npu_model_write_reg(model, RKNN_DPU_S_POINTER, RKNN_S_POINTER_PING_PONG);
	npu_model_write_reg(model, RKNN_PC_BASE_ADDRESS, lane->stream);
	npu_model_write_reg(model, RKNN_PC_REGISTER_AMOUNTS,
			    (lane->stream_words + 1) / 2 - 1);
	npu_model_write_reg(model, RKNN_PC_INTERRUPT_MASK, RKNN_INT_DPU);
	npu_model_write_reg(model, RKNN_PC_INTERRUPT_CLEAR, RKNN_INT_DPU);
	npu_model_write_reg(model, RKNN_PC_TASK_CON,
			    RKNN_PC_TASK_CON_RESERVED |
			    RKNN_PC_TASK_CON_COUNT_CLEAR |
			    RKNN_PC_TASK_CON_PP_EN | lane->task_count);
	npu_model_write_reg(model, RKNN_PC_TASK_DMA_BASE_ADDR, 0);
	npu_model_write_reg(model, RKNN_PC_OPERATION_ENABLE, 1);
}

/* What the run has added to the statistics of the model. */
static void npu_virt_account(struct npu_hw_result *result,
			     const struct npu_model_stats *before,
			     const struct npu_model_stats *after)
{
	result->tasks = after->tasks - before->tasks;
	result->device_ns = after->busy_ns - before->busy_ns;
	result->read_bytes = after->read_bytes - before->read_bytes;
	result->written_bytes = after->written_bytes - before->written_bytes;
}

static void npu_virt_run(struct kthread_work *work)
{
	struct npu_virt_core *core = container_of(work, struct npu_virt_core,
						  work);
	struct npu_model_core *model = core->model;
	struct device *dev = core->virt->dev;
	struct npu_model_stats before = model->stats;
	struct npu_hw_result result = {};
	enum npu_model_status status;

	npu_virt_start(core);
	status = npu_model_run(model);
	npu_virt_account(&result, &before, &model->stats);

	switch (status) {
	case NPU_MODEL_DONE:
		npu_model_write_reg(model, RKNN_PC_INTERRUPT_MASK, 0);
		npu_model_write_reg(model, RKNN_PC_INTERRUPT_CLEAR,
				    RKNN_INT_CLEARABLE);
		break;
	case NPU_MODEL_FAULT:
		if (READ_ONCE(core->stop))
			return;
		dev_dbg(dev, "core %u: no memory at %#x\n", core->index,
			model->fault_addr);
		result.error = -EFAULT;
		break;
	case NPU_MODEL_UNSUPPORTED:
		dev_dbg(dev, "core %u: register %#x = %#x is not modelled\n",
			core->index, model->error_reg, model->error_value);
		result.error = -EOPNOTSUPP;
		break;
	case NPU_MODEL_HUNG:
		/* As the hardware: no interrupt, until the watchdog looks. */
		dev_dbg(dev, "core %u: hangs on register %#x = %#x\n",
			core->index, model->error_reg, model->error_value);
		return;
	}
	npu_core_done(core->virt->npu, core->index, &result);
}

static void *npu_virt_vm_create_op(void *hw)
{
	return npu_virt_vm_create();
}

static void npu_virt_vm_destroy_op(void *hw, void *vm)
{
	npu_virt_vm_destroy(vm);
}

static int npu_virt_vm_map_op(void *hw, void *vm, u64 addr,
			      struct sg_table *sgt, bool writable)
{
	return npu_virt_vm_map(vm, addr, sgt, writable);
}

static void npu_virt_vm_unmap_op(void *hw, void *vm, u64 addr, u64 size)
{
	npu_virt_vm_unmap(vm, addr, size);
}

static int npu_virt_attach(void *hw, unsigned int index, void *vm)
{
	struct npu_virt *virt = hw;

	virt->cores[index].vm = vm;
	return 0;
}

static void npu_virt_reset(void *hw, unsigned int index)
{
	struct npu_virt *virt = hw;
	struct npu_virt_core *core = &virt->cores[index];

	WRITE_ONCE(core->stop, true);
	kthread_flush_work(&core->work);
	WRITE_ONCE(core->stop, false);
	npu_model_reset(core->model);
}

static void npu_virt_kick(void *hw, unsigned int index,
			  const struct npu_hw_lane *lane)
{
	struct npu_virt *virt = hw;
	struct npu_virt_core *core = &virt->cores[index];

	core->lane = *lane;
	kthread_queue_work(core->worker, &core->work);
}

static u64 npu_virt_progress(void *hw, unsigned int index)
{
	struct npu_virt *virt = hw;

	return READ_ONCE(virt->cores[index].transfers);
}

static const struct npu_hw_ops npu_virt_ops = {
	.vm_create = npu_virt_vm_create_op,
	.vm_destroy = npu_virt_vm_destroy_op,
	.vm_map = npu_virt_vm_map_op,
	.vm_unmap = npu_virt_vm_unmap_op,
	.attach = npu_virt_attach,
	.reset = npu_virt_reset,
	.kick = npu_virt_kick,
	.progress = npu_virt_progress,
};

static void npu_virt_describe(struct npu_hw_desc *desc)
{
	*desc = (struct npu_hw_desc) {
		.name = "RK3588 NPU (model)",
		.ops = &npu_virt_ops,
		.isa = &npu_isa_rknn,
		.core = {
			.clock_hz = clock_mhz * 1000000ull,
			.bandwidth = core_mbps * 1000000ull,
			/* 32 channels by 32 or 16 kernels a cycle (TRM). */
			.int8_macs_per_cycle = 1024,
			.fp16_macs_per_cycle = 512,
			.buffer_bytes = RKNN_CBUF_BYTES,
		},
		.core_count = cores,
		.flags = DRM_NPU_DEVICE_VIRTUAL,
		.address_bits = 32,
		.bandwidth = total_mbps * 1000000ull,
		.timeout_ms = timeout_ms,
	};
}

static void npu_virt_core_fini(void *data)
{
	struct npu_virt_core *core = data;

	kthread_destroy_worker(core->worker);
	vfree(core->model);
}

static int npu_virt_core_init(struct npu_virt *virt, unsigned int index,
			      const struct npu_model_params *params)
{
	struct npu_virt_core *core = &virt->cores[index];
	struct npu_model_bus bus = {
		.read = npu_virt_read,
		.write = npu_virt_write,
		.host = core,
	};

	core->virt = virt;
	core->index = index;
	core->model = vmalloc(sizeof(*core->model));
	if (!core->model)
		return -ENOMEM;
	npu_model_init(core->model, index, &bus, params);
	kthread_init_work(&core->work, npu_virt_run);
	core->worker = kthread_create_worker(0, "npu-virt%u", index);
	if (IS_ERR(core->worker)) {
		vfree(core->model);
		return PTR_ERR(core->worker);
	}
	return devm_add_action_or_reset(virt->dev, npu_virt_core_fini, core);
}

static int npu_virt_probe(struct platform_device *pdev)
{
	struct npu_model_params params = npu_model_params_rk3588;
	struct device *dev = &pdev->dev;
	struct npu_virt *virt;
	unsigned int i;
	int ret;

	params.clock_hz = clock_mhz * 1000000ull;
	params.core_bytes_per_us = core_mbps;
	params.total_bytes_per_us = total_mbps;
	params.task_ns = task_ns;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, UINT_MAX);
	virt = devm_kzalloc(dev, sizeof(*virt), GFP_KERNEL);
	if (!virt)
		return -ENOMEM;
	virt->dev = dev;
	npu_virt_describe(&virt->desc);
	for (i = 0; i < cores; i++) {
		ret = npu_virt_core_init(virt, i, &params);
		if (ret)
			return ret;
	}

	virt->npu = npu_device_create(dev, &virt->desc, virt);
	if (IS_ERR(virt->npu))
		return PTR_ERR(virt->npu);
	ret = npu_device_register(virt->npu);
	if (ret)
		return ret;
	platform_set_drvdata(pdev, virt);
	return 0;
}

static void npu_virt_remove(struct platform_device *pdev)
{
	struct npu_virt *virt = platform_get_drvdata(pdev);

	npu_device_unplug(virt->npu);
}

static struct platform_driver npu_virt_driver = {
	.probe = npu_virt_probe,
	.remove = npu_virt_remove,
	.driver = {
		.name = "npu_virt",
	},
};

static struct platform_device *npu_virt_device;

static int __init npu_virt_init(void)
{
	int ret;

	if (!cores || cores > NPU_VIRT_CORES_MAX || !clock_mhz ||
	    clock_mhz > 10000 || !core_mbps || !total_mbps || !timeout_ms) {
		pr_err("npu_virt: a parameter is out of range, see modinfo\n");
		return -EINVAL;
	}
	ret = platform_driver_register(&npu_virt_driver);
	if (ret)
		return ret;
	npu_virt_device = platform_device_register_simple("npu_virt", 0, NULL, 0);
	if (IS_ERR(npu_virt_device)) {
		platform_driver_unregister(&npu_virt_driver);
		return PTR_ERR(npu_virt_device);
	}
	if (!platform_get_drvdata(npu_virt_device)) {
		/* The probe has said why. */
		platform_device_unregister(npu_virt_device);
		platform_driver_unregister(&npu_virt_driver);
		return -ENODEV;
	}
	return 0;
}

static void __exit npu_virt_exit(void)
{
	platform_device_unregister(npu_virt_device);
	platform_driver_unregister(&npu_virt_driver);
}

module_init(npu_virt_init);
module_exit(npu_virt_exit);

MODULE_AUTHOR("accel-npu maintainers");
MODULE_DESCRIPTION("Virtual NPU: a model of the RK3588 NPU behind drivers/accel");
MODULE_LICENSE("GPL");
