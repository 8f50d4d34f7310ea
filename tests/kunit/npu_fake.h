/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device without hardware, for tests: its cores do nothing, and end their
 * lanes when a test says so.
 *
 * Everything that is made here is gone when the test ends. Nothing depends on
 * time: the device has a clock of its own that a test sets, its timeout is longer
 * than any test, and after npu_fake_settle() all threads have done what there was
 * to do.
 */
#ifndef NPU_FAKE_H
#define NPU_FAKE_H

#include <linux/dma-fence.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/drm_file.h>
#include <kunit/test.h>

#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/include/npu_device.h"
#include "../../driver/core/mem/npu_mem.h"

struct npu_bo;
struct npu_gate;
struct npu_job;
struct npu_mapping;
struct npu_request;
struct npu_submit;

/* Address spaces and buffers of the fake have so many bits of address. */
#define NPU_FAKE_ADDRESS_BITS	32
/* Device time of a slice, and cost of a task, unless the test says otherwise. */
#define NPU_FAKE_LANE_NS	1000
/* Bytes from the stream of a task to that of the next. */
#define NPU_FAKE_STREAM		8u
/* The clock starts here. */
#define NPU_FAKE_NOW		(1000 * NSEC_PER_SEC)

/**
 * struct npu_fake_kind - a kind of device
 *
 * Tests that hold for all kinds are run for each; see NPU_FAKE_CASE().
 */
struct npu_fake_kind {
	/** @name: What is special about it. */
	const char *name;
	/** @desc: Its description. */
	const struct npu_hw_desc *desc;
};

/* The one of npu_toy.h; the first kind has streams of RKNN. */
#define NPU_FAKE_TOY		1
#define NPU_FAKE_KINDS		2

extern const struct npu_fake_kind npu_fake_kinds[NPU_FAKE_KINDS];

/*
 * A test that is run for each kind of device, in a file with
 *
 *	KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);
 */
#define NPU_FAKE_CASE(test) KUNIT_CASE_PARAM(test, npu_fake_kind_gen_params)

/**
 * struct npu_fake_core - what has happened to a core
 */
struct npu_fake_core {
	/** @vm: The address space it has, or %NULL. */
	void *vm;
	/** @running: It has been kicked, and neither ended nor reset since. */
	bool running;
	/** @lane: What it was kicked with last. */
	struct npu_hw_lane lane;
	/** @kicks: Kicks so far. */
	unsigned int kicks;
	/** @attaches: Calls of attach, those that failed included. */
	unsigned int attaches;
	/** @resets: Resets so far. */
	unsigned int resets;
	/** @progress: What progress() tells. */
	u64 progress;
	/** @power: It has power; a test takes that away while it rests. */
	bool power;
	/** @awake: It must be left powered. */
	bool awake;
	/** @wakes: Calls of wake, those that failed included. */
	unsigned int wakes;
	/** @wake_error: What the next wake fails with, once, or 0. */
	int wake_error;
	/** @lost: It has ended, which the next call of ended finds. */
	bool lost;
	/** @unbegun: Starts come to nothing, as unbegun() tells. */
	bool unbegun;
	/** @attach_error: What the next attach fails with, once, or 0. */
	int attach_error;
};

/**
 * struct npu_fake - a device
 */
struct npu_fake {
	/** @test: The test. */
	struct kunit *test;
	/** @npu: The device of the driver. */
	struct npu_device *npu;
	/** @ops: Its operations, if a test has others. */
	struct npu_hw_ops ops;
	/** @policy: What can be set of its policy; the defaults at first. */
	struct npu_sched_params policy;
	/** @now: Its time, which passes when a test says so. */
	u64 now;
	/** @jobs: Jobs so far. */
	u32 jobs;
	/** @alert: What it was told last of latency work. */
	bool alert;
	/** @alerts: How often it was told. */
	unsigned int alerts;
	/** @cores: Its cores. */
	struct npu_fake_core cores[NPU_MAX_CORES];
	/** @vms: Address spaces alive. */
	unsigned int vms;
	/** @maps: Calls of vm_map that succeeded. */
	unsigned int maps;
	/** @unmaps: Calls of vm_unmap. */
	unsigned int unmaps;
	/** @moves: Calls of vm_move. */
	unsigned int moves;
	/** @gate: A gate that must be closed in vm_move, or %NULL. */
	struct npu_gate *gate;
	/** @moved_in_worker: The newest move was not in a thread of a client. */
	bool moved_in_worker;
	/** @sram: The on-chip memories, one after the other, or %NULL. */
	void *sram;
	/** @map_addr: Address of the newest mapping. */
	u64 map_addr;
	/** @map_writable: Whether it is writable. */
	bool map_writable;
	/** @vm_create_error: What vm_create fails with, or 0. */
	int vm_create_error;
	/** @vm_map_error: What vm_map fails with, or 0. */
	int vm_map_error;
	/** @gone: Unplugged; no operation may be called. */
	bool gone;
	/** @during_attach: Called in the next attach, or %NULL. */
	void (*during_attach)(struct npu_fake *fake, unsigned int core);
	/** @during_reset: Called in the next reset, or %NULL. */
	void (*during_reset)(struct npu_fake *fake, unsigned int core);
	/** @data: For those two. */
	void *data;
	/** @wrong: What the driver did against the rules of npu_hw.h, or %NULL. */
	const char *wrong;
};

