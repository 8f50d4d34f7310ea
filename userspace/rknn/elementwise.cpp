/* SPDX-License-Identifier: MIT */
#include "rknn/elementwise.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>

#include "blocks.h"
#include "flying.h"

namespace npu::rknn
{

namespace
{

using Operation = Elementwise::Operation;

/// Largest factor of a summand: a signed 16 bit operand.
constexpr int max_factor = 32767;
/// Factor of products that are to have a fine unit: 30 bits with both operands.
constexpr std::uint32_t fine_factor = 8192;
/// Limit of the elements of a task: larger tasks corrupt results of the LUT (measured, GN). Assumed
/// to hold for all tasks of the DPU alone.
constexpr std::uint32_t max_elements = 32768;

/// EW_CFG of @p operation, without its operand (TRM; GC's and vendor's streams).
std::uint32_t ew_bits(Operation operation, Type type)
{
	const auto algorithm = [](EwAlgorithm code) {
		return static_cast<std::uint32_t>(code) << ew_algorithm;
	};
	/* Integers need EQUAL_EN to compare exactly (measured, GN); fp16 does not. */
	const std::uint32_t equal = type == Type::int8 ? ew_equal : 0;

	switch (operation) {
	case Operation::add:
		return algorithm(EwAlgorithm::add);
	case Operation::subtract:
		return algorithm(EwAlgorithm::minus);
	case Operation::multiply:
		/* fp16 products hang the core if the converter is on (measured, GN). */
		return ew_multiply | (type == Type::fp16 ? ew_cvt_off : 0);
	case Operation::maximum:
		return algorithm(EwAlgorithm::max) | equal;
	case Operation::minimum:
		break;
	}
	return algorithm(EwAlgorithm::min) | equal;
}

/// The settings that an int8 operation adds to a task of the bare operation.
void set_integers(const Elementwise &operation, const ElementwiseIntegers &integers, Dpu &dpu)
{
	if (operation.a.zero_point || integers.factor_a != 1) {
		dpu.bs_cfg = stage_alu_add | stage_relu_off;
		dpu.bs_alu = static_cast<std::uint32_t>(-operation.a.zero_point);
		dpu.bs_mul = stage_mul(integers.factor_a, 0);
	}
	dpu.ew_cfg |= ew_cvt_add_first;
	dpu.ew_cvt_offset = static_cast<std::uint32_t>(-operation.b.zero_point);
	dpu.ew_cvt_scale = integers.factor_b;
	dpu.out_offset = static_cast<std::uint32_t>(operation.output.zero_point);
	dpu.out_scale = integers.output.factor;
	dpu.out_shift = integers.output.shift;
}

Task emit_run(const Elementwise &operation, const ElementwiseIntegers &integers,
	      const ElementwiseAddresses &addresses, const Run &run)
{
	const Layout layout(operation.type, operation.shape);
	const Precision precision = precision_of(operation.type);
	const Flying task{.width = run.pixels,
			  .channels = run.channels,
			  .surface_atoms = layout.surface_atoms(),
			  .atom_channels = layout.atom_channels(),
			  .source = addresses.a + run.offset(layout),
			  .destination = addresses.output + run.offset(layout)};
	Dpu dpu = flying_dpu(task, precision);
	Rdma rdma = flying_rdma(task, precision);

	set_operand(rdma, task, precision, addresses.b + run.offset(layout));
	dpu.ew_cfg = ew_memory(precision, ew_bits(operation.operation, operation.type));
	if (operation.type == Type::int8)
		set_integers(operation, integers, dpu);
	if (operation.activation == Activation::none)
		dpu.ew_cfg |= ew_relu_off;
	if (operation.activation == Activation::relu6)
		dpu.ew_relux = operation.type == Type::fp16 ? std::bit_cast<std::uint32_t>(6.0F)
							    : integers.ceiling;
	if (dpu.ew_relux)
		dpu.ew_cfg |= ew_relux;
	return emit_flying(dpu, rdma);
}

/// Chooses the factors and returns the unit of the results. Summands of different scales need
/// factors other than 1, and so do bounds that need a fine unit.
Result<double> balance(const Elementwise &operation, ElementwiseIntegers &integers)
{
	const bool fine = operation.activation == Activation::relu6;
	const double a = operation.a.scale;
	const double b = operation.b.scale;

	if (operation.operation == Operation::multiply) {
		integers.factor_a = fine ? fine_factor : 1;
		return a * b / integers.factor_a;
	}
	if (operation.a.scale == operation.b.scale && !fine)
		return a;
	if (operation.a.scale != operation.b.scale && operation.operation != Operation::add &&
	    operation.operation != Operation::subtract)
		return fail(EINVAL, "elementwise: numbers of different scales do not compare");
	const double unit = std::max(a, b) / max_factor;
	integers.factor_a = static_cast<std::uint32_t>(std::lround(a / unit));
	integers.factor_b = static_cast<std::uint32_t>(std::lround(b / unit));
	if (!integers.factor_a || !integers.factor_b)
		return fail(ERANGE, "elementwise: the scales differ by more than the device's "
				    "factors can express");
	return unit;
}

} // namespace

Result<ElementwiseIntegers> integers(const Elementwise &operation)
{
	ElementwiseIntegers integers;

	if (auto checked = check_shape(operation.type, operation.shape, "elementwise"); !checked)
		return forward(checked);
	if (operation.type == Type::fp16)
		return integers;
	for (const auto &[quantisation, what] : {std::pair{operation.a, "first operand"},
						 {operation.b, "second operand"},
						 {operation.output, "output"}})
		if (auto checked = check_quantisation(quantisation, what); !checked)
			return forward(checked);

	auto unit = balance(operation, integers);
	if (!unit)
		return forward(unit);
	/* Only a factor of 1 is measured, and it needs no 15 bits. */
	if (*unit == operation.output.scale) {
		integers.output = {1, 0};
	} else {
		auto output = multiplier(*unit / operation.output.scale);
		if (!output)
			return forward(output);
		integers.output = *output;
	}
	auto ceiling = ceiling_of(operation.activation, *unit, operation.output);
	if (!ceiling)
		return forward(ceiling);
	integers.ceiling = *ceiling;
	return integers;
}

Result<std::vector<Lane>> emit(const Elementwise &operation, const ElementwiseAddresses &addresses,
			       std::uint32_t cores)
{
	auto numbers = integers(operation);
	std::vector<Lane> lanes;

	if (!numbers)
		return forward(numbers);
	if (!cores)
		return fail(EINVAL, "elementwise: no cores");
	for (const auto &runs :
	     runs_of(Layout(operation.type, operation.shape), cores, max_elements)) {
		Lane &lane = lanes.emplace_back();
		for (const Run &run : runs)
			lane.push_back(emit_run(operation, *numbers, addresses, run));
	}
	return lanes;
}

} // namespace npu::rknn
