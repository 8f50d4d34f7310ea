/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cerrno>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "capi_objects.h"
#include "npu/raw.h"

namespace
{

std::string &message()
{
	thread_local std::string text;

	return text;
}

int failed(const npu::Error &error)
{
	message() = error.message;
	return -error.code;
}

/// Hand out the value of @p result as a new @p Object, or its error.
template <typename Object, typename T>
int hand_out(npu::Result<T> result, Object **object)
{
	if (!result)
		return failed(result.error());
	*object = std::make_unique<Object>(std::move(*result)).release();
	return 0;
}

/// No exception leaves: only memory can be short.
template <typename Call>
int guarded(const Call &call) noexcept
{
	try {
		return call();
	} catch (const std::bad_alloc &) {
		return -ENOMEM;
	}
}

std::vector<npu::Lane> copy_lanes(std::span<const npu_lane> lanes)
{
	std::vector<npu::Lane> copies;

	for (const npu_lane &lane : lanes) {
		npu::Lane &copy = copies.emplace_back();

		for (const npu_task &task : std::span(lane.tasks, lane.task_count))
			copy.push_back({{task.commands, task.commands + task.command_count},
					task.enable,
					task.cost_ns});
	}
	return copies;
}

/// @p timeout_ns from now; what no clock reaches is for ever.
std::chrono::nanoseconds duration(std::uint64_t timeout_ns)
{
	const auto most = std::uint64_t{std::numeric_limits<std::int64_t>::max()};

	return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(timeout_ns, most)));
}

/// When CLOCK_MONOTONIC, which steady_clock is, shows @p ns.
npu::Deadline deadline_at(std::uint64_t ns)
{
	return npu::Deadline(npu::Deadline::Clock::time_point(duration(ns)));
}

npu_job_status status_of(const npu::JobStatus &status)
{
	const npu::JobFault fault = status.fault.value_or(npu::JobFault{});

	return {
		.ended = status.ended(),
		.error = status.error,
		.queued_ns = status.queued_ns,
		.started_ns = status.started_ns,
		.ended_ns = status.ended_ns,
		.device_ns = status.device_ns,
		.fault_task_count = fault.task_count,
		.fault_lane = fault.lane,
		.fault_task = fault.task,
		.has_fault_address = fault.address.has_value(),
		.fault_address = fault.address.value_or(0),
	};
}

/// Fill in what the caller gave room for, or report the error of @p result.
template <typename T, typename From, typename Convert>
int store(npu::Result<From> result, T *to, const Convert &convert)
{
	if (!result)
		return failed(result.error());
	*to = convert(*result);
	return 0;
}

/// How far a job is, if the call itself did not fail.
int store_status(npu::WaitResult<npu::JobStatus> waited, npu_job_status *status)
{
	if (!waited.has_value())
		return failed(waited.error());
	*status = status_of(*waited);
	return 0;
}

int submit_all(npu_context &context, std::span<const npu_job *const> jobs,
	       npu::Deadline deadline, std::uint64_t *seqno)
{
	std::vector<const npu::Job *> batch;

	for (const npu_job *job : jobs)
		batch.push_back(&job->job);
	return store(context.context.queue(batch, {.deadline = deadline}), seqno, std::identity{});
}

int no_such_class()
{
	return failed(npu::fail(EINVAL, "no such class").error());
}

} // namespace

const char *npu_error_message(void)
{
	return message().c_str();
}

int npu_device_open(const char *path, npu_device **device)
{
	return guarded([&] { return hand_out(npu::Device::open(path ? path : ""), device); });
}

void npu_device_free(npu_device *device)
{
	const std::unique_ptr<npu_device> owner(device);
}

uint32_t npu_device_core_count(const npu_device *device)
{
	return device->device.info().core_count;
}

