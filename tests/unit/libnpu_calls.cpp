/* SPDX-License-Identifier: MIT */
#include "libnpu_calls.h"

#include <stdexcept>

#include <npu/raw.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

/// The value of @p result; throws if the setup fails.
template <typename T>
T needed(Result<T> result)
{
	if (!result)
		throw std::runtime_error(result.error().message);
	return std::move(*result);
}

/// The error of beginning or of ending @p access.
Error accessed(Result<Buffer::Access> access)
{
	if (!access)
		return error_of(std::move(access));
	return error_of(access->end());
}

} // namespace

Calls::Calls(const Device &device, FakeDriver &driver)
	: device_{device}, dma_buf_(driver.foreign_dma_buf(8192)),
	  sync_file_(driver.syncs().create_file(
		  std::make_shared<FakeFence>(FakeFence{.signalled = true})))
{
	/* Job 1 must have left the completion page, so that waiting for it is an ioctl. */
	constexpr int jobs = DRM_NPU_PAGE_JOBS + 1;

	buffer_.buffer = needed(Buffer::create(device, 4096, {.cached = true}));
	plain_.buffer = needed(Buffer::create(device, 4096));
	imported_.buffer = needed(Buffer::import(device, dma_buf_.get()));
	context_.context = needed(Context::create(device));
	const std::uint32_t base = buffer_.buffer.address();
	lanes_.push_back(small_lane(base + 1024, base));
	job_.job = needed(Job::create(device, lanes_));
	page_.page = needed(context_.context.page());
	foreign_.fence = needed(Fence::import(device, sync_file_.get()));
	syncobj_.syncobj = needed(Syncobj::create(device, true));
	if (auto signalled = syncobj_.syncobj.signal_point(3); !signalled)
		throw std::runtime_error(signalled.error().message);
	syncobj_file_ = needed(syncobj_.syncobj.export_fd());
	for (int i = 0; i < jobs; i++)
		needed(context_.context.queue(job_.job));
	const Job *const both[] = {&job_.job, &job_.job};
	fence_.fence = needed(context_.context.submit(job_.job));
	batch_.fence = needed(context_.context.submit(both));
	{
		/* Fill the pool of syncobjs, so that the calls create none that stay in it. */
		const Fence first = needed(context_.context.submit(job_.job));
		const Fence second = needed(context_.context.submit(job_.job));
		const Fence third = needed(context_.context.submit(job_.job));
	}
	access_ = needed(buffer_.buffer.access(Buffer::Direction::read_write));
	c_access_ = std::make_unique<npu_access>(
		needed(buffer_.buffer.access(Buffer::Direction::read_write)));
}

std::vector<Call> Calls::cpp()
{
	std::vector<Call> calls;

	add_device(calls);
	add_buffers(calls);
	add_contexts(calls);
	add_syncs(calls);
	return calls;
}

void Calls::add_device(std::vector<Call> &calls)
{
	const Device &device = device_.device;

	calls.insert(calls.end(),
		     {
			     {"Device::create", "the device",
			      [&] {
				      return error_of(Device::create(device.share_driver()));
			      }},
			     {"Device::query_cores", "core 0",
			      [&] {
				      return error_of(device.query_cores());
			      }},
			     {"Device::activity", "activity",
			      [&] {
				      return error_of(device.activity());
			      }},
			     {"Device::regions", "memory region 0",
			      [&] {
				      return error_of(device.regions());
			      }},
			     {"query", "limits",
			      [&] {
				      return error_of(query<drm_npu_query_limits>(
					      device.driver(), DRM_NPU_QUERY_LIMITS, 0));
			      }},
		     });
}

void Calls::add_buffers(std::vector<Call> &calls)
{
	const Device &device = device_.device;
	const Buffer &buffer = buffer_.buffer;
	const Buffer &imported = imported_.buffer;
	constexpr auto both = Buffer::Direction::read_write;

	calls.insert(calls.end(),
		     {
			     {"Buffer::create", "a buffer of 4096 bytes",
			      [&] {
				      return error_of(Buffer::create(device, 4096));
			      }},
			     {"Buffer::import", "dma-buf",
			      [&] {
				      return error_of(Buffer::import(device, dma_buf_.get(),
								     {.acquire = &foreign_.fence}));
			      },
			      /* A buffer that cannot be mapped is still imported. */
			      true},
			     {"Buffer::access", "a buffer of 4096 bytes",
			      [&] {
				      return accessed(buffer.access(both));
			      }},
			     {"Buffer::access, a part", "64 bytes of a buffer",
			      [&] {
				      return accessed(buffer.access(both, 64, 64));
			      }},
			     {"Buffer::access, imported", "an imported buffer",
			      [&] {
				      return accessed(imported.access(both));
			      }},
			     {"BufferView::access", "64 bytes of a buffer",
			      [&] {
				      return accessed(buffer.view(0, 64)->access(both));
			      }},
			     {"Buffer::Access::end", "a buffer of 4096 bytes",
			      [&] {
				      if (!access_)
					      return accessed(buffer.access(both));
				      Buffer::Access access(std::move(*access_));
				      access_.reset();
				      return error_of(access.end());
			      }},
			     {"Buffer::export_dma_buf", "export a buffer",
			      [&] {
				      return error_of(buffer.export_dma_buf());
			      }},
			     {"Buffer::wait", "wait for a buffer",
			      [&] {
				      return error_of(buffer.wait());
			      }},
			     {"Buffer::acquire", "a fence to a buffer",
			      [&] {
				      return error_of(imported.acquire(foreign_.fence));
			      }},
			     {"Buffer::release_fence", "the fences of a buffer",
			      [&] {
				      return error_of(imported.release_fence());
			      }},
			     {"Buffer::sync_for_cpu", "64 bytes of a buffer",
			      [&] {
				      return error_of(buffer.sync_for_cpu(0, 64));
			      }},
			     {"Buffer::sync_for_device", "64 bytes of a buffer",
			      [&] {
				      return error_of(buffer.sync_for_device(0, 64));
			      }},
			     {"Buffer::set_residency", "on-chip memory",
			      [&] {
				      return error_of(plain_.buffer.set_residency(
					      Buffer::Residency::prefer));
			      }},
			     {"Buffer::info", "the buffer",
			      [&] {
				      return error_of(buffer.info());
			      }},
		     });
}

