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

/// Weight of the newest time.
constexpr double newest = 0.25;
/// Cuts that are told apart.
constexpr std::uint32_t most_cuts = 256;
/// At first every other product tries a cut, later one in so many.
constexpr std::uint32_t learning_calls = 64;
constexpr std::uint32_t try_interval = 64;
/// A cut is not tried if it should take so many times as long as the best.
constexpr double hopeless = 1.25;
/// Distances from the best cut at which others are tried, in turn.
constexpr std::array<int, 12> distances{1, -1, 2, -2, 3, -3, 5, -5, 8, -8, 13, -13};

void average(double &mean, double value)
{
	mean = mean > 0 ? mean + newest * (value - mean) : value;
}

/// A multiple of @p step that leaves no more than most_cuts steps of @p rows.
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

/// Seconds that a product should take with a cut at @p cut.
double RowShare::predict(std::size_t cut) const
{
	const std::uint32_t first = row_of(cut);
	const double npu = first < rows_ ? fixed_ + npu_ * (rows_ - first) : 0;

	return std::max(cpu_ * first, npu);
}

/// A cut that may be better than the best: at first the one where both sides should end at
/// the same time and those without one of the sides, then cuts nearby.
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
