/* SPDX-License-Identifier: MIT */
/// Users: what all files of one have together, and what is left to another.
#include <cerrno>
#include <functional>
#include <vector>

#include <grp.h>
#include <sys/stat.h>

#include "igt.h"
#include "process.h"
#include "sched_fixture.h"

namespace
{

constexpr std::uint32_t limit = 4;
constexpr uid_t first_uid = 5001, second_uid = 5002, third_uid = 5003;

/// Two open files of a user.
struct Files {
	Device one, two;
};

/// A user without privileges in a process of its own, who stays until told to go.
class User
{
public:
	User(uid_t uid, const std::function<void(const Files &)> &run)
	{
		struct stat node{};

		/* The mode of the node is not under test here. */
		CHECK_EQ(fstat(Device().fd(), &node), 0);
		pid_ = fork_run([&] {
			CHECK_EQ(setgroups(1, &node.st_gid), 0);
			CHECK_EQ(setresuid(uid, uid, uid), 0);
			const Files files;

			run(files);
			send_byte(sockets_.second);
			receive_byte(sockets_.second);
		});
		/* So that it is noticed if the child is gone. */
		sockets_.second.reset();
		receive_byte(sockets_.first);
	}

	void leave() const
	{
		send_byte(sockets_.first);
		check_exit(pid_);
	}

private:
	Sockets sockets_;
	pid_t pid_ = 0;
};

int try_context(const Device &device)
{
	drm_npu_context_create args{};

	return device.create(args);
}

/// Has as many contexts as a user may, in two files.
void all_contexts(const Files &files)
{
	for (std::uint32_t i = 0; i < limit; i++)
		CHECK_OK(try_context(i % 2 ? files.one : files.two));
	CHECK_ERR(try_context(files.one), ENOSPC);
	CHECK_ERR(try_context(files.two), ENOSPC);
}

/// Has as many jobs as a user may, in two files, on a core that is held.
void all_jobs(const Files &files)
{
	std::uint64_t seqno = poison;

	for (const Device *device : {&files.one, &files.two}) {
		const Product product(*device);
		const std::uint32_t job = create_job(*device, {{product.task()}});
		const std::uint32_t context = device->context(one_core);

		CHECK_OK(submit(*device, context, std::vector(limit / 2, job)));
		if (device == &files.one)
			continue;
		CHECK_ERR(submit(*device, context, {job}, {}, &seqno), EBUSY);
		CHECK_ERR(submit(*device, device->context(), {job}, {}, &seqno), EBUSY);
		CHECK_EQ(seqno, poison);
	}
}

/// Runs more jobs than a user may have at a time, on another core.
void run_many(const Files &files)
{
	const Product product(files.one);
	const std::uint32_t job = create_job(files.one, {{product.task()}});
	const std::uint32_t context = files.one.context(one_core << 1);

	for (std::uint32_t i = 0; i < 3 * limit; i++)
		CHECK_EQ(run(files.one, context, job), 1);
	product.check();
}

} // namespace

/* All files of a user together have half of what there is, and leave half. */
SUBTEST(user_contexts)
{
	Parameter contexts("user_contexts", std::to_string(limit));
	User first(first_uid, all_contexts);
	User second(second_uid, all_contexts);
	User third(third_uid,
		   [](const Files &files) { CHECK_ERR(try_context(files.one), ENOSPC); });

	/* With privileges there is no such limit. */
	Device device;
	for (std::uint32_t i = 0; i < 2 * limit; i++)
		CHECK_OK(try_context(device));
	third.leave();
	/* Other users can have what a user frees. */
	first.leave();
	User fourth(third_uid, all_contexts);
	fourth.leave();
	second.leave();
}

/* The same for jobs; those that have ended do not count. */
SUBTEST(user_jobs)
{
	Parameter jobs("user_jobs", std::to_string(limit));
	if (Device().info().core_count < 2)
		igt::skip("needs two cores");
	const Hold hold(one_core);
	User first(first_uid, all_jobs);
	User second(second_uid, run_many);

	second.leave();
	first.leave();
	/* Jobs of a user who has gone do not count. */
	User again(first_uid, run_many);
	again.leave();
}
