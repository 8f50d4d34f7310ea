/* SPDX-License-Identifier: MIT */
/*
 * The C interface on a device without a kernel.
 */
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

	npu_device c_device_;
	npu_job good_;
	npu_job bad_;
};

TEST_F(CInterfaceTest, ContextsTakeOptions)
{
	const npu_context_options options{
		.core_mask = 2, .max_queued = 9, .sched_class = NPU_CLASS_BACKGROUND, .weight = 7};
	npu_context *made = nullptr;

	ASSERT_EQ(npu_context_create(&c_device_, &options, &made), 0);
	EXPECT_EQ(driver_->context().stats().core_mask, 2U);
	EXPECT_EQ(driver_->context().stats().max_queued, 9U);
	EXPECT_EQ(driver_->context().stats().sched_class, DRM_NPU_CLASS_BACKGROUND);
	EXPECT_EQ(driver_->context().stats().weight, 7U);
	npu_context_free(made);

	const npu_context_options latency{
		.core_mask = 0, .max_queued = 0, .sched_class = NPU_CLASS_LATENCY, .weight = 0};
	ASSERT_EQ(npu_context_create(&c_device_, &latency, &made), 0);
	EXPECT_EQ(driver_->context().stats().sched_class, DRM_NPU_CLASS_LATENCY);
	npu_context_free(made);

	const npu_context_options unknown{
		.core_mask = 0, .max_queued = 0, .sched_class = 3, .weight = 0};
	EXPECT_EQ(npu_context_create(&c_device_, &unknown, &made), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("class"));
}

TEST_F(CInterfaceTest, ContextsChange)
{
	npu_context *queue = context();
	const drm_npu_query_context &stats = driver_->context().stats();

	ASSERT_EQ(npu_context_set(queue, NPU_CLASS_LATENCY, 50), 0);
	EXPECT_EQ(stats.sched_class, DRM_NPU_CLASS_LATENCY);
	EXPECT_EQ(stats.weight, 50U);
	EXPECT_EQ(npu_context_set(queue, 3, 60), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("class"));
	EXPECT_EQ(npu_context_set(queue, NPU_CLASS_BACKGROUND, DRM_NPU_WEIGHT_MAX + 1), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("weight"));
	EXPECT_EQ(stats.sched_class, DRM_NPU_CLASS_LATENCY);
	EXPECT_EQ(stats.weight, 50U);
	npu_context_free(queue);
}

TEST_F(CInterfaceTest, SubmitsCarryTheirDeadline)
{
	npu_context *queue = context();
	const npu_job *const jobs[] = {&good_, &good_};
	std::uint64_t seqno = 0, seen = 1;

	driver_->watch(DRM_IOCTL_NPU_JOB_SUBMIT, [&](void *argument) {
		seen = static_cast<drm_npu_job_submit *>(argument)->deadline_ns;
	});
	ASSERT_EQ(npu_context_submit_until(queue, jobs, 2, 12345, &seqno), 0);
	EXPECT_EQ(seqno, 2U);
	EXPECT_EQ(seen, 12345U);
	ASSERT_EQ(npu_context_submit_until(queue, jobs, 2, UINT64_MAX, &seqno), 0);
	EXPECT_EQ(seen, 0U) << "for ever is no deadline";
	npu_context_free(queue);
}

TEST_F(CInterfaceTest, TasksSayWhatTheyCost)
{
	const std::uint64_t command = 1;
	const npu_task tasks[] = {
		{.commands = &command, .command_count = 1, .enable = 1, .cost_ns = 77}};
	const npu_lane lane{.tasks = tasks, .task_count = 1};
	npu_job *made = nullptr;
	std::uint32_t seen = 0;

	driver_->watch(DRM_IOCTL_NPU_JOB_CREATE, [&](void *argument) {
		const auto *raw = reinterpret_cast<const drm_npu_lane *>(
			static_cast<drm_npu_job_create *>(argument)->lanes);

		seen = reinterpret_cast<const drm_npu_task *>(raw->tasks)->cost_ns;
	});
	ASSERT_EQ(npu_job_create(&c_device_, &lane, 1, &made), 0);
	EXPECT_EQ(seen, 77U);
	npu_job_free(made);
}

