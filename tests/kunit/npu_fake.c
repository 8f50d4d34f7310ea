// SPDX-License-Identifier: GPL-2.0-only
/* A device without hardware; see npu_fake.h. */
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <kunit/device.h>
#include <kunit/resource.h>

#include "../../driver/core/api/npu_api.h"
#include "../../driver/core/exec/npu_client.h"
#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_dump.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_slice.h"
#include "../../driver/core/exec/npu_submit.h"
#include "../../driver/core/include/npu_family.h"
#include "../../driver/core/include/npu_isa.h"
#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_vm.h"
#include "../../driver/rknn/rknn_chip.h"
#include "../../driver/rknn/rknn_family.h"
#include "npu_fake.h"
#include "npu_toy.h"

/**
 * struct npu_fake_vm - an address space as the backend has it
 */
struct npu_fake_vm {
	/** @mappings: Mappings. */
	unsigned int mappings;
};

/* The operations run where nothing may sleep: what is wrong is told at the end. */
static void npu_fake_check(struct npu_fake *fake, bool right, const char *wrong)
{
	if (fake->gone)
		wrong = "called after unplug";
	if ((!right || fake->gone) && !fake->wrong)
		fake->wrong = wrong;
}

static void *npu_fake_vm_create(void *hw)
{
	struct npu_fake *fake = hw;
	struct npu_fake_vm *vm;

	npu_fake_check(fake, true, NULL);
	if (fake->vm_create_error)
		return ERR_PTR(fake->vm_create_error);
	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	fake->vms++;
	return vm;
}

static void npu_fake_vm_destroy(void *hw, void *vm)
{
	struct npu_fake *fake = hw;
	unsigned int i;

	npu_fake_check(fake, true, NULL);
	/* After unplugging no core works any more. */
	for (i = 0; i < fake->npu->core_count; i++)
		npu_fake_check(fake, fake->cores[i].vm != vm || fake->npu->exec->dead,
			       "destroyed an address space that a core has");
	fake->vms--;
	kfree(vm);
}

static int npu_fake_vm_map(void *hw, void *vm,
			   const struct npu_hw_memory *memory)
{
	struct npu_fake *fake = hw;
	struct npu_fake_vm *fvm = vm;

	npu_fake_check(fake, memory->sgt->nents, "mapped no pages");
	if (fake->vm_map_error)
		return fake->vm_map_error;
	fake->maps++;
	fake->map_addr = memory->addr;
	fake->map_writable = memory->writable;
	fvm->mappings++;
	return 0;
}

static void npu_fake_vm_move(void *hw, void *vm,
			     const struct npu_hw_memory *memory)
{
	struct npu_fake *fake = hw;
	unsigned int i;

	for (i = 0; i < fake->npu->core_count; i++)
		npu_fake_check(fake, fake->cores[i].vm != vm ||
			       !fake->cores[i].running,
			       "moved what a core may be using");
	fake->moves++;
	fake->moved_in_worker = current->flags & PF_WQ_WORKER;
	npu_fake_check(fake, !fake->gate || fake->gate->closed,
		       "moved while the gate was open");
}

static void npu_fake_vm_unmap(void *hw, void *vm, u64 addr, u64 size)
{
	struct npu_fake *fake = hw;
	struct npu_fake_vm *fvm = vm;

	npu_fake_check(fake, fvm->mappings, "unmapped what was not mapped");
	fake->unmaps++;
	fvm->mappings--;
}

static int npu_fake_attach(void *hw, unsigned int core, void *vm)
{
	struct npu_fake *fake = hw;
	struct npu_fake_core *c = &fake->cores[core];
	int ret = c->attach_error;

	npu_fake_check(fake, !c->running, "attached to a core that runs");
	c->attaches++;
	c->attach_error = 0;
	c->vm = ret ? NULL : vm;
	if (fake->during_attach) {
		void (*call)(struct npu_fake *, unsigned int) = fake->during_attach;

		fake->during_attach = NULL;
		call(fake, core);
	}
	return ret;
}

static void npu_fake_reset(void *hw, unsigned int core)
{
	struct npu_fake *fake = hw;
	struct npu_fake_core *c = &fake->cores[core];

	npu_fake_check(fake, c->awake, "reset a core without power");
	c->resets++;
	c->running = false;
	if (fake->during_reset) {
		void (*call)(struct npu_fake *, unsigned int) = fake->during_reset;

		fake->during_reset = NULL;
		call(fake, core);
	}
}

