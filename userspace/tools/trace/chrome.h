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

/// Writes @p events. Cores are the threads of one process of the picture: each slice
/// begins and ends on the thread of its core. Each context is a thread of its client's
/// process, on which jobs are asynchronous events: one for the wait in the queue, one for
/// the time from its first start to its end. Moves have a process of their own.
void write_chrome(std::ostream &out, const Events &events);

/// What is known of all jobs with the same label, or of all without one.
struct Layer {
	std::string label;
	std::uint64_t jobs = 0;
	std::uint64_t failed = 0;
	std::uint64_t tasks = 0;
	/// Of its jobs, from the submit to the first start.
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

/// The layers in what write_chrome() has written, those with most device time first.
/// \retval EINVAL it is something else
Result<std::vector<Layer>> read_layers(std::istream &in);

} // namespace npu::trace
