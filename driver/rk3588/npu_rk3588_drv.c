// SPDX-License-Identifier: GPL-2.0-only
/*
 * The NPU of the RK3588, on hardware.
 *
 * The device tree has a node for each core, with clocks, resets, a power domain
 * and an IOMMU of its own. Each is bound by itself; once all have come, or those
 * that are missing have had their time, they are registered as one device. A
 * platform device without registers stands for it: DRM maps memory for that one,
 * which, having no IOMMU, gets physical addresses.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>
#include <linux/regulator/consumer.h>
#include <linux/units.h>

#include "../rknn/rknn_chip.h"
#include "../rknn/rknn_family.h"
#include "../../include/rknn/rknn_regs.h"
#include "npu_rk3588.h"

static unsigned int timeout_ms = 1000;
module_param(timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "A task that takes longer is taken to hang (default 1000)");

/* How long the first core waits for the others. */
#define NPU_RK3588_LATE		(5 * HZ)
/* The fastest that the vendor's kernel sets (dts/rk3588-npu-opp.dtsi). */
#define NPU_RK3588_MAX_MHZ	1000u

/* There is one NPU in the chip, whose cores do not tell that they are its. */
static struct npu_rk3588 npu_rk3588;

static const struct of_device_id npu_rk3588_match[] = {
	{ .compatible = "rockchip,rk3588-rknn-core" },
	{ }
};
MODULE_DEVICE_TABLE(of, npu_rk3588_match);

/* A core's number in the hardware: how many others have lower addresses. */
static int npu_rk3588_number(struct device_node *core)
{
	struct device_node *np;
	struct resource own, res;
	unsigned int number = 0;

	if (of_address_to_resource(core, 0, &own))
		return -EINVAL;
	for_each_matching_node(np, npu_rk3588_match)
		if (!of_address_to_resource(np, 0, &res) &&
		    res.start < own.start)
			number++;
	return number < NPU_RK3588_CORES ? number : -EINVAL;
}

static void npu_rk3588_describe(struct npu_rk3588 *rk, unsigned int count)
{
	struct npu_rk3588_core *core = rk->cores[0];

	rk->desc = (struct npu_hw_desc) {
		.name = "RK3588 NPU",
		.ops = &npu_rk3588_ops,
		.family = &npu_family_rknn,
		.chip = &rknn_rk3588,
		.core = {
			.peak_hz = NPU_RK3588_PEAK_HZ,
			/* As npu_model_params_rk3588, fitted to boards. */
			.bandwidth = 9200000000ull,
			/* 32 channels by 32 or 16 kernels a cycle (TRM). */
			.int8_macs_per_cycle = 1024,
			.fp16_macs_per_cycle = 512,
			.buffer_bytes = RKNN_CBUF_BYTES,
		},
		.core_count = count,
		.address_bits = 32,
		.hw_version = core->version,
		.bandwidth = 27200000000ull,
		.timeout_ms = timeout_ms,
		.noncoherent = device_get_dma_attr(core->dev) != DEV_DMA_COHERENT,
	};
}

/* Make the device and let it be seen. */
static int npu_rk3588_create(struct npu_rk3588 *rk)
{
	struct npu_device *npu;

	npu = npu_device_create(&rk->pdev->dev, &rk->desc, rk);
	if (IS_ERR(npu))
		return PTR_ERR(npu);
	/*
	 * Interrupts come only after a start, and that only after this. Pairs
	 * with npu_rk3588_status().
	 */
	smp_store_release(&rk->npu, npu);
	return npu_device_register(npu);
}

/*
 * Have the clock scaled if that can be done, and say so if not. A core that is not
 * ours may be switched on at any time, which a fast clock forbids.
 */
static void npu_rk3588_scale(struct npu_rk3588 *rk)
{
	bool all = rk->desc.core_count == hweight_long(rk->expected);
	int ret = all ? npu_rk3588_devfreq_init(rk) : -EBUSY;

	if (!ret)
		return;
	rk->wanted_hz = NPU_RK3588_PARK_HZ;
	rk->fastest_hz = NPU_RK3588_PARK_HZ;
	dev_notice(&rk->pdev->dev,
		   "%s (%d): the clock stays at %lu of up to %u MHz, and what is limited by arithmetic is as much slower\n",
		   all ? "no operating points in the device tree" :
			 "not all cores are here", ret,
		   NPU_RK3588_PARK_HZ / HZ_PER_MHZ, NPU_RK3588_MAX_MHZ);
}

