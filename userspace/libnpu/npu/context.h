/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Ordered queues of jobs.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "npu/deadline.h"
#include "npu/device.h"
#include "npu/error.h"
#include "npu/fence.h"
#include "npu/info.h"
#include "npu/job.h"
#include "npu/page.h"
#include "npu/sync.h"
#include "npu/wait.h"

#pragma GCC visibility push(default)
namespace npu
{

class [[gnu::visibility("hidden")]] ContextState;

/// What goes with a submit. The spans are only looked at during the call.
struct SubmitOptions {
	/// When the jobs should have ended. Those with a deadline go before others of their
	/// class; they are not cancelled after it.
	Deadline deadline = Deadline::never();
	/// What the first job waits for. If one signals an error, the jobs do not run and
	/// end with it.
	std::span<const InSync> in = {}; // NOLINT(readability-redundant-member-init)
	/// What signals when the last job has ended, with the error of the first that failed.
	std::span<const OutSync> out = {}; // NOLINT(readability-redundant-member-init)
};

/// A queue: its jobs run one after the other, the lanes of each side by side.
/// Moves, does not copy. Its destructor cancels the jobs that have not started, lets the
/// others end, and waits for none of them.
///
/// Thread safety: all calls but moves may come from any thread; submits of several
/// threads are in some order. fork: see Driver.
class Context
{
public:
	/// Options of a new context.
	struct Options {
		/// Cores to use, one bit each; 0 means all.
		std::uint32_t core_mask = 0;
		/// Unfinished jobs at a time; 0 means the device's limit.
		std::uint32_t max_queued = 0;
		/// Scheduling class of its jobs.
		SchedClass sched_class = SchedClass::throughput;
		/// Share in proportion to others of its class, up to @ref max_weight; 0 means
		/// @ref default_weight, and without CAP_SYS_NICE no more is granted.
		std::uint32_t weight = 0;
	};

	/// Weight of a context that asks for none.
	static constexpr std::uint32_t default_weight = 100;
	/// The largest weight.
	static constexpr std::uint32_t max_weight = 10000;

	/// Creates a context on @p device.
	/// @retval EINVAL a core that does not exist, too many jobs, too much weight
	/// @retval ENOSPC no room for more contexts
	/// @retval EIO the device handle is banned: its jobs hung or faulted too often
	static Result<Context> create(const Device &device, const Options &options);
	/// As create(), with the defaults of Options.
	static Result<Context> create(const Device &device) { return create(device, Options()); }

	/// No context: each call answers ENODEV.
	Context() = default;
	/// Cancels the jobs that have not started, lets the others end, and waits for none of
	/// them.
	~Context() = default;
	/// Leaves @p other without a context.
	Context(Context &&other) noexcept = default;
	/// Releases the context held before as the destructor does, and leaves @p other without
	/// one.
	Context &operator=(Context &&other) noexcept = default;
	Context(const Context &) = delete;
	Context &operator=(const Context &) = delete;

	/// Queue @p jobs, in their order, all or none; a job may be there more than
	/// once. Many at a time cost little more than one.
	/// @return the fence of all of them
	/// @retval EBUSY the queue is full; wait for an earlier job
	/// @retval E2BIG more jobs or syncs than a submit, or the queue, may have
	/// @retval EINVAL no jobs, or an in-sync that has no fence yet
	/// @retval EIO the device handle is banned: its jobs hung or faulted too often
	/// @retval ENODEV the device is gone
	Result<Fence> submit(std::span<const Job *const> jobs, const SubmitOptions &options = {});
	/// Queue @p job.
	Result<Fence> submit(const Job &job, const SubmitOptions &options = {});

	/// As submit(), without a fence: the cheapest, one system call. wait() and page()
	/// tell how the jobs are.
	/// @return the sequence number of the last job
	Result<std::uint64_t> queue(std::span<const Job *const> jobs,
				    const SubmitOptions &options = {});
	/// Queue @p job.
	Result<std::uint64_t> queue(const Job &job, const SubmitOptions &options = {});

	/// Set the class. Applies to what no core has been given yet.
	Result<void> set_class(SchedClass sched_class);
	/// Set the weight; see Options::weight.
	/// @retval EINVAL more than @ref max_weight
	Result<void> set_weight(std::uint32_t weight);

	/// Wait until job @p seqno has ended or @p deadline has come. If the job ended
	/// with an error, so does this. The newest max_queued that have ended can be asked for.
	/// @return how far the job is then; no value if the call itself failed
	/// @retval ENOENT not submitted, or ended too long ago
	WaitResult<JobStatus> wait(std::uint64_t seqno,
				   Deadline deadline = Deadline::never()) const;

	/// End jobs @p first to @p last with ECANCELED: those that wait at their
	/// turn, those that run when the slices that cores have of them end.
	/// @return how many had not ended
	/// @retval ENOENT @p last was not submitted
	/// @retval EINVAL @p first is 0 or above @p last
	Result<std::uint32_t> cancel(std::uint64_t first, std::uint64_t last);

	/// Map the completion page.
	Result<CompletionPage> page() const;

	/// State and statistics.
	Result<ContextStatistics> statistics() const;

	/// Its id in the open device, for calls of npu/raw.h; 0 if it is none.
	std::uint32_t id() const;

private:
	std::shared_ptr<ContextState> state_;
};

} // namespace npu
#pragma GCC visibility pop
