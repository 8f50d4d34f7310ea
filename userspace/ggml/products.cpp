/* SPDX-License-Identifier: MIT */
#include "products.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

namespace npu::ggml
{

namespace
{

/// Minimum size of a matrix that justifies a task.
constexpr std::int64_t least_width = 32;

/// Whether @p node has more than @p known sources, or demands more precision than the NPU has.
bool wants_more(const ggml_tensor &node, std::size_t known)
{
	const auto sources = std::span(node.src).subspan(known);

	return node.op_params[0] != GGML_PREC_DEFAULT ||
	       std::ranges::any_of(sources, [](const ggml_tensor *source) { return source; });
}

/// Whether @p weights is a leaf of contiguous rows, of a type that ggml converts to float.
bool is_weights(const ggml_tensor &weights)
{
	constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();

	return weights.op == GGML_OP_NONE && !weights.view_src && weights.data &&
	       ggml_is_contiguous(&weights) && weights.ne[0] >= least_width &&
	       weights.ne[1] >= least_width && weights.ne[0] <= most && weights.ne[1] <= most &&
	       (weights.type == GGML_TYPE_F32 || ggml_get_type_traits(weights.type)->to_float);
}

/// Whether @p rows has rows of contiguous floats.
bool is_floats(const ggml_tensor &rows)
{
	return rows.type == GGML_TYPE_F32 && rows.data && rows.nb[0] == sizeof(float) &&
	       rows.nb[1] % sizeof(float) == 0 && rows.nb[2] % sizeof(float) == 0;
}

Matrix matrix_of(const ggml_tensor &weights)
{
	return {static_cast<const std::byte *>(weights.data),
		weights.type,
		static_cast<std::uint32_t>(weights.ne[0]),
		static_cast<std::uint32_t>(weights.ne[1]),
		weights.nb[1],
		weights.name};
}

} // namespace

std::optional<Product> product_of(const ggml_tensor &node)
{
	if (node.op != GGML_OP_MUL_MAT || wants_more(node, 2))
		return {};
	const ggml_tensor &weights = *node.src[0];
	const ggml_tensor &x = *node.src[1];
	if (!is_weights(weights) || weights.ne[2] != 1 || weights.ne[3] != 1 || !is_floats(x) ||
	    !is_floats(node))
		return {};
	/* A batch of matrices of rows is one matrix if all rows are contiguous. */
	const bool several = x.ne[2] * x.ne[3] > 1;
	if (several && (!ggml_is_contiguous(&x) || !ggml_is_contiguous(&node)))
		return {};
	const std::int64_t m = x.ne[1] * x.ne[2] * x.ne[3];
	if (m < 1 || m > std::numeric_limits<std::int32_t>::max())
		return {};
	return Product{matrix_of(weights),
		       static_cast<const float *>(x.data),
		       static_cast<float *>(node.data),
		       static_cast<std::uint32_t>(m),
		       x.nb[1] / sizeof(float),
		       node.nb[1] / sizeof(float)};
}

std::optional<Experts> experts_of(const ggml_tensor &node)
{
	if (node.op != GGML_OP_MUL_MAT_ID || wants_more(node, 3))
		return {};
	const ggml_tensor &weights = *node.src[0];
	const ggml_tensor &x = *node.src[1];
	const ggml_tensor &ids = *node.src[2];
	if (!is_weights(weights) || weights.ne[3] != 1 || !is_floats(x) || !is_floats(node) ||
	    ids.type != GGML_TYPE_I32 || !ids.data || x.ne[3] != 1 || x.ne[1] < 1)
		return {};
	Experts experts;
	experts.weights = matrix_of(weights);
	experts.step = weights.nb[2];
	experts.count = static_cast<std::uint32_t>(weights.ne[2]);
	experts.used = static_cast<std::uint32_t>(ids.ne[0]);
	experts.tokens = static_cast<std::uint32_t>(ids.ne[1]);
	experts.x_rows = static_cast<std::uint32_t>(x.ne[1]);
	experts.node = &node;
	return experts;
}

Matrix Experts::expert(std::uint32_t number) const
{
	Matrix matrix = weights;

	matrix.data += number * step;
	return matrix;
}

std::int32_t Experts::id(std::uint32_t token, std::uint32_t slot) const
{
	const ggml_tensor &ids = *node->src[2];
	std::int32_t number = 0;

	std::memcpy(&number,
		    static_cast<const std::byte *>(ids.data) + token * ids.nb[1] + slot * ids.nb[0],
		    sizeof(number));
	return number;
}

const float *Experts::x(std::uint32_t token, std::uint32_t slot) const
{
	const ggml_tensor &from = *node->src[1];

	return reinterpret_cast<const float *>(static_cast<const std::byte *>(from.data) +
					       token * from.nb[2] + slot % x_rows * from.nb[1]);
}

float *Experts::dst(std::uint32_t token, std::uint32_t slot) const
{
	return reinterpret_cast<float *>(static_cast<std::byte *>(node->data) +
					 token * node->nb[2] + slot * node->nb[1]);
}

} // namespace npu::ggml
