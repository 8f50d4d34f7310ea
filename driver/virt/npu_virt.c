// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual NPU: three cores, each a thread that runs the model of an RKNN
 * core on the very streams the hardware would get.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../rknn/rknn_chip.h"
#include "../rknn/rknn_family.h"
#include "../compat.h"
#include "../model/npu_model.h"
#include "../../include/rknn/rknn_regs.h"
#include "npu_accel.h"
#include "npu_virt.h"
#include "npu_virt_vm.h"

#define NPU_VIRT_DEVICES_MAX	4

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "Number of devices, 1 to 4, which share all other parameters (default 1)");

static unsigned int cores = NPU_VIRT_CORES_MAX;
module_param(cores, uint, 0444);
MODULE_PARM_DESC(cores, "Number of cores, 1 to 3 (default 3)");

static unsigned int clock_mhz = 1000;
module_param(clock_mhz, uint, 0444);
MODULE_PARM_DESC(clock_mhz, "Modelled clock in MHz, 1 to 10000 (default 1000)");

static unsigned int core_mbps = 9200;
module_param(core_mbps, uint, 0444);
MODULE_PARM_DESC(core_mbps, "Modelled bandwidth of one core in MB/s (default 9200)");

static unsigned int total_mbps = 27200;
module_param(total_mbps, uint, 0444);
MODULE_PARM_DESC(total_mbps, "Modelled bandwidth of all cores in MB/s (default 27200)");

static unsigned int task_ns = 3300;
module_param(task_ns, uint, 0444);
MODULE_PARM_DESC(task_ns, "Modelled start-up of a task in ns (default 3300)");

static unsigned int sram_kib = 956;
module_param(sram_kib, uint, 0444);
MODULE_PARM_DESC(sram_kib, "On-chip memory in KiB, at most 65536 (default 956)");

static unsigned int sram2_kib;
module_param(sram2_kib, uint, 0444);
MODULE_PARM_DESC(sram2_kib, "A second region of on-chip memory in KiB, at most 65536 (default 0)");

static unsigned int sram_mbps = 12800;
module_param(sram_mbps, uint, 0444);
MODULE_PARM_DESC(sram_mbps, "Modelled bandwidth of on-chip memory in MB/s (default 12800)");

static unsigned int load_percent;
module_param(load_percent, uint, 0644);
MODULE_PARM_DESC(load_percent, "Modelled share of total_mbps that others take, at most 95 (default 0)");

/* Long, since a busy or emulated host computes slowly. */
static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "A core without progress for so long is reset (default 10000)");

static char *mode = "compute";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "compute (default): as fast as possible; hold: each lane for its modelled time; time: the same, and nothing is computed; null: nothing is computed and lanes end at once");

static char *clock = "host";
module_param(clock, charp, 0444);
MODULE_PARM_DESC(clock, "host (default); model: time passes when it is written to the device's attribute time_ns, with mode=hold or time");

static unsigned int inject_hang;
module_param(inject_hang, uint, 0644);
MODULE_PARM_DESC(inject_hang, "How many of the next lanes hang");

static unsigned int inject_fault;
module_param(inject_fault, uint, 0644);
MODULE_PARM_DESC(inject_fault, "How many of the next lanes fault");

static unsigned int slow_cores;
module_param(slow_cores, uint, 0644);
MODULE_PARM_DESC(slow_cores, "Cores, one bit each, that take ten times the modelled time");

/* How much slower those are. */
#define NPU_VIRT_SLOW		10

static const char * const npu_virt_modes[] = {
	[NPU_VIRT_COMPUTE] = "compute",
	[NPU_VIRT_HOLD] = "hold",
	[NPU_VIRT_TIME] = "time",
	[NPU_VIRT_NULL] = "null",
};

static const char * const npu_virt_clocks[] = { "host", "model" };

/* Whether lanes take their modelled time. */
static bool npu_virt_holds(enum npu_virt_mode mode)
{
	return mode == NPU_VIRT_HOLD || mode == NPU_VIRT_TIME;
}

