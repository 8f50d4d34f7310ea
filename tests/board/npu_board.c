// SPDX-License-Identifier: GPL-2.0-only
/*
 * A board in User-mode Linux: the model of the NPU behind registers, interrupt
 * lines and IOMMUs, with clocks, resets and power domains, so that drivers for
 * the hardware can be run against it as they are.
 *
 * The kernel has the device tree from its command line, with the cores and their
 * IOMMUs disabled: the IOMMU's driver is built in and must not find them before
 * their registers are there. This module makes all that they need, then enables
 * them. Regions of emulated registers cannot be removed, so that the module
 * stays.
 */
#include <linux/debugfs.h>
#include <linux/logic_iomem.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/string.h>

#include "npu_board.h"

static unsigned int cores = GENMASK(NPU_BOARD_CORES - 1, 0);
module_param(cores, uint, 0444);
MODULE_PARM_DESC(cores, "Cores that are there, one bit each (default 7)");

static char *mode = "compute";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "compute (default): as fast as possible; hold: each start for its modelled time; null: nothing is computed and starts end at once");

static const char * const npu_board_modes[] = {
	[NPU_BOARD_COMPUTE] = "compute",
	[NPU_BOARD_HOLD] = "hold",
	[NPU_BOARD_NULL] = "null",
};

struct npu_board npu_board;

static const struct logic_iomem_ops npu_board_ops = {
	.read = npu_board_read,
	.write = npu_board_write,
};

static struct npu_board_core *npu_board_core_at(resource_size_t start)
{
	unsigned int i;

	for (i = 0; i < npu_board.core_count; i++)
		if (npu_board.cores[i].res.start == start)
			return &npu_board.cores[i];
	return NULL;
}

/* One function per core: the callback only receives an offset. */
static long npu_board_map(unsigned int index, unsigned long offset,
			  const struct logic_iomem_ops **ops, void **priv)
{
	*ops = &npu_board_ops;
	*priv = &npu_board.cores[index];
	/* Base that is added to the offsets of all accesses. */
	return offset;
}

static long npu_board_map0(unsigned long offset, size_t size,
			   const struct logic_iomem_ops **ops, void **priv)
{
	return npu_board_map(0, offset, ops, priv);
}

static long npu_board_map1(unsigned long offset, size_t size,
			   const struct logic_iomem_ops **ops, void **priv)
{
	return npu_board_map(1, offset, ops, priv);
}

static long npu_board_map2(unsigned long offset, size_t size,
			   const struct logic_iomem_ops **ops, void **priv)
{
	return npu_board_map(2, offset, ops, priv);
}

static const struct logic_iomem_region_ops npu_board_regions[] = {
	{ .map = npu_board_map0 },
	{ .map = npu_board_map1 },
	{ .map = npu_board_map2 },
};

/* Find the windows of the cores. */
static int npu_board_find(struct npu_board *board)
{
	struct device_node *np;
	struct resource res;

	for_each_compatible_node(np, NULL, "rockchip,rk3588-rknn-core") {
		struct npu_board_core *core;

		if (board->core_count == NPU_BOARD_CORES ||
		    of_address_to_resource(np, 0, &res)) {
			of_node_put(np);
			return -EINVAL;
		}
		core = &board->cores[board->core_count];
		core->index = board->core_count++;
		core->np = of_node_get(np);
		core->res = (struct resource) {
			.name = "npu_board",
			.flags = IORESOURCE_MEM,
			.start = res.start,
			.end = res.start + NPU_BOARD_WINDOW - 1,
		};
	}
	return board->core_count ? 0 : -ENODEV;
}

/* Find the banks of the IOMMU of @np: they are in the window of its core. */
static int npu_board_find_banks_of(struct device_node *np)
{
	struct resource res;
	unsigned int i;

	for (i = 0; !of_address_to_resource(np, i, &res); i++) {
		unsigned long offset = res.start % NPU_BOARD_WINDOW;
		unsigned int bank = (offset - NPU_BOARD_BANK_FIRST) /
				    NPU_BOARD_BANK_STEP;
		struct npu_board_core *core;

		core = npu_board_core_at(res.start - offset);
		if (!core || bank >= NPU_BOARD_BANKS)
			return -EINVAL;
		core->bank[bank].present = true;
	}
	return 0;
}

