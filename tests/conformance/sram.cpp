/* SPDX-License-Identifier: MIT */
/// On-chip memory: where buffers are, and who has to leave.
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>

#include "dmabuf.h"
#include "igt.h"
#include "leak.h"
#include "sched_fixture.h"
#include "sram.h"

namespace
{

constexpr std::uint64_t page = 4096;

/* State that a failing call must not change. */
void check_same(const drm_npu_query_region &a, const drm_npu_query_region &b)
{
	CHECK_EQ(a.used, b.used);
	CHECK_EQ(a.file_used, b.file_used);
	CHECK_EQ(a.pinned, b.pinned);
	CHECK_EQ(a.file_pinned, b.file_pinned);
	CHECK_EQ(a.share, b.share);
	CHECK_EQ(a.evictions, b.evictions);
	CHECK_EQ(a.moves, b.moves);
}

drm_npu_bo_create region_args(std::uint64_t size, std::uint32_t flags = 0)
{
	drm_npu_bo_create args{};

	args.size = size;
	args.flags = flags;
	args.region = on_chip;
	return args;
}

int create(const Device &device, drm_npu_bo_create &args)
{
	return call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args);
}

/* Buffers of @size that are all inside, until no more fits. */
std::vector<Pattern> fill_region(const Device &device, std::uint64_t size,
				 std::uint32_t priority = 0)
{
	std::vector<Pattern> buffers;

	for (std::uint64_t i = 0; i < device.region(on_chip).size / size; i++) {
		buffers.emplace_back(device, size, static_cast<std::uint32_t>(i));
		CHECK_OK(prefer(device, buffers.back().handle(), priority));
		CHECK(gets_inside(device, buffers.back().handle()));
	}
	return buffers;
}

void check_all(const std::vector<Pattern> &buffers)
{
	for (const Pattern &buffer : buffers)
		buffer.check();
}

std::size_t count_inside(const Device &device, const std::vector<Pattern> &buffers)
{
	std::size_t count = 0;

	for (const Pattern &buffer : buffers)
		count += inside(device, buffer.handle());
	return count;
}

} // namespace

SUBTEST(sram_not_asked)
{
	Device device;
	need_sram(device);
	Pattern buffer(device, 3 * page);
	drm_npu_query_buffer info = device.buffer(buffer.handle());

	CHECK_EQ(info.region, DRM_NPU_REGION_SYSTEM);
	CHECK_EQ(info.residency, DRM_NPU_RESIDENCY_NONE);
	CHECK_EQ(info.priority, 0);
	CHECK_OK(evict(device, buffer.handle()));
	CHECK(!inside(device, buffer.handle()));
	CHECK_EQ(device.region(on_chip).file_used, 0);
}

/* Address, contents and mappings stay as they are. */
SUBTEST(sram_prefer)
{
	Device device;
	drm_npu_query_region before = need_sram(device);
	Pattern buffer(device, 5 * page);
	std::uint64_t address = device.buffer(buffer.handle()).address;

	CHECK_OK(prefer(device, buffer.handle(), 7));
	CHECK(gets_inside(device, buffer.handle()));
	drm_npu_query_buffer info = device.buffer(buffer.handle());
	CHECK_EQ(info.address, address);
	CHECK_EQ(info.residency, DRM_NPU_RESIDENCY_PREFER);
	CHECK_EQ(info.priority, 7);
	drm_npu_query_region region = device.region(on_chip);
	CHECK_EQ(region.file_used, 5 * page);
	CHECK_EQ(region.file_pinned, 0);
	CHECK(region.used >= region.file_used);
	CHECK(region.moves > before.moves);
	CHECK(region.moved_bytes >= before.moved_bytes + 5 * page);
	buffer.check();
	buffer.fill(2);
	CHECK_OK(evict(device, buffer.handle()));
	CHECK(!inside(device, buffer.handle()));
	CHECK_EQ(device.region(on_chip).file_used, 0);
	buffer.check();
	CHECK_EQ(device.buffer(buffer.handle()).address, address);
}

