// SPDX-License-Identifier: GPL-2.0-only
/*
 * The regulator of the cores, without which their registers do not respond.
 */
#include <linux/device/faux.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/regulator/consumer.h>
#include <linux/regulator/driver.h>
#include <linux/regulator/machine.h>
#include <linux/regulator/of_regulator.h>

#include "npu_board.h"

/* Initial voltage. */
#define NPU_BOARD_RAIL_UV	800000
/* Lowest voltage at which results of an RK3588 have been published. */
#define NPU_BOARD_RAIL_LEAST_UV	800000

static unsigned int inject_rail;
module_param(inject_rail, uint, 0644);
MODULE_PARM_DESC(inject_rail, "How many of the next changes of the voltage fail, as transfers on I2C may");

/* Parent device of the regulator. */
static struct faux_device *npu_board_rail_device;
static bool npu_board_rail_enabled;
static int npu_board_rail_now_uv = NPU_BOARD_RAIL_UV;
/* Number of voltage changes; each is an I2C transfer of about 1 ms. */
static atomic_t npu_board_rail_steps;

/**
 * npu_board_rail_uv() - the current voltage
 *
 * Return: microvolts.
 */
int npu_board_rail_uv(void)
{
	return READ_ONCE(npu_board_rail_now_uv);
}

static int npu_board_rail_enable(struct regulator_dev *rdev)
{
	WRITE_ONCE(npu_board_rail_enabled, true);
	return 0;
}

static int npu_board_rail_disable(struct regulator_dev *rdev)
{
	WRITE_ONCE(npu_board_rail_enabled, false);
	return 0;
}

static int npu_board_rail_is_enabled(struct regulator_dev *rdev)
{
	return READ_ONCE(npu_board_rail_enabled);
}

static int npu_board_rail_set_voltage(struct regulator_dev *rdev, int min_uv,
				      int max_uv, unsigned int *selector)
{
	atomic_inc(&npu_board_rail_steps);
	if (npu_board_inject(&inject_rail))
		return -EIO;
	if (min_uv < NPU_BOARD_RAIL_LEAST_UV)
		npu_board_wrong(&npu_board.cores[0],
				"voltage that nobody has validated, uV", min_uv);
	WRITE_ONCE(npu_board_rail_now_uv, min_uv);
	*selector = 0;
	return 0;
}

static int npu_board_rail_get_voltage(struct regulator_dev *rdev)
{
	return npu_board_rail_uv();
}

static const struct regulator_ops npu_board_rail_ops = {
	.enable = npu_board_rail_enable,
	.disable = npu_board_rail_disable,
	.is_enabled = npu_board_rail_is_enabled,
	.set_voltage = npu_board_rail_set_voltage,
	.get_voltage = npu_board_rail_get_voltage,
};

static const struct regulator_desc npu_board_rail_desc = {
	.name = "npu_board",
	.ops = &npu_board_rail_ops,
	.type = REGULATOR_VOLTAGE,
	.owner = THIS_MODULE,
	.continuous_voltage_range = true,
};

/**
 * npu_board_rail_on() - is the supply enabled?
 *
 * Return: whether there is.
 */
bool npu_board_rail_on(void)
{
	return READ_ONCE(npu_board_rail_enabled);
}

/**
 * npu_board_rail_get() - the supply of a power domain
 * @np: node of the domain
 *
 * Return: the supply, %NULL if the domain has none, or an ERR_PTR().
 */
struct regulator *npu_board_rail_get(struct device_node *np)
{
	if (!of_property_present(np, "domain-supply"))
		return NULL;
	return of_regulator_get(&npu_board_rail_device->dev, np, "domain");
}

/**
 * npu_board_rail_init() - make the regulator
 * @np: its node
 *
 * Return: 0 or a negative errno.
 */
int npu_board_rail_init(struct device_node *np)
{
	struct regulator_config config = { .of_node = np };
	struct regulator_dev *rdev;

	npu_board_rail_device = faux_device_create("npu_board", NULL, NULL);
	if (!npu_board_rail_device)
		return -ENODEV;
	config.dev = &npu_board_rail_device->dev;
	config.init_data = of_get_regulator_init_data(config.dev, np,
						      &npu_board_rail_desc);
	if (!config.init_data)
		return -ENOMEM;
	rdev = regulator_register(config.dev, &npu_board_rail_desc, &config);
	return PTR_ERR_OR_ZERO(rdev);
}

/**
 * npu_board_rail_debugfs() - show what the regulator has been asked for
 * @root: the board's directory
 */
void npu_board_rail_debugfs(struct dentry *root)
{
	debugfs_create_atomic_t("rail_steps", 0644, root, &npu_board_rail_steps);
}
