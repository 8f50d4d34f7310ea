/* SPDX-License-Identifier: MIT */
/*
 * A decoder of the architectures llama, qwen2 and qwen3: RMS norms, rotary positions,
 * Grouped query attention, SwiGLU. The backend multiplies all weight matrices; norms, attention and
 * the rest run on the CPU.
 */
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "llm/attention.h"
#include "llm/backend.h"
#include "llm/gguf.h"
#include "llm/rotation.h"
#include "llm/shape.h"
#include "llm/tokenizer.h"

namespace npu::llm
{

class Transformer
{
public:
	/// Told how much is loaded, 0 to 1.
	using Progress = std::function<void(double)>;

	/// Load the model of @p gguf into @p backend, for up to @p context
	/// positions.
	/// \pre gguf outlives the model, which reads embeddings from it
	/// \retval EINVAL see read_shape(), or a tensor is missing or wrong
	/// \retval others see the backend
	static Result<Transformer> create(const Gguf &gguf, std::unique_ptr<Backend> backend,
					  std::uint32_t context, const Progress &progress);

	/// Processes @p tokens at the next positions.
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
	/// Multiply-accumulates of attention, on the CPU.
	std::uint64_t attention_macs() const { return attention_macs_; }

private:
	struct Layer {
		std::vector<float> attention_norm;
		std::vector<float> ffn_norm;
		std::size_t q = 0;
		std::size_t k = 0;
		std::size_t v = 0;
		std::size_t output = 0;
		std::size_t gate = 0;
		std::size_t up = 0;
		std::size_t down = 0;
		/* Empty if the architecture has no biases. */
		std::vector<float> q_bias;
		std::vector<float> k_bias;
		std::vector<float> v_bias;
		std::vector<float> q_norm;
		std::vector<float> k_norm;
		KvCache cache;
	};

	class Loader;

	Transformer() = default;

	void load_layer(Loader &loader, std::uint32_t number);
	Result<void> forward_chunk(std::span<const Token> tokens, bool all);
	Result<void> attention(Layer &layer, std::uint32_t count);
	void place(Layer &layer, std::uint32_t row);
	void attend_all(const Layer &layer, std::uint32_t count);
	Result<void> feed_forward(const Layer &layer, std::uint32_t count);

	Shape shape_;
	std::uint32_t context_ = 0;
	std::uint32_t position_ = 0;
	std::uint64_t attention_macs_ = 0;
	std::unique_ptr<Backend> backend_;
	const Tensor *embedding_ = nullptr;
	std::vector<float> output_norm_;
	std::size_t head_ = 0;
	std::vector<Layer> layers_;
	Rotation rotation_;

	/* Activations of a chunk, rows of tokens. */
	std::vector<float> x_;
	std::vector<float> normed_;
	std::vector<float> q_;
	std::vector<float> k_;
	std::vector<float> v_;
	/// Queries and results of attention, padded_head() elements a head.
	std::vector<float> queries_;
	std::vector<float> results_;
	std::vector<float> attended_;
	std::vector<float> gate_;
	std::vector<float> up_;
	std::vector<float> logits_;
};

} // namespace npu::llm
