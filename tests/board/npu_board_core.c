// SPDX-License-Identifier: GPL-2.0-only
/*
 * A core: its registers, the thread that runs the model, its interrupt line, and
 * what can go wrong with them.
 */
#include <linux/hrtimer.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "../../include/rknn/rknn_regs.h"
#include "npu_board.h"

static unsigned int inject_hang;
module_param(inject_hang, uint, 0644);
MODULE_PARM_DESC(inject_hang, "How many of the next starts hang");

static unsigned int inject_fault;
module_param(inject_fault, uint, 0644);
MODULE_PARM_DESC(inject_fault, "How many of the next starts end in a fault of the IOMMU");

static unsigned int inject_no_start;
module_param(inject_no_start, uint, 0644);
MODULE_PARM_DESC(inject_no_start, "How many of the next starts are accepted, but nothing begins");

static bool fetch_ahead = true;
module_param(fetch_ahead, bool, 0644);
MODULE_PARM_DESC(fetch_ahead, "Streams are read beyond their end, up to a page (default on)");

static unsigned int stale_fault;
module_param(stale_fault, uint, 0444);
MODULE_PARM_DESC(stale_fault, "Cores, one bit each, in whose IOMMU firmware has left a fault");

static unsigned int inject_lost;
module_param(inject_lost, uint, 0644);
MODULE_PARM_DESC(inject_lost, "How many of the next interrupts are lost");

static unsigned int inject_spurious;
module_param(inject_spurious, uint, 0644);
MODULE_PARM_DESC(inject_spurious, "How many of the next starts, or losses of power, are followed by an interrupt of nobody's");

static unsigned int slow_cores;
module_param(slow_cores, uint, 0644);
MODULE_PARM_DESC(slow_cores, "Cores, one bit each, that take longer for each task");

static unsigned int slow_us = 1000;
module_param(slow_us, uint, 0644);
MODULE_PARM_DESC(slow_us, "How much longer, in microseconds (default 1000)");

static bool fp16_lane0;
module_param(fp16_lane0, bool, 0644);
MODULE_PARM_DESC(fp16_lane0, "Cores differ in the last bits of fp16 results of output channels that are multiples of 16 (default off)");

/* Interrupts in a row after which a line counts as stuck. */
#define NPU_BOARD_STORM		1000
/* Complaints that each core logs in full. */
#define NPU_BOARD_COMPLAINTS	50

/**
 * npu_board_inject() - consume one of the faults to inject
 * @count: number of faults left, a module parameter
 *
 * Return: whether to inject a fault now.
 */
bool npu_board_inject(unsigned int *count)
{
	unsigned int left = READ_ONCE(*count);

	while (left)
		if (try_cmpxchg(count, &left, left - 1))
			return true;
	return false;
}

/* The bank for a transfer. A core with two banks has one per direction. */
static struct npu_board_bank *npu_board_bank(struct npu_board_core *core,
					     bool write)
{
	return &core->bank[core->bank[0].present && !write ? 0 : 1];
}

/* Transfer bytes within a page. */
static int npu_board_access(struct npu_board_core *core, u32 addr, void *data,
			    u32 len, bool write)
{
	struct npu_board_bank *bank = npu_board_bank(core, write);
	void *memory = NULL;

	wait_event(core->wait,
		   !READ_ONCE(bank->stalled) || READ_ONCE(core->stop));
	rcu_read_lock();
	spin_lock_irq(&core->lock);
	if (!core->stop)
		memory = npu_board_bank_translate(core, bank, addr, write);
	spin_unlock_irq(&core->lock);
	if (memory && write)
		memcpy(memory, data, len);
	else if (memory)
		memcpy(data, memory, len);
	rcu_read_unlock();
	return memory ? 0 : -EIO;
}

static int npu_board_transfer(struct npu_board_core *core, u32 addr,
			      void *data, u32 len, bool write)
{
	cond_resched();
	while (len) {
		u32 part = min_t(u32, len, PAGE_SIZE - offset_in_page(addr));
		int ret = npu_board_access(core, addr, data, part, write);

		if (ret)
			return ret;
		addr += part;
		data += part;
		len -= part;
	}
	return 0;
}

/*
 * Wait until the finished tasks have taken as long as on the hardware, or
 * longer.
 */
