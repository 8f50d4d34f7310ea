/* SPDX-License-Identifier: MIT */
/// The ioctls of rocket_accel.h.
#include "thread.h"

#include <cerrno>
#include <cstring>

#include <npu_accel.h>
#include <rocket_accel.h>

namespace fuzz
{

void Thread::rocket_create_bo()
{
	if (file_->buffers.size() >= 16)
		return gem_close();
	auto &args = argument<drm_rocket_create_bo>();
	std::uint64_t size = size_wanted();

	/* 4 GiB never fit: nothing is mapped at address 0. */
	args.size = size >> 32 ? ~0u - random_.below(4095) : static_cast<std::uint32_t>(size);
	args.handle = poison;
	args.dma_address = args.offset = poison;
	if (ioctl(Id::rocket_create_bo))
		return;
	expect(args.handle && args.handle != poison, "ROCKET_CREATE_BO gives no handle");
	expect(args.dma_address >= 4096 && args.dma_address % 4096 == 0,
	       "ROCKET_CREATE_BO gives a bad address");
	file_->buffers.add({args.handle, static_cast<std::uint32_t>(args.dma_address),
			    (args.size + 4095ull) / 4096 * 4096, args.offset});
}

void Thread::rocket_submit()
{
	constexpr std::uint32_t room = 2048;
	auto &args = argument<drm_rocket_submit>();
	const Base &base = file_->base;
	std::vector<drm_rocket_job> jobs(random_.chance(70) ? 1 : random_.below(4));

	for (drm_rocket_job &job : jobs) {
		std::vector<drm_rocket_task> tasks(random_.chance(70) ? 1 : random_.below(3));
		std::vector<std::uint32_t> in = {base.features_id, base.weights_id};
		std::vector<std::uint32_t> out = {base.results_id};

		for (drm_rocket_task &task : tasks) {
			std::uint32_t offset = room * random_.below(8);
			Stream words = stream();

			finish_rocket(words);
			/* Other threads may write streams to the same place. */
			std::size_t size = std::min<std::size_t>(words.size() * 8, room);
			std::memcpy(static_cast<char *>(file_->streams->data()) + offset,
				    words.data(), size);
			task.regcmd = u32(base.streams + offset);
			task.regcmd_count = u32(static_cast<std::uint32_t>(words.size()));
		}
		if (random_.chance(30))
			in.push_back(some_buffer());
		if (random_.chance(30))
			out.push_back(some_buffer());
		job.task_struct_size = stride(sizeof(drm_rocket_task));
		job.tasks = pointer(array(std::span<const drm_rocket_task>(tasks),
					  std::min(job.task_struct_size, 4096u)));
		job.task_count = u32(static_cast<std::uint32_t>(tasks.size()));
		job.in_bo_handles = pointer(array(std::span<const std::uint32_t>(in), 4));
		job.out_bo_handles = pointer(array(std::span<const std::uint32_t>(out), 4));
		job.in_bo_handle_count = u32(static_cast<std::uint32_t>(in.size()));
		job.out_bo_handle_count = u32(static_cast<std::uint32_t>(out.size()));
	}
	args.job_struct_size = stride(sizeof(drm_rocket_job));
	args.jobs = pointer(array(std::span<const drm_rocket_job>(jobs),
				  std::min(args.job_struct_size, 4096u)));
	args.job_count = u32(static_cast<std::uint32_t>(jobs.size()));
	args.reserved = u64(0);
	ioctl(Id::rocket_submit);
}

void Thread::rocket_prep_bo()
{
	auto &args = argument<drm_rocket_prep_bo>();

	args.handle = some_buffer();
	args.reserved = zero();
	args.timeout_ns = until();
	ioctl(Id::rocket_prep_bo);
}

void Thread::rocket_fini_bo()
{
	auto &args = argument<drm_rocket_fini_bo>();

	args.handle = some_buffer();
	args.reserved = zero();
	ioctl(Id::rocket_fini_bo);
}

} // namespace fuzz
