/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace npu
{
namespace
{

/// Granularity of K in the convolution engine; see rknn/matmul.h.
constexpr std::uint64_t k_step = 32;
/// Alignment of tensors; see rknn/tensor.h.
constexpr std::uint32_t atom_bytes = 16;

/// Calls the function that fits.
template <typename... F>
struct Overloaded : F... {
	using F::operator()...;
};

constexpr std::uint64_t padded(std::uint64_t value, std::uint64_t to)
{
	return (value + to - 1) / to * to;
}

Result<void> check_matrix(const char *what, std::initializer_list<std::uint32_t> sizes,
			  std::uint64_t bytes)
{
	if (std::ranges::find(sizes, 0U) != sizes.end())
		return fail(EINVAL, std::string(what) + " has a size of 0");
	if (bytes > std::numeric_limits<std::uint32_t>::max())
		return fail(EOPNOTSUPP, std::string(what) + " has " + std::to_string(bytes) +
						" bytes, beyond the device's addresses of 32 bits");
	return {};
}

Result<void> check_bytes(std::size_t plain, std::size_t packed, const TensorLayout &layout)
{
	if (plain != layout.plain_bytes() || packed != layout.bytes())
		return fail(EINVAL, "a tensor of " + std::to_string(layout.plain_bytes()) +
					    " bytes, " + std::to_string(layout.bytes()) +
					    " in the NPU's order, got " + std::to_string(plain) +
					    " and " + std::to_string(packed));
	return {};
}

/// @p bytes as elements of the NPU's memory, which is aligned.
template <typename T>
std::span<const T> as(std::span<const std::byte> bytes)
{
	return {reinterpret_cast<const T *>(bytes.data()), bytes.size() / sizeof(T)};
}

} // namespace

std::size_t element_bytes(Element element)
{
	switch (element) {
	case Element::int8:
		return 1;
	case Element::fp16:
		return 2;
	case Element::int32:
	case Element::fp32:
		break;
	}
	return 4;
}

Result<TensorLayout> TensorLayout::map(rknn::Type type, const rknn::Shape &shape)
{
	if (auto ok = rknn::check_shape(type, shape, "a feature map"); !ok)
		return forward(ok);
	return TensorLayout(rknn::Layout(type, shape));
}

Result<TensorLayout> TensorLayout::rows(rknn::Type type, std::uint32_t m, std::uint32_t k)
{
	const std::uint64_t row = padded(k, k_step) * rknn::element_bytes(type);

	if (auto ok = check_matrix("the left factor", {m, k}, row * m); !ok)
		return forward(ok);
	return TensorLayout(Rows{type, m, k});
}

Result<TensorLayout> TensorLayout::products(rknn::Type type, std::uint32_t m, std::uint32_t k,
					    std::uint32_t n)
{
	const std::uint64_t row = padded(n, rknn::kernel_group(type)) * sizeof(float);
	/* One part for each slice of K, or the last slice and the sums. */
	const std::uint64_t most = padded(k, rknn::max_slice) / rknn::max_slice + 1;

	if (auto ok = check_matrix("the product", {m, k, n}, 0); !ok)
		return forward(ok);
	if (row * m > std::numeric_limits<std::uint32_t>::max() / most)
		return fail(EOPNOTSUPP, "the product exceeds the device's addresses of 32 bits");
	return TensorLayout(Products{type, m, k, n});
}

Element TensorLayout::element() const
{
	const auto operand = [](rknn::Type type) {
		return type == rknn::Type::int8 ? Element::int8 : Element::fp16;
	};

	return std::visit(Overloaded{
				  [&](const rknn::Layout &map) { return operand(map.type()); },
				  [&](const Rows &rows) { return operand(rows.type); },
				  [](const Products &products) {
					  return products.type == rknn::Type::int8 ? Element::int32
										   : Element::fp32;
				  },
			  },
			  kind_);
}

std::size_t TensorLayout::elements() const
{
	return std::visit(Overloaded{
				  [](const rknn::Layout &map) {
					  return std::size_t{map.pixels()} * map.shape().channels;
				  },
				  [](const Rows &rows) { return std::size_t{rows.m} * rows.k; },
				  [](const Products &products) {
					  return std::size_t{products.m} * products.n;
				  },
			  },
			  kind_);
}

std::size_t TensorLayout::bytes() const
{
	return std::visit(
		Overloaded{
			[](const rknn::Layout &map) { return map.bytes(); },
			[](const Rows &rows) {
				return rknn::feature_bytes({rows.type, rows.k, 1}, rows.m);
			},
			[](const Products &products) {
				const rknn::WeightLayout weights = products.weights();

				return rknn::can_accumulate(weights)
					       ? rknn::accumulated_bytes(weights, products.m)
					       : rknn::result_bytes(weights, products.m);
			},
		},
		kind_);
}

std::size_t TensorLayout::read_bytes() const
{
	const auto *map = std::get_if<rknn::Layout>(&kind_);

	if (!map)
		return bytes();
	return std::size_t{map->read_channels() / map->atom_channels()} * map->surface_atoms() *
	       atom_bytes;
}

Result<void> TensorLayout::pack(std::span<const std::byte> plain, std::span<std::byte> out) const
{
	if (auto ok = check_bytes(plain.size(), out.size(), *this); !ok)
		return ok;
	if (const auto *map = std::get_if<rknn::Layout>(&kind_)) {
		rknn::pack(*map, plain, out);
		return {};
	}
	if (const auto *rows = std::get_if<Rows>(&kind_)) {
		rknn::pack_features({rows->type, rows->k, 1}, rows->m, plain, out);
		return {};
	}
	return fail(EOPNOTSUPP, "a product of matrices is written by the NPU only");
}

Result<void> TensorLayout::unpack(std::span<const std::byte> in, std::span<std::byte> plain) const
{
	if (auto ok = check_bytes(plain.size(), in.size(), *this); !ok)
		return ok;
	if (const auto *map = std::get_if<rknn::Layout>(&kind_)) {
		rknn::unpack(*map, in, plain);
		return {};
	}
	const auto *products = std::get_if<Products>(&kind_);
	if (!products)
		return fail(EOPNOTSUPP, "the left factor of a product is read by the NPU only");

	const rknn::WeightLayout weights = products->weights();
	if (products->type == rknn::Type::fp16) {
		std::vector<float> values(elements());
		rknn::gather_results(weights, products->m, as<float>(in), values);
		std::memcpy(plain.data(), values.data(), plain.size());
		return {};
	}
	std::vector<std::int32_t> values(elements());
	if (rknn::can_accumulate(weights)) {
		const std::size_t sums = std::size_t{weights.padded_n()} * products->m;
		rknn::unpack_sums(weights, products->m, as<std::int32_t>(in).first(sums), values);
	} else {
		rknn::gather_results(weights, products->m, as<std::int32_t>(in), values);
	}
	std::memcpy(plain.data(), values.data(), plain.size());
	return {};
}

Result<Tensor> Tensor::create(const Device &device, const TensorLayout &layout)
{
	auto buffer = Buffer::create(device, layout.bytes(), {.cached = true});
	if (!buffer)
		return forward(buffer);
	auto memory = buffer->view(0, layout.bytes());
	if (!memory)
		return forward(memory);
	return Tensor(layout, std::move(*memory));
}

Result<Tensor> Tensor::over(const BufferView &memory, const TensorLayout &layout)
{
	if (memory.size() < layout.read_bytes())
		return fail(EINVAL, "a tensor of " + std::to_string(layout.read_bytes()) +
					    " bytes in memory of " + std::to_string(memory.size()));
	if (memory.address() % atom_bytes)
		return fail(EINVAL, "a tensor at device address " +
					    std::to_string(memory.address()) +
					    ", which is no multiple of 16");
	auto own = memory.view(0, std::min(memory.size(), layout.bytes()));
	if (!own)
		return forward(own);
	return Tensor(layout, std::move(*own));
}

Result<void> Tensor::check(std::size_t bytes, std::size_t element) const
{
	if (element != element_bytes(layout_.element()))
		return fail(EINVAL, "elements of " + std::to_string(element) +
					    " bytes for a tensor whose elements have " +
					    std::to_string(element_bytes(layout_.element())));
	if (bytes != layout_.plain_bytes())
		return fail(EINVAL, std::to_string(bytes / element) + " elements for a tensor of " +
					    std::to_string(layout_.elements()));
	return {};
}

Result<void> Tensor::write_bytes(std::span<const std::byte> values, std::size_t element) const
{
	if (auto ok = check(values.size(), element); !ok)
		return ok;
	auto access = memory_.access(Buffer::Direction::write);
	if (!access)
		return forward(access);
	if (auto packed = layout_.pack(values, access->bytes()); !packed)
		return packed;
	return access->end();
}

Result<void> Tensor::read_bytes(std::span<std::byte> values, std::size_t element) const
{
	if (auto ok = check(values.size(), element); !ok)
		return ok;
	auto access = memory_.access(Buffer::Direction::read);
	if (!access)
		return forward(access);
	if (auto unpacked = layout_.unpack(access->bytes(), values); !unpacked)
		return unpacked;
	return access->end();
}

} // namespace npu
