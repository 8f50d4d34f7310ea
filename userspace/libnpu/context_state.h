/* SPDX-License-Identifier: MIT */
/*
 * The id of a context, and the driver that it belongs to.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "npu/context.h"

namespace npu
{

class ContextState
{
public:
	explicit ContextState(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}
	~ContextState();
	ContextState(const ContextState &) = delete;
	ContextState &operator=(const ContextState &) = delete;

	/// Takes ownership of the context @p id.
	void set(std::uint32_t id, std::uint64_t page_offset)
	{
		id_ = id;
		page_offset_ = page_offset;
	}

	Driver &driver() const { return *driver_; }
	const std::shared_ptr<Driver> &share_driver() const { return driver_; }
	std::uint32_t id() const { return id_; }
	std::uint64_t page_offset() const { return page_offset_; }

private:
	std::shared_ptr<Driver> driver_;
	std::uint64_t page_offset_ = 0;
	std::uint32_t id_ = 0;
};

} // namespace npu
