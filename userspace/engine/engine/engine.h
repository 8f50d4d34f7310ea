/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Runs linear layers on an NPU.
 */
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
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
#include "engine/workers.h"

#pragma GCC visibility push(default)
namespace npu
{

/// What an engine has done.
struct EngineStatistics {
	/// Multiply-accumulates of the layers, without padding, counted once for
	/// each row of activations.
	std::uint64_t macs = 0;
	/// Products that were submitted.
	std::uint64_t submits = 0;
	/// Device time of all products, in nanoseconds; modelled on a virtual device.
	std::uint64_t device_ns = 0;
	/// Bytes that the device has read; 0 where it does not count.
	std::uint64_t read_bytes = 0;
	/// Bytes that the device has written; 0 where it does not count.
	std::uint64_t written_bytes = 0;
	/// Part of @ref read_bytes and @ref written_bytes that was on the chip.
	std::uint64_t sram_bytes = 0;
};

/// What a product took.
struct ProductStatistics {
	/// Its job: when it was queued, started and ended, and its device time.
	JobStatus job = {};
	/// Multiply-accumulates of the layers, without padding, counted once for each row
	/// of activations.
	std::uint64_t macs = 0;
	/// Bytes of weights, activations and results; the device may read some of them more
	/// than once, see EngineStatistics for what it has counted.
	std::uint64_t bytes = 0;
	/// Cores that shared it.
	std::uint32_t cores = 0;
};

/// Output channels of a layer from @c first on.
struct Operand {
	/// The layer; must not be nullptr.
	const Linear *layer = nullptr;
	/// A multiple of rknn::group_rows() below the layer's n; earlier channels are not
	/// computed.
	std::uint32_t first = 0;
};

/// Rows of numbers, one each @c stride.
template <typename T>
struct Rows {
	/// The numbers, from the first of row 0 on.
	std::span<T> values;
	/// Numbers from the start of a row to that of the next.
	std::size_t stride;

	/// Whether @p m rows of @p width fit.
	bool hold(std::uint32_t m, std::uint32_t width) const
	{
		return m && stride >= width && values.size() >= (m - 1) * stride + width;
	}
};

/// A context, buffers for activations, and the jobs recorded so far. Several engines may
/// multiply by the same layers. An engine is for one thread at a time. Moves, does not
/// copy.
class Engine
{
public:
	/// Options of a new engine.
	struct Options {
		/// Threads that quantise and scale, the caller's included. They help
		/// with much work only.
		std::uint32_t threads = 1;
		/// What is preferred to be in on-chip memory.
		SramUse sram = {};
		/// Scheduling class of its jobs; see Context::Options.
		SchedClass sched_class = SchedClass::throughput;
		/// Share of its jobs; see Context::Options.
		std::uint32_t weight = 0;
		/// Cores that its jobs may use; see Context::Options.
		std::uint32_t core_mask = 0;
		/// Jobs that are kept. The one that was used longest ago makes room for a
		/// new one.
		std::uint32_t max_jobs = 4096;
	};

	/// What goes with a product.
	struct StartOptions {
		/// When it should have ended: it goes before others of its class, and is not
		/// cancelled after that.
		Deadline deadline = Deadline::never();
		/// What it waits for.
		std::span<const InSync> in = {}; // NOLINT(readability-redundant-member-init)
		/// Whether fd() has something to poll, which costs a little.
		bool fence = false;
	};

	/// Creates an engine on @p device.
	/// @retval EINVAL no threads, no jobs, or what Context::create() refuses
	/// @retval EAGAIN the system cannot start so many threads
	static Result<Engine> create(const Device &device, const Options &options);
	/// As create(), with the defaults of Options.
	static Result<Engine> create(const Device &device) { return create(device, Options()); }

	/// y[i] = layers[i] x for @p m rows of @p x, in one submit. The layers share k,
	/// precision and rotation, as Q, K and V do.
	/// Waits for the end, however long it takes; start() and wait() take a deadline.
	/// @pre x has m rows of k, y[i] has m rows of layers[i]->n()
	/// @return what it took
	/// @retval EINVAL m is 0, no layers, layers that differ, wrong sizes, or
	/// an activation that is not a finite number
	/// @retval ENODEV and others: what the submit or the job failed with
	Result<ProductStatistics> multiply(std::span<const Linear *const> layers, std::uint32_t m,
					   std::span<const float> x,
					   std::span<const std::span<float>> y,
					   const StartOptions &options);
	/// As multiply(), with the defaults of StartOptions.
	Result<ProductStatistics> multiply(std::span<const Linear *const> layers, std::uint32_t m,
					   std::span<const float> x,
					   std::span<const std::span<float>> y)
	{
		return multiply(layers, m, x, y, StartOptions());
	}

