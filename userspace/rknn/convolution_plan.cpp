/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "blocks.h"
#include "rknn/convolution.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Fields of CONV_CON3, WEIGHT_SIZE2, PAD_CON0, WEIGHT_SIZE1 and DATA_SIZE0 (TRM).
constexpr std::uint32_t max_stride = 7;
constexpr std::uint32_t max_dilation = 32;
constexpr std::uint32_t max_kernel = 31;
constexpr std::uint32_t max_pad = 15;
constexpr std::uint32_t max_kernel_bytes = (1U << 19U) - 1;
constexpr std::uint32_t max_width = 2047;
/// Input channels: DATA_SIZE1 has 16 bits, which hold the padded ones.
constexpr std::uint32_t max_channels = 65472;
/// Input rows of a task: FEATURE_GRAINS has 10 bits and holds them and the kernel's.
constexpr std::uint32_t max_grains = 1023;
/// Largest factor of a channel: a signed 16 bit operand (measured, GN).
constexpr std::uint32_t max_factor = 32767;
/// Limit of the right shift of a product, which keeps enough of its 32 bits.
constexpr std::uint32_t max_shift = 31;
/// Minimum ratio of the smallest to the largest scale in a task, as in GN: below it, the smallest
/// factor has fewer than 11 bits.
constexpr float least_ratio = 1.0F / 16;

/// A size and its hardware limit.
struct Limit {
	const char *what;
	std::uint32_t value;
	std::uint32_t most;
};

std::unexpected<Error> unsupported(const Limit &limit)
{
	return fail(EOPNOTSUPP, std::string("convolution: ") + limit.what + " " +
					std::to_string(limit.value) + " is above " +
					std::to_string(limit.most));
}

/// Pixels that a kernel with dilation spans.
constexpr std::uint32_t span_of(std::uint32_t kernel, std::uint32_t dilation)
{
	return (kernel - 1) * dilation + 1;
}

Extent span_of(const Convolution &c)
{
	return {span_of(c.kernel.width, c.dilation.width),
		span_of(c.kernel.height, c.dilation.height)};
}

/// Granularity of output channels: one kernel group for int8, two for fp16, so that
/// every channel that fp16 operations read is written.
std::uint32_t channel_unit(const Convolution &c)
{
	return c.depthwise && c.type == Type::int8 ? 64 : 32;
}

Result<void> check_sizes(const Convolution &c)
{
	const Extent span = span_of(c);

	if (auto checked = check_shape(c.type, c.input, "convolution: input"); !checked)
		return checked;
	if (!c.output_channels || !c.kernel.width || !c.kernel.height || !c.stride.width ||
	    !c.stride.height || !c.dilation.width || !c.dilation.height)
		return fail(EINVAL, "convolution: a size is 0");
	if (c.depthwise && c.output_channels != c.input.channels)
		return fail(EINVAL, "convolution: depthwise, but channels in and out differ");
	for (const Limit &limit : {Limit{"kernel width", c.kernel.width, max_kernel},
				   {"kernel height", c.kernel.height, max_kernel},
				   {"stride in x", c.stride.width, max_stride},
				   {"stride in y", c.stride.height, max_stride},
				   {"dilation in x", c.dilation.width, max_dilation},
				   {"dilation in y", c.dilation.height, max_dilation},
				   {"left padding", c.pads.left, max_pad},
				   {"top padding", c.pads.top, max_pad},
				   {"input width", c.input.width, max_width},
				   {"number of input channels", c.input.channels, max_channels}})
		if (limit.value > limit.most)
			return unsupported(limit);
	/* A window that covers only padding has no row to read. */
	if (std::max(c.pads.left, c.pads.right) >= span.width ||
	    std::max(c.pads.top, c.pads.bottom) >= span.height)
		return fail(EINVAL, "convolution: padding as large as the kernel");
	if (c.input.width + c.pads.left + c.pads.right < span.width ||
	    c.input.height + c.pads.top + c.pads.bottom < span.height)
		return fail(EINVAL, "convolution: the kernel is larger than the padded input");
	const Shape output = output_shape(c);
	if (output.width > max_width)
		return unsupported({"output width", output.width, max_width});
	return check_shape(c.type, output, "convolution: output");
}

Result<void> check_weights(const ConvolutionPlan &plan)
{
	const Convolution &c = plan.convolution();
	/* Limit of a depthwise task. */
	const std::uint32_t channels = c.depthwise
					       ? std::min(plan.kernel_channels(), max_task_channels)
					       : plan.kernel_channels();
	const std::uint32_t bytes =
		c.kernel.width * c.kernel.height * channels * element_bytes(c.type);

	if (bytes > max_kernel_bytes)
		return unsupported({"bytes of a kernel", bytes, max_kernel_bytes});
	if (plan.weight_bytes() > std::numeric_limits<std::uint32_t>::max())
		return fail(EOPNOTSUPP,
			    "convolution: weights larger than the device's address space");
	return {};
}

