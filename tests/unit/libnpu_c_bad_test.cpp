/* SPDX-License-Identifier: MIT */
/*
 * Bad input to the C interface, and memory that is short in each of its calls.
 */
#include <array>
#include <cerrno>
#include <cstdlib>
#include <new>

#include <gmock/gmock.h>

#include <capi_objects.h>

#include "libnpu_fixture.h"

namespace
{

/// Allocations of this thread until one fails; negative for none.
thread_local int until_failure = -1;

} // namespace

/*
 * Replaces the allocator of the whole test program. GCC 12 warns of free() where it inlines
 * one of a pair only.
 */
void *operator new(std::size_t size)
{
	if (until_failure == 0)
		throw std::bad_alloc();
	if (until_failure > 0)
		until_failure--;
	if (void *memory = std::malloc(size ? size : 1))
		return memory;
	throw std::bad_alloc();
}

[[gnu::noinline]] void operator delete(void *memory) noexcept
{
	std::free(memory);
}

[[gnu::noinline]] void operator delete(void *memory, std::size_t /*size*/) noexcept
{
	std::free(memory);
}

namespace npu::test
{

namespace
{

using testing::HasSubstr;

/// A device without a kernel whose own memory is never short.
class RichDriver final : public FakeDriver
{
public:
	int ioctl(unsigned long request, void *argument) override
	{
		const Rich rich;

		return FakeDriver::ioctl(request, argument);
	}
	std::span<std::byte> map(std::size_t size, std::uint64_t offset, MapAccess access,
				 int &error) override
	{
		const Rich rich;

		return FakeDriver::map(size, offset, access, error);
	}
	int file_ioctl(int fd, unsigned long request, void *argument) override
	{
		const Rich rich;

		return FakeDriver::file_ioctl(fd, request, argument);
	}

private:
	class Rich
	{
	public:
		Rich() : before_(std::exchange(until_failure, -1)) {}
		~Rich() { until_failure = before_; }
		Rich(const Rich &) = delete;
		Rich &operator=(const Rich &) = delete;

	private:
		int before_;
	};
};

class BadInputTest : public testing::Test
{
protected:
	void SetUp() override
	{
		driver_ = std::make_shared<RichDriver>();
		device_.device = *Device::create(driver_);
	}

	/// All that an application does, once. @return the first error
	int everything();
	int use(npu_buffer *buffer);
	int submit(npu_job *job);

