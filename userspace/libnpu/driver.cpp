/* SPDX-License-Identifier: MIT */
#include "npu/driver.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>

#include <npu_accel.h>
#include <xf86drm.h>

#include "npu/unique_fd.h"

namespace npu
{

namespace
{

/// mmap(2) with the interface of Driver::map().
std::span<std::byte> map_file(int fd, std::size_t size, std::uint64_t offset, int protection,
			      int &error)
{
	void *address =
		::mmap(nullptr, size, protection, MAP_SHARED, fd, static_cast<off_t>(offset));

	error = address == MAP_FAILED ? -errno : 0;
	if (error)
		return {};
	return {static_cast<std::byte *>(address), size};
}

class KernelDriver final : public Driver
{
public:
	explicit KernelDriver(UniqueFd fd) : fd_(std::move(fd)) {}

	int ioctl(unsigned long request, void *argument) override
	{
		return drmIoctl(fd_.get(), request, argument) ? -errno : 0;
	}

	std::span<std::byte> map(std::size_t size, std::uint64_t offset, MapAccess access,
				 int &error) override
	{
		const int protection =
			access == MapAccess::read ? PROT_READ : PROT_READ | PROT_WRITE;

		return map_file(fd_.get(), size, offset, protection, error);
	}

	std::span<std::byte> map_dma_buf(int fd, std::size_t size, int &error) override
	{
		return map_file(fd, size, 0, PROT_READ | PROT_WRITE, error);
	}

	void unmap(std::span<std::byte> bytes) override { ::munmap(bytes.data(), bytes.size()); }

	int fd() const override { return fd_.get(); }

private:
	UniqueFd fd_;
};

/// Tells the driver from mainline's rocket, which has the same name but no QUERY.
bool is_npu(int fd)
{
	const std::unique_ptr<drmVersion, decltype(&drmFreeVersion)> version(drmGetVersion(fd),
									     drmFreeVersion);

	drm_npu_query query{};

	query.type = DRM_NPU_QUERY_DEVICE;
	return version && std::string_view(version->name) == "rocket" &&
	       !drmIoctl(fd, DRM_IOCTL_NPU_QUERY, &query);
}

/// Device files that may be NPUs, accel nodes first.
std::vector<std::string> candidates()
{
	constexpr std::array<std::pair<const char *, const char *>, 2> folders{
		{{"/dev/accel", "accel"}, {"/dev/dri", "renderD"}}};
	std::vector<std::string> paths;

	for (const auto &[folder, prefix] : folders) {
		std::vector<std::string> found;
		std::error_code error;

		for (const auto &entry : std::filesystem::directory_iterator(folder, error))
			if (entry.path().filename().string().starts_with(prefix))
				found.push_back(entry.path().string());
		std::ranges::sort(found);
		paths.insert(paths.end(), found.begin(), found.end());
	}
	return paths;
}

/// open(2), repeated when interrupted.
int open_file(const std::string &path)
{
	int fd = -1;

	do
		fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
	while (fd == -1 && errno == EINTR);
	return fd;
}

Result<std::shared_ptr<Driver>> open_path(const std::string &path)
{
	UniqueFd fd(open_file(path));

	if (!fd.valid())
		return fail(errno == ENOENT ? ENODEV : errno, "cannot open " + path);
	if (!is_npu(fd.get()))
		return fail(ENODEV, path + " is no NPU of this driver");
	return std::make_shared<KernelDriver>(std::move(fd));
}

} // namespace

Result<std::shared_ptr<Driver>> open_driver(const std::string &path)
{
	if (!path.empty())
		return open_path(path);

	Error denied;
	for (const std::string &candidate : candidates()) {
		auto driver = open_path(candidate);

		if (driver)
			return driver;
		if (driver.error().code == EACCES)
			denied = driver.error();
	}
	if (denied.code) {
		denied.message += "; are you in the group of the device file?";
		return std::unexpected(denied);
	}
	return fail(ENODEV, "no NPU found in /dev/accel or /dev/dri; is npu.ko loaded, with "
			    "npu_virt.ko or the driver of the hardware?");
}

} // namespace npu
