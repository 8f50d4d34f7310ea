/* SPDX-License-Identifier: MIT */
/*
 * What the environment asks of the backend.
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
	/// GGML_NPU_SHARE: part of the rows that the NPU takes, in percent; without it
	/// ("auto") the part that was found to be fastest.
	std::optional<std::uint32_t> share;
	/// GGML_NPU_BUDGET: bytes of packed weights, with K, M or G; without it 3/4 of the
	/// memory that is available at the start.
	std::optional<std::size_t> budget;
	/// GGML_NPU_SPACE: bytes of packed weights in an address space of 4 GiB, whose rest is
	/// for activations; a matrix of more than a third of it is cut by rows.
	static constexpr std::size_t most_space = std::size_t{3} << 30;
	std::size_t space = most_space;
	/// GGML_NPU_ERROR: what follows when the device fails: "cpu" goes on without it,
	/// "fail" ends the computation.
	bool fall_back = true;
	/// GGML_NPU_LOG: "text", "json" or "off"; how the report at the end is written.
	enum class Log : std::uint8_t { text, json, off };
	Log log = Log::text;

	/// \retval EINVAL a variable has another value; the message names it
	static Result<Options> from_environment();
};

} // namespace npu::ggml