SUBTEST(sram_pin)
{
	Device device;
	need_sram(device);
	Pattern buffer(device, 2 * page);

	CHECK_OK(pin(device, buffer.handle()));
	CHECK(inside(device, buffer.handle()));
	CHECK_EQ(device.buffer(buffer.handle()).residency, DRM_NPU_RESIDENCY_PIN);
	CHECK_EQ(device.region(on_chip).file_pinned, 2 * page);
	buffer.check();
	/* Once more is nothing new. */
	CHECK_OK(pin(device, buffer.handle()));
	CHECK_EQ(device.region(on_chip).file_pinned, 2 * page);
	/* Unpinned, it stays for as long as nobody else wants to have its place. */
	CHECK_OK(prefer(device, buffer.handle()));
	CHECK(inside(device, buffer.handle()));
	CHECK_EQ(device.region(on_chip).file_pinned, 0);
	CHECK_EQ(device.region(on_chip).file_used, 2 * page);
	CHECK_OK(evict(device, buffer.handle()));
	CHECK_EQ(device.region(on_chip).file_used, 0);
	buffer.check();
}

SUBTEST(sram_create)
{
	Device device;
	need_sram(device);
	drm_npu_bo_create preferred = region_args(page + 1);
	drm_npu_bo_create pinned = region_args(page, DRM_NPU_BO_PIN | DRM_NPU_BO_READ_ONLY);

	CHECK_OK(create(device, preferred));
	CHECK_EQ(preferred.size, 2 * page);
	CHECK(gets_inside(device, preferred.handle));
	CHECK_OK(create(device, pinned));
	CHECK(inside(device, pinned.handle));
	CHECK_EQ(device.buffer(pinned.handle).residency, DRM_NPU_RESIDENCY_PIN);
	CHECK_EQ(device.buffer(pinned.handle).flags, DRM_NPU_BO_READ_ONLY);
	CHECK_EQ(device.region(on_chip).file_used, 3 * page);
	CHECK_OK(close_handle(device.fd(), pinned.handle));
	CHECK_OK(close_handle(device.fd(), preferred.handle));
	CHECK_EQ(device.region(on_chip).file_used, 0);
	CHECK_EQ(device.region(on_chip).file_pinned, 0);
}

SUBTEST(sram_create_bad)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	leak::Check leak;

	for (drm_npu_bo_create args :
	     {region_args(region.size + page, DRM_NPU_BO_PIN), region_args(region.size + page)}) {
		args.handle = poison;
		CHECK_ERR(create(device, args), ENOSPC);
		CHECK_EQ(args.handle, poison);
	}
	drm_npu_bo_create system = region_args(page, DRM_NPU_BO_PIN);
	system.region = DRM_NPU_REGION_SYSTEM;
	CHECK_ERR(create(device, system), EINVAL);
	drm_npu_bo_create unknown = region_args(page);
	unknown.region = device.info().region_count;
	CHECK_ERR(create(device, unknown), EINVAL);
	leak.done();
	check_same(region, device.region(on_chip));
}

SUBTEST(sram_bad)
{
	Device device, other;
	drm_npu_query_region region = need_sram(device);
	Buffer buffer(device, page);
	auto refused = [&](auto change, int error) {
		drm_npu_bo_residency args{};

		args.handle = buffer.handle();
		args.residency = DRM_NPU_RESIDENCY_PREFER;
		args.region = on_chip;
		change(args);
		CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_BO_RESIDENCY, &args), error);
	};

	for (std::uint32_t bad : {3u, 0x80000000u, ~0u})
		refused([&](auto &args) { args.residency = bad; }, EINVAL);
	for (std::uint32_t bad : {0u, device.info().region_count, ~0u})
		refused([&](auto &args) { args.region = bad; }, EINVAL);
	for (std::uint32_t bad : {256u, ~0u})
		refused([&](auto &args) { args.priority = bad; }, EINVAL);
	for (int bit = 0; bit < 64; bit++)
		refused([&](auto &args) { args.pad = std::uint64_t{1} << bit; }, EINVAL);
	for (std::uint32_t bad : {0u, buffer.handle() + 1, ~0u})
		refused([&](auto &args) { args.handle = bad; }, ENOENT);
	CHECK_ERR(prefer(other, buffer.handle()), ENOENT);
	check_same(region, device.region(on_chip));
	CHECK_EQ(device.buffer(buffer.handle()).residency, DRM_NPU_RESIDENCY_NONE);
}

SUBTEST(sram_too_large)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	Buffer buffer(device, region.size + page);

	CHECK_ERR(prefer(device, buffer.handle()), ENOSPC);
	CHECK_ERR(pin(device, buffer.handle()), ENOSPC);
	CHECK_OK(evict(device, buffer.handle()));
	check_same(region, device.region(on_chip));
	CHECK_EQ(device.buffer(buffer.handle()).residency, DRM_NPU_RESIDENCY_NONE);
}