Result<void> check_scales(const Convolution &c)
{
	for (const auto &[quantisation, what] : {std::pair{&c.input_quantisation, "input"},
						 {&c.output_quantisation, "output"},
						 {&c.residual_quantisation, "residual"}})
		if (auto checked = check_quantisation(*quantisation, what);
		    !checked && (c.residual || quantisation != &c.residual_quantisation))
			return checked;
	if (c.weight_scales.size() != 1 && c.weight_scales.size() != c.output_channels)
		return fail(EINVAL, "convolution: the weight scales are neither one nor one for "
				    "each output channel");
	for (const float scale : c.weight_scales)
		if (auto checked = check_quantisation({scale, c.weight_zero_point}, "weights");
		    !checked)
			return checked;
	return {};
}

/// Products of a window.
std::uint64_t products(const Convolution &c)
{
	return std::uint64_t{c.kernel.width} * c.kernel.height *
	       (c.depthwise ? 1 : c.input.channels);
}

/// Number of bits by which the largest sum times the largest factor exceeds 32. A
/// sum is below 2^16 times the products, whose factors are less zero points, and
/// pack_bias() lets the bias be half that.
std::uint32_t excess_bits(const Convolution &c)
{
	constexpr int product_bits = 17;
	const double sum = std::min(std::ldexp(static_cast<double>(products(c)), product_bits),
				    std::ldexp(1.0, 31));

	return static_cast<std::uint32_t>(std::max(0, std::ilogb(sum * max_factor) + 1 - 31));
}

/// Computes the members that depend on the unit of the sums.
Result<void> finish(const Convolution &c, double unit, Requantisation &requantisation)
{
	const double out = c.output_quantisation.scale;
	auto output = multiplier(unit / out);

	if (!output)
		return forward(output);
	requantisation.output = *output;
	if (c.residual) {
		auto residual = multiplier(c.residual_quantisation.scale / unit);
		if (!residual)
			return forward(residual);
		requantisation.residual = *residual;
	}
	auto ceiling = ceiling_of(c.activation, unit, c.output_quantisation);
	if (!ceiling)
		return forward(ceiling);
	requantisation.ceiling = *ceiling;
	return {};
}

/// The requantisation of @p count channels from @p channel on, each with a factor.
Result<Requantisation> with_factors(const Convolution &c, std::uint32_t channel,
				    std::uint32_t count)
{
	const std::span scales(c.weight_scales);
	const std::uint32_t real = std::min(count, c.output_channels - channel);
	const auto own = scales.subspan(channel, real);
	const float most = std::ranges::max(own);
	Requantisation requantisation;

	requantisation.channel = channel;
	requantisation.channels = count;
	requantisation.shift = excess_bits(c);
	for (std::uint32_t i = 0; i < count; i++) {
		const double ratio = i < real ? double{own[i]} / most : 0;
		const auto factor = static_cast<std::uint32_t>(std::lround(ratio * max_factor));

		requantisation.factors.push_back(i < real ? std::max(factor, 1U) : 0);
	}

	const double base = double{c.input_quantisation.scale} * most / max_factor;
	/* The residual is multiplied by at most the largest factor. */
	while (c.residual && requantisation.shift <= max_shift &&
	       c.residual_quantisation.scale >
		       std::ldexp(base, static_cast<int>(requantisation.shift)) * max_factor)
		requantisation.shift++;
	if (requantisation.shift > max_shift)
		return fail(ERANGE, "convolution: the residual's scale is too large beside the "
				    "other ones");
	if (auto finished = finish(c, std::ldexp(base, static_cast<int>(requantisation.shift)),
				   requantisation);
	    !finished)
		return forward(finished);
	return requantisation;
}

/// Cut the output channels where the factors of one task would become too small.
Result<std::vector<Requantisation>> requantise(const Convolution &c, std::uint32_t padded)
{
	const auto &scales = c.weight_scales;
	std::vector<Requantisation> list;

	if (c.type == Type::fp16 ||
	    std::ranges::adjacent_find(scales, std::not_equal_to<>()) == scales.end()) {
		Requantisation all;

		all.channels = padded;
		if (c.type == Type::int8)
			if (auto finished = finish(
				    c, double{c.input_quantisation.scale} * scales.front(), all);
			    !finished)
				return forward(finished);
		list.push_back(std::move(all));
		return list;
	}

	const std::uint32_t unit = channel_unit(c);
	std::uint32_t begin = 0;
	float most = 0;
	float least = std::numeric_limits<float>::infinity();
	for (std::uint32_t channel = 0; channel < padded; channel += unit) {
		const std::uint32_t end = std::min(channel + unit, c.output_channels);
		const auto [low, high] =
			std::minmax_element(scales.begin() + channel, scales.begin() + end);

		if (channel > begin &&
		    std::min(least, *low) < std::max(most, *high) * least_ratio) {
			auto made = with_factors(c, begin, channel - begin);
			if (!made)
				return forward(made);
			list.push_back(std::move(*made));
			begin = channel;
			most = 0;
			least = *low;
		}
		most = std::max(most, *high);
		least = std::min(least, *low);
	}
	auto made = with_factors(c, begin, padded - begin);
	if (!made)
		return forward(made);
	list.push_back(std::move(*made));
	return list;
}

