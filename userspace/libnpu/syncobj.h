/* SPDX-License-Identifier: MIT */
/*
 * The calls of the DRM core on syncobjs.
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

/// A syncobj without a fence, or one that has @p signalled. @return its handle
Result<std::uint32_t> syncobj_create(Driver &driver, bool signalled);
void syncobj_destroy(Driver &driver, std::uint32_t handle) noexcept;
/// Wait for @p point of a timeline, or for the fence of a binary syncobj if it is 0, also
/// if nothing was submitted yet that signals it.
WaitResult<> syncobj_wait(Driver &driver, std::uint32_t handle, std::uint64_t point,
			  Deadline deadline);
/// The fence of a binary syncobj as a sync_file.
Result<UniqueFd> syncobj_to_sync_file(Driver &driver, std::uint32_t handle);
/// Give a binary syncobj the fence of @p sync_file.
Result<void> syncobj_from_sync_file(Driver &driver, std::uint32_t handle, int sync_file);

/// How @p sync_file is: 0 while it has not signalled, 1 if it has, or the negative errno
/// that it has signalled with.
Result<int> sync_file_status(Driver &driver, int sync_file);

} // namespace npu
