/* SPDX-License-Identifier: MIT */
/*
 * Signals that interrupt system calls of libnpu: its calls must succeed regardless.
 */
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "libnpu_calls.h"
#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using namespace std::chrono_literals;

volatile std::sig_atomic_t handled;
/// The handler writes a byte to wake_fd at signal number wake_after.
volatile std::sig_atomic_t wake_fd;
volatile std::sig_atomic_t wake_after;

void handle(int /*signal*/)
{
	const char byte = 0;

	handled = handled + 1;
	if (wake_after && handled == wake_after)
		static_cast<void>(!::write(wake_fd, &byte, 1));
}

class SignalTest : public testing::Test
{
protected:
	void SetUp() override
	{
		struct sigaction action{};

		/* No SA_RESTART: libnpu has to restart the calls. */
		action.sa_handler = handle;
		ASSERT_EQ(::sigaction(SIGUSR1, &action, &before_), 0);
		handled = 0;
		wake_after = 0;
		driver_ = std::make_shared<FakeDriver>();
		driver_->add_sram(65536, 1, 1, 1);
		kernel_ = std::make_unique<FakeKernel>(driver_);
	}
	void TearDown() override
	{
		kernel_.reset();
		::sigaction(SIGUSR1, &before_, nullptr);
	}

	/// Opens the device file.
	Device open()
	{
		auto device = Device::open(kernel_->path());

		EXPECT_TRUE(device) << device.error().message;
		return device.value_or(Device());
	}

	struct sigaction before_{};
	std::shared_ptr<FakeDriver> driver_;
	std::unique_ptr<FakeKernel> kernel_;
};

/// A sync_file stand-in that becomes readable when a byte is written to its pipe.
class PipeFence
{
public:
	explicit PipeFence(FakeDriver &driver)
	{
		std::array<int, 2> ends{-1, -1};

		EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
		read_ = UniqueFd(ends[0]);
		write_ = UniqueFd(ends[1]);
		driver.syncs().add_file(ends[0],
					std::make_shared<FakeFence>(FakeFence{.signalled = true}));
	}
	int fd() const { return read_.get(); }
	/// Has the handler make it readable at signal number @p signals.
	void signal_after(int signals) const
	{
		wake_fd = write_.get();
		wake_after = signals;
	}

private:
	UniqueFd read_;
	UniqueFd write_;
};

TEST_F(SignalTest, EachCallGoesOn)
{
	const Device device = open();
	Calls all(device, *driver_);

	ASSERT_GE(device.fd(), 0);
	for (const int error : {EINTR, EAGAIN}) {
		kernel_->interrupt(3, error);
		for (const Call &call : all.cpp()) {
			const auto before = kernel_->interrupted();
			const Error failure = call.run();

			EXPECT_EQ(failure.code, 0) << call.name << ": " << failure.message;
			/* Mapping the page is an mmap(), which signals do not interrupt. */
			const std::uint64_t least = call.name == "Context::page" ? 0 : 3;
			EXPECT_GE(kernel_->interrupted(), before + least) << call.name;
		}
		for (const CCall &call : all.c())
			EXPECT_EQ(call.run(), 0) << call.name << ": " << npu_error_message();
		EXPECT_EQ(open().name(), "fake");
	}
	EXPECT_EQ(kernel_->changed(), 0U);
	EXPECT_EQ(static_cast<std::uint64_t>(handled), kernel_->interrupted());
}

TEST_F(SignalTest, OpenGoesOn)
{
	kernel_->interrupt(1, EINTR);
	EXPECT_EQ(::open(kernel_->path().c_str(), O_RDWR | O_CLOEXEC), -1);
	EXPECT_EQ(errno, EINTR);
	kernel_->interrupt(3, EINTR);
	const auto before = kernel_->interrupted();
	const auto device = Device::open(kernel_->path());
	ASSERT_TRUE(device) << device.error().message;
	EXPECT_GE(kernel_->interrupted(), before + 3);
}

TEST_F(SignalTest, DestructorsGoOn)
{
	{
		const Device device = open();
		const Calls all(device, *driver_);

		kernel_->interrupt(2, EINTR);
	}
	EXPECT_EQ(driver_->objects(), 0U);
}

