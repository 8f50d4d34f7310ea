/* SPDX-License-Identifier: MIT */
/*
 * Recognises the nodes of a graph that are products for the NPU.
 */
#pragma once

#include <cstdint>
#include <optional>

#include <ggml.h>

#include "weights.h"

namespace npu::ggml
{

/// A MUL_MAT node, dst = weights x, with m rows of floats in x and dst.
struct Product {
	Matrix weights;
	const float *x = nullptr;
	float *dst = nullptr;
	std::uint32_t m = 0;
	/// Distance between rows in floats.
	std::size_t x_stride = 0;
	std::size_t dst_stride = 0;
};

/// Returns the product of @p node if the NPU can compute it: a MUL_MAT by a contiguous leaf of the
/// graph, not a view, of a type that ggml converts to float, with rows of floats, no further
/// sources and the default precision.
std::optional<Product> product_of(const ggml_tensor &node);

/// A MUL_MAT_ID node, dst = weights[ids] x: each token uses some of the matrices.
struct Experts {
	/// The first matrix; the next ones follow at distances of @c step bytes.
	Matrix weights;
	std::size_t step = 0;
	std::uint32_t count = 0;
	std::uint32_t tokens = 0;
	/// Matrices per token, and rows of x per token: the same number, or one for all.
	std::uint32_t used = 0;
	std::uint32_t x_rows = 0;
	const ggml_tensor *node = nullptr;

	Matrix expert(std::uint32_t number) const;
	/// The matrix that slot @p slot of @p token uses.
	std::int32_t id(std::uint32_t token, std::uint32_t slot) const;
	const float *x(std::uint32_t token, std::uint32_t slot) const;
	float *dst(std::uint32_t token, std::uint32_t slot) const;
};

/// As product_of(), for MUL_MAT_ID.
std::optional<Experts> experts_of(const ggml_tensor &node);

} // namespace npu::ggml
