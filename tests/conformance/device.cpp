/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <glob.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <xf86drm.h>

#include "igt.h"

int call(int fd, unsigned long request, void *argument)
{
	int result;

	do {
		result = ioctl(fd, request, argument);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

namespace
{

bool is_npu(int fd)
{
	drmVersionPtr version = drmGetVersion(fd);
	bool ok = version && !std::strcmp(version->name, "rocket") && version->version_major == 1;

	drmFreeVersion(version);
	return ok;
}

Fd open_first()
{
	glob_t found{};
	Fd fd;

	glob("/dev/accel/accel*", 0, nullptr, &found);
	glob("/dev/dri/renderD*", GLOB_APPEND, nullptr, &found);
	for (std::size_t i = 0; i < found.gl_pathc; i++) {
		fd = Fd(open(found.gl_pathv[i], O_RDWR | O_CLOEXEC));
		if (fd.get() >= 0 && is_npu(fd.get()))
			break;
		fd.reset();
	}
	globfree(&found);
	return fd;
}

} // namespace

Device::Device() : fd_(open_first())
{
	if (fd_.get() < 0)
		igt::skip("no accel-npu device that can be opened");
}

int Device::query(std::uint32_t type, std::uint32_t index, void *data, std::uint32_t size) const
{
	drm_npu_query args{};

	args.type = type;
	args.index = index;
	args.size = size;
	args.data = reinterpret_cast<std::uintptr_t>(data);
	return call(fd(), DRM_IOCTL_NPU_QUERY, &args);
}

drm_npu_query_limits Device::limits() const
{
	drm_npu_query_limits record{};

	CHECK_OK(query(DRM_NPU_QUERY_LIMITS, 0, &record, sizeof(record)));
	return record;
}

drm_npu_query_device Device::info() const
{
	drm_npu_query_device record{};

	CHECK_OK(query(DRM_NPU_QUERY_DEVICE, 0, &record, sizeof(record)));
	return record;
}

drm_npu_query_region Device::region() const
{
	drm_npu_query_region record{};

	CHECK_OK(query(DRM_NPU_QUERY_REGION, 0, &record, sizeof(record)));
	return record;
}

drm_npu_query_context Device::state(std::uint32_t context) const
{
	drm_npu_query_context record{};

	CHECK_OK(query(DRM_NPU_QUERY_CONTEXT, context, &record, sizeof(record)));
	return record;
}

std::uint32_t Device::context(std::uint32_t core_mask, std::uint32_t max_queued) const
{
	drm_npu_context_create args{};

	args.core_mask = core_mask;
	args.max_queued = max_queued;
	CHECK_OK(call(fd(), DRM_IOCTL_NPU_CONTEXT_CREATE, &args));
	CHECK(args.context_id);
	return args.context_id;
}

int Device::destroy_context(std::uint32_t id) const
{
	drm_npu_context_destroy args{};

	args.context_id = id;
	return call(fd(), DRM_IOCTL_NPU_CONTEXT_DESTROY, &args);
}

int Device::destroy_job(std::uint32_t id) const
{
	drm_npu_job_destroy args{};

	args.job_id = id;
	return call(fd(), DRM_IOCTL_NPU_JOB_DESTROY, &args);
}

Buffer::Buffer(const Device &device, std::uint64_t size) : fd_(device.fd())
{
	args_.size = size;
	CHECK_OK(call(fd_, DRM_IOCTL_NPU_BO_CREATE, &args_));
	map_ = mmap(nullptr, static_cast<std::size_t>(args_.size), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd_, static_cast<off_t>(args_.mmap_offset));
	CHECK(map_ != MAP_FAILED);
}

Buffer::Buffer(Buffer &&other) noexcept
	: fd_(other.fd_), args_(other.args_), map_(std::exchange(other.map_, nullptr))
{
	other.args_.handle = 0;
}

Buffer::~Buffer()
{
	if (map_)
		munmap(map_, static_cast<std::size_t>(args_.size));
	if (args_.handle)
		close_handle(fd_, args_.handle);
}

void Buffer::close()
{
	CHECK_OK(close_handle(fd_, args_.handle));
	args_.handle = 0;
}

void Buffer::unmap()
{
	CHECK_OK(munmap(map_, static_cast<std::size_t>(args_.size)));
	map_ = nullptr;
}

int close_handle(int fd, std::uint32_t handle)
{
	drm_gem_close args{};

	args.handle = handle;
	return call(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

void need_root()
{
	if (geteuid())
		igt::skip("needs root");
}

namespace
{

constexpr const char *hang_parameter = "/sys/module/npu_virt/parameters/inject_hang";

} // namespace

void hang_lanes(unsigned count)
{
	need_root();
	std::ofstream file(hang_parameter);
	if (!(file << count << std::flush))
		igt::skip("needs the virtual device, npu_virt.ko, which can be made to hang");
}

void wait_hanging()
{
	for (int tries = 0; tries < 10000; tries++) {
		std::ifstream file(hang_parameter);
		unsigned left = 0;

		CHECK(file >> left);
		if (!left)
			return;
		std::this_thread::sleep_for(std::chrono::milliseconds(1));
	}
	CHECK(!"a lane starts");
}

unsigned watchdog_ms()
{
	std::ifstream file("/sys/module/npu_virt/parameters/timeout_ms");
	unsigned ms = 0;

	return file >> ms ? ms : 2000;
}