TEST_F(CInterfaceTest, JobsAreSubmittedWaitedForAndCancelled)
{
	npu_context *queue = context();
	const npu_job *const jobs[] = {&good_, &bad_, &good_};
	npu_job_status status{};
	std::uint64_t seqno = 0;
	std::uint32_t cancelled = 0;

	ASSERT_EQ(npu_context_submit_batch(queue, jobs, 3, &seqno), 0);
	EXPECT_EQ(seqno, 3U);
	EXPECT_EQ(npu_context_wait(queue, 1, UINT64_MAX), 0);
	EXPECT_EQ(npu_context_wait(queue, 2, UINT64_MAX), -EFAULT);
	ASSERT_EQ(npu_context_status(queue, 2, 0, &status), 0);
	EXPECT_TRUE(status.ended);
	EXPECT_EQ(status.error, EFAULT);
	EXPECT_GT(status.ended_ns, status.queued_ns);
	EXPECT_EQ(status.fault_lane, 1U);
	EXPECT_EQ(status.fault_task, 2U);
	EXPECT_EQ(status.fault_task_count, 3U);
	EXPECT_TRUE(status.has_fault_address);
	EXPECT_EQ(status.fault_address, 0x4000U);
	ASSERT_EQ(npu_context_status(queue, 1, 0, &status), 0);
	EXPECT_EQ(status.fault_task_count, 0U);
	EXPECT_FALSE(status.has_fault_address);

	driver_->hold();
	ASSERT_EQ(npu_context_submit(queue, &good_, &seqno), 0);
	EXPECT_EQ(seqno, 4U);
	ASSERT_EQ(npu_context_status(queue, 4, 0, &status), 0);
	EXPECT_FALSE(status.ended);
	EXPECT_EQ(npu_context_wait(queue, 4, 0), -ETIME);
	ASSERT_EQ(npu_context_cancel(queue, 1, 4, &cancelled), 0);
	EXPECT_EQ(cancelled, 1U);
	driver_->resume();
	EXPECT_EQ(npu_context_wait(queue, 4, 0), -ECANCELED);
	EXPECT_EQ(npu_context_cancel(queue, 0, 4, &cancelled), -EINVAL);
	npu_context_free(queue);
}

TEST_F(CInterfaceTest, BuffersGoOnTheChip)
{
	npu_chip_memory memory{};
	npu_placement place{};
	npu_buffer *buffer = nullptr;

	ASSERT_EQ(npu_buffer_create(&c_device_, 4096, &buffer), 0);
	EXPECT_EQ(npu_device_chip_memory(&c_device_, &memory), -EOPNOTSUPP);
	EXPECT_THAT(npu_error_message(), HasSubstr("no on-chip memory"));
	EXPECT_EQ(npu_buffer_set_residency(buffer, NPU_RESIDENCY_PIN, 0), -EOPNOTSUPP);

	driver_->add_sram(65536, 1, 1, 1);
	c_device_.device = *Device::create(driver_);
	ASSERT_EQ(npu_device_chip_memory(&c_device_, &memory), 0);
	EXPECT_EQ(memory.size, 65536U);
	EXPECT_EQ(npu_buffer_set_residency(buffer, 3, 0), -EINVAL);
	EXPECT_EQ(npu_buffer_set_residency(buffer, NPU_RESIDENCY_PREFER, 256), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("priority"));
	ASSERT_EQ(npu_buffer_place(buffer, &place), 0);
	EXPECT_FALSE(place.on_chip);
	EXPECT_EQ(place.residency, NPU_RESIDENCY_NONE);
	ASSERT_EQ(npu_buffer_set_residency(buffer, NPU_RESIDENCY_PREFER, 255), 0);
	ASSERT_EQ(npu_buffer_place(buffer, &place), 0);
	EXPECT_TRUE(place.on_chip);
	EXPECT_EQ(place.residency, NPU_RESIDENCY_PREFER);
	EXPECT_EQ(place.priority, 255U);
	ASSERT_EQ(npu_buffer_set_residency(buffer, NPU_RESIDENCY_NONE, 0), 0);
	ASSERT_EQ(npu_buffer_place(buffer, &place), 0);
	EXPECT_FALSE(place.on_chip);
	npu_buffer_free(buffer);
}