	std::shared_ptr<RichDriver> driver_;
	npu_device device_;
};

int BadInputTest::use(npu_buffer *buffer)
{
	npu_buffer_info info = {};
	npu_access *access = nullptr;

	info.size = sizeof(info);
	if (const int code = npu_buffer_get_info(buffer, &info))
		return code;
	if (const int code = npu_buffer_access(buffer, NPU_READ_WRITE, 0, 64, &access))
		return code;
	if (const int code = npu_access_end(access))
		return code;
	return npu_buffer_wait(buffer, NPU_USE_ANY, NPU_NEVER);
}

int BadInputTest::submit(npu_job *job)
{
	npu_submit_options options = {};
	npu_sync in = {};
	npu_context *context = nullptr;
	npu_syncobj *syncobj = nullptr;
	npu_fence *fence = nullptr;
	npu_page *page = nullptr;
	const npu_job *const jobs[] = {job, job, job, job, job, job};

	int code = npu_context_create(&device_, nullptr, &context);
	if (!code)
		code = npu_syncobj_create(&device_, 1, &syncobj);
	in.size = sizeof(in);
	in.syncobj = syncobj;
	options.size = sizeof(options);
	options.in = &in;
	options.in_count = 1;
	if (!code)
		code = npu_page_map(context, &page);
	if (!code)
		code = npu_context_submit(context, jobs, std::size(jobs), &options, nullptr,
					  &fence);
	if (!code)
		code = npu_fence_wait(fence, NPU_NEVER, nullptr);
	if (!code)
		code = npu_page_wait(page, 6, NPU_NEVER, -1, nullptr);
	npu_fence_free(fence);
	npu_page_free(page);
	npu_syncobj_free(syncobj);
	npu_context_free(context);
	return code;
}

int BadInputTest::everything()
{
	const std::array<std::uint64_t, 1> commands{};
	npu_task task = {};
	npu_lane lane = {};
	npu_buffer *buffer = nullptr;
	npu_job *job = nullptr;

	int code = npu_buffer_create(&device_, 4096, nullptr, &buffer);
	if (!code)
		code = use(buffer);
	task.size = sizeof(task);
	task.commands = commands.data();
	task.command_count = commands.size();
	lane.size = sizeof(lane);
	lane.tasks = &task;
	lane.task_count = 1;
	if (!code)
		code = npu_job_create(&device_, &lane, 1, nullptr, &job);
	if (!code)
		code = submit(job);
	npu_job_free(job);
	npu_buffer_free(buffer);
	return code;
}

/* Each allocation fails once. The device runs no blocks, so the job itself fails. */
TEST_F(BadInputTest, ShortMemoryIsAnErrorAndLeavesNothing)
{
	const int with_memory = everything();
	const std::size_t before = driver_->objects();
	int failures = 0;

	for (int allocations = 0;; allocations++) {
		until_failure = allocations;
		const int code = everything();
		const bool all_done = until_failure > 0;
		until_failure = -1;
		EXPECT_EQ(driver_->objects(), before) << "allocation " << allocations;
		if (all_done) {
			EXPECT_EQ(code, with_memory);
			break;
		}
		failures++;
		ASSERT_LT(failures, 10000);
		/* The text of an expected error may be what lacks memory. */
		EXPECT_TRUE(code == -ENOMEM || code == with_memory) << code;
	}
	EXPECT_GT(failures, 20);
}

TEST_F(BadInputTest, NullIsAnErrorEverywhere)
{
	npu_buffer *buffer = nullptr;
	npu_context *context = nullptr;
	std::uint64_t point = 0;
	int fd = -1;

	const int codes[] = {
		npu_device_open("/dev/null", nullptr),
		npu_device_get_info(nullptr, nullptr),
		npu_device_get_info(&device_, nullptr),
		npu_device_get_core(nullptr, 0, nullptr),
		npu_device_get_region(nullptr, 0, nullptr),
		npu_device_get_activity(nullptr, nullptr),
		npu_device_get_limits(nullptr, nullptr),
		npu_device_get_features(nullptr, nullptr),
		npu_device_get_data_types(nullptr, 0, nullptr),
		npu_fence_import(nullptr, 0, nullptr),
		npu_fence_fd(nullptr, &fd),
		npu_fence_wait(nullptr, 0, nullptr),
		npu_syncobj_create(nullptr, 0, nullptr),
		npu_syncobj_import(nullptr, 0, nullptr),
		npu_syncobj_export(nullptr, &fd),
		npu_syncobj_sync_file(nullptr, &fd),
		npu_syncobj_wait(nullptr, 0, 0),
		npu_syncobj_signal(nullptr, 0),
		npu_syncobj_reset(nullptr),
		npu_syncobj_get_point(nullptr, &point),
		npu_buffer_create(nullptr, 1, nullptr, &buffer),
		npu_buffer_create(&device_, 1, nullptr, nullptr),
		npu_buffer_import(nullptr, 0, nullptr, &buffer),
		npu_buffer_get_info(nullptr, nullptr),
		npu_buffer_export(nullptr, &fd),
		npu_buffer_wait(nullptr, 0, 0),
		npu_buffer_acquire(nullptr, nullptr),
		npu_buffer_release_fence(nullptr, 0, nullptr),
		npu_buffer_access(nullptr, 0, 0, 0, nullptr),
		npu_buffer_sync_for_cpu(nullptr, 0, 1),
		npu_buffer_sync_for_device(nullptr, 0, 1),
		npu_buffer_set_residency(nullptr, 0, 0, 1),
		npu_job_create(&device_, nullptr, 1, nullptr, nullptr),
		npu_context_create(nullptr, nullptr, &context),
		npu_context_submit(nullptr, nullptr, 0, nullptr, nullptr, nullptr),
		npu_context_set_class(nullptr, 0),
		npu_context_set_weight(nullptr, 0),
		npu_context_wait(nullptr, 1, 0, nullptr),
		npu_context_cancel(nullptr, 1, 1, nullptr),
		npu_context_get_statistics(nullptr, nullptr),
		npu_page_map(nullptr, nullptr),
		npu_page_times(nullptr, 1, nullptr),
		npu_page_wait(nullptr, 1, 0, 0, nullptr),
	};
	for (std::size_t i = 0; i < std::size(codes); i++)
		EXPECT_EQ(codes[i], -EINVAL) << "call " << i;
	EXPECT_THAT(npu_error_message(), HasSubstr("NULL"));
	EXPECT_EQ(npu_device_fd(nullptr), -1);
	EXPECT_EQ(npu_buffer_data(nullptr), nullptr);
	EXPECT_EQ(npu_buffer_size(nullptr) + npu_buffer_address(nullptr) +
			  npu_buffer_handle(nullptr) + npu_job_id(nullptr) +
			  npu_context_id(nullptr) + npu_syncobj_handle(nullptr) +
			  npu_fence_seqno(nullptr) + npu_page_completed(nullptr) +
			  npu_page_failed(nullptr),
		  0U);
	EXPECT_FALSE(npu_page_banned(nullptr));
	EXPECT_EQ(npu_access_data(nullptr), nullptr);
	npu_device_free(nullptr);
	npu_buffer_free(nullptr);
	npu_job_free(nullptr);
	npu_context_free(nullptr);
	npu_page_free(nullptr);
	npu_fence_free(nullptr);
	npu_syncobj_free(nullptr);
}

/// A structure of a later version.
template <typename T>
struct Later {
	T known = {};
	std::uint64_t more = 0;
};

TEST_F(BadInputTest, SizesOfStructuresAreNegotiated)
{
	Later<npu_buffer_options> options;
	Later<npu_buffer_info> info;
	npu_buffer *buffer = nullptr;

	for (const std::size_t size : {std::size_t{0}, sizeof(npu_buffer_options) - 1}) {
		options.known.size = size;
		EXPECT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), -EINVAL);
		EXPECT_THAT(npu_error_message(), HasSubstr("less than version 1.0 has"));
	}
	options.known.size = SIZE_MAX;
	EXPECT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), -E2BIG);
	options.known.size = sizeof(options);
	options.more = 1;
	EXPECT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), -E2BIG);
	EXPECT_THAT(npu_error_message(), HasSubstr("does not know"));
	options.more = 0;
	ASSERT_EQ(npu_buffer_create(&device_, 1, &options.known, &buffer), 0);
	EXPECT_STREQ(npu_error_message(), "") << "no older error";

	info.known.size = sizeof(info.known) - 1;
	EXPECT_EQ(npu_buffer_get_info(buffer, &info.known), -EINVAL);
	info.known.size = SIZE_MAX;
	EXPECT_EQ(npu_buffer_get_info(buffer, &info.known), -E2BIG);
	info.known.size = sizeof(info);
	info.more = 77;
	ASSERT_EQ(npu_buffer_get_info(buffer, &info.known), 0);
	EXPECT_EQ(info.known.size, sizeof(info.known)) << "what is known";
	EXPECT_EQ(info.known.bytes, 4096U);
	EXPECT_EQ(info.more, 0U);
	npu_buffer_free(buffer);
}

} // namespace

} // namespace npu::test