/* The kernel takes absolute times, so a restarted wait must pass the same one. */
TEST_F(SignalTest, WaitsInTheKernelKeepTheirDeadline)
{
	const Device device = open();
	Context context = *Context::create(device);
	const Buffer buffer = *Buffer::create(device, 4096);
	const Syncobj syncobj = *Syncobj::create(device);
	std::vector<std::int64_t> seen;
	const auto note = [&]<typename Args, typename Time>(unsigned long request,
							    Time Args::*timeout) {
		driver_->watch(request, [&seen, timeout](void *argument) {
			seen.push_back(static_cast<Args *>(argument)->*timeout);
		});
	};

	note(DRM_IOCTL_NPU_JOB_WAIT, &drm_npu_job_wait::timeout_ns);
	note(DRM_IOCTL_NPU_BO_WAIT, &drm_npu_bo_wait::timeout_ns);
	note(DRM_IOCTL_SYNCOBJ_WAIT, &drm_syncobj_wait::timeout_nsec);
	note(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &drm_syncobj_timeline_wait::timeout_nsec);
	driver_->hold();
	const std::uint32_t base = buffer.address();
	const Lane lane = small_lane(base + 1024, base);
	const Job job = *Job::create(device, {&lane, 1});
	auto fence = context.submit(job);
	ASSERT_TRUE(fence);
	kernel_->interrupt(5, EINTR);
	const Deadline deadline = Deadline::in(1h);
	EXPECT_TRUE(context.wait(1, deadline).timed_out());
	EXPECT_TRUE(buffer.wait(deadline).timed_out());
	EXPECT_TRUE(fence->wait(deadline).timed_out());
	EXPECT_TRUE(syncobj.wait(deadline).timed_out());
	EXPECT_TRUE(syncobj.wait_point(1, deadline).timed_out());
	EXPECT_EQ(seen, std::vector<std::int64_t>(5, deadline.monotonic_ns()));
	EXPECT_EQ(kernel_->changed(), 0U);
	EXPECT_EQ(handled, 25);
	kernel_->interrupt(0, 0);
}

TEST_F(SignalTest, FencesAreWaitedForOn)
{
	const Device device = open();
	const PipeFence pipe(*driver_);
	auto fence = Fence::import(device, pipe.fd());
	ASSERT_TRUE(fence) << fence.error().message;

	for (const Deadline deadline : {Deadline::never(), Deadline::in(1h)}) {
		const std::size_t first = kernel_->timeouts().size();

		/* The last signal during ppoll() wakes the waiter, which queries the status. */
		handled = 0;
		pipe.signal_after(4);
		kernel_->interrupt(4, EINTR);
		const auto waited = fence->wait(deadline);
		EXPECT_TRUE(waited) << waited.error().message;
		EXPECT_EQ(handled, 4 + 4);
		const auto &timeouts = kernel_->timeouts();
		ASSERT_EQ(timeouts.size(), first + 5) << "four that were interrupted";
		for (std::size_t i = first + 1; i < timeouts.size(); i++) {
			if (deadline.is_never())
				EXPECT_EQ(timeouts[i], -1);
			else
				EXPECT_LT(timeouts[i], timeouts[i - 1]) << "it started again";
		}
		char byte = 1;
		kernel_->interrupt(0, 0);
		EXPECT_EQ(::read(pipe.fd(), &byte, 1), 1);
	}
}

TEST_F(SignalTest, FencesTimeOutAtTheDeadline)
{
	const Device device = open();
	const PipeFence pipe(*driver_);
	auto fence = Fence::import(device, pipe.fd());
	ASSERT_TRUE(fence) << fence.error().message;

	for (const auto duration : {0ms, 20ms}) {
		const Deadline deadline = Deadline::in(duration);

		kernel_->interrupt(3, EINTR);
		const auto waited = fence->wait(deadline);
		EXPECT_TRUE(waited.timed_out()) << waited.error().message;
		EXPECT_GE(Deadline(Deadline::Clock::now()), deadline);
	}
	kernel_->interrupt(0, 0);
}

} // namespace

} // namespace npu::test
