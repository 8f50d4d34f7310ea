/* SPDX-License-Identifier: MIT */
/// Random numbers that are the same everywhere for the same seed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fuzz
{

/// SplitMix64.
class Random
{
public:
	explicit Random(std::uint64_t seed) : state_(seed) {}

	std::uint64_t next()
	{
		std::uint64_t z = state_ += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		return z ^ z >> 31;
	}
	/// Below @n, or 0 if that is 0.
	std::uint32_t below(std::size_t n)
	{
		return n ? static_cast<std::uint32_t>(next() % n) : 0;
	}
	bool chance(unsigned percent) { return below(100) < percent; }
	template <typename C>
	const auto &pick(const C &from)
	{
		return from[below(std::size(from))];
	}

private:
	std::uint64_t state_;
};

/// Derives the seed of part @index from @seed.
inline std::uint64_t derive(std::uint64_t seed, std::uint64_t index)
{
	return Random(seed ^ Random(index).next()).next();
}

} // namespace fuzz
