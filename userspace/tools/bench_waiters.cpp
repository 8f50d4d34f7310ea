/* SPDX-License-Identifier: MIT */
#include "bench_waiters.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/job.h>
#include <rknn/registers.h>

#include "small_job.h"

namespace npu::bench
{

namespace
{

/// A file of the driver in debugfs.
class DebugFile
{
public:
	static Result<DebugFile> find(const std::string &name)
	{
		for (const char *nodes : {"/sys/kernel/debug/accel", "/sys/kernel/debug/dri"}) {
			std::error_code error;

			for (const auto &entry : std::filesystem::directory_iterator(nodes, error))
				if (std::filesystem::exists(entry.path() / name, error))
					return DebugFile(entry.path() / name);
		}
		return fail(ENOENT, "there is no " + name + " in debugfs; are you root?");
	}

	Result<void> write(const std::string &text) const
	{
		if (std::ofstream file(path_); !(file << text << std::flush))
			return fail(EACCES, "cannot write " + path_.string());
		return {};
	}

	Result<std::uint64_t> read() const
	{
		std::uint64_t value = 0;

		if (!(std::ifstream(path_) >> value))
			return fail(EACCES, "cannot read " + path_.string());
		return value;
	}

	const std::filesystem::path &path() const { return path_; }

private:
	explicit DebugFile(std::filesystem::path path) : path_(std::move(path)) {}

	std::filesystem::path path_;
};

/// Holds back the end of jobs until open().
class ClosedGate
{
public:
	explicit ClosedGate(const DebugFile &file) : file_(file.path())
	{
		file_ << "4294967295 0" << std::flush;
	}

	bool closed() const { return file_.good(); }
	void open() { file_ << "0 0" << std::flush; }

private:
	std::ofstream file_;
};

/// One round: the longest time with interrupts off at the end of a job with @p threads waiters.
Result<std::uint64_t> measure_end(Context &context, const Job &job, std::uint32_t threads,
				  const DebugFile &gate_file, const DebugFile &longest)
{
	/* Time for the last thread to enter the wait after it has counted itself. */
	constexpr std::chrono::milliseconds last_steps(50);
	ClosedGate gate(gate_file);
	std::atomic<std::uint32_t> waiting = 0, failed = 0;

	if (!gate.closed())
		return fail(EACCES, "cannot write " + gate_file.path().string());
	auto seqno = context.queue(job);
	if (!seqno)
		return forward(seqno);
	{
		std::vector<std::jthread> waiters;

		waiters.reserve(threads);
		for (std::uint32_t i = 0; i < threads; i++)
			waiters.emplace_back([&] {
				waiting++;
				failed += !context.wait(*seqno);
			});
		while (waiting < threads)
			std::this_thread::yield();
		std::this_thread::sleep_for(last_steps);
		if (auto begun = longest.write("1"); !begun)
			return forward(begun);
		gate.open();
	}
	if (failed)
		return fail(EIO, "a wait has failed");
	return longest.read();
}

} // namespace

Result<std::vector<WaitersRow>> measure_waiters(const Device &device, std::uint32_t rounds,
						const std::vector<std::uint32_t> &threads)
{
	auto gate = DebugFile::find("gate");
	auto longest = DebugFile::find("longest");
	if (!gate)
		return forward(gate);
	if (!longest)
		return forward(longest);
	auto context = Context::create(device);
	auto buffer = Buffer::create(device, small_job::buffer_bytes);
	if (!context)
		return forward(context);
	if (!buffer)
		return forward(buffer);
	const std::vector<std::uint64_t> stream =
		small_job::stream(buffer->address(), buffer->address());
	const Lane lane{Task{stream, rknn::enable_convolution}};
	auto job = Job::create(device, std::span(&lane, 1));
	if (!job)
		return forward(job);

	std::vector<WaitersRow> rows;
	for (const std::uint32_t count : threads) {
		std::vector<std::uint64_t> times;

		for (std::uint32_t round = 0; round < rounds; round++) {
			auto time = measure_end(*context, *job, count, *gate, *longest);

			if (!time)
				return forward(time);
			times.push_back(*time);
		}
		std::ranges::sort(times);
		rows.push_back({count, times.back(), times[times.size() / 2]});
	}
	if (auto off = longest->write("0"); !off)
		return forward(off);
	return rows;
}

} // namespace npu::bench
