/* SPDX-License-Identifier: MIT */
#include "bench_create.h"

#include <algorithm>
#include <array>

#include <npu/buffer.h>
#include <npu/job.h>
#include <rknn/registers.h>

#include "small_job.h"

namespace npu::bench
{

namespace
{

using Clock = std::chrono::steady_clock;

constexpr std::array<std::uint32_t, 4> counts{1, 16, 256, 4095};

/// One round: nanoseconds to make a job of @p lane and destroy it.
Result<double> measure_job(const Device &device, const Lane &lane, std::chrono::milliseconds time)
{
	const auto start = Clock::now();
	std::uint32_t jobs = 0;
	Clock::duration passed{};

	do {
		auto job = Job::create(device, std::span(&lane, 1));

		if (!job)
			return forward(job);
		jobs++;
		passed = Clock::now() - start;
	} while (passed < time);
	return std::chrono::duration<double, std::nano>(passed).count() / jobs;
}

} // namespace

Result<std::vector<CreateRow>> measure_create(const Device &device, std::uint32_t rounds,
					      std::chrono::milliseconds time)
{
	auto buffer = Buffer::create(device, small_job::buffer_bytes);
	if (!buffer)
		return forward(buffer);
	const Task task{small_job::stream(buffer->address(), buffer->address()),
			rknn::enable_convolution};

	std::array<std::vector<double>, counts.size()> times;

	/* Interleave the rows, so that noise from the host affects all of them equally. */
	for (std::uint32_t round = 0; round < rounds; round++)
		for (std::size_t i = 0; i < counts.size(); i++) {
			auto ns = measure_job(device, Lane(counts[i], task), time);

			if (!ns)
				return forward(ns);
			times[i].push_back(*ns);
		}

	std::vector<CreateRow> rows;
	for (std::size_t i = 0; i < counts.size(); i++) {
		std::ranges::sort(times[i]);
		const double median = times[i][times[i].size() / 2];

		rows.push_back({counts[i], static_cast<std::uint32_t>(task.commands.size()), median,
				median / counts[i]});
	}
	return rows;
}

} // namespace npu::bench
