/* SPDX-License-Identifier: MIT */
/*
 * The slices of each core over time, from the kernel's tracepoint.
 */
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <vector>

#include <npu/error.h>

namespace npu::bench::qos
{

/// A slice of a core.
struct Slice {
	std::uint32_t core;
	/// Id of the file.
	std::uint64_t client;
	std::uint64_t started_ns;
	std::uint64_t ended_ns;
};

/// The slices in a trace as tracefs prints it.
std::vector<Slice> read_slices(std::istream &trace);

/// Traces slices as long as it exists.
class SliceTrace
{
public:
	/// \retval ENODEV there is no tracefs, or no driver with the tracepoint
	/// \retval EACCES no permission
	static Result<std::unique_ptr<SliceTrace>> create();
	SliceTrace() = default;
	~SliceTrace();
	SliceTrace(const SliceTrace &) = delete;
	SliceTrace &operator=(const SliceTrace &) = delete;

	/// The slices that have ended so far.
	std::vector<Slice> slices() const;
};

} // namespace npu::bench::qos