int npu_device_chip_memory(const npu_device *device, npu_chip_memory *memory)
{
	return guarded([&] {
		auto regions = device->device.regions();

		if (!regions)
			return failed(regions.error());
		if (regions->size() <= npu::chip_region)
			return failed(
				npu::fail(EOPNOTSUPP, "the device has no on-chip memory").error());
		const npu::RegionInfo &chip = (*regions)[npu::chip_region];
		*memory = {
			.size = chip.size,
			.used = chip.used,
			.file_used = chip.file_used,
			.pinned = chip.pinned,
			.file_pinned = chip.file_pinned,
			.pin_limit = chip.pin_limit,
			.share = chip.share,
			.largest_hole = chip.largest_hole,
			.evictions = chip.evictions,
			.moves = chip.moves,
			.moved_bytes = chip.moved_bytes,
		};
		return 0;
	});
}

int npu_buffer_create(npu_device *device, size_t size, npu_buffer **buffer)
{
	return guarded([&] { return hand_out(npu::Buffer::create(device->device, size), buffer); });
}

int npu_buffer_create_read_only(npu_device *device, size_t size, npu_buffer **buffer)
{
	return guarded([&] {
		return hand_out(npu::Buffer::create(device->device, size, {.read_only = true}),
				buffer);
	});
}

int npu_buffer_create_cached(npu_device *device, size_t size, npu_buffer **buffer)
{
	return guarded([&] {
		return hand_out(npu::Buffer::create(device->device, size, {.cached = true}),
				buffer);
	});
}

int npu_buffer_import(npu_device *device, int dma_buf, npu_buffer **buffer)
{
	return guarded(
		[&] { return hand_out(npu::Buffer::import(device->device, dma_buf), buffer); });
}

void npu_buffer_free(npu_buffer *buffer)
{
	const std::unique_ptr<npu_buffer> owner(buffer);
}

void *npu_buffer_data(const npu_buffer *buffer)
{
	return buffer->buffer.bytes().data();
}

size_t npu_buffer_size(const npu_buffer *buffer)
{
	return buffer->buffer.size();
}

uint32_t npu_buffer_address(const npu_buffer *buffer)
{
	return buffer->buffer.address();
}

int npu_buffer_export(const npu_buffer *buffer, int *dma_buf)
{
	return guarded([&] {
		return store(buffer->buffer.export_dma_buf(), dma_buf,
			     [](npu::UniqueFd &fd) { return fd.release(); });
	});
}

int npu_buffer_wait(const npu_buffer *buffer, int writes, uint64_t timeout_ns)
{
	return guarded([&] {
		auto done = buffer->buffer.wait(npu::Deadline::in(duration(timeout_ns)),
						writes ? npu::Buffer::Use::write
						       : npu::Buffer::Use::any);

		return done ? 0 : failed(done.error());
	});
}

int npu_buffer_sync_for_cpu(const npu_buffer *buffer, size_t offset, size_t length)
{
	return guarded([&] {
		auto done = buffer->buffer.sync_for_cpu(offset, length);

		return done ? 0 : failed(done.error());
	});
}

int npu_buffer_sync_for_device(const npu_buffer *buffer, size_t offset, size_t length)
{
	return guarded([&] {
		auto done = buffer->buffer.sync_for_device(offset, length);

		return done ? 0 : failed(done.error());
	});
}

int npu_buffer_set_residency(const npu_buffer *buffer, uint32_t residency, uint32_t priority)
{
	return guarded([&] {
		if (residency > NPU_RESIDENCY_PIN ||
		    priority > std::numeric_limits<std::uint8_t>::max())
			return failed(npu::fail(EINVAL, "no such residency, or priority").error());
		auto done =
			buffer->buffer.set_residency(static_cast<npu::Buffer::Residency>(residency),
						     static_cast<std::uint8_t>(priority));

		return done ? 0 : failed(done.error());
	});
}

int npu_buffer_place(const npu_buffer *buffer, npu_placement *place)
{
	return guarded([&] {
		return store(buffer->buffer.info(), place, [](const npu::BufferInfo &info) {
			return npu_placement{
				.on_chip = info.region == npu::chip_region,
				.residency = std::to_underlying(info.residency),
				.priority = info.priority,
			};
		});
	});
}

int npu_job_create(npu_device *device, const npu_lane *lanes, size_t lane_count, npu_job **job)
{
	return guarded([&] {
		const auto copies = copy_lanes({lanes, lane_count});

		return hand_out(npu::Job::create(device->device, copies), job);
	});
}

