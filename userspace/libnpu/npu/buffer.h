/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Memory that both the CPU and the NPU see.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "npu/deadline.h"
#include "npu/device.h"
#include "npu/error.h"
#include "npu/fence.h"
#include "npu/info.h"
#include "npu/unique_fd.h"
#include "npu/wait.h"

#pragma GCC visibility push(default)
namespace npu
{

class BufferView;

/// @p bytes from @p offset on as @p count elements; empty if they do not lie within
/// @p bytes or are not aligned for T.
template <typename T>
std::span<T> elements(std::span<std::byte> bytes, std::size_t offset, std::size_t count)
{
	if (offset > bytes.size() || count > (bytes.size() - offset) / sizeof(T))
		return {};
	std::byte *const first = bytes.data() + offset;
	if (reinterpret_cast<std::uintptr_t>(first) % alignof(T))
		return {};
	return {reinterpret_cast<T *>(first), count};
}

/// A buffer, mapped for the CPU. Moves, does not copy. It outlives the Device, and jobs
/// keep what they use of it alive on the device.
///
/// Thread safety: all calls but moves may come from any thread; who may touch which bytes
/// is the application's to order. fork: the child inherits the mapping and shares the
/// memory with its parent; see Driver for the rest.
class Buffer
{
public:
	/// npu::Residency, under the name that Buffer::set_residency() uses.
	using Residency = npu::Residency;

	/// Options of a new buffer.
	struct Options {
		/// The device may read it only: a job that writes there is refused.
		bool read_only = false;
		/// The CPU sees it through its caches: fast to read, but ranges have to be
		/// handed over with access(). Else reads may be slow, and handing over does
		/// nothing.
		bool cached = false;
		/// Where it is to be from the start: for anything but none in @ref region, with
		/// priority 0.
		Residency residency = Residency::none;
		/// Index of the region that @ref residency is about, the first on the chip
		/// unless set. Residency::none ignores it.
		std::uint32_t region = chip_region;
	};

	/// Options of an import: which part of the dma-buf the buffer stands for, and what jobs
	/// on it wait for.
	struct ImportOptions {
		/// First byte of the part.
		std::size_t offset = 0;
		/// Bytes of the part; all that follow @ref offset unless set.
		std::size_t size = std::numeric_limits<std::size_t>::max();
		/// Jobs wait for it before they touch the buffer; see acquire().
		const Fence *acquire = nullptr;
	};

	/// A buffer of @p size bytes, rounded up to pages and filled with zeros.
	/// @retval EINVAL @p size is 0, no such region
	/// @retval E2BIG @p size is above the device's limit
	/// @retval ENOSPC no room in the device's address space, or to pin it
	/// @retval ENOMEM no memory
	/// @retval EOVERFLOW its device address has more than 32 bits
	static Result<Buffer> create(const Device &device, std::size_t size,
				     const Options &options);
	/// As create(), with the defaults of Options.
	static Result<Buffer> create(const Device &device, std::size_t size)
	{
		return create(device, size, Options());
	}

	/// The memory behind @p dma_buf, which stays the caller's and may be closed
	/// after it. Jobs on such a buffer wait for, and add to, its fences.
	/// @retval EBADF, EINVAL @p dma_buf is no dma-buf, or not one that can be
	/// imported, or the part does not lie within it
	/// @retval ENOSPC no room in the device's address space
	static Result<Buffer> import(const Device &device, int dma_buf,
				     const ImportOptions &options);
	/// As import(), of the whole dma-buf and without a fence to wait for.
	static Result<Buffer> import(const Device &device, int dma_buf)
	{
		return import(device, dma_buf, ImportOptions());
	}

	/// No buffer: of size 0, and each call answers ENODEV.
	Buffer() = default;
	/// Unmaps the buffer and closes its handle, unless a BufferView or an Access still has
	/// it. Jobs keep what they use of it alive on the device.
	~Buffer() = default;
	/// Leaves @p other without a buffer.
	Buffer(Buffer &&other) noexcept = default;
	/// Releases the buffer held before, and leaves @p other without one.
	Buffer &operator=(Buffer &&other) noexcept = default;
	Buffer(const Buffer &) = delete;
	Buffer &operator=(const Buffer &) = delete;

	/// The buffer's bytes. Empty for an imported one whose exporter does not let the
	/// CPU write to it. Cached and imported buffers are only to be touched between
	/// access() and the end of what it returns.
	std::span<std::byte> bytes() const;
	/// Size in bytes, rounded up to pages if it is not imported.
	std::size_t size() const;
	/// Address that command streams use.
	std::uint32_t address() const;
	/// GEM handle, for calls of the DRM core; 0 if it is none. It is the buffer's.
	std::uint32_t handle() const;

	/// The bytes from @p offset on as @p count elements; empty if they do not lie within
	/// bytes() or are not aligned for T.
	template <typename T>
	std::span<T> as(std::size_t offset, std::size_t count) const
	{
		return elements<T>(bytes(), offset, count);
	}

	/// The part of @p length bytes from @p offset on.
	/// @retval EINVAL it is empty or not inside the buffer
	Result<BufferView> view(std::size_t offset, std::size_t length) const;

	/// What the CPU does with a range of a buffer.
	enum class Direction : std::uint8_t {
		/// Read the range.
		read,
		/// Overwrite all of the range.
		write,
		/// Read it, or overwrite a part.
		read_write,
	};

	class Access;

