/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of each call of the engine fails.
 */
#include <cerrno>
#include <new>

#include <gtest/gtest.h>

#include <engine/engine.h>

#include "engine_calls.h"
#include "memory_shortage.h"

namespace npu::test
{

namespace
{

/// Upper bound of the allocations of a call.
constexpr int most_allocations = 100000;

class EngineMemoryTest : public testing::Test
{
protected:
	void SetUp() override { device_ = *Device::create(driver_); }
	/// Fails allocation @p number of @p call, whose jobs end with error @p expected.
	/// @return whether @p call made that many
	bool fails(const EngineCall &call, int number, Shortage shortage, int expected);

	std::shared_ptr<RichDriver> driver_ = std::make_shared<RichDriver>();
	Device device_;
};

bool EngineMemoryTest::fails(const EngineCall &call, int number, Shortage shortage, int expected)
{
	auto run = call.prepare(device_);
	bool thrown = false;
	Error error;

	driver_->fail_jobs(expected);
	start_shortage(number, shortage);
	try {
		error = run();
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	const bool failed = end_shortage();
	driver_->fail_jobs(0);
	EXPECT_EQ(thrown, failed);
	EXPECT_TRUE(failed || error.code == expected) << error.message;
	error = run();
	EXPECT_EQ(error.code, 0) << "it works again, not: " << error.message;
	run = nullptr;
	EXPECT_EQ(driver_->objects(), 0U);
	return failed;
}

TEST_F(EngineMemoryTest, EachCallThrowsAndLeavesNothing)
{
	for (const EngineCall &call : engine_calls())
		for (const Shortage shortage : {Shortage::once, Shortage::lasting})
			for (int number = 0;; number++) {
				SCOPED_TRACE(call.name + ", allocation " + std::to_string(number));
				ASSERT_LT(number, most_allocations);
				if (!fails(call, number, shortage, 0))
					break;
			}
}

/* The job fails, and then the allocation of its error message. */
TEST_F(EngineMemoryTest, ProductsThatFailThrowAndTheNextWorks)
{
	for (const EngineCall &call : engine_calls()) {
		if (!call.name.starts_with("Engine::multiply"))
			continue;
		for (int number = 0;; number++) {
			SCOPED_TRACE(call.name + ", allocation " + std::to_string(number));
			ASSERT_LT(number, most_allocations);
			if (!fails(call, number, Shortage::lasting, EIO))
				break;
		}
	}
}

} // namespace

} // namespace npu::test
