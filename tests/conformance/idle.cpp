/* SPDX-License-Identifier: MIT */
/// BO_WAIT: when a buffer is free.
#include <atomic>
#include <cerrno>

#include <linux/dma-buf.h>

#include "dmabuf.h"
#include "igt.h"
#include "leak.h"
#include "process.h"
#include "program.h"

namespace
{

struct Fixture {
	Device device;
	Product product{device};
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = device.context();

	std::vector<const Buffer *> buffers() const
	{
		return {&product.features, &product.weights, &product.out};
	}
};

void check_free(const Device &device, std::uint32_t handle, std::uint32_t flags = 0)
{
	for (std::int64_t timeout :
	     {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, INT64_MIN, never})
		CHECK_OK(wait_buffer(device, handle, timeout, flags));
}

void check_busy(const Device &device, std::uint32_t handle, std::uint32_t flags = 0)
{
	for (std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}, now_ns(), INT64_MIN})
		CHECK_ERR(wait_buffer(device, handle, timeout, flags), EBUSY);
	const std::int64_t end = now_ns() + ms_to_ns(60);
	CHECK_ERR(wait_buffer(device, handle, end, flags), ETIMEDOUT);
	CHECK(has_come(end));
}

} // namespace

SUBTEST(idle_unused)
{
	Fixture f;
	Buffer other(f.device, 4096);

	/* A job that is not submitted is no use. */
	for (const Buffer *buffer : f.buffers())
		check_free(f.device, buffer->handle());
	Gate gate(f.device);
	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	check_free(f.device, other.handle());
	check_free(f.device, other.handle(), DRM_NPU_BO_WAIT_WRITES);
}

SUBTEST(idle_busy)
{
	Fixture f;
	Gate gate(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	for (const Buffer *buffer : f.buffers())
		check_busy(f.device, buffer->handle());
	gate.open();
	for (const Buffer *buffer : f.buffers())
		CHECK_OK(wait_buffer(f.device, buffer->handle(), never));
	f.product.check();
	CHECK_EQ(f.device.state(f.context).completed_seqno, 1);
}

/* A wait for reading does not wait for readers. */
SUBTEST(idle_writes)
{
	Fixture f;
	Gate gate(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	check_free(f.device, f.product.features.handle(), DRM_NPU_BO_WAIT_WRITES);
	check_free(f.device, f.product.weights.handle(), DRM_NPU_BO_WAIT_WRITES);
	check_busy(f.device, f.product.out.handle(), DRM_NPU_BO_WAIT_WRITES);
	gate.open();
	CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never, DRM_NPU_BO_WAIT_WRITES));
	f.product.check();
}

SUBTEST(idle_bad)
{
	Fixture f;
	Device other;
	Buffer closed(f.device, 4096);
	std::uint32_t handle = closed.handle();
	leak::Check leak;

	for (unsigned bit = 0; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		if (1u << bit == DRM_NPU_BO_WAIT_WRITES)
			continue;
		CHECK_ERR(wait_buffer(f.device, handle, 0, 1u << bit), EINVAL);
	}
	for (std::uint32_t bad : {0u, handle + 1, ~0u})
		CHECK_ERR(wait_buffer(f.device, bad, 0), ENOENT);
	CHECK_ERR(wait_buffer(other, handle, never), ENOENT);
	leak.done();
	closed.close();
	CHECK_ERR(wait_buffer(f.device, handle, never), ENOENT);
}

/* However a job ends, it uses its buffers no more. */
SUBTEST(idle_after_failure)
{
	Fixture f;
	Gate gate(f.device);
	std::uint32_t fault = create_job(f.device, {{faulting(f.product)}});

	for (int i = 0; i < 2; i++) {
		CHECK_OK(submit(f.device, f.context, {fault}));
		CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never));
		CHECK_OK(wait_buffer(f.device, f.product.features.handle(), 0));
	}
	CHECK_EQ(f.device.state(f.context).failed_jobs, 2);
	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	check_busy(f.device, f.product.out.handle());
	CHECK_OK(cancel(f.device, f.context, 3, 3));
	CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never));
	std::uint32_t gone = f.device.context();
	CHECK_OK(submit(f.device, gone, {f.job}, {{gate.sync()}, {}}));
	CHECK_OK(f.device.destroy_context(gone));
	CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never));
	f.product.check_untouched();
}

