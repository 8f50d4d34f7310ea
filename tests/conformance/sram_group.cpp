/* SPDX-License-Identifier: MIT */
/// On-chip memory and control groups: the dmem controller.
#include <cerrno>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <sys/utsname.h>

#include "control_group.h"
#include "igt.h"
#include "patience.h"
#include "process.h"
#include "sram.h"

namespace
{

constexpr std::uint64_t page = 4096;

/// The line of @region in a file of the controller.
std::optional<std::uint64_t> value_of_region(const std::string &text, const std::string &region)
{
	std::istringstream lines(text);
	std::string name;
	std::string value;

	while (lines >> name >> value)
		if (name == region)
			return std::stoull(value);
	return std::nullopt;
}

/// A group that may have so much of the on-chip memory, and none to begin with.
class Group
{
public:
	explicit Group(std::uint64_t limit)
		: group_("dmem", "needs a kernel with CONFIG_CGROUP_DMEM, such as that of "
				 "tests/uml/run --flavour smp")
	{
		Device device;
		std::uint64_t size = need_sram(device).size;
		std::istringstream lines(group_.read_root("dmem.capacity"));
		std::string name;
		std::string value;

		while (lines >> name >> value)
			if (name.starts_with("drm/") && name.ends_with("/sram") &&
			    std::stoull(value) == size)
				region_ = name;
		limit_ = set(limit);
	}

	/// Changes the limit; false if the kernel refuses that.
	bool set(std::uint64_t limit) const
	{
		return group_.write("dmem.max", region_ + " " + std::to_string(limit));
	}

	/// Whether the controller knows the region.
	bool is_limited() const { return !region_.empty() && limit_; }
	/// From now on this process is in it.
	void enter() const { group_.enter(); }
	/// Bytes that it is charged for.
	std::uint64_t charged() const
	{
		return value_of_region(group_.read("dmem.current"), region_).value_or(0);
	}

private:
	ControlGroup group_;
	std::string region_;
	bool limit_ = false;
};

/// Skips the subtest where lowering a limit takes nothing back. A kernel does not tell.
void need_reclaim()
{
	utsname name{};
	int major = 0;
	int minor = 0;
	char dot = 0;

	CHECK_OK(uname(&name));
	CHECK(std::istringstream(name.release) >> major >> dot >> minor);
	if (std::pair(major, minor) < std::pair(7, 3))
		igt::skip("needs Linux 7.3, whose dmem controller has a reclaim callback");
}

/// Runs @run as a process in @group, and expects that nothing stays charged.
void run_in(const Group &group, const std::function<void()> &run)
{
	CHECK(group.is_limited());
	check_exit(fork_run([&] {
		group.enter();
		run();
	}));
	CHECK(patience::comes([&] { return !group.charged(); }));
}

} // namespace

/* Preferred and pinned buffers are charged; those beyond the limit are refused. */
SUBTEST(sram_group_pin)
{
	const Group group(4 * page);

	run_in(group, [&] {
		Device device;
		Pattern first(device, 3 * page), second(device, 2 * page, 2);

		CHECK_OK(pin(device, first.handle()));
		CHECK_EQ(group.charged(), 3 * page);
		drm_npu_query_region full = device.region(on_chip);
		CHECK_ERR(pin(device, second.handle()), ENOSPC);
		CHECK_EQ(group.charged(), 3 * page);
		drm_npu_query_region after = device.region(on_chip);
		CHECK_EQ(after.file_used, full.file_used);
		CHECK_EQ(after.file_pinned, full.file_pinned);
		CHECK_EQ(after.share, full.share);
		CHECK_EQ(device.buffer(second.handle()).residency, DRM_NPU_RESIDENCY_NONE);
		CHECK(!inside(device, second.handle()));
		/* A buffer is charged once, however often its residency changes. */
		CHECK_OK(pin(device, first.handle()));
		CHECK_OK(prefer(device, first.handle()));
		CHECK_EQ(group.charged(), 3 * page);
		CHECK_OK(evict(device, first.handle()));
		CHECK_EQ(group.charged(), 0);
		CHECK_OK(pin(device, second.handle()));
		CHECK_EQ(group.charged(), 2 * page);
		CHECK(inside(device, second.handle()));
		first.check();
		second.check();
		second.buffer.close();
		CHECK_EQ(group.charged(), 0);
	});
}

/* A preferred buffer beyond the limit stays outside, without an error. */
SUBTEST(sram_group_prefer)
{
	const Group group(4 * page);

	run_in(group, [&] {
		Device device;
		Pattern first(device, 3 * page), second(device, 2 * page, 2);

		CHECK_OK(prefer(device, first.handle()));
		CHECK(gets_inside(device, first.handle()));
		CHECK_OK(prefer(device, second.handle()));
		CHECK_EQ(device.buffer(second.handle()).residency, DRM_NPU_RESIDENCY_NONE);
		CHECK_EQ(group.charged(), 3 * page);
		CHECK_OK(evict(device, first.handle()));
		CHECK_OK(prefer(device, second.handle()));
		CHECK(gets_inside(device, second.handle()));
		CHECK_EQ(group.charged(), 2 * page);
		first.check();
		second.check();
	});
}

