/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the library know of each other.
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
	/// The driver that @p job was created with, nullptr if it is none.
	static const Driver *driver(const Job &job);
	/// The handle of @p syncobj, 0 if it is not one of @p driver.
	static std::uint32_t handle(const Syncobj &syncobj, const Driver &driver);
	/// The handle of a syncobj of @p driver that has @p fence, 0 if there is none.
	static std::uint32_t handle(const Fence &fence, const Driver &driver);
};

/// What stands in for no device: each call answers ENODEV.
const std::shared_ptr<Driver> &no_driver();

} // namespace npu
