/* SPDX-License-Identifier: MIT */
/// Programs that pass the verifier and go wrong on the device.
#include <cerrno>

#include "igt.h"
#include "injection.h"
#include "leak.h"
#include "program.h"

namespace
{

void check_failed(const Device &device, std::uint32_t context, std::uint64_t seqno, int error)
{
	drm_npu_query_context state = device.state(context);

	CHECK_EQ(state.failed_errno, error);
	CHECK_EQ(state.failed_seqno, seqno);
	CHECK_EQ(state.failed_jobs, 1);
	CHECK_EQ(state.completed_seqno, seqno);
}

} // namespace

SUBTEST(fault_read)
{
	Device device;
	leak::Check leak;
	{
		Product product(device);
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, {{faulting(product)}});

		CHECK_EQ(run(device, context, job), -EFAULT);
		check_failed(device, context, 1, EFAULT);
		product.check_untouched();
		CHECK_OK(device.destroy_job(job));
		job = create_job(device, {{product.task()}});
		CHECK_EQ(run(device, context, job), 1);
		product.check();
		CHECK_OK(device.destroy_job(job));
		CHECK_OK(device.destroy_context(context));
	}
	leak.done();
	check_works(device);
}

/*
 * Results that run out of their buffer into a hole. The stream of the job may
 * lie in that hole; the device must not write there either.
 */
SUBTEST(fault_write)
{
	Device device;
	Product product(device);
	std::vector<Buffer> row;

	for (int i = 0; i < 3; i++)
		row.emplace_back(device, 1 << 20);
	/* Whichever way the addresses grow, something follows the first. */
	std::uint32_t address = std::min(row[0].address(), row[1].address());
	Buffer &next = row[0].address() == address ? row[1] : row[0];
	CHECK_EQ(next.address(), address + (1 << 20));
	next.close();

	Task task = product.task();
	set(task, dpu_dst_addr, address + (1 << 20) - 16);
	std::uint32_t job = create_job(device, {{task}});
	/* As often as it may without being banned. */
	for (std::uint32_t i = 1; i < device.limits().max_guilty; i++)
		CHECK_EQ(run(device, device.context(), job), -EFAULT);
	for (std::uint32_t i = 0; i < 1 << 18; i++)
		CHECK_EQ(row[2].as<std::uint32_t>()[i], 0);
	check_works(device);
}

/* Another file's memory is not there, wherever it lies. */
SUBTEST(fault_foreign)
{
	Device device, other;
	Product product(device);
	Buffer theirs(other, 64 << 20);
	Task task = product.task();

	set(task, dpu_dst_addr, product.out.address() + 4096 - 16);
	std::uint32_t job = create_job(device, {{task}});
	CHECK_EQ(run(device, device.context(), job), -EFAULT);
	for (std::uint32_t i = 0; i < 1 << 20; i++)
		CHECK_EQ(theirs.as<std::uint32_t>()[i], 0);
}

/* Faults, again and again, are nothing to other contexts and files. */
SUBTEST(fault_others_go_on)
{
	Device device, other;
	Product good(device), foreign(other);
	std::uint32_t good_context = device.context();
	std::uint32_t foreign_context = other.context();
	std::uint32_t good_job = create_job(device, {{good.task()}});
	std::uint32_t foreign_job = create_job(other, {{foreign.task()}});

	for (int i = 0; i < 30; i++) {
		/* A new file most of the time, lest it be banned. */
		Device fresh;
		const Device &faulty = i ? fresh : device;
		Product bad(faulty);
		Syncobj a(faulty), b(device), c(other);
		std::uint32_t bad_context = faulty.context();
		std::uint32_t bad_job = create_job(faulty, {{faulting(bad)}});

		good.clear();
		foreign.clear();
		CHECK_OK(submit(faulty, bad_context, {bad_job}, {{}, {a.sync()}}));
		CHECK_OK(submit(device, good_context, {good_job}, {{}, {b.sync()}}));
		CHECK_OK(submit(other, foreign_context, {foreign_job}, {{}, {c.sync()}}));
		CHECK_EQ(final_status(a), -EFAULT);
		CHECK_EQ(final_status(b), 1);
		CHECK_EQ(final_status(c), 1);
		good.check();
		foreign.check();
		CHECK_EQ(faulty.state(bad_context).guilty_jobs, 1);
		CHECK_OK(faulty.destroy_context(bad_context));
	}
	CHECK_EQ(device.state(good_context).completed_seqno, 30);
	CHECK_EQ(device.state(good_context).failed_jobs, 0);
	CHECK_EQ(other.state(foreign_context).failed_jobs, 0);
}

