/* SPDX-License-Identifier: MIT */
#include "rknn/pooling.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <string>

#include "blocks.h"
#include "rknn/registers.h"
#include "stream.h"

namespace npu::rknn
{

namespace
{

using Method = Pooling::Method;

/// Fields of POOLING_KERNEL_CFG, POOLING_PADDING_CFG and the cubes (TRM).
constexpr std::uint32_t max_window = 16;
constexpr std::uint32_t max_pad = 7;
constexpr std::uint32_t max_size = 8192;
/// S_POINTER: register groups take turns (all open streams).
constexpr std::uint32_t ping_pong = 0xe;
/// OPERATION_MODE_CFG: input from another block, PPU_RDMA included (vendor's streams).
constexpr std::uint32_t mode_flying = 1U << 4U;
/// MISC_CTRL (vendor's streams).
constexpr std::uint32_t misc_bursts = 3;
/// PADDING_VALUE of int8 has 19 bits (vendor's constant for maxima, 0x7ff80).
constexpr std::uint32_t pad_mask = 0x7ffff;
/// Precision codes of PPU_RDMA, whose int8 is 1 (measured, GN).
constexpr std::uint32_t rdma_int8 = 1;
constexpr std::uint32_t rdma_fp16 = 2;
/// The infinities as fp16.
constexpr std::uint32_t fp16_infinity = 0x7c00;
constexpr std::uint32_t fp16_minus_infinity = 0xfc00;
/// Numerator of the reciprocals.
constexpr std::uint32_t one = 0x10000;

/// METHOD of OPERATION_MODE_CFG (TRM).
std::uint32_t method_code(Method method)
{
	switch (method) {
	case Method::average:
		return 0;
	case Method::maximum:
		return 1;
	case Method::minimum:
		break;
	}
	return 2;
}

/// The fp16 nearest to the quotient of 65536 and 2 to 16: a power of two from 2^12 to
/// 2^15 times a fraction of 11 bits.
std::uint32_t fp16_reciprocal(std::uint32_t size)
{
	constexpr std::uint32_t bias = 15;
	constexpr std::uint32_t fraction_bits = 10;
	const std::uint32_t exponent = static_cast<std::uint32_t>(std::bit_width(one / size)) - 1;
	/* The last place of the fraction is 2^(exponent - 10). */
	const std::uint32_t unit = size << (exponent - fraction_bits);
	const std::uint32_t fraction = (one + unit / 2) / unit;

	return ((exponent + bias) << fraction_bits) + fraction - (1U << fraction_bits);
}

std::uint32_t reciprocal(const Pooling &pooling, std::uint32_t size)
{
	if (pooling.method != Method::average)
		return 0;
	return pooling.type == Type::int8 ? one / size : fp16_reciprocal(size);
}

std::uint32_t pad_value(const Pooling &pooling)
{
	using Limits = std::numeric_limits<std::int8_t>;
	const bool int8 = pooling.type == Type::int8;

	switch (pooling.method) {
	case Method::average:
		return int8 ? static_cast<std::uint32_t>(pooling.zero_point) & pad_mask : 0;
	case Method::maximum:
		return int8 ? static_cast<std::uint32_t>(Limits::min()) & pad_mask
			    : fp16_minus_infinity;
	case Method::minimum:
		break;
	}
	return int8 ? Limits::max() : fp16_infinity;
}

std::unexpected<Error> unsupported(const char *what, std::uint32_t most)
{
	return fail(EOPNOTSUPP,
		    std::string("pooling: a ") + what + " is above " + std::to_string(most));
}

Result<void> check(const Pooling &p)
{
	if (auto checked = check_shape(p.type, p.input, "pooling"); !checked)
		return checked;
	if (!p.kernel.width || !p.kernel.height || !p.stride.width || !p.stride.height)
		return fail(EINVAL, "pooling: a size is 0");
	if (std::max(p.kernel.width, p.kernel.height) > max_window)
		return unsupported("side of the window", max_window);
	if (std::max(p.stride.width, p.stride.height) > max_window)
		return unsupported("stride", max_window);
	if (std::max({p.pads.left, p.pads.top, p.pads.right, p.pads.bottom}) > max_pad)
		return unsupported("padding", max_pad);
	if (std::max({p.input.width, p.input.height, p.input.channels}) > max_size)
		return unsupported("size of the input", max_size);
	if (std::max(p.pads.left, p.pads.right) >= p.kernel.width ||
	    std::max(p.pads.top, p.pads.bottom) >= p.kernel.height)
		return fail(EINVAL, "pooling: padding as large as the window");
	if (p.input.width + p.pads.left + p.pads.right < p.kernel.width ||
	    p.input.height + p.pads.top + p.pads.bottom < p.kernel.height)
		return fail(EINVAL, "pooling: the window is larger than the padded input");
	if (auto checked = check_shape(p.type, output_shape(p), "pooling: output"); !checked)
		return checked;
	if (p.method != Method::average)
		return {};
	if (p.type == Type::fp16 && std::min(p.kernel.width, p.kernel.height) == 1)
		return fail(EOPNOTSUPP, "pooling: fp16 averages of windows 1 wide or high");
	if (p.zero_point < std::numeric_limits<std::int8_t>::min() ||
	    p.zero_point > std::numeric_limits<std::int8_t>::max())
		return fail(EINVAL, "pooling: the zero point must be an int8");
	return {};
}

void emit_ppu(Stream &stream, const Pooling &p, std::uint32_t channels, std::uint32_t destination)
{
	const Layout layout(p.type, output_shape(p));
	const std::uint32_t surface_bytes = layout.surface_atoms() * atom_bytes;

	stream.set(RKNN_PPU_S_POINTER, ping_pong);
	stream.set(RKNN_PPU_CUBE_IN_WIDTH, p.input.width - 1);
	stream.set(RKNN_PPU_CUBE_IN_HEIGHT, p.input.height - 1);
	stream.set(RKNN_PPU_CUBE_IN_CHANNEL, channels - 1);
	stream.set(RKNN_PPU_CUBE_OUT_WIDTH, layout.shape().width - 1);
	stream.set(RKNN_PPU_CUBE_OUT_HEIGHT, layout.shape().height - 1);
	stream.set(RKNN_PPU_CUBE_OUT_CHANNEL, channels - 1);
	stream.set(RKNN_PPU_OPERATION_MODE, mode_flying | method_code(p.method));
	stream.set(RKNN_PPU_KERNEL_CFG, (p.kernel.width - 1) | (p.kernel.height - 1) << 8U |
						(p.stride.width - 1) << 16U |
						(p.stride.height - 1) << 20U);
	stream.set(RKNN_PPU_RECIP_WIDTH, reciprocal(p, p.kernel.width));
	stream.set(RKNN_PPU_RECIP_HEIGHT, reciprocal(p, p.kernel.height));
	stream.set(RKNN_PPU_PADDING,
		   p.pads.left | p.pads.top << 4U | p.pads.right << 8U | p.pads.bottom << 12U);
	stream.set(RKNN_PPU_PAD_VALUE_1, pad_value(p));
	stream.set(RKNN_PPU_PAD_VALUE_2, 0);
	stream.set(RKNN_PPU_DST_BASE_ADDR, destination);
	stream.set(RKNN_PPU_DST_SURF_STRIDE, surface_bytes);
	stream.set(RKNN_PPU_DATA_FORMAT, surface_bytes | code(precision_of(p.type)));
	stream.set(RKNN_PPU_MISC, misc_bursts);
}

void emit_rdma(Stream &stream, const Pooling &p, std::uint32_t channels, std::uint32_t source)
{
	const Layout layout(p.type, p.input);

	stream.set(RKNN_PPU_RDMA_S_POINTER, ping_pong);
	stream.set(RKNN_PPU_RDMA_CUBE_WIDTH, p.input.width - 1);
	stream.set(RKNN_PPU_RDMA_CUBE_HEIGHT, p.input.height - 1);
	stream.set(RKNN_PPU_RDMA_CUBE_CHANNEL, channels - 1);
	stream.set(RKNN_PPU_RDMA_SRC_BASE_ADDR, source);
	stream.set(RKNN_PPU_RDMA_LINE_STRIDE, p.input.width * atom_bytes);
	stream.set(RKNN_PPU_RDMA_SURF_STRIDE, layout.surface_atoms() * atom_bytes);
	stream.set(RKNN_PPU_RDMA_DATA_FORMAT, p.type == Type::int8 ? rdma_int8 : rdma_fp16);
}

} // namespace

Shape output_shape(const Pooling &pooling)
{
	const Pooling &p = pooling;

	return {(p.input.width + p.pads.left + p.pads.right - p.kernel.width) / p.stride.width + 1,
		(p.input.height + p.pads.top + p.pads.bottom - p.kernel.height) / p.stride.height +
			1,
		p.input.channels};
}

Result<std::vector<Lane>> emit(const Pooling &pooling, const PoolingAddresses &addresses,
			       std::uint32_t cores)
{
	if (auto checked = check(pooling); !checked)
		return forward(checked);
	if (!cores)
		return fail(EINVAL, "pooling: no cores");

	const Layout input(pooling.type, pooling.input);
	const Layout output(pooling.type, output_shape(pooling));
	const std::uint32_t atom = input.atom_channels();
	const std::uint32_t surfaces = input.read_channels() / atom;
	const std::uint32_t count = std::min(cores, surfaces);
	std::vector<Lane> lanes;
	for (std::uint32_t lane = 0; lane < count; lane++) {
		const std::uint32_t begin = surfaces * lane / count * atom;
		const std::uint32_t end = surfaces * (lane + 1) / count * atom;
		Stream stream;

		emit_ppu(stream, pooling, end - begin, addresses.output + output.offset(begin, 0));
		emit_rdma(stream, pooling, end - begin, addresses.input + input.offset(begin, 0));
		lanes.push_back({{stream.take(), enable_pooling}});
	}
	return lanes;
}

} // namespace npu::rknn