/* A device of its own: the limits do not count for the privileged. */
SUBTEST(sram_pin_limit)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	std::vector<Pattern> buffers;

	if (!geteuid())
		igt::skip("needs a user without CAP_SYS_RESOURCE");
	while (device.region(on_chip).file_pinned + page <= region.pin_limit) {
		buffers.emplace_back(device, page);
		CHECK_OK(pin(device, buffers.back().handle()));
	}
	drm_npu_query_region full = device.region(on_chip);
	Pattern other(device, page);
	CHECK_ERR(pin(device, other.handle()), ENOSPC);
	check_same(full, device.region(on_chip));
	CHECK(!inside(device, other.handle()));
	/* Preferred buffers do not count as pinned. */
	CHECK_OK(prefer(device, other.handle()));
	CHECK(gets_inside(device, other.handle()));
	CHECK_ERR(pin(device, other.handle()), ENOSPC);
	CHECK_EQ(device.buffer(other.handle()).residency, DRM_NPU_RESIDENCY_PREFER);
	CHECK(inside(device, other.handle()));
	CHECK_OK(prefer(device, buffers.back().handle()));
	CHECK_OK(pin(device, other.handle()));
	check_all(buffers);
	other.check();
}

SUBTEST(sram_pin_privileged)
{
	Device device;
	drm_npu_query_region region = need_sram(device);

	need_root();
	Pattern all(device, region.size), more(device, page, 2);
	CHECK_OK(pin(device, all.handle()));
	CHECK_EQ(device.region(on_chip).file_pinned, region.size);
	CHECK_EQ(device.region(on_chip).largest_hole, 0);
	drm_npu_query_region full = device.region(on_chip);
	CHECK_ERR(pin(device, more.handle()), ENOSPC);
	check_same(full, device.region(on_chip));
	CHECK_OK(prefer(device, more.handle()));
	CHECK(!inside(device, more.handle()));
	CHECK_OK(evict(device, all.handle()));
	/* There is room, so it comes by itself. */
	CHECK(gets_inside(device, more.handle()));
	all.check();
	more.check();
}

/* Unpinned buffers make room for files below their share. */
SUBTEST(sram_unpinned)
{
	Device greedy, modest;
	drm_npu_query_region region = need_sram(greedy);

	need_root();
	Pattern all(greedy, region.size), first(modest, page, 2), second(modest, page, 3);
	CHECK_OK(pin(greedy, all.handle()));
	CHECK_OK(prefer(modest, first.handle()));
	CHECK_OK(prefer(modest, second.handle()));
	CHECK(!inside(modest, first.handle()));
	CHECK_OK(prefer(greedy, all.handle(), 255));
	CHECK(gets_inside(modest, first.handle()));
	CHECK(gets_inside(modest, second.handle()));
	CHECK(!inside(greedy, all.handle()));
	all.check();
	first.check();
	second.check();
}

/* The same of what is less wanted than before, within a file. */
SUBTEST(sram_lowered)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	Pattern large(device, region.size), small(device, page, 2);

	CHECK_OK(prefer(device, large.handle(), 9));
	CHECK(gets_inside(device, large.handle()));
	CHECK_OK(prefer(device, small.handle(), 5));
	usleep(20000);
	CHECK(!inside(device, small.handle()));
	CHECK_OK(prefer(device, large.handle(), 4));
	CHECK(gets_inside(device, small.handle()));
	CHECK(!inside(device, large.handle()));
	large.check();
	small.check();
}

/* Pinned ones drive preferred ones out, and those come back when they can. */
SUBTEST(sram_pin_evicts)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	std::uint64_t size = region.pin_limit / 2 / page * page;
	std::vector<Pattern> buffers = fill_region(device, size);
	Pattern pinned(device, region.pin_limit);
	std::uint64_t evictions = device.region(on_chip).evictions;

	CHECK_OK(pin(device, pinned.handle()));
	CHECK(inside(device, pinned.handle()));
	CHECK(count_inside(device, buffers) < buffers.size());
	CHECK(device.region(on_chip).evictions > evictions);
	/* The oldest had to go. */
	CHECK(!inside(device, buffers.front().handle()));
	CHECK(inside(device, buffers.back().handle()));
	check_all(buffers);
	CHECK_OK(evict(device, pinned.handle()));
	for (const Pattern &buffer : buffers)
		CHECK(gets_inside(device, buffer.handle()));
	check_all(buffers);
	pinned.check();
}

