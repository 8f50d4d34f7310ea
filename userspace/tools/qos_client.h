/* SPDX-License-Identifier: MIT */
/*
 * A client of npu-bench qos: submits its work repeatedly on a file of its own.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <npu/context.h>

#include "qos_work.h"

namespace npu::bench::qos
{

/// The work of a client, and when it submits.
struct Behaviour {
	std::string name;
	Program program;
	SchedClass sched_class = SchedClass::throughput;
	std::uint32_t weight = 0;
	/// Time between submits; 0 submits the next job when the last has ended.
	std::uint64_t period_ns = 0;
	/// Delay of the first job.
	std::uint64_t offset_ns = 0;
	/// The deadline of each job is the next period.
	bool deadlines = false;
	/// Use mainline's rocket ioctls, which have no classes, weights or deadlines: each layer is
	/// a job, all layers are one submit, and the client waits for it before the next.
	bool rocket = false;
};

/// A finished submit.
struct Sample {
	std::uint64_t queued_ns;
	std::uint64_t ended_ns;
	/// 0 if the interface does not report it.
	std::uint64_t device_ns;

	/// Added latency: time in the system minus device time.
	double added_us() const
	{
		return (static_cast<double>(ended_ns - queued_ns) -
			static_cast<double>(device_ns)) /
		       1e3;
	}
};

class Client
{
public:
	/// Creates a client of @p device; an empty path selects the first device.
	static Result<std::unique_ptr<Client>> create(const std::string &device,
						      Behaviour behaviour);

	virtual ~Client() = default;
	Client(const Client &) = delete;
	Client &operator=(const Client &) = delete;

	/// Starts the client at time @p now.
	void start(std::uint64_t now);
	/// Collects finished work and submits what is due. \return the time of the next submit, or
	/// never
	Result<std::uint64_t> poll(std::uint64_t now);
	/// Stops submitting.
	void stop() { stopped_ = true; }
	/// Whether all submits have ended and were collected.
	bool idle() const { return submitted_ == samples_.size(); }
	/// Sleeps until all submits have ended, or until @p time.
	virtual Result<void> wait(std::uint64_t time) const = 0;
	/// Device time of the client on all cores.
	virtual Result<std::uint64_t> busy_ns() const = 0;
	/// Tasks in the longest lane of a job.
	virtual std::size_t lane_tasks() const = 0;

	const Behaviour &behaviour() const { return behaviour_; }
	const std::vector<Sample> &samples() const { return samples_; }
	/// The client id of the file in fdinfo and trace points.
	std::uint64_t id() const { return id_; }

protected:
	explicit Client(Behaviour behaviour) : behaviour_(std::move(behaviour)) {}

	/// Finds the fdinfo of the file; must be called right after it was opened.
	void note_file();
	/// Number of finished jobs of the file. The kernel updates it before fences signal.
	std::uint64_t ended_jobs() const;
	/// Submits work at @p now with deadline @p deadline_ns.
	virtual Result<void> submit(std::uint64_t now, std::uint64_t deadline_ns) = 0;
	/// Appends samples of the work that has ended by @p now.
	virtual Result<void> collect(std::uint64_t now, std::vector<Sample> &samples) = 0;
	std::uint64_t submitted() const { return submitted_; }

private:
	Behaviour behaviour_;
	std::vector<Sample> samples_;
	std::uint64_t id_ = 0;
	std::string fdinfo_;
	std::uint64_t submitted_ = 0;
	std::uint64_t due_ = 0;
	bool stopped_ = false;
};

/// Creates a client that uses mainline's rocket ioctls.
Result<std::unique_ptr<Client>> create_rocket_client(const std::string &device,
						     Behaviour behaviour);

} // namespace npu::bench::qos
