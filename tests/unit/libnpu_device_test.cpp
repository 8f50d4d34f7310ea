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
	EXPECT_TRUE(device->features().has(Feature::convolution));
	EXPECT_FALSE(device->features().has(Feature::pooling));
	ASSERT_EQ(device->data_types().size(), 2U);
	EXPECT_EQ(device->data_types().back().operand, DataType::fp16);

	const auto regions = device->regions();
	ASSERT_TRUE(regions) << regions.error().message;
	ASSERT_EQ(regions->size(), 2U);
	EXPECT_EQ(regions->front().bandwidth, 2U);
	EXPECT_EQ(regions->back().size, 65536U);
	EXPECT_EQ(regions->back().kind, RegionKind::sram);
	EXPECT_TRUE(regions->back().residency);

	ASSERT_TRUE(device->query_cores());
	EXPECT_EQ(device->query_cores()->size(), Machine::core_count);
	driver_->hold();
	Context queue = context();
	ASSERT_TRUE(queue.submit(job()));
	ASSERT_TRUE(device->activity());
	EXPECT_EQ(device->activity()->queued_jobs, 1U);
	fail_query(DRM_NPU_QUERY_ACTIVITY, 0);
	EXPECT_EQ(device->activity().error().code, ENODEV);

	fail_query(DRM_NPU_QUERY_REGION, 1);
	EXPECT_EQ(device->regions().error().code, ENODEV);
}

TEST_F(DeviceTest, NoDeviceAnswersEveryCall)
{
	const Device none;

	EXPECT_TRUE(none.cores().empty());
	EXPECT_EQ(none.name(), "");
	EXPECT_EQ(none.fd(), -1);
	EXPECT_TRUE(none.regions()->empty());
	EXPECT_EQ(Context::create(none).error().code, ENODEV);
	EXPECT_EQ(Job::create(none, {}).error().code, ENODEV);
	EXPECT_EQ(Syncobj::create(none).error().code, ENODEV);
}

} // namespace

} // namespace npu::test
