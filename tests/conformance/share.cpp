/* SPDX-License-Identifier: MIT */
/// Buffers that are shared as dma-bufs: what passes, and what is kept.
#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "dmabuf.h"
#include "igt.h"
#include "leak.h"
#include "process.h"
#include "program.h"

namespace
{

void sync(const Fd &dma_buf, std::uint64_t flags)
{
	dma_buf_sync args{flags | DMA_BUF_SYNC_RW};

	CHECK_OK(call(dma_buf.get(), DMA_BUF_IOCTL_SYNC, &args));
}

/*
 * A product reads its features from, and writes its results to, such memory. That
 * of another driver has no offset in our file.
 */
void check_memory(const Device &device, const Fd &in, const Fd &out, bool foreign = true)
{
	Product product(device);
	Imported features(device, in), results(device, out);
	Mapping in_map(in, 4096), out_map(out, 4096);
	Task task = product.task();

	for (const Imported *buffer : {&features, &results}) {
		const drm_npu_query_buffer &record = buffer->record();

		CHECK(record.size >= 4096);
		CHECK(record.address >= 4096);
		CHECK_EQ(record.address % 4096, 0);
		CHECK(record.address + record.size <= 1ull << 32);
		if (foreign)
			CHECK_EQ(record.mmap_offset, 0);
		CHECK_EQ(record.region, 0);
		CHECK_EQ(record.flags, DRM_NPU_BO_SHARED);
	}
	sync(in, DMA_BUF_SYNC_START);
	std::copy_n(product.features.as<std::uint8_t>(), 4 * 32, in_map.as<std::uint8_t>());
	sync(in, DMA_BUF_SYNC_END);
	std::fill_n(product.features.as<std::uint8_t>(), 4 * 32, std::uint8_t{0});
	set(task, cna_feature_addr, features.address());
	set(task, dpu_dst_addr, results.address());
	CHECK_EQ(run(device, device.context(), create_job(device, {{task}})), 1);
	product.check_untouched();
	std::copy_n(in_map.as<std::uint8_t>(), 4 * 32, product.features.as<std::uint8_t>());
	sync(out, DMA_BUF_SYNC_START);
	std::copy_n(out_map.as<std::uint32_t>(), 4 * 32, product.out.as<std::uint32_t>());
	sync(out, DMA_BUF_SYNC_END);
	product.check();
}

} // namespace

SUBTEST(share_udmabuf)
{
	leak::Check leak;
	{
		Device device;
		Fd in = udmabuf(4096), out = udmabuf(3 * 4096);

		check_memory(device, in, out);
	}
	leak.done();
}

SUBTEST(share_heap)
{
	leak::Check leak;
	{
		Device device;
		Fd in = system_heap(4096), out = system_heap(1 << 20);

		check_memory(device, in, out);
	}
	leak.done();
}

SUBTEST(share_vgem)
{
	leak::Check leak;
	{
		Device device;
		std::unique_ptr<VgemBuffer> in = need_vgem(4096), out = need_vgem(65536);

		check_memory(device, in->dma_buf(), out->dma_buf());
	}
	leak.done();
}

SUBTEST(share_between_files)
{
	leak::Check leak;
	{
		Device device, other;
		Buffer in(other, 4096), out(other, 8192);

		check_memory(device, export_buffer(other.fd(), in.handle()),
			     export_buffer(other.fd(), out.handle()), false);
		/* And both ways between all mappings there are. */
		Fd dma_buf = export_buffer(other.fd(), in.handle());
		Mapping map(dma_buf, 4096);
		in.as<volatile std::uint32_t>()[5] = poison;
		CHECK_EQ(map.as<std::uint32_t>()[5], poison);
		map.as<volatile std::uint32_t>()[5] = 7;
		CHECK_EQ(in.as<std::uint32_t>()[5], 7);
		Imported imported(device, dma_buf);
		if (imported.record().mmap_offset) {
			void *third = map_file(device.fd(), 4096, imported.record().mmap_offset,
					       PROT_READ);

			CHECK(third);
			CHECK_EQ(static_cast<std::uint32_t *>(third)[5], 7);
			munmap(third, 4096);
		}
	}
	leak.done();
}

