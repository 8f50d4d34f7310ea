/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <cerrno>
#include <cstdio>
#include <functional>

#include <fcntl.h>
#include <rocket_accel.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../../conformance/igt.h"
#include "../../conformance/leak.h"
#include "../../conformance/program.h"
#include "calls.h"
#include "fail_nth.h"
#include "log.h"
#include "objects.h"
#include "stream.h"
#include "syncobj_eventfd.h"

namespace fuzz
{

namespace
{

/// Upper limit of the allocations of a call.
constexpr unsigned max_fail = 2000;

/// A call whose allocations fail in turn.
struct Step {
	Id id;
	/// Makes the call. prepare() recreates its arguments before, without failures.
	std::function<int()> make;
	std::function<void()> prepare = [] {
	};
	/// Reverts a successful call.
	std::function<void()> undo = [] {
	};
};

template <typename T>
int answer(int fd, unsigned long request, T &args)
{
	return ::ioctl(fd, request, &args) < 0 ? -errno : 0;
}

/// Objects that calls need, and the arguments of calls.
class Walk
{
public:
	Walk() : file_(File::open(0)), fd_(file_->fd())
	{
		context_ = file_->device.context();
		make_job_arguments();
		CHECK_OK(answer(fd_, DRM_IOCTL_NPU_JOB_CREATE, job_create_));
		job_ = job_create_.job_id;
		CHECK_OK(answer(fd_, DRM_IOCTL_SYNCOBJ_CREATE, syncobj_));
		CHECK_OK(answer(fd_, DRM_IOCTL_SYNCOBJ_CREATE, in_syncobj_));
	}
	/* Close the exported buffer, which would keep the device. */
	~Walk()
	{
		if (prime_.fd >= 0)
			close(prime_.fd);
	}
	Walk(const Walk &) = delete;
	Walk &operator=(const Walk &) = delete;

	std::vector<Step> steps();

private:
	void make_job_arguments();
	void add_npu(std::vector<Step> &to);
	void add_rocket(std::vector<Step> &to);
	void add_core(std::vector<Step> &to);
	void add_syncobj(std::vector<Step> &to);
	void add_file(std::vector<Step> &to);
	void submit_arguments();
	void rocket_arguments();
	void wait_idle();
	void close_fd(int &fd)
	{
		close(fd);
		fd = -1;
	}

	std::shared_ptr<File> file_;
	int fd_;
	std::uint32_t context_ = 0, job_ = 0;
	Stream words_;
	std::vector<drm_npu_task> tasks_;
	std::vector<drm_npu_lane> lanes_;
	drm_npu_job_create job_create_{};
	drm_npu_submit_job submit_job_[20]{};
	drm_npu_sync in_{}, out_[2]{};
	drm_npu_job_submit submit_{};
	drm_syncobj_create syncobj_{}, in_syncobj_{0, DRM_SYNCOBJ_CREATE_SIGNALED};
	std::uint64_t point_ = 1;