static void npu_board_hold(struct npu_board_core *core)
{
	const struct npu_model_stats *stats = &core->model->stats;
	u64 tasks = stats->tasks - core->held.tasks, now = ktime_get_ns();

	if (!tasks)
		return;
	if (npu_board.mode == NPU_BOARD_HOLD)
		core->hold_until += stats->busy_ns - core->held.busy_ns;
	if (READ_ONCE(slow_cores) & BIT(core->index))
		core->hold_until += tasks * READ_ONCE(slow_us) * NSEC_PER_USEC;
	core->held = *stats;
	if (now < core->hold_until)
		wait_event_hrtimeout(core->wait, READ_ONCE(core->stop),
				     ns_to_ktime(core->hold_until - now));
}

/* Read a stream of @len bytes, and the prefetched bytes after it. */
static int npu_board_fetch(struct npu_board_core *core, u32 addr, void *dst,
			   u32 len)
{
	u32 beyond;
	int ret;

	/* The task before has ended. */
	npu_board_hold(core);
	spin_lock_irq(&core->lock);
	/* The first task already counts as started. */
	if (core->fetched)
		core->begun++;
	core->fetched = true;
	spin_unlock_irq(&core->lock);
	ret = npu_board_transfer(core, addr, dst, len, false);
	if (!ret && READ_ONCE(fetch_ahead))
		ret = npu_board_transfer(core, addr + len + PAGE_SIZE - sizeof(beyond),
					 &beyond, sizeof(beyond), false);
	return ret;
}

static int npu_board_bus_read(void *host, u32 addr, void *dst, u32 len)
{
	struct npu_board_core *core = host;

	if (addr == (core->model->pc_base & ~0xfu))
		return npu_board_fetch(core, addr, dst, len);
	return npu_board_transfer(core, addr, dst, len, false);
}

static int npu_board_bus_write(void *host, u32 addr, const void *src, u32 len)
{
	/* @src is only read: the access to memory is a write. */
	return npu_board_transfer(host, addr, (void *)src, len, true);
}

/* Is the interrupt line of @core raised? */
static bool npu_board_level(struct npu_board_core *core)
{
	bool level = !core->running && !core->mute &&
		     npu_model_irq(core->model);
	unsigned int i;

	lockdep_assert_held(&core->lock);
	for (i = 0; i < NPU_BOARD_BANKS; i++)
		level |= npu_board_bank_irq(&core->bank[i]);
	return level && !core->masked;
}

static void npu_board_deliver(struct npu_board_core *core)
{
	unsigned int count = 0, bank;
	bool level;

	for (;;) {
		spin_lock_irq(&core->lock);
		level = npu_board_level(core);
		spin_unlock_irq(&core->lock);
		if (!level)
			return;
		if (count++ == NPU_BOARD_STORM) {
			npu_board_wrong(core, "nobody quietens interrupt",
					core->hwirq);
			return;
		}
		npu_board_soc_interrupt(core);
		spin_lock_irq(&core->lock);
		for (bank = 0; bank < NPU_BOARD_BANKS; bank++)
			npu_board_bank_replay(core, &core->bank[bank]);
		spin_unlock_irq(&core->lock);
	}
}

static void npu_board_raise(struct kthread_work *work)
{
	struct npu_board_core *core = container_of(work, struct npu_board_core,
						   raise);

	npu_board_deliver(core);
	if (xchg(&core->spurious, false))
		npu_board_soc_interrupt(core);
}

/**
 * npu_board_core_mask() - the interrupt controller masks the line, or unmasks it
 * @core: the core
 * @masked: it is masked
 */
void npu_board_core_mask(struct npu_board_core *core, bool masked)
{
	unsigned long flags;
	bool level;

	spin_lock_irqsave(&core->lock, flags);
	core->masked = masked;
	level = npu_board_level(core);
	spin_unlock_irqrestore(&core->lock, flags);
	/* An interrupt that was raised while masked is still pending. */
	if (level)
		kthread_queue_work(core->irq_worker, &core->raise);
}

/* Run the model. Returns whether it ran to completion. */
static bool npu_board_compute(struct npu_board_core *core)
{
	struct npu_model_core *model = core->model;
	enum npu_model_status status;

	if (npu_board.mode == NPU_BOARD_NULL) {
		model->started = 0;
		model->int_raw |= RKNN_INT_DPU_0;
		return true;
	}
	model->fp16_lane0 = READ_ONCE(fp16_lane0) ? core->index : 0;
	core->held = model->stats;
	core->hold_until = ktime_get_ns();
	status = npu_model_run(model);
	if (status == NPU_MODEL_DONE)
		npu_board_hold(core);
	else
		pr_debug("npu_board: core %u ends with %u at %#x = %#x\n",
			 core->index, status, model->error_reg,
			 model->error_value);
	return status == NPU_MODEL_DONE;
}

