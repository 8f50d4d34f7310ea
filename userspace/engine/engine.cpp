/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "rknn/registers.h"
#include "transfer.h"

namespace npu
{

namespace
{

/// Results of layers start on cache lines.
constexpr std::size_t results_align = 64;

/// Rows are scaled so that their largest number is below 2^14, which avoids overflow and keeps the
/// most bits above the smallest fp16.
constexpr int fp16_exponent = 14;

/// The scale of a row whose largest number is @p most: a power of two, which is exact.
float fp16_factor(float most)
{
	constexpr int limit = 100;

	if (most <= 0)
		return 1.0F;
	return std::ldexp(1.0F, std::clamp(fp16_exponent - std::ilogb(most) - 1, -limit, limit));
}

/// The factor that scales @p most to @p limit; 1 for rows that are zero or nearly so.
float factor_to(float limit, float most)
{
	const float factor = limit / most;

	return std::isfinite(factor) ? factor : 1.0F;
}

/// Size of the streams of each of @p count products in the kernel, which appends a link of four
/// commands to a task and rounds up to cache lines.
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

/// Minimum count of numbers that justifies a thread.
constexpr std::uint32_t numbers_per_thread = 16384;

/// The same in rows of @p width numbers.
std::uint32_t rows_per_thread(std::uint32_t width)
{
	return std::max(numbers_per_thread / width, 1U);
}

} // namespace

Engine::Engine(Device device, Context context, const Options &options, SramPlan sram)
	: device_(std::move(device)), context_(std::move(context)), options_(options),
	  sram_(std::move(sram)), sync_(!device_.info().coherent),
	  workers_(std::make_unique<Workers>(options.threads))
{
}

Result<Engine> Engine::create(const Device &device, const Options &options)
{
	if (!options.threads)
		return fail(EINVAL, "an engine needs a thread");
	if (!options.max_jobs)
		return fail(EINVAL, "an engine needs room for a job");
	auto context = Context::create(device, {.core_mask = options.core_mask,
						.sched_class = options.sched_class,
						.weight = options.weight});
	if (!context)
		return forward(context);
	auto sram = SramPlan::create(device, options.sram);
	if (!sram)
		return forward(sram);
	try {
		return Engine(device, std::move(*context), options, std::move(*sram));
	} catch (const std::system_error &error) {
		return fail(error.code().value(),
			    "cannot start " + std::to_string(options.threads) + " threads");
	}
}

Result<ProductStatistics> Engine::multiply(std::span<const Linear *const> layers, std::uint32_t m,
					   std::span<const float> x,
					   std::span<const std::span<float>> y,
					   const StartOptions &options)
{
	if (!m || layers.empty() || y.size() != layers.size())
		return fail(EINVAL, "no rows or no layers to multiply");
	const std::uint32_t k = layers.front()->k();
	if (x.size() != std::size_t{m} * k)
		return fail(EINVAL, "activations are not m rows of k");
	operands_.clear();
	for (std::size_t i = 0; i < layers.size(); i++) {
		if (y[i].size() != std::size_t{m} * layers[i]->n())
			return fail(EINVAL, "results are not m rows of n");
		operands_.push_back({layers[i], 0});
	}
	if (auto started = start(operands_, m, {x, k}, options); !started)
		return forward(started);
	auto waited = [&] {
		try {
			return wait();
		} catch (...) {
			/* The caller cannot wait for this product again. */
			running_.state = Running::State::none;
			throw;
		}
	}();
	if (!waited)
		return forward(waited);
	for (std::size_t i = 0; i < layers.size(); i++)
		if (auto fetched = fetch(i, {y[i], layers[i]->n()}); !fetched)
			return forward(fetched);
	return *waited;
}

Result<void> Engine::start(std::span<const Operand> operands, std::uint32_t m,
			   const Rows<const float> &x, const StartOptions &options)
{
	if (running_.state == Running::State::submitted)
		return fail(EBUSY, "a product of the engine is under way; call wait() first");
	running_.state = Running::State::none;
	if (!m || operands.empty())
		return fail(EINVAL, "no rows or no layers to multiply");
	const Linear &first = *operands.front().layer;
	if (!x.hold(m, first.k()))
		return fail(EINVAL, "activations are not m rows of k");
	running_.scales.clear();
	for (const Operand &operand : operands) {
		const Linear &layer = *operand.layer;

		if (layer.k() != first.k() || layer.precision() != first.precision() ||
		    layer.rotated() != first.rotated())
			return fail(EINVAL,
				    "layers of one submit differ in k, precision or rotation");
		if (operand.first >= layer.n() || operand.first % rknn::group_rows(layer.layout()))
			return fail(EINVAL, "channel " + std::to_string(operand.first) +
						    " begins no kernel group of a layer of " +
						    std::to_string(layer.n()));
		running_.scales.push_back(layer.scales());
	}

	auto recorded = record(operands, m * rows_per_row(first.precision()));
	if (!recorded)
		return forward(recorded);
	if (auto loaded = load(first, m, x, *(*recorded)->features); !loaded)
		return loaded;
	if (auto submitted = submit((*recorded)->job, options); !submitted)
		return submitted;
	running_.state = Running::State::submitted;
	running_.job = *recorded;
	running_.m = m;
	running_.precision = first.precision();
	running_.macs = 0;
	for (const Operand &operand : operands)
		running_.macs +=
			std::uint64_t{m} * (operand.layer->n() - operand.first) * first.k();
	macs_ += running_.macs;
	submits_++;
	return {};
}

/// Submit @p job, with a fence if that was asked for.
Result<void> Engine::submit(const Job &job, const StartOptions &options)
{
	const SubmitOptions submit{.deadline = options.deadline, .in = options.in};

	running_.fence = Fence();
	if (options.fence) {
		auto fence = context_.submit(job, submit);
		if (!fence)
			return forward(fence);
		running_.fence = std::move(*fence);
		running_.seqno = running_.fence.seqno();
		return {};
	}
	auto seqno = context_.queue(job, submit);
	if (!seqno)
		return forward(seqno);
	running_.seqno = *seqno;
	return {};
}

WaitResult<ProductStatistics> Engine::wait(Deadline deadline)
{
	if (running_.state != Running::State::submitted)
		return fail(EINVAL, "no product of the engine is under way; call start() first");
	auto waited = context_.wait(running_.seqno, deadline);
	if (waited.timed_out())
		return {WaitState::timed_out, std::move(waited.error())};
	running_.state = waited ? Running::State::ended : Running::State::none;
	if (!waited.has_value())
		return forward(waited);
	const ProductStatistics statistics{
		.job = *waited,
		.macs = running_.macs,
		.bytes = running_.job->bytes,
		.cores = running_.job->cores,
	};
	if (!waited)
		return {WaitState::failed, std::move(waited.error()), statistics};
	return statistics;
}

Result<UniqueFd> Engine::fd() const
{
	if (running_.state != Running::State::submitted)
		return fail(EINVAL, "no product of the engine is under way; call start() first");
	return running_.fence.fd();
}

Result<void> Engine::set_class(SchedClass sched_class)
{
	return context_.set_class(sched_class);
}

Result<void> Engine::fetch(std::size_t i, const Rows<float> &y)
{
	if (running_.state != Running::State::ended || i >= running_.job->outputs.size())
		return fail(EINVAL, "there are no results " + std::to_string(i) + " to fetch");
	const Output &output = running_.job->outputs[i];
	const std::uint32_t n = output.layout.n();
	const std::uint32_t m = running_.m;
	if (!y.hold(m, n))
		return fail(EINVAL, "results are not m rows of n");
	if (auto synced = sync_results(output); !synced)
		return synced;

	const std::uint32_t rows = m * rows_per_row(running_.precision);
	const std::size_t step = std::size_t{output.layout.padded_n()} * rows;
	const std::size_t count = step * output.layout.slices();
	const Scaled to{y.values.data(), y.stride, m, row_factors_.data(),
			running_.scales[i].data()};
	const auto from = [&]<typename T>(T) -> Results<T> {
		return {running_.job->results->as<T>(output.offset, count).data(), rows,
			output.layout.slices(), step};
	};
	/* Threads share kernel groups, so that they also help with a single row. */
	const std::uint32_t group = rknn::group_rows(output.layout);

	workers_->run((n - output.first + group - 1) / group, rows_per_thread(group * m),
		      [&](std::uint32_t begin, std::uint32_t end) {
			      begin = output.first + begin * group;
			      end = std::min(output.first + end * group, n);
			      switch (running_.precision) {
			      case Precision::int8:
				      return load_int8(from(std::int32_t{}), begin, end, to);
			      case Precision::int8x2:
				      return load_int8x2(from(std::int32_t{}), begin, end, to);
			      case Precision::fp16:
				      return load_fp16(from(float{}), begin, end, to);
			      }
		      });
	return {};
}

/// Hand the results of a layer to the CPU.
Result<void> Engine::sync_results(const Output &output) const
{
	if (!sync_)
		return {};
	const std::uint32_t rows = running_.m * rows_per_row(running_.precision);
	const std::size_t step =
		std::size_t{output.layout.padded_n()} * rows * sizeof(std::int32_t);
	const std::size_t begin = std::size_t{output.first} * rows * sizeof(std::int32_t);

	for (std::uint32_t slice = 0; slice < output.layout.slices(); slice++)
		if (auto synced = running_.job->results->sync_for_cpu(
			    output.offset + slice * step + begin, step - begin);
		    !synced)
			return synced;
	return {};
}

bool Engine::Order::before(const Look &a, const Look &b)
{
	if (a.rows != b.rows)
		return a.rows < b.rows;
	return std::ranges::lexicographical_compare(a.parts, b.parts);
}

/// The job of @p operands for @p rows rows, recorded if it is new.
Result<const Engine::Recorded *> Engine::record(std::span<const Operand> operands,
						std::uint32_t rows)
{
	parts_.clear();
	for (const Operand &operand : operands)
		parts_.push_back({operand.layer->id(), operand.first});
	if (const auto found = jobs_.find(Look{parts_, rows}); found != jobs_.end()) {
		found->second.used = ++uses_;
		return &found->second;
	}
	auto made = make(operands, rows);
	if (!made)
		return forward(made);
	if (jobs_.size() >= options_.max_jobs)
		jobs_.erase(std::ranges::min_element(jobs_, {}, [](const Jobs::value_type &entry) {
			return entry.second.used;
		}));
	made->used = ++uses_;
	return &jobs_.emplace(Key{parts_, rows}, std::move(*made)).first->second;
}

namespace
{

/// The label of a job: the names of its layers. Control characters would end a line of a trace.
std::string label_of(std::span<const Operand> operands)
{
	std::string label;

	for (const Operand &operand : operands) {
		if (!label.empty())
			label += '+';
		for (const char c : operand.layer->name())
			label += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
	}
	return label;
}

} // namespace

Result<Engine::Recorded> Engine::make(std::span<const Operand> operands, std::uint32_t rows)
{
	std::vector<rknn::WeightLayout> layouts;
	std::vector<std::uint32_t> firsts;
	Recorded recorded;
	std::size_t result_bytes = 0;
	for (const Operand &operand : operands) {
		const rknn::WeightLayout &layout = operand.layer->layout();

		layouts.push_back(layout);
		firsts.push_back(operand.first);
		recorded.outputs.push_back({layout, operand.first, result_bytes});
		result_bytes += rknn::result_bytes(layout, rows);
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

	auto cores = static_cast<std::uint32_t>(device_.cores().size());
	if (options_.core_mask)
		cores = static_cast<std::uint32_t>(std::popcount(options_.core_mask));
	const rknn::Plan plan = rknn::plan_matmul(layouts, firsts, rows, cores);
	std::vector<Lane> lanes;
	for (const auto &tiles : plan.lanes) {
		Lane &lane = lanes.emplace_back();
		for (const rknn::Tile &tile : tiles) {
			const std::size_t offset = recorded.outputs[tile.matmul].offset;
			const rknn::Addresses addresses{
				.features = recorded.features->address(),
				.weights = operands[tile.matmul].layer->address(),
				.results = static_cast<std::uint32_t>(recorded.results->address() +
								      offset),
			};
			lane.push_back({rknn::emit(layouts[tile.matmul], rows, tile, addresses),
					rknn::enable_convolution});
		}
	}
	const bool on_chip = place(operands, rows, recorded,
				   stream_bytes(plan, lanes, layouts.size()), lanes.size());
	Job::Options job_options{.on_chip = on_chip, .label = label_of(operands)};
	auto job = Job::create(device_, lanes, job_options);
	/* SRAM is only a preference: retry in system memory. */
	if (!job && on_chip) {
		job_options.on_chip = false;
		job = Job::create(device_, lanes, job_options);
	}
	if (!job)
		return forward(job);
	recorded.job = std::move(*job);
	recorded.cores = static_cast<std::uint32_t>(lanes.size());
	recorded.bytes = rknn::feature_bytes(layouts.front(), rows);
	for (const rknn::WeightLayout &layout : layouts)
		recorded.bytes += layout.bytes() + rknn::result_bytes(layout, rows);
	return recorded;
}

void Engine::clear()
{
	running_ = {};
	jobs_.clear();
	sram_.clear();
}

/// Sets the residency of the buffers of a job that runs on @p cores cores. Returns whether to
/// create its streams, @p streams bytes for each layer, in SRAM.
bool Engine::place(std::span<const Operand> operands, std::uint32_t rows, const Recorded &recorded,
		   std::vector<double> streams, std::size_t cores)
{
	const auto features = static_cast<double>(
		rknn::feature_bytes(operands.front().layer->layout(), rows) * cores);
	std::vector<SramPlan::Operand> used{
		{recorded.results, {}, !sync_},
		{recorded.features, std::vector<double>(operands.size(), features)},
		{nullptr, std::move(streams)},
	};

	for (std::size_t i = 0; i < operands.size(); i++) {
		const rknn::WeightLayout &layout = operands[i].layer->layout();

		used.front().bytes.push_back(static_cast<double>(rknn::result_bytes(layout, rows)));
		used.push_back(
			{&operands[i].layer->buffer(), std::vector<double>(operands.size())});
		used.back().bytes[i] = static_cast<double>(layout.bytes());
	}
	return sram_.place(used, cores);
}

/// Returns the buffer of @p buffers for @p size bytes, which is created if it is missing.
Result<const Buffer *> Engine::reserve(Buffers &buffers, std::size_t size)
{
	const std::size_t rounded = std::bit_ceil(size);

	if (const auto found = buffers.find(rounded); found != buffers.end())
		return &found->second;
	auto made = Buffer::create(device_, rounded, {.cached = true});
	if (!made)
		return forward(made);
	return &buffers.emplace(rounded, std::move(*made)).first->second;
}

/// Quantises @p m rows into @p features, in the layout that the device reads.
Result<void> Engine::load(const Linear &layer, std::uint32_t m, const Rows<const float> &x,
			  const Buffer &features)
{
	const std::uint32_t k = layer.k();
	const std::uint32_t rows = m * rows_per_row(layer.precision());
	const std::size_t bytes = rknn::feature_bytes(layer.layout(), rows);
	const std::size_t used = std::size_t{k} * (layer.precision() == Precision::fp16 ? 2 : 1);
	const std::size_t atoms = (used + rknn::atom_bytes - 1) / rknn::atom_bytes;
	const std::size_t step = std::size_t{rows} * rknn::atom_bytes;
	std::byte *const out = features.bytes().data();
	std::atomic<std::uint32_t> refused = m;
	const float length = layer.rotated() ? rotation_length(k) : 1.0F;

	row_factors_.resize(m);
	if (layer.rotated() && rotated_.size() < std::size_t{m} * k)
		rotated_.resize(std::size_t{m} * k);
	/* Clear the atoms without a channel; the store functions pad the last atom of each row. */
	std::fill(out + atoms * step, out + bytes, std::byte{0});
	workers_->run(m, rows_per_thread(k), [&](std::uint32_t first, std::uint32_t last) {
		for (std::uint32_t row = first; row < last; row++) {
			auto values = x.values.subspan(row * x.stride, k);
			const FeatureRow to{out + std::size_t{row} * rknn::atom_bytes, step};
			const FeatureRow second{to.out + std::size_t{m} * rknn::atom_bytes, step};

			if (layer.rotated()) {
				const auto rotated =
					std::span(rotated_).subspan(std::size_t{row} * k, k);

				rotate(values, rotated, rotation_block(k));
				values = rotated;
			}
			const RowRange range = row_range(values);
			float factor = 1;
			if (!range.finite || !std::isfinite(range.most)) {
				refused = row;
				return;
			}
			switch (layer.precision()) {
			case Precision::int8:
				factor = factor_to(127.0F, range.most);
				store_int8(values, factor, to);
				break;
			case Precision::int8x2:
				factor = factor_to(16256.0F, range.most);
				store_int8x2(values, factor, to, second);
				break;
			case Precision::fp16:
				factor = fp16_factor(range.most);
				store_fp16(values, factor, to, second);
				break;
			}
			row_factors_[row] = 1.0F / factor / length;
		}
	});
	if (refused != m)
		return fail(EINVAL, "an activation of row " + std::to_string(refused) +
					    " is not a finite number");
	if (!sync_)
		return {};
	return features.sync_for_device(0, bytes);
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
