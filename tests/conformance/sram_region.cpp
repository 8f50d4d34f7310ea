/* SPDX-License-Identifier: MIT */
/// Several regions on the chip: each has its own room, and is named by its index.
#include <cerrno>

#include "igt.h"
#include "patience.h"
#include "sram.h"

namespace
{

constexpr std::uint64_t page = 4096;
constexpr std::uint32_t second = 2;

/// The second region; skips the subtest where there is none.
drm_npu_query_region need_second(const Device &device)
{
	need_sram(device);
	if (device.info().region_count <= second)
		igt::skip("needs a device with two on-chip memories: npu_virt with sram2_kib");
	return device.region(second);
}

int ask(const Device &device, std::uint32_t handle, std::uint32_t region, std::uint32_t want)
{
	drm_npu_bo_residency args{};

	args.handle = handle;
	args.residency = want;
	args.region = region;
	return call(device.fd(), DRM_IOCTL_NPU_BO_RESIDENCY, &args);
}

bool gets_to(const Device &device, std::uint32_t handle, std::uint32_t region)
{
	return patience::comes([&] { return device.buffer(handle).region == region; });
}

} // namespace

SUBTEST(sram_region)
{
	Device device;
	drm_npu_query_region region = need_sram(device);

	const std::uint32_t count = device.info().region_count;
	for (std::uint32_t index = on_chip; index < count; index++) {
		region = device.region(index);
		CHECK_EQ(region.kind, DRM_NPU_REGION_SRAM);
		CHECK_EQ(region.flags, DRM_NPU_REGION_RESIDENCY);
		CHECK(region.size >= page);
		CHECK_EQ(region.size % page, 0);
		CHECK(region.used <= region.size);
		CHECK_EQ(region.file_used, 0);
		CHECK_EQ(region.file_pinned, 0);
		CHECK(region.largest_hole <= region.size - region.used);
		CHECK(region.pin_limit <= region.size);
		CHECK(region.share <= region.size);
	}
	drm_npu_query_region record{};
	CHECK_ERR(device.query(DRM_NPU_QUERY_REGION, count, &record, sizeof(record)), ENOENT);
}

/* A region that is full has nothing to do with the other. */
SUBTEST(sram_region_full)
{
	Device device;
	drm_npu_query_region region = need_second(device);
	std::uint64_t first_used = device.region(on_chip).file_used;
	Pattern all(device, region.size), more(device, page, 2);

	CHECK_OK(ask(device, all.handle(), second, DRM_NPU_RESIDENCY_PREFER));
	CHECK(gets_to(device, all.handle(), second));
	CHECK_EQ(device.region(second).file_used, region.size);
	CHECK_EQ(device.region(second).largest_hole, 0);
	CHECK_EQ(device.region(on_chip).file_used, first_used);
	CHECK_OK(ask(device, more.handle(), on_chip, DRM_NPU_RESIDENCY_PIN));
	CHECK_EQ(device.buffer(more.handle()).region, on_chip);
	CHECK_EQ(device.buffer(more.handle()).asked_region, on_chip);
	CHECK_EQ(device.buffer(all.handle()).region, second);
	CHECK_EQ(device.region(on_chip).file_pinned, page);
	CHECK_EQ(device.region(second).file_pinned, 0);
	all.check();
	more.check();
	all.fill(3);
	CHECK_OK(ask(device, all.handle(), second, DRM_NPU_RESIDENCY_NONE));
	all.check();
	CHECK_EQ(device.region(second).file_used, 0);
}

/* A buffer that is wanted in a region has to be given up before it goes to another. */
SUBTEST(sram_region_other)
{
	Device device;
	need_second(device);
	Pattern buffer(device, 2 * page);

	CHECK_OK(ask(device, buffer.handle(), on_chip, DRM_NPU_RESIDENCY_PIN));
	CHECK_ERR(ask(device, buffer.handle(), second, DRM_NPU_RESIDENCY_PIN), EBUSY);
	CHECK_ERR(ask(device, buffer.handle(), second, DRM_NPU_RESIDENCY_PREFER), EBUSY);
	drm_npu_query_buffer info = device.buffer(buffer.handle());
	CHECK_EQ(info.region, on_chip);
	CHECK_EQ(info.asked_region, on_chip);
	CHECK_EQ(info.residency, DRM_NPU_RESIDENCY_PIN);
	buffer.check();
	CHECK_OK(ask(device, buffer.handle(), second, DRM_NPU_RESIDENCY_NONE));
	CHECK_EQ(device.buffer(buffer.handle()).region, DRM_NPU_REGION_SYSTEM);
	CHECK_OK(ask(device, buffer.handle(), second, DRM_NPU_RESIDENCY_PIN));
	CHECK_EQ(device.buffer(buffer.handle()).region, second);
	buffer.check();
	CHECK_EQ(device.region(on_chip).file_used, 0);
	CHECK_EQ(device.region(second).file_pinned, 2 * page);
}

/* Operands, results and streams may be in different regions. */
SUBTEST(sram_region_job)
{
	Device device;
	need_second(device);
	Product product(device);

	CHECK_OK(ask(device, product.features.handle(), on_chip, DRM_NPU_RESIDENCY_PREFER));
	CHECK_OK(ask(device, product.weights.handle(), second, DRM_NPU_RESIDENCY_PREFER));
	CHECK_OK(ask(device, product.out.handle(), second, DRM_NPU_RESIDENCY_PREFER));
	CHECK(gets_to(device, product.features.handle(), on_chip));
	CHECK(gets_to(device, product.weights.handle(), second));
	CHECK(gets_to(device, product.out.handle(), second));
	for (std::uint32_t region : {0u, on_chip, second}) {
		std::uint64_t used = device.region(region).file_used;
		std::uint32_t job = create_job(device, {{product.task()}}, region);

		CHECK(patience::comes([&] { return device.region(region).file_used > used; }));
		product.clear();
		CHECK_EQ(run(device, device.context(), job), 1);
		product.check();
		CHECK_OK(device.destroy_job(job));
		CHECK(patience::comes([&] { return device.region(region).file_used == used; }));
	}
}

/* BO_CREATE, too, places a buffer in the region that it names. */
SUBTEST(sram_region_create)
{
	Device device;
	drm_npu_query_region region = need_second(device);
	drm_npu_bo_create args{};

	args.size = page;
	args.region = second;
	args.flags = DRM_NPU_BO_PIN;
	CHECK_OK(call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args));
	CHECK_EQ(device.buffer(args.handle).region, second);
	args.size = region.size + page;
	args.flags = 0;
	CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args), ENOSPC);
	args.region = device.info().region_count;
	args.size = page;
	CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args), EINVAL);
}
