/* SPDX-License-Identifier: MIT */
#include "rknn/lut.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <numbers>

#include "blocks.h"
#include "flying.h"
#include "rknn/elementwise.h"
#include "rknn/registers.h"
#include "stream.h"

namespace npu::rknn
{

namespace
{

/// Elements of a task: more corrupt results (measured, GN).
constexpr std::uint32_t max_elements = 32768;
/// LUT_ACCESS_CFG: write; the table for inputs above 0 (TRM).
constexpr std::uint32_t access_write = 1U << 17U;
constexpr std::uint32_t access_positive = 1U << 16U;
/// LUT_CFG and the tables' ranges and steps as HAP has them: an entry every 2^6
/// units, from -2^15 to 0 and from 0 to 2^15. LUT_INFO has the 6 twice.
constexpr std::uint32_t lut_cfg = 0x68;
constexpr std::uint32_t lut_info = 6U << 16U | 6U << 8U;
constexpr std::int32_t lut_end = 32768;
/// EW_CFG: only the LUT is on (TRM).
constexpr std::uint32_t ew_lut = ew_op_off | ew_cvt_off | ew_relu_off;
/// Units of an int8 step: entries are 64 units apart.
constexpr std::uint32_t int8_units = 256;
constexpr std::int32_t entries_per_step = 4;
/// Units of 1 as fp16: 2048 for 16 units of input either way, 4096 for 8.
constexpr std::uint32_t fp16_2048 = 0x6800;
constexpr std::uint32_t fp16_4096 = 0x6c00;
constexpr double wide_range = 16;
constexpr double narrow_range = 8;
/// Fraction bits of fp16 results: entry * 2^-15.
constexpr std::uint32_t result_exponent = 15;
/// OUT_CVT_SHIFT: add before multiplying; exponent to subtract (TRM).
constexpr std::uint32_t cvt_add_first = 1U << 31U;
constexpr std::uint32_t cvt_minus_exponent = 12;

double sigmoid(double x)
{
	return 1 / (1 + std::exp(-x));
}

/// The normal distribution.
double normal(double x)
{
	return std::erfc(-x / std::numbers::sqrt2) / 2;
}

/// Whether the table holds only one factor of the result.
bool has_second_pass(const TableActivation &activation)
{
	return activation.type == Type::fp16 &&
	       (activation.function == Function::silu || activation.function == Function::gelu);
}

/// The function that a table of fp16 holds.
double tabulated(Function function, double x)
{
	switch (function) {
	case Function::tanh:
		return std::tanh(x);
	case Function::gelu:
		return normal(x);
	case Function::sigmoid:
	case Function::silu:
		break;
	}
	return sigmoid(x);
}

/// The entry of @p value, which is not 0 and has the sign of @p sign.
std::int16_t fp16_entry(double value, int sign)
{
	const double scaled = std::round(std::ldexp(std::abs(value), result_exponent));

	return static_cast<std::int16_t>(sign * std::clamp(scaled, 1.0, 32767.0));
}

Table fp16_table(Function function)
{
	const double range = function == Function::tanh ? narrow_range : wide_range;
	constexpr std::uint32_t last = Table::entries - 1;
	Table table;

	for (std::uint32_t i = 0; i < Table::entries; i++) {
		const double x = range * i / last;

		table.positive[i] = fp16_entry(tabulated(function, x), 1);
		table.negative[last - i] =
			fp16_entry(tabulated(function, -x), function == Function::tanh ? -1 : 1);
	}
	return table;
}

Table int8_table(const TableActivation &activation)
{
	using Limits = std::numeric_limits<std::int8_t>;
	constexpr auto last = static_cast<std::int32_t>(Table::entries - 1);
	const auto entry = [&](std::int32_t index) {
		const double q = static_cast<double>(index) / entries_per_step;
		const double x = activation.input.scale * (q - activation.input.zero_point);
		const double y = evaluate(activation.function, x) / activation.output.scale +
				 activation.output.zero_point;

		return static_cast<std::int16_t>(
			std::lround(std::clamp<double>(y, Limits::min(), Limits::max())));
	};
	Table table;

	for (std::int32_t i = 0; i <= last; i++) {
		table.positive[static_cast<std::uint32_t>(i)] = entry(i);
		table.negative[static_cast<std::uint32_t>(last - i)] = entry(-i);
	}
	return table;
}

void load(Stream &stream, std::uint32_t access,
	  const std::array<std::int16_t, Table::entries> &entries)
{
	stream.set(RKNN_DPU_LUT_ACCESS_CFG, access_write | access);
	for (const std::int16_t entry : entries)
		stream.set(RKNN_DPU_LUT_ACCESS_DATA, static_cast<std::uint16_t>(entry));
}

/// All LUT settings except the tables.
void configure(Stream &stream)
{
	stream.set(RKNN_DPU_LUT_ACCESS_CFG, 0);
	stream.set(RKNN_DPU_LUT_CFG, lut_cfg);
	stream.set(RKNN_DPU_LUT_INFO, lut_info);
	stream.set(RKNN_DPU_LUT_LE_START, static_cast<std::uint32_t>(-lut_end));
	stream.set(RKNN_DPU_LUT_LE_END, 0);
	stream.set(RKNN_DPU_LUT_LO_START, 0);
	stream.set(RKNN_DPU_LUT_LO_END, lut_end);
	stream.set_range(RKNN_DPU_LUT_LE_SLOPE_SCALE, RKNN_DPU_LUT_LO_SLOPE_SHIFT, 0);
}

/// Emits the tasks of a table.
class Emitter
{
public:
	Emitter(const TableActivation &activation, std::uint32_t input, std::uint32_t output)
		: activation_(activation), layout_(activation.type, activation.shape),
		  input_(input), output_(output), table_(table_of(activation))
	{
	}

