/* SPDX-License-Identifier: MIT */
/*
 * Each call of libnpu reports that the device is gone.
 */
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "fake_kernel.h"
#include "libnpu_calls.h"
#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using testing::HasSubstr;

/// Functions of the C interface that make no system call, or only free an object.
const std::set<std::string> without_kernel{
	"npu_deadline_in",
	"npu_error_message",
	"npu_version",
	"npu_device_free",
	"npu_device_fd",
	"npu_device_get_info",
	"npu_device_get_limits",
	"npu_device_get_features",
	"npu_device_get_data_types",
	"npu_fence_free",
	"npu_fence_seqno",
	"npu_syncobj_free",
	"npu_syncobj_handle",
	"npu_buffer_free",
	"npu_buffer_data",
	"npu_buffer_size",
	"npu_buffer_address",
	"npu_buffer_handle",
	"npu_access_data",
	"npu_job_free",
	"npu_job_id",
	"npu_context_free",
	"npu_context_id",
	"npu_page_free",
	"npu_page_completed",
	"npu_page_failed",
	"npu_page_banned",
	"npu_page_times",
	/* Needs a device file; see OpeningADeviceSaysSo. */
	"npu_device_open",
};

std::size_t open_files()
{
	const std::filesystem::directory_iterator files("/proc/self/fd");

	return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

class GoneTest : public testing::Test
{
protected:
	void SetUp() override
	{
		files_ = open_files();
		driver_ = std::make_shared<FakeDriver>();
		driver_->add_sram(65536, 1, 1, 1);
		calls_ = std::make_unique<Calls>(*Device::create(driver_), *driver_);
	}

	/// Destroys all objects while the device is gone, and checks for leaks.
	void destroy()
	{
		calls_.reset();
		EXPECT_EQ(driver_->objects(), 0U);
		driver_.reset();
		EXPECT_EQ(open_files(), files_);
	}

	std::size_t files_ = 0;
	std::shared_ptr<FakeDriver> driver_;
	std::unique_ptr<Calls> calls_;
};

TEST_F(GoneTest, EachCallSaysSo)
{
	const auto calls = calls_->cpp();

	driver_->go_away(0, true);
	for (const Call &call : calls) {
		const Error error = call.run();

		EXPECT_EQ(error.code, ENODEV) << call.name;
		EXPECT_THAT(error.message, HasSubstr(call.subject)) << call.name;
		EXPECT_THAT(error.message, HasSubstr(std::strerror(ENODEV))) << call.name;
	}
	destroy();
}

TEST_F(GoneTest, EachFunctionOfTheCInterfaceSaysSo)
{
	const auto calls = calls_->c();

	driver_->go_away(0, true);
	for (const CCall &call : calls) {
		EXPECT_EQ(call.run(), -ENODEV) << call.name;
		EXPECT_THAT(npu_error_message(), HasSubstr(call.subject)) << call.name;
		EXPECT_THAT(npu_error_message(), HasSubstr(std::strerror(ENODEV))) << call.name;
	}
	destroy();
}

/* The device disappears at system call n of each call, or only call n fails. */
TEST_F(GoneTest, EachSystemCallMayFindNoDevice)
{
	for (const Call &call : calls_->cpp())
		for (const bool for_good : {false, true})
			for (std::uint64_t first = 0;; first++) {
				const std::size_t before = driver_->objects();
				ASSERT_LT(first, 100U) << call.name;
				driver_->go_away(first, for_good);
				const Error error = call.run();
				const bool went = driver_->come_back();

				EXPECT_EQ(driver_->objects(), before) << call.name << ' ' << first;
				if (!went) {
					EXPECT_EQ(error.code, 0)
						<< call.name << ": " << error.message;
					EXPECT_GT(first, 0U) << call.name << " makes no call";
					break;
				}
				EXPECT_TRUE(error.code == ENODEV || (call.lenient && !error.code))
					<< call.name << ", system call " << first;
			}
	driver_->go_away(0, true);
	destroy();
}

TEST_F(GoneTest, OpeningADeviceSaysSo)
{
	const FakeKernel kernel(driver_);
	const std::size_t files = open_files();

	for (std::uint64_t first = 0;; first++) {
		npu_device *device = nullptr;

		ASSERT_LT(first, 100U);
		driver_->go_away(first, true);
		const int code = npu_device_open(kernel.path().c_str(), &device);
		npu_device_free(device);
		EXPECT_EQ(open_files(), files);
		if (!driver_->come_back()) {
			EXPECT_EQ(code, 0) << npu_error_message();
			break;
		}
		EXPECT_EQ(code, -ENODEV) << first;
		EXPECT_THAT(npu_error_message(), HasSubstr(std::strerror(ENODEV)));
	}
}

/* A buffer that cannot be mapped must be freed. */
TEST_F(GoneTest, MappingsThatFailSaySo)
{
	const Device device = *Device::create(driver_);
	const Context context = *Context::create(device);
	const std::size_t before = driver_->objects();

	driver_->fail_map(ENODEV);
	expect_error(Buffer::create(device, 4096), ENODEV, "map a buffer of 4096 bytes");
	expect_error(context.page(), ENODEV, "completion page");
	EXPECT_EQ(driver_->objects(), before);
}

TEST_F(GoneTest, EachFunctionOfTheHeaderIsTried)
{
	std::ifstream file(NPU_SOURCE_DIR "/userspace/libnpu/npu/npu.h");
	std::stringstream text;
	std::set<std::string> declared;
	std::set<std::string> tried = without_kernel;

	text << file.rdbuf();
	const std::string header =
		std::regex_replace(text.str(), std::regex(R"(/\*[^*]*\*+([^/*][^*]*\*+)*/)"), "");
	const std::regex function(R"(\b(npu_\w+)\()");
	for (std::sregex_iterator at(header.begin(), header.end(), function), end; at != end; ++at)
		declared.insert((*at)[1]);
	for (const CCall &call : calls_->c())
		tried.insert(call.name);
	EXPECT_EQ(declared, tried);
}

} // namespace

} // namespace npu::test
