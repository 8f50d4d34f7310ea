/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the driver of the RK3588's NPU share. */
#ifndef NPU_RK3588_H
#define NPU_RK3588_H

#include <linux/clk.h>
#include <linux/devfreq.h>
#include <linux/irqreturn.h>
#include <linux/mutex.h>
#include <linux/pm_qos.h>
#include <linux/reset.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "../core/include/npu_hw.h"

struct device;
struct device_link;
struct gen_pool;
struct iommu_domain;
struct npu_rk3588;
struct platform_device;

/* Without the governor that it takes there is no clock scaling. */
#if IS_ENABLED(CONFIG_PM_DEVFREQ) && IS_ENABLED(CONFIG_DEVFREQ_GOV_SIMPLE_ONDEMAND)
#define NPU_RK3588_DEVFREQ
#endif

#define NPU_RK3588_CORES	3
/* The fastest operating point that boards are sold with. */
#define NPU_RK3588_PEAK_HZ	1000000000ull
/* The fastest clock that does not depend on the NPU's own power. */
#define NPU_RK3588_PARK_HZ	200000000ul
#define NPU_RK3588_CLOCKS	4
#define NPU_RK3588_CLOCK_NPU	2
#define NPU_RK3588_RESETS	2

/**
 * struct npu_rk3588_vm - an address space
 */
struct npu_rk3588_vm {
	/** @rk: The device. */
	struct npu_rk3588 *rk;
	/** @domain: Its page tables. */
	struct iommu_domain *domain;
};

/**
 * struct npu_rk3588_core - one core
 */
struct npu_rk3588_core {
	/** @rk: The device that it is part of. */
	struct npu_rk3588 *rk;
	/** @dev: The core's own device. */
	struct device *dev;
	/** @iommu: Device of its IOMMU, which faults are reported for. */
	struct device *iommu;
	/** @pc: Registers of command fetch and interrupts. */
	void __iomem *pc;
	/** @cna: Registers of the CNA. */
	void __iomem *cna;
	/** @core: Registers of the CORE. */
	void __iomem *core;
	/** @dpu: Registers of the DPU. */
	void __iomem *dpu;
	/** @clocks: Clocks. */
	struct clk_bulk_data clocks[NPU_RK3588_CLOCKS];
	/** @resets: Resets. */
	struct reset_control_bulk_data resets[NPU_RK3588_RESETS];
	/** @irq: Interrupt, shared with the IOMMU. */
	int irq;
	/** @number: Number of the core in the hardware. */
	unsigned int number;
	/** @index: Number of the core for npu.ko, once it is registered. */
	unsigned int index;
	/** @version: Version registers, added as mainline's driver does. */
	u32 version;
	/** @on: Has clocks and power; otherwise its registers must not be read. */
	bool on;
	/** @link: Has it powered with the others, once registered. */
	struct device_link *link;
	/** @tasks: Tasks of the lane that runs, or 0. */
	unsigned int tasks;
	/**
	 * @vm: Address space of the IOMMU. Changes under npu.ko's lock of the
	 * core; others only compare it.
	 */
	struct npu_rk3588_vm *vm;
	/** @ends: Interrupts that end the lane, which alone are not masked. */
	u32 ends;
	/** @shut: Its interrupt is disabled until the reset that a fault entails. */
	bool shut;
	/** @broken: The IOMMU could not be set up: the core must not start. */
	bool broken;
	/** @stale: The IOMMU may remember what is not mapped any more. */
	bool stale;
	/** @busy_ns: How long it had been busy when devfreq last asked. */
	u64 busy_ns;
};

/**
 * struct npu_rk3588 - the NPU: all cores as one device
 */
