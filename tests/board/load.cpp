/* SPDX-License-Identifier: MIT */
/// Clients that keep the cores busy while tests/board/inside does something to the board.
#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "igt.h"
#include "program.h"

namespace
{

/// Exists while clients are to continue. Each client creates a file next to it when it begins.
constexpr const char *go_on = "/tmp/load";
/// Jobs per submit: more than one, so that some are always queued.
constexpr unsigned jobs = 2;

/// Works until it is told to stop, or the device is gone.
class Client
{
public:
	Client(std::uint32_t sched_class, std::uint32_t lanes)
		: product_(device_, {4, 64, 64}),
		  job_(create_job(device_, std::vector<Lane>(lanes, Lane(3, product_.task()))))
	{
		drm_npu_context_create args{};

		args.sched_class = sched_class;
		CHECK_OK(device_.create(args));
		context_ = args.context_id;
	}

	/// @return whether the device still exists
	bool step()
	{
		std::uint64_t seqno = 0;
		drm_npu_job_wait args{};

		product_.clear();
		if (submit(device_, context_, std::vector<std::uint32_t>(jobs, job_), {}, &seqno))
			return gone();
		/* Yield the CPU to the script that manipulates the board. */
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
		if (wait_job(device_, context_, seqno, never, args))
			return gone();
		if (args.error == ENODEV || args.error == ECANCELED)
			return gone();
		CHECK_EQ(args.error, 0);
		product_.check();
		return true;
	}

private:
	bool gone() const
	{
		drm_npu_query_device info{};

		CHECK_ERR(device_.query(DRM_NPU_QUERY_DEVICE, 0, &info, sizeof(info)), ENODEV);
		return false;
	}

	Device device_;
	Product product_;
	std::uint32_t job_;
	std::uint32_t context_ = 0;
};

void work(std::uint32_t sched_class, std::uint32_t lanes)
{
	Client client(sched_class, lanes);
	unsigned long steps = 0;

	while (!access(go_on, F_OK) && client.step())
		if (!steps++)
			std::ofstream(std::string(go_on) + "-begun." + std::to_string(getpid()));
	CHECK(steps > 0);
}

} // namespace

SUBTEST(load_latency)
{
	work(DRM_NPU_CLASS_LATENCY, 1);
}

SUBTEST(load_throughput)
{
	work(DRM_NPU_CLASS_THROUGHPUT, 3);
}

SUBTEST(load_background)
{
	work(DRM_NPU_CLASS_BACKGROUND, 2);
}
