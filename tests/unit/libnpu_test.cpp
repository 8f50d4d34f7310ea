/* SPDX-License-Identifier: MIT */
/*
 * Contexts and buffers of libnpu on a device without a kernel.
 */
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <tuple>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using testing::HasSubstr;

std::int64_t since_boot(Clock::time_point time)
{
	return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch())
		.count();
}

/// The end of @p call's error message must say what to do.
template <typename T>
void expect_error(const Result<T> &result, int code, const char *words)
{
	ASSERT_FALSE(result);
	EXPECT_EQ(result.error().code, code);
	EXPECT_THAT(result.error().message, HasSubstr(words));
	EXPECT_THAT(result.error().message, HasSubstr(std::strerror(code)));
}

constexpr std::pair<SchedClass, std::uint32_t> classes[] = {
	{SchedClass::throughput, DRM_NPU_CLASS_THROUGHPUT},
	{SchedClass::latency, DRM_NPU_CLASS_LATENCY},
	{SchedClass::background, DRM_NPU_CLASS_BACKGROUND},
};

class ContextTest : public LibnpuTest
{
};

TEST_F(ContextTest, OptionsReachTheKernel)
{
	for (const auto &[sched_class, expected] : classes) {
		const Context made = context(
			{.core_mask = 5, .max_queued = 7, .sched_class = sched_class, .weight = 9});
		const auto statistics = made.statistics();

		ASSERT_TRUE(statistics);
		EXPECT_EQ(statistics->core_mask, 5U);
		EXPECT_EQ(statistics->max_queued, 7U);
		EXPECT_EQ(statistics->sched_class, expected);
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
	for (const auto &[sched_class, expected] : classes) {
		ASSERT_TRUE(queue.set_class(sched_class));
		EXPECT_EQ(seen.flags, DRM_NPU_CONTEXT_SET_CLASS);
		EXPECT_EQ(seen.weight, 0U);
		EXPECT_EQ(queue.statistics()->sched_class, expected);
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
	const Clock::time_point deadline = Clock::now() + 3s;
	const auto expected = static_cast<std::uint64_t>(since_boot(deadline));
	ASSERT_TRUE(queue.submit(good, deadline));
	EXPECT_EQ(seen, expected);
	ASSERT_TRUE(queue.submit(jobs));
	EXPECT_EQ(seen, 0U);
	ASSERT_TRUE(queue.submit(jobs, deadline));
	EXPECT_EQ(seen, expected);
	ASSERT_TRUE(queue.submit(good, Clock::time_point(-1s)));
	EXPECT_EQ(seen, 1U);
	ASSERT_TRUE(queue.submit(good, Clock::time_point{}));
	EXPECT_EQ(seen, 1U);
	ASSERT_TRUE(queue.submit(good, Context::no_deadline));
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
	ASSERT_TRUE(status) << status.error().message;
	EXPECT_EQ(status->state, DRM_NPU_JOB_QUEUED);
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

	/* That a job failed is no failure of the call that says so. */
	status = queue.wait(2);
	ASSERT_TRUE(status);
	EXPECT_TRUE(status->ended());
	EXPECT_EQ(status->error, EFAULT);

	expect_error(queue.wait(3), ENOENT, "not submitted");
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
	const Clock::time_point deadline = Clock::now() + 3s;
	ASSERT_TRUE(queue.wait(1, deadline));
	EXPECT_EQ(seen, since_boot(deadline));
	ASSERT_TRUE(queue.wait(1));
	EXPECT_EQ(seen, INT64_MAX);
	ASSERT_TRUE(queue.wait(1, Clock::time_point(-1s)));
	EXPECT_EQ(seen, 0);

	const std::int64_t before = since_boot(Clock::now());
	ASSERT_TRUE(queue.fence(1).wait(1h));
	EXPECT_GE(seen, before + 3600'000'000'000);
	ASSERT_TRUE(queue.fence(1).wait(std::chrono::nanoseconds::max()));
	EXPECT_EQ(seen, INT64_MAX);
}

TEST_F(ContextTest, FencesFailAsTheirOwnJobDid)
{
	Context queue = context();
	const Job good = job();
	const Job bad = job(true);

	/* Two that failed: the context remembers the newest only. */
	for (const Job *one : {&bad, &good, &bad, &good})
		ASSERT_TRUE(queue.submit(*one));
	expect_error(queue.fence(1).wait(), EFAULT, "job 1 failed");
	EXPECT_TRUE(queue.fence(2).wait());
	expect_error(queue.fence(3).wait(), EFAULT, "job 3 failed");
	EXPECT_TRUE(queue.fence(4).wait());

	driver_->hold();
	auto fence = queue.submit(good);
	ASSERT_TRUE(fence);
	EXPECT_EQ(fence->seqno(), 5U);
	expect_error(fence->wait(0ns), ETIME, "job 5");
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

		ASSERT_TRUE(status);
		EXPECT_EQ(status->error, seqno == 2 ? EFAULT : 0);
	}
	expect_error(queue.submit(std::span<const Job *const>()), EINVAL, "0 jobs");
}

TEST_F(ContextTest, RefusedSubmitsSayWhatToDo)
{
	const std::pair<int, const char *> cases[] = {
		{EBUSY, "wait for an earlier job"},
		{E2BIG, "more than a submit"},
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

		ASSERT_TRUE(status);
		EXPECT_EQ(status->error, cancelled ? ECANCELED : 0) << seqno;
	}
	expect_error(queue.fence(2).wait(), ECANCELED, "job 2");
	EXPECT_EQ(queue.cancel(1, 5).value(), 0U);
	expect_error(queue.cancel(1, 6), ENOENT, "jobs 1 to 6 (not all were submitted)");
	expect_error(queue.cancel(0, 1), EINVAL, "jobs 0 to 1");
	expect_error(queue.cancel(2, 1), EINVAL, "jobs 2 to 1");
}

class BufferTest : public LibnpuTest
{
};

TEST_F(BufferTest, ReadOnlyIsAskedForAndReported)
{
	auto plain = Buffer::create(device_, 100);
	auto read_only = Buffer::create(device_, 100, {.read_only = true});
	ASSERT_TRUE(plain && read_only);

	auto info = plain->info();
	ASSERT_TRUE(info);
	EXPECT_EQ(info->flags, 0U);
	EXPECT_EQ(info->size, plain->size());
	EXPECT_EQ(info->address, plain->address());
	info = read_only->info();
	ASSERT_TRUE(info);
	EXPECT_EQ(info->flags, DRM_NPU_BO_READ_ONLY);
	/* For the device, that is: somebody must fill it. */
	EXPECT_EQ(read_only->bytes().size(), 4096U);
}

TEST_F(BufferTest, WaitsForAllOrForWrites)
{
	Context queue = context();
	drm_npu_bo_wait seen{};

	driver_->watch(DRM_IOCTL_NPU_BO_WAIT,
		       [&](void *argument) { seen = *static_cast<drm_npu_bo_wait *>(argument); });
	ASSERT_TRUE(buffer_.wait());
	EXPECT_EQ(seen.handle, buffer_.handle());
	EXPECT_EQ(seen.flags, 0U);
	EXPECT_EQ(seen.timeout_ns, INT64_MAX);

	driver_->hold();
	ASSERT_TRUE(queue.submit(job()));
	expect_error(buffer_.wait(Clock::time_point{}), EBUSY, "4096 bytes");
	const Clock::time_point deadline = Clock::now() + 1ms;
	expect_error(buffer_.wait(deadline, Buffer::Use::write), ETIMEDOUT, "4096 bytes");
	EXPECT_EQ(seen.flags, DRM_NPU_BO_WAIT_WRITES);
	EXPECT_EQ(seen.timeout_ns, since_boot(deadline));
	driver_->resume();
	EXPECT_TRUE(buffer_.wait(Clock::time_point{}));
}

TEST_F(BufferTest, IsHandedOver)
{
	auto cached = Buffer::create(device_, 8192, {.cached = true});
	drm_npu_bo_sync seen{};

	ASSERT_TRUE(cached);
	auto info = cached->info();
	ASSERT_TRUE(info);
	EXPECT_EQ(info->flags, DRM_NPU_BO_CACHED);
	driver_->watch(DRM_IOCTL_NPU_BO_SYNC,
		       [&](void *argument) { seen = *static_cast<drm_npu_bo_sync *>(argument); });
	ASSERT_TRUE(cached->sync_for_cpu(64, 128));
	EXPECT_EQ(seen.handle, cached->handle());
	EXPECT_EQ(seen.direction, DRM_NPU_SYNC_FOR_CPU);
	EXPECT_EQ(seen.offset, 64U);
	EXPECT_EQ(seen.length, 128U);
	EXPECT_EQ(seen.pad, 0U);
	ASSERT_TRUE(cached->sync_for_device(0, 8192));
	EXPECT_EQ(seen.direction, DRM_NPU_SYNC_FOR_DEVICE);
	EXPECT_EQ(seen.length, 8192U);
	expect_error(cached->sync_for_device(4096, 4097), EINVAL, "4097 bytes");
}

TEST_F(BufferTest, SaysWhereItIsToBe)
{
	drm_npu_bo_residency seen{};

	driver_->watch(DRM_IOCTL_NPU_BO_RESIDENCY, [&](void *argument) {
		seen = *static_cast<drm_npu_bo_residency *>(argument);
	});
	expect_error(buffer_.set_residency(Buffer::Residency::pin), EOPNOTSUPP, "4096 bytes");
	driver_->add_sram(65536, 1, 1, 1);
	ASSERT_TRUE(buffer_.set_residency(Buffer::Residency::prefer, 7));
	EXPECT_EQ(seen.handle, buffer_.handle());
	EXPECT_EQ(seen.residency, DRM_NPU_RESIDENCY_PREFER);
	EXPECT_EQ(seen.region, chip_region);
	EXPECT_EQ(seen.priority, 7U);
	EXPECT_EQ(seen.pad, 0U);
	EXPECT_EQ(buffer_.info()->region, chip_region);
	ASSERT_TRUE(buffer_.set_residency(Buffer::Residency::none));
	EXPECT_EQ(seen.residency, DRM_NPU_RESIDENCY_NONE);
}

TEST_F(BufferTest, ForeignMemoryIsMappedThroughItsDmaBuf)
{
	const std::size_t before = driver_->objects();
	const UniqueFd dma_buf(driver_->foreign_dma_buf(8192));
	{
		auto buffer = Buffer::import(device_, dma_buf.get());

		ASSERT_TRUE(buffer) << buffer.error().message;
		EXPECT_EQ(buffer->size(), 8192U);
		EXPECT_NE(buffer->address(), 0U);
		EXPECT_EQ(buffer->info()->flags, DRM_NPU_BO_SHARED);
		EXPECT_EQ(buffer->bytes().data(), driver_->foreign_bytes(dma_buf.get()).data());
	}
	EXPECT_EQ(driver_->objects(), before);
	/* It was the caller's before and still is. */
	EXPECT_NE(::fcntl(dma_buf.get(), F_GETFD), -1);
}

TEST_F(BufferTest, ForeignMemoryThatCannotBeMappedIsStillTheDevices)
{
	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));

	driver_->fail_map(EACCES);
	auto buffer = Buffer::import(device_, dma_buf.get());
	ASSERT_TRUE(buffer);
	EXPECT_TRUE(buffer->bytes().empty());
	EXPECT_EQ(buffer->size(), 4096U);
}