/// The part of a convolution that one core computes.
struct Share {
	std::uint32_t channel = 0;
	std::uint32_t channel_end = 0;
	std::uint32_t y = 0;
	std::uint32_t y_end = 0;
};

/// Divide the channels over the cores if weights dominate the traffic, else the rows.
std::vector<Share> share_out(const ConvolutionPlan &plan, std::uint32_t cores)
{
	const std::uint32_t unit = channel_unit(plan.convolution());
	const std::uint32_t units = plan.padded_channels() / unit;
	const std::uint32_t rows = plan.output().shape().height;
	const bool channels =
		plan.weight_bytes() > plan.input().bytes() ? units >= cores : rows < cores;
	const std::uint32_t lanes = std::min(cores, channels ? units : rows);
	const auto part = [lanes](std::uint64_t whole, std::uint32_t lane) {
		return static_cast<std::uint32_t>(whole * lane / lanes);
	};
	std::vector<Share> shares;

	for (std::uint32_t lane = 0; lane < lanes; lane++) {
		Share share{0, plan.padded_channels(), 0, rows};

		if (channels) {
			share.channel = part(units, lane) * unit;
			share.channel_end = part(units, lane + 1) * unit;
		} else {
			share.y = part(rows, lane);
			share.y_end = part(rows, lane + 1);
		}
		shares.push_back(share);
	}
	return shares;
}

/// How the convolution buffer is divided for a run of channels.
struct Division {
	std::uint32_t data_banks = 0;
	/// Output rows of a task; 0 if there is no division.
	std::uint32_t rows = 0;
	/// All weights fit, so that later tasks can use them again.
	bool resident = false;
};

/// Finds divisions for @p channels output channels.
class Divider
{
public:
	Divider(const ConvolutionPlan &plan, std::uint32_t channels)
		: c_(plan.convolution()), height_(plan.output().shape().height)
	{
		const std::uint64_t kernel =
			std::uint64_t{c_.kernel.width} * c_.kernel.height * element_bytes(c_.type);
		const std::uint32_t read = c_.depthwise ? channels : plan.input().read_channels();

		weights_ = c_.depthwise ? kernel * channels
					: kernel * plan.kernel_channels() * channels;
		group_ = c_.depthwise ? weights_
				      : kernel * plan.kernel_channels() * kernel_group(c_.type);
		row_ = std::uint64_t{feature_entries(c_.input.width,
						     read * element_bytes(c_.type))} *
		       cbuf_entry_bytes;
	}

	/// The division that moves the fewest bytes for @p rows output rows.
	Division best(std::uint32_t rows, std::uint32_t most_data_banks) const
	{
		const std::uint32_t most_banks =
			std::min(most_data_banks, cbuf_banks - least_weight_banks(c_.type));
		Division best;
		std::pair<std::uint64_t, bool> least{};

		for (std::uint32_t banks = 1; banks <= most_banks; banks++) {
			const std::uint64_t room =
				std::uint64_t{cbuf_banks - banks} * cbuf_bank_bytes;
			const std::uint32_t most = std::min(rows_in(banks), rows);

			if (room < group_ || !most)
				continue;
			const std::uint32_t bands = divide_up(rows, most);
			/* One bank more than the weights fill, as in Mesa. */
			const bool resident = room >= weights_ + cbuf_bank_bytes;
			const std::uint64_t halo = std::uint64_t{bands} * span_of(c_).height * row_;
			/* Room to fetch the next kernel group while the current one is used. */
			const std::pair cost{halo + (resident ? 1 : bands) * weights_,
					     room < std::min(weights_, 2 * group_)};

			if (!best.rows || cost < least) {
				best = {banks, divide_up(rows, bands), resident};
				least = cost;
			}
		}
		return best;
	}

private:
	/// Output rows that fit @p banks banks.
	std::uint32_t rows_in(std::uint32_t banks) const
	{
		const std::uint32_t span = span_of(c_).height;
		/* A column that exactly fills its banks ends in garbage (measured, GN). */
		const std::uint64_t room = std::uint64_t{banks} * cbuf_bank_bytes -
					   (c_.type == Type::int8 && c_.input.width == 1);
		const auto rows = static_cast<std::uint32_t>(
			std::min<std::uint64_t>(room / row_, max_grains - span));

		if (rows >= c_.input.height)
			return height_;
		return rows < span ? 0 : (rows - span) / c_.stride.height + 1;
	}