static void npu_board_run(struct kthread_work *work)
{
	struct npu_board_core *core = container_of(work, struct npu_board_core,
						   run);
	bool hang = npu_board_inject(&inject_hang);
	bool fault = !hang && npu_board_inject(&inject_fault);
	bool done = !hang && !fault && npu_board_compute(core);

	spin_lock_irq(&core->lock);
	/* If the core was reset meanwhile, raise no interrupt. */
	if (fault && !core->stop)
		npu_board_bank_fault(core, npu_board_bank(core, false), 0, false);
	core->running = false;
	core->stuck = !done;
	core->mute = done && npu_board_inject(&inject_lost);
	core->spurious = npu_board_inject(&inject_spurious);
	spin_unlock_irq(&core->lock);
	/* In this mode, this is the thread that raises interrupts. */
	if (npu_board.mode == NPU_BOARD_NULL)
		npu_board_raise(&core->raise);
	else
		kthread_queue_work(core->irq_worker, &core->raise);
}

/**
 * npu_board_wrong() - report an access that would hang or confuse the chip
 * @core: the core
 * @what: what happened
 * @offset: where, or with what
 */
void npu_board_wrong(struct npu_board_core *core, const char *what, u32 offset)
{
	/* Log the first occurrences only. */
	if (atomic_inc_return(&core->counts.wrong) < NPU_BOARD_COMPLAINTS)
		pr_err("npu_board: core %u: %s %#x (%u)\n", core->index, what,
		       offset, offset);
	/* Tests look for these words. */
	WARN_ONCE(1, "npu_board: core %u: %s %#x (%u)\n", core->index, what,
		  offset, offset);
}

/* The bank whose registers are at @offset, or %NULL. */
static struct npu_board_bank *npu_board_bank_at(struct npu_board_core *core,
						u32 offset)
{
	unsigned int i;

	for (i = 0; i < NPU_BOARD_BANKS; i++)
		if ((offset & ~0xfff) == NPU_BOARD_BANK_FIRST +
					 i * NPU_BOARD_BANK_STEP)
			return core->bank[i].present ? &core->bank[i] : NULL;
	return NULL;
}

/* Can @core's registers be accessed there? */
static bool npu_board_answers(struct npu_board_core *core, u32 offset, int size)
{
	lockdep_assert_held(&core->lock);
	if (size != 4 || offset % 4)
		npu_board_wrong(core, "access of the wrong size", offset);
	else if (!npu_board_core_alive(core))
		npu_board_wrong(core, "access without power or clock", offset);
	else if (offset >> 12 == 2)
		npu_board_wrong(core, "access where nothing is", offset);
	else if (core->in_reset)
		npu_board_wrong(core, "access in reset", offset);
	else
		return true;
	return false;
}

/**
 * npu_board_read() - read a register
 * @priv: the core
 * @offset: offset in its window
 * @size: bytes
 *
 * Return: the value.
 */
unsigned long npu_board_read(void *priv, unsigned int offset, int size)
{
	struct npu_board_core *core = priv;
	struct npu_board_bank *bank;
	unsigned long flags;
	u32 value = U32_MAX;

	atomic_inc(&core->counts.reads);
	spin_lock_irqsave(&core->lock, flags);
	if (!npu_board_answers(core, offset, size))
		goto out_unlock;
	bank = npu_board_bank_at(core, offset);
	if (bank) {
		value = npu_board_bank_read(core, bank, offset & 0xfff);
	} else {
		value = npu_model_read_reg(core->model, offset);
		/*
		 * Finished tasks within a chain have not raised anything yet.
		 */
		if (core->running && offset == RKNN_PC_INTERRUPT_RAW_STATUS)
			value = core->raw;
		if (core->running && offset == RKNN_PC_INTERRUPT_STATUS)
			value = 0;
		if (offset == RKNN_PC_TASK_STATUS)
			value = core->begun;
	}
out_unlock:
	spin_unlock_irqrestore(&core->lock, flags);
	return value;
}

static void npu_board_write_core(struct npu_board_core *core, u32 reg, u32 value)
{
	/* A core that hangs or is in reset ignores writes. */
	if (core->stuck || core->in_reset)
		return;
	if (core->running) {
		npu_board_wrong(core, "write to a core that runs", reg);
		return;
	}
	npu_model_write_reg(core->model, reg, value);
	if (reg != RKNN_PC_OPERATION_ENABLE || !value)
		return;
	atomic_inc(&core->counts.starts);
	core->begun = 0;
	if (npu_board_inject(&inject_no_start))
		return;
	core->begun = 1;
	core->fetched = false;
	core->replays = 0;
	core->raw = npu_model_read_reg(core->model,
				       RKNN_PC_INTERRUPT_RAW_STATUS);
	core->mute = false;
	core->running = true;
	/* Runs without a duration need no handover to the worker. */
	kthread_queue_work(npu_board.mode == NPU_BOARD_NULL ? core->irq_worker :
							      core->worker,
			   &core->run);
}

