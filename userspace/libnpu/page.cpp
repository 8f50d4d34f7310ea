/* SPDX-License-Identifier: MIT */
#include "npu/page.h"

#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>

#include "job_wait.h"
#include "page_mapping.h"

namespace npu
{

namespace
{

using Clock = std::chrono::steady_clock;

/*
 * Loads a value that the kernel may write concurrently. std::atomic_ref needs a writable object,
 * but the page is mapped read-only.
 */
template <typename T>
T load(const T &value, int order)
{
	return __atomic_load_n(&value, order);
}

/// Hints to the CPU that the caller spins.
void relax()
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	asm volatile("yield");
#endif
}

/// Calls @p read; on CPUs where a 64 bit load may tear, repeats it until the page's sequence shows
/// that the kernel did not write meanwhile.
template <typename Read>
auto whole(const drm_npu_context_page &page, const Read &read)
{
	if constexpr (sizeof(void *) >= sizeof(std::uint64_t))
		return read();
	for (;;) {
		const std::uint32_t before = load(page.sequence, __ATOMIC_ACQUIRE);
		const auto value = read();

		std::atomic_thread_fence(std::memory_order_acquire);
		if (before % 2 == 0 && load(page.sequence, __ATOMIC_RELAXED) == before)
			return value;
		relax();
	}
}

/// The entry of the page that job @p seqno uses, perhaps overwritten by a later job.
const drm_npu_page_job &entry(const drm_npu_context_page &page, std::uint64_t seqno)
{
	const auto *bytes = reinterpret_cast<const std::byte *>(&page);

	return *reinterpret_cast<const drm_npu_page_job *>(
		bytes + page.jobs_offset + seqno % page.job_count * page.job_stride);
}

/// The times in @p job if it is the entry of job @p seqno.
std::optional<JobStatus> times_of(const drm_npu_page_job &job, std::uint64_t seqno)
{
	JobStatus status;

	/* The kernel stores 0 while it updates the entry. */
	if (!seqno || load(job.seqno, __ATOMIC_ACQUIRE) != seqno)
		return {};
	status.state = JobState::ended;
	status.error = static_cast<int>(load(job.error, __ATOMIC_RELAXED));
	status.queued_ns = load(job.queued_ns, __ATOMIC_RELAXED);
	status.started_ns = load(job.started_ns, __ATOMIC_RELAXED);
	status.ended_ns = load(job.ended_ns, __ATOMIC_RELAXED);
	status.device_ns = load(job.device_ns, __ATOMIC_RELAXED);
	/* Order the loads above before the check that the entry was not reused. */
	std::atomic_thread_fence(std::memory_order_acquire);
	if (load(job.seqno, __ATOMIC_RELAXED) != seqno)
		return {};
	return status;
}

} // namespace

std::uint64_t CompletionPage::completed() const
{
	if (!mapping_)
		return 0;
	const drm_npu_context_page &page = mapping_->page();

	return whole(page, [&] { return load(page.completed_seqno, __ATOMIC_ACQUIRE); });
}

std::uint64_t CompletionPage::failed() const
{
	if (!mapping_)
		return 0;
	const drm_npu_context_page &page = mapping_->page();

	return whole(page, [&] { return load(page.failed_seqno, __ATOMIC_ACQUIRE); });
}

bool CompletionPage::banned() const
{
	return mapping_ && load(mapping_->page().flags, __ATOMIC_ACQUIRE) & DRM_NPU_CONTEXT_BANNED;
}

std::optional<JobStatus> CompletionPage::times(std::uint64_t seqno) const
{
	if (!mapping_)
		return {};
	const drm_npu_context_page &page = mapping_->page();

	return whole(page, [&] { return times_of(entry(page, seqno), seqno); });
}

/// Polls the page for up to @p spin. \return whether @p seqno has ended
bool CompletionPage::spin_until(std::uint64_t seqno, std::chrono::nanoseconds spin) const
{
	/* Reading the clock may be a system call: only do so every few polls. */
	constexpr int looks_per_clock = 64;

	if (completed() >= seqno)
		return true;
	if (spin <= spin.zero())
		return false;
	const auto end = Clock::now() + spin;
	do {
		for (int i = 0; i < looks_per_clock; i++) {
			if (completed() >= seqno)
				return true;
			relax();
		}
	} while (Clock::now() < end);
	return false;
}

std::chrono::nanoseconds CompletionPage::default_spin()
{
	static const bool alone = std::thread::hardware_concurrency() == 1;

	return alone ? std::chrono::microseconds(0) : std::chrono::microseconds(20);
}

WaitResult<JobStatus> CompletionPage::wait(std::uint64_t seqno, Deadline deadline,
					   std::chrono::nanoseconds spin) const
{
	if (!mapping_)
		return fail(ENODEV, "the completion page is empty: it was not mapped");
	if (spin_until(seqno, spin))
		if (const auto status = times(seqno))
			return end_of(seqno, *status);
	return job_wait(mapping_->driver(), mapping_->context(), seqno, deadline);
}

} // namespace npu
