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

/// Tokens that pass through the model together.
constexpr std::uint32_t chunk = 64;

/// Multiply-accumulates of attention that justify waking a thread.
constexpr std::uint64_t least_macs = 1U << 15U;

void rms_norm(std::span<const float> x, std::span<const float> weight, float epsilon,
	      std::span<float> y)
{
	const float mean = dot(x, x) / static_cast<float>(x.size());
	const float factor = 1.0F / std::sqrt(mean + epsilon);

	for (std::size_t i = 0; i < x.size(); i++)
		y[i] = x[i] * factor * weight[i];
}

/// Normalises each part of @p x that has the length of @p weight, in place.
void rms_norm_parts(std::span<float> x, std::span<const float> weight, float epsilon)
{
	for (; !x.empty() && !weight.empty(); x = x.subspan(weight.size()))
		rms_norm(x.first(weight.size()), weight, epsilon, x.first(weight.size()));
}

/// Adds @p bias, unless it is empty, to each row of @p x.
void add_bias(std::span<const float> bias, std::span<float> x)
{
	for (; !x.empty() && !bias.empty(); x = x.subspan(bias.size()))
		add_scaled(bias, 1.0F, x.first(bias.size()));
}

} // namespace

/// Loads matrices into a backend, and reports the progress.
class Transformer::Loader
{
public:
	Loader(const Gguf &gguf, Backend &backend, const Transformer::Progress &progress)
		: gguf_(gguf), backend_(backend), progress_(progress)
	{
	}

	void matrix(const std::string &name, std::uint32_t n, std::uint32_t k, std::size_t &layer)
	{
		if (const Tensor *tensor = find(name, n, k))
			keep(name, backend_.add(*tensor), layer);
	}

	void floats(const std::string &name, std::uint32_t rows, std::uint32_t columns,
		    std::vector<float> &to)
	{
		if (const Tensor *tensor = find(name, rows, columns))
			to = to_floats(*tensor);
	}

	/// The first error, if any.
	Result<void> result() const { return result_; }

	/// The tensor @p name, nullptr after an error.
	const Tensor *find(const std::string &name, std::uint32_t rows, std::uint32_t columns)
	{
		if (!result_)
			return nullptr;
		auto tensor = gguf_.tensor(name, rows, columns);
		if (!tensor) {
			result_ = npu::forward(tensor);
			return nullptr;
		}
		done_ += (*tensor)->data.size();
		/* A tied head is read a second time at the end: do not report more than 100 %. */
		if (progress_ && done_ <= gguf_.tensor_bytes())
			progress_(static_cast<double>(done_) /
				  static_cast<double>(gguf_.tensor_bytes()));
		return *tensor;
	}

private:
	void keep(const std::string &name, Result<std::size_t> added, std::size_t &layer)
	{
		if (added) {
			layer = *added;
			return;
		}
		added.error().message = "tensor '" + name + "': " + added.error().message;
		result_ = npu::forward(added);
	}

	const Gguf &gguf_;
	Backend &backend_;
	const Transformer::Progress &progress_;
	Result<void> result_;
	std::size_t done_ = 0;
};

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
	std::vector<float> factors;
	if (gguf.has_tensor("rope_freqs.weight"))
		loader.floats("rope_freqs.weight", 1, shape->head_size / 2, factors);
	model.embedding_ = loader.find("token_embd.weight", shape->vocabulary, shape->width);
	for (std::uint32_t i = 0; i < shape->layers && loader.result(); i++)
		model.load_layer(loader, i);
	loader.floats("output_norm.weight", 1, shape->width, model.output_norm_);
	/* Tied embeddings: without an output matrix, use that of the embedding. */
	loader.matrix(gguf.has_tensor("output.weight") ? "output.weight" : "token_embd.weight",
		      shape->vocabulary, shape->width, model.head_);
	if (auto result = loader.result(); !result)
		return npu::forward(result);
	for (const float factor : factors)
		if (!(factor > 0))
			return fail(EINVAL, "tensor 'rope_freqs.weight' has a factor of " +
						    std::to_string(factor) +
						    ", which is not positive");
	model.rotation_ = Rotation(shape->head_size, shape->rope_base, factors,
				   shape->architecture.rotates_halves);
	return model;
}

