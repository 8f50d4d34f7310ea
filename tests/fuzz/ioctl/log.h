/* SPDX-License-Identifier: MIT */
/// The log: calls, violations and counts.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>

#include "calls.h"

namespace fuzz
{

/// Thread-safe.
class Log
{
public:
	/// Appends calls to @path, unless it is empty.
	explicit Log(const std::string &path);
	~Log();
	Log(const Log &) = delete;
	Log &operator=(const Log &) = delete;

	bool wants_calls() const { return fd_ >= 0; }
	void call(const std::string &line);

	/// Reports a violation; @line describes it, @calls are the previous calls.
	void violation(const std::string &line, const std::string &calls);
	unsigned violations() const { return violations_; }

	void count(Id id, int result);
	/// Calls so far.
	unsigned long calls() const { return calls_; }
	void count_injected() { injected_++; }
	/// Prints the table of counts. @return the number of calls that never succeeded, or that
	/// succeeded but must not
	unsigned print_counts() const;

private:
	static constexpr std::size_t errors = 140;

	int fd_ = -1;
	std::mutex mutex_;
	std::atomic<unsigned> violations_ = 0;
	std::atomic<unsigned long> calls_ = 0;
	std::atomic<unsigned long> injected_ = 0;
	std::array<std::array<std::atomic<unsigned long>, errors>, call_count> counts_{};
};

/// The name of the positive errno @error.
std::string error_name(int error);

} // namespace fuzz
