/* SPDX-License-Identifier: MIT */
#include "npu/buffer.h"

#include <cerrno>
#include <new>
#include <utility>

#include <fcntl.h>
#include <linux/dma-buf.h>

#include "buffer_state.h"
#include "internals.h"
#include "records.h"

namespace npu
{

namespace
{

std::string of_size(std::size_t size)
{
	return " a buffer of " + std::to_string(size) + " bytes";
}

/// Advice for a residency that the kernel refuses.
const char *residency_advice(int code)
{
	switch (code) {
	case EBUSY:
		return " (it is imported or exported, which keeps it in system memory, or asked "
		       "for in another region)";
	case EOPNOTSUPP:
		return " (the device has no on-chip memory)";
	case ENOSPC:
		return " (on-chip memory is full, or its limit of pinned bytes is reached)";
	default:
		return "";
	}
}

} // namespace

const Buffer::State &Buffer::state() const
{
	/* Accessors of a buffer need no memory. */
	if (state_)
		return *state_;
	static const State none(no_driver());
	return none;
}

Result<Buffer> Buffer::create(const Device &device, std::size_t size, const Options &options)
{
	auto state = std::make_shared<State>(device.share_driver());

	auto offset = state->create(size, options);
	if (!offset)
		return forward(offset);
	if (auto mapped = state->map(*offset); !mapped)
		return forward(mapped);
	return Buffer(std::move(state));
}

Result<Buffer> Buffer::import(const Device &device, int dma_buf, const ImportOptions &options)
{
	auto state = std::make_shared<State>(device.share_driver());

	if (auto imported = state->import(dma_buf, options); !imported)
		return forward(imported);
	Buffer buffer(std::move(state));
	if (options.acquire)
		if (auto done = buffer.acquire(*options.acquire); !done)
			return forward(done);
	return buffer;
}

std::span<std::byte> Buffer::bytes() const
{
	return state().bytes();
}

std::size_t Buffer::size() const
{
	return state().size();
}

std::uint32_t Buffer::address() const
{
	return state().address();
}

std::uint32_t Buffer::handle() const
{
	return state().handle();
}

Result<BufferView> Buffer::view(std::size_t offset, std::size_t length) const
{
	return BufferView(state_, 0, size()).view(offset, length);
}

Result<Buffer::Access> Buffer::access(Direction direction, std::size_t offset,
				      std::size_t length) const
{
	auto part = view(offset, length);

	if (!part)
		return forward(part);
	return part->access(direction);
}

Result<Buffer::Access> Buffer::access(Direction direction) const
{
	return access(direction, 0, size());
}

Result<UniqueFd> Buffer::export_dma_buf() const
{
	drm_prime_handle args{};

	args.handle = handle();
	args.flags = DRM_CLOEXEC | DRM_RDWR;
	if (const int ret = state().driver().ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, &args))
		return fail(-ret, "cannot export" + of_size(size()));
	return UniqueFd(args.fd);
}

WaitResult<> Buffer::wait(Deadline deadline, Use use) const
{
	drm_npu_bo_wait args{};

	args.handle = handle();
	args.flags = use == Use::write ? DRM_NPU_BO_WAIT_WRITES : 0;
	args.timeout_ns = deadline.monotonic_ns();
	const int ret = state().driver().ioctl(DRM_IOCTL_NPU_BO_WAIT, &args);
	if (ret == -EBUSY || ret == -ETIMEDOUT)
		return {WaitState::timed_out,
			fail(ETIME, "jobs still use" + of_size(size())).error()};
	if (ret)
		return fail(-ret, "cannot wait for" + of_size(size()));
	return std::monostate{};
}

Result<void> Buffer::acquire(const Fence &fence) const
{
	dma_buf_import_sync_file args{};

	if (state().dma_buf() < 0)
		return fail(EOPNOTSUPP, "only imported buffers have fences of other devices");
	auto file = fence.fd();
	if (!file)
		return forward(file);
	args.flags = DMA_BUF_SYNC_WRITE;
	args.fd = file->get();
	if (const int ret = state().driver().file_ioctl(state().dma_buf(),
							DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args))
		return fail(-ret, "cannot add a fence to" + of_size(size()));
	return {};
}