void Transformer::load_layer(Loader &loader, std::uint32_t number)
{
	const std::string prefix = "blk." + std::to_string(number) + ".";
	const std::uint32_t width = shape_.width;
	const std::uint32_t q_width = shape_.q_width();
	const std::uint32_t kv_width = shape_.kv_width();
	Layer layer;

	loader.floats(prefix + "attn_norm.weight", 1, width, layer.attention_norm);
	loader.matrix(prefix + "attn_q.weight", q_width, width, layer.q);
	loader.matrix(prefix + "attn_k.weight", kv_width, width, layer.k);
	loader.matrix(prefix + "attn_v.weight", kv_width, width, layer.v);
	if (shape_.architecture.has_biases) {
		loader.floats(prefix + "attn_q.bias", 1, q_width, layer.q_bias);
		loader.floats(prefix + "attn_k.bias", 1, kv_width, layer.k_bias);
		loader.floats(prefix + "attn_v.bias", 1, kv_width, layer.v_bias);
	}
	if (shape_.architecture.has_head_norms) {
		loader.floats(prefix + "attn_q_norm.weight", 1, shape_.head_size, layer.q_norm);
		loader.floats(prefix + "attn_k_norm.weight", 1, shape_.head_size, layer.k_norm);
	}
	loader.matrix(prefix + "attn_output.weight", width, q_width, layer.output);
	loader.floats(prefix + "ffn_norm.weight", 1, width, layer.ffn_norm);
	loader.matrix(prefix + "ffn_gate.weight", shape_.hidden, width, layer.gate);
	loader.matrix(prefix + "ffn_up.weight", shape_.hidden, width, layer.up);
	loader.matrix(prefix + "ffn_down.weight", width, shape_.hidden, layer.down);
	if (loader.result()) {
		layer.cache = KvCache(shape_.kv_heads, shape_.head_size, context_);
		layers_.push_back(std::move(layer));
	}
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

/// Processes a chunk of tokens. Appends the logits of all of them, or keeps those of the last.
Result<void> Transformer::forward_chunk(std::span<const Token> tokens, bool all)
{
	const auto count = static_cast<std::uint32_t>(tokens.size());
	const std::uint32_t width = shape_.width;

	x_.resize(std::size_t{count} * width);
	for (std::size_t row = 0; row < count; row++)
		to_floats(*embedding_, tokens[row], std::span(x_).subspan(row * width, width));
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
	q_.resize(std::size_t{count} * shape_.q_width());
	k_.resize(std::size_t{count} * kv_width);
	v_.resize(std::size_t{count} * kv_width);
	const std::array<std::size_t, 3> layers{layer.q, layer.k, layer.v};
	const std::array<std::span<float>, 3> results{q_, k_, v_};
	if (auto done = backend_->multiply(layers, count, normed_, results); !done)
		return done;

	add_bias(layer.q_bias, q_);
	add_bias(layer.k_bias, k_);
	add_bias(layer.v_bias, v_);
	rms_norm_parts(q_, layer.q_norm, shape_.epsilon);
	rms_norm_parts(k_, layer.k_norm, shape_.epsilon);
	queries_.resize(std::size_t{count} * shape_.heads * padded_head(shape_.head_size));
	results_.resize(queries_.size());
	attended_.resize(q_.size());
	for (std::uint32_t row = 0; row < count; row++)
		place(layer, row);
	attend_all(layer, count);

	/* normed_ is free at this point and has the size of the projection. */
	const std::span<float> projected(normed_);
	if (auto done = backend_->multiply({&layer.output, 1}, count, attended_, {&projected, 1});
	    !done)
		return done;
	add_scaled(projected, 1.0F, x_);
	return {};
}

/// Rotates queries and keys of row @p row of the chunk, and stores the keys and values in the
/// cache.
void Transformer::place(Layer &layer, std::uint32_t row)
{
	const std::uint32_t size = shape_.head_size;
	const std::uint32_t padded = padded_head(size);
	const std::uint32_t kv_width = shape_.kv_width();
	const auto query =
		std::span(q_).subspan(std::size_t{row} * shape_.q_width(), shape_.q_width());
	const auto key = std::span(k_).subspan(std::size_t{row} * kv_width, kv_width);
	const auto value = std::span(v_).subspan(std::size_t{row} * kv_width, kv_width);
	const auto queries = std::span(queries_).subspan(std::size_t{row} * shape_.heads * padded);

	rotation_.set(position_ + row);
	rotation_.rotate(query);
	rotation_.rotate(key);
	layer.cache.put(position_ + row, key, value);
	for (std::uint32_t head = 0; head < shape_.heads; head++) {
		const auto to = queries.subspan(std::size_t{head} * padded, padded);

		std::ranges::copy(query.subspan(std::size_t{head} * size, size), to.begin());
		std::ranges::fill(to.subspan(size), 0.0F);
	}
}

/// Computes the attention of each row of the chunk to all positions up to its own.
void Transformer::attend_all(const Layer &layer, std::uint32_t count)
{
	const std::uint32_t size = shape_.head_size;
	const std::uint32_t padded = padded_head(size);
	const std::uint32_t group = shape_.heads / shape_.kv_heads;
	const float scale = 1.0F / std::sqrt(static_cast<float>(size));
	const std::uint64_t head_macs = 2ULL * (position_ + count) * size;
	const auto least = static_cast<std::uint32_t>(1 + least_macs / head_macs);
	const std::span<const float> queries(queries_);

	backend_->workers().run(
		count * shape_.heads, least, [&](std::uint32_t first, std::uint32_t last) {
			for (std::uint32_t i = first; i < last; i++) {
				const std::uint32_t positions = position_ + i / shape_.heads + 1;
				const std::uint32_t kv = i % shape_.heads / group;
				const auto result = std::span(results_).subspan(
					std::size_t{i} * padded, padded);

				attend(queries.subspan(std::size_t{i} * padded, padded),
				       layer.cache.keys(kv), layer.cache.values(kv), positions,
				       scale, result);
				std::ranges::copy(
					result.first(size),
					attended_.begin() +
						static_cast<std::ptrdiff_t>(std::size_t{i} * size));
			}
		});
	for (std::uint32_t row = 0; row < count; row++)
		attention_macs_ += 2ULL * (position_ + row + 1) * shape_.q_width();
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