static int npu_board_find_banks(void)
{
	struct device_node *np;
	unsigned int i;
	int ret;

	for_each_compatible_node(np, NULL, "rockchip,rk3588-iommu") {
		ret = npu_board_find_banks_of(np);
		if (ret) {
			of_node_put(np);
			return ret;
		}
	}
	for (i = 0; i < npu_board.core_count; i++)
		if (!npu_board.cores[i].bank[1].present)
			return -EINVAL;
	return 0;
}

static void npu_board_debugfs(struct npu_board_core *core, struct dentry *root)
{
	struct npu_board_counts *counts = &core->counts;
	char name[16];
	struct dentry *dir;

	snprintf(name, sizeof(name), "core%u", core->index);
	dir = debugfs_create_dir(name, root);
	debugfs_create_atomic_t("reads", 0644, dir, &counts->reads);
	debugfs_create_atomic_t("writes", 0644, dir, &counts->writes);
	debugfs_create_atomic_t("iommu_commands", 0644, dir,
				&counts->iommu_commands);
	debugfs_create_atomic_t("iommu_zaps", 0644, dir, &counts->iommu_zaps);
	debugfs_create_atomic_t("interrupts", 0644, dir, &counts->interrupts);
	debugfs_create_atomic_t("starts", 0644, dir, &counts->starts);
	debugfs_create_atomic_t("resets", 0644, dir, &counts->resets);
	debugfs_create_atomic_t("faults", 0644, dir, &counts->faults);
	debugfs_create_atomic_t("replays", 0644, dir, &counts->replays);
	debugfs_create_atomic_t("power_offs", 0644, dir, &counts->power_offs);
	debugfs_create_atomic_t("wrong", 0644, dir, &counts->wrong);
	debugfs_create_atomic_t("powered", 0444, dir, &core->powered);
}

/*
 * Create devices for the cores and their IOMMUs. Enable all nodes before the
 * first driver binds, since drivers count them then.
 */
static int npu_board_plug(struct npu_board *board)
{
	/* An applied changeset stays, and so must its memory. */
	static struct of_changeset change;
	unsigned int i;
	int ret = 0;

	of_changeset_init(&change);
	for (i = 0; i < board->core_count && !ret; i++) {
		struct device_node *np = board->cores[i].np;
		struct device_node *iommu = of_parse_phandle(np, "iommus", 0);

		if (!(cores & BIT(i)) || !iommu)
			continue;
		ret = of_changeset_update_prop_string(&change, iommu, "status",
						      "okay");
		if (!ret)
			ret = of_changeset_update_prop_string(&change, np,
							      "status", "okay");
		/* The default of arm64 for devices whose node says neither. */
		if (!ret)
			ret = of_changeset_add_prop_bool(&change, np,
							 "dma-noncoherent");
	}
	return ret ?: of_changeset_apply(&change);
}

static int __init npu_board_init(void)
{
	struct npu_board *board = &npu_board;
	int kind = match_string(npu_board_modes, ARRAY_SIZE(npu_board_modes),
				mode);
	struct dentry *root;
	unsigned int i;
	int ret;

	if (kind < 0) {
		pr_err("npu_board: unknown mode, see modinfo\n");
		return -EINVAL;
	}
	board->mode = kind;
	ret = npu_board_find(board);
	if (!ret)
		ret = npu_board_find_banks();
	if (ret) {
		pr_err("npu_board: no such board in the device tree, see tests/board/run\n");
		return ret;
	}

	/* From here on there is no way back. */
	__module_get(THIS_MODULE);
	root = debugfs_create_dir("npu_board", NULL);
	for (i = 0; i < board->core_count && !ret; i++) {
		struct npu_board_core *core = &board->cores[i];

		ret = npu_board_soc_core(core);
		if (!ret)
			ret = npu_board_core_init(core);
		if (!ret)
			ret = logic_iomem_add_region(&core->res,
						     &npu_board_regions[i]);
		npu_board_debugfs(core, root);
	}
	npu_board_clk_debugfs(root);
	npu_board_rail_debugfs(root);
	if (!ret)
		ret = npu_board_soc_init(board);
	if (!ret)
		ret = npu_board_sram_init(board->cores[0].np);
	if (!ret)
		ret = npu_board_view_init();
	if (!ret)
		ret = npu_board_plug(board);
	/* Half of a board cannot be taken back either. */
	if (ret)
		pr_err("npu_board: broken: %d\n", ret);
	return 0;
}

module_init(npu_board_init);

MODULE_AUTHOR("accel-npu maintainers");
MODULE_DESCRIPTION("A board with the NPU of the RK3588, for drivers of the hardware");
MODULE_LICENSE("GPL");