SUBTEST(sram_priority)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	std::uint64_t size = region.size / 4 / page * page;
	std::vector<Pattern> buffers = fill_region(device, size, 100);
	Pattern low(device, 2 * size, 90), high(device, 2 * size, 91);

	CHECK_OK(prefer(device, low.handle(), 99));
	CHECK_OK(prefer(device, high.handle(), 101));
	CHECK(gets_inside(device, high.handle()));
	CHECK(!inside(device, low.handle()));
	CHECK_EQ(count_inside(device, buffers), buffers.size() - 2);
	CHECK(inside(device, buffers.back().handle()));
	/* With another priority it is another one that leaves. */
	CHECK_OK(prefer(device, buffers.back().handle(), 98));
	Pattern next(device, size, 92);
	CHECK_OK(prefer(device, next.handle(), 101));
	CHECK(gets_inside(device, next.handle()));
	CHECK(!inside(device, buffers.back().handle()));
	check_all(buffers);
	low.check();
	high.check();
	next.check();
}

/* Of equal ones that leaves which was asked for first. */
SUBTEST(sram_age)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	std::uint64_t size = region.size / 4 / page * page;
	std::vector<Pattern> buffers = fill_region(device, size, 5);
	Pattern next(device, size, 90);

	/* Asked for again, the first is the newest. */
	CHECK_OK(prefer(device, buffers[0].handle(), 5));
	CHECK_OK(prefer(device, next.handle(), 5));
	CHECK(gets_inside(device, next.handle()));
	CHECK(inside(device, buffers[0].handle()));
	CHECK(!inside(device, buffers[1].handle()));
	check_all(buffers);
}

/* However much one prefers, another gets its share, and no more than that. */
SUBTEST(sram_share)
{
	Device greedy, modest;
	drm_npu_query_region region = need_sram(greedy);
	std::uint64_t size = region.size / 8 / page * page;
	std::vector<Pattern> many = fill_region(greedy, size, 255);
	std::vector<Pattern> few;

	for (std::uint32_t i = 0; i < 3; i++) {
		few.emplace_back(modest, size, 50 + i);
		CHECK_OK(prefer(modest, few.back().handle(), 0));
		CHECK(gets_inside(modest, few.back().handle()));
	}
	CHECK(modest.region(on_chip).share >= 3 * size);
	CHECK(count_inside(greedy, many) >= 4);
	/* Nor can the greedy one take it back. */
	Pattern more(greedy, size, 99);
	CHECK_OK(prefer(greedy, more.handle(), 255));
	CHECK(gets_inside(greedy, more.handle()));
	CHECK_EQ(count_inside(modest, few), few.size());
	check_all(many);
	check_all(few);
	more.check();
}

/* A file that runs nothing has no share: what it prefers leaves for one that works. */
SUBTEST(sram_idle)
{
	Device idle, busy;
	drm_npu_query_region region = need_sram(idle);

	need_root();
	RunningJob running(busy);
	Pattern all(idle, region.size), mine(busy, region.size, 2);
	std::uint32_t context = busy.context(one_core);
	std::uint64_t seqno = 0;

	CHECK_OK(prefer(idle, all.handle(), 255));
	CHECK(gets_inside(idle, all.handle()));
	CHECK_OK(submit(busy, context, {running.job}, {}, &seqno));
	wait_running(busy, context, seqno);
	CHECK_OK(prefer(busy, mine.handle()));
	CHECK(inside(idle, all.handle()));
	{
		const Parameter idle_ms("sram_idle_ms", "0");

		CHECK(patience::comes(
			[&] { return busy.region(on_chip).file_used == region.size; }));
		CHECK(!inside(idle, all.handle()));
		CHECK_EQ(busy.region(on_chip).share, region.size);
		/* Its move waits for the slice that runs, and must not find shares of
		 * two files when it begins. */
		running.hold.open();
		CHECK(gets_inside(busy, mine.handle()));
	}
	all.check();
	mine.check();
}

SUBTEST(sram_pinned_safe)
{
	Device holder, other;
	drm_npu_query_region region = need_sram(holder);
	Pattern pinned(holder, region.pin_limit);

	CHECK_OK(pin(holder, pinned.handle()));
	std::uint64_t moves = 0;
	{
		std::vector<Pattern> buffers;

		for (std::uint32_t i = 0; i < 8; i++) {
			buffers.emplace_back(other, region.size / 4 / page * page, i);
			CHECK_OK(prefer(other, buffers.back().handle(), 255));
		}
		CHECK(gets_inside(other, buffers.back().handle()));
		CHECK(inside(holder, pinned.handle()));
		moves = holder.region(on_chip).moves;
		CHECK(moves);
	}
	CHECK(inside(holder, pinned.handle()));
	pinned.check();
}

