/* SPDX-License-Identifier: MIT */
#include "qos_client.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "qos_clock.h"

namespace npu::bench::qos
{

namespace
{

using Deadline = Context::Deadline;

Deadline to_deadline(std::uint64_t time)
{
	return time == never ? Deadline::max() : Deadline(std::chrono::nanoseconds(time));
}

/// Id of the file of this process that was opened last.
std::uint64_t newest_file_id()
{
	std::uint64_t newest = 0;

	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
		std::ifstream file(entry.path());
		std::string key;
		std::uint64_t id = 0;

		while (file >> key)
			if (key == "drm-client-id:" && file >> id)
				newest = std::max(newest, id);
	}
	return newest;
}

} // namespace

Result<std::unique_ptr<Client>> Client::create(const std::string &device, Behaviour behaviour)
{
	auto client = std::make_unique<Client>();
	auto opened = Device::open(device);

	if (!opened)
		return forward(opened);
	client->id_ = newest_file_id();
	client->device_ = std::move(*opened);
	auto work = Work::create(client->device_, behaviour.program);
	if (!work)
		return forward(work);
	client->work_ = std::move(*work);
	auto context = Context::create(client->device_, {.sched_class = behaviour.sched_class,
							 .weight = behaviour.weight});
	if (!context)
		return forward(context);
	client->context_ = std::move(*context);
	auto page = client->context_.page();
	if (!page)
		return forward(page);
	client->page_ = std::move(*page);
	client->behaviour_ = std::move(behaviour);
	return client;
}

void Client::start(std::uint64_t now)
{
	due_ = now + behaviour_.offset_ns;
}

Result<void> Client::submit(std::uint64_t deadline_ns)
{
	auto fence = context_.submit(work_.job(), to_deadline(deadline_ns));

	if (!fence)
		return forward(fence);
	submitted_++;
	return {};
}

Result<std::uint64_t> Client::poll(std::uint64_t now)
{
	const std::uint64_t ended = page_.completed();

	while (samples_.size() < ended) {
		auto status = context_.wait(samples_.size() + 1, Deadline());
		if (!status)
			return forward(status);
		if (status->error)
			return fail(status->error, "a job of " + behaviour_.name + " failed");
		samples_.push_back({.queued_ns = status->queued_ns,
				    .ended_ns = status->ended_ns,
				    .device_ns = status->device_ns});
	}
	if (stopped_)
		return never;
	const std::uint64_t period = behaviour_.period_ns;
	while (now >= due_ && (period || idle())) {
		if (auto done = submit(behaviour_.deadlines ? due_ + period : never); !done)
			return forward(done);
		due_ += period;
	}
	return period || now < due_ ? due_ : never;
}

Result<void> Client::wait(std::uint64_t time) const
{
	if (idle()) {
		host_sleep_until(time);
		return {};
	}
	auto status = context_.wait(submitted_, to_deadline(time));
	if (!status)
		return forward(status);
	return {};
}

Result<std::uint64_t> Client::busy_ns() const
{
	auto statistics = context_.statistics();

	if (!statistics)
		return forward(statistics);
	return statistics->busy_ns;
}

} // namespace npu::bench::qos
