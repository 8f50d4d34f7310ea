/* SPDX-License-Identifier: MIT */
#include "llm/transformer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include <engine/numeric.h>

namespace npu::llm
{

namespace
{

/// Tokens that go through the model together.
constexpr std::uint32_t chunk = 64;

/// Bounds that no sensible model passes, so that products stay in 32 bits.
constexpr std::uint32_t max_width = 1U << 16U;
constexpr std::uint32_t max_layers = 1U << 10U;

void rms_norm(std::span<const float> x, std::span<const float> weight, float epsilon,
	      std::span<float> y)
{
	const float mean = dot(x, x) / static_cast<float>(x.size());
	const float factor = 1.0F / std::sqrt(mean + epsilon);

	for (std::size_t i = 0; i < x.size(); i++)
		y[i] = x[i] * factor * weight[i];
}

/// Rotate pairs of neighbours, as llama's GGUF files order them.
void rotate(std::span<float> heads, std::uint32_t head_size, std::uint32_t position, float base)
{
	for (std::size_t i = 0; i < heads.size(); i += 2) {
		const auto pair = static_cast<float>(i % head_size);
		const float angle = static_cast<float>(position) *
				    std::pow(base, -pair / static_cast<float>(head_size));
		const float c = std::cos(angle);
		const float s = std::sin(angle);
		const float a = heads[i];
		const float b = heads[i + 1];

		heads[i] = a * c - b * s;
		heads[i + 1] = a * s + b * c;
	}
}

void softmax(std::span<float> x)
{
	const float most = *std::ranges::max_element(x);
	float sum = 0;

	for (float &value : x) {
		value = std::exp(value - most);
		sum += value;
	}
	for (float &value : x)
		value /= sum;
}

/// Reads matrices into a backend, and reports how far it is.
class Loader
{
public:
	Loader(const Gguf &gguf, Backend &backend, const Transformer::Progress &progress)
		: gguf_(gguf), backend_(backend), progress_(progress)
	{
	}

	void matrix(const std::string &name, std::uint32_t n, std::uint32_t k, std::size_t &layer)
	{
		if (const Tensor *tensor = find(name, n, k))
			keep(name, backend_.add(to_floats(*tensor), n, k, name), layer);
	}

	void floats(const std::string &name, std::uint32_t rows, std::uint32_t columns,
		    std::vector<float> &to)
	{
		if (const Tensor *tensor = find(name, rows, columns))
			to = to_floats(*tensor);
	}

	/// The first error, if any.
	Result<void> result() const { return result_; }

private:
	const Tensor *find(const std::string &name, std::uint32_t rows, std::uint32_t columns)
	{
		if (!result_)
			return nullptr;
		auto tensor = gguf_.tensor(name, rows, columns);
		if (!tensor) {
			result_ = forward(tensor);
			return nullptr;
		}
		done_ += (*tensor)->data.size();
		/* A head that is the embedding is read twice, after the rest. */
		if (progress_ && done_ <= gguf_.tensor_bytes())
			progress_(static_cast<double>(done_) /
				  static_cast<double>(gguf_.tensor_bytes()));
		return *tensor;
	}

	void keep(const std::string &name, Result<std::size_t> added, std::size_t &layer)
	{
		if (added) {
			layer = *added;
			return;
		}
		added.error().message = "tensor '" + name + "': " + added.error().message;
		result_ = forward(added);
	}

