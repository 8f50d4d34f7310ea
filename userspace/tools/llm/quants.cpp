/* SPDX-License-Identifier: MIT */
#include "llm/quants.h"

#include <bit>
#include <cstring>
#include <vector>

#include <engine/numeric.h>

namespace npu::llm
{

namespace
{

using Bytes = std::span<const std::byte>;
using Floats = std::span<float>;

/// The byte @p i as a number.
unsigned at(Bytes block, std::size_t i)
{
	return std::to_integer<unsigned>(block[i]);
}

/// The fp16 at byte @p i.
float half(Bytes block, std::size_t i)
{
	std::uint16_t bits = 0;
	float value = 0;

	std::memcpy(&bits, block.data() + i, sizeof(bits));
	from_fp16({&bits, 1}, {&value, 1});
	return value;
}

float signed_byte(Bytes block, std::size_t i)
{
	return static_cast<float>(static_cast<std::int8_t>(block[i]));
}

float to_float(unsigned value)
{
	return static_cast<float>(value);
}

/// Bit @p i of the little-endian word at byte @p from, as 0 or 16.
unsigned fifth_bit(Bytes block, std::size_t from, std::size_t i)
{
	return (at(block, from + i / 8) >> (i % 8) & 1U) << 4U;
}

/* Blocks of 32: the low halves of the bytes are the first 16 elements. */

void unpack_q4_0(Bytes block, Floats out)
{
	const float scale = half(block, 0);

	for (std::size_t i = 0; i < 16; i++) {
		const unsigned byte = at(block, 2 + i);

		out[i] = scale * (to_float(byte & 15U) - 8);
		out[16 + i] = scale * (to_float(byte >> 4U) - 8);
	}
}

void unpack_q4_1(Bytes block, Floats out)
{
	const float scale = half(block, 0);
	const float least = half(block, 2);

	for (std::size_t i = 0; i < 16; i++) {
		const unsigned byte = at(block, 4 + i);

		out[i] = scale * to_float(byte & 15U) + least;
		out[16 + i] = scale * to_float(byte >> 4U) + least;
	}
}

void unpack_q5_0(Bytes block, Floats out)
{
	const float scale = half(block, 0);

	for (std::size_t i = 0; i < 16; i++) {
		const unsigned low = (at(block, 6 + i) & 15U) | fifth_bit(block, 2, i);
		const unsigned high = at(block, 6 + i) >> 4U | fifth_bit(block, 2, 16 + i);

		out[i] = scale * (to_float(low) - 16);
		out[16 + i] = scale * (to_float(high) - 16);
	}
}

void unpack_q5_1(Bytes block, Floats out)
{
	const float scale = half(block, 0);
	const float least = half(block, 2);

	for (std::size_t i = 0; i < 16; i++) {
		const unsigned low = (at(block, 8 + i) & 15U) | fifth_bit(block, 4, i);
		const unsigned high = at(block, 8 + i) >> 4U | fifth_bit(block, 4, 16 + i);

		out[i] = scale * to_float(low) + least;
		out[16 + i] = scale * to_float(high) + least;
	}
}

void unpack_q8_0(Bytes block, Floats out)
{
	const float scale = half(block, 0);

	for (std::size_t i = 0; i < out.size(); i++)
		out[i] = scale * signed_byte(block, 2 + i);
}

/* Blocks of 256, which have scales for parts of 16 or 32. */

/// 16 scales and minima of 4 bits, 64 bytes of 2 bits, scale, scale of minima.
void unpack_q2_k(Bytes block, Floats out)
{
	const float scale = half(block, 80);
	const float least = half(block, 82);

	for (std::size_t i = 0; i < out.size(); i++) {
		const unsigned part = at(block, i / 16);
		const std::size_t byte = 16 + i / 128 * 32 + i % 32;
		const unsigned bits = at(block, byte) >> (i % 128 / 32 * 2) & 3U;

		out[i] = scale * to_float(part & 15U) * to_float(bits) -
			 least * to_float(part >> 4U);
	}
}

/// Scale @p part of a Q3_K block: 4 bits in one byte, 2 in another, less 32.
float scale_q3_k(Bytes block, std::size_t part)
{
	const unsigned low = at(block, 96 + part % 8) >> (part / 8 * 4) & 15U;
	const unsigned high = at(block, 104 + part % 4) >> (part / 4 * 2) & 3U;

	return to_float(low | high << 4U) - 32;
}

/// 32 bytes of third bits, 64 bytes of 2 bits, 12 bytes of scales, scale.
void unpack_q3_k(Bytes block, Floats out)
{
	const float scale = half(block, 108);

	for (std::size_t i = 0; i < out.size(); i++) {
		const std::size_t byte = 32 + i / 128 * 32 + i % 32;
		const unsigned bits = at(block, byte) >> (i % 128 / 32 * 2) & 3U;
		const unsigned third = at(block, i % 32) >> (i / 32) & 1U;

		out[i] = scale * scale_q3_k(block, i / 16) * (to_float(bits | third << 2U) - 4);
	}
}

struct ScaleAndMinimum {
	float scale;
	float minimum;
};

/// The scale and minimum of part @p part of a Q4_K or Q5_K block, 6 bits each.
ScaleAndMinimum scale_q4_k(Bytes block, std::size_t part)
{
	const Bytes bytes = block.subspan(4, 12);

	if (part < 4)
		return {to_float(at(bytes, part) & 63U), to_float(at(bytes, part + 4) & 63U)};
	const unsigned low = at(bytes, part + 4);
	return {to_float((low & 15U) | at(bytes, part - 4) >> 6U << 4U),
		to_float(low >> 4U | at(bytes, part) >> 6U << 4U)};
}

/// Scale, scale of minima, 12 bytes of both for parts, 128 bytes of 4 bits.
void unpack_q4_k(Bytes block, Floats out)
{
	const float scale = half(block, 0);
	const float least = half(block, 2);

	for (std::size_t part = 0; part < 8; part++) {
		const ScaleAndMinimum factors = scale_q4_k(block, part);

		for (std::size_t i = 0; i < 32; i++) {
			const unsigned bits =
				at(block, 16 + part / 2 * 32 + i) >> (part % 2 * 4) & 15U;
			out[part * 32 + i] =
				scale * factors.scale * to_float(bits) - least * factors.minimum;
		}
	}
}

/// As Q4_K, with 32 bytes of fifth bits before the others.
void unpack_q5_k(Bytes block, Floats out)
{
	const float scale = half(block, 0);
	const float least = half(block, 2);

	for (std::size_t part = 0; part < 8; part++) {
		const ScaleAndMinimum factors = scale_q4_k(block, part);

		for (std::size_t i = 0; i < 32; i++) {
			const unsigned bits =
				at(block, 48 + part / 2 * 32 + i) >> (part % 2 * 4) & 15U;
			const unsigned fifth = at(block, 16 + i) >> part & 1U;
			out[part * 32 + i] = scale * factors.scale * to_float(bits | fifth << 4U) -
					     least * factors.minimum;
		}
	}
}

/// 128 bytes of 4 bits, 64 bytes of 2 bits, 16 signed scales, scale.
void unpack_q6_k(Bytes block, Floats out)
{
	const float scale = half(block, 208);

	for (std::size_t i = 0; i < out.size(); i++) {
		const std::size_t half_block = i / 128;
		const std::size_t quarter = i % 128 / 32;
		const std::size_t byte = half_block * 64 + i % 64;
		const unsigned low = at(block, byte) >> (quarter / 2 * 4) & 15U;
		const unsigned high =
			at(block, 128 + half_block * 32 + i % 32) >> (quarter * 2) & 3U;

		out[i] = scale * signed_byte(block, 192 + i / 16) *
			 (to_float(low | high << 4U) - 32);
	}
}

void unpack_bf16(Bytes bytes, Floats out)
{
	for (std::size_t i = 0; i < out.size(); i++)
		out[i] =
			std::bit_cast<float>(at(bytes, 2 * i) << 16U | at(bytes, 2 * i + 1) << 24U);
}

void unpack_f16(Bytes bytes, Floats out)
{
	/* Copied, since the file may not align them. */
	std::vector<std::uint16_t> halves(out.size());

	std::memcpy(halves.data(), bytes.data(), bytes.size());
	from_fp16(halves, out);
}

void each_block(TensorType type, Bytes blocks, Floats out, void (*unpack)(Bytes, Floats))
{
	const Block block = *block_of(static_cast<std::uint32_t>(type));

	for (std::size_t i = 0; i < out.size() / block.elements; i++)
		unpack(blocks.subspan(i * block.bytes, block.bytes),
		       out.subspan(i * block.elements, block.elements));
}

} // namespace

std::optional<Block> block_of(std::uint32_t type)
{
	switch (static_cast<TensorType>(type)) {
	case TensorType::f32:
		return Block{1, 4};
	case TensorType::f16:
	case TensorType::bf16:
		return Block{1, 2};
	case TensorType::q4_0:
		return Block{32, 18};
	case TensorType::q4_1:
		return Block{32, 20};
	case TensorType::q5_0:
		return Block{32, 22};
	case TensorType::q5_1:
		return Block{32, 24};
	case TensorType::q8_0:
		return Block{32, 34};
	case TensorType::q2_k:
		return Block{256, 84};
	case TensorType::q3_k:
		return Block{256, 110};
	case TensorType::q4_k:
		return Block{256, 144};
	case TensorType::q5_k:
		return Block{256, 176};
	case TensorType::q6_k:
		return Block{256, 210};
	}
	return {};
}

void dequantise(TensorType type, std::span<const std::byte> blocks, std::span<float> out)
{
	switch (type) {
	case TensorType::f32:
		std::memcpy(out.data(), blocks.data(), blocks.size());
		return;
	case TensorType::f16:
		return unpack_f16(blocks, out);
	case TensorType::bf16:
		return unpack_bf16(blocks, out);
	case TensorType::q4_0:
		return each_block(type, blocks, out, unpack_q4_0);
	case TensorType::q4_1:
		return each_block(type, blocks, out, unpack_q4_1);
	case TensorType::q5_0:
		return each_block(type, blocks, out, unpack_q5_0);
	case TensorType::q5_1:
		return each_block(type, blocks, out, unpack_q5_1);
	case TensorType::q8_0:
		return each_block(type, blocks, out, unpack_q8_0);
	case TensorType::q2_k:
		return each_block(type, blocks, out, unpack_q2_k);
	case TensorType::q3_k:
		return each_block(type, blocks, out, unpack_q3_k);
	case TensorType::q4_k:
		return each_block(type, blocks, out, unpack_q4_k);
	case TensorType::q5_k:
		return each_block(type, blocks, out, unpack_q5_k);
	case TensorType::q6_k:
		return each_block(type, blocks, out, unpack_q6_k);
	}
}

} // namespace npu::llm