static int npu_fake_wake(void *hw, unsigned int core)
{
	struct npu_fake *fake = hw;
	struct npu_fake_core *c = &fake->cores[core];
	int ret = c->wake_error;

	npu_fake_check(fake, !c->awake, "woke a core that is awake");
	c->wakes++;
	c->wake_error = 0;
	c->awake = !ret;
	c->power = c->awake;
	return ret;
}

static bool npu_fake_wake_now(void *hw, unsigned int core)
{
	struct npu_fake *fake = hw;
	struct npu_fake_core *c = &fake->cores[core];

	npu_fake_check(fake, !c->awake, "woke a core that is awake");
	c->awake = c->power;
	return c->awake;
}

static void npu_fake_rest(void *hw, unsigned int core)
{
	struct npu_fake *fake = hw;
	struct npu_fake_core *c = &fake->cores[core];

	npu_fake_check(fake, c->awake, "rests what is not awake");
	npu_fake_check(fake, !c->running, "rests a core that runs");
	c->awake = false;
}

static u64 npu_fake_kick(void *hw, unsigned int core,
			 const struct npu_hw_lane *lane)
{
	struct npu_fake *fake = hw;
	struct npu_fake_core *c = &fake->cores[core];

	npu_fake_check(fake, !c->running, "kicked a core that runs");
	npu_fake_check(fake, c->vm || fake->npu->direct, "kicked a core without address space");
	npu_fake_check(fake, c->awake, "kicked a core without power");
	c->kicks++;
	c->lane = *lane;
	c->running = true;
	return c->progress;
}

static u64 npu_fake_progress(void *hw, unsigned int core)
{
	struct npu_fake *fake = hw;

	npu_fake_check(fake, true, NULL);
	return fake->cores[core].progress;
}

static bool npu_fake_ended(void *hw, unsigned int core,
			   struct npu_hw_result *result)
{
	struct npu_fake *fake = hw;
	struct npu_fake_core *c = &fake->cores[core];
	bool lost = c->lost;

	npu_fake_check(fake, c->running, "asked a core that does not run");
	if (lost) {
		result->tasks = c->lane.task_count;
		c->running = false;
	}
	c->lost = false;
	return lost;
}

static bool npu_fake_unbegun(void *hw, unsigned int core)
{
	struct npu_fake *fake = hw;

	npu_fake_check(fake, fake->cores[core].running,
		       "asked a core that does not run");
	return fake->cores[core].unbegun;
}

static void npu_fake_alert(void *hw, bool on)
{
	struct npu_fake *fake = hw;

	npu_fake_check(fake, on != fake->alert, "told what it knows");
	fake->alert = on;
	fake->alerts++;
}

static u64 npu_fake_now(void *hw)
{
	struct npu_fake *fake = hw;

	npu_fake_check(fake, true, NULL);
	return fake->now;
}

static const struct npu_hw_ops npu_fake_ops = {
	.vm_create = npu_fake_vm_create,
	.vm_destroy = npu_fake_vm_destroy,
	.vm_map = npu_fake_vm_map,
	.vm_move = npu_fake_vm_move,
	.vm_unmap = npu_fake_vm_unmap,
	.attach = npu_fake_attach,
	.reset = npu_fake_reset,
	.wake = npu_fake_wake,
	.wake_now = npu_fake_wake_now,
	.rest = npu_fake_rest,
	.kick = npu_fake_kick,
	.progress = npu_fake_progress,
	.ended = npu_fake_ended,
	.alert = npu_fake_alert,
	.now = npu_fake_now,
};

/* Without an IOMMU. */
static const struct npu_hw_ops npu_toy_ops = {
	.reset = npu_fake_reset,
	.wake = npu_fake_wake,
	.wake_now = npu_fake_wake_now,
	.rest = npu_fake_rest,
	.kick = npu_fake_kick,
	.progress = npu_fake_progress,
	.ended = npu_fake_ended,
	.alert = npu_fake_alert,
	.now = npu_fake_now,
};

/* Operations that both kinds have. */
#define NPU_FAKE_DESC							\
	.core = {							\
		.clock_hz = 1000000000,					\
		.bandwidth = 2000000000,				\
		.int8_macs_per_cycle = 1024,				\
		.fp16_macs_per_cycle = 512,				\
		.buffer_bytes = 393216,					\
	},								\
	.flags = DRM_NPU_DEVICE_VIRTUAL,				\
	.address_bits = NPU_FAKE_ADDRESS_BITS,				\
	.hw_version = 0x46414b45,					\
	.bandwidth = 3000000000,					\
	/* An hour: no watchdog bites by itself. */			\
	.timeout_ms = 3600000

