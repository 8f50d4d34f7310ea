/* SPDX-License-Identifier: MIT */
/*
 * Sizes around every limit and far beyond: an operation is refused with a reason,
 * or every field of its streams holds what was meant to be in it.
 */
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/convolution.h>
#include <rknn/elementwise.h>
#include <rknn/lut.h>
#include <rknn/pooling.h>

#include "operation.h"

namespace npu::rknn
{

namespace
{

using test::pick_of;

std::uint32_t size(std::mt19937 &random)
{
	return pick_of(random,
		       {0U,    1U,    2U,    3U,     15U,    16U,       17U,       31U,
			32U,   33U,   100U,  1022U,  1023U,  2046U,     2047U,     2048U,
			4097U, 8192U, 8193U, 65472U, 65473U, 1U << 20U, 1U << 31U, UINT32_MAX});
}

/// Whether so many elements are worth a test: some, or more than there may be.
bool worthwhile(const Shape &shape)
{
	const double elements = double{1} * shape.width * shape.height * shape.channels;

	return elements < std::ldexp(1, 23) || elements > std::ldexp(1, 33);
}

void explain(const Error &error)
{
	EXPECT_TRUE(error.code == EINVAL || error.code == EOPNOTSUPP || error.code == ERANGE);
	EXPECT_FALSE(error.message.empty());
}

/// Fields of a convolution's streams that are narrower than 16 bits.
void check_fields(const ConvolutionPlan &plan, const ConvolutionTile &tile)
{
	const Convolution &c = plan.convolution();

	EXPECT_LE(tile.in_height, 1022U);
	EXPECT_GE(tile.in_height, 1U);
	EXPECT_LE(tile.in_height + (c.kernel.height - 1) * c.dilation.height + 1, 1023U);
	EXPECT_LE(tile.channels, 8192U);
	EXPECT_LE(plan.output().shape().width, 2047U);
	EXPECT_LE(tile.out_height, 8192U);
	EXPECT_GE(tile.data_banks, 1U);
	EXPECT_LE(tile.data_banks, 11U);
	EXPECT_LE(tile.in_y + tile.in_height, c.input.height);
}

TEST(Limits, ConvolutionsFitOrSayWhy)
{
	std::mt19937 random(81);
	std::size_t planned = 0;

	for (int i = 0; i < 20000; i++) {
		const auto small = [&] {
			return pick_of(random, {1U, 1U, 1U, 2U, 3U, 7U, 31U});
		};
		Convolution c;

		c.type = random() % 2 ? Type::int8 : Type::fp16;
		c.input = {size(random), size(random), size(random)};
		c.depthwise = random() % 2;
		c.output_channels = c.depthwise ? c.input.channels : size(random);
		c.kernel = {small(), small()};
		c.stride = {small(), small()};
		c.dilation = {small(), small()};
		if (random() % 16 == 0)
			c.kernel.width = size(random);
		if (random() % 16 == 0)
			c.stride.height = size(random);
		if (random() % 4 == 0)
			c.pads = {size(random) % 20, size(random) % 20, size(random), size(random)};
		if (!worthwhile(c.input) || !worthwhile({1, 1, c.output_channels}) ||
		    c.output_channels > 1U << 24U)
			continue;
		const auto plan = plan_convolution(c, test::pick(random, 1, 3));
		if (!plan) {
			explain(plan.error());
			continue;
		}
		planned++;
		for (const auto &lane : plan->lanes())
			for (const ConvolutionTile &tile : lane)
				check_fields(*plan, tile);
	}
	EXPECT_GT(planned, 300U);
}

TEST(Limits, OtherOperationsFitOrSayWhy)
{
	std::mt19937 random(82);
	std::size_t emitted = 0;

	for (int i = 0; i < 4000; i++) {
		const Type type = random() % 2 ? Type::int8 : Type::fp16;
		const Shape shape{size(random), size(random), size(random)};
		const std::uint32_t cores = random() % 4;
		Pooling p;

		if (!worthwhile(shape))
			continue;
		p.type = type;
		p.input = shape;
		p.kernel = {size(random) % 20, size(random) % 20};
		p.pads = {size(random) % 9, size(random) % 9, size(random) % 9, size(random) % 9};
		for (const auto &lanes :
		     {emit(Elementwise{.type = type, .shape = shape}, {}, cores),
		      emit(TableActivation{.type = type, .shape = shape}, {}, cores),
		      emit(p, {}, cores)}) {
			if (!lanes) {
				explain(lanes.error());
				continue;
			}
			emitted++;
			EXPECT_LE(lanes->size(), cores);
			for (const Lane &lane : *lanes)
				EXPECT_FALSE(lane.empty());
		}
	}
	EXPECT_GT(emitted, 100U);
}

} // namespace

} // namespace npu::rknn