Result<Fence> Buffer::release_fence(Use use) const
{
	dma_buf_export_sync_file args{};

	if (state().dma_buf() < 0)
		return fail(EOPNOTSUPP, "only imported buffers have fences for other devices");
	/* DMA_BUF_SYNC_READ exports the fences of writers only, DMA_BUF_SYNC_WRITE all fences. */
	args.flags = use == Use::write ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE;
	args.fd = -1;
	if (const int ret = state().driver().file_ioctl(state().dma_buf(),
							DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args))
		return fail(-ret, "cannot export the fences of" + of_size(size()));
	const UniqueFd file(args.fd);
	return Fence::import(state().share_driver(), file.get());
}

Result<void> Buffer::sync_for_cpu(std::size_t offset, std::size_t length) const
{
	return state().sync(offset, length, DRM_NPU_SYNC_FOR_CPU);
}

Result<void> Buffer::sync_for_device(std::size_t offset, std::size_t length) const
{
	return state().sync(offset, length, DRM_NPU_SYNC_FOR_DEVICE);
}

Result<void> Buffer::set_residency(Residency residency, std::uint8_t priority,
				   std::uint32_t region) const
{
	drm_npu_bo_residency args{};

	args.handle = handle();
	args.residency = static_cast<std::uint32_t>(residency);
	args.region = region;
	args.priority = priority;
	if (const int ret = state().driver().ioctl(DRM_IOCTL_NPU_BO_RESIDENCY, &args))
		return fail(-ret, "cannot have" + of_size(size()) + " in on-chip memory" +
					  residency_advice(-ret));
	return {};
}

Result<BufferInfo> Buffer::info() const
{
	auto record = query<drm_npu_query_buffer>(state().driver(), DRM_NPU_QUERY_BUFFER, handle());

	if (!record)
		return forward(record);
	return typed(*record);
}

std::span<std::byte> BufferView::bytes() const
{
	if (!state_ || state_->bytes().empty())
		return {};
	return state_->bytes().subspan(offset_, size_);
}

std::uint32_t BufferView::address() const
{
	return state_ ? state_->address() + static_cast<std::uint32_t>(offset_) : 0;
}

std::uint32_t BufferView::handle() const
{
	return state_ ? state_->handle() : 0;
}

Result<BufferView> BufferView::view(std::size_t offset, std::size_t length) const
{
	if (!state_)
		return fail(ENODEV, "there is no buffer");
	if (!length || offset >= size_ || length > size_ - offset)
		return fail(EINVAL, std::to_string(length) + " bytes from byte " +
					    std::to_string(offset) + " on do not lie within " +
					    std::to_string(size_));
	return BufferView(state_, offset_ + offset, length);
}

Result<Buffer::Access> BufferView::access(Buffer::Direction direction) const
{
	if (!state_)
		return fail(ENODEV, "there is no buffer");
	if (bytes().empty())
		return fail(EACCES, "the exporter of a dma-buf does not let the CPU map it");
	if (auto begun = state_->begin(direction, offset_, size_); !begun)
		return forward(begun);
	return Buffer::Access(state_, bytes(), direction);
}

Buffer::Access::Access(Access &&other) noexcept
	: state_(std::move(other.state_)), bytes_(std::exchange(other.bytes_, {})),
	  direction_(other.direction_)
{
}

Buffer::Access &Buffer::Access::operator=(Access &&other) noexcept
{
	std::swap(state_, other.state_);
	std::swap(bytes_, other.bytes_);
	std::swap(direction_, other.direction_);
	return *this;
}

Buffer::Access::~Access()
{
	/* Errors are only reported by an explicit end(); formatting one may throw. */
	try {
		[[maybe_unused]] const auto ended = end();
	} catch (const std::bad_alloc &) {
		state_.reset();
	}
}

Result<void> Buffer::Access::end()
{
	if (!state_)
		return {};
	const auto state = std::exchange(state_, nullptr);
	const auto bytes = std::exchange(bytes_, {});
	const auto offset = static_cast<std::size_t>(bytes.data() - state->bytes().data());

	if (state->driver().inherited())
		return {};
	return state->end(direction_, offset, bytes.size());
}

} // namespace npu