	const Gguf &gguf_;
	Backend &backend_;
	const Transformer::Progress &progress_;
	Result<void> result_;
	std::size_t done_ = 0;
};

} // namespace

Result<Shape> read_shape(const Gguf &gguf)
{
	Shape shape;

	auto architecture = gguf.string("general.architecture");
	if (!architecture)
		return forward(architecture);
	if (*architecture != "llama")
		return fail(EINVAL, "architecture '" + *architecture + "' is not 'llama'");

	const std::array<std::tuple<const char *, std::uint32_t, std::uint32_t *>, 6> sizes{{
		{"llama.block_count", max_layers, &shape.layers},
		{"llama.embedding_length", max_width, &shape.width},
		{"llama.feed_forward_length", max_width * 4, &shape.hidden},
		{"llama.attention.head_count", max_width, &shape.heads},
		{"llama.attention.head_count_kv", max_width, &shape.kv_heads},
		{"llama.context_length", 1U << 24U, &shape.context},
	}};
	for (const auto &[key, most, size] : sizes) {
		auto value = gguf.integer(key, 1, most);
		if (!value)
			return forward(value);
		*size = *value;
	}
	auto epsilon = gguf.number("llama.attention.layer_norm_rms_epsilon");
	if (!epsilon)
		return forward(epsilon);
	shape.epsilon = static_cast<float>(*epsilon);
	shape.rope_base = 10000.0F;
	if (gguf.has("llama.rope.freq_base")) {
		auto base = gguf.number("llama.rope.freq_base");
		if (!base)
			return forward(base);
		shape.rope_base = static_cast<float>(*base);
	}
	if (!(shape.rope_base > 1) || !(shape.epsilon >= 0) || !std::isfinite(shape.rope_base))
		return fail(EINVAL, "llama.rope.freq_base or layer_norm_rms_epsilon is impossible");

	if (shape.width % shape.heads || shape.heads % shape.kv_heads ||
	    shape.width / shape.heads % 2)
		return fail(EINVAL, std::to_string(shape.width) + " channels do not make " +
					    std::to_string(shape.heads) +
					    " heads of an even size, " +
					    std::to_string(shape.kv_heads) + " of keys");
	shape.head_size = shape.width / shape.heads;
	if (gguf.has("llama.rope.dimension_count")) {
		auto count = gguf.integer("llama.rope.dimension_count", 1, max_width);
		if (!count)
			return forward(count);
		if (*count != shape.head_size)
			return fail(EINVAL, "llama.rope.dimension_count is not the size of a head");
	}

	auto tokens = gguf.strings("tokenizer.ggml.tokens");
	if (!tokens)
		return forward(tokens);
	shape.vocabulary = static_cast<std::uint32_t>((*tokens)->size());
	return shape;
}

Result<Transformer> Transformer::create(const Gguf &gguf, std::unique_ptr<Backend> backend,
					std::uint32_t context, const Progress &progress)
{
	auto shape = read_shape(gguf);

	if (!shape)
		return npu::forward(shape);
	if (!context || context > shape->context)
		return fail(EINVAL, "a context of " + std::to_string(context) +
					    " positions; the model has 1 to " +
					    std::to_string(shape->context));

	Transformer model;
	model.shape_ = *shape;
	model.context_ = context;
	model.backend_ = std::move(backend);

	Loader loader(gguf, *model.backend_, progress);
	loader.floats("token_embd.weight", shape->vocabulary, shape->width, model.embedding_);
	for (std::uint32_t i = 0; i < shape->layers && loader.result(); i++) {
		const std::string prefix = "blk." + std::to_string(i) + ".";
		Layer &layer = model.layers_.emplace_back();

		loader.floats(prefix + "attn_norm.weight", 1, shape->width, layer.attention_norm);
		loader.matrix(prefix + "attn_q.weight", shape->width, shape->width, layer.q);
		loader.matrix(prefix + "attn_k.weight", shape->kv_width(), shape->width, layer.k);
		loader.matrix(prefix + "attn_v.weight", shape->kv_width(), shape->width, layer.v);
		loader.matrix(prefix + "attn_output.weight", shape->width, shape->width,
			      layer.output);
		loader.floats(prefix + "ffn_norm.weight", 1, shape->width, layer.ffn_norm);
		loader.matrix(prefix + "ffn_gate.weight", shape->hidden, shape->width, layer.gate);
		loader.matrix(prefix + "ffn_up.weight", shape->hidden, shape->width, layer.up);
		loader.matrix(prefix + "ffn_down.weight", shape->width, shape->hidden, layer.down);
		layer.keys.resize(std::size_t{context} * shape->kv_width());
		layer.values.resize(layer.keys.size());
	}
	loader.floats("output_norm.weight", 1, shape->width, model.output_norm_);
	/* Without an output matrix the embedding serves as one. */
	loader.matrix(gguf.has_tensor("output.weight") ? "output.weight" : "token_embd.weight",
		      shape->vocabulary, shape->width, model.head_);
	if (auto result = loader.result(); !result)
		return npu::forward(result);
	return model;
}

Result<std::span<const float>> Transformer::forward(std::span<const Token> tokens, bool all)
{
	if (tokens.empty() || tokens.size() > context_ - position_)
		return fail(EINVAL, std::to_string(tokens.size()) + " tokens at position " +
					    std::to_string(position_) + " of a context of " +
					    std::to_string(context_));
	for (const Token token : tokens)
		if (token >= shape_.vocabulary)
			return fail(EINVAL,
				    "token " + std::to_string(token) + " is not in the vocabulary");

	logits_.clear();
	while (!tokens.empty()) {
		const auto part = tokens.first(std::min<std::size_t>(tokens.size(), chunk));

		tokens = tokens.subspan(part.size());
		if (auto done = forward_chunk(part, all); !done)
			return npu::forward(done);
	}
	return std::span<const float>(logits_);
}

/// Take the tokens of a chunk; append their logits, or keep those of the last.
Result<void> Transformer::forward_chunk(std::span<const Token> tokens, bool all)
{
	const auto count = static_cast<std::uint32_t>(tokens.size());
	const std::uint32_t width = shape_.width;
	const std::span<const float> embedding(embedding_);

	x_.clear();
	for (const Token token : tokens) {
		const auto row = embedding.subspan(std::size_t{token} * width, width);
		x_.insert(x_.end(), row.begin(), row.end());
	}
	normed_.resize(x_.size());

	for (Layer &layer : layers_) {
		if (auto done = attention(layer, count); !done)
			return done;
		if (auto done = feed_forward(layer, count); !done)
			return done;
	}
	position_ += count;

	const std::uint32_t first = all ? 0 : count - 1;
	const std::span<float> normed(normed_);
	for (std::uint32_t row = first; row < count; row++)
		rms_norm(std::span(x_).subspan(std::size_t{row} * width, width), output_norm_,
			 shape_.epsilon, normed.subspan(std::size_t{row} * width, width));
	const std::size_t at = all ? logits_.size() : 0;
	logits_.resize(at + std::size_t{count - first} * shape_.vocabulary);
	const std::span<float> logits = std::span(logits_).subspan(at);
	return backend_->multiply({&head_, 1}, count - first,
				  normed.subspan(std::size_t{first} * width), {&logits, 1});
}

Result<void> Transformer::attention(Layer &layer, std::uint32_t count)
{
	const std::uint32_t width = shape_.width;
	const std::uint32_t kv_width = shape_.kv_width();

	for (std::uint32_t row = 0; row < count; row++)
		rms_norm(std::span(x_).subspan(std::size_t{row} * width, width),
			 layer.attention_norm, shape_.epsilon,
			 std::span(normed_).subspan(std::size_t{row} * width, width));
	q_.resize(std::size_t{count} * width);
	k_.resize(std::size_t{count} * kv_width);
	v_.resize(std::size_t{count} * kv_width);
	const std::array<std::size_t, 3> layers{layer.q, layer.k, layer.v};
	const std::array<std::span<float>, 3> results{q_, k_, v_};
	if (auto done = backend_->multiply(layers, count, normed_, results); !done)
		return done;

	attended_.assign(std::size_t{count} * width, 0.0F);
	for (std::uint32_t row = 0; row < count; row++) {
		const std::size_t at = std::size_t{position_ + row} * kv_width;
		const auto key = std::span(k_).subspan(std::size_t{row} * kv_width, kv_width);
		const auto value = std::span(v_).subspan(std::size_t{row} * kv_width, kv_width);

		rotate(std::span(q_).subspan(std::size_t{row} * width, width), shape_.head_size,
		       position_ + row, shape_.rope_base);
		rotate(key, shape_.head_size, position_ + row, shape_.rope_base);
		std::ranges::copy(key, layer.keys.begin() + static_cast<std::ptrdiff_t>(at));
		std::ranges::copy(value, layer.values.begin() + static_cast<std::ptrdiff_t>(at));
		attend(layer, row);
	}

	/* q_ is done with and has the right size for the projection. */
	const std::span<float> projected(q_);
	if (auto done = backend_->multiply({&layer.output, 1}, count, attended_, {&projected, 1});
	    !done)
		return done;
	add_scaled(projected, 1.0F, x_);
	return {};
}

/// Attention of row @p row of the chunk to all positions up to its own.
void Transformer::attend(const Layer &layer, std::uint32_t row)
{
	const std::uint32_t size = shape_.head_size;
	const std::uint32_t positions = position_ + row + 1;
	const std::uint32_t group = shape_.heads / shape_.kv_heads;
	const float scale = 1.0F / std::sqrt(static_cast<float>(size));
	const std::span<const float> keys(layer.keys);
	const std::span<const float> values(layer.values);

	scores_.resize(positions);
	for (std::uint32_t head = 0; head < shape_.heads; head++) {
		const std::size_t at = std::size_t{row} * shape_.width + std::size_t{head} * size;
		const auto query = std::span(q_).subspan(at, size);
		const auto result = std::span(attended_).subspan(at, size);
		std::size_t kv = std::size_t{head / group} * size;

		for (float &score : scores_) {
			score = dot(query, keys.subspan(kv, size)) * scale;
			kv += shape_.kv_width();
		}
		softmax(scores_);
		kv = std::size_t{head / group} * size;
		for (const float score : scores_) {
			add_scaled(values.subspan(kv, size), score, result);
			kv += shape_.kv_width();
		}
	}
	attention_macs_ += 2ULL * positions * shape_.width;
}

Result<void> Transformer::feed_forward(const Layer &layer, std::uint32_t count)
{
	const std::uint32_t width = shape_.width;

	for (std::uint32_t row = 0; row < count; row++)
		rms_norm(std::span(x_).subspan(std::size_t{row} * width, width), layer.ffn_norm,
			 shape_.epsilon,
			 std::span(normed_).subspan(std::size_t{row} * width, width));
	gate_.resize(std::size_t{count} * shape_.hidden);
	up_.resize(gate_.size());
	const std::array<std::size_t, 2> layers{layer.gate, layer.up};
	const std::array<std::span<float>, 2> results{gate_, up_};
	if (auto done = backend_->multiply(layers, count, normed_, results); !done)
		return done;

	for (std::size_t i = 0; i < gate_.size(); i++)
		gate_[i] = gate_[i] / (1.0F + std::exp(-gate_[i])) * up_[i];
	const std::span<float> down(normed_);
	if (auto done = backend_->multiply({&layer.down, 1}, count, gate_, {&down, 1}); !done)
		return done;
	add_scaled(down, 1.0F, x_);
	return {};
}

} // namespace npu::llm
