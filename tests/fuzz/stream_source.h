/* SPDX-License-Identifier: MIT */
/*
 * Random lanes of command streams: valid ones with random changes.
 */
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace npu::fuzz
{

/// Ranges of the client's buffers, and the memory after them.
inline constexpr std::uint32_t feature_base = 0x20000000;
inline constexpr std::uint32_t weight_base = 0x30000000;
inline constexpr std::uint32_t result_base = 0x40000000;
inline constexpr std::uint32_t bias_base = 0x50000000;
inline constexpr std::uint32_t operand_base = 0x60000000;
inline constexpr std::array client_bases{feature_base, weight_base, result_base, bias_base,
					 operand_base};
inline constexpr std::uint32_t buffer_bytes = 1 << 20;
/// The neighbour's buffer, directly after the results.
inline constexpr std::uint32_t neighbour_base = result_base + buffer_bytes;

struct Stream {
	std::vector<std::uint64_t> commands;
	std::uint32_t enable = 0x0d;
};

/// Makes lanes; the same seed makes the same.
class Source
{
public:
	explicit Source(std::uint64_t seed) : random_(seed) {}

	/// One to four tasks.
	std::vector<Stream> lane();
	/// A number below @p end, which is not 0.
	std::uint32_t below(std::uint32_t end);

private:
	Stream right();
	Stream generated();
	Stream convolution();
	Stream published();
	Stream operation();
	Stream pooling();
	Stream delta(const Stream &whole);
	void change(Stream &stream);
	void resize(Stream &stream);
	std::uint32_t boundary(std::uint32_t old);

	std::mt19937_64 random_;
};

} // namespace npu::fuzz