static int npu_virt_transfer(struct npu_virt_core *core, u32 addr, void *data,
			     u32 len, bool write)
{
	int ret;

	WRITE_ONCE(core->transfers, core->transfers + 1);
	cond_resched();
	if (READ_ONCE(core->stop) || !core->vm)
		return -EIO;
	ret = npu_virt_vm_access(core->vm, addr, data, len, write);
	if (ret < 0)
		return ret;
	core->model->sram_bytes += ret;
	return 0;
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
	model->params.load_permille = min(READ_ONCE(load_percent), 95u) * 10;
	npu_model_write_reg(model, RKNN_PC_BASE_ADDRESS,
			    RKNN_PC_BASE_ADDRESS_SLAVE);
	npu_model_write_reg(model, RKNN_CNA_S_POINTER, pointer);
	npu_model_write_reg(model, RKNN_CORE_S_POINTER, pointer);
	/* Streams may set it, but only to this, so that no client depends on it. */
	npu_model_write_reg(model, RKNN_DPU_S_POINTER, RKNN_S_POINTER_PING_PONG);
	npu_model_write_reg(model, RKNN_PC_BASE_ADDRESS, lane->stream);
	npu_model_write_reg(model, RKNN_PC_REGISTER_AMOUNTS,
			    (lane->stream_words + 1) / 2 - 1);
	npu_model_write_reg(model, RKNN_PC_INTERRUPT_MASK,
			    RKNN_INT_END(lane->enable));
	npu_model_write_reg(model, RKNN_PC_INTERRUPT_CLEAR, RKNN_INT_CLEARABLE);
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
	result->sram_bytes = after->sram_bytes - before->sram_bytes;
	result->start_ns = after->start_ns - before->start_ns;
	result->memory_ns = after->memory_ns - before->memory_ns;
	result->sram_ns = after->sram_ns - before->sram_ns;
}

/* Is this one of the lanes that are to fail? */
static bool npu_virt_inject(unsigned int *count)
{
	unsigned int left = READ_ONCE(*count);

	while (left)
		if (try_cmpxchg(count, &left, left - 1))
			return true;
	return false;
}