	const Convolution &c_;
	std::uint32_t height_;
	std::uint64_t weights_;
	std::uint64_t group_;
	std::uint64_t row_;
};

/// The input rows of output rows from tile.out_y on.
void set_rows(const Convolution &c, ConvolutionTile &tile)
{
	const std::uint32_t begin = tile.out_y * c.stride.height;
	const std::uint32_t end =
		begin + (tile.out_height - 1) * c.stride.height + span_of(c).height;

	tile.pad_top = c.pads.top > begin ? c.pads.top - begin : 0;
	tile.in_y = begin + tile.pad_top - c.pads.top;
	tile.in_height = std::min(end - c.pads.top, c.input.height) - tile.in_y;
}

/// Add the tasks of a share to @p lane.
Result<void> cut(const ConvolutionPlan &plan, const Share &share, std::uint32_t most_data_banks,
		 std::vector<ConvolutionTile> &lane)
{
	const Convolution &c = plan.convolution();
	const auto &requantisations = plan.requantisations();

	for (std::uint32_t index = 0; index < requantisations.size(); index++) {
		const Requantisation &run = requantisations[index];
		const std::uint32_t end = std::min(run.channel + run.channels, share.channel_end);

		for (std::uint32_t channel = std::max(run.channel, share.channel); channel < end;) {
			ConvolutionTile tile;

			tile.channel = channel;
			tile.channels = std::min(end - channel, max_task_channels);
			tile.requantisation = index;
			const Division division =
				Divider(plan, tile.channels)
					.best(share.y_end - share.y, most_data_banks);
			if (!division.rows)
				return fail(EOPNOTSUPP,
					    "convolution: the rows of a kernel and a kernel group "
					    "exceed the convolution buffer");
			tile.data_banks = division.data_banks;
			for (std::uint32_t y = share.y; y < share.y_end; y += division.rows) {
				tile.out_y = y;
				tile.out_height = std::min(division.rows, share.y_end - y);
				tile.weight_reuse = division.resident && y > share.y;
				set_rows(c, tile);
				lane.push_back(tile);
			}
			channel += tile.channels;
		}
	}
	return {};
}

} // namespace

Shape output_shape(const Convolution &convolution)
{
	const Convolution &c = convolution;
	const Extent span = span_of(c);

	return {(c.input.width + c.pads.left + c.pads.right - span.width) / c.stride.width + 1,
		(c.input.height + c.pads.top + c.pads.bottom - span.height) / c.stride.height + 1,
		c.output_channels};
}

ConvolutionPlan::ConvolutionPlan(const Convolution &convolution, const Shape &output)
	: convolution_(convolution), input_(convolution.type, convolution.input),
	  output_(convolution.type, output)
{
}

std::uint32_t ConvolutionPlan::padded_channels() const
{
	return align(convolution_.output_channels, channel_unit(convolution_));
}

std::uint32_t ConvolutionPlan::kernel_channels() const
{
	return convolution_.depthwise ? padded_channels() : input_.read_channels();
}

std::size_t ConvolutionPlan::weight_bytes() const
{
	const std::size_t window = std::size_t{convolution_.kernel.width} *
				   convolution_.kernel.height * kernel_channels() *
				   element_bytes(convolution_.type);

	return convolution_.depthwise ? window : window * padded_channels();
}

Result<ConvolutionPlan> plan_convolution(const Convolution &convolution, std::uint32_t cores,
					 std::uint32_t most_data_banks)
{
	if (!cores)
		return fail(EINVAL, "convolution: no cores");
	if (auto checked = check_sizes(convolution); !checked)
		return forward(checked);
	if (convolution.type == Type::int8)
		if (auto checked = check_scales(convolution); !checked)
			return forward(checked);

	ConvolutionPlan plan(convolution, output_shape(convolution));
	if (auto checked = check_weights(plan); !checked)
		return forward(checked);
	auto requantisations = requantise(convolution, plan.padded_channels());
	if (!requantisations)
		return forward(requantisations);
	plan.requantisations_ = std::move(*requantisations);
	for (const Share &share : share_out(plan, cores))
		if (auto done = cut(plan, share, most_data_banks, plan.lanes_.emplace_back());
		    !done)
			return forward(done);
	return plan;
}

} // namespace npu::rknn
