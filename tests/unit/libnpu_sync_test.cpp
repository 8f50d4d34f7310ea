/* SPDX-License-Identifier: MIT */
/*
 * Fences, and what submits wait for and signal, on a device without a kernel.
 */
#include <cerrno>
#include <chrono>

#include <fcntl.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using namespace std::chrono_literals;

class SyncTest : public LibnpuTest
{
protected:
	void SetUp() override
	{
		LibnpuTest::SetUp();
		good_ = job();
		bad_ = job(true);
		queue_ = context();
	}

	Syncobj syncobj(bool signalled = false)
	{
		auto made = Syncobj::create(device_, signalled);

		EXPECT_TRUE(made) << made.error().message;
		return *made;
	}

	Job good_;
	Job bad_;
	Context queue_;
};

TEST_F(SyncTest, FencesTellWhatTheJobTook)
{
	driver_->hold();
	auto fence = queue_.submit(good_);
	ASSERT_TRUE(fence) << fence.error().message;
	EXPECT_EQ(fence->seqno(), 1U);
	auto waited = fence->wait(Deadline::immediately());
	EXPECT_TRUE(waited.timed_out());
	expect_error(waited, ETIME, "job 1 has not ended");
	driver_->resume();
	waited = fence->wait();
	ASSERT_TRUE(waited) << waited.error().message;
	EXPECT_GT(waited->device_ns, 0U);
	EXPECT_GT(waited->ended_ns, waited->queued_ns);

	auto bad = queue_.submit(bad_);
	ASSERT_TRUE(bad);
	waited = bad->wait();
	ASSERT_TRUE(waited.failed());
	expect_error(waited, EFAULT, "job 2 failed in lane 1, task 2");
	ASSERT_TRUE(waited.has_value());
	EXPECT_GT(waited->ended_ns, 0U);
}

TEST_F(SyncTest, FencesOfABatchHaveTheErrorOfTheFirstThatFailed)
{
	const Job *const jobs[] = {&good_, &bad_, &good_};
	auto fence = queue_.submit(jobs);

	ASSERT_TRUE(fence);
	EXPECT_EQ(fence->seqno(), 3U);
	EXPECT_TRUE(queue_.wait(3));
	expect_error(fence->wait(), EFAULT, "job 3 failed");
}

TEST_F(SyncTest, FencesOutliveContextAndDevice)
{
	Fence ended;
	Fence cancelled;
	{
		auto first = queue_.submit(good_);
		driver_->hold();
		auto second = queue_.submit(good_);
		ASSERT_TRUE(first && second);
		ended = *first;
		cancelled = *second;
	}
	queue_ = Context();
	/* Another context gets the id, and a job of the same number that fails. */
	Context other = context();
	ASSERT_TRUE(other.submit(bad_));
	device_ = Device();
	good_ = Job();
	const auto waited = ended.wait();
	EXPECT_TRUE(waited) << waited.error().message;
	EXPECT_EQ(waited->device_ns, 0U) << "nobody tells any more";
	expect_error(cancelled.wait(), ECANCELED, "job 2 failed");
	EXPECT_TRUE(cancelled.fd());
}

TEST_F(SyncTest, FencesAreFilesToPollAndToImport)
{
	driver_->hold();
	auto fence = queue_.submit(bad_);
	ASSERT_TRUE(fence);
	Fence imported;
	{
		auto file = fence->fd();
		ASSERT_TRUE(file) << file.error().message;
		EXPECT_EQ(::fcntl(file->get(), F_GETFD), FD_CLOEXEC);
		EXPECT_EQ(driver_->wait_readable(file->get(), Deadline::immediately()), 0);
		auto same = Fence::import(device_, file->get());
		ASSERT_TRUE(same) << same.error().message;
		imported = *same;
	}
	EXPECT_EQ(imported.seqno(), 0U);
	expect_error(imported.wait(Deadline::in(1ms)), ETIME, "fence");
	driver_->resume();
	auto waited = imported.wait();
	EXPECT_TRUE(waited.failed());
	expect_error(waited, EFAULT, "fence");
	ASSERT_TRUE(waited.has_value());
	EXPECT_TRUE(waited->ended());
	EXPECT_TRUE(imported.fd());

	expect_error(Fence::import(device_, -1), EBADF, "-1");
	const UniqueFd other(driver_->foreign_dma_buf(4096));
	expect_error(Fence::import(device_, other.get()), EINVAL, "no sync_file");
	driver_->fail(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, EMFILE);
	expect_error(fence->fd(), EMFILE, "sync_file");
}