/**
 * struct npu_fake_file - a file that nobody opened
 */
struct npu_fake_file {
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @drm: The file of DRM, as far as handles need it. */
	struct drm_file drm;
	/** @npu: The file of the driver. */
	struct npu_file npu;
	/** @streams: What all jobs have for their streams. */
	struct npu_mapping *streams;
};

/**
 * struct npu_fake_fence - a fence that a test signals
 */
struct npu_fake_fence {
	/** @base: The fence. */
	struct dma_fence base;
	/** @lock: Its lock. */
	spinlock_t lock;
};

struct npu_fake *npu_fake_create(struct kunit *test, unsigned int cores);
void npu_fake_may_not_begin(struct npu_fake *fake);
struct npu_fake *npu_fake_create_sram(struct kunit *test, unsigned int cores,
				      unsigned int pages);
struct npu_fake *npu_fake_create_srams(struct kunit *test, unsigned int cores,
				       unsigned int pages, unsigned int more);
void npu_fake_unplug(struct npu_fake *fake);
void npu_fake_settle(struct npu_fake *fake);
void npu_fake_pass(struct npu_fake *fake, u64 ns);
void npu_fake_look(struct npu_fake *fake, unsigned int core);
void npu_fake_end(struct npu_fake *fake, unsigned int core, int error);
void npu_fake_end_with(struct npu_fake *fake, unsigned int core,
		       const struct npu_hw_result *result);
void npu_fake_work(struct npu_fake *fake, unsigned int core, u64 ns);

struct npu_fake_file *npu_fake_open(struct npu_fake *fake);
struct npu_context *npu_fake_context(struct npu_fake_file *file, u32 core_mask,
				     u32 max_queued, u32 sched_class);
void npu_fake_limit(struct npu_context *ctx);
struct npu_bo *npu_fake_bo(struct npu_fake_file *file, u64 size);
struct npu_mapping *npu_fake_map(struct npu_fake_file *file, struct npu_bo *bo,
				 bool writable);
struct npu_job *npu_fake_job(struct npu_fake_file *file, u32 lanes);
struct npu_job *npu_fake_job_of(struct npu_fake_file *file, u32 lanes,
				const u32 *task_counts);
void npu_fake_forget_job(struct npu_fake_file *file, struct npu_job *job);
int npu_fake_request(struct npu_context *ctx, const struct npu_request *request,
		     u64 *seqno);
int npu_fake_try(struct npu_context *ctx, struct npu_job **jobs, u32 count,
		 struct npu_submit *submit, u64 *seqno);
u64 npu_fake_queue_until(struct npu_fake *fake, struct npu_context *ctx,
			 struct npu_job *job, u64 deadline_ns);
u64 npu_fake_queue(struct npu_fake *fake, struct npu_context *ctx,
		   struct npu_job *job);
struct npu_fake_fence *npu_fake_fence(struct kunit *test);
void npu_fake_signal(struct npu_fake_fence *fence, int error);
bool npu_fake_completed(struct npu_context *ctx, u64 seqno);
int npu_fake_error(struct npu_context *ctx, u64 seqno);

/* What tells the lanes of all jobs of a device apart. */
#define npu_fake_token(job, lane)	((job)->lanes[lane].tasks->stream_words)

/* @count calls on address spaces, which there are not without an IOMMU. */
static inline unsigned int npu_fake_iommu(const struct npu_fake *fake,
					  unsigned int count)
{
	return fake->npu->direct ? 0 : count;
}

/* The lane that a core runs, or 0. */
static inline u32 npu_fake_running(const struct npu_fake *fake,
				   unsigned int core)
{
	const struct npu_fake_core *c = &fake->cores[core];

	return c->running ? c->lane.stream_words : 0;
}

/* A core has @count tasks of a lane, from its @begin on. */
#define NPU_EXPECT_SLICE(fake, core, job, number, begin, count) do {	\
	const struct npu_fake *_fake = (fake);				\
	const struct npu_fake_core *_core = &_fake->cores[core];	\
	const struct npu_job_task *_tasks = (job)->lanes[number].tasks;	\
									\
	KUNIT_EXPECT_TRUE(_fake->test, _core->running);			\
	KUNIT_EXPECT_EQ(_fake->test, _core->lane.stream_words,		\
			_tasks->stream_words);				\
	KUNIT_EXPECT_EQ(_fake->test, _core->lane.stream,		\
			_tasks[begin].stream);				\
	KUNIT_EXPECT_EQ(_fake->test, _core->lane.task_count, count);	\
} while (0)

#define NPU_EXPECT_RUNS(fake, core, job, lane) do {			\
	const struct npu_fake *_fake = (fake);				\
									\
	KUNIT_EXPECT_EQ(_fake->test, npu_fake_running(_fake, core),	\
			npu_fake_token(job, lane));			\
} while (0)

#define NPU_EXPECT_IDLE(fake, core) do {				\
	const struct npu_fake *_fake = (fake);				\
									\
	KUNIT_EXPECT_EQ(_fake->test, npu_fake_running(_fake, core), 0);	\
} while (0)

#endif /* NPU_FAKE_H */
