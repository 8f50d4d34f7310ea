/* SPDX-License-Identifier: MIT */
#include <vector>

#include "capi.h"
#include "capi_objects.h"

namespace
{

using namespace npu::capi;

npu::Result<npu::SchedClass> class_of(std::uint32_t sched_class)
{
	if (sched_class > NPU_CLASS_BACKGROUND)
		return npu::fail(EINVAL, "there is no class " + std::to_string(sched_class));
	return npu::SchedClass(sched_class);
}

/// Limit that keeps pointer arithmetic on commands from overflowing.
constexpr std::size_t most_commands = PTRDIFF_MAX / sizeof(std::uint64_t);

npu::Result<npu::Lane> copy_lane(const npu_lane &lane)
{
	npu::Lane copy;

	if (lane.task_count && !lane.tasks)
		return npu::fail(EINVAL, "the tasks of a lane are NULL");
	const Elements tasks(lane.tasks, lane.task_count);
	for (std::size_t i = 0; i < tasks.count(); i++) {
		auto task = tasks[i];

		if (!task)
			return forward(task);
		if (task->command_count && !task->commands)
			return npu::fail(EINVAL, "the commands of a task are NULL");
		if (task->command_count > most_commands)
			return npu::fail(E2BIG, "the number of commands of a task is too large");
		const std::span commands(task->commands, task->command_count);
		copy.push_back({{commands.begin(), commands.end()}, task->enable, task->cost_ns});
	}
	return copy;
}

npu::Result<std::vector<npu::Lane>> copy_lanes(const npu_lane *first, std::size_t count)
{
	std::vector<npu::Lane> copies;
	const Elements lanes(first, count);

	for (std::size_t i = 0; i < lanes.count(); i++) {
		auto lane = lanes[i];

		if (!lane)
			return forward(lane);
		auto copy = copy_lane(*lane);
		if (!copy)
			return forward(copy);
		copies.push_back(std::move(*copy));
	}
	return copies;
}

/// Converts @p sync to the in- or out-sync of a submit.
template <typename Sync>
npu::Result<Sync> sync_of(const npu_sync &sync)
{
	constexpr bool in = std::is_same_v<Sync, npu::InSync>;

	switch (sync.kind) {
	case NPU_SYNC_SYNCOBJ:
		if (sync.syncobj)
			return sync.syncobj->syncobj;
		break;
	case NPU_SYNC_POINT:
		if (sync.syncobj)
			return npu::TimelinePoint{sync.syncobj->syncobj, sync.point};
		break;
	case NPU_SYNC_FILE:
		if constexpr (in)
			return npu::SyncFile{sync.fd};
		break;
	case NPU_SYNC_FENCE:
		if constexpr (in)
			if (sync.fence)
				return sync.fence->fence;
		break;
	default:
		break;
	}
	return npu::fail(EINVAL,
			 "a sync of a submit has no object, or a kind that is not for its list");
}

template <typename Sync>
npu::Result<std::vector<Sync>> copy_syncs(const npu_sync *first, std::size_t count)
{
	std::vector<Sync> copies;

	if (count && !first)
		return npu::fail(EINVAL, "the syncs of a submit are NULL");
	const Elements syncs(first, count);
	for (std::size_t i = 0; i < syncs.count(); i++) {
		auto sync = syncs[i];

		if (!sync)
			return forward(sync);
		auto copy = sync_of<Sync>(*sync);
		if (!copy)
			return forward(copy);
		copies.push_back(std::move(*copy));
	}
	return copies;
}

npu_context_statistics typed(const npu::ContextStatistics &from)
{
	return {
		.size = sizeof(npu_context_statistics),
		.submitted_seqno = from.submitted_seqno,
		.completed_seqno = from.completed_seqno,
		.failed_seqno = from.failed_seqno,
		.failed_jobs = from.failed_jobs,
		.device_ns = from.device_ns,
		.busy_ns = from.busy_ns,
		.tasks = from.tasks,
		.read_bytes = from.read_bytes,
		.written_bytes = from.written_bytes,
		.sram_bytes = from.sram_bytes,
		.slices = from.slices,
		.missed_deadlines = from.missed_deadlines,
		.failed_errno = from.failed_errno,
		.core_mask = from.core_mask,
		.max_queued = from.max_queued,
		.banned = from.banned,
		.guilty_jobs = from.guilty_jobs,
		.sched_class = std::to_underlying(from.sched_class),
		.granted_class = std::to_underlying(from.granted_class),
		.weight = from.weight,
		.granted_weight = from.granted_weight,
		.reserved = 0,
	};
}

int submit(npu::Context &context, std::span<const npu_job *const> jobs,
	   const npu_submit_options &options, std::uint64_t *seqno, npu_fence **fence)
{
	std::vector<const npu::Job *> batch;

	for (const npu_job *job : jobs)
		batch.push_back(job ? &job->job : nullptr);
	auto in = copy_syncs<npu::InSync>(options.in, options.in_count);
	if (!in)
		return failed(std::move(in.error()));
	auto out = copy_syncs<npu::OutSync>(options.out, options.out_count);
	if (!out)
		return failed(std::move(out.error()));
	const npu::SubmitOptions submit{
		.deadline = options.deadline_ns ? deadline_of(options.deadline_ns)
						: npu::Deadline::never(),
		.in = *in,
		.out = *out,
	};
	if (!fence)
		return store(context.queue(batch, submit), seqno);
	/* Allocate the fence first: jobs that are queued cannot be taken back. */
	auto made = std::make_unique<npu_fence>();
	if (const int code = store(context.submit(batch, submit), &made->fence))
		return code;
	if (seqno)
		*seqno = made->fence.seqno();
	*fence = made.release();
	return 0;
}

} // namespace

