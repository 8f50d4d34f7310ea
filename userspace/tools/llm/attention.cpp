/* SPDX-License-Identifier: MIT */
/*
 * Highway compiles this file once for each instruction set and selects one at run time. Heads are
 * padded to whole vectors.
 */
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "llm/attention.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

/* Must be after foreach_target.h, which chooses the target. */
#include <hwy/contrib/math/math-inl.h>

#include "llm/attention.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include <engine/numeric.h>

HWY_BEFORE_NAMESPACE();
namespace npu::llm::HWY_NAMESPACE
{
namespace
{

namespace hn = hwy::HWY_NAMESPACE;

/* padded_head() assumes at most this many lanes. */
using Floats = hn::CappedTag<float, 16>;
using Halves = hn::Rebind<hwy::float16_t, Floats>;

/// Positions per tile, which bounds the memory for scores.
constexpr std::uint32_t tile = 64;

HWY_INLINE hn::Vec<Floats> load_halves(const std::uint16_t *from)
{
	const Floats d;

	return hn::PromoteTo(d,
			     hn::LoadU(Halves(), reinterpret_cast<const hwy::float16_t *>(from)));
}

/// Computes the scores of @p count positions. \return the maximum of them and @p most
HWY_INLINE float score(std::span<const float> query, const std::uint16_t *keys, std::uint32_t count,
		       float scale, float most, float *scores)
{
	const Floats d;
	const std::size_t lanes = hn::Lanes(d);

	for (std::uint32_t i = 0; i < count; i++, keys += query.size()) {
		auto sum = hn::Zero(d);

		for (std::size_t j = 0; j < query.size(); j += lanes)
			sum = hn::MulAdd(hn::LoadU(d, query.data() + j), load_halves(keys + j),
					 sum);
		scores[i] = hn::GetLane(hn::SumOfLanes(d, sum)) * scale;
		most = std::max(most, scores[i]);
	}
	/* Pad the tile with scores whose exponential is 0. */
	std::fill(scores + count, scores + tile, -std::numeric_limits<float>::infinity());
	return most;
}

/// Replace the scores of a tile by their weights. \return the sum of them
HWY_INLINE float weigh(float most, float *scores)
{
	const Floats d;
	auto sum = hn::Zero(d);

	for (std::uint32_t i = 0; i < tile; i += static_cast<std::uint32_t>(hn::Lanes(d))) {
		const auto below = hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, most));
		const auto weight =
			hn::IfThenZeroElse(hn::Lt(below, hn::Set(d, -100.0F)), hn::Exp(d, below));

		hn::StoreU(weight, d, scores + i);
		sum = hn::Add(sum, weight);
	}
	return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// out = out * factor + the sum of weights[i] * values[i].
HWY_INLINE void accumulate(const std::uint16_t *values, const float *weights, std::uint32_t count,
			   float factor, std::span<float> out)
{
	const Floats d;
	const std::size_t lanes = hn::Lanes(d);
	std::size_t j = 0;

	/* Four accumulators, to hide the latency of the additions. */
	for (; j + 4 * lanes <= out.size(); j += 4 * lanes) {
		float *to = out.data() + j;
		const std::uint16_t *from = values + j;
		const auto f = hn::Set(d, factor);
		auto a = hn::Mul(hn::LoadU(d, to), f);
		auto b = hn::Mul(hn::LoadU(d, to + lanes), f);
		auto c = hn::Mul(hn::LoadU(d, to + 2 * lanes), f);
		auto e = hn::Mul(hn::LoadU(d, to + 3 * lanes), f);

		for (std::uint32_t i = 0; i < count; i++, from += out.size()) {
			const auto weight = hn::Set(d, weights[i]);

			a = hn::MulAdd(weight, load_halves(from), a);
			b = hn::MulAdd(weight, load_halves(from + lanes), b);
			c = hn::MulAdd(weight, load_halves(from + 2 * lanes), c);
			e = hn::MulAdd(weight, load_halves(from + 3 * lanes), e);
		}
		hn::StoreU(a, d, to);
		hn::StoreU(b, d, to + lanes);
		hn::StoreU(c, d, to + 2 * lanes);
		hn::StoreU(e, d, to + 3 * lanes);
	}
	for (; j < out.size(); j += lanes) {
		const std::uint16_t *from = values + j;
		auto sum = hn::Mul(hn::LoadU(d, out.data() + j), hn::Set(d, factor));

		for (std::uint32_t i = 0; i < count; i++, from += out.size())
			sum = hn::MulAdd(hn::Set(d, weights[i]), load_halves(from), sum);
		hn::StoreU(sum, d, out.data() + j);
	}
}

void Attend(std::span<const float> query, std::span<const std::uint16_t> keys,
	    std::span<const std::uint16_t> values, std::uint32_t positions, float scale,
	    std::span<float> out)
{
	HWY_ALIGN float scores[tile];
	float most = -std::numeric_limits<float>::infinity();
	float sum = 0;

	std::ranges::fill(out, 0.0F);
	for (std::uint32_t first = 0; first < positions; first += tile) {
		const std::uint32_t count = std::min(tile, positions - first);
		const std::size_t at = first * query.size();
		const float before = most;

		most = score(query, keys.data() + at, count, scale, before, scores);
		/* The accumulated output is relative to the previous maximum: rescale it. */
		const float factor = first ? std::exp(before - most) : 0.0F;
		sum = sum * factor + weigh(most, scores);
		accumulate(values.data() + at, scores, count, factor, out);
	}
	for (float &value : out)
		value /= sum;
}

} // namespace
} // namespace npu::llm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npu::llm
{

HWY_EXPORT(Attend);

void attend(std::span<const float> query, std::span<const std::uint16_t> keys,
	    std::span<const std::uint16_t> values, std::uint32_t positions, float scale,
	    std::span<float> out)
{
	assert(positions && query.size() == out.size());
	assert(query.size() % padded_head(1) == 0);
	assert(keys.size() >= positions * query.size() && values.size() >= keys.size());
	HWY_DYNAMIC_DISPATCH(Attend)(query, keys, values, positions, scale, out);
}

KvCache::KvCache(std::uint32_t heads, std::uint32_t head_size, std::uint32_t context)
	: head_size_(head_size), head_elements_(std::size_t{padded_head(head_size)} * context),
	  keys_(heads * head_elements_), values_(heads * head_elements_)
{
}

void KvCache::put(std::uint32_t position, std::span<const float> keys,
		  std::span<const float> values)
{
	std::size_t at = std::size_t{padded_head(head_size_)} * position;

	for (std::size_t from = 0; from < keys.size(); from += head_size_, at += head_elements_) {
		to_fp16(keys.subspan(from, head_size_), 1.0F,
			std::span(keys_).subspan(at, head_size_));
		to_fp16(values.subspan(from, head_size_), 1.0F,
			std::span(values_).subspan(at, head_size_));
	}
}

std::span<const std::uint16_t> KvCache::keys(std::uint32_t head) const
{
	return std::span(keys_).subspan(head * head_elements_, head_elements_);
}

std::span<const std::uint16_t> KvCache::values(std::uint32_t head) const
{
	return std::span(values_).subspan(head * head_elements_, head_elements_);
}

} // namespace npu::llm
#endif // HWY_ONCE
