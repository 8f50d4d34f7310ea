// SPDX-License-Identifier: GPL-2.0-only
/*
 * On-chip memory: what the device tree gives of the chip's system SRAM. To have
 * none is nothing out of the ordinary.
 */
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/of.h>

#include "npu_rk3588.h"

/*
 * Nobody has published what the cores get from it. Assumed is a port of 128 bits
 * at 800 MHz, as in the timing model.
 */
#define NPU_RK3588_SRAM_BANDWIDTH	12800000000ull

/**
 * npu_rk3588_sram_init() - take the on-chip memory
 * @rk: the device, whose cores are known
 * @sram: receives what there is
 */
void npu_rk3588_sram_init(struct npu_rk3588 *rk, struct npu_hw_sram *sram)
{
	struct device *dev = rk->cores[0]->dev;
	struct gen_pool *pool = of_gen_pool_get(dev->of_node, "sram", 0);
	unsigned long addr;
	phys_addr_t phys;
	size_t size;

	if (!pool)
		return;
	size = round_down(gen_pool_avail(pool), PAGE_SIZE);
	addr = size ? gen_pool_alloc(pool, size) : 0;
	phys = addr ? gen_pool_virt_to_phys(pool, addr) : 0;
	if (!PAGE_ALIGNED(addr | phys) || !addr) {
		if (addr)
			gen_pool_free(pool, addr, size);
		dev_warn(dev, "the on-chip memory is not one range of whole pages\n");
		return;
	}
	rk->sram_pool = pool;
	sram->vaddr = (void *)addr;
	sram->phys = phys;
	sram->size = size;
	sram->bandwidth = NPU_RK3588_SRAM_BANDWIDTH;
	/* Whoever had it before. */
	memset(sram->vaddr, 0, size);
}

/**
 * npu_rk3588_sram_fini() - give the on-chip memory back
 * @rk: the device
 */
void npu_rk3588_sram_fini(struct npu_rk3588 *rk)
{
	const struct npu_hw_sram *sram = &rk->desc.sram[0];

	if (!rk->sram_pool)
		return;
	memset(sram->vaddr, 0, sram->size);
	gen_pool_free(rk->sram_pool, (unsigned long)sram->vaddr, sram->size);
	rk->sram_pool = NULL;
}
