/* SPDX-License-Identifier: MIT */
/// What /proc/PID/fdinfo tells of a client, as the kernel's
/// Documentation/gpu/drm-usage-stats.rst has it.
#include <cstdint>
#include <string>

#include <fcntl.h>

#include "fdinfo_file.h"
#include "igt.h"
#include "process.h"
#include "program.h"

namespace
{

/* The sum of all keys that begin so, and of how many there are. */
std::uint64_t sum(const FdInfo &info, const std::string &prefix, unsigned *count = nullptr)
{
	std::uint64_t total = 0;
	unsigned n = 0;

	for (const auto &[key, value] : info) {
		/* Not the number of engines of a class. */
		if (!key.starts_with(prefix) || key.starts_with("drm-engine-capacity-"))
			continue;
		total += fdinfo_amount(value);
		n++;
	}
	if (count)
		*count = n;
	return total;
}

} // namespace

SUBTEST(fdinfo_keys)
{
	Device device, other;
	FdInfo info = read_fdinfo(device.fd());
	unsigned engines = 0, memory = 0;

	CHECK(info["drm-driver"] == "rocket");
	CHECK(!info["drm-client-id"].empty());
	CHECK(info["drm-client-id"] != read_fdinfo(other.fd())["drm-client-id"]);
	CHECK_EQ(sum(info, "drm-engine-", &engines), 0);
	CHECK(engines);
	CHECK_EQ(sum(info, "drm-total-", &memory), 0);
	CHECK(memory);
	/* Copies of a descriptor, and heirs, are the same client. */
	Fd copy(fcntl(device.fd(), F_DUPFD_CLOEXEC, 0));
	CHECK(read_fdinfo(copy.get())["drm-client-id"] == info["drm-client-id"]);
	check_exit(fork_run([&] {
		CHECK(read_fdinfo(device.fd())["drm-client-id"] == info["drm-client-id"]);
	}));
}

SUBTEST(fdinfo_time)
{
	Device device, other;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {Lane(3, product.task())});
	std::uint64_t before = 0;

	for (int i = 0; i < 10; i++) {
		std::uint64_t seqno = 0;

		CHECK_OK(submit(device, context, {job}, {}, &seqno));
		wait_ended(device, context, seqno);
		std::uint64_t now = sum(read_fdinfo(device.fd()), "drm-engine-");
		CHECK(now > before);
		before = now;
	}
	CHECK_EQ(sum(read_fdinfo(other.fd()), "drm-engine-"), 0);
	/* Totals keep the work of contexts that were destroyed. */
	CHECK_OK(device.destroy_context(context));
	for (int i = 0; i < 20; i++) {
		CHECK(sum(read_fdinfo(device.fd()), "drm-engine-") >= before);
		usleep(5000);
	}
}

/* Totals count jobs that ended without an error, and no others. */
SUBTEST(fdinfo_work)
{
	Device device;
	Product product(device, {16, 64, 32});
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {Lane(3, product.task()), Lane(2, product.task())});
	std::uint64_t seqno = 0;

	CHECK_EQ(fdinfo_amount(read_fdinfo(device.fd())["npu-jobs"]), 0);
	CHECK_EQ(run(device, context, job), 1);
	CHECK_EQ(run(device, context, job), 1);
	RunningJob running(device);
	CHECK_OK(submit(device, context, {running.job}, {}, &seqno));
	wait_running(device, context, seqno);
	CHECK_OK(cancel(device, context, seqno, seqno));
	running.hold.open();
	CHECK_EQ(wait_ended(device, context, seqno).error, ECANCELED);
	FdInfo info = read_fdinfo(device.fd());
	CHECK_EQ(fdinfo_amount(info, "npu-jobs"), 2);
	CHECK_EQ(fdinfo_amount(info, "npu-tasks"), 2 * 5);
	CHECK_EQ(fdinfo_amount(info, "npu-macs"), 2 * 5 * 16 * 64 * 32);
}

SUBTEST(fdinfo_memory)
{
	Device device, other;
	std::uint64_t before = sum(read_fdinfo(device.fd()), "drm-total-");
	{
		Buffer buffer(device, 1 << 20), small(device, 1);

		CHECK_EQ(sum(read_fdinfo(device.fd()), "drm-total-"), before + (1 << 20) + 4096);
		CHECK_EQ(sum(read_fdinfo(other.fd()), "drm-total-"), 0);
	}
	CHECK_EQ(sum(read_fdinfo(device.fd()), "drm-total-"), before);
}

/* Reading it while all changes disturbs nobody. */
SUBTEST(fdinfo_concurrent)
{
	Device device;

	igt::parallel(4, [&](unsigned thread) {
		for (int i = 0; i < 40; i++) {
			if (thread < 2) {
				read_fdinfo(device.fd());
				continue;
			}
			Product product(device);
			std::uint32_t context = device.context();
			std::uint32_t job = create_job(device, {{product.task()}});

			CHECK_EQ(run(device, context, job), 1);
			CHECK_OK(device.destroy_context(context));
			CHECK_OK(device.destroy_job(job));
		}
	});
}
