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

	Result<std::size_t> add(std::vector<float> rows, std::uint32_t n, std::uint32_t k,
				const std::string &name) override
	{
		auto layer = Linear::create(engine_.device(), rows, n, k, precision_, name);

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
		return statistics;
	}

private:
	std::vector<Linear> layers_;
	std::vector<const Linear *> chosen_;
	Engine engine_;
	Precision precision_;
};

class CpuBackend final : public Backend
{
public:
	Result<std::size_t> add(std::vector<float> rows, std::uint32_t, std::uint32_t k,
				const std::string &) override
	{
		layers_.push_back({std::move(rows), k});
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

private:
	struct Layer {
		std::vector<float> rows;
		std::uint32_t k;
	};

	void multiply_one(const Layer &layer, std::uint32_t m, std::span<const float> x,
			  std::span<float> y)
	{
		const std::span<const float> weights(layer.rows);
		const std::size_t n = layer.rows.size() / layer.k;

		for (std::size_t row = 0; row < m; row++)
			for (std::size_t i = 0; i < n; i++)
				y[row * n + i] = dot(weights.subspan(i * layer.k, layer.k),
						     x.subspan(row * layer.k, layer.k));
		macs_ += m * layer.rows.size();
	}

	std::vector<Layer> layers_;
	std::uint64_t macs_ = 0;
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

std::unique_ptr<Backend> cpu_backend()
{
	return std::make_unique<CpuBackend>();
}

} // namespace npu::llm
