/* SPDX-License-Identifier: MIT */
/// Cores whose fp16 results differ in the last bits of every sixteenth output channel, as on the
/// chip; see the board's parameter fp16_lane0.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "igt.h"
#include "program.h"

namespace
{

constexpr Shape int8_shape{4, 64, 64};
/// The operands have as many bytes as those of int8_shape.
constexpr Shape fp16_shape{4, 32, 64};

/// A product of [m][k] features and [n][k] weights of fp16, with results of fp32.
Task fp16_matmul(const Product &product)
{
	const Shape &shape = fp16_shape;
	Task task = matmul(shape, product.features.address(), product.weights.address(),
			   product.out.address());

	set(task, 0x100c, 0x20000120);
	set(task, cna_weight_size0, shape.n * shape.k * 2);
	set(task, 0x1034, shape.k * 2);
	set(task, 0x1044, (shape.k * 2 + 63) / 64);
	set(task, cna_dma_con1, shape.k * 2 / 16);
	set(task, 0x3010, 0x200);
	set(task, 0x4010, 0xa8000002);
	/* 3 + 1 output atoms of 16 bytes a group of 16 kernels. */
	set(task, 0x4050, (3 << 6 | 3 << 3 | 3) << 2 | 2);
	set(task, 0x40c0, shape.m * 16 * 4);
	return task;
}

/// Results of a job on one core, by rows.
std::vector<std::uint32_t> results(const Device &device, const Product &product, std::uint32_t job,
				   unsigned core)
{
	const std::uint32_t m = product.shape.m, n = product.shape.n;
	const auto *out = product.out.as<volatile std::uint32_t>();
	std::vector<std::uint32_t> rows;

	product.clear();
	CHECK_EQ(run(device, device.context(1u << core), job), 1);
	for (std::uint32_t row = 0; row < m; row++)
		for (std::uint32_t i = 0; i < n; i++)
			rows.push_back(std::uint32_t{out[(i / 4 * m + row) * 4 + i % 4]});
	return rows;
}

void need_lane0()
{
	char value = 'N';

	std::ifstream("/sys/module/npu_board/parameters/fp16_lane0") >> value;
	if (value != 'Y')
		igt::skip("the cores are alike, see fp16_lane0");
}

} // namespace

SUBTEST(lane0_fp16)
{
	need_lane0();
	Device device;
	const Product product(device, int8_shape);
	std::uint32_t state = 1;

	/* From 1 to 2, so that no sum is 0. */
	for (const Buffer *buffer : {&product.features, &product.weights})
		std::generate_n(buffer->as<std::uint16_t>(), buffer->size() / 2, [&] {
			state = state * 1664525 + 1013904223;
			return static_cast<std::uint16_t>(0x3c00 | state >> 22);
		});
	const std::uint32_t job = create_job(device, {{fp16_matmul(product)}});
	const auto first = results(device, product, job, 0);

	CHECK(results(device, product, job, 0) == first);
	for (unsigned core = 1; core < device.info().core_count; core++) {
		const auto other = results(device, product, job, core);

		CHECK(results(device, product, job, core) == other);
		for (std::size_t i = 0; i < first.size(); i++) {
			const igt::Note note("core " + std::to_string(core) + ", channel " +
					     std::to_string(i % fp16_shape.n));

			CHECK_EQ(other[i] != first[i], i % 16 == 0);
			CHECK_EQ(other[i] / 4, first[i] / 4);
		}
	}
}

SUBTEST(lane0_int8)
{
	need_lane0();
	Device device;
	const Product product(device, int8_shape);
	const std::uint32_t job = create_job(device, {{product.task()}});

	for (unsigned core = 0; core < device.info().core_count; core++) {
		results(device, product, job, core);
		product.check();
	}
}
