/* SPDX-License-Identifier: MIT */
/*
 * A 1x1 convolution or matrix product: its registers, its tensors in memory,
 * and what it must give, computed without the model.
 */
#ifndef MODEL_MATMUL_H
#define MODEL_MATMUL_H

#include "model_harness.h"
#include "model_reference.h"

#include <random>

namespace model_test
{

enum class Kind { int8, fp16, fp16_to_fp16 };

/* Elements as their bits; @a is pixels x k, @b is n x k, both row-major. */
struct Operands {
	std::vector<uint16_t> a;
	std::vector<uint16_t> b;
};

struct Matmul {
	Kind kind = Kind::int8;
	uint32_t w = 1;
	uint32_t h = 4;
	uint32_t k = 32;
	uint32_t n = 32;
	/* Rows addressed one by one (bit 29) instead of in fours. */
	bool line_off = false;
	/* Features are a row-major matrix; wants w of 1 and line_off. */
	bool rows_in = false;
	/* Results are a row-major matrix; wants w of 1. */
	bool rows_out = false;
	uint32_t data_banks = 6;
	uint32_t weight_banks = 6;
	uint32_t core = 0;
	uint32_t features = feature_base;
	uint32_t weights = weight_base;
	uint32_t output = output_base;

	uint32_t pixels() const { return w * h; }
	bool is_fp16() const { return kind != Kind::int8; }
	uint32_t in_bytes() const { return is_fp16() ? 2 : 1; }
	uint32_t out_bytes() const { return kind == Kind::fp16_to_fp16 ? 2 : 4; }
	uint32_t group() const { return is_fp16() ? 16 : 32; }
	/* Output surfaces of a kernel group. */
	uint32_t surfaces() const { return group() * out_bytes() / 16; }
	uint32_t feature_size() const { return pixels() * k * in_bytes(); }
	uint32_t weight_size() const { return n * k * in_bytes(); }
	uint32_t output_size() const { return pixels() * n * out_bytes(); }

	/* NC1HWC2, or row-major. */
	uint32_t feature_offset(uint32_t pixel, uint32_t channel) const
	{
		const uint32_t c2 = 16 / in_bytes();

		if (rows_in)
			return (pixel * k + channel) * in_bytes();
		return (channel / c2 * pixels() + pixel) * 16 + channel % c2 * in_bytes();
	}

	/* [N/G][K/32][G][32], the last slice as narrow as K leaves it. */
	uint32_t weight_offset(uint32_t kernel, uint32_t channel) const
	{
		const uint32_t slice = channel / 32;
		const uint32_t lanes = std::min(32u, k - slice * 32);

		return (kernel / group() * group() * k + slice * 32 * group() +
			kernel % group() * lanes + channel % 32) *
		       in_bytes();
	}

	uint32_t output_offset(uint32_t pixel, uint32_t kernel) const
	{
		const uint32_t c2 = 16 / out_bytes();

		if (rows_out)
			return (pixel * n + kernel) * out_bytes();
		return (kernel / c2 * pixels() + pixel) * 16 + kernel % c2 * out_bytes();
	}

	Registers registers() const;

	/* Map the three tensors, exactly as large as they are. */
	void map(Npu &npu) const
	{
		npu.bus.map(features, feature_size());
		npu.bus.map(weights, weight_size());
		npu.bus.map(output, output_size());
	}

	void store(Npu &npu, const Operands &operands) const
	{
		for (uint32_t p = 0; p < pixels(); p++)
			for (uint32_t c = 0; c < k; c++)
				store_element(npu, features + feature_offset(p, c),
					      operands.a[p * k + c]);
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t c = 0; c < k; c++)
				store_element(npu, weights + weight_offset(i, c),
					      operands.b[i * k + c]);
	}

	void store_element(Npu &npu, uint32_t addr, uint16_t bits) const
	{
		uint8_t *to = npu.bus.find(addr, in_bytes());

		ASSERT_NE(to, nullptr) << "the test itself is wrong";
		std::memcpy(to, &bits, in_bytes());
	}

	/* Random operands: any int8, or halves in a moderate range. */
	template <typename Rng>
	Operands random(Rng &rng) const
	{
		Operands operands{std::vector<uint16_t>(pixels() * k),
				  std::vector<uint16_t>(n * k)};

		for (auto *tensor : {&operands.a, &operands.b})
			for (uint16_t &bits : *tensor)
				bits = is_fp16() ? random_half(rng, 8, 20)
						 : static_cast<uint16_t>(rng() & 0xff);
		return operands;
	}

	uint32_t expected(const Operands &operands, uint32_t pixel, uint32_t kernel) const
	{
		const std::span a = std::span(operands.a).subspan(pixel * k, k);
		const std::span b = std::span(operands.b).subspan(kernel * k, k);

		switch (kind) {
		case Kind::int8:
			return static_cast<uint32_t>(dot_int8(a, b));
		case Kind::fp16:
			return float_bits(dot_fp16(a, b));
		case Kind::fp16_to_fp16:
			return float_to_half(dot_fp16(a, b));
		}
		return 0;
	}

