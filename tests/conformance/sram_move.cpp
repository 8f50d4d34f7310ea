/* SPDX-License-Identifier: MIT */
/// On-chip memory: moves beside jobs, CPU access, and other clients.
#include <atomic>
#include <cerrno>
#include <thread>

#include <sys/mman.h>

#include "dmabuf.h"
#include "igt.h"
#include "leak.h"
#include "plug.h"
#include "process.h"
#include "sram.h"

namespace
{

constexpr std::uint64_t page = 4096;

} // namespace

SUBTEST(sram_job)
{
	Device device;
	need_sram(device);
	Product product(device, {16, 64, 64});
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = device.context();

	CHECK_EQ(run(device, context, job), 1);
	CHECK_EQ(device.state(context).sram_bytes, 0);
	for (std::uint32_t handle : handles(product))
		CHECK_OK(pin(device, handle));
	product.clear();
	drm_npu_query_context before = device.state(context);
	CHECK_EQ(run(device, context, job), 1);
	product.check();
	drm_npu_query_context after = device.state(context);
	std::uint64_t bytes =
		after.read_bytes - before.read_bytes + after.written_bytes - before.written_bytes;
	if (!bytes)
		igt::skip("needs a device that counts bytes");
	/* All but the stream. */
	CHECK(after.sram_bytes > bytes / 2);
	CHECK(after.sram_bytes < bytes);
}

/* The job's own streams come and go as buffers do, with the page behind them. */
SUBTEST(sram_streams)
{
	constexpr std::uint64_t all_pages = 2 * page;
	Device device, other;
	drm_npu_query_region region = need_sram(device);
	Product product(device, {16, 64, 64});
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}}, on_chip);
	auto used = [&] {
		return device.region(on_chip).file_used;
	};
	auto gets = [&](std::uint64_t bytes) {
		return patience::comes([&] { return used() == bytes; });
	};

	CHECK(gets(all_pages));
	/* Pages count as used before the streams have moved there. */
	drm_npu_query_context before{}, after{};
	CHECK(patience::comes([&] {
		before = device.state(context);
		CHECK_EQ(run(device, context, job), 1);
		after = device.state(context);
		return after.read_bytes == before.read_bytes ||
		       after.sram_bytes > before.sram_bytes;
	}));
	product.check();
	CHECK(after.sram_bytes - before.sram_bytes <= page);
	/* Pinned buffers evict preferred ones, which return later. */
	if (!geteuid()) {
		Pattern all(other, region.size);

		CHECK_OK(pin(other, all.handle()));
		CHECK_EQ(used(), 0);
		product.clear();
		CHECK_EQ(run(device, context, job), 1);
		product.check();
		CHECK_EQ(device.state(context).sram_bytes, after.sram_bytes);
		all.check();
	}
	CHECK(gets(all_pages));
	product.clear();
	CHECK_EQ(run(device, context, job), 1);
	product.check();
	CHECK_OK(device.destroy_job(job));
	CHECK(gets(0));
}

SUBTEST(sram_streams_bad)
{
	Device device;
	drm_npu_query_region region = need_sram(device);
	Product product(device);
	leak::Check leak;
	drm_npu_job_create args{};

	/* More than fit: each has all registers of the blocks that it starts. */
	const auto tasks = static_cast<std::size_t>(region.size / 800 + 1);
	const std::vector<Lane> large{Lane(tasks, product.task())};
	args.region = on_chip;
	CHECK_ERR(create_job(device, large, args), ENOSPC);
	CHECK_EQ(device.region(on_chip).file_used, 0);
	args.region = 0;
	CHECK_OK(create_job(device, large, args));
	CHECK_OK(device.destroy_job(args.job_id));
	leak.done();
}

/* Wherever each operand is, the product is right. */
SUBTEST(sram_job_after_moves)
{
	Device device;
	need_sram(device);
	Product product(device, {16, 64, 64});
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = device.context();

	for (std::uint32_t round = 0; round < 24; round++) {
		igt::Note note("round " + std::to_string(round));
		std::vector<std::uint32_t> all = handles(product);

		for (std::size_t i = 0; i < all.size(); i++)
			CHECK_OK((round >> i) & 1 ? pin(device, all[i]) : evict(device, all[i]));
		product.clear();
		product.features.as<std::uint8_t>()[round]++;
		CHECK_EQ(run(device, context, job), 1);
		product.check();
	}
}

SUBTEST(sram_job_read_only)
{
	Device device;
	need_sram(device);
	Buffer target(device, page, DRM_NPU_BO_READ_ONLY);
	Product product(device);
	Task task = product.task();

	/* The verifier knows what is read-only; here it is the features. */
	std::copy_n(product.features.as<std::uint8_t>(), page, target.as<std::uint8_t>());
	set(task, cna_feature_addr, target.address());
	std::uint32_t job = create_job(device, {{task}});
	CHECK_OK(pin(device, target.handle()));
	CHECK_EQ(run(device, device.context(), job), 1);
	product.check();
}

