/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Ownership of a file descriptor.
 */
#pragma once

#include <utility>

#include <unistd.h>

#pragma GCC visibility push(default)
namespace npu
{

/// A file descriptor that closes itself. Moves, does not copy.
class UniqueFd
{
public:
	UniqueFd() = default;
	explicit UniqueFd(int fd) : fd_(fd) {}
	~UniqueFd()
	{
		if (fd_ >= 0)
			::close(fd_);
	}
	UniqueFd(UniqueFd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	UniqueFd &operator=(UniqueFd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	UniqueFd(const UniqueFd &) = delete;
	UniqueFd &operator=(const UniqueFd &) = delete;

	int get() const { return fd_; }
	bool valid() const { return fd_ >= 0; }
	/// Give the descriptor away.
	int release() { return std::exchange(fd_, -1); }

private:
	int fd_ = -1;
};

} // namespace npu
#pragma GCC visibility pop
