/* SPDX-License-Identifier: MIT */
#include "npu/npu.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "npu/buffer.h"
#include "npu/context.h"
#include "npu/device.h"
#include "npu/job.h"

struct npu_device {
	npu::Device device;
};

struct npu_buffer {
	npu::Buffer buffer;
};

struct npu_context {
	npu::Context context;
};

struct npu_job {
	npu::Job job;
};

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
			copy.push_back(
				{{task.commands, task.commands + task.command_count}, task.enable});
	}
	return copies;
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

int npu_buffer_create(npu_device *device, size_t size, npu_buffer **buffer)
{
	return guarded([&] { return hand_out(npu::Buffer::create(device->device, size), buffer); });
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

int npu_job_create(npu_device *device, const npu_lane *lanes, size_t lane_count, npu_job **job)
{
	return guarded([&] {
		const auto copies = copy_lanes({lanes, lane_count});

		return hand_out(npu::Job::create(device->device, copies), job);
	});
}

void npu_job_free(npu_job *job)
{
	const std::unique_ptr<npu_job> owner(job);
}

int npu_context_create(npu_device *device, uint32_t core_mask, npu_context **context)
{
	return guarded([&] {
		return hand_out(npu::Context::create(device->device, {.core_mask = core_mask}),
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
		auto fence = context->context.submit(job->job);
		if (!fence)
			return failed(fence.error());
		*seqno = fence->seqno();
		return 0;
	});
}

int npu_context_wait(npu_context *context, uint64_t seqno, uint64_t timeout_ns)
{
	return guarded([&] {
		const auto most = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
		const std::chrono::nanoseconds timeout(
			static_cast<std::int64_t>(std::min(timeout_ns, most)));
		auto done = context->context.fence(seqno).wait(timeout);

		return done ? 0 : failed(done.error());
	});
}
