/* SPDX-License-Identifier: MIT */
/*
 * The driver's trace points, by tracefs.
 */
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <npu/error.h>
#include <npu/unique_fd.h>

#include "events.h"

namespace npu::trace
{

/// Collects the driver's events for as long as it lives, in a buffer of its own, so that
/// other tracers are not disturbed.
class Session
{
public:
	/// \retval EACCES only root may trace
	/// \retval ENODEV there is no tracefs, or no driver with these trace points
	static Result<std::unique_ptr<Session>>
	create(const std::filesystem::path &tracing = "/sys/kernel/tracing");
	~Session();
	Session(const Session &) = delete;
	Session &operator=(const Session &) = delete;

	/// Adds to @p events what has come since the last call.
	Result<void> read(Events &events);

private:
	explicit Session(std::filesystem::path instance) : instance_(std::move(instance)) {}

	std::filesystem::path instance_;
	UniqueFd pipe_;
	/// The beginning of a line whose rest has not been read.
	std::string rest_;
};

/// Has the driver start a core for each task by itself, for as long as it lives.
class TaskSlices
{
public:
	/// \retval EACCES only root may change the parameter
	static Result<std::unique_ptr<TaskSlices>>
	create(std::filesystem::path parameter = "/sys/module/npu/parameters/slice_us");
	~TaskSlices();
	TaskSlices(const TaskSlices &) = delete;
	TaskSlices &operator=(const TaskSlices &) = delete;

private:
	TaskSlices(std::filesystem::path parameter, std::string before)
		: parameter_(std::move(parameter)), before_(std::move(before))
	{
	}

	std::filesystem::path parameter_;
	std::string before_;
};

} // namespace npu::trace
