/* SPDX-License-Identifier: MIT */
#include "sched_fixture.h"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <linux/capability.h>
#include <sys/syscall.h>

drm_npu_context_create hints(std::uint32_t sched_class, std::uint32_t weight,
			     std::uint32_t core_mask)
{
	drm_npu_context_create args{};

	args.sched_class = sched_class;
	args.weight = weight;
	args.core_mask = core_mask;
	return args;
}

std::uint32_t create_context(const Device &device, drm_npu_context_create args)
{
	CHECK_OK(device.create(args));
	return args.context_id;
}

int set_context(const Device &device, const drm_npu_context_set &args)
{
	drm_npu_context_set copy = args;

	return call(device.fd(), DRM_IOCTL_NPU_CONTEXT_SET, &copy);
}

int set_class(const Device &device, std::uint32_t context, std::uint32_t sched_class)
{
	return set_context(device, {context, DRM_NPU_CONTEXT_SET_CLASS, sched_class, 0});
}

int set_weight(const Device &device, std::uint32_t context, std::uint32_t weight)
{
	return set_context(device, {context, DRM_NPU_CONTEXT_SET_WEIGHT, 0, weight});
}

void drop_sys_nice()
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct data[2]{};

	CHECK_EQ(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(1u << CAP_SYS_NICE);
	CHECK_EQ(syscall(SYS_capset, &header, data), 0);
}

Lane cut_lane(const Product &product, unsigned tasks)
{
	Task task = product.task();

	task.cost_ns = much;
	return Lane(tasks, task);
}

Blocker::Blocker(const Hold &hold, const Device &device, drm_npu_context_create args)
	: context(create_context(device, args)), device_(device), product_(device)
{
	hold.close();
	CHECK_OK(submit(device, context, {create_job(device, {{product_.task()}})}));
	wait_running(device, context, 1);
}

Blocker::~Blocker()
{
	drm_npu_job_wait args{};

	cancel(device_, context, 1, 1);
	wait_job(device_, context, 1, never, args);
	device_.destroy_context(context);
}

void Blocker::stop() const
{
	CHECK_EQ(look_at(device_, context, 1).state, DRM_NPU_JOB_RUNNING);
	CHECK_OK(cancel(device_, context, 1, 1));
	CHECK_EQ(wait_ended(device_, context, 1).error, ECANCELED);
}

Endless::Endless(const Device &device, drm_npu_context_create args, std::uint64_t deadline_ns)
	: context(create_context(device, args)), device_(device), product_(device)
{
	std::uint32_t job = create_job(device, {slow_lane(product_, 1000)});
	std::uint32_t count = device.limits().max_submit_jobs;

	CHECK_OK(submit(device, context, std::vector(count, job), {}, &last_, deadline_ns));
}

bool Endless::goes_on() const
{
	drm_npu_query_context state = device_.state(context);

	return state.completed_seqno < state.submitted_seqno;
}

int Endless::end() const
{
	drm_npu_job_wait args{};

	cancel(device_, context, 1, last_);
	return wait_job(device_, context, last_, never, args);
}

/// A sum over contexts.
static std::uint64_t total(const Device &device, const std::vector<std::uint32_t> &contexts,
			   __u64 drm_npu_query_context::*figure)
{
	std::uint64_t sum = 0;

	for (std::uint32_t context : contexts)
		sum += device.state(context).*figure;
	return sum;
}

/// Whether each of @contexts has been served @count times.
static bool are_served(const Device &device, const std::vector<std::uint32_t> &contexts,
		       std::uint64_t count)
{
	return std::ranges::all_of(contexts, [&](std::uint32_t context) {
		return device.state(context).slices >= count;
	});
}

Shares shares(const Hold &hold, const Device &first_device, const std::vector<std::uint32_t> &first,
	      const Device &second_device, const std::vector<std::uint32_t> &second,
	      std::uint64_t total_ns)
{
	/* Where a task takes long, the first slice is far too long: nobody knows yet. */
	constexpr std::uint64_t first_slices = 3, least_slices = 60;
	constexpr auto busy = &drm_npu_query_context::busy_ns;
	constexpr auto slices = &drm_npu_query_context::slices;

	need_virtual(first_device);
	hold.until([&] {
		return are_served(first_device, first, first_slices) &&
		       are_served(second_device, second, first_slices);
	});
	const std::uint64_t a = total(first_device, first, busy);
	const std::uint64_t b = total(second_device, second, busy);
	const std::uint64_t end = total(first_device, first, slices) +
				  total(second_device, second, slices) + least_slices;
	Shares had{};
	hold.until([&] {
		had = {total(first_device, first, busy) - a,
		       total(second_device, second, busy) - b};
		return had.first + had.second >= total_ns &&
		       total(first_device, first, slices) + total(second_device, second, slices) >=
			       end;
	});
	return had;
}

std::vector<Waiting> start_order(const Device &device, const std::vector<Waiting> &waiting,
				 void (*change)(const Device &, std::vector<Waiting> &))
{
	const Hold hold(one_core);
	std::vector<Waiting> order = waiting;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	Blocker blocker(hold, device);

	for (Waiting &one : order) {
		one.context = create_context(device, one.args);
		CHECK_OK(submit(device, one.context, {job}, {}, nullptr, one.deadline_ns));
	}
	if (change)
		change(device, order);
	hold.open();
	for (Waiting &one : order) {
		drm_npu_job_wait end = wait_ended(device, one.context, 1);

		CHECK_EQ(end.error, 0);
		one.started_ns = end.started_ns;
		CHECK_OK(device.destroy_context(one.context));
	}
	product.check();
	std::ranges::stable_sort(order, {}, &Waiting::started_ns);
	return order;
}

static std::string npu_parameter(const std::string &name)
{
	return "/sys/module/npu/parameters/" + name;
}

bool becomes(const Device &device, std::uint32_t context, std::uint32_t sched_class)
{
	return patience::comes([&] { return device.state(context).granted_class == sched_class; });
}

Parameter::Parameter(std::string name, const std::string &value)
	: name_(std::move(name)), before_(get(name_))
{
	need_root();
	set(value);
}

Parameter::~Parameter()
{
	std::ofstream(npu_parameter(name_)) << before_;
}

void Parameter::set(const std::string &value) const
{
	std::ofstream file(npu_parameter(name_));

	file << value << std::flush;
	CHECK(file.good());
}

std::string Parameter::get(const std::string &name)
{
	std::ifstream file(npu_parameter(name));
	std::string value;

	CHECK(file >> value);
	return value;
}