static const struct npu_hw_desc npu_fake_desc = {
	.name = "fake",
	.ops = &npu_fake_ops,
	.family = &npu_family_rknn,
	.chip = &rknn_rk3588,
	NPU_FAKE_DESC,
};

static const struct npu_hw_desc npu_toy_desc = {
	.name = "toy",
	.ops = &npu_toy_ops,
	.family = &npu_toy_family,
	NPU_FAKE_DESC,
};

const struct npu_fake_kind npu_fake_kinds[NPU_FAKE_KINDS] = {
	{ "IOMMU and links", &npu_fake_desc },
	{ "neither IOMMU nor links", &npu_toy_desc },
};

/*
 * The kind of device that @test is run for: its parameter, or what its suite has put
 * into @test->priv, or the first.
 */
static const struct npu_fake_kind *npu_fake_kind(const struct kunit *test)
{
	const struct npu_fake_kind *kind;

	for (kind = npu_fake_kinds; kind < npu_fake_kinds + NPU_FAKE_KINDS; kind++)
		if (test->param_value == kind || test->priv == kind)
			return kind;
	return npu_fake_kinds;
}

/* Without work nobody counts, and no core has anything that it could serve. */
static void npu_fake_check_idle(struct npu_fake *fake)
{
	struct npu_device *npu = fake->npu;
	enum npu_rank rank;
	unsigned int i;

	for (rank = 0; rank < NPU_RANKS; rank++) {
		KUNIT_EXPECT_EQ(fake->test, npu->exec->sched.fair[rank].weight, 0);
		KUNIT_EXPECT_EQ(fake->test, npu->exec->sched.fair[rank].rest, 0);
	}
	spin_lock_irq(&npu->exec->lock);
	for (i = 0; i < npu->core_count; i++)
		KUNIT_EXPECT_FALSE(fake->test, npu_sched_any(&npu->exec->cores[i].sched));
	spin_unlock_irq(&npu->exec->lock);
}

/* Everything of the files is gone: nothing may be left. */
static void npu_fake_fini(void *data)
{
	struct npu_fake *fake = data;
	struct npu_device *npu = fake->npu;
	struct kunit *test = fake->test;

	npu_dump_flush(npu);
	npu_alert_fini(npu);
	KUNIT_EXPECT_STREQ(test, fake->wrong ?: "nothing", "nothing");
	KUNIT_EXPECT_EQ(test, atomic_read(&npu->job_objects), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&npu->context_objects), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&npu->buffer_objects), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&npu->used), 0);
	KUNIT_EXPECT_EQ(test, fake->vms, 0);
	npu_fake_check_idle(fake);
	if (!fake->gone)
		KUNIT_EXPECT_EQ(test, fake->maps, fake->unmaps);
}

/**
 * npu_fake_create_sram() - new device with on-chip memory
 * @test: the test
 * @cores: number of its cores
 * @pages: pages of the memory, maybe none
 *
 * Return: the device, which goes when the test ends.
 */
struct npu_fake *npu_fake_create_sram(struct kunit *test, unsigned int cores,
				      unsigned int pages)
{
	return npu_fake_create_srams(test, cores, pages, 0);
}

/**
 * npu_fake_create_srams() - new device with two on-chip memories
 * @test: the test
 * @cores: number of its cores
 * @pages: pages of the first, maybe none
 * @more: pages of the second, maybe none
 *
 * Return: the device, which goes when the test ends.
 */
struct npu_fake *npu_fake_create_srams(struct kunit *test, unsigned int cores,
				       unsigned int pages, unsigned int more)
{
	struct npu_hw_desc desc = *npu_fake_kind(test)->desc;
	struct npu_fake *fake;
	struct device *dev;

	fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->test = test;
	fake->now = NPU_FAKE_NOW;
	fake->policy = npu_sched_defaults;
	dev = kunit_device_register(test, "npu");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	dma_set_max_seg_size(dev, UINT_MAX);
	desc.core_count = cores;
	if (pages) {
		fake->sram = kunit_kzalloc(test, (pages + more) * PAGE_SIZE,
					   GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, fake->sram);
	}
	desc.sram[0].vaddr = fake->sram;
	desc.sram[0].size = pages * PAGE_SIZE;
	desc.sram[1].vaddr = fake->sram + pages * PAGE_SIZE;
	desc.sram[1].size = more * PAGE_SIZE;
	fake->npu = npu_device_create(dev, &desc, fake);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake->npu);
	fake->npu->exec->sched.params = &fake->policy;
	/* Until a test says otherwise. */
	fake->npu->exec->sched.stay_ns = U64_MAX;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, npu_fake_fini, fake), 0);
	return fake;
}

