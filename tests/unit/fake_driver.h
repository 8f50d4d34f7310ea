/* SPDX-License-Identifier: MIT */
/*
 * A device without a kernel: libnpu's calls on modelled cores, one at a time.
 */
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include <npu/driver.h>
#include <npu/job.h>
#include <npu_accel.h>

#include "machine.h"

namespace npu::test
{

class FakeDriver final : public Driver
{
public:
	int ioctl(unsigned long request, void *argument) override;
	std::span<std::byte> map(std::size_t size, std::uint64_t offset, int &error) override;
	void unmap(std::span<std::byte> bytes) override;

	/// Calls of @p request fail with @p error from now on; 0 ends that.
	void fail(unsigned long request, int error) { failures_[request] = error; }

	/// Objects that clients have not given back.
	std::size_t objects() const
	{
		return buffers_.size() + jobs_.size() + contexts_.size() + syncobjs_.size() + maps_;
	}
	/// Submits so far.
	std::uint64_t submits() const { return submits_; }

private:
	int query(drm_npu_query &args);
	int create_job(drm_npu_job_create &args);
	int submit(drm_npu_job_submit &args);

	Machine machine_;
	std::map<unsigned long, int> failures_;
	/// Addresses by handle.
	std::map<std::uint32_t, std::uint32_t> buffers_;
	std::map<std::uint32_t, std::vector<Lane>> jobs_;
	std::map<std::uint32_t, drm_npu_query_context> contexts_;
	/// Newest points that have signalled, by handle.
	std::map<std::uint32_t, std::uint64_t> syncobjs_;
	std::size_t maps_ = 0;
	std::uint64_t submits_ = 0;
	std::uint32_t next_ = 1;
};

} // namespace npu::test
