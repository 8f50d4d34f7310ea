/* SPDX-License-Identifier: MIT */
#include "rocket_client.h"

#include <algorithm>

#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>

#include "igt.h"

namespace rocket
{

namespace
{

constexpr std::uint32_t bytes = 4096;

} // namespace

Fd open_device()
{
	glob_t found{};
	Fd file;

	if (!glob("/dev/accel/accel*", 0, nullptr, &found))
		file = Fd(open(found.gl_pathv[0], O_RDWR | O_CLOEXEC));
	globfree(&found);
	if (file.get() < 0)
		igt::skip("no device in /dev/accel: load the board and a driver for it");
	CHECK_EQ(driver_name(file.get()), std::string("rocket"));
	return file;
}

Bo::Bo(const Fd &file) : fd_(file.get())
{
	args_.size = bytes;
	CHECK_OK(call(fd_, DRM_IOCTL_ROCKET_CREATE_BO, &args_));
	map_ = map_file(fd_, bytes, args_.offset, PROT_READ | PROT_WRITE);
	CHECK(map_);
}

Bo::~Bo()
{
	munmap(map_, bytes);
	close_handle(fd_, args_.handle);
}

void Bo::prep() const
{
	drm_rocket_prep_bo args{handle(), 0, never};

	CHECK_OK(call(fd_, DRM_IOCTL_ROCKET_PREP_BO, &args));
}

void Bo::fini() const
{
	drm_rocket_fini_bo args{handle(), 0};

	CHECK_OK(call(fd_, DRM_IOCTL_ROCKET_FINI_BO, &args));
}

Client::Client(const Fd &file)
	: file_(file), features_(file), weights_(file), code_(file), out_(file)
{
	std::fill_n(features_.as<std::int8_t>(), shape_.m * shape_.k, std::int8_t{1});
	std::fill_n(weights_.as<std::int8_t>(), shape_.n * shape_.k, std::int8_t{2});
	words_ = matmul(shape_, features_.address(), weights_.address(), out_.address()).commands;
	words_.insert(words_.end(), {0, command(0x0101, 0x0014, 0), command(0x0041, 0, 0),
				     command(0x0081, 0x0008, enable_conv)});
	std::ranges::copy(words_, code_.as<std::uint64_t>());
	for (const Bo *bo : {&features_, &weights_, &code_})
		bo->fini();
}

void Client::submit(unsigned task_count) const
{
	const drm_rocket_task task{code_.address(), static_cast<std::uint32_t>(words_.size())};
	std::vector<drm_rocket_task> tasks(task_count, task);
	const std::uint32_t in[] = {features_.handle(), weights_.handle(), code_.handle()};
	const std::uint32_t results = out_.handle();
	drm_rocket_job job{};
	drm_rocket_submit args{};

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
	CHECK_OK(call(file_.get(), DRM_IOCTL_ROCKET_SUBMIT, &args));
}

void Client::run(unsigned task_count) const
{
	std::fill_n(out_.as<std::uint32_t>(), shape_.m * shape_.n, poison);
	out_.fini();
	submit(task_count);
	out_.prep();
	for (std::uint32_t i = 0; i < shape_.m * shape_.n; i++)
		CHECK_EQ(std::uint32_t{out_.as<volatile std::uint32_t>()[i]}, 2 * shape_.k);
}

} // namespace rocket
