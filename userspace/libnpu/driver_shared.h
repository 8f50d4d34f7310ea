/* SPDX-License-Identifier: MIT */
/*
 * What the objects of an open device share.
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

/// How many buffers share a GEM handle. The kernel gives a file one handle for
/// a buffer however often it is imported, and one GEM_CLOSE ends it for all.
class HandleUses
{
public:
	/// Held from before a handle is taken or closed until it is counted.
	std::mutex &mutex() { return mutex_; }
	/// Count one more use of @p handle.
	void add(std::uint32_t handle) { uses_[handle]++; }
	/// Count one less. @return whether it was the last
	bool drop(std::uint32_t handle);

private:
	std::mutex mutex_;
	std::map<std::uint32_t, std::size_t> uses_;
};

/// Syncobjs that are used again, which saves two calls for each fence.
class SyncobjPool
{
public:
	/// A binary syncobj. What fence it has is left from its last user.
	Result<std::uint32_t> take(Driver &driver);
	/// Give @p handle back.
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