/* All contexts of the file count, and all of the jobs of each. */
SUBTEST(idle_contexts)
{
	Fixture f;
	Gate a(f.device), b(f.device);
	std::uint32_t second = f.device.context();

	CHECK_OK(submit(f.device, f.context, {f.job, f.job}, {{a.sync()}, {}}));
	CHECK_OK(submit(f.device, second, {f.job}, {{b.sync()}, {}}));
	check_busy(f.device, f.product.out.handle());
	a.open();
	wait_ended(f.device, f.context, 2);
	check_busy(f.device, f.product.out.handle());
	b.open();
	CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never));
	wait_ended(f.device, second, 1);
}

/* Jobs submitted after the call are not waited for. */
SUBTEST(idle_submitted_later)
{
	Fixture f;
	Gate a(f.device), b(f.device);
	std::uint32_t second = f.device.context();
	std::atomic<bool> done = false;
	Sleeper sleeper;

	CHECK_OK(submit(f.device, f.context, {f.job}, {{a.sync()}, {}}));
	igt::parallel(2, [&](unsigned thread) {
		if (!thread) {
			sleeper.enters();
			CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never));
			done = true;
			return;
		}
		sleeper.wait_asleep();
		CHECK(!done);
		CHECK_OK(submit(f.device, second, {f.job}, {{b.sync()}, {}}));
		a.open();
		CHECK(patience::comes([&] { return done.load(); }));
		CHECK_EQ(look_at(f.device, second, 1).state, DRM_NPU_JOB_QUEUED);
		b.open();
	});
}

SUBTEST(idle_signal)
{
	Fixture f;
	Gate gate(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	drm_npu_bo_wait args{f.product.out.handle(), 0, never};
	CHECK_ERR(interrupted(f.device.fd(), DRM_IOCTL_NPU_BO_WAIT, &args), EINTR);
	gate.open();
	CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never));
}

/* The buffer may be closed by another thread while one waits. */
SUBTEST(idle_closed_meanwhile)
{
	Fixture f;
	leak::Check leak;
	{
		Gate gate(f.device);
		Product product(f.device);
		std::uint32_t job = create_job(f.device, {{product.task()}});
		std::uint32_t handle = product.out.handle();

		CHECK_OK(submit(f.device, f.context, {job}, {{gate.sync()}, {}}));
		Sleeper sleeper;
		igt::parallel(2, [&](unsigned thread) {
			if (!thread) {
				sleeper.enters();
				CHECK_OK(wait_buffer(f.device, handle, never));
				product.check();
				return;
			}
			sleeper.wait_asleep();
			product.out.close();
			CHECK_OK(f.device.destroy_job(job));
			gate.open();
		});
	}
	leak.done();
}

/* Of a shared buffer the fences of others count: writers', and readers'. */
SUBTEST(idle_shared)
{
	Device device;
	std::unique_ptr<VgemBuffer> memory = need_vgem(4096);
	Imported buffer(device, memory->dma_buf());

	check_free(device, buffer.handle());
	std::uint32_t fence = memory->attach_fence(true);
	check_busy(device, buffer.handle());
	check_busy(device, buffer.handle(), DRM_NPU_BO_WAIT_WRITES);
	memory->signal_fence(fence);
	CHECK_OK(wait_buffer(device, buffer.handle(), never));
	fence = memory->attach_fence(false);
	check_busy(device, buffer.handle());
	check_free(device, buffer.handle(), DRM_NPU_BO_WAIT_WRITES);
	memory->signal_fence(fence);
	CHECK_OK(wait_buffer(device, buffer.handle(), never));
}

/* Another file's job on a shared buffer, which this file knows by its fence. */
SUBTEST(idle_other_file)
{
	Device device, other;
	Gate gate(other);
	Product product(other);
	Fd dma_buf = export_buffer(other.fd(), product.out.handle());
	Imported mine(device, dma_buf);
	std::uint32_t context = other.context();

	CHECK_OK(submit(other, context, {create_job(other, {{product.task()}})},
			{{gate.sync()}, {}}));
	check_busy(device, mine.handle());
	gate.open();
	CHECK_OK(wait_buffer(device, mine.handle(), never));
	product.check();
}
