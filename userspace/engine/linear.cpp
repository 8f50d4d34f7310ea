/* SPDX-License-Identifier: MIT */
#include "engine/linear.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <utility>

#include "engine/numeric.h"

namespace npu
{

namespace
{

constexpr std::array<std::pair<std::string_view, Precision>, 3> names{{
	{"int8", Precision::int8},
	{"int8x2", Precision::int8x2},
	{"fp16", Precision::fp16},
}};

/// The largest finite fp16.
constexpr float fp16_max = 65504.0F;

/// Quantise each row with a scale of its own.
std::vector<std::int8_t> quantise_rows(std::span<const float> rows, std::uint32_t k,
				       std::vector<float> &scales)
{
	std::vector<std::int8_t> quantised(rows.size());

	for (std::size_t n = 0; n < scales.size(); n++) {
		const auto row = rows.subspan(n * k, k);
		const float most = max_abs(row);

		/* A row of zeros has any scale. */
		scales[n] = most > 0 ? most / 127.0F : 1.0F;
		quantise(row, 1.0F / scales[n], std::span(quantised).subspan(n * k, k));
	}
	return quantised;
}

} // namespace

Result<Precision> precision_from(std::string_view name)
{
	for (const auto &[known, precision] : names)
		if (known == name)
			return precision;
	return fail(EINVAL, "precision '" + std::string(name) + "' is not int8, int8x2 or fp16");
}

std::string_view precision_name(Precision precision)
{
	for (const auto &[name, known] : names)
		if (known == precision)
			return name;
	std::unreachable();
}

Result<Linear> Linear::create(const Device &device, std::span<const float> rows, std::uint32_t n,
			      std::uint32_t k, Precision precision)
{
	const bool fp16 = precision == Precision::fp16;

	if (!n || !k || rows.size() != std::size_t{n} * k)
		return fail(EINVAL, "a layer of " + std::to_string(n) + " x " + std::to_string(k) +
					    " cannot have " + std::to_string(rows.size()) +
					    " weights");
	/* Sums are not finite if any weight is not, unlike maxima. */
	float check = 0;
	for (const float weight : rows)
		check += weight * 0.0F;
	if (check != 0.0F)
		return fail(EINVAL, "a weight is not a finite number");
	if (fp16 && max_abs(rows) > fp16_max)
		return fail(EINVAL, "a weight is too large for fp16");

	const rknn::WeightLayout layout(fp16 ? rknn::Type::fp16 : rknn::Type::int8, k, n);
	auto buffer = Buffer::create(device, layout.bytes());
	if (!buffer)
		return forward(buffer);

	std::vector<float> scales(n, 1.0F);
	if (fp16) {
		std::vector<std::uint16_t> halves(rows.size());
		to_fp16(rows, 1.0F, halves);
		rknn::pack_weights(layout, std::as_bytes(std::span(halves)), buffer->bytes());
	} else {
		const auto quantised = quantise_rows(rows, k, scales);
		rknn::pack_weights(layout, std::as_bytes(std::span(quantised)), buffer->bytes());
	}
	return Linear(layout, precision, std::move(*buffer), std::move(scales));
}

} // namespace npu
