/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What a context has done, read without a system call.
 */
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "npu/deadline.h"
#include "npu/error.h"
#include "npu/status.h"
#include "npu/wait.h"

#pragma GCC visibility push(default)
namespace npu
{

/// The completion page of a context. A value: copies share the mapping, which
/// also outlives the context.
///
/// Thread safety: all calls may come from any thread. fork: the child inherits the
/// mapping, which goes on to show what the parent's context does.
class CompletionPage
{
public:
	/// No page: nothing has completed, and a wait answers ENODEV.
	CompletionPage() = default;

	/// All jobs up to this one have ended, and what they wrote is visible.
	std::uint64_t completed() const;
	/// The newest job that ended with an error, 0 if none.
	std::uint64_t failed() const;
	/// The context takes no more jobs.
	bool banned() const;

	/// How job @p seqno ended, if the page still tells of it: it does of the
	/// last 32 that ended, or more with a later kernel.
	std::optional<JobStatus> times(std::uint64_t seqno) const;

	/// How long wait() looks at the page before it goes to sleep: about what
	/// going to sleep and waking up take, so that at worst it doubles. 0 where
	/// there is one processor, for nothing else can happen on it meanwhile.
	static std::chrono::nanoseconds default_spin();

	/// Wait until job @p seqno has ended or @p deadline has come, as Context::wait().
	/// Looks at the page for up to @p spin, which costs no system call when the job is
	/// short, then sleeps in the kernel. 0 as @p spin is for a single look.
	/// @retval ENOENT no such job, or none any more, or the context has gone
	WaitResult<JobStatus> wait(std::uint64_t seqno, Deadline deadline = Deadline::never(),
				   std::chrono::nanoseconds spin = default_spin()) const;

private:
	friend class Context;
	class [[gnu::visibility("hidden")]] Mapping;

	bool spin_until(std::uint64_t seqno, std::chrono::nanoseconds spin) const;

	std::shared_ptr<const Mapping> mapping_;
};

} // namespace npu
#pragma GCC visibility pop
