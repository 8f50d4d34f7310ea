// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of the chip that a core needs: interrupt controller, clocks, resets
 * and power domains. The device tree defines which ones belong to which core.
 */
#include <linux/clk.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/pm_clock.h>
#include <linux/regulator/consumer.h>
#include <linux/reset-controller.h>
#include <linux/slab.h>
#include <linux/units.h>

#include "npu_board.h"

/* Upper limits of interrupt and power domain numbers. */
#define NPU_BOARD_IRQS		0x80
#define NPU_BOARD_DOMAINS	16

static unsigned int no_reset;
module_param(no_reset, uint, 0644);
MODULE_PARM_DESC(no_reset, "Cores, one bit each, whose resets nobody can have");

static unsigned int no_power;
module_param(no_power, uint, 0644);
MODULE_PARM_DESC(no_power, "Cores, one bit each, whose power domains cannot be switched on");

static struct irq_domain *npu_board_irqs;
static struct generic_pm_domain npu_board_pds[NPU_BOARD_DOMAINS];
static struct regulator *npu_board_pd_supplies[NPU_BOARD_DOMAINS];
static struct generic_pm_domain *npu_board_pd_table[NPU_BOARD_DOMAINS];
static struct genpd_onecell_data npu_board_pd_data = {
	.domains = npu_board_pd_table,
	.num_domains = NPU_BOARD_DOMAINS,
};

static void npu_board_irq_set(struct irq_data *data, bool masked)
{
	struct npu_board_core *core = irq_data_get_irq_chip_data(data);

	if (core)
		npu_board_core_mask(core, masked);
}

static void npu_board_irq_mask(struct irq_data *data)
{
	npu_board_irq_set(data, true);
}

static void npu_board_irq_unmask(struct irq_data *data)
{
	npu_board_irq_set(data, false);
}

/* npu_board_deliver() checks the level again after each interrupt. */
static void npu_board_irq_eoi(struct irq_data *data)
{
}

static int npu_board_irq_set_type(struct irq_data *data, unsigned int type)
{
	return type == IRQ_TYPE_LEVEL_HIGH ? 0 : -EINVAL;
}

static struct irq_chip npu_board_irq_chip = {
	.name = "npu_board",
	.irq_mask = npu_board_irq_mask,
	.irq_unmask = npu_board_irq_unmask,
	.irq_eoi = npu_board_irq_eoi,
	.irq_set_type = npu_board_irq_set_type,
};

static int npu_board_irq_map(struct irq_domain *domain, unsigned int virq,
			     irq_hw_number_t hwirq)
{
	unsigned int i;

	for (i = 0; i < npu_board.core_count; i++)
		if (npu_board.cores[i].hwirq == hwirq)
			irq_set_chip_data(virq, &npu_board.cores[i]);
	/* As with a GIC, only mask a line while its thread runs. */
	irq_set_chip_and_handler(virq, &npu_board_irq_chip, handle_fasteoi_irq);
	return 0;
}

/* Cells as those of a GIC: kind, number, type, affinity. */
static int npu_board_irq_xlate(struct irq_domain *domain,
			       struct device_node *np, const u32 *cells,
			       unsigned int count, unsigned long *hwirq,
			       unsigned int *type)
{
	if (count < 3 || cells[0])
		return -EINVAL;
	*hwirq = cells[1];
	*type = cells[2] & IRQ_TYPE_SENSE_MASK;
	return 0;
}

static const struct irq_domain_ops npu_board_irq_ops = {
	.map = npu_board_irq_map,
	.xlate = npu_board_irq_xlate,
};

/**
 * npu_board_soc_interrupt() - interrupt the processor
 * @core: the core whose line it is
 */
void npu_board_soc_interrupt(struct npu_board_core *core)
{
	atomic_inc(&core->counts.interrupts);
	/* Enabling bottom halves runs pending softirqs. */
	local_bh_disable();
	local_irq_disable();
	__irq_enter_raw();
	generic_handle_domain_irq(npu_board_irqs, core->hwirq);
	__irq_exit_raw();
	local_irq_enable();
	local_bh_enable();
}

static struct npu_board_core *npu_board_core_of_reset(unsigned long id)
{
	unsigned int i, j;

