/* SPDX-License-Identifier: MIT */
#include "fake_kernel.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <stdexcept>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <npu_accel.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_context.h"
#include "fake_syncs.h"

namespace npu::test
{

namespace
{

FakeKernel *the_kernel;

/// The next definition of function @p name: that of the C library.
template <typename Function>
Function *original(const char *name)
{
	return reinterpret_cast<Function *>(::dlsym(RTLD_NEXT, name));
}

/// Answers DRM_IOCTL_VERSION.
int tell_version(drm_version &args)
{
	const auto tell = [](char *to, auto &size, std::string_view text) {
		if (to)
			text.copy(to, size);
		size = text.size();
	};

	/* drmGetVersion() passes each string to strdup(), so none may be empty. */
	tell(args.name, args.name_len, "rocket");
	tell(args.date, args.date_len, "20240101");
	tell(args.desc, args.desc_len, "fake");
	return 0;
}

std::int64_t nanoseconds(const timespec *timeout)
{
	return timeout ? timeout->tv_sec * std::int64_t{1'000'000'000} + timeout->tv_nsec : -1;
}

} // namespace

FakeKernel::FakeKernel(std::shared_ptr<Driver> driver)
	: driver_(std::move(driver)), file_(::memfd_create("npu", MFD_CLOEXEC)),
	  inode_(inode_of(file_.get())), path_("/proc/self/fd/" + std::to_string(file_.get()))
{
	/* The file is sparse: only completion pages are written. */
	if (::ftruncate(file_.get(), static_cast<off_t>(2 * FakeContext::page_space)))
		throw std::runtime_error("cannot make a device file");
	the_kernel = this;
}

FakeKernel::~FakeKernel()
{
	the_kernel = nullptr;
}

FakeKernel *FakeKernel::current()
{
	return the_kernel;
}

bool FakeKernel::answers(int fd, unsigned long request) const
{
	const auto type = _IOC_TYPE(request);

	return inode_of(fd) == inode_ || type == _IOC_TYPE(SYNC_IOC_FILE_INFO) ||
	       type == _IOC_TYPE(DMA_BUF_IOCTL_SYNC);
}

/// Counts the attempts of a call, and checks that each has the same argument.
/// @return whether a signal interrupts this attempt
bool FakeKernel::interrupts(unsigned long request, const void *argument)
{
	const auto *first = static_cast<const std::byte *>(argument);
	const std::vector<std::byte> bytes(first, first + _IOC_SIZE(request));

	if (present_ && bytes != argument_)
		changed_++;
	argument_ = bytes;
	if (present_ == times_) {
		present_ = 0;
		return false;
	}
	present_++;
	interrupted_++;
	return true;
}

bool FakeKernel::interrupts_open(std::string_view path)
{
	if (path != path_ || !times_ || !interrupts(0, nullptr))
		return false;
	::raise(SIGUSR1);
	return true;
}

int FakeKernel::ioctl(int fd, unsigned long request, void *argument)
{
	if (times_ && interrupts(request, argument)) {
		::raise(SIGUSR1);
		errno = error_;
		return -1;
	}
	const int ret = answer(fd, request, argument);
	for (const auto &[offset, page] : pages_)
		if (::pwrite(file_.get(), page.data(), page.size(), static_cast<off_t>(offset)) < 0)
			return -1;
	if (ret < 0)
		errno = -ret;
	return ret < 0 ? -1 : 0;
}

int FakeKernel::answer(int fd, unsigned long request, void *argument)
{
	if (inode_of(fd) != inode_)
		return driver_->file_ioctl(fd, request, argument);
	if (request == DRM_IOCTL_VERSION)
		return tell_version(*static_cast<drm_version *>(argument));
	const int ret = driver_->ioctl(request, argument);
	if (!ret && request == DRM_IOCTL_NPU_CONTEXT_CREATE)
		add_page(static_cast<drm_npu_context_create *>(argument)->page_offset);
	return ret;
}

/// Mirrors the driver's completion page at @p offset. The driver keeps it after unmap().
void FakeKernel::add_page(std::uint64_t offset)
{
	int error = 0;
	const auto page =
		driver_->map(sizeof(drm_npu_context_page), offset, MapAccess::read, error);

	driver_->unmap(page);
	pages_.emplace_back(offset, page);
}

int FakeKernel::ppoll(pollfd *entries, nfds_t count, const timespec *timeout, const sigset_t *mask)
{
	const auto poll =
		original<int(pollfd *, nfds_t, const timespec *, const sigset_t *)>("ppoll");
	sigset_t signals, before;

	timeouts_.push_back(nanoseconds(timeout));
	if (present_ == times_) {
		present_ = 0;
		return poll(entries, count, timeout, mask);
	}
	/* Time passes, so the caller's next timeout must be shorter. */
	const timespec short_time{.tv_sec = 0, .tv_nsec = 1000};
	::nanosleep(&short_time, nullptr);
	/* The signal stays pending until ppoll() unblocks it, so it interrupts the sleep. */
	::sigemptyset(&signals);
	::sigaddset(&signals, SIGUSR1);
	::pthread_sigmask(SIG_BLOCK, &signals, &before);
	::raise(SIGUSR1);
	const int ret = poll(entries, count, timeout, &before);
	const int error = errno;
	present_ = ret < 0 ? present_ + 1 : 0;
	interrupted_++;
	::pthread_sigmask(SIG_SETMASK, &before, nullptr);
	errno = error;
	return ret;
}

} // namespace npu::test

extern "C" {

int ioctl(int fd, unsigned long request, ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	npu::test::FakeKernel *kernel = npu::test::FakeKernel::current();

	if (kernel && kernel->answers(fd, request))
		return kernel->ioctl(fd, request, argument);
	return npu::test::original<int(int, unsigned long, ...)>("ioctl")(fd, request, argument);
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	npu::test::FakeKernel *kernel = npu::test::FakeKernel::current();

	if (kernel && kernel->interrupts_open(path)) {
		errno = EINTR;
		return -1;
	}
	return npu::test::original<int(const char *, int, ...)>("open")(path, flags, mode);
}

int ppoll(pollfd *entries, nfds_t count, const timespec *timeout, const sigset_t *mask)
{
	if (npu::test::FakeKernel *kernel = npu::test::FakeKernel::current())
		return kernel->ppoll(entries, count, timeout, mask);
	return npu::test::original<int(pollfd *, nfds_t, const timespec *, const sigset_t *)>(
		"ppoll")(entries, count, timeout, mask);
}
}
