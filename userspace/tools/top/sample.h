/* SPDX-License-Identifier: MIT */
/*
 * The counters of a device and of its clients at one time.
 */
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <npu/driver.h>
#include <npu/error.h>
#include <npu_accel.h>

#include "processes.h"

namespace npu::top
{

/// Everything at one moment. Counters grow from one sample to the next.
struct Sample {
	std::string name;
	bool is_virtual = false;
	drm_npu_query_activity activity{};
	std::vector<drm_npu_query_core> cores;
	std::vector<drm_npu_query_region> regions;
	/// In Hz; 0 if not known.
	std::uint64_t clock_hz = 0;
	std::uint64_t max_clock_hz = 0;
	/// In thousandths of a degree Celsius.
	std::optional<std::int64_t> temperature;
	std::vector<Process> processes;
	/// Open files of the device in processes that may not be inspected.
	std::uint64_t hidden = 0;
};

/// The root of processes and devices; tests use fake ones.
struct Folders {
	std::filesystem::path proc = "/proc";
	std::filesystem::path sys = "/sys";
};

/// Takes samples of a device.
class Sampler
{
public:
	/// @p path is the device file under the name by which clients open it.
	Sampler(std::shared_ptr<Driver> driver, std::string path, Folders folders, pid_t self);

	/// \retval ENODEV the device has gone away
	/// \retval EINVAL the driver is too old to report activity
	Result<Sample> take() const;

private:
	std::shared_ptr<Driver> driver_;
	std::string path_;
	Folders folders_;
	pid_t self_;
};

/// Name of region @p index, as fdinfo has it.
std::string region_name(std::size_t index);

} // namespace npu::top
