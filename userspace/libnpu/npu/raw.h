/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The kernel's own records and calls, for what the other headers do not offer. No other
 * header of the library includes the uAPI header.
 */
#pragma once

#include <cstdint>
#include <string>

#include <npu_accel.h>

#include "npu/device.h"
#include "npu/driver.h"
#include "npu/error.h"

#pragma GCC visibility push(default)
namespace npu
{

/// The object that a record of @p type and @p index describes, for error messages.
[[gnu::visibility("hidden")]] inline std::string query_subject(drm_npu_query_type type,
							       std::uint32_t index)
{
	const std::string number = std::to_string(index);

	switch (type) {
	case DRM_NPU_QUERY_DEVICE:
		return "the device";
	case DRM_NPU_QUERY_CORE:
		return "core " + number;
	case DRM_NPU_QUERY_REGION:
		return "memory region " + number;
	case DRM_NPU_QUERY_LIMITS:
		return "the limits of the device";
	case DRM_NPU_QUERY_CONTEXT:
		return "context " + number;
	case DRM_NPU_QUERY_BUFFER:
		return "the buffer of handle " + number;
	case DRM_NPU_QUERY_FEATURES:
		return "the features of the device";
	case DRM_NPU_QUERY_DATA_TYPE:
		return "data types " + number;
	case DRM_NPU_QUERY_REGISTER:
		return "register " + number;
	case DRM_NPU_QUERY_ACTIVITY:
		return "the activity of the device";
	}
	return "records of type " + std::to_string(type);
}

/// QUERY a record of type @p type and index @p index, as npu_accel.h has them.
/// @retval EINVAL the kernel does not know the type
/// @retval ENOENT there is no such index
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
		return fail(-ret, "cannot query " + query_subject(type, index));
	return record;
}

} // namespace npu
#pragma GCC visibility pop
