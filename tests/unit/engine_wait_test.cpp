/* SPDX-License-Identifier: MIT */
/*
 * Waits for products and their results, on a device without a kernel.
 */
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <engine/engine.h>

#include "fake_driver.h"
#include "random_floats.h"

namespace npu
{

namespace
{

class EngineWaitTest : public testing::Test
{
protected:
	void SetUp() override
	{
		device_ = *Device::create(driver_);
		const auto weights = test::random_floats(std::size_t{64} * 64, 3);
		auto layer = Linear::create(device_, weights, 64, 64, Precision::int8);
		auto engine = Engine::create(device_);
		ASSERT_TRUE(layer && engine);
		layer_.push_back(std::move(*layer));
		engine_ = std::make_unique<Engine>(std::move(*engine));
		operand_ = {&layer_.front(), 0};
	}

	Result<void> start(const Engine::StartOptions &options)
	{
		return engine_->start({&operand_, 1}, 1, {x_, 64}, options);
	}

	std::shared_ptr<test::FakeDriver> driver_ = std::make_shared<test::FakeDriver>();
	Device device_;
	std::vector<Linear> layer_;
	std::unique_ptr<Engine> engine_;
	Operand operand_;
	std::vector<float> x_ = test::random_floats(64, 4);
};

TEST_F(EngineWaitTest, ATimeoutLeavesTheProductUnderWay)
{
	std::vector<float> y(64);

	driver_->hold();
	ASSERT_TRUE(start({.fence = true}));
	auto file = engine_->fd();
	ASSERT_TRUE(file) << file.error().message;
	EXPECT_EQ(driver_->wait_readable(file->get(), Deadline::immediately()), 0);
	const auto early = engine_->wait(Deadline::immediately());
	EXPECT_TRUE(early.timed_out());
	EXPECT_EQ(early.error().code, ETIME);
	EXPECT_EQ(engine_->fetch(0, {y, 64}).error().code, EINVAL);
	EXPECT_EQ(start({}).error().code, EBUSY);
	driver_->resume();
	EXPECT_EQ(driver_->wait_readable(file->get(), Deadline::immediately()), 1);
	const auto waited = engine_->wait(Deadline::immediately());
	ASSERT_TRUE(waited) << waited.error().message;
	EXPECT_TRUE(engine_->fetch(0, {y, 64}));
	EXPECT_EQ(engine_->wait().error().code, EINVAL) << "it was waited for";
	EXPECT_EQ(engine_->fd().error().code, EINVAL) << "none is under way";
}

TEST_F(EngineWaitTest, ProductsTellWhatTheyTook)
{
	ASSERT_TRUE(start({}));
	EXPECT_EQ(engine_->fd().error().code, EINVAL) << "no fence was asked for";
	const auto waited = engine_->wait();
	ASSERT_TRUE(waited);
	EXPECT_EQ(waited->macs, 64U * 64U);
	EXPECT_GT(waited->job.device_ns, 0U);
	EXPECT_GE(waited->job.ended_ns, waited->job.started_ns);
	EXPECT_GE(waited->cores, 1U);
	/* Weights of a byte, activations of a byte, results of four. */
	EXPECT_GE(waited->bytes, 64U * 64U + 64U + 64U * 4U);
}

TEST_F(EngineWaitTest, SubmitsCarryDeadlineAndSyncs)
{
	drm_npu_job_submit seen{};

	driver_->watch(DRM_IOCTL_NPU_JOB_SUBMIT, [&](void *argument) {
		seen = *static_cast<drm_npu_job_submit *>(argument);
	});
	auto before = Syncobj::create(device_, true);
	ASSERT_TRUE(before);
	const InSync in[] = {*before};
	ASSERT_TRUE(start({.deadline = Deadline::at_ns(5), .in = in}));
	EXPECT_EQ(seen.deadline_ns, 5U);
	EXPECT_EQ(seen.in_sync_count, 1U);
	EXPECT_EQ(seen.out_sync_count, 0U);
	ASSERT_TRUE(engine_->wait());
	ASSERT_TRUE(engine_->set_class(SchedClass::latency));
	EXPECT_EQ(driver_->context().stats().sched_class, std::uint32_t{DRM_NPU_CLASS_LATENCY});
}

TEST_F(EngineWaitTest, AProductThatFailsTellsAsMuch)
{
	driver_->hold();
	ASSERT_TRUE(start({}));
	drm_npu_job_cancel cancel{.context_id = 0,
				  .flags = 0,
				  .first_seqno = 1,
				  .last_seqno = 1,
				  .cancelled = 0,
				  .pad = 0};
	ASSERT_EQ(driver_->context().cancel(cancel), 0);
	driver_->resume();
	const auto waited = engine_->wait();
	ASSERT_TRUE(waited.failed());
	EXPECT_EQ(waited.error().code, ECANCELED);
	ASSERT_TRUE(waited.has_value());
	EXPECT_GT(waited->job.ended_ns, 0U);
	EXPECT_EQ(waited->macs, 64U * 64U);
	EXPECT_TRUE(start({})) << "the next goes on";
	EXPECT_TRUE(engine_->wait());
}

/* fork() does not copy threads: a join would never return. */
TEST_F(EngineWaitTest, AChildMayDestroyAnEngineWithThreads)
{
	auto engine = Engine::create(device_, {.threads = 3});
	ASSERT_TRUE(engine);
	const pid_t child = ::fork();
	ASSERT_NE(child, -1);
	if (!child) {
		::alarm(60);
		{
			const Engine gone(std::move(*engine));
		}
		::_exit(0);
	}
	int status = 0;
	ASSERT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

} // namespace

} // namespace npu
