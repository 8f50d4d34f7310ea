/* SPDX-License-Identifier: MIT */
/// The order that fences of shared buffers make, to others and by others.
#include <algorithm>
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
};

/* What somebody who wants to read, or to write, would have to wait for. */
int to_read(const Fd &dma_buf, unsigned ms = 0)
{
	return final_status(export_fences(dma_buf, DMA_BUF_SYNC_READ), ms);
}

int to_write(const Fd &dma_buf, unsigned ms = 0)
{
	return final_status(export_fences(dma_buf, DMA_BUF_SYNC_WRITE), ms);
}

} // namespace

/* A reader waits for writers only, a writer for all. */
SUBTEST(implicit_in)
{
	Fixture f;
	Task task = f.product.task();
	std::unique_ptr<VgemBuffer> memory = need_vgem(4096);
	Imported buffer(f.device, memory->dma_buf());

	for (bool job_writes : {false, true}) {
		set(task, cna_feature_addr,
		    job_writes ? f.product.features.address() : buffer.address());
		set(task, dpu_dst_addr, job_writes ? buffer.address() : f.product.out.address());
		std::uint32_t job = create_job(f.device, {{task}});

		for (bool fence_writes : {false, true}) {
			igt::Note note(std::string("the job ") + (job_writes ? "writes" : "reads") +
				       ", the fence " + (fence_writes ? "writes" : "reads"));
			std::uint32_t fence = memory->attach_fence(fence_writes);
			Syncobj done(f.device);

			CHECK_OK(submit(f.device, f.context, {job}, {{}, {done.sync()}}));
			if (job_writes || fence_writes)
				CHECK_EQ(final_status(done, 50), 0);
			else
				CHECK_EQ(final_status(done), 1);
			memory->signal_fence(fence);
			CHECK_EQ(final_status(done), 1);
		}
	}
}

SUBTEST(implicit_out)
{
	Fixture f;
	Gate gate(f.device);
	Fd out = export_buffer(f.device.fd(), f.product.out.handle());
	Fd in = export_buffer(f.device.fd(), f.product.features.handle());

	CHECK_EQ(to_write(out), 1);
	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	Fd write = export_fences(out, DMA_BUF_SYNC_READ);
	Fd read = export_fences(in, DMA_BUF_SYNC_WRITE);
	CHECK_EQ(final_status(write, 20), 0);
	CHECK_EQ(final_status(read, 20), 0);
	CHECK_EQ(to_write(out), 0);
	CHECK_EQ(to_read(in), 1);
	gate.open();
	CHECK_EQ(final_status(write), 1);
	f.product.check();
	CHECK_EQ(final_status(read), 1);
	CHECK_EQ(to_write(out, patience::ms()), 1);
}

/* The job was there before anybody knew that the buffer would be shared. */
SUBTEST(implicit_export_while_queued)
{
	Fixture f;
	Gate gate(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job, f.job}, {{gate.sync()}, {}}));
	Fd out = export_buffer(f.device.fd(), f.product.out.handle());
	Fd in = export_buffer(f.device.fd(), f.product.features.handle());
	CHECK_EQ(to_read(out, 20), 0);
	CHECK_EQ(to_write(in, 20), 0);
	CHECK_EQ(to_read(in, 20), 1);
	gate.open();
	CHECK_EQ(to_read(out, patience::ms()), 1);
	CHECK_EQ(f.device.state(f.context).completed_seqno, 2);
	f.product.check();
}

/* Jobs that do not use the buffer have nothing to do with it. */
SUBTEST(implicit_export_unrelated)
{
	Fixture f;
	Gate gate(f.device);
	Buffer unrelated(f.device, 4096);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	Fd dma_buf = export_buffer(f.device.fd(), unrelated.handle());
	CHECK_EQ(to_write(dma_buf, 20), 1);
	CHECK_OK(wait_buffer(f.device, unrelated.handle(), 0));
}

SUBTEST(implicit_export_while_running)
{
	Fixture f;
	RunningJob running(f.device, 1, all_cores);

	CHECK_OK(submit(f.device, f.context, {running.job}));
	wait_running(f.device, f.context, 1);
	Fd out = export_buffer(f.device.fd(), running.product.out.handle());
	Fd fence = export_fences(out, DMA_BUF_SYNC_READ);
	CHECK_EQ(file_status(fence), 0);
	CHECK_OK(cancel(f.device, f.context, 1, 1));
	CHECK_EQ(final_status(fence), -ECANCELED);
}

