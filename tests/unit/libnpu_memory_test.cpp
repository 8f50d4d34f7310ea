/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of each call of libnpu fails.
 */
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>

#include <unistd.h>

#include "fake_kernel.h"
#include "libnpu_calls.h"
#include "libnpu_fixture.h"
#include "memory_shortage.h"

namespace npu::test
{

namespace
{

constexpr Shortage shortages[] = {Shortage::once, Shortage::lasting};
/// Upper bound of the allocations of a call.
constexpr int most_allocations = 10000;

class MemoryTest : public testing::Test
{
protected:
	void SetUp() override
	{
		driver_->add_sram(65536, 1, 1, 1);
		device_ = *Device::create(driver_);
		calls_ = std::make_unique<Calls>(device_, *driver_);
	}
	void TearDown() override
	{
		calls_.reset();
		EXPECT_EQ(driver_->objects(), 0U);
	}

	/// Objects of the device that have not been freed.
	std::size_t objects() const { return driver_->objects() + driver_->syncs().syncobjs(); }
	void cpp_fails(const Call &call, int expected);
	void c_fails(const CCall &call, int expected);

	std::shared_ptr<RichDriver> driver_ = std::make_shared<RichDriver>();
	Device device_;
	std::unique_ptr<Calls> calls_;
};

/// Fails each allocation of @p call in turn; it must throw and leak nothing. With enough
/// memory it returns error @p expected.
void MemoryTest::cpp_fails(const Call &call, int expected)
{
	for (const Shortage shortage : shortages)
		for (int number = 0;; number++) {
			const std::size_t before = objects();
			bool thrown = false;
			Error error;

			start_shortage(number, shortage);
			try {
				error = call.run();
			} catch (const std::bad_alloc &) {
				thrown = true;
			}
			const bool failed = end_shortage();
			EXPECT_EQ(thrown, failed) << call.name << ", allocation " << number;
			EXPECT_EQ(objects(), before) << call.name << ", allocation " << number;
			ASSERT_LT(number, most_allocations) << call.name;
			if (!failed) {
				EXPECT_EQ(error.code, expected) << call.name << error.message;
				break;
			}
		}
}

/// The same for the C interface, which must return -ENOMEM with a message.
void MemoryTest::c_fails(const CCall &call, int expected)
{
	for (const Shortage shortage : shortages)
		for (int number = 0;; number++) {
			const std::size_t before = objects();

			start_shortage(number, shortage);
			const int code = call.run();
			const bool failed = end_shortage();
			EXPECT_EQ(code, failed ? -ENOMEM : -expected)
				<< call.name << ", allocation " << number << ": "
				<< npu_error_message();
			EXPECT_EQ(std::strlen(npu_error_message()) > 0, code != 0) << call.name;
			EXPECT_EQ(objects(), before) << call.name << ", allocation " << number;
			ASSERT_LT(number, most_allocations) << call.name;
			if (!failed)
				break;
		}
}

TEST_F(MemoryTest, EachCallThrowsAndLeavesNothing)
{
	for (const Call &call : calls_->cpp())
		cpp_fails(call, 0);
}

TEST_F(MemoryTest, EachFunctionOfTheCInterfaceHasAnError)
{
	for (const CCall &call : calls_->c())
		c_fails(call, 0);
}

/* The allocations that fail here include those of error messages. */
TEST_F(MemoryTest, EachCallThrowsWithoutADevice)
{
	driver_->go_away(0, true);
	for (const Call &call : calls_->cpp())
		cpp_fails(call, ENODEV);
	for (const CCall &call : calls_->c())
		c_fails(call, ENODEV);
}

TEST_F(MemoryTest, AccessesEndWithoutMemory)
{
	const Buffer buffer = *Buffer::create(device_, 4096, {.cached = true});
	{
		auto access = buffer.access(Buffer::Direction::read_write);
		ASSERT_TRUE(access);
		driver_->go_away(0, true);
		start_shortage(0, Shortage::lasting);
	}
	EXPECT_TRUE(end_shortage()) << "the text of the error";
}

/// Opens a device file.
class MemoryOpenTest : public testing::Test
{
protected:
	void SetUp() override { kernel_ = std::make_unique<FakeKernel>(driver_); }

	std::shared_ptr<RichDriver> driver_ = std::make_shared<RichDriver>();
	std::unique_ptr<FakeKernel> kernel_;
};

TEST_F(MemoryOpenTest, OpeningADeviceFails)
{
	const char *const path = kernel_->path().c_str();

	for (const Shortage shortage : shortages) {
		for (int number = 0;; number++) {
			npu_device *device = nullptr;

			start_shortage(number, shortage);
			const int code = npu_device_open(path, &device);
			const bool failed = end_shortage();
			EXPECT_EQ(code, failed ? -ENOMEM : 0) << number;
			EXPECT_EQ(device != nullptr, !code);
			npu_device_free(device);
			ASSERT_LT(number, most_allocations);
			if (!failed)
				break;
		}
	}
}

/* Accessors of the C interface cannot report an error, so they must not allocate. */
TEST_F(MemoryOpenTest, AccessorsNeedNoMemory)
{
	/* Function-local statics are initialised once, so run in a new process. */
	GTEST_FLAG_SET(death_test_style, "threadsafe");
	const auto access = [this] {
		npu_device device{*Device::create(driver_)};
		npu_device *opened = nullptr;
		if (npu_device_open(kernel_->path().c_str(), &opened))
			::_exit(1);

		start_shortage(0, Shortage::lasting);
		const bool right = npu_device_fd(&device) == -1 && npu_device_fd(opened) >= 0;
		const bool short_memory = end_shortage();
		npu_buffer *buffer = nullptr;
		if (npu_buffer_create(opened, 4096, nullptr, &buffer))
			::_exit(2);
		start_shortage(0, Shortage::lasting);
		const bool filled = npu_buffer_data(buffer) && npu_buffer_size(buffer) &&
				    npu_buffer_handle(buffer) && npu_buffer_address(buffer);
		::_exit(right && !short_memory && filled && !end_shortage() ? 0 : 3);
	};

	EXPECT_EXIT(access(), testing::ExitedWithCode(0), "");
}

} // namespace

} // namespace npu::test
