/* SPDX-License-Identifier: MIT */
#include "weights.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <rknn/matmul.h>

#include "system_memory.h"

namespace npu::ggml
{

namespace
{

/// Limit of the address spaces of a process: 48 GB of weights.
constexpr std::size_t max_spaces = 16;

/// Row @p row of @p matrix as floats.
void read_row(const Matrix &matrix, std::uint32_t row, std::span<float> out)
{
	const std::byte *from = matrix.data + row * matrix.row_bytes;
	const auto to_float = ggml_get_type_traits(matrix.type)->to_float;

	if (to_float)
		to_float(from, out.data(), matrix.k);
	else
		std::memcpy(out.data(), from, out.size_bytes());
}

} // namespace

Result<std::unique_ptr<Weights>> Weights::create(const Options &options)
{
	auto device = Device::open(options.device);
	if (!device)
		return forward(device);
	std::unique_ptr<Weights> weights(new Weights(options));
	weights->budget_ = options.budget.value_or(system_memory().available / 4 * 3);
	weights->spaces_.push_back({std::move(*device), 0});
	return weights;
}

Device Weights::device(std::size_t space) const
{
	const std::scoped_lock lock(mutex_);
	return spaces_[space].device;
}

std::size_t Weights::spaces() const
{
	const std::scoped_lock lock(mutex_);
	return spaces_.size();
}

std::size_t Weights::bytes() const
{
	const std::scoped_lock lock(mutex_);
	return used_;
}

std::size_t Weights::packed_bytes(const Matrix &matrix) const
{
	const auto type =
		options_.precision == Precision::fp16 ? rknn::Type::fp16 : rknn::Type::int8;

	return rknn::WeightLayout(type, matrix.k, matrix.n).bytes();
}

std::shared_ptr<const Packed> Weights::find(const Matrix &matrix) const
{
	const std::scoped_lock lock(mutex_);
	const auto found = packed_.find(matrix.data);

	if (found == packed_.end())
		return {};
	const Matrix &known = found->second->matrix;
	if (known.type != matrix.type || known.k != matrix.k || known.n != matrix.n ||
	    known.row_bytes != matrix.row_bytes)
		return {};
	return found->second;
}

/// Returns an address space with room for @p bytes; opens one if needed.
Result<std::size_t> Weights::space_for(std::size_t bytes)
{
	for (std::size_t i = 0; i < spaces_.size(); i++)
		if (spaces_[i].used + bytes <= options_.space)
			return i;
	if (spaces_.size() == max_spaces)
		return fail(ENOSPC,
			    "all " + std::to_string(max_spaces) +
				    " address spaces for weights are full (GGML_NPU_SPACE)");
	auto device = Device::open(options_.device);
	if (!device)
		return forward(device);
	spaces_.push_back({std::move(*device), 0});
	return spaces_.size() - 1;
}

Result<Packed> Weights::pack_pieces(const Matrix &matrix, Workers &workers)
{
	const std::size_t row_bytes = std::max<std::size_t>(packed_bytes(matrix) / matrix.n, 1);
	const auto group = static_cast<std::uint32_t>(std::clamp<std::size_t>(
		options_.space / 3 / row_bytes / 64 * 64, 64, matrix.n + 63));
	Packed packed{matrix, {}, 0};

	for (std::uint32_t row = 0; row < matrix.n; row += group) {
		Matrix part = matrix;
		part.data += row * matrix.row_bytes;
		part.n = std::min(group, matrix.n - row);
		const std::size_t bytes = packed_bytes(part);
		Result<std::size_t> space = space_for(bytes);
		Result<Linear> layer = fail(ENOSPC, "no address space");

		if (space)
			layer = Linear::pack(spaces_[*space].device,
					     [&](std::uint32_t i, std::span<float> out) {
						     read_row(part, i, out);
					     },
					     part.n, part.k,
					     {.precision = options_.precision,
					      .rotate = options_.precision == Precision::int8,
					      .workers = &workers,
					      .name = matrix.name});
		if (!space || !layer) {
			release(packed);
			return space ? forward(layer) : forward(space);
		}
		spaces_[*space].used += bytes;
		used_ += bytes;
		packed.bytes += bytes;
		packed.pieces.push_back({*space, row, std::move(*layer)});
	}
	return packed;
}

Result<void> Weights::pack(const Matrix &matrix, Workers &workers)
{
	forget(matrix.data, matrix.bytes());
	const std::scoped_lock lock(mutex_);
	Result<Packed> packed =
		fail(ENOSPC, "weights of " + std::to_string(packed_bytes(matrix) >> 20) +
				     " MiB do not fit the rest of the budget of " +
				     std::to_string(budget_ >> 20) + " MiB (GGML_NPU_BUDGET)");
	if (used_ + packed_bytes(matrix) <= budget_)
		packed = pack_pieces(matrix, workers);
	packed_[matrix.data] =
		std::make_shared<const Packed>(packed ? std::move(*packed) : Packed{matrix, {}, 0});
	if (!packed)
		return forward(packed);
	return {};
}

void Weights::clear()
{
	const std::scoped_lock lock(mutex_);

	packed_.clear();
	used_ = 0;
	for (Space &space : spaces_)
		space.used = 0;
}

/// Releases the space of @p packed.
void Weights::release(const Packed &packed)
{
	for (const Piece &piece : packed.pieces)
		spaces_[piece.space].used -= piece.layer.layout().bytes();
	used_ -= packed.bytes;
}

void Weights::forget(const void *begin, std::size_t bytes)
{
	const std::scoped_lock lock(mutex_);
	const auto *first = static_cast<const std::byte *>(begin);

	for (auto it = packed_.begin(); it != packed_.end() && it->first < first + bytes;) {
		if (it->first + it->second->matrix.bytes() <= first) {
			++it;
			continue;
		}
		release(*it->second);
		it = packed_.erase(it);
	}
}

} // namespace npu::ggml
