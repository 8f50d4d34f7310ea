/* SPDX-License-Identifier: MIT */
/// Buffers that pass from file to file, and from driver to driver.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "device.h"
#include "vgem.h"

/// PRIME_HANDLE_TO_FD; answers 0 or a negative errno.
int export_buffer(int fd, std::uint32_t handle, std::uint32_t flags, Fd &dma_buf);
Fd export_buffer(int fd, std::uint32_t handle);
/// PRIME_FD_TO_HANDLE; answers 0 or a negative errno.
int import_buffer(int fd, int dma_buf, std::uint32_t &handle);

/// A mapping of a dma-buf.
class Mapping
{
public:
	Mapping(const Fd &dma_buf, std::size_t size);
	~Mapping();
	Mapping(const Mapping &) = delete;
	Mapping &operator=(const Mapping &) = delete;

	template <typename T>
	T *as() const
	{
		return static_cast<T *>(map_);
	}

private:
	std::size_t size_;
	void *map_;
};

/// The handle of an imported buffer; must not outlive its device.
class Imported
{
public:
	Imported(const Device &device, const Fd &dma_buf);
	~Imported();
	Imported(const Imported &) = delete;
	Imported &operator=(const Imported &) = delete;

	std::uint32_t handle() const { return handle_; }
	std::uint32_t address() const { return static_cast<std::uint32_t>(record_.address); }
	std::uint64_t size() const { return record_.size; }
	const drm_npu_query_buffer &record() const { return record_; }
	void close();

private:
	int fd_;
	std::uint32_t handle_ = 0;
	drm_npu_query_buffer record_{};
};

/// Memory of others as dma-bufs; each skips the subtest where there is none.
Fd udmabuf(std::size_t size);
Fd system_heap(std::size_t size);
std::unique_ptr<VgemBuffer> need_vgem(std::uint32_t size);
