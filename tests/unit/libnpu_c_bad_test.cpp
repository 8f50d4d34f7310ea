/* SPDX-License-Identifier: MIT */
/*
 * Bad input to the C interface.
 */
#include <cerrno>

#include <gmock/gmock.h>

#include <capi_objects.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using testing::HasSubstr;

class BadInputTest : public testing::Test
{
protected:
	void SetUp() override
	{
		driver_ = std::make_shared<FakeDriver>();
		device_.device = *Device::create(driver_);
	}

	std::shared_ptr<FakeDriver> driver_;
	npu_device device_;
};

TEST_F(BadInputTest, NullIsAnErrorEverywhere)
{
	npu_buffer *buffer = nullptr;
	npu_context *context = nullptr;
	std::uint64_t point = 0;
	int fd = -1;

	const int codes[] = {
		npu_device_open("/dev/null", nullptr),
		npu_device_get_info(nullptr, nullptr),
		npu_device_get_info(&device_, nullptr),
		npu_device_get_core(nullptr, 0, nullptr),
		npu_device_get_region(nullptr, 0, nullptr),
		npu_device_get_activity(nullptr, nullptr),
		npu_device_get_limits(nullptr, nullptr),
		npu_device_get_features(nullptr, nullptr),
		npu_device_get_data_types(nullptr, 0, nullptr),
		npu_fence_import(nullptr, 0, nullptr),
		npu_fence_fd(nullptr, &fd),
		npu_fence_wait(nullptr, 0, nullptr),
		npu_syncobj_create(nullptr, 0, nullptr),
		npu_syncobj_import(nullptr, 0, nullptr),
		npu_syncobj_export(nullptr, &fd),
		npu_syncobj_sync_file(nullptr, &fd),
		npu_syncobj_wait(nullptr, 0, 0),
		npu_syncobj_signal(nullptr, 0),
		npu_syncobj_reset(nullptr),
		npu_syncobj_get_point(nullptr, &point),
		npu_buffer_create(nullptr, 1, nullptr, &buffer),
		npu_buffer_create(&device_, 1, nullptr, nullptr),
		npu_buffer_import(nullptr, 0, nullptr, &buffer),
		npu_buffer_get_info(nullptr, nullptr),
		npu_buffer_export(nullptr, &fd),
		npu_buffer_wait(nullptr, 0, 0),
		npu_buffer_acquire(nullptr, nullptr),
		npu_buffer_release_fence(nullptr, 0, nullptr),
		npu_buffer_access(nullptr, 0, 0, 0, nullptr),
		npu_buffer_sync_for_cpu(nullptr, 0, 1),
		npu_buffer_sync_for_device(nullptr, 0, 1),
		npu_buffer_set_residency(nullptr, 0, 0, 1),
		npu_job_create(&device_, nullptr, 1, nullptr, nullptr),
		npu_context_create(nullptr, nullptr, &context),
		npu_context_submit(nullptr, nullptr, 0, nullptr, nullptr, nullptr),
		npu_context_set_class(nullptr, 0),
		npu_context_set_weight(nullptr, 0),
		npu_context_wait(nullptr, 1, 0, nullptr),
		npu_context_cancel(nullptr, 1, 1, nullptr),
		npu_context_get_statistics(nullptr, nullptr),
		npu_page_map(nullptr, nullptr),
		npu_page_times(nullptr, 1, nullptr),
		npu_page_wait(nullptr, 1, 0, 0, nullptr),
	};
	for (std::size_t i = 0; i < std::size(codes); i++)
		EXPECT_EQ(codes[i], -EINVAL) << "call " << i;
	EXPECT_THAT(npu_error_message(), HasSubstr("NULL"));
	EXPECT_EQ(npu_device_fd(nullptr), -1);
	EXPECT_EQ(npu_buffer_data(nullptr), nullptr);
	EXPECT_EQ(npu_buffer_size(nullptr) + npu_buffer_address(nullptr) +
			  npu_buffer_handle(nullptr) + npu_job_id(nullptr) +
			  npu_context_id(nullptr) + npu_syncobj_handle(nullptr) +
			  npu_fence_seqno(nullptr) + npu_page_completed(nullptr) +
			  npu_page_failed(nullptr),
		  0U);
	EXPECT_FALSE(npu_page_banned(nullptr));
	EXPECT_EQ(npu_access_data(nullptr), nullptr);
	npu_device_free(nullptr);
	npu_buffer_free(nullptr);
	npu_job_free(nullptr);
	npu_context_free(nullptr);
	npu_page_free(nullptr);
	npu_fence_free(nullptr);
	npu_syncobj_free(nullptr);
}

/// A structure of a later version.
template <typename T>
struct Later {
	T known = {};
	std::uint64_t more = 0;
};

TEST_F(BadInputTest, SizesOfStructuresAreNegotiated)
{
	Later<npu_buffer_options> options;
	Later<npu_buffer_info> info;
	npu_buffer *buffer = nullptr;

	for (const std::size_t size : {std::size_t{0}, sizeof(npu_buffer_options) - 1}) {
		options.known.size = size;
		EXPECT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), -EINVAL);
		EXPECT_THAT(npu_error_message(), HasSubstr("less than version 1.0 has"));
	}
	options.known.size = SIZE_MAX;
	EXPECT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), -E2BIG);
	options.known.size = sizeof(options);
	options.more = 1;
	EXPECT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), -E2BIG);
	EXPECT_THAT(npu_error_message(), HasSubstr("does not know"));
	options.more = 0;
	ASSERT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), 0);
	EXPECT_STREQ(npu_error_message(), "") << "no older error";

	info.known.size = sizeof(info.known) - 1;
	EXPECT_EQ(npu_buffer_get_info(buffer, &info.known), -EINVAL);
	info.known.size = SIZE_MAX;
	EXPECT_EQ(npu_buffer_get_info(buffer, &info.known), -E2BIG);
	info.known.size = sizeof(info);
	info.more = 77;
	ASSERT_EQ(npu_buffer_get_info(buffer, &info.known), 0);
	EXPECT_EQ(info.known.size, sizeof(info.known)) << "what is known";
	EXPECT_EQ(info.known.bytes, 4096U);
	EXPECT_EQ(info.more, 0U);
	npu_buffer_free(buffer);
}

} // namespace

} // namespace npu::test
