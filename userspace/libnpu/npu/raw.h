/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The kernel's own records and calls, for what the other headers do not offer. No other
 * header of the library includes the uAPI header.
 */
#pragma once

#include <cstdint>

#include <npu_accel.h>

#include "npu/device.h"
#include "npu/driver.h"
#include "npu/error.h"

#pragma GCC visibility push(default)
namespace npu
{

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
		return fail(-ret, "DRM_IOCTL_NPU_QUERY of type " + std::to_string(type));
	return record;
}

} // namespace npu
#pragma GCC visibility pop