struct npu_rk3588 {
	/** @pdev: The device that stands for all cores. */
	struct platform_device *pdev;
	/** @lock: Protects @npu, @expected, @present and @gone. */
	struct mutex lock;
	/** @late: Registers without the cores that do not come. */
	struct delayed_work late;
	/** @npu: The device in npu.ko, or %NULL. */
	struct npu_device *npu;
	/** @desc: Its description. */
	struct npu_hw_desc desc;
	/** @expected: Cores that the device tree has, one bit each. */
	unsigned long expected;
	/** @present: Cores that are bound, by their number in the hardware. */
	struct npu_rk3588_core *present[NPU_RK3588_CORES];
	/** @cores: Cores of @npu, by its numbers. */
	struct npu_rk3588_core *cores[NPU_RK3588_CORES];
	/** @gone: The module is being removed. */
	bool gone;
	/** @sram_pool: Where the on-chip memory is from, or %NULL. */
	struct gen_pool *sram_pool;
	/**
	 * @rate_lock: Protects @scaled, @clocked, @hz and @wanted_hz. Taken inside
	 * of @clock_lock and of devfreq's lock.
	 */
	struct mutex rate_lock;
	/** @clock: The clock of all cores, while @scaled. */
	struct clk *clock;
	/** @scaled: Device with operating points, or %NULL: the rate stays. */
	struct device *scaled;
	/** @clocked: All cores have power, so the rate may change. */
	bool clocked;
	/** @hz: Present rate, while @scaled. */
	unsigned long hz;
	/** @wanted_hz: Rate while @clocked; read without the lock. */
	unsigned long wanted_hz;
	/** @fastest_hz: The fastest operating point, or %NPU_RK3588_PARK_HZ. */
	unsigned long fastest_hz;
	/** @clock_lock: Protects @devfreq and @powered. */
	struct mutex clock_lock;
	/** @devfreq: Chooses the rate of @clock, or %NULL. */
	struct devfreq *devfreq;
	/** @powered: All cores have power. */
	bool powered;
#ifdef NPU_RK3588_DEVFREQ
	/** @ondemand: How it is chosen. */
	struct devfreq_simple_ondemand_data ondemand;
	/** @floor: The slowest rate, in kHz, that others may ask for. */
	struct dev_pm_qos_request floor;
#endif
	/** @status_ns: When devfreq last asked how busy the cores are. */
	u64 status_ns;
};

extern const struct npu_hw_ops npu_rk3588_ops;

irqreturn_t npu_rk3588_irq(int irq, void *data);
void npu_rk3588_setup(struct npu_rk3588_core *core);
int npu_rk3588_reset(struct npu_rk3588_core *core);
int npu_rk3588_pulse(struct npu_rk3588_core *core);
void npu_rk3588_fault(struct npu_rk3588_core *core, u64 addr);

int npu_rk3588_power_init(struct npu_rk3588 *rk);
void npu_rk3588_power_fini(struct npu_rk3588 *rk);
int npu_rk3588_power_resume(struct device *dev);
int npu_rk3588_power_suspend(struct device *dev);
int npu_rk3588_wake(void *hw, unsigned int index);
bool npu_rk3588_wake_now(void *hw, unsigned int index);
void npu_rk3588_rest(void *hw, unsigned int index);

int npu_rk3588_clock_init(struct npu_rk3588_core *core);
int npu_rk3588_clock_scale(struct npu_rk3588 *rk, struct device *dev);
void npu_rk3588_clock_unscale(struct npu_rk3588 *rk);
int npu_rk3588_clock_set(struct npu_rk3588 *rk, unsigned long hz);
unsigned long npu_rk3588_clock_hz(struct npu_rk3588 *rk);
void npu_rk3588_clock_up(struct npu_rk3588 *rk);
int npu_rk3588_clock_park(struct npu_rk3588 *rk);

#ifdef NPU_RK3588_DEVFREQ
int npu_rk3588_devfreq_init(struct npu_rk3588 *rk);
void npu_rk3588_devfreq_fini(struct npu_rk3588 *rk);
void npu_rk3588_devfreq_power(struct npu_rk3588 *rk, bool on);
void npu_rk3588_devfreq_alert(struct npu_rk3588 *rk, bool on);
#else
static inline int npu_rk3588_devfreq_init(struct npu_rk3588 *rk)
{
	return -EOPNOTSUPP;
}

static inline void npu_rk3588_devfreq_fini(struct npu_rk3588 *rk)
{
}

static inline void npu_rk3588_devfreq_power(struct npu_rk3588 *rk, bool on)
{
}

static inline void npu_rk3588_devfreq_alert(struct npu_rk3588 *rk, bool on)
{
}
#endif

#ifdef CONFIG_GENERIC_ALLOCATOR
void npu_rk3588_sram_init(struct npu_rk3588 *rk, struct npu_hw_sram *sram);
void npu_rk3588_sram_fini(struct npu_rk3588 *rk);
#else
static inline void npu_rk3588_sram_init(struct npu_rk3588 *rk,
					struct npu_hw_sram *sram)
{
}

static inline void npu_rk3588_sram_fini(struct npu_rk3588 *rk)
{
}
#endif

void *npu_rk3588_vm_create(void *hw);
void npu_rk3588_vm_destroy(void *hw, void *vm);
int npu_rk3588_vm_map(void *hw, void *vm, const struct npu_hw_memory *memory);
void npu_rk3588_vm_move(void *hw, void *vm, const struct npu_hw_memory *memory);
void npu_rk3588_vm_unmap(void *hw, void *vm, u64 addr, u64 size);
int npu_rk3588_attach(void *hw, unsigned int index, void *vm);
int npu_rk3588_reattach(struct npu_rk3588_core *core);

#endif /* NPU_RK3588_H */
