/* SPDX-License-Identifier: MIT */
/*
 * Runs linear layers on an NPU.
 */
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/device.h>
#include <npu/error.h>
#include <npu/job.h>
#include <rknn/matmul.h>

#include "engine/linear.h"
#include "engine/sram.h"

namespace npu
{

/// What an engine has done.
struct EngineStatistics {
	/// Multiply-accumulates of the layers, without padding, counted once for
	/// each row of activations.
	std::uint64_t macs = 0;
	/// Submits.
	std::uint64_t submits = 0;
	/// Device time, see &drm_npu_query_context.device_ns.
	std::uint64_t device_ns = 0;
	/// Bytes that the device read and wrote.
	std::uint64_t read_bytes = 0;
	std::uint64_t written_bytes = 0;
	/// Bytes of both that were on the chip.
	std::uint64_t sram_bytes = 0;
};

/// A context, buffers for activations, and the jobs recorded so far. Layers
/// must outlive the engine or be forgotten with clear(). Not for several threads
/// at a time. Moves, does not copy.
class Engine
{
public:
	struct Options {
		/// Threads that quantise and scale, the caller's included. They help
		/// with many rows; a few rows are not worth starting one.
		std::uint32_t threads = 1;
		/// What is preferred to be in on-chip memory.
		SramUse sram = {};
		/// What matters to its jobs, and their share; see Context::Options.
		SchedClass sched_class = SchedClass::throughput;
		std::uint32_t weight = 0;
	};

	/// \retval EINVAL no threads
	static Result<Engine> create(const Device &device, const Options &options);
	static Result<Engine> create(const Device &device) { return create(device, Options()); }

	/// y[i] = layers[i] x for @p m rows of @p x, in one submit. The layers
	/// share k and precision, as Q, K and V do.
	/// \pre x has m rows of k, y[i] has m rows of layers[i]->n()
	/// \retval EINVAL m is 0, no layers, layers that differ, wrong sizes, or
	/// an activation that is not a finite number
	/// \retval ENODEV and others: what the submit or the job failed with
	Result<void> multiply(std::span<const Linear *const> layers, std::uint32_t m,
			      std::span<const float> x, std::span<const std::span<float>> y);

	/// Forget all recorded jobs.
	void clear();

	Result<EngineStatistics> statistics() const;
	const Device &device() const { return device_; }

private:
	using Key = std::pair<std::vector<const Linear *>, std::uint32_t>;

	struct Recorded {
		Job job;
		const Buffer *features;
		const Buffer *results;
		/// Where the results of each layer are.
		std::vector<std::size_t> offsets;
	};
	/// Buffers by their size, a power of two. What is small has a small one,
	/// which may fit into on-chip memory.
	using Buffers = std::map<std::size_t, Buffer>;

	Engine(Device device, Context context, const Options &options, SramPlan sram)
		: device_(std::move(device)), context_(std::move(context)), options_(options),
		  sram_(std::move(sram))
	{
	}

	Result<const Recorded *> record(std::span<const Linear *const> layers, std::uint32_t rows);
	Result<bool> place(std::span<const Linear *const> layers, std::uint32_t rows,
			   const Recorded &recorded, std::vector<double> streams,
			   std::size_t cores);
	Result<const Buffer *> reserve(Buffers &buffers, std::size_t size);
	Result<void> load(const Linear &layer, std::uint32_t m, std::span<const float> x,
			  const Buffer &features);
	void unload(const Linear &layer, std::uint32_t m, const Buffer &results, std::size_t offset,
		    std::span<float> y);

	Device device_;
	Context context_;
	Options options_;
	SramPlan sram_;
	Buffers features_;
	Buffers results_;
	std::map<Key, Recorded> jobs_;
	/// Factor that undoes the scaling of each row.
	std::vector<float> row_factors_;
	std::vector<std::byte> rows_;
	std::vector<std::byte> gathered_;
	std::uint64_t macs_ = 0;
	std::uint64_t submits_ = 0;
};

} // namespace npu
