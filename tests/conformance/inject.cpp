/* SPDX-License-Identifier: MIT */
/// Faults that the virtual device makes on demand, in programs that are good.
#include <cerrno>
#include <fstream>

#include <fcntl.h>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

const char directory[] = "/sys/module/npu_virt/parameters/";

unsigned get(const std::string &name)
{
	std::ifstream file(directory + name);
	unsigned value = 0;

	CHECK(file >> value);
	return value;
}

int set_parameter(const std::string &name, unsigned value)
{
	Fd fd(open((directory + name).c_str(), O_WRONLY | O_CLOEXEC));
	std::string text = std::to_string(value);

	if (fd.get() < 0)
		return -errno;
	return write(fd.get(), text.c_str(), text.size()) < 0 ? -errno : 0;
}

/// Injects; nothing is left of it however the subtest ends.
class Injection
{
public:
	Injection(std::string name, unsigned lanes) : name_(std::move(name))
	{
		need_root();
		if (access((directory + name_).c_str(), F_OK))
			igt::skip("needs the virtual device, with the parameter " + name_);
		CHECK_OK(set_parameter(name_, lanes));
	}
	~Injection() { set_parameter(name_, 0); }
	Injection(const Injection &) = delete;
	Injection &operator=(const Injection &) = delete;

	unsigned left() const { return get(name_); }

private:
	std::string name_;
};

struct Kind {
	const char *parameter;
	int error;
};
constexpr Kind kinds[] = {{"inject_hang", ETIMEDOUT}, {"inject_fault", EFAULT}};

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

		CHECK_EQ(run(device, context, job), -kind.error);
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

		CHECK_EQ(run(device, context, job), -kind.error);
		CHECK_EQ(injection.left(), 1);
		CHECK_EQ(run(device, context, job), -kind.error);
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
		for (int i = 0; i < 20000 && injection.left(); i++)
			usleep(500);
		for (int i = 0; i < 5; i++)
			CHECK_OK(submit(other, their, {their_job}));
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

			for (int i = 0; i < 4; i++)
				contexts.push_back(device.context());
			for (std::uint32_t context : contexts)
				CHECK_OK(submit(device, context, std::vector(30, job)));
			Injection injection(kind.parameter, 2);
			for (std::uint32_t context : contexts)
				CHECK_OK(submit(device, context, std::vector(30, job)));
			for (std::uint32_t context : contexts) {
				wait_ended(device, context, 60);
				drm_npu_query_context state = device.state(context);
				CHECK_EQ(state.completed_seqno, 60);
				CHECK_EQ(state.tasks + state.failed_jobs, 60);
				failed += state.failed_jobs;
			}
			CHECK_EQ(failed, 2 - injection.left());
			product.check();
		}
		leak.done();
	}
}

SUBTEST(inject_root_only)
{
	for (const Kind &kind : kinds) {
		if (access((directory + std::string(kind.parameter)).c_str(), F_OK))
			igt::skip(std::string("needs the virtual device, with the parameter ") +
				  kind.parameter);
		CHECK_EQ(get(kind.parameter), 0);
		if (!geteuid() && setresuid(65534, 65534, 65534))
			CHECK(false);
		CHECK_ERR(set_parameter(kind.parameter, 1), EACCES);
	}
}