/**
 * npu_fake_may_not_begin() - have the device tell of starts that come to nothing
 * @fake: the device, which has started nothing yet
 */
void npu_fake_may_not_begin(struct npu_fake *fake)
{
	fake->ops = *fake->npu->desc.ops;
	fake->ops.unbegun = npu_fake_unbegun;
	fake->npu->desc.ops = &fake->ops;
}

/**
 * npu_fake_create() - new device
 * @test: the test
 * @cores: number of its cores
 *
 * Return: the device, which goes when the test ends.
 */
struct npu_fake *npu_fake_create(struct kunit *test, unsigned int cores)
{
	return npu_fake_create_sram(test, cores, 0);
}

/**
 * npu_fake_unplug() - unplug the device
 * @fake: the device
 */
void npu_fake_unplug(struct npu_fake *fake)
{
	npu_device_unplug(fake->npu);
	/* The module of a backend may be unloaded now, and its operations with it. */
	fake->npu->desc.ops = NULL;
	fake->gone = true;
}

/* Whether the thread of a core has something to do. */
static bool npu_fake_busy(struct npu_fake *fake)
{
	struct npu_device *npu = fake->npu;
	bool busy = false;
	unsigned int i;

	spin_lock_irq(&npu->exec->lock);
	for (i = 0; i < npu->core_count; i++)
		busy |= npu->exec->cores[i].state == NPU_CORE_ATTACHING ||
			npu->exec->cores[i].state == NPU_CORE_RESETTING;
	busy |= !list_empty(&npu->exec->signal) || !list_empty(&npu->exec->retire);
	spin_unlock_irq(&npu->exec->lock);
	return busy;
}

/**
 * npu_fake_settle() - wait until nothing happens without the test any more
 * @fake: the device
 */
void npu_fake_settle(struct npu_fake *fake)
{
	struct npu_device *npu = fake->npu;
	unsigned int i;

	do {
		for (i = 0; i < npu->core_count; i++)
			kthread_flush_worker(npu->exec->cores[i].worker);
		npu_signal_flush(npu);
	} while (npu_fake_busy(fake));
}

/**
 * npu_fake_pass() - time passes
 * @fake: the device
 * @ns: how much
 */
void npu_fake_pass(struct npu_fake *fake, u64 ns)
{
	spin_lock_irq(&fake->npu->exec->lock);
	fake->now += ns;
	spin_unlock_irq(&fake->npu->exec->lock);
}

/**
 * npu_fake_look() - have the watchdog of a core look at it now
 * @fake: the device
 * @core: the core, which runs
 */
void npu_fake_look(struct npu_fake *fake, unsigned int core)
{
	struct npu_core *c = &fake->npu->exec->cores[core];

	spin_lock_irq(&fake->npu->exec->lock);
	c->watch.deadline = jiffies;
	spin_unlock_irq(&fake->npu->exec->lock);
	kthread_mod_delayed_work(c->worker, &c->watchdog, 0);
	npu_fake_settle(fake);
}

/**
 * npu_fake_end_with() - the lane of a core ends
 * @fake: the device
 * @core: the core, which runs
 * @result: how
 */
void npu_fake_end_with(struct npu_fake *fake, unsigned int core,
		       const struct npu_hw_result *result)
{
	KUNIT_EXPECT_TRUE_MSG(fake->test, fake->cores[core].running,
			      "core %u runs nothing", core);
	fake->cores[core].running = false;
	npu_core_done(fake->npu, core, result);
}

/**
 * npu_fake_end() - the lane of a core ends
 * @fake: the device
 * @core: the core, which runs
 * @error: 0 or a negative errno
 */
