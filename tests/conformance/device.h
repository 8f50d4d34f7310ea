/* SPDX-License-Identifier: MIT */
/// Thin helpers over raw ioctls: what every subtest needs and none tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <npu_accel.h>
#include <rocket_accel.h>

/// Pattern in outputs, to see whether a call touches them.
inline constexpr std::uint32_t poison = 0xdeadbeef;

class Fd
{
public:
	explicit Fd(int fd = -1) : fd_(fd) {}
	~Fd() { reset(); }
	Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	Fd(const Fd &) = delete;
	Fd &operator=(const Fd &) = delete;

	int get() const { return fd_; }
	void reset()
	{
		if (fd_ >= 0)
			close(fd_);
		fd_ = -1;
	}

private:
	int fd_;
};

/// ioctl(2) that answers 0 or a negative errno, and goes on after a signal.
int call(int fd, unsigned long request, void *argument);
/// The same, but a signal makes it answer -EINTR.
int call_once(int fd, unsigned long request, void *argument);

/// All calls of the driver.
inline constexpr unsigned long driver_calls[] = {
	DRM_IOCTL_NPU_QUERY,       DRM_IOCTL_NPU_BO_CREATE,   DRM_IOCTL_NPU_CONTEXT_CREATE,
	DRM_IOCTL_NPU_JOB_CREATE,  DRM_IOCTL_NPU_JOB_DESTROY, DRM_IOCTL_NPU_CONTEXT_DESTROY,
	DRM_IOCTL_NPU_JOB_SUBMIT,  DRM_IOCTL_NPU_JOB_WAIT,    DRM_IOCTL_NPU_JOB_CANCEL,
	DRM_IOCTL_NPU_BO_WAIT,     DRM_IOCTL_ROCKET_SUBMIT,   DRM_IOCTL_ROCKET_CREATE_BO,
	DRM_IOCTL_ROCKET_PREP_BO,  DRM_IOCTL_ROCKET_FINI_BO,  DRM_IOCTL_NPU_BO_RESIDENCY,
	DRM_IOCTL_NPU_CONTEXT_SET, DRM_IOCTL_NPU_BO_SYNC,
};

/// CLOCK_MONOTONIC in nanoseconds, and a time that never comes.
std::int64_t now_ns();
inline constexpr std::int64_t never = INT64_MAX;
/// Whether a wait went on until @end, but for the ticks that the kernel counts in.
bool has_come(std::int64_t end);
constexpr std::int64_t ms_to_ns(std::int64_t ms)
{
	return ms * 1000000;
}

/// The DRM driver's name as of DRM_IOCTL_VERSION; empty if the file is no DRM device.
std::string driver_name(int fd, int *major = nullptr);

/// An open device. Opening skips the subtest where there is none.
class Device
{
public:
	/// @mode is that of open(2).
	explicit Device(int mode);
	Device();
	explicit Device(Fd fd) : fd_(std::move(fd)) {}

	int fd() const { return fd_.get(); }
	void close() { fd_.reset(); }

	/// QUERY; answers 0 or a negative errno.
	int query(std::uint32_t type, std::uint32_t index, void *data, std::uint32_t size) const;
	drm_npu_query_limits limits() const;
	drm_npu_query_features features() const;
	drm_npu_query_device info() const;
	drm_npu_query_region region(std::uint32_t index = DRM_NPU_REGION_SYSTEM) const;
	drm_npu_query_context state(std::uint32_t context) const;
	drm_npu_query_buffer buffer(std::uint32_t handle) const;

	/// CONTEXT_CREATE; answers 0 or a negative errno.
	int create(drm_npu_context_create &args) const;
	std::uint32_t context(std::uint32_t core_mask = 0, std::uint32_t max_queued = 0) const;
	int destroy_context(std::uint32_t id) const;
	int destroy_job(std::uint32_t id) const;

private:
	Fd fd_;
};

/// A buffer with its mapping; must not outlive its device.
class Buffer
{
public:
	Buffer(const Device &device, std::uint64_t size, std::uint32_t flags = 0);
	~Buffer();
	Buffer(Buffer &&other) noexcept;
	Buffer &operator=(Buffer &&) = delete;
	Buffer(const Buffer &) = delete;
	Buffer &operator=(const Buffer &) = delete;

	std::uint32_t handle() const { return args_.handle; }
	std::uint64_t size() const { return args_.size; }
	std::uint64_t offset() const { return args_.mmap_offset; }
	std::uint32_t address() const { return static_cast<std::uint32_t>(args_.address); }
	template <typename T>
	T *as() const
	{
		return static_cast<T *>(map_);
	}

	/// BO_SYNC: hands a cached buffer over to the CPU or to the device. Others are
	/// always both's.
	void to_cpu() const;
	void to_device() const;
	/// Gives the handle up, keeps the mapping.
	void close();
	/// The opposite. A mapping keeps its file open, whatever is closed.
	void unmap();

private:
	void hand_over(std::uint32_t direction) const;

	int fd_;
	drm_npu_bo_create args_{};
	void *map_;
};

int close_handle(int fd, std::uint32_t handle);

/// mmap() of a device file, shared; null and errno if it is refused.
void *map_file(int fd, std::size_t size, std::uint64_t offset, int protection);

/// Skips the subtest for anyone but root.
void need_root();
/// Skips the subtest where the device is no virtual one.
void need_virtual(const Device &device);

/// How long a core may be without progress, in milliseconds.
unsigned watchdog_ms();