/* One file's results are another's features. */
SUBTEST(implicit_between_files)
{
	Fixture f;
	Device other;
	Gate gate(f.device);
	Product second(other, {4, 128, 32});
	Fd dma_buf = export_buffer(f.device.fd(), f.product.out.handle());
	Imported features(other, dma_buf);
	Task task = second.task();

	/* 4 rows of 32 sums, as bytes, are features of 4 rows of 128. */
	set(task, cna_feature_addr, features.address());
	std::uint32_t job = create_job(other, {{task}});
	std::uint32_t context = other.context();
	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	CHECK_OK(submit(other, context, {job}));
	/* Once more the first, which must not overtake the reader. */
	CHECK_OK(submit(f.device, f.device.context(), {f.job}));
	usleep(50000);
	CHECK_EQ(look_at(other, context, 1).state, DRM_NPU_JOB_QUEUED);
	second.check_untouched();
	gate.open();
	CHECK_EQ(wait_ended(other, context, 1).error, 0);
	std::copy_n(f.product.out.as<std::uint8_t>(), 512, second.features.as<std::uint8_t>());
	f.product.check();
	second.check();
}

/* The last writer wins, whichever file it belongs to, though the first had to wait. */
SUBTEST(implicit_write_order)
{
	Device a, b;
	Gate gate(a);
	Product first(a, {}, 1), second(b, {}, 2);
	Fd dma_buf = export_buffer(a.fd(), first.out.handle());
	Imported out(b, dma_buf);
	Task task = second.task();
	std::uint32_t a_context = a.context(), b_context = b.context();

	set(task, dpu_dst_addr, out.address());
	CHECK_OK(submit(a, a_context, {create_job(a, {{first.task()}})}, {{gate.sync()}, {}}));
	CHECK_OK(submit(b, b_context, {create_job(b, {{task}})}));
	usleep(50000);
	first.check_untouched();
	gate.open();
	CHECK_EQ(wait_ended(b, b_context, 1).error, 0);
	CHECK_EQ(look_at(a, a_context, 1).state, DRM_NPU_JOB_ENDED);
	std::copy_n(first.out.as<std::uint32_t>(), 4 * 32, second.out.as<std::uint32_t>());
	second.check();
}

/* Contexts of one file as well, once the buffer is shared. */
SUBTEST(implicit_within_file)
{
	Fixture f;
	Gate gate(f.device);
	std::uint32_t second = f.device.context();

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	/* Not before. */
	CHECK_EQ(run(f.device, second, f.job), 1);
	Fd dma_buf = export_buffer(f.device.fd(), f.product.out.handle());
	CHECK_OK(submit(f.device, second, {f.job}));
	usleep(50000);
	CHECK_EQ(look_at(f.device, second, 2).state, DRM_NPU_JOB_QUEUED);
	gate.open();
	CHECK_EQ(wait_ended(f.device, second, 2).error, 0);
	CHECK_EQ(wait_ended(f.device, f.context, 1).error, 0);
	CHECK(look_at(f.device, second, 2).started_ns >= look_at(f.device, f.context, 1).ended_ns);
}

/* All jobs of a submit are behind the fences, and in front of others. */
SUBTEST(implicit_batch)
{
	Fixture f;
	Product unshared(f.device, {}, 5);
	std::uint32_t free = create_job(f.device, {{unshared.task()}});
	std::unique_ptr<VgemBuffer> memory = need_vgem(4096);
	Imported buffer(f.device, memory->dma_buf());
	Task task = f.product.task();

	set(task, dpu_dst_addr, buffer.address());
	std::uint32_t bound = create_job(f.device, {{task}});
	std::uint32_t fence = memory->attach_fence(false);
	Syncobj done(f.device);
	CHECK_OK(submit(f.device, f.context, {free, bound, bound}, {{}, {done.sync()}}));
	CHECK_EQ(final_status(done, 50), 0);
	CHECK_EQ(to_read(memory->dma_buf(), 20), 0);
	memory->signal_fence(fence);
	CHECK_EQ(final_status(done), 1);
	CHECK_EQ(to_write(memory->dma_buf(), patience::ms()), 1);
	unshared.check();
}

/* The header: implicit fences are waited for without regard to their errors. */
SUBTEST(implicit_error)
{
	Fixture f;
	Device other;
	Product theirs(other);
	Fd dma_buf = export_buffer(other.fd(), theirs.features.handle());
	Imported features(f.device, dma_buf);
	Task writing = faulting(theirs), reading = f.product.task();

	/* They write what we read, or rather fail to. */
	set(writing, dpu_dst_addr, theirs.features.address());
	set(reading, cna_feature_addr, features.address());
	std::copy_n(f.product.features.as<std::uint8_t>(), 128, theirs.features.as<std::uint8_t>());
	Gate gate(other);
	CHECK_OK(submit(other, other.context(), {create_job(other, {{writing}})},
			{{gate.sync()}, {}}));
	CHECK_OK(submit(f.device, f.context, {create_job(f.device, {{reading}})}));
	Fd fence = export_fences(dma_buf, DMA_BUF_SYNC_READ);
	gate.open();
	CHECK_EQ(final_status(fence), -EFAULT);
	CHECK_EQ(wait_ended(f.device, f.context, 1).error, 0);
	f.product.check();
}

