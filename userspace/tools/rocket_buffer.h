/* SPDX-License-Identifier: MIT */
/*
 * Parts shared by clients of mainline's rocket calls: buffers, and the end of each
 * stream.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <npu/driver.h>
#include <rknn/registers.h>
#include <rocket_accel.h>

namespace npu::bench
{

/// A buffer of the rocket calls.
struct RocketBuffer {
	std::uint32_t handle = 0;
	std::uint32_t address = 0;
	std::uint64_t offset = 0;
};

inline Result<RocketBuffer> create_rocket_buffer(Driver &driver, std::size_t size)
{
	drm_rocket_create_bo args{};

	args.size = static_cast<std::uint32_t>(size);
	if (const int ret = driver.ioctl(DRM_IOCTL_ROCKET_CREATE_BO, &args))
		return fail(-ret, "ROCKET_CREATE_BO");
	return RocketBuffer{.handle = args.handle,
			    .address = static_cast<std::uint32_t>(args.dma_address),
			    .offset = args.offset};
}

/// Append what such a client ends a convolution's stream with: no next stream, what must
/// precede the start, the start.
inline void end_stream(std::vector<std::uint64_t> &words)
{
	constexpr std::uint16_t amounts = 0x0014;
	constexpr std::uint64_t sync = 0x0041ULL << 48U;
	constexpr std::uint64_t start = 0x0081ULL << 48U | 0x0008U;

	words.insert(words.end(), {0, rknn::command(amounts, 0), sync,
				   start | std::uint64_t{rknn::enable_convolution} << 16U});
}

} // namespace npu::bench
