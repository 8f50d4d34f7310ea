/* SPDX-License-Identifier: MIT */
/*
 * A run of npu-bench qos: several clients in parallel for a given time.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qos_client.h"
#include "qos_clock.h"

namespace npu::bench::qos
{

using Clients = std::vector<std::unique_ptr<Client>>;

/// The result of a run.
struct Outcome {
	/// Start of the run.
	std::uint64_t begin_ns = 0;
	/// End of the last job, including those in flight when the duration had passed.
	std::uint64_t end_ns = 0;
	/// Device time of each client when the duration had passed.
	std::vector<std::uint64_t> busy_ns;
	/// Device time of each client at the end of its last job.
	std::vector<std::uint64_t> total_ns;
	Clients clients;

	/// Device time of all clients on all cores per nanosecond.
	double throughput() const;
};

class Runner
{
public:
	/// Clients open @p device. Without @p clock, time is the host's.
	Runner(std::string device, std::optional<ModelClock> clock)
		: device_(std::move(device)), clock_(std::move(clock))
	{
	}

	/// Runs clients of @p behaviours, which submit for @p duration_ns, and waits for all their
	/// jobs.
	Result<Outcome> run(const std::vector<Behaviour> &behaviours,
			    std::uint64_t duration_ns) const;

private:
	Result<void> pass_model_time(const Clients &clients, std::uint64_t from,
				     std::uint64_t to) const;
	Result<std::vector<std::uint64_t>>
	run_in_model_time(const Clients &clients, std::uint64_t begin, std::uint64_t end) const;

	std::string device_;
	std::optional<ModelClock> clock_;
};

} // namespace npu::bench::qos
