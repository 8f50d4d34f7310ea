/* SPDX-License-Identifier: MIT */
/*
 * The mapping that copies of a completion page share.
 */
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "npu/page.h"

namespace npu
{

class CompletionPage::Mapping
{
public:
	/// \pre @p bytes is a mapping of @p driver of at least a page record
	Mapping(std::shared_ptr<Driver> driver, std::span<std::byte> bytes)
		: driver_(std::move(driver)), bytes_(bytes)
	{
	}
	~Mapping() { driver_->unmap(bytes_); }
	Mapping(const Mapping &) = delete;
	Mapping &operator=(const Mapping &) = delete;

	const drm_npu_context_page &page() const
	{
		return *reinterpret_cast<const drm_npu_context_page *>(bytes_.data());
	}
	Driver &driver() const { return *driver_; }

private:
	std::shared_ptr<Driver> driver_;
	std::span<std::byte> bytes_;
};

} // namespace npu
