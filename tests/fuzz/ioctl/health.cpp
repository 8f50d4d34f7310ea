/* SPDX-License-Identifier: MIT */
#include "health.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <functional>

#include <rknn/matmul.h>
#include <rocket_accel.h>

#include "../../conformance/igt.h"
#include "../../conformance/program.h"
#include "inject.h"
#include "log.h"
#include "stream.h"

namespace fuzz
{

namespace
{

constexpr std::uint32_t rows = 4, size = 32;

/// Buffers with known features and weights.
struct Operands {
	explicit Operands(const Device &device)
		: features(device, rows * size), weights(device, size * size),
		  results(device, rows * size * 4)
	{
		for (std::uint32_t i = 0; i < rows * size; i++)
			rows_of_features[i] = static_cast<std::int8_t>(i * 7 + 3);
		for (std::uint32_t i = 0; i < size * size; i++)
			rows_of_weights[i] = static_cast<std::int8_t>(i * 11 + 5);
		npu::rknn::pack_features(
			layout, rows, std::as_bytes(std::span(rows_of_features)),
			{features.as<std::byte>(), npu::rknn::feature_bytes(layout, rows)});
		npu::rknn::pack_weights(layout, std::as_bytes(std::span(rows_of_weights)),
					{weights.as<std::byte>(), layout.bytes()});
		std::memset(results.as<char>(), 0x55, rows * size * 4);
	}

	Base base() const
	{
		Base b;

		b.features = features.address();
		b.weights = weights.address();
		b.results = results.address();
		return b;
	}

	bool right() const
	{
		std::array<std::int32_t, rows * size> product{};

		npu::rknn::gather_results(
			layout, rows,
			std::span<const std::int32_t>(results.as<std::int32_t>(), rows * size),
			product);
		for (std::uint32_t m = 0; m < rows; m++)
			for (std::uint32_t n = 0; n < size; n++) {
				std::int32_t sum = 0;

				for (std::uint32_t k = 0; k < size; k++)
					sum += rows_of_features[m * size + k] *
					       rows_of_weights[n * size + k];
				if (product[m * size + n] != sum)
					return false;
			}
		return true;
	}

	npu::rknn::WeightLayout layout{npu::rknn::Type::int8, size, size};
	std::array<std::int8_t, rows * size> rows_of_features{};
	std::array<std::int8_t, size * size> rows_of_weights{};
	Buffer features, weights, results;
};

/// An injected hang or fault may hit this job: retry.
std::string try_often(const std::function<std::string()> &once)
{
	std::string wrong;

	for (int i = 0; i < 20; i++) {
		try {
			wrong = once();
		} catch (const igt::Failure &) {
			return "a call of a valid program fails";
		}
		if (wrong.empty() || !inject_works())
			break;
	}
	return wrong;
}

std::string once_npu()
{
	Device device;
	Operands operands(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{Task{valid_stream(operands.base())}}});
	int status = run(device, context, job);

	if (!status)
		return "a valid job does not end";
	if (status < 0)
		return "a valid job ends with " + error_name(-status);
	return operands.right() ? "" : "a valid job computes something else";
}

std::string once_rocket()
{
	Device device;
	Operands operands(device);
	Buffer streams(device, 4096);
	Stream words = valid_stream(operands.base());
	timespec now{};

	finish_rocket(words);
	std::memcpy(streams.as<char>(), words.data(), words.size() * 8);
	drm_rocket_task task{streams.address(), static_cast<std::uint32_t>(words.size())};
	const std::uint32_t in[] = {operands.features.handle(), operands.weights.handle()};
	const std::uint32_t out[] = {operands.results.handle()};
	drm_rocket_job job{};
	drm_rocket_submit args{};
	drm_rocket_prep_bo prep{};

	job.tasks = reinterpret_cast<std::uintptr_t>(&task);
	job.in_bo_handles = reinterpret_cast<std::uintptr_t>(in);
	job.out_bo_handles = reinterpret_cast<std::uintptr_t>(out);
	job.task_count = 1;
	job.task_struct_size = sizeof(task);
	job.in_bo_handle_count = 2;
	job.out_bo_handle_count = 1;
	args.jobs = reinterpret_cast<std::uintptr_t>(&job);
	args.job_count = 1;
	args.job_struct_size = sizeof(job);
	CHECK_OK(::call(device.fd(), DRM_IOCTL_ROCKET_SUBMIT, &args));

	clock_gettime(CLOCK_MONOTONIC, &now);
	prep.handle = out[0];
	prep.timeout_ns = (now.tv_sec + 20) * 1'000'000'000LL;
	int result = ::call(device.fd(), DRM_IOCTL_ROCKET_PREP_BO, &prep);
	if (result)
		return "PREP_BO of a valid job's buffer answers " + error_name(-result);
	return operands.right() ? "" : "a valid rocket job computes something else";
}

} // namespace

std::string health_npu()
{
	return try_often(once_npu);
}

std::string health_rocket()
{
	return try_often(once_rocket);
}

} // namespace fuzz