TEST_F(BufferTest, ExportsAreTheCallersToClose)
{
	int number = -1;
	{
		auto dma_buf = buffer_.export_dma_buf();

		ASSERT_TRUE(dma_buf) << dma_buf.error().message;
		number = dma_buf->get();
		EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
		EXPECT_EQ(buffer_.info()->flags, DRM_NPU_BO_SHARED);
	}
	EXPECT_EQ(::fcntl(number, F_GETFD), -1);

	std::uint32_t flags = 0;
	driver_->watch(DRM_IOCTL_PRIME_HANDLE_TO_FD, [&](void *argument) {
		flags = static_cast<drm_prime_handle *>(argument)->flags;
	});
	driver_->fail(DRM_IOCTL_PRIME_HANDLE_TO_FD, EMFILE);
	expect_error(buffer_.export_dma_buf(), EMFILE, "cannot export");
	EXPECT_EQ(flags, std::uint32_t{O_CLOEXEC | O_RDWR});
}

/* The kernel gives a file one handle for a buffer, and closes it at once. */
TEST_F(BufferTest, ImportingTwiceClosesOnce)
{
	const std::size_t before = driver_->objects();
	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));
	auto exported = buffer_.export_dma_buf();
	ASSERT_TRUE(exported);
	{
		auto first = Buffer::import(device_, dma_buf.get());
		ASSERT_TRUE(first);
		{
			auto second = Buffer::import(device_, dma_buf.get());
			ASSERT_TRUE(second);
			EXPECT_EQ(second->handle(), first->handle());
		}
		EXPECT_TRUE(first->info());
		{
			auto own = Buffer::import(device_, exported->get());
			ASSERT_TRUE(own);
			EXPECT_EQ(own->handle(), buffer_.handle());
			EXPECT_EQ(own->bytes().data(), buffer_.bytes().data());
		}
		EXPECT_TRUE(buffer_.info());
	}
	EXPECT_EQ(driver_->objects(), before);
}

TEST_F(BufferTest, ImportsThatFailSayWhyAndLeaveNothing)
{
	const std::size_t before = driver_->objects();

	expect_error(Buffer::import(device_, 0), EINVAL, "is it a dma-buf");
	driver_->fail(DRM_IOCTL_PRIME_FD_TO_HANDLE, EBADF);
	expect_error(Buffer::import(device_, -1), EBADF, "no open file descriptor");
	driver_->fail(DRM_IOCTL_PRIME_FD_TO_HANDLE, 0);

	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));
	driver_->fail(DRM_IOCTL_NPU_QUERY, ENODEV);
	expect_error(Buffer::import(device_, dma_buf.get()), ENODEV, "QUERY");
	EXPECT_EQ(driver_->objects(), before);
	driver_->fail(DRM_IOCTL_NPU_QUERY, 0);
	EXPECT_TRUE(Buffer::import(device_, dma_buf.get()));
}

} // namespace

} // namespace npu::test
