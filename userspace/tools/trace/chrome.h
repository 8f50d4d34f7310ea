/* SPDX-License-Identifier: MIT */
/*
 * Events in the JSON format of Chrome's tracing, which Perfetto reads too.
 */
#pragma once

#include <istream>
#include <ostream>
#include <vector>

#include <npu/error.h>

#include "events.h"

namespace npu::trace
{

/// Writes @p events. The cores are threads of one process, whose spans are slices. Each client is a
/// process, and each of its contexts a thread with asynchronous events for jobs: one for the time
/// in the queue, one from the first start to the end. Moves are a process of their own.
void write_chrome(std::ostream &out, const Events &events);

/// Sums over all jobs with the same label, or of those without one.
struct Layer {
	std::string label;
	std::uint64_t jobs = 0;
	std::uint64_t failed = 0;
	std::uint64_t tasks = 0;
	/// Total time from the submit to the first start.
	std::uint64_t wait_ns = 0;
	/// Device time of all lanes.
	std::uint64_t device_ns = 0;
	std::uint64_t macs = 0;
	std::uint64_t read_bytes = 0;
	std::uint64_t written_bytes = 0;
	std::uint64_t start_ns = 0;
	std::uint64_t memory_ns = 0;
	std::uint64_t sram_ns = 0;
};

/// Reads the output of write_chrome(). \return the layers in descending order of device time
/// \retval EINVAL the input has another format
Result<std::vector<Layer>> read_layers(std::istream &in);

} // namespace npu::trace
