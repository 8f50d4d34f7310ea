/* SPDX-License-Identifier: MIT */
/// BO_CREATE, mmap() and GEM_CLOSE.
#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

int create(const Device &device, drm_npu_bo_create &args)
{
	return call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args);
}

/* A call that fails leaves its outputs and everything else alone. */
void check_refused(const Device &device, drm_npu_bo_create args, int error)
{
	leak::Check leak;
	drm_npu_bo_create before = args;

	args.handle = poison;
	args.address = args.mmap_offset = poison;
	CHECK_ERR(create(device, args), error);
	CHECK_EQ(args.size, before.size);
	CHECK_EQ(args.handle, poison);
	CHECK_EQ(args.address, poison);
	CHECK_EQ(args.mmap_offset, poison);
	leak.done();
}

drm_npu_bo_create sized(std::uint64_t size)
{
	drm_npu_bo_create args{};

	args.size = size;
	return args;
}

/* Answers 0 or the errno of mmap(), whose mapping does not stay. */
int try_map(int fd, std::size_t size, std::uint64_t offset, int flags = MAP_SHARED)
{
	void *map =
		mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, static_cast<off_t>(offset));

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, size);
	return 0;
}

} // namespace

SUBTEST(buffer_sizes)
{
	Device device;
	leak::Check leak;

	for (std::uint64_t size : {1u, 4095u, 4096u, 4097u, 12345u, 1u << 20, 5u << 20}) {
		igt::Note note("size " + std::to_string(size));
		Buffer buffer(device, size);

		CHECK(buffer.handle());
		CHECK_EQ(buffer.size(), (size + 4095) / 4096 * 4096);
		CHECK(buffer.address());
		CHECK_EQ(buffer.address() % 4096, 0);
		auto *bytes = buffer.as<std::uint8_t>();
		CHECK(std::all_of(bytes, bytes + buffer.size(), [](auto b) { return !b; }));
		std::fill_n(bytes, buffer.size(), std::uint8_t{0x5a});
	}
	leak.done();
}

/* Memory that another file has had comes back clean. */
SUBTEST(buffer_zero_after_use)
{
	for (int i = 0; i < 8; i++) {
		Device device;
		Buffer buffer(device, 4 << 20);
		auto *bytes = buffer.as<std::uint8_t>();

		CHECK(std::all_of(bytes, bytes + buffer.size(), [](auto b) { return !b; }));
		std::fill_n(bytes, buffer.size(), std::uint8_t{0xff});
	}
}

SUBTEST(buffer_size_zero)
{
	Device device;

	check_refused(device, sized(0), EINVAL);
}

SUBTEST(buffer_too_big)
{
	Device device;
	std::uint64_t max = device.limits().max_buffer_size;

	for (std::uint64_t size : std::initializer_list<std::uint64_t>{
		     max + 1, max + 4096, max * 2, 1ull << 40, ~0ull - 4095, ~0ull}) {
		igt::Note note("size " + std::to_string(size));
		check_refused(device, sized(size), E2BIG);
	}
}

SUBTEST(buffer_flags)
{
	Device device;

	for (unsigned bit = 0; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		drm_npu_bo_create args = sized(4096);

		args.flags = 1u << bit;
		if (args.flags != DRM_NPU_BO_READ_ONLY && args.flags != DRM_NPU_BO_CACHED)
			check_refused(device, args, EINVAL);
		args.flags |= DRM_NPU_BO_SHARED;
		check_refused(device, args, EINVAL);
		args = sized(4096);
		args.region = 1u << bit;
		if (args.region >= device.info().region_count)
			check_refused(device, args, EINVAL);
		args = sized(4096);
		args.pad = 1u << bit;
		check_refused(device, args, EINVAL);
	}
}

SUBTEST(buffer_addresses)
{
	Device device;
	std::vector<Buffer> buffers;
	std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;

	for (std::uint32_t i = 0; i < 100; i++)
		buffers.emplace_back(device, (i * 7919) % 50000 + 1);
	/* Holes of all sizes make the allocator work. */
	for (std::uint32_t i = 0; i < 100; i += 3)
		buffers[i].close();
	for (std::uint32_t i = 0; i < 50; i++)
		buffers.emplace_back(device, (i * 104729) % 30000 + 1);
	for (const Buffer &buffer : buffers)
		if (buffer.handle())
			ranges.emplace_back(buffer.address(), buffer.address() + buffer.size());
	std::ranges::sort(ranges);
	CHECK(ranges.front().first >= 4096);
	CHECK(ranges.back().second <= 1ull << device.limits().address_bits);
	for (std::size_t i = 1; i < ranges.size(); i++)
		CHECK(ranges[i - 1].second <= ranges[i].first);
}

