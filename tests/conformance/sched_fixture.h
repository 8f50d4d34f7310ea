/* SPDX-License-Identifier: MIT */
/// Classes, weights and deadlines: work that waits for one core, all on core 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "igt.h"
#include "program.h"

/// A cost for which each task is a slice, until it is known better.
inline constexpr std::uint32_t much = ~0u;
/// A product that the virtual device has done soon, but not at once.
inline constexpr Shape short_shape{8, 64, 32};

/// What a context is asked to be.
drm_npu_context_create hints(std::uint32_t sched_class, std::uint32_t weight = 0,
			     std::uint32_t core_mask = one_core);
/// A new context of it.
std::uint32_t create_context(const Device &device, drm_npu_context_create args);

/// CONTEXT_SET; answers 0 or a negative errno.
int set_context(const Device &device, const drm_npu_context_set &args);
int set_class(const Device &device, std::uint32_t context, std::uint32_t sched_class);
int set_weight(const Device &device, std::uint32_t context, std::uint32_t weight);

/// This process has no CAP_SYS_NICE from now on.
void drop_sys_nice();

/// A lane that is cut after each task.
Lane cut_lane(const Product &product, unsigned tasks);

/// A job that keeps a core until it is stopped.
class Blocker
{
public:
	/// @hold is closed, and holds the core that @args names.
	Blocker(const Hold &hold, const Device &device,
		drm_npu_context_create args = hints(DRM_NPU_CLASS_THROUGHPUT));
	~Blocker();
	Blocker(const Blocker &) = delete;
	Blocker &operator=(const Blocker &) = delete;

	/// Cancels it, which the hold lets pass: the time that it has held the core counts
	/// as its own.
	void stop() const;

	std::uint32_t context;

private:
	const Device &device_;
	Product product_;
};

/// A queue full of jobs that are cut into slices: more than a test lets pass.
class Endless
{
public:
	explicit Endless(const Device &device,
			 drm_npu_context_create args = hints(DRM_NPU_CLASS_THROUGHPUT),
			 std::uint64_t deadline_ns = 0);

	~Endless() { end(); }
	Endless(const Endless &) = delete;
	Endless &operator=(const Endless &) = delete;

	/// Whether it still has jobs.
	bool goes_on() const;
	std::uint64_t slices() const { return device_.state(context).slices; }
	/// Cancels all; returns when they have ended.
	void stop() const { CHECK_OK(end()); }

	std::uint32_t context;

private:
	int end() const;

	const Device &device_;
	Product product_;
	std::uint64_t last_ = 0;
};

/// Device time that contexts of two files got of the next @total_ns.
struct Shares {
	std::uint64_t first, second;
};
/// Needs device time that is modelled, or skips the subtest.
Shares shares(const Hold &hold, const Device &first_device, const std::vector<std::uint32_t> &first,
	      const Device &second_device, const std::vector<std::uint32_t> &second,
	      std::uint64_t total_ns = 30'000'000);

/// A job that waits for its turn.
struct Waiting {
	drm_npu_context_create args;
	std::uint64_t deadline_ns = 0;
	/// Out.
	std::uint32_t context = 0;
	std::uint64_t started_ns = 0;
};
/// Submits them in their order while the core is held, then sorts them by when they
/// were started. @change, if any, comes before the core is free.
std::vector<Waiting> start_order(const Device &device, const std::vector<Waiting> &waiting,
				 void (*change)(const Device &, std::vector<Waiting> &) = nullptr);

/// Waits until a context is served as that class: what went before may have left no
/// budget for latency work. False if it never is.
bool becomes(const Device &device, std::uint32_t context, std::uint32_t sched_class);

/// A parameter of the module npu; it is as before when the subtest ends.
class Parameter
{
public:
	/// Skips the subtest for anyone but root.
	Parameter(std::string name, const std::string &value);
	~Parameter();
	Parameter(const Parameter &) = delete;
	Parameter &operator=(const Parameter &) = delete;

	void set(const std::string &value) const;
	/// What it is, for anybody.
	static std::string get(const std::string &name);

private:
	std::string name_, before_;
};
