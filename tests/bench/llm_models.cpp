/* SPDX-License-Identifier: MIT */
#include "llm_models.h"

namespace llm_bench
{

namespace
{

/// A decoder of @p layers layers with gated feed-forward.
std::vector<Group> decoder(std::uint32_t layers, std::uint32_t width, std::uint32_t kv,
			   std::uint32_t hidden, std::uint32_t vocabulary)
{
	return {{width, {width, kv, kv}, layers},
		{width, {width}, layers},
		{width, {hidden, hidden}, layers},
		{hidden, {width}, layers},
		{width, {vocabulary}, 1, q6_bits, true}};
}

} // namespace

std::span<const Model> models()
{
	static const std::vector<Model> all{
		{"Qwen2.5-0.5B",
		 decoder(24, 896, 128, 4864, 151936),
		 {41.58, 145.9, 0, "Qwen2-0.5B w8a8, RKLLM benchmark.md"}},
		{"Qwen2.5-1.5B",
		 decoder(28, 1536, 256, 8960, 151936),
		 {16.69, 378.3, 0, "Qwen2.5-1.5B w8a8, RKLLM benchmark.md"}},
		{"Llama-3.2-1B",
		 decoder(16, 2048, 512, 8192, 128256),
		 {24.43, 243.9, 0, "TinyLlama-1.1B w8a8, RKLLM benchmark.md"}},
		{"Llama-3.2-3B",
		 decoder(28, 3072, 1024, 8192, 128256),
		 {7.0, 0, 6.1,
		  "NPU: Qwen2.5-3B, indiedroid-nova-llm; CPU: Ministral-3B Q8_0, "
		  "rk-llama.cpp"}},
		{"Llama-3.1-8B",
		 decoder(32, 4096, 1024, 14336, 128256),
		 {3.72, 0, 2.66,
		  "NPU: Llama-3.1-8B, indiedroid-nova-llm; CPU: Llama-2-7B Q4_0, "
		  "distributed-llama#10"}},
	};

	return all;
}

} // namespace llm_bench