SUBTEST(buffer_accounting)
{
	Device device, other;
	std::uint64_t before = 0, during = 0;

	/* That of the subtest before may still be on its way out. */
	CHECK(patience::comes([&] {
		before = device.region().used;
		{
			Buffer a(device, 10000), b(device, 1);

			CHECK_EQ(device.region().file_used, 16384);
			CHECK_EQ(other.region().file_used, 0);
			during = other.region().used;
		}
		CHECK_EQ(device.region().file_used, 0);
		return device.region().used == before;
	}));
	CHECK_EQ(during, before + 16384);
}

SUBTEST(buffer_mmap_bad)
{
	Device device, other;
	Buffer buffer(device, 3 * 4096);
	std::uint64_t offset = buffer.offset();

	CHECK_ERR(try_map(device.fd(), 4096, offset + 4096), EINVAL);
	CHECK_ERR(try_map(device.fd(), 4 * 4096, offset), EINVAL);
	CHECK_ERR(try_map(device.fd(), 4096, offset + 3 * 4096), EINVAL);
	CHECK(try_map(device.fd(), 4096, 0) < 0);
	CHECK_ERR(try_map(device.fd(), 4096, 1ull << 46), EINVAL);
	CHECK_ERR(try_map(device.fd(), 4096, offset, MAP_PRIVATE), EINVAL);
	CHECK_ERR(try_map(other.fd(), 3 * 4096, offset), EACCES);
	CHECK_OK(try_map(device.fd(), 3 * 4096, offset));
	buffer.close();
	buffer.unmap();
	CHECK(try_map(device.fd(), 3 * 4096, offset) < 0);
}

SUBTEST(buffer_close_twice)
{
	Device device, other;
	drm_npu_bo_create args = sized(4096);

	CHECK_OK(create(device, args));
	CHECK_ERR(close_handle(other.fd(), args.handle), EINVAL);
	CHECK_OK(close_handle(device.fd(), args.handle));
	CHECK_ERR(close_handle(device.fd(), args.handle), EINVAL);
	CHECK_ERR(close_handle(device.fd(), 0), EINVAL);
	CHECK_ERR(close_handle(device.fd(), ~0u), EINVAL);
}

SUBTEST(buffer_close_mapped)
{
	Device device;
	Buffer buffer(device, 65536);
	auto *words = buffer.as<volatile std::uint32_t>();

	for (std::uint32_t i = 0; i < 8192; i++)
		words[i] = i * 3;
	buffer.close();
	/* Other buffers get memory, but not this memory. */
	Buffer other(device, 65536);
	std::fill_n(other.as<std::uint32_t>(), 16384, poison);
	for (std::uint32_t i = 0; i < 8192; i++)
		CHECK_EQ(std::uint32_t{words[i]}, i * 3);
	for (std::uint32_t i = 8192; i < 16384; i++)
		CHECK_EQ(std::uint32_t{words[i]}, 0);
	device.close();
	words[0] = poison;
	CHECK_EQ(std::uint32_t{words[0]}, poison);
}

/* A job keeps what it addresses where it is. */
SUBTEST(buffer_close_in_job)
{
	Device device;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint64_t used = device.region().file_used;

	product.features.close();
	product.weights.close();
	product.out.close();
	CHECK_EQ(device.region().file_used, used);
	std::vector<Buffer> others;
	for (int i = 0; i < 20; i++) {
		Buffer &other = others.emplace_back(device, 4096);

		CHECK(other.address() != product.features.address());
		CHECK(other.address() != product.weights.address());
		CHECK(other.address() != product.out.address());
	}
	CHECK_EQ(run(device, context, job), 1);
	product.check();

	/* Retiring lags behind the fence. */
	CHECK_OK(device.destroy_job(job));
	CHECK(patience::comes([&] { return device.region().file_used == 20 * 4096; }));
}

