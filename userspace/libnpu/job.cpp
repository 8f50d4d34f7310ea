/* SPDX-License-Identifier: MIT */
#include "npu/job.h"

#include <array>
#include <cerrno>
#include <sstream>
#include <utility>

#include "internals.h"
#include "npu/raw.h"

namespace npu
{

namespace
{

/// The kernel's reason for refusing a stream, in words.
const char *reason_text(std::uint32_t reason)
{
	static constexpr std::array<const char *, 10> texts{
		"no stream is to blame",
		"no known block",
		"register unknown or not for clients",
		"value out of bounds",
		"address in no buffer",
		"reuses on-chip data that is not there",
		"an address that is used is not written",
		"no such set of blocks",
		"the blocks do not agree with each other",
		"takes too long without a place to cut",
	};

	return reason < texts.size() ? texts[reason] : "reason not known";
}

/// The name of the offending register, as the kernel reports it.
std::string blamed(Driver &driver, std::uint32_t reg)
{
	std::ostringstream text;

	if (!reg)
		return {};
	const auto names = query<drm_npu_query_register>(driver, DRM_NPU_QUERY_REGISTER, reg);
	text << ", ";
	if (names)
		text << names->block << ' ';
	text << "register ";
	if (names && names->name[0])
		text << names->name << " at ";
	text << "0x" << std::hex << reg;
	return text.str();
}

std::unexpected<Error> refused(int code, Driver &driver, const drm_npu_job_create &args)
{
	if (code != EINVAL || args.fault_reason == DRM_NPU_FAULT_NONE)
		return fail(code, "cannot create a job");
	return fail(code, "cannot create a job, lane " + std::to_string(args.fault_lane) +
				  ", task " + std::to_string(args.fault_task) + ", command " +
				  std::to_string(args.fault_command) + " is refused (" +
				  reason_text(args.fault_reason) +
				  blamed(driver, args.fault_register) + ")");
}

} // namespace

class Job::State
{
public:
	explicit State(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}
	~State()
	{
		drm_npu_job_destroy args{};

		if (!id_ || driver_->inherited())
			return;
		args.job_id = id_;
		driver_->ioctl(DRM_IOCTL_NPU_JOB_DESTROY, &args);
	}
	State(const State &) = delete;
	State &operator=(const State &) = delete;

	const Driver &driver() const { return *driver_; }
	std::uint32_t id() const { return id_; }
	/// Takes ownership of the job @p id.
	void set_id(std::uint32_t id) { id_ = id; }

private:
	std::shared_ptr<Driver> driver_;
	std::uint32_t id_ = 0;
};

Result<Job> Job::create(const Device &device, std::span<const Lane> lanes, const Options &options)
{
	std::vector<std::vector<drm_npu_task>> tasks(lanes.size());
	std::vector<drm_npu_lane> raw(lanes.size());
	const std::uint32_t max_label = device.limits().max_label;
	const std::string label = options.label.substr(0, max_label ? max_label - 1 : 0);
	drm_npu_job_create args{};
	Job job;

	for (std::size_t i = 0; i < lanes.size(); i++) {
		for (const Task &task : lanes[i]) {
			drm_npu_task &entry = tasks[i].emplace_back();

			entry.commands = reinterpret_cast<std::uintptr_t>(task.commands.data());
			entry.command_count = static_cast<std::uint32_t>(task.commands.size());
			entry.enable = task.enable;
			entry.cost_ns = task.cost_ns;
		}
		raw[i].tasks = reinterpret_cast<std::uintptr_t>(tasks[i].data());
		raw[i].task_count = static_cast<std::uint32_t>(tasks[i].size());
		raw[i].task_stride = sizeof(drm_npu_task);
	}
	args.lanes = reinterpret_cast<std::uintptr_t>(raw.data());
	args.lane_count = static_cast<std::uint32_t>(raw.size());
	args.lane_stride = sizeof(drm_npu_lane);
	args.region = options.on_chip ? chip_region : 0;
	args.label = label.empty() ? 0 : reinterpret_cast<std::uintptr_t>(label.c_str());
	/* Allocate first, so that no job leaks if memory is short. */
	const auto state = std::make_shared<State>(device.share_driver());
	if (const int ret = device.driver().ioctl(DRM_IOCTL_NPU_JOB_CREATE, &args))
		return refused(-ret, device.driver(), args);
	state->set_id(args.job_id);
	job.state_ = state;
	return job;
}

std::uint32_t Job::id() const
{
	return state_ ? state_->id() : 0;
}

const Driver *Internals::driver(const Job &job)
{
	return job.state_ ? &job.state_->driver() : nullptr;
}

} // namespace npu
