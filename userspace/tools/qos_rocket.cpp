/* SPDX-License-Identifier: MIT */
/*
 * A client of npu-bench qos that only uses mainline's rocket ioctls, as Mesa's Teflon does: each
 * layer is a job, all layers are one submit, and it waits for the last buffer.
 */
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

#include <npu/driver.h>
#include <rknn/matmul.h>
#include <rocket_accel.h>

#include "qos_client.h"
#include "qos_clock.h"
#include "rocket_buffer.h"

namespace npu::bench::qos
{

namespace
{

/// Distance between the streams of two tasks.
constexpr std::size_t pitch = 2048;

class RocketClient final : public Client
{
public:
	explicit RocketClient(Behaviour behaviour) : Client(std::move(behaviour)) {}

	Result<void> open(const std::string &device);
	Result<void> wait(std::uint64_t time) const override;
	/// Rocket's ioctls do not report device time.
	Result<std::uint64_t> busy_ns() const override { return 0; }
	std::size_t lane_tasks() const override { return tasks_.size(); }

private:
	Result<void> write_streams(const rknn::WeightLayout &layout,
				   std::span<const rknn::Tile> tiles);
	void make_jobs();
	Result<void> submit(std::uint64_t now, std::uint64_t deadline_ns) override;
	Result<void> collect(std::uint64_t now, std::vector<Sample> &samples) override;

	std::shared_ptr<Driver> driver_;
	RocketBuffer features_, weights_, results_, streams_;
	std::vector<drm_rocket_task> tasks_;
	std::vector<drm_rocket_job> jobs_;
	std::vector<std::uint32_t> inputs_;
	std::uint64_t queued_ns_ = 0;
};

Result<void> RocketClient::write_streams(const rknn::WeightLayout &layout,
					 std::span<const rknn::Tile> tiles)
{
	int error = 0;
	const std::span<std::byte> bytes =
		driver_->map(tiles.size() * pitch, streams_.offset, MapAccess::read_write, error);

	if (error)
		return fail(-error, "cannot map a buffer of rocket's");
	for (std::size_t i = 0; i < tiles.size(); i++) {
		std::vector<std::uint64_t> words =
			rknn::emit(layout, behaviour().program.rows, tiles[i],
				   {.features = features_.address,
				    .weights = weights_.address,
				    .results = results_.address});

		end_stream(words);
		std::ranges::copy(std::as_bytes(std::span(words)),
				  bytes.subspan(i * pitch, pitch).begin());
		tasks_.push_back(
			{.regcmd = streams_.address + static_cast<std::uint32_t>(i * pitch),
			 .regcmd_count = static_cast<std::uint32_t>(words.size())});
	}
	driver_->unmap(bytes);
	return {};
}

void RocketClient::make_jobs()
{
	drm_rocket_job job{};

	inputs_ = {features_.handle, weights_.handle, streams_.handle};
	job.tasks = reinterpret_cast<std::uintptr_t>(tasks_.data());
	job.task_count = static_cast<std::uint32_t>(tasks_.size());
	job.task_struct_size = sizeof(drm_rocket_task);
	job.in_bo_handles = reinterpret_cast<std::uintptr_t>(inputs_.data());
	job.in_bo_handle_count = static_cast<std::uint32_t>(inputs_.size());
	job.out_bo_handles = reinterpret_cast<std::uintptr_t>(&results_.handle);
	job.out_bo_handle_count = 1;
	jobs_.assign(behaviour().program.layers, job);
}

Result<void> RocketClient::open(const std::string &device)
{
	const Program &program = behaviour().program;
	const Product &product = program.layer.front();
	const rknn::WeightLayout layout(rknn::Type::int8, product.k, product.n);
	const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, program.rows, 1);
	const std::span<const rknn::Tile> tiles = plan.lanes.front();
	auto opened = open_driver(device);

	if (!opened)
		return forward(opened);
	note_file();
	driver_ = std::move(*opened);
	for (const auto &[buffer, size] :
	     {std::pair{&features_, rknn::feature_bytes(layout, program.rows)},
	      {&weights_, layout.bytes()},
	      {&results_, rknn::result_bytes(layout, program.rows)},
	      {&streams_, tiles.size() * pitch}}) {
		auto made = create_rocket_buffer(*driver_, size);
		if (!made)
			return forward(made);
		*buffer = *made;
	}
	if (auto written = write_streams(layout, tiles); !written)
		return written;
	make_jobs();
	return {};
}

Result<void> RocketClient::submit(std::uint64_t now, std::uint64_t /*deadline_ns*/)
{
	drm_rocket_submit args{};

	args.jobs = reinterpret_cast<std::uintptr_t>(jobs_.data());
	args.job_count = static_cast<std::uint32_t>(jobs_.size());
	args.job_struct_size = sizeof(drm_rocket_job);
	if (const int ret = driver_->ioctl(DRM_IOCTL_ROCKET_SUBMIT, &args))
		return fail(-ret, "ROCKET_SUBMIT");
	queued_ns_ = now;
	return {};
}

/* Counts jobs in fdinfo: fences signal later, from a kernel thread. */
Result<void> RocketClient::collect(std::uint64_t now, std::vector<Sample> &samples)
{
	if (!idle() && ended_jobs() >= submitted() * jobs_.size())
		samples.push_back({.queued_ns = queued_ns_, .ended_ns = now, .device_ns = 0});
	return {};
}

Result<void> RocketClient::wait(std::uint64_t time) const
{
	drm_rocket_prep_bo args{};

	if (idle()) {
		host_sleep_until(time);
		return {};
	}
	args.handle = results_.handle;
	args.timeout_ns = static_cast<std::int64_t>(std::min<std::uint64_t>(time, INT64_MAX));
	const int ret = driver_->ioctl(DRM_IOCTL_ROCKET_PREP_BO, &args);
	if (ret && ret != -EBUSY && ret != -ETIMEDOUT)
		return fail(-ret, "ROCKET_PREP_BO");
	return {};
}

} // namespace

Result<std::unique_ptr<Client>> create_rocket_client(const std::string &device, Behaviour behaviour)
{
	auto client = std::make_unique<RocketClient>(std::move(behaviour));

	if (auto opened = client->open(device); !opened)
		return forward(opened);
	return client;
}

} // namespace npu::bench::qos
