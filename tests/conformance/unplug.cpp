/* SPDX-License-Identifier: MIT */
/// The device goes away while it is in use, and comes back.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "dmabuf.h"
#include "igt.h"
#include "injection.h"
#include "plug.h"
#include "process.h"
#include "program.h"

namespace
{

/* Whatever a client calls, the answer is ENODEV. */
void check_gone(const Device &device)
{
	std::uint64_t argument[32]{};

	for (unsigned long request : driver_calls)
		CHECK_ERR(call(device.fd(), request, argument), ENODEV);
	for (unsigned long request :
	     {DRM_IOCTL_GEM_CLOSE, DRM_IOCTL_SYNCOBJ_CREATE, DRM_IOCTL_VERSION,
	      DRM_IOCTL_PRIME_HANDLE_TO_FD, DRM_IOCTL_PRIME_FD_TO_HANDLE})
		CHECK_ERR(call(device.fd(), request, argument), ENODEV);
}

int delete_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* As it was loaded before: the timeout is the only parameter tests set. */
void load(const std::string &module, unsigned timeout_ms)
{
	std::string command = "modprobe " + module + " timeout_ms=" + std::to_string(timeout_ms);

	CHECK_EQ(std::system(command.c_str()), 0);
}

} // namespace

SUBTEST(unplug_idle)
{
	const Plug plug = need_plug();
	Device device;
	check_works(device);
	{
		Unplugged unplugged(plug);

		check_gone(device);
		unplugged.rebind();
	}
	check_gone(device);
	Device fresh;
	check_works(fresh);
	device.close();
	check_works(fresh);
}

SUBTEST(unplug_blocked)
{
	const Plug plug = need_plug();
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	Syncobj blocked(device), queued(device), other(device);

	CHECK_OK(submit(device, device.context(), {job}, {{gate.sync()}, {blocked.sync()}}));
	CHECK_OK(submit(device, 1, {job, job}, {{}, {queued.sync()}}));
	CHECK_OK(submit(device, device.context(), {job}, {{blocked.sync()}, {other.sync()}}));
	Fd files[] = {blocked.export_file(), queued.export_file(), other.export_file()};
	{
		Unplugged unplugged(plug);

		for (const Fd &file : files)
			CHECK_EQ(final_status(file), -ENODEV);
		check_gone(device);
		gate.open();
		product.check_untouched();
		product.features.as<volatile std::uint32_t>()[0] = poison;
		CHECK_EQ(product.features.as<std::uint32_t>()[0], poison);
		CHECK(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, device.fd(),
			   static_cast<off_t>(product.out.offset())) == MAP_FAILED);
		CHECK_EQ(errno, ENODEV);
		device.close();
		product.check_untouched();
		unplugged.rebind();
	}
	Device fresh;
	check_works(fresh);
}

SUBTEST(unplug_busy)
{
	const Plug plug = need_plug();
	for (unsigned i = 0; i < 4; i++) {
		Device device;
		/* No job ends before the device goes. */
		Hold hold;
		Product product(device, slow_shape);
		std::uint32_t cores = device.info().core_count;
		std::uint32_t job =
			create_job(device, std::vector<Lane>(cores, slow_lane(product)));
		std::vector<Fd> files;

		for (int context = 0; context < 3; context++) {
			Syncobj done(device);

			CHECK_OK(submit(device, device.context(), {job, job}, {{}, {done.sync()}}));
			files.push_back(done.export_file());
		}
		usleep(i * 5000);
		Unplugged unplugged(plug);
		for (const Fd &file : files)
			CHECK_EQ(final_status(file), -ENODEV);
		check_gone(device);
		if (i % 2)
			device.close();
		unplugged.rebind();
		Device fresh;
		check_works(fresh);
	}
}

/*
 * A job has lanes that no core has taken yet. The cores that the unplugging
 * frees must not take them, for the device they would run on is gone.
 */
