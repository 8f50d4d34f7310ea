/* SPDX-License-Identifier: MIT */
/// The watchdog by itself, with a timeout that is short. Nothing else runs meanwhile,
/// which a slow machine might take for a hang.
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/syscall.h>

#include "hold.h"
#include "igt.h"
#include "injection.h"
#include "plug.h"
#include "sched_fixture.h"

namespace
{

constexpr unsigned short_ms = 300;

/// The driver with other parameters; it is as before when the subtest ends.
class Reloaded
{
public:
	explicit Reloaded(const std::string &parameters) { CHECK_OK(reload(short_ms, parameters)); }
	~Reloaded() { reload(before_ms_, {}); }
	Reloaded(const Reloaded &) = delete;
	Reloaded &operator=(const Reloaded &) = delete;

private:
	int reload(unsigned timeout_ms, const std::string &parameters) const
	{
		std::string command = "modprobe " + plug_.module;

		command += " timeout_ms=" + std::to_string(timeout_ms);
		command += ' ';
		command += parameters;
		if (syscall(SYS_delete_module, plug_.module.c_str(), O_NONBLOCK))
			return -errno;
		return std::system(command.c_str()) ? -EIO : 0;
	}

	Plug plug_ = need_plug();
	unsigned before_ms_ = watchdog_ms();
};

} // namespace

SUBTEST(watchdog_hang)
{
	const Reloaded reloaded("");
	Device device;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});
	Injection hang(inject_hang);
	const std::int64_t start = now_ns();

	CHECK_EQ(run(device, context, job), -ETIMEDOUT);
	CHECK(has_come(start + ms_to_ns(short_ms)));
	drm_npu_query_context state = device.state(context);
	CHECK_EQ(state.failed_errno, ETIMEDOUT);
	CHECK_EQ(state.guilty_jobs, 1);
	product.check_untouched();
}

/* A long lane is slow, not stuck, as long as there is progress. */
SUBTEST(watchdog_slow)
{
	{
		Device device;
		need_virtual(device);
	}
	/* Lanes take their modelled time, at a megabyte a second. */
	const Reloaded reloaded("mode=time core_mbps=1");
	/* That is longer than tasks may run uncut. */
	const Parameter uncut("uncut_us", "0");
	Device device;
	Product product(device, slow_shape);
	std::uint32_t context = device.context();
	const Parameter whole_lanes("slice_us", "0");
	std::uint64_t seqno = 0;

	CHECK_OK(submit(device, context, {create_job(device, {slow_lane(product, 16)})}, {},
			&seqno));
	drm_npu_job_wait end = wait_ended(device, context, seqno);
	CHECK_EQ(end.error, 0);
	CHECK(end.ended_ns - end.started_ns > 3 * short_ms * 1'000'000ULL);
	CHECK_EQ(device.state(context).slices, 1);
}

/* Writes that cannot be parsed are refused and change nothing. */
SUBTEST(watchdog_gate_refuses)
{
	const Hold hold;
	const std::string large(4096, '1');

	CHECK(hold.is_closed());
	CHECK_EQ(hold.write_raw("open", 4), -EINVAL);
	CHECK_EQ(hold.write_raw("", 0), -EINVAL);
	CHECK_EQ(hold.write_raw(large.data(), large.size()), -EINVAL);
	CHECK_EQ(hold.write_raw(nullptr, 1), -EFAULT);
	CHECK(hold.is_closed());
	hold.open();
	CHECK(!hold.is_closed());
	CHECK_EQ(hold.write_raw(nullptr, 1), -EFAULT);
	CHECK(!hold.is_closed());
}