/* Be done with the device, which its users may still have. */
static void npu_rk3588_unregister(struct npu_rk3588 *rk)
{
	npu_rk3588_devfreq_fini(rk);
	npu_rk3588_power_fini(rk);
	devres_release_group(&rk->pdev->dev, rk);
	npu_rk3588_sram_fini(rk);
	rk->npu = NULL;
}

/* Number the cores that are there, as npu.ko does. Returns how many there are. */
static unsigned int npu_rk3588_count(struct npu_rk3588 *rk)
{
	unsigned int i, count = 0;

	lockdep_assert_held(&rk->lock);
	for (i = 0; i < NPU_RK3588_CORES; i++) {
		struct npu_rk3588_core *core = rk->present[i];

		if (!core)
			continue;
		core->index = count;
		/* A new device begins to count anew. */
		core->busy_ns = 0;
		rk->cores[count++] = core;
	}
	return count;
}

/* Register the cores that are there. */
static int npu_rk3588_register(struct npu_rk3588 *rk)
{
	struct device *dev = &rk->pdev->dev;
	unsigned int count = npu_rk3588_count(rk);
	int ret;

	npu_rk3588_describe(rk, count);
	/* It must not register those that are left when one of these goes. */
	cancel_delayed_work(&rk->late);
	ret = npu_rk3588_power_init(rk);
	if (ret)
		return ret;
	npu_rk3588_scale(rk);
	rk->desc.core.clock_hz = rk->fastest_hz;
	npu_rk3588_sram_init(rk, &rk->desc.sram[0]);

	/* The device belongs to one that stays when the cores go. */
	if (!devres_open_group(dev, rk, GFP_KERNEL)) {
		npu_rk3588_sram_fini(rk);
		npu_rk3588_devfreq_fini(rk);
		npu_rk3588_power_fini(rk);
		return -ENOMEM;
	}
	ret = npu_rk3588_create(rk);
	devres_close_group(dev, rk);
	if (ret) {
		npu_rk3588_unregister(rk);
		return ret;
	}
	if (count < hweight_long(rk->expected))
		dev_warn(dev, "%u of %lu cores\n", count,
			 hweight_long(rk->expected));
	dev_info(dev, "%u cores, up to %llu MHz, version %u\n", count,
		 rk->desc.core.clock_hz / HZ_PER_MHZ, rk->cores[0]->version);
	return 0;
}

static void npu_rk3588_late(struct work_struct *work)
{
	struct npu_rk3588 *rk = container_of(work, struct npu_rk3588, late.work);
	unsigned int i;
	bool any = false;

	mutex_lock(&rk->lock);
	for (i = 0; i < NPU_RK3588_CORES; i++)
		any |= !!rk->present[i];
	if (any && !rk->npu && !rk->gone && npu_rk3588_register(rk))
		dev_err(&rk->pdev->dev, "cannot be registered\n");
	mutex_unlock(&rk->lock);
}

/* Which cores are there to come? */
static void npu_rk3588_expect(struct npu_rk3588 *rk)
{
	struct device_node *np;
	int number;

	lockdep_assert_held(&rk->lock);
	rk->expected = 0;
	for_each_matching_node(np, npu_rk3588_match) {
		number = npu_rk3588_number(np);
		if (number >= 0 && of_device_is_available(np))
			rk->expected |= BIT(number);
	}
}