TEST_F(SyncTest, NoFenceAnswersEveryCall)
{
	const Fence none;

	EXPECT_EQ(none.seqno(), 0U);
	expect_error(none.wait(), EINVAL, "no fence");
	expect_error(none.fd(), EINVAL, "no fence");
	const InSync in[] = {none};
	expect_error(queue_.submit(good_, {.in = in}), EINVAL, "no fence");
	EXPECT_EQ(driver_->submits(), 0U);
}

TEST_F(SyncTest, SubmitsSignal)
{
	const Syncobj binary = syncobj();
	const Syncobj timeline = syncobj();
	const OutSync out[] = {binary, TimelinePoint{timeline, 7}};

	driver_->hold();
	ASSERT_TRUE(queue_.queue(good_, {.out = out}));
	EXPECT_TRUE(binary.wait(Deadline::immediately()).timed_out());
	EXPECT_TRUE(timeline.wait_point(7, Deadline::immediately()).timed_out());
	EXPECT_EQ(timeline.point().value(), 0U);
	driver_->resume();
	EXPECT_TRUE(binary.wait());
	EXPECT_TRUE(timeline.wait_point(7));
	EXPECT_TRUE(timeline.wait_point(6));
	EXPECT_TRUE(timeline.wait_point(8, Deadline::immediately()).timed_out());
	EXPECT_EQ(timeline.point().value(), 7U);
	EXPECT_TRUE(binary.sync_file());
}

TEST_F(SyncTest, SubmitsWaitForEachKind)
{
	const auto camera = std::make_shared<FakeFence>();
	const UniqueFd file(driver_->syncs().create_file(camera));
	const Syncobj timeline = syncobj();
	auto earlier = queue_.submit(good_);
	auto foreign = Fence::import(device_, file.get());
	ASSERT_TRUE(earlier && foreign);
	ASSERT_TRUE(timeline.signal_point(3));
	const std::size_t syncobjs = driver_->syncs().syncobjs();
	drm_npu_job_submit seen{};

	driver_->watch(DRM_IOCTL_NPU_JOB_SUBMIT, [&](void *argument) {
		seen = *static_cast<drm_npu_job_submit *>(argument);
	});
	const InSync in[] = {syncobj(true), TimelinePoint{timeline, 3}, SyncFile{file.get()},
			     *earlier, *foreign};
	auto fence = queue_.submit(good_, {.in = in});
	ASSERT_TRUE(fence) << fence.error().message;
	EXPECT_EQ(seen.in_sync_count, 5U);
	EXPECT_EQ(seen.out_sync_count, 1U);
	EXPECT_EQ(seen.sync_stride, sizeof(drm_npu_sync));
	EXPECT_TRUE(fence->wait(Deadline::immediately()).timed_out());
	camera->signal(EIO);
	driver_->resume();
	expect_error(fence->wait(), EIO, "job 2");

	/* What sync_files were imported into is used again. */
	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(queue_.queue(good_, {.in = in}));
	EXPECT_LE(driver_->syncs().syncobjs(), syncobjs + 4);
}

TEST_F(SyncTest, SyncsThatAreWrongAreRefused)
{
	const UniqueFd other(driver_->foreign_dma_buf(4096));
	auto stranger = Device::create(std::make_shared<FakeDriver>());
	auto foreign = Syncobj::create(*stranger);
	ASSERT_TRUE(foreign);
	const std::pair<InSync, const char *> cases[] = {
		{syncobj(), "cannot submit 1 job"},
		{TimelinePoint{syncobj(), 0}, "points begin at 1"},
		{SyncFile{other.get()}, "is it a sync_file"},
		{SyncFile{}, "is it a sync_file"},
		{*foreign, "another Device"},
		{Syncobj(), "another Device"},
	};

	for (const auto &[sync, words] : cases)
		expect_error(queue_.queue(good_, {.in = {&sync, 1}}), EINVAL, words);
	const OutSync out[] = {TimelinePoint{syncobj(), 0}};
	expect_error(queue_.queue(good_, {.out = out}), EINVAL, "points begin at 1");
	EXPECT_EQ(driver_->submits(), 0U);
}

