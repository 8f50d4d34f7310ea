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
	/// Owns no descriptor.
	UniqueFd() = default;
	/// Owns @p fd; a negative number is no descriptor.
	explicit UniqueFd(int fd) : fd_(fd) {}
	/// Closes the descriptor, if there is one.
	~UniqueFd()
	{
		if (fd_ >= 0)
			::close(fd_);
	}
	/// Takes the descriptor of @p other.
	UniqueFd(UniqueFd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	/// Swaps the two descriptors: @p other closes the one held before.
	UniqueFd &operator=(UniqueFd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	UniqueFd(const UniqueFd &) = delete;
	UniqueFd &operator=(const UniqueFd &) = delete;

	/// The descriptor, which stays owned; negative if there is none.
	int get() const { return fd_; }
	/// Whether there is a descriptor.
	bool valid() const { return fd_ >= 0; }
	/// Give the descriptor away; negative if there is none.
	int release() { return std::exchange(fd_, -1); }

private:
	int fd_ = -1;
};

} // namespace npu
#pragma GCC visibility pop
