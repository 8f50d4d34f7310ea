/* SPDX-License-Identifier: MIT */
/// Buffers that the CPU sees cached, and handing them over.
#include <algorithm>
#include <cerrno>
#include <sstream>
#include <string>

#include "debugfs.h"
#include "dmabuf.h"
#include "igt.h"
#include "program.h"
#include "sram.h"

namespace
{

constexpr std::uint64_t page = 4096;

int hand_over(const Device &device, std::uint32_t handle, std::uint32_t direction,
	      std::uint64_t offset, std::uint64_t length, std::uint64_t pad = 0)
{
	drm_npu_bo_sync args{handle, direction, offset, length, pad};

	return call(device.fd(), DRM_IOCTL_NPU_BO_SYNC, &args);
}

/// Pages that were read before they were written, as all files of that name have it: a
/// device may have several.
unsigned long wc_reads()
{
	std::istringstream words(read_debugfs("wc_reads"));
	std::string word;
	unsigned long sum = 0;

	while (words >> word)
		sum += std::stoul(word);
	return sum;
}

} // namespace

SUBTEST(cache_flag)
{
	Device device;
	Buffer plain(device, page), cached(device, page, DRM_NPU_BO_CACHED),
		both(device, page, DRM_NPU_BO_CACHED | DRM_NPU_BO_READ_ONLY);

	CHECK_EQ(device.buffer(plain.handle()).flags, 0);
	CHECK_EQ(device.buffer(cached.handle()).flags, DRM_NPU_BO_CACHED);
	CHECK_EQ(device.buffer(both.handle()).flags, DRM_NPU_BO_CACHED | DRM_NPU_BO_READ_ONLY);
	CHECK_EQ(cached.as<std::uint32_t>()[7], 0);
}

/* Operands and results come through, handed over. */
SUBTEST(cache_job)
{
	Device device;
	const Product product(device, {}, 1, DRM_NPU_BO_CACHED);
	const std::uint32_t job = create_job(device, {{product.task()}});

	for (int round = 0; round < 3; round++) {
		product.clear();
		CHECK_EQ(run(device, device.context(), job), 1);
		product.check();
	}
}

/* A job may have buffers of either kind. */
SUBTEST(cache_job_mixed)
{
	Device device;
	Product product(device);
	Buffer features(device, product.features.size(), DRM_NPU_BO_CACHED),
		out(device, product.out.size(), DRM_NPU_BO_CACHED);
	Task task = product.task();

	std::copy_n(product.features.as<std::uint8_t>(), product.features.size(),
		    features.as<std::uint8_t>());
	features.to_device();
	out.to_cpu();
	std::fill_n(out.as<std::uint8_t>(), out.size(), std::uint8_t{0xaa});
	out.to_device();
	set(task, cna_feature_addr, features.address());
	set(task, dpu_dst_addr, out.address());
	CHECK_EQ(run(device, device.context(), create_job(device, {{task}})), 1);
	out.to_cpu();
	std::copy_n(out.as<std::uint8_t>(), out.size(), product.out.as<std::uint8_t>());
	product.check();
}

/* Writes of the CPU survive a move of the buffer, synchronised or not. */
SUBTEST(cache_moves)
{
	Device device;
	need_sram(device);
	Buffer buffer(device, 2 * page, DRM_NPU_BO_CACHED);

	for (std::uint32_t round = 0; round < 6; round++) {
		for (std::uint32_t i = 0; i < 2 * page / 4; i++)
			buffer.as<std::uint32_t>()[i] = i + round;
		CHECK_OK(round % 2 ? evict(device, buffer.handle()) : pin(device, buffer.handle()));
		for (std::uint32_t i = 0; i < 2 * page / 4; i++)
			CHECK_EQ(buffer.as<std::uint32_t>()[i], i + round);
		buffer.to_device();
		buffer.to_cpu();
	}
}

SUBTEST(cache_bad)
{
	Device device, other;
	Buffer buffer(device, 2 * page, DRM_NPU_BO_CACHED);
	const std::uint32_t handle = buffer.handle();

	for (std::uint32_t bad : {2u, 0x80000000u, ~0u})
		CHECK_ERR(hand_over(device, handle, bad, 0, page), EINVAL);
	CHECK_ERR(hand_over(device, handle, 0, 0, 0), EINVAL);
	CHECK_ERR(hand_over(device, handle, 0, 0, 2 * page + 1), EINVAL);
	CHECK_ERR(hand_over(device, handle, 0, 2 * page, 1), EINVAL);
	CHECK_ERR(hand_over(device, handle, 0, page, ~std::uint64_t{0}), EINVAL);
	CHECK_ERR(hand_over(device, handle, 0, ~std::uint64_t{0}, 2), EINVAL);
	for (int bit = 0; bit < 64; bit++)
		CHECK_ERR(hand_over(device, handle, 0, 0, page, std::uint64_t{1} << bit), EINVAL);
	for (std::uint32_t bad : {0u, handle + 1, ~0u})
		CHECK_ERR(hand_over(device, bad, 0, 0, page), ENOENT);
	CHECK_ERR(hand_over(other, handle, 0, 0, page), ENOENT);
	CHECK_OK(hand_over(device, handle, 1, 2 * page - 1, 1));
	CHECK_OK(hand_over(device, handle, 0, 1, 1));
}

/* Exported buffers are still synchronised with BO_SYNC, imported ones with their exporter. */
SUBTEST(cache_shared)
{
	Device device;
	Buffer buffer(device, page, DRM_NPU_BO_CACHED);
	const Fd dma_buf = export_buffer(device.fd(), buffer.handle());

	CHECK_EQ(device.buffer(buffer.handle()).flags, DRM_NPU_BO_CACHED | DRM_NPU_BO_SHARED);
	buffer.to_device();
	const Fd foreign = udmabuf(page);
	Imported imported(device, foreign);
	CHECK_ERR(hand_over(device, imported.handle(), 0, 0, page), EOPNOTSUPP);
}

/* Pages of write-combined mappings that are read first are counted, once each. */
SUBTEST(cache_reads_counted)
{
	need_root();
	Device device;
	const bool coherent = device.info().flags & DRM_NPU_DEVICE_COHERENT;
	const Buffer read(device, 4 * page), written(device, 4 * page),
		cached(device, 4 * page, DRM_NPU_BO_CACHED);
	const unsigned long before = wc_reads();
	auto touch = [](const Buffer &buffer, std::uint64_t index) {
		return std::uint8_t{buffer.as<volatile std::uint8_t>()[index * page]};
	};

	CHECK(!read_debugfs("wc_reads").empty());
	for (std::uint64_t i = 0; i < 4; i++) {
		written.as<volatile std::uint8_t>()[i * page] = 1;
		CHECK_EQ(touch(written, i), 1);
		CHECK_EQ(touch(cached, i), 0);
	}
	CHECK_EQ(wc_reads(), before);
	CHECK_EQ(touch(read, 0), 0);
	const unsigned long files = wc_reads() - before;
	CHECK_EQ(files > 0, !coherent);
	for (std::uint64_t i = 0; i < 4; i++)
		CHECK_EQ(touch(read, i), 0);
	CHECK_EQ(wc_reads(), before + 4 * files);
}
