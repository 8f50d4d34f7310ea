/* SPDX-License-Identifier: MIT */
#include "engine/share.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace npu
{

namespace
{

/// Weight of the newest time.
constexpr double newest = 0.25;
/// A side without rows is tried once in so many products.
constexpr std::uint32_t probe_interval = 256;

void average(double &mean, double value)
{
	mean = mean > 0 ? mean + newest * (value - mean) : value;
}

} // namespace

RowShare::RowShare(std::uint32_t rows, std::uint32_t step, double fixed)
	: rows_(rows), step_(step), fixed_(fixed)
{
	assert(rows && step);
}

/// Where both sides end at the same time, as far as is known.
std::uint32_t RowShare::best() const
{
	double first = rows_ / 2.0;

	if (cpu_ > 0 && npu_ > 0)
		first = (fixed_ + rows_ * npu_) / (cpu_ + npu_);
	const double steps = std::round(std::clamp(first, 0.0, static_cast<double>(rows_)) / step_);
	return std::min(static_cast<std::uint32_t>(steps) * step_, rows_);
}

std::uint32_t RowShare::split()
{
	const std::uint32_t first = best();

	calls_++;
	if (calls_ % probe_interval || rows_ <= step_)
		return first;
	if (first == 0)
		return step_;
	if (first == rows_)
		return (rows_ - 1) / step_ * step_;
	return first;
}

void RowShare::learn(std::uint32_t cpu_rows, double cpu_seconds, double npu_seconds)
{
	const std::uint32_t npu_rows = rows_ - cpu_rows;

	if (cpu_rows && cpu_seconds > 0)
		average(cpu_, cpu_seconds / cpu_rows);
	if (npu_rows && npu_seconds > 0)
		average(npu_, std::max(npu_seconds - fixed_, npu_seconds / 16) / npu_rows);
}

} // namespace npu
