/* SPDX-License-Identifier: MIT */
/*
 * What libnpu learns about a device, and what it does when a query fails.
 */
#include <cerrno>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

class DeviceTest : public LibnpuTest
{
protected:
	/// Queries of @p type and @p index fail from now on.
	void fail_query(std::uint32_t type, std::uint32_t index)
	{
		driver_->watch(DRM_IOCTL_NPU_QUERY, [=, this](void *argument) {
			const auto &args = *static_cast<drm_npu_query *>(argument);
			const bool hit = args.type == type && args.index == index;

			driver_->fail(DRM_IOCTL_NPU_QUERY, hit ? ENODEV : 0);
		});
	}
};

TEST_F(DeviceTest, EachQueryOfCreateMayFail)
{
	const std::pair<std::uint32_t, std::uint32_t> queries[] = {
		{DRM_NPU_QUERY_DEVICE, 0},    {DRM_NPU_QUERY_LIMITS, 0},
		{DRM_NPU_QUERY_CORE, 0},      {DRM_NPU_QUERY_CORE, Machine::core_count - 1},
		{DRM_NPU_QUERY_FEATURES, 0},  {DRM_NPU_QUERY_DATA_TYPE, 0},
		{DRM_NPU_QUERY_DATA_TYPE, 1},
	};

	for (const auto &[type, index] : queries) {
		fail_query(type, index);
		const auto device = Device::create(driver_);

		ASSERT_FALSE(device) << "query " << type << ", index " << index;
		EXPECT_EQ(device.error().code, ENODEV);
	}
	fail_query(DRM_NPU_QUERY_CORE, Machine::core_count);
	EXPECT_TRUE(Device::create(driver_));
}

TEST_F(DeviceTest, TellsItsCoresLimitsAndRegions)
{
	driver_->add_sram(65536, 1, 2, 3);
	const auto device = Device::create(driver_);

	ASSERT_TRUE(device);
	EXPECT_EQ(device->name(), "fake");
	EXPECT_TRUE(device->is_virtual());
	EXPECT_EQ(device->cores().size(), Machine::core_count);
	EXPECT_EQ(device->limits().max_lanes, Machine::core_count);
	EXPECT_EQ(device->features().features,
		  static_cast<std::uint32_t>(DRM_NPU_FEATURE_CONVOLUTION));
	ASSERT_EQ(device->data_types().size(), 2U);
	EXPECT_EQ(device->data_types().back().operand,
		  static_cast<std::uint32_t>(DRM_NPU_DATA_TYPE_FP16));

	const auto regions = device->regions();
	ASSERT_TRUE(regions) << regions.error().message;
	ASSERT_EQ(regions->size(), 2U);
	EXPECT_EQ(regions->front().bandwidth, 2U);
	EXPECT_EQ(regions->back().size, 65536U);

	fail_query(DRM_NPU_QUERY_REGION, 1);
	EXPECT_EQ(device->regions().error().code, ENODEV);
}

} // namespace

} // namespace npu::test
