/* SPDX-License-Identifier: MIT */
/// Jobs through mainline's rocket driver, as its own clients submit them. They run
/// the same on our driver.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>

#include <rocket_accel.h>

#include "device.h"
#include "igt.h"
#include "program.h"

namespace
{

constexpr std::uint32_t bytes = 4096;
constexpr Shape shape;

class Bo
{
public:
	explicit Bo(const Fd &file) : fd_(file.get())
	{
		args_.size = bytes;
		CHECK_OK(call(fd_, DRM_IOCTL_ROCKET_CREATE_BO, &args_));
		map_ = map_file(fd_, bytes, args_.offset, PROT_READ | PROT_WRITE);
		CHECK(map_);
	}
	~Bo()
	{
		munmap(map_, bytes);
		close_handle(fd_, args_.handle);
	}
	Bo(const Bo &) = delete;
	Bo &operator=(const Bo &) = delete;

	std::uint32_t handle() const { return args_.handle; }
	std::uint32_t address() const { return static_cast<std::uint32_t>(args_.dma_address); }
	template <typename T>
	T *as() const
	{
		return static_cast<T *>(map_);
	}

	void prep() const
	{
		drm_rocket_prep_bo args{handle(), 0, never};

		CHECK_OK(call(fd_, DRM_IOCTL_ROCKET_PREP_BO, &args));
	}
	void fini() const
	{
		drm_rocket_fini_bo args{handle(), 0};

		CHECK_OK(call(fd_, DRM_IOCTL_ROCKET_FINI_BO, &args));
	}

private:
	int fd_;
	drm_rocket_create_bo args_{};
	void *map_;
};

/// A product of ones and twos, whose every element is the same.
struct Client {
	explicit Client(const Fd &f) : file(f), features(f), weights(f), code(f), out(f)
	{
		std::fill_n(features.as<std::int8_t>(), shape.m * shape.k, std::int8_t{1});
		std::fill_n(weights.as<std::int8_t>(), shape.n * shape.k, std::int8_t{2});
		words = matmul(shape, features.address(), weights.address(), out.address())
				.commands;
		words.insert(words.end(), {0, command(0x0101, 0x0014, 0), command(0x0041, 0, 0),
					   command(0x0081, 0x0008, enable_conv)});
		std::ranges::copy(words, code.as<std::uint64_t>());
		for (const Bo *bo : {&features, &weights, &code})
			bo->fini();
	}

	void run(unsigned task_count)
	{
		const drm_rocket_task task{code.address(),
					   static_cast<std::uint32_t>(words.size())};
		std::vector<drm_rocket_task> tasks(task_count, task);
		const std::uint32_t in[] = {features.handle(), weights.handle(), code.handle()};
		const std::uint32_t results = out.handle();
		drm_rocket_job job{};
		drm_rocket_submit args{};

		std::fill_n(out.as<std::uint32_t>(), shape.m * shape.n, poison);
		out.fini();
		job.tasks = reinterpret_cast<std::uintptr_t>(tasks.data());
		job.task_count = task_count;
		job.task_struct_size = sizeof(tasks.front());
		job.in_bo_handles = reinterpret_cast<std::uintptr_t>(in);
		job.in_bo_handle_count = std::size(in);
		job.out_bo_handles = reinterpret_cast<std::uintptr_t>(&results);
		job.out_bo_handle_count = 1;
		args.jobs = reinterpret_cast<std::uintptr_t>(&job);
		args.job_count = 1;
		args.job_struct_size = sizeof(job);
		CHECK_OK(call(file.get(), DRM_IOCTL_ROCKET_SUBMIT, &args));
		out.prep();
		for (std::uint32_t i = 0; i < shape.m * shape.n; i++)
			CHECK_EQ(std::uint32_t{out.as<volatile std::uint32_t>()[i]}, 2 * shape.k);
	}

	const Fd &file;
	Bo features, weights, code, out;
	std::vector<std::uint64_t> words;
};

Fd open_device()
{
	Fd file(open("/dev/accel/accel0", O_RDWR | O_CLOEXEC));

	if (file.get() < 0)
		igt::skip("no /dev/accel/accel0: load the board and a driver for it");
	CHECK_EQ(driver_name(file.get()), std::string("rocket"));
	return file;
}

} // namespace

SUBTEST(board_rocket_one_task)
{
	Fd file = open_device();
	Client client(file);

	client.run(1);
}

SUBTEST(board_rocket_sixteen_tasks)
{
	Fd file = open_device();
	Client client(file);

	client.run(16);
}

SUBTEST(board_rocket_two_files)
{
	Fd first = open_device(), second = open_device();
	Client one(first), two(second);

	for (int i = 0; i < 10; i++) {
		one.run(1);
		two.run(2);
	}
}
