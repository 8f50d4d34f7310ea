/* SPDX-License-Identifier: MIT */
/*
 * State that all objects of an open device share.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include <sys/types.h>

#include "npu/driver.h"

namespace npu
{

/// Reference counts of GEM handles. The kernel returns the same handle for each import of a buffer
/// into a file, and a single GEM_CLOSE closes it.
class HandleUses
{
public:
	/// Callers must hold it from before they take or close a handle until they have counted it.
	std::mutex &mutex() { return mutex_; }
	/// Takes a reference to @p handle.
	void add(std::uint32_t handle) { uses_[handle]++; }
	/// Drops a reference to @p handle. @return whether it was the last
	bool drop(std::uint32_t handle);

private:
	std::mutex mutex_;
	std::map<std::uint32_t, std::size_t> uses_;
};

/// A cache of syncobjs, which saves a create and a destroy ioctl per fence.
class SyncobjPool
{
public:
	/// Takes a binary syncobj, which may still have the fence of its last user.
	Result<std::uint32_t> take(Driver &driver);
	/// Returns @p handle to the pool.
	void put(Driver &driver, std::uint32_t handle) noexcept;

private:
	std::mutex mutex_;
	std::vector<std::uint32_t> free_;
};

class Driver::Shared
{
public:
	HandleUses handles;
	SyncobjPool syncobjs;
	/// The process that opened the device.
	pid_t process = 0;
};

} // namespace npu
