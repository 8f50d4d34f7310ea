/* SPDX-License-Identifier: MIT */
/**
 * @file
 * How the rows of a product are shared between CPU and NPU.
 */
#pragma once

#include <cstdint>
#include <vector>

#pragma GCC visibility push(default)
namespace npu
{

/// Finds where to cut the rows of a weight matrix between CPU and NPU, from what products
/// took before. It starts where both sides should end at the same time, and then tries
/// cuts nearby, since neither side's time is quite in proportion to its rows. One for each
/// shape and batch size.
class RowShare
{
public:
	/// For products of @p rows rows, cut at multiples of @p step, or of more if there are
	/// very many. A product costs the NPU @p fixed seconds, however few rows it has.
	/// \pre rows and step are not 0
	RowShare(std::uint32_t rows, std::uint32_t step, double fixed);

	/// First row of the NPU for the next product, which takes all from there on; the CPU
	/// takes those before. Mostly best(), now and then another one.
	std::uint32_t split();

	/// Learn that the CPU took @p cpu_seconds for the rows before @p first, and the NPU
	/// @p npu_seconds for the others; 0 for a side that has no rows.
	/// \pre split() has returned first
	void learn(std::uint32_t first, double cpu_seconds, double npu_seconds);

	/// The cut that was fastest so far, or the middle before anything was learned.
	std::uint32_t best() const;

private:
	std::uint32_t row_of(std::size_t cut) const;
	double predict(std::size_t cut) const;
	std::size_t other_cut();

	std::uint32_t rows_;
	std::uint32_t step_;
	double fixed_;
	/// Seconds a row; 0 if not known yet.
	double cpu_ = 0;
	double npu_ = 0;
	/// Mean seconds of a product by its cut; 0 if it was not tried.
	std::vector<double> seconds_;
	std::size_t best_;
	std::uint32_t calls_ = 0;
	std::uint32_t tries_ = 0;
};

} // namespace npu
#pragma GCC visibility pop