int npu_job_create(npu_device *device, const npu_lane *lanes, size_t lane_count,
		   const npu_job_options *options, npu_job **job)
{
	return guarded(
		[&] {
			auto wanted = take(options);

			if (!wanted)
				return failed(std::move(wanted.error()));
			if (wanted->flags & ~NPU_JOB_ON_CHIP || wanted->reserved)
				return refused(EINVAL, "unknown flags of a job");
			auto copies = copy_lanes(lanes, lane_count);
			if (!copies)
				return failed(std::move(copies.error()));
			npu::Job::Options wish;
			wish.on_chip = (wanted->flags & NPU_JOB_ON_CHIP) != 0;
			if (wanted->label)
				wish.label = wanted->label;
			return hand_out(npu::Job::create(device->device, *copies, wish), job);
		},
		device, lanes, job);
}

void npu_job_free(npu_job *job)
{
	const std::unique_ptr<npu_job> owner(job);
}

uint32_t npu_job_id(const npu_job *job)
{
	return job ? job->job.id() : 0;
}

int npu_context_create(npu_device *device, const npu_context_options *options,
		       npu_context **context)
{
	return guarded(
		[&] {
			auto wanted = take(options);

			if (!wanted)
				return failed(std::move(wanted.error()));
			auto sched_class = class_of(wanted->sched_class);
			if (!sched_class)
				return failed(std::move(sched_class.error()));
			return hand_out(npu::Context::create(device->device,
							     {.core_mask = wanted->core_mask,
							      .max_queued = wanted->max_queued,
							      .sched_class = *sched_class,
							      .weight = wanted->weight}),
					context);
		},
		device, context);
}

void npu_context_free(npu_context *context)
{
	const std::unique_ptr<npu_context> owner(context);
}

uint32_t npu_context_id(const npu_context *context)
{
	return context ? context->context.id() : 0;
}

int npu_context_submit(npu_context *context, const npu_job *const *jobs, size_t count,
		       const npu_submit_options *options, uint64_t *seqno, npu_fence **fence)
{
	return guarded(
		[&] {
			auto wanted = take(options);

			if (!wanted)
				return failed(std::move(wanted.error()));
			return submit(context->context, {jobs, count}, *wanted, seqno, fence);
		},
		context, jobs);
}

int npu_context_set_class(npu_context *context, uint32_t sched_class)
{
	return guarded(
		[&] {
			auto wanted = class_of(sched_class);

			if (!wanted)
				return failed(std::move(wanted.error()));
			return done(context->context.set_class(*wanted));
		},
		context);
}

int npu_context_set_weight(npu_context *context, uint32_t weight)
{
	return guarded([&] { return done(context->context.set_weight(weight)); }, context);
}

int npu_context_wait(const npu_context *context, uint64_t seqno, int64_t deadline_ns,
		     npu_job_status *status)
{
	return guarded(
		[&] {
			return wait_for_job(
				[&] {
					return context->context.wait(seqno,
								     deadline_of(deadline_ns));
				},
				status);
		},
		context);
}

int npu_context_cancel(npu_context *context, uint64_t first, uint64_t last, uint32_t *cancelled)
{
	return guarded([&] { return store(context->context.cancel(first, last), cancelled); },
		       context);
}

int npu_context_get_statistics(const npu_context *context, npu_context_statistics *statistics)
{
	return guarded(
		[&] {
			auto known = context->context.statistics();

			if (!known)
				return failed(std::move(known.error()));
			return give_checked(typed(*known), statistics);
		},
		context, statistics);
}

int npu_page_map(const npu_context *context, npu_page **page)
{
	return guarded([&] { return hand_out(context->context.page(), page); }, context, page);
}

void npu_page_free(npu_page *page)
{
	const std::unique_ptr<npu_page> owner(page);
}

uint64_t npu_page_completed(const npu_page *page)
{
	return page ? page->page.completed() : 0;
}

uint64_t npu_page_failed(const npu_page *page)
{
	return page ? page->page.failed() : 0;
}

int npu_page_banned(const npu_page *page)
{
	return page && page->page.banned();
}

int npu_page_times(const npu_page *page, uint64_t seqno, npu_job_status *status)
{
	return guarded(
		[&] {
			const auto times = page->page.times(seqno);

			if (!times)
				return refused(ENOENT,
					       "the completion page has no entry of the job");
			return give_checked(status_of(*times), status);
		},
		page, status);
}

int npu_page_wait(const npu_page *page, uint64_t seqno, int64_t deadline_ns, int64_t spin_ns,
		  npu_job_status *status)
{
	return guarded(
		[&] {
			const auto spin = spin_ns < 0 ? npu::CompletionPage::default_spin()
						      : std::chrono::nanoseconds(spin_ns);

			return wait_for_job(
				[&] {
					return page->page.wait(seqno, deadline_of(deadline_ns),
							       spin);
				},
				status);
		},
		page);
}
