/* SPDX-License-Identifier: MIT */
#include "llm/backend.h"

#include <engine/numeric.h>

namespace npu::llm
{

namespace
{

class NpuBackend final : public Backend
{
public:
	NpuBackend(Engine engine, Precision precision)
		: engine_(std::move(engine)), precision_(precision)
	{
	}

	Result<std::size_t> add(const Tensor &weights) override
	{
		auto layer = Linear::pack(engine_.device(),
					  [&](std::uint32_t row, std::span<float> out) {
						  to_floats(weights, row, out);
					  },
					  weights.rows, weights.columns,
					  {.precision = precision_,
					   .workers = &engine_.workers(),
					   .name = weights.name});

		if (!layer)
			return forward(layer);
		layers_.push_back(std::move(*layer));
		return layers_.size() - 1;
	}

	Result<void> multiply(std::span<const std::size_t> layers, std::uint32_t m,
			      std::span<const float> x,
			      std::span<const std::span<float>> y) override
	{
		chosen_.clear();
		for (const std::size_t layer : layers)
			chosen_.push_back(&layers_[layer]);
		if (auto done = engine_.multiply(chosen_, m, x, y); !done)
			return forward(done);
		return {};
	}

	Result<BackendStatistics> statistics() const override
	{
		auto engine = engine_.statistics();
		BackendStatistics statistics;

		if (!engine)
			return forward(engine);
		statistics.npu_macs = engine->macs;
		statistics.device_ns = engine->device_ns;
		statistics.submits = engine->submits;
		statistics.read_bytes = engine->read_bytes;
		statistics.written_bytes = engine->written_bytes;
		statistics.sram_bytes = engine->sram_bytes;
		statistics.is_virtual = engine_.device().is_virtual();
		return statistics;
	}

	Workers &workers() override { return engine_.workers(); }

private:
	std::vector<Linear> layers_;
	std::vector<const Linear *> chosen_;
	Engine engine_;
	Precision precision_;
};

class CpuBackend final : public Backend
{
public:
	explicit CpuBackend(std::uint32_t threads) : workers_(threads) {}

	Result<std::size_t> add(const Tensor &weights) override
	{
		layers_.push_back({to_floats(weights), weights.columns});
		return layers_.size() - 1;
	}

	Result<void> multiply(std::span<const std::size_t> layers, std::uint32_t m,
			      std::span<const float> x,
			      std::span<const std::span<float>> y) override
	{
		for (std::size_t i = 0; i < layers.size(); i++)
			multiply_one(layers_[layers[i]], m, x, y[i]);
		return {};
	}

	Result<BackendStatistics> statistics() const override
	{
		BackendStatistics statistics;

		statistics.cpu_macs = macs_;
		return statistics;
	}

	Workers &workers() override { return workers_; }

private:
	struct Layer {
		std::vector<float> rows;
		std::uint32_t k;
	};

	/// Multiply-accumulates that justify waking a thread.
	static constexpr std::uint32_t least_macs = 1U << 16U;

	void multiply_one(const Layer &layer, std::uint32_t m, std::span<const float> x,
			  std::span<float> y)
	{
		const std::span<const float> weights(layer.rows);
		const auto n = static_cast<std::uint32_t>(layer.rows.size() / layer.k);
		const std::uint32_t least = 1 + least_macs / (m * layer.k);

		workers_.run(n, least, [&](std::uint32_t first, std::uint32_t last) {
			for (std::size_t row = 0; row < m; row++)
				for (std::size_t i = first; i < last; i++)
					y[row * n + i] = dot(weights.subspan(i * layer.k, layer.k),
							     x.subspan(row * layer.k, layer.k));
		});
		macs_ += m * layer.rows.size();
	}

	std::vector<Layer> layers_;
	std::uint64_t macs_ = 0;
	Workers workers_;
};

} // namespace

Result<std::unique_ptr<Backend>> npu_backend(const Device &device, Precision precision,
					     const Engine::Options &options)
{
	auto engine = Engine::create(device, options);

	if (!engine)
		return forward(engine);
	return std::make_unique<NpuBackend>(std::move(*engine), precision);
}

std::unique_ptr<Backend> cpu_backend(std::uint32_t threads)
{
	return std::make_unique<CpuBackend>(threads);
}

} // namespace npu::llm
