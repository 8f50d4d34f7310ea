/* SPDX-License-Identifier: MIT */
#include "stream_source.h"

#include <algorithm>
#include <array>
#include <map>
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

Stream table(unsigned number)
{
	static constexpr rknn_case_write none[RKNN_CASE_CHANGES] = {{0, 0}};
	const rknn_case_base &base = rknn_case_bases[number];
	std::array<unsigned long long, RKNN_CASE_WORDS> words;
	const unsigned count = rknn_case_stream(&base, none, words.data());

	return {{words.begin(), words.begin() + count}, base.enable};
}

/// Stream @p number of the table, with random values in some registers.
Stream with(unsigned number, const std::map<std::uint32_t, std::uint32_t> &values)
{
	Stream stream = table(number);

	for (const auto &[reg, value] : values)
		if (std::uint64_t *command = find(stream, static_cast<std::uint16_t>(reg)))
			*command = with_value(*command, value);
	return stream;
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

/// A 1x1 convolution of any width, layout and banks; some are invalid.
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

/// A case of the verifier's tests.
Stream Source::published()
{
	return table(below(RKNN_CASE_BASES));
}

/// The DPU alone, with a tensor of any size; only some combinations of type, function and operands
/// are valid.
Stream Source::operation()
{
	constexpr std::array<std::uint32_t, 5> types{0, 1, 2, 4, 5};
	constexpr std::array<std::uint32_t, 8> sizes{1, 2, 2, 2, 3, 3, 0, 0};
	constexpr std::array<std::uint32_t, 4> functions{0x2'03c0, 0x20'03c0, 0x21'03c0, 0x4'03c0};
	const std::uint32_t type = types[below(types.size())];
	const std::uint32_t out = below(4) ? type : types[below(types.size())];
	const std::uint32_t w = below(9), h = below(5), c = 16 * (1 + below(6)) - 1;
	const std::uint32_t mode = below(4) ? 1 : 0;
	const bool both = below(3);
	const std::uint32_t function = below(4) ? functions[below(4)] : 0x03c4;
	const bool half = out == 2 && type != 0;

	return with(RKNN_CASE_SUM_INT32,
		    {{0x4010, out << 29 | type << 26 | type},
		     {0x4024, (w + 1) * (h + 1) * 16},
		     {0x4030, w},
		     {0x4034, h},
		     {0x403c, c << 16 | c},
		     {0x4058, c},
		     {0x405c, h << 16 | w},
		     {0x4070, both ? function | sizes[type] << 22 | mode << 28 : 0x383},
		     {0x4084, 1 | static_cast<std::uint32_t>(half) << 16},
		     {0x500c, w},
		     {0x5010, h},
		     {0x5014, c},
		     {0x5018, operand_base + 16 * below(64)},
		     {0x5034, both ? mode << 30 | sizes[type] << 2 : 1},
		     {0x5038, bias_base + 16 * below(64)},
		     {0x5040, (w + 1) * (h + 1) * 16},
		     {0x5044, type << 15 | 0x7801 | type << 5 | (both && below(2) ? 0x400U : 0)}});
}

/// Pooling with any window; some are invalid.
Stream Source::pooling()
{
	const bool fp16 = below(2);
	const std::uint32_t w = 1 + below(20), h = 1 + below(20), c = 16 * (1 + below(4));
	const std::uint32_t kw = 1 + below(4), kh = 1 + below(4), sx = 1 + below(3),
			    sy = 1 + below(3);
	const std::uint32_t left = below(kw), top = below(kh), right = below(kw),
			    bottom = below(kh);
	const std::uint32_t ow = (w + left + right - std::min(kw, w + left + right)) / sx,
			    oh = (h + top + bottom - std::min(kh, h + top + bottom)) / sy;
	const std::uint32_t one = fp16 ? 0x7c00 : 0x10000;

	return with(fp16 ? RKNN_CASE_POOL_FP16 : RKNN_CASE_POOL_INT8,
		    {{0x600c, w - 1},
		     {0x6010, h - 1},
		     {0x6014, c - 1},
		     {0x6018, ow},
		     {0x601c, oh},
		     {0x6020, c - 1},
		     {0x6024, 0x10 | below(3)},
		     {0x6034, (kw - 1) | (kh - 1) << 8 | (sx - 1) << 16 | (sy - 1) << 20},
		     {0x6038, fp16 ? one : one / kw},
		     {0x603c, fp16 ? one : one / kh},
		     {0x6040, left | top << 4 | right << 8 | bottom << 12},
		     {0x607c, (ow + 1) * (oh + 1) * 16},
		     {0x700c, w - 1},
		     {0x7010, h - 1},
		     {0x7014, c - 1},
		     {0x7024, w * 16},
		     {0x7028, w * h * 16}});
}

/// Some commands of an earlier stream of the lane, and another result.
Stream Source::delta(const Stream &whole)
{
	Stream stream{{}, whole.enable};

	for (const std::uint64_t command : whole.commands)
		if (!below(10) || (command & 0xffff) == 0x4020)
			stream.commands.push_back(command);
	if (stream.commands.empty())
		stream.commands.push_back(0);
	return stream;
}

Stream Source::right()
{
	const std::uint32_t kind = below(20);

	if (kind < 6)
		return generated();
	if (kind < 12)
		return convolution();
	return kind < 15 ? operation() : kind < 17 ? pooling() : published();
}

/// A value that probably hits a limit.
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

/// Replaces a size wherever it, or it minus one, occurs: in some results all blocks agree.
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
		stream.enable = below(4) ? stream.enable ^ 0x10 : below(0x80);
		break;
	case 8:
	case 9:
		if (std::uint64_t *con0 = find(stream, cbuf_con0))
			*con0 = with_value(*con0,
					   (value_of(*con0) & 0x3000) | below(12) << 4 | below(12));
		break;
	case 10:
	case 11: {
		/* Registers whose values no other register repeats. */
		constexpr std::array<std::uint16_t, 24> lone{
			0x1010, 0x1044, 0x1070, 0x107c, 0x1080, 0x1110, 0x4020, 0x4024,
			0x4038, 0x40c0, 0x1184, 0x4084, 0x3010, 0x1078, 0x4100, 0x4070,
			0x4040, 0x4060, 0x5034, 0x5044, 0x6024, 0x6034, 0x6040, 0x7028};
		if (std::uint64_t *command = find(stream, lone[below(lone.size())]))
			*command = with_value(*command, boundary(value_of(*command)));
		break;
	}
	case 12: {
		/* Addresses about the ends of buffers. */
		constexpr std::array<std::uint16_t, 7> addresses{0x1070, 0x1110, 0x4020, 0x5018,
								 0x5038, 0x6070, 0x701c};
		if (std::uint64_t *command = find(stream, addresses[below(7)]))
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

		if (!below(3))
			next = delta(lane[below(static_cast<std::uint32_t>(lane.size()))]);

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
