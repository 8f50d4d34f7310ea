/* SPDX-License-Identifier: MIT */
/*
 * Which nodes of a graph are products for the NPU.
 */
#pragma once

#include <cstdint>
#include <optional>

#include <ggml.h>

#include "weights.h"

namespace npu::ggml
{

/// dst = weights x, a MUL_MAT node: m rows of x and of dst, of floats.
struct Product {
	Matrix weights;
	const float *x = nullptr;
	float *dst = nullptr;
	std::uint32_t m = 0;
	/// Floats from a row to the next.
	std::size_t x_stride = 0;
	std::size_t dst_stride = 0;
};

/// The product that @p node is, if the NPU can compute it: MUL_MAT of a matrix that is a
/// leaf of the graph and no view, contiguous, of any type that ggml converts to float,
/// with rows of floats, and nothing else that changes the result.
std::optional<Product> product_of(const ggml_tensor &node);

/// dst = weights[ids] x, a MUL_MAT_ID node: for each token some of many matrices.
struct Experts {
	/// The first matrix; others follow it @c step bytes apart.
	Matrix weights;
	std::size_t step = 0;
	std::uint32_t count = 0;
	std::uint32_t tokens = 0;
	/// Matrices that a token uses, and rows of x that it has: as many, or one for all.
	std::uint32_t used = 0;
	std::uint32_t x_rows = 0;
	const ggml_tensor *node = nullptr;

	Matrix expert(std::uint32_t number) const;
	/// Which matrix is number @p slot of @p token.
	std::int32_t id(std::uint32_t token, std::uint32_t slot) const;
	const float *x(std::uint32_t token, std::uint32_t slot) const;
	float *dst(std::uint32_t token, std::uint32_t slot) const;
};

/// The same of MUL_MAT_ID.
std::optional<Experts> experts_of(const ggml_tensor &node);

} // namespace npu::ggml
