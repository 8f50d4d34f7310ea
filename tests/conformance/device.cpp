/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <cerrno>
#include <ctime>
#include <fstream>

#include <fcntl.h>
#include <glob.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "igt.h"

int call_once(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

int call(int fd, unsigned long request, void *argument)
{
	int result;

	do {
		result = call_once(fd, request, argument);
	} while (result == -EINTR);
	return result;
}

std::int64_t now_ns()
{
	timespec now{};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

bool has_come(std::int64_t end)
{
	return now_ns() >= end - ms_to_ns(20);
}

std::string driver_name(int fd, int *major)
{
	char name[64]{};
	drm_version version{};

	version.name = name;
	version.name_len = sizeof(name) - 1;
	if (call(fd, DRM_IOCTL_VERSION, &version))
		return {};
	if (major)
		*major = version.version_major;
	return name;
}

namespace
{

bool is_npu(int fd)
{
	drm_npu_query query{};

	query.type = DRM_NPU_QUERY_DEVICE;
	return driver_name(fd) == "rocket" && !call(fd, DRM_IOCTL_NPU_QUERY, &query);
}

Fd open_first(int mode)
{
	glob_t found{};
	Fd fd;

	glob("/dev/accel/accel*", 0, nullptr, &found);
	glob("/dev/dri/renderD*", GLOB_APPEND, nullptr, &found);
	for (std::size_t i = 0; i < found.gl_pathc; i++) {
		fd = Fd(open(found.gl_pathv[i], mode | O_CLOEXEC));
		if (fd.get() >= 0 && is_npu(fd.get()))
			break;
		fd.reset();
	}
	globfree(&found);
	return fd;
}

} // namespace

Device::Device(int mode) : fd_(open_first(mode))
{
	if (fd_.get() < 0)
		igt::skip("no accel-npu device that can be opened");
}

Device::Device() : Device(O_RDWR) {}

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

drm_npu_query_features Device::features() const
{
	drm_npu_query_features record{};

	CHECK_OK(query(DRM_NPU_QUERY_FEATURES, 0, &record, sizeof(record)));
	return record;
}

drm_npu_query_device Device::info() const
{
	drm_npu_query_device record{};

	CHECK_OK(query(DRM_NPU_QUERY_DEVICE, 0, &record, sizeof(record)));
	return record;
}

drm_npu_query_region Device::region(std::uint32_t index) const
{
	drm_npu_query_region record{};

	CHECK_OK(query(DRM_NPU_QUERY_REGION, index, &record, sizeof(record)));
	return record;
}

drm_npu_query_context Device::state(std::uint32_t context) const
{
	drm_npu_query_context record{};

	CHECK_OK(query(DRM_NPU_QUERY_CONTEXT, context, &record, sizeof(record)));
	return record;
}

drm_npu_query_buffer Device::buffer(std::uint32_t handle) const
{
	drm_npu_query_buffer record{};

	CHECK_OK(query(DRM_NPU_QUERY_BUFFER, handle, &record, sizeof(record)));
	return record;
}

int Device::create(drm_npu_context_create &args) const
{
	return call(fd(), DRM_IOCTL_NPU_CONTEXT_CREATE, &args);
}

std::uint32_t Device::context(std::uint32_t core_mask, std::uint32_t max_queued) const
{
	drm_npu_context_create args{};

	args.core_mask = core_mask;
	args.max_queued = max_queued;
	CHECK_OK(create(args));
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

Buffer::Buffer(const Device &device, std::uint64_t size, std::uint32_t flags) : fd_(device.fd())
{
	args_.size = size;
	args_.flags = flags;
	CHECK_OK(call(fd_, DRM_IOCTL_NPU_BO_CREATE, &args_));
	map_ = map_file(fd_, static_cast<std::size_t>(args_.size), args_.mmap_offset,
			PROT_READ | PROT_WRITE);
	CHECK(map_);
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

void Buffer::hand_over(std::uint32_t direction) const
{
	drm_npu_bo_sync args{handle(), direction, 0, size(), 0};

	if (args_.flags & DRM_NPU_BO_CACHED)
		CHECK_OK(call(fd_, DRM_IOCTL_NPU_BO_SYNC, &args));
}

void Buffer::to_cpu() const
{
	hand_over(DRM_NPU_SYNC_FOR_CPU);
}

void Buffer::to_device() const
{
	hand_over(DRM_NPU_SYNC_FOR_DEVICE);
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

void *map_file(int fd, std::size_t size, std::uint64_t offset, int protection)
{
	void *map = mmap(nullptr, size, protection, MAP_SHARED, fd, static_cast<off_t>(offset));

	return map == MAP_FAILED ? nullptr : map;
}

void need_root()
{
	if (geteuid())
		igt::skip("needs root");
}

void need_virtual(const Device &device)
{
	if (!(device.info().flags & DRM_NPU_DEVICE_VIRTUAL))
		igt::skip("needs a virtual device");
}

unsigned watchdog_ms()
{
	unsigned ms = 0;

	for (const char *module : {"npu_rk3588", "npu_virt"}) {
		std::ifstream file(std::string("/sys/module/") + module + "/parameters/timeout_ms");
		if (file >> ms)
			return ms;
	}
	return 2000;
}
