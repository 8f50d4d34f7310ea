/* SPDX-License-Identifier: MIT */
/*
 * Which models npu-llm accepts: those that it fully implements.
 */
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <llm/gguf.h>
#include <llm/messages.h>
#include <llm/shape.h>
#include <llm/support.h>
#include <llm/tokenizer.h>
#include <llm/transformer.h>

#include "gguf_file.h"

namespace npu::llm
{

namespace
{

using test::GgufFile;
using testing::HasSubstr;

/// A model that npu-llm accepts.
GgufFile model(const std::string &architecture = "llama")
{
	constexpr std::uint64_t width = 8;
	const std::string prefix = architecture + ".";
	GgufFile file;

	file.values = {{"general.architecture", architecture},
		       {prefix + "block_count", 1U},
		       {prefix + "embedding_length", 8U},
		       {prefix + "feed_forward_length", 4U},
		       {prefix + "attention.head_count", 2U},
		       {prefix + "attention.head_count_kv", 1U},
		       {prefix + "context_length", 32U},
		       {prefix + "attention.layer_norm_rms_epsilon", 1e-5F},
		       {"tokenizer.ggml.model", std::string("llama")},
		       {"tokenizer.ggml.tokens", GgufFile::Strings{"<unk>", "<s>", "</s>"}},
		       {"tokenizer.ggml.scores", GgufFile::Numbers{0, 0, 0}},
		       {"tokenizer.ggml.token_type", GgufFile::Numbers{2, 3, 3}},
		       {"tokenizer.ggml.bos_token_id", 1U},
		       {"tokenizer.ggml.eos_token_id", 2U}};
	file.tensors = {{"token_embd.weight", {width, 3}},
			{"output_norm.weight", {width}},
			{"blk.0.attn_norm.weight", {width}},
			{"blk.0.attn_q.weight", {width, width}},
			{"blk.0.attn_k.weight", {width, 4}},
			{"blk.0.attn_v.weight", {width, 4}},
			{"blk.0.attn_output.weight", {width, width}},
			{"blk.0.ffn_norm.weight", {width}},
			{"blk.0.ffn_gate.weight", {width, 4}},
			{"blk.0.ffn_up.weight", {width, 4}},
			{"blk.0.ffn_down.weight", {4, width}}};
	return file;
}

/// The error of npu-llm for a file; empty if it loads.
std::string complaint(const GgufFile &file)
{
	const auto bytes = file.bytes();
	const auto gguf = Gguf::parse(bytes);

	if (!gguf)
		return gguf.error().message;
	if (auto checked = check_support(*gguf); !checked)
		return checked.error().message;
	if (auto tokenizer = Tokenizer::create(*gguf); !tokenizer)
		return tokenizer.error().message;
	const auto transformer = Transformer::create(*gguf, cpu_backend(), 16, {});
	return transformer ? "" : transformer.error().message;
}

TEST(Support, TheModelIsAccepted)
{
	EXPECT_EQ(complaint(model()), "");
}

struct Key {
	const char *name;
	GgufFile::Value value;
	/// The value as the message prints it.
	const char *shown;
};

TEST(Support, MetadataThatChangesTheTextIsRefused)
{
	const Key keys[] = {
		{"llama.rope.scaling.type", std::string("yarn"), "'yarn'"},
		{"llama.rope.scaling.factor", 8.0F, "'8'"},
		{"llama.rope.scaling.attn_factor", 0.5F, "'0.5'"},
		{"llama.rope.scaling.yarn_log_multiplier", 0.1F, "'0.1'"},
		{"llama.rope.scale_linear", 2.0F, "'2'"},
		{"llama.expert_count", 8U, "'8'"},
		{"llama.expert_used_count", 2U, "'2'"},
		{"llama.attention.sliding_window", 4096U, "'4096'"},
		{"llama.attention.causal", false, "'0'"},
		{"llama.attention.value_length", 6U, "6"},
		{"llama.rope.dimension_count", 2U, "2"},
		{"llama.vocab_size", 4U, "4"},
		{"llama.logit_scale", 0.5F, "'0.5'"},
		{"llama.embedding_scale", 12.0F, "'12'"},
		{"llama.residual_scale", 0.25F, "'0.25'"},
		{"llama.attn_logit_softcapping", 50.0F, "'50'"},
		{"llama.final_logit_softcapping", 30.0F, "'30'"},
		{"llama.something_new", 1U, "'1'"},
		{"llama.something_new", GgufFile::Numbers{1, 2}, "'an array of 2'"},
		{"split.count", 3U, "'3'"},
		{"split.no", 1U, "'1'"},
		{"adapter.type", std::string("lora"), "'lora'"},
		{"general.type", std::string("adapter"), "'adapter'"},
		{"general.quantization_version", 1U, "'1'"},
		{"tokenizer.ggml.add_eos_token", true, "'1'"},
		{"tokenizer.ggml.something_new", true, "'1'"},
	};

	for (const auto &[name, value, shown] : keys) {
		GgufFile file = model();
		file.values[name] = value;
		const std::string message = complaint(file);
		EXPECT_THAT(message, HasSubstr(quoted(name) + " is " + shown));
		if (shown[0] == '\'') {
			EXPECT_THAT(message, HasSubstr("llama.cpp with libggml-npu.so"));
		}
		EXPECT_THAT(message, testing::Not(HasSubstr("\n")));
	}
}

TEST(Support, MetadataThatChangesNothingIsAccepted)
{
	const Key keys[] = {
		{"llama.rope.scaling.type", std::string("none"), ""},
		{"llama.rope.scaling.type", std::string("linear"), ""},
		{"llama.rope.scaling.factor", 1.0F, ""},
		{"llama.rope.scaling.original_context_length", 16U, ""},
		{"llama.expert_count", 0U, ""},
		{"llama.attention.key_length", 4U, ""},
		{"llama.attention.value_length", 4U, ""},
		{"llama.attention.sliding_window", 0U, ""},
		{"llama.logit_scale", 1.0F, ""},
		{"llama.vocab_size", 3U, ""},
		{"split.count", 1U, ""},
		{"general.name", std::string("a name"), ""},
		{"general.something_new", 1U, ""},
		{"tokenizer.chat_template", std::string("{{ messages }}"), ""},
		{"tokenizer.chat_template.tool_use", std::string("{{ tools }}"), ""},
		{"tokenizer.ggml.padding_token_id", 0U, ""},
		{"tokenizer.ggml.add_eos_token", false, ""},
		/* Neither npu-llm nor llama.cpp reads these keys. */
		{"some_tool.version", std::string("7"), ""},
	};

	for (const auto &[name, value, shown] : keys) {
		GgufFile file = model();
		file.values[name] = value;
		EXPECT_EQ(complaint(file), "") << name;
	}
}

TEST(Support, TensorsThatAreNotImplementedAreRefused)
{
	for (const std::string name :
	     {"blk.0.attn_q.bias", "blk.0.attn_k.bias", "blk.0.attn_v.bias",
	      "blk.0.attn_output.bias", "blk.0.attn_q_norm.weight", "blk.0.ffn_gate_inp.weight",
	      "blk.1.attn_norm.weight", "blk.00000000001.attn_norm.weight", "blk.attn_norm.weight",
	      "output.bias", "rope_factors_long.weight", "attn_norm.weight", "line\nbreak"}) {
		GgufFile file = model();
		file.tensors[name] = {8};
		const std::string message = complaint(file);
		EXPECT_THAT(message, HasSubstr("is not part of a model of llama")) << name;
		EXPECT_THAT(message, HasSubstr("llama.cpp with libggml-npu.so"));
		EXPECT_THAT(message, testing::Not(HasSubstr("\n")));
	}
	GgufFile file = model();
	file.tensors["blk.0.ffn_gate_exps.weight"] = {8, 4, 2};
	EXPECT_THAT(complaint(file), HasSubstr("'blk.0.ffn_gate_exps.weight' has more than two "
					       "dimensions"));
}

TEST(Support, ArchitecturesHaveTheirTensors)
{
	GgufFile qwen2 = model("qwen2");
	EXPECT_THAT(complaint(qwen2), HasSubstr("'blk.0.attn_q.bias' is missing"));
	qwen2.tensors["blk.0.attn_q.bias"] = {8};
	qwen2.tensors["blk.0.attn_k.bias"] = {4};
	qwen2.tensors["blk.0.attn_v.bias"] = {4};
	EXPECT_EQ(complaint(qwen2), "");
	qwen2.tensors["blk.0.attn_q_norm.weight"] = {4};
	EXPECT_THAT(complaint(qwen2), HasSubstr("'blk.0.attn_q_norm.weight'"));

	GgufFile qwen3 = model("qwen3");
	EXPECT_THAT(complaint(qwen3), HasSubstr("'blk.0.attn_q_norm.weight' is missing"));
	qwen3.tensors["blk.0.attn_q_norm.weight"] = {4};
	qwen3.tensors["blk.0.attn_k_norm.weight"] = {4};
	EXPECT_EQ(complaint(qwen3), "");
	/* Keys of other architectures only cause remarks. */
	qwen3.values["llama.expert_count"] = 8U;
	EXPECT_EQ(complaint(qwen3), "");

	EXPECT_THAT(complaint(model("mamba")),
		    HasSubstr("'general.architecture' is 'mamba', and npu-llm implements llama, "
			      "qwen2 and qwen3 only; use llama.cpp"));
}

TEST(Support, ImpossibleSizesAreRefused)
{
	const Key keys[] = {
		{"llama.attention.head_count", 3U, "8 channels do not make 3 heads"},
		{"llama.attention.head_count_kv", 3U, "2 heads of 4, 3 of keys"},
		{"llama.attention.key_length", 3U, "2 heads of 3"},
		{"llama.attention.key_length", 65536U, "2 heads of 65536"},
		{"llama.block_count", 5000U, "'llama.block_count'"},
		{"llama.context_length", 0U, "'llama.context_length'"},
		{"llama.attention.head_count", GgufFile::Numbers{2, 1}, "is no number"},
		{"llama.rope.freq_base", 0.5F, "'llama.rope.freq_base'"},
		{"tokenizer.ggml.scores", GgufFile::Numbers{1}, "'tokenizer.ggml.scores' has 1"},
		{"tokenizer.ggml.token_type", GgufFile::Numbers{1, 1, 9}, "token 2"},
		{"tokenizer.ggml.bos_token_id", 3U, "'tokenizer.ggml.bos_token_id'"},
	};

	for (const auto &[name, value, shown] : keys) {
		GgufFile file = model();
		file.values[name] = value;
		EXPECT_THAT(complaint(file), HasSubstr(shown)) << name;
	}
	GgufFile file = model();
	file.tensors["rope_freqs.weight"] = {2};
	EXPECT_THAT(complaint(file), HasSubstr("'rope_freqs.weight' has a factor of 0"));
}

TEST(Support, TheContextIsTheModelsUpTo4096)
{
	GgufFile file = model();

	for (const auto &[given, expected] :
	     {std::pair{32U, 32U}, {4096U, 4096U}, {131072U, 4096U}}) {
		file.values["llama.context_length"] = given;
		const auto bytes = file.bytes();
		const auto gguf = Gguf::parse(bytes);
		ASSERT_TRUE(gguf);
		const auto shape = read_shape(*gguf);
		ASSERT_TRUE(shape) << shape.error().message;
		EXPECT_EQ(shape->context, given);
		EXPECT_EQ(shape->default_context(), expected);
	}
}

} // namespace

} // namespace npu::llm
