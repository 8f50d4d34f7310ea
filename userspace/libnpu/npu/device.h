/* SPDX-License-Identifier: MIT */
/*
 * An NPU and what it is made of.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <npu_accel.h>

#include "npu/driver.h"
#include "npu/error.h"

namespace npu
{

/// Index of the first region on the chip. Region 0 is system memory.
inline constexpr std::uint32_t chip_region = 1;

/// An open device. A value: copies share the open file.
class Device
{
public:
	/// Open the device file @p path; if empty, the first NPU there is.
	/// \retval ENODEV no NPU
	/// \retval EACCES no permission
	static Result<Device> open(const std::string &path = {});

	/// A device behind @p driver.
	static Result<Device> create(std::shared_ptr<Driver> driver);

	/// Name of the hardware.
	std::string name() const;
	/// Whether a software model computes, not silicon.
	bool is_virtual() const;
	/// What the device is; see the kernel-doc of the record.
	const drm_npu_query_device &info() const { return info_; }
	/// One record a core.
	const std::vector<drm_npu_query_core> &cores() const { return cores_; }
	/// Bounds of all calls.
	const drm_npu_query_limits &limits() const { return limits_; }
	/// What command streams can ask for.
	const drm_npu_query_features &features() const { return features_; }
	/// Combinations of types that a convolution can have.
	const std::vector<drm_npu_query_data_type> &data_types() const { return data_types_; }
	/// Memory regions as they are now.
	Result<std::vector<drm_npu_query_region>> regions() const;

	Driver &driver() const { return *driver_; }
	std::shared_ptr<Driver> share_driver() const { return driver_; }

private:
	std::shared_ptr<Driver> driver_;
	drm_npu_query_device info_{};
	drm_npu_query_limits limits_{};
	drm_npu_query_features features_{};
	std::vector<drm_npu_query_core> cores_;
	std::vector<drm_npu_query_data_type> data_types_;
};

/// QUERY a record of type @p type.
template <typename Record>
Result<Record> query(Driver &driver, drm_npu_query_type type, std::uint32_t index)
{
	Record record{};
	drm_npu_query query{};

	query.type = type;
	query.index = index;
	query.size = sizeof(record);
	query.data = reinterpret_cast<std::uintptr_t>(&record);
	if (const int ret = driver.ioctl(DRM_IOCTL_NPU_QUERY, &query))
		return fail(-ret, "DRM_IOCTL_NPU_QUERY of type " + std::to_string(type));
	return record;
}

} // namespace npu
