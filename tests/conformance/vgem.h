/* SPDX-License-Identifier: MIT */
/// Buffers and fences of the stock module vgem.
#pragma once

#include <cstdint>
#include <memory>

#include "device.h"

class VgemBuffer
{
public:
	/// Null where the module is not loaded, or not for this user.
	static std::unique_ptr<VgemBuffer> create(std::uint32_t size);
	~VgemBuffer();
	VgemBuffer(const VgemBuffer &) = delete;
	VgemBuffer &operator=(const VgemBuffer &) = delete;

	const Fd &dma_buf() const { return dma_buf_; }
	/// Becomes a buffer of somebody else.
	void import(const Fd &dma_buf);
	/// Attaches a fence to the buffer that says it is read, or written.
	std::uint32_t attach_fence(bool write) const;
	void signal_fence(std::uint32_t fence) const;
	/// Gives up vgem's own hold on the memory; the fences stay.
	void close_handle();

private:
	explicit VgemBuffer(Fd vgem) : vgem_(std::move(vgem)) {}

	Fd vgem_, dma_buf_;
	std::uint32_t handle_ = 0;
};

/// The fences of a dma-buf as a sync_file: those that somebody who reads
/// (DMA_BUF_SYNC_READ) or writes (DMA_BUF_SYNC_WRITE) must wait for.
Fd export_fences(const Fd &dma_buf, std::uint32_t flags);
/// Adds the fence of a sync_file as that of a reader or a writer.
void import_fence(const Fd &dma_buf, const Fd &file, std::uint32_t flags);
