// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dumps of jobs that hang or fault, for devcoredump: what ran, the registers,
 * the command streams.
 *
 * The thread that resets a core must not allocate memory. So the registers go to
 * memory that is there already, and a work item makes the text. The streams
 * need no copy: they never change, and the dump has a reference to the job.
 * There is one dump at a time; jobs that fail meanwhile are not dumped.
 */
#include <linux/devcoredump.h>
#include <linux/iosys-map.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <drm/drm_gem.h>

#include "../../compat.h"
#include "../include/npu_device.h"
#include "../include/npu_family.h"
#include "../include/npu_isa.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_vm.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_dump.h"
#include "npu_exec.h"
#include "npu_job.h"

/* Words of a lane that are dumped at most; a line is 25 characters or less. */
#define NPU_DUMP_WORDS		65536u
#define NPU_DUMP_LINE		25
/* Text before the streams: a few lines, and one for each register. */
#define NPU_DUMP_HEAD		(SZ_1K + NPU_SNAPSHOT_REGS * 32)

/**
 * struct npu_dump - a dump under way
 */
struct npu_dump {
	/** @npu: The device. */
	struct npu_device *npu;
	/** @work: Makes the text. */
	struct work_struct work;
	/** @busy: Bit 0 is set from npu_dump_take() until the text is made. */
	unsigned long busy;
	/** @job: The job, referenced. */
	struct npu_job *job;
	/** @lane: Its lane. */
	u32 lane;
	/** @core: The core. */
	unsigned int core;
	/** @error: Negative errno. */
	int error;
	/** @first: The first task of the slice. */
	u32 first;
	/** @fault: Where it went wrong. */
	struct npu_fault fault;
	/** @pid: Process that made the context. */
	pid_t pid;
	/** @seqno: Sequence number of the job. */
	u64 seqno;
	/** @started: When the lane was started. */
	u64 started;
	/** @taken: When the dump was taken. */
	u64 taken;
	/** @snapshot: The registers. */
	struct npu_hw_snapshot snapshot;
};

/* The word of @bytes bytes at @word, which is aligned, as the CPU has numbers. */
static u64 npu_dump_word(const void *word, u32 bytes)
{
	switch (bytes) {
	case 1:
		return *(const u8 *)word;
	case 2:
		return *(const u16 *)word;
	case 4:
		return *(const u32 *)word;
	default:
		return *(const u64 *)word;
	}
}

static void npu_dump_streams(struct seq_buf *text, const struct npu_dump *dump)
{
	u32 bytes = dump->npu->desc.family->isa->word_bytes;
	const struct npu_job_lane *lane = &dump->job->lanes[dump->lane];
	struct npu_mapping *streams = dump->job->streams;
	u32 before = lane->tasks[dump->first].stream - lane->tasks[0].stream;
	u32 count = min(lane->words - before / bytes, NPU_DUMP_WORDS);
	struct iosys_map map;
	const void *words;
	u32 i;

	if (npu_gem_vmap(&streams->bo->base.base, &map))
		return;
	words = map.vaddr + (lane->tasks[dump->first].stream -
			     streams->node.start);
	for (i = 0; i < count; i++) {
		seq_buf_printf(text, "  - 0x%0*llx\n", 2 * bytes,
			       npu_dump_word(words + i * bytes, bytes));
		if (i % SZ_1K == 0)
			cond_resched();
	}
	npu_gem_vunmap(&streams->bo->base.base, &map);
}

