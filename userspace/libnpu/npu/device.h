/* SPDX-License-Identifier: MIT */
/**
 * @file
 * An NPU and what it is made of.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "npu/driver.h"
#include "npu/error.h"
#include "npu/info.h"

#pragma GCC visibility push(default)
namespace npu
{

/// Index of the first region on the chip. Region 0 is system memory.
inline constexpr std::uint32_t chip_region = 1;

/// An open device. A value: copies share the open file, which stays open for as long as
/// a copy, or an object that was made of one, is there.
///
/// Thread safety: all calls may come from any thread. fork: see Driver.
class Device
{
public:
	/// Open the device file @p path; if empty, the first NPU there is.
	/// @retval ENODEV no NPU
	/// @retval EACCES no permission
	static Result<Device> open(const std::string &path = {});

	/// A device behind @p driver.
	static Result<Device> create(std::shared_ptr<Driver> driver);

	/// No device: without cores, and each call answers ENODEV.
	Device() = default;

	/// Name of the hardware.
	const std::string &name() const { return info().name; }
	/// Whether a software model computes, not silicon.
	bool is_virtual() const { return info().is_virtual; }
	/// What the device is, as it was when it was opened.
	const DeviceInfo &info() const;
	/// One record a core, as it was when the device was opened.
	const std::vector<CoreInfo> &cores() const;
	/// Bounds of all calls.
	const Limits &limits() const;
	/// What command streams can ask for.
	const Features &features() const;
	/// Combinations of types that a convolution can have.
	const std::vector<DataTypes> &data_types() const;
	/// The cores as they are now.
	Result<std::vector<CoreInfo>> query_cores() const;
	/// What the device has done.
	/// @retval EINVAL the kernel does not tell
	Result<ActivityInfo> activity() const;
	/// Memory regions as they are now.
	Result<std::vector<RegionInfo>> regions() const;

	/// The open file, which stays the device's.
	int fd() const;
	/// The driver behind the device. If there is no device, its calls answer ENODEV.
	Driver &driver() const;
	/// The same driver; the caller shares its ownership.
	std::shared_ptr<Driver> share_driver() const;

private:
	struct [[gnu::visibility("hidden")]] State;

	const State &state() const;

	std::shared_ptr<const State> state_;
};

} // namespace npu
#pragma GCC visibility pop
