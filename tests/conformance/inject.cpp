/* SPDX-License-Identifier: MIT */
/// Lanes that hang or fault on demand: whom it hits, and whom not.
#include <algorithm>
#include <cerrno>
#include <optional>

#include "igt.h"
#include "injection.h"
#include "leak.h"
#include "program.h"

namespace
{

struct Kind {
	const char *parameter;
	int error;
};
constexpr Kind kinds[] = {{inject_hang, ETIMEDOUT}, {inject_fault, EFAULT}};

/// The watchdog would find cores that hang, in the end.
void find(const Kind &kind)
{
	if (kind.error == ETIMEDOUT)
		Hold::expire();
}

/// Runs a job that takes what is injected but for @rest lanes; answers its error.
std::uint32_t run_into(const Kind &kind, const Injection &injection, unsigned rest,
		       const Device &device, std::uint32_t context, std::uint32_t job)
{
	std::uint64_t seqno = 0;
	std::optional<Hold> hold;

	/* A fault ends the job, and lanes that have not begun by then never do. */
	if (kind.error != ETIMEDOUT)
		hold.emplace();
	CHECK_OK(submit(device, context, {job}, {}, &seqno));
	CHECK(patience::comes([&] { return injection.left() <= rest; }));
	hold.reset();
	find(kind);
	return wait_ended(device, context, seqno).error;
}

} // namespace

SUBTEST(inject_once)
{
	for (const Kind &kind : kinds) {
		igt::Note note(kind.parameter);
		Injection injection(kind.parameter, 1);
		Device device, other;
		Product product(device);
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, {{product.task()}});

		CHECK_EQ(run_into(kind, injection, 0, device, context, job), kind.error);
		CHECK_EQ(injection.left(), 0);
		drm_npu_query_context state = device.state(context);
		CHECK_EQ(state.failed_errno, kind.error);
		CHECK_EQ(state.guilty_jobs, 1);
		product.clear();
		CHECK_EQ(run(device, context, job), 1);
		product.check();
		check_works(other);
	}
}

/* So many lanes, of whatever jobs; each job is guilty once. */
SUBTEST(inject_lanes)
{
	for (const Kind &kind : kinds) {
		igt::Note note(kind.parameter);
		Device device;
		std::uint32_t cores = device.info().core_count;
		Injection injection(kind.parameter, cores + 1);
		Product product(device);
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, std::vector<Lane>(cores, {product.task()}));

		CHECK_EQ(run_into(kind, injection, 1, device, context, job), kind.error);
		CHECK_EQ(injection.left(), 1);
		CHECK_EQ(run_into(kind, injection, 0, device, context, job), kind.error);
		CHECK_EQ(injection.left(), 0);
		CHECK_EQ(run(device, context, job), 1);
		CHECK_EQ(device.state(context).guilty_jobs, 2);
		product.check();
	}
}

/* Blamed is whoever ran, and nobody else. */
SUBTEST(inject_blame)
{
	for (const Kind &kind : kinds) {
		igt::Note note(kind.parameter);
		Injection injection(kind.parameter, 1);
		Device device, other;
		Product product(device), theirs(other);
		std::uint32_t mine = device.context(), their = other.context();
		std::uint32_t job = create_job(device, {{product.task()}});
		std::uint32_t their_job = create_job(other, {{theirs.task()}});

		CHECK_OK(submit(device, mine, {job}));
		/* Until its lane has taken what was injected. */
		injection.wait();
		for (int i = 0; i < 5; i++)
			CHECK_OK(submit(other, their, {their_job}));
		/* Other cores serve the others meanwhile. */
		if (device.info().core_count > 1)
			CHECK_EQ(wait_ended(other, their, 5).error, 0);
		find(kind);
		CHECK_EQ(wait_ended(device, mine, 1).error, kind.error);
		CHECK_EQ(wait_ended(other, their, 5).error, 0);
		CHECK_EQ(other.state(their).failed_jobs, 0);
		CHECK_EQ(device.state(mine).guilty_jobs, 1);
		theirs.check();
	}
}

/* A core that hangs while the queue is long: all the rest comes right. */
SUBTEST(inject_under_load)
{
	for (const Kind &kind : kinds) {
		igt::Note note(kind.parameter);
		leak::Check leak;
		{
			Device device;
			Product product(device);
			std::uint32_t job = create_job(device, {{product.task()}});
			std::uint64_t failed = 0;
			std::vector<std::uint32_t> contexts;

			if (device.info().core_count < 3)
				igt::skip("needs three cores, two of which hang");

			for (int i = 0; i < 4; i++)
				contexts.push_back(device.context());
			for (std::uint32_t context : contexts)
				CHECK_OK(submit(device, context, std::vector(30, job)));
			Injection injection(kind.parameter, 2);
			for (std::uint32_t context : contexts)
				CHECK_OK(submit(device, context, std::vector(30, job)));
			injection.wait();
			/* Two contexts wait for a core that hangs, the others come to their end. */
			if (kind.error == ETIMEDOUT) {
				CHECK(patience::comes([&] {
					return std::ranges::count_if(
						       contexts, [&](std::uint32_t context) {
							       return has_ended(device, context,
										60);
						       }) == 2;
				}));
				find(kind);
			}
			for (std::uint32_t context : contexts) {
				wait_ended(device, context, 60);
				drm_npu_query_context state = device.state(context);
				CHECK_EQ(state.completed_seqno, 60);
				CHECK_EQ(state.tasks + state.failed_jobs, 60);
				failed += state.failed_jobs;
			}
			CHECK_EQ(failed, 2);
			product.check();
		}
		leak.done();
	}
}

SUBTEST(inject_root_only)
{
	for (const Kind &kind : kinds) {
		if (access(parameter_path(kind.parameter).c_str(), F_OK))
			igt::skip(std::string("needs the virtual device, with the parameter ") +
				  kind.parameter);
		CHECK_EQ(get_parameter(kind.parameter), 0);
		if (!geteuid() && setresuid(65534, 65534, 65534))
			CHECK(false);
		CHECK_ERR(set_parameter(kind.parameter, 1), EACCES);
	}
}