SUBTEST(unplug_lanes_waiting)
{
	const Plug plug = need_plug();
	for (unsigned i = 0; i < 4; i++) {
		Device device;
		Hold hold;
		std::uint32_t cores = device.info().core_count;

		if (cores < 2)
			igt::skip("needs two cores");
		Product product(device, slow_shape);
		std::uint32_t one = create_job(device, {slow_lane(product)});
		std::uint32_t all =
			create_job(device, std::vector<Lane>(cores, slow_lane(product)));
		Syncobj a(device), b(device);

		CHECK_OK(submit(device, device.context(1), {one}, {{}, {a.sync()}}));
		std::uint32_t context = device.context();
		CHECK_OK(submit(device, context, {all}, {{}, {b.sync()}}));
		Fd first = a.export_file(), second = b.export_file();
		if (i % 2)
			hold.wait_held();
		else
			wait_running(device, context, 1);
		Unplugged unplugged(plug);
		CHECK_EQ(final_status(first), -ENODEV);
		CHECK_EQ(final_status(second), -ENODEV);
		/* No job runs any more, so results stay as they are. */
		product.clear();
		usleep(50000);
		product.check_untouched();
		unplugged.rebind();
	}
	Device fresh;
	check_works(fresh);
}

SUBTEST(unplug_during_calls)
{
	const Plug plug = need_plug();
	for (int i = 0; i < 5; i++) {
		/* Both threads are well under way then. */
		constexpr unsigned calls = 20;
		std::atomic<unsigned> ready = 0;

		igt::parallel(3, [&](unsigned thread) {
			if (!thread) {
				CHECK(patience::comes([&] { return ready == 2 * calls; }));
				Unplugged unplugged(plug);
				unplugged.rebind();
				return;
			}
			Device device;
			Product product(device);
			std::uint32_t context = device.context();
			int result = 0;

			for (unsigned n = 0; !result; n++) {
				drm_npu_job_create args{};

				if (n < calls)
					ready++;

				result = create_job(device, {{product.task()}}, args);
				if (!result)
					result = submit(device, context, {args.job_id});
				if (result == -EBUSY)
					result = 0;
				if (!result)
					result = device.destroy_job(args.job_id);
			}
			CHECK_ERR(result, ENODEV);
		});
	}
	Device fresh;
	check_works(fresh);
}

/* A blocked fence belongs to the module's code even when the device has gone. */
SUBTEST(unplug_fence_kept)
{
	const Plug plug = need_plug();
	Fd file;
	{
		Device device;
		Product product(device);
		Syncobj done(device);

		CHECK_OK(submit(device, device.context(), {create_job(device, {{product.task()}})},
				{{}, {done.sync()}}));
		file = done.export_file();
		CHECK_EQ(final_status(file), 1);
	}
	Unplugged unplugged(plug);
	CHECK_EQ(file_status(file), 1);
	unplugged.rebind();
	CHECK_EQ(file_status(file), 1);
}

/* Unloading the device's module with a client is refused, or safe. */
SUBTEST(unplug_unload)
{
	const Plug plug = need_plug();
	unsigned timeout_ms = watchdog_ms();
	Device device;
	Hold hold;
	Product product(device);
	Syncobj done(device);

	CHECK_OK(submit(device, device.context(), {create_job(device, {{product.task()}})},
			{{}, {done.sync()}}));
	Fd file = done.export_file();
	int result = delete_module(plug.module.c_str());
	if (!result) {
		CHECK_EQ(final_status(file), -ENODEV);
		check_gone(device);
		product.clear();
		product.check_untouched();
		/* Its code is in use as long as the file is. */
		CHECK_ERR(delete_module("npu"), EAGAIN);
		load(plug.module, timeout_ms);
	} else {
		CHECK(result == -EAGAIN || result == -EBUSY);
		hold.open();
		CHECK_EQ(final_status(file), 1);
	}
	Device fresh;
	check_works(fresh);
	device.close();
	check_works(fresh);
}

