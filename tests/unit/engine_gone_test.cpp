/* SPDX-License-Identifier: MIT */
/*
 * The device disappears at each system call of the engine.
 */
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine_calls.h"
#include "fake_driver.h"

namespace npu::test
{

namespace
{

/// Upper bound of the system calls of a call.
constexpr std::uint64_t most_calls = 1000;

class EngineGoneTest : public testing::Test
{
protected:
	void SetUp() override { device_ = *Device::create(driver_); }
	/// Makes the device disappear at system call @p first of @p call.
	/// @return whether @p call made that many
	bool goes(const EngineCall &call, std::uint64_t first, bool for_good);

	std::shared_ptr<FakeDriver> driver_ = std::make_shared<FakeDriver>();
	Device device_;
};

bool EngineGoneTest::goes(const EngineCall &call, std::uint64_t first, bool for_good)
{
	auto run = call.prepare(device_);
	bool went = false;

	driver_->go_away(first, for_good);
	const Error error = run();
	if (for_good) {
		/* Destroy the objects while the device is gone. */
		run = nullptr;
		went = driver_->come_back();
	} else {
		went = driver_->come_back();
		EXPECT_EQ(run().code, 0) << "it works again";
		run = nullptr;
	}
	const bool well = !went || (call.lenient && !for_good && !error.code);
	EXPECT_EQ(error.code, well ? 0 : ENODEV) << error.message;
	EXPECT_EQ(error.message.empty(), well);
	EXPECT_EQ(driver_->objects(), 0U);
	return went;
}

TEST_F(EngineGoneTest, EachCallSaysSo)
{
	for (const EngineCall &call : engine_calls())
		for (const bool for_good : {false, true})
			for (std::uint64_t first = 0;; first++) {
				SCOPED_TRACE(call.name + ", system call " + std::to_string(first));
				ASSERT_LT(first, most_calls);
				if (!goes(call, first, for_good))
					break;
			}
}

/* A refused residency is no error by itself, so the device has to be gone for good. */
TEST_F(EngineGoneTest, EachCallSaysSoWithOnChipMemory)
{
	driver_->add_sram(1 << 20, 1, 1, 100);
	device_ = *Device::create(driver_);
	for (const EngineCall &call : engine_calls())
		for (std::uint64_t first = 0;; first++) {
			SCOPED_TRACE(call.name + ", system call " + std::to_string(first));
			ASSERT_LT(first, most_calls);
			if (!goes(call, first, true))
				break;
		}
}

} // namespace

} // namespace npu::test