	for (i = 0; i < npu_board.core_count; i++)
		for (j = 0; j < NPU_BOARD_RESETS; j++)
			if (npu_board.cores[i].resets[j] == id)
				return &npu_board.cores[i];
	return NULL;
}

static int npu_board_reset_xlate(struct reset_controller_dev *rcdev,
				 const struct of_phandle_args *args)
{
	struct npu_board_core *core = npu_board_core_of_reset(args->args[0]);

	if (!core || READ_ONCE(no_reset) & BIT(core->index))
		return -EINVAL;
	return args->args[0];
}

static int npu_board_reset_assert(struct reset_controller_dev *rcdev,
				  unsigned long id)
{
	npu_board_core_reset(npu_board_core_of_reset(id), id, true);
	return 0;
}

static int npu_board_reset_deassert(struct reset_controller_dev *rcdev,
				    unsigned long id)
{
	npu_board_core_reset(npu_board_core_of_reset(id), id, false);
	return 0;
}

static const struct reset_control_ops npu_board_reset_ops = {
	.assert = npu_board_reset_assert,
	.deassert = npu_board_reset_deassert,
};

static struct reset_controller_dev npu_board_resets = {
	.ops = &npu_board_reset_ops,
	.owner = THIS_MODULE,
	.of_reset_n_cells = 1,
	.of_xlate = npu_board_reset_xlate,
};

static bool npu_board_pd_fails(const struct generic_pm_domain *pd)
{
	unsigned int i;

	for (i = 0; i < npu_board.core_count; i++)
		if (READ_ONCE(no_power) & BIT(i) &&
		    &npu_board_pds[npu_board.cores[i].domain] == pd)
			return true;
	return false;
}

static int npu_board_pd_set(struct generic_pm_domain *pd, bool on)
{
	unsigned int i;

	for (i = 0; i < npu_board.core_count; i++) {
		struct npu_board_core *core = &npu_board.cores[i];

		if (&npu_board_pds[core->domain] != pd)
			continue;
		if (on)
			atomic_set(&core->powered, 1);
		else
			npu_board_core_off(core);
	}
	return 0;
}

/*
 * At a faster clock the power controller gets no acknowledgment from the NPU's
 * domains: the source of that clock is in the outermost one.
 */
static bool npu_board_pd_too_fast(struct generic_pm_domain *pd)
{
	unsigned long hz = npu_board_clk_hz();

	if (hz <= NPU_BOARD_OUTSIDE_HZ)
		return false;
	npu_board_wrong(&npu_board.cores[0], "power on with a fast clock, MHz",
			hz / HZ_PER_MHZ);
	return true;
}

/* As with Rockchip's domains, the supply is enabled while a domain is on. */
static int npu_board_pd_on(struct generic_pm_domain *pd)
{
	struct regulator *supply = npu_board_pd_supplies[pd - npu_board_pds];
	int ret;

	if (npu_board_pd_fails(pd) || npu_board_pd_too_fast(pd))
		return -ETIMEDOUT;
	ret = supply ? regulator_enable(supply) : 0;
	return ret ?: npu_board_pd_set(pd, true);
}

static int npu_board_pd_off(struct generic_pm_domain *pd)
{
	struct regulator *supply = npu_board_pd_supplies[pd - npu_board_pds];
	int ret = npu_board_pd_set(pd, false);

	if (!ret && supply)
		ret = regulator_disable(supply);
	return ret;
}

/*
 * As with Rockchip's domains, a device's clocks are switched with its power.
 * Mainline's rocket relies on that: it requests clocks without names, and so
 * gets the first one several times.
 */
static int npu_board_pd_attach(struct generic_pm_domain *pd, struct device *dev)
{
	struct clk *clk;
	unsigned int i;
	int ret;

	ret = pm_clk_create(dev);
	for (i = 0; !ret; i++) {
		clk = of_clk_get(dev->of_node, i);
		if (IS_ERR(clk))
			return 0;
		ret = pm_clk_add_clk(dev, clk);
		if (ret) {
			clk_put(clk);
			pm_clk_destroy(dev);
		}
	}
	return ret;
}

static void npu_board_pd_detach(struct generic_pm_domain *pd, struct device *dev)
{
	pm_clk_destroy(dev);
}

/* Make the domain of @np and those within it. */
static int npu_board_pd_init(struct device_node *np,
			     struct generic_pm_domain *parent)
{
	struct generic_pm_domain *pd;
	u32 id;
	int ret;

