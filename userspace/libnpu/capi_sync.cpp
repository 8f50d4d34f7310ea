/* SPDX-License-Identifier: MIT */
#include "capi.h"
#include "capi_objects.h"

using namespace npu::capi;

int npu_fence_import(npu_device *device, int fd, npu_fence **fence)
{
	return guarded([&] { return hand_out(npu::Fence::import(device->device, fd), fence); },
		       device, fence);
}

void npu_fence_free(npu_fence *fence)
{
	const std::unique_ptr<npu_fence> owner(fence);
}

int npu_fence_fd(const npu_fence *fence, int *fd)
{
	return guarded([&] { return store_fd(fence->fence.fd(), fd); }, fence, fd);
}

int npu_fence_wait(const npu_fence *fence, int64_t deadline_ns, npu_job_status *status)
{
	return guarded(
		[&] {
			return wait_for_job(
				[&] { return fence->fence.wait(deadline_of(deadline_ns)); },
				status);
		},
		fence);
}

uint64_t npu_fence_seqno(const npu_fence *fence)
{
	return fence ? fence->fence.seqno() : 0;
}

int npu_syncobj_create(npu_device *device, int signalled, npu_syncobj **syncobj)
{
	return guarded(
		[&] { return hand_out(npu::Syncobj::create(device->device, signalled), syncobj); },
		device, syncobj);
}

int npu_syncobj_import(npu_device *device, int fd, npu_syncobj **syncobj)
{
	return guarded([&] { return hand_out(npu::Syncobj::import(device->device, fd), syncobj); },
		       device, syncobj);
}

void npu_syncobj_free(npu_syncobj *syncobj)
{
	const std::unique_ptr<npu_syncobj> owner(syncobj);
}

uint32_t npu_syncobj_handle(const npu_syncobj *syncobj)
{
	return syncobj ? syncobj->syncobj.handle() : 0;
}

int npu_syncobj_export(const npu_syncobj *syncobj, int *fd)
{
	return guarded([&] { return store_fd(syncobj->syncobj.export_fd(), fd); }, syncobj, fd);
}

int npu_syncobj_sync_file(const npu_syncobj *syncobj, int *fd)
{
	return guarded([&] { return store_fd(syncobj->syncobj.sync_file(), fd); }, syncobj, fd);
}

int npu_syncobj_wait(const npu_syncobj *syncobj, uint64_t point, int64_t deadline_ns)
{
	return guarded(
		[&] {
			const npu::Deadline deadline = deadline_of(deadline_ns);

			return outcome(point ? syncobj->syncobj.wait_point(point, deadline)
					     : syncobj->syncobj.wait(deadline));
		},
		syncobj);
}

int npu_syncobj_signal(const npu_syncobj *syncobj, uint64_t point)
{
	return guarded(
		[&] {
			return done(point ? syncobj->syncobj.signal_point(point)
					  : syncobj->syncobj.signal());
		},
		syncobj);
}

int npu_syncobj_reset(const npu_syncobj *syncobj)
{
	return guarded([&] { return done(syncobj->syncobj.reset()); }, syncobj);
}

int npu_syncobj_get_point(const npu_syncobj *syncobj, uint64_t *point)
{
	return guarded([&] { return store(syncobj->syncobj.point(), point); }, syncobj, point);
}
