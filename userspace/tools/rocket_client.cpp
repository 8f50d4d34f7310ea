/* SPDX-License-Identifier: MIT */
#include "submit_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <sys/ioctl.h>

#include <npu/unique_fd.h>
#include <rocket_accel.h>

#include "rocket_buffer.h"
#include "small_job.h"

namespace npu::bench
{

namespace
{

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// Jobs in half of the queue. Mainline's driver does not report its queue limit.
constexpr std::uint32_t half_jobs = 128;

/// Distance between the streams of two jobs.
constexpr std::size_t pitch = 2048;
constexpr std::size_t batch_most = batch_of(Mode::batch64);
/// A command without effect, with 32 free bits.
constexpr std::uint64_t no_op = 1ULL << 48U;

/// Half of the queue. Its jobs write to the same buffer, so that one PREP_BO waits for all of them
/// while the other half runs.
struct RocketHalf {
	RocketBuffer results;
	/// The streams of its jobs.
	std::span<std::byte> streams;
	std::array<std::vector<drm_rocket_task>, batch_most> tasks;
	std::array<drm_rocket_job, batch_most> jobs{};
	/// Jobs submitted since the last wait.
	std::uint32_t submitted = 0;
};

class RocketClient final : public SubmitClient
{
public:
	static Result<std::unique_ptr<SubmitClient>> create(std::shared_ptr<Driver> driver,
							    std::uint32_t tasks, bool changing)
	{
		auto client = std::make_unique<RocketClient>(std::move(driver), changing);

		if (auto made = client->prepare(tasks); !made)
			return forward(made);
		return client;
	}

	RocketClient(std::shared_ptr<Driver> driver, bool changing)
		: driver_(std::move(driver)), changing_(changing)
	{
	}

	/*
	 * Close the buffers here: mainline's driver would free exported ones only after it has
	 * freed the file, which is not safe.
	 */
	~RocketClient() override
	{
		if (!streams_.empty())
			driver_->unmap(streams_);
		for (const RocketBuffer *buffer : buffers()) {
			drm_gem_close args{};

			args.handle = buffer->handle;
			if (args.handle)
				driver_->ioctl(DRM_IOCTL_GEM_CLOSE, &args);
		}
	}
	RocketClient(const RocketClient &) = delete;
	RocketClient &operator=(const RocketClient &) = delete;

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

	/* SUBMIT also returns 0 for jobs that fail later: check the fence. */
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
	std::array<RocketBuffer *, 4> buffers()
	{
		return {&commands_, &operands_, &halves_[0].results, &halves_[1].results};
	}

	Result<void> call(unsigned long request, void *argument, const char *what)
	{
		if (const int ret = driver_->ioctl(request, argument))
			return fail(-ret, what);
		return {};
	}

	Result<void> create_buffer(RocketBuffer &buffer)
	{
		auto created = create_rocket_buffer(
			*driver_, &buffer == &commands_ ? halves_.size() * batch_most * pitch
							: std::size_t{small_job::buffer_bytes});

		if (!created)
			return forward(created);
		buffer = *created;
		return {};
	}

	Result<void> prepare(std::uint32_t tasks)
	{
		for (RocketBuffer *buffer : buffers())
			if (auto made = create_buffer(*buffer); !made)
				return made;
		int error = 0;
		streams_ = driver_->map(halves_.size() * batch_most * pitch, commands_.offset,
					MapAccess::read_write, error);
		if (error)
			return fail(-error, "cannot map a buffer of rocket's");
		drm_rocket_prep_bo prep{};
		drm_rocket_fini_bo fini{};
		prep.handle = fini.handle = commands_.handle;
		if (auto done = call(DRM_IOCTL_ROCKET_PREP_BO, &prep, "ROCKET_PREP_BO"); !done)
			return done;
		for (std::size_t i = 0; i < halves_.size(); i++)
			prepare_half(halves_[i], i * batch_most * pitch, tasks);
		return call(DRM_IOCTL_ROCKET_FINI_BO, &fini, "ROCKET_FINI_BO");
	}

	/// Write the streams of @p half to @p offset of the buffer of commands.
	void prepare_half(RocketHalf &half, std::size_t offset, std::uint32_t tasks)
	{
		auto words = small_job::stream(operands_.address, half.results.address);
		words.insert(words.begin(), no_op);
		end_stream(words);
		half.streams = streams_.subspan(offset, batch_most * pitch);
		for (std::size_t i = 0; i < batch_most; i++) {
			drm_rocket_task task{};
			drm_rocket_job job{};

			std::ranges::copy(std::as_bytes(std::span(words)),
					  half.streams.subspan(i * pitch, pitch).begin());
			task.regcmd =
				commands_.address + static_cast<std::uint32_t>(offset + i * pitch);
			task.regcmd_count = static_cast<std::uint32_t>(words.size());
			half.tasks[i].assign(tasks, task);
			job.tasks = reinterpret_cast<std::uintptr_t>(half.tasks[i].data());
			job.in_bo_handles = reinterpret_cast<std::uintptr_t>(&operands_.handle);
			job.out_bo_handles = reinterpret_cast<std::uintptr_t>(&half.results.handle);
			job.task_count = tasks;
			job.task_struct_size = sizeof(task);
			job.in_bo_handle_count = 1;
			job.out_bo_handle_count = 1;
			half.jobs[i] = job;
		}
	}

	/// Modifies the streams of the next batch, so that each differs from all earlier ones.
	void change(std::uint32_t batch)
	{
		for (std::uint32_t i = 0; i < batch; i++) {
			const std::uint64_t word = no_op | std::uint64_t{++changes_} << 16U;

			std::memcpy(half_->streams.subspan(i * pitch).data(), &word, sizeof(word));
		}
	}

	/// Refills one half of the queue while the other runs. Otherwise SUBMIT would block, and
	/// the time of submits could not be measured.
	Result<void> make_room(std::uint32_t batch)
	{
		if (half_->submitted + batch <= half_jobs)
			return {};
		half_ = half_ == halves_.data() ? &halves_[1] : halves_.data();
		return wait(*half_);
	}

	Result<void> submit(std::uint32_t batch)
	{
		drm_rocket_submit args{};

		if (changing_)
			change(batch);
		args.jobs = reinterpret_cast<std::uintptr_t>(half_->jobs.data());
		args.job_count = batch;
		args.job_struct_size = sizeof(half_->jobs.front());
		half_->submitted += batch;
		return call(DRM_IOCTL_ROCKET_SUBMIT, &args, "ROCKET_SUBMIT");
	}

	/// Waits for the writers of the results of @p half.
	Result<void> wait(RocketHalf &half)
	{
		drm_rocket_prep_bo prep{};

		half.submitted = 0;
		prep.handle = half.results.handle;
		prep.timeout_ns = never;
		return call(DRM_IOCTL_ROCKET_PREP_BO, &prep, "ROCKET_PREP_BO");
	}

	std::shared_ptr<Driver> driver_;
	bool changing_;
	std::uint32_t changes_ = 0;
	std::span<std::byte> streams_;
	RocketBuffer commands_;
	RocketBuffer operands_;
	std::array<RocketHalf, 2> halves_;
	RocketHalf *half_ = halves_.data();
	CallTimes spare_;
};

} // namespace

Result<std::unique_ptr<SubmitClient>> rocket_client(std::shared_ptr<Driver> driver,
						    std::uint32_t tasks, bool changing)
{
	return RocketClient::create(std::move(driver), tasks, changing);
}

} // namespace npu::bench
