/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include <npu_accel.h>
#include <rocket_accel.h>

#include "fail_nth.h"
#include "syncobj_eventfd.h"

namespace fuzz
{

namespace
{

constexpr unsigned strict = call_strict, timed = call_timed, refused = call_refused;

/// Returned by shmem if it cannot allocate an inode.
const std::vector<int> no_inode = {ENOSPC};
/// Returned by the DRM core if it cannot allocate a sync_file.
const std::vector<int> no_sync_file = {EINVAL};

template <typename T, typename M>
Range field(M T::*member)
{
	static const T object{};
	auto begin = static_cast<std::size_t>(reinterpret_cast<const char *>(&(object.*member)) -
					      reinterpret_cast<const char *>(&object));

	return {begin, begin + sizeof(M)};
}

std::vector<Call> npu_calls()
{
	return {
		{"QUERY",
		 DRM_IOCTL_NPU_QUERY,
		 strict,
		 {EINVAL, ENOENT, E2BIG},
		 {field(&drm_npu_query::size)}},
		{"BO_CREATE",
		 DRM_IOCTL_NPU_BO_CREATE,
		 strict | timed,
		 {EINVAL, E2BIG, ENOSPC, EINTR},
		 {field(&drm_npu_bo_create::size), field(&drm_npu_bo_create::handle),
		  field(&drm_npu_bo_create::address), field(&drm_npu_bo_create::mmap_offset)},
		 no_inode},
		{"CONTEXT_CREATE",
		 DRM_IOCTL_NPU_CONTEXT_CREATE,
		 strict,
		 {EINVAL, ENOSPC, EIO},
		 {field(&drm_npu_context_create::context_id),
		  field(&drm_npu_context_create::page_offset)}},
		{"CONTEXT_DESTROY", DRM_IOCTL_NPU_CONTEXT_DESTROY, strict, {ENOENT, EINVAL}, {}},
		{"JOB_CREATE",
		 DRM_IOCTL_NPU_JOB_CREATE,
		 strict | timed,
		 {EINVAL, E2BIG, ENOSPC},
		 {field(&drm_npu_job_create::job_id)},
		 no_inode},
		{"JOB_DESTROY", DRM_IOCTL_NPU_JOB_DESTROY, strict, {ENOENT, EINVAL}, {}},
		{"JOB_SUBMIT",
		 DRM_IOCTL_NPU_JOB_SUBMIT,
		 strict | timed,
		 {ENOENT, EINVAL, E2BIG, EBUSY, EIO, EINTR},
		 {field(&drm_npu_job_submit::seqno)}},
		{"JOB_WAIT",
		 DRM_IOCTL_NPU_JOB_WAIT,
		 strict | timed,
		 {ENOENT, EINVAL, EINTR},
		 {{offsetof(drm_npu_job_wait, state), sizeof(drm_npu_job_wait)}}},
		{"JOB_CANCEL",
		 DRM_IOCTL_NPU_JOB_CANCEL,
		 strict,
		 {ENOENT, EINVAL},
		 {field(&drm_npu_job_cancel::cancelled)}},
		{"BO_WAIT",
		 DRM_IOCTL_NPU_BO_WAIT,
		 strict | timed,
		 {ENOENT, EINVAL, EBUSY, ETIMEDOUT, EINTR},
		 {}},
		{"BO_RESIDENCY",
		 DRM_IOCTL_NPU_BO_RESIDENCY,
		 strict | timed,
		 {ENOENT, EINVAL, EBUSY, ENOSPC, EOPNOTSUPP, EINTR},
		 {}},
		{"CONTEXT_SET", DRM_IOCTL_NPU_CONTEXT_SET, strict, {ENOENT, EINVAL}, {}},
		{"BO_SYNC", DRM_IOCTL_NPU_BO_SYNC, strict, {ENOENT, EINVAL, EOPNOTSUPP}, {}},
	};
}

std::vector<Call> rocket_calls()
{
	return {
		{"ROCKET_CREATE_BO",
		 DRM_IOCTL_ROCKET_CREATE_BO,
		 strict,
		 {EINVAL, E2BIG, ENOSPC},
		 {{offsetof(drm_rocket_create_bo, handle), sizeof(drm_rocket_create_bo)}},
		 no_inode},
		{"ROCKET_SUBMIT",
		 DRM_IOCTL_ROCKET_SUBMIT,
		 strict | timed,
		 {EINVAL, E2BIG, ENOSPC, EIO, EINTR},
		 {}},
		{"ROCKET_PREP_BO",
		 DRM_IOCTL_ROCKET_PREP_BO,
		 strict | timed,
		 {EINVAL, ENOENT, EBUSY, ETIMEDOUT, EINTR},
		 {}},
		{"ROCKET_FINI_BO", DRM_IOCTL_ROCKET_FINI_BO, strict, {EINVAL, ENOENT}, {}},
	};
}

/* Errors of the DRM core are those in its source, Linux 6.12 and later. */
std::vector<Call> core_calls()
{
	return {
		{"GEM_CLOSE", DRM_IOCTL_GEM_CLOSE, 0, {EINVAL}, {}},
		{"PRIME_HANDLE_TO_FD",
		 DRM_IOCTL_PRIME_HANDLE_TO_FD,
		 timed,
		 {EINVAL, ENOENT, EMFILE, EBUSY, EINTR},
		 {}},
		{"PRIME_FD_TO_HANDLE",
		 DRM_IOCTL_PRIME_FD_TO_HANDLE,
		 0,
		 {EINVAL, EBADF, E2BIG, ENOSPC, EOPNOTSUPP, EINTR},
		 {}},
		{"SYNCOBJ_CREATE", DRM_IOCTL_SYNCOBJ_CREATE, 0, {EINVAL}, {}},
		{"SYNCOBJ_DESTROY", DRM_IOCTL_SYNCOBJ_DESTROY, 0, {EINVAL}, {}},
		{"SYNCOBJ_HANDLE_TO_FD",
		 DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD,
		 timed,
		 {EINVAL, ENOENT, EMFILE},
		 {},
		 no_sync_file},
		{"SYNCOBJ_FD_TO_HANDLE",
		 DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE,
		 0,
		 {EINVAL, ENOENT, EBADF},
		 {}},
		{"SYNCOBJ_WAIT", DRM_IOCTL_SYNCOBJ_WAIT, timed, {EINVAL, ENOENT, ETIME, EINTR}, {}},
		{"SYNCOBJ_TIMELINE_WAIT",
		 DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT,
		 timed,
		 {EINVAL, ENOENT, ETIME, EINTR},
		 {}},
		{"SYNCOBJ_RESET", DRM_IOCTL_SYNCOBJ_RESET, 0, {EINVAL, ENOENT}, {}},
		{"SYNCOBJ_SIGNAL", DRM_IOCTL_SYNCOBJ_SIGNAL, 0, {EINVAL, ENOENT}, {}},
		{"SYNCOBJ_TIMELINE_SIGNAL",
		 DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL,
		 0,
		 {EINVAL, ENOENT},
		 {}},
		{"SYNCOBJ_QUERY", DRM_IOCTL_SYNCOBJ_QUERY, 0, {EINVAL, ENOENT}, {}},
		{"SYNCOBJ_TRANSFER",
		 DRM_IOCTL_SYNCOBJ_TRANSFER,
		 timed,
		 {EINVAL, ENOENT, ETIME, EINTR},
		 {}},
		{"SYNCOBJ_EVENTFD", DRM_IOCTL_SYNCOBJ_EVENTFD, timed, {EINVAL, ENOENT, EBADF}, {}},
		{"VERSION", DRM_IOCTL_VERSION, 0, {}, {}},
		{"GET_CAP", DRM_IOCTL_GET_CAP, 0, {EINVAL, EOPNOTSUPP}, {}},
		{"GET_UNIQUE", DRM_IOCTL_GET_UNIQUE, refused, {EACCES}, {}},
		{"GET_MAGIC", DRM_IOCTL_GET_MAGIC, refused, {EACCES}, {}},
		{"GEM_FLINK", DRM_IOCTL_GEM_FLINK, refused, {EACCES}, {}},
		{"GEM_OPEN", DRM_IOCTL_GEM_OPEN, refused, {EACCES}, {}},
		{"other core calls",
		 DRM_IO(0),
		 0,
		 {EINVAL, EACCES, EOPNOTSUPP, ENOSYS, EBUSY, ENOENT, ENOSPC},
		 {}},
		{"unknown", DRM_IO(0), refused, {EINVAL, ENOTTY}, {}},
	};
}

std::vector<Call> other_calls()
{
	return {
		{"open", 0, 0, {EACCES, EMFILE}, {}},
		{"dup", 0, 0, {EMFILE}, {}},
		{"mmap", 0, 0, {EINVAL, EACCES, EOVERFLOW}, {}},
		{"munmap", 0, 0, {}, {}},
		{"mprotect", 0, refused, {EACCES}, {}},
		{"poll", 0, 0, {EINTR}, {}},
		{"read", 0, refused | timed, {EAGAIN, EINTR}, {}},
		{"fork", 0, 0, {EAGAIN}, {}},
	};
}

std::vector<Call> make_table()
{
	std::vector<Call> table;

	for (auto &&part : {npu_calls(), rocket_calls(), core_calls(), other_calls()})
		table.insert(table.end(), part.begin(), part.end());
	return table;
}

} // namespace

std::span<const Call> all_calls()
{
	static const std::vector<Call> table = make_table();

	return table;
}

const Call &call_of(Id id)
{
	return all_calls()[static_cast<std::size_t>(id)];
}

bool may_answer(const Call &call, int error)
{
	/* Errors that any call may return, as the uAPI header says. */
	constexpr std::array always = {ENOMEM, ENODEV, EFAULT};

	return std::ranges::count(call.errors, error) || std::ranges::count(always, error);
}

bool may_starve(const Call &call, int error)
{
	return error == ENOMEM || (error == EFAULT && fail_nth_usercopy()) ||
	       std::ranges::count(call.starved, error);
}

} // namespace fuzz