/* A buffer that the device may only read cannot take results... */
SUBTEST(buffer_read_only)
{
	Device device;
	Product product(device);
	Buffer buffer(device, 4096, DRM_NPU_BO_READ_ONLY);
	leak::Check leak;
	Task task = product.task();
	drm_npu_job_create args{};

	CHECK_EQ(device.buffer(buffer.handle()).flags, DRM_NPU_BO_READ_ONLY);
	set(task, dpu_dst_addr, buffer.address());
	args.job_id = poison;
	CHECK_ERR(create_job(device, {{product.task(), task}}, args), EINVAL);
	CHECK_EQ(args.job_id, poison);
	CHECK_EQ(args.fault_reason, DRM_NPU_FAULT_ADDRESS);
	CHECK_EQ(args.fault_lane, 0);
	CHECK_EQ(args.fault_task, 1);
	CHECK_EQ(args.fault_command, index_of(task, dpu_dst_addr));
	leak.done();

	/* ...but for operands, which the client itself writes. */
	std::copy_n(product.features.as<std::uint8_t>(), 128, buffer.as<std::uint8_t>());
	task = product.task();
	set(task, cna_feature_addr, buffer.address());
	CHECK_EQ(run(device, device.context(), create_job(device, {{task}})), 1);
	product.check();
}

/* Results that run out of their buffer do not run into it either. */
SUBTEST(buffer_read_only_overrun)
{
	Device device;
	Product product(device);
	std::vector<Buffer> row;

	for (int i = 0; i < 3; i++)
		row.emplace_back(device, 1 << 20, i == 1 ? DRM_NPU_BO_READ_ONLY : 0);
	/* Whichever way the addresses grow, one lies right in front of it. */
	Buffer &before = row[0].address() < row[1].address() ? row[0] : row[2];
	CHECK_EQ(before.address() + (1 << 20), row[1].address());
	Task task = product.task();
	set(task, dpu_dst_addr, row[1].address() - 16);
	CHECK_EQ(run(device, device.context(), create_job(device, {{task}})), -EFAULT);
	for (std::uint32_t i = 0; i < 1 << 18; i++)
		CHECK_EQ(row[1].as<std::uint32_t>()[i], 0);
}

SUBTEST(buffer_query)
{
	Device device, other;
	Buffer buffer(device, 5000);
	drm_npu_query_buffer record = device.buffer(buffer.handle());

	CHECK_EQ(record.size, 8192);
	CHECK_EQ(record.address, buffer.address());
	CHECK_EQ(record.mmap_offset, buffer.offset());
	CHECK_EQ(record.region, 0);
	CHECK_EQ(record.flags, 0);
	CHECK_ERR(other.query(DRM_NPU_QUERY_BUFFER, buffer.handle(), &record, sizeof(record)),
		  ENOENT);
	std::uint32_t handle = buffer.handle();
	buffer.close();
	CHECK_ERR(device.query(DRM_NPU_QUERY_BUFFER, handle, &record, sizeof(record)), ENOENT);
}

/* A number that was given back is given out again, for something else. */
SUBTEST(buffer_handle_reuse)
{
	Device device;
	Product product(device);
	leak::Check leak;
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = device.context();
	std::uint32_t handle = product.out.handle(), again = 0;
	std::vector<Buffer> buffers;

	product.out.close();
	for (int i = 0; i < 8 && again != handle; i++)
		again = buffers.emplace_back(device, 4096).handle();
	CHECK_EQ(again, handle);
	CHECK(device.buffer(handle).address != product.out.address());
	/* The job means the buffer that it was made for. */
	CHECK_EQ(run(device, context, job), 1);
	product.check();
	CHECK_EQ(buffers.back().as<std::uint32_t>()[0], 0);
	CHECK_OK(wait_buffer(device, handle, 0));
	CHECK_OK(device.destroy_job(job));
	CHECK_OK(device.destroy_context(context));
}

/* An address range that is not the device's, and root gets no further. */
SUBTEST(buffer_mmap_protection)
{
	Device device, read_only(O_RDONLY);
	Buffer buffer(device, 4096);
	drm_npu_bo_create args = sized(4096);

	CHECK(!map_file(read_only.fd(), 4096, buffer.offset(), PROT_READ));
	CHECK_OK(create(read_only, args));
	CHECK(!map_file(read_only.fd(), 4096, args.mmap_offset, PROT_READ | PROT_WRITE));
	CHECK_EQ(errno, EACCES);
	CHECK_OK(close_handle(read_only.fd(), args.handle));
}
