/* SPDX-License-Identifier: MIT */
/*
 * The C interface on a device without a kernel.
 */
#include <array>
#include <cerrno>

#include <gmock/gmock.h>
#include <unistd.h>

#include <capi_objects.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using testing::HasSubstr;

class CInterfaceTest : public LibnpuTest
{
protected:
	void SetUp() override
	{
		LibnpuTest::SetUp();
		c_device_.device = device_;
		good_.job = job();
		bad_.job = job(true);
	}

	/// A context of default options.
	npu_context *context()
	{
		npu_context *made = nullptr;

		EXPECT_EQ(npu_context_create(&c_device_, nullptr, &made), 0);
		return made;
	}

	/// Submit @p jobs without options. @return the number of the last
	static std::uint64_t submit(npu_context *queue, std::vector<const npu_job *> jobs)
	{
		std::uint64_t seqno = 0;

		EXPECT_EQ(npu_context_submit(queue, jobs.data(), jobs.size(), nullptr, &seqno,
					     nullptr),
			  0);
		return seqno;
	}

	npu_device c_device_;
	npu_job good_;
	npu_job bad_;
};

/// A structure of zeros with its size.
template <typename T>
T sized()
{
	T value{};

	value.size = sizeof(T);
	return value;
}

TEST_F(CInterfaceTest, DevicesTellWhatTheyAre)
{
	auto info = sized<npu_device_info>();
	auto core = sized<npu_core_info>();
	auto region = sized<npu_region_info>();
	auto limits = sized<npu_limits>();
	auto features = sized<npu_features>();
	auto types = sized<npu_data_types>();

	driver_->add_sram(65536, 1, 2, 3);
	c_device_.device = *Device::create(driver_);
	ASSERT_EQ(npu_device_get_info(&c_device_, &info), 0);
	EXPECT_STREQ(info.name, "fake");
	EXPECT_EQ(info.core_count, Machine::core_count);
	EXPECT_EQ(info.region_count, 2U);
	EXPECT_EQ(info.data_type_count, 2U);
	EXPECT_EQ(info.flags, NPU_DEVICE_VIRTUAL);
	ASSERT_EQ(npu_device_get_core(&c_device_, 1, &core), 0);
	EXPECT_EQ(core.clock_hz, 1'000'000'000U);
	EXPECT_EQ(core.bandwidth, 1U);
	EXPECT_EQ(npu_device_get_core(&c_device_, Machine::core_count, &core), -ENOENT);
	ASSERT_EQ(npu_device_get_region(&c_device_, 1, &region), 0);
	EXPECT_EQ(region.region_size, 65536U);
	EXPECT_EQ(region.kind, 1U);
	EXPECT_EQ(region.residency, 1U);
	EXPECT_EQ(region.bandwidth, 3U);
	EXPECT_EQ(npu_device_get_region(&c_device_, 2, &region), -ENOENT);
	auto activity = sized<npu_activity>();
	activity.queued_jobs = 9;
	ASSERT_EQ(npu_device_get_activity(&c_device_, &activity), 0);
	EXPECT_EQ(activity.queued_jobs, 0U);
	ASSERT_EQ(npu_device_get_limits(&c_device_, &limits), 0);
	EXPECT_EQ(limits.max_lanes, Machine::core_count);
	ASSERT_EQ(npu_device_get_features(&c_device_, &features), 0);
	EXPECT_EQ(features.features, static_cast<std::uint32_t>(Feature::convolution));
	ASSERT_EQ(npu_device_get_data_types(&c_device_, 1, &types), 0);
	EXPECT_EQ(types.operand, static_cast<std::uint32_t>(DataType::fp16));
	EXPECT_EQ(npu_device_get_data_types(&c_device_, 2, &types), -ENOENT);
	EXPECT_EQ(npu_device_fd(&c_device_), -1) << "the fake has no file";
	EXPECT_THAT(npu_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST_F(CInterfaceTest, ContextsTakeOptionsAndChange)
{
	auto options = sized<npu_context_options>();
	auto statistics = sized<npu_context_statistics>();
	npu_context *made = nullptr;

	options.core_mask = 2;
	options.max_queued = 9;
	options.sched_class = NPU_CLASS_BACKGROUND;
	options.weight = 7;
	ASSERT_EQ(npu_context_create(&c_device_, &options, &made), 0);
	EXPECT_NE(npu_context_id(made), 0U);
	ASSERT_EQ(npu_context_get_statistics(made, &statistics), 0);
	EXPECT_EQ(statistics.core_mask, 2U);
	EXPECT_EQ(statistics.max_queued, 9U);
	EXPECT_EQ(statistics.sched_class, std::uint32_t{NPU_CLASS_BACKGROUND});
	EXPECT_EQ(statistics.weight, 7U);
	ASSERT_EQ(npu_context_set_class(made, NPU_CLASS_LATENCY), 0);
	ASSERT_EQ(npu_context_set_weight(made, 50), 0);
	ASSERT_EQ(npu_context_get_statistics(made, &statistics), 0);
	EXPECT_EQ(statistics.sched_class, std::uint32_t{NPU_CLASS_LATENCY});
	EXPECT_EQ(statistics.weight, 50U);
	EXPECT_EQ(npu_context_set_class(made, 3), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("class 3"));
	EXPECT_EQ(npu_context_set_weight(made, Context::max_weight + 1), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("weight"));
	npu_context_free(made);

	options.sched_class = 3;
	EXPECT_EQ(npu_context_create(&c_device_, &options, &made), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("class 3"));
}

TEST_F(CInterfaceTest, SubmitsCarryDeadlinesAndSyncs)
{
	npu_context *queue = context();
	const npu_job *const jobs[] = {&good_, &good_};
	auto options = sized<npu_submit_options>();
	npu_syncobj *syncobj = nullptr;
	npu_fence *fence = nullptr;
	drm_npu_job_submit seen{};
	std::uint64_t seqno = 0, point = 0;

	driver_->watch(DRM_IOCTL_NPU_JOB_SUBMIT, [&](void *argument) {
		seen = *static_cast<drm_npu_job_submit *>(argument);
	});
	options.deadline_ns = 12345;
	ASSERT_EQ(npu_context_submit(queue, jobs, 2, &options, &seqno, &fence), 0);
	EXPECT_EQ(seqno, 2U);
	EXPECT_EQ(npu_fence_seqno(fence), 2U);
	EXPECT_EQ(seen.deadline_ns, 12345U);
	options.deadline_ns = NPU_NEVER;
	ASSERT_EQ(npu_syncobj_create(&c_device_, 1, &syncobj), 0);
	std::array<npu_sync, 2> in{sized<npu_sync>(), sized<npu_sync>()};
	in[0].kind = NPU_SYNC_SYNCOBJ;
	in[0].syncobj = syncobj;
	in[1].kind = NPU_SYNC_FENCE;
	in[1].fence = fence;
	auto out = sized<npu_sync>();
	out.kind = NPU_SYNC_POINT;
	out.syncobj = syncobj;
	out.point = 9;
	options.in = in.data();
	options.in_count = in.size();
	options.out = &out;
	options.out_count = 1;
	ASSERT_EQ(npu_context_submit(queue, jobs, 1, &options, nullptr, nullptr), 0)
		<< npu_error_message();
	EXPECT_EQ(seen.deadline_ns, 0U) << "never is no deadline";
	EXPECT_EQ(seen.in_sync_count, 2U);
	EXPECT_EQ(seen.out_sync_count, 1U);
	ASSERT_EQ(npu_syncobj_get_point(syncobj, &point), 0);
	EXPECT_EQ(point, 9U);

	out.kind = NPU_SYNC_FILE;
	EXPECT_EQ(npu_context_submit(queue, jobs, 1, &options, nullptr, nullptr), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("kind"));
	out.kind = NPU_SYNC_POINT;
	in[1].fence = nullptr;
	EXPECT_EQ(npu_context_submit(queue, jobs, 1, &options, nullptr, nullptr), -EINVAL);
	in[1].size = 3;
	EXPECT_EQ(npu_context_submit(queue, jobs, 1, &options, nullptr, nullptr), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("size of the first"));
	npu_fence_free(fence);
	npu_syncobj_free(syncobj);
	npu_context_free(queue);
}

TEST_F(CInterfaceTest, WaitsEndTimeOutOrFail)
{
	npu_context *queue = context();
	const npu_job *const jobs[] = {&good_};
	auto status = sized<npu_job_status>();
	npu_fence *fence = nullptr;
	std::uint32_t cancelled = 0;
	int fd = -1;

	EXPECT_EQ(submit(queue, {&good_, &bad_, &good_}), 3U);
	EXPECT_EQ(npu_context_wait(queue, 1, NPU_NEVER, nullptr), NPU_ENDED);
	EXPECT_STREQ(npu_error_message(), "");
	EXPECT_EQ(npu_context_wait(queue, 2, NPU_NEVER, &status), -EFAULT);
	EXPECT_THAT(npu_error_message(), HasSubstr("job 2 failed"));
	EXPECT_TRUE(status.known);
	EXPECT_TRUE(status.ended);
	EXPECT_EQ(status.error, EFAULT);
	EXPECT_GT(status.ended_ns, status.queued_ns);
	EXPECT_EQ(status.fault_lane, 1U);
	EXPECT_EQ(status.fault_task, 2U);
	EXPECT_EQ(status.fault_task_count, 3U);
	EXPECT_TRUE(status.has_fault_address);
	EXPECT_EQ(status.fault_address, 0x4000U);
	EXPECT_EQ(npu_context_wait(queue, 9, NPU_NEVER, &status), -ENOENT);
	EXPECT_FALSE(status.known);

	driver_->hold();
	ASSERT_EQ(npu_context_submit(queue, jobs, 1, nullptr, nullptr, &fence), 0);
	EXPECT_EQ(npu_fence_wait(fence, NPU_IMMEDIATELY, &status), NPU_TIMED_OUT);
	EXPECT_THAT(npu_error_message(), HasSubstr("has not ended"));
	EXPECT_EQ(npu_context_wait(queue, 4, npu_deadline_in(1), &status), NPU_TIMED_OUT);
	EXPECT_TRUE(status.known);
	EXPECT_FALSE(status.ended);
	ASSERT_EQ(npu_fence_fd(fence, &fd), 0);
	EXPECT_EQ(::close(fd), 0) << "the descriptor is the caller's";
	ASSERT_EQ(npu_context_cancel(queue, 1, 4, &cancelled), 0);
	EXPECT_EQ(cancelled, 1U);
	driver_->resume();
	EXPECT_EQ(npu_fence_wait(fence, NPU_NEVER, &status), -ECANCELED);
	EXPECT_EQ(npu_context_cancel(queue, 0, 4, nullptr), -EINVAL);
	npu_context_free(queue);
	npu_fence_free(fence);

	EXPECT_EQ(npu_deadline_in(0), NPU_IMMEDIATELY);
	EXPECT_EQ(npu_deadline_in(UINT64_MAX), NPU_NEVER);
}

TEST_F(CInterfaceTest, JobsTakeStreamsAndOptions)
{
	const std::uint64_t command = 1;
	std::array<npu_task, 2> tasks{sized<npu_task>(), sized<npu_task>()};
	auto lane = sized<npu_lane>();
	auto options = sized<npu_job_options>();
	npu_job *made = nullptr;
	std::uint32_t region = 7, cost = 0;
	std::string label;

	for (npu_task &task : tasks) {
		task.commands = &command;
		task.command_count = 1;
		task.enable = 1;
		task.cost_ns = 77;
	}
	lane.tasks = tasks.data();
	lane.task_count = tasks.size();
	driver_->watch(DRM_IOCTL_NPU_JOB_CREATE, [&](void *argument) {
		const auto &args = *static_cast<drm_npu_job_create *>(argument);
		const auto *raw = reinterpret_cast<const drm_npu_lane *>(args.lanes);

		region = args.region;
		label = args.label ? reinterpret_cast<const char *>(args.label) : "";
		cost = reinterpret_cast<const drm_npu_task *>(raw->tasks)[1].cost_ns;
	});
	ASSERT_EQ(npu_job_create(&c_device_, &lane, 1, nullptr, &made), 0);
	EXPECT_EQ(region, 0U);
	EXPECT_EQ(cost, 77U);
	EXPECT_NE(npu_job_id(made), 0U);
	npu_job_free(made);
	options.flags = NPU_JOB_ON_CHIP;
	options.label = "first layer";
	EXPECT_EQ(npu_job_create(&c_device_, &lane, 1, &options, &made), -EOPNOTSUPP);
	EXPECT_EQ(label, "first layer");
	EXPECT_EQ(region, npu::chip_region);
	options.flags = 2;
	EXPECT_EQ(npu_job_create(&c_device_, &lane, 1, &options, &made), -EINVAL);
	tasks[1].size++;
	EXPECT_EQ(npu_job_create(&c_device_, &lane, 1, nullptr, &made), -EINVAL);
	tasks[1].size--;
	tasks[0].commands = nullptr;
	EXPECT_EQ(npu_job_create(&c_device_, &lane, 1, nullptr, &made), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("commands"));
	lane.tasks = nullptr;
	EXPECT_EQ(npu_job_create(&c_device_, &lane, 1, nullptr, &made), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("tasks"));
}

/* A count that no memory can hold once ended the program. */
TEST_F(CInterfaceTest, CountsThatAreTooLargeAreErrors)
{
	npu_context *queue = context();
	const std::uint64_t command = 1;
	auto task = sized<npu_task>();
	auto lane = sized<npu_lane>();
	npu_job *made = nullptr;

	task.commands = &command;
	task.command_count = SIZE_MAX / 8;
	lane.tasks = &task;
	lane.task_count = 1;
	EXPECT_EQ(npu_job_create(&c_device_, &lane, 1, nullptr, &made), -E2BIG);
	EXPECT_THAT(npu_error_message(), HasSubstr("too large"));
	/* Its bytes wrap to none. */
	task.command_count = SIZE_MAX / 8 + 1;
	EXPECT_EQ(npu_job_create(&c_device_, &lane, 1, nullptr, &made), -E2BIG);
	EXPECT_EQ(npu_buffer_access(nullptr, 0, SIZE_MAX, SIZE_MAX, nullptr), -EINVAL);
	npu_context_free(queue);
}

TEST_F(CInterfaceTest, BuffersGoOnTheChip)
{
	auto info = sized<npu_buffer_info>();
	auto options = sized<npu_buffer_options>();
	npu_buffer *buffer = nullptr;

	driver_->add_sram(65536, 1, 1, 1);
	ASSERT_EQ(npu_buffer_create(&c_device_, 4096, nullptr, &buffer), 0);
	EXPECT_EQ(npu_buffer_set_residency(buffer, 3, 0, 1), -EINVAL);
	EXPECT_EQ(npu_buffer_set_residency(buffer, NPU_RESIDENCY_PREFER, 256, 1), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("priority"));
	ASSERT_EQ(npu_buffer_set_residency(buffer, NPU_RESIDENCY_PREFER, 255, 1), 0);
	ASSERT_EQ(npu_buffer_get_info(buffer, &info), 0);
	EXPECT_EQ(info.bytes, 4096U);
	EXPECT_EQ(info.address, npu_buffer_address(buffer));
	EXPECT_EQ(info.region, 1U);
	EXPECT_EQ(info.residency, std::uint32_t{NPU_RESIDENCY_PREFER});
	EXPECT_EQ(info.priority, 255U);
	npu_buffer_free(buffer);
	options.residency = NPU_RESIDENCY_PIN + 1;
	EXPECT_EQ(npu_buffer_create(&c_device_, 4096, &options, &buffer), -EINVAL);
	options.residency = NPU_RESIDENCY_NONE;
	options.flags = NPU_BUFFER_SHARED;
	EXPECT_EQ(npu_buffer_create(&c_device_, 4096, &options, &buffer), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("flags"));
}

TEST_F(CInterfaceTest, BuffersAreSharedAccessedAndWaitedFor)
{
	const std::size_t before = driver_->objects();
	const UniqueFd foreign(driver_->foreign_dma_buf(8192));
	const UniqueFd camera(driver_->syncs().create_file(
		std::make_shared<FakeFence>(FakeFence{.signalled = true})));
	auto options = sized<npu_buffer_options>();
	auto part = sized<npu_import_options>();
	auto info = sized<npu_buffer_info>();
	npu_buffer *buffer = nullptr;
	npu_access *access = nullptr;
	npu_fence *fence = nullptr, *release = nullptr;
	int dma_buf = -1;

	options.flags = NPU_BUFFER_READ_ONLY | NPU_BUFFER_CACHED;
	ASSERT_EQ(npu_buffer_create(&c_device_, 10, &options, &buffer), 0);
	EXPECT_NE(npu_buffer_handle(buffer), 0U);
	ASSERT_EQ(npu_buffer_export(buffer, &dma_buf), 0);
	EXPECT_EQ(::close(dma_buf), 0) << "the descriptor is the caller's";
	ASSERT_EQ(npu_buffer_get_info(buffer, &info), 0);
	EXPECT_EQ(info.flags, NPU_BUFFER_READ_ONLY | NPU_BUFFER_CACHED | NPU_BUFFER_SHARED);
	EXPECT_EQ(npu_buffer_wait(buffer, NPU_USE_WRITE, NPU_IMMEDIATELY), NPU_ENDED);
	EXPECT_EQ(npu_buffer_wait(buffer, 2, NPU_IMMEDIATELY), -EINVAL);
	EXPECT_EQ(npu_buffer_sync_for_cpu(buffer, 0, 10), 0);
	EXPECT_EQ(npu_buffer_sync_for_device(buffer, 4090, 10), -EINVAL);
	ASSERT_EQ(npu_buffer_access(buffer, NPU_READ_WRITE, 64, 64, &access), 0);
	EXPECT_EQ(npu_access_data(access), static_cast<char *>(npu_buffer_data(buffer)) + 64);
	npu_buffer_free(buffer);
	EXPECT_EQ(npu_access_end(access), 0);
	EXPECT_EQ(npu_access_end(nullptr), 0);

	ASSERT_EQ(npu_fence_import(&c_device_, camera.get(), &fence), 0);
	part.offset = 4096;
	part.acquire = fence;
	ASSERT_EQ(npu_buffer_import(&c_device_, foreign.get(), &part, &buffer), 0);
	EXPECT_EQ(npu_buffer_size(buffer), 4096U);
	EXPECT_EQ(npu_buffer_data(buffer), driver_->foreign_bytes(foreign.get()).data() + 4096);
	EXPECT_EQ(driver_->acquired().size(), 1U);
	ASSERT_EQ(npu_buffer_acquire(buffer, fence), 0);
	ASSERT_EQ(npu_buffer_release_fence(buffer, NPU_USE_ANY, &release), 0);
	EXPECT_EQ(npu_fence_wait(release, NPU_NEVER, nullptr), NPU_ENDED);
	EXPECT_EQ(npu_buffer_access(buffer, 3, 0, 1, &access), -EINVAL);
	npu_fence_free(release);
	npu_fence_free(fence);
	npu_buffer_free(buffer);
	EXPECT_EQ(npu_buffer_import(&c_device_, 0, nullptr, &buffer), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("dma-buf"));
	EXPECT_EQ(driver_->objects(), before);
}

TEST_F(CInterfaceTest, PagesAreRead)
{
	npu_context *queue = context();
	auto status = sized<npu_job_status>();
	npu_page *page = nullptr;

	ASSERT_EQ(npu_page_map(queue, &page), 0);
	EXPECT_EQ(npu_page_times(page, 1, &status), -ENOENT);
	EXPECT_EQ(submit(queue, {&good_, &bad_}), 2U);
	EXPECT_EQ(npu_page_completed(page), 2U);
	EXPECT_EQ(npu_page_failed(page), 2U);
	EXPECT_FALSE(npu_page_banned(page));
	ASSERT_EQ(npu_page_times(page, 2, &status), 0);
	EXPECT_EQ(status.error, EFAULT);
	EXPECT_EQ(npu_page_wait(page, 1, NPU_IMMEDIATELY, -1, &status), NPU_ENDED);
	EXPECT_TRUE(status.ended);
	EXPECT_EQ(npu_page_wait(page, 2, NPU_IMMEDIATELY, 0, nullptr), -EFAULT);
	driver_->context().ban();
	EXPECT_TRUE(npu_page_banned(page));
	npu_page_free(page);
	npu_context_free(queue);
}

TEST_F(CInterfaceTest, SyncobjsDoWhatThoseOfCppDo)
{
	npu_syncobj *syncobj = nullptr, *same = nullptr;
	int fd = -1;

	ASSERT_EQ(npu_syncobj_create(&c_device_, 0, &syncobj), 0);
	EXPECT_NE(npu_syncobj_handle(syncobj), 0U);
	EXPECT_EQ(npu_syncobj_wait(syncobj, 0, NPU_IMMEDIATELY), NPU_TIMED_OUT);
	EXPECT_EQ(npu_syncobj_sync_file(syncobj, &fd), -EINVAL);
	ASSERT_EQ(npu_syncobj_signal(syncobj, 0), 0);
	EXPECT_EQ(npu_syncobj_wait(syncobj, 0, NPU_IMMEDIATELY), NPU_ENDED);
	ASSERT_EQ(npu_syncobj_sync_file(syncobj, &fd), 0);
	::close(fd);
	ASSERT_EQ(npu_syncobj_signal(syncobj, 5), 0);
	EXPECT_EQ(npu_syncobj_wait(syncobj, 5, NPU_IMMEDIATELY), NPU_ENDED);
	ASSERT_EQ(npu_syncobj_reset(syncobj), 0);
	EXPECT_EQ(npu_syncobj_wait(syncobj, 0, NPU_IMMEDIATELY), NPU_TIMED_OUT);
	ASSERT_EQ(npu_syncobj_export(syncobj, &fd), 0);
	ASSERT_EQ(npu_syncobj_import(&c_device_, fd, &same), 0);
	::close(fd);
	npu_syncobj_free(same);
	npu_syncobj_free(syncobj);
}

} // namespace

} // namespace npu::test
