/* SPDX-License-Identifier: MIT */
/// Calls of the DRM core, except for syncobjs.
#include "thread.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>

#include <npu_accel.h>

namespace fuzz
{

namespace
{

/// Calls of the DRM core that are useless for an accel node; their results depend on the caller's
/// privileges.
constexpr std::array<unsigned, 20> other_numbers = {
	0x03, 0x05, 0x06, 0x07, 0x0d, 0x10, 0x11, 0x12, 0x13, 0x1e,
	0x1f, 0x2c, 0x3a, 0xa0, 0xa2, 0xae, 0xb2, 0xb3, 0xb4, 0xbc,
};

bool is_known(unsigned number)
{
	for (const Call &call : all_calls())
		if (call.request && _IOC_NR(call.request) == number)
			return true;
	return false;
}

} // namespace

void Thread::gem_close()
{
	auto &args = argument<drm_gem_close>();
	std::uint32_t handle = id(&File::buffers, file_->buffers.any(random_).id);
	const Base &base = file_->base;

	/* Without these handles most calls would fail; reopen() drops them. */
	for (std::uint32_t kept :
	     {base.features_id, base.weights_id, base.results_id, base.streams_id})
		if (handle == kept && !random_.chance(5))
			handle = 0;
	args.handle = handle;
	args.pad = 0;
	if (!ioctl(Id::gem_close))
		file_->buffers.remove(handle);
}

void Thread::prime_handle_to_fd()
{
	auto &args = argument<drm_prime_handle>();

	args.handle = some_buffer();
	args.flags = flags(DRM_CLOEXEC | DRM_RDWR, DRM_CLOEXEC | DRM_RDWR);
	args.fd = -1;
	if (!ioctl(Id::prime_handle_to_fd))
		world_.fds.add({std::make_shared<Fd>(args.fd), FdKind::dma_buf});
}

void Thread::prime_fd_to_handle()
{
	if (file_->buffers.size() >= 16)
		return gem_close();
	auto &args = argument<drm_prime_handle>();

	args.handle = poison;
	args.flags = zero();
	args.fd = static_cast<std::int32_t>(
		u32(static_cast<std::uint32_t>(some_fd(FdKind::dma_buf))));
	if (!ioctl(Id::prime_fd_to_handle))
		add_buffer(args.handle);
}

void Thread::version()
{
	auto &args = argument<drm_version>();

	args.name_len = random_.below(64);
	args.desc_len = random_.below(64);
	args.date_len = 0;
	Block name = arena_.output(args.name_len, edge());
	Block desc = arena_.output(args.desc_len, edge());
	args.name = reinterpret_cast<char *>(pointer(name, true));
	args.desc = reinterpret_cast<char *>(pointer(desc, true));
	ioctl(Id::version);
}

void Thread::get_cap()
{
	auto &args = argument<drm_get_cap>();

	args.capability = u64(random_.chance(50) ? DRM_CAP_PRIME
						 : 1 + random_.below(DRM_CAP_SYNCOBJ_TIMELINE + 1));
	ioctl(Id::get_cap);
}

void Thread::refused()
{
	switch (random_.below(4)) {
	case 0: {
		auto &args = argument<drm_unique>();

		args.unique_len = 32;
		args.unique = reinterpret_cast<char *>(arena_.output(32, edge()).address());
		ioctl(Id::get_unique);
		break;
	}
	case 1:
		argument<drm_auth>();
		ioctl(Id::get_magic);
		break;
	case 2:
		argument<drm_gem_flink>().handle = some_buffer();
		ioctl(Id::gem_flink);
		break;
	default:
		argument<drm_gem_open>().name = 1 + random_.below(8);
		ioctl(Id::gem_open);
		break;
	}
}

void Thread::core_other()
{
	std::size_t size = 8 * random_.below(32);
	unsigned long request =
		_IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE, random_.pick(other_numbers), size);

	arena_.begin();
	argument_ = arena_.block(256, edge());
	for (std::uint8_t &byte : argument_.bytes())
		if (random_.chance(10))
			byte = static_cast<std::uint8_t>(random_.next());
	mutated_ = true;
	perform({Id::core_other, request, false, [this, request] {
			 return ::ioctl(file_->fd(), request, argument_.data) < 0 ? -errno : 0;
		 }});
}

void Thread::unknown()
{
	unsigned number = 0;

	/* The range of the driver's ioctls, and the numbers above those of the core. */
	do {
		number = random_.chance(70) ? 0x40 + random_.below(0x60)
					    : 0xe0 + random_.below(0x20);
	} while (is_known(number));
	std::size_t size = random_.chance(50) ? 8 * random_.below(32) : random_.below(1 << 14);
	unsigned long request = _IOC(random_.below(4), DRM_IOCTL_BASE, number, size);

	arena_.begin();
	argument_ = arena_.block(256, edge());
	mutated_ = true;
	perform({Id::unknown, request, false, [this, request] {
			 return ::ioctl(file_->fd(), request, argument_.data) < 0 ? -errno : 0;
		 }});
}

} // namespace fuzz
