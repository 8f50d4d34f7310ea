/* SPDX-License-Identifier: MIT */
/// The completion page of a context.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <sys/mman.h>

#include "igt.h"
#include "leak.h"
#include "plug.h"
#include "program.h"

namespace
{

constexpr std::size_t page_size = 4096;

class Page
{
public:
	Page(const Device &device, std::uint64_t offset)
		: map_(map_file(device.fd(), page_size, offset, PROT_READ))
	{
		CHECK(map_);
	}
	~Page() { munmap(map_, page_size); }
	Page(const Page &) = delete;
	Page &operator=(const Page &) = delete;

	const drm_npu_context_page &operator*() const
	{
		return *static_cast<const drm_npu_context_page *>(map_);
	}
	const drm_npu_context_page *operator->() const { return &**this; }
	void *map() const { return map_; }

	/* What @read answers while the kernel does not write. */
	template <typename Read>
	auto whole(const Read &read) const
	{
		for (;;) {
			const std::uint32_t before =
				__atomic_load_n(&(**this).sequence, __ATOMIC_ACQUIRE);
			const auto value = read();

			__atomic_thread_fence(__ATOMIC_ACQUIRE);
			if (before % 2 == 0 &&
			    __atomic_load_n(&(**this).sequence, __ATOMIC_RELAXED) == before)
				return value;
		}
	}
	std::uint64_t completed() const
	{
		return whole([&] {
			return __atomic_load_n(&(**this).completed_seqno, __ATOMIC_ACQUIRE);
		});
	}
	/* As a client without system calls does it. */
	void wait(std::uint64_t seqno) const
	{
		CHECK(patience::comes([&] { return completed() >= seqno; }));
	}
	/* A reader's whole protocol; false if the kernel was writing. */
	bool read(std::uint64_t seqno, drm_npu_page_job &job) const
	{
		return whole([&] { return read_once(seqno, job); });
	}

private:
	bool read_once(std::uint64_t seqno, drm_npu_page_job &job) const
	{
		const drm_npu_page_job &at = (**this).jobs[seqno % DRM_NPU_PAGE_JOBS];

		if (__atomic_load_n(&at.seqno, __ATOMIC_ACQUIRE) != seqno)
			return false;
		job.queued_ns = __atomic_load_n(&at.queued_ns, __ATOMIC_RELAXED);
		job.started_ns = __atomic_load_n(&at.started_ns, __ATOMIC_RELAXED);
		job.ended_ns = __atomic_load_n(&at.ended_ns, __ATOMIC_RELAXED);
		job.device_ns = __atomic_load_n(&at.device_ns, __ATOMIC_RELAXED);
		job.error = __atomic_load_n(&at.error, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		job.seqno = __atomic_load_n(&at.seqno, __ATOMIC_RELAXED);
		return job.seqno == seqno;
	}

	void *map_;
};

struct Fixture {
	Device device;
	Product product{device};
	std::uint32_t job = create_job(device, {{product.task()}});
	drm_npu_context_create args = create();
	std::uint32_t context = args.context_id;

