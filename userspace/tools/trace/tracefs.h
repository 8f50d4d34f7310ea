/* SPDX-License-Identifier: MIT */
/*
 * Records the driver's trace points through tracefs.
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

/// Records the driver's events during its lifetime, in an instance of its own, which does not
/// disturb other tracers.
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

	/// Appends the events since the last call to @p events.
	Result<void> read(Events &events);

private:
	explicit Session(std::filesystem::path instance) : instance_(std::move(instance)) {}

	std::filesystem::path instance_;
	UniqueFd pipe_;
	/// The incomplete last line.
	std::string rest_;
};

/// Makes the driver start each task separately during its lifetime, for exact times of tasks.
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
