/* SPDX-License-Identifier: MIT */
/*
 * A client of npu-bench qos: a file of its own, with a context and a job that it
 * submits again and again.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <npu/context.h>
#include <npu/device.h>
#include <npu/page.h>

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
};

/// A job that has ended.
struct Sample {
	std::uint64_t queued_ns;
	std::uint64_t ended_ns;
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
	static Result<std::unique_ptr<Client>> create(const std::string &device,
						      Behaviour behaviour);

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
	Result<void> wait(std::uint64_t time) const;
	/// Device time of all cores that it has had.
	Result<std::uint64_t> busy_ns() const;

	const Behaviour &behaviour() const { return behaviour_; }
	const Work &work() const { return work_; }
	const std::vector<Sample> &samples() const { return samples_; }
	/// Id of its file, as the kernel tells of it.
	std::uint64_t id() const { return id_; }

private:
	Result<void> submit(std::uint64_t deadline_ns);

	Behaviour behaviour_;
	/* The job needs the device, the context comes last. */
	Device device_;
	Work work_;
	Context context_;
	CompletionPage page_;
	std::vector<Sample> samples_;
	std::uint64_t id_ = 0;
	std::uint64_t submitted_ = 0;
	std::uint64_t due_ = 0;
	bool stopped_ = false;
};

} // namespace npu::bench::qos