	drm_npu_context_create create() const
	{
		drm_npu_context_create made{};

		CHECK_OK(device.create(made));
		CHECK(made.page_offset);
		return made;
	}
};

int try_map(int fd, std::size_t size, std::uint64_t offset, int protection = PROT_READ)
{
	void *map = map_file(fd, size, offset, protection);

	if (!map)
		return -errno;
	munmap(map, size);
	return 0;
}

/* The page agrees with JOB_WAIT. */
void check_same(const Device &device, std::uint32_t context, const Page &page, std::uint64_t seqno)
{
	igt::Note note("seqno " + std::to_string(seqno));
	drm_npu_job_wait args = wait_ended(device, context, seqno);
	drm_npu_page_job job{};

	CHECK(page.read(seqno, job));
	CHECK_EQ(job.queued_ns, args.queued_ns);
	CHECK_EQ(job.started_ns, args.started_ns);
	CHECK_EQ(job.ended_ns, args.ended_ns);
	CHECK_EQ(job.device_ns, args.device_ns);
	CHECK_EQ(job.error, args.error);
	const drm_npu_page_job &raw = page->jobs[seqno % DRM_NPU_PAGE_JOBS];
	CHECK_EQ(raw.pad, 0);
	CHECK_EQ(raw.reserved[0], 0);
	CHECK_EQ(raw.reserved[1], 0);
}

} // namespace

/* The page is the kernel's; what it holds must not be another's old memory. */
SUBTEST(page_fresh)
{
	Fixture f;
	Page page(f.device, f.args.page_offset);
	const auto *bytes = static_cast<const std::uint8_t *>(page.map());

	CHECK_EQ(page->version, DRM_NPU_PAGE_VERSION);
	CHECK_EQ(page->job_count, DRM_NPU_PAGE_JOBS);
	CHECK_EQ(page->job_stride, sizeof(drm_npu_page_job));
	CHECK_EQ(page->jobs_offset, offsetof(drm_npu_context_page, jobs));
	CHECK_EQ(page->sequence, 0);
	CHECK_EQ(page->completed_seqno, 0);
	CHECK_EQ(page->failed_seqno, 0);
	CHECK_EQ(page->flags, 0);
	CHECK(std::all_of(bytes + offsetof(drm_npu_context_page, reserved), bytes + page_size,
			  [](auto byte) { return !byte; }));
	CHECK_EQ(run(f.device, f.context, f.job), 1);
	wait_ended(f.device, f.context, 1);
	CHECK(std::all_of(bytes + sizeof(drm_npu_context_page), bytes + page_size,
			  [](auto byte) { return !byte; }));
}

SUBTEST(page_values)
{
	Fixture f;
	Page page(f.device, f.args.page_offset);

	for (std::uint64_t seqno = 1; seqno <= 5; seqno++) {
		CHECK_OK(submit(f.device, f.context, {f.job}));
		check_same(f.device, f.context, page, seqno);
		CHECK_EQ(page.completed(), seqno);
		CHECK_EQ(page->failed_seqno, 0);
	}
	CHECK_EQ(page->flags, 0);
	for (std::uint64_t reserved : page->reserved)
		CHECK_EQ(reserved, 0);
	/* Entries of no job are empty. */
	CHECK_EQ(page->jobs[0].seqno, 0);
	CHECK_EQ(page->jobs[6].seqno, 0);
}

/* No call at all: when the page says so, the results are there. */
SUBTEST(page_poll)
{
	Fixture f;
	Page page(f.device, f.args.page_offset);

	for (std::uint64_t seqno = 1; seqno <= 100; seqno++) {
		f.product.clear();
		f.product.features.as<std::uint8_t>()[seqno % 128]++;
		CHECK_OK(submit(f.device, f.context, {f.job}));
		page.wait(seqno);
		f.product.check();
	}
}

SUBTEST(page_ring)
{
	Fixture f;
	Page page(f.device, f.args.page_offset);
	std::uint64_t last = 0;

	for (int i = 0; i < 5; i++)
		CHECK_OK(submit(f.device, f.context, std::vector(27, f.job), {}, &last));
	wait_ended(f.device, f.context, last);
	CHECK_EQ(page.completed(), last);
	for (std::uint64_t seqno = last; seqno > last - DRM_NPU_PAGE_JOBS; seqno--)
		check_same(f.device, f.context, page, seqno);
}

SUBTEST(page_errors)
{
	Fixture f;
	Gate gate(f.device);
	Page page(f.device, f.args.page_offset);
	std::uint32_t fault = create_job(f.device, {{faulting(f.product)}});

	CHECK_OK(submit(f.device, f.context, {f.job, fault, f.job}));
	wait_ended(f.device, f.context, 3);
	CHECK_EQ(page->failed_seqno, 2);
	for (std::uint64_t seqno = 1; seqno <= 3; seqno++)
		check_same(f.device, f.context, page, seqno);
	CHECK_EQ(page->jobs[2].error, EFAULT);
	CHECK_EQ(page->jobs[3].error, 0);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	CHECK_EQ(page.completed(), 3);
	CHECK_EQ(page->jobs[4].seqno, 0);
	CHECK_OK(cancel(f.device, f.context, 4, 4));
	page.wait(4);
	check_same(f.device, f.context, page, 4);
	CHECK_EQ(page->jobs[4].error, ECANCELED);
	CHECK_EQ(page->jobs[4].started_ns, 0);
	CHECK_EQ(page->failed_seqno, 4);
}

SUBTEST(page_write_refused)
{
	Fixture f;
	const std::uint64_t offset = f.args.page_offset;
	Device read_only(O_RDONLY);

	CHECK_ERR(try_map(f.device.fd(), page_size, offset, PROT_WRITE), EACCES);
	CHECK_ERR(try_map(f.device.fd(), page_size, offset, PROT_READ | PROT_WRITE), EACCES);
	Page page(f.device, offset);
	CHECK_EQ(mprotect(page.map(), page_size, PROT_READ | PROT_WRITE), -1);
	CHECK_EQ(errno, EACCES);
	/* A private copy may be had or not, but never for writing to the page. */
	void *copy = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, f.device.fd(),
			  static_cast<off_t>(offset));
	if (copy != MAP_FAILED) {
		*static_cast<std::uint64_t *>(copy) = poison;
		munmap(copy, page_size);
	}
	/* Nor through the back door, by which debuggers write. */
	Fd memory(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
	CHECK(memory.get() >= 0);
	std::uint64_t value = poison;
	CHECK_EQ(pwrite(memory.get(), &value, sizeof(value),
			static_cast<off_t>(reinterpret_cast<std::uintptr_t>(page.map()))),
		 -1);
	CHECK_EQ(page.completed(), 0);

	/* A file that is open for reading only can map the page. */
	drm_npu_context_create args{};
	CHECK_OK(read_only.create(args));
	CHECK_ERR(try_map(read_only.fd(), page_size, args.page_offset, PROT_WRITE), EACCES);
	CHECK_OK(try_map(read_only.fd(), page_size, args.page_offset));
}

SUBTEST(page_map_bad)
{
	Fixture f;
	Device other;
	const std::uint64_t offset = f.args.page_offset;
	leak::Check leak;

	CHECK_ERR(try_map(f.device.fd(), 2 * page_size, offset), EINVAL);
	CHECK(try_map(f.device.fd(), page_size, offset + page_size) < 0);
	CHECK(try_map(f.device.fd(), page_size, offset - page_size) < 0);
	CHECK(try_map(other.fd(), page_size, offset) < 0);
	/* Also where the other file has a context of that number. */
	drm_npu_context_create theirs{};
	CHECK_OK(other.create(theirs));
	Page mine(f.device, offset);
	CHECK_EQ(run(f.device, f.context, f.job), 1);
	mine.wait(1);
	Page their_page(other, theirs.page_offset);
	CHECK_EQ(their_page.completed(), 0);
	if (theirs.page_offset != offset)
		CHECK(try_map(other.fd(), page_size, offset) < 0);
	CHECK_OK(other.destroy_context(theirs.context_id));
	CHECK(mremap(mine.map(), page_size, 2 * page_size, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK_OK(try_map(f.device.fd(), page_size, offset));
}

/* Many contexts have many pages, each its own. */
SUBTEST(page_many)
{
	Fixture f;
	leak::Check leak;
	std::vector<drm_npu_context_create> contexts;
	{
		std::vector<std::unique_ptr<Page>> pages;

		while (contexts.size() + 1 < f.device.limits().max_contexts)
			contexts.push_back(f.create());
		for (const drm_npu_context_create &context : contexts)
			pages.push_back(std::make_unique<Page>(f.device, context.page_offset));
		for (std::size_t i = 0; i < contexts.size(); i++)
			CHECK_OK(submit(f.device, contexts[i].context_id,
					std::vector(i % 5 + 1, f.job)));
		for (std::size_t i = 0; i < contexts.size(); i++) {
			wait_ended(f.device, contexts[i].context_id, i % 5 + 1);
			CHECK_EQ(pages[i]->completed(), i % 5 + 1);
		}
	}
	for (const drm_npu_context_create &context : contexts)
		CHECK_OK(f.device.destroy_context(context.context_id));
	leak.done();
}

SUBTEST(page_after_destroy)
{
	Fixture f;
	Gate gate(f.device);
	leak::Check leak;
	drm_npu_context_create args = f.create();
	{
		Page page(f.device, args.page_offset);

		CHECK_EQ(run(f.device, args.context_id, f.job), 1);
		CHECK_OK(submit(f.device, args.context_id, {f.job, f.job}, {{gate.sync()}, {}}));
		page.wait(1);
		CHECK_OK(f.device.destroy_context(args.context_id));
		/* The page reports the end of all queued jobs, then stays as it is. */
		page.wait(3);
		drm_npu_page_job job{};
		CHECK(page.read(3, job));
		CHECK_EQ(job.error, ECANCELED);
		CHECK(page.read(1, job));
		CHECK_EQ(job.error, 0);
		CHECK(try_map(f.device.fd(), page_size, args.page_offset) < 0);
		/* The next context has another page. */
		drm_npu_context_create next = f.create();
		CHECK_EQ(run(f.device, next.context_id, f.job), 1);
		wait_ended(f.device, next.context_id, 1);
		CHECK_EQ(page.completed(), 3);
		CHECK_OK(f.device.destroy_context(next.context_id));
	}
	leak.done();
}

SUBTEST(page_after_close)
{
	leak::Check leak;
	{
		Device device;
		drm_npu_context_create args{};

		CHECK_OK(device.create(args));
		Page page(device, args.page_offset);
		{
			Product product(device);
			CHECK_EQ(run(device, args.context_id,
				     create_job(device, {{product.task()}})),
				 1);
		}
		page.wait(1);
		device.close();
		CHECK_EQ(page.completed(), 1);
	}
	leak.done();
}

SUBTEST(page_unplug)
{
	const Plug plug = need_plug();
	Fixture f;
	Gate gate(f.device);
	Page page(f.device, f.args.page_offset);

	CHECK_EQ(run(f.device, f.context, f.job), 1);
	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {}}));
	page.wait(1);
	Unplugged unplugged(plug);
	CHECK_ERR(try_map(f.device.fd(), page_size, f.args.page_offset), ENODEV);
	/* First, for if the page has gone this ends here. */
	unplugged.rebind();
	page.wait(2);
	drm_npu_page_job job{};
	CHECK(page.read(2, job));
	CHECK_EQ(job.error, ENODEV);
	CHECK_EQ(page.completed(), 2);
	CHECK_EQ(page->failed_seqno, 2);
}

