/* SPDX-License-Identifier: MIT */
#include "objects.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>

#include "stream.h"

namespace fuzz
{

namespace
{

/// Opens a new file of the device that Device finds.
Fd open_node()
{
	static const std::string path = [] {
		char target[256];
		Device first;
		std::string link = "/proc/self/fd/" + std::to_string(first.fd());
		ssize_t size = readlink(link.c_str(), target, sizeof(target));

		return std::string(target, size > 0 ? static_cast<std::size_t>(size) : 0);
	}();
	Fd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));

	if (fd.get() < 0)
		throw std::system_error(errno, std::generic_category(), path);
	return fd;
}

void check(int result, const char *what)
{
	if (result)
		throw std::system_error(-result, std::generic_category(), what);
}

drm_npu_bo_create make_buffer(int fd, std::uint64_t size)
{
	drm_npu_bo_create args{};

	args.size = size;
	check(call(fd, DRM_IOCTL_NPU_BO_CREATE, &args), "BO_CREATE");
	return args;
}

/// Creates some objects of each kind, so that calls can use them from the start.
void add_objects(File &file)
{
	Stream words = valid_stream(file.base);

	for (int i = 0; i < 3; i++) {
		drm_npu_context_create context{};
		drm_syncobj_create syncobj{};
		drm_npu_task task{};
		drm_npu_lane lane{reinterpret_cast<std::uintptr_t>(&task), 1, sizeof(task)};
		drm_npu_job_create job{};

		check(call(file.fd(), DRM_IOCTL_NPU_CONTEXT_CREATE, &context), "CONTEXT_CREATE");
		file.contexts.add({context.context_id, 0, context.page_offset});
		syncobj.flags = DRM_SYNCOBJ_CREATE_SIGNALED;
		check(call(file.fd(), DRM_IOCTL_SYNCOBJ_CREATE, &syncobj), "SYNCOBJ_CREATE");
		file.syncobjs.add({syncobj.handle, 0});
		task.commands = reinterpret_cast<std::uintptr_t>(words.data());
		task.command_count = static_cast<std::uint32_t>(words.size());
		task.enable = 0x0d;
		job.lanes = reinterpret_cast<std::uintptr_t>(&lane);
		job.lane_count = 1;
		job.lane_stride = sizeof(lane);
		check(call(file.fd(), DRM_IOCTL_NPU_JOB_CREATE, &job), "JOB_CREATE");
		file.jobs.add({job.job_id});
	}
}

} // namespace

Mapping::~Mapping()
{
	munmap(data_, size_);
}

int Mapping::unmap_first(std::size_t size)
{
	if (munmap(data_, size))
		return -errno;
	data_ = static_cast<char *>(data_) + size;
	size_ -= size;
	return 0;
}

std::shared_ptr<File> File::open(unsigned number)
{
	auto file = std::make_shared<File>(open_node());
	drm_npu_bo_create features = make_buffer(file->fd(), 4096);
	drm_npu_bo_create weights = make_buffer(file->fd(), 4096);
	drm_npu_bo_create results = make_buffer(file->fd(), 4096);
	drm_npu_bo_create streams = make_buffer(file->fd(), 16384);
	void *map = mmap(nullptr, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd(),
			 static_cast<off_t>(streams.mmap_offset));

	if (map == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	file->number = number;
	file->streams = std::make_shared<Mapping>(map, 16384, true, false);
	file->base.features = static_cast<std::uint32_t>(features.address);
	file->base.weights = static_cast<std::uint32_t>(weights.address);
	file->base.results = static_cast<std::uint32_t>(results.address);
	file->base.streams = static_cast<std::uint32_t>(streams.address);
	file->base.features_id = features.handle;
	file->base.weights_id = weights.handle;
	file->base.results_id = results.handle;
	file->base.streams_id = streams.handle;
	file->base.streams_offset = streams.mmap_offset;
	add_objects(*file);
	return file;
}

} // namespace fuzz
