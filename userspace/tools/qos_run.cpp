/* SPDX-License-Identifier: MIT */
#include "qos_run.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <thread>

namespace npu::bench::qos
{

namespace
{

/// Runs one client in host time until its last job has ended.
Result<void> run_by_itself(Client &client, std::uint64_t end)
{
	for (;;) {
		const std::uint64_t now = host_now();

		if (now >= end)
			client.stop();
		auto due = client.poll(now);
		if (!due)
			return forward(due);
		if (now >= end && client.idle())
			return {};
		const std::uint64_t wake = now < end ? std::min(*due, end) : never;
		/* Periodic clients do not wake up at the end of each job. */
		if (now < end && client.behaviour().period_ns)
			host_sleep_until(wake);
		else if (auto waited = client.wait(wake); !waited)
			return waited;
	}
}

Result<std::vector<std::uint64_t>> busy_of(const Clients &clients)
{
	std::vector<std::uint64_t> busy;

	for (const auto &client : clients) {
		auto ns = client->busy_ns();
		if (!ns)
			return forward(ns);
		busy.push_back(*ns);
	}
	return busy;
}

/// Runs each client in its own thread. \return their device times at @p end
Result<std::vector<std::uint64_t>> run_in_host_time(const Clients &clients, std::uint64_t end)
{
	Result<void> result;
	std::mutex mutex;
	std::vector<std::jthread> threads;

	for (const auto &client : clients)
		threads.emplace_back([&result, &mutex, &client, end] {
			auto done = run_by_itself(*client, end);
			const std::lock_guard lock(mutex);
			if (!done)
				result = forward(done);
		});
	host_sleep_until(end);
	auto busy = busy_of(clients);
	threads.clear();
	if (!result)
		return forward(result);
	return busy;
}

std::uint64_t last_end(const Clients &clients)
{
	std::uint64_t last = 0;

	for (const auto &client : clients)
		for (const Sample &sample : client->samples())
			last = std::max(last, sample.ended_ns);
	return last;
}

} // namespace

double Outcome::throughput() const
{
	const auto busy = std::accumulate(total_ns.begin(), total_ns.end(), std::uint64_t{0});

	return static_cast<double>(busy) / static_cast<double>(end_ns - begin_ns);
}

/* A single thread serves all clients: nothing happens between two steps of the time. */
Result<void> Runner::pass_model_time(const Clients &clients, std::uint64_t from,
				     std::uint64_t to) const
{
	for (std::uint64_t now = from;;) {
		std::uint64_t next = to;
		bool idle = true;

		for (const auto &client : clients) {
			auto due = client->poll(now);
			if (!due)
				return forward(due);
			next = std::min(next, *due);
			idle &= client->idle();
		}
		if (now >= to || (idle && next == never))
			return {};
		auto passed = clock_->pass(next);
		if (!passed)
			return forward(passed);
		now = *passed;
	}
}

Result<std::vector<std::uint64_t>>
Runner::run_in_model_time(const Clients &clients, std::uint64_t begin, std::uint64_t end) const
{
	if (auto done = pass_model_time(clients, begin, end); !done)
		return forward(done);
	auto busy = busy_of(clients);
	for (const auto &client : clients)
		client->stop();
	if (auto done = pass_model_time(clients, end, never); !done)
		return forward(done);
	return busy;
}

Result<Outcome> Runner::run(const std::vector<Behaviour> &behaviours,
			    std::uint64_t duration_ns) const
{
	Outcome outcome;

	for (const Behaviour &behaviour : behaviours) {
		auto client = Client::create(device_, behaviour);
		if (!client)
			return forward(client);
		outcome.clients.push_back(std::move(*client));
	}
	auto begin = clock_ ? clock_->now() : Result<std::uint64_t>(host_now());
	if (!begin)
		return forward(begin);
	outcome.begin_ns = *begin;
	for (const auto &client : outcome.clients)
		client->start(*begin);
	const std::uint64_t end = *begin + duration_ns;
	auto busy = clock_ ? run_in_model_time(outcome.clients, *begin, end)
			   : run_in_host_time(outcome.clients, end);
	if (!busy)
		return forward(busy);
	outcome.busy_ns = std::move(*busy);
	auto total = busy_of(outcome.clients);
	if (!total)
		return forward(total);
	outcome.total_ns = std::move(*total);
	outcome.end_ns = last_end(outcome.clients);
	return outcome;
}

} // namespace npu::bench::qos
