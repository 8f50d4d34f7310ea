/* SPDX-License-Identifier: MIT */
#include <memory>
#include <utility>

#include <unistd.h>

#include "libnpu_calls.h"

namespace npu::test
{

namespace
{

/// A structure of zeros with its size.
template <typename T>
T sized()
{
	T value{};

	value.size = sizeof(T);
	return value;
}

/// Frees @p object, which may be nullptr. @return @p code
template <typename Object>
int freed(int code, Object *object, void (*free)(Object *))
{
	free(object);
	return code;
}

/// Closes @p fd unless @p code is an error. @return @p code
int closed(int code, int fd)
{
	if (!code)
		::close(fd);
	return code;
}

} // namespace

std::vector<CCall> Calls::c()
{
	std::vector<CCall> calls;

	add_device(calls);
	add_buffers(calls);
	add_contexts(calls);
	add_syncs(calls);
	return calls;
}

void Calls::add_device(std::vector<CCall> &calls)
{
	calls.insert(calls.end(), {
					  {"npu_device_get_core", "core 0",
					   [&] {
						   auto info = sized<npu_core_info>();

						   return npu_device_get_core(&device_, 1, &info);
					   }},
					  {"npu_device_get_region", "memory region 0",
					   [&] {
						   auto info = sized<npu_region_info>();

						   return npu_device_get_region(&device_, 1, &info);
					   }},
					  {"npu_device_get_activity", "activity",
					   [&] {
						   auto activity = sized<npu_activity>();

						   return npu_device_get_activity(&device_,
										  &activity);
					   }},
				  });
}

void Calls::add_buffers(std::vector<CCall> &calls)
{
	calls.insert(
		calls.end(),
		{
			{"npu_buffer_create", "a buffer of 4096 bytes",
			 [&] {
				 npu_buffer *made = nullptr;
				 const int code = npu_buffer_create(&device_, 4096, nullptr, &made);

				 return freed(code, made, npu_buffer_free);
			 }},
			{"npu_buffer_import", "dma-buf",
			 [&] {
				 auto options = sized<npu_import_options>();
				 npu_buffer *made = nullptr;

				 options.acquire = &foreign_;
				 const int code = npu_buffer_import(&device_, dma_buf_.get(),
								    &options, &made);
				 return freed(code, made, npu_buffer_free);
			 }},
			{"npu_buffer_get_info", "the buffer",
			 [&] {
				 auto info = sized<npu_buffer_info>();

				 return npu_buffer_get_info(&buffer_, &info);
			 }},
			{"npu_buffer_export", "export a buffer",
			 [&] {
				 int fd = -1;
				 const int code = npu_buffer_export(&buffer_, &fd);

				 return closed(code, fd);
			 }},
			{"npu_buffer_wait", "wait for a buffer",
			 [&] {
				 return npu_buffer_wait(&buffer_, NPU_USE_ANY, NPU_NEVER);
			 }},
			{"npu_buffer_acquire", "a fence to a buffer",
			 [&] {
				 return npu_buffer_acquire(&imported_, &foreign_);
			 }},
			{"npu_buffer_release_fence", "the fences of a buffer",
			 [&] {
				 npu_fence *made = nullptr;
				 const int code =
					 npu_buffer_release_fence(&imported_, NPU_USE_ANY, &made);

				 return freed(code, made, npu_fence_free);
			 }},
			{"npu_buffer_access", "64 bytes of a buffer",
			 [&] {
				 npu_access *access = nullptr;
				 const int code = npu_buffer_access(&buffer_, NPU_READ_WRITE, 64,
								    64, &access);

				 return code ? code : npu_access_end(access);
			 }},
			{"npu_access_end", "a buffer of 4096 bytes",
			 [&] {
				 npu_access *access = c_access_.release();

				 if (!access)
					 if (const int code = npu_buffer_access(
						     &buffer_, NPU_READ_WRITE, 0, 4096, &access))
						 return code;
				 return npu_access_end(access);
			 }},
			{"npu_buffer_sync_for_cpu", "64 bytes of a buffer",
			 [&] {
				 return npu_buffer_sync_for_cpu(&buffer_, 0, 64);
			 }},
			{"npu_buffer_sync_for_device", "64 bytes of a buffer",
			 [&] {
				 return npu_buffer_sync_for_device(&buffer_, 0, 64);
			 }},
			{"npu_buffer_set_residency", "on-chip memory",
			 [&] {
				 return npu_buffer_set_residency(&plain_, NPU_RESIDENCY_PREFER, 0,
								 chip_region);
			 }},
		});
}

void Calls::add_contexts(std::vector<CCall> &calls)
{
	calls.insert(calls.end(),
		     {
			     {"npu_job_create", "a job",
			      [&] {
				      const Task &task = lanes_.front().front();
				      auto options = sized<npu_job_options>();
				      auto c_task = sized<npu_task>();
				      auto lane = sized<npu_lane>();
				      npu_job *made = nullptr;

				      c_task.commands = task.commands.data();
				      c_task.command_count = task.commands.size();
				      c_task.enable = task.enable;
				      lane.tasks = &c_task;
				      lane.task_count = 1;
				      options.label = "a name that needs some memory";
				      const int code =
					      npu_job_create(&device_, &lane, 1, &options, &made);
				      return freed(code, made, npu_job_free);
			      }},
			     {"npu_context_create", "a context",
			      [&] {
				      npu_context *made = nullptr;
				      const int code = npu_context_create(&device_, nullptr, &made);

				      return freed(code, made, npu_context_free);
			      }},
			     {"npu_context_submit", "submit 6 jobs",
			      [&] {
				      const npu_job *const jobs[] = {&job_, &job_, &job_,
								     &job_, &job_, &job_};
				      npu_sync in[] = {sized<npu_sync>(), sized<npu_sync>()};
				      auto out = sized<npu_sync>();
				      auto options = sized<npu_submit_options>();
				      npu_fence *made = nullptr;

				      in[0].syncobj = &syncobj_;
				      in[1].kind = NPU_SYNC_FENCE;
				      in[1].fence = &fence_;
				      out.kind = NPU_SYNC_POINT;
				      out.syncobj = &syncobj_;
				      out.point = 1;
				      options.in = in;
				      options.in_count = std::size(in);
				      options.out = &out;
				      options.out_count = 1;
				      const int code =
					      npu_context_submit(&context_, jobs, std::size(jobs),
								 &options, nullptr, &made);
				      return freed(code, made, npu_fence_free);
			      }},
			     {"npu_context_submit", "file descriptor",
			      [&] {
				      const npu_job *const jobs[] = {&job_};
				      auto in = sized<npu_sync>();
				      auto options = sized<npu_submit_options>();

				      in.kind = NPU_SYNC_FILE;
				      in.fd = sync_file_.get();
				      options.in = &in;
				      options.in_count = 1;
				      return npu_context_submit(&context_, jobs, 1, &options,
								nullptr, nullptr);
			      }},
			     {"npu_context_set_class", "change a context",
			      [&] {
				      return npu_context_set_class(&context_, NPU_CLASS_LATENCY);
			      }},
			     {"npu_context_set_weight", "change a context",
			      [&] {
				      return npu_context_set_weight(&context_, 7);
			      }},
			     {"npu_context_wait", "job 1",
			      [&] {
				      auto status = sized<npu_job_status>();

				      return npu_context_wait(&context_, 1, NPU_NEVER, &status);
			      }},
			     {"npu_context_cancel", "jobs 1 to 2",
			      [&] {
				      return npu_context_cancel(&context_, 1, 2, nullptr);
			      }},
			     {"npu_context_get_statistics", "context",
			      [&] {
				      auto statistics = sized<npu_context_statistics>();

				      return npu_context_get_statistics(&context_, &statistics);
			      }},
			     {"npu_page_map", "the completion page",
			      [&] {
				      npu_page *made = nullptr;
				      const int code = npu_page_map(&context_, &made);

				      return freed(code, made, npu_page_free);
			      }},
			     {"npu_page_wait", "job 1",
			      [&] {
				      return npu_page_wait(&page_, 1, NPU_NEVER, 0, nullptr);
			      }},
		     });
}

void Calls::add_syncs(std::vector<CCall> &calls)
{
	const auto syncobj = [](int code, npu_syncobj *made) {
		return freed(code, made, npu_syncobj_free);
	};

	calls.insert(calls.end(),
		     {
			     {"npu_fence_import", "sync_file",
			      [&] {
				      npu_fence *made = nullptr;
				      const int code =
					      npu_fence_import(&device_, sync_file_.get(), &made);

				      return freed(code, made, npu_fence_free);
			      }},
			     {"npu_fence_fd", "sync_file",
			      [&] {
				      int fd = -1;
				      const int code = npu_fence_fd(&fence_, &fd);

				      return closed(code, fd);
			      }},
			     {"npu_fence_wait", "job",
			      [&] {
				      return npu_fence_wait(&batch_, NPU_NEVER, nullptr);
			      }},
			     {"npu_fence_wait", "a fence",
			      [&] {
				      return npu_fence_wait(&foreign_, NPU_NEVER, nullptr);
			      }},
			     {"npu_syncobj_create", "a syncobj",
			      [this, syncobj] {
				      npu_syncobj *made = nullptr;
				      const int code = npu_syncobj_create(&device_, 1, &made);

				      return syncobj(code, made);
			      }},
			     {"npu_syncobj_import", "is it a syncobj",
			      [this, syncobj] {
				      npu_syncobj *made = nullptr;
				      const int code = npu_syncobj_import(
					      &device_, syncobj_file_.get(), &made);

				      return syncobj(code, made);
			      }},
			     {"npu_syncobj_export", "a syncobj",
			      [&] {
				      int fd = -1;
				      const int code = npu_syncobj_export(&syncobj_, &fd);

				      return closed(code, fd);
			      }},
			     {"npu_syncobj_sync_file", "a syncobj",
			      [&] {
				      int fd = -1;
				      const int code = npu_syncobj_sync_file(&syncobj_, &fd);

				      return closed(code, fd);
			      }},
			     {"npu_syncobj_wait", "a syncobj",
			      [&] {
				      return npu_syncobj_wait(&syncobj_, 0, NPU_NEVER);
			      }},
			     {"npu_syncobj_wait", "a syncobj",
			      [&] {
				      return npu_syncobj_wait(&syncobj_, 3, NPU_NEVER);
			      }},
			     {"npu_syncobj_signal", "a syncobj",
			      [&] {
				      return npu_syncobj_signal(&syncobj_, 0);
			      }},
			     {"npu_syncobj_signal", "point 3 of a syncobj",
			      [&] {
				      return npu_syncobj_signal(&syncobj_, 3);
			      }},
			     {"npu_syncobj_get_point", "a syncobj",
			      [&] {
				      std::uint64_t point = 0;

				      return npu_syncobj_get_point(&syncobj_, &point);
			      }},
			     {"npu_syncobj_reset", "a syncobj",
			      [&] {
				      if (const int code = npu_syncobj_reset(&syncobj_))
					      return code;
				      /* Other calls need both fences. */
				      const int code = npu_syncobj_signal(&syncobj_, 0);
				      return code ? code : npu_syncobj_signal(&syncobj_, 3);
			      }},
		     });
}

} // namespace npu::test
