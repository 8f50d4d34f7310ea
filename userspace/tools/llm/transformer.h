/* SPDX-License-Identifier: MIT */
/*
 * A decoder of the llama architecture: RMS norms, rotary positions, grouped
 * query attention, SwiGLU. All weight matrices are a backend's; norms,
 * attention and the rest run on the CPU.
 */
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "llm/backend.h"
#include "llm/gguf.h"
#include "llm/tokenizer.h"

namespace npu::llm
{

/// Sizes of a model.
struct Shape {
	std::uint32_t layers = 0;
	std::uint32_t width = 0;
	std::uint32_t hidden = 0;
	std::uint32_t heads = 0;
	std::uint32_t kv_heads = 0;
	std::uint32_t head_size = 0;
	std::uint32_t vocabulary = 0;
	/// Positions that the model was trained for.
	std::uint32_t context = 0;
	float epsilon = 0;
	float rope_base = 0;

	std::uint32_t kv_width() const { return kv_heads * head_size; }
};

/// Read and check the sizes in a file.
/// \retval EINVAL another architecture, or sizes missing or impossible
Result<Shape> read_shape(const Gguf &gguf);

class Transformer
{
public:
	/// Told how much is loaded, 0 to 1.
	using Progress = std::function<void(double)>;

	/// Load the model of @p gguf into @p backend, for up to @p context
	/// positions.
	/// \retval EINVAL what read_shape() says, or a tensor is wrong
	/// \retval others what the backend says
	static Result<Transformer> create(const Gguf &gguf, std::unique_ptr<Backend> backend,
					  std::uint32_t context, const Progress &progress);

	/// Take @p tokens as the next positions.
	/// \return the logits of the last of them, or of all if @p all; valid
	/// until the next call
	/// \retval EINVAL no tokens, or beyond the context or the vocabulary
	Result<std::span<const float>> forward(std::span<const Token> tokens, bool all = false);

	/// Start again at position 0.
	void restart() { position_ = 0; }

	std::uint32_t position() const { return position_; }
	std::uint32_t context() const { return context_; }
	const Shape &shape() const { return shape_; }
	const Backend &backend() const { return *backend_; }
	/// Multiply-accumulates of attention, which is the CPU's.
	std::uint64_t attention_macs() const { return attention_macs_; }

private:
	struct Layer {
		std::vector<float> attention_norm;
		std::vector<float> ffn_norm;
		std::size_t q;
		std::size_t k;
		std::size_t v;
		std::size_t output;
		std::size_t gate;
		std::size_t up;
		std::size_t down;
		/// Keys and values of all positions so far.
		std::vector<float> keys;
		std::vector<float> values;
	};

	Transformer() = default;

	Result<void> forward_chunk(std::span<const Token> tokens, bool all);
	Result<void> attention(Layer &layer, std::uint32_t count);
	Result<void> feed_forward(const Layer &layer, std::uint32_t count);
	void attend(const Layer &layer, std::uint32_t row);

	Shape shape_;
	std::uint32_t context_ = 0;
	std::uint32_t position_ = 0;
	std::uint64_t attention_macs_ = 0;
	std::unique_ptr<Backend> backend_;
	std::vector<float> embedding_;
	std::vector<float> output_norm_;
	std::size_t head_ = 0;
	std::vector<Layer> layers_;

	/* Activations of a chunk, rows of tokens. */
	std::vector<float> x_;
	std::vector<float> normed_;
	std::vector<float> q_;
	std::vector<float> k_;
	std::vector<float> v_;
	std::vector<float> attended_;
	std::vector<float> gate_;
	std::vector<float> up_;
	std::vector<float> scores_;
	std::vector<float> logits_;
};

} // namespace npu::llm
