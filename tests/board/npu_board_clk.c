// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks. All but one are gates. The clock of the cores is the firmware's: its
 * source for 300 MHz and more, the PVTPLL, is inside the NPU's power domain, so the
 * firmware touches registers there to set a rate, or to measure it.
 */
#include <linux/clk-provider.h>
#include <linux/debugfs.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/units.h>

#include "npu_board.h"

/* Gates: those of the cores, the bus clock and the clock of all cores. */
#define NPU_BOARD_GATES		16
/* The firmware takes multiples of this, from twice to ten times. */
#define NPU_BOARD_RATE_STEP	(100 * HZ_PER_MHZ)
#define NPU_BOARD_RATE_STEPS	10
/*
 * Measured on a board at 800 mV: the ring that 800, 900 and 1000 MHz share
 * reaches no more than 676 MHz. Assume one MHz more per millivolt.
 */
#define NPU_BOARD_RING_HZ	(676 * HZ_PER_MHZ)
#define NPU_BOARD_RING_UV	800000
#define NPU_BOARD_RING_HZ_PER_UV	1000

static unsigned int boot_mhz = 200;
module_param(boot_mhz, uint, 0444);
MODULE_PARM_DESC(boot_mhz, "Rate of the cores' clock that firmware leaves (default 200)");

static bool cached_rate;
module_param(cached_rate, bool, 0644);
MODULE_PARM_DESC(cached_rate, "The firmware answers with the rate last asked for instead of measuring it (default off)");

static struct npu_board_gate npu_board_gates[NPU_BOARD_GATES];
static unsigned int npu_board_gate_count;
/* The clock of the cores, and the bus clock without which nothing answers. */
static struct npu_board_gate *npu_board_npu_clock;
static struct npu_board_gate *npu_board_bus_clock;
static atomic_t npu_board_rate_sets;
static atomic_t npu_board_rate_reads;

static struct npu_board_gate *npu_board_gate_of(struct clk_hw *hw)
{
	return container_of(hw, struct npu_board_gate, hw);
}

static int npu_board_clk_enable(struct clk_hw *hw)
{
	WRITE_ONCE(npu_board_gate_of(hw)->on, true);
	return 0;
}

static void npu_board_clk_disable(struct clk_hw *hw)
{
	WRITE_ONCE(npu_board_gate_of(hw)->on, false);
}

static int npu_board_clk_is_enabled(struct clk_hw *hw)
{
	return READ_ONCE(npu_board_gate_of(hw)->on);
}

/* Complain unless the firmware can touch the block of the NPU. */
static void npu_board_clk_touch(const char *what, unsigned long rate)
{
	bool powered = false;
	unsigned int i;

	for (i = 0; i < npu_board.core_count; i++)
		powered |= atomic_read(&npu_board.cores[i].powered);
	if (!powered || !READ_ONCE(npu_board_bus_clock->on))
		npu_board_wrong(&npu_board.cores[0], what, rate / HZ_PER_MHZ);
}

static unsigned long npu_board_clk_recalc_rate(struct clk_hw *hw,
					       unsigned long parent)
{
	struct npu_board_gate *gate = npu_board_gate_of(hw);
	unsigned long rate = READ_ONCE(gate->rate);

	if (gate != npu_board_npu_clock)
		return rate;
	atomic_inc(&npu_board_rate_reads);
	if (rate <= NPU_BOARD_OUTSIDE_HZ || READ_ONCE(cached_rate))
		return rate;
	npu_board_clk_touch("clock rate read without power, MHz", rate);
	return min(rate, NPU_BOARD_RING_HZ +
			 (npu_board_rail_uv() - NPU_BOARD_RING_UV) *
			 NPU_BOARD_RING_HZ_PER_UV);
}

static int npu_board_clk_determine_rate(struct clk_hw *hw,
					struct clk_rate_request *req)
{
	return 0;
}

static int npu_board_clk_set_rate(struct clk_hw *hw, unsigned long rate,
				  unsigned long parent)
{
	struct npu_board_gate *gate = npu_board_gate_of(hw);
	unsigned long steps = rate / NPU_BOARD_RATE_STEP;

	if (gate == npu_board_npu_clock) {
		atomic_inc(&npu_board_rate_sets);
		npu_board_clk_touch("clock rate set without power, MHz", rate);
		/* The clock framework ignores what is returned. */
		if (rate % NPU_BOARD_RATE_STEP || steps < 2 ||
		    steps > NPU_BOARD_RATE_STEPS) {
			npu_board_wrong(&npu_board.cores[0],
					"clock rate that firmware refuses, MHz",
					rate / HZ_PER_MHZ);
			return -EINVAL;
		}
	}
	WRITE_ONCE(gate->rate, rate);
	return 0;
}

