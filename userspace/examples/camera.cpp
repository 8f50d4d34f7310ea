/* SPDX-License-Identifier: MIT */
/*
 * Runs a convolution on a camera frame without a copy: imports the dma-buf, whose layout is what
 * the NPU reads. Here a memfd behind udmabuf stands in for the camera.
 *
 * The NPU reads atoms of 16 channels. A grey frame, a byte a pixel, is a map of a
 * sixteenth of its width whose channels are 16 pixels side by side. A filter of 3x3 pixels
 * is then a convolution of 3x3 such blocks, with 16 kernels of which each has the filter
 * at its own place. Pixels have 7 bits here: the NPU takes bytes as signed.
 *
 * Usage: npu-example-camera
 *
 * Prints how many pixels are edges. Exit status: 0 done, 1 it failed or the result is
 * not that of the CPU.
 */
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>
#include <vector>

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <engine/operation.h>

namespace
{

using npu::fail;
using npu::forward;
using npu::Result;
using npu::UniqueFd;

constexpr std::uint32_t width = 256;
constexpr std::uint32_t height = 64;
constexpr std::uint32_t block = 16;
constexpr std::size_t pixels = std::size_t{width} * height;
/// Finds edges: a Laplacian.
constexpr std::array<std::array<std::int8_t, 3>, 3> filter{{{0, 1, 0}, {1, -4, 1}, {0, 1, 0}}};

using Frame = std::vector<std::int8_t>;

/// The frame of the camera: a bright square.
Frame scene()
{
	Frame frame(pixels, 10);

	for (std::size_t y = 16; y < 48; y++)
		std::fill_n(frame.begin() + static_cast<std::ptrdiff_t>(y * width + 100), 60, 30);
	return frame;
}

/// A dma-buf with @p frame, as a camera gives one.
Result<UniqueFd> capture(const Frame &frame)
{
	UniqueFd memory(memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (!memory.valid() ||
	    write(memory.get(), frame.data(), pixels) != static_cast<ssize_t>(pixels) ||
	    fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK))
		return fail(errno, "cannot make a memfd");
	const UniqueFd driver(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
	if (!driver.valid())
		return fail(errno, "cannot open /dev/udmabuf");
	udmabuf_create args{};
	args.memfd = static_cast<std::uint32_t>(memory.get());
	args.flags = UDMABUF_FLAGS_CLOEXEC;
	args.size = pixels;
	UniqueFd dma_buf(ioctl(driver.get(), UDMABUF_CREATE, &args));
	if (!dma_buf.valid())
		return fail(errno, "cannot make a dma-buf of a memfd");
	return dma_buf;
}

/// The weights of the filter on blocks: [kernel][y][x][channel].
std::vector<std::int8_t> weights_of_blocks()
{
	std::vector<std::int8_t> weights(std::size_t{block} * 9 * block);

	for (std::uint32_t pixel = 0; pixel < block; pixel++)
		for (std::uint32_t y = 0; y < 3; y++)
			for (std::uint32_t x = 0; x < 3; x++) {
				/* Counted from the first pixel of the block to the left. */
				const std::uint32_t from = block + pixel + x - 1;
				const std::uint32_t tap = (pixel * 3 + y) * 3 + from / block;

				weights[std::size_t{tap} * block + from % block] = filter[y][x];
			}
	return weights;
}

Result<Frame> edges(int dma_buf)
{
	auto device = npu::Device::open();
	if (!device)
		return forward(device);
	auto context = npu::Context::create(*device);
	if (!context)
		return forward(context);

	const std::vector<std::int8_t> weights = weights_of_blocks();
	npu::Convolution convolution;
	convolution.shape.input = {.width = width / block, .height = height, .channels = block};
	convolution.shape.output_channels = block;
	convolution.shape.kernel = {3, 3};
	convolution.shape.pads = {1, 1, 1, 1};
	convolution.weights = std::as_bytes(std::span(weights));
	auto layouts = npu::input_layouts(convolution);
	if (!layouts)
		return forward(layouts);
	auto result_layout = npu::output_layout(convolution);
	if (!result_layout)
		return forward(result_layout);

	auto imported = npu::Buffer::import(*device, dma_buf);
	if (!imported)
		return forward(imported);
	auto memory = imported->view(0, pixels);
	if (!memory)
		return forward(memory);
	auto frame = npu::Tensor::over(*memory, layouts->front());
	if (!frame)
		return forward(frame);
	auto result = npu::Tensor::create(*device, *result_layout);
	if (!result)
		return forward(result);
	const npu::Step steps[] = {{convolution, {*frame}, *result}};
	auto plan = npu::Plan::create(*device, steps);
	if (!plan)
		return forward(plan);
	if (auto ran = plan->run(*context, npu::Deadline::in(std::chrono::minutes(1))); !ran)
		return forward(ran);
	Frame values(pixels);
	if (auto read = result->read(std::span<std::int8_t>(values)); !read)
		return forward(read);
	return values;
}

/// The same by the CPU. Pixels outside are 0.
Frame edges_by_cpu(const Frame &frame)
{
	const auto at = [&](std::uint32_t x, std::uint32_t y) -> int {
		return x < width && y < height ? frame[std::size_t{y} * width + x] : 0;
	};
	Frame values;

	for (std::uint32_t y = 0; y < height; y++)
		for (std::uint32_t x = 0; x < width; x++) {
			int sum = 0;

			for (std::uint32_t i = 0; i < 3; i++)
				for (std::uint32_t j = 0; j < 3; j++)
					sum += filter[i][j] * at(x + j - 1, y + i - 1);
			values.push_back(static_cast<std::int8_t>(std::clamp(sum, -128, 127)));
		}
	return values;
}

} // namespace

int main()
{
	const Frame frame = scene();
	auto dma_buf = capture(frame);
	if (!dma_buf) {
		std::cerr << dma_buf.error().message << '\n';
		return 1;
	}
	const auto values = edges(dma_buf->get());
	if (!values) {
		std::cerr << values.error().message << '\n';
		return 1;
	}
	std::cout << std::ranges::count_if(*values, [](int value) { return std::abs(value) > 10; })
		  << " pixels are edges\n";
	return *values == edges_by_cpu(frame) ? 0 : 1;
}
