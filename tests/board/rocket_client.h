/* SPDX-License-Identifier: MIT */
/// A client of mainline's rocket driver, which our driver serves as well.
#pragma once

#include <cstdint>
#include <vector>

#include <rocket_accel.h>

#include "device.h"
#include "program.h"

namespace rocket
{

/// The first accel node, of whichever driver. Skips the subtest where there is none.
Fd open_device();

/// A buffer with its mapping.
class Bo
{
public:
	explicit Bo(const Fd &file);
	~Bo();
	Bo(const Bo &) = delete;
	Bo &operator=(const Bo &) = delete;

	std::uint32_t handle() const { return args_.handle; }
	std::uint32_t address() const { return static_cast<std::uint32_t>(args_.dma_address); }
	template <typename T>
	T *as() const
	{
		return static_cast<T *>(map_);
	}

	void prep() const;
	void fini() const;

private:
	int fd_;
	drm_rocket_create_bo args_{};
	void *map_;
};

/// An open device that is closed long after its last job: mainline's driver may
/// otherwise go on to use what it has freed.
class PatientFile
{
public:
	PatientFile() : file_(open_device()) {}
	~PatientFile() { usleep(300000); }
	PatientFile(const PatientFile &) = delete;
	PatientFile &operator=(const PatientFile &) = delete;

	const Fd &get() const { return file_; }

private:
	Fd file_;
};

/// A product of ones and twos, whose every element is the same.
class Client
{
public:
	explicit Client(const Fd &file);

	/// Submits a job, and waits for nothing.
	void submit(unsigned task_count) const;
	/// Submits a job, waits for it, and checks what it has computed.
	void run(unsigned task_count) const;

private:
	static constexpr Shape shape_{};

	const Fd &file_;
	Bo features_, weights_, code_, out_;
	std::vector<std::uint64_t> words_;
};

} // namespace rocket
