/* SPDX-License-Identifier: MIT */
/*
 * The completion page, also while somebody writes to it.
 */
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using namespace std::chrono_literals;

class PageTest : public LibnpuTest
{
protected:
	void SetUp() override
	{
		LibnpuTest::SetUp();
		context_ = context();
		auto page = context_.page();
		ASSERT_TRUE(page) << page.error().message;
		page_ = *page;
		raw_ = driver_->context().page();
		driver_->watch(DRM_IOCTL_NPU_JOB_WAIT, [this](void *) { sleeps_++; });
	}

	Context context_;
	CompletionPage page_;
	std::shared_ptr<drm_npu_context_page> raw_;
	/// Calls of JOB_WAIT.
	int sleeps_ = 0;
};

TEST_F(PageTest, FollowsTheJobs)
{
	const Job good = job();
	const Job bad = job(true);

	EXPECT_EQ(page_.completed(), 0U);
	EXPECT_EQ(page_.failed(), 0U);
	EXPECT_FALSE(page_.banned());
	EXPECT_FALSE(page_.times(0));
	EXPECT_FALSE(page_.times(1));
	for (const Job *one : {&good, &bad, &good})
		ASSERT_TRUE(context_.submit(*one));
	EXPECT_EQ(page_.completed(), 3U);
	EXPECT_EQ(page_.failed(), 2U);
	for (std::uint64_t seqno = 1; seqno <= 3; seqno++) {
		const auto times = page_.times(seqno);
		const auto known = context_.wait(seqno);

		ASSERT_TRUE(times && known.has_value());
		EXPECT_TRUE(times->ended());
		EXPECT_EQ(times->error, seqno == 2 ? EFAULT : 0);
		EXPECT_EQ(times->queued_ns, known->queued_ns);
		EXPECT_EQ(times->started_ns, known->started_ns);
		EXPECT_EQ(times->ended_ns, known->ended_ns);
		EXPECT_EQ(times->device_ns, known->device_ns);
	}
	driver_->context().ban();
	EXPECT_TRUE(page_.banned());
}

TEST_F(PageTest, TellsOfTheNewestOnly)
{
	const Job good = job();
	constexpr std::uint64_t count = DRM_NPU_PAGE_JOBS + 3;

	for (std::uint64_t i = 0; i < count; i++)
		ASSERT_TRUE(context_.submit(good));
	for (std::uint64_t seqno = 1; seqno <= count + 1; seqno++)
		EXPECT_EQ(page_.times(seqno).has_value(), seqno > 3 && seqno <= count) << seqno;
}

TEST_F(PageTest, OutlivesTheContextAndCopiesShareIt)
{
	const std::size_t before = driver_->objects();

	ASSERT_TRUE(context_.submit(job()));
	{
		const CompletionPage copy = page_;
		page_ = CompletionPage();
		context_ = context();
		EXPECT_EQ(driver_->objects(), before);
		EXPECT_EQ(copy.completed(), 1U);
	}
	EXPECT_EQ(driver_->objects(), before - 1);
}

TEST_F(PageTest, WaitNeedsNoCallForWhatHasEnded)
{
	ASSERT_TRUE(context_.submit(job(true)));
	const auto status = page_.wait(1);
	ASSERT_TRUE(status.failed() && status.has_value());
	EXPECT_TRUE(status->ended());
	EXPECT_EQ(status->error, EFAULT);
	EXPECT_GT(status->ended_ns, 0U);
	EXPECT_EQ(sleeps_, 0);
}

TEST_F(PageTest, WaitSleepsInTheKernelForWhatTakesLong)
{
	driver_->hold();
	ASSERT_TRUE(context_.submit(job()));
	for (const auto spin : {0ns, 1ns, std::chrono::nanoseconds(1ms)}) {
		const auto status = page_.wait(1, Deadline::immediately(), spin);

		ASSERT_TRUE(status.timed_out() && status.has_value());
		EXPECT_FALSE(status->ended());
	}
	EXPECT_EQ(sleeps_, 3);

	driver_->fail(DRM_IOCTL_NPU_JOB_WAIT, ENODEV);
	const auto failed = page_.wait(1);
	ASSERT_TRUE(failed.failed());
	EXPECT_EQ(failed.error().code, ENODEV);
}

TEST_F(PageTest, WaitSeesTheEndWhileItSpins)
{
	driver_->hold();
	ASSERT_TRUE(context_.submit(job()));
	/* In JOB_WAIT the fake does not wait, so only the page can tell. */
	const std::jthread other([this] {
		std::this_thread::sleep_for(5ms);
		auto &job = raw_->jobs[1];
		__atomic_store_n(&job.error, EIO, __ATOMIC_RELAXED);
		__atomic_store_n(&job.seqno, 1, __ATOMIC_RELEASE);
		__atomic_store_n(&raw_->completed_seqno, 1, __ATOMIC_RELEASE);
	});
	const auto status = page_.wait(1, Deadline::never(), 1h);
	ASSERT_TRUE(status.failed() && status.has_value());
	EXPECT_TRUE(status->ended());
	EXPECT_EQ(status->error, EIO);
	EXPECT_EQ(sleeps_, 0);
}

