// SPDX-License-Identifier: GPL-2.0-only
/*
 * The on-chip memory that the device tree gives to the cores: a pool of ordinary
 * memory, which User-mode Linux has nothing else than.
 */
#include <linux/err.h>
#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/string.h>

#include "npu_board.h"

/* Initial contents, on which drivers must not rely. */
#define NPU_BOARD_SRAM_JUNK	0x5a

static void *npu_board_sram;
static size_t npu_board_sram_size;

/* The memory loses its power in system suspend. */
static int npu_board_sram_suspend(struct device *dev)
{
	memset(npu_board_sram, NPU_BOARD_SRAM_JUNK, npu_board_sram_size);
	return 0;
}

static struct dev_pm_domain npu_board_sram_domain = {
	.ops = { .suspend_noirq = npu_board_sram_suspend },
};

/**
 * npu_board_sram_init() - make the pool
 * @core: node of a core that refers to it, or to none
 *
 * Return: 0 or a negative errno.
 */
int npu_board_sram_init(struct device_node *core)
{
	struct device_node *np = of_parse_phandle(core, "sram", 0);
	struct platform_device_info info = {
		.name = "npu_board_sram",
		.id = PLATFORM_DEVID_NONE,
		.fwnode = of_fwnode_handle(np),
	};
	struct platform_device *pdev;
	struct gen_pool *pool;
	u64 addr, size;

	if (!np)
		return 0;
	if (of_property_read_reg(np, 0, &addr, &size))
		return -EINVAL;
	/* Never freed: the board cannot be removed. */
	npu_board_sram = alloc_pages_exact(size, GFP_KERNEL);
	if (!npu_board_sram)
		return -ENOMEM;
	npu_board_sram_size = size;
	memset(npu_board_sram, NPU_BOARD_SRAM_JUNK, size);
	pdev = platform_device_register_full(&info);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	dev_pm_domain_set(&pdev->dev, &npu_board_sram_domain);
	pool = devm_gen_pool_create(&pdev->dev, PAGE_SHIFT, NUMA_NO_NODE, NULL);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	return gen_pool_add_virt(pool, (unsigned long)npu_board_sram,
				 virt_to_phys(npu_board_sram), size, NUMA_NO_NODE);
}
