/* SPDX-License-Identifier: MIT */
/*
 * Contexts of libnpu on a device without a kernel.
 */
#include <cerrno>
#include <chrono>
#include <string>
#include <tuple>

#include <gmock/gmock.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr SchedClass classes[] = {
	SchedClass::throughput,
	SchedClass::latency,
	SchedClass::background,
};

class ContextTest : public LibnpuTest
{
};

TEST_F(ContextTest, OptionsReachTheKernel)
{
	for (const SchedClass sched_class : classes) {
		const Context made = context(
			{.core_mask = 5, .max_queued = 7, .sched_class = sched_class, .weight = 9});
		const auto statistics = made.statistics();

		ASSERT_TRUE(statistics);
		EXPECT_EQ(statistics->core_mask, 5U);
		EXPECT_EQ(statistics->max_queued, 7U);
		EXPECT_EQ(statistics->sched_class, sched_class);
		EXPECT_EQ(statistics->weight, 9U);
	}
	driver_->fail(DRM_IOCTL_NPU_CONTEXT_CREATE, EINVAL);
	expect_error(Context::create(device_, {.weight = DRM_NPU_WEIGHT_MAX + 1}), EINVAL,
		     "weight");
}

TEST_F(ContextTest, ClassAndWeightChangeOneByOne)
{
	Context queue = context({.sched_class = SchedClass::background, .weight = 9});
	drm_npu_context_set seen{};

	driver_->watch(DRM_IOCTL_NPU_CONTEXT_SET, [&](void *argument) {
		seen = *static_cast<drm_npu_context_set *>(argument);
	});
	for (const SchedClass sched_class : classes) {
		ASSERT_TRUE(queue.set_class(sched_class));
		EXPECT_EQ(seen.flags, std::uint32_t{DRM_NPU_CONTEXT_SET_CLASS});
		EXPECT_EQ(seen.weight, 0U);
		EXPECT_EQ(queue.statistics()->sched_class, sched_class);
		EXPECT_EQ(queue.statistics()->weight, 9U);
	}
	ASSERT_TRUE(queue.set_weight(DRM_NPU_WEIGHT_MAX));
	EXPECT_EQ(seen.flags, DRM_NPU_CONTEXT_SET_WEIGHT);
	EXPECT_EQ(seen.sched_class, 0U);
	EXPECT_EQ(queue.statistics()->weight, DRM_NPU_WEIGHT_MAX);
	expect_error(queue.set_weight(DRM_NPU_WEIGHT_MAX + 1), EINVAL, "weight");
	EXPECT_EQ(queue.statistics()->weight, DRM_NPU_WEIGHT_MAX);
	driver_->fail(DRM_IOCTL_NPU_CONTEXT_SET, ENODEV);
	expect_error(queue.set_class(SchedClass::latency), ENODEV, "cannot change a context");
}

/* 0 is none for the kernel, which no time that has passed may become. */
TEST_F(ContextTest, SubmitsCarryTheirDeadline)
{
	Context queue = context();
	const Job good = job();
	const Job *const jobs[] = {&good, &good};
	std::uint64_t seen = 1;

	driver_->watch(DRM_IOCTL_NPU_JOB_SUBMIT, [&](void *argument) {
		seen = static_cast<drm_npu_job_submit *>(argument)->deadline_ns;
	});
	ASSERT_TRUE(queue.submit(good));
	EXPECT_EQ(seen, 0U);
	const Deadline deadline = Clock::now() + 3s;
	const auto expected = static_cast<std::uint64_t>(deadline.monotonic_ns());
	ASSERT_TRUE(queue.submit(good, {.deadline = deadline}));
	EXPECT_EQ(seen, expected);
	ASSERT_TRUE(queue.submit(jobs));
	EXPECT_EQ(seen, 0U);
	ASSERT_TRUE(queue.submit(jobs, {.deadline = deadline}));
	EXPECT_EQ(seen, expected);
	ASSERT_TRUE(queue.submit(good, {.deadline = Clock::time_point(-1s)}));
	EXPECT_EQ(seen, 1U);
	ASSERT_TRUE(queue.submit(good, {.deadline = Deadline::immediately()}));
	EXPECT_EQ(seen, 1U);
	ASSERT_TRUE(queue.submit(good, {.deadline = Deadline::never()}));
	EXPECT_EQ(seen, 0U);
}

TEST_F(ContextTest, TasksSayWhatTheyCost)
{
	std::vector<std::uint32_t> seen;

	driver_->watch(DRM_IOCTL_NPU_JOB_CREATE, [&](void *argument) {
		const auto *lane = reinterpret_cast<const drm_npu_lane *>(
			static_cast<drm_npu_job_create *>(argument)->lanes);

		for (std::uint32_t i = 0; i < lane->task_count; i++)
			seen.push_back(
				reinterpret_cast<const drm_npu_task *>(lane->tasks)[i].cost_ns);
	});
	const Lane lane{{{1}, 1, 5}, {{1}, 1}, {{1}, 1, UINT32_MAX}};
	ASSERT_TRUE(Job::create(device_, {&lane, 1}));
	EXPECT_EQ(seen, (std::vector<std::uint32_t>{5, 0, UINT32_MAX}));
}

