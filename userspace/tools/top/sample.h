/* SPDX-License-Identifier: MIT */
/*
 * What a device and its clients have done until a moment.
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
	/// Files of the device whose processes may not be looked at.
	std::uint64_t hidden = 0;
};

/// Where processes and devices are looked for; tests have their own folders.
struct Folders {
	std::filesystem::path proc = "/proc";
	std::filesystem::path sys = "/sys";
};

/// Takes samples of a device.
class Sampler
{
public:
	/// @p path is that of the device file as others have it open.
	Sampler(std::shared_ptr<Driver> driver, std::string path, Folders folders, pid_t self);

	/// \retval ENODEV the device has gone away
	/// \retval EINVAL the driver is too old to tell of the device's activity
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
