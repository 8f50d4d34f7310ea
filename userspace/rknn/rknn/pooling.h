/* SPDX-License-Identifier: MIT */
/*
 * Pooling as command streams of the PPU.
 *
 * Maximum and minimum are exact; padding loses every comparison. An average is
 * that of the whole window, padding included, which is 0 (fp16) or the zero point
 * (int8): sum * (65536 / width) * (65536 / height) / 2^32 in integers, the first
 * two divisions rounded down and the last one to nearest, ties to even; with
 * reciprocals of fp16 in fp16. Input and output of int8 have one quantisation.
 *
 * Limits of the hardware: windows and strides up to 16, padding up to 7, 8192
 * pixels wide and high; fp16 averages of windows at least 2 wide and high, since
 * 65536 is no fp16. Results of fewer than 4 rows were misread by a PPU task that
 * followed in the same chain.
 */
#pragma once

#include <cstdint>
#include <vector>

#include <npu/error.h>
#include <npu/task.h>

#include "rknn/tensor.h"
#include "rknn/type.h"

namespace npu::rknn
{

struct Pooling {
	enum class Method : std::uint8_t {
		average,
		maximum,
		minimum,
	};

	Method method = Method::maximum;
	Type type = Type::int8;
	Shape input = {};
	Extent kernel;
	Extent stride;
	Pads pads;
	/// Of int8 averages: what stands for 0.
	std::int32_t zero_point = 0;
};

/// The shape of the results.
/// \pre the kernel fits the padded input
Shape output_shape(const Pooling &pooling);

/// Device addresses of maps of Layout(type, input) and Layout(type,
/// output_shape()), multiples of 16.
struct PoolingAddresses {
	std::uint32_t input = 0;
	std::uint32_t output = 0;
};

/// The task of each of up to @p cores cores, which share out the channels.
/// \retval EINVAL sizes, zero point or cores make no sense
/// \retval EOPNOTSUPP a size is beyond a limit of the hardware, or a map exceeds the
/// device's address space
Result<std::vector<Lane>> emit(const Pooling &pooling, const PoolingAddresses &addresses,
			       std::uint32_t cores);

} // namespace npu::rknn