/* Anybody's fence, handed to the dma-buf from outside. */
SUBTEST(implicit_import_sync_file)
{
	Fixture f;
	Gate gate(f.device);
	Fd dma_buf = export_buffer(f.device.fd(), f.product.out.handle());

	import_fence(dma_buf, gate.export_file(), DMA_BUF_SYNC_WRITE);
	CHECK_OK(submit(f.device, f.context, {f.job}));
	usleep(50000);
	CHECK_EQ(look_at(f.device, f.context, 1).state, DRM_NPU_JOB_QUEUED);
	f.product.check_untouched();
	gate.open();
	CHECK_EQ(wait_ended(f.device, f.context, 1).error, 0);
	f.product.check();
}

/* A job that waits for somebody's fence can be given up like any other. */
SUBTEST(implicit_cancelled)
{
	Fixture f;
	std::unique_ptr<VgemBuffer> memory = need_vgem(4096);
	leak::Check leak;
	{
		Imported buffer(f.device, memory->dma_buf());
		Task task = f.product.task();

		set(task, dpu_dst_addr, buffer.address());
		std::uint32_t job = create_job(f.device, {{task}});
		std::uint32_t fence = memory->attach_fence(true);
		std::uint32_t context = f.device.context();
		CHECK_OK(submit(f.device, f.context, {job}));
		CHECK_OK(submit(f.device, context, {job}));
		CHECK_OK(cancel(f.device, f.context, 1, 1));
		CHECK_EQ(wait_ended(f.device, f.context, 1).error, ECANCELED);
		CHECK_OK(f.device.destroy_context(context));
		/* Their fence still counts. */
		CHECK_EQ(to_read(memory->dma_buf(), 20), 0);
		memory->signal_fence(fence);
		CHECK(to_write(memory->dma_buf(), patience::ms()) != 0);
		CHECK_OK(f.device.destroy_job(job));
	}
	leak.done();
}

/* A submit that is refused leaves no fence on any buffer. */
SUBTEST(implicit_refused)
{
	Fixture f;
	Fd dma_buf = export_buffer(f.device.fd(), f.product.out.handle());
	Syncobj none(f.device);

	CHECK_ERR(submit(f.device, f.context, {f.job, ~0u}), ENOENT);
	CHECK_ERR(submit(f.device, f.context, {f.job}, {{none.sync()}, {}}), EINVAL);
	CHECK_EQ(to_write(dma_buf), 1);
	CHECK_OK(wait_buffer(f.device, f.product.out.handle(), 0));
}

/* The fences of a client that dies tell what became of its jobs. */
SUBTEST(implicit_killed)
{
	leak::Check leak;
	{
		Device device;
		Gate gate(device);
		Fd gate_file = gate.export_file();
		Sockets sockets;
		pid_t pid = fork_run([&] {
			Fixture f;
			Syncobj in(f.device);

			in.import_file(gate_file);
			Fd dma_buf = export_buffer(f.device.fd(), f.product.out.handle());
			CHECK_OK(submit(f.device, f.context, {f.job}, {{in.sync()}, {}}));
			send_fd(sockets.second, dma_buf.get());
			receive_byte(sockets.second);
		});
		sockets.second.reset();
		Fd dma_buf = receive_fd(sockets.first);
		Fd fence = export_fences(dma_buf, DMA_BUF_SYNC_READ);
		CHECK_EQ(file_status(fence), 0);
		kill_child(pid);
		CHECK_EQ(final_status(fence), -ECANCELED);
		Mapping map(dma_buf, 4096);
		for (std::uint32_t i = 0; i < 4 * 32; i++)
			CHECK_EQ(map.as<std::uint32_t>()[i], poison);
	}
	leak.done();
}

/* Two files with two buffers, each waiting for the other's: no deadlock. */
SUBTEST(implicit_crossed)
{
	leak::Check leak;
	{
		Device devices[2];
		Product a(devices[0]), b(devices[1]);
		Fd fd_a = export_buffer(devices[0].fd(), a.out.handle());
		Fd fd_b = export_buffer(devices[1].fd(), b.out.handle());
		Imported b_in_a(devices[0], fd_b), a_in_b(devices[1], fd_a);

		igt::parallel(4, [&](unsigned thread) {
			const Device &device = devices[thread % 2];
			const Product &own = thread % 2 ? b : a;
			const Imported &foreign = thread % 2 ? a_in_b : b_in_a;
			Task to_foreign = own.task();
			std::uint32_t context = device.context();

			set(to_foreign, dpu_dst_addr, foreign.address());
			/* Both buffers in one job, in either order. */
			std::uint32_t job = create_job(
				device, thread < 2 ? std::vector<Lane>{{own.task(), to_foreign}}
						   : std::vector<Lane>{{to_foreign, own.task()}});
			for (int i = 0; i < 40; i++)
				CHECK_EQ(run(device, context, job), 1);
		});
	}
	leak.done();
}