	/// Submit the product of @p m rows of @p x and all @p operands, and return while
	/// the device computes. One product at a time may be under way.
	/// @retval EINVAL as multiply()
	/// @retval EBUSY a product is under way
	Result<void> start(std::span<const Operand> operands, std::uint32_t m,
			   const Rows<const float> &x, const StartOptions &options);
	/// As start(), with the defaults of StartOptions.
	Result<void> start(std::span<const Operand> operands, std::uint32_t m,
			   const Rows<const float> &x)
	{
		return start(operands, m, x, StartOptions());
	}

	/// A sync_file that becomes readable (POLLIN) when the product that is under way has
	/// ended, for an event loop: then wait() does not sleep. The caller owns it.
	/// @retval EINVAL none is under way, or it was started without a fence
	Result<UniqueFd> fd() const;

	/// Wait for the product that was started last. After it has ended, fetch() may be
	/// called until the next start(). If it times out it is still under way; if it fails
	/// the results are lost.
	/// @return what it took
	/// @retval EINVAL none was started
	WaitResult<ProductStatistics> wait(Deadline deadline = Deadline::never());

	/// Set the class of the products; applies to what no core has been given yet.
	Result<void> set_class(SchedClass sched_class);

	/// Write the results of operand @p i: channel c of row r to y[r * stride + c], for
	/// channels from the operand's first on.
	/// @retval EINVAL no product was waited for, or y has too few rows
	Result<void> fetch(std::size_t i, const Rows<float> &y);

	/// Forget all recorded jobs.
	void clear();

	/// What the engine has done since it was created.
	Result<EngineStatistics> statistics() const;
	/// The device that it runs on.
	const Device &device() const { return device_; }
	/// Threads that the engine uses between its calls too, for whoever owns it.
	Workers &workers() { return *workers_; }

private:
	/// What a recorded job computes: ids and first channels of its layers.
	struct Part {
		std::uint64_t id;
		std::uint32_t first;
		auto operator<=>(const Part &) const = default;
	};
	struct Key {
		std::vector<Part> parts;
		std::uint32_t rows;
	};
	struct Look {
		std::span<const Part> parts;
		std::uint32_t rows;
	};
	/// Finds a key without making one.
	struct Order {
		using is_transparent = void;
		static Look look(const Key &key) { return {key.parts, key.rows}; }
		static Look look(const Look &look) { return look; }
		bool operator()(const auto &a, const auto &b) const
		{
			return before(look(a), look(b));
		}
		static bool before(const Look &a, const Look &b);
	};

	/// Results of one layer in the results of a job.
	struct Output {
		rknn::WeightLayout layout;
		std::uint32_t first;
		std::size_t offset;
	};
	struct Recorded {
		Job job;
		const Buffer *features = nullptr;
		const Buffer *results = nullptr;
		std::vector<Output> outputs;
		std::uint64_t used = 0;
		/// As ProductStatistics has them.
		std::uint64_t bytes = 0;
		std::uint32_t cores = 0;
	};
	/// Buffers by their size, a power of two. What is small has a small one,
	/// which may fit into on-chip memory.
	using Buffers = std::map<std::size_t, Buffer>;
	using Jobs = std::map<Key, Recorded, Order>;

	/// The product that start() was called for.
	struct Running {
		enum class State : std::uint8_t { none, submitted, ended };
		State state = State::none;
		const Recorded *job = nullptr;
		std::uint32_t m = 0;
		/// None if it was not asked for.
		Fence fence;
		std::uint64_t seqno = 0;
		std::uint64_t macs = 0;
		/// Its layers' scales.
		std::vector<std::span<const float>> scales;
		Precision precision = Precision::int8;
	};

	Engine(Device device, Context context, const Options &options, SramPlan sram);

	Result<void> submit(const Job &job, const StartOptions &options);
	Result<const Recorded *> record(std::span<const Operand> operands, std::uint32_t rows);
	Result<Recorded> make(std::span<const Operand> operands, std::uint32_t rows);
	bool place(std::span<const Operand> operands, std::uint32_t rows, const Recorded &recorded,
		   std::vector<double> streams, std::size_t cores);
	Result<const Buffer *> reserve(Buffers &buffers, std::size_t size);
	Result<void> load(const Linear &layer, std::uint32_t m, const Rows<const float> &x,
			  const Buffer &features);
	Result<void> sync_results(const Output &output) const;

	Device device_;
	Context context_;
	Options options_;
	SramPlan sram_;
	/// Whether buffers have to be handed over between CPU and device.
	bool sync_;
	std::unique_ptr<Workers> workers_;
	Buffers features_;
	Buffers results_;
	Jobs jobs_;
	Running running_;
	std::vector<Part> parts_;
	std::vector<Operand> operands_;
	/// Factor that undoes the scaling of each row.
	std::vector<float> row_factors_;
	/// Rows of activations, rotated.
	std::vector<float> rotated_;
	std::uint64_t uses_ = 0;
	std::uint64_t macs_ = 0;
	std::uint64_t submits_ = 0;
};

} // namespace npu
#pragma GCC visibility pop
