/* SPDX-License-Identifier: MIT */
#include "llm/shape.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <string>
#include <tuple>

namespace npu::llm
{

namespace
{

/// Limits of supported models, which keep products within 32 bits.
constexpr std::uint32_t max_width = 1U << 16U;
constexpr std::uint32_t max_layers = 1U << 10U;
constexpr std::uint32_t max_context = 1U << 24U;

/// The number at @p key, or the default if it is missing.
Result<float> number_or(const Gguf &gguf, const std::string &key, float otherwise)
{
	if (!gguf.has(key))
		return otherwise;
	auto value = gguf.number(key);
	if (!value)
		return forward(value);
	return static_cast<float>(*value);
}

/// Checks that the size at @p key, if present, is @p size.
Result<void> check_same(const Gguf &gguf, const std::string &key, std::uint32_t size,
			const char *what)
{
	if (!gguf.has(key))
		return {};
	auto value = gguf.integer(key, 1, max_context);
	if (!value)
		return forward(value);
	if (*value != size)
		return fail(EINVAL, "metadata '" + key + "' is " + std::to_string(*value) +
					    ", and npu-llm implements " + std::to_string(size) +
					    " only, " + what);
	return {};
}

/// Reads the size of a head, by default the width divided by the number of heads.
Result<void> read_heads(const Gguf &gguf, const std::string &prefix, Shape &shape)
{
	const std::string key = prefix + "attention.key_length";

	shape.head_size = shape.width / shape.heads;
	if (gguf.has(key)) {
		auto size = gguf.integer(key, 1, max_width);
		if (!size)
			return forward(size);
		shape.head_size = *size;
	} else if (shape.width % shape.heads) {
		return fail(EINVAL, std::to_string(shape.width) + " channels do not make " +
					    std::to_string(shape.heads) + " heads");
	}
	if (shape.heads % shape.kv_heads || shape.head_size % 2 ||
	    std::uint64_t{shape.heads} * shape.head_size > max_width)
		return fail(EINVAL, std::to_string(shape.heads) + " heads of " +
					    std::to_string(shape.head_size) + ", " +
					    std::to_string(shape.kv_heads) +
					    " of keys, are impossible: heads share keys evenly, "
					    "have an even size, and are at most " +
					    std::to_string(max_width) + " elements together");
	if (auto same = check_same(gguf, prefix + "attention.value_length", shape.head_size,
				   "the size of a key");
	    !same)
		return same;
	return check_same(gguf, prefix + "rope.dimension_count", shape.head_size,
			  "the size of a head");
}

} // namespace

Result<Shape> read_shape(const Gguf &gguf)
{
	Shape shape;

	if (auto checked = check_support(gguf); !checked)
		return forward(checked);
	auto architecture = architecture_of(gguf);
	if (!architecture)
		return forward(architecture);
	shape.architecture = *architecture;

	const std::string prefix = std::string(architecture->name) + ".";
	const std::array<std::tuple<const char *, std::uint32_t, std::uint32_t *>, 6> sizes{{
		{"block_count", max_layers, &shape.layers},
		{"embedding_length", max_width, &shape.width},
		{"feed_forward_length", max_width * 4, &shape.hidden},
		{"attention.head_count", max_width, &shape.heads},
		{"attention.head_count_kv", max_width, &shape.kv_heads},
		{"context_length", max_context, &shape.context},
	}};
	for (const auto &[key, most, size] : sizes) {
		auto value = gguf.integer(prefix + key, 1, most);
		if (!value)
			return forward(value);
		*size = *value;
	}
	auto epsilon = gguf.number(prefix + "attention.layer_norm_rms_epsilon");
	auto base = number_or(gguf, prefix + "rope.freq_base", 10000.0F);
	if (!epsilon)
		return forward(epsilon);
	if (!base)
		return forward(base);
	shape.epsilon = static_cast<float>(*epsilon);
	shape.rope_base = *base;
	if (!(shape.rope_base > 1) || !(shape.epsilon >= 0) || !std::isfinite(shape.rope_base))
		return fail(EINVAL, "metadata '" + prefix +
					    "rope.freq_base' must be finite and above 1, '" +
					    prefix +
					    "attention.layer_norm_rms_epsilon' not negative");
	if (auto heads = read_heads(gguf, prefix, shape); !heads)
		return forward(heads);

	auto tokens = gguf.strings("tokenizer.ggml.tokens");
	if (!tokens)
		return forward(tokens);
	shape.vocabulary = static_cast<std::uint32_t>((*tokens)->size());
	if (auto same = check_same(gguf, prefix + "vocab_size", shape.vocabulary,
				   "the number of tokens");
	    !same)
		return forward(same);
	return shape;
}

} // namespace npu::llm
