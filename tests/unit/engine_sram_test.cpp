/* SPDX-License-Identifier: MIT */
/*
 * Which buffers the engine prefers to have in SRAM, on a device without a kernel.
 */
#include <cerrno>

#include <gtest/gtest.h>

#include <engine/engine.h>
#include <engine/sram.h>

#include "fake_driver.h"

namespace npu
{

namespace
{

constexpr Bandwidths rk3588{.core = 10.6e9, .system = 28e9, .chip = 12.8e9};

TEST(SramUse, TakesWhatItPrints)
{
	EXPECT_EQ(SramUse::from("auto")->mode, SramUse::Mode::automatic);
	EXPECT_EQ(SramUse::from("off")->mode, SramUse::Mode::off);
	auto bytes = SramUse::from("4096");
	ASSERT_TRUE(bytes);
	EXPECT_EQ(bytes->mode, SramUse::Mode::bytes);
	EXPECT_EQ(bytes->bytes, 4096U);
	for (const char *bad : {"", "4k", "-1", "on", " 1", "99999999999999999999"}) {
		auto refused = SramUse::from(bad);
		ASSERT_FALSE(refused) << bad;
		EXPECT_EQ(refused.error().code, EINVAL);
	}
}

/* The transfer time is the maximum over the cores' ports, system memory and SRAM. */
TEST(SramPlan, TransferTime)
{
	EXPECT_DOUBLE_EQ(transfer_seconds(10.6e9, 0, 1, rk3588), 1.0);
	EXPECT_DOUBLE_EQ(transfer_seconds(10.6e9, 5e9, 1, rk3588), 1.0);
	EXPECT_DOUBLE_EQ(transfer_seconds(28e9, 0, 3, rk3588), 1.0);
	EXPECT_DOUBLE_EQ(transfer_seconds(12.8e9, 12.8e9, 3, rk3588), 1.0);
	EXPECT_LT(transfer_seconds(28e9, 2e9, 3, rk3588), 1.0);
}

class SramPlanTest : public testing::Test
{
protected:
	void SetUp() override
	{
		driver_ = std::make_shared<test::FakeDriver>();
		driver_->add_sram(65536, 10'600'000'000, 28'000'000'000, 12'800'000'000);
		device_ = *Device::create(driver_);
		for (const std::size_t size : {4096U, 8192U, 32768U, 61440U})
			buffers_.push_back(*Buffer::create(device_, size));
	}

	/// The error of creating the plan.
	Error refusal(const char *use)
	{
		return SramPlan::create(device_, *SramUse::from(use)).error();
	}
	SramPlan plan(const char *use) { return *SramPlan::create(device_, *SramUse::from(use)); }
	bool preferred(std::size_t i) { return buffers_[i].info()->region == chip_region; }

	std::shared_ptr<test::FakeDriver> driver_;
	Device device_;
	std::vector<Buffer> buffers_;
};

/* A little of a product gains where its cores share memory, all of it loses. */
TEST_F(SramPlanTest, WithoutWhatTheRegionsAre)
{
	driver_->fail(DRM_IOCTL_NPU_QUERY, EIO);
	EXPECT_EQ(refusal("auto").code, EIO);
}

TEST_F(SramPlanTest, PrefersWhatGains)
{
	SramPlan automatic = plan("auto");
	const SramPlan::Operand operands[] = {{&buffers_[0], {4096}}, {&buffers_[3], {61440}}};

	EXPECT_FALSE(automatic.place(operands, 3));
	EXPECT_TRUE(preferred(0));
	EXPECT_FALSE(preferred(1));
	EXPECT_FALSE(preferred(3));
	EXPECT_EQ(buffers_[0].info()->priority, 255U);
}

/* A single core's bandwidth is the same with one or two memories. */
TEST_F(SramPlanTest, PrefersNothingThatDoesNot)
{
	SramPlan automatic = plan("auto");
	const SramPlan::Operand operands[] = {{&buffers_[0], {4096}}, {&buffers_[3], {61440}}};

	EXPECT_FALSE(automatic.place(operands, 1));
	EXPECT_FALSE(preferred(0));
	EXPECT_FALSE(preferred(3));
}

TEST_F(SramPlanTest, Off)
{
	SramPlan off = plan("off");
	const SramPlan::Operand operands[] = {{&buffers_[0], {4096}}, {&buffers_[3], {61440}}};

	EXPECT_FALSE(off.place(operands, 3));
	EXPECT_FALSE(preferred(0));
}

/* A mode with a fixed number of bytes ignores the gain, in order of the operands. */
TEST_F(SramPlanTest, Bytes)
{
	SramPlan bytes = plan("40960");
	const SramPlan::Operand operands[] = {{&buffers_[1], {8192}},
					      {&buffers_[3], {61440}},
					      {&buffers_[2], {32768}},
					      {&buffers_[0], {4096}}};

	EXPECT_FALSE(bytes.place(operands, 1));
	EXPECT_TRUE(preferred(1));
	EXPECT_FALSE(preferred(3));
	EXPECT_TRUE(preferred(2));
	EXPECT_FALSE(preferred(0));
	EXPECT_GT(buffers_[1].info()->priority, buffers_[2].info()->priority);
	/* clear() releases the room. */
	bytes.clear();
	const SramPlan::Operand last[] = {{&buffers_[0], {4096}}};
	EXPECT_FALSE(bytes.place(last, 1));
	EXPECT_TRUE(preferred(0));
}

/* Streams take room like buffers, but the caller places them by creating the job. */
TEST_F(SramPlanTest, Streams)
{
	SramPlan bytes = plan("12288");
	const SramPlan::Operand streams{nullptr, {100}};
	const SramPlan::Operand large{nullptr, {8193}};
	const SramPlan::Operand buffer{&buffers_[1], {8192}};

	EXPECT_FALSE(bytes.place(std::vector{buffer}, 1));
	EXPECT_FALSE(bytes.place(std::vector{large}, 1));
	EXPECT_TRUE(bytes.place(std::vector{streams}, 1));
	/* The last page is in use. */
	EXPECT_FALSE(bytes.place(std::vector{streams}, 1));
	bytes.clear();
	EXPECT_TRUE(bytes.place(std::vector{large}, 1));

	SramPlan automatic = plan("auto");
	EXPECT_FALSE(automatic.place(std::vector{streams}, 1));
	EXPECT_TRUE(
		automatic.place(std::vector{streams, SramPlan::Operand{&buffers_[3], {61440}}}, 3));
	EXPECT_FALSE(plan("off").place(std::vector{streams}, 3));
}

/* Operands that must stay in system memory count for the gain, but take no room. */
TEST_F(SramPlanTest, LeavesWhatMayNotMove)
{
	SramPlan bytes = plan("8192");
	const SramPlan::Operand operands[] = {{&buffers_[1], {8192}, false},
					      {&buffers_[0], {4096}}};

	EXPECT_FALSE(bytes.place(operands, 3));
	EXPECT_FALSE(preferred(1));
	EXPECT_TRUE(preferred(0));
}

/* A buffer whose residency the device refuses takes no room. */
TEST_F(SramPlanTest, ARefusedPreferenceChangesNothing)
{
	SramPlan bytes = plan("4096");
	const SramPlan::Operand buffer[] = {{&buffers_[0], {4096}}};
	const SramPlan::Operand streams[] = {{nullptr, {100}}};

	driver_->fail(DRM_IOCTL_NPU_BO_RESIDENCY, EBUSY);
	EXPECT_FALSE(bytes.place(buffer, 1));
	EXPECT_FALSE(preferred(0));
	EXPECT_TRUE(bytes.place(streams, 1));
}

/* A bandwidth of 0 means that the device does not report it. */
TEST(SramPlan, PrefersNothingWithoutAllBandwidths)
{
	const Bandwidths some_unknown[] = {
		{.core = 0, .system = 28e9, .chip = 12.8e9},
		{.core = 10.6e9, .system = 0, .chip = 12.8e9},
		{.core = 10.6e9, .system = 28e9, .chip = 0},
	};

	for (const Bandwidths &known : some_unknown) {
		auto driver = std::make_shared<test::FakeDriver>();
		driver->add_sram(65536, static_cast<std::uint64_t>(known.core),
				 static_cast<std::uint64_t>(known.system),
				 static_cast<std::uint64_t>(known.chip));
		const Device device = *Device::create(driver);
		auto plan = SramPlan::create(device, *SramUse::from("auto"));
		const Buffer buffer = *Buffer::create(device, 4096);
		const SramPlan::Operand operands[] = {{&buffer, {4096}}};

		ASSERT_TRUE(plan);
		EXPECT_FALSE(plan->place(operands, 3));
		EXPECT_EQ(buffer.info()->region, 0U);
	}
}

TEST(SramPlan, WithoutOnChipMemory)
{
	auto driver = std::make_shared<test::FakeDriver>();
	const Device device = *Device::create(driver);
	auto plan = SramPlan::create(device, SramUse{});
	const Buffer buffer = *Buffer::create(device, 4096);

	const SramPlan::Operand operands[] = {{&buffer, {4096}}};

	ASSERT_TRUE(plan);
	EXPECT_FALSE(plan->place(operands, 3));
	EXPECT_EQ(buffer.info()->region, 0U);
}

} // namespace

} // namespace npu
