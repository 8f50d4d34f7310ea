/* SPDX-License-Identifier: MIT */
#include "submit_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <span>
#include <utility>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <sys/ioctl.h>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/job.h>
#include <npu/unique_fd.h>
#include <rknn/matmul.h>
#include <rknn/registers.h>
#include <rocket_accel.h>

namespace npu::bench
{

namespace
{

/// The smallest product: a row with one group of kernels.
constexpr std::uint32_t channels = 32;

/// The parts of one buffer that the job uses.
constexpr std::uint32_t weights_offset = 0;
constexpr std::uint32_t features_offset = 1024;
constexpr std::uint32_t results_offset = 2048;
constexpr std::uint32_t buffer_bytes = 4096;

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// The job's stream, with operands in one buffer and results in another.
std::vector<std::uint64_t> stream(std::uint32_t operands, std::uint32_t results)
{
	const rknn::WeightLayout layout(rknn::Type::int8, channels, channels);
	const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, 1, 1);

	return rknn::emit(layout, 1, plan.lanes.front().front(),
			  {.features = operands + features_offset,
			   .weights = operands + weights_offset,
			   .results = results + results_offset});
}

class PreparedClient final : public SubmitClient
{
public:
	static Result<std::unique_ptr<SubmitClient>> create(const std::string &path)
	{
		auto client = std::make_unique<PreparedClient>();

		if (auto made = client->prepare(path); !made)
			return forward(made);
		return client;
	}