/* A job that runs is waited for, and one that is queued waits. */
SUBTEST(sram_waits_for_job)
{
	Device device;
	need_sram(device);
	RunningJob running(device);
	Product product(device);
	std::uint32_t context = device.context(one_core), other = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint64_t seqno = 0, last = 0;
	std::atomic<bool> done = false;
	Sleeper sleeper;

	CHECK_OK(submit(device, context, {running.job}, {}, &seqno));
	wait_running(device, context, seqno);
	std::jthread mover([&] {
		sleeper.enters();
		CHECK_OK(pin(device, product.out.handle()));
		done = true;
	});
	sleeper.wait_asleep();
	CHECK(!done);
	CHECK(!inside(device, product.weights.handle()));
	/* The move begins in a thread of the driver, when that gets a processor. */
	CHECK(patience::comes([&] {
		CHECK_OK(submit(device, other, {job}, {}, &last));
		usleep(20000);
		return look_at(device, other, last).state == DRM_NPU_JOB_QUEUED;
	}));
	CHECK_OK(cancel(device, context, seqno, seqno));
	running.hold.open();
	mover.join();
	CHECK(inside(device, product.out.handle()));
	CHECK_EQ(wait_ended(device, other, last).error, 0);
	product.check();
}

/* A client whose export waits for its job keeps nobody else waiting. */
SUBTEST(sram_export_waits_alone)
{
	Device device, other;
	need_sram(device);
	RunningJob running(device);
	Pattern buffer(device, page);
	std::uint32_t context = device.context(one_core);
	std::uint64_t seqno = 0;
	std::atomic<bool> exported = false, created = false;
	Sleeper sleeper;

	CHECK_OK(pin(device, buffer.handle()));
	CHECK_OK(prefer(device, buffer.handle()));
	CHECK(inside(device, buffer.handle()));
	CHECK_OK(submit(device, context, {running.job}, {}, &seqno));
	wait_running(device, context, seqno);
	std::jthread exporter([&] {
		sleeper.enters();
		export_buffer(device.fd(), buffer.handle());
		exported = true;
	});
	sleeper.wait_asleep();
	std::jthread creator([&] {
		Buffer mine(other, page);

		export_buffer(other.fd(), mine.handle());
		created = true;
	});
	bool in_time = patience::comes([&] { return created.load(); });
	CHECK(!exported);
	running.hold.open();
	exporter.join();
	creator.join();
	CHECK(in_time);
	CHECK(!inside(device, buffer.handle()));
	buffer.check();
}

/* Another file's jobs are none of its business. */
SUBTEST(sram_other_file_runs)
{
	Device device, busy;
	need_sram(device);
	RunningJob running(busy);
	Pattern buffer(device, page);
	std::uint32_t context = busy.context(one_core);
	std::uint64_t seqno = 0;

	CHECK_OK(submit(busy, context, {running.job}, {}, &seqno));
	wait_running(busy, context, seqno);
	CHECK_OK(pin(device, buffer.handle()));
	CHECK_OK(evict(device, buffer.handle()));
	CHECK_EQ(look_at(busy, context, seqno).state, DRM_NPU_JOB_RUNNING);
	buffer.check();
	CHECK_OK(cancel(busy, context, seqno, seqno));
}

/* A buffer that waits for evictions can be freed before they are done. */
SUBTEST(sram_closed_while_waiting)
{
	Device holder, device;
	drm_npu_query_region region = need_sram(holder);
	RunningJob running(holder);
	Pattern large(holder, region.size);
	std::uint32_t context = holder.context(one_core), other = holder.context();
	std::uint64_t seqno = 0;

	CHECK_OK(prefer(holder, large.handle()));
	CHECK(gets_inside(holder, large.handle()));
	CHECK_OK(submit(holder, context, {running.job}, {}, &seqno));
	wait_running(holder, context, seqno);
	Pattern buffer(device, page, 2);
	CHECK_OK(prefer(device, buffer.handle()));
	/* The move that is held up shows that the other one is waited for. */
	Product product(holder);
	std::uint32_t job = create_job(holder, {{product.task()}});
	std::uint64_t last = 0;
	CHECK(patience::comes([&] {
		drm_npu_job_wait args{};

		CHECK_OK(submit(holder, other, {job}, {}, &last));
		CHECK_OK(wait_job(holder, other, last, now_ns() + ms_to_ns(20), args));
		return args.state == DRM_NPU_JOB_QUEUED;
	}));
	buffer.buffer.close();
	CHECK_EQ(look_at(holder, context, seqno).state, DRM_NPU_JOB_RUNNING);
	CHECK_EQ(wait_ended(holder, other, last).error, 0);
	CHECK_EQ(look_at(holder, context, seqno).state, DRM_NPU_JOB_RUNNING);
	CHECK(inside(holder, large.handle()));
	CHECK_OK(cancel(holder, context, seqno, seqno));
	large.check();
	buffer.check();
}

