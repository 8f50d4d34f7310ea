/* SPDX-License-Identifier: GPL-2.0-only */
/* Internal interface of the board. */
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
/* Fastest clock whose source is outside of the NPU's power domain. */
#define NPU_BOARD_OUTSIDE_HZ	200000000ul
/* The window of a core. */
#define NPU_BOARD_WINDOW	0x10000
/* Offsets of the first bank of an IOMMU in the window, and of the next. */
#define NPU_BOARD_BANK_FIRST	0x9000
#define NPU_BOARD_BANK_STEP	0x1000

/**
 * enum npu_board_mode - what the cores do
 */
enum npu_board_mode {
	/** @NPU_BOARD_COMPUTE: Compute without delays. */
	NPU_BOARD_COMPUTE,
	/** @NPU_BOARD_HOLD: Compute, and take as long as the hardware. */
	NPU_BOARD_HOLD,
	/** @NPU_BOARD_NULL: Compute nothing; end immediately. */
	NPU_BOARD_NULL,
};

/**
 * struct npu_board_tlb - a cached translation of a bank
 */
struct npu_board_tlb {
	/** @page: Number of the page, of addresses of the device. */
	u32 page;
	/** @entry: The entry of the page table; 0 if nothing is cached. */
	u32 entry;
};

/**
 * struct npu_board_bank - a bank of an IOMMU
 *
 * Protected by npu_board_core.lock.
 */
struct npu_board_bank {
	/** @present: The bank exists in the device tree. */
	bool present;
	/** @paging: Translation is enabled. */
	bool paging;
	/** @stalled: All accesses are blocked. */
	bool stalled;
	/** @fault: A fault has not been acknowledged. */
	bool fault;
	/** @write: The faulting access was a write. */
	bool write;
	/** @pending: The faulting access waits to be replayed. */
	bool pending;
	/** @replay: The faulting access is about to be replayed. */
	bool replay;
	/** @dte: Address of the page directory. */
	u32 dte;
	/** @fault_addr: Address of the fault. */
	u32 fault_addr;
	/** @raw: Raised interrupts. */
	u32 raw;
	/** @mask: Enabled interrupts. */
	u32 mask;
	/** @gating: Register without effect. */
	u32 gating;
	/** @tlb: Cached translations. */
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
	/** @iommu_zaps: Single pages that were invalidated. */
	atomic_t iommu_zaps;
	/** @interrupts: Interrupts delivered. */
	atomic_t interrupts;
	/** @starts: Starts of the core. */
	atomic_t starts;
	/** @resets: Resets of the core. */
	atomic_t resets;
	/** @faults: Faults of the IOMMU. */
	atomic_t faults;
	/** @replays: Accesses that were replayed after a fault. */
	atomic_t replays;
	/** @power_offs: Number of times that the power was switched off. */
	atomic_t power_offs;
	/** @wrong: Accesses that would have hung the chip. */
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
	/**
	 * @worker: The thread that runs the model, like those of other cores.
	 */
	struct kthread_worker *worker;
	/** @run: A run of the model. */
	struct kthread_work run;
	/**
	 * @held: Statistics of the model up to which @worker has spent the
	 * time.
	 */
	struct npu_model_stats held;
	/** @hold_until: End of the last of these tasks, in ns. */
	u64 hold_until;
	/**
	 * @irq_worker: The thread that raises interrupts, with a high priority.
	 */
	struct kthread_worker *irq_worker;
	/** @raise: Re-evaluates the interrupt line. */
	struct kthread_work raise;
	/** @wait: Where @worker waits for the end of a stall or of a delay. */
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
	/** @stuck: The core has hung and needs a reset. */
	bool stuck;
	/** @mute: Its interrupt is lost. */
	bool mute;
	/** @spurious: Raise a spurious interrupt. */
	bool spurious;
	/** @stop: Abort the run. */
	bool stop;
	/** @masked: The line is masked at the interrupt controller. */
	bool masked;
	/** @in_reset: Resets that are asserted, one bit each. */
	unsigned long in_reset;
	/** @raw: Raised interrupts at the start of the run. */
	u32 raw;
	/** @begun: Tasks of the run that have started, a register. */
	u32 begun;
	/** @fetched: The first stream of the run has been read. */
	bool fetched;
	/** @replays: Accesses of the run that were replayed. */
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