/* A buffer that is imported by its own file keeps its handle and address. */
SUBTEST(share_round_trip)
{
	Device device;
	leak::Check leak;
	{
		Buffer buffer(device, 8192);
		drm_npu_query_buffer before = device.buffer(buffer.handle());
		std::uint64_t used = device.region().file_used;
		std::uint32_t handle = 0;

		CHECK_EQ(before.flags, 0);
		CHECK_EQ(before.size, 8192);
		CHECK_EQ(before.address, buffer.address());
		CHECK_EQ(before.mmap_offset, buffer.offset());
		Fd dma_buf = export_buffer(device.fd(), buffer.handle());
		Fd again = export_buffer(device.fd(), buffer.handle());
		for (const Fd *fd : {&dma_buf, &again}) {
			CHECK_OK(import_buffer(device.fd(), fd->get(), handle));
			CHECK_EQ(handle, buffer.handle());
		}
		drm_npu_query_buffer after = device.buffer(handle);
		CHECK_EQ(after.flags, DRM_NPU_BO_SHARED);
		CHECK_EQ(after.address, before.address);
		CHECK_EQ(after.mmap_offset, before.mmap_offset);
		CHECK_EQ(device.region().file_used, used);
	}
	leak.done();
}

/* One buffer has one handle, and one address, in a file. */
SUBTEST(share_import_twice)
{
	Device device, other;
	Buffer buffer(other, 4096);
	Fd dma_buf = export_buffer(other.fd(), buffer.handle());
	std::uint32_t first = 0, second = 0;

	CHECK_OK(import_buffer(device.fd(), dma_buf.get(), first));
	std::uint64_t address = device.buffer(first).address;
	CHECK_OK(import_buffer(device.fd(), dma_buf.get(), second));
	CHECK_EQ(first, second);
	CHECK_EQ(device.buffer(second).address, address);
	CHECK_OK(close_handle(device.fd(), first));
	CHECK_ERR(close_handle(device.fd(), first), EINVAL);
	CHECK_OK(import_buffer(device.fd(), dma_buf.get(), first));
	CHECK(device.buffer(first).address);
}

SUBTEST(share_bad_export)
{
	Device device, other;
	Buffer buffer(device, 4096);
	leak::Check leak;
	Fd dma_buf;

	for (unsigned bit = 0; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		if ((1u << bit) & (DRM_CLOEXEC | DRM_RDWR))
			continue;
		CHECK_ERR(export_buffer(device.fd(), buffer.handle(), 1u << bit, dma_buf), EINVAL);
	}
	for (std::uint32_t handle : {0u, buffer.handle() + 1, ~0u})
		CHECK_ERR(export_buffer(device.fd(), handle, DRM_CLOEXEC, dma_buf), ENOENT);
	CHECK_ERR(export_buffer(other.fd(), buffer.handle(), DRM_CLOEXEC, dma_buf), ENOENT);
	/* A buffer whose import was refused is not shared. */
	CHECK_EQ(device.buffer(buffer.handle()).flags, 0);
	leak.done();
}

SUBTEST(share_bad_import)
{
	Device device;
	Fd memory(memfd_create("conformance", MFD_CLOEXEC));
	leak::Check leak;
	std::uint32_t handle = poison;

	CHECK_ERR(import_buffer(device.fd(), -1, handle), EBADF);
	CHECK_ERR(import_buffer(device.fd(), 1000, handle), EBADF);
	CHECK_ERR(import_buffer(device.fd(), memory.get(), handle), EINVAL);
	CHECK_ERR(import_buffer(device.fd(), device.fd(), handle), EINVAL);
	CHECK_EQ(handle, poison);
	leak.done();
}