static const struct clk_ops npu_board_clk_ops = {
	.enable = npu_board_clk_enable,
	.disable = npu_board_clk_disable,
	.is_enabled = npu_board_clk_is_enabled,
	.recalc_rate = npu_board_clk_recalc_rate,
	.determine_rate = npu_board_clk_determine_rate,
	.set_rate = npu_board_clk_set_rate,
};

static struct npu_board_gate *npu_board_gate(u32 id)
{
	unsigned int i;

	for (i = 0; i < npu_board_gate_count; i++)
		if (npu_board_gates[i].id == id)
			return &npu_board_gates[i];
	return NULL;
}

/* The gate with number @id, which is made if it is not there yet. */
static struct npu_board_gate *npu_board_gate_make(u32 id)
{
	struct clk_init_data init = {
		.ops = &npu_board_clk_ops,
		/* As the driver of SCMI's clocks: each reader asks the firmware. */
		.flags = CLK_GET_RATE_NOCACHE,
	};
	struct npu_board_gate *gate = npu_board_gate(id);
	char name[32];
	int ret;

	if (gate)
		return gate;
	if (npu_board_gate_count == NPU_BOARD_GATES)
		return ERR_PTR(-ENOSPC);
	gate = &npu_board_gates[npu_board_gate_count];
	gate->id = id;
	gate->rate = boot_mhz * HZ_PER_MHZ;
	snprintf(name, sizeof(name), "npu-board-%u", id);
	init.name = name;
	gate->hw.init = &init;
	ret = clk_hw_register(NULL, &gate->hw);
	if (ret)
		return ERR_PTR(ret);
	npu_board_gate_count++;
	return gate;
}

/**
 * npu_board_clk_core() - find the clocks of a core
 * @core: the core, whose node is set
 *
 * Return: 0 or a negative errno.
 */
int npu_board_clk_core(struct npu_board_core *core)
{
	struct of_phandle_args args;
	unsigned int i;
	int ret;

	for (i = 0; i < of_count_phandle_with_args(core->np, "clocks",
						   "#clock-cells"); i++) {
		struct npu_board_gate *gate;

		ret = of_parse_phandle_with_args(core->np, "clocks",
						 "#clock-cells", i, &args);
		if (ret)
			return ret;
		gate = npu_board_gate_make(args.args[0]);
		of_node_put(args.np);
		if (IS_ERR(gate))
			return PTR_ERR(gate);
		/* In the order of the binding: aclk, hclk, npu, pclk. */
		if (i < NPU_BOARD_CLOCKS)
			core->clocks[i] = gate;
		else if (i == NPU_BOARD_CLOCKS)
			npu_board_npu_clock = gate;
		else
			npu_board_bus_clock = gate;
	}
	return npu_board_bus_clock ? 0 : -EINVAL;
}

/**
 * npu_board_clk_hz() - what the clock of the cores has been set to
 *
 * Return: the rate in Hz.
 */
unsigned long npu_board_clk_hz(void)
{
	return READ_ONCE(npu_board_npu_clock->rate);
}

static struct clk_hw *npu_board_clk_get(struct of_phandle_args *args, void *data)
{
	struct npu_board_gate *gate = npu_board_gate(args->args[0]);

	return gate ? &gate->hw : ERR_PTR(-ENOENT);
}

/**
 * npu_board_clk_init() - make a provider of clocks
 * @np: its node
 *
 * Return: 0 or a negative errno.
 */
int npu_board_clk_init(struct device_node *np)
{
	return of_clk_add_hw_provider(np, npu_board_clk_get, NULL);
}

/**
 * npu_board_clk_debugfs() - show what has become of the clock
 * @root: the board's directory
 */
void npu_board_clk_debugfs(struct dentry *root)
{
	debugfs_create_atomic_t("rate_sets", 0644, root, &npu_board_rate_sets);
	debugfs_create_atomic_t("rate_reads", 0644, root, &npu_board_rate_reads);
	debugfs_create_ulong("rate_hz", 0444, root, &npu_board_npu_clock->rate);
}
