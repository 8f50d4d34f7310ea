/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cmath>
#include <thread>

#include "engine/numeric.h"
#include "rknn/registers.h"

namespace npu
{

namespace
{

/// Results of layers start on cache lines.
constexpr std::size_t results_align = 64;

/// Rows are scaled so that their largest number is below 2^14: far from the
/// largest fp16, and with the most bits above its smallest.
constexpr int fp16_exponent = 14;

template <typename T>
std::span<T> room(std::vector<std::byte> &bytes, std::size_t count)
{
	bytes.resize(std::max(bytes.size(), count * sizeof(T)));
	return {reinterpret_cast<T *>(bytes.data()), count};
}

/// The scale of a row whose largest number is @p most: a power of two, so that it
/// loses nothing.
float fp16_factor(float most)
{
	constexpr int limit = 100;

	if (most <= 0)
		return 1.0F;
	return std::ldexp(1.0F, std::clamp(fp16_exponent - std::ilogb(most) - 1, -limit, limit));
}

/// Bytes of the streams of each of @p count products, as the kernel keeps them: with a
/// link of four commands, in cache lines.
std::vector<double> stream_bytes(const rknn::Plan &plan, std::span<const Lane> lanes,
				 std::size_t count)
{
	std::vector<double> bytes(count);

	for (std::size_t lane = 0; lane < lanes.size(); lane++)
		for (std::size_t task = 0; task < lanes[lane].size(); task++) {
			const std::size_t words = lanes[lane][task].commands.size() + 4;

			const std::size_t lines = (words * 8 + 63) / 64;

			bytes[plan.lanes[lane][task].matmul] += static_cast<double>(lines * 64);
		}
	return bytes;
}

/// Rows that are worth a thread of their own.
constexpr std::uint32_t rows_per_thread = 16;

/// Call @p body with parts of the rows 0 to m, side by side on up to @p threads
/// threads.
template <typename Body>
void for_rows(std::uint32_t threads, std::uint32_t m, const Body &body)
{
	const std::uint32_t parts = std::clamp(m / rows_per_thread, 1U, threads);
	std::vector<std::jthread> helpers;

	for (std::uint32_t part = 1; part < parts; part++)
		helpers.emplace_back(body, m * part / parts, m * (part + 1) / parts);
	body(0U, m / parts);
}

} // namespace

Result<Engine> Engine::create(const Device &device, const Options &options)
{
	if (!options.threads)
		return fail(EINVAL, "an engine needs a thread");
	auto context = Context::create(
		device, {.sched_class = options.sched_class, .weight = options.weight});
	if (!context)
		return forward(context);
	auto sram = SramPlan::create(device, options.sram);
	if (!sram)
		return forward(sram);
	return Engine(device, std::move(*context), options, std::move(*sram));
}

Result<void> Engine::multiply(std::span<const Linear *const> layers, std::uint32_t m,
			      std::span<const float> x, std::span<const std::span<float>> y)
{
	if (!m || layers.empty() || y.size() != layers.size())
		return fail(EINVAL, "no rows or no layers to multiply");
	const Linear &first = *layers.front();
	if (x.size() != std::size_t{m} * first.k())
		return fail(EINVAL, "activations are not m rows of k");
	for (std::size_t i = 0; i < layers.size(); i++) {
		if (layers[i]->k() != first.k() || layers[i]->precision() != first.precision())
			return fail(EINVAL, "layers of one submit differ in k or precision");
		if (y[i].size() != std::size_t{m} * layers[i]->n())
			return fail(EINVAL, "results are not m rows of n");
	}

	auto recorded = record(layers, m * rows_per_row(first.precision()));
	if (!recorded)
		return forward(recorded);
	const Recorded &job = **recorded;
	if (auto loaded = load(first, m, x, *job.features); !loaded)
		return loaded;
	auto fence = context_.submit(job.job);
	if (!fence)
		return forward(fence);
	if (auto waited = fence->wait(); !waited)
		return waited;

	for (std::size_t i = 0; i < layers.size(); i++) {
		unload(*layers[i], m, *job.results, job.offsets[i], y[i]);
		macs_ += std::uint64_t{m} * layers[i]->n() * layers[i]->k();
	}
	submits_++;
	return {};
}

/// The job of @p layers for @p rows rows, recorded if it is new.
Result<const Engine::Recorded *> Engine::record(std::span<const Linear *const> layers,
						std::uint32_t rows)
{
	const Key key{{layers.begin(), layers.end()}, rows};

	if (const auto found = jobs_.find(key); found != jobs_.end())
		return &found->second;

	std::vector<rknn::WeightLayout> layouts;
	Recorded recorded;
	std::size_t result_bytes = 0;
	for (const Linear *layer : layers) {
		layouts.push_back(layer->layout());
		recorded.offsets.push_back(result_bytes);
		result_bytes += rknn::result_bytes(layer->layout(), rows);
		result_bytes = (result_bytes + results_align - 1) / results_align * results_align;
	}
	auto features = reserve(features_, rknn::feature_bytes(layouts.front(), rows));
	if (!features)
		return forward(features);
	auto results = reserve(results_, result_bytes);
	if (!results)
		return forward(results);
	recorded.features = *features;
	recorded.results = *results;

	const auto cores = static_cast<std::uint32_t>(device_.cores().size());
	const rknn::Plan plan = rknn::plan_matmul(layouts, rows, cores);
	std::vector<Lane> lanes;
	for (const auto &tiles : plan.lanes) {
		Lane &lane = lanes.emplace_back();
		for (const rknn::Tile &tile : tiles) {
			const std::size_t offset = recorded.offsets[tile.matmul];
			const rknn::Addresses addresses{
				.features = recorded.features->address(),
				.weights = layers[tile.matmul]->address(),
				.results = static_cast<std::uint32_t>(recorded.results->address() +
								      offset),
			};
			lane.push_back({rknn::emit(layouts[tile.matmul], rows, tile, addresses),
					rknn::enable_convolution});
		}
	}
	auto streams = place(layers, rows, recorded, stream_bytes(plan, lanes, layers.size()),
			     lanes.size());
	if (!streams)
		return forward(streams);
	auto job = Job::create(device_, lanes, {.on_chip = *streams});
	if (!job)
		return forward(job);
	recorded.job = std::move(*job);
	return &jobs_.emplace(key, std::move(recorded)).first->second;
}

void Engine::clear()
{
	jobs_.clear();
	sram_.clear();
}

/// Have what the job of @p layers on @p cores cores uses where it is best; its
/// streams of @p streams bytes for each layer are to be created so.
Result<bool> Engine::place(std::span<const Linear *const> layers, std::uint32_t rows,
			   const Recorded &recorded, std::vector<double> streams, std::size_t cores)
{
	const auto features =
		static_cast<double>(rknn::feature_bytes(layers.front()->layout(), rows) * cores);
	std::vector<SramPlan::Operand> operands{
		{recorded.results, {}},
		{recorded.features, std::vector<double>(layers.size(), features)},
		{nullptr, std::move(streams)},
	};

	for (std::size_t i = 0; i < layers.size(); i++) {
		const rknn::WeightLayout &layout = layers[i]->layout();

		operands.front().bytes.push_back(
			static_cast<double>(rknn::result_bytes(layout, rows)));
		operands.push_back({&layers[i]->buffer(), std::vector<double>(layers.size())});
		operands.back().bytes[i] = static_cast<double>(layout.bytes());
	}
	return sram_.place(operands, cores);
}

/// The one of @p buffers that is large enough for @p size bytes.
Result<const Buffer *> Engine::reserve(Buffers &buffers, std::size_t size)
{
	const std::size_t rounded = std::bit_ceil(size);

	if (const auto found = buffers.find(rounded); found != buffers.end())
		return &found->second;
	auto made = Buffer::create(device_, rounded);
	if (!made)
		return forward(made);
	return &buffers.emplace(rounded, std::move(*made)).first->second;
}

/// Quantise @p m rows and put them where the device reads features.
Result<void> Engine::load(const Linear &layer, std::uint32_t m, std::span<const float> x,
			  const Buffer &features)
{
	const std::uint32_t k = layer.k();
	const std::uint32_t rows = m * rows_per_row(layer.precision());
	const std::size_t half = std::size_t{m} * k;
	/* The same room, as the precision wants it. */
	const auto halves = room<std::uint16_t>(rows_, 2 * half);
	const std::span bytes(reinterpret_cast<std::int8_t *>(rows_.data()), 2 * half);

	row_factors_.resize(m);
	std::atomic<std::uint32_t> refused = m;
	for_rows(options_.threads, m, [&](std::uint32_t first, std::uint32_t last) {
		for (std::uint32_t row = first; row < last; row++) {
			const std::size_t at = std::size_t{row} * k;
			const auto values = x.subspan(at, k);
			const float most = max_abs(values);
			float factor = 1;

			/* NaNs may hide from a maximum, but not from a sum. */
			if (!std::isfinite(most) || !std::isfinite(dot(values, values) * 0.0F)) {
				refused = row;
				return;
			}
			switch (layer.precision()) {
			case Precision::int8:
				factor = most > 0 ? 127.0F / most : 1.0F;
				quantise(values, factor, bytes.subspan(at, k));
				break;
			case Precision::int8x2:
				factor = most > 0 ? 16256.0F / most : 1.0F;
				quantise_split(values, factor, bytes.subspan(at, k),
					       bytes.subspan(half + at, k));
				break;
			case Precision::fp16:
				factor = fp16_factor(most);
				to_fp16_split(values, factor, halves.subspan(at, k),
					      halves.subspan(half + at, k));
				break;
			}
			row_factors_[row] = 1.0F / factor;
		}
	});
	if (refused != m)
		return fail(EINVAL, "an activation of row " + std::to_string(refused) +
					    " is not a finite number, or too large");
	rknn::pack_features(layer.layout(), rows, rows_, features.bytes());
	return {};
}

/// Fetch and scale the results of @p layer.
void Engine::unload(const Linear &layer, std::uint32_t m, const Buffer &results, std::size_t offset,
		    std::span<float> y)
{
	const std::uint32_t n = layer.n();
	const std::uint32_t rows = m * rows_per_row(layer.precision());
	const std::size_t count = rknn::result_bytes(layer.layout(), rows) / sizeof(std::int32_t);
	const std::size_t half = std::size_t{m} * n;

	if (layer.precision() == Precision::fp16) {
		const auto sums = room<float>(gathered_, 2 * half);

		rknn::gather_results(layer.layout(), rows, results.as<float>(offset, count), sums);
		for (std::size_t i = 0; i < half; i++)
			y[i] = (sums[i] + sums[half + i]) * row_factors_[i / n];
		return;
	}

	const auto sums = room<std::int32_t>(gathered_, rows * std::size_t{n});
	rknn::gather_results(layer.layout(), rows, results.as<std::int32_t>(offset, count), sums);
	for_rows(options_.threads, m, [&](std::uint32_t first, std::uint32_t last) {
		for (std::uint32_t row = first; row < last; row++) {
			const std::size_t at = std::size_t{row} * n;

			if (layer.precision() == Precision::int8)
				dequantise(sums.subspan(at, n), row_factors_[row], layer.scales(),
					   y.subspan(at, n));
			else
				dequantise_split(sums.subspan(at, n), sums.subspan(half + at, n),
						 row_factors_[row], layer.scales(),
						 y.subspan(at, n));
		}
	});
}

Result<EngineStatistics> Engine::statistics() const
{
	auto context = context_.statistics();

	if (!context)
		return forward(context);
	EngineStatistics statistics;
	statistics.macs = macs_;
	statistics.submits = submits_;
	statistics.device_ns = context->device_ns;
	statistics.read_bytes = context->read_bytes;
	statistics.written_bytes = context->written_bytes;
	statistics.sram_bytes = context->sram_bytes;
	return statistics;
}

} // namespace npu
