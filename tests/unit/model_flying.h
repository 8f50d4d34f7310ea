/* SPDX-License-Identifier: MIT */
/*
 * Post-processing without a convolution: DPU and DPU_RDMA from memory to memory,
 * as published elementwise programs set the registers.
 */
#ifndef MODEL_FLYING_H
#define MODEL_FLYING_H

#include "model_convolve.h"

namespace model_test
{

struct Flying {
	Prec in = p_int32;
	Prec out = p_int32;
	/* Precision of the arithmetic: that of the input, except in mixed programs. */
	Prec proc = p_int32;
	uint32_t w = 5, h = 1, c = 32;

	static uint32_t bytes(Prec prec)
	{
		return prec == p_int8 ? 1 : prec == p_int32 || prec == p_fp32 ? 4 : 2;
	}
	uint32_t pixels() const { return w * h; }
	uint32_t size(Prec prec) const { return align(c * bytes(prec), 16) * pixels(); }
	uint32_t offset(Prec prec, uint32_t pixel, uint32_t channel) const
	{
		const uint32_t per_atom = 16 / bytes(prec);

		return (channel / per_atom * pixels() + pixel) * 16 +
		       channel % per_atom * bytes(prec);
	}

	void map(Npu &npu) const
	{
		npu.bus.map(feature_base, size(in));
		npu.bus.map(operand_base, size(in));
		npu.bus.map(output_base, size(out));
	}

	void put(Npu &npu, uint32_t base, uint32_t pixel, uint32_t channel, uint32_t value) const
	{
		uint8_t *to = npu.bus.find(base + offset(in, pixel, channel), bytes(in));

		ASSERT_NE(to, nullptr) << "the test itself is wrong";
		std::memcpy(to, &value, bytes(in));
	}

	/* The same value in all pixels of a channel. */
	void fill(Npu &npu, uint32_t base, const std::vector<uint32_t> &values) const
	{
		for (uint32_t pixel = 0; pixel < pixels(); pixel++)
			for (uint32_t i = 0; i < c; i++)
				put(npu, base, pixel, i, values[i % values.size()]);
	}

	/* Integers with their sign, floats as their bits. */
	uint32_t result(Npu &npu, uint32_t pixel, uint32_t channel) const
	{
		const uint32_t addr = output_base + offset(out, pixel, channel);

		if (out == p_int8)
			return static_cast<uint32_t>(npu.bus.get<int8_t>(addr));
		if (out == p_int16)
			return static_cast<uint32_t>(npu.bus.get<int16_t>(addr));
		return bytes(out) == 2 ? npu.bus.get<uint16_t>(addr) : npu.bus.get<uint32_t>(addr);
	}

	Registers registers() const
	{
		return {
			{0x4004, 0xe},
			{0x400c, 0x1e5},
			{0x4010, out << 29 | in << 26 | proc},
			{0x4020, output_base},
			{0x4024, pixels() * 16},
			{0x4030, w - 1},
			{0x4034, h - 1},
			{0x403c, (c - 1) << 16 | (c - 1)},
			{0x4040, 0x53},
			{0x4058, c - 1},
			{0x405c, (h - 1) << 16 | (w - 1)},
			{0x4060, 0x53},
			{0x4070, 0x383},
			{0x4078, 1},
			{0x4084, out == p_fp16 ? 0x10001u : 1u},
			{0x5004, 0xe},
			{0x500c, w - 1},
			{0x5010, h - 1},
			{0x5014, c - 1},
			{0x5018, feature_base},
			{0x501c, 1},
			{0x5028, 1},
			{0x5034, 1},
			{0x5038, operand_base},
			{0x5040, pixels() * 16},
			{0x5044, in << 15 | 15 << 11 | proc << 5 | 1},
		};
	}

	/* With a second operand: EW_CFG, and what ERDMA is told. */
	Registers with_operand(uint32_t ew_cfg) const
	{
		Registers r = registers();

		r[0x4070] = ew_cfg;
		r[0x5034] = (ew_cfg & 0x30000000) << 2 | (ew_cfg >> 22 & 3) << 2;
		return r;
	}

	npu_model_status run(Npu &npu, const Registers &registers) const
	{
		return npu.run(program(registers, {}, 0x18));
	}
};

} /* namespace model_test */

#endif /* MODEL_FLYING_H */
