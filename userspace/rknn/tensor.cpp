/* SPDX-License-Identifier: MIT */
#include "rknn/tensor.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

#include "blocks.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Surfaces that a feature map is padded to.
constexpr std::uint32_t surface_group = 4;
/// Least distance of surfaces in atoms (Mesa's residual additions).
constexpr std::uint32_t least_surface = 12;

/// Call @p copy with the offsets in pixels and in memory and the size of each
/// atom's part of a pixel.
template <typename Copy>
void for_atoms(const Layout &layout, const Copy &copy)
{
	const std::size_t pixel_bytes =
		std::size_t{layout.shape().channels} * element_bytes(layout.type());
	const std::size_t surface_bytes = std::size_t{layout.surface_atoms()} * atom_bytes;

	for (std::size_t at = 0; at < pixel_bytes; at += atom_bytes) {
		const std::size_t size = std::min<std::size_t>(atom_bytes, pixel_bytes - at);
		const std::size_t surface = at / atom_bytes * surface_bytes;

		for (std::size_t pixel = 0; pixel < layout.pixels(); pixel++)
			copy(pixel * pixel_bytes + at, surface + pixel * atom_bytes, size);
	}
}

} // namespace

Result<void> check_shape(Type type, const Shape &shape, const char *what)
{
	constexpr std::uint64_t group_bytes = surface_group * atom_bytes;
	constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max() / group_bytes;
	const std::uint64_t groups =
		divide_up(std::uint64_t{shape.channels} * element_bytes(type), group_bytes);
	const std::uint64_t pixels =
		std::max<std::uint64_t>(std::uint64_t{shape.width} * shape.height, least_surface);

	if (!shape.width || !shape.height || !shape.channels)
		return fail(EINVAL, std::string(what) + ": a size is 0");
	if (groups > most / pixels)
		return fail(EOPNOTSUPP,
			    std::string(what) + ": larger than the device's address space");
	return {};
}

Layout::Layout(Type type, const Shape &shape) : type_(type), shape_(shape)
{
	assert(shape.width && shape.height && shape.channels);
}

std::uint32_t Layout::atom_channels() const
{
	return atom_bytes / element_bytes(type_);
}

std::uint32_t Layout::padded_channels() const
{
	return align(shape_.channels, surface_group * atom_channels());
}

std::uint32_t Layout::read_channels() const
{
	return type_ == Type::int8 ? align(shape_.channels, atom_channels()) : padded_channels();
}

std::uint32_t Layout::surfaces() const
{
	return padded_channels() / atom_channels();
}

std::uint32_t Layout::surface_atoms() const
{
	return std::max(pixels(), least_surface);
}

std::size_t Layout::bytes() const
{
	return std::size_t{surfaces()} * surface_atoms() * atom_bytes;
}

std::uint32_t Layout::offset(std::uint32_t channel, std::uint32_t y) const
{
	return (channel / atom_channels() * surface_atoms() + y * shape_.width) * atom_bytes;
}

void pack(const Layout &layout, std::span<const std::byte> pixels, std::span<std::byte> out)
{
	assert(pixels.size() >= std::size_t{layout.pixels()} * layout.shape().channels *
					element_bytes(layout.type()));
	assert(out.size() >= layout.bytes());
	std::memset(out.data(), 0, layout.bytes());
	for_atoms(layout, [&](std::size_t from, std::size_t to, std::size_t size) {
		std::memcpy(out.data() + to, pixels.data() + from, size);
	});
}

void unpack(const Layout &layout, std::span<const std::byte> in, std::span<std::byte> pixels)
{
	assert(pixels.size() >= std::size_t{layout.pixels()} * layout.shape().channels *
					element_bytes(layout.type()));
	assert(in.size() >= layout.bytes());
	for_atoms(layout, [&](std::size_t to, std::size_t from, std::size_t size) {
		std::memcpy(pixels.data() + to, in.data() + from, size);
	});
}

} // namespace npu::rknn