void npu_fake_end(struct npu_fake *fake, unsigned int core, int error)
{
	const struct npu_hw_result result = {
		.error = error,
		.tasks = error ? 0 : fake->cores[core].lane.task_count,
		.device_ns = NPU_FAKE_LANE_NS,
	};

	npu_fake_end_with(fake, core, &result);
	npu_fake_settle(fake);
}

/**
 * npu_fake_work() - the slice of a core ends well, after some time
 * @fake: the device
 * @core: the core, which runs
 * @ns: how long it took
 */
void npu_fake_work(struct npu_fake *fake, unsigned int core, u64 ns)
{
	const struct npu_hw_result result = {
		.tasks = fake->cores[core].lane.task_count,
		.device_ns = ns,
	};

	npu_fake_pass(fake, ns);
	npu_fake_end_with(fake, core, &result);
	npu_fake_settle(fake);
}

/* Slices of a closed file run to their end. */
static void npu_fake_finish(struct npu_fake_file *file)
{
	struct npu_fake *fake = file->fake;
	unsigned int i;

	for (i = 0; i < fake->npu->core_count; i++) {
		const struct npu_core *core = &fake->npu->exec->cores[i];

		while (fake->cores[i].running && core->ctx &&
		       core->ctx->client == file->npu.client)
			npu_fake_end(fake, i, 0);
	}
}

static void npu_fake_close(void *data)
{
	struct npu_fake_file *file = data;
	int handle = 1;

	for (; idr_get_next(&file->drm.object_idr, &handle); handle++)
		drm_gem_handle_delete(&file->drm, handle);
	idr_destroy(&file->drm.object_idr);
	npu_contexts_release(&file->npu);
	npu_fake_settle(file->fake);
	npu_fake_finish(file);
	/* It holds a job, and so an address space. */
	npu_dump_flush(file->fake->npu);
	npu_jobs_release(&file->npu);
	if (file->streams)
		npu_mapping_put(file->streams);
	npu_client_put(file->npu.client);
	npu_vm_put(file->npu.vm);
	mutex_destroy(&file->npu.lock);
	mutex_destroy(&file->drm.prime.lock);
}

/**
 * npu_fake_open() - new file
 * @fake: the device
 *
 * Return: the file, which is closed when the test ends.
 */
struct npu_fake_file *npu_fake_open(struct npu_fake *fake)
{
	struct kunit *test = fake->test;
	struct npu_fake_file *file;
	struct npu_bo *bo;

	file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, file);
	file->fake = fake;
	file->drm.driver_priv = &file->npu;
	idr_init_base(&file->drm.object_idr, 1);
	spin_lock_init(&file->drm.table_lock);
	mutex_init(&file->drm.prime.lock);
	file->npu.npu = fake->npu;
	mutex_init(&file->npu.lock);
	xa_init_flags(&file->npu.contexts, XA_FLAGS_ALLOC1);
	xa_init_flags(&file->npu.jobs, XA_FLAGS_ALLOC1);
	file->npu.vm = npu_vm_create(fake->npu);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file->npu.vm);
	file->npu.client = npu_client_create(file->npu.vm, 1);
	if (!file->npu.client) {
		npu_vm_put(file->npu.vm);
		KUNIT_FAIL_AND_ABORT(test, "no memory for a client");
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, npu_fake_close, file), 0);

	bo = npu_bo_create(fake->npu, PAGE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	file->streams = npu_mapping_create(file->npu.vm, bo, false);
	npu_bo_put(bo);
	if (IS_ERR(file->streams)) {
		file->streams = NULL;
		KUNIT_FAIL_AND_ABORT(test, "no memory for streams");
	}
	return file;
}

/**
 * npu_fake_context() - new context with an id
 * @file: its file
 * @core_mask: cores it may use
 * @max_queued: jobs that may be unfinished
 * @sched_class: a &enum drm_npu_class
 *
 * Tests have all privileges, so that its class has no limits.
 *
 * Return: the context, of the default weight, which goes with the file.
 */
