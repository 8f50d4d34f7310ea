/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Pooling as command streams of the PPU.
 *
 * Maximum and minimum are exact and ignore padding. An average covers the whole
 * window, with padding as 0 (fp16) or as the zero point (int8):
 * @code{.unparsed}
 *   sum * (65536 / width) * (65536 / height) / 2^32
 * @endcode
 * in integers, where the first two divisions round down and the last one to nearest, ties
 * to even. fp16 has reciprocals of 11 bits. Input and output of int8 share one quantisation.
 *
 * emit() rejects what exceeds a limit of the hardware: windows and strides up to 16,
 * padding up to 7, maps of 8192 pixels and channels each way; fp16 averages need
 * windows at least 2 wide and high, because the reciprocal of 1 would be 65536, which
 * fp16 lacks. A PPU task misreads a map of fewer than 4 rows that an earlier PPU task
 * has written (measured, GN).
 *
 * Evidence: maximum and average are measured (GN, vendor). Assumed: the padding of
 * minima, and of averages with a zero point.
 */
#pragma once

#include <cstdint>
#include <vector>

#include <npu/error.h>
#include <npu/task.h>

#include "rknn/tensor.h"
#include "rknn/type.h"

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// A pooling of each channel of a map by itself.
struct Pooling {
	/// The functions that reduce a window to one element.
	enum class Method : std::uint8_t {
		/// The mean of the whole window, with padding.
		average,
		/// The largest element, without padding.
		maximum,
		/// The smallest element, without padding.
		minimum,
	};

	/// The function that is applied to each window.
	Method method = Method::maximum;
	/// Type of the map and of the results.
	Type type = Type::int8;
	/// Shape of the map: up to 8192 each way.
	Shape input = {};
	/// Columns and rows of a window: 1 to 16.
	Extent kernel = {};
	/// Pixels from one window to the next: 1 to 16.
	Extent stride = {};
	/// Padding of the map: 0 to 7 on each side, and less than the window.
	Pads pads = {};
	/// Zero point of int8 averages.
	std::int32_t zero_point = 0;
};

/// The shape of the results.
/// \pre the kernel fits the padded input
Shape output_shape(const Pooling &pooling);

/// Device addresses of maps of Layout(type, input) and Layout(type,
/// output_shape()), multiples of 16.
struct PoolingAddresses {
	/// The map.
	std::uint32_t input = 0;
	/// The results.
	std::uint32_t output = 0;
};

/// One task for each of up to @p cores cores, which divide the channels.
/// \retval EINVAL a size or the number of cores is 0, the window exceeds the input, or
/// the zero point is no int8
/// \retval EOPNOTSUPP a size is beyond a limit of the hardware, or a map exceeds the
/// device's address space
Result<std::vector<Lane>> emit(const Pooling &pooling, const PoolingAddresses &addresses,
			       std::uint32_t cores);

} // namespace npu::rknn
#pragma GCC visibility pop
