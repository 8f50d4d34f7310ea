/* SPDX-License-Identifier: MIT */
/*
 * Programs that are made once and submitted often.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "npu/device.h"
#include "npu/error.h"
#include "npu/task.h"

namespace npu
{

/// An immutable program. Moves, does not copy. Keeps the buffers that its
/// commands address alive on the device, even when their owner lets them go.
class Job
{
public:
	struct Options {
		/// Prefer to have the kernel's copy of the streams on the chip.
		bool on_chip = false;
	};

	/// \retval EINVAL a command is refused; the message says which and why
	/// \retval E2BIG more lanes, tasks or commands than the device's limits
	/// \retval ENOSPC no room for more jobs, or more streams than on-chip memory
	/// \retval EOPNOTSUPP there is no on-chip memory for them
	static Result<Job> create(const Device &device, std::span<const Lane> lanes,
				  const Options &options);
	static Result<Job> create(const Device &device, std::span<const Lane> lanes)
	{
		return create(device, lanes, Options{});
	}

	Job() = default;
	~Job();
	Job(Job &&other) noexcept;
	Job &operator=(Job &&other) noexcept;
	Job(const Job &) = delete;
	Job &operator=(const Job &) = delete;

	std::uint32_t id() const { return id_; }

private:
	void release();

	std::shared_ptr<Driver> driver_;
	std::uint32_t id_ = 0;
};

} // namespace npu
