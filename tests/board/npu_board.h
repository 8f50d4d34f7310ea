/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the board share. */
#ifndef NPU_BOARD_H
#define NPU_BOARD_H

#include <linux/atomic.h>
#include <linux/clk-provider.h>
#include <linux/kthread.h>
#include <linux/pm_domain.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "../../driver/model/npu_model.h"

struct dentry;
struct device_node;
struct regulator;

#define NPU_BOARD_CORES		3
#define NPU_BOARD_BANKS		2
#define NPU_BOARD_TLB		64
#define NPU_BOARD_CLOCKS	2
#define NPU_BOARD_RESETS	2
/* The fastest clock that comes from outside the NPU's power domain. */
#define NPU_BOARD_OUTSIDE_HZ	200000000ul
/* The window of a core. */
#define NPU_BOARD_WINDOW	0x10000
/* Where the first bank of an IOMMU may be in it, and the next. */
#define NPU_BOARD_BANK_FIRST	0x9000
#define NPU_BOARD_BANK_STEP	0x1000

/**
 * enum npu_board_mode - what the cores do
 */
enum npu_board_mode {
	/** @NPU_BOARD_COMPUTE: Compute as fast as possible. */
	NPU_BOARD_COMPUTE,
	/** @NPU_BOARD_HOLD: Compute, and take as long as the hardware. */
	NPU_BOARD_HOLD,
	/** @NPU_BOARD_NULL: Nothing; end at once. */
	NPU_BOARD_NULL,
};

/**
 * struct npu_board_tlb - a translation that a bank remembers
 */
struct npu_board_tlb {
	/** @page: Number of the page, of addresses of the device. */
	u32 page;
	/** @entry: The entry of the page table; 0 if nothing is remembered. */
	u32 entry;
};

/**
 * struct npu_board_bank - a bank of an IOMMU
 *
 * Protected by npu_board_core.lock.
 */
struct npu_board_bank {
	/** @present: The device tree has it. */
	bool present;
	/** @paging: Translates. */
	bool paging;
	/** @stalled: Lets nothing pass. */
	bool stalled;
	/** @fault: Has met a fault that nobody has seen to. */
	bool fault;
	/** @write: It was a write. */
	bool write;
	/** @pending: The access that met it waits to be done again. */
	bool pending;
	/** @replay: It is about to be done again. */
	bool replay;
	/** @dte: Address of the directory. */
	u32 dte;
	/** @fault_addr: Where the fault was. */
	u32 fault_addr;
	/** @raw: Interrupts raised. */
	u32 raw;
	/** @mask: Interrupts wanted. */
	u32 mask;
	/** @gating: Register without effect. */
	u32 gating;
	/** @tlb: What it remembers. */
	struct npu_board_tlb tlb[NPU_BOARD_TLB];
};

/**
 * struct npu_board_gate - a clock that can be switched off
 */
struct npu_board_gate {
	/** @hw: For the clock framework. */
	struct clk_hw hw;
	/** @id: Its number for its provider. */
	u32 id;
	/** @rate: Rate in Hz. */
	unsigned long rate;
	/** @on: Runs. */
	bool on;
};

/**
 * struct npu_board_counts - what has happened
 */
struct npu_board_counts {
	/** @reads: Registers read. */
	atomic_t reads;
	/** @writes: Registers written. */
	atomic_t writes;
	/** @iommu_commands: Commands written to banks. */
	atomic_t iommu_commands;
	/** @iommu_zaps: Single pages that were to be forgotten. */
	atomic_t iommu_zaps;
	/** @interrupts: Interrupts delivered. */
	atomic_t interrupts;
	/** @starts: Starts of the core. */
	atomic_t starts;
	/** @resets: Resets of the core. */
	atomic_t resets;
	/** @faults: Faults of the IOMMU. */
	atomic_t faults;
	/** @replays: Accesses that were done again after a fault. */
	atomic_t replays;
	/** @power_offs: Times that the power went. */
	atomic_t power_offs;
	/** @wrong: What would have hung the chip. */
	atomic_t wrong;
};

/**
 * struct npu_board_core - a core, its IOMMU and its interrupt line
 */
