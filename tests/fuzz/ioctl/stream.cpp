/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <array>

#include <rknn/matmul.h>
#include <rknn/registers.h>

namespace fuzz
{

namespace
{

using namespace npu::rknn;

constexpr std::uint32_t rows = 4;

/// Targets of commands, the known ones and others.
constexpr std::array<std::uint16_t, 12> targets = {0x0101, 0x0201, 0x0801, 0x1001, 0x2001, 0x4001,
						   0x8001, 0x0041, 0x0081, 0x0000, 0x0401, 0xffff};

constexpr std::array<std::uint32_t, 20> values = {
	0,      1,          2,          3,          0xf,        0x10,       0x1f,
	0x20,   0x7ff,      0x800,      0x1fff,     0x2000,     0xffff,     0x10000,
	0x7fff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff, 0x55555555,
};

void set(Stream &stream, std::uint16_t reg, std::uint32_t value)
{
	for (std::uint64_t &word : stream)
		if ((word & 0xffff) == reg)
			word = command(reg, value);
}

std::uint64_t with_value(std::uint64_t word, std::uint32_t value)
{
	return (word & ~0xffffffff0000ull) | std::uint64_t{value} << 16;
}

/// A device address in, at the edge of, or outside the file's buffers.
std::uint32_t some_address(Random &random, const File &file)
{
	constexpr std::array<std::uint32_t, 9> offsets = {0,    16,      4096 - 16, 4096,      8,
							  2048, 1 << 20, 0u - 16u,  0u - 4096u};
	BufferObject buffer = file.buffers.any(random);
	const std::array<std::uint32_t, 6> bases = {file.base.features, file.base.weights,
						    file.base.results,  file.base.streams,
						    buffer.address,     0};

	return random.pick(bases) + random.pick(offsets);
}

} // namespace

Stream valid_stream(const Base &base)
{
	const WeightLayout layout(Type::int8, 32, 32);
	const Plan plan = plan_matmul(std::span(&layout, 1), rows, 1);

	return emit(layout, rows, plan.lanes.at(0).at(0),
		    {base.features, base.weights, base.results});
}

Stream hanging_stream(const Base &base)
{
	Stream stream = valid_stream(base);

	/* If this is not kernels times bytes per kernel, CNA waits forever. */
	set(stream, RKNN_CNA_WEIGHT_SIZE0, 2048);
	return stream;
}

Stream faulting_stream(const Base &base)
{
	Stream stream = valid_stream(base);

	set(stream, RKNN_CNA_DMA_CON1, 0x08000000);
	return stream;
}

void mutate(Stream &stream, Random &random, const File &file)
{
	if (stream.empty())
		return;
	std::uint64_t &word = stream[random.below(stream.size())];

	switch (random.below(10)) {
	case 0:
	case 1:
		word = with_value(word, random.pick(values));
		break;
	case 2:
		word = with_value(word,
				  static_cast<std::uint32_t>(word >> 16) ^ 1u << random.below(32));
		break;
	case 3:
	case 4:
		set(stream,
		    random.pick(std::array<std::uint16_t, 3>{RKNN_CNA_FEATURE_DATA_ADDR,
							     RKNN_CNA_DCOMP_ADDR0,
							     RKNN_DPU_DST_BASE_ADDR}),
		    some_address(random, file));
		break;
	case 5:
		word = (word & ~(0xffffull << 48)) | std::uint64_t{random.pick(targets)} << 48;
		break;
	case 6:
		word = (word & ~0xffffull) | random.below(0x8000);
		break;
	case 7:
		word = random.next();
		break;
	case 8:
		stream.erase(stream.begin() + random.below(stream.size()));
		break;
	default:
		stream.insert(stream.begin() + random.below(stream.size()), random.pick(stream));
		break;
	}
}

void finish_rocket(Stream &stream)
{
	stream.push_back(0);
	stream.push_back(0x0101ull << 48 | 0x14);
	stream.push_back(0x0041ull << 48);
	stream.push_back(0x0081ull << 48 | std::uint64_t{enable_convolution} << 16 | 8);
}

} // namespace fuzz