static void npu_virt_run(struct kthread_work *work)
{
	struct npu_virt_core *core = container_of(work, struct npu_virt_core,
						  work);
	struct npu_model_core *model = core->model;
	struct device *dev = core->virt->dev;
	struct npu_model_stats before;
	struct npu_hw_result result = {};
	enum npu_model_status status;

	if (npu_virt_inject(&inject_hang))
		return;
	if (npu_virt_inject(&inject_fault)) {
		result.error = -EFAULT;
		npu_core_done(core->virt->npu, core->index, &result);
		return;
	}
	if (core->virt->mode == NPU_VIRT_NULL) {
		result.tasks = core->lane.task_count;
		npu_core_done(core->virt->npu, core->index, &result);
		return;
	}

	before = model->stats;
	npu_virt_start(core);
	status = npu_model_run(model);
	npu_virt_account(&result, &before, &model->stats);
	if (READ_ONCE(slow_cores) & BIT(core->index))
		result.device_ns *= NPU_VIRT_SLOW;
	result.fault.located = true;
	result.fault.task = result.tasks;

	switch (status) {
	case NPU_MODEL_DONE:
		npu_model_write_reg(model, RKNN_PC_INTERRUPT_MASK, 0);
		npu_model_write_reg(model, RKNN_PC_INTERRUPT_CLEAR,
				    RKNN_INT_CLEARABLE);
		if (!npu_virt_holds(core->virt->mode))
			break;
		npu_virt_clock_end(core, &result);
		return;
	case NPU_MODEL_FAULT:
		if (READ_ONCE(core->stop))
			return;
		dev_dbg(dev, "core %u: no memory at %#x\n", core->index,
			model->fault_addr);
		result.fault.addressed = true;
		result.fault.addr = model->fault_addr;
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
	struct npu_virt *virt = hw;

	return npu_virt_vm_create(virt->desc.sram);
}

static void npu_virt_vm_destroy_op(void *hw, void *vm)
{
	npu_virt_vm_destroy(vm);
}

static int npu_virt_vm_map_op(void *hw, void *vm,
			      const struct npu_hw_memory *memory)
{
	return npu_virt_vm_map(vm, memory);
}

static void npu_virt_vm_move_op(void *hw, void *vm,
				const struct npu_hw_memory *memory)
{
	npu_virt_vm_move(vm, memory);
}

static void npu_virt_vm_unmap_op(void *hw, void *vm, u64 addr, u64 size)
{
	npu_virt_vm_unmap(vm, addr, size);
}

static int npu_virt_attach(void *hw, unsigned int index, void *vm)
{
	struct npu_virt *virt = hw;

	virt->cores[index].vm = vm;
	virt->cores[index].switched = vm;
	return 0;
}

static void npu_virt_reset(void *hw, unsigned int index)
{
	struct npu_virt *virt = hw;
	struct npu_virt_core *core = &virt->cores[index];

	WRITE_ONCE(core->stop, true);
	kthread_flush_work(&core->work);
	WRITE_ONCE(core->stop, false);
	npu_virt_clock_reset(core);
	npu_model_reset(core->model);
}

static u64 npu_virt_kick(void *hw, unsigned int index,
			 const struct npu_hw_lane *lane)
{
	struct npu_virt *virt = hw;
	struct npu_virt_core *core = &virt->cores[index];
	u64 progress = READ_ONCE(core->transfers);

	core->lane = *lane;
	npu_virt_clock_begin(core);
	kthread_queue_work(core->worker, &core->work);
	return progress;
}

static u64 npu_virt_progress(void *hw, unsigned int index)
{
	struct npu_virt *virt = hw;
	struct npu_virt_core *core = &virt->cores[index];

	/* What waits for the end of its lane works. */
	if (READ_ONCE(core->end))
		WRITE_ONCE(core->transfers, core->transfers + 1);
	return READ_ONCE(core->transfers);
}

/* Where the registers are, first and last of each block. */
static const u16 npu_virt_blocks[][2] = {
	{ RKNN_PC_VERSION, RKNN_PC_TASK_STATUS },
	{ RKNN_CNA_S_POINTER, RKNN_CNA_PAD_CON1 },
	{ RKNN_CORE_S_POINTER, RKNN_CORE_UNNAMED_3030 },
	{ RKNN_DPU_S_POINTER, RKNN_DPU_LUT_LAST },
};

static void npu_virt_snapshot(void *hw, unsigned int index,
			      struct npu_hw_snapshot *snapshot)
{
	struct npu_virt *virt = hw;
	struct npu_model_core *model = virt->cores[index].model;
	unsigned int i;
	u32 reg;

	for (i = 0; i < ARRAY_SIZE(npu_virt_blocks); i++) {
		for (reg = npu_virt_blocks[i][0]; reg <= npu_virt_blocks[i][1] &&
		     snapshot->count < NPU_SNAPSHOT_REGS; reg += 4) {
			snapshot->regs[snapshot->count].offset = reg;
			snapshot->regs[snapshot->count].value =
				npu_model_read_reg(model, reg);
			snapshot->count++;
		}
	}
}

static const struct npu_hw_ops npu_virt_ops = {
	.now = npu_virt_now,
	.vm_create = npu_virt_vm_create_op,
	.vm_destroy = npu_virt_vm_destroy_op,
	.vm_map = npu_virt_vm_map_op,
	.vm_move = npu_virt_vm_move_op,
	.vm_unmap = npu_virt_vm_unmap_op,
	.attach = npu_virt_attach,
	.reset = npu_virt_reset,
	.snapshot = npu_virt_snapshot,
	.kick = npu_virt_kick,
	.progress = npu_virt_progress,
};

static void npu_virt_describe(struct npu_hw_desc *desc)
{
	*desc = (struct npu_hw_desc) {
		.name = "RK3588 NPU (model)",
		.ops = &npu_virt_ops,
		.family = &npu_family_rknn,
		.chip = &rknn_rk3588,
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
		.counters = DRM_NPU_COUNTER_BYTES | DRM_NPU_COUNTER_STALLS,
		.address_bits = 32,
		.bandwidth = total_mbps * 1000000ull,
		.timeout_ms = timeout_ms,
		.software = true,
	};
}

static void npu_virt_core_fini(void *data)
{
	struct npu_virt_core *core = data;

	npu_virt_clock_reset(core);
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
	npu_virt_clock_init_core(core);
	core->model = vmalloc(sizeof(*core->model));
	if (!core->model)
		return -ENOMEM;
	npu_model_init(core->model, index, &bus, params);
	kthread_init_work(&core->work, npu_virt_run);
	core->worker = kthread_run_worker(0, "npu-virt%u", index);
	if (IS_ERR(core->worker)) {
		vfree(core->model);
		return PTR_ERR(core->worker);
	}
	/* Timing takes little time, and hardware waits for no processor. */
	if (virt->mode == NPU_VIRT_TIME)
		sched_set_fifo_low(core->worker->task);
	return devm_add_action_or_reset(virt->dev, npu_virt_core_fini, core);
}

static void npu_virt_sram_fini(void *data)
{
	vfree(data);
}

static int npu_virt_sram_init(struct npu_virt *virt)
{
	struct npu_hw_sram *sram = virt->desc.sram;

	sram[0].size = round_down((u64)sram_kib * SZ_1K, PAGE_SIZE);
	sram[1].size = round_down((u64)sram2_kib * SZ_1K, PAGE_SIZE);
	sram[0].bandwidth = sram_mbps * 1000000ull;
	sram[1].bandwidth = sram[0].bandwidth;
	if (!sram[0].size)
		return 0;
	/* For clients to map, and so cleared. */
	virt->sram = vzalloc(sram[0].size + sram[1].size);
	if (!virt->sram)
		return -ENOMEM;
	sram[0].vaddr = virt->sram;
	sram[1].vaddr = virt->sram + sram[0].size;
	return devm_add_action_or_reset(virt->dev, npu_virt_sram_fini, virt->sram);
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
	params.sram_bytes_per_us = sram_mbps;
	params.task_ns = task_ns;
	params.timing_only = !strcmp(mode, npu_virt_modes[NPU_VIRT_TIME]);

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, UINT_MAX);
	virt = devm_kzalloc(dev, sizeof(*virt), GFP_KERNEL);
	if (!virt)
		return -ENOMEM;
	virt->dev = dev;
	virt->mode = match_string(npu_virt_modes, ARRAY_SIZE(npu_virt_modes),
				  mode);
	npu_virt_clock_init(&virt->clock,
			    !strcmp(clock, npu_virt_clocks[true]));
	npu_virt_describe(&virt->desc);
	ret = npu_virt_sram_init(virt);
	if (ret)
		return ret;
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
		.dev_groups = npu_virt_clock_groups,
	},
};