	/// Hand @p length bytes from @p offset on to the CPU. For own buffers this waits for
	/// no job: call it after those that use the range have ended. For imported ones the
	/// kernel waits for their fences.
	/// @retval EINVAL the range is empty or not inside the buffer
	/// @retval EACCES it was imported and the CPU cannot write to it
	Result<Access> access(Direction direction, std::size_t offset, std::size_t length) const;
	/// The same of all of it.
	Result<Access> access(Direction direction) const;

	/// A dma-buf of the buffer, for other devices and other processes. From then on
	/// the buffer is in system memory, whatever residency was asked for, and jobs on it
	/// wait for, and add to, its fences.
	Result<UniqueFd> export_dma_buf() const;

	/// Work to wait for.
	enum class Use : std::uint8_t {
		/// Whatever reads or writes the buffer.
		any,
		/// Only what writes to it, so that it can be read.
		write,
	};

	/// Wait until no job that was submitted before uses the buffer, or @p deadline.
	WaitResult<> wait(Deadline deadline = Deadline::never(), Use use = Use::any) const;

	/// Jobs that are submitted from now on wait for @p fence, which whoever writes to
	/// an imported buffer next has given.
	/// @retval EOPNOTSUPP the buffer was not imported from another device
	Result<void> acquire(const Fence &fence) const;
	/// The end of what uses an imported buffer now, for whoever writes to it next, or of
	/// what writes to it, for whoever reads it next.
	/// @retval EOPNOTSUPP the buffer was not imported from another device
	Result<Fence> release_fence(Use use = Use::any) const;

	/// The first half of access(): hand @p length bytes from @p offset on to the CPU,
	/// after the device has written there; of a cached buffer, for others it does nothing.
	/// Waits for no job.
	/// @retval EINVAL the range is empty or not inside the buffer
	/// @retval EOPNOTSUPP it is imported: use access()
	Result<void> sync_for_cpu(std::size_t offset, std::size_t length) const;
	/// The second half: to the device, after the CPU has written there.
	Result<void> sync_for_device(std::size_t offset, std::size_t length) const;

	/// Say where the buffer is to be. Its address, its contents and bytes()
	/// stay the same; it moves between slices. @p region is its index. Of what is
	/// preferred, that with the lowest @p priority has to leave first. For anything but a
	/// preference this waits for the jobs of this open file that run.
	/// @retval EOPNOTSUPP the device has no on-chip memory
	/// @retval ENOSPC no room to pin it, or it is larger than that memory
	/// @retval EBUSY it is imported or exported, which keeps it in system memory; or it
	/// is asked for in another region, which has to be given up first
	Result<void> set_residency(Residency residency, std::uint8_t priority = 0,
				   std::uint32_t region = chip_region) const;

	/// What the kernel knows of it.
	Result<BufferInfo> info() const;

private:
	friend class BufferView;
	class [[gnu::visibility("hidden")]] State;

	explicit Buffer(std::shared_ptr<const State> state) : state_(std::move(state)) {}
	const State &state() const;

	std::shared_ptr<const State> state_;
};

/// While it lives the CPU may touch a range of a buffer; its end hands the range
/// to the device. Moves, does not copy. Keeps the buffer's memory mapped.
class Buffer::Access
{
public:
	/// Takes the access over; the end of @p other does nothing.
	Access(Access &&other) noexcept;
	/// Swaps the two accesses: the one held before ends with @p other.
	Access &operator=(Access &&other) noexcept;
	Access(const Access &) = delete;
	Access &operator=(const Access &) = delete;
	/// Ends the access, and ignores errors of that.
	~Access();

	/// The range; empty after end().
	std::span<std::byte> bytes() const { return bytes_; }
	/// The range as elements; as Buffer::as().
	template <typename T>
	std::span<T> as(std::size_t offset, std::size_t count) const
	{
		return elements<T>(bytes_, offset, count);
	}

	/// Hand the range to the device. It may be called again, and then does nothing.
	/// @retval ENODEV the device is gone
	Result<void> end();

private:
	friend class BufferView;

	Access(std::shared_ptr<const State> state, std::span<std::byte> bytes, Direction direction)
		: state_(std::move(state)), bytes_(bytes), direction_(direction)
	{
	}

	std::shared_ptr<const State> state_;
	std::span<std::byte> bytes_;
	Direction direction_;
};

/// A part of a buffer. A value, which keeps the buffer alive.
class BufferView
{
public:
	/// No bytes: each call answers ENODEV.
	BufferView() = default;

	/// The bytes of the part; empty where Buffer::bytes() is.
	std::span<std::byte> bytes() const;
	/// Size of the part in bytes.
	std::size_t size() const { return size_; }
	/// Where it begins in the buffer.
	std::size_t offset() const { return offset_; }
	/// Address that command streams use.
	std::uint32_t address() const;
	/// GEM handle of the buffer.
	std::uint32_t handle() const;

	/// As Buffer::as().
	template <typename T>
	std::span<T> as(std::size_t offset, std::size_t count) const
	{
		return elements<T>(bytes(), offset, count);
	}
	/// A part of the part.
	/// @retval EINVAL it is empty or not inside
	Result<BufferView> view(std::size_t offset, std::size_t length) const;
	/// As Buffer::access(), of all of it.
	Result<Buffer::Access> access(Buffer::Direction direction) const;

private:
	friend class Buffer;

	BufferView(std::shared_ptr<const Buffer::State> state, std::size_t offset, std::size_t size)
		: state_(std::move(state)), offset_(offset), size_(size)
	{
	}

	std::shared_ptr<const Buffer::State> state_;
	std::size_t offset_ = 0;
	std::size_t size_ = 0;
};

} // namespace npu
#pragma GCC visibility pop
