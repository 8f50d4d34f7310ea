/* SPDX-License-Identifier: MIT */
#include "stream_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include <rknn/matmul.h>
#include <rknn_streams.h>

#include "model_matmul.h"

namespace npu::fuzz
{

namespace
{

constexpr std::uint16_t cbuf_con0 = 0x1040;

std::uint32_t value_of(std::uint64_t command)
{
	return static_cast<std::uint32_t>(command >> 16);
}

std::uint64_t with_value(std::uint64_t command, std::uint32_t value)
{
	return (command & 0xffff'0000'0000'ffff) | std::uint64_t{value} << 16;
}

std::uint64_t *find(Stream &stream, std::uint16_t reg)
{
	const auto it = std::ranges::find_if(
		stream.commands, [=](std::uint64_t command) { return (command & 0xffff) == reg; });

	return it == stream.commands.end() ? nullptr : &*it;
}

} // namespace

std::uint32_t Source::below(std::uint32_t end)
{
	return static_cast<std::uint32_t>(random_() % end);
}

/// A tile of the generator's plan for a random product.
Stream Source::generated()
{
	const auto type = below(2) ? rknn::Type::int8 : rknn::Type::fp16;
	const rknn::WeightLayout layout(type, 1 + below(300), 1 + below(100));
	const std::uint32_t m = 1 + below(below(4) ? 40 : 300);
	const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, m, 1 + below(3));
	const auto &lane = plan.lanes[below(static_cast<std::uint32_t>(plan.lanes.size()))];
	rknn::Tile tile = lane[below(static_cast<std::uint32_t>(lane.size()))];