TEST_F(PageTest, WaitAsksTheKernelForWhatThePageHasForgotten)
{
	const Job good = job();

	for (int i = 0; i < DRM_NPU_PAGE_JOBS + 1; i++)
		ASSERT_TRUE(context_.submit(good));
	const auto status = page_.wait(1);
	ASSERT_TRUE(status);
	EXPECT_TRUE(status->ended());
	EXPECT_GT(status->ended_ns, 0U);
	EXPECT_EQ(sleeps_, 1);
}

TEST_F(PageTest, GoesByWhatThePageSaysOfItself)
{
	raw_->job_count = 3;
	raw_->job_stride = 2 * sizeof(raw_->jobs[0]);
	raw_->jobs_offset += sizeof(raw_->jobs[0]);
	for (std::uint64_t seqno = 3; seqno <= 5; seqno++) {
		raw_->jobs[1 + seqno % 3 * 2].seqno = seqno;
		raw_->jobs[1 + seqno % 3 * 2].queued_ns = seqno * 10;
	}
	for (std::uint64_t seqno = 3; seqno <= 5; seqno++) {
		const auto times = page_.times(seqno);

		ASSERT_TRUE(times);
		EXPECT_EQ(times->queued_ns, seqno * 10);
	}
	EXPECT_FALSE(page_.times(2));
	raw_->version++;
	const auto refused = context_.page();
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, EPROTO);
}

TEST_F(PageTest, AJobThatIsBeingWrittenIsNotTold)
{
	auto &job = raw_->jobs[1];

	job.queued_ns = 5;
	EXPECT_FALSE(page_.times(0)) << "0 says that the kernel writes";
	EXPECT_FALSE(page_.times(1));
	job.seqno = 1;
	EXPECT_TRUE(page_.times(1));
	EXPECT_FALSE(page_.times(1 + DRM_NPU_PAGE_JOBS));
	job.seqno = 1 + DRM_NPU_PAGE_JOBS;
	EXPECT_FALSE(page_.times(1));
}

/* A writer as the kernel's goes round and round; what is told of a job must be
 * that job's, all of it. */
TEST_F(PageTest, ReadsAreWholeWhileTheKernelWrites)
{
	const std::jthread writer([this](const std::stop_token &stop) {
		for (std::uint64_t seqno = 1; !stop.stop_requested(); seqno++) {
			auto &job = raw_->jobs[seqno % DRM_NPU_PAGE_JOBS];

			__atomic_store_n(&job.seqno, 0, __ATOMIC_RELAXED);
			std::atomic_thread_fence(std::memory_order_release);
			__atomic_store_n(&job.queued_ns, seqno * 10, __ATOMIC_RELAXED);
			__atomic_store_n(&job.started_ns, seqno * 10 + 1, __ATOMIC_RELAXED);
			__atomic_store_n(&job.ended_ns, seqno * 10 + 2, __ATOMIC_RELAXED);
			__atomic_store_n(&job.device_ns, seqno * 10 + 3, __ATOMIC_RELAXED);
			__atomic_store_n(&job.error, static_cast<std::uint32_t>(seqno),
					 __ATOMIC_RELAXED);
			__atomic_store_n(&job.seqno, seqno, __ATOMIC_RELEASE);
			__atomic_store_n(&raw_->completed_seqno, seqno, __ATOMIC_RELEASE);
		}
	});
	std::uint64_t told = 0;
	std::uint64_t newest = 0;

	while (told < 1'000'000) {
		const std::uint64_t completed = page_.completed();

		ASSERT_GE(completed, newest);
		newest = completed;
		/* The oldest that there is goes first, so it is the one to be torn. */
		for (const std::uint64_t seqno : {completed, completed - DRM_NPU_PAGE_JOBS + 1}) {
			const auto times = page_.times(seqno);

			if (!times)
				continue;
			told++;
			ASSERT_EQ(times->queued_ns, seqno * 10);
			ASSERT_EQ(times->started_ns, seqno * 10 + 1);
			ASSERT_EQ(times->ended_ns, seqno * 10 + 2);
			ASSERT_EQ(times->device_ns, seqno * 10 + 3);
			ASSERT_EQ(times->error, static_cast<int>(seqno));
		}
	}
}

} // namespace

} // namespace npu::test
