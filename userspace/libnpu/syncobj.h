/* SPDX-License-Identifier: MIT */
/*
 * The syncobj ioctls of the DRM core.
 */
#pragma once

#include <cstdint>

#include "npu/deadline.h"
#include "npu/driver.h"
#include "npu/error.h"
#include "npu/unique_fd.h"
#include "npu/wait.h"

namespace npu
{

/// Creates a binary syncobj, signalled or without a fence. @return its handle
Result<std::uint32_t> syncobj_create(Driver &driver, bool signalled);
void syncobj_destroy(Driver &driver, std::uint32_t handle) noexcept;
/// Waits for @p point of a timeline or, if it is 0, for the fence of a binary syncobj. Also waits
/// for the fence to be submitted.
WaitResult<> syncobj_wait(Driver &driver, std::uint32_t handle, std::uint64_t point,
			  Deadline deadline);
/// Exports the fence of a binary syncobj as a sync_file.
Result<UniqueFd> syncobj_to_sync_file(Driver &driver, std::uint32_t handle);
/// Replaces the fence of a binary syncobj by that of @p sync_file.
Result<void> syncobj_from_sync_file(Driver &driver, std::uint32_t handle, int sync_file);

/// The status of @p sync_file: 0 if pending, 1 if signalled, or the negative errno that it
/// signalled with.
Result<int> sync_file_status(Driver &driver, int sync_file);

} // namespace npu
