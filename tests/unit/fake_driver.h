/* SPDX-License-Identifier: MIT */
/*
 * A device without a kernel: implements the ioctls of libnpu with modelled cores; for one call at a
 * time.
 */
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <npu/driver.h>
#include <npu/job.h>
#include <npu_accel.h>

#include "fake_context.h"
#include "fake_syncs.h"
#include "machine.h"

namespace npu::test
{

class FakeDriver : public Driver
{
public:
	int ioctl(unsigned long request, void *argument) override;
	std::span<std::byte> map(std::size_t size, std::uint64_t offset, MapAccess access,
				 int &error) override;
	std::span<std::byte> map_dma_buf(int fd, std::size_t size, int &error) override;
	void unmap(std::span<std::byte> bytes) override;
	/// Ioctls of the dma-bufs and sync_files that this driver created.
	int file_ioctl(int fd, unsigned long request, void *argument) override;
	int wait_readable(int fd, Deadline deadline) override;

	/// Makes calls of @p request fail with @p error until it is set to 0.
	void fail(unsigned long request, int error) { failures_[request] = error; }
	/// Makes mapping fail with @p error until it is set to 0.
	void fail_map(int error) { map_error_ = error; }
	/// Makes the device disappear: call @p first from now on, counted from 0, fails with
	/// ENODEV, and so do all later ones if @p for_good. Calls that free objects are not counted
	/// and still free them, so that objects() shows what libnpu has not freed.
	void go_away(std::uint64_t first, bool for_good);
	/// Makes the device work again. @return whether a call failed
	bool come_back();
	/// Makes jobs end with @p error until it is set to 0.
	void fail_jobs(int error) { job_error_ = error; }
	/// Calls @p hook with the argument of each @p request before it is executed.
	void watch(unsigned long request, std::function<void(void *)> hook)
	{
		hooks_[request] = std::move(hook);
	}

	/// Keeps jobs queued from now on.
	void hold() { held_ = true; }
	/// Runs all queued jobs.
	void resume();
	/// The oldest context.
	FakeContext &context() { return contexts_.begin()->second; }

	/// Creates a dma-buf of @p size bytes of another device. \return its descriptor
	int foreign_dma_buf(std::size_t size);
	/// The bytes of foreign dma-buf @p fd.
	std::span<std::byte> foreign_bytes(int fd) { return foreign_.at(fd); }
	/// The acquire fences of jobs on foreign dma-bufs.
	const std::vector<FakeFencePtr> &acquired() const { return acquired_; }
	/// Syncobjs and sync_files.
	FakeSyncs &syncs() { return syncs_; }

	/// Adds on-chip memory of @p size bytes; bandwidths are in bytes a second.
	void add_sram(std::uint64_t size, std::uint64_t core, std::uint64_t system,
		      std::uint64_t chip);

	/// Number of objects that clients have not released, without syncobjs.
	std::size_t objects() const
	{
		return buffers_.size() + jobs_.size() + contexts_.size() + maps_;
	}
	/// Number of submits so far.
	std::uint64_t submits() const { return submits_; }

private:
	struct BufferRecord {
		std::uint32_t address = 0;
		std::uint32_t flags = 0;
		/// The foreign dma-buf, else negative.
		int fd = -1;
		std::uint32_t residency = DRM_NPU_RESIDENCY_NONE;
		std::uint32_t priority = 0;
	};

	/// A job in a queue, which outlives the job's id.
	struct Queued {
		std::uint32_t context;
		std::vector<Lane> lanes;
		/// Signals at the end of the last job of the submit.
		FakeFencePtr fence;
		bool last;
		/// The fences that the job waits for.
		std::vector<FakeFencePtr> in;
	};

	int dispatch(unsigned long request, void *argument);
	bool gone() const { return calls_ >= lost_from_ && calls_ < lost_to_; }
	bool lost();
	int query(drm_npu_query &args);
	int query_buffer(drm_npu_query &args);
	int create_buffer(drm_npu_bo_create &args);
	int close_buffer(std::uint32_t handle);
	int export_buffer(drm_prime_handle &args);
	int import_buffer(drm_prime_handle &args);
	int wait_buffer(const drm_npu_bo_wait &args) const;
	int place_buffer(const drm_npu_bo_residency &args);
	int sync_buffer(const drm_npu_bo_sync &args);
	int create_context(drm_npu_context_create &args);
	int set_context(const drm_npu_context_set &args);
	int create_job(drm_npu_job_create &args);
	int submit(drm_npu_job_submit &args);
	void destroy_context(std::uint32_t id);
	int dma_buf_ioctl(int fd, unsigned long request, void *argument);
	bool is_foreign(int fd) const;
	FakeResult run(const std::vector<Lane> &lanes);

	static constexpr auto no_call = std::numeric_limits<std::uint64_t>::max();

	/// Serialises calls of several threads.
	std::mutex mutex_;
	Machine machine_;
	std::map<unsigned long, int> failures_;
	std::map<unsigned long, std::function<void(void *)>> hooks_;
	int map_error_ = 0;
	int job_error_ = 0;
	/// Number of calls so far, and the range of calls that fail with ENODEV.
	std::uint64_t calls_ = 0;
	std::uint64_t lost_from_ = no_call;
	std::uint64_t lost_to_ = no_call;
	bool held_ = false;
	std::map<std::uint32_t, BufferRecord> buffers_;
	std::map<std::uint32_t, std::vector<Lane>> jobs_;
	std::map<std::uint32_t, FakeContext> contexts_;
	std::vector<Queued> queue_;
	/// Handles of exported dma-bufs, by descriptor.
	std::map<int, std::uint32_t> exported_;
	std::map<int, std::vector<std::byte>> foreign_;
	FakeSyncs syncs_;
	std::vector<FakeFencePtr> acquired_;
	std::vector<std::shared_ptr<drm_npu_context_page>> mapped_pages_;
	std::vector<drm_npu_query_region> regions_{1};
	std::uint64_t core_bandwidth_ = 0;
	std::size_t maps_ = 0;
	std::uint64_t submits_ = 0;
	std::uint32_t next_ = 1;
};

} // namespace npu::test