SUBTEST(fault_hang)
{
	Device device, other;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t good = create_job(device, {{product.task()}});
	Syncobj hung(device), after(device);
	Injection hang(inject_hang);

	CHECK_OK(submit(device, context, {good}, {{}, {hung.sync()}}));
	hang.wait();
	CHECK_OK(submit(device, context, {good}, {{}, {after.sync()}}));
	/* Other cores serve the others meanwhile. */
	if (device.info().core_count > 1)
		check_works(other);
	CHECK_EQ(look_at(device, context, 1).state, DRM_NPU_JOB_RUNNING);
	Hold::expire();
	CHECK_EQ(final_status(hung), -ETIMEDOUT);
	CHECK_EQ(final_status(after), 1);
	product.check();
	drm_npu_query_context state = device.state(context);
	CHECK_EQ(state.failed_errno, ETIMEDOUT);
	CHECK_EQ(state.failed_seqno, 1);
	CHECK_EQ(state.failed_jobs, 1);
	CHECK_EQ(state.completed_seqno, 2);
}

/* All cores hang at once; the next job finds them working. */
SUBTEST(fault_hang_all)
{
	Device device;
	Product product(device);
	std::uint32_t cores = device.info().core_count;
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, std::vector<Lane>(cores, {product.task()}));
	Hang hang;

	CHECK_EQ(hang.run(device, context, job, cores), -ETIMEDOUT);
	check_failed(device, context, 1, ETIMEDOUT);
	for (std::uint32_t core = 0; core < cores; core++) {
		product.clear();
		CHECK_EQ(run(device, device.context(1u << core),
			     create_job(device, {{product.task()}})),
			 1);
		product.check();
	}
}

/* One bad lane is the job's failure, whatever the other lanes do. */
SUBTEST(fault_lane)
{
	const std::uint32_t cores = Device().info().core_count;

	for (std::uint32_t lane = 0; lane < cores; lane++) {
		Device device;
		Product product(device);
		std::vector<Lane> lanes(cores, {product.task()});
		std::uint32_t context = device.context();

		lanes[lane] = {faulting(product)};
		CHECK_EQ(run(device, context, create_job(device, lanes)), -EFAULT);
		check_failed(device, context, 1, EFAULT);
		CHECK_EQ(look_at(device, context, 1).fault_flags,
			 DRM_NPU_JOB_FAULT_TASK | DRM_NPU_JOB_FAULT_ADDRESS);
		CHECK_EQ(look_at(device, context, 1).fault_lane, lane);
		check_works(device);
	}
}

/* A task in the middle: those before it have run, those after it have not. */
SUBTEST(fault_in_chain)
{
	Device device;
	Product first(device), bad(device), last(device);
	std::uint32_t context = device.context();

	CHECK_EQ(run(device, context,
		     create_job(device, {{first.task(), faulting(bad), last.task()}})),
		 -EFAULT);
	first.check();
	bad.check_untouched();
	last.check_untouched();
	check_failed(device, context, 1, EFAULT);
	CHECK_EQ(device.state(context).tasks, 0);
	/* The job tells where, as far as the device does. */
	drm_npu_job_wait end = look_at(device, context, 1);
	CHECK_EQ(end.fault_flags, DRM_NPU_JOB_FAULT_TASK | DRM_NPU_JOB_FAULT_ADDRESS);
	CHECK_EQ(end.fault_lane, 0);
	CHECK(end.fault_task <= 1 && 1 < end.fault_task + end.fault_task_count);
	if (device.info().flags & DRM_NPU_DEVICE_VIRTUAL)
		CHECK_EQ(end.fault_task_count, 1);
	for (const Product *product : {&first, &bad, &last})
		for (const Buffer *buffer : {&product->features, &product->weights, &product->out})
			CHECK(end.fault_address < buffer->address() ||
			      end.fault_address >= buffer->address() + buffer->size());
}