struct npu_context *npu_fake_context(struct npu_fake_file *file, u32 core_mask,
				     u32 max_queued, u32 sched_class)
{
	struct kunit *test = file->fake->test;
	struct npu_context *ctx;
	u32 id;

	ctx = npu_context_create(&file->npu, core_mask, max_queued, sched_class, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	KUNIT_ASSERT_EQ(test, xa_alloc(&file->npu.contexts, &id, ctx,
				       xa_limit_31b, GFP_KERNEL), 0);
	return ctx;
}

/**
 * npu_fake_limit() - take its privileges from a context
 * @ctx: the context
 */
void npu_fake_limit(struct npu_context *ctx)
{
	spin_lock_irq(&ctx->npu->exec->lock);
	npu_context_change(ctx, ctx->stats.sched_class, ctx->stats.weight,
			   false, npu_now(ctx->npu));
	spin_unlock_irq(&ctx->npu->exec->lock);
}

static void npu_fake_bo_put(void *data)
{
	npu_bo_put(data);
}

/**
 * npu_fake_bo() - new buffer without a handle
 * @file: whose device it is of
 * @size: bytes
 *
 * Return: the buffer; a reference to it goes when the test ends.
 */
struct npu_bo *npu_fake_bo(struct npu_fake_file *file, u64 size)
{
	struct kunit *test = file->fake->test;
	struct npu_bo *bo = npu_bo_create(file->fake->npu, size);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, npu_fake_bo_put, bo), 0);
	return bo;
}

static void npu_fake_unmap(void *data)
{
	npu_mapping_put(data);
}

/**
 * npu_fake_map() - map a buffer
 * @file: into whose address space
 * @bo: the buffer
 * @writable: whether the device may write to it
 *
 * Return: the mapping; a reference to it goes when the test ends.
 */
struct npu_mapping *npu_fake_map(struct npu_fake_file *file, struct npu_bo *bo,
				 bool writable)
{
	struct kunit *test = file->fake->test;
	struct npu_mapping *mapping;

	mapping = npu_mapping_create(file->npu.vm, bo, writable);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, npu_fake_unmap,
							mapping), 0);
	return mapping;
}

/**
 * npu_fake_job_of() - new job with an id
 * @file: its file
 * @lanes: number of its lanes
 * @task_counts: number of the tasks of each lane, or %NULL for one
 *
 * Return: the job, which goes with the file.
 */
struct npu_job *npu_fake_job_of(struct npu_fake_file *file, u32 lanes,
				const u32 *task_counts)
{
	struct kunit *test = file->fake->test;
	const struct npu_isa_ops *isa = file->fake->npu->desc.family->isa;
	struct npu_job *job = npu_job_create(file->fake->npu, lanes);
	u32 id, i, j;

	KUNIT_ASSERT_NOT_NULL(test, job);
	KUNIT_ASSERT_EQ(test, xa_alloc(&file->npu.jobs, &id, job, xa_limit_31b,
				       GFP_KERNEL), 0);
	file->fake->jobs++;
	kref_get(&file->streams->ref);
	job->streams = file->streams;
	for (i = 0; i < lanes; i++)
		job->lanes[i].task_count = task_counts ? task_counts[i] : 1;
	KUNIT_ASSERT_EQ(test, npu_job_alloc_tasks(job), 0);
	for (i = 0; i < lanes; i++) {
		struct npu_job_lane *lane = &job->lanes[i];

		lane->words = lane->task_count * NPU_FAKE_STREAM / isa->word_bytes;
		KUNIT_ASSERT_LE(test, lane->words * isa->word_bytes, PAGE_SIZE);
		for (j = 0; j < lane->task_count; j++)
			lane->tasks[j] = (struct npu_job_task) {
				.stream = file->streams->node.start +
					  j * NPU_FAKE_STREAM,
				.stream_words = file->fake->jobs << 4 | i,
				.cost_ns = NPU_FAKE_LANE_NS,
			};
		lane->unlinked = !isa->link;
		npu_slice_prepare(lane);
	}
	return job;
}

/**
 * npu_fake_job() - new job with an id, of one task a lane
 * @file: its file
 * @lanes: number of its lanes
 *
 * Return: the job, which goes with the file.
 */
struct npu_job *npu_fake_job(struct npu_fake_file *file, u32 lanes)
{
	return npu_fake_job_of(file, lanes, NULL);
}

/**
 * npu_fake_forget_job() - destroy the id of a job
 * @file: its file
 * @job: the job
 */
void npu_fake_forget_job(struct npu_fake_file *file, struct npu_job *job)
{
	struct npu_job *entry;
	unsigned long id;

	xa_for_each(&file->npu.jobs, id, entry)
		if (entry == job)
			xa_erase(&file->npu.jobs, id);
	npu_job_put(job);
}

/**
 * npu_fake_request() - queue jobs, which may fail
 * @ctx: the context
 * @request: the jobs, which stay the caller's; of its submit the caller has a
 * reference if it succeeds
 * @seqno: receives the sequence number of the last job
 *
 * Return: what npu_queue_jobs() returns.
 */