	tile.data_reuse = false;
	return {rknn::emit(layout, m, tile, {feature_base, weight_base, result_base})};
}

/// A 1x1 convolution of any width, layout and banks, some of which do not do.
Stream Source::convolution()
{
	using model_test::Kind;
	constexpr std::array kinds{Kind::int8, Kind::fp16, Kind::fp16_to_fp16};
	const bool image = below(2);
	const bool rows = !image && below(2);
	const std::uint32_t data_banks = 1 + below(11);
	const model_test::Matmul matmul{.kind = kinds[below(3)],
					.w = image ? 1 + below(9) : 1,
					.h = 1 + below(9),
					.k = 16 * (1 + below(12)),
					.n = 32 * (1 + below(4)),
					.line_off = rows || below(2),
					.rows_in = rows,
					.rows_out = !image && below(2),
					.data_banks = data_banks,
					.weight_banks = 1 + below(12 - data_banks),
					.features = feature_base,
					.weights = weight_base,
					.output = result_base};
	model_test::Registers registers = matmul.registers();

	registers.erase(0x1004);
	registers.erase(0x3004);
	for (std::uint32_t reg = 0x4100; reg <= 0x412c; reg += 4)
		registers[reg] = 0;
	return {model_test::body(registers)};
}

/// One of the table of the verifier's tests.
Stream Source::published()
{
	static constexpr rknn_case_write none[RKNN_CASE_CHANGES] = {{0, 0}};
	const rknn_case_base &base = rknn_case_bases[below(RKNN_CASE_BASES)];
	std::array<unsigned long long, RKNN_CASE_WORDS> words;
	const unsigned count = rknn_case_stream(&base, none, words.data());

	return {{words.begin(), words.begin() + count}, base.enable};
}

Stream Source::right()
{
	const std::uint32_t kind = below(10);

	return kind < 4 ? generated() : kind < 8 ? convolution() : published();
}

/// A value that is likely to reach a limit of something.
std::uint32_t Source::boundary(std::uint32_t old)
{
	switch (below(9)) {
	case 0:
		return static_cast<std::uint32_t>(random_());
	case 1:
		return 0;
	case 2:
		return ~0U;
	case 3:
		return old ^ 1U << below(32);
	case 4:
		return old + (1U << below(32));
	case 5:
		return old - 1;
	case 6:
		return static_cast<std::uint32_t>(random_()) >> below(32);
	case 7:
		return 1U << below(32);
	default:
		return old * 2;
	}
}

/// Another size wherever it or one less stands: some of the results agree with
/// each other in all blocks.
void Source::resize(Stream &stream)
{
	const std::uint32_t picked = value_of(
		stream.commands[below(static_cast<std::uint32_t>(stream.commands.size()))]);
	const std::uint32_t from = below(2) ? picked & 0xffff : picked >> 16;
	const std::uint32_t to = below(2) ? from + 1 - below(3) : 1 + below(below(2) ? 64 : 2100);

	if (!from || from > 0x3fff)
		return;
	for (std::uint64_t &command : stream.commands) {
		std::uint32_t value = 0;

		for (const unsigned shift : {0U, 16U}) {
			const std::uint32_t half = value_of(command) >> shift & 0xffff;
			const std::uint32_t other = half == from               ? to
						    : half == from - 1 && half ? to - 1
									       : half;
			value |= (other & 0xffff) << shift;
		}
		command = with_value(command, value);
	}
}

void Source::change(Stream &stream)
{
	std::vector<std::uint64_t> &commands = stream.commands;
	const auto pick = [&] {
		return commands.begin() + below(static_cast<std::uint32_t>(commands.size()));
	};

	if (commands.empty())
		return;
	const auto one = pick(), other = pick();
	switch (below(24)) {
	case 0:
		*one = with_value(*one, value_of(*other));
		break;
	case 1: {
		const std::uint32_t value = value_of(*one);
		*one = with_value(*one, value_of(*other));
		*other = with_value(*other, value);
		break;
	}
	case 2:
		commands.erase(one);
		break;
	case 3: {
		const std::uint64_t again = *one;
		commands.insert(other, below(2) ? again : with_value(again, boundary(0)));
		break;
	}
	case 4:
		commands.insert(one, 0);
		break;
	case 5:
		*one ^= std::uint64_t{1} << below(64);
		break;
	case 6:
		std::swap(*one, *other);
		break;
	case 7:
		stream.enable = below(4) ? stream.enable ^ 0x10 : below(0x100);
		break;
	case 8:
	case 9:
		if (std::uint64_t *con0 = find(stream, cbuf_con0))
			*con0 = with_value(*con0,
					   (value_of(*con0) & 0x3000) | below(12) << 4 | below(12));
		break;
	case 10:
	case 11: {
		/* What no other register repeats. */
		constexpr std::array<std::uint16_t, 14> lone{0x1010, 0x1044, 0x1070, 0x107c, 0x1080,
							     0x1110, 0x4020, 0x4024, 0x4038, 0x40c0,
							     0x1184, 0x4084, 0x3010, 0x1078};
		if (std::uint64_t *command = find(stream, lone[below(lone.size())]))
			*command = with_value(*command, boundary(value_of(*command)));
		break;
	}
	case 12: {
		/* Addresses about the ends of buffers. */
		constexpr std::array<std::uint16_t, 3> addresses{0x1070, 0x1110, 0x4020};
		if (std::uint64_t *command = find(stream, addresses[below(3)]))
			*command = with_value(*command, ((value_of(*command) & 0xfff00000) |
							 (0x100000 - 16 * below(256))) -
								(below(8) ? 16 : 0));
		break;
	}
	case 13:
	case 14:
	case 15:
		resize(stream);
		break;
	case 16:
	case 17:
	case 18: {
		/* One more or less of a field. */
		constexpr std::array<unsigned, 6> places{0, 0, 3, 16, 16, 24};
		const std::uint32_t step = 1U << places[below(places.size())];
		*one = with_value(*one, value_of(*one) + (below(2) ? step : -step));
		break;
	}
	default:
		*one = with_value(*one, boundary(value_of(*one)));
		break;
	}
}

std::vector<Stream> Source::lane()
{
	std::vector<Stream> lane{right()};

	for (std::uint32_t more = below(4) ? below(2) : below(4); more; more--) {
		Stream next = below(4) ? lane.back() : right();

		if (std::uint64_t *con0 = find(next, cbuf_con0); con0 && below(2))
			*con0 = with_value(*con0, (value_of(*con0) & ~0x3000U) | below(4) << 12);
		lane.push_back(std::move(next));
	}
	for (Stream &stream : lane)
		for (std::uint32_t changes = below(3); changes && below(2); changes--)
			change(stream);
	return lane;
}

} // namespace npu::fuzz