/// Names are those of the TRM, which number the registers so.
TEST_F(ContextTest, RefusedStreamsAreNamedByBlockAndRegister)
{
	const std::tuple<std::uint32_t, drm_npu_fault_reason, std::string> cases[] = {
		{0x4010, DRM_NPU_FAULT_VALUE,
		 "value out of bounds, DPU register DATA_FORMAT at 0x4010"},
		{0x5034, DRM_NPU_FAULT_SHAPE,
		 "the blocks do not agree with each other, DPU_RDMA register ERDMA_CFG at 0x5034"},
		{0x3ffc, DRM_NPU_FAULT_REGISTER,
		 "register unknown or not for clients, CORE register 0x3ffc"},
		{0x2000, DRM_NPU_FAULT_TARGET, "no known block, register 0x2000"},
		{0, DRM_NPU_FAULT_UNCUT, "takes too long without a place to cut"},
	};
	const Lane lane{{{1}, 1}};

	for (const auto &[reg, reason, text] : cases) {
		driver_->watch(DRM_IOCTL_NPU_JOB_CREATE, [&](void *argument) {
			auto &args = *static_cast<drm_npu_job_create *>(argument);

			args.fault_lane = 2;
			args.fault_task = 7;
			args.fault_command = 30;
			args.fault_reason = reason;
			args.fault_register = reg;
		});
		driver_->fail(DRM_IOCTL_NPU_JOB_CREATE, EINVAL);
		const auto made = Job::create(device_, {&lane, 1});
		ASSERT_FALSE(made);
		EXPECT_EQ(made.error().message,
			  "cannot create a job, lane 2, task 7, command 30 is refused (" + text +
				  "): Invalid argument");
	}
	/* Older kernels have numbers only. */
	driver_->fail(DRM_IOCTL_NPU_QUERY, EINVAL);
	driver_->watch(DRM_IOCTL_NPU_JOB_CREATE, [](void *argument) {
		auto &args = *static_cast<drm_npu_job_create *>(argument);

		args.fault_reason = DRM_NPU_FAULT_VALUE;
		args.fault_register = 0x4010;
	});
	const auto made = Job::create(device_, {&lane, 1});
	ASSERT_FALSE(made);
	EXPECT_THAT(made.error().message, HasSubstr("(value out of bounds, register 0x4010)"));
}

TEST_F(ContextTest, WaitTellsHowAJobIsAndNotOnlyWhenItEnded)
{
	Context queue = context();
	const Job good = job();
	const Job bad = job(true);

	driver_->hold();
	ASSERT_TRUE(queue.submit(good));
	ASSERT_TRUE(queue.submit(bad));
	auto status = queue.wait(1, Clock::now());
	ASSERT_TRUE(status.timed_out());
	expect_error(status, ETIME, "job 1 has not ended");
	ASSERT_TRUE(status.has_value());
	EXPECT_EQ(status->state, JobState::queued);
	EXPECT_FALSE(status->ended());
	EXPECT_GT(status->queued_ns, 0U);
	EXPECT_EQ(status->ended_ns, 0U);

	driver_->resume();
	status = queue.wait(1);
	ASSERT_TRUE(status);
	EXPECT_TRUE(status->ended());
	EXPECT_EQ(status->error, 0);
	EXPECT_GT(status->started_ns, status->queued_ns);
	EXPECT_GT(status->ended_ns, status->started_ns);
	EXPECT_GT(status->device_ns, 0U);
	EXPECT_GT(status->counters.read_bytes, 0U);

	/* A job that failed has taken its time as well. */
	status = queue.wait(2);
	ASSERT_TRUE(status.failed());
	expect_error(status, EFAULT, "job 2 failed in lane 1, task 2 to 4, at address 0x4000");
	ASSERT_TRUE(status.has_value());
	EXPECT_TRUE(status->ended());
	EXPECT_EQ(status->error, EFAULT);
	EXPECT_GT(status->ended_ns, status->started_ns);
	ASSERT_TRUE(status->fault);
	EXPECT_EQ(status->fault->task_count, 3U);

	/* A wait that fails itself tells nothing. */
	status = queue.wait(3);
	EXPECT_TRUE(status.failed());
	EXPECT_FALSE(status.has_value());
	expect_error(status, ENOENT, "not submitted");
	driver_->fail(DRM_IOCTL_NPU_JOB_WAIT, ENODEV);
	expect_error(queue.wait(1), ENODEV, "job 1");
}

