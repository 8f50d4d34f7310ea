/* SPDX-License-Identifier: MIT */
/*
 * Storage and multiplication of a model's weight matrices.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <engine/engine.h>
#include <engine/linear.h>
#include <engine/workers.h>
#include <npu/device.h>
#include <npu/error.h>

#include "llm/gguf.h"

namespace npu::llm
{

/// Statistics of a backend.
struct BackendStatistics {
	std::uint64_t npu_macs = 0;
	std::uint64_t cpu_macs = 0;
	std::uint64_t device_ns = 0;
	std::uint64_t submits = 0;
	std::uint64_t read_bytes = 0;
	std::uint64_t written_bytes = 0;
	std::uint64_t sram_bytes = 0;
	/// Whether the device is a virtual one, whose time is modelled.
	bool is_virtual = false;
};

class Backend
{
public:
	virtual ~Backend() = default;

	/// Adds the weights of y = W x, under the tensor's name in traces. @p weights is not used
	/// after the return.
	/// \return the layer's number
	virtual Result<std::size_t> add(const Tensor &weights) = 0;

	/// y[i] = layers[i] x for @p m rows of @p x; the layers share k.
	virtual Result<void> multiply(std::span<const std::size_t> layers, std::uint32_t m,
				      std::span<const float> x,
				      std::span<const std::span<float>> y) = 0;

	virtual Result<BackendStatistics> statistics() const = 0;

	/// The threads for work on the CPU.
	virtual Workers &workers() = 0;
};

/// A backend that multiplies all matrices on the NPU.
Result<std::unique_ptr<Backend>> npu_backend(const Device &device, Precision precision,
					     const Engine::Options &options = {});

/// The reference: float arithmetic on the CPU with @p threads threads.
/// \pre threads is not 0
std::unique_ptr<Backend> cpu_backend(std::uint32_t threads = 1);

} // namespace npu::llm
