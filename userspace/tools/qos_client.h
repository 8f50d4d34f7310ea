/* SPDX-License-Identifier: MIT */
/*
 * A client of npu-bench qos: a file of its own, with work that it submits again and
 * again.
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

/// When it submits, and how.
struct Behaviour {
	std::string name;
	Program program;
	SchedClass sched_class = SchedClass::throughput;
	std::uint32_t weight = 0;
	/// From one job to the next; 0 is the next when the last has ended.
	std::uint64_t period_ns = 0;
	/// Of the first job.
	std::uint64_t offset_ns = 0;
	/// Each job should have ended when the next comes.
	bool deadlines = false;
	/// By the calls of mainline's rocket, which know neither classes nor weights nor
	/// deadlines: each layer of the program is a job, and all are one submit, which
	/// is waited for before the next.
	bool rocket = false;
};

/// Work that has ended.
struct Sample {
	std::uint64_t queued_ns;
	std::uint64_t ended_ns;
	/// 0 if the calls do not tell.
	std::uint64_t device_ns;

	/// Added latency: what it has waited for others.
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
	/// A client of the device at @p device, for which an empty path stands for the first.
	static Result<std::unique_ptr<Client>> create(const std::string &device,
						      Behaviour behaviour);

	virtual ~Client() = default;
	Client(const Client &) = delete;
	Client &operator=(const Client &) = delete;

	/// Begin at time @p now.
	void start(std::uint64_t now);
	/// Note what has ended, submit what is due. \return when something is due
	/// next, or never
	Result<std::uint64_t> poll(std::uint64_t now);
	/// Submit nothing any more.
	void stop() { stopped_ = true; }
	/// Whether all that was submitted has ended and was noted.
	bool idle() const { return submitted_ == samples_.size(); }
	/// Sleep until all that was submitted has ended, or until @p time.
	virtual Result<void> wait(std::uint64_t time) const = 0;
	/// Device time of all cores that it has had.
	virtual Result<std::uint64_t> busy_ns() const = 0;
	/// Tasks of the longest lane of its work.
	virtual std::size_t lane_tasks() const = 0;

	const Behaviour &behaviour() const { return behaviour_; }
	const std::vector<Sample> &samples() const { return samples_; }
	/// Id of its file, as the kernel tells of it.
	std::uint64_t id() const { return id_; }

protected:
	explicit Client(Behaviour behaviour) : behaviour_(std::move(behaviour)) {}

	/// Called right after the file was opened: finds what the kernel tells of it.
	void note_file();
	/// Jobs of the file that have ended, as the kernel counts at once.
	std::uint64_t ended_jobs() const;
	/// Submit once at @p now; it should have ended by @p deadline_ns.
	virtual Result<void> submit(std::uint64_t now, std::uint64_t deadline_ns) = 0;
	/// Add samples of what has ended by @p now.
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

/// A client of the calls of mainline's rocket.
Result<std::unique_ptr<Client>> create_rocket_client(const std::string &device,
						     Behaviour behaviour);

} // namespace npu::bench::qos