TEST_F(SyncTest, JobsOfAnotherDeviceAreRefused)
{
	auto stranger = Device::create(std::make_shared<FakeDriver>());
	const Lane lane{{{1}, 1}};
	auto foreign = Job::create(*stranger, {&lane, 1});
	ASSERT_TRUE(foreign);
	const Job *const jobs[] = {&good_, nullptr};

	expect_error(queue_.queue(*foreign), EINVAL, "job 0 of a submit is not");
	expect_error(queue_.queue(Job()), EINVAL, "job 0 of a submit is not");
	expect_error(queue_.queue(jobs), EINVAL, "job 1 of a submit is not");
	EXPECT_EQ(driver_->submits(), 0U);
}

TEST_F(SyncTest, SyncobjsAreSharedSignalledAndReset)
{
	const std::size_t before = driver_->syncs().syncobjs();
	{
		const Syncobj first = syncobj();
		auto file = first.export_fd();
		ASSERT_TRUE(file);
		auto second = Syncobj::import(device_, file->get());
		ASSERT_TRUE(second);
		EXPECT_NE(second->handle(), first.handle());
		EXPECT_TRUE(first.wait(Deadline::immediately()).timed_out());
		expect_error(first.sync_file(), EINVAL, "no fence yet");
		ASSERT_TRUE(first.signal());
		EXPECT_TRUE(first.wait(Deadline::immediately()));
		ASSERT_TRUE(first.reset());
		EXPECT_TRUE(first.wait(Deadline::immediately()).timed_out());
		EXPECT_EQ(first.wait_point(0).error().code, EINVAL);
		expect_error(Syncobj::import(device_, -1), EINVAL, "is it a syncobj");
		Syncobj copy;
		copy = first;
		EXPECT_EQ(copy.handle(), first.handle());
	}
	EXPECT_EQ(driver_->syncs().syncobjs(), before);

	const Syncobj none;
	EXPECT_EQ(none.handle(), 0U);
	EXPECT_EQ(none.wait().error().code, ENODEV);
	EXPECT_EQ(none.signal().error().code, ENODEV);
	EXPECT_EQ(none.export_fd().error().code, ENODEV);
}

/* Making a syncobj for each fence would cost two calls. */
TEST_F(SyncTest, FencesUseSyncobjsAgain)
{
	int created = 0;

	driver_->watch(DRM_IOCTL_SYNCOBJ_CREATE, [&](void *) { created++; });
	for (int i = 0; i < 10; i++)
		ASSERT_TRUE(queue_.submit(good_));
	EXPECT_EQ(created, 1);
	std::vector<Fence> kept;
	for (int i = 0; i < 100; i++)
		kept.push_back(*queue_.submit(good_));
	EXPECT_EQ(created, 100);
	kept.clear();
	EXPECT_LE(driver_->syncs().syncobjs(), 64U) << "not all that ever were are kept";
	driver_->fail(DRM_IOCTL_SYNCOBJ_CREATE, ENOMEM);
	for (int i = 0; i < 64; i++)
		kept.push_back(*queue_.submit(good_));
	expect_error(queue_.submit(good_), ENOMEM, "syncobj");
}

TEST_F(SyncTest, NoContextAnswersEveryCall)
{
	Context none;

	EXPECT_EQ(none.id(), 0U);
	EXPECT_EQ(none.wait(1).error().code, ENODEV);
	EXPECT_EQ(none.cancel(1, 1).error().code, ENODEV);
	EXPECT_EQ(none.page().error().code, ENODEV);
	EXPECT_EQ(none.statistics().error().code, ENODEV);
	EXPECT_EQ(none.set_weight(1).error().code, ENODEV);
	EXPECT_EQ(none.submit(good_).error().code, ENODEV);
	EXPECT_EQ(none.queue(good_).error().code, EINVAL) << "the job is of another device";
	EXPECT_EQ(CompletionPage().completed(), 0U);
	EXPECT_FALSE(CompletionPage().times(1));
	EXPECT_EQ(CompletionPage().wait(1).error().code, ENODEV);
}

} // namespace

} // namespace npu::test
