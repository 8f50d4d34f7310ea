/* SPDX-License-Identifier: MIT */
#include "mainline_client.h"

#include <algorithm>
#include <string>

#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>

#include "igt.h"

namespace mainline
{

Fd open_device()
{
	glob_t found{};
	Fd file;

	glob("/dev/accel/accel*", 0, nullptr, &found);
	glob("/dev/dri/renderD*", GLOB_APPEND, nullptr, &found);
	for (std::size_t i = 0; i < found.gl_pathc; i++) {
		file = Fd(open(found.gl_pathv[i], O_RDWR | O_CLOEXEC));
		if (file.get() >= 0 && driver_name(file.get()) == "rocket")
			break;
		file.reset();
	}
	globfree(&found);
	if (file.get() < 0)
		igt::skip("no node of a driver 'rocket' that can be opened");
	return file;
}

void need_ours(int fd, const char *defect)
{
	drm_npu_query query{};

	query.type = DRM_NPU_QUERY_DEVICE;
	if (call(fd, DRM_IOCTL_NPU_QUERY, &query))
		igt::skip(std::string("mainline's driver: ") + defect);
}

int prep(int fd, std::uint32_t handle, std::int64_t timeout_ns, std::uint32_t reserved)
{
	drm_rocket_prep_bo args{handle, reserved, timeout_ns};

	return call(fd, DRM_IOCTL_ROCKET_PREP_BO, &args);
}

int fini(int fd, std::uint32_t handle, std::uint32_t reserved)
{
	drm_rocket_fini_bo args{handle, reserved};

	return call(fd, DRM_IOCTL_ROCKET_FINI_BO, &args);
}

Bo::Bo(int fd, std::uint32_t size) : fd_(fd)
{
	args_.size = size;
	CHECK_OK(call(fd, DRM_IOCTL_ROCKET_CREATE_BO, &args_));
	length_ = (size + 4095) / 4096 * 4096;
	map_ = map_file(fd, length_, args_.offset, PROT_READ | PROT_WRITE);
	CHECK(map_);
}

Bo::~Bo()
{
	munmap(map_, length_);
	close_handle(fd_, args_.handle);
}

Client::Client(int fd, std::int8_t weight)
	: fd_(fd), weight_(weight), features_(fd), weights_(fd), code_(fd), out_(fd)
{
	std::fill_n(features_.as<std::int8_t>(), shape_.m * shape_.k, std::int8_t{1});
	std::fill_n(weights_.as<std::int8_t>(), shape_.n * shape_.k, weight);
	write();
	for (const Bo *bo : {&features_, &weights_})
		bo->fini();
}

void Client::write()
{
	std::vector<std::uint64_t> words =
		matmul(shape_, features_.address(), weights_.address(), results_->address())
			.commands;

	words.insert(words.end(), {0, command(0x0101, 0x0014, 0), command(0x0041, 0, 0),
				   command(0x0081, 0x0008, enable_conv)});
	code_.prep();
	std::ranges::copy(words, code_.as<std::uint64_t>());
	code_.fini();
	word_count_ = static_cast<std::uint32_t>(words.size());
}

void Client::write_to(const Bo &out)
{
	results_ = &out;
	write();
}

drm_rocket_job &Client::job(unsigned task_count)
{
	tasks_.assign(task_count, {code_.address(), word_count_});
	in_[0] = features_.handle();
	in_[1] = weights_.handle();
	in_[2] = code_.handle();
	results_handle_ = results_->handle();
	job_ = {};
	job_.tasks = reinterpret_cast<std::uintptr_t>(tasks_.data());
	job_.task_count = task_count;
	job_.task_struct_size = sizeof(tasks_.front());
	job_.in_bo_handles = reinterpret_cast<std::uintptr_t>(in_);
	job_.in_bo_handle_count = static_cast<std::uint32_t>(std::size(in_));
	job_.out_bo_handles = reinterpret_cast<std::uintptr_t>(&results_handle_);
	job_.out_bo_handle_count = 1;
	return job_;
}

int Client::submit(std::uint32_t job_size, std::uint32_t reserved)
{
	drm_rocket_submit args{};

	args.jobs = reinterpret_cast<std::uintptr_t>(&job_);
	args.job_count = 1;
	args.job_struct_size = job_size;
	args.reserved = reserved;
	return call(fd_, DRM_IOCTL_ROCKET_SUBMIT, &args);
}

void Client::clear() const
{
	results_->prep();
	std::fill_n(results_->as<std::uint32_t>(), shape_.m * shape_.n, poison);
	results_->fini();
}

void Client::check() const
{
	const auto sum = static_cast<std::uint32_t>(weight_) * shape_.k;

	results_->prep();
	for (std::uint32_t i = 0; i < shape_.m * shape_.n; i++)
		CHECK_EQ(std::uint32_t{results_->as<volatile std::uint32_t>()[i]}, sum);
}

void Client::check_untouched() const
{
	results_->prep();
	for (std::uint32_t i = 0; i < shape_.m * shape_.n; i++)
		CHECK_EQ(std::uint32_t{results_->as<volatile std::uint32_t>()[i]}, poison);
}

void Client::run(unsigned task_count)
{
	clear();
	job(task_count);
	CHECK_OK(submit());
	check();
}

} // namespace mainline