struct npu_board_core {
	/** @index: Its number. */
	unsigned int index;
	/** @np: Its node. */
	struct device_node *np;
	/** @res: Its window. */
	struct resource res;
	/** @model: The model; @worker's while @running. */
	struct npu_model_core *model;
	/** @worker: The thread that computes, as others do. */
	struct kthread_worker *worker;
	/** @run: A run of the model. */
	struct kthread_work run;
	/** @held: How far @worker is with the time that it is to take. */
	struct npu_model_stats held;
	/** @hold_until: When the last task of those has ended, in ns. */
	u64 hold_until;
	/** @irq_worker: The thread that interrupts, before all others. */
	struct kthread_worker *irq_worker;
	/** @raise: Look after the interrupt line. */
	struct kthread_work raise;
	/** @wait: Where the thread waits for a stall or a time to end. */
	wait_queue_head_t wait;
	/** @hwirq: Number of the line. */
	u32 hwirq;
	/** @clocks: Clocks without which registers do not answer. */
	struct npu_board_gate *clocks[NPU_BOARD_CLOCKS];
	/** @domain: Power domain. */
	u32 domain;
	/** @resets: Numbers of the resets. */
	u32 resets[NPU_BOARD_RESETS];

	/** @lock: Protects the rest, and the model while it does not run. */
	spinlock_t lock;
	/** @bank: The IOMMU. */
	struct npu_board_bank bank[NPU_BOARD_BANKS];
	/** @powered: The power domain is on. */
	atomic_t powered;
	/** @running: The thread runs the model. */
	bool running;
	/** @stuck: The core waits for what never comes. */
	bool stuck;
	/** @mute: Its interrupt is lost. */
	bool mute;
	/** @spurious: The line is to be raised for nothing. */
	bool spurious;
	/** @stop: The run is to be abandoned. */
	bool stop;
	/** @masked: The line is masked at the interrupt controller. */
	bool masked;
	/** @in_reset: Resets that are asserted, one bit each. */
	unsigned long in_reset;
	/** @raw: What was raised when the run began. */
	u32 raw;
	/** @begun: Tasks of the run that have begun, a register. */
	u32 begun;
	/** @fetched: The first stream of the run has been read. */
	bool fetched;
	/** @replays: Accesses of the run that were done again. */
	unsigned int replays;
	/** @counts: What has happened. */
	struct npu_board_counts counts;
};

/**
 * struct npu_board - the board
 */
struct npu_board {
	/** @core_count: Number of cores. */
	unsigned int core_count;
	/** @mode: What they do. */
	enum npu_board_mode mode;
	/** @cores: The cores. */
	struct npu_board_core cores[NPU_BOARD_CORES];
};

extern struct npu_board npu_board;

int npu_board_core_init(struct npu_board_core *core);
void npu_board_core_off(struct npu_board_core *core);
void npu_board_core_mask(struct npu_board_core *core, bool masked);
void npu_board_core_reset(struct npu_board_core *core, u32 id, bool assert);
unsigned long npu_board_read(void *priv, unsigned int offset, int size);
void npu_board_write(void *priv, unsigned int offset, int size,
		     unsigned long value);
bool npu_board_inject(unsigned int *count);
void npu_board_wrong(struct npu_board_core *core, const char *what, u32 offset);

u32 npu_board_bank_read(struct npu_board_core *core,
			const struct npu_board_bank *bank, u32 reg);
void npu_board_bank_write(struct npu_board_core *core,
			  struct npu_board_bank *bank, u32 reg, u32 value);
void npu_board_bank_reset(struct npu_board_bank *bank);
void npu_board_bank_stale(struct npu_board_bank *bank);
void npu_board_bank_replay(struct npu_board_core *core,
			   struct npu_board_bank *bank);
bool npu_board_bank_irq(const struct npu_board_bank *bank);
void npu_board_bank_fault(struct npu_board_core *core,
			  struct npu_board_bank *bank, u32 addr, bool write);
void *npu_board_bank_translate(struct npu_board_core *core,
			       struct npu_board_bank *bank, u32 addr,
			       bool write);

int npu_board_soc_init(struct npu_board *board);
int npu_board_sram_init(struct device_node *core);
int npu_board_soc_core(struct npu_board_core *core);
void npu_board_soc_interrupt(struct npu_board_core *core);
bool npu_board_core_alive(const struct npu_board_core *core);

int npu_board_clk_init(struct device_node *np);
int npu_board_clk_core(struct npu_board_core *core);
unsigned long npu_board_clk_hz(void);
void npu_board_clk_debugfs(struct dentry *root);

int npu_board_rail_init(struct device_node *np);
void npu_board_rail_debugfs(struct dentry *root);
bool npu_board_rail_on(void);
int npu_board_rail_uv(void);
struct regulator *npu_board_rail_get(struct device_node *np);

int npu_board_view_init(void);
void *npu_board_view_memory(phys_addr_t addr);

#endif /* NPU_BOARD_H */
