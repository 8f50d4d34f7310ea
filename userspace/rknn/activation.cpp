/* SPDX-License-Identifier: MIT */
#include "rknn/activation.h"

#include <cerrno>
#include <cmath>
#include <limits>

namespace npu::rknn
{

namespace
{

constexpr double six = 6;

} // namespace

Result<std::uint32_t> ceiling_of(Activation activation, double unit, const Quantisation &output)
{
	if (activation != Activation::relu6 ||
	    std::lround(six / output.scale) + output.zero_point >=
		    std::numeric_limits<std::int8_t>::max())
		return 0;
	const double ceiling = std::round(six / unit);

	if (ceiling < 1 || ceiling > std::numeric_limits<std::int32_t>::max())
		return fail(ERANGE, "ReLU6: 6 divided by the scale exceeds 32 bits");
	return static_cast<std::uint32_t>(ceiling);
}

} // namespace npu::rknn
