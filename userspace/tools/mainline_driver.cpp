/* SPDX-License-Identifier: MIT */
#include "mainline_driver.h"

#include <cerrno>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <npu_accel.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xf86drm.h>

#include <npu/unique_fd.h>

namespace npu::bench
{

namespace
{

constexpr auto path = "/dev/accel/accel0";

class MainlineDriver final : public Driver
{
public:
	explicit MainlineDriver(UniqueFd fd) : fd_(std::move(fd)) {}

	int ioctl(unsigned long request, void *argument) override
	{
		return drmIoctl(fd_.get(), request, argument) ? -errno : 0;
	}

	std::span<std::byte> map(std::size_t size, std::uint64_t offset, MapAccess access,
				 int &error) override
	{
		const int protection =
			access == MapAccess::read ? PROT_READ : PROT_READ | PROT_WRITE;
		void *bytes = ::mmap(nullptr, size, protection, MAP_SHARED, fd_.get(),
				     static_cast<off_t>(offset));

		error = bytes == MAP_FAILED ? -errno : 0;
		if (error)
			return {};
		return {static_cast<std::byte *>(bytes), size};
	}

	/* Mainline's driver does not import dma-bufs. */
	std::span<std::byte> map_dma_buf(int /*fd*/, std::size_t /*size*/, int &error) override
	{
		error = -EOPNOTSUPP;
		return {};
	}

	void unmap(std::span<std::byte> bytes) override { ::munmap(bytes.data(), bytes.size()); }

private:
	UniqueFd fd_;
};

} // namespace

Result<std::shared_ptr<Driver>> open_mainline()
{
	UniqueFd fd(::open(path, O_RDWR | O_CLOEXEC));

	if (!fd.valid())
		return fail(errno == ENOENT ? ENODEV : errno, std::string("cannot open ") + path);
	const std::unique_ptr<drmVersion, decltype(&drmFreeVersion)> version(
		drmGetVersion(fd.get()), drmFreeVersion);
	drm_npu_query query{};
	query.type = DRM_NPU_QUERY_DEVICE;
	if (!version || std::string_view(version->name) != "rocket" ||
	    !drmIoctl(fd.get(), DRM_IOCTL_NPU_QUERY, &query))
		return fail(ENODEV, std::string(path) + " is not of mainline's rocket driver");
	return std::make_shared<MainlineDriver>(std::move(fd));
}

} // namespace npu::bench