/**
 * npu_board_write() - write a register
 * @priv: the core
 * @offset: offset in its window
 * @size: bytes
 * @value: the value
 */
void npu_board_write(void *priv, unsigned int offset, int size,
		     unsigned long value)
{
	struct npu_board_core *core = priv;
	struct npu_board_bank *bank;
	unsigned long flags;

	atomic_inc(&core->counts.writes);
	spin_lock_irqsave(&core->lock, flags);
	if (!npu_board_answers(core, offset, size))
		goto out_unlock;
	bank = npu_board_bank_at(core, offset);
	if (bank)
		npu_board_bank_write(core, bank, offset & 0xfff, value);
	else
		npu_board_write_core(core, offset, value);
out_unlock:
	spin_unlock_irqrestore(&core->lock, flags);
}

/* State after power-on or reset. Ends the run, if any. */
static void npu_board_core_clear(struct npu_board_core *core)
{
	unsigned int i;

	lockdep_assert_held(&core->lock);
	npu_model_reset(core->model);
	for (i = 0; i < NPU_BOARD_BANKS; i++)
		npu_board_bank_reset(&core->bank[i]);
	core->running = false;
	core->stuck = false;
	core->mute = false;
	core->stop = false;
	core->begun = 0;
}

/* Abort the run of @core. */
static void npu_board_core_halt(struct npu_board_core *core)
{
	spin_lock_irq(&core->lock);
	core->stop = true;
	spin_unlock_irq(&core->lock);
	wake_up_all(&core->wait);
	kthread_flush_work(&core->run);
}

/**
 * npu_board_core_off() - the power is gone
 * @core: the core
 */
void npu_board_core_off(struct npu_board_core *core)
{
	spin_lock_irq(&core->lock);
	atomic_set(&core->powered, 0);
	atomic_inc(&core->counts.power_offs);
	if (core->running)
		npu_board_wrong(core, "power off while it runs", core->domain);
	spin_unlock_irq(&core->lock);
	npu_board_core_halt(core);
	spin_lock_irq(&core->lock);
	npu_board_core_clear(core);
	core->spurious = npu_board_inject(&inject_spurious);
	spin_unlock_irq(&core->lock);
	kthread_queue_work(core->irq_worker, &core->raise);
}

/**
 * npu_board_core_reset() - a reset is asserted or deasserted
 * @core: the core
 * @id: number of the reset
 * @assert: asserted
 */
void npu_board_core_reset(struct npu_board_core *core, u32 id, bool assert)
{
	unsigned long bit = BIT(id == core->resets[1]);

	if (assert)
		npu_board_core_halt(core);
	spin_lock_irq(&core->lock);
	if (assert) {
		core->in_reset |= bit;
		npu_board_core_clear(core);
	} else {
		core->in_reset &= ~bit;
		if (!core->in_reset)
			atomic_inc(&core->counts.resets);
	}
	spin_unlock_irq(&core->lock);
}

/**
 * npu_board_core_init() - make a core
 * @core: the core, whose number is set
 *
 * Return: 0 or a negative errno.
 */
int npu_board_core_init(struct npu_board_core *core)
{
	struct npu_model_bus bus = {
		.read = npu_board_bus_read,
		.write = npu_board_bus_write,
		.host = core,
	};
	unsigned int i;

	spin_lock_init(&core->lock);
	init_waitqueue_head(&core->wait);
	kthread_init_work(&core->run, npu_board_run);
	kthread_init_work(&core->raise, npu_board_raise);
	core->model = vmalloc(sizeof(*core->model));
	if (!core->model)
		return -ENOMEM;
	npu_model_init(core->model, core->index, &bus, &npu_model_params_rk3588);
	for (i = 0; i < NPU_BOARD_BANKS && stale_fault & BIT(core->index); i++)
		npu_board_bank_stale(&core->bank[i]);
	core->worker = kthread_run_worker(0, "npu-board%u", core->index);
	if (IS_ERR(core->worker)) {
		vfree(core->model);
		return PTR_ERR(core->worker);
	}
	core->irq_worker = kthread_run_worker(0, "npu-irq%u", core->index);
	if (IS_ERR(core->irq_worker)) {
		kthread_destroy_worker(core->worker);
		vfree(core->model);
		return PTR_ERR(core->irq_worker);
	}
	sched_set_fifo(core->irq_worker->task);
	return 0;
}
