/* SPDX-License-Identifier: MIT */
#include "qos_client.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include <npu/device.h>
#include <npu/page.h>

#include "qos_clock.h"

namespace npu::bench::qos
{

namespace
{

Deadline to_deadline(std::uint64_t time)
{
	return time == never ? Deadline::never() : Deadline::at_ns(static_cast<std::int64_t>(time));
}

/// The value of @p key in fdinfo file @p path; 0 if it is missing.
std::uint64_t number_in(const std::string &path, const std::string &key)
{
	std::ifstream file(path);
	std::string word;
	std::uint64_t number = 0;

	while (file >> word)
		if (word == key && file >> number)
			return number;
	return 0;
}

/// A client with a context and a prepared job.
class ContextClient final : public Client
{
public:
	explicit ContextClient(Behaviour behaviour) : Client(std::move(behaviour)) {}

	Result<void> open(const std::string &device);
	Result<void> wait(std::uint64_t time) const override;
	Result<std::uint64_t> busy_ns() const override;
	std::size_t lane_tasks() const override { return work_.lane_tasks(); }

private:
	Result<void> submit(std::uint64_t now, std::uint64_t deadline_ns) override;
	Result<void> collect(std::uint64_t now, std::vector<Sample> &samples) override;

	/* Destroyed in reverse order: the context before the job, the job before the device. */
	Device device_;
	Work work_;
	Context context_;
	CompletionPage page_;
};

Result<void> ContextClient::open(const std::string &device)
{
	auto opened = Device::open(device);

	if (!opened)
		return forward(opened);
	note_file();
	device_ = std::move(*opened);
	auto work = Work::create(device_, behaviour().program);
	if (!work)
		return forward(work);
	work_ = std::move(*work);
	auto context = Context::create(
		device_, {.sched_class = behaviour().sched_class, .weight = behaviour().weight});
	if (!context)
		return forward(context);
	context_ = std::move(*context);
	auto page = context_.page();
	if (!page)
		return forward(page);
	page_ = std::move(*page);
	return {};
}

Result<void> ContextClient::submit(std::uint64_t /*now*/, std::uint64_t deadline_ns)
{
	auto seqno = context_.queue(work_.job(), {.deadline = to_deadline(deadline_ns)});

	if (!seqno)
		return forward(seqno);
	return {};
}

Result<void> ContextClient::collect(std::uint64_t /*now*/, std::vector<Sample> &samples)
{
	const std::uint64_t ended = page_.completed();

	while (samples.size() < ended) {
		auto status = context_.wait(samples.size() + 1, Deadline::immediately());
		if (!status)
			return forward(status);
		samples.push_back({.queued_ns = status->queued_ns,
				   .ended_ns = status->ended_ns,
				   .device_ns = status->device_ns});
	}
	return {};
}

Result<void> ContextClient::wait(std::uint64_t time) const
{
	if (idle()) {
		host_sleep_until(time);
		return {};
	}
	auto waited = context_.wait(submitted(), to_deadline(time));
	if (waited.failed())
		return forward(waited);
	return {};
}

Result<std::uint64_t> ContextClient::busy_ns() const
{
	auto statistics = context_.statistics();

	if (!statistics)
		return forward(statistics);
	return statistics->busy_ns;
}

} // namespace

Result<std::unique_ptr<Client>> Client::create(const std::string &device, Behaviour behaviour)
{
	if (behaviour.rocket)
		return create_rocket_client(device, std::move(behaviour));
	auto client = std::make_unique<ContextClient>(std::move(behaviour));
	if (auto opened = client->open(device); !opened)
		return forward(opened);
	return client;
}

void Client::note_file()
{
	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
		const std::uint64_t id = number_in(entry.path(), "drm-client-id:");

		if (id <= id_)
			continue;
		id_ = id;
		fdinfo_ = entry.path();
	}
}

std::uint64_t Client::ended_jobs() const
{
	return number_in(fdinfo_, "npu-jobs:");
}

void Client::start(std::uint64_t now)
{
	due_ = now + behaviour_.offset_ns;
}

Result<std::uint64_t> Client::poll(std::uint64_t now)
{
	if (auto done = collect(now, samples_); !done)
		return forward(done);
	if (stopped_)
		return never;
	const std::uint64_t period = behaviour_.period_ns;
	/* Clients of rocket wait for the results of a submit before the next. */
	const bool waits = !period || behaviour_.rocket;
	while (now >= due_ && (!waits || idle())) {
		if (auto done = submit(now, behaviour_.deadlines ? due_ + period : never); !done)
			return forward(done);
		submitted_++;
		due_ = behaviour_.rocket ? std::max(due_ + period, now) : due_ + period;
	}
	return !waits || now < due_ ? due_ : never;
}

} // namespace npu::bench::qos
