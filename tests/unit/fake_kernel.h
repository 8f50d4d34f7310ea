/* SPDX-License-Identifier: MIT */
/*
 * A device file that a FakeDriver serves. It interposes open(), ioctl() and ppoll() for the whole
 * program, so that tests run libnpu's own driver and interrupt its system calls.
 */
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <npu/driver.h>
#include <npu/unique_fd.h>
#include <poll.h>

namespace npu::test
{

/// Only one instance may exist at a time, and only one thread may use it.
class FakeKernel
{
public:
	/// Calls on the device file go to @p driver.
	explicit FakeKernel(std::shared_ptr<Driver> driver);
	~FakeKernel();
	FakeKernel(const FakeKernel &) = delete;
	FakeKernel &operator=(const FakeKernel &) = delete;

	/// The path of the device file.
	const std::string &path() const { return path_; }

	/// From now on SIGUSR1 interrupts each call @p times times before it succeeds: an
	/// ioctl() fails with @p error, open() and ppoll() with EINTR. The test must handle the
	/// signal.
	void interrupt(int times, int error)
	{
		times_ = times;
		error_ = error;
		present_ = 0;
	}
	/// Interruptions so far.
	std::uint64_t interrupted() const { return interrupted_; }
	/// Restarted calls whose argument differed from the first attempt.
	std::uint64_t changed() const { return changed_; }
	/// The timeout of each ppoll() in nanoseconds; negative if there was none.
	const std::vector<std::int64_t> &timeouts() const { return timeouts_; }

	/// The present instance, nullptr if there is none.
	static FakeKernel *current();
	/// Whether this instance handles @p request on @p fd.
	bool answers(int fd, unsigned long request) const;
	/// Whether a signal interrupts an open(2) of @p path.
	bool interrupts_open(std::string_view path);
	/// ioctl(2)
	int ioctl(int fd, unsigned long request, void *argument);
	/// ppoll(2)
	int ppoll(pollfd *entries, nfds_t count, const timespec *timeout, const sigset_t *mask);

private:
	bool interrupts(unsigned long request, const void *argument);
	int answer(int fd, unsigned long request, void *argument);
	void add_page(std::uint64_t offset);

	std::shared_ptr<Driver> driver_;
	/// Backs mappings of the device file; jobs see other memory.
	UniqueFd file_;
	std::uint64_t inode_;
	std::string path_;
	/// Completion pages by their offset in the file.
	std::vector<std::pair<std::uint64_t, std::span<const std::byte>>> pages_;
	int times_ = 0;
	int error_ = 0;
	/// Interruptions of the present call, and its first argument.
	int present_ = 0;
	std::vector<std::byte> argument_;
	std::uint64_t interrupted_ = 0;
	std::uint64_t changed_ = 0;
	std::vector<std::int64_t> timeouts_;
};

} // namespace npu::test