void Calls::add_contexts(std::vector<Call> &calls)
{
	const Device &device = device_.device;
	Context &context = context_.context;

	calls.insert(
		calls.end(),
		{
			{"Context::create", "a context",
			 [&] {
				 return error_of(Context::create(device));
			 }},
			{"Context::submit", "submit 1 job",
			 [&] {
				 return error_of(context.submit(job_.job));
			 }},
			{"Context::submit, several", "submit 6 jobs",
			 [&] {
				 const std::vector<const Job *> jobs(6, &job_.job);

				 return error_of(context.submit(jobs));
			 }},
			{"Context::queue", "submit 1 job",
			 [&] {
				 return error_of(context.queue(job_.job));
			 }},
			{"Context::queue, syncobjs", "submit 1 job",
			 [&] {
				 const InSync in[] = {syncobj_.syncobj, fence_.fence};
				 const OutSync out[] = {TimelinePoint{syncobj_.syncobj, 1}};

				 return error_of(context.queue(job_.job, {.in = in, .out = out}));
			 }},
			{"Context::submit, sync_files", "file descriptor",
			 [&] {
				 const InSync in[] = {SyncFile{sync_file_.get()}, foreign_.fence};

				 return error_of(context.submit(job_.job, {.in = in}));
			 }},
			{"Context::set_class", "change a context",
			 [&] {
				 return error_of(context.set_class(SchedClass::latency));
			 }},
			{"Context::set_weight", "change a context",
			 [&] {
				 return error_of(context.set_weight(7));
			 }},
			{"Context::wait", "job 1",
			 [&] {
				 return error_of(context.wait(1));
			 }},
			{"Context::cancel", "jobs 1 to 2",
			 [&] {
				 return error_of(context.cancel(1, 2));
			 }},
			{"Context::page", "the completion page",
			 [&] {
				 return error_of(context.page());
			 }},
			{"Context::statistics", "context",
			 [&] {
				 return error_of(context.statistics());
			 }},
			{"CompletionPage::wait", "job 1",
			 [&] {
				 return error_of(page_.page.wait(1));
			 }},
			{"Job::create", "a job",
			 [&] {
				 return error_of(
					 Job::create(device, lanes_,
						     {.label = "a name that needs some memory"}));
			 }},
		});
}

void Calls::add_syncs(std::vector<Call> &calls)
{
	const Device &device = device_.device;
	const Syncobj &syncobj = syncobj_.syncobj;

	calls.insert(
		calls.end(),
		{
			{"Fence::import", "sync_file",
			 [&] {
				 return error_of(Fence::import(device, sync_file_.get()));
			 }},
			{"Fence::fd", "sync_file",
			 [&] {
				 return error_of(fence_.fence.fd());
			 }},
			/* They succeed without the times of the job. */
			{"Fence::wait", "job", [&] { return error_of(fence_.fence.wait()); }, true},
			{"Fence::wait, several jobs", "job",
			 [&] { return error_of(batch_.fence.wait()); }, true},
			{"Fence::wait, imported", "a fence",
			 [&] {
				 return error_of(foreign_.fence.wait());
			 }},
			{"Syncobj::create", "a syncobj",
			 [&] {
				 return error_of(Syncobj::create(device));
			 }},
			{"Syncobj::import", "is it a syncobj",
			 [&] {
				 return error_of(Syncobj::import(device, syncobj_file_.get()));
			 }},
			{"Syncobj::export_fd", "a syncobj",
			 [&] {
				 return error_of(syncobj.export_fd());
			 }},
			{"Syncobj::sync_file", "a syncobj",
			 [&] {
				 return error_of(syncobj.sync_file());
			 }},
			{"Syncobj::signal", "a syncobj",
			 [&] {
				 return error_of(syncobj.signal());
			 }},
			{"Syncobj::signal_point", "point 3 of a syncobj",
			 [&] {
				 return error_of(syncobj.signal_point(3));
			 }},
			{"Syncobj::wait", "a syncobj",
			 [&] {
				 return error_of(syncobj.wait());
			 }},
			{"Syncobj::wait_point", "a syncobj",
			 [&] {
				 return error_of(syncobj.wait_point(3));
			 }},
			{"Syncobj::point", "a syncobj",
			 [&] {
				 return error_of(syncobj.point());
			 }},
			{"Syncobj::reset", "a syncobj",
			 [&] {
				 if (auto done = syncobj.reset(); !done)
					 return error_of(std::move(done));
				 /* Other calls need both fences. */
				 if (auto done = syncobj.signal(); !done)
					 return error_of(std::move(done));
				 return error_of(syncobj.signal_point(3));
			 }},
		});
}

} // namespace npu::test