	Result<void> run(Mode mode, std::uint32_t jobs, CallTimes &times) override
	{
		const bool sync = mode == Mode::sync_wait || mode == Mode::sync_page;
		const std::uint32_t batch = batch_of(mode);
		const std::span<const Job *const> list(batch_.data(), batch);

		for (std::uint32_t done = 0; done < jobs; done += batch) {
			/* Half of the queue goes on while it is filled again. */
			if (submitted_ - page_.completed() + batch > max_queued_)
				if (auto room = context_.wait(submitted_ - max_queued_ / 2); !room)
					return forward(room);
			const std::uint64_t began = ticks();
			auto fence = batch == 1 ? context_.submit(job_) : context_.submit(list);
			times.add(began);
			if (!fence)
				return forward(fence);
			submitted_ = fence->seqno();
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
			return context_.fence(page_.failed()).wait();
		return {};
	}

private:
	Result<void> prepare(const std::string &path)
	{
		auto device = Device::open(path);
		if (!device)
			return forward(device);
		auto buffer = Buffer::create(*device, buffer_bytes);
		if (!buffer)
			return forward(buffer);
		buffer_ = std::move(*buffer);
		const Lane lane{
			{stream(buffer_.address(), buffer_.address()), rknn::enable_convolution}};
		auto job = Job::create(*device, {&lane, 1});
		if (!job)
			return forward(job);
		job_ = std::move(*job);
		batch_.fill(&job_);
		auto context = Context::create(*device);
		if (!context)
			return forward(context);
		context_ = std::move(*context);
		auto page = context_.page();
		if (!page)
			return forward(page);
		page_ = *page;
		max_queued_ = device->limits().max_queued;
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

/// A buffer of the rocket calls. Its file closes it.
struct RocketBuffer {
	std::uint32_t handle = 0;
	std::uint32_t address = 0;
	std::uint64_t offset = 0;
};

/// Half of the queue: jobs that write to the same buffer, by which they are
/// awaited while the other half goes on.
struct RocketHalf {
	RocketBuffer results;
	drm_rocket_task task{};
	std::array<drm_rocket_job, batch_of(Mode::batch64)> jobs{};
	/// Jobs submitted since they were awaited.
	std::uint32_t submitted = 0;
};

class RocketClient final : public SubmitClient
{
public:
	static Result<std::unique_ptr<SubmitClient>> create(const std::string &path)
	{
		auto client = std::make_unique<RocketClient>();

		if (auto made = client->prepare(path); !made)
			return forward(made);
		return client;
	}

	Result<void> run(Mode mode, std::uint32_t jobs, CallTimes &times) override
	{
		const std::uint32_t batch = batch_of(mode);

		for (std::uint32_t done = 0; done < jobs; done += batch) {
			if (auto room = make_room(batch); !room)
				return room;
			const std::uint64_t began = ticks();
			auto submitted = submit(batch);
			times.add(began);
			if (!submitted)
				return submitted;
			if (mode != Mode::sync_wait)
				continue;
			if (auto ended = wait(*half_); !ended)
				return ended;
		}
		return wait(*half_);
	}

	/* SUBMIT answers 0 even for a job that it refuses: the fence tells. */
	Result<void> verify() override
	{
		drm_prime_handle prime{};
		dma_buf_export_sync_file file{};
		sync_file_info info{};

		if (auto done = run(Mode::sync_wait, 1, spare_); !done)
			return done;
		prime.handle = half_->results.handle;
		prime.flags = DRM_CLOEXEC | DRM_RDWR;
		if (auto done = call(DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime, "exporting a buffer");
		    !done)
			return done;
		const UniqueFd dma_buf(prime.fd);
		if (auto done = submit(1); !done)
			return done;
		file.flags = DMA_BUF_SYNC_READ;
		if (::ioctl(dma_buf.get(), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &file))
			return fail(errno, "cannot export the fence of a rocket job");
		const UniqueFd fence(file.fd);
		if (auto done = wait(*half_); !done)
			return done;
		if (::ioctl(fence.get(), SYNC_IOC_FILE_INFO, &info))
			return fail(errno, "cannot read the fence of a rocket job");
		if (info.status != 1)
			return fail(info.status < 0 ? -info.status : EBUSY, "a rocket job failed");
		return {};
	}

private:
	Result<void> call(unsigned long request, void *argument, const char *what)
	{
		if (const int ret = device_.driver().ioctl(request, argument))
			return fail(-ret, what);
		return {};
	}

	Result<void> create_buffer(RocketBuffer &buffer)
	{
		drm_rocket_create_bo args{};

		args.size = buffer_bytes;
		if (auto done = call(DRM_IOCTL_ROCKET_CREATE_BO, &args, "ROCKET_CREATE_BO"); !done)
			return done;
		buffer = {args.handle, static_cast<std::uint32_t>(args.dma_address), args.offset};
		return {};
	}

	Result<void> prepare(const std::string &path)
	{
		auto device = Device::open(path);
		if (!device)
			return forward(device);
		device_ = *device;
		half_jobs_ = device->limits().max_queued / 2;
		for (RocketBuffer *buffer :
		     {&commands_, &operands_, &halves_[0].results, &halves_[1].results})
			if (auto made = create_buffer(*buffer); !made)
				return made;
		for (std::size_t i = 0; i < halves_.size(); i++)
			if (auto made = prepare_half(halves_[i], i * buffer_bytes / 2); !made)
				return made;
		return {};
	}

	/// Write the stream of @p half to @p offset of the buffer of commands.
	Result<void> prepare_half(RocketHalf &half, std::size_t offset)
	{
		auto words = stream(operands_.address, half.results.address);
		/* No next stream, what must precede the start, the start. */
		constexpr std::uint16_t amounts = 0x0014;
		constexpr std::uint64_t sync = 0x0041ULL << 48U;
		constexpr std::uint64_t start = 0x0081ULL << 48U | 0x0008U;
		words.insert(words.end(), {0, rknn::command(amounts, 0), sync,
					   start | std::uint64_t{rknn::enable_convolution} << 16U});
		if (auto written = write(words, offset); !written)
			return written;

		half.task.regcmd = commands_.address + static_cast<std::uint32_t>(offset);
		half.task.regcmd_count = static_cast<std::uint32_t>(words.size());
		drm_rocket_job job{};
		job.tasks = reinterpret_cast<std::uintptr_t>(&half.task);
		job.in_bo_handles = reinterpret_cast<std::uintptr_t>(&operands_.handle);
		job.out_bo_handles = reinterpret_cast<std::uintptr_t>(&half.results.handle);
		job.task_count = 1;
		job.task_struct_size = sizeof(half.task);
		job.in_bo_handle_count = 1;
		job.out_bo_handle_count = 1;
		half.jobs.fill(job);
		return {};
	}

	Result<void> write(std::span<const std::uint64_t> words, std::size_t offset)
	{
		drm_rocket_prep_bo prep{};
		drm_rocket_fini_bo fini{};
		int error = 0;

		prep.handle = fini.handle = commands_.handle;
		if (auto done = call(DRM_IOCTL_ROCKET_PREP_BO, &prep, "ROCKET_PREP_BO"); !done)
			return done;
		const auto bytes = device_.driver().map(buffer_bytes, commands_.offset,
							Access::read_write, error);
		if (error)
			return fail(-error, "cannot map a buffer of rocket's");
		std::ranges::copy(std::as_bytes(words), bytes.subspan(offset).begin());
		device_.driver().unmap(bytes);
		return call(DRM_IOCTL_ROCKET_FINI_BO, &fini, "ROCKET_FINI_BO");
	}

	/// Half of the queue goes on while the other is filled again. SUBMIT would
	/// wait by itself, but then it could not be told what submitting takes.
	Result<void> make_room(std::uint32_t batch)
	{
		if (half_->submitted + batch <= half_jobs_)
			return {};
		half_ = half_ == halves_.data() ? &halves_[1] : halves_.data();
		return wait(*half_);
	}

	Result<void> submit(std::uint32_t batch)
	{
		drm_rocket_submit args{};

		args.jobs = reinterpret_cast<std::uintptr_t>(half_->jobs.data());
		args.job_count = batch;
		args.job_struct_size = sizeof(half_->jobs.front());
		half_->submitted += batch;
		return call(DRM_IOCTL_ROCKET_SUBMIT, &args, "ROCKET_SUBMIT");
	}

	/// Wait for what writes the results of @p half.
	Result<void> wait(RocketHalf &half)
	{
		drm_rocket_prep_bo prep{};

		half.submitted = 0;
		prep.handle = half.results.handle;
		prep.timeout_ns = never;
		return call(DRM_IOCTL_ROCKET_PREP_BO, &prep, "ROCKET_PREP_BO");
	}

	Device device_;
	RocketBuffer commands_;
	RocketBuffer operands_;
	std::array<RocketHalf, 2> halves_;
	RocketHalf *half_ = halves_.data();
	std::uint32_t half_jobs_ = 0;
	CallTimes spare_;
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

Result<std::unique_ptr<SubmitClient>> prepared_client(const std::string &path)
{
	return PreparedClient::create(path);
}

Result<std::unique_ptr<SubmitClient>> rocket_client(const std::string &path)
{
	return RocketClient::create(path);
}

} // namespace npu::bench
