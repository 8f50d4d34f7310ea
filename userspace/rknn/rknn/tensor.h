/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Feature maps: their shapes, and how they lie in memory.
 *
 * Memory holds atoms of 16 bytes: 16 int8 or 8 fp16 channels of a pixel. A
 * surface has the atoms of all pixels, row by row; the next surface has the next
 * channels (NC1HWC2 in the vendor's terms). Four surfaces are 64 int8 or 32 fp16
 * channels, which depthwise convolution takes at a time; a feature map is padded
 * to whole fours. Padding channels do not affect int8 results. fp16 results need
 * finite numbers in them, which pack() and all operations write.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <npu/error.h>

#include "rknn/type.h"

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// A size in pixels.
struct Extent {
	/// In x, along a row.
	std::uint32_t width = 1;
	/// In y, across rows.
	std::uint32_t height = 1;

	/// Same width and height.
	bool operator==(const Extent &) const = default;
};

/// Rows and columns around a feature map.
struct Pads {
	/// Columns before the first.
	std::uint32_t left = 0;
	/// Rows above the first.
	std::uint32_t top = 0;
	/// Columns behind the last.
	std::uint32_t right = 0;
	/// Rows below the last.
	std::uint32_t bottom = 0;
};

/// Size of a feature map.
struct Shape {
	/// Pixels of a row.
	std::uint32_t width = 1;
	/// Rows.
	std::uint32_t height = 1;
	/// Elements of a pixel, without padding.
	std::uint32_t channels = 1;

	/// Same width, height and channels.
	bool operator==(const Shape &) const = default;
};

/// Check a shape, which errors call @p what.
/// \retval EINVAL a member is 0
/// \retval EOPNOTSUPP the feature map exceeds the device's address space of 4 GiB
Result<void> check_shape(Type type, const Shape &shape, const char *what);

/// A feature map as it lies in memory.
class Layout
{
public:
	/// \pre check_shape() accepts shape
	Layout(Type type, const Shape &shape);

	/// Type of the elements.
	Type type() const { return type_; }
	/// Shape of the map, without padding.
	const Shape &shape() const { return shape_; }
	/// Pixels of the map: width times height.
	std::uint32_t pixels() const { return shape_.width * shape_.height; }
	/// Channels of an atom.
	std::uint32_t atom_channels() const;
	/// Channels with padding: a multiple of 64 (int8) or 32 (fp16).
	std::uint32_t padded_channels() const;
	/// Channels that operations read: whole atoms (int8), all padded ones (fp16).
	std::uint32_t read_channels() const;
	/// Surfaces, padding included.
	std::uint32_t surfaces() const;
	/// Atoms from a surface to the next: the pixels, but at least 12, as
	/// Mesa's residual additions have it.
	std::uint32_t surface_atoms() const;
	/// Size in bytes.
	std::size_t bytes() const;
	/// Byte offset of row @p y of the surface that has channel @p channel.
	std::uint32_t offset(std::uint32_t channel, std::uint32_t y) const;

	/// Same type and shape.
	bool operator==(const Layout &) const = default;

private:
	Type type_;
	Shape shape_;
};

/// Pack pixels that lie in rows, with all channels of a pixel side by side (NHWC).
/// Padding becomes 0.
/// \pre pixels has all elements, out has layout.bytes()
void pack(const Layout &layout, std::span<const std::byte> pixels, std::span<std::byte> out);

/// The reverse of pack(), without the padding.
/// \pre in has layout.bytes(), pixels has room for all elements
void unpack(const Layout &layout, std::span<const std::byte> in, std::span<std::byte> pixels);

} // namespace npu::rknn
#pragma GCC visibility pop
