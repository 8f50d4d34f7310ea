/* SPDX-License-Identifier: MIT */
/*
 * How the rows of a product are shared between CPU and NPU.
 */
#pragma once

#include <cstdint>

namespace npu
{

/// Finds how many rows of a weight matrix each side takes so that both end at the same
/// time, from what both took before. One for each shape and batch size.
class RowShare
{
public:
	/// For products of @p rows rows, cut at multiples of @p step. A product costs the
	/// NPU @p fixed seconds, however few rows it has.
	/// \pre rows and step are not 0
	RowShare(std::uint32_t rows, std::uint32_t step, double fixed);

	/// First row of the NPU, which takes all from there on; the CPU takes those before.
	/// Now and then a side that has no rows gets one step, to see whether it is still slow.
	std::uint32_t split();

	/// Learn that @p cpu_rows rows took the CPU @p cpu_seconds, and the rest of the rows
	/// the NPU @p npu_seconds. A side without rows, or without a time, is left as it was.
	void learn(std::uint32_t cpu_rows, double cpu_seconds, double npu_seconds);

private:
	std::uint32_t best() const;

	std::uint32_t rows_;
	std::uint32_t step_;
	double fixed_;
	/// Seconds a row; 0 if not known yet.
	double cpu_ = 0;
	double npu_ = 0;
	std::uint32_t calls_ = 0;
};

} // namespace npu
