/* SPDX-License-Identifier: MIT */
#include "npu/device.h"

#include <algorithm>
#include <iterator>

namespace npu
{

Result<Device> Device::open(const std::string &path)
{
	auto driver = open_driver(path);

	if (!driver)
		return forward(driver);
	return create(std::move(*driver));
}

Result<Device> Device::create(std::shared_ptr<Driver> driver)
{
	Device device;

	auto info = query<drm_npu_query_device>(*driver, DRM_NPU_QUERY_DEVICE, 0);
	if (!info)
		return forward(info);
	device.info_ = *info;

	auto limits = query<drm_npu_query_limits>(*driver, DRM_NPU_QUERY_LIMITS, 0);
	if (!limits)
		return forward(limits);
	device.limits_ = *limits;

	for (std::uint32_t i = 0; i < info->core_count; i++) {
		auto core = query<drm_npu_query_core>(*driver, DRM_NPU_QUERY_CORE, i);
		if (!core)
			return forward(core);
		device.cores_.push_back(*core);
	}

	auto features = query<drm_npu_query_features>(*driver, DRM_NPU_QUERY_FEATURES, 0);
	if (!features)
		return forward(features);
	device.features_ = *features;
	for (std::uint32_t i = 0; i < features->data_type_count; i++) {
		auto type = query<drm_npu_query_data_type>(*driver, DRM_NPU_QUERY_DATA_TYPE, i);
		if (!type)
			return forward(type);
		device.data_types_.push_back(*type);
	}
	device.driver_ = std::move(driver);
	return device;
}

std::string Device::name() const
{
	return {std::begin(info_.name), std::ranges::find(info_.name, '\0')};
}

bool Device::is_virtual() const
{
	return info_.flags & DRM_NPU_DEVICE_VIRTUAL;
}

Result<std::vector<drm_npu_query_region>> Device::regions() const
{
	std::vector<drm_npu_query_region> regions;

	for (std::uint32_t i = 0; i < info_.region_count; i++) {
		auto region = query<drm_npu_query_region>(*driver_, DRM_NPU_QUERY_REGION, i);
		if (!region)
			return forward(region);
		regions.push_back(*region);
	}
	return regions;
}

} // namespace npu
