/* SPDX-License-Identifier: MIT */
/// System calls on device files, except ioctls.
#include "thread.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <npu_accel.h>

#include "inject.h"

namespace fuzz
{

namespace
{

int answer(int result)
{
	return result < 0 ? -errno : 0;
}

/// A buffer of another driver, if one is available.
Fd make_udmabuf(std::size_t size)
{
	static const Fd device(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
	Fd memory(memfd_create("udmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	udmabuf_create args{};

	if (device.get() < 0 || memory.get() < 0 ||
	    ftruncate(memory.get(), static_cast<off_t>(size)) ||
	    fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK))
		return Fd();
	args.memfd = static_cast<__u32>(memory.get());
	args.flags = UDMABUF_FLAGS_CLOEXEC;
	args.size = size;
	return Fd(::ioctl(device.get(), UDMABUF_CREATE, &args));
}

/*
 * A child process with the parent's files and mappings, which is killed at some point. It may only
 * make system calls: other threads hold locks that are never released here.
 */
[[noreturn]] void be_child(int fd, const Mapping *mapping, Random random)
{
	for (;;) {
		drm_npu_context_create context{};
		drm_npu_bo_create buffer{};
		drm_npu_job_wait wait{};
		drm_npu_query query{};

		buffer.size = 1 + random.below(65536);
		wait.context_id = 1 + random.below(8);
		wait.seqno = 1 + random.below(64);
		wait.timeout_ns = INT64_MAX;
		query.type = DRM_NPU_QUERY_LIMITS;
		switch (random.below(7)) {
		case 0:
			::ioctl(fd, DRM_IOCTL_NPU_BO_CREATE, &buffer);
			close_handle(fd, buffer.handle);
			break;
		case 1:
			::ioctl(fd, DRM_IOCTL_NPU_CONTEXT_CREATE, &context);
			::ioctl(fd, DRM_IOCTL_NPU_CONTEXT_DESTROY, &context.context_id);
			break;
		case 2:
			::ioctl(fd, DRM_IOCTL_NPU_JOB_WAIT, &wait);
			break;
		case 3:
			::ioctl(fd, DRM_IOCTL_NPU_QUERY, &query);
			break;
		case 4:
			if (mapping)
				munmap(mapping->data(), mapping->size() / 2);
			mapping = nullptr;
			break;
		case 5:
			close(fd);
			break;
		default:
			_exit(0);
		}
	}
}

} // namespace

int Thread::some_fd(FdKind kind)
{
	if (kind == FdKind::dma_buf && random_.chance(15)) {
		Fd fd = make_udmabuf(4096 * (1 + random_.below(4)));

		if (fd.get() >= 0)
			world_.fds.add({std::make_shared<Fd>(std::move(fd)), kind});
	}
	/* Mostly of the right kind, if a few tries find one. */
	bool other = mutate();
	for (int tries = 0; tries < 8; tries++) {
		std::optional<SharedFd> fd = world_.fds.any(random_);

		if (!fd)
			break;
		held_fd_ = fd->fd;
		if (other || fd->kind == kind)
			return held_fd_->get();
	}
	mutated_ = true;
	return held_fd_ ? held_fd_->get() : -1;
}

void Thread::reopen()
{
	std::shared_ptr<File> fresh;

	/* Only rarely, so that limits are reached. */
	if (random_.chance(70))
		return dup_file();
	int result = system_call(Id::open, "open", [&] {
		try {
			fresh = File::open(file_->number);
		} catch (const std::system_error &e) {
			return -e.code().value();
		}
		return 0;
	});
	if (result)
		return;
	std::scoped_lock lock(world_.mutex);
	world_.files[fresh->number] = fresh;
}

void Thread::dup_file()
{
	Fd copy(dup(file_->fd()));

	system_call(Id::dup, "dup", [&] {
		drm_npu_query args{};

		args.type = DRM_NPU_QUERY_LIMITS;
		return copy.get() < 0 ? -EMFILE : ::call(copy.get(), DRM_IOCTL_NPU_QUERY, &args);
	});
}

void Thread::map_buffer()
{
	BufferObject buffer = file_->buffers.any(random_);
	bool base = !buffer.offset || random_.chance(20);
	std::uint64_t offset = base ? file_->base.streams_offset : buffer.offset;
	std::size_t size = base ? 16384 : buffer.size;
	int protection = static_cast<int>(u32(PROT_READ | PROT_WRITE)) & 7;
	int kind = mutate() ? MAP_PRIVATE : MAP_SHARED;
	void *data = nullptr;

	if (mutate())
		offset = random_.chance(50) ? world_.file(random_)->buffers.any(random_).offset
					    : offset + 4096;
	offset = u64(offset) & ~4095ull;
	size = u64(size) & 0xffffffff;
	mutated_ = mutated_ || !size;
	system_call(Id::mmap,
		    "mmap " + std::to_string(offset) + " " + std::to_string(size) + " " +
			    std::to_string(protection),
		    [&] {
			    data = ::mmap(nullptr, size, protection, kind, file_->fd(),
					  static_cast<off_t>(offset));
			    return data == MAP_FAILED ? -errno : 0;
		    });
	if (data == MAP_FAILED)
		return;
	/* Do not access mappings with mutated arguments. */
	auto mapping = std::make_shared<Mapping>(data, size, !mutated_, false);
	if (!mutated_)
		world_.mappings.add(mapping);
}

void Thread::map_page()
{
	ContextObject context = file_->contexts.any(random_);
	bool writable = mutate();
	std::uint64_t offset = u64(context.page_offset) & ~4095ull;
	std::size_t size = mutate() ? 8192 : 4096;
	void *data = nullptr;

	mutated_ = mutated_ || !context.page_offset;
	int result = system_call(
		Id::mmap, "mmap page " + std::to_string(offset) + (writable ? " to write" : ""),
		[&] {
			data = ::mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
				      MAP_SHARED, file_->fd(), static_cast<off_t>(offset));
			return data == MAP_FAILED ? -errno : 0;
		});
	if (result)
		return;
	auto mapping = std::make_shared<Mapping>(data, size, false, !mutated_);
	expect(!writable || offset != context.page_offset, "a completion page can be written to");
	if (!mutated_)
		world_.mappings.add(mapping);
}

void Thread::unmap()
{
	std::optional<std::shared_ptr<Mapping>> mapping = world_.mappings.take(random_);

	if (!mapping)
		return;
	/* With the last reference, the destructor unmaps the rest. */
	if (mapping->use_count() == 1 && (*mapping)->size() > 4096)
		system_call(Id::munmap, "munmap", [&] { return (*mapping)->unmap_first(4096); });
}

void Thread::protect_page()
{
	for (int tries = 0; tries < 8; tries++) {
		auto mapping = world_.mappings.any(random_);

		if (!mapping || !(*mapping)->is_page())
			continue;
		system_call(Id::mprotect, "mprotect", [&] {
			return answer(::mprotect((*mapping)->data(), 4096, PROT_READ | PROT_WRITE));
		});
		return;
	}
}

void Thread::touch()
{
	auto mapping = world_.mappings.any(random_);

	if (!mapping)
		return;
	Mapping &m = **mapping;
	if (m.is_page()) {
		auto *page = static_cast<volatile drm_npu_context_page *>(m.data());
		std::scoped_lock lock(m.mutex);
		std::uint64_t completed = page->completed_seqno;

		expect(completed >= m.completed, "a completion page counts backwards");
		expect(page->flags <= DRM_NPU_CONTEXT_BANNED &&
			       page->version == DRM_NPU_PAGE_VERSION,
		       "a completion page has bits that are not defined");
		m.completed = completed;
		return;
	}
	auto *words = static_cast<volatile std::uint32_t *>(m.data());
	std::uint32_t index = random_.below(m.size() / 4);
	std::uint32_t value = words[index];

	if (m.writable())
		words[index] = value + 1;
}

void Thread::poll_file()
{
	pollfd fd{file_->fd(), static_cast<short>(POLLIN | POLLOUT | POLLPRI), 0};
	int ms = static_cast<int>(random_.below(5));

	system_call(Id::poll, "poll", [&] { return answer(poll(&fd, 1, ms)); });
}

void Thread::read_file()
{
	std::array<char, 64> buffer{};
	int fd = file_->fd();

	/* The device has no events; a blocking call is interrupted by a signal. */
	fcntl(fd, F_SETFL, random_.chance(50) ? O_NONBLOCK : 0);
	fail_ = false;
	system_call(Id::read, "read",
		    [&] { return answer(static_cast<int>(read(fd, buffer.data(), 64))); });
}

void Thread::fork_process()
{
	auto mapping = world_.mappings.any(random_);
	Random child_random(random_.next());
	unsigned us = random_.below(4000);
	pid_t pid = -1;

	fail_ = false;
	int result = system_call(Id::fork, "fork", [&] {
		pid = fork();
		if (!pid)
			be_child(file_->fd(), mapping ? mapping->get() : nullptr, child_random);
		return answer(pid);
	});
	if (result)
		return;
	usleep(us);
	kill(pid, SIGKILL);
	for (int i = 0; i < 3000; i++) {
		int status = 0;

		if (waitpid(pid, &status, WNOHANG) == pid)
			return;
		usleep(10000);
	}
	violation("a process that was killed does not end");
}

void Thread::inject()
{
	inject_lane(random_.chance(50));
}

} // namespace fuzz
