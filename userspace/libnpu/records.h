/* SPDX-License-Identifier: MIT */
/*
 * Conversion of the kernel's records to the library's types.
 */
#pragma once

#include "npu/info.h"
#include "npu/raw.h"

namespace npu
{

DeviceInfo typed(const drm_npu_query_device &record);
CoreInfo typed(const drm_npu_query_core &record);
ActivityInfo typed(const drm_npu_query_activity &record);
RegionInfo typed(const drm_npu_query_region &record);
Limits typed(const drm_npu_query_limits &record);
Features typed(const drm_npu_query_features &record);
DataTypes typed(const drm_npu_query_data_type &record);
BufferInfo typed(const drm_npu_query_buffer &record);
ContextStatistics typed(const drm_npu_query_context &record);

} // namespace npu
