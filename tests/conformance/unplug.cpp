/* SPDX-License-Identifier: MIT */
/// The device goes away while it is in use, and comes back.
#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "igt.h"
#include "program.h"

namespace
{

const char bound[] = "/sys/bus/platform/drivers/npu_virt/npu_virt.0";

void write_driver(const char *file)
{
	std::string path = std::string("/sys/bus/platform/drivers/npu_virt/") + file;
	Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));

	CHECK(fd.get() >= 0);
	CHECK_EQ(write(fd.get(), "npu_virt.0", 10), 10);
}

/// Takes the device away; it comes back however the subtest ends.
class Unplugged
{
public:
	Unplugged()
	{
		write_driver("unbind");
		gone_ = true;
	}
	~Unplugged()
	{
		if (gone_)
			write_quietly();
	}
	Unplugged(const Unplugged &) = delete;
	Unplugged &operator=(const Unplugged &) = delete;

	void rebind()
	{
		gone_ = false;
		write_driver("bind");
		CHECK_OK(access(bound, F_OK));
	}

private:
	void write_quietly()
	{
		try {
			write_driver("bind");
		} catch (const igt::Failure &) {
		}
	}

	bool gone_ = false;
};

void need_virtual()
{
	need_root();
	if (access(bound, F_OK))
		igt::skip("the device is not npu_virt.0");
}

/* Whatever a client calls, the answer is ENODEV. */
void check_gone(const Device &device)
{
	std::uint64_t argument[32]{};
	const unsigned long requests[] = {
		DRM_IOCTL_NPU_QUERY,          DRM_IOCTL_NPU_BO_CREATE,
		DRM_IOCTL_NPU_CONTEXT_CREATE, DRM_IOCTL_NPU_CONTEXT_DESTROY,
		DRM_IOCTL_NPU_JOB_CREATE,     DRM_IOCTL_NPU_JOB_DESTROY,
		DRM_IOCTL_NPU_JOB_SUBMIT,     DRM_IOCTL_GEM_CLOSE,
		DRM_IOCTL_SYNCOBJ_CREATE,     DRM_IOCTL_VERSION,
	};

	for (unsigned long request : requests)
		CHECK_ERR(call(device.fd(), request, argument), ENODEV);
}

int delete_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* As it was loaded before: the timeout is the only parameter tests set. */
void load(unsigned timeout_ms)
{
	std::string command = "modprobe npu_virt timeout_ms=" + std::to_string(timeout_ms);

	CHECK_EQ(std::system(command.c_str()), 0);
}

} // namespace

SUBTEST(unplug_idle)
{
	need_virtual();
	Device device;
	check_works(device);
	{
		Unplugged unplugged;

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
	need_virtual();
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
		Unplugged unplugged;

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
	need_virtual();
	for (unsigned i = 0; i < 4; i++) {
		Device device;
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
		Unplugged unplugged;
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
	need_virtual();
	for (unsigned i = 0; i < 8; i++) {
		Device device;
		std::uint32_t cores = device.info().core_count;

		if (cores < 2)
			igt::skip("needs two cores");
		Product product(device, slow_shape);
		std::uint32_t one = create_job(device, {slow_lane(product, 40)});
		std::uint32_t all =
			create_job(device, std::vector<Lane>(cores, slow_lane(product, 40)));
		Syncobj a(device), b(device);

		CHECK_OK(submit(device, device.context(1), {one}, {{}, {a.sync()}}));
		CHECK_OK(submit(device, device.context(), {all}, {{}, {b.sync()}}));
		Fd first = a.export_file(), second = b.export_file();
		usleep(2000 + i * 1000);
		Unplugged unplugged;
		CHECK_EQ(final_status(first), -ENODEV);
		CHECK_EQ(final_status(second), -ENODEV);
		/* Nothing runs any more, so results stay as they are. */
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
	need_virtual();
	for (int i = 0; i < 5; i++) {
		igt::parallel(3, [](unsigned thread) {
			if (!thread) {
				usleep(20000);
				Unplugged unplugged;
				unplugged.rebind();
				return;
			}
			Device device;
			Product product(device);
			std::uint32_t context = device.context();
			int result = 0;

			for (int n = 0; n < 100000 && !result; n++) {
				drm_npu_job_create args{};

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
	need_virtual();
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
	Unplugged unplugged;
	CHECK_EQ(file_status(file), 1);
	unplugged.rebind();
	CHECK_EQ(file_status(file), 1);
}

/* Unloading the device's module with a client is refused, or safe. */
SUBTEST(unplug_unload)
{
	need_virtual();
	unsigned timeout_ms = watchdog_ms();
	Device device;
	Product product(device, slow_shape);
	Syncobj done(device);

	CHECK_OK(submit(device, device.context(), {create_job(device, {slow_lane(product)})},
			{{}, {done.sync()}}));
	Fd file = done.export_file();
	int result = delete_module("npu_virt");
	if (!result) {
		CHECK_EQ(final_status(file), -ENODEV);
		check_gone(device);
		product.clear();
		product.check_untouched();
		/* Its code is in use as long as the file is. */
		CHECK_ERR(delete_module("npu"), EAGAIN);
		load(timeout_ms);
	} else {
		CHECK(result == -EAGAIN || result == -EBUSY);
		CHECK_EQ(final_status(file), 1);
	}
	Device fresh;
	check_works(fresh);
	device.close();
	check_works(fresh);
}