SUBTEST(sram_group_create)
{
	const Group group(page);

	run_in(group, [&] {
		Device device;
		drm_npu_bo_create args{};

		args.size = 2 * page;
		args.region = on_chip;
		args.flags = DRM_NPU_BO_PIN;
		CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args), ENOSPC);
		args.flags = 0;
		CHECK_OK(call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args));
		CHECK_EQ(device.buffer(args.handle).residency, DRM_NPU_RESIDENCY_NONE);
		CHECK_EQ(group.charged(), 0);
	});
}

/* A process that dies leaves nothing charged. */
SUBTEST(sram_group_killed)
{
	const Group group(16 * page);
	Sockets sockets;

	CHECK(group.is_limited());
	pid_t pid = fork_run([&] {
		group.enter();
		Device device;
		Pattern pinned(device, 2 * page), preferred(device, 4 * page);

		CHECK_OK(pin(device, pinned.handle()));
		CHECK_OK(prefer(device, preferred.handle()));
		send_byte(sockets.second);
		pause();
	});
	receive_byte(sockets.first);
	CHECK_EQ(group.charged(), 6 * page);
	kill_child(pid);
	CHECK(patience::comes([&] { return !group.charged(); }));
}

/*
 * A lower limit takes back what is preferred, the least wanted first, and leaves what is
 * pinned. What has been given up can be asked for again.
 */
SUBTEST(sram_group_lower)
{
	const Group group(8 * page);

	need_reclaim();
	run_in(group, [&] {
		Device device;
		Pattern high(device, 2 * page, 1), low(device, 2 * page, 2);
		Pattern pinned(device, 2 * page, 3);

		CHECK_OK(prefer(device, high.handle(), 2));
		CHECK_OK(prefer(device, low.handle(), 1));
		CHECK_OK(pin(device, pinned.handle()));
		CHECK(gets_inside(device, high.handle()));
		CHECK(gets_inside(device, low.handle()));
		CHECK(group.set(6 * page));
		CHECK_EQ(group.charged(), 6 * page);

		CHECK(group.set(5 * page));
		CHECK_EQ(group.charged(), 4 * page);
		CHECK(!inside(device, low.handle()));
		CHECK_EQ(device.buffer(low.handle()).residency, DRM_NPU_RESIDENCY_NONE);
		CHECK(inside(device, high.handle()));

		CHECK(group.set(page));
		CHECK_EQ(group.charged(), 2 * page);
		CHECK(!inside(device, high.handle()));
		CHECK(inside(device, pinned.handle()));
		high.check();
		low.check();
		pinned.check();

		CHECK(group.set(8 * page));
		CHECK_OK(prefer(device, low.handle()));
		CHECK(gets_inside(device, low.handle()));
		low.check();
	});
}

/* A buffer that is preferred and has no place goes first, whatever its priority. */
SUBTEST(sram_group_lower_outside)
{
	const std::uint64_t size = need_sram(Device()).size;
	const Group group(size + 3 * page);

	need_reclaim();
	run_in(group, [&] {
		Device device;
		Pattern pinned(device, page, 1), inner(device, 2 * page, 2);
		Pattern outer(device, size, 3);

		CHECK_OK(pin(device, pinned.handle()));
		CHECK_OK(prefer(device, inner.handle(), 1));
		CHECK(gets_inside(device, inner.handle()));
		/* There is no room for it beside the one that is pinned. */
		CHECK_OK(prefer(device, outer.handle(), 2));
		CHECK_EQ(group.charged(), size + 3 * page);
		drm_npu_query_region before = device.region(on_chip);
		CHECK(group.set(size + 2 * page));
		CHECK_EQ(group.charged(), 3 * page);
		CHECK_EQ(device.buffer(outer.handle()).residency, DRM_NPU_RESIDENCY_NONE);
		CHECK(inside(device, inner.handle()));
		CHECK_EQ(device.region(on_chip).moves, before.moves);
		inner.check();
		outer.check();
	});
}

/* Eviction waits for the slice that uses a buffer, whatever the limit of the group. */
SUBTEST(sram_group_lower_busy)
{
	const Group group(16 * page);

	need_reclaim();
	run_in(group, [&] {
		Device device;
		Product product(device);

		for (std::uint32_t handle : handles(product))
			CHECK_OK(prefer(device, handle));
		for (std::uint32_t handle : handles(product))
			CHECK(gets_inside(device, handle));
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, {{product.task()}});
		Hold hold;
		CHECK_OK(submit(device, context, {job}));
		hold.wait_held();
		igt::parallel(2, [&](unsigned thread) {
			if (thread == 0)
				CHECK(group.set(0));
			else
				hold.open();
		});
		CHECK_EQ(group.charged(), 0);
		for (std::uint32_t handle : handles(product))
			CHECK(!inside(device, handle));
		CHECK_EQ(wait_ended(device, context, 1).error, 0);
		product.check();
	});
}
