/* SPDX-License-Identifier: MIT */
/*
 * The clock of npu-bench qos: the host's, or that of a virtual NPU, which only advances on request.
 */
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include <npu/error.h>
#include <npu/unique_fd.h>

namespace npu::bench::qos
{

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// The time of the virtual NPU with clock=model.
class ModelClock
{
public:
	/// \retval ENODEV there is no virtual NPU with clock=model
	/// \retval EACCES no permission
	static Result<ModelClock> open();

	Result<std::uint64_t> now() const;
	/// Advances the time until a core has finished, but not beyond @p until. \return the new
	/// time
	Result<std::uint64_t> pass(std::uint64_t until) const;

private:
	UniqueFd time_;
	UniqueFd next_end_;
};

/// CLOCK_MONOTONIC in nanoseconds.
std::uint64_t host_now();

/// Sleep until @p time, by the host.
void host_sleep_until(std::uint64_t time);

} // namespace npu::bench::qos
