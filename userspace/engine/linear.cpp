/* SPDX-License-Identifier: MIT */
#include "engine/linear.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <type_traits>
#include <utility>

#include "engine/numeric.h"
#include "transfer.h"

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

/// Numbers of layers of the process.
std::atomic<std::uint64_t> last_id;

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

Linear::Linear(rknn::WeightLayout layout, const Options &options, Buffer buffer)
	: layout_(layout), precision_(options.precision), rotated_(options.rotate), id_(++last_id),
	  name_(options.name), buffer_(std::move(buffer)), scales_(layout.n(), 1.0F)
{
	if (name_.empty())
		name_ = "linear " + std::to_string(n()) + "x" + std::to_string(k());
}

/// Quantises and packs one kernel group after the other on all threads: int8 with a scale for each
/// row, fp16 unchanged.
template <typename T>
Result<void> Linear::pack_rows(const Source &source, Workers &workers)
{
	constexpr bool fp16 = std::is_same_v<T, std::uint16_t>;
	const std::uint32_t room = rknn::group_rows(layout_);
	const std::uint32_t groups = layout_.padded_n() / room;
	std::atomic<std::uint32_t> refused = n();

	workers.run(groups, 1, [&](std::uint32_t begin, std::uint32_t end) {
		std::vector<float> row(k());
		std::vector<T> packed(std::size_t{room} * k());

		for (std::uint32_t group = begin; group < end; group++) {
			const std::uint32_t first = group * room;
			const std::uint32_t last = std::min(first + room, n());

			for (std::uint32_t i = first; i < last; i++) {
				const auto to = std::span(packed).subspan(
					std::size_t{i - first} * k(), k());

				source(i, row);
				if (rotated_) {
					const float length = rotation_length(k());

					rotate(row, row, rotation_block(k()));
					for (float &value : row)
						value /= length;
				}
				const RowRange range = row_range(row);
				if (!range.finite || (fp16 && range.most > fp16_max)) {
					refused = i;
					return;
				}
				if constexpr (fp16) {
					to_fp16(row, 1.0F, to);
				} else {
					/*
					 * The scale of a row that is zero or nearly so does not
					 * matter.
					 */
					const float scale = range.most / 127.0F;

					if (std::isfinite(1.0F / scale))
						scales_[i] = scale;
					quantise(row, 1.0F / scales_[i], to);
				}
			}
			rknn::pack_weights_group(layout_, group, std::as_bytes(std::span(packed)),
						 buffer_.bytes());
		}
	});
	if (refused != n())
		return fail(EINVAL, "a weight of row " + std::to_string(refused) +
					    (fp16 ? " is not a finite number, or too large for fp16"
						  : " is not a finite number"));
	return {};
}

Result<Linear> Linear::pack(const Device &device, const Source &source, std::uint32_t n,
			    std::uint32_t k, const Options &options)
{
	const bool fp16 = options.precision == Precision::fp16;

	if (!n || !k)
		return fail(EINVAL, "a layer of " + std::to_string(n) + " x " + std::to_string(k) +
					    " has no weights");
	const rknn::WeightLayout layout(fp16 ? rknn::Type::fp16 : rknn::Type::int8, k, n);
	/* Cached: the CPU writes each byte once, but callers may ask to read weights back. */
	auto buffer = Buffer::create(device, layout.bytes(), {.cached = true});
	if (!buffer)
		return forward(buffer);
	Linear layer(layout, options, std::move(*buffer));
	Workers alone(1);
	Workers &workers = options.workers ? *options.workers : alone;

	auto packed = fp16 ? layer.pack_rows<std::uint16_t>(source, workers)
			   : layer.pack_rows<std::int8_t>(source, workers);
	if (!packed)
		return forward(packed);
	if (auto synced = layer.buffer_.sync_for_device(0, layer.buffer_.size()); !synced)
		return forward(synced);
	return layer;
}

Result<Linear> Linear::create(const Device &device, std::span<const float> rows, std::uint32_t n,
			      std::uint32_t k, Precision precision, std::string name)
{
	if (rows.size() != std::size_t{n} * k)
		return fail(EINVAL, "a layer of " + std::to_string(n) + " x " + std::to_string(k) +
					    " cannot have " + std::to_string(rows.size()) +
					    " weights");
	const auto copy = [&](std::uint32_t row, std::span<float> out) {
		std::ranges::copy(rows.subspan(std::size_t{row} * k, k), out.begin());
	};
	return pack(device, copy, n, k, {.precision = precision, .name = std::move(name)});
}

} // namespace npu
