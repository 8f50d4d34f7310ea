/* SPDX-License-Identifier: MIT */
/*
 * Work for the examples with an event loop: products with the same weights, one at a time, each
 * with a deadline and with its buffers in on-chip memory.
 */
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include <engine/engine.h>

namespace example
{

class Products
{
public:
	static constexpr std::uint32_t size = 64;
	/// Deadline of each product, from its submit on.
	static constexpr std::chrono::milliseconds patience{50};
	static constexpr std::size_t on_chip = 64 << 10;

	static npu::Result<Products> create()
	{
		auto device = npu::Device::open();
		if (!device)
			return forward(device);
		const std::vector<float> weights(std::size_t{size} * size, 0.5F);
		auto layer =
			npu::Linear::create(*device, weights, size, size, npu::Precision::int8);
		if (!layer)
			return forward(layer);
		/*
		 * Prefer SRAM for weights and activations, which then stay there between products.
		 */
		npu::Engine::Options options;
		options.sram = {npu::SramUse::Mode::bytes, on_chip};
		auto engine = npu::Engine::create(*device, options);
		if (!engine)
			return forward(engine);
		return Products(std::move(*layer), std::move(*engine));
	}

	/// Submits a product. @return a descriptor that becomes readable at its end
	npu::Result<npu::UniqueFd> start()
	{
		const npu::Operand operand{layer_.get(), 0};
		const std::vector<float> x(size, 1.0F);

		if (auto started =
			    engine_.start({&operand, 1}, 1, {x, size},
					  {.deadline = npu::Deadline::in(patience), .fence = true});
		    !started)
			return forward(started);
		return engine_.fd();
	}

	/// Fetches and prints the product that has ended; does not block.
	npu::Result<void> finish()
	{
		std::vector<float> y(size);

		auto waited = engine_.wait(npu::Deadline::immediately());
		if (!waited)
			return forward(waited);
		if (auto fetched = engine_.fetch(0, {y, size}); !fetched)
			return forward(fetched);
		auto statistics = engine_.statistics();
		if (!statistics)
			return forward(statistics);
		std::cout << "y[0] = " << y.front() << ", " << waited->macs
			  << " multiply-accumulates in " << waited->job.device_ns
			  << " ns of device time; so far " << statistics->sram_bytes << " of "
			  << statistics->read_bytes + statistics->written_bytes
			  << " bytes were on the chip\n";
		return {};
	}

private:
	Products(npu::Linear layer, npu::Engine engine)
		: layer_(std::make_unique<npu::Linear>(std::move(layer))),
		  engine_(std::move(engine))
	{
	}

	/// On the heap, since operands point to the layer.
	std::unique_ptr<npu::Linear> layer_;
	npu::Engine engine_;
};

/// Print the error of @p done. @return the exit status
inline int report(const char *name, const npu::Result<void> &done)
{
	if (done)
		return 0;
	std::cerr << name << ": " << done.error().message << '\n';
	return 1;
}

} // namespace example