	ret = of_property_read_u32(np, "reg", &id);
	if (ret || id >= NPU_BOARD_DOMAINS)
		return -EINVAL;
	npu_board_pd_supplies[id] = npu_board_rail_get(np);
	if (IS_ERR(npu_board_pd_supplies[id]))
		return PTR_ERR(npu_board_pd_supplies[id]);
	pd = &npu_board_pds[id];
	pd->name = np->full_name;
	pd->power_on = npu_board_pd_on;
	pd->power_off = npu_board_pd_off;
	pd->attach_dev = npu_board_pd_attach;
	pd->detach_dev = npu_board_pd_detach;
	pd->flags = GENPD_FLAG_PM_CLK;
	ret = pm_genpd_init(pd, NULL, true);
	if (!ret && parent)
		ret = pm_genpd_add_subdomain(parent, pd);
	if (ret)
		return ret;
	npu_board_pd_table[id] = pd;
	for_each_child_of_node_scoped(np, child) {
		ret = npu_board_pd_init(child, pd);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * npu_board_core_alive() - has a core what its registers need to answer?
 * @core: the core
 *
 * Return: whether it has a supply, power and clocks.
 */
bool npu_board_core_alive(const struct npu_board_core *core)
{
	bool alive = atomic_read(&core->powered) && npu_board_rail_on();
	unsigned int i;

	for (i = 0; i < NPU_BOARD_CLOCKS; i++)
		alive &= READ_ONCE(core->clocks[i]->on);
	return alive;
}

static struct device_node *npu_board_provider(const char *compatible)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, compatible);

	if (!np)
		pr_err("npu_board: no %s in the device tree\n", compatible);
	else
		/* No driver will bind it: do not let consumers wait for one. */
		fwnode_dev_initialized(of_fwnode_handle(np), true);
	return np;
}

/**
 * npu_board_soc_init() - make what the cores need
 * @board: the board, whose cores are known
 *
 * Return: 0 or a negative errno.
 */
int npu_board_soc_init(struct npu_board *board)
{
	struct device_node *np = npu_board_provider("npu-board,gic");
	int ret;

	if (!np)
		return -ENODEV;
	npu_board_irqs = irq_domain_create_linear(of_fwnode_handle(np),
						  NPU_BOARD_IRQS,
						  &npu_board_irq_ops, NULL);
	if (!npu_board_irqs)
		return -ENOMEM;

	np = npu_board_provider("npu-board,cru");
	ret = np ? npu_board_clk_init(np) : -ENODEV;
	npu_board_resets.of_node = np;
	np = npu_board_provider("npu-board,scmi-clock");
	if (!ret)
		ret = np ? npu_board_clk_init(np) : -ENODEV;
	if (ret)
		return ret;
	ret = reset_controller_register(&npu_board_resets);
	if (ret)
		return ret;

	np = npu_board_provider("npu-board,regulator");
	ret = np ? npu_board_rail_init(np) : -ENODEV;
	if (ret)
		return ret;

	np = npu_board_provider("npu-board,power-controller");
	if (!np)
		return -ENODEV;
	for_each_child_of_node_scoped(np, child) {
		ret = npu_board_pd_init(child, NULL);
		if (ret)
			return ret;
	}
	return of_genpd_add_provider_onecell(np, &npu_board_pd_data);
}

/**
 * npu_board_soc_core() - find out what a core needs
 * @core: the core, whose node is set
 *
 * Return: 0 or a negative errno.
 */
int npu_board_soc_core(struct npu_board_core *core)
{
	struct of_phandle_args args;
	unsigned int i;
	int ret;

	ret = of_property_read_u32_index(core->np, "interrupts", 1, &core->hwirq);
	if (!ret)
		ret = of_property_read_u32_index(core->np, "power-domains", 1,
						 &core->domain);
	if (ret || core->domain >= NPU_BOARD_DOMAINS)
		return -EINVAL;
	for (i = 0; i < NPU_BOARD_RESETS; i++) {
		ret = of_parse_phandle_with_args(core->np, "resets",
						 "#reset-cells", i, &args);
		if (ret)
			return ret;
		core->resets[i] = args.args[0];
		of_node_put(args.np);
	}
	return npu_board_clk_core(core);
}