/* A core has come. */
static int npu_rk3588_add(struct npu_rk3588_core *core)
{
	struct npu_rk3588 *rk = core->rk;
	unsigned long present = 0;
	unsigned int i;
	int ret = 0;

	mutex_lock(&rk->lock);
	npu_rk3588_expect(rk);
	rk->present[core->number] = core;
	for (i = 0; i < NPU_RK3588_CORES; i++)
		if (rk->present[i])
			present |= BIT(i);
	if (rk->npu)
		dev_warn(core->dev, "too late, the NPU goes on without\n");
	else if (present == rk->expected)
		ret = npu_rk3588_register(rk);
	else
		queue_delayed_work(system_long_wq, &rk->late, NPU_RK3588_LATE);
	if (ret)
		rk->present[core->number] = NULL;
	mutex_unlock(&rk->lock);
	return ret;
}

/* A core goes: what it is part of goes first. */
static void npu_rk3588_del(struct npu_rk3588_core *core)
{
	struct npu_rk3588 *rk = core->rk;

	mutex_lock(&rk->lock);
	if (rk->npu && rk->cores[core->index] == core) {
		npu_device_unplug(rk->npu);
		npu_rk3588_unregister(rk);
	}
	rk->present[core->number] = NULL;
	mutex_unlock(&rk->lock);
}

static int npu_rk3588_map(struct npu_rk3588_core *core)
{
	struct platform_device *pdev = to_platform_device(core->dev);
	struct resource *res;

	core->pc = devm_platform_ioremap_resource_byname(pdev, "pc");
	if (IS_ERR(core->pc))
		return PTR_ERR(core->pc);
	core->cna = devm_platform_ioremap_resource_byname(pdev, "cna");
	if (IS_ERR(core->cna))
		return PTR_ERR(core->cna);
	core->core = devm_platform_ioremap_resource_byname(pdev, "core");
	if (IS_ERR(core->core))
		return PTR_ERR(core->core);
	/* The device tree leaves it out, but it is in the window of each core. */
	res = platform_get_resource_byname(pdev, IORESOURCE_MEM, "pc");
	core->dpu = devm_ioremap(core->dev, res->start +
				 (RKNN_DPU_S_POINTER & ~0xfff), 0x1000);
	return core->dpu ? 0 : -ENOMEM;
}

static int npu_rk3588_get(struct npu_rk3588_core *core)
{
	static const char * const clocks[NPU_RK3588_CLOCKS] = {
		"aclk", "hclk", "npu", "pclk",
	};
	static const char * const supplies[] = { "npu", "sram" };
	struct device *dev = core->dev;
	struct platform_device *iommu;
	struct device_node *np;
	unsigned int i;
	int ret;

	for (i = 0; i < NPU_RK3588_CLOCKS; i++)
		core->clocks[i].id = clocks[i];
	ret = devm_clk_bulk_get(dev, NPU_RK3588_CLOCKS, core->clocks);
	if (ret)
		return dev_err_probe(dev, ret, "no clocks\n");
	core->resets[0].id = "srst_a";
	core->resets[1].id = "srst_h";
	ret = devm_reset_control_bulk_get_exclusive(dev, NPU_RK3588_RESETS,
						    core->resets);
	if (ret)
		return dev_err_probe(dev, ret, "no resets\n");
	/*
	 * On for as long as the core is bound: it must not go before the power
	 * domain, which is switched off only after our runtime suspend.
	 */
	for (i = 0; i < ARRAY_SIZE(supplies); i++) {
		ret = devm_regulator_get_enable_optional(dev, supplies[i]);
		if (ret && ret != -ENODEV)
			return dev_err_probe(dev, ret, "no supply\n");
	}
	/* Addresses of clients mean something only behind an IOMMU. */
	np = of_parse_phandle(dev->of_node, "iommus", 0);
	iommu = np ? of_find_device_by_node(np) : NULL;
	of_node_put(np);
	if (!iommu || !device_iommu_mapped(dev)) {
		if (iommu)
			platform_device_put(iommu);
		return dev_err_probe(dev, -ENODEV, "no IOMMU\n");
	}
	/* The IOMMU core has a link to it for as long as we are bound. */
	core->iommu = &iommu->dev;
	platform_device_put(iommu);
	return npu_rk3588_map(core);
}

static void npu_rk3588_power_off(struct npu_rk3588_core *core)
{
	WRITE_ONCE(core->on, false);
	/* Whoever has seen that it is on is done with its registers after this. */
	synchronize_irq(core->irq);
	clk_bulk_disable_unprepare(NPU_RK3588_CLOCKS, core->clocks);
}

