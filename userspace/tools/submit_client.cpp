/* SPDX-License-Identifier: MIT */
#include "submit_client.h"

#include <array>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/job.h>
#include <rknn/registers.h>

#include "small_job.h"

namespace npu::bench
{

namespace
{

class PreparedClient final : public SubmitClient
{
public:
	static Result<std::unique_ptr<SubmitClient>>
	create(const Device &device, std::uint32_t lanes, std::uint32_t tasks)
	{
		auto client = std::make_unique<PreparedClient>();

		if (auto made = client->prepare(device, lanes, tasks); !made)
			return forward(made);
		return client;
	}

	Result<void> run(Mode mode, std::uint32_t jobs, CallTimes &times) override
	{
		const bool sync = mode == Mode::sync_wait || mode == Mode::sync_page;
		const std::uint32_t batch = batch_of(mode);
		const std::span<const Job *const> list(batch_.data(), batch);

		for (std::uint32_t done = 0; done < jobs; done += batch) {
			/* Refill half of the queue while the other half runs. */
			if (submitted_ - page_.completed() + batch > max_queued_)
				if (auto room = context_.wait(submitted_ - max_queued_ / 2); !room)
					return forward(room);
			const std::uint64_t began = ticks();
			auto seqno = batch == 1 ? context_.queue(job_) : context_.queue(list);
			times.add(began);
			if (!seqno)
				return forward(seqno);
			submitted_ = *seqno;
			if (!sync)
				continue;
			auto ended = mode == Mode::sync_page ? page_.wait(submitted_)
							     : context_.wait(submitted_);
			if (!ended)
				return forward(ended);
		}
		if (auto last = context_.wait(submitted_); !last)
			return forward(last);
		return {};
	}

	Result<void> verify() override
	{
		if (page_.failed())
			if (auto waited = context_.wait(page_.failed()); !waited)
				return forward(waited);
		return {};
	}

private:
	Result<void> prepare(const Device &device, std::uint32_t lanes, std::uint32_t tasks)
	{
		auto buffer = Buffer::create(device, small_job::buffer_bytes);
		if (!buffer)
			return forward(buffer);
		buffer_ = std::move(*buffer);
		const Task task{small_job::stream(buffer_.address(), buffer_.address()),
				rknn::enable_convolution};
		const std::vector<Lane> program(lanes, Lane(tasks, task));
		auto job = Job::create(device, program);
		if (!job)
			return forward(job);
		job_ = std::move(*job);
		batch_.fill(&job_);
		auto context = Context::create(device);
		if (!context)
			return forward(context);
		context_ = std::move(*context);
		auto page = context_.page();
		if (!page)
			return forward(page);
		page_ = *page;
		max_queued_ = device.limits().max_queued;
		return {};
	}

	Buffer buffer_;
	Job job_;
	Context context_;
	CompletionPage page_;
	std::array<const Job *, batch_of(Mode::batch64)> batch_{};
	std::uint32_t max_queued_ = 0;
	std::uint64_t submitted_ = 0;
};

} // namespace

std::uint64_t ticks()
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	std::uint64_t value;

	asm volatile("mrs %0, cntvct_el0" : "=r"(value));
	return value;
#else
	return static_cast<std::uint64_t>(
		std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

Result<std::unique_ptr<SubmitClient>> prepared_client(const Device &device, std::uint32_t lanes,
						      std::uint32_t tasks)
{
	return PreparedClient::create(device, lanes, tasks);
}

} // namespace npu::bench