/* A signal ends the wait, and nothing has changed. */
SUBTEST(sram_interrupted)
{
	Device device;
	need_sram(device);
	RunningJob running(device);
	Pattern buffer(device, page);
	std::uint32_t context = device.context(one_core);
	std::uint64_t seqno = 0;
	drm_npu_bo_residency args{};

	interruptible();
	args.handle = buffer.handle();
	args.region = on_chip;
	args.residency = DRM_NPU_RESIDENCY_PIN;
	CHECK_OK(submit(device, context, {running.job}, {}, &seqno));
	wait_running(device, context, seqno);
	CHECK_ERR(interrupted(device.fd(), DRM_IOCTL_NPU_BO_RESIDENCY, &args), EINTR);
	CHECK_EQ(device.buffer(buffer.handle()).residency, DRM_NPU_RESIDENCY_NONE);
	CHECK_EQ(device.region(on_chip).file_used, 0);
	CHECK_EQ(device.region(on_chip).file_pinned, 0);
	CHECK_OK(cancel(device, context, seqno, seqno));
	running.hold.open();
	CHECK_OK(pin(device, buffer.handle()));
	buffer.check();
	check_works(device);
}

/* Two parts of a mapping, one of them gone. */
SUBTEST(sram_split_mapping)
{
	Device device;
	need_sram(device);
	Pattern buffer(device, 4 * page);
	auto *map = static_cast<std::uint32_t *>(
		map_file(device.fd(), 4 * page, buffer.buffer.offset(), PROT_READ | PROT_WRITE));

	CHECK(map);
	CHECK_EQ(munmap(map, page), 0);
	auto *rest = map + page / 4, *same = buffer.buffer.as<std::uint32_t>() + page / 4;
	for (bool in : {true, false, true}) {
		CHECK_OK(in ? pin(device, buffer.handle()) : evict(device, buffer.handle()));
		for (std::size_t i = 0; i < 3 * page / 4; i++)
			CHECK_EQ(rest[i], same[i]);
		rest[5] = in;
		CHECK_EQ(same[5], in);
		buffer.fill(in);
	}
	munmap(rest, 3 * page);
}

/* A mapping that a child has inherited goes on to be the same memory. */
SUBTEST(sram_forked_mapping)
{
	Device device;
	need_sram(device);
	Pattern buffer(device, 2 * page);
	Sockets sockets;
	pid_t pid = fork_run([&] {
		for (std::uint32_t round = 0; round < 3; round++) {
			receive_byte(sockets.second);
			CHECK_EQ(buffer.buffer.as<std::uint32_t>()[0], round);
			buffer.buffer.as<std::uint32_t>()[1] = round;
			send_byte(sockets.second);
		}
	});

	for (std::uint32_t round = 0; round < 3; round++) {
		CHECK_OK(round % 2 ? evict(device, buffer.handle()) : pin(device, buffer.handle()));
		buffer.buffer.as<std::uint32_t>()[0] = round;
		send_byte(sockets.first);
		receive_byte(sockets.first);
		CHECK_EQ(buffer.buffer.as<std::uint32_t>()[1], round);
	}
	check_exit(pid);
}

/* No write of the CPU is lost to a move. */
SUBTEST(sram_writes_while_moving)
{
	need_unmapping();
	Device device;
	need_sram(device);
	Buffer buffer(device, 8 * page);
	std::atomic<bool> stop = false;
	std::uint32_t counts[8]{};

	std::jthread writer([&] {
		for (std::uint32_t i = 0; !stop; i++) {
			std::atomic_ref word(buffer.as<std::uint32_t>()[(i % 8) * page / 4]);

			word.fetch_add(1);
			counts[i % 8]++;
		}
	});
	for (int round = 0; round < 60; round++)
		CHECK_OK(round % 2 ? evict(device, buffer.handle()) : pin(device, buffer.handle()));
	stop = true;
	writer.join();
	for (std::size_t i = 0; i < 8; i++)
		CHECK_EQ(buffer.as<std::uint32_t>()[i * page / 4], counts[i]);
}

/* When the chip goes away, contents do not. */
SUBTEST(sram_unplugged)
{
	const Plug plug = need_plug();
	Device device;
	need_sram(device);
	Pattern pinned(device, 4 * page), preferred(device, 4 * page, 2);

	CHECK_OK(pin(device, pinned.handle()));
	CHECK_OK(prefer(device, preferred.handle()));
	CHECK(gets_inside(device, preferred.handle()));
	Unplugged unplugged(plug);
	pinned.check();
	preferred.check();
	preferred.fill(3);
	preferred.check();
	unplugged.rebind();
	Device fresh;
	CHECK_EQ(fresh.region(on_chip).used, 0);
}
