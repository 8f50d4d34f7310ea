/* SPDX-License-Identifier: MIT */
#include "driver_shared.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internals.h"
#include "syncobj.h"

namespace npu
{

namespace
{

/// Limit of the syncobjs that SyncobjPool caches.
constexpr std::size_t most_free = 64;

/// The time until @p deadline, nullptr if there is none.
const timespec *remaining(Deadline deadline, timespec &room)
{
	constexpr std::int64_t second = 1'000'000'000;

	if (deadline.is_never())
		return nullptr;
	const std::int64_t now = Deadline(Deadline::Clock::now()).monotonic_ns();
	const std::int64_t left = std::max<std::int64_t>(deadline.monotonic_ns() - now, 0);
	room.tv_sec = left / second;
	room.tv_nsec = left % second;
	return &room;
}

class NoDriver final : public Driver
{
public:
	int ioctl(unsigned long /*request*/, void * /*argument*/) override { return -ENODEV; }
	std::span<std::byte> map(std::size_t /*size*/, std::uint64_t /*offset*/,
				 MapAccess /*access*/, int &error) override
	{
		error = -ENODEV;
		return {};
	}
	std::span<std::byte> map_dma_buf(int /*fd*/, std::size_t /*size*/, int &error) override
	{
		error = -ENODEV;
		return {};
	}
	void unmap(std::span<std::byte> /*bytes*/) override {}
};

} // namespace

const std::shared_ptr<Driver> &no_driver()
{
	static const std::shared_ptr<Driver> none = std::make_shared<NoDriver>();

	return none;
}

bool HandleUses::drop(std::uint32_t handle)
{
	const auto found = uses_.find(handle);

	if (--found->second)
		return false;
	uses_.erase(found);
	return true;
}

Result<std::uint32_t> SyncobjPool::take(Driver &driver)
{
	{
		const std::scoped_lock lock(mutex_);

		if (!free_.empty()) {
			const std::uint32_t handle = free_.back();

			free_.pop_back();
			return handle;
		}
		/* SyncobjPool::put() must not allocate. */
		free_.reserve(most_free);
	}
	return syncobj_create(driver, false);
}

void SyncobjPool::put(Driver &driver, std::uint32_t handle) noexcept
{
	{
		const std::scoped_lock lock(mutex_);

		if (free_.size() < most_free) {
			free_.push_back(handle);
			return;
		}
	}
	syncobj_destroy(driver, handle);
}

Driver::Driver() : shared_(std::make_unique<Shared>())
{
	shared_->process = ::getpid();
}

Driver::~Driver() = default;

int Driver::file_ioctl(int fd, unsigned long request, void *argument)
{
	int ret = 0;

	do
		ret = ::ioctl(fd, request, argument);
	while (ret == -1 && (errno == EINTR || errno == EAGAIN));
	return ret == -1 ? -errno : 0;
}

int Driver::wait_readable(int fd, Deadline deadline)
{
	pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
	timespec room{};

	for (;;) {
		const int count = ::ppoll(&entry, 1, remaining(deadline, room), nullptr);

		if (count == -1 && errno != EINTR)
			return -errno;
		if (count == 1)
			return entry.revents & POLLNVAL ? -EBADF : 1;
		if (count == 0)
			return 0;
	}
}

bool Driver::inherited() const
{
	return ::getpid() != shared_->process;
}

} // namespace npu
