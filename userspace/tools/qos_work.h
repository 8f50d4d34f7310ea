/* SPDX-License-Identifier: MIT */
/*
 * The jobs of npu-bench qos: the products that they consist of, and their durations.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <npu/buffer.h>
#include <npu/device.h>
#include <npu/job.h>

namespace npu::bench::qos
{

/// A matrix product of all rows.
struct Product {
	std::uint32_t k;
	std::uint32_t n;
};

/// A program: a sequence of layers, which share their operands. Operands are zeros: the time does
/// not depend on their values.
struct Program {
	std::uint32_t rows;
	std::vector<Product> layer;
	std::uint32_t layers;
	std::uint32_t lanes;
};

/// Layers of Qwen2.5-1.5B for chunks of 128 tokens, 200 ms in total: Q, K and V; the output
/// projection; gate and up; down.
inline const Program prefill{
	.rows = 128,
	.layer = {{1536, 2048}, {1536, 1536}, {1536, 17920}, {8960, 1536}},
	.layers = 64,
	.lanes = 3,
};
/// A network of products of 14 x 14 patches, 2 ms.
inline const Program vision{.rows = 196, .layer = {{1024, 1024}}, .layers = 7, .lanes = 1};
/// A network of products of 128 frames, 0.3 ms.
inline const Program audio{.rows = 128, .layer = {{512, 512}}, .layers = 5, .lanes = 1};
/// A submit with as many jobs as Teflon makes for MobileNetV1, 2 ms in total.
inline const Program network{.rows = 196, .layer = {{1024, 256}}, .layers = 28, .lanes = 1};
/// Layers of vision that take about @p ns.
Program vision_for(std::uint64_t ns);

/// A job with its buffers.
class Work
{
public:
	static Result<Work> create(const Device &device, const Program &program);

	const Job &job() const { return job_; }
	/// Tasks of its longest lane.
	std::size_t lane_tasks() const { return lane_tasks_; }

private:
	Buffer features_;
	Buffer weights_;
	Buffer results_;
	Job job_;
	std::size_t lane_tasks_ = 0;
};

} // namespace npu::bench::qos
