/* SPDX-License-Identifier: MIT */
/// A client of mainline's rocket driver: its calls, and nothing that only ours has, so
/// that it runs on either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <rocket_accel.h>

#include "device.h"
#include "igt.h"
#include "program.h"

namespace mainline
{

/// The first node of either driver. Skips the subtest where there is none.
Fd open_device();

/// Skips the subtest on mainline's driver, which has @p defect.
void need_ours(int fd, const char *defect);

/// An open device that is closed long after its last job: mainline's driver may
/// otherwise go on to use what it has freed (defect 3 of docs/rocket.md).
class PatientFile
{
public:
	PatientFile() : file_(open_device()) {}
	~PatientFile() { usleep(300000); }
	PatientFile(const PatientFile &) = delete;
	PatientFile &operator=(const PatientFile &) = delete;

	int fd() const { return file_.get(); }

private:
	Fd file_;
};

/// PREP_BO and FINI_BO; each answers 0 or a negative errno.
int prep(int fd, std::uint32_t handle, std::int64_t timeout_ns = never, std::uint32_t reserved = 0);
int fini(int fd, std::uint32_t handle, std::uint32_t reserved = 0);

/// A buffer with its mapping.
class Bo
{
public:
	explicit Bo(int fd, std::uint32_t size = 4096);
	~Bo();
	Bo(const Bo &) = delete;
	Bo &operator=(const Bo &) = delete;

	std::uint32_t handle() const { return args_.handle; }
	std::uint32_t address() const { return static_cast<std::uint32_t>(args_.dma_address); }
	const drm_rocket_create_bo &args() const { return args_; }
	template <typename T>
	T *as() const
	{
		return static_cast<T *>(map_);
	}

	void prep() const { CHECK_OK(mainline::prep(fd_, handle())); }
	void fini() const { CHECK_OK(mainline::fini(fd_, handle())); }

private:
	int fd_;
	drm_rocket_create_bo args_{};
	std::size_t length_ = 0;
	void *map_;
};

/// A product of ones and weights that are all alike, whose every element is the same.
class Client
{
public:
	explicit Client(int fd, std::int8_t weight = 2);

	/// Have results go to @p out instead.
	void write_to(const Bo &out);
	/// A job of so many tasks, to be spoilt in one place. Valid as long as the client,
	/// and until the next.
	drm_rocket_job &job(unsigned task_count);
	/// Submits the job made last, and waits for nothing; 0 or a negative errno.
	int submit(std::uint32_t job_size = sizeof(drm_rocket_job), std::uint32_t reserved = 0);
	/// Fills the results with what no product is.
	void clear() const;
	/// Waits for the results and checks them.
	void check() const;
	/// Waits, and checks that nothing was written.
	void check_untouched() const;
	/// All of that for a job of so many tasks.
	void run(unsigned task_count);

	const Bo &out() const { return *results_; }

private:
	static constexpr Shape shape_{};

	void write();

	int fd_;
	std::int8_t weight_;
	Bo features_, weights_, code_, out_;
	const Bo *results_ = &out_;
	std::uint32_t word_count_ = 0;
	std::vector<drm_rocket_task> tasks_;
	std::uint32_t in_[3]{};
	std::uint32_t results_handle_ = 0;
	drm_rocket_job job_{};
};

} // namespace mainline