	uint32_t result(Npu &npu, uint32_t pixel, uint32_t kernel) const
	{
		const uint32_t addr = output + output_offset(pixel, kernel);

		return out_bytes() == 2 ? npu.bus.get<uint16_t>(addr) : npu.bus.get<uint32_t>(addr);
	}

	/* Results that differ; the first is told. */
	uint32_t mismatches(Npu &npu, const Operands &operands) const
	{
		uint32_t count = 0;

		for (uint32_t p = 0; p < pixels(); p++) {
			for (uint32_t i = 0; i < n; i++) {
				const uint32_t is = result(npu, p, i);
				const uint32_t should = expected(operands, p, i);

				if (is == should)
					continue;
				if (!count++)
					std::printf("first mismatch: pixel %u kernel %u: "
						    "is %08x, should be %08x\n",
						    p, i, is, should);
			}
		}
		return count;
	}
};

inline Registers Matmul::registers() const
{
	const uint32_t kernel_bytes = k * in_bytes();
	const uint32_t atoms = kernel_bytes / 16;
	const uint32_t size_e = surfaces() - 1;
	const uint32_t row_step = n * out_bytes() / 16;
	const uint32_t notch = rows_out ? row_step - 1 : 0;
	const uint32_t surf_stride = rows_out ? 16 : pixels() * 16;
	const uint32_t prec = is_fp16() ? 2 : 0;
	const uint32_t out_prec = kind == Kind::int8 ? 4 : kind == Kind::fp16 ? 5 : 2;
	uint32_t line = 4 * w, surf = w * h - 4 * w;

	if (rows_in) {
		line = atoms;
		surf = 0;
	} else if (line_off) {
		line = w;
		surf = w * h - w;
	}

	Registers r{
		{0x1004, 0xe | core << 28},
		{0x100c, prec << 4 | prec << 7 | (line_off ? 0x20000000u : 0)},
		{0x1010, std::min(h + 1, 0x3ffu) << 4},
		{0x1014, 0x9},
		{0x1020, w << 16 | h},
		{0x1024, (k - 1) << 16 | k},
		{0x1028, w},
		{0x102c, w * h},
		{0x1030, kernel_bytes * n},
		{0x1034, kernel_bytes},
		{0x1038, 0x01010000 | n},
		{0x1040, weight_banks << 4 | data_banks},
		{0x1044, (w * atoms + 3) / 4},
		{0x104c, 0xb},
		{0x1050, 0x10000},
		{0x1054, 0x10000},
		{0x1058, 0x10000},
		{0x105c, 0x10000},
		{0x1060, 0},
		{0x1064, 0},
		{0x1068, 0},
		{0x1070, features},
		{0x1074, 0},
		{0x1078, 0x000f000f},
		{0x107c, line},
		{0x1080, surf & 0x0fffffff},
		{0x1084, w << 16 | h},
		{0x1088, k},
		{0x1100, 0},
		{0x1104, 0},
		{0x1110, weights},
		{0x1180, 0},
		{0x1184, 0},
		{0x3004, 0xe | core << 28},
		{0x3010, prec << 8},
		{0x3014, (h - 1) << 16 | (w - 1)},
		{0x3018, n - 1},
		{0x301c, 0},
		{0x3030, 0},
		{0x4004, 0xe},
		{0x400c, 0x1e4},
		{0x4010, out_prec << 29 | prec << 26 | prec},
		{0x4014, 0},
		{0x4020, output},
		{0x4024, surf_stride},
		{0x4030, w - 1},
		{0x4034, h - 1},
		{0x4038, notch << 16 | notch},
		{0x403c, (n - 1) << 16 | (n - 1)},
		{0x4040, 0x53},
		{0x4044, 0},
		{0x4048, 0},
		{0x404c, 0},
		{0x4050, size_e << 8 | size_e << 5 | size_e << 2 | 2},
		{0x4054, 0},
		{0x4058, n - 1},
		{0x405c, (h - 1) << 16 | (w - 1)},
		{0x4060, 0x53},
		{0x4064, 0},
		{0x4068, 0},
		{0x406c, 0},
		{0x4070, 0x383},
		{0x4074, 0},
		{0x4078, 1},
		{0x407c, 0},
		{0x4080, 0},
		{0x4084, kind == Kind::fp16_to_fp16 ? 0x10001u : 1u},
		{0x4088, 0},
		{0x40c0, surfaces() * surf_stride},
		{0x40c4, 0},
	};

	for (uint32_t reg = 0x1140; reg <= 0x117c; reg += 4)
		r[reg] = 0;
	for (uint32_t reg = 0x4090; reg <= 0x40ac; reg += 4)
		r[reg] = 0;
	return r;
}

} /* namespace model_test */

#endif /* MODEL_MATMUL_H */