int npu_job_create_on_chip(npu_device *device, const npu_lane *lanes, size_t lane_count,
			   npu_job **job)
{
	return guarded([&] {
		const auto copies = copy_lanes({lanes, lane_count});

		return hand_out(npu::Job::create(device->device, copies, {.on_chip = true}), job);
	});
}

void npu_job_free(npu_job *job)
{
	const std::unique_ptr<npu_job> owner(job);
}

int npu_context_create(npu_device *device, const npu_context_options *options,
		       npu_context **context)
{
	return guarded([&] {
		const npu_context_options wanted = options ? *options : npu_context_options{};

		if (wanted.sched_class > NPU_CLASS_BACKGROUND)
			return no_such_class();
		return hand_out(
			npu::Context::create(device->device,
					     {.core_mask = wanted.core_mask,
					      .max_queued = wanted.max_queued,
					      .sched_class = npu::SchedClass(wanted.sched_class),
					      .weight = wanted.weight}),
			context);
	});
}

void npu_context_free(npu_context *context)
{
	const std::unique_ptr<npu_context> owner(context);
}

int npu_context_submit(npu_context *context, const npu_job *job, uint64_t *seqno)
{
	return guarded([&] {
		return store(context->context.queue(job->job), seqno, std::identity{});
	});
}

int npu_context_submit_batch(npu_context *context, const npu_job *const *jobs, size_t count,
			     uint64_t *seqno)
{
	return guarded([&] {
		return submit_all(*context, {jobs, count}, npu::Deadline::never(), seqno);
	});
}

int npu_context_submit_until(npu_context *context, const npu_job *const *jobs, size_t count,
			     uint64_t deadline_ns, uint64_t *seqno)
{
	return guarded([&] {
		return submit_all(*context, {jobs, count}, deadline_at(deadline_ns), seqno);
	});
}

int npu_context_set(npu_context *context, uint32_t sched_class, uint32_t weight)
{
	return guarded([&] {
		if (sched_class > NPU_CLASS_BACKGROUND)
			return no_such_class();
		auto set = context->context.set_weight(weight);
		if (set)
			set = context->context.set_class(npu::SchedClass(sched_class));
		return set ? 0 : failed(set.error());
	});
}

int npu_context_wait(npu_context *context, uint64_t seqno, uint64_t timeout_ns)
{
	return guarded([&] {
		auto done = context->context.wait(seqno, npu::Deadline::in(duration(timeout_ns)));

		return done ? 0 : failed(done.error());
	});
}

int npu_context_status(npu_context *context, uint64_t seqno, uint64_t timeout_ns,
		       npu_job_status *status)
{
	return guarded([&] {
		return store_status(
			context->context.wait(seqno, npu::Deadline::in(duration(timeout_ns))),
			status);
	});
}

int npu_context_cancel(npu_context *context, uint64_t first, uint64_t last, uint32_t *cancelled)
{
	return guarded([&] {
		return store(context->context.cancel(first, last), cancelled,
			     [](std::uint32_t count) { return count; });
	});
}

int npu_page_map(const npu_context *context, npu_page **page)
{
	return guarded([&] { return hand_out(context->context.page(), page); });
}

void npu_page_free(npu_page *page)
{
	const std::unique_ptr<npu_page> owner(page);
}

uint64_t npu_page_completed(const npu_page *page)
{
	return page->page.completed();
}

uint64_t npu_page_failed(const npu_page *page)
{
	return page->page.failed();
}

int npu_page_banned(const npu_page *page)
{
	return page->page.banned();
}

int npu_page_times(const npu_page *page, uint64_t seqno, npu_job_status *status)
{
	return guarded([&] {
		const auto times = page->page.times(seqno);

		if (!times)
			return failed(
				npu::fail(ENOENT, "the completion page does not tell of job " +
							  std::to_string(seqno))
					.error());
		*status = status_of(*times);
		return 0;
	});
}

int npu_page_wait(const npu_page *page, uint64_t seqno, uint64_t timeout_ns, npu_job_status *status)
{
	return guarded([&] {
		return store_status(
			page->page.wait(seqno, npu::Deadline::in(duration(timeout_ns))), status);
	});
}
