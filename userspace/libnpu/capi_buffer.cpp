/* SPDX-License-Identifier: MIT */
#include "capi.h"
#include "capi_objects.h"

namespace
{

using namespace npu::capi;

npu::Result<npu::Residency> residency_of(std::uint32_t residency)
{
	if (residency > NPU_RESIDENCY_PIN)
		return npu::fail(EINVAL, "there is no residency " + std::to_string(residency));
	return static_cast<npu::Residency>(residency);
}

npu::Result<npu::Buffer::Use> use_of(std::uint32_t use)
{
	if (use > NPU_USE_WRITE)
		return npu::fail(EINVAL, "there is no use " + std::to_string(use));
	return use == NPU_USE_WRITE ? npu::Buffer::Use::write : npu::Buffer::Use::any;
}

npu::Result<npu::Buffer::Options> options_of(const npu_buffer_options *options)
{
	auto wanted = take(options);
	if (!wanted)
		return forward(wanted);
	if (wanted->flags & ~(NPU_BUFFER_READ_ONLY | NPU_BUFFER_CACHED) || wanted->reserved)
		return npu::fail(EINVAL, "unknown flags of a buffer");
	auto residency = residency_of(wanted->residency);
	if (!residency)
		return forward(residency);
	return npu::Buffer::Options{
		.read_only = (wanted->flags & NPU_BUFFER_READ_ONLY) != 0,
		.cached = (wanted->flags & NPU_BUFFER_CACHED) != 0,
		.residency = *residency,
		/* 0, system memory, would express no preference. */
		.region = wanted->region ? wanted->region : npu::chip_region,
	};
}

} // namespace

int npu_buffer_create(npu_device *device, size_t size, const npu_buffer_options *options,
		      npu_buffer **buffer)
{
	return guarded(
		[&] {
			auto wanted = options_of(options);

			if (!wanted)
				return failed(std::move(wanted.error()));
			return hand_out(npu::Buffer::create(device->device, size, *wanted), buffer);
		},
		device, buffer);
}

int npu_buffer_import(npu_device *device, int dma_buf, const npu_import_options *options,
		      npu_buffer **buffer)
{
	return guarded(
		[&] {
			auto wanted = take(options);

			if (!wanted)
				return failed(std::move(wanted.error()));
			npu::Buffer::ImportOptions import;
			import.offset = wanted->offset;
			if (wanted->length)
				import.size = wanted->length;
			if (wanted->acquire)
				import.acquire = &wanted->acquire->fence;
			return hand_out(npu::Buffer::import(device->device, dma_buf, import),
					buffer);
		},
		device, buffer);
}

void npu_buffer_free(npu_buffer *buffer)
{
	const std::unique_ptr<npu_buffer> owner(buffer);
}

void *npu_buffer_data(const npu_buffer *buffer)
{
	return buffer ? buffer->buffer.bytes().data() : nullptr;
}

size_t npu_buffer_size(const npu_buffer *buffer)
{
	return buffer ? buffer->buffer.size() : 0;
}

uint64_t npu_buffer_address(const npu_buffer *buffer)
{
	return buffer ? buffer->buffer.address() : 0;
}

uint32_t npu_buffer_handle(const npu_buffer *buffer)
{
	return buffer ? buffer->buffer.handle() : 0;
}

int npu_buffer_get_info(const npu_buffer *buffer, npu_buffer_info *info)
{
	return guarded(
		[&] {
			auto known = buffer->buffer.info();

			if (!known)
				return failed(std::move(known.error()));
			return give_checked(
				{.size = sizeof(npu_buffer_info),
				 .bytes = known->size,
				 .address = known->address,
				 .region = known->region,
				 .flags = (known->read_only ? NPU_BUFFER_READ_ONLY : 0U) |
					  (known->cached ? NPU_BUFFER_CACHED : 0U) |
					  (known->shared ? NPU_BUFFER_SHARED : 0U),
				 .residency = std::to_underlying(known->residency),
				 .priority = known->priority,
				 .asked_region = known->asked_region,
				 .reserved = 0},
				info);
		},
		buffer, info);
}

int npu_buffer_export(const npu_buffer *buffer, int *dma_buf)
{
	return guarded([&] { return store_fd(buffer->buffer.export_dma_buf(), dma_buf); }, buffer,
		       dma_buf);
}

int npu_buffer_wait(const npu_buffer *buffer, uint32_t use, int64_t deadline_ns)
{
	return guarded(
		[&] {
			auto what = use_of(use);

			if (!what)
				return failed(std::move(what.error()));
			return outcome(buffer->buffer.wait(deadline_of(deadline_ns), *what));
		},
		buffer);
}

int npu_buffer_acquire(const npu_buffer *buffer, const npu_fence *fence)
{
	return guarded([&] { return done(buffer->buffer.acquire(fence->fence)); }, buffer, fence);
}

int npu_buffer_release_fence(const npu_buffer *buffer, uint32_t use, npu_fence **fence)
{
	return guarded(
		[&] {
			auto what = use_of(use);

			if (!what)
				return failed(std::move(what.error()));
			return hand_out(buffer->buffer.release_fence(*what), fence);
		},
		buffer, fence);
}

int npu_buffer_access(const npu_buffer *buffer, uint32_t direction, size_t offset, size_t length,
		      npu_access **access)
{
	return guarded(
		[&] {
			if (direction > NPU_READ_WRITE)
				return refused(EINVAL, "there is no such direction of an access");
			return hand_out(buffer->buffer.access(
						static_cast<npu::Buffer::Direction>(direction),
						offset, length),
					access);
		},
		buffer, access);
}

void *npu_access_data(const npu_access *access)
{
	return access ? access->access.bytes().data() : nullptr;
}

int npu_access_end(npu_access *access)
{
	return guarded([&] {
		const std::unique_ptr<npu_access> owner(access);

		return owner ? done(owner->access.end()) : 0;
	});
}

int npu_buffer_sync_for_cpu(const npu_buffer *buffer, size_t offset, size_t length)
{
	return guarded([&] { return done(buffer->buffer.sync_for_cpu(offset, length)); }, buffer);
}

int npu_buffer_sync_for_device(const npu_buffer *buffer, size_t offset, size_t length)
{
	return guarded([&] { return done(buffer->buffer.sync_for_device(offset, length)); },
		       buffer);
}

int npu_buffer_set_residency(const npu_buffer *buffer, uint32_t residency, uint32_t priority,
			     uint32_t region)
{
	return guarded(
		[&] {
			auto wanted = residency_of(residency);

			if (!wanted)
				return failed(std::move(wanted.error()));
			if (priority > std::numeric_limits<std::uint8_t>::max())
				return refused(EINVAL, "a priority is above 255");
			return done(buffer->buffer.set_residency(
				*wanted, static_cast<std::uint8_t>(priority), region));
		},
		buffer);
}