TEST_F(ContextTest, DeadlinesAreAbsoluteAndSaturate)
{
	Context queue = context();
	std::int64_t seen = -1;

	ASSERT_TRUE(queue.submit(job()));
	driver_->watch(DRM_IOCTL_NPU_JOB_WAIT, [&](void *argument) {
		seen = static_cast<drm_npu_job_wait *>(argument)->timeout_ns;
	});
	const Deadline deadline = Clock::now() + 3s;
	ASSERT_TRUE(queue.wait(1, deadline));
	EXPECT_EQ(seen, deadline.monotonic_ns());
	ASSERT_TRUE(queue.wait(1));
	EXPECT_EQ(seen, INT64_MAX);
	ASSERT_TRUE(queue.wait(1, Clock::time_point(-1s)));
	EXPECT_EQ(seen, 0);

	const std::int64_t before = Deadline(Clock::now()).monotonic_ns();
	ASSERT_TRUE(queue.wait(1, Deadline::in(1h)));
	EXPECT_GE(seen, before + 3600'000'000'000);
	ASSERT_TRUE(queue.wait(1, Deadline::in(std::chrono::nanoseconds::max())));
	EXPECT_EQ(seen, INT64_MAX);
	ASSERT_TRUE(queue.wait(1, Deadline::in(std::chrono::nanoseconds::min())));
	EXPECT_EQ(seen, 0);
	ASSERT_TRUE(queue.wait(1, Deadline::at_ns(77)));
	EXPECT_EQ(seen, 77);
}

TEST_F(ContextTest, WaitsFailAsTheirOwnJobDid)
{
	Context queue = context();
	const Job good = job();
	const Job bad = job(true);

	/* Two that failed: the context remembers the newest only. */
	for (const Job *one : {&bad, &good, &bad, &good})
		ASSERT_TRUE(queue.submit(*one));
	expect_error(queue.wait(1), EFAULT, "job 1 failed");
	EXPECT_TRUE(queue.wait(2));
	expect_error(queue.wait(3), EFAULT, "job 3 failed");
	EXPECT_TRUE(queue.wait(4));

	driver_->hold();
	auto seqno = queue.queue(good);
	ASSERT_TRUE(seqno);
	EXPECT_EQ(*seqno, 5U);
	expect_error(queue.wait(5, Deadline::immediately()), ETIME, "job 5");
}

TEST_F(ContextTest, BatchesAreOneCallInOrder)
{
	Context queue = context();
	const Job good = job();
	const Job bad = job(true);
	const Job *const jobs[] = {&good, &bad, &good, &good};

	auto fence = queue.submit(jobs);
	ASSERT_TRUE(fence) << fence.error().message;
	EXPECT_EQ(fence->seqno(), 4U);
	EXPECT_EQ(driver_->submits(), 1U);
	for (std::uint64_t seqno = 1; seqno <= 4; seqno++) {
		const auto status = queue.wait(seqno);

		ASSERT_TRUE(status.has_value());
		EXPECT_EQ(status->error, seqno == 2 ? EFAULT : 0);
	}
	expect_error(queue.submit(std::span<const Job *const>()), EINVAL, "0 jobs");
}

TEST_F(ContextTest, RefusedSubmitsSayWhatToDo)
{
	const std::pair<int, const char *> cases[] = {
		{EBUSY, "wait for an earlier job"},
		{E2BIG, "more jobs or syncs"},
		{EIO, "banned"},
		{ENODEV, "cannot submit 1 job:"},
	};
	Context queue = context();
	const Job good = job();

	for (const auto &[code, words] : cases) {
		driver_->fail(DRM_IOCTL_NPU_JOB_SUBMIT, code);
		expect_error(queue.submit(good), code, words);
	}
}

TEST_F(ContextTest, CancelEndsWhatHasNotEnded)
{
	Context queue = context();
	const Job good = job();

	ASSERT_TRUE(queue.submit(good));
	driver_->hold();
	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(queue.submit(good));
	/* The first of the range has ended already, the last is not in it. */
	const auto count = queue.cancel(1, 3);
	ASSERT_TRUE(count) << count.error().message;
	EXPECT_EQ(*count, 2U);
	driver_->resume();
	for (std::uint64_t seqno = 1; seqno <= 5; seqno++) {
		const bool cancelled = seqno == 2 || seqno == 3;
		const auto status = queue.wait(seqno);

		ASSERT_TRUE(status.has_value());
		EXPECT_EQ(status->error, cancelled ? ECANCELED : 0) << seqno;
	}
	expect_error(queue.wait(2), ECANCELED, "job 2");
	EXPECT_EQ(queue.cancel(1, 5).value(), 0U);
	expect_error(queue.cancel(1, 6), ENOENT, "jobs 1 to 6 (not all were submitted)");
	expect_error(queue.cancel(0, 1), EINVAL, "jobs 0 to 1");
	expect_error(queue.cancel(2, 1), EINVAL, "jobs 2 to 1");
}

} // namespace

} // namespace npu::test
