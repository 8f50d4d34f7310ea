/* SPDX-License-Identifier: MIT */
/*
 * The mapping shared by the copies of a completion page.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "npu/page.h"
#include "npu/raw.h"

namespace npu
{

class CompletionPage::Mapping
{
public:
	/// No mapping yet: set() has to follow.
	Mapping(std::shared_ptr<Driver> driver, std::uint32_t context)
		: driver_(std::move(driver)), context_(context)
	{
	}
	~Mapping()
	{
		if (!bytes_.empty())
			driver_->unmap(bytes_);
	}
	/// Takes ownership of a mapping of at least sizeof(drm_npu_context_page) bytes.
	void set(std::span<std::byte> bytes) { bytes_ = bytes; }
	Mapping(const Mapping &) = delete;
	Mapping &operator=(const Mapping &) = delete;

	const drm_npu_context_page &page() const
	{
		return *reinterpret_cast<const drm_npu_context_page *>(bytes_.data());
	}
	Driver &driver() const { return *driver_; }
	std::uint32_t context() const { return context_; }

private:
	std::shared_ptr<Driver> driver_;
	std::span<std::byte> bytes_;
	std::uint32_t context_;
};

} // namespace npu
