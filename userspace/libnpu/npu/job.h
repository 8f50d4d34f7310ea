/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Programs that are made once and submitted often.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "npu/device.h"
#include "npu/error.h"
#include "npu/task.h"

#pragma GCC visibility push(default)
namespace npu
{

struct [[gnu::visibility("hidden")]] Internals;

/// An immutable program. Moves, does not copy. Keeps the buffers that its
/// commands address alive on the device, even when their owner lets them go. Submits
/// that have not ended when it is destroyed go on.
///
/// Thread safety: any thread may submit it. fork: see Driver.
class Job
{
public:
	/// Options of a new job.
	struct Options {
		/// Prefer to have the kernel's copy of the streams on the chip.
		bool on_chip = false;
		/// A name for people, as that of a layer, for traces and dumps; what is
		/// longer than the device's limit is left out.
		std::string label = {}; // NOLINT(readability-redundant-member-init)
	};

	/// Creates a job of copies of @p lanes.
	/// @retval EINVAL a command is refused; the message says which and why. Or the label
	/// has control characters
	/// @retval E2BIG more lanes, tasks or commands than the device's limits
	/// @retval ENOSPC no room for more jobs, or more streams than on-chip memory
	/// @retval EOPNOTSUPP there is no on-chip memory for them
	static Result<Job> create(const Device &device, std::span<const Lane> lanes,
				  const Options &options);
	/// As create(), with the defaults of Options.
	static Result<Job> create(const Device &device, std::span<const Lane> lanes)
	{
		return create(device, lanes, Options{});
	}

	/// No job: a submit refuses it with EINVAL.
	Job() = default;
	/// Submits of the job that have not ended go on.
	~Job() = default;
	/// Leaves @p other without a job.
	Job(Job &&other) noexcept = default;
	/// Releases the job held before, and leaves @p other without one.
	Job &operator=(Job &&other) noexcept = default;
	Job(const Job &) = delete;
	Job &operator=(const Job &) = delete;

	/// Its id in the open device, for calls of npu/raw.h; 0 if it is none.
	std::uint32_t id() const;

private:
	friend struct Internals;
	class [[gnu::visibility("hidden")]] State;

	std::shared_ptr<const State> state_;
};

} // namespace npu
#pragma GCC visibility pop
