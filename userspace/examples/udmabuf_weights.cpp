/* SPDX-License-Identifier: MIT */
/*
 * Passes existing memory to the NPU without a copy, through udmabuf: multiplies weights in place in
 * a memfd.
 *
 * Usage: npu-example-udmabuf FILE
 *
 * FILE has 1024 int8 weights, 32 of each output channel. Prints the sum of each channel,
 * which is its product with a row of ones. Exit status: 0 done, 1 it failed or the result
 * is wrong, 2 wrong usage.
 */
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <numeric>
#include <span>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/device.h>
#include <npu/job.h>
#include <rknn/matmul.h>

namespace
{

using npu::fail;
using npu::forward;
using npu::Result;
using npu::UniqueFd;

constexpr std::uint32_t channels = 32;
constexpr std::size_t weight_bytes = std::size_t{channels} * channels;
constexpr std::size_t page = 4096;
/// CNA, CORE and DPU, which multiply.
constexpr std::uint32_t enable_blocks = 0x0d;

/// The bytes of @p path in a memfd whose size does not shrink any more.
Result<UniqueFd> load(const char *path)
{
	std::ifstream file(path, std::ios::binary);
	std::array<char, page> bytes{};

	if (!file.read(bytes.data(), weight_bytes))
		return fail(EINVAL, std::string(path) + " has no 1024 weights");
	UniqueFd memory(memfd_create("weights", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (!memory.valid() ||
	    write(memory.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
	    fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK))
		return fail(errno, "cannot make a memfd");
	return memory;
}

/// A dma-buf of the pages of @p memory.
Result<UniqueFd> to_dma_buf(const UniqueFd &memory)
{
	const UniqueFd driver(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
	udmabuf_create args{};

	if (!driver.valid())
		return fail(errno, "cannot open /dev/udmabuf");
	args.memfd = static_cast<std::uint32_t>(memory.get());
	args.flags = UDMABUF_FLAGS_CLOEXEC;
	args.size = page;
	UniqueFd dma_buf(ioctl(driver.get(), UDMABUF_CREATE, &args));
	if (!dma_buf.valid())
		return fail(errno, "cannot make a dma-buf of a memfd");
	return dma_buf;
}

/// The products of the weights with a row of ones.
Result<std::array<std::int32_t, channels>> multiply(const UniqueFd &dma_buf)
{
	auto device = npu::Device::open();
	if (!device)
		return forward(device);
	auto weights = npu::Buffer::import(*device, dma_buf.get());
	if (!weights)
		return forward(weights);
	auto features = npu::Buffer::create(*device, page);
	auto results = npu::Buffer::create(*device, page);
	auto context = npu::Context::create(*device);
	if (!features || !results || !context)
		return fail(ENOMEM, "cannot make the rest of a multiplication");
	std::ranges::fill(features->as<std::int8_t>(0, channels), std::int8_t{1});

	const npu::rknn::WeightLayout layout(npu::rknn::Type::int8, channels, channels);
	const npu::rknn::Plan plan = npu::rknn::plan_matmul({&layout, 1}, 1, 1);
	const auto commands = npu::rknn::emit(layout, 1, plan.lanes.front().front(),
					      {.features = features->address(),
					       .weights = weights->address(),
					       .results = results->address()});
	const npu::Lane lane{{.commands = commands, .enable = enable_blocks}};
	auto job = npu::Job::create(*device, {&lane, 1});
	if (!job)
		return forward(job);
	auto fence = context->submit(*job);
	if (!fence)
		return forward(fence);
	if (auto done = fence->wait(); !done)
		return forward(done);

	std::array<std::int32_t, channels> sums{};
	npu::rknn::gather_results(layout, 1, results->as<std::int32_t>(0, channels), sums);
	return sums;
}

/// Checks @p sums against the weights in @p memory, which the CPU still maps.
bool are_right(const UniqueFd &memory, const std::array<std::int32_t, channels> &sums)
{
	std::array<std::int8_t, weight_bytes> bytes{};

	if (pread(memory.get(), bytes.data(), bytes.size(), 0) !=
	    static_cast<ssize_t>(bytes.size()))
		return false;
	for (std::size_t i = 0; i < channels; i++) {
		const auto row = std::span(bytes).subspan(i * channels, channels);

		if (std::accumulate(row.begin(), row.end(), 0) != sums[i])
			return false;
	}
	return true;
}

Result<int> run(const char *path)
{
	auto memory = load(path);
	if (!memory)
		return forward(memory);
	auto dma_buf = to_dma_buf(*memory);
	if (!dma_buf)
		return forward(dma_buf);
	auto sums = multiply(*dma_buf);
	if (!sums)
		return forward(sums);
	for (const std::int32_t sum : *sums)
		std::cout << sum << '\n';
	return are_right(*memory, *sums) ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc != 2) {
		std::cerr << "Usage: npu-example-udmabuf FILE, with 1024 int8 weights\n";
		return 2;
	}
	const auto status = run(argv[1]);
	if (!status) {
		std::cerr << status.error().message << '\n';
		return 1;
	}
	return *status;
}
