/* SPDX-License-Identifier: MIT */
/* Clients and cores for the driver's scheduler, in simulated time. */
#ifndef SCHED_MACHINE_H
#define SCHED_MACHINE_H

#include <cstdint>
#include <deque>
#include <span>

extern "C" {
#include <core/sched/npu_sched.h>
}

namespace npu::test
{

/// One millisecond in nanoseconds.
inline constexpr std::uint64_t ms = 1000000;

/// Hints of an entity; \a limited means without privileges.
npu_hints hints(npu_rank rank, std::uint32_t weight = NPU_SCHED_WEIGHT, bool limited = false);

/// A client: an entity with a queue of slices.
struct SchedClient {
	npu_entity entity{};
	/// Device time so far.
	std::uint64_t had_ns = 0;
	/// The part of had_ns that was served as latency work.
	std::uint64_t latency_ns = 0;
	/// Time from queueing work to its deadline, or 0 for no deadline.
	std::uint64_t until_ns = 0;
	/// Device time that a slice is charged, although it occupies a core for a millisecond.
	std::uint64_t slice_ns = ms;
	/// Slices that no core has taken.
	std::uint32_t queued = 0;
	/// Whether a core runs a slice of the client.
	bool running = false;

	/// Device time in milliseconds since the last call.
	std::uint64_t had_ms();
};

/**
 * A device whose cores take slices of a millisecond.
 *
 * Nothing depends on the time of the host.
 */
class SchedMachine
{
public:
	explicit SchedMachine(unsigned int cores);
	~SchedMachine();
	SchedMachine(const SchedMachine &) = delete;
	SchedMachine &operator=(const SchedMachine &) = delete;

	npu_sched_params params{1000, 50, 100, 500, false};
	npu_sched sched{};
	std::uint64_t now = 1000000 * ms;

	npu_sched_file &file();
	SchedClient &client(npu_sched_file &file, std::uint32_t mask, const npu_hints &hints);
	/// A client in a file of its own.
	SchedClient &client(std::uint32_t mask, const npu_hints &hints);
	/// Queues a slice of work.
	void queue(SchedClient &client);
	/// Keeps all \a clients and all cores busy for \a duration_ms.
	void load(std::span<SchedClient *const> clients, std::uint32_t duration_ms);
	/// The client on a core, or a null pointer.
	[[nodiscard]] const SchedClient *serves(unsigned int core) const;
	/// Lets idle cores take work.
	void run();
	/// Ends the running slices after a millisecond and lets cores take more.
	void step();
	/// How often a core has switched to another file.
	[[nodiscard]] std::uint32_t switches() const { return switches_; }

private:
	struct Core {
		npu_sched_core sched{};
		SchedClient *client = nullptr;
	};

	void take(Core &core, SchedClient &client);
	void end(Core &core);
	void ready(SchedClient &client);

	std::deque<Core> cores_;
	std::deque<npu_sched_file> files_;
	std::deque<SchedClient> clients_;
	std::uint32_t switches_ = 0;
};

} // namespace npu::test

#endif