static void npu_dump_text(struct npu_dump *dump, struct seq_buf *text)
{
	const struct npu_hw_snapshot *snapshot = &dump->snapshot;
	const struct npu_job_lane *lane = &dump->job->lanes[dump->lane];
	u32 i;

	seq_buf_printf(text, "driver: %s\nkernel: %s\ndevice: %s\n",
		       dump->npu->drm.driver->name, init_utsname()->release,
		       dump->npu->name);
	seq_buf_printf(text, "core: %u\nerror: %d\npid: %d\nseqno: %llu\n",
		       dump->core, dump->error, dump->pid, dump->seqno);
	seq_buf_printf(text, "label: %s\n", dump->job->label);
	seq_buf_printf(text, "started_ns: %llu\ntaken_ns: %llu\n",
		       dump->started, dump->taken);
	seq_buf_printf(text, "lane: %u\nlanes: %u\ntasks: %u\nfirst: %u\nstream: %#llx\n",
		       dump->lane, dump->job->lane_count, lane->task_count,
		       dump->first, lane->tasks[dump->first].stream);
	seq_buf_printf(text, "fault_task: %u\nfault_tasks: %u\n",
		       dump->fault.task, dump->fault.task_count);
	if (dump->fault.flags & DRM_NPU_JOB_FAULT_ADDRESS)
		seq_buf_printf(text, "fault_address: %#llx\n",
			       dump->fault.addr);
	seq_buf_puts(text, "registers:\n");
	for (i = 0; i < snapshot->count; i++)
		seq_buf_printf(text, "  %#06x: %#010x\n",
			       snapshot->regs[i].offset,
			       snapshot->regs[i].value);
	seq_buf_puts(text, "words:\n");
	npu_dump_streams(text, dump);
}

static void npu_dump_work(struct work_struct *work)
{
	struct npu_dump *dump = container_of(work, struct npu_dump, work);
	const struct npu_job_lane *lane = &dump->job->lanes[dump->lane];
	struct npu_job *job = dump->job;
	size_t size = NPU_DUMP_HEAD +
		      min(lane->words, NPU_DUMP_WORDS) * NPU_DUMP_LINE;
	struct seq_buf text;
	char *buf;

	buf = vmalloc(size);
	if (buf) {
		seq_buf_init(&text, buf, size);
		npu_dump_text(dump, &text);
		/* Takes the memory over. */
		dev_coredumpv(dump->npu->drm.dev, buf, seq_buf_used(&text),
			      GFP_KERNEL);
	}
	clear_bit_unlock(0, &dump->busy);
	/* Must be last: may drop the final device reference. */
	npu_job_put(job);
}

/**
 * npu_dump_take() - take a dump of a lane that is about to be ended
 * @core: its core
 *
 * Allocates nothing.
 */
void npu_dump_take(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	struct npu_dump *dump = npu->exec->dump;

	lockdep_assert_held(&core->hw_lock);
	if (test_and_set_bit_lock(0, &dump->busy))
		return;

	dump->snapshot.count = 0;
	if (npu->desc.ops->snapshot)
		npu->desc.ops->snapshot(npu->hw, core->index, &dump->snapshot);

	spin_lock_irq(&npu->exec->lock);
	dump->job = npu_context_head(core->ctx)->job;
	refcount_inc(&dump->job->ref);
	dump->lane = core->lane;
	dump->first = core->first;
	npu_core_locate(core, &dump->fault);
	dump->core = core->index;
	dump->error = core->error;
	dump->pid = core->ctx->pid;
	dump->seqno = core->ctx->completed + 1;
	dump->started = core->started;
	spin_unlock_irq(&npu->exec->lock);
	dump->taken = ktime_get_ns();
	queue_work(system_dfl_wq, &dump->work);
}

/**
 * npu_dump_flush() - wait for a dump under way
 * @npu: the device, whose cores run nothing any more
 */
void npu_dump_flush(struct npu_device *npu)
{
	flush_work(&npu->exec->dump->work);
}

/**
 * npu_dump_fini() - free what npu_dump_init() has allocated
 * @npu: the device
 */
void npu_dump_fini(struct npu_device *npu)
{
	kvfree(npu->exec->dump);
}

/**
 * npu_dump_init() - prepare for dumps
 * @npu: the device
 *
 * Return: 0 or -ENOMEM.
 */
int npu_dump_init(struct npu_device *npu)
{
	struct npu_dump *dump = kvzalloc(sizeof(*dump), GFP_KERNEL);

	if (!dump)
		return -ENOMEM;
	dump->npu = npu;
	INIT_WORK(&dump->work, npu_dump_work);
	npu->exec->dump = dump;
	return 0;
}