static void npu_rk3588_pm_fini(void *data)
{
	struct device *dev = data;
	struct npu_rk3588_core *core = dev_get_drvdata(dev);

	pm_runtime_disable(dev);
	if (pm_runtime_status_suspended(dev))
		return;
	npu_rk3588_power_off(core);
	pm_runtime_set_suspended(dev);
}

static int npu_rk3588_pm_init(struct npu_rk3588_core *core)
{
	pm_runtime_enable(core->dev);
	return devm_add_action_or_reset(core->dev, npu_rk3588_pm_fini, core->dev);
}

/* Have the core in a known state, and see that it answers. */
static int npu_rk3588_hello(struct npu_rk3588_core *core)
{
	int ret;

	/*
	 * Firmware may have left a fault in the IOMMU, whose driver cannot set up
	 * what does not stall. It does so when it has power.
	 */
	ret = npu_rk3588_pulse(core);
	if (ret)
		return dev_err_probe(core->dev, ret, "no reset\n");
	ret = pm_runtime_resume_and_get(core->dev);
	if (ret)
		return dev_err_probe(core->dev, ret, "no power\n");
	ret = npu_rk3588_reset(core);
	if (!ret) {
		core->version = readl(core->pc + RKNN_PC_VERSION) +
				(readl(core->pc + RKNN_PC_VERSION_NUM) & 0xffff);
		ret = npu_rk3588_clock_init(core);
	}
	pm_runtime_put(core->dev);
	if (ret)
		return dev_err_probe(core->dev, ret, "no reset or clock\n");
	return 0;
}

static int npu_rk3588_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct npu_rk3588_core *core;
	int ret;

	core = devm_kzalloc(dev, sizeof(*core), GFP_KERNEL);
	if (!core)
		return -ENOMEM;
	core->rk = &npu_rk3588;
	core->dev = dev;
	ret = npu_rk3588_number(dev->of_node);
	if (ret < 0)
		return dev_err_probe(dev, ret, "not a core of an RK3588\n");
	core->number = ret;
	platform_set_drvdata(pdev, core);

	ret = npu_rk3588_get(core);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(40));
	if (ret)
		return ret;
	core->irq = platform_get_irq(pdev, 0);
	if (core->irq < 0)
		return core->irq;
	ret = npu_rk3588_pm_init(core);
	if (ret)
		return ret;
	ret = devm_request_irq(dev, core->irq, npu_rk3588_irq, IRQF_SHARED,
			       dev_name(dev), core);
	if (ret)
		return ret;
	ret = npu_rk3588_hello(core);
	if (ret)
		return ret;
	return npu_rk3588_add(core);
}

static void npu_rk3588_remove(struct platform_device *pdev)
{
	npu_rk3588_del(platform_get_drvdata(pdev));
}

static int npu_rk3588_runtime_resume(struct device *dev)
{
	struct npu_rk3588_core *core = dev_get_drvdata(dev);
	int ret;

	ret = clk_bulk_prepare_enable(NPU_RK3588_CLOCKS, core->clocks);
	if (ret)
		return ret;
	npu_rk3588_setup(core);
	WRITE_ONCE(core->on, true);
	return 0;
}

static int npu_rk3588_runtime_suspend(struct device *dev)
{
	npu_rk3588_power_off(dev_get_drvdata(dev));
	return 0;
}

static const struct dev_pm_ops npu_rk3588_core_pm_ops = {
	RUNTIME_PM_OPS(npu_rk3588_runtime_suspend, npu_rk3588_runtime_resume,
		       NULL)
	SYSTEM_SLEEP_PM_OPS(pm_runtime_force_suspend, pm_runtime_force_resume)
};

static struct platform_driver npu_rk3588_core_driver = {
	.probe = npu_rk3588_probe,
	.remove = npu_rk3588_remove,
	.driver = {
		.name = "npu_rk3588_core",
		.pm = pm_ptr(&npu_rk3588_core_pm_ops),
		.of_match_table = npu_rk3588_match,
	},
};

