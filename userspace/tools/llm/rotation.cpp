/* SPDX-License-Identifier: MIT */
#include "llm/rotation.h"

#include <cmath>

namespace npu::llm
{

Rotation::Rotation(std::uint32_t head_size, float base, std::span<const float> factors,
		   bool rotates_halves)
	: rotates_halves_(rotates_halves), frequencies_(head_size / 2),
	  cosines_(frequencies_.size()), sines_(frequencies_.size())
{
	for (std::size_t i = 0; i < frequencies_.size(); i++) {
		frequencies_[i] =
			std::pow(base, -2 * static_cast<float>(i) / static_cast<float>(head_size));
		if (!factors.empty())
			frequencies_[i] /= factors[i];
	}
}

void Rotation::set(std::uint32_t position)
{
	for (std::size_t i = 0; i < frequencies_.size(); i++) {
		const float angle = static_cast<float>(position) * frequencies_[i];

		cosines_[i] = std::cos(angle);
		sines_[i] = std::sin(angle);
	}
}

void Rotation::rotate(std::span<float> heads) const
{
	const std::size_t half = frequencies_.size();
	const std::size_t step = rotates_halves_ ? 1 : 2;
	const std::size_t apart = rotates_halves_ ? half : 1;

	for (; !heads.empty(); heads = heads.subspan(2 * half)) {
		for (std::size_t i = 0; i < half; i++) {
			float &first = heads[i * step];
			float &second = heads[i * step + apart];
			const float turned = first * cosines_[i] - second * sines_[i];

			second = first * sines_[i] + second * cosines_[i];
			first = turned;
		}
	}
}

} // namespace npu::llm