int npu_fake_request(struct npu_context *ctx, const struct npu_request *request,
		     u64 *seqno)
{
	int ret;
	u32 i;

	for (i = 0; i < request->count; i++)
		refcount_inc(&request->jobs[i]->ref);
	ret = npu_queue_jobs(ctx, request, seqno);
	for (i = 0; ret && i < request->count; i++)
		npu_job_put(request->jobs[i]);
	return ret;
}

/**
 * npu_fake_try() - queue jobs, which may fail
 * @ctx: the context
 * @jobs: the jobs, which stay the caller's
 * @count: number of jobs
 * @submit: syncs, or %NULL; of them the caller has a reference if it succeeds
 * @seqno: receives the sequence number of the last job
 *
 * Return: what npu_queue_jobs() returns.
 */
int npu_fake_try(struct npu_context *ctx, struct npu_job **jobs, u32 count,
		 struct npu_submit *submit, u64 *seqno)
{
	const struct npu_request request = {
		.jobs = jobs,
		.count = count,
		.submit = submit,
		.shares = npu_vm_shares(ctx->vm),
	};

	return npu_fake_request(ctx, &request, seqno);
}

/**
 * npu_fake_queue_until() - queue a job that has a deadline, and let it start
 * @fake: the device
 * @ctx: the context
 * @job: the job, which stays the caller's
 * @deadline_ns: its deadline
 *
 * Return: its sequence number.
 */
u64 npu_fake_queue_until(struct npu_fake *fake, struct npu_context *ctx,
			 struct npu_job *job, u64 deadline_ns)
{
	const struct npu_request request = {
		.jobs = &job,
		.count = 1,
		.shares = npu_vm_shares(ctx->vm),
		.deadline_ns = deadline_ns,
	};
	u64 seqno = 0;

	KUNIT_EXPECT_EQ(fake->test, npu_fake_request(ctx, &request, &seqno), 0);
	npu_fake_settle(fake);
	return seqno;
}

/**
 * npu_fake_queue() - queue a job without syncs, and let it start
 * @fake: the device
 * @ctx: the context
 * @job: the job, which stays the caller's
 *
 * Return: its sequence number.
 */
u64 npu_fake_queue(struct npu_fake *fake, struct npu_context *ctx,
		   struct npu_job *job)
{
	return npu_fake_queue_until(fake, ctx, job, 0);
}

static const char *npu_fake_fence_name(struct dma_fence *fence)
{
	return "npu-fake";
}

static const struct dma_fence_ops npu_fake_fence_ops = {
	.get_driver_name = npu_fake_fence_name,
	.get_timeline_name = npu_fake_fence_name,
};

static void npu_fake_fence_put(void *data)
{
	struct npu_fake_fence *fence = data;

	/* The driver may not free one that somebody still waits for. */
	if (!dma_fence_is_signaled(&fence->base))
		dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

/**
 * npu_fake_fence() - new fence
 * @test: the test
 *
 * Return: the fence, of which a reference goes when the test ends.
 */
struct npu_fake_fence *npu_fake_fence(struct kunit *test)
{
	struct npu_fake_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &npu_fake_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, npu_fake_fence_put,
							fence), 0);
	return fence;
}

/**
 * npu_fake_signal() - signal a fence
 * @fence: the fence
 * @error: 0 or a negative errno
 */
void npu_fake_signal(struct npu_fake_fence *fence, int error)
{
	if (error)
		dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
}

/**
 * npu_fake_completed() - has a job ended?
 * @ctx: the context
 * @seqno: its sequence number
 *
 * Return: whether it has.
 */
bool npu_fake_completed(struct npu_context *ctx, u64 seqno)
{
	bool completed;

	spin_lock_irq(&ctx->npu->exec->lock);
	completed = ctx->completed >= seqno;
	spin_unlock_irq(&ctx->npu->exec->lock);
	return completed;
}

/**
 * npu_fake_error() - how a job has ended
 * @ctx: the context
 * @seqno: its sequence number
 *
 * Return: 0 or a negative errno; 1 if it has not ended.
 */
int npu_fake_error(struct npu_context *ctx, u64 seqno)
{
	return npu_fake_completed(ctx, seqno) ?
	       npu_context_slot(ctx, seqno)->error : 1;
}
