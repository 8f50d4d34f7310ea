/* SPDX-License-Identifier: MIT */
#include "engine/share.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace npu
{

namespace
{

/// Weight of the newest time in the moving average.
constexpr double newest = 0.25;
/// Limit of the number of distinct cuts.
constexpr std::uint32_t most_cuts = 256;
/// During the first learning_calls products, every other one tries a cut; later only one in
/// try_interval.
constexpr std::uint32_t learning_calls = 64;
constexpr std::uint32_t try_interval = 64;
/// Skip cuts that are predicted to take longer than the best by this factor.
constexpr double hopeless = 1.25;
/// Distances from the best cut to try, in turn.
constexpr std::array<int, 12> distances{1, -1, 2, -2, 3, -3, 5, -5, 8, -8, 13, -13};

void average(double &mean, double value)
{
	mean = mean > 0 ? mean + newest * (value - mean) : value;
}

/// A multiple of @p step that divides @p rows into at most most_cuts parts.
std::uint32_t coarse(std::uint32_t rows, std::uint32_t step)
{
	return (rows / most_cuts / step + 1) * step;
}

} // namespace

RowShare::RowShare(std::uint32_t rows, std::uint32_t step, double fixed)
	: rows_(rows), step_(coarse(rows, step)), fixed_(fixed),
	  seconds_((rows + step_ - 1) / step_ + 1), best_(seconds_.size() / 2)
{
	assert(rows && step);
}

std::uint32_t RowShare::row_of(std::size_t cut) const
{
	return std::min(static_cast<std::uint32_t>(cut) * step_, rows_);
}

std::uint32_t RowShare::best() const
{
	return row_of(best_);
}

/// The predicted time in seconds of a product with cut @p cut.
double RowShare::predict(std::size_t cut) const
{
	const std::uint32_t first = row_of(cut);
	const double npu = first < rows_ ? fixed_ + npu_ * (rows_ - first) : 0;

	return std::max(cpu_ * first, npu);
}

/// A cut that may be faster than the best one. First tries the cut at which both sides should end
/// together, then all rows on one side, then cuts near the best one.
std::size_t RowShare::other_cut()
{
	const std::size_t last = seconds_.size() - 1;
	const double equal = (fixed_ + rows_ * npu_) / (cpu_ + npu_) / step_;
	const auto near = static_cast<std::size_t>(
		std::clamp(std::round(equal), 0.0, static_cast<double>(last)));

	for (const std::size_t cut : {near, std::size_t{0}, last})
		if (seconds_[cut] == 0 && predict(cut) < hopeless * seconds_[best_])
			return cut;
	const auto distance = distances[tries_++ % distances.size()];
	const auto cut = static_cast<std::ptrdiff_t>(best_) + distance;
	if (cut < 0 || cut > static_cast<std::ptrdiff_t>(last) ||
	    predict(static_cast<std::size_t>(cut)) > hopeless * seconds_[best_])
		return best_;
	return static_cast<std::size_t>(cut);
}

std::uint32_t RowShare::split()
{
	const std::uint32_t interval = calls_ < learning_calls ? 2 : try_interval;
	const bool known = seconds_[best_] > 0 && cpu_ + npu_ > 0;

	calls_++;
	if (!known || calls_ % interval)
		return best();
	return row_of(other_cut());
}

void RowShare::learn(std::uint32_t first, double cpu_seconds, double npu_seconds)
{
	const std::size_t cut = (first + step_ - 1) / step_;

	if (first && cpu_seconds > 0)
		average(cpu_, cpu_seconds / first);
	if (first < rows_ && npu_seconds > 0)
		average(npu_, npu_seconds / (rows_ - first));
	average(seconds_[cut], std::max(cpu_seconds, npu_seconds > 0 ? npu_seconds + fixed_ : 0));
	for (std::size_t i = 0; i < seconds_.size(); i++)
		if (seconds_[i] > 0 && (seconds_[best_] == 0 || seconds_[i] < seconds_[best_]))
			best_ = i;
}

} // namespace npu
