/* SPDX-License-Identifier: MIT */
/*
 * Any convolution: its registers as published recipes set them, its tensors in
 * memory, and what it must give, computed without the model.
 */
#ifndef MODEL_CONVOLVE_H
#define MODEL_CONVOLVE_H

#include "model_harness.h"
#include "model_reference.h"

#include <functional>
#include <random>

namespace model_test
{

/* Where biases, tables of records and second operands are. */
inline constexpr uint32_t bias_base = 0x50000000;
inline constexpr uint32_t operand_base = 0x60000000;

/* Codes of precisions. */
enum Prec : uint32_t { p_int8, p_int16, p_fp16, p_bf16, p_int32, p_fp32, p_int4, p_tf32 };

constexpr uint32_t align(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

struct Convolve {
	Prec in = p_int8;
	Prec out = p_int32;
	uint32_t w = 8, h = 8, c = 32, n = 32;
	uint32_t kw = 3, kh = 3;
	uint32_t sx = 1, sy = 1, dx = 1, dy = 1;
	uint32_t left = 1, top = 1, right = 1, bottom = 1;
	/* 2, 4 or 8: a deconvolution. */
	uint32_t up = 1;
	bool depthwise = false;
	/* Pixels of c packed channels. */
	bool image = false;
	/* Channels of CORE and DPU; 0 is whole groups. */
	uint32_t channels_out = 0;
	/* PAD_CON1. */
	uint32_t pad = 0;
	uint32_t data_banks = 8;

	bool is_float() const { return in == p_fp16 || in == p_bf16 || in == p_tf32; }
	uint32_t bits() const
	{
		return in == p_int4 ? 4 : in == p_int8 ? 8 : in == p_tf32 ? 32 : 16;
	}
	uint32_t out_bytes() const
	{
		return out == p_int8 ? 1 : out >= p_int32 && out != p_tf32 ? 4 : 2;
	}
	/* Channels of an atom. */
	uint32_t c2() const { return 128 / bits(); }
	uint32_t channels() const
	{
		return align(c, image ? 16 * 8 / bits() : std::max(c2(), bits() == 8 ? 16u : c2()));
	}
	uint32_t lanes() const
	{
		if (depthwise)
			return group();
		return in == p_tf32 ? 16 : 32;
	}
	uint32_t group() const
	{
		if (depthwise)
			return in == p_int8 ? 64 : 32;
		return in == p_int8 ? 32 : in == p_int4 ? 64 : 16;
	}
	uint32_t kernels() const { return depthwise ? c : n; }
	uint32_t dilated_w() const { return (w - 1) * up + 1; }
	uint32_t dilated_h() const { return (h - 1) * up + 1; }
	uint32_t ow() const { return (dilated_w() + left + right - (kw - 1) * dx - 1) / sx + 1; }
	uint32_t oh() const { return (dilated_h() + top + bottom - (kh - 1) * dy - 1) / sy + 1; }
	uint32_t oc() const { return channels_out ? channels_out : align(kernels(), group()); }
	uint32_t pixels() const { return ow() * oh(); }
	uint32_t surfaces() const { return group() * out_bytes() / 16; }
	/* Rows of an image have an even number of pixels. */
	uint32_t pitch() const { return image ? align(w, 2) : w; }
	uint32_t feature_size() const
	{
		return image ? pitch() * h * c * bits() / 8 : w * h * channels() * bits() / 8;
	}
	uint32_t kernel_elements() const { return kw * kh * channels(); }
	uint32_t weight_size() const
	{
		return kernel_elements() * (depthwise ? 1 : n) * bits() / 8;
	}
	uint32_t output_size() const
	{
		return align(oc() * out_bytes(), 16 * surfaces()) * pixels();
	}

	/* In elements; of int4 two are in a byte. */
	uint32_t feature_element(uint32_t x, uint32_t y, uint32_t channel) const
	{
		if (image)
			return (y * pitch() + x) * c + channel;
		return ((channel / c2() * h + y) * w + x) * c2() + channel % c2();
	}

	/* [N/G][C/lanes][kh][kw][G][lanes], groups and slices as narrow as they are. */
	uint32_t weight_element(uint32_t kernel, uint32_t channel, uint32_t x, uint32_t y) const
	{
		const uint32_t tap = y * kw + x;
		const uint32_t slice = channel / lanes();
		const uint32_t wide = std::min(lanes(), channels() - slice * lanes());

		if (depthwise)
			return slice * lanes() * kw * kh + tap * wide + channel % lanes();
		const uint32_t first = kernel / group() * group();
		const uint32_t together = std::min(group(), n - first);
		return first * kernel_elements() + slice * lanes() * kw * kh * together +
		       (tap * together + kernel - first) * wide + channel % lanes();
	}

	uint32_t output_offset(uint32_t pixel, uint32_t channel) const
	{
		const uint32_t per_atom = 16 / out_bytes();

		return (channel / per_atom * pixels() + pixel) * 16 +
		       channel % per_atom * out_bytes();
	}

	Registers registers() const;

	void map(Npu &npu) const
	{
		npu.bus.map(feature_base, feature_size());
		npu.bus.map(weight_base, weight_size());
		npu.bus.map(output_base, output_size());
	}

	void put(Npu &npu, uint32_t base, uint32_t element, uint32_t value) const
	{
		uint8_t *to = npu.bus.find(base + element * bits() / 8, (bits() + 7) / 8);

		ASSERT_NE(to, nullptr) << "the test itself is wrong";
		if (bits() == 4)
			*to = static_cast<uint8_t>(element % 2 ? (*to & 0x0f) | value << 4
							       : (*to & 0xf0) | (value & 0xf));
		else
			std::memcpy(to, &value, bits() / 8);
	}

	/* Channels beyond @c hold noise in features and zeros in weights. */
	void store(Npu &npu, const std::vector<uint32_t> &x, const std::vector<uint32_t> &k) const
	{
		for (uint32_t y = 0; y < h; y++)
			for (uint32_t column = 0; column < w; column++)
				for (uint32_t i = 0; i < c; i++)
					put(npu, feature_base, feature_element(column, y, i),
					    x[(y * w + column) * c + i]);
		std::memset(npu.bus.find(weight_base, 1), 0, weight_size());
		for (uint32_t kernel = 0; kernel < kernels(); kernel++)
			for (uint32_t i = 0; i < (depthwise ? 1 : c); i++)
				for (uint32_t y = 0; y < kh; y++)
					for (uint32_t column = 0; column < kw; column++)
						put(npu, weight_base,
						    weight_element(kernel, depthwise ? kernel : i,
								   column, y),
						    k[weight_index(kernel, i, column, y)]);
	}

	uint32_t weight_index(uint32_t kernel, uint32_t channel, uint32_t x, uint32_t y) const
	{
		return ((kernel * (depthwise ? 1 : c) + channel) * kh + y) * kw + x;
	}

	template <typename Rng>
	std::vector<uint32_t> random(Rng &rng, size_t count) const
	{
		std::vector<uint32_t> values(count);

		for (uint32_t &value : values) {
			const auto bits = static_cast<uint32_t>(rng());

			if (in == p_fp16)
				value = random_half(rng, 12, 17);
			else if (in == p_bf16)
				value = (bits & 0x807f) | (124 + bits % 6) << 7;
			else if (in == p_tf32)
				value = (bits & 0x807fe000) | (124 + bits % 6) << 23;
			else
				value = bits & ((1u << this->bits()) - 1);
		}
		return values;
	}

	template <typename Rng>
	std::vector<uint32_t> features(Rng &rng) const
	{
		return random(rng, size_t{w} * h * c);
	}

	template <typename Rng>
	std::vector<uint32_t> weights(Rng &rng) const
	{
		return random(rng, size_t{kernels()} * (depthwise ? 1 : c) * kh * kw);
	}

	int32_t integer(uint32_t value) const
	{
		const uint32_t shift = 32 - bits();

		return static_cast<int32_t>(value << shift) >> shift;
	}

	double number(uint32_t value) const
	{
		if (in == p_fp16)
			return half_value(static_cast<uint16_t>(value));
		if (in == p_bf16)
			return static_cast<double>(std::bit_cast<float>(value << 16));
		if (in == p_tf32)
			return static_cast<double>(std::bit_cast<float>(value));
		return integer(value);
	}

	/* What a tap reads: a feature, padding, or the gap of a deconvolution. */
	enum Seen { feature, padding, gap };
	Seen seen(uint32_t pixel, uint32_t kx, uint32_t ky, uint32_t &x, uint32_t &y) const
	{
		const int64_t at_x = int64_t{pixel % ow()} * sx + int64_t{kx} * dx - left;
		const int64_t at_y = int64_t{pixel / ow()} * sy + int64_t{ky} * dy - top;

		if (at_x < 0 || at_y < 0 || at_x >= dilated_w() || at_y >= dilated_h())
			return padding;
		if (at_x % up || at_y % up)
			return gap;
		x = static_cast<uint32_t>(at_x / up);
		y = static_cast<uint32_t>(at_y / up);
		return feature;
	}

	/* Call @take with each feature and weight of a sum. */
	void each(const std::vector<uint32_t> &x, const std::vector<uint32_t> &k, uint32_t pixel,
		  uint32_t kernel, uint32_t first, uint32_t last,
		  const std::function<void(uint32_t, uint32_t)> &take) const
	{
		for (uint32_t ky = 0; ky < kh; ky++) {
			for (uint32_t kx = 0; kx < kw; kx++) {
				uint32_t column = 0, row = 0;
				const Seen what = seen(pixel, kx, ky, column, row);

				for (uint32_t i = first; i < last; i++) {
					const uint32_t channel = depthwise ? kernel : i;
					const uint32_t value =
						what == feature
							? x[(row * w + column) * c + channel]
						: what == padding ? pad & mask()
								  : 0;
					take(value,
					     k[weight_index(kernel, depthwise ? 0 : i, kx, ky)]);
				}
			}
		}
	}

	uint32_t mask() const { return bits() == 32 ? ~0u : (1u << bits()) - 1; }

	/* Padding is the same in all lanes here. */
	int64_t sum(const std::vector<uint32_t> &x, const std::vector<uint32_t> &k, uint32_t pixel,
		    uint32_t kernel) const
	{
		int64_t sum = 0;

		each(x, k, pixel, kernel, 0, depthwise ? 1 : c,
		     [&](uint32_t a, uint32_t b) { sum += int64_t{integer(a)} * integer(b); });
		return sum;
	}

	/*
	 * Floats: the measured rule, group after group. Products are multiples
	 * of 2^-56 here, so a double holds the sum of 32 exactly.
	 */
	float float_sum(const std::vector<uint32_t> &x, const std::vector<uint32_t> &k,
			uint32_t pixel, uint32_t kernel) const
	{
		float sum = 0;
		double group = 0;
		uint32_t in_group = 0;

		for (uint32_t first = 0; first < (depthwise ? 1 : c); first += lanes()) {
			const uint32_t last = depthwise ? 1 : std::min(c, first + lanes());

			each(x, k, pixel, kernel, first, last, [&](uint32_t a, uint32_t b) {
				group += number(a) * number(b);
				if (++in_group < last - first)
					return;
				sum += static_cast<float>(group);
				group = 0;
				in_group = 0;
			});
		}
		return sum;
	}

	uint32_t result(Npu &npu, uint32_t pixel, uint32_t channel) const
	{
		const uint32_t addr = output_base + output_offset(pixel, channel);

		if (out_bytes() == 1)
			return static_cast<uint32_t>(npu.bus.get<int8_t>(addr));
		return out_bytes() == 2 ? npu.bus.get<uint16_t>(addr) : npu.bus.get<uint32_t>(addr);
	}
};

inline Registers Convolve::registers() const
{
	const uint32_t size_e = std::min(surfaces(), 8u) - 1;
	const uint32_t bpe8 = bits();
	const uint32_t proc =
		in == p_tf32 ? static_cast<uint32_t>(p_fp32) : static_cast<uint32_t>(in);
	const uint32_t line = image ? pitch() : 4 * w;
	const uint32_t surf = image ? pitch() * (h - 1) : w * h - 4 * w;
	const uint32_t field = up == 1 ? 0 : up - 1;

	return {
		{0x1004, 0xe},
		{0x100c, (depthwise ? 3u : 0u) | in << 4 | in << 7 |
				 (image ? 0x60000000u | (7 + c) << 12 : 0u) |
				 (up > 1 ? 0x10000u : 0u)},
		{0x1010, (kh + h) << 4},
		{0x1014, sx | sy << 3 | field << 8 | field << 11 | (dx - 1) << 16 | (dy - 1) << 21},
		{0x1020, w << 16 | h},
		{0x1024, (c - 1) << 16 | channels()},
		{0x1028, ow()},
		{0x102c, pixels()},
		{0x1030, weight_size()},
		{0x1034, kernel_elements() * bpe8 / 8},
		{0x1038, kw << 24 | kh << 16 | (depthwise ? 1 : n)},
		{0x1040, (12 - data_banks) << 4 | data_banks},
		{0x1044, (w * channels() * bpe8 / 8 + 63) / 64},
		{0x104c, 0xb},
		{0x1050, 0x10000},
		{0x1054, 0x10000},
		{0x1058, 0x10000},
		{0x105c, 0x10000},
		{0x1068, left << 4 | top},
		{0x1070, feature_base},
		{0x1078, 0x000f000f},
		{0x107c, line},
		{0x1080, surf & 0x0fffffff},
		{0x1084, w << 16 | h},
		{0x1088, channels()},
		{0x1110, weight_base},
		{0x1184, pad},
		{0x3004, 0xe},
		{0x3010, in << 8 | (depthwise ? 2u : 0u)},
		{0x3014, (oh() - 1) << 16 | (ow() - 1)},
		{0x3018, oc() - 1},
		{0x4004, 0xe},
		{0x400c, depthwise ? 0x1fcu : 0x1e4u},
		{0x4010, out << 29 | proc << 26 | proc},
		{0x4020, output_base},
		{0x4024, pixels() * 16},
		{0x4030, ow() - 1},
		{0x4034, oh() - 1},
		{0x403c, (oc() - 1) << 16 | (oc() - 1)},
		{0x4040, 0x53},
		{0x4050, size_e << 8 | size_e << 5 | size_e << 2 | 2},
		{0x4058, oc() - 1},
		{0x405c, (oh() - 1) << 16 | (ow() - 1)},
		{0x4060, 0x53},
		{0x4070, 0x383},
		{0x4078, 1},
		{0x4084, out == p_fp16 && is_float() ? 0x10001u : 1u},
		{0x40c0, surfaces() * pixels() * 16},
	};
}

} /* namespace model_test */

#endif /* MODEL_CONVOLVE_H */