/* Waits return ENODEV, or the result of the job. */
SUBTEST(unplug_waiting)
{
	const Plug plug = need_plug();
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});
	/* Rocket's call waits for fences, which only shared buffers have. */
	Fd dma_buf = export_buffer(device.fd(), product.out.handle());

	CHECK_OK(submit(device, context, {job}, {{gate.sync()}, {}}));
	std::array<Sleeper, 4> sleepers;
	igt::parallel(4, [&](unsigned thread) {
		int result = 0;

		if (thread == 0) {
			for (std::size_t i = 1; i < sleepers.size(); i++)
				sleepers[i].wait_asleep();
			Unplugged unplugged(plug);
			unplugged.rebind();
			return;
		}
		sleepers[thread].enters();
		if (thread == 1) {
			drm_npu_job_wait args{};

			result = wait_job(device, context, 1, never, args);
			if (!result) {
				CHECK_EQ(args.state, DRM_NPU_JOB_ENDED);
				CHECK_EQ(args.error, ENODEV);
			}
		} else if (thread == 2) {
			result = wait_buffer(device, product.out.handle(), never);
		} else {
			drm_rocket_prep_bo args{product.out.handle(), 0, never};

			result = call(device.fd(), DRM_IOCTL_ROCKET_PREP_BO, &args);
		}
		if (result)
			CHECK_ERR(result, ENODEV);
	});
	gate.open();
	Device fresh;
	check_works(fresh);
}

/* A dma-buf outlives the device: its memory, its mapping and its importers. */
SUBTEST(unplug_shared)
{
	const Plug plug = need_plug();
	Device device, other;
	Gate gate(device);
	Product product(device);
	Fd dma_buf = export_buffer(device.fd(), product.out.handle());
	Imported imported(other, dma_buf);
	std::unique_ptr<VgemBuffer> theirs = need_vgem(4096);
	Imported foreign(device, theirs->dma_buf());
	std::uint32_t job = create_job(device, {{product.task()}});

	CHECK_OK(submit(device, device.context(), {job}, {{gate.sync()}, {}}));
	Fd fence = export_fences(dma_buf, DMA_BUF_SYNC_READ);
	Unplugged unplugged(plug);
	CHECK_EQ(final_status(fence), -ENODEV);
	{
		Mapping map(dma_buf, 4096);

		CHECK_EQ(map.as<std::uint32_t>()[0], poison);
		map.as<volatile std::uint32_t>()[0] = 1;
		CHECK_EQ(product.out.as<std::uint32_t>()[0], 1);
	}
	unplugged.rebind();
	/* The device is gone, but importers can still use the memory. */
	Device fresh;
	Imported again(fresh, dma_buf);
	Product second(fresh);
	Task task = second.task();
	set(task, dpu_dst_addr, again.address());
	CHECK_EQ(run(fresh, fresh.context(), create_job(fresh, {{task}})), 1);
	std::copy_n(product.out.as<std::uint32_t>(), 4 * 32, second.out.as<std::uint32_t>());
	second.check();
	device.close();
	other.close();
	check_works(fresh);
}

/* The device goes while cores begin to hang, hang, are being reset, and have been. */
SUBTEST(unplug_hanging)
{
	const Plug plug = need_plug();
	for (unsigned i = 0; i < 4; i++) {
		Device device;
		Product product(device);
		std::uint32_t cores = device.info().core_count;
		std::uint32_t job = create_job(device, std::vector<Lane>(cores, {product.task()}));
		Injection hang(inject_hang, cores);
		Syncobj done(device);

		CHECK_OK(submit(device, device.context(), {job}, {{}, {done.sync()}}));
		Fd file = done.export_file();
		if (i > 0)
			hang.wait();
		if (i > 1)
			Hold::expire();
		if (i > 2)
			CHECK_EQ(final_status(file), -ETIMEDOUT);
		Unplugged unplugged(plug);
		int status = final_status(file);
		CHECK(status == -ENODEV || (i > 1 && status == -ETIMEDOUT));
		unplugged.rebind();
	}
	Device fresh;
	check_works(fresh);
}