/* A reader never sees half a job, however fast they come. */
SUBTEST(page_consistent)
{
	Fixture f;
	Page page(f.device, f.args.page_offset);
	std::atomic<bool> done = false;
	std::atomic<std::uint64_t> seen = 0;
	std::uint64_t last = 0;

	igt::parallel(2, [&](unsigned thread) {
		if (thread) {
			/* Until the reader has had something to see. */
			for (int i = 0; i < 40 || !seen; i++) {
				int result;
				do {
					result = submit(f.device, f.context, std::vector(20, f.job),
							{}, &last);
				} while (result == -EBUSY && !usleep(200));
				CHECK_OK(result);
			}
			wait_ended(f.device, f.context, last);
			done = true;
			return;
		}
		std::uint64_t before = 0;
		while (!done) {
			drm_npu_page_job job{};
			std::uint64_t completed = page.completed();

			CHECK(completed >= before);
			before = completed;
			if (!completed || !page.read(completed, job)) {
				usleep(50);
				continue;
			}
			CHECK_EQ(job.error, 0);
			CHECK(job.queued_ns);
			CHECK(job.started_ns >= job.queued_ns);
			CHECK(job.ended_ns >= job.started_ns);
			CHECK(job.device_ns);
			seen++;
		}
	});
	CHECK(seen);
	CHECK_EQ(page.completed(), last);
}