	drm_npu_bo_create bo_{};
	drm_npu_context_create context_create_{};
	drm_npu_query query_{};
	drm_rocket_create_bo rocket_bo_{};
	drm_rocket_task rocket_task_{};
	std::uint32_t rocket_in_[2]{}, rocket_out_[1]{};
	drm_rocket_job rocket_job_{};
	drm_rocket_submit rocket_submit_{};
	drm_prime_handle prime_{0, 0, -1};
	drm_syncobj_handle sync_handle_{};
	drm_syncobj_create made_{};
	std::uint64_t record_[64]{};
	void *map_ = nullptr;
	int opened_ = -1;
};

void Walk::make_job_arguments()
{
	words_ = valid_stream(file_->base);
	for (int i = 0; i < 2; i++)
		tasks_.push_back({reinterpret_cast<std::uintptr_t>(words_.data()),
				  static_cast<std::uint32_t>(words_.size()), enable_conv, 0, 0});
	for (int i = 0; i < 2; i++)
		lanes_.push_back(
			{reinterpret_cast<std::uintptr_t>(tasks_.data()), 2, sizeof(drm_npu_task)});
	job_create_.lanes = reinterpret_cast<std::uintptr_t>(lanes_.data());
	job_create_.lane_count = 2;
	job_create_.lane_stride = sizeof(drm_npu_lane);
}

/* Many jobs, so that preallocated arrays do not suffice; all kinds of syncs. */
void Walk::submit_arguments()
{
	for (drm_npu_submit_job &job : submit_job_)
		job.job_id = job_;
	in_ = {in_syncobj_.handle, 0, 0};
	out_[0] = {syncobj_.handle, 0, 0};
	out_[1] = {in_syncobj_.handle, 0, 0};
	submit_ = {};
	submit_.context_id = context_;
	submit_.jobs = reinterpret_cast<std::uintptr_t>(submit_job_);
	submit_.job_count = static_cast<std::uint32_t>(std::size(submit_job_));
	submit_.job_stride = sizeof(drm_npu_submit_job);
	submit_.in_syncs = reinterpret_cast<std::uintptr_t>(&in_);
	submit_.in_sync_count = 1;
	submit_.out_syncs = reinterpret_cast<std::uintptr_t>(out_);
	submit_.out_sync_count = 1;
	submit_.sync_stride = sizeof(drm_npu_sync);
}

void Walk::rocket_arguments()
{
	Stream words = words_;

	finish_rocket(words);
	std::ranges::copy(words, static_cast<std::uint64_t *>(file_->streams->data()));
	rocket_task_ = {file_->base.streams, static_cast<std::uint32_t>(words.size())};
	rocket_in_[0] = file_->base.features_id;
	rocket_in_[1] = file_->base.weights_id;
	rocket_out_[0] = file_->base.results_id;
	rocket_job_ = {reinterpret_cast<std::uintptr_t>(&rocket_task_),
		       reinterpret_cast<std::uintptr_t>(rocket_in_),
		       reinterpret_cast<std::uintptr_t>(rocket_out_),
		       1,
		       sizeof(rocket_task_),
		       2,
		       1};
	rocket_submit_ = {reinterpret_cast<std::uintptr_t>(&rocket_job_), 1, sizeof(rocket_job_),
			  0};
}

void Walk::wait_idle()
{
	drm_npu_bo_wait args{file_->base.results_id, 0, INT64_MAX};

	CHECK_OK(::call(fd_, DRM_IOCTL_NPU_BO_WAIT, &args));
}

void Walk::add_npu(std::vector<Step> &to)
{
	for (std::uint32_t type = 0; type < 8; type++)
		to.push_back({Id::query,
			      [this] { return answer(fd_, DRM_IOCTL_NPU_QUERY, query_); },
			      [this, type] {
				      query_ = {type, 0, sizeof(record_), 0,
						reinterpret_cast<std::uintptr_t>(record_)};
				      if (type == DRM_NPU_QUERY_CONTEXT)
					      query_.index = context_;
				      if (type == DRM_NPU_QUERY_BUFFER)
					      query_.index = file_->base.features_id;
			      }});
	auto close_bo = [this] {
		CHECK_OK(close_handle(fd_, bo_.handle));
	};
	auto make_bo = [this] {
		bo_ = {};
		bo_.size = 65536;
	};
	to.push_back({Id::bo_create, [this] { return answer(fd_, DRM_IOCTL_NPU_BO_CREATE, bo_); },
		      make_bo, close_bo});
	to.push_back({Id::gem_close, [this] { return close_handle(fd_, bo_.handle); },
		      [=, this] {
			      make_bo();
			      CHECK_OK(answer(fd_, DRM_IOCTL_NPU_BO_CREATE, bo_));
		      }});
	to.push_back({Id::context_create,
		      [this] { return answer(fd_, DRM_IOCTL_NPU_CONTEXT_CREATE, context_create_); },
		      [this] { context_create_ = {}; },
		      [this] {
			      CHECK_OK(file_->device.destroy_context(context_create_.context_id));
		      }});
	to.push_back({Id::context_set, [this] {
			      drm_npu_context_set args{context_,
						       DRM_NPU_CONTEXT_SET_CLASS |
							       DRM_NPU_CONTEXT_SET_WEIGHT,
						       DRM_NPU_CLASS_LATENCY, 7};

			      return answer(fd_, DRM_IOCTL_NPU_CONTEXT_SET, args);
		      }});
	to.push_back({Id::context_destroy,
		      [this] { return file_->device.destroy_context(context_create_.context_id); },
		      [this] {
			      context_create_.context_id = file_->device.context();
		      }});
	to.push_back({Id::job_create,
		      [this] { return answer(fd_, DRM_IOCTL_NPU_JOB_CREATE, job_create_); }, [] {},
		      [this] {
			      CHECK_OK(file_->device.destroy_job(job_create_.job_id));
		      }});
	to.push_back({Id::job_destroy,
		      [this] { return file_->device.destroy_job(job_create_.job_id); },
		      [this] {
			      CHECK_OK(answer(fd_, DRM_IOCTL_NPU_JOB_CREATE, job_create_));
		      }});
	auto submit = [this] {
		return answer(fd_, DRM_IOCTL_NPU_JOB_SUBMIT, submit_);
	};
	to.push_back({Id::job_submit, submit, [this] { submit_arguments(); },
		      [this] {
			      wait_idle();
		      }});
	to.push_back({Id::job_submit, submit,
		      [this] {
			      submit_arguments();
			      submit_.out_sync_count = 2;
			      out_[0].point = point_++;
		      },
		      [this] {
			      wait_idle();
		      }});
	to.push_back({Id::job_wait, [this] {
			      drm_npu_job_wait args{};

			      args.context_id = context_;
			      args.seqno = submit_.seqno;
			      args.timeout_ns = INT64_MAX;
			      return answer(fd_, DRM_IOCTL_NPU_JOB_WAIT, args);
		      }});
	to.push_back({Id::job_cancel, [this] {
			      drm_npu_job_cancel args{context_, 0, 1, submit_.seqno, 0, 0};

			      return answer(fd_, DRM_IOCTL_NPU_JOB_CANCEL, args);
		      }});
	to.push_back({Id::bo_wait, [this] {
			      drm_npu_bo_wait args{file_->base.results_id, 0, INT64_MAX};

			      return answer(fd_, DRM_IOCTL_NPU_BO_WAIT, args);
		      }});
	to.push_back({Id::bo_sync, [this] {
			      drm_npu_bo_sync args{file_->base.results_id, DRM_NPU_SYNC_FOR_CPU, 0,
						   4096, 0};

			      return answer(fd_, DRM_IOCTL_NPU_BO_SYNC, args);
		      }});
	to.push_back({Id::bo_residency,
		      [this] {
			      drm_npu_bo_residency args{file_->base.results_id,
							DRM_NPU_RESIDENCY_PIN, 1, 0, 0};

			      return answer(fd_, DRM_IOCTL_NPU_BO_RESIDENCY, args);
		      },
		      [] {},
		      [this] {
			      drm_npu_bo_residency args{file_->base.results_id,
							DRM_NPU_RESIDENCY_NONE, 1, 0, 0};

			      CHECK_OK(answer(fd_, DRM_IOCTL_NPU_BO_RESIDENCY, args));
		      }});
}

void Walk::add_rocket(std::vector<Step> &to)
{
	to.push_back({Id::rocket_create_bo,
		      [this] { return answer(fd_, DRM_IOCTL_ROCKET_CREATE_BO, rocket_bo_); },
		      [this] { rocket_bo_ = {65536, 0, 0, 0}; },
		      [this] {
			      CHECK_OK(close_handle(fd_, rocket_bo_.handle));
		      }});
	to.push_back({Id::rocket_submit,
		      [this] { return answer(fd_, DRM_IOCTL_ROCKET_SUBMIT, rocket_submit_); },
		      [this] { rocket_arguments(); },
		      [this] {
			      wait_idle();
		      }});
	to.push_back({Id::rocket_prep_bo, [this] {
			      drm_rocket_prep_bo args{file_->base.results_id, 0, INT64_MAX};

			      return answer(fd_, DRM_IOCTL_ROCKET_PREP_BO, args);
		      }});
	to.push_back({Id::rocket_fini_bo, [this] {
			      drm_rocket_fini_bo args{file_->base.results_id, 0};

			      return answer(fd_, DRM_IOCTL_ROCKET_FINI_BO, args);
		      }});
}

/* The exported buffer is imported by a second file, where it is new. */
void Walk::add_core(std::vector<Step> &to)
{
	to.push_back({Id::prime_handle_to_fd,
		      [this] { return answer(fd_, DRM_IOCTL_PRIME_HANDLE_TO_FD, prime_); },
		      [this] {
			      bo_ = {};
			      bo_.size = 65536;
			      CHECK_OK(answer(fd_, DRM_IOCTL_NPU_BO_CREATE, bo_));
			      prime_ = {bo_.handle, DRM_CLOEXEC | DRM_RDWR, -1};
		      },
		      [this] {
			      close_fd(prime_.fd);
			      CHECK_OK(close_handle(fd_, bo_.handle));
		      }});
	auto other = File::open(1);
	to.push_back({Id::prime_fd_to_handle,
		      [this, other] {
			      return answer(other->fd(), DRM_IOCTL_PRIME_FD_TO_HANDLE, prime_);
		      },
		      [this] {
			      if (prime_.fd >= 0)
				      return;
			      prime_ = {file_->base.features_id, DRM_CLOEXEC | DRM_RDWR, -1};
			      CHECK_OK(answer(fd_, DRM_IOCTL_PRIME_HANDLE_TO_FD, prime_));
		      },
		      [this, other] {
			      CHECK_OK(close_handle(other->fd(), prime_.handle));
		      }});
	/* From here on the features are shared and have fences. */
	to.push_back({Id::job_submit,
		      [this] { return answer(fd_, DRM_IOCTL_NPU_JOB_SUBMIT, submit_); },
		      [this] { submit_arguments(); },
		      [this] {
			      wait_idle();
		      }});
}

void Walk::add_syncobj(std::vector<Step> &to)
{
	to.push_back({Id::syncobj_create,
		      [this] { return answer(fd_, DRM_IOCTL_SYNCOBJ_CREATE, made_); },
		      [this] { made_ = {0, DRM_SYNCOBJ_CREATE_SIGNALED}; },
		      [this] {
			      drm_syncobj_destroy args{made_.handle, 0};

			      CHECK_OK(answer(fd_, DRM_IOCTL_SYNCOBJ_DESTROY, args));
		      }});
	auto to_fd = [this] {
		return answer(fd_, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, sync_handle_);
	};
	for (std::uint32_t flags : {0u, std::uint32_t{1}})
		to.push_back({Id::syncobj_handle_to_fd, to_fd,
			      [this, flags] {
				      sync_handle_ = {};
				      sync_handle_.handle = in_syncobj_.handle;
				      sync_handle_.flags = flags;
				      sync_handle_.fd = -1;
			      },
			      [this] {
				      close_fd(sync_handle_.fd);
			      }});
	to.push_back({Id::syncobj_wait, [this] {
			      drm_syncobj_wait args{};

			      args.handles = reinterpret_cast<std::uintptr_t>(&in_syncobj_.handle);
			      args.count_handles = 1;
			      args.timeout_nsec = INT64_MAX;
			      return answer(fd_, DRM_IOCTL_SYNCOBJ_WAIT, args);
		      }});
	to.push_back({Id::syncobj_timeline_signal, [this] {
			      drm_syncobj_timeline_array args{};
			      std::uint64_t point = point_++;

			      args.handles = reinterpret_cast<std::uintptr_t>(&syncobj_.handle);
			      args.points = reinterpret_cast<std::uintptr_t>(&point);
			      args.count_handles = 1;
			      return answer(fd_, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, args);
		      }});
}

void Walk::add_file(std::vector<Step> &to)
{
	std::string path = "/proc/self/fd/" + std::to_string(fd_);

	to.push_back({Id::open,
		      [this, path] {
			      opened_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
			      return opened_ < 0 ? -errno : 0;
		      },
		      [] {},
		      [this] {
			      close_fd(opened_);
		      }});
	drm_npu_context_create context{};
	CHECK_OK(answer(fd_, DRM_IOCTL_NPU_CONTEXT_CREATE, context));
	for (std::uint64_t offset :
	     {file_->base.streams_offset, std::uint64_t{context.page_offset}})
		to.push_back({Id::mmap,
			      [this, offset] {
				      map_ = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd_,
						  static_cast<off_t>(offset));
				      return map_ == MAP_FAILED ? -errno : 0;
			      },
			      [] {},
			      [this] {
				      munmap(map_, 4096);
			      }});
}

std::vector<Step> Walk::steps()
{
	std::vector<Step> all;

	add_npu(all);
	add_rocket(all);
	add_syncobj(all);
	add_file(all);
	add_core(all);
	return all;
}

/// @return the number of allocations and copies in the call; throws on a violation
unsigned walk_step(const Step &step)
{
	unsigned untold = 0;

	for (unsigned n = 1; n < max_fail; n++) {
		igt::Note note("allocation " + std::to_string(n));

		step.prepare();
		std::string before = leak::objects();
		fail_nth_set(n);
		int result = step.make();
		bool failed = fail_nth_end();

		if (!result) {
			step.undo();
			if (!failed)
				return n - 1;
			continue;
		}
		CHECK(failed);
		/* If copying back the result fails, the call has taken effect. */
		if (result == -EFAULT && fail_nth_usercopy()) {
			usleep(50000);
			untold += !leak::none_new(before);
			/*
			 * Only one copy returns the result, but the number of allocations before it
			 * varies.
			 */
			CHECK(untold <= 4);
			continue;
		}
		if (!may_starve(call_of(step.id), -result))
			CHECK_ERR(result, ENOMEM);
		/* Objects of earlier calls may be released meanwhile. */
		if (!leak::settles_below(before))
			CHECK_EQ(leak::objects(), before);
	}
	igt::fail(__FILE__, __LINE__, "the call ends", "allocations without end");
}

} // namespace

int walk()
{
	unsigned passed = 0, failed = 0, skipped = 0;

	if (!fail_nth_works()) {
		std::printf("skipped: fail-nth: %s\n0 passed, 0 failed, 1 skipped\n",
			    fail_nth_missing().c_str());
		return igt::exit_skip;
	}
	const auto tell = [&](const char *name, const std::function<unsigned()> &body) {
		try {
			std::printf("PASS: fail-nth: %s, %u failures\n", name, body());
			passed++;
		} catch (const igt::Failure &) {
			std::printf("FAIL: fail-nth: %s\n", name);
			failed++;
		} catch (const igt::Skip &) {
			skipped++;
		}
		std::fflush(stdout);
	};
	try {
		Walk all;

		for (const Step &step : all.steps())
			tell(call_of(step.id).name, [&] { return walk_step(step); });
	} catch (const std::exception &e) {
		std::printf("FAIL: fail-nth: %s\n", e.what());
		failed++;
	} catch (const igt::Failure &) {
		failed++;
	}
	/* Later calls must still work. */
	tell("afterwards", [] {
		check_works(Device());
		return 0U;
	});
	tell("probe", walk_probe);
	std::printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? igt::exit_fail : igt::exit_pass;
}

} // namespace fuzz
