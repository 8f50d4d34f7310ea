/* SPDX-License-Identifier: MIT */
/*
 * Options of the backend, from the environment.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <engine/linear.h>
#include <npu/error.h>

namespace npu::ggml
{

struct Options {
	/// GGML_NPU_DEVICE: device file; empty for the first NPU.
	std::string device;
	/// GGML_NPU_PRECISION: int8 (rotated), int8x2 or fp16.
	Precision precision = Precision::int8;
	/// GGML_NPU_SHARE: the NPU's share of the rows in percent; without a value ("auto"), the
	/// backend searches for the fastest share.
	std::optional<std::uint32_t> share;
	/// GGML_NPU_BUDGET: bytes of packed weights, with K, M or G; without it 3/4 of the
	/// memory that is available at the start.
	std::optional<std::size_t> budget;
	/// GGML_NPU_SPACE: limit of packed weights in an address space of 4 GiB, in bytes; the rest
	/// is for activations. Matrices larger than a third of the limit are cut by rows.
	static constexpr std::size_t most_space = std::size_t{3} << 30;
	std::size_t space = most_space;
	/// GGML_NPU_ERROR: whether to continue on the CPU ("cpu") or to abort the computation
	/// ("fail") when the device fails.
	bool fall_back = true;
	/// GGML_NPU_LOG: format of the report at the end, "text", "json" or "off".
	enum class Log : std::uint8_t { text, json, off };
	Log log = Log::text;

	/// \retval EINVAL a variable has an invalid value; the message names it
	static Result<Options> from_environment();
};

} // namespace npu::ggml
