/* SPDX-License-Identifier: MIT */
/// The calls, and the errors that each of them may return.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fuzz
{

enum class Id : std::uint8_t {
	query,
	bo_create,
	context_create,
	context_destroy,
	job_create,
	job_destroy,
	job_submit,
	job_wait,
	job_cancel,
	bo_wait,
	bo_residency,
	context_set,
	bo_sync,
	rocket_create_bo,
	rocket_submit,
	rocket_prep_bo,
	rocket_fini_bo,
	gem_close,
	prime_handle_to_fd,
	prime_fd_to_handle,
	syncobj_create,
	syncobj_destroy,
	syncobj_handle_to_fd,
	syncobj_fd_to_handle,
	syncobj_wait,
	syncobj_timeline_wait,
	syncobj_reset,
	syncobj_signal,
	syncobj_timeline_signal,
	syncobj_query,
	syncobj_transfer,
	syncobj_eventfd,
	version,
	get_cap,
	get_unique,
	get_magic,
	gem_flink,
	gem_open,
	core_other,
	unknown,
	open,
	dup,
	mmap,
	munmap,
	mprotect,
	poll,
	read,
	fork,
};
inline constexpr std::size_t call_count = static_cast<std::size_t>(Id::fork) + 1;

/// A range of bytes in an argument.
struct Range {
	std::size_t begin, end;
};

enum CallFlags : unsigned {
	/// The call always fails.
	call_refused = 1 << 0,
	/// The result depends on the time.
	call_timed = 1 << 1,
	/// The call does not change its argument when it fails.
	call_strict = 1 << 2,
};

struct Call {
	const char *name;
	/// The number of an ioctl, or 0.
	unsigned long request;
	unsigned flags;
	/// Documented errors, in addition to those of all calls.
	std::vector<int> errors;
	/// Bytes that a successful strict call writes.
	std::vector<Range> outputs;
	/// Errors other than ENOMEM that other parts of the kernel return when an allocation fails.
	/// The default allows table entries to omit them.
	std::vector<int> starved = {}; // NOLINT(readability-redundant-member-init)
};

const Call &call_of(Id id);
std::span<const Call> all_calls();

/// Whether @call may fail with the positive errno @error.
bool may_answer(const Call &call, int error);
/// Whether it may fail with @error after an injected failure of an allocation or a copy.
bool may_starve(const Call &call, int error);

} // namespace fuzz