/* All devices are prepared before the first, so also before any core, sleeps. */
static int npu_rk3588_prepare(struct device *dev)
{
	struct npu_rk3588 *rk = &npu_rk3588;

	mutex_lock(&rk->lock);
	if (rk->npu)
		npu_device_suspend(rk->npu);
	mutex_unlock(&rk->lock);
	return 0;
}

static void npu_rk3588_complete(struct device *dev)
{
	struct npu_rk3588 *rk = &npu_rk3588;

	mutex_lock(&rk->lock);
	if (rk->npu)
		npu_device_resume(rk->npu);
	mutex_unlock(&rk->lock);
}

static const struct dev_pm_ops npu_rk3588_pm_ops = {
	RUNTIME_PM_OPS(npu_rk3588_power_suspend, npu_rk3588_power_resume, NULL)
	SYSTEM_SLEEP_PM_OPS(pm_runtime_force_suspend, pm_runtime_force_resume)
	.prepare = pm_sleep_ptr(npu_rk3588_prepare),
	.complete = pm_sleep_ptr(npu_rk3588_complete),
};

static int npu_rk3588_whole_probe(struct platform_device *pdev)
{
	int ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(40));

	platform_set_drvdata(pdev, &npu_rk3588);
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	return ret;
}

static struct platform_driver npu_rk3588_driver = {
	.probe = npu_rk3588_whole_probe,
	.driver = {
		.name = "npu_rk3588",
		.pm = &npu_rk3588_pm_ops,
		/* Unbinding the cores is what makes it go. */
		.suppress_bind_attrs = true,
	},
};

/* Say which other driver has cores, for then this one does nothing. */
static void npu_rk3588_taken(void)
{
	struct platform_device *pdev;
	const struct device_driver *driver;
	struct device_node *np;

	for_each_matching_node(np, npu_rk3588_match) {
		pdev = of_find_device_by_node(np);
		if (!pdev)
			continue;
		device_lock(&pdev->dev);
		driver = pdev->dev.driver;
		if (driver && driver != &npu_rk3588_core_driver.driver)
			dev_warn(&pdev->dev, "driven by '%s': %s\n", driver->name,
				 driver->owner ? "unload that, then load npu_rk3588 again" :
				 "it is built in, boot with initcall_blacklist=rocket_register");
		device_unlock(&pdev->dev);
		platform_device_put(pdev);
	}
}

static int __init npu_rk3588_init(void)
{
	struct npu_rk3588 *rk = &npu_rk3588;
	int ret;

	if (!timeout_ms)
		return -EINVAL;
	mutex_init(&rk->lock);
	mutex_init(&rk->clock_lock);
	mutex_init(&rk->rate_lock);
	INIT_DELAYED_WORK(&rk->late, npu_rk3588_late);

	ret = platform_driver_register(&npu_rk3588_driver);
	if (ret)
		return ret;
	rk->pdev = platform_device_register_simple("npu_rk3588", -1, NULL, 0);
	if (IS_ERR(rk->pdev)) {
		ret = PTR_ERR(rk->pdev);
		goto err_driver;
	}
	ret = platform_driver_register(&npu_rk3588_core_driver);
	if (ret)
		goto err_device;
	npu_rk3588_taken();
	return 0;

err_device:
	platform_device_unregister(rk->pdev);
err_driver:
	platform_driver_unregister(&npu_rk3588_driver);
	return ret;
}

static void __exit npu_rk3588_exit(void)
{
	struct npu_rk3588 *rk = &npu_rk3588;

	mutex_lock(&rk->lock);
	rk->gone = true;
	mutex_unlock(&rk->lock);
	platform_driver_unregister(&npu_rk3588_core_driver);
	/* A core that was being probed may have queued it until now. */
	cancel_delayed_work_sync(&rk->late);
	platform_device_unregister(rk->pdev);
	platform_driver_unregister(&npu_rk3588_driver);
}

module_init(npu_rk3588_init);
module_exit(npu_rk3588_exit);

MODULE_AUTHOR("accel-npu maintainers");
MODULE_DESCRIPTION("NPU of the Rockchip RK3588 behind drivers/accel");
MODULE_LICENSE("GPL");
