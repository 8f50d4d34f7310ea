/* SPDX-License-Identifier: MIT */
/*
 * Access to the internals of the public classes, within the library.
 */
#pragma once

#include <cstdint>
#include <memory>

#include "npu/fence.h"
#include "npu/job.h"
#include "npu/sync.h"

namespace npu
{

/// Friend of the public classes.
struct Internals {
	/// The driver that created @p job, nullptr for an empty job.
	static const Driver *driver(const Job &job);
	/// The handle of @p syncobj, 0 if it belongs to another driver.
	static std::uint32_t handle(const Syncobj &syncobj, const Driver &driver);
	/// The handle of a syncobj of @p driver that has @p fence, 0 if there is none.
	static std::uint32_t handle(const Fence &fence, const Driver &driver);
};

/// Substitute for a missing device: all its calls fail with ENODEV.
const std::shared_ptr<Driver> &no_driver();

} // namespace npu
