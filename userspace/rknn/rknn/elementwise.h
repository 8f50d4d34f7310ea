/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Operations on two feature maps of one shape, element by element, as command
 * streams of the DPU alone.
 *
 * int8 arithmetic, all of it exact, of a and b:
 *
 * @code{.unparsed}
 *   a' = (a - zero_a) * factor_a, b' = (b - zero_b) * factor_b
 *   v = a' + b', a' - b', a' * b', max(a', b') or min(a', b')
 *   v = max(v, 0)                                      ReLU, ReLU6
 *   v = min(v, ceiling)                                ReLU6
 *   y = v * output + zero_y, saturated
 * @endcode
 *
 * where the division of the last line rounds to nearest, ties to even. Factors other
 * than 1 bring different scales to one unit; maximum and minimum need equal scales.
 * With all quantisations {1, 0}, results are those of saturating integers.
 *
 * fp16: the operation and the activation in fp32, then one rounding to fp16.
 *
 * Evidence: operations on equal scales without zero points, and fp16 operations, are
 * measured (GN, HAP). Assumed, from the manual alone: zero points and factors of the
 * first operand, activations, differences of fp16.
 */
#pragma once

#include <cstdint>
#include <vector>

#include <npu/error.h>
#include <npu/task.h>

#include "rknn/activation.h"
#include "rknn/quantisation.h"
#include "rknn/tensor.h"
#include "rknn/type.h"

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// An operation on two maps. fp16 ignores quantisations.
struct Elementwise {
	/// The functions of a' and b', an element of each map.
	enum class Operation : std::uint8_t {
		/// a' + b'
		add,
		/// a' - b'
		subtract,
		/// a' * b'
		multiply,
		/// max(a', b')
		maximum,
		/// min(a', b')
		minimum,
	};

	/// The function that is applied to each pair of elements.
	Operation operation = Operation::add;
	/// Type of both operands and of the results.
	Type type = Type::int8;
	/// Shape of both operands and of the results.
	Shape shape = {};
	/// What follows the operation.
	Activation activation = Activation::none;
	/// Scale and zero point of the first operand.
	Quantisation a = {};
	/// Scale and zero point of the second operand; a maximum or minimum needs the scale of
	/// the first.
	Quantisation b = {};
	/// Scale and zero point of the results.
	Quantisation output = {};
};

/// The integers of an int8 operation.
struct ElementwiseIntegers {
	/// Factor of the first operand: 1 to 32767.
	std::uint32_t factor_a = 1;
	/// Factor of the second operand: 1 to 32767.
	std::uint32_t factor_b = 1;
	/// From the unit of v to the output's scale.
	Multiplier output;
	/// Upper bound of ReLU6; 0 where saturation is the tighter bound.
	std::uint32_t ceiling = 0;
};

/// The integers of @p operation.
/// \retval EINVAL a size is 0, a quantisation is invalid, or the scales of a maximum or
/// minimum differ
/// \retval EOPNOTSUPP a map exceeds the device's address space
/// \retval ERANGE scales are too far apart for the device's integers
Result<ElementwiseIntegers> integers(const Elementwise &operation);

/// Device addresses of maps of Layout(type, shape), multiples of 16.
struct ElementwiseAddresses {
	/// The first operand.
	std::uint32_t a = 0;
	/// The second operand.
	std::uint32_t b = 0;
	/// The results. Must be neither a nor b.
	std::uint32_t output = 0;
};

/// The tasks of each of up to @p cores cores.
/// \retval EINVAL, EOPNOTSUPP, ERANGE as integers() has them, or there are no cores
Result<std::vector<Lane>> emit(const Elementwise &operation, const ElementwiseAddresses &addresses,
			       std::uint32_t cores);

} // namespace npu::rknn
#pragma GCC visibility pop
