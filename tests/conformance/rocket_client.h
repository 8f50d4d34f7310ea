/* SPDX-License-Identifier: MIT */
/// A client of the calls of mainline's rocket driver, which uses ours as well.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <linux/dma-buf.h>

#include "dmabuf.h"
#include "igt.h"
#include "mainline_client.h"
#include "program.h"
#include "sync.h"

namespace rocket
{

/// A buffer as such a client makes it.
class Bo : public mainline::Bo
{
public:
	Bo(const Device &device, std::uint32_t size) : mainline::Bo(device.fd(), size) {}
};

inline int prep(const Device &device, std::uint32_t handle, std::int64_t timeout_ns,
		std::uint32_t reserved = 0)
{
	return mainline::prep(device.fd(), handle, timeout_ns, reserved);
}

inline int fini(const Device &device, std::uint32_t handle, std::uint32_t reserved = 0)
{
	return mainline::fini(device.fd(), handle, reserved);
}

/// A stream with the link and the start that such a client writes itself.
inline std::vector<std::uint64_t> stream(const Task &task, std::uint32_t next = 0,
					 std::uint32_t next_amount = 0)
{
	std::vector<std::uint64_t> words = task.commands;

	words.push_back(next ? command(0x0101, 0x0010, next) : 0);
	words.push_back(command(0x0101, 0x0014, next_amount));
	words.push_back(command(0x0041, 0, 0));
	words.push_back(command(0x0081, 0x0008, task.enable));
	return words;
}

/// A submit of one job with one task, to be spoilt in one place.
struct Client {
	explicit Client(const Device &d, const Shape &shape = {})
		: device(d), product(d, shape), code(d, 1 << 14)
	{
		write(product.task());
		in = {product.features.handle(), product.weights.handle(), code.handle()};
		out = {product.out.handle()};
		dma_buf = export_buffer(d.fd(), product.out.handle());
	}

	void write(const Task &task)
	{
		std::vector<std::uint64_t> words = stream(task);

		std::ranges::copy(words, code.as<std::uint64_t>());
		tasks = {{code.address(), static_cast<std::uint32_t>(words.size())}};
		point();
	}

	/* Again after the arrays have changed. */
	void point()
	{
		job.tasks = reinterpret_cast<std::uintptr_t>(tasks.data());
		job.task_count = static_cast<std::uint32_t>(tasks.size());
		job.task_struct_size = sizeof(drm_rocket_task);
	}

	int submit()
	{
		job.in_bo_handles = reinterpret_cast<std::uintptr_t>(in.data());
		job.in_bo_handle_count = static_cast<std::uint32_t>(in.size());
		job.out_bo_handles = reinterpret_cast<std::uintptr_t>(out.data());
		job.out_bo_handle_count = static_cast<std::uint32_t>(out.size());
		args.jobs = reinterpret_cast<std::uintptr_t>(&job);
		args.job_count = 1;
		args.job_struct_size = sizeof(job);
		return call(device.fd(), DRM_IOCTL_ROCKET_SUBMIT, &args);
	}

	/* The fence that the results carry now. */
	Fd fence() const { return export_fences(dma_buf, DMA_BUF_SYNC_READ); }
	int status(unsigned ms = patience::ms()) const { return final_status(fence(), ms); }

	void check_good()
	{
		product.clear();
		CHECK_OK(submit());
		CHECK_OK(prep(device, product.out.handle(), never));
		CHECK_EQ(status(), 1);
		product.check();
		CHECK_OK(fini(device, product.out.handle()));
	}

	/* Holds up whatever the file submits from now on. */
	void block(const Gate &gate)
	{
		import_fence(dma_buf, gate.export_file(), DMA_BUF_SYNC_WRITE);
		CHECK_OK(submit());
	}

	/*
	 * The call succeeds; only the fence tells. A buffer forgets fences that
	 * have signalled, so this one is fetched before it can be its turn.
	 */
	void check_refused(int error, int other_error = 0)
	{
		Gate gate(device);
		Client blocker(device);

		product.clear();
		blocker.block(gate);
		CHECK_OK(submit());
		Fd file = fence();
		CHECK_EQ(file_status(file), 0);
		gate.open();
		int end = final_status(file);
		if (!other_error || end != -other_error)
			CHECK_EQ(end, -error);
		CHECK_OK(prep(device, product.out.handle(), never));
		product.check_untouched();
	}

	const Device &device;
	Product product;
	Bo code;
	std::vector<drm_rocket_task> tasks;
	std::vector<std::uint32_t> in, out;
	drm_rocket_job job{};
	drm_rocket_submit args{};
	Fd dma_buf;
};

} // namespace rocket
