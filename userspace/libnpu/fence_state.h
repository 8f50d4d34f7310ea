/* SPDX-License-Identifier: MIT */
/*
 * State shared by the copies of a fence.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "context_state.h"
#include "npu/fence.h"

namespace npu
{

/// A syncobj of the pool, returned to it by the destructor.
class PooledSyncobj
{
public:
	static Result<PooledSyncobj> take(std::shared_ptr<Driver> driver);

	~PooledSyncobj();
	PooledSyncobj(PooledSyncobj &&other) noexcept
		: driver_(std::move(other.driver_)), handle_(std::exchange(other.handle_, 0))
	{
	}
	PooledSyncobj &operator=(PooledSyncobj &&) = delete;
	PooledSyncobj(const PooledSyncobj &) = delete;
	PooledSyncobj &operator=(const PooledSyncobj &) = delete;

	std::uint32_t handle() const { return handle_; }

private:
	PooledSyncobj(std::shared_ptr<Driver> driver, std::uint32_t handle)
		: driver_(std::move(driver)), handle_(handle)
	{
	}

	std::shared_ptr<Driver> driver_;
	std::uint32_t handle_;
};

class Fence::State
{
public:
	virtual ~State() = default;
	State(const State &) = delete;
	State &operator=(const State &) = delete;

	virtual Result<UniqueFd> fd() const = 0;
	virtual WaitResult<JobStatus> wait(Deadline deadline) const = 0;
	virtual std::uint64_t seqno() const { return 0; }
	/// The handle of a syncobj of @p driver that has the fence, 0 if there is none.
	virtual std::uint32_t handle_in(const Driver & /*driver*/) const { return 0; }

protected:
	State() = default;
};

/// A fence that signals at the end of a submit.
class SubmitFence final : public Fence::State
{
public:
	/// @p jobs is the number of jobs in the submit.
	SubmitFence(const std::shared_ptr<ContextState> &context, PooledSyncobj syncobj,
		    std::size_t jobs);

	std::uint32_t handle() const { return syncobj_.handle(); }
	/// Stores the number of the last job, before the fence is published.
	void set_seqno(std::uint64_t seqno) { seqno_ = seqno; }

	Result<UniqueFd> fd() const override;
	WaitResult<JobStatus> wait(Deadline deadline) const override;
	std::uint64_t seqno() const override { return seqno_; }
	std::uint32_t handle_in(const Driver &driver) const override;

private:
	JobStatus details() const;

	std::shared_ptr<Driver> driver_;
	/// For details(), while the context exists. An id alone could be reused by another context.
	std::weak_ptr<const ContextState> context_;
	PooledSyncobj syncobj_;
	std::uint64_t seqno_ = 0;
	std::size_t jobs_;
};

} // namespace npu
