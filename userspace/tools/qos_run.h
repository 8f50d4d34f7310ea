/* SPDX-License-Identifier: MIT */
/*
 * A run of npu-bench qos: clients side by side for a while.
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

/// What clients have done.
struct Outcome {
	/// When they began.
	std::uint64_t begin_ns = 0;
	/// When the last job had ended, for none was submitted after the while.
	std::uint64_t end_ns = 0;
	/// Device time that each had at the end of the while.
	std::vector<std::uint64_t> busy_ns;
	/// And when its last job had ended.
	std::vector<std::uint64_t> total_ns;
	Clients clients;

	/// Device time of all clients for each nanosecond, all cores.
	double throughput() const;
};

class Runner
{
public:
	/// Clients open @p device; time is that of @p clock, or the host's.
	Runner(std::string device, std::optional<ModelClock> clock)
		: device_(std::move(device)), clock_(std::move(clock))
	{
	}

	/// Have clients of @p behaviours submit for @p duration_ns, and wait for the
	/// end of all of it.
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
