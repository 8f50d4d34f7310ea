/* SPDX-License-Identifier: MIT */
#include "npu/device.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "internals.h"
#include "records.h"

namespace npu
{

struct Device::State {
	std::shared_ptr<Driver> driver;
	DeviceInfo info = {};
	Limits limits = {};
	Features features = {};
	std::vector<CoreInfo> cores = {};       // NOLINT(readability-redundant-member-init)
	std::vector<DataTypes> data_types = {}; // NOLINT(readability-redundant-member-init)
};

namespace
{

Result<std::vector<CoreInfo>> cores_of(Driver &driver, std::uint32_t count)
{
	std::vector<CoreInfo> cores;

	for (std::uint32_t i = 0; i < count; i++) {
		auto core = query<drm_npu_query_core>(driver, DRM_NPU_QUERY_CORE, i);
		if (!core)
			return forward(core);
		cores.push_back(typed(*core));
	}
	return cores;
}

} // namespace

Result<Device> Device::open(const std::string &path)
{
	auto driver = open_driver(path);

	if (!driver)
		return forward(driver);
	return create(std::move(*driver));
}

Result<Device> Device::create(std::shared_ptr<Driver> driver)
{
	auto state = std::make_shared<State>();

	auto info = query<drm_npu_query_device>(*driver, DRM_NPU_QUERY_DEVICE, 0);
	if (!info)
		return forward(info);
	state->info = typed(*info);

	auto limits = query<drm_npu_query_limits>(*driver, DRM_NPU_QUERY_LIMITS, 0);
	if (!limits)
		return forward(limits);
	state->limits = typed(*limits);

	auto cores = cores_of(*driver, info->core_count);
	if (!cores)
		return forward(cores);
	state->cores = std::move(*cores);

	auto features = query<drm_npu_query_features>(*driver, DRM_NPU_QUERY_FEATURES, 0);
	if (!features)
		return forward(features);
	state->features = typed(*features);
	for (std::uint32_t i = 0; i < features->data_type_count; i++) {
		auto type = query<drm_npu_query_data_type>(*driver, DRM_NPU_QUERY_DATA_TYPE, i);
		if (!type)
			return forward(type);
		state->data_types.push_back(typed(*type));
	}
	state->driver = std::move(driver);

	Device device;
	device.state_ = std::move(state);
	return device;
}

const Device::State &Device::state() const
{
	/* Accessors of an open device need no memory. */
	if (state_)
		return *state_;
	static const State none{.driver = no_driver()};
	return none;
}

const DeviceInfo &Device::info() const
{
	return state().info;
}

const std::vector<CoreInfo> &Device::cores() const
{
	return state().cores;
}

const Limits &Device::limits() const
{
	return state().limits;
}

const Features &Device::features() const
{
	return state().features;
}

const std::vector<DataTypes> &Device::data_types() const
{
	return state().data_types;
}

Result<std::vector<CoreInfo>> Device::query_cores() const
{
	return cores_of(driver(), info().core_count);
}

Result<ActivityInfo> Device::activity() const
{
	auto activity = query<drm_npu_query_activity>(driver(), DRM_NPU_QUERY_ACTIVITY, 0);

	if (!activity)
		return forward(activity);
	return typed(*activity);
}

Result<std::vector<RegionInfo>> Device::regions() const
{
	std::vector<RegionInfo> regions;

	for (std::uint32_t i = 0; i < info().region_count; i++) {
		auto region = query<drm_npu_query_region>(driver(), DRM_NPU_QUERY_REGION, i);
		if (!region)
			return forward(region);
		regions.push_back(typed(*region));
	}
	return regions;
}

int Device::fd() const
{
	return driver().fd();
}

Driver &Device::driver() const
{
	return *state().driver;
}

std::shared_ptr<Driver> Device::share_driver() const
{
	return state().driver;
}

} // namespace npu