	/// A task that loads one half of the table and copies an atom of @p run. A
	/// stream has no room for both halves.
	Task first(Run run) const
	{
		Stream stream;

		run.pixels = 1;
		run.channels = layout_.atom_channels();
		load(stream, 0, table_.negative);
		configure(stream);
		dpu(run).emit(stream, false);
		rdma(run).emit(stream);
		return {stream.take(), enable_flying};
	}

	/// A task of @p run, which @p loads the other half of the table.
	Task task(const Run &run, bool loads) const
	{
		Stream stream;
		Dpu dpu = this->dpu(run);

		if (loads)
			load(stream, access_positive, table_.positive);
		configure(stream);
		dpu.bn_cfg = stage_alu_off | stage_relu_off;
		dpu.ew_cfg = ew_lut;
		if (activation_.type == Type::int8) {
			dpu.bn_mul = stage_mul(int8_units, 0);
		} else {
			dpu.bn_mul = stage_mul(
				activation_.function == Function::tanh ? fp16_4096 : fp16_2048, 0);
			dpu.out_shift = cvt_add_first | result_exponent << cvt_minus_exponent;
		}
		dpu.emit(stream, false);
		rdma(run).emit(stream);
		return {stream.take(), enable_flying};
	}

private:
	Flying flying(const Run &run) const
	{
		return {.width = run.pixels,
			.channels = run.channels,
			.surface_atoms = layout_.surface_atoms(),
			.atom_channels = layout_.atom_channels(),
			.source = input_ + run.offset(layout_),
			.destination = output_ + run.offset(layout_)};
	}

	Dpu dpu(const Run &run) const
	{
		return flying_dpu(flying(run), precision_of(activation_.type));
	}

	Rdma rdma(const Run &run) const
	{
		return flying_rdma(flying(run), precision_of(activation_.type));
	}

	const TableActivation &activation_;
	Layout layout_;
	std::uint32_t input_;
	std::uint32_t output_;
	Table table_;
};

} // namespace

double evaluate(Function function, double x)
{
	switch (function) {
	case Function::sigmoid:
		return sigmoid(x);
	case Function::tanh:
		return std::tanh(x);
	case Function::silu:
		return x * sigmoid(x);
	case Function::gelu:
		break;
	}
	return x * normal(x);
}

Table table_of(const TableActivation &activation)
{
	return activation.type == Type::int8 ? int8_table(activation)
					     : fp16_table(activation.function);
}

Result<std::vector<Lane>> emit(const TableActivation &activation, const TableAddresses &addresses,
			       std::uint32_t cores)
{
	const Shape &shape = activation.shape;

	if (auto checked = check_shape(activation.type, shape, "activation"); !checked)
		return forward(checked);
	if (!cores)
		return fail(EINVAL, "activation: no cores");
	if (activation.type == Type::int8)
		for (const auto &[quantisation, what] :
		     {std::pair{activation.input, "input"}, {activation.output, "output"}})
			if (auto checked = check_quantisation(quantisation, what); !checked)
				return forward(checked);

	const bool second = has_second_pass(activation);
	const Emitter emitter(activation, addresses.input,
			      second ? addresses.scratch : addresses.output);
	std::vector<Lane> lanes;
	for (const auto &runs : runs_of(Layout(activation.type, shape), cores, max_elements)) {
		Lane &lane = lanes.emplace_back();

		lane.push_back(emitter.first(runs.front()));
		for (const Run &run : runs)
			lane.push_back(emitter.task(run, lane.size() == 1));
	}
	if (!second)
		return lanes;

	/* The second pass takes the same runs on the same cores. */
	const Elementwise product{.operation = Elementwise::Operation::multiply,
				  .type = activation.type,
				  .shape = shape};
	auto factors = emit(product,
			    ElementwiseAddresses{.a = addresses.scratch,
						 .b = addresses.input,
						 .output = addresses.output},
			    cores);
	if (!factors)
		return forward(factors);
	for (std::size_t i = 0; i < lanes.size(); i++)
		std::ranges::move((*factors)[i], std::back_inserter(lanes[i]));
	return lanes;
}

} // namespace npu::rknn
