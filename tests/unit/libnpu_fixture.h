/* SPDX-License-Identifier: MIT */
/*
 * What tests of libnpu start from: a device without a kernel and small jobs.
 */
#pragma once

#include <cstring>
#include <memory>

#include <gmock/gmock.h>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/device.h>
#include <npu/job.h>
#include <rknn/matmul.h>
#include <rknn/registers.h>

#include "fake_driver.h"

namespace npu::test
{

/// The error of @p result has @p code and @p words, which say what to do.
template <typename Outcome>
void expect_error(const Outcome &result, int code, const char *words)
{
	ASSERT_FALSE(result);
	EXPECT_EQ(result.error().code, code);
	EXPECT_THAT(result.error().message, testing::HasSubstr(words));
	EXPECT_THAT(result.error().message, testing::HasSubstr(std::strerror(code)));
}

/// A lane that multiplies the row at @p features by weights at @p base, which has 4096 bytes.
inline Lane small_lane(std::uint32_t features, std::uint32_t base)
{
	const rknn::WeightLayout layout(rknn::Type::int8, 32, 32);
	const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, 1, 1);

	return {{rknn::emit(layout, 1, plan.lanes.front().front(), {features, base, base + 2048}),
		 rknn::enable_convolution}};
}

class LibnpuTest : public testing::Test
{
protected:
	void SetUp() override
	{
		driver_ = std::make_shared<FakeDriver>();
		auto device = Device::create(driver_);
		ASSERT_TRUE(device) << device.error().message;
		device_ = *device;
		auto buffer = Buffer::create(device_, 4096);
		ASSERT_TRUE(buffer);
		buffer_ = std::move(*buffer);
	}

	/// A job that multiplies a row, or that reads where there is no memory.
	Job job(bool faulty = false)
	{
		const std::uint32_t base = buffer_.address();
		const Lane lane = small_lane(faulty ? 0x10 : base + 1024, base);
		auto made = Job::create(device_, {&lane, 1});

		EXPECT_TRUE(made) << made.error().message;
		return std::move(*made);
	}

	Context context(const Context::Options &options = {})
	{
		auto made = Context::create(device_, options);

		EXPECT_TRUE(made) << made.error().message;
		return std::move(*made);
	}

	std::shared_ptr<FakeDriver> driver_;
	Device device_;
	Buffer buffer_;
};

} // namespace npu::test