TEST_F(CInterfaceTest, StreamsGoOnTheChip)
{
	const std::uint64_t command = 0;
	const npu_task task{.commands = &command, .command_count = 1, .enable = 1, .cost_ns = 0};
	const npu_lane lane{.tasks = &task, .task_count = 1};
	std::uint32_t region = 7;
	npu_job *made = nullptr;

	driver_->watch(DRM_IOCTL_NPU_JOB_CREATE, [&](void *argument) {
		region = static_cast<drm_npu_job_create *>(argument)->region;
	});
	EXPECT_EQ(npu_job_create_on_chip(&c_device_, &lane, 1, &made), -EOPNOTSUPP);
	EXPECT_EQ(region, npu::chip_region);
	driver_->add_sram(65536, 1, 1, 1);
	ASSERT_EQ(npu_job_create_on_chip(&c_device_, &lane, 1, &made), 0);
	npu_job_free(made);
	ASSERT_EQ(npu_job_create(&c_device_, &lane, 1, &made), 0);
	EXPECT_EQ(region, 0U);
	npu_job_free(made);
}

TEST_F(CInterfaceTest, PagesAreRead)
{
	npu_context *queue = context();
	npu_job_status status{};
	npu_page *page = nullptr;
	std::uint64_t seqno = 0;

	ASSERT_EQ(npu_page_map(queue, &page), 0);
	EXPECT_EQ(npu_page_times(page, 1, &status), -ENOENT);
	ASSERT_EQ(npu_context_submit(queue, &good_, &seqno), 0);
	ASSERT_EQ(npu_context_submit(queue, &bad_, &seqno), 0);
	EXPECT_EQ(npu_page_completed(page), 2U);
	EXPECT_EQ(npu_page_failed(page), 2U);
	EXPECT_FALSE(npu_page_banned(page));
	ASSERT_EQ(npu_page_times(page, 2, &status), 0);
	EXPECT_EQ(status.error, EFAULT);
	ASSERT_EQ(npu_page_wait(page, 1, 0, &status), 0);
	EXPECT_TRUE(status.ended);
	EXPECT_EQ(status.error, 0);
	driver_->context().ban();
	EXPECT_TRUE(npu_page_banned(page));
	npu_page_free(page);
	npu_page_free(nullptr);
	npu_context_free(queue);
}

TEST_F(CInterfaceTest, BuffersAreSharedAndWaitedFor)
{
	const std::size_t before = driver_->objects();
	const UniqueFd foreign(driver_->foreign_dma_buf(4096));
	npu_buffer *buffer = nullptr;
	int dma_buf = -1;

	ASSERT_EQ(npu_buffer_create_read_only(&c_device_, 10, &buffer), 0);
	EXPECT_TRUE(buffer->buffer.info()->read_only);
	ASSERT_EQ(npu_buffer_export(buffer, &dma_buf), 0);
	EXPECT_EQ(::close(dma_buf), 0) << "the descriptor is the caller's";
	EXPECT_EQ(npu_buffer_wait(buffer, 0, 0), 0);
	EXPECT_EQ(npu_buffer_sync_for_cpu(buffer, 0, 10), 0);
	EXPECT_EQ(npu_buffer_sync_for_device(buffer, 4090, 10), -EINVAL);
	npu_buffer_free(buffer);

	ASSERT_EQ(npu_buffer_create_cached(&c_device_, 4096, &buffer), 0);
	EXPECT_EQ(npu_buffer_sync_for_device(buffer, 0, 4096), 0);
	npu_buffer_free(buffer);

	ASSERT_EQ(npu_buffer_import(&c_device_, foreign.get(), &buffer), 0);
	EXPECT_EQ(npu_buffer_sync_for_cpu(buffer, 0, 10), -EOPNOTSUPP);
	EXPECT_EQ(npu_buffer_size(buffer), 4096U);
	EXPECT_EQ(npu_buffer_data(buffer), driver_->foreign_bytes(foreign.get()).data());
	npu_buffer_free(buffer);
	EXPECT_EQ(npu_buffer_import(&c_device_, 0, &buffer), -EINVAL);
	EXPECT_THAT(npu_error_message(), HasSubstr("dma-buf"));
	EXPECT_EQ(driver_->objects(), before);
}

} // namespace

} // namespace npu::test