/* The dma-buf alone keeps the memory, its contents and its fences. */
SUBTEST(share_export_then_close)
{
	leak::Check leak;
	{
		Device device;
		Buffer buffer(device, 8192);
		Fd dma_buf = export_buffer(device.fd(), buffer.handle());

		buffer.as<std::uint32_t>()[2000] = poison;
		buffer.unmap();
		buffer.close();
		Mapping map(dma_buf, 8192);
		CHECK_EQ(map.as<std::uint32_t>()[2000], poison);
		device.close();
		CHECK_EQ(map.as<std::uint32_t>()[2000], poison);
		map.as<volatile std::uint32_t>()[0] = poison;

		Device other;
		Imported imported(other, dma_buf);
		CHECK_EQ(imported.size(), 8192);
		dma_buf.reset();
		CHECK_EQ(map.as<std::uint32_t>()[0], poison);
	}
	leak.done();
}

/* A job keeps what it addresses, also if that is another's. */
SUBTEST(share_job_keeps)
{
	leak::Check leak;
	{
		Device device;
		Product product(device);
		std::uint32_t job = 0;
		std::unique_ptr<Mapping> map;
		{
			Device exporter;
			Buffer buffer(exporter, 4096);
			Fd dma_buf = export_buffer(exporter.fd(), buffer.handle());
			Imported imported(device, dma_buf);
			Task task = product.task();

			map = std::make_unique<Mapping>(dma_buf, 4096);
			set(task, dpu_dst_addr, imported.address());
			job = create_job(device, {{task}});
		}
		CHECK_EQ(run(device, device.context(), job), 1);
		std::copy_n(map->as<std::uint32_t>(), 4 * 32, product.out.as<std::uint32_t>());
		product.check();
		CHECK_OK(device.destroy_job(job));
	}
	leak.done();
}

/* Another process, which has nothing but what came through a socket. */
SUBTEST(share_fd_passing)
{
	leak::Check leak;
	Sockets sockets;
	pid_t pid = fork_run([&] {
		Fd dma_buf = receive_fd(sockets.second);
		Device device;
		Product product(device);
		Imported imported(device, dma_buf);
		Task task = product.task();

		set(task, dpu_dst_addr, imported.address());
		CHECK_EQ(run(device, device.context(), create_job(device, {{task}})), 1);
	});
	{
		Device device;
		Product product(device);

		send_fd(sockets.first, export_buffer(device.fd(), product.out.handle()).get());
		check_exit(pid);
		/* Both have the same operands. */
		product.check();
	}
	leak.done();
}

/* vgem takes ours, too: it maps them, and its fences hold up our jobs. */
SUBTEST(share_vgem_imports)
{
	leak::Check leak;
	{
		Device device;
		Product product(device);
		Fd dma_buf = export_buffer(device.fd(), product.out.handle());
		std::unique_ptr<VgemBuffer> theirs = need_vgem(4096);
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, {{product.task()}});

		theirs->import(dma_buf);
		std::uint32_t fence = theirs->attach_fence(true);
		Syncobj done(device);
		CHECK_OK(submit(device, context, {job}, {{}, {done.sync()}}));
		CHECK_EQ(final_status(done, 50), 0);
		product.check_untouched();
		theirs->signal_fence(fence);
		CHECK_EQ(final_status(done), 1);
		product.check();
	}
	leak.done();
}

/* Exporting, importing and closing, all at once. */
SUBTEST(share_threads)
{
	leak::Check leak;
	{
		Device device, other;
		Buffer buffer(device, 4096);

		igt::parallel(4, [&](unsigned thread) {
			for (int i = 0; i < 100; i++) {
				Fd dma_buf = export_buffer(device.fd(), buffer.handle());
				std::uint32_t handle = 0;

				CHECK_OK(import_buffer(thread % 2 ? device.fd() : other.fd(),
						       dma_buf.get(), handle));
				if (thread % 2) {
					CHECK_EQ(handle, buffer.handle());
				} else {
					int result = close_handle(other.fd(), handle);

					/* The two importers have the same handle. */
					CHECK(!result || result == -EINVAL);
				}
			}
		});
		CHECK_EQ(device.buffer(buffer.handle()).address, buffer.address());
	}
	leak.done();
}