/* The next file sees no data of the previous one. */
SUBTEST(sram_zero_after_use)
{
	for (std::uint32_t round = 0; round < 4; round++) {
		Device device;
		drm_npu_query_region region = need_sram(device);
		auto size = static_cast<std::size_t>(region.size / 2 / page * page);
		drm_npu_bo_create args = region_args(size);

		CHECK_OK(create(device, args));
		CHECK(gets_inside(device, args.handle));
		auto bytes = static_cast<std::size_t>(size);
		auto *words = static_cast<std::uint32_t *>(
			map_file(device.fd(), bytes, args.mmap_offset, 3));
		CHECK(words);
		for (std::size_t i = 0; i < size / 4; i++) {
			CHECK_EQ(words[i], 0);
			words[i] = poison;
		}
		munmap(words, bytes);
	}
}

SUBTEST(sram_shared)
{
	Device device;
	need_sram(device);
	Pattern preferred(device, page), pinned(device, page, 2), never_asked(device, page, 3);
	Fd file;

	CHECK_OK(prefer(device, preferred.handle()));
	CHECK(gets_inside(device, preferred.handle()));
	CHECK_OK(export_buffer(device.fd(), preferred.handle(), DRM_CLOEXEC, file));
	CHECK(!inside(device, preferred.handle()));
	CHECK_EQ(device.buffer(preferred.handle()).residency, DRM_NPU_RESIDENCY_NONE);
	CHECK_ERR(prefer(device, preferred.handle()), EBUSY);
	CHECK_ERR(pin(device, preferred.handle()), EBUSY);
	preferred.check();

	CHECK_OK(pin(device, pinned.handle()));
	Fd refused;
	CHECK_ERR(export_buffer(device.fd(), pinned.handle(), DRM_CLOEXEC, refused), EBUSY);
	CHECK(inside(device, pinned.handle()));
	CHECK_EQ(device.buffer(pinned.handle()).flags & DRM_NPU_BO_SHARED, 0);
	CHECK_OK(evict(device, pinned.handle()));
	CHECK_OK(export_buffer(device.fd(), pinned.handle(), DRM_CLOEXEC, refused));
	pinned.check();

	CHECK_OK(export_buffer(device.fd(), never_asked.handle(), DRM_CLOEXEC, refused));
	CHECK_ERR(pin(device, never_asked.handle()), EBUSY);
	CHECK_EQ(device.region(on_chip).file_used, 0);
}

SUBTEST(sram_imported)
{
	Device device, other;
	need_sram(device);
	Pattern buffer(other, page);
	Imported imported(device, export_buffer(other.fd(), buffer.handle()));

	CHECK_ERR(prefer(device, imported.handle()), EBUSY);
	CHECK_ERR(pin(device, imported.handle()), EBUSY);
	CHECK_EQ(device.buffer(imported.handle()).region, DRM_NPU_REGION_SYSTEM);
}

/* A mapping outlives the handle, and the place does not. */
SUBTEST(sram_close)
{
	Device device;
	need_sram(device);
	Pattern buffer(device, 4 * page);
	leak::Check leak;
	{
		Pattern other(device, 2 * page, 9);

		CHECK_OK(pin(device, buffer.handle()));
		CHECK_OK(prefer(device, other.handle()));
	}
	buffer.buffer.close();
	CHECK_EQ(device.region(on_chip).file_used, 0);
	CHECK_EQ(device.region(on_chip).file_pinned, 0);
	buffer.check();
	buffer.fill(7);
	buffer.check();
}

/* Buffers of a job stay where they are until the job is gone. */
SUBTEST(sram_job_keeps)
{
	Device device;
	need_sram(device);
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});

	CHECK_OK(pin(device, product.weights.handle()));
	std::uint64_t used = device.region(on_chip).file_used;
	CHECK(used);
	product.weights.close();
	CHECK_EQ(device.region(on_chip).file_used, used);
	CHECK_EQ(run(device, device.context(), job), 1);
	product.check();
	CHECK_OK(device.destroy_job(job));
	/* Jobs are retired a moment after their end. */
	CHECK(gets_empty(device));
}
