/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace npu::top
{

namespace
{

using Clients = std::map<std::uint64_t, const Client *>;

Clients by_id(const Sample &sample)
{
	Clients clients;

	for (const Process &process : sample.processes)
		for (const Client &client : process.clients)
			clients.emplace(client.id, &client);
	return clients;
}

/// The increase of a counter; 0 if it was reset, as when a device has been re-created.
std::uint64_t growth(std::uint64_t before, std::uint64_t after)
{
	return after > before ? after - before : 0;
}

double part(std::uint64_t ns, std::uint64_t whole)
{
	return whole ? std::min(static_cast<double>(ns) / static_cast<double>(whole), 1.0) : 0;
}

double per_second(std::uint64_t count, std::uint64_t ns)
{
	return ns ? static_cast<double>(count) * 1e9 / static_cast<double>(ns) : 0;
}

/// Adds the current state of @p client, and its activity since @p before.
void add(Row &row, const Client &client, const Client &before, std::uint64_t interval_ns,
	 std::uint64_t device_ns)
{
	row.load += part(growth(before.busy_ns, client.busy_ns), device_ns);
	for (std::size_t i = 0; i < class_count; i++)
		row.class_load[i] +=
			part(growth(before.class_ns[i], client.class_ns[i]), device_ns);
	row.jobs_per_second += per_second(growth(before.jobs, client.jobs), interval_ns);
	for (const auto &[region, memory] : client.memory) {
		row.memory[region].resident += memory.resident;
		row.memory[region].active += memory.active;
	}
	row.contexts += client.contexts;
	row.queued += client.queued;
	row.jobs += client.jobs;
	row.failed += client.failed;
	row.missed += client.missed;
	row.banned |= client.banned;
}

Row make_row(const Process &process, const Clients &before, std::uint64_t interval_ns,
	     std::uint64_t device_ns)
{
	const Client none;
	Row row;

	row.pid = process.pid;
	row.user = process.user;
	row.command = process.command;
	for (const Client &client : process.clients) {
		const auto found = before.find(client.id);
		add(row, client, found == before.end() ? none : *found->second, interval_ns,
		    device_ns);
	}
	return row;
}

double key(const Row &row, Order order)
{
	switch (order) {
	case Order::load:
		return row.load;
	case Order::memory:
		return static_cast<double>(row.resident("memory"));
	case Order::queue:
		return static_cast<double>(row.queued);
	case Order::missed:
		return static_cast<double>(row.missed);
	case Order::pid:
		break;
	}
	return 0;
}

} // namespace

Order next_order(Order order)
{
	return static_cast<Order>((static_cast<std::size_t>(order) + 1) % order_names.size());
}

std::uint64_t Row::resident(const std::string &region) const
{
	const auto found = memory.find(region);

	return found == memory.end() ? 0 : found->second.resident;
}

Snapshot compare(const Sample &before, const Sample &after)
{
	const std::uint64_t interval_ns = growth(before.activity.now_ns, after.activity.now_ns);
	const Clients clients = by_id(before);
	Snapshot snapshot;

	snapshot.name = after.name;
	snapshot.is_virtual = after.is_virtual;
	snapshot.interval_ns = interval_ns;
	for (std::size_t i = 0; i < after.cores.size(); i++)
		snapshot.cores.push_back(
			i < before.cores.size()
				? part(growth(before.cores[i].busy_ns, after.cores[i].busy_ns),
				       interval_ns)
				: 0);
	for (std::size_t i = 0; i < after.regions.size(); i++)
		snapshot.regions.push_back({.name = region_name(i),
					    .size = after.regions[i].size,
					    .used = after.regions[i].used});
	snapshot.clock_hz = after.clock_hz;
	snapshot.max_clock_hz = after.max_clock_hz;
	snapshot.temperature = after.temperature;
	snapshot.queued = after.activity.queued_jobs;
	snapshot.jobs = after.activity.ended_jobs;
	snapshot.jobs_per_second = per_second(
		growth(before.activity.ended_jobs, after.activity.ended_jobs), interval_ns);
	snapshot.failed = after.activity.failed_jobs;
	snapshot.missed = after.activity.missed_deadlines;
	snapshot.hangs = after.activity.hangs;
	snapshot.faults = after.activity.faults;
	snapshot.resets = after.activity.resets;
	snapshot.hidden = after.hidden;
	for (const Process &process : after.processes)
		snapshot.rows.push_back(
			make_row(process, clients, interval_ns, interval_ns * after.cores.size()));
	return snapshot;
}

void sort(Snapshot &snapshot, Order order)
{
	std::ranges::sort(snapshot.rows, [order](const Row &a, const Row &b) {
		const double first = key(a, order);
		const double second = key(b, order);

		return first != second ? first > second : a.pid < b.pid;
	});
}

} // namespace npu::top