static struct platform_device *npu_virt_pdevs[NPU_VIRT_DEVICES_MAX];

static bool npu_virt_times_valid(void)
{
	int mode_index = match_string(npu_virt_modes, ARRAY_SIZE(npu_virt_modes),
				      mode);
	int clock_index = match_string(npu_virt_clocks,
				       ARRAY_SIZE(npu_virt_clocks), clock);

	return mode_index >= 0 && clock_index >= 0 &&
	       (!clock_index || npu_virt_holds(mode_index));
}

static void npu_virt_unregister(void)
{
	unsigned int i = devices;

	/* Does nothing for what could not be registered. */
	while (i--)
		platform_device_unregister(npu_virt_pdevs[i]);
	platform_driver_unregister(&npu_virt_driver);
}

static int __init npu_virt_init(void)
{
	unsigned int i;
	int ret;

	if (!devices || devices > NPU_VIRT_DEVICES_MAX ||
	    !cores || cores > NPU_VIRT_CORES_MAX || !clock_mhz ||
	    clock_mhz > 10000 || !core_mbps || !total_mbps || !sram_mbps ||
	    sram_kib > 65536 || sram2_kib > 65536 || (sram2_kib && sram_kib < 4) ||
	    !timeout_ms || !npu_virt_times_valid()) {
		pr_err("npu_virt: a parameter is out of range, see modinfo\n");
		return -EINVAL;
	}
	ret = platform_driver_register(&npu_virt_driver);
	if (ret)
		return ret;
	for (i = 0; i < devices; i++) {
		npu_virt_pdevs[i] = platform_device_register_simple("npu_virt",
								    i, NULL, 0);
		if (IS_ERR(npu_virt_pdevs[i]))
			ret = PTR_ERR(npu_virt_pdevs[i]);
		else if (!platform_get_drvdata(npu_virt_pdevs[i]))
			/* The probe has said why. */
			ret = -ENODEV;
	}
	if (ret)
		npu_virt_unregister();
	return ret;
}

static void __exit npu_virt_exit(void)
{
	npu_virt_unregister();
}

module_init(npu_virt_init);
module_exit(npu_virt_exit);

MODULE_AUTHOR("accel-npu maintainers");
MODULE_DESCRIPTION("Virtual NPU: a model of the RK3588 NPU behind drivers/accel");
MODULE_LICENSE("GPL");
