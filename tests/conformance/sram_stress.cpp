/* SPDX-License-Identifier: MIT */
/// On-chip memory: moves against all else that may happen to buffers, with a look at
/// the contents after it.
#include <atomic>
#include <cerrno>
#include <thread>

#include <fcntl.h>

#include "dmabuf.h"
#include "igt.h"
#include "leak.h"
#include "process.h"
#include "sram.h"

namespace
{

constexpr std::uint64_t page = 4096;

/// A thread that moves a buffer in and out, until it is told to end, the handle is
/// closed, or it has moved often. Each move takes the pages from whoever reads or writes
/// them: against moves without end, that thread might get nowhere.
class Mover
{
public:
	Mover(const Device &device, std::uint32_t handle)
		: thread_([this, &device, handle] { run(device, handle); })
	{
	}

	/// An error that no call may return, or 0.
	int end()
	{
		stop_ = true;
		thread_.join();
		return wrong_;
	}

private:
	void run(const Device &device, std::uint32_t handle)
	{
		for (unsigned i = 0; i < most_moves && !stop_; i++) {
			int ret = i % 2   ? evict(device, handle)
				  : i % 4 ? prefer(device, handle, i % 3)
					  : pin(device, handle);

			if (ret == -ENOENT)
				return;
			/* It is shared, or others have pinned what there is. */
			if (ret && ret != -EBUSY && ret != -ENOSPC)
				wrong_ = ret;
		}
	}

	static constexpr unsigned most_moves = 100;

	std::atomic<bool> stop_ = false;
	int wrong_ = 0;
	std::jthread thread_;
};

} // namespace

/* Files that take each other's place, and compute meanwhile. */
SUBTEST(sram_stress)
{
	leak::Check leak;

	igt::parallel(4, [](unsigned thread) {
		Device device;
		drm_npu_query_region region = need_sram(device);
		Product product(device, {8, 64, 32}, thread + 1);
		Pattern large(device, region.size / 3, thread);
		std::uint32_t job = create_job(device, {{product.task()}});
		std::uint32_t context = device.context();

		for (std::uint32_t round = 0; round < 40; round++) {
			std::vector<std::uint32_t> all = handles(product);
			std::uint32_t handle = all[round % all.size()];
			int ret = 0;

			switch ((round + thread) % 4) {
			case 0:
				ret = prefer(device, large.handle(), thread);
				break;
			case 1:
				ret = pin(device, handle);
				break;
			case 2:
				ret = prefer(device, handle, round);
				break;
			default:
				ret = evict(device, round % 8 ? handle : large.handle());
			}
			CHECK(ret == 0 || ret == -ENOSPC);
			product.clear();
			CHECK_EQ(run(device, context, job), 1);
			product.check();
			if (round % 10 == 9) {
				large.check();
				large.fill(round);
			}
		}
	});
	leak.done();
}

/* Processes that die while their buffers move. */
SUBTEST(sram_killed)
{
	Device device;
	need_sram(device);
	leak::Check leak;

	for (unsigned round = 0; round < 12; round++) {
		Sockets sockets;
		pid_t pid = fork_run([&] {
			Device child;
			drm_npu_query_region region = need_sram(child);
			Pattern large(child, region.size / 2, round);
			Product product(child, slow_shape);
			std::uint32_t job = create_job(child, {slow_lane(product)});

			if (round % 2)
				CHECK_OK(submit(child, child.context(), {job}));
			send_byte(sockets.second);
			for (bool in = true;; in = !in) {
				CHECK_OK(prefer(child, large.handle()));
				CHECK_OK(pin(child, product.out.handle()));
				CHECK_OK(evict(child, large.handle()));
			}
		});

		receive_byte(sockets.first);
		usleep(round * 3000);
		kill_child(pid);
	}
	leak.done();
	CHECK_EQ(device.region(on_chip).pinned, 0);
	check_works(device);
}

/* Mappings keep contents that move while the handle is closed. */
SUBTEST(sram_stress_close)
{
	need_unmapping();
	leak::Check leak;

	igt::parallel(3, [](unsigned thread) {
		Device device;
		need_sram(device);

		for (std::uint32_t round = 0; round < 30; round++) {
			Pattern buffer(device, (1 + round % 7) * page, round + thread);
			Mover mover(device, buffer.handle());

			for (std::uint32_t i = 0; i < round % 4; i++) {
				buffer.check();
				buffer.fill(round + i);
			}
			buffer.buffer.close();
			buffer.check();
			buffer.fill(round + 100);
			CHECK_EQ(mover.end(), 0);
			buffer.check();
		}
		CHECK(gets_empty(device));
	});
	leak.done();
}

/* An importer of a buffer that moves sees its contents, and the buffer moves no more. */
SUBTEST(sram_stress_share)
{
	need_unmapping();
	leak::Check leak;

	igt::parallel(3, [](unsigned thread) {
		Device device, other;
		need_sram(device);

		for (std::uint32_t round = 0; round < 30; round++) {
			std::size_t size = (1 + round % 7) * page;
			Pattern buffer(device, size, round + thread);
			Mover mover(device, buffer.handle());
			Fd file;
			int ret;

			usleep(round * 100);
			do {
				ret = export_buffer(device.fd(), buffer.handle(),
						    DRM_CLOEXEC | DRM_RDWR, file);
			} while (ret == -EBUSY);
			CHECK_OK(ret);
			Imported imported(other, file);
			Mapping mapping(file, size);
			for (std::size_t i = 0; i < size / 4; i += 97)
				CHECK_EQ(mapping.as<std::uint32_t>()[i],
					 buffer.buffer.as<std::uint32_t>()[i]);
			CHECK_EQ(device.buffer(buffer.handle()).residency, DRM_NPU_RESIDENCY_NONE);
			buffer.check();
			buffer.fill(round + 100);
			CHECK_EQ(mover.end(), 0);
			CHECK(!inside(device, buffer.handle()));
			for (std::size_t i = 0; i < size / 4; i += 97)
				CHECK_EQ(mapping.as<std::uint32_t>()[i],
					 buffer.buffer.as<std::uint32_t>()[i]);
			buffer.check();
		}
	});
	leak.done();
}

/* A file goes on to have its contents when one of its processes dies amid a move. */
SUBTEST(sram_killed_of_two)
{
	leak::Check leak;
	{
		Device device;
		drm_npu_query_region region = need_sram(device);
		Pattern large(device, region.pin_limit / 2);
		Product product(device, slow_shape);
		std::uint32_t job = create_job(device, {slow_lane(product)});
		std::uint32_t context = device.context();

		for (std::uint32_t round = 0; round < 12; round++) {
			Sockets sockets;
			pid_t pid = fork_run([&] {
				send_byte(sockets.second);
				for (std::uint32_t i = 0;; i++) {
					std::vector<std::uint32_t> all = handles(product);

					CHECK_OK(prefer(device, large.handle()));
					CHECK_OK(pin(device, all[i % all.size()]));
					CHECK_OK(evict(device, large.handle()));
					CHECK_OK(evict(device, all[i % all.size()]));
				}
			});

			receive_byte(sockets.first);
			product.clear();
			CHECK_OK(submit(device, context, {job}));
			large.fill(round);
			usleep(round * 3000);
			kill_child(pid);
			large.check();
			CHECK_EQ(wait_ended(device, context, round + 1).error, 0);
			product.check();
			/* All move as before. */
			for (std::uint32_t handle : handles(product))
				CHECK_OK(evict(device, handle));
			CHECK_OK(pin(device, large.handle()));
			large.check();
			CHECK_OK(evict(device, large.handle()));
			large.check();
		}
	}
	leak.done();
}
